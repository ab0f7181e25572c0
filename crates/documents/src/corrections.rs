//! Scores that experts handed in again after the bureau had opened their sheets (更正记录): what they were, what they
//! are and why, with a place for the signature of each expert (`domain.md` §8).

use fundcycle_core::sheet::{Earlier, Sheet};
use fundcycle_scoring::Exact;
use uuid::Uuid;

use crate::document::Source;
use crate::paper::{Cell, Column, Table};
use crate::rounds::{self, Closed, Named};

/// The corrections of a round by `experts`, oldest first for each sheet; none where nothing was corrected.
pub(crate) fn of_round(
    source: &Source<'_>,
    closed: &Closed,
    experts: &[(Uuid, String)],
) -> Option<Table> {
    let language = source.language;
    let kind = rounds::subjects(closed.round);
    let mut rows = Vec::new();
    for outcome in &closed.results {
        let subject = outcome.input.subject;
        for (account, name) in experts {
            let sheets = source.parts_of::<Sheet>(subject);
            let own = sheets.iter().find(|sheet| {
                sheet.read("round") == Some(closed.round)
                    && sheet.read("expert") == Some(*account)
                    && sheet.stage == "submitted"
            });
            let Some(sheet) = own else { continue };
            let earlier: Vec<Earlier> = sheet.read("earlier").unwrap_or_default();
            let now: Option<Exact> = sheet.read("total");
            let later = earlier.iter().skip(1).map(|one| one.total.clone());
            for (was, becomes) in earlier.iter().zip(later.chain([now.clone()])) {
                let named = Named::of(source, kind, subject);
                let total = |total: Option<Exact>| total.map_or(Cell::Empty, Cell::Number);
                rows.push(vec![
                    Cell::text(named.number),
                    Cell::text(named.title),
                    Cell::text(name),
                    total(was.total.clone()),
                    total(becomes),
                    Cell::text(&was.reopened_because),
                    Cell::Empty,
                ]);
            }
        }
    }
    let columns = [
        (("编号", "Number"), 20),
        (("项目名称", "Project"), 32),
        (("专家", "Expert"), 12),
        (("原总分", "Total before"), 10),
        (("更正后总分", "Total after"), 10),
        (("更正原因", "Reason"), 30),
        (("专家签名", "Signature"), 14),
    ]
    .map(|(words, width)| Column::new(language.say(words), width));
    (!rows.is_empty()).then(|| Table {
        caption: language.say(("更正记录", "Corrections")).to_owned(),
        columns: columns.to_vec(),
        named_by: 1,
        rows,
        total: None,
    })
}
