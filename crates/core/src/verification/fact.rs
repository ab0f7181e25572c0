//! One entry as far as it is shown, and reading what it has to show.

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{Line, Said};
use crate::disclosure::Step;

/// An entry whose hash is right.
pub(super) struct Fact<'a> {
    /// Its place in the journal.
    pub(super) seq: usize,
    /// Its content as far as it is shown.
    pub(super) content: Value,
    line: &'a Line,
}

impl<'a> Fact<'a> {
    pub(super) fn new(seq: usize, line: &'a Line) -> Self {
        Self {
            seq,
            content: line.content.document(),
            line,
        }
    }

    /// A text of the head of the entry; empty where it is hidden.
    pub(super) fn text(&self, name: &str) -> &str {
        self.content
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What stands at `pointer`.
    pub(super) fn read<T: DeserializeOwned>(&self, pointer: &str) -> Result<T, Said> {
        let value = self.content.pointer(pointer).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| {
            Said::differs(
                format!("entry {}: {pointer} cannot be read: {error}", self.seq),
                format!("第 {} 条:{pointer} 无法读取:{error}", self.seq),
            )
        })
    }

    /// Which record it is about.
    pub(super) fn id(&self) -> Result<Uuid, Said> {
        self.read("/id")
    }

    /// When it was recorded, in Unix milliseconds.
    pub(super) fn at(&self) -> Result<i64, Said> {
        self.read("/at")
    }

    /// Whether the field at this path is there, shown or not.
    pub(super) fn has(&self, path: &[Step]) -> bool {
        self.line.content.has(path)
    }
}

/// A path of names.
pub(super) fn path(names: &[&str]) -> Vec<Step> {
    names
        .iter()
        .map(|name| Step::Key((*name).to_owned()))
        .collect()
}
