//! What became of the applications and the money of a cycle, by domain, street, kind of organisation, and
//! whether an organisation applied for the first time (`domain.md` §8).

use std::collections::BTreeMap;

use fundcycle_core::application::{Application, Form, Submission};
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::organisation::Profile;
use fundcycle_core::project::Project;
use fundcycle_core::report::{Body, Occasion, Report};
use fundcycle_core::tranche::Tranche;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use fundcycle_scoring::{Exact, Rounding};
use uuid::Uuid;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table, grouped};
use crate::words::{Language, Words};

pub(crate) const DOCUMENT: Document = Document {
    name: "statistics",
    kind: Kind::Cycle,
    title: ("届次统计", "Statistics of the cycle"),
    eyes: &[Eye::Staff],
    stages: &[
        "application",
        "review",
        "roadshow",
        "selection",
        "launch",
        "evaluation",
        "closed",
    ],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, _: &State, world: &World) -> Vec<Need> {
    let applications = world.all::<Application>();
    let organisations = applications.filter_map(|one| one.data.organisation);
    [
        Kind::Application,
        Kind::Project,
        Kind::Tranche,
        Kind::Report,
    ]
    .map(Need::All)
    .into_iter()
    .chain([Need::EarlierApplicants])
    .chain(organisations.map(|id| Need::One(Kind::Organisation, id)))
    .collect()
}

/// What is counted of a group of applications.
#[derive(Clone, Copy, Default)]
struct Count {
    applied: u32,
    awarded: u32,
    requested: Money,
    award: Money,
    paid: Money,
    spent: Money,
    people: u32,
    person_times: u32,
}

impl Count {
    /// The two together; none where a sum is beyond all measure.
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            applied: self.applied.checked_add(other.applied)?,
            awarded: self.awarded.checked_add(other.awarded)?,
            requested: self.requested.checked_add(other.requested)?,
            award: self.award.checked_add(other.award)?,
            paid: self.paid.checked_add(other.paid)?,
            spent: self.spent.checked_add(other.spent)?,
            people: self.people.checked_add(other.people)?,
            person_times: self.person_times.checked_add(other.person_times)?,
        })
    }

    fn cells(&self, name: String) -> Vec<Cell> {
        let rate = |part: i64, whole: i64| percent(part, whole).map_or(Cell::Empty, Cell::text);
        vec![
            Cell::text(name),
            Cell::Count(self.applied),
            Cell::Count(self.awarded),
            rate(self.awarded.into(), self.applied.into()),
            Cell::Money(self.requested),
            Cell::Money(self.award),
            Cell::Money(self.paid),
            Cell::Money(self.spent),
            rate(self.spent.fen(), self.award.fen()),
            Cell::Count(self.people),
            Cell::Count(self.person_times),
        ]
    }
}

/// `part` of `whole` in percent with one decimal; none where there is no whole.
fn percent(part: i64, whole: i64) -> Option<String> {
    let ratio = Exact::ratio(i128::from(part) * 100, i128::from(whole))?;
    Some(format!("{}%", ratio.fixed(1, Rounding::default())))
}

/// What an application is grouped by.
type Key<'a> = &'a dyn Fn(&Line) -> String;

/// One application that was handed in, with what it is grouped by.
struct Line {
    domain: String,
    street: String,
    kind: String,
    first: bool,
    count: Count,
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let language = source.language;
    let projects: BTreeMap<Uuid, View> = source
        .all::<Project>()
        .into_iter()
        .filter_map(|one| Some((one.read("application")?, one)))
        .collect();
    let mut lines = Vec::new();
    for application in source.all::<Application>() {
        let submissions: Vec<Submission> = application.read("submissions").unwrap_or_default();
        if !submissions.is_empty() {
            lines.push(line(source, &application, projects.get(&application.id))?);
        }
    }
    let all = |one: &Line| one.count;
    let total = lines
        .iter()
        .map(all)
        .try_fold(Count::default(), Count::plus)?;
    let first = lines.iter().filter(|line| line.first).count();
    let named = |words: Words| language.say(words).to_owned();
    let rate = |part: i64, whole: i64| percent(part, whole).unwrap_or_default();
    let by: [(Words, Key<'_>); 4] = [
        (("按领域", "By domain"), &|line| line.domain.clone()),
        (("按街镇", "By street"), &|line| line.street.clone()),
        (("按组织类型", "By kind of organisation"), &|line| {
            line.kind.clone()
        }),
        (
            ("按是否首次申报", "By first or later application"),
            &|line| {
                let words = if line.first {
                    ("首次申报", "first time")
                } else {
                    ("曾经申报", "applied before")
                };
                language.say(words).to_owned()
            },
        ),
    ];
    let mut tables = Vec::new();
    for (caption, key) in by {
        tables.push(table(language, caption, &lines, key, total)?);
    }
    Some(Paper {
        facts: vec![
            (named(("申报数", "Applications")), total.applied.to_string()),
            (named(("立项数", "Awards")), total.awarded.to_string()),
            (
                named(("立项率", "Success rate")),
                rate(total.awarded.into(), total.applied.into()),
            ),
            (
                named(("首次申报数", "First-time applications")),
                first.to_string(),
            ),
            (
                named(("资助合计(元)", "Awarded (yuan)")),
                grouped(total.award),
            ),
            (
                named(("执行率", "Execution rate")),
                rate(total.spent.fen(), total.award.fen()),
            ),
        ],
        tables,
        notes: vec![named((
            "执行率为核定支出占资助金额的比例;首次申报指该组织未在本系统更早的届次中提交过申报;服务人数与服务人次分别统计,不相加。",
            "The execution rate is what was accepted as spent, of what was awarded. First-time: the organisation handed in nothing in an earlier cycle of this system. People and attendances are counted apart and never added up.",
        ))],
        wide: true,
        ..Paper::default()
    })
}

fn line(source: &Source<'_>, application: &View, project: Option<&View>) -> Option<Line> {
    let language = source.language;
    let form: Form = application.read("form")?;
    let owner: Option<Uuid> = application.read("organisation");
    let profile = owner
        .and_then(|id| source.one(Kind::Organisation, id))
        .and_then(|one| one.read::<Profile>("profile"));
    let unsaid = || language.say(("未填写", "not said")).to_owned();
    let mut count = Count {
        applied: 1,
        requested: form.requested,
        ..Count::default()
    };
    // An award that was declined, or never signed for, is none.
    if let Some(project) = project.filter(|_| application.stage == "awarded") {
        let tranches = source.parts_of::<Tranche>(project.id);
        let report = last_report(source, project.id).unwrap_or_default();
        count.awarded = 1;
        count.award = project.read("amount")?;
        count.paid = Money::checked_sum(tranches.iter().filter_map(|one| one.read("paid")))?;
        count.spent = project.read("accepted_spend").unwrap_or_default();
        count.people = report.people.unwrap_or_default();
        count.person_times = report.person_times.unwrap_or_default();
    }
    Some(Line {
        domain: form.domain,
        street: Some(form.street)
            .filter(|one| !one.is_empty())
            .unwrap_or_else(unsaid),
        kind: profile
            .and_then(|profile| profile.organisation_kind)
            .map_or_else(unsaid, |kind| language.name(kind)),
        first: owner.is_some_and(|id| !source.applied_earlier(id)),
        count,
    })
}

/// What the last report says that was found complete, the final one where there is one.
fn last_report(source: &Source<'_>, project: Uuid) -> Option<Body> {
    let reports = source.parts_of::<Report>(project).into_iter();
    let accepted = reports.filter(|one| one.stage == "accepted");
    let last = accepted.max_by_key(|one| {
        let is_final = one.read("occasion") == Some(Occasion::FinalReport);
        (is_final, one.text("submitted_at"))
    })?;
    last.read("body")
}

fn table(
    language: Language,
    caption: Words,
    lines: &[Line],
    key: Key<'_>,
    total: Count,
) -> Option<Table> {
    let mut groups: BTreeMap<String, Count> = BTreeMap::new();
    for line in lines {
        let group = groups.entry(key(line)).or_default();
        *group = group.plus(line.count)?;
    }
    let columns = [
        (("分组", "Group"), 22),
        (("申报数", "Applied"), 10),
        (("立项数", "Awarded"), 10),
        (("立项率", "Success rate"), 10),
        (("申请金额(元)", "Asked for (yuan)"), 16),
        (("资助金额(元)", "Awarded (yuan)"), 16),
        (("已拨付(元)", "Paid (yuan)"), 16),
        (("核定支出(元)", "Accepted as spent (yuan)"), 16),
        (("执行率", "Execution rate"), 10),
        (("服务人数(人)", "People"), 12),
        (("服务人次(人次)", "Attendances"), 12),
    ];
    Some(Table {
        caption: language.say(caption).to_owned(),
        columns: columns
            .map(|(words, width)| Column::new(language.say(words), width))
            .to_vec(),
        named_by: 0,
        rows: groups
            .iter()
            .map(|(name, count)| count.cells(name.clone()))
            .collect(),
        total: Some(total.cells(language.say(("合计", "Total")).to_owned())),
    })
}
