//! The account of a project at its end (结项决算表): where every fen of the award is, what each category of
//! the budget took, and what was reached of each target (`domain.md` §2.14).

use std::collections::BTreeMap;

use fundcycle_core::application::form::BudgetLine;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::numerals::capital_numerals;
use fundcycle_core::project::{Agreement, Plan, by_category};
use fundcycle_core::report::{Body, Occasion, Report};
use fundcycle_core::tranche::Tranche;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::words::Language;

pub(crate) const DOCUMENT: Document = Document {
    name: "final-statement",
    kind: Kind::Project,
    title: ("结项决算表", "Final statement"),
    eyes: &[Eye::Applicant, Eye::Staff],
    stages: &["closing", "closed"],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, _: &World) -> Vec<Need> {
    [Kind::Tranche, Kind::Report]
        .map(|kind| Need::PartsOf(kind, state.id()))
        .to_vec()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let agreement: Agreement = view.read("agreement")?;
    let plan: Plan = view.read("plan")?;
    let agreed: Vec<BudgetLine> = view.read("agreed_budget").unwrap_or_default();
    let body = final_report(source).unwrap_or_default();
    let tranches = source.parts_of::<Tranche>(source.id());
    let sum = |name: &str| Money::checked_sum(tranches.iter().filter_map(|one| one.read(name)));
    let (paid, cancelled) = (sum("paid")?, sum("cancelled")?);
    let accepted: Money = view.read("accepted_spend").unwrap_or_default();
    let refunded: Money = view.read("refunded").unwrap_or_default();
    let owed = paid
        .checked_sub(accepted)?
        .checked_sub(refunded)?
        .max(Money::ZERO);
    let fact = |words, value: String| (language.say(words).to_owned(), value);
    let facts = vec![
        fact(("项目名称", "Project"), view.text("title")),
        fact(("组织名称", "Organisation"), view.text("organisation_name")),
        fact(("资助金额(元)", "Award (yuan)"), grouped(agreement.amount)),
        fact(
            ("大写", "In capital numerals"),
            capital_numerals(agreement.amount),
        ),
        fact(("已拨付(元)", "Paid (yuan)"), grouped(paid)),
        fact(("已取消(元)", "Cancelled (yuan)"), grouped(cancelled)),
        fact(
            ("核定支出(元)", "Accepted as spent (yuan)"),
            grouped(accepted),
        ),
        fact(("已退回(元)", "Refunded (yuan)"), grouped(refunded)),
        fact(("应退未退(元)", "Still owed (yuan)"), grouped(owed)),
        fact(("服务人数(人)", "People"), counted(body.people)),
        fact(
            ("服务人次(人次)", "Attendances"),
            counted(body.person_times),
        ),
    ];
    let signatures = [
        ("项目负责人", "For the project"),
        ("承接单位(盖章)", "The organisation (seal)"),
        ("审核人", "Checked by"),
    ];
    Some(Paper {
        number: Some(agreement.number),
        facts,
        tables: vec![
            spend(
                language,
                &by_category(&agreed),
                &by_category(&plan.budget),
                &body,
            )?,
            targets(language, &plan, &body),
        ],
        signatures: signatures
            .map(|words| language.say(words).to_owned())
            .to_vec(),
        ..Paper::default()
    })
}

fn counted(number: Option<u32>) -> String {
    number.map_or_else(|| "—".to_owned(), |number| number.to_string())
}

/// The last final report that was found complete.
fn final_report(source: &Source<'_>) -> Option<Body> {
    let reports = source.parts_of::<Report>(source.id()).into_iter();
    let accepted = reports.filter(|one: &View| {
        one.stage == "accepted" && one.read("occasion") == Some(Occasion::FinalReport)
    });
    let last = accepted.max_by_key(|one| one.text("submitted_at"))?;
    last.read("body")
}

/// What each category was given by the agreement and by the last plan, and what it took.
fn spend(
    language: Language,
    agreed: &BTreeMap<String, Money>,
    planned: &BTreeMap<String, Money>,
    body: &Body,
) -> Option<Table> {
    let mut categories: Vec<&String> = agreed.keys().chain(planned.keys()).collect();
    categories.extend(body.spend.keys());
    categories.sort();
    categories.dedup();
    let at =
        |of: &BTreeMap<String, Money>, name: &String| of.get(name).copied().unwrap_or_default();
    let mut rows = Vec::new();
    let mut sums = [Money::ZERO; 3];
    for name in categories {
        let amounts = [at(agreed, name), at(planned, name), at(&body.spend, name)];
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum = sum.checked_add(amount)?;
        }
        rows.push(line(Cell::text(name), amounts)?);
    }
    let columns = [
        (("类别", "Category"), 20),
        (("协议预算(元)", "Agreed (yuan)"), 16),
        (("调整后预算(元)", "Planned last (yuan)"), 16),
        (("实际支出(元)", "Spent (yuan)"), 16),
        (("结余(元)", "Left (yuan)"), 16),
    ];
    Some(Table {
        caption: language.say(("经费决算", "Budget and spending")).to_owned(),
        columns: columns
            .map(|(words, width)| Column::new(language.say(words), width))
            .to_vec(),
        named_by: 0,
        rows,
        total: Some(line(Cell::text(language.say(("合计", "Total"))), sums)?),
    })
}

fn line(name: Cell, [agreed, planned, spent]: [Money; 3]) -> Option<Vec<Cell>> {
    let left = planned.checked_sub(spent)?;
    let amounts = [agreed, planned, spent, left].map(Cell::Money);
    Some([vec![name], amounts.to_vec()].concat())
}

fn targets(language: Language, plan: &Plan, body: &Body) -> Table {
    let columns = [
        (("指标", "Target"), 30),
        (("单位", "Unit"), 10),
        (("计划", "Planned"), 12),
        (("完成", "Reached"), 12),
    ];
    let rows = plan.targets.iter().map(|target| {
        let reached = body.reached.get(&target.name).copied();
        vec![
            Cell::text(&target.name),
            Cell::text(&target.unit),
            Cell::Count(target.target),
            Cell::count(reached),
        ]
    });
    Table {
        caption: language.say(("绩效指标", "Targets")).to_owned(),
        columns: columns
            .map(|(words, width)| Column::new(language.say(words), width))
            .to_vec(),
        named_by: 0,
        rows: rows.collect(),
        total: None,
    }
}
