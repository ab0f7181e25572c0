//! The turn of one application in a sitting of the roadshow (`domain.md` §2.7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::application::{self, Application};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::pitch_session::{self, PitchSession};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where a turn stands.
    pub enum Stage {
        /// Drawn; nobody but staff knows before the session is published.
        Drafted = "drafted" "待公布",
        /// The applicant knows place and time.
        Scheduled = "scheduled" "已排定",
        /// The applicant will come.
        Confirmed = "confirmed" "已确认",
        /// The applicant is there.
        CheckedIn = "checked_in" "已签到",
        /// The pitch is being heard.
        Presenting = "presenting" "路演中",
        /// The pitch was heard.
        Presented = "presented" "已路演",
        /// Nobody came in time.
        NoShow = "no_show" "缺席",
        /// The application left the roadshow; the turn keeps its place in the order.
        Withdrawn = "withdrawn" "已撤回",
        /// The session was cancelled after its order was public.
        Cancelled = "cancelled" "已取消",
        /// The session was cancelled before its order was public.
        Discarded = "discarded" "未公布即取消",
    }
}

impl Stage {
    /// Whether nothing more is to be waited for.
    pub const fn is_done(self) -> bool {
        matches!(
            self,
            Self::Presented | Self::NoShow | Self::Withdrawn | Self::Cancelled | Self::Discarded
        )
    }
}

commands! {
    /// Give an application its turn; follows from the draw.
    Schedule = "schedule" "排定" {
        /// Whose turn, where and when.
        turn: Turn,
    }
    /// Tell the applicant; follows from publishing the session.
    Publish = "publish" "公布" {}
    /// Say that the project will be pitched.
    Confirm = "confirm" "确认参加" {}
    /// Note that the applicant is there.
    CheckIn = "check_in" "签到" {}
    /// Begin the pitch and its clock.
    Start = "start" "开始路演" {}
    /// End the pitch; what it took too long is noted.
    Finish = "finish" "结束路演" {}
    /// Note that nobody came in time, or a stand-in did.
    MarkAbsent = "mark_absent" "标记缺席" {}
    /// Let it be pitched again after a technical failure.
    PitchAgain = "pitch_again" "重新路演" {
        /// What failed.
        reason: String,
    }
    /// Mark the turn of an application that left the roadshow.
    Withdraw = "withdraw" "标记撤回" {}
    /// End it with its session; follows from cancelling the session.
    Cancel = "cancel" "随场次取消" {}
}

/// Whose turn it is, where and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// In which session.
    pub session: Uuid,
    /// Which application.
    pub application: Uuid,
    /// Whose it is.
    pub organisation: Option<Uuid>,
    /// The application's number.
    pub number: String,
    /// The place in the order, from 1.
    pub position: u32,
    /// Where.
    pub room: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When presenting and questions end.
    pub ends_at: Timestamp,
}

impl Turn {
    /// For how long it may be heard, in milliseconds.
    pub fn length(&self) -> i64 {
        self.ends_at.0.saturating_sub(self.starts_at.0)
    }
}

/// A turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    /// Whose turn, where and when.
    pub turn: Turn,
    /// When the pitch began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// By how much it was too long, in seconds.
    pub overrun_seconds: u32,
    /// Why it was pitched again, each time.
    pub repeated_because: Vec<String>,
}

/// What happened to a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was given.
    Scheduled {
        /// Whose, where and when.
        turn: Turn,
    },
    /// The pitch began.
    Started {},
    /// The pitch ended.
    Finished {
        /// By how much it was too long, in seconds.
        overrun_seconds: u32,
    },
    /// It is pitched again.
    Repeated {
        /// What failed.
        reason: String,
    },
    /// Nothing but the move itself.
    Moved {},
}

const SESSION_PUBLISHED: Gate<Slot> = Gate::<Slot>::new(
    "session_published",
    "the session is not on",
    "场次未公布或已结束",
    |slot, cx| {
        use pitch_session::Stage::{Published, Running};
        session(slot, cx).is_some_and(|session| matches!(session.stage, Published | Running))
    },
)
.looking_at(session_needed);
const SESSION_RUNNING: Gate<Slot> = Gate::<Slot>::new(
    "session_running",
    "the session is not running",
    "场次未开始或已结束",
    |slot, cx| {
        session(slot, cx).is_some_and(|session| session.stage == pitch_session::Stage::Running)
    },
)
.looking_at(session_needed);
const FLOOR_FREE: Gate<Slot> = Gate::<Slot>::new(
    "floor_free",
    "another pitch of this session is being heard",
    "本场另有项目正在路演",
    |slot, cx| {
        !cx.world
            .parts_of::<Slot>(slot.data.turn.session)
            .any(|other| other.stage == Stage::Presenting)
    },
)
.looking_at(|slot| vec![Need::PartsOf(Kind::Slot, slot.data.turn.session)]);
const TAKES_PART: Gate<Slot> = Gate::<Slot>::new(
    "takes_part",
    "the application has left the roadshow",
    "该申报已退出路演",
    takes_part,
)
.looking_at(application_needed);
const LEFT: Gate<Slot> = Gate::<Slot>::new(
    "left",
    "the application still takes part",
    "该申报仍在路演名单中",
    |slot, cx| !takes_part(slot, cx),
)
.looking_at(application_needed);
const NOT_SCORED: Gate<Slot> = Gate::<Slot>::new(
    "not_scored",
    "the pitch has been scored: reopen the panel first",
    "该路演已计分,请先重新开放评审组",
    |slot, cx| {
        cx.world
            .get::<Application>(slot.data.turn.application)
            .is_some_and(|application| application.data.roadshow.is_none())
    },
)
.looking_at(application_needed);

const AT_ROADSHOW: Gate<Slot> = Gate::<Slot>::new(
    "at_roadshow",
    "the cycle is not at the roadshow",
    "届次不在路演阶段",
    |_, cx| (cx.cycle()).is_some_and(|cycle| cycle.stage == cycle::Stage::Roadshow),
);

fn session<'a>(slot: &Record<Slot>, cx: &Context<'a>) -> Option<&'a Record<PitchSession>> {
    cx.world.get::<PitchSession>(slot.data.turn.session)
}

fn session_needed(slot: &Record<Slot>) -> Vec<Need> {
    vec![Need::One(Kind::PitchSession, slot.data.turn.session)]
}

fn application_needed(slot: &Record<Slot>) -> Vec<Need> {
    vec![Need::One(Kind::Application, slot.data.turn.application)]
}

fn takes_part(slot: &Record<Slot>, cx: &Context<'_>) -> bool {
    use application::Stage::{RoadshowReady, Shortlisted};
    cx.world
        .get::<Application>(slot.data.turn.application)
        .is_some_and(|application| matches!(application.stage, Shortlisted | RoadshowReady))
}

impl Aggregate for Slot {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Slot;
    const FIRST: Stage = Stage::Drafted;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Schedule, to: Some(Drafted), by: &[Role::System], gates: &[] },
            Move { from: &[Drafted], verb: Verb::Publish, to: Some(Scheduled), by: &[Role::System], gates: &[] },
            Move { from: &[Scheduled], verb: Verb::Confirm, to: Some(Confirmed), by: &[Role::Applicant], gates: &[TAKES_PART] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::CheckIn, to: Some(CheckedIn), by: &[Role::Staff], gates: &[SESSION_PUBLISHED, TAKES_PART] },
            Move { from: &[CheckedIn], verb: Verb::Start, to: Some(Presenting), by: &[Role::Staff], gates: &[SESSION_RUNNING, FLOOR_FREE, TAKES_PART] },
            Move { from: &[Presenting], verb: Verb::Finish, to: Some(Presented), by: &[Role::Staff], gates: &[TAKES_PART] },
            Move { from: &[Scheduled, Confirmed, CheckedIn], verb: Verb::MarkAbsent, to: Some(NoShow), by: &[Role::Staff], gates: &[SESSION_RUNNING, TAKES_PART] },
            Move { from: &[Presented, NoShow], verb: Verb::PitchAgain, to: Some(CheckedIn), by: &[Role::Staff], gates: &[AT_ROADSHOW, SESSION_RUNNING, NOT_SCORED] },
            Move { from: &[Scheduled, Confirmed, CheckedIn, Presenting], verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Role::Staff, Role::System], gates: &[LEFT] },
            Move { from: &[Scheduled, Confirmed, CheckedIn], verb: Verb::Cancel, to: Some(Cancelled), by: &[Role::System], gates: &[] },
            Move { from: &[Drafted], verb: Verb::Cancel, to: Some(Discarded), by: &[Role::System], gates: &[] },
        ]
    };
    // Drafted and discarded turns were never public: their applicants do not know of them.
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Applicant,
            stages: &[
                "scheduled",
                "confirmed",
                "checked_in",
                "presenting",
                "presented",
                "no_show",
                "withdrawn",
                "cancelled",
            ],
        },
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[Field {
        name: "turn",
        eyes: &[Eye::Applicant],
    }];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "turn"), (Column::Number, "turn"), (Column::Amount, "turn")];

    fn index(&self) -> Index {
        Index {
            parent: Some(self.turn.session),
            organisation: self.turn.organisation,
            number: Some(self.turn.number.clone()),
            amount: Some(i64::from(self.turn.position)),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Confirm {} => application_needed(record),
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let application = |command: application::Command| -> [Then; 1] {
            [Application::then(
                record.data.turn.application,
                cx.journal,
                command,
            )]
        };
        Ok(match command {
            Command::Schedule { turn } => Decided::only(Event::Scheduled { turn }),
            Command::Confirm {} => {
                let asked = cx
                    .world
                    .get::<Application>(record.data.turn.application)
                    .is_some_and(|one| one.stage == application::Stage::Shortlisted);
                let then = asked.then(|| application(application::Command::Confirm {}));
                Decided::only(Event::Moved {}).then(then.into_iter().flatten())
            }
            Command::Start {} => Decided::only(Event::Started {}),
            Command::Finish {} => Decided::only(Event::Finished {
                overrun_seconds: overrun_seconds(&record.data, cx.now),
            })
            .then(application(application::Command::Present {})),
            Command::MarkAbsent {} => {
                Decided::only(Event::Moved {}).then(application(application::Command::Absent {}))
            }
            Command::PitchAgain { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Decided::only(Event::Repeated { reason })
                    .then(application(application::Command::PitchAgain {}))
            }
            Command::Publish {}
            | Command::CheckIn {}
            | Command::Withdraw {}
            | Command::Cancel {} => Decided::only(Event::Moved {}),
        })
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Scheduled { turn } => {
                *self = Self {
                    turn,
                    ..Self::default()
                };
            }
            Event::Started {} => self.started_at = Some(at),
            Event::Finished { overrun_seconds } => {
                self.finished_at = Some(at);
                self.overrun_seconds = overrun_seconds;
            }
            Event::Repeated { reason } => {
                self.repeated_because.push(reason);
                self.started_at = None;
                self.finished_at = None;
                self.overrun_seconds = 0;
            }
            Event::Moved {} => {}
        }
    }
}

/// By how many full seconds a pitch that ends `now` took longer than its turn.
pub(crate) fn overrun_seconds(slot: &Slot, now: Timestamp) -> u32 {
    let allowed = slot.turn.length();
    let took = slot
        .started_at
        .map_or(0, |started| now.0.saturating_sub(started.0));
    u32::try_from(took.saturating_sub(allowed).max(0) / 1000).unwrap_or(u32::MAX)
}
