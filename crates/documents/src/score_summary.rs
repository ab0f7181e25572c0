//! The score summary (评分汇总表): every expert's total for everything in the round, what was dropped,
//! the score and the place, with lines for signatures (`domain.md` §8).

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::expert;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::sheet::Sheet;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::Format;
use crate::corrections;
use crate::document::{Document, Source};
use crate::paper::{Cell, Column, Paper, Table};
use crate::rounds::{self, Closed, Named};
use crate::words::{Language, Words};

pub(crate) const DOCUMENT: Document = Document {
    name: "score-summary",
    kind: Kind::Panel,
    title: ("评分汇总表", "Score summary"),
    eyes: &[Eye::Organiser],
    stages: &["closed"],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, world: &World) -> Vec<Need> {
    let State::Panel(panel) = state else {
        return Vec::new();
    };
    let sheets = panel.data.subjects.iter();
    let mut experts: BTreeSet<Uuid> = panel.data.experts.clone();
    for outcome in &panel.data.results {
        experts.extend(outcome.input.totals.keys());
    }
    let experts = experts.into_iter();
    rounds::needs(state, world)
        .into_iter()
        .chain(sheets.map(|id| Need::PartsOf(Kind::Sheet, *id)))
        .chain(experts.map(|account| Need::One(Kind::Expert, expert::id_of(account))))
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let closed = Closed::of(source)?;
    let language = source.language;
    let others = other_sheets(source, &closed);
    let experts = experts(source, &closed, &others);
    let calibrated = closed.results.iter().any(|one| one.raw.is_some());
    let deducted = (closed.results.iter()).any(|one| one.deduction.is_some());

    let mut columns = vec![Column::new(language.say(("名次", "Rank")), 6)];
    columns.extend(Named::columns(language));
    columns.extend(experts.iter().map(|(_, name)| Column::new(name, 12)));
    if calibrated {
        let title = language.say(("校准前", "Before calibration"));
        columns.push(Column::new(title, 10));
    }
    if deducted {
        let title = language.say(("超时扣分", "Deducted for overrun"));
        columns.push(Column::new(title, 10));
    }
    columns.push(Column::new(language.say(("得分", "Score")), 10));
    columns.push(Column::new(language.say(("备注", "Remarks")), 24));

    let kind = rounds::subjects(closed.round);
    let rows = closed.results.iter().map(|outcome| {
        let subject = outcome.input.subject;
        let mut row = vec![Cell::count(outcome.score.rank)];
        row.extend(Named::of(source, kind, subject).cells());
        for (account, _) in &experts {
            let dropped = outcome.dropped.contains(&account.to_string());
            row.push(match outcome.input.totals.get(account) {
                Some(total) if dropped => Cell::Dropped(total.clone(), dropped_word(language)),
                Some(total) => Cell::Number(total.clone()),
                None => others
                    .get(&(subject, *account))
                    .map_or_else(|| Cell::text("—"), |words| Cell::text(language.say(*words))),
            });
        }
        if calibrated {
            let raw = outcome.raw.as_ref();
            row.push(raw.map_or(Cell::Empty, |raw| {
                Cell::Rounded(raw.rounded.clone(), closed.scale)
            }));
        }
        if deducted {
            let lost = outcome.deduction.as_ref();
            row.push(lost.map_or(Cell::Empty, |lost| Cell::Number(lost.points.clone())));
        }
        row.push(Cell::Rounded(outcome.score.rounded.clone(), closed.scale));
        row.push(Cell::Text(closed.remarks(outcome, language)));
        row
    });
    let corrections = corrections::of_round(source, &closed, &experts);
    let word = dropped_word(language);
    let table = Table {
        caption: language.name(closed.round),
        columns,
        named_by: 2,
        rows: rows.collect(),
        total: None,
    };
    let mut notes = vec![language.choose(
        format!("划线并标“{word}”的为按规则去掉的最高分或最低分,不计入得分。"),
        format!("A total struck through and marked “{word}” was dropped as highest or lowest by the rules."),
    )];
    notes.push(
        language
            .say((
                "“—”表示该专家未分得此项目;没有评分不等于零分。",
                "“—”: not given to this expert. No score is not zero.",
            ))
            .to_owned(),
    );
    let office: [Words; 3] = [
        ("记录人", "Recorded by"),
        ("核对人", "Checked by"),
        ("监督人", "Observed by"),
    ];
    Some(Paper {
        facts: closed.facts(source),
        tables: std::iter::once(table).chain(corrections).collect(),
        notes,
        signatures: experts
            .into_iter()
            .map(|(_, name)| name)
            .chain(office.map(|words| language.say(words).to_owned()))
            .collect(),
        wide: true,
        ..Paper::default()
    })
}

const fn dropped_word(language: Language) -> &'static str {
    language.say(("去", "dropped"))
}

/// The sheets of this panel that do not count, and why.
fn other_sheets(source: &Source<'_>, closed: &Closed) -> BTreeMap<(Uuid, Uuid), Words> {
    let mut others = BTreeMap::new();
    let subjects = closed.results.iter().map(|one| one.input.subject);
    for subject in subjects {
        for view in source.parts_of::<Sheet>(subject) {
            let of_round = view.read("round") == Some(closed.round);
            let words: Words = match view.stage {
                "recused" => ("回避", "recused"),
                "abstained" => ("弃权", "abstained"),
                "void" => ("作废", "void"),
                _ => continue,
            };
            if let Some(expert) = view.read::<Uuid>("expert").filter(|_| of_round) {
                others.insert((subject, expert), words);
            }
        }
    }
    others
}

/// The experts who had a sheet, in the order of their names: by name where the reader may know it.
fn experts(
    source: &Source<'_>,
    closed: &Closed,
    others: &BTreeMap<(Uuid, Uuid), Words>,
) -> Vec<(Uuid, String)> {
    let mut accounts: BTreeSet<Uuid> = others.keys().map(|(_, expert)| *expert).collect();
    for outcome in &closed.results {
        accounts.extend(outcome.input.totals.keys());
    }
    let mut experts: Vec<(Option<String>, Uuid)> = accounts
        .into_iter()
        .map(|account| {
            let record = source.one(Kind::Expert, expert::id_of(account));
            let profile: Option<expert::Profile> = record.and_then(|one| one.read("profile"));
            (profile.map(|profile| profile.name), account)
        })
        .collect();
    experts.sort();
    let language = source.language;
    (1..)
        .zip(experts)
        .map(|(place, (name, account))| {
            let numbered = || language.choose(format!("专家{place}"), format!("Expert {place}"));
            (account, name.unwrap_or_else(numbered))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use fundcycle_core::names::Names as _;
    use fundcycle_core::sheet::Stage;

    #[test]
    fn the_stages_that_do_not_count_are_stages_of_a_sheet() {
        for name in ["recused", "abstained", "void"] {
            assert!(Stage::from_name(name).is_some(), "{name}");
        }
    }
}
