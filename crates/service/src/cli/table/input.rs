//! Reading a CSV file whole, and saying everything that is wrong with it at once.

use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use crate::cli::{Stop, complain};

/// The bytes before a UTF-8 text that some spreadsheets write.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A table with its faults so far.
#[derive(Debug)]
pub(crate) struct Rows {
    name: String,
    header: Vec<String>,
    body: Vec<Row>,
    faults: Vec<Fault>,
}

/// One row, and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    line: usize,
    fields: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    line: usize,
    column: usize,
    message: String,
}

/// The text of a file; `-` is standard input. A byte order mark is left out.
///
/// # Errors
///
/// Where it cannot be read, or is not UTF-8.
pub(crate) fn read_text(file: &Path) -> Result<String, Stop> {
    let name = name_of(file);
    let mut bytes = Vec::new();
    let result = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    result.map_err(|error| Stop::Trouble(format!("{name} cannot be read: {error}")))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = 1 + String::from_utf8_lossy(before).matches('\n').count();
            let fields = before.iter().rev().take_while(|byte| **byte != b'\n');
            let column = 1 + fields.filter(|byte| **byte == b',').count();
            complain(&format!(
                "{name}: line {line}, column {column}: not UTF-8: save the file as CSV UTF-8"
            ));
            Err(Stop::No)
        }
    }
}

/// Reads a table that has at least the columns `needed`, in any order.
///
/// # Errors
///
/// Where it cannot be read, or lacks a column.
pub(crate) fn read(file: &Path, needed: &[&str]) -> Result<Rows, Stop> {
    let rows = parse(name_of(file), &read_text(file)?);
    let mut rows = rows?;
    for name in needed {
        match rows.header.iter().filter(|column| column == name).count() {
            1 => {}
            0 => rows.fault(1, 1, format!("the header has no column `{name}`")),
            _ => rows.fault(1, 1, format!("the header has `{name}` twice")),
        }
    }
    if rows.faults.is_empty() {
        rows.check_widths();
        Ok(rows)
    } else {
        Err(rows.refuse())
    }
}

fn parse(name: String, text: &str) -> Result<Rows, Stop> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut line, mut counted) = (1, 0);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        // The reader's own position is that of the blank lines before the record.
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start)?;
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte));
        let begin = start + blank.count();
        let passed = text.get(counted..begin).unwrap_or_default();
        line += passed.matches('\n').count();
        counted = begin;
        let fields = record.iter().map(str::to_owned).collect();
        rows.push(Row { line, fields });
    }
    let header = if rows.is_empty() {
        Vec::new()
    } else {
        rows.remove(0).fields
    };
    Ok(Rows {
        name,
        header: header.iter().map(|name| name.trim().to_owned()).collect(),
        body: rows,
        faults: Vec::new(),
    })
}

fn name_of(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

impl Rows {
    /// Hands out the rows; they are read with the other methods.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.body)
    }

    /// Whether there is such a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// The field as it stands; empty without such a column.
    pub(crate) fn text<'r>(&self, row: &'r Row, column: &str) -> &'r str {
        let index = self.header.iter().position(|name| name == column);
        let field = index.and_then(|index| row.fields.get(index));
        field.map_or("", String::as_str)
    }

    /// A name: any text but none. Spaces around it, which nobody sees, are left out.
    pub(crate) fn name(&mut self, row: &Row, column: &str) -> String {
        self.verbatim(row, column).trim().to_owned()
    }

    /// A text that is not blank, as it stands.
    pub(crate) fn verbatim(&mut self, row: &Row, column: &str) -> String {
        let text = self.text(row, column).to_owned();
        if text.trim().is_empty() {
            self.blame(row, column, "is empty");
        }
        text
    }

    /// A number or an amount; a fault, and the default, if it is none.
    pub(crate) fn value<T>(&mut self, row: &Row, column: &str) -> T
    where
        T: FromStr<Err: std::fmt::Display> + Default,
    {
        let text = self.text(row, column).trim();
        match text.parse() {
            Ok(value) => return value,
            Err(_) if text.is_empty() => self.blame(row, column, "is empty"),
            Err(error) => self.blame(row, column, &error.to_string()),
        }
        T::default()
    }

    /// Says what is wrong with a field.
    pub(crate) fn blame(&mut self, row: &Row, column: &str, message: &str) {
        let index = self.header.iter().position(|name| name == column);
        let message = format!("{column}: {message}");
        self.fault(row.line, index.map_or(1, |index| index + 1), message);
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// Where there were faults: they are all said now.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.refuse())
        }
    }

    fn fault(&mut self, line: usize, column: usize, message: String) {
        self.faults.push(Fault {
            line,
            column,
            message,
        });
    }

    /// Rows with too few or too many fields are faults and go no further.
    fn check_widths(&mut self) {
        let width = self.header.len();
        for row in self.take() {
            let fields = row.fields.len();
            if fields == width {
                self.body.push(row);
            } else {
                let message = format!("{fields} fields where the header has {width}");
                self.fault(row.line, fields.min(width) + 1, message);
            }
        }
    }

    fn refuse(mut self) -> Stop {
        self.faults.sort();
        self.faults.dedup();
        for fault in &self.faults {
            let Fault {
                line,
                column,
                message,
            } = fault;
            complain(&format!(
                "{}: line {line}, column {column}: {message}",
                self.name
            ));
        }
        Stop::No
    }
}

impl Row {
    /// The line it begins on, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }
}
