//! Where a page ended: the sort key and id of its last record, opaque to callers.
//!
//! Keys instead of offsets, so that records that come and go between two pages neither repeat nor skip others.

use uuid::Uuid;

use super::SortBy;

/// A cursor that this list did not give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cursor is not one of this list: ask for the first page again, with the same filters and sort"
)]
pub struct BadCursor;

/// The value that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Int(i64),
    Text(String),
}

/// The last record of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) key: Key,
    pub(super) id: Uuid,
}

impl Cursor {
    /// As text: the order it belongs to, the id, and the key in hexadecimal.
    pub(super) fn text(&self, sort: SortBy, descending: bool) -> String {
        let key = match &self.key {
            Key::Int(value) => value.to_be_bytes().to_vec(),
            Key::Text(value) => value.clone().into_bytes(),
        };
        format!(
            "{}{}{}",
            mark(sort, descending),
            self.id.simple(),
            to_hex(&key)
        )
    }

    /// Reads what [`Cursor::text`] wrote for the same order.
    pub(super) fn parse(text: &str, sort: SortBy, descending: bool) -> Result<Self, BadCursor> {
        let rest = text.strip_prefix(mark(sort, descending)).ok_or(BadCursor)?;
        let (id, key) = rest.split_at_checked(32).ok_or(BadCursor)?;
        let id = Uuid::try_parse(id).map_err(|_| BadCursor)?;
        let key = from_hex(key).ok_or(BadCursor)?;
        let key = match sort {
            SortBy::Label | SortBy::Number => {
                Key::Text(String::from_utf8(key).map_err(|_| BadCursor)?)
            }
            SortBy::CreatedAt | SortBy::UpdatedAt | SortBy::Amount => {
                Key::Int(i64::from_be_bytes(key.try_into().map_err(|_| BadCursor)?))
            }
        };
        Ok(Self { key, id })
    }
}

/// One letter per order; a capital for the descending one.
const fn mark(sort: SortBy, descending: bool) -> char {
    match (sort, descending) {
        (SortBy::CreatedAt, false) => 'c',
        (SortBy::CreatedAt, true) => 'C',
        (SortBy::UpdatedAt, false) => 'u',
        (SortBy::UpdatedAt, true) => 'U',
        (SortBy::Label, false) => 'l',
        (SortBy::Label, true) => 'L',
        (SortBy::Number, false) => 'n',
        (SortBy::Number, true) => 'N',
        (SortBy::Amount, false) => 'a',
        (SortBy::Amount, true) => 'A',
    }
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_text() {
        for key in ["", "养老服务", "a'b\"c%_"] {
            let cursor = Cursor {
                key: Key::Text(key.to_owned()),
                id: Uuid::from_u128(7),
            };
            assert_eq!(
                Cursor::parse(&cursor.text(SortBy::Label, true), SortBy::Label, true).unwrap(),
                cursor
            );
        }
        for key in [i64::MIN, -1, 0, i64::MAX] {
            let cursor = Cursor {
                key: Key::Int(key),
                id: Uuid::max(),
            };
            assert_eq!(
                Cursor::parse(&cursor.text(SortBy::Amount, false), SortBy::Amount, false).unwrap(),
                cursor
            );
        }
    }

    #[test]
    fn a_cursor_that_is_broken_or_of_another_order_is_refused() {
        let good = Cursor {
            key: Key::Int(5),
            id: Uuid::from_u128(7),
        }
        .text(SortBy::CreatedAt, false);
        assert!(Cursor::parse(&good, SortBy::CreatedAt, false).is_ok());
        assert_eq!(
            Cursor::parse(&good, SortBy::CreatedAt, true),
            Err(BadCursor)
        );
        assert_eq!(
            Cursor::parse(&good, SortBy::UpdatedAt, false),
            Err(BadCursor)
        );
        for broken in [
            "",
            "c",
            "c0",
            "养",
            "c养老服务",
            &good[..good.len() - 1],
            &good[..good.len() - 2],
            &format!("{good}zz"),
            &format!("{good}养x"),
        ] {
            assert_eq!(
                Cursor::parse(broken, SortBy::CreatedAt, false),
                Err(BadCursor),
                "{broken}"
            );
        }
    }
}
