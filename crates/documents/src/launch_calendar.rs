//! The launches of a cycle (启动日历): the day of each and what kind of day it is, the place and whether
//! others launch there too, and those that have no day yet (`domain.md` §2.11).

use fundcycle_core::calendar::DayKind;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::project::{Launch, Project};
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::civil::Date;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::ics::{Happening, When};
use crate::paper::{Cell, Column, Paper, Table};
use crate::words::Language;

pub(crate) const DOCUMENT: Document = Document {
    name: "launch-calendar",
    kind: Kind::Cycle,
    title: ("启动日历", "Launch calendar"),
    eyes: &[Eye::Public, Eye::Staff],
    stages: &["launch", "evaluation", "closed"],
    formats: Format::ALL,
    needs,
    content,
};

fn needs(_: &Viewer, _: &State, _: &World) -> Vec<Need> {
    vec![Need::All(Kind::Project)]
}

/// A launch with its project; those without a day come last.
struct Row {
    view: View,
    launch: Option<Launch>,
}

impl Row {
    fn order(&self) -> (bool, Option<Date>, String) {
        let date = self.launch.as_ref().map(|launch| launch.date);
        (date.is_none(), date, self.view.text("title"))
    }

    fn is_on(&self, kinds: &[DayKind]) -> bool {
        let kind = self.launch.as_ref().and_then(|launch| launch.day_kind);
        kind.is_some_and(|kind| kinds.contains(&kind))
    }
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let language = source.language;
    let projects = source.all::<Project>().into_iter();
    let mut rows: Vec<Row> = projects
        .filter(|one| {
            !["terminated", "recovering", "recovered", "written_off"].contains(&one.stage)
        })
        .map(|view| Row {
            launch: view.read("launch"),
            view,
        })
        .collect();
    rows.sort_by_cached_key(Row::order);
    let staff = source.record()?.changed_at().is_some();
    let mut columns = [
        (("日期", "Date"), 16),
        (("日期性质", "Kind of day"), 12),
        (("项目名称", "Project"), 34),
        (("组织名称", "Organisation"), 28),
        (("地点", "Venue"), 26),
    ]
    .map(|(words, width)| Column::new(language.say(words), width))
    .to_vec();
    if staff {
        let more = [(("主办", "Host"), 24), (("提示", "To be looked at"), 30)];
        columns.extend(more.map(|(words, width)| Column::new(language.say(words), width)));
    }
    let count = |what: &dyn Fn(&&Row) -> bool| rows.iter().filter(what).count().to_string();
    let fact = |words, value: String| (language.say(words).to_owned(), value);
    let facts = vec![
        fact(("项目数", "Projects"), rows.len().to_string()),
        fact(
            ("已定日期", "With a date"),
            count(&|row| row.launch.is_some()),
        ),
        fact(("待定", "Open"), count(&|row| row.launch.is_none())),
        fact(
            ("非工作日", "On days off"),
            count(&|row| row.is_on(&[DayKind::Weekend, DayKind::Holiday])),
        ),
        fact(
            ("调休工作日", "On make-up working days"),
            count(&|row| row.is_on(&[DayKind::MakeUpWorking])),
        ),
    ];
    Some(Paper {
        facts,
        happenings: rows
            .iter()
            .filter_map(|row| happening(row, language))
            .collect(),
        tables: vec![Table {
            caption: language.say(("启动安排", "Launches")).to_owned(),
            columns,
            named_by: 2,
            rows: rows
                .iter()
                .map(|row| cells(source, row, &rows, staff))
                .collect(),
            total: None,
        }],
        wide: true,
        ..Paper::default()
    })
}

fn cells(source: &Source<'_>, row: &Row, all: &[Row], staff: bool) -> Vec<Cell> {
    let language = source.language;
    let launch = row.launch.as_ref();
    let date = launch.map_or_else(
        || language.say(("待定", "open")).to_owned(),
        |launch| language.date(launch.date),
    );
    let kind = launch.and_then(|launch| launch.day_kind);
    let venue = launch.and_then(|launch| launch.venue.clone());
    let mut cells = vec![
        Cell::text(date),
        Cell::text(kind.map_or("", |kind| day_kind(kind, language))),
        Cell::text(row.view.text("title")),
        Cell::text(row.view.text("organisation_name")),
        Cell::text(venue.unwrap_or_default()),
    ];
    if staff {
        cells.push(Cell::text(row.view.text("launch_host")));
        cells.push(Cell::text(
            warnings(row, all, language).join(language.say((";", "; "))),
        ));
    }
    cells
}

/// What may have been overlooked; nothing of it is forbidden.
fn warnings(row: &Row, all: &[Row], language: Language) -> Vec<String> {
    let mut warnings = Vec::new();
    let due: Option<Date> = row.view.read("launch_by");
    let late = |due: &Date| row.launch.as_ref().is_none_or(|one| *due < one.date);
    if let Some(due) = due.filter(late) {
        let due = language.date(due);
        warnings.push(language.choose(format!("应于{due}前启动"), format!("due by {due}")));
    }
    let Some(launch) = &row.launch else {
        return warnings;
    };
    let same = |other: &&Row| {
        let there = other.launch.as_ref();
        other.view.id != row.view.id && there.is_some_and(|other| other.meets(launch))
    };
    for other in all.iter().filter(same) {
        let title = other.view.text("title");
        warnings.push(language.choose(
            format!("同日同地:“{title}”"),
            format!("same place and day: “{title}”"),
        ));
    }
    warnings
}

const fn day_kind(kind: DayKind, language: Language) -> &'static str {
    language.say(match kind {
        DayKind::Working => ("工作日", "working day"),
        DayKind::Weekend => ("周末", "weekend"),
        DayKind::Holiday => ("节假日", "public holiday"),
        DayKind::MakeUpWorking => ("调休工作日", "make-up working day"),
    })
}

fn happening(row: &Row, language: Language) -> Option<Happening> {
    let launch = row.launch.as_ref()?;
    let title = row.view.text("title");
    Some(Happening {
        uid: format!("launch-{}@fundcycle", row.view.id),
        settled_at: row.view.changed_at().unwrap_or_else(|| row.view.dated()),
        when: When::On(launch.date),
        summary: language.choose(format!("项目启动:{title}"), format!("Launch: {title}")),
        place: launch.venue.clone().unwrap_or_default(),
        description: row.view.text("organisation_name"),
        cancelled: false,
    })
}
