//! The timetable of the roadshow: from rooms, days and the shortlist to sittings, from a draft to
//! sessions, with what clashes and what changed (`domain.md` §2.7).

mod arrange;
mod clashes;
mod draft;
mod programme;
mod publish;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use arrange::{Pitch, Shortage, arrange, capacity, end_of};
pub use programme::{Change, Clash, ClashOf, Frame, Listed, Place, Planned, Sitting, Window};

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record};
use crate::application::Application;
use crate::context::Context;
use crate::cycle;
use crate::expert;
use crate::interest;
use crate::kinds::Kind;
use crate::panel::Panel;
use crate::policy::Round;
use crate::rejection::Rejection;
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
            let profile = Need::One(Kind::Expert, expert::id_of(account));
            [profile].into_iter().chain(interest::needs(account, world))
        });
        let owners = world
            .all::<Application>()
            .filter(|one| draft::is_pitched(one.stage))
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
                draft::drawn_up(record, frame, cx)
            }
            Command::Shift { application, to } => draft::shifted(record, application, &to, cx),
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
                self.programme = planned.iter().map(programme::listed).collect();
                self.published = planned;
                self.changes = changes;
                self.version += 1;
            }
        }
    }
}
