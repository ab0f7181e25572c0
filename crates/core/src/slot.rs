//! The turn of one application in a sitting of the roadshow (`domain.md` §2.7).

mod gates;
mod swap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::gates::{
    AT_ROADSHOW, FLOOR_FREE, LEFT, NOT_SCORED, SESSION_PUBLISHED, SESSION_RUNNING, TAKES_PART,
};
use self::swap::{ASKED, ASKED_BY_OTHER, NOT_ASKED};
pub use self::swap::{Swap, Swapped};
use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Index, Move, Record, Stored as _, Then};
use crate::application::{self, Application};
use crate::context::Context;
use crate::kinds::Kind;
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
    /// Ask another presenter of the session to change places.
    AskSwap = "ask_swap" "申请换序" {
        /// The number of the other application.
        with: String,
        /// Why.
        reason: String,
    }
    /// Learn that another presenter asks to change places; follows from asking.
    HearOfSwap = "hear_of_swap" "收到换序申请" {
        /// The number of the other application.
        with: String,
        /// Why.
        reason: String,
    }
    /// Change places with who asked.
    AgreeToSwap = "agree_to_swap" "同意换序" {}
    /// Let the two change places although the other one has not agreed.
    ApproveSwap = "approve_swap" "批准换序" {
        /// Why.
        reason: String,
    }
    /// Withdraw or refuse the request to change places.
    DropSwap = "drop_swap" "放弃换序" {}
    /// Take the other's place; follows from agreeing or approving.
    TakePlace = "take_place" "换序" {
        /// The turn from now on.
        turn: Turn,
        /// What was changed and why.
        swapped: Swapped,
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
    /// The change of places that is asked for.
    #[serde(default)]
    pub swap: Option<Swap>,
    /// The changes of places that were made; the order drawn stays with the session.
    #[serde(default)]
    pub swaps: Vec<Swapped>,
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
    /// A change of places is asked for.
    SwapAsked {
        /// With whom, by whom and why.
        swap: Swap,
    },
    /// It is not asked for any more.
    SwapDropped {},
    /// It has another place in the order.
    PlaceTaken {
        /// The turn from now on.
        turn: Turn,
        /// What was changed and why.
        swapped: Swapped,
    },
    /// Nothing but the move itself.
    Moved {},
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
            Move { from: &[Scheduled, Confirmed], verb: Verb::AskSwap, to: None, by: &[Role::Applicant], gates: &[SESSION_PUBLISHED, TAKES_PART, NOT_ASKED] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::HearOfSwap, to: None, by: &[Role::System], gates: &[NOT_ASKED] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::AgreeToSwap, to: None, by: &[Role::Applicant], gates: &[SESSION_PUBLISHED, TAKES_PART, ASKED_BY_OTHER] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::ApproveSwap, to: None, by: &[Role::Staff], gates: &[SESSION_PUBLISHED, ASKED] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::DropSwap, to: None, by: &[Role::Applicant, Role::System], gates: &[ASKED] },
            Move { from: &[Scheduled, Confirmed], verb: Verb::TakePlace, to: None, by: &[Role::System], gates: &[ASKED] },
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
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "turn", eyes: &[Eye::Applicant] },
        Field { name: "swap", eyes: &[Eye::Applicant] },
        Field { name: "swaps", eyes: &[Eye::Applicant] },
    ];
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
            Command::Confirm {} => gates::application_needed(record),
            Command::AskSwap { .. }
            | Command::AgreeToSwap {}
            | Command::ApproveSwap { .. }
            | Command::DropSwap {} => swap::needs(record),
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
            Command::AskSwap { with, reason } => swap::asked(record, with, reason, cx)?,
            Command::HearOfSwap { with, reason } => swap::heard(with, reason),
            Command::AgreeToSwap {} => swap::made(record, None, cx)?,
            Command::ApproveSwap { reason } => swap::made(record, Some(reason), cx)?,
            Command::DropSwap {} => swap::dropped(record, cx),
            Command::TakePlace { turn, swapped } => {
                Decided::only(Event::PlaceTaken { turn, swapped })
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
            Event::SwapAsked { swap } => self.swap = Some(swap),
            Event::SwapDropped {} => self.swap = None,
            Event::PlaceTaken { turn, swapped } => {
                self.turn = turn;
                self.swap = None;
                self.swaps.push(swapped);
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
