//! A document as a workbook: what people typed is always a string, never a formula.

use fundcycle_core::money::Money;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};

use crate::WriteError;
use crate::paper::{Cell, Paper, Table};

/// The longest text that a cell holds, in characters.
const LONGEST: usize = 32_767;
/// Characters that the name of a worksheet cannot have.
const NOT_IN_NAMES: [char; 7] = ['[', ']', ':', '*', '?', '/', '\\'];
/// The size of A4 in the numbering of the format.
const A4: u8 = 9;
/// The widest a column of text may be, in widths of a digit.
const WIDEST: u16 = 60;

struct Formats {
    title: Format,
    line: Format,
    heading: Format,
    text: Format,
    sum: Format,
}

impl Formats {
    fn new() -> Self {
        let boxed = Format::new()
            .set_border(FormatBorder::Thin)
            .set_align(FormatAlign::Top)
            .set_text_wrap();
        Self {
            title: Format::new()
                .set_bold()
                .set_font_size(16)
                .set_align(FormatAlign::Center),
            line: Format::new()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_align(FormatAlign::Left),
            heading: boxed.clone().set_bold().set_align(FormatAlign::Center),
            sum: boxed.clone().set_bold(),
            text: boxed,
        }
    }
}

pub(crate) fn write(paper: &Paper) -> Result<Vec<u8>, WriteError> {
    let mut workbook = Workbook::new();
    // Neither who made it nor when: properties tell no more than the page (`visibility.md` F8), and
    // the same content gives the same bytes.
    let properties = DocProperties::new()
        .set_title(&paper.title)
        .set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?);
    workbook.set_properties(&properties);
    let formats = Formats::new();
    for (index, table) in paper.tables.iter().enumerate() {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(name(if index == 0 {
            &paper.title
        } else {
            &table.caption
        }))?;
        worksheet.set_paper_size(A4).set_print_fit_to_pages(1, 0);
        if paper.wide {
            worksheet.set_landscape();
        }
        let last = last_column(table);
        let mut row = 0;
        if index == 0 {
            row = head(worksheet, paper, last, &formats)?;
        }
        row = body(worksheet, table, row, &formats)?;
        if index == 0 {
            foot(worksheet, paper, row, last, &formats)?;
        }
    }
    Ok(workbook.save_to_buffer()?)
}

/// Title and facts; gives the row after them.
fn head(
    worksheet: &mut Worksheet,
    paper: &Paper,
    last: u16,
    formats: &Formats,
) -> Result<u32, WriteError> {
    let mut row = 0;
    for text in [
        Some(&paper.programme),
        Some(&paper.title),
        paper.number.as_ref(),
    ]
    .into_iter()
    .flatten()
    .filter(|text| !text.is_empty())
    {
        across(worksheet, row, last, text, &formats.title)?;
        row += 1;
    }
    for (label, value) in &paper.facts {
        across(
            worksheet,
            row,
            last,
            &format!("{label}: {value}"),
            &formats.line,
        )?;
        row += 1;
    }
    Ok(row + 1)
}

/// The table; gives the row after it.
fn body(
    worksheet: &mut Worksheet,
    table: &Table,
    first: u32,
    formats: &Formats,
) -> Result<u32, WriteError> {
    let mut row = first;
    for (column, heading) in (0_u16..).zip(&table.columns) {
        worksheet.set_column_width(column, f64::from(heading.width.min(WIDEST)))?;
        worksheet.write_string_with_format(
            row,
            column,
            clipped(&heading.title),
            &formats.heading,
        )?;
    }
    worksheet.set_repeat_rows(row, row)?;
    for cells in &table.rows {
        row += 1;
        for (column, cell) in (0_u16..).zip(cells) {
            put(worksheet, row, column, cell, &formats.text)?;
        }
    }
    if !table.rows.is_empty() {
        worksheet.autofilter(first, 0, row, last_column(table))?;
    }
    if let Some(total) = &table.total {
        row += 1;
        for (column, cell) in (0_u16..).zip(total) {
            put(worksheet, row, column, cell, &formats.sum)?;
        }
    }
    Ok(row + 2)
}

/// Notes, lines to sign on, and the seal.
fn foot(
    worksheet: &mut Worksheet,
    paper: &Paper,
    first: u32,
    last: u16,
    formats: &Formats,
) -> Result<(), WriteError> {
    let signed = paper
        .signatures
        .iter()
        .map(|one| format!("{one}: ____________________"));
    let lines = paper
        .notes
        .iter()
        .cloned()
        .chain(signed)
        .chain(paper.seal.iter().cloned());
    for (row, text) in (first..).zip(lines) {
        across(worksheet, row, last, &text, &formats.line)?;
    }
    Ok(())
}

fn put(
    worksheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    format: &Format,
) -> Result<(), WriteError> {
    match cell {
        Cell::Text(text) => {
            worksheet.write_string_with_format(row, column, clipped(text), format)?
        }
        Cell::Count(number) => worksheet.write_number_with_format(row, column, *number, format)?,
        Cell::Number(number) => {
            worksheet.write_number_with_format(row, column, number.to_f64(), format)?
        }
        Cell::Rounded(number, scale) => {
            let places = "0".repeat(usize::from(*scale));
            let form = if places.is_empty() {
                "0".to_owned()
            } else {
                format!("0.{places}")
            };
            let format = format.clone().set_num_format(form);
            worksheet.write_number_with_format(row, column, number.to_f64(), &format)?
        }
        // Struck through and said in words, and still a number.
        Cell::Dropped(number, word) => {
            let format = format
                .clone()
                .set_font_strikethrough()
                .set_num_format(format!("General\" ({word})\""));
            worksheet.write_number_with_format(row, column, number.to_f64(), &format)?
        }
        Cell::Money(amount) => {
            let format = format.clone().set_num_format("#,##0.00");
            worksheet.write_number_with_format(row, column, yuan(*amount), &format)?
        }
        Cell::Empty => worksheet.write_blank(row, column, format)?,
    };
    Ok(())
}

/// One text over all columns.
fn across(
    worksheet: &mut Worksheet,
    row: u32,
    last: u16,
    text: &str,
    format: &Format,
) -> Result<(), WriteError> {
    if last == 0 {
        worksheet.write_string_with_format(row, 0, clipped(text), format)?;
    } else {
        // A merged range would take a formula for one, so the text is written over it.
        worksheet.merge_range(row, 0, row, last, "", format)?;
        worksheet.write_string_with_format(row, 0, clipped(text), format)?;
    }
    Ok(())
}

fn last_column(table: &Table) -> u16 {
    u16::try_from(table.columns.len().saturating_sub(1)).unwrap_or(u16::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format holds binary numbers; 2^53 fen are 90 trillion yuan"
)]
fn yuan(amount: Money) -> f64 {
    amount.fen() as f64 / 100.0
}

fn clipped(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// A name that a worksheet can have.
fn name(title: &str) -> String {
    let name: String = title
        .chars()
        .filter(|one| !NOT_IN_NAMES.contains(one))
        .take(31)
        .collect();
    name.trim_matches('\'').to_owned()
}
