//! The timetable of the roadshow: from rooms, days and the shortlist to sittings, from a draft to
//! sessions, with what clashes and what changed (`domain.md` §2.7).

mod arrange;
mod clashes;
mod publish;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use arrange::{Pitch, Shortage, arrange, capacity, end_of};

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record};
use crate::application::{self, Application};
use crate::context::Context;
use crate::cycle;
use crate::expert;
use crate::kinds::Kind;
use crate::panel::Panel;
use crate::pitch_session::{self, PitchSession};
use crate::policy::Round;
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// Rooms and times that one timetable may have.
const MOST: usize = 100;

names! {
    /// Where a timetable stands.
    pub enum Stage {
        /// Being drawn up; nobody but staff knows.
        Draft = "draft" "草拟中",
        /// Public; its sessions are planned.
        Published = "published" "已发布",
        /// Public, with another draft that is not yet.
        Revised = "revised" "调整中",
    }
}

names! {
    /// What is asked for twice at once, or should not be there.
    pub enum ClashOf {
        /// A room.
        Room = "room" "场地冲突",
        /// An expert who scores in both.
        Expert = "expert" "专家时间冲突",
        /// A project lead who pitches in both.
        Presenter = "presenter" "路演人时间冲突",
        /// An expert of the panel with an interest in what is pitched.
        Interest = "interest" "须回避",
    }
}

commands! {
    /// Draw up a timetable for everybody who is shortlisted.
    DrawUp = "draw_up" "编排日程" {
        /// Rooms and times.
        frame: Frame,
    }
    /// Draw it up anew, for who is shortlisted now.
    Redraw = "redraw" "重新编排" {
        /// Rooms and times.
        frame: Frame,
    }
    /// Put one application into another sitting of the draft.
    Shift = "shift" "调整场次" {
        /// Which application.
        application: Uuid,
        /// The name of the sitting.
        to: String,
    }
    /// Make the draft public: its sessions are planned, and what changed is listed.
    Publish = "publish" "发布日程" {}
}

/// Rooms and times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The rooms, all of them in use at each time.
    #[schemars(length(max = 100), inner(length(max = 200)))]
    pub rooms: Vec<String>,
    /// The times without a break, such as a morning and an afternoon of each day.
    #[schemars(length(max = 100))]
    pub windows: Vec<Window>,
    /// Whether applications of one domain are heard together.
    #[serde(default)]
    pub by_domain: bool,
}

/// A time without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When the first pitch begins.
    pub from: Timestamp,
    /// By when the last one is over.
    pub until: Timestamp,
}

/// Who pitches together in one room at one time. Their order is drawn by lots later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sitting {
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// When the first pitch begins.
    pub starts_at: Timestamp,
    /// When the last one is over, if all goes to plan.
    pub ends_at: Timestamp,
    /// Who pitches: number and application.
    pub pitches: BTreeMap<String, Uuid>,
    /// Their domains.
    pub domains: BTreeSet<String>,
}

impl Sitting {
    /// The applications that are pitched.
    pub fn applications(&self) -> impl Iterator<Item = Uuid> {
        self.pitches.values().copied()
    }
}

/// A sitting with its session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Which session.
    pub session: Uuid,
    /// What was planned.
    pub sitting: Sitting,
}

/// A sitting as everybody may know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its session.
    pub session: Uuid,
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// When the first pitch begins.
    pub starts_at: Timestamp,
    /// When the last one is over, if all goes to plan.
    pub ends_at: Timestamp,
    /// The domains that are heard.
    pub domains: BTreeSet<String>,
    /// The numbers of the applications.
    pub numbers: BTreeSet<String>,
}

/// Something that the timetable asks too much of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clash {
    /// Of what.
    pub what: ClashOf,
    /// In which sittings.
    pub sittings: Vec<String>,
    /// The room, the expert's account, the project lead, or the application's number and the expert.
    pub about: String,
}

/// One application that is heard elsewhere or at another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The application's number.
    pub number: String,
    /// Where and when it was to be heard; none where it is new.
    pub from: Option<Place>,
    /// Where and when it is heard now; none where it is not.
    pub to: Option<Place>,
}

/// Where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In which sitting.
    pub sitting: String,
    /// Where.
    pub room: String,
    /// When it begins.
    pub starts_at: Timestamp,
}

/// A timetable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timetable {
    /// Rooms and times of the draft.
    pub frame: Frame,
    /// What is not public yet.
    pub draft: Vec<Sitting>,
    /// What clashes in it.
    pub clashes: Vec<Clash>,
    /// What is public, with its sessions.
    pub published: Vec<Planned>,
    /// The same as everybody may know it.
    pub programme: Vec<Listed>,
    /// What changed when it was last published.
    pub changes: Vec<Change>,
    /// How often it was published.
    pub version: u32,
}

/// What happened to a timetable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was drawn up, or changed by hand.
    Drafted {
        /// Rooms and times.
        frame: Frame,
        /// Who pitches where and when.
        sittings: Vec<Sitting>,
        /// What clashes.
        clashes: Vec<Clash>,
    },
    /// It became public.
    Published {
        /// The sittings with their sessions.
        planned: Vec<Planned>,
        /// Who moves from where to where.
        changes: Vec<Change>,
    },
}

const HAS_ROADSHOW: Gate<Timetable> = Gate::<Timetable>::new(
    "has_roadshow",
    "this cycle has no roadshow",
    "本届不设路演",
    |_, cx| {
        cx.policy()
            .is_some_and(|policy| policy.has_round(Round::Roadshow))
    },
);
const BEFORE_SELECTION: Gate<Timetable> = Gate::<Timetable>::new(
    "before_selection",
    "the cycle is not at review or roadshow",
    "届次不在评审或路演阶段",
    |_, cx| {
        cx.cycle().is_some_and(|cycle| {
            matches!(cycle.stage, cycle::Stage::Review | cycle::Stage::Roadshow)
        })
    },
);
const ONLY_ONE: Gate<Timetable> = Gate::<Timetable>::new(
    "only_one",
    "this cycle has a timetable: draw that one up anew",
    "本届已有日程,请在其上重新编排",
    |timetable, cx| {
        !cx.world
            .all::<Timetable>()
            .any(|other| other.id != timetable.id)
    },
)
.looking_at(|_| vec![Need::All(Kind::Timetable)]);

impl Aggregate for Timetable {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Timetable;
    const FIRST: Stage = Stage::Draft;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::DrawUp, to: Some(Draft), by: &[Role::Staff], gates: &[HAS_ROADSHOW, BEFORE_SELECTION, ONLY_ONE] },
            Move { from: &[Draft], verb: Verb::Redraw, to: None, by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Published, Revised], verb: Verb::Redraw, to: Some(Revised), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Draft], verb: Verb::Shift, to: None, by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Published, Revised], verb: Verb::Shift, to: Some(Revised), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Draft, Revised], verb: Verb::Publish, to: Some(Published), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
        ]
    };
    // Numbers tell nothing about who they are.
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Staff, stages: &[] },
        Sight { eye: Eye::Public, stages: &["published", "revised"] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "programme", eyes: &[Eye::Public] },
        Field { name: "changes", eyes: &[Eye::Public] },
        Field { name: "version", eyes: &[Eye::Public] },
    ];
    const SHOWS: &'static [Shows] = &[];

    fn index(&self) -> Index {
        Index::default()
    }

    fn needs(_record: &Record<Self>, _command: &Command, world: &World) -> Vec<Need> {
        let members = clashes::members(world.all::<Panel>());
        let people = members.into_iter().flat_map(|account| {
            [
                Need::One(Kind::Expert, expert::id_of(account)),
                Need::One(Kind::Account, account),
            ]
        });
        let owners = world
            .all::<Application>()
            .filter(|one| is_pitched(one.stage))
            .filter_map(|one| one.data.organisation)
            .map(|id| Need::One(Kind::Organisation, id));
        [
            Kind::Application,
            Kind::PitchSession,
            Kind::Panel,
            Kind::Sheet,
        ]
        .map(Need::All)
        .into_iter()
        .chain(people)
        .chain(owners)
        .collect()
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::DrawUp { frame } | Command::Redraw { frame } => {
                Rejection::unless_empty(frame_faults(&frame))?;
                let format = &cx.require_policy()?.roadshow;
                let sittings = arrange(&frame, format, &pitches(record, cx)).map_err(too_little)?;
                Ok(Decided::only(drafted(record, frame, sittings, cx)))
            }
            Command::Shift { application, to } => shifted(record, application, &to, cx),
            Command::Publish {} => publish::published(record, cx),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Drafted {
                frame,
                sittings,
                clashes,
            } => {
                self.frame = frame;
                self.draft = sittings;
                self.clashes = clashes;
            }
            Event::Published { planned, changes } => {
                self.programme = planned.iter().map(listed).collect();
                self.published = planned;
                self.changes = changes;
                self.version += 1;
            }
        }
    }
}

fn listed(planned: &Planned) -> Listed {
    let sitting = planned.sitting.clone();
    Listed {
        session: planned.session,
        name: sitting.name,
        room: sitting.room,
        starts_at: sitting.starts_at,
        ends_at: sitting.ends_at,
        domains: sitting.domains,
        numbers: sitting.pitches.into_keys().collect(),
    }
}

const fn is_pitched(stage: application::Stage) -> bool {
    use application::Stage::{RoadshowReady, Shortlisted};
    matches!(stage, Shortlisted | RoadshowReady)
}

/// The sessions that this timetable does not move: planned by hand, or being heard.
fn others<'a>(record: &Record<Timetable>, cx: &Context<'a>) -> Vec<&'a Record<PitchSession>> {
    let own: BTreeSet<Uuid> = record
        .data
        .published
        .iter()
        .map(|one| one.session)
        .collect();
    cx.world
        .all::<PitchSession>()
        .filter(|session| clashes::is_ahead(session.stage))
        .filter(|session| {
            session.stage == pitch_session::Stage::Running || !own.contains(&session.id)
        })
        .collect()
}

/// Who is to pitch and is not heard in a session that this timetable does not move.
fn pitches(record: &Record<Timetable>, cx: &Context<'_>) -> BTreeSet<Pitch> {
    let others = others(record, cx);
    cx.world
        .all::<Application>()
        .filter(|one| is_pitched(one.stage))
        .filter(|one| {
            !others
                .iter()
                .any(|session| session.data.applications.contains(&one.id))
        })
        .filter_map(|one| {
            Some(Pitch {
                number: one.data.number.clone()?,
                application: one.id,
                domain: one.data.form.domain.clone(),
            })
        })
        .collect()
}

fn drafted(
    record: &Record<Timetable>,
    frame: Frame,
    sittings: Vec<Sitting>,
    cx: &Context<'_>,
) -> Event {
    let clashes = clashes::clashes(&sittings, &others(record, cx), cx);
    Event::Drafted {
        frame,
        sittings,
        clashes,
    }
}

fn frame_faults(frame: &Frame) -> Vec<Fault> {
    let mut faults = Vec::new();
    if frame.rooms.is_empty() {
        faults.push(Fault::new(
            "/frame/rooms",
            "empty",
            "Name at least one room.",
            "请至少填写一个场地。",
        ));
    }
    if frame.windows.is_empty() {
        faults.push(Fault::new(
            "/frame/windows",
            "empty",
            "Give at least one time.",
            "请至少填写一个时段。",
        ));
    }
    if frame.rooms.len() > MOST || frame.windows.len() > MOST {
        faults.push(Fault::new(
            "/frame",
            "too_many",
            format!("At most {MOST} of each."),
            format!("场地和时段各不超过 {MOST} 个。"),
        ));
    }
    for (index, room) in frame.rooms.iter().enumerate() {
        let at = format!("/frame/rooms/{index}");
        faults.extend(Fault::of_text(&at, room, 200));
        if frame.rooms.iter().take(index).any(|other| other == room) {
            faults.push(Fault::new(
                at,
                "twice",
                "This room is named twice.",
                "场地重复。",
            ));
        }
    }
    for (index, window) in frame.windows.iter().enumerate() {
        if window.until <= window.from {
            let at = format!("/frame/windows/{index}/until");
            faults.push(Fault::new(
                at,
                "before",
                "It ends before it begins.",
                "结束时间早于开始时间。",
            ));
        }
    }
    faults
}

fn too_little(Shortage { capacity, pitches }: Shortage) -> Rejection {
    Rejection::fault(
        "/frame/windows",
        "too_little_time",
        format!(
            "There are {pitches} to be heard and time for {capacity}: add rooms or times, or shorten the pitches in the policy."
        ),
        format!(
            "共有 {pitches} 个项目,现有场地和时段只能安排 {capacity} 个:请增加场地或时段,或在规则中缩短路演时间。"
        ),
    )
}

/// The draft, or what is public where there is none, with one application in another sitting.
fn shifted(
    record: &Record<Timetable>,
    application: Uuid,
    to: &str,
    cx: &Context<'_>,
) -> Result<Decided<Timetable>, Rejection> {
    let format = &cx.require_policy()?.roadshow;
    let mut sittings = record.data.draft.clone();
    let open = pitches(record, cx);
    let pitch = open.iter().find(|pitch| pitch.application == application);
    let from = sittings
        .iter()
        .position(|one| one.applications().any(|id| id == application));
    let target = sittings.iter().position(|one| one.name == to);
    let mut faults = Vec::new();
    if pitch.is_none() {
        faults.push(Fault::new(
            "/application",
            "not_to_be_heard",
            "This application is not shortlisted, or is heard in a session that this timetable does not move.",
            "该申报未入围,或已在本日程以外的场次中。",
        ));
    }
    if target.is_none() {
        faults.push(Fault::new(
            "/to",
            "no_such_sitting",
            "The draft has no sitting of this name.",
            "草案中没有该场次。",
        ));
    }
    let (Some(pitch), Some(target)) = (pitch, target) else {
        return Err(Rejection::Invalid { faults });
    };
    if let Some(sitting) = from.and_then(|index| sittings.get_mut(index)) {
        sitting.pitches.remove(&pitch.number);
    }
    if let Some(sitting) = sittings.get_mut(target) {
        sitting.pitches.insert(pitch.number.clone(), application);
    }
    for sitting in &mut sittings {
        sitting.ends_at = end_of(format, sitting.starts_at, sitting.pitches.len());
        sitting.domains = sitting
            .applications()
            .filter_map(|id| cx.world.get::<Application>(id))
            .map(|one| one.data.form.domain.clone())
            .collect();
    }
    sittings.retain(|sitting| !sitting.pitches.is_empty());
    let over = sittings.iter().any(|sitting| {
        let window = record.data.frame.windows.iter();
        let mut window = window.filter(|one| one.from == sitting.starts_at);
        window.any(|one| one.until < sitting.ends_at)
    });
    if over {
        return Err(Rejection::fault(
            "/to",
            "full",
            "This sitting has no time left for another pitch.",
            "该场次时间已满。",
        ));
    }
    Ok(Decided::only(drafted(
        record,
        record.data.frame.clone(),
        sittings,
        cx,
    )))
}
