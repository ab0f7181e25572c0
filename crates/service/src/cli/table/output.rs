//! Writing a table as CSV, JSON or text.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde_json::{Map, Value};

use crate::cli::Stop;

/// How a table is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// CSV with a header.
    Csv,
    /// JSON; exact numbers are strings.
    Json,
    /// A table to read.
    Table,
}

/// What every command that computes takes.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// How the result is written.
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: Format,
}

/// One field.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Nothing.
    None,
    /// A whole number.
    Count(u64),
    /// Anything else.
    Text(String),
}

impl Cell {
    /// What prints as `value`, or nothing.
    pub(crate) fn of(value: Option<impl ToString>) -> Self {
        value.map_or(Self::None, |value| Self::Text(value.to_string()))
    }

    fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Count(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Count(number) => Value::from(*number),
            Self::Text(text) => Value::from(text.as_str()),
        }
    }
}

/// Writes the rows. JSON is a list of objects or, where there is `more` to say, an object with
/// `more` and the list under `list`.
///
/// # Errors
///
/// Where nobody reads it any more.
pub(crate) fn show(
    format: Format,
    header: &[&str],
    rows: &[Vec<Cell>],
    more: Option<(&str, Map<String, Value>)>,
) -> Result<(), Stop> {
    let bytes = match format {
        Format::Csv => csv_of(header, rows)?,
        Format::Json => json_of(header, rows, more)?,
        Format::Table => {
            let mut table = Table::new();
            table.load_style(presets::UTF8_FULL_CONDENSED);
            table.set_header(header.to_vec());
            for row in rows {
                table.add_row(row.iter().map(Cell::text));
            }
            format!("{table}\n").into_bytes()
        }
    };
    Ok(std::io::stdout().lock().write_all(&bytes)?)
}

/// The rows as a JSON list of objects.
pub(crate) fn objects(header: &[&str], rows: &[Vec<Cell>]) -> Value {
    let object = |row: &Vec<Cell>| {
        let fields = header.iter().zip(row);
        let fields = fields.map(|(name, cell)| ((*name).to_owned(), cell.json()));
        Value::Object(fields.collect())
    };
    Value::Array(rows.iter().map(object).collect())
}

fn csv_of(header: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>, Stop> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(Cell::text))?;
    }
    Ok(writer.into_inner()?)
}

fn json_of(
    header: &[&str],
    rows: &[Vec<Cell>],
    more: Option<(&str, Map<String, Value>)>,
) -> Result<Vec<u8>, Stop> {
    let list = objects(header, rows);
    let document = match more {
        None => list,
        Some((name, mut more)) => {
            more.insert(name.to_owned(), list);
            Value::Object(more)
        }
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}
