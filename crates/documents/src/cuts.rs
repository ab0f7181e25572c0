//! What is cut from which line of a budget (核减), and why.

use fundcycle_core::application::Form;
use fundcycle_core::kinds::Kind;
use fundcycle_core::selection::Cut;
use uuid::Uuid;

use crate::document::Source;
use crate::paper::{Cell, Column, Table};
use crate::rounds::Named;

/// The cuts of several applications, each named; none where nothing is cut.
pub(crate) fn of_all(source: &Source<'_>, cuts: &[(Uuid, &Cut)]) -> Option<Table> {
    let mut columns = Named::columns(source.language).to_vec();
    columns.extend(own_columns(source));
    let row = |(application, cut): &(Uuid, &Cut)| {
        let named = Named::of(source, Kind::Application, *application).cells();
        named
            .into_iter()
            .chain(own_cells(source, *application, cut))
            .collect()
    };
    table(source, columns, 1, cuts.iter().map(row).collect())
}

/// The cuts of one application; none where nothing is cut.
pub(crate) fn of_one(source: &Source<'_>, application: Uuid, cuts: &[Cut]) -> Option<Table> {
    let rows = cuts
        .iter()
        .map(|cut| own_cells(source, application, cut).to_vec());
    table(source, own_columns(source).to_vec(), 0, rows.collect())
}

fn table(
    source: &Source<'_>,
    columns: Vec<Column>,
    named_by: usize,
    rows: Vec<Vec<Cell>>,
) -> Option<Table> {
    let caption = source
        .language
        .say(("核减明细", "What is cut from which budget line"));
    (!rows.is_empty()).then(|| Table {
        caption: caption.to_owned(),
        columns,
        named_by,
        rows,
        total: None,
    })
}

fn own_columns(source: &Source<'_>) -> [Column; 3] {
    [
        (("预算项", "Budget line"), 20),
        (("核减(元)", "Cut (yuan)"), 14),
        (("核减理由", "Reason"), 30),
    ]
    .map(|(words, width)| Column::new(source.language.say(words), width))
}

fn own_cells(source: &Source<'_>, application: Uuid, cut: &Cut) -> [Cell; 3] {
    let form: Option<Form> = source
        .one(Kind::Application, application)
        .and_then(|view| view.read("form"));
    let place = usize::try_from(cut.line).unwrap_or(usize::MAX);
    // As the applicant called it; its number where the reader does not see the form.
    let item = form
        .and_then(|form| Some(form.budget.get(place)?.item.clone()))
        .unwrap_or_else(|| place.saturating_add(1).to_string());
    [
        Cell::Text(item),
        Cell::Money(cut.amount),
        Cell::text(cut.reason.clone()),
    ]
}
