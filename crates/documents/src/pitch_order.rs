//! The order of a sitting with its draw (路演顺序), and the sheet to check in by: the public sees numbers
//! and what makes the draw checkable, staff see who they are.

use std::collections::BTreeMap;

use fundcycle_core::application::Form;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::pitch_session::Draw;
use fundcycle_core::policy::document::RoadshowFormat;
use fundcycle_core::time::Timestamp;
use fundcycle_core::timetable::end_of;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::Format;
use crate::document::{Document, Source, View};
use crate::ics::{Happening, When};
use crate::paper::{Cell, Column, Paper, Table};
use crate::rounds::{Named, owner};

pub(crate) const DOCUMENT: Document = Document {
    name: "pitch-order",
    kind: Kind::PitchSession,
    title: ("路演顺序", "Order of pitches"),
    eyes: &[Eye::Public, Eye::Staff],
    stages: &["published", "running", "held"],
    formats: &[Format::Html, Format::Xlsx, Format::Csv, Format::Ics],
    needs,
    content,
};

fn needs(_: &Viewer, state: &State, world: &World) -> Vec<Need> {
    let State::PitchSession(session) = state else {
        return Vec::new();
    };
    let applications = session.data.applications.iter();
    applications
        .flat_map(|id| {
            let own = [Need::One(Kind::Application, *id)];
            own.into_iter().chain(owner(Kind::Application, *id, world))
        })
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let (language, view, zone) = (source.language, source.record()?, source.zone());
    let draw: Draw = view.read("draw")?;
    let starts_at: Timestamp = view.read("starts_at")?;
    let format = source.programme()?.roadshow;
    // Whom the reader does not see stands here by number alone.
    let known = known(source, &view);
    let mut columns = vec![
        Column::new(language.say(("顺序", "Turn")), 6),
        Column::new(language.say(("开始时间", "From")), 20),
        Column::new(language.say(("编号", "Number")), 20),
    ];
    if !known.is_empty() {
        for words in [
            ("项目名称", "Project"),
            ("申报单位", "Organisation"),
            ("路演人", "Presented by"),
            ("签到", "Checked in"),
        ] {
            columns.push(Column::new(language.say(words), 24));
        }
    }
    let mut rows = Vec::new();
    for (turn, number) in (0_u32..).zip(&draw.order) {
        let at = turn_at(&format, starts_at, turn);
        let mut row = vec![
            Cell::Count(turn + 1),
            Cell::Text(language.moment(at, &zone)),
            Cell::text(number),
        ];
        if !known.is_empty() {
            let (named, lead) = known.get(number).cloned().unwrap_or_default();
            row.extend([named.0, named.1, lead].map(Cell::Text));
            row.push(Cell::Empty);
        }
        rows.push(row);
    }
    let room = view.text("room");
    let fact = |words, value: String| (language.say(words).to_owned(), value);
    let facts = vec![
        fact(("场次", "Session"), view.text("name")),
        fact(("地点", "Room"), room.clone()),
        fact(("开始时间", "From"), language.moment(starts_at, &zone)),
        fact(("名单哈希", "Hash of the list"), draw.list_hash.clone()),
        fact(
            ("种子承诺值", "Commitment to the seed"),
            view.text("commitment"),
        ),
        fact(("种子", "Seed"), draw.seed.clone()),
    ];
    let happening = happening(source, &view, &format)?;
    Some(Paper {
        facts,
        tables: vec![Table {
            caption: language.say(("按抽签顺序", "In the order drawn")).to_owned(),
            columns,
            named_by: 2,
            rows,
            total: None,
        }],
        notes: vec![
            language
                .say((
                    "名单与种子承诺值先于种子公布;任何人可用名单与种子重算此顺序(fundcycle draw)。",
                    "The list and the commitment were on record before the seed; anybody can run the draw again from list and seed (fundcycle draw).",
                ))
                .to_owned(),
        ],
        signatures: [("主持人", "Chaired by"), ("计时人", "Timed by"), ("监督人", "Observed by")]
            .map(|words| language.say(words).to_owned())
            .to_vec(),
        happenings: vec![happening],
        wide: !known.is_empty(),
        ..Paper::default()
    })
}

/// Title, organisation and project lead of each number whose application the reader sees.
fn known(source: &Source<'_>, session: &View) -> BTreeMap<String, ((String, String), String)> {
    let applications: Vec<Uuid> = session.read("applications").unwrap_or_default();
    let seen = applications.into_iter().filter_map(|id| {
        let form: Form = source.one(Kind::Application, id)?.read("form")?;
        let named = Named::of(source, Kind::Application, id);
        Some((named.number, ((named.title, named.organisation), form.lead)))
    });
    seen.collect()
}

/// When the turn after `before` others begins.
fn turn_at(format: &RoadshowFormat, starts_at: Timestamp, before: u32) -> Timestamp {
    let pace = format.present_minutes + format.question_minutes + format.changeover_minutes;
    Timestamp(starts_at.0 + i64::from(pace) * i64::from(before) * 60_000)
}

/// The sitting as it stands in a calendar.
pub(crate) fn happening(
    source: &Source<'_>,
    session: &View,
    format: &RoadshowFormat,
) -> Option<Happening> {
    let list: Vec<String> = session.read("list")?;
    let (name, starts_at): (String, Timestamp) = (session.text("name"), session.read("starts_at")?);
    Some(Happening {
        uid: format!("{}@fundcycle", session.id),
        settled_at: session.dated(),
        when: When::Between(starts_at, end_of(format, starts_at, list.len())),
        summary: source
            .language
            .choose(format!("路演:{name}"), format!("Roadshow: {name}")),
        place: session.text("room"),
        description: String::new(),
        cancelled: session.stage == "cancelled",
    })
}
