//! One year of the programme, from writing its policy to its archive.

mod amendment;
mod gates;
mod rubrics;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use gates::{
    AWARDS_ANSWERED, DEADLINE_PASSED, EVERYONE_PITCHED, HAS_REVIEW, HAS_ROADSHOW, INTAKE_DONE,
    LIST_SETTLED, NO_REVIEW, NO_ROADSHOW, NOTHING_ASSIGNED, NOTHING_CLEARED, NOTICES_OVER,
    PROJECTS_ENDED, PROJECTS_LAUNCHED, REVIEW_CLOSED, ROADSHOW_CLOSED, SELECTION_ANNOUNCED,
    SESSIONS_OVER, SOMETHING_ELIGIBLE,
};

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
    /// The stages that users know (`design` §4).
    pub enum Stage {
        /// The policy is being written.
        Preparing = "preparing" "筹备",
        /// Organisations apply; staff check eligibility.
        Application = "application" "申报",
        /// Experts read and score.
        Review = "review" "评审",
        /// The best pitch.
        Roadshow = "roadshow" "路演",
        /// The committee selects under the budget; the list is published.
        Selection = "selection" "遴选公示",
        /// Agreements are signed and projects launch.
        Launch = "launch" "立项启动",
        /// Projects run and are assessed.
        Evaluation = "evaluation" "执行评估",
        /// Every project has come to its end.
        Closed = "closed" "结束",
        /// Given up before awards.
        Cancelled = "cancelled" "取消",
    }
}

commands! {
    /// Begin a new cycle.
    Create = "create" "新建届次" {
        /// Its name, such as 2024—2025年公益创投.
        name: String,
        /// Its name in English.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name_en: Option<String>,
    }
    /// Put a policy in force and open the call.
    Publish = "publish" "发布" {
        /// The drafted policy; somebody else wrote it.
        policy: Uuid,
    }
    /// Replace the policy by a numbered amendment.
    Amend = "amend" "更正规则" {
        /// The drafted amendment; somebody else wrote it.
        policy: Uuid,
    }
    /// Move the deadline for everybody.
    ExtendDeadline = "extend_deadline" "延长截止时间" {
        /// The new deadline.
        closes_at: Timestamp,
        /// Why, as published.
        reason: String,
    }
    /// End intake and begin expert review.
    OpenReview = "open_review" "进入评审" {}
    /// Take applications again, because too few came (`domain.md` §2.17).
    ReopenCall = "reopen_call" "重新征集" {
        /// The new deadline.
        closes_at: Timestamp,
        /// Why, as published.
        reason: String,
    }
    /// Begin the roadshow.
    OpenRoadshow = "open_roadshow" "进入路演" {}
    /// Begin the selection.
    OpenSelection = "open_selection" "进入遴选" {}
    /// Begin awards, agreements and launches.
    OpenLaunch = "open_launch" "进入立项" {}
    /// Begin the running year with its evaluations.
    OpenEvaluation = "open_evaluation" "进入执行评估" {}
    /// End the cycle.
    Close = "close" "结束届次" {}
    /// Give the cycle up before awards.
    Cancel = "cancel" "取消届次" {
        /// Why, as published.
        reason: String,
    }
}

/// What is known of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cycle {
    /// Its name.
    pub name: String,
    /// Its name in English.
    pub name_en: Option<String>,
    /// The policy in force.
    pub policy: Option<Uuid>,
    /// The number of that policy: 1 as published, 2 after the first amendment.
    pub policy_number: u32,
    /// From when applications are taken.
    pub opens_at: Option<Timestamp>,
    /// Until when; that very millisecond is still in time.
    pub closes_at: Option<Timestamp>,
    /// Every extension of the deadline with its reason, as published.
    pub extensions: Vec<Extension>,
    /// Why it was cancelled.
    pub cancelled_because: Option<String>,
}

/// A published move of the deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Extension {
    /// The new deadline.
    pub closes_at: Timestamp,
    /// Why.
    pub reason: String,
    /// When it was decided.
    pub at: Timestamp,
}

/// What happened to a cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was begun.
    Created {
        /// Its name.
        name: String,
        /// Its name in English.
        name_en: Option<String>,
    },
    /// A policy came into force.
    PolicyPutInForce {
        /// Which.
        policy: Uuid,
        /// Its number.
        number: u32,
        /// From when applications are taken.
        opens_at: Timestamp,
        /// Until when.
        closes_at: Timestamp,
    },
    /// The deadline moved.
    Extended {
        /// The new deadline.
        closes_at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Nothing but the move itself.
    Moved {},
}

impl Aggregate for Cycle {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Cycle;
    const FIRST: Stage = Stage::Preparing;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Create, to: Some(Stage::Preparing), by: &[Role::Admin], gates: &[] },
        Move { from: &[Stage::Preparing], verb: Verb::Publish, to: Some(Stage::Application), by: &[Role::Lead], gates: &[] },
        Move {
            from: &[Stage::Application, Stage::Review, Stage::Roadshow, Stage::Selection, Stage::Launch, Stage::Evaluation],
            verb: Verb::Amend,
            to: None,
            by: &[Role::Lead],
            gates: &[],
        },
        Move { from: &[Stage::Application], verb: Verb::ExtendDeadline, to: None, by: &[Role::Lead], gates: &[] },
        Move {
            from: &[Stage::Application],
            verb: Verb::OpenReview,
            to: Some(Stage::Review),
            by: &[Role::Staff],
            gates: &[HAS_REVIEW, DEADLINE_PASSED, INTAKE_DONE, SOMETHING_ELIGIBLE],
        },
        Move {
            from: &[Stage::Review],
            verb: Verb::ReopenCall,
            to: Some(Stage::Application),
            by: &[Role::Lead],
            gates: &[NOTHING_ASSIGNED],
        },
        Move {
            from: &[Stage::Application],
            verb: Verb::OpenRoadshow,
            to: Some(Stage::Roadshow),
            by: &[Role::Staff],
            gates: &[NO_REVIEW, HAS_ROADSHOW, DEADLINE_PASSED, INTAKE_DONE, SOMETHING_ELIGIBLE],
        },
        Move {
            from: &[Stage::Review],
            verb: Verb::OpenRoadshow,
            to: Some(Stage::Roadshow),
            by: &[Role::Staff],
            gates: &[HAS_ROADSHOW, REVIEW_CLOSED],
        },
        Move {
            from: &[Stage::Review],
            verb: Verb::OpenSelection,
            to: Some(Stage::Selection),
            by: &[Role::Staff],
            gates: &[NO_ROADSHOW, REVIEW_CLOSED],
        },
        Move {
            from: &[Stage::Roadshow],
            verb: Verb::OpenSelection,
            to: Some(Stage::Selection),
            by: &[Role::Staff],
            gates: &[EVERYONE_PITCHED, SESSIONS_OVER, ROADSHOW_CLOSED],
        },
        Move {
            from: &[Stage::Selection],
            verb: Verb::OpenLaunch,
            to: Some(Stage::Launch),
            by: &[Role::Staff],
            gates: &[SELECTION_ANNOUNCED, NOTICES_OVER, LIST_SETTLED],
        },
        Move { from: &[Stage::Launch], verb: Verb::OpenEvaluation, to: Some(Stage::Evaluation), by: &[Role::Staff], gates: &[AWARDS_ANSWERED, PROJECTS_LAUNCHED] },
        Move { from: &[Stage::Evaluation], verb: Verb::Close, to: Some(Stage::Closed), by: &[Role::Lead], gates: &[PROJECTS_ENDED, NOTHING_CLEARED] },
        Move {
            from: &[Stage::Preparing, Stage::Application, Stage::Review, Stage::Roadshow, Stage::Selection],
            verb: Verb::Cancel,
            to: Some(Stage::Cancelled),
            by: &[Role::Lead],
            gates: &[],
        },
    ];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
        Sight {
            eye: Eye::Admin,
            stages: &[],
        },
        Sight {
            eye: Eye::Public,
            stages: &[
                "application",
                "review",
                "roadshow",
                "selection",
                "launch",
                "evaluation",
                "closed",
                "cancelled",
            ],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "name",
            eyes: &[Eye::Public, Eye::Admin],
        },
        Field {
            name: "name_en",
            eyes: &[Eye::Public, Eye::Admin],
        },
        Field {
            name: "policy",
            eyes: &[Eye::Public],
        },
        Field {
            name: "policy_number",
            eyes: &[Eye::Public],
        },
        Field {
            name: "opens_at",
            eyes: &[Eye::Public],
        },
        Field {
            name: "closes_at",
            eyes: &[Eye::Public],
        },
        Field {
            name: "extensions",
            eyes: &[Eye::Public],
        },
        Field {
            name: "cancelled_because",
            eyes: &[Eye::Public],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Label, "name")];

    fn index(&self) -> Index {
        Index {
            label: Some(self.name.clone()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Publish { policy } | Command::Amend { policy } => {
                let old = record.data.policy.map(|old| Need::One(Kind::Policy, old));
                [Need::One(Kind::Policy, *policy)]
                    .into_iter()
                    .chain(old)
                    .chain([Kind::Application, Kind::Sheet, Kind::Selection].map(Need::All))
                    .collect()
            }
            Command::Cancel { .. } => vec![Need::All(Kind::Application)],
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Create { name, name_en } => {
                if name.trim().is_empty() {
                    return Err(Rejection::fault(
                        "/name",
                        "empty",
                        "Give the cycle a name.",
                        "请填写届次名称。",
                    ));
                }
                Ok(Decided::only(Event::Created { name, name_en }))
            }
            Command::Publish { policy } | Command::Amend { policy } => {
                amendment::put_in_force(record, policy, cx)
            }
            Command::ExtendDeadline { closes_at, reason }
            | Command::ReopenCall { closes_at, reason } => {
                let before = record.data.closes_at.unwrap_or_default();
                if closes_at <= before.max(cx.now) {
                    return Err(Rejection::fault(
                        "/closes_at",
                        "not_later",
                        "The new deadline must be later than the old one and than now.",
                        "新的截止时间必须晚于原截止时间和当前时间。",
                    ));
                }
                given(&reason)?;
                Ok(Decided::only(Event::Extended { closes_at, reason }))
            }
            Command::Cancel { reason } => {
                given(&reason)?;
                // Every application in hand is told: it ends with the cycle.
                let ends: Vec<Then> = cx
                    .world
                    .all::<Application>()
                    .filter(|one| application::ends_with_the_cycle(one.stage))
                    .map(|one| {
                        Application::then(
                            one.id,
                            cx.journal,
                            application::Command::CancelWithCycle {},
                        )
                    })
                    .collect();
                Ok(Decided::only(Event::Cancelled { reason }).then(ends))
            }
            Command::OpenReview {}
            | Command::OpenRoadshow {}
            | Command::OpenSelection {}
            | Command::OpenLaunch {}
            | Command::OpenEvaluation {}
            | Command::Close {} => Ok(Decided::only(Event::Moved {})),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Created { name, name_en } => {
                *self = Self {
                    name,
                    name_en,
                    ..Self::default()
                }
            }
            Event::PolicyPutInForce {
                policy,
                number,
                opens_at,
                closes_at,
            } => {
                self.policy = Some(policy);
                self.policy_number = number;
                self.opens_at = Some(opens_at);
                self.closes_at = Some(closes_at);
            }
            Event::Extended { closes_at, reason } => {
                self.closes_at = Some(closes_at);
                self.extensions.push(Extension {
                    closes_at,
                    reason,
                    at,
                });
            }
            Event::Cancelled { reason } => self.cancelled_because = Some(reason),
            Event::Moved {} => {}
        }
    }
}

fn given(reason: &str) -> Result<(), Rejection> {
    if reason.trim().is_empty() {
        return Err(Rejection::fault(
            "/reason",
            "required",
            "Give the reason; it is published.",
            "请填写理由,该理由将公开。",
        ));
    }
    Ok(())
}
