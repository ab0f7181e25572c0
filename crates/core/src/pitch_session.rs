//! One sitting of the roadshow: its list, the draw of its order, and its day (`domain.md` §2.7).
//!
//! The list and a commitment to the seed are on record before the seed is; anyone can run the draw
//! again. A session is drawn once: the flow has no second draw, and cancelling discloses the first.

mod order;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::policy::Round;
use crate::rejection::{Fault, Rejection};
use crate::slot::{self, Slot};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where a session stands.
    pub enum Stage {
        /// Being put together.
        Planned = "planned" "筹划中",
        /// Its list and the commitment to the seed are on record.
        Committed = "committed" "名单已固定",
        /// Its order is drawn, not yet public.
        Drawn = "drawn" "已抽签",
        /// Its order and times are public.
        Published = "published" "已公布",
        /// Pitches are heard.
        Running = "running" "进行中",
        /// Every pitch was heard or given up.
        Held = "held" "已结束",
        /// Given up before it began.
        Cancelled = "cancelled" "已取消",
    }
}

commands! {
    /// Plan a sitting.
    Plan = "plan" "安排场次" {
        /// What it is called, such as 第一场.
        #[schemars(length(max = 100))]
        name: String,
        /// Where.
        #[schemars(length(max = 200))]
        room: String,
        /// When the first pitch begins.
        starts_at: Timestamp,
        /// Who pitches.
        applications: BTreeSet<Uuid>,
    }
    /// Change the plan.
    Revise = "revise" "调整安排" {
        /// What it is called.
        #[schemars(length(max = 100))]
        name: String,
        /// Where.
        #[schemars(length(max = 200))]
        room: String,
        /// When the first pitch begins.
        starts_at: Timestamp,
        /// Who pitches.
        applications: BTreeSet<Uuid>,
    }
    /// Freeze the list and put the commitment to the seed on record.
    CommitDraw = "commit_draw" "固定名单" {
        /// SHA-256 of the seed's bytes, in lower-case hexadecimal.
        commitment: String,
    }
    /// Draw the order from the seed that was committed to.
    Draw = "draw" "抽签" {
        /// The seed, in hexadecimal.
        seed: String,
    }
    /// Publish order and times.
    Publish = "publish" "公布顺序" {}
    /// Begin hearing pitches.
    Start = "start" "开始" {}
    /// End it.
    Finish = "finish" "结束" {}
    /// Give it up before it begins.
    Cancel = "cancel" "取消" {
        /// Why.
        reason: String,
    }
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PitchSession {
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// When the first pitch begins.
    pub starts_at: Timestamp,
    /// Who pitches.
    pub applications: BTreeSet<Uuid>,
    /// The numbers that are drawn from, sorted; frozen with the commitment.
    pub list: Vec<String>,
    /// The hash of `list`, as the draw defines it.
    pub list_hash: Option<String>,
    /// SHA-256 of the seed, recorded before the seed.
    pub commitment: Option<String>,
    /// The draw until its order is published.
    pub undisclosed: Option<Draw>,
    /// The draw, once published.
    pub draw: Option<Draw>,
    /// Why it was cancelled.
    pub cancelled_because: Option<String>,
}

/// A seed and the order it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The seed, in lower-case hexadecimal.
    pub seed: String,
    /// The hash of the list that was drawn from.
    pub list_hash: String,
    /// The numbers in the order of their turns.
    pub order: Vec<String>,
}

/// What happened to a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was planned, or its plan changed.
    Planned {
        /// What it is called.
        name: String,
        /// Where.
        room: String,
        /// When the first pitch begins.
        starts_at: Timestamp,
        /// Who pitches.
        applications: BTreeSet<Uuid>,
    },
    /// The list was frozen.
    Committed {
        /// The numbers, sorted.
        list: Vec<String>,
        /// Their hash.
        list_hash: String,
        /// SHA-256 of the seed.
        commitment: String,
    },
    /// The order was drawn.
    Drawn {
        /// Seed and order.
        draw: Draw,
    },
    /// The order was published.
    Published {},
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Nothing but the move itself.
    Moved {},
}

const BEFORE_SELECTION: Gate<PitchSession> = Gate::<PitchSession>::new(
    "before_selection",
    "the cycle is not at review or roadshow",
    "届次不在评审或路演阶段",
    |_, cx| {
        cx.cycle().is_some_and(|cycle| {
            matches!(cycle.stage, cycle::Stage::Review | cycle::Stage::Roadshow)
        })
    },
);
const HAS_ROADSHOW: Gate<PitchSession> = Gate::<PitchSession>::new(
    "has_roadshow",
    "this cycle has no roadshow",
    "本届不设路演",
    |_, cx| {
        cx.policy()
            .is_some_and(|policy| policy.has_round(Round::Roadshow))
    },
);
const AT_ROADSHOW: Gate<PitchSession> = Gate::<PitchSession>::new(
    "at_roadshow",
    "the cycle is not at the roadshow",
    "届次未进入路演阶段",
    |_, cx| {
        cx.cycle()
            .is_some_and(|cycle| cycle.stage == cycle::Stage::Roadshow)
    },
);
const SLOTS_DONE: Gate<PitchSession> = Gate::<PitchSession>::new(
    "slots_done",
    "some slots are neither presented, absent nor withdrawn",
    "仍有时段未完成路演、未标记缺席或撤回",
    |session, cx| {
        cx.world
            .parts_of::<Slot>(session.id)
            .all(|slot| slot.stage.is_done())
    },
)
.looking_at(|session| vec![Need::PartsOf(Kind::Slot, session.id)]);

impl Aggregate for PitchSession {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::PitchSession;
    const FIRST: Stage = Stage::Planned;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Plan, to: Some(Planned), by: &[Role::Staff, Role::System], gates: &[HAS_ROADSHOW, BEFORE_SELECTION] },
            Move { from: &[Planned], verb: Verb::Revise, to: None, by: &[Role::Staff, Role::System], gates: &[BEFORE_SELECTION] },
            Move { from: &[Planned], verb: Verb::CommitDraw, to: Some(Committed), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Committed], verb: Verb::Draw, to: Some(Drawn), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Drawn], verb: Verb::Publish, to: Some(Published), by: &[Role::Staff], gates: &[BEFORE_SELECTION] },
            Move { from: &[Published], verb: Verb::Start, to: Some(Running), by: &[Role::Staff], gates: &[AT_ROADSHOW] },
            Move { from: &[Running], verb: Verb::Finish, to: Some(Held), by: &[Role::Staff], gates: &[SLOTS_DONE] },
            Move { from: &[Planned, Committed, Drawn, Published], verb: Verb::Cancel, to: Some(Cancelled), by: &[Role::Staff, Role::System], gates: &[] },
        ]
    };
    // The public can check the draw: numbers tell nothing about who they are.
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
        Sight {
            eye: Eye::Public,
            stages: &[
                "committed",
                "drawn",
                "published",
                "running",
                "held",
                "cancelled",
            ],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "name",
            eyes: &[Eye::Public],
        },
        Field {
            name: "room",
            eyes: &[Eye::Public],
        },
        Field {
            name: "starts_at",
            eyes: &[Eye::Public],
        },
        Field {
            name: "list",
            eyes: &[Eye::Public],
        },
        Field {
            name: "list_hash",
            eyes: &[Eye::Public],
        },
        Field {
            name: "commitment",
            eyes: &[Eye::Public],
        },
        Field {
            name: "draw",
            eyes: &[Eye::Public],
        },
        Field {
            name: "cancelled_because",
            eyes: &[Eye::Public],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Facet, "room"), (Column::Label, "name")];

    fn index(&self) -> Index {
        Index {
            facet: Some(self.room.clone()),
            label: Some(self.name.clone()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        let of = |applications: &BTreeSet<Uuid>| {
            applications
                .iter()
                .map(|id| Need::One(Kind::Application, *id))
                .chain([Need::All(Kind::PitchSession)])
                .collect()
        };
        match command {
            Command::Plan { applications, .. } | Command::Revise { applications, .. } => {
                of(applications)
            }
            Command::CommitDraw { .. } | Command::Draw { .. } => of(&record.data.applications),
            Command::Publish {} | Command::Cancel { .. } => {
                vec![Need::PartsOf(Kind::Slot, record.id)]
            }
            Command::Start {} | Command::Finish {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Plan {
                name,
                room,
                starts_at,
                applications,
            }
            | Command::Revise {
                name,
                room,
                starts_at,
                applications,
            } => {
                let mut faults: Vec<Fault> = [("/name", &name, 100), ("/room", &room, 200)]
                    .into_iter()
                    .filter_map(|(pointer, text, most)| Fault::of_text(pointer, text, most))
                    .collect();
                faults.extend(
                    order::line_up(record.id, &applications, cx)
                        .err()
                        .unwrap_or_default(),
                );
                Rejection::unless_empty(faults)?;
                Ok(Decided::only(Event::Planned {
                    name,
                    room,
                    starts_at,
                    applications,
                }))
            }
            Command::CommitDraw { commitment } => order::committed(record, commitment, cx),
            Command::Draw { seed } => order::drawn(record, &seed, cx),
            Command::Publish {} => {
                let slots = cx.world.parts_of::<Slot>(record.id);
                let then: Vec<_> = slots
                    .map(|slot| Slot::then(slot.id, cx.journal, slot::Command::Publish {}))
                    .collect();
                Ok(Decided::only(Event::Published {}).then(then))
            }
            Command::Cancel { reason } => {
                Rejection::unless_reasoned(&reason)?;
                let slots = cx.world.parts_of::<Slot>(record.id);
                let then: Vec<_> = slots
                    .filter(|slot| !slot.stage.is_done())
                    .map(|slot| Slot::then(slot.id, cx.journal, slot::Command::Cancel {}))
                    .collect();
                Ok(Decided::only(Event::Cancelled { reason }).then(then))
            }
            Command::Start {} | Command::Finish {} => Ok(Decided::only(Event::Moved {})),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Planned {
                name,
                room,
                starts_at,
                applications,
            } => {
                *self = Self {
                    name,
                    room,
                    starts_at,
                    applications,
                    ..Self::default()
                };
            }
            Event::Committed {
                list,
                list_hash,
                commitment,
            } => {
                self.list = list;
                self.list_hash = Some(list_hash);
                self.commitment = Some(commitment);
            }
            Event::Drawn { draw } => self.undisclosed = Some(draw),
            Event::Published {} => self.draw = self.undisclosed.take(),
            Event::Cancelled { reason } => {
                self.cancelled_because = Some(reason);
                self.draw = self.undisclosed.take().or_else(|| self.draw.take());
            }
            Event::Moved {} => {}
        }
    }
}
