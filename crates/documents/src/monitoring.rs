//! All running projects of a cycle at a glance (督导一览表): progress, and what staff have to look at
//! (`domain.md` §2.12).

use fundcycle_core::activity::Activity;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::project::Project;
use fundcycle_core::report::Report;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::visit::Visit;
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::paper::{Cell, Column, Paper, Table};

pub(crate) const DOCUMENT: Document = Document {
    name: "monitoring",
    kind: Kind::Cycle,
    title: ("督导一览表", "Projects to look at"),
    eyes: &[Eye::Staff],
    stages: &["launch", "evaluation"],
    formats: Format::TABLES,
    needs,
    content,
};

fn needs(_: &Viewer, _: &State, _: &World) -> Vec<Need> {
    [Kind::Project, Kind::Activity, Kind::Report, Kind::Visit]
        .map(Need::All)
        .to_vec()
}

/// The stages of a project that has not begun or is over.
const NOT_RUNNING: [&str; 7] = [
    "refining",
    "plan_submitted",
    "agreement_pending",
    "closed",
    "recovering",
    "recovered",
    "written_off",
];

fn content(source: &Source<'_>) -> Option<Paper> {
    let language = source.language;
    source.record()?;
    let mut rows: Vec<(usize, String, Vec<Cell>)> = Vec::new();
    for project in source.all::<Project>() {
        if NOT_RUNNING.contains(&project.stage) {
            continue;
        }
        let flags = flags(source, &project);
        let day = |name: &str| project.read::<Date>(name).map(|day| language.date(day));
        let activities = source.parts_of::<Activity>(project.id).into_iter();
        let count = activities.filter(|one| one.stage != "withdrawn").count();
        let money = |name: &str| project.read::<Money>(name).map_or(Cell::Empty, Cell::Money);
        let title = project.text("title");
        let cells = vec![
            Cell::text(&title),
            Cell::text(project.text("organisation_name")),
            Cell::text(language.stage(Kind::Project, project.stage)),
            Cell::Count(u32::try_from(count).unwrap_or(u32::MAX)),
            Cell::text(day("last_activity_on").unwrap_or_default()),
            money("amount"),
            money("reported_spend"),
            Cell::text(flags.join(language.say((";", "; ")))),
        ];
        rows.push((flags.len(), title, cells));
    }
    // Those with most to look at first.
    rows.sort_by(|one, other| (other.0, &one.1).cmp(&(one.0, &other.1)));
    let columns = [
        (("项目名称", "Project"), 34),
        (("组织名称", "Organisation"), 28),
        (("状态", "Status"), 14),
        (("活动场次", "Activities"), 10),
        (("最近活动", "Last activity"), 16),
        (("资助金额(元)", "Award (yuan)"), 16),
        (("报告支出(元)", "Spent as reported (yuan)"), 16),
        (("提示", "To be looked at"), 40),
    ];
    Some(Paper {
        tables: vec![Table {
            caption: language
                .say(("执行中的项目", "Projects under way"))
                .to_owned(),
            columns: columns
                .map(|(words, width)| Column::new(language.say(words), width))
                .to_vec(),
            named_by: 0,
            rows: rows.into_iter().map(|(.., cells)| cells).collect(),
            total: None,
        }],
        wide: true,
        ..Paper::default()
    })
}

/// What staff have to look at.
fn flags(source: &Source<'_>, project: &View) -> Vec<String> {
    let language = source.language;
    let mut flags = Vec::new();
    if let Some(since) = project.read::<Date>("silent_since") {
        let day = language.date(since);
        flags.push(language.choose(
            format!("自{day}起无活动"),
            format!("no activity since {day}"),
        ));
    }
    if project.read::<Timestamp>("underspent_at").is_some() {
        flags.push(language.say(("支出进度偏低", "little is spent")).to_owned());
    }
    let reports = source.parts_of::<Report>(project.id);
    if reports.iter().any(|one| one.stage == "overdue") {
        flags.push(language.say(("报告逾期", "a report is overdue")).to_owned());
    }
    let visits = source.parts_of::<Visit>(project.id);
    for (stage, words) in [
        ("overdue", ("整改逾期", "rectification is overdue")),
        ("rectifying", ("限期整改中", "rectification is under way")),
        (
            "answered",
            ("整改待验收", "rectification is to be looked at"),
        ),
    ] {
        if visits.iter().any(|one| one.stage == stage) {
            flags.push(language.say(words).to_owned());
        }
    }
    flags
}
