//! A project's progress (项目进展表): each activity, people and attendances counted apart, targets and spending
//! against the plan (`domain.md` §2.12).

use std::collections::BTreeMap;

use fundcycle_core::activity::{Activity, Held};
use fundcycle_core::application::form::BudgetLine;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::project::{Agreement, Plan, by_category};
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::words::Language;

pub(crate) const DOCUMENT: Document = Document {
    name: "progress",
    kind: Kind::Project,
    title: ("项目进展表", "Progress of the project"),
    eyes: &[Eye::Applicant, Eye::Expert, Eye::Staff],
    stages: &[
        "launched",
        "active",
        "midterm_due",
        "rectifying",
        "midterm_failed",
        "final_due",
        "final_failed",
        "closing",
        "closed",
        "suspended",
        "terminated",
    ],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, _: &World) -> Vec<Need> {
    vec![Need::PartsOf(Kind::Activity, state.id())]
}

/// What all activities come to; people are counted once in each, and so may be counted twice in all.
#[derive(Default)]
struct Sums {
    people: u64,
    person_times: u64,
    reached: BTreeMap<String, u64>,
    spend: BTreeMap<String, Money>,
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view) = (source.language, source.record()?);
    let plan: Plan = view.read("plan")?;
    let activities = source.parts_of::<Activity>(source.id()).into_iter();
    let mut held: Vec<(View, Held)> = activities
        .filter(|one| one.stage != "withdrawn")
        .filter_map(|one| Some((one.read("held")?, one)))
        .map(|(held, one)| (one, held))
        .collect();
    held.sort_by(|one, other| (one.1.held_on, &one.1.name).cmp(&(other.1.held_on, &other.1.name)));
    let sums = held
        .iter()
        .try_fold(Sums::default(), |sums, (_, one)| sums.plus(one))?;
    let fact = |words, value: String| (language.say(words).to_owned(), value);
    let mut facts = vec![
        fact(("项目名称", "Project"), view.text("title")),
        fact(("组织名称", "Organisation"), view.text("organisation_name")),
        fact(
            ("状态", "Status"),
            language.stage(Kind::Project, view.stage),
        ),
        fact(("活动场次", "Activities"), held.len().to_string()),
        fact(
            ("各场人数合计(人)", "People, each activity by itself"),
            sums.people.to_string(),
        ),
        fact(("人次(人次)", "Attendances"), sums.person_times.to_string()),
    ];
    let agreed: Vec<BudgetLine> = view.read("agreed_budget").unwrap_or_default();
    if let Some(agreement) = view.read::<Agreement>("agreement") {
        let number = agreement.number;
        facts.insert(0, fact(("协议编号", "Agreement"), number));
    }
    if let Some(spent) = view.read::<Money>("reported_spend") {
        let spent = grouped(spent);
        facts.push(fact(
            ("最近报告累计支出(元)", "Spent by the last report (yuan)"),
            spent,
        ));
    }
    if let Some(day) = view.read::<Date>("silent_since") {
        let since = language.date(day);
        facts.push(fact(("活动停滞自", "No activity since"), since));
    }
    Some(Paper {
        facts,
        tables: vec![
            list(language, &held),
            targets(language, &plan, &sums),
            spending(
                language,
                &by_category(&agreed),
                &by_category(&plan.budget),
                &sums,
            )?,
        ],
        wide: true,
        ..Paper::default()
    })
}

impl Sums {
    /// With one more; none where a sum is beyond all measure.
    fn plus(mut self, one: &Held) -> Option<Self> {
        self.people += u64::from(one.people.unwrap_or_default());
        self.person_times += u64::from(one.person_times.unwrap_or_default());
        for (name, count) in &one.reached {
            *self.reached.entry(name.clone()).or_default() += u64::from(*count);
        }
        for (category, amount) in &one.spend {
            let sum = self.spend.entry(category.clone()).or_default();
            *sum = sum.checked_add(*amount)?;
        }
        Some(self)
    }
}

fn list(language: Language, held: &[(View, Held)]) -> Table {
    let columns = [
        (("日期", "Date"), 16),
        (("活动", "Activity"), 30),
        (("地点", "Place"), 24),
        (("人数(人)", "People"), 10),
        (("人次(人次)", "Attendances"), 12),
        (("支出(元)", "Spent (yuan)"), 14),
        (("佐证", "Evidence"), 30),
        (("核对", "Checked"), 10),
    ];
    let rows = held.iter().map(|(view, one)| {
        let spent = Money::checked_sum(one.spend.values().copied());
        let evidence = one.evidence.iter().map(|evidence| {
            let kind = language.name(evidence.kind);
            format!("{kind}:{}", evidence.name)
        });
        vec![
            Cell::text(language.date(one.held_on)),
            Cell::text(&one.name),
            Cell::text(&one.place),
            Cell::count(one.people),
            Cell::count(one.person_times),
            spent.map_or(Cell::Empty, Cell::Money),
            Cell::text(evidence.collect::<Vec<_>>().join(language.say((";", "; ")))),
            Cell::text(language.stage(Kind::Activity, view.stage)),
        ]
    });
    Table {
        caption: language.say(("活动记录", "Activities")).to_owned(),
        columns: named(language, &columns),
        named_by: 1,
        rows: rows.collect(),
        total: None,
    }
}

fn targets(language: Language, plan: &Plan, sums: &Sums) -> Table {
    let columns = [
        (("指标", "Target"), 30),
        (("单位", "Unit"), 10),
        (("计划", "Planned"), 12),
        (("活动累计", "By activities"), 12),
    ];
    let rows = plan.targets.iter().map(|target| {
        let reached = sums.reached.get(&target.name).copied().unwrap_or_default();
        vec![
            Cell::text(&target.name),
            Cell::text(&target.unit),
            Cell::Count(target.target),
            Cell::Count(u32::try_from(reached).unwrap_or(u32::MAX)),
        ]
    });
    Table {
        caption: language.say(("绩效指标", "Targets")).to_owned(),
        columns: named(language, &columns),
        named_by: 0,
        rows: rows.collect(),
        total: None,
    }
}

fn spending(
    language: Language,
    agreed: &BTreeMap<String, Money>,
    planned: &BTreeMap<String, Money>,
    sums: &Sums,
) -> Option<Table> {
    let columns = [
        (("类别", "Category"), 20),
        (("协议预算(元)", "Agreed (yuan)"), 16),
        (("现行预算(元)", "Planned now (yuan)"), 16),
        (("活动支出(元)", "Spent on activities (yuan)"), 16),
    ];
    let mut names: Vec<&String> = agreed.keys().chain(planned.keys()).collect();
    names.extend(sums.spend.keys());
    names.sort();
    names.dedup();
    let at =
        |of: &BTreeMap<String, Money>, name: &String| of.get(name).copied().unwrap_or_default();
    let mut rows = Vec::new();
    let mut totals = [Money::ZERO; 3];
    for name in names {
        let amounts = [at(agreed, name), at(planned, name), at(&sums.spend, name)];
        for (total, amount) in totals.iter_mut().zip(amounts) {
            *total = total.checked_add(amount)?;
        }
        rows.push(row(Cell::text(name), amounts));
    }
    Some(Table {
        caption: language.say(("经费支出", "Spending")).to_owned(),
        columns: named(language, &columns),
        named_by: 0,
        rows,
        total: Some(row(Cell::text(language.say(("合计", "Total"))), totals)),
    })
}

fn row(name: Cell, amounts: [Money; 3]) -> Vec<Cell> {
    [vec![name], amounts.map(Cell::Money).to_vec()].concat()
}

fn named(language: Language, columns: &[((&'static str, &'static str), u16)]) -> Vec<Column> {
    let each = columns.iter();
    each.map(|(words, width)| Column::new(language.say(*words), *width))
        .collect()
}
