//! The ranking of a round (排名表): the place and score of each, without any expert.

use fundcycle_core::kinds::Kind;
use fundcycle_core::visibility::Eye;

use crate::Format;
use crate::document::{Document, Source};
use crate::paper::{Cell, Column, Paper, Table};
use crate::rounds::{self, Closed, Named};

pub(crate) const DOCUMENT: Document = Document {
    name: "ranking",
    kind: Kind::Panel,
    title: ("评审排名表", "Ranking"),
    eyes: &[Eye::Organiser],
    stages: &["closed"],
    formats: Format::TABLES,
    needs: |_, state, world| rounds::needs(state, world),
    content,
};

fn content(source: &Source<'_>) -> Option<Paper> {
    let closed = Closed::of(source)?;
    let language = source.language;
    let mut columns = vec![Column::new(language.say(("名次", "Rank")), 6)];
    columns.extend(Named::columns(language));
    columns.push(Column::new(language.say(("得分", "Score")), 10));
    columns.push(Column::new(language.say(("备注", "Remarks")), 30));
    let kind = rounds::subjects(closed.round);
    let rows = closed.results.iter().map(|outcome| {
        let mut row = vec![Cell::count(outcome.score.rank)];
        row.extend(Named::of(source, kind, outcome.input.subject).cells());
        row.push(Cell::Rounded(outcome.score.rounded.clone(), closed.scale));
        row.push(Cell::Text(closed.remarks(outcome, language)));
        row
    });
    Some(Paper {
        facts: closed.facts(source),
        tables: vec![Table {
            caption: language.name(closed.round),
            columns,
            named_by: 2,
            rows: rows.collect(),
            total: None,
        }],
        signatures: [("制表人", "Prepared by"), ("审核人", "Checked by")]
            .map(|words| language.say(words).to_owned())
            .to_vec(),
        ..Paper::default()
    })
}
