//! A document as one HTML page: no script, no other file, a style that prints.

use data_encoding::BASE64;
use minijinja::{Environment, value::Serde};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::WriteError;
use crate::paper::{Cell, Paper, Table};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/print.css");

/// The Content-Security-Policy of every page: its own style, and nothing else from anywhere.
pub fn security_policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        BASE64.encode(&Sha256::digest(STYLE))
    )
}

#[derive(Serialize)]
struct Page<'a> {
    lang: &'static str,
    style: &'static str,
    programme: &'a str,
    title: &'a str,
    number: Option<&'a str>,
    facts: &'a [(String, String)],
    paragraphs: &'a [String],
    tables: Vec<HtmlTable<'a>>,
    notes: &'a [String],
    signatures: &'a [String],
    signed: &'static str,
    seal: &'a [String],
    wide: bool,
}

#[derive(Serialize)]
struct HtmlTable<'a> {
    caption: &'a str,
    columns: Vec<HtmlColumn<'a>>,
    rows: Vec<Vec<HtmlCell>>,
    total: Option<Vec<HtmlCell>>,
}

#[derive(Serialize)]
struct HtmlColumn<'a> {
    title: &'a str,
    numeric: bool,
}

#[derive(Serialize)]
struct HtmlCell {
    text: String,
    word: Option<&'static str>,
    numeric: bool,
    names_the_row: bool,
}

pub(crate) fn write(paper: &Paper) -> Result<Vec<u8>, WriteError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    // The ending of the name is what makes every value escaped.
    environment.add_template("page.html", PAGE)?;
    let page = Page {
        lang: paper.language.tag(),
        style: STYLE,
        programme: &paper.programme,
        title: &paper.title,
        number: paper.number.as_deref(),
        facts: &paper.facts,
        paragraphs: &paper.paragraphs,
        tables: paper.tables.iter().map(table).collect(),
        notes: &paper.notes,
        signatures: &paper.signatures,
        signed: paper.language.say(("签字", "Signatures")),
        seal: &paper.seal,
        wide: paper.wide,
    };
    let text = environment
        .get_template("page.html")?
        .render(Serde(&page))?;
    Ok(text.into_bytes())
}

fn table(table: &Table) -> HtmlTable<'_> {
    let cells = |row: &Vec<Cell>| -> Vec<HtmlCell> {
        let cells = row.iter().enumerate();
        cells
            .map(|(index, one)| cell(one, index == table.named_by))
            .collect()
    };
    let numeric = |index: usize| {
        table
            .rows
            .iter()
            .filter_map(|row| row.get(index))
            .any(Cell::is_numeric)
    };
    let columns = table.columns.iter().enumerate();
    HtmlTable {
        caption: &table.caption,
        columns: columns
            .map(|(index, column)| HtmlColumn {
                title: &column.title,
                numeric: numeric(index),
            })
            .collect(),
        rows: table.rows.iter().map(cells).collect(),
        total: table.total.as_ref().map(cells),
    }
}

fn cell(cell: &Cell, names_the_row: bool) -> HtmlCell {
    let (text, word) = match cell {
        Cell::Dropped(number, word) => (crate::words::decimal(number), Some(*word)),
        other => (other.shown(), None),
    };
    HtmlCell {
        text,
        word,
        numeric: cell.is_numeric(),
        names_the_row,
    }
}
