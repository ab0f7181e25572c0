//! A document's first table as CSV that spreadsheets open: UTF-8 with a byte order mark, and no text
//! that they would take for a formula.

use crate::WriteError;
use crate::paper::{Cell, Paper};
use crate::words::decimal;

/// What makes a spreadsheet read text as a formula, in both widths of Chinese input.
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

pub(crate) fn write(paper: &Paper) -> Result<Vec<u8>, WriteError> {
    let failed = |error: &dyn std::fmt::Display| WriteError::Csv(error.to_string());
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    if let Some(table) = paper.tables.first() {
        let headings = table.columns.iter().map(|column| harmless(&column.title));
        writer
            .write_record(headings)
            .map_err(|error| failed(&error))?;
        for row in table.rows.iter().chain(&table.total) {
            writer
                .write_record(row.iter().map(field))
                .map_err(|error| failed(&error))?;
        }
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// Numbers as programs read them, text so that no program calculates it.
fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text),
        Cell::Money(amount) => amount.to_yuan_text(),
        Cell::Number(number) => decimal(number),
        Cell::Count(_) | Cell::Rounded(..) | Cell::Dropped(..) | Cell::Empty => cell.shown(),
    }
}

fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_would_be_calculated_is_quoted_and_other_text_is_not() {
        for (text, written) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+86 519", "'+86 519"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("爱心=幸福", "爱心=幸福"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written);
        }
    }
}
