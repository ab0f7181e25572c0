//! What a document says, before it is a page or a workbook.

use fundcycle_core::money::Money;
use fundcycle_scoring::{Exact, Rounding};

use crate::ics::Happening;
use crate::words::{Language, decimal};

/// A document's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paper {
    /// In which language it is written.
    pub language: Language,
    /// The programme, above the title.
    pub programme: String,
    /// Its title.
    pub title: String,
    /// Its number, below the title.
    pub number: Option<String>,
    /// What it says at the top, by label.
    pub facts: Vec<(String, String)>,
    /// The text of a letter.
    pub paragraphs: Vec<String>,
    /// Its tables.
    pub tables: Vec<Table>,
    /// What takes place.
    pub happenings: Vec<Happening>,
    /// What it says in the form that other programs expect of it, where it can be had as JSON.
    pub data: Option<serde_json::Value>,
    /// What its reader has to know.
    pub notes: Vec<String>,
    /// Who signs: a line for each.
    pub signatures: Vec<String>,
    /// Who seals it, and when: at the bottom right.
    pub seal: Vec<String>,
    /// Whether its tables need paper in landscape.
    pub wide: bool,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The column that names each row, counted from 0.
    pub named_by: usize,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// Its sums.
    pub total: Option<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// How wide it is, in widths of a digit.
    pub width: u16,
}

impl Column {
    /// A column.
    pub fn new(title: impl Into<String>, width: u16) -> Self {
        Self {
            title: title.into(),
            width,
        }
    }
}

/// A cell. What people typed is always [`Cell::Text`], which no program takes for a formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number: a rank, a count.
    Count(u32),
    /// A score with all its decimals.
    Number(Exact),
    /// A score that was rounded, with as many decimals as it was rounded to.
    Rounded(Exact, u8),
    /// A score that does not count, and the word that says so.
    Dropped(Exact, &'static str),
    /// An amount.
    Money(Money),
    /// Nothing.
    Empty,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A rank, or nothing.
    pub fn count(number: Option<u32>) -> Self {
        number.map_or(Self::Empty, Self::Count)
    }

    /// What people read.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(number) => number.to_string(),
            Self::Number(number) => decimal(number),
            Self::Rounded(number, scale) => number.fixed(*scale, Rounding::default()),
            Self::Dropped(number, word) => format!("{} ({word})", decimal(number)),
            Self::Money(amount) => grouped(*amount),
            Self::Empty => String::new(),
        }
    }

    /// Whether it stands at the right.
    pub(crate) const fn is_numeric(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Empty)
    }
}

/// Yuan with two decimals and commas between thousands.
pub(crate) fn grouped(amount: Money) -> String {
    let text = amount.to_yuan_text();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut parts = Vec::new();
    let mut rest = whole;
    while rest.len() > 3 {
        let (front, back) = rest.split_at(rest.len() - 3);
        parts.push(back);
        rest = front;
    }
    parts.push(rest);
    parts.reverse();
    format!("{sign}{}.{part}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_commas_between_thousands() {
        for (fen, text) in [
            (0, "0.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (2_850_050, "28,500.50"),
            (-123_456_789, "-1,234,567.89"),
        ] {
            assert_eq!(grouped(Money::from_fen(fen)), text);
        }
    }
}
