//! The selection (拟资助方案): who is to be funded with how much, and for each why, and what would have
//! had to be different (`domain.md` §2.8).

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::numerals::capital_numerals;
use fundcycle_core::selection::{Cut, Line, Promotion, Run};
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use fundcycle_scoring::Outcome;
use uuid::Uuid;

use crate::Format;
use crate::cuts;
use crate::document::{Document, Source};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::rounds::{Named, owner};
use crate::words::Language;

pub(crate) const DOCUMENT: Document = Document {
    name: "selection",
    kind: Kind::Selection,
    title: ("拟资助方案", "Selection"),
    eyes: &[Eye::Staff],
    stages: &["computed", "proposed", "approved", "announced"],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, world: &World) -> Vec<Need> {
    let State::Selection(selection) = state else {
        return Vec::new();
    };
    let lines = selection.data.run.lines.iter();
    lines
        .flat_map(|line| {
            let id = line.application;
            let own = [Need::One(Kind::Application, id)];
            own.into_iter().chain(owner(Kind::Application, id, world))
        })
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let run: Run = view.read("run")?;
    let policy = source.programme()?;
    let sum = |amounts: &mut dyn Iterator<Item = Money>| Money::checked_sum(amounts);
    let requested = sum(&mut run.lines.iter().map(|line| line.requested))?;
    let awarded = sum(&mut run.lines.iter().map(|line| line.award))?;
    let scale = policy.ranking.scale;
    let budget = Money::from_fen(policy.selection.budget.fen());
    let added = run.lines.iter().any(|line| !line.bonus.is_zero());
    let rows = run.lines.iter().map(|line| row(source, line, scale, added));

    let mut columns = vec![Column::new(language.say(("名次", "Rank")), 6)];
    columns.extend(Named::columns(language));
    columns.push(Column::new(
        language.say(("申请金额(元)", "Asked for (yuan)")),
        14,
    ));
    columns.push(Column::new(language.say(("得分", "Score")), 9));
    if added {
        let words = ("其中业绩加分", "Of it for earlier projects");
        columns.push(Column::new(language.say(words), 9));
    }
    let more = [
        (("结果", "Decision"), 10),
        (("资助金额(元)", "Award (yuan)"), 14),
        (("核减(元)", "Cut (yuan)"), 14),
        (("依据", "Reason"), 30),
        (("若要入选", "What would have changed it"), 30),
    ];
    columns.extend(more.map(|(words, width)| Column::new(language.say(words), width)));
    let mut total = vec![Cell::Empty, Cell::Empty];
    total.push(Cell::text(language.say(("合计", "Total"))));
    total.extend([Cell::Empty, Cell::Empty, Cell::Money(requested)]);
    total.extend(added.then_some(Cell::Empty));
    total.extend([Cell::Empty, Cell::Empty, Cell::Money(awarded)]);
    total.extend([Cell::Empty, Cell::Empty, Cell::Empty]);

    let fact = |words, value: String| (language.say(words).to_owned(), value);
    let mut facts = vec![
        fact(
            ("状态", "Status"),
            language.stage(Kind::Selection, view.stage),
        ),
        fact(("预算(元)", "Budget (yuan)"), grouped(budget)),
        fact(("资助合计(元)", "Awarded (yuan)"), grouped(awarded)),
        fact(("大写", "In capital numerals"), capital_numerals(awarded)),
        fact(
            ("规则版本", "Policy version"),
            run.policy_number.to_string(),
        ),
        fact(("规则哈希", "Hash of the policy"), run.policy_hash.clone()),
        fact(("输入哈希", "Hash of the inputs"), run.inputs_hash.clone()),
    ];
    if let Some(at) = view.changed_at() {
        facts.push(fact(
            ("数据截至", "Data as of"),
            language.moment(at, &source.zone()),
        ));
    }
    let mut tables = vec![Table {
        caption: language.say(("逐项结果", "One line for each")).to_owned(),
        columns,
        named_by: 2,
        rows: rows.collect(),
        total: Some(total),
    }];
    let promotions: Vec<Promotion> = view.read("promotions").unwrap_or_default();
    if !promotions.is_empty() {
        tables.push(promoted(source, &promotions));
    }
    let selected = (run.lines.iter()).map(|line| (line.application, &line.cuts));
    let moved_up = promotions.iter().map(|one| (one.application, &one.cuts));
    let all: Vec<(Uuid, &Cut)> = selected
        .chain(moved_up)
        .flat_map(|(application, cuts)| cuts.iter().map(move |cut| (application, cut)))
        .collect();
    tables.extend(cuts::of_all(source, &all));
    Some(Paper {
        facts,
        tables,
        signatures: [
            ("拟定人", "Proposed by"),
            ("审定人", "Approved by"),
            ("监督人", "Observed by"),
        ]
        .map(|words| language.say(words).to_owned())
        .to_vec(),
        wide: true,
        ..Paper::default()
    })
}

fn row(source: &Source<'_>, line: &Line, scale: u8, added: bool) -> Vec<Cell> {
    let language = source.language;
    let mut row = vec![Cell::count(line.rank)];
    row.extend(Named::of(source, Kind::Application, line.application).cells());
    let cut = line.requested.checked_sub(line.award);
    let cut = cut.filter(|cut| *cut > Money::ZERO && line.decision == Outcome::Funded);
    let reason = if line.departed {
        let mark = language.say(("【未按名次】", "[departs from the rank] "));
        format!("{mark}{}", line.reason)
    } else {
        words(language, &line.reason_zh, &line.reason)
    };
    row.push(Cell::Money(line.requested));
    row.push(Cell::Rounded(line.score.clone(), scale));
    row.extend(added.then(|| Cell::Rounded(line.bonus.clone(), scale)));
    row.extend([
        Cell::text(decision(line.decision, language)),
        Cell::Money(line.award),
        cut.map_or(Cell::Empty, Cell::Money),
        Cell::Text(reason),
        Cell::text(words(language, &line.needs_zh, &line.needs)),
    ]);
    row
}

/// What a rule says, in the reader's language where it has it.
fn words(language: Language, zh: &str, en: &str) -> String {
    let zh = if zh.is_empty() { en } else { zh };
    language.choose(zh.to_owned(), en.to_owned())
}

const fn decision(outcome: Outcome, language: Language) -> &'static str {
    language.say(match outcome {
        Outcome::Funded => ("拟资助", "funded"),
        Outcome::Reserve => ("备选", "reserve"),
        Outcome::NotFunded => ("不资助", "not funded"),
    })
}

fn promoted(source: &Source<'_>, promotions: &[Promotion]) -> Table {
    let language = source.language;
    let mut columns = Named::columns(language).to_vec();
    columns.push(Column::new(
        language.say(("资助金额(元)", "Award (yuan)")),
        14,
    ));
    columns.push(Column::new(language.say(("递补原因", "Reason")), 30));
    let rows = promotions.iter().map(|one| {
        let mut row = Named::of(source, Kind::Application, one.application)
            .cells()
            .to_vec();
        row.push(Cell::Money(one.award));
        row.push(Cell::text(one.reason.clone()));
        row
    });
    Table {
        caption: language
            .say(("备选递补", "Moved up from the reserve"))
            .to_owned(),
        columns,
        named_by: 1,
        rows: rows.collect(),
        total: None,
    }
}
