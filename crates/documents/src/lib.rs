//! What is printed: documents made from records, as HTML that prints well, as XLSX, CSV and JSON, and for calendars
//! (`domain.md` §8).
//!
//! A document holds what its reader may see and nothing else: it is made from views
//! ([`fundcycle_core::visibility::Viewer::view`]), never from the records themselves. The same
//! records, reader and language give the same bytes.

pub mod archive;
mod csv;
mod document;
mod html;
mod ics;
mod paper;
mod words;
mod xlsx;

mod award_letter;
mod calendar;
mod certificate;
mod corrections;
mod cuts;
mod final_statement;
mod launch_calendar;
mod monitoring;
mod notice;
mod open_data;
mod payments;
mod pitch_order;
mod progress;
mod ranking;
mod result_letter;
mod rounds;
mod score_summary;
mod selection;
mod statistics;

pub use document::{Document, Source, View};
pub use html::security_policy;
pub use ics::{Happening, When};
pub use paper::{Cell, Column, Paper, Table};
pub use words::{Language, Words};

/// Every document there is.
pub const DOCUMENTS: &[Document] = &[
    score_summary::DOCUMENT,
    ranking::DOCUMENT,
    pitch_order::DOCUMENT,
    calendar::DOCUMENT,
    selection::DOCUMENT,
    notice::DOCUMENT,
    award_letter::DOCUMENT,
    result_letter::DOCUMENT,
    launch_calendar::DOCUMENT,
    progress::DOCUMENT,
    monitoring::DOCUMENT,
    payments::ORDERS,
    payments::LEDGER,
    final_statement::DOCUMENT,
    certificate::DOCUMENT,
    statistics::DOCUMENT,
    open_data::DOCUMENT,
];

/// What a document can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A page that prints well.
    Html,
    /// A workbook.
    Xlsx,
    /// Its first table alone, for other programs.
    Csv,
    /// What takes place, for calendars.
    Ics,
    /// What it says, for other programs that expect a form of their own.
    Json,
}

impl Format {
    /// Every format, the one that is given to who asks for none first.
    pub const ALL: &'static [Self] = &[Self::Html, Self::Xlsx, Self::Csv, Self::Ics, Self::Json];

    /// The formats of a document with a table.
    pub const TABLES: &'static [Self] = &[Self::Html, Self::Xlsx, Self::Csv];

    /// Its name, which is also the ending of file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
            Self::Ics => "ics",
            Self::Json => "json",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Ics => "text/calendar",
            Self::Json => "application/json",
        }
    }
}

/// Why a document could not be written: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The page could not be filled in.
    #[error("the page cannot be filled in: {0}")]
    Page(#[from] minijinja::Error),
    /// The workbook could not be written.
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The text file could not be written.
    #[error("the CSV file cannot be written: {0}")]
    Csv(String),
    /// The JSON could not be written.
    #[error("the JSON cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Paper {
    /// The document in a format.
    ///
    /// # Errors
    ///
    /// [`WriteError`] where the format cannot hold it.
    pub fn write(&self, format: Format) -> Result<Vec<u8>, WriteError> {
        match format {
            Format::Html => html::write(self),
            Format::Xlsx => xlsx::write(self),
            Format::Csv => csv::write(self),
            Format::Ics => Ok(ics::write(self)),
            Format::Json => Ok(archive::lines(&self.data)?),
        }
    }
}
