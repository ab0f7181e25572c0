//! Who is to be funded under the budget, with the reason for each (`domain.md` §2.8, §5.4).
//!
//! Inputs are frozen and hashed when the selection is computed. What is proposed, approved and
//! announced is what was computed from inputs that still hold; any change voids the approvals.

mod compute;
mod cuts;
mod depart;
mod earlier;
mod flow;
mod follow;
mod reserve;
mod simulate;

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Certificate, Exact, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use compute::lines;
pub use cuts::Cut;
pub use earlier::EarlierProject;
pub(crate) use earlier::{may_count, with_bonus};
pub use flow::{Command, Departure, Stage, Verb};
pub use reserve::PassedOver;
pub(crate) use reserve::given_away;
pub use simulate::{Moved, Place, Simulation, WhatIf, simulated};

use crate::aggregate::{Aggregate, Decided, Index, Move, Record, Stored as _, Then};
use crate::application::Application;
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::policy::Round;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// A selection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// What was computed last.
    pub run: Run,
    /// Who computed it or departed from the ranking: none of them approves.
    pub made_by: BTreeSet<Uuid>,
    /// Who approved it, in order.
    pub approved_by: Vec<Uuid>,
    /// Who moved up from the reserve, and why.
    pub promotions: Vec<Promotion>,
    /// What was tried under other rules, in order; none of it decides anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub simulations: Vec<Simulation>,
    /// Why it was sent back or reverted last.
    pub reason: Option<String>,
}

/// One computation: inputs, rules and what they gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What was computed from, by application number.
    pub inputs: Vec<Input>,
    /// SHA-256 over the canonical JSON of `inputs`.
    pub inputs_hash: String,
    /// The number of the policy it was computed under.
    pub policy_number: u32,
    /// The hash of that policy.
    pub policy_hash: String,
    /// One line per application, best first.
    pub lines: Vec<Line>,
    /// Proof that no other choice is better; only where the policy promises the best.
    pub certificate: Option<Certificate>,
}

/// What is known of one application when the selection is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Which application.
    pub application: Uuid,
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub organisation: Uuid,
    /// The domain it competes in.
    pub domain: String,
    /// The street it belongs to, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// What it asks for, in fen.
    pub requested: Money,
    /// What the experts would fund, in fen: the median of the last round that has such figures.
    pub recommended: Option<Money>,
    /// The unrounded score of each round that has a weight.
    pub rounds: BTreeMap<Round, Exact>,
    /// The earlier projects of the organisation that count, by identity (`ranking.earlier_projects`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierProject>,
    /// The combined score with what the earlier projects add, rounded once.
    pub score: Exact,
    /// What ties are broken by.
    pub keys: BTreeMap<String, Exact>,
}

/// What becomes of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which application.
    pub application: Uuid,
    /// Its number.
    pub number: String,
    /// What it asks for, in fen.
    pub requested: Money,
    /// The combined score, as published.
    pub score: Exact,
    /// What of it earlier projects of the organisation add.
    #[serde(default, skip_serializing_if = "Exact::is_zero")]
    pub bonus: Exact,
    /// Its place; where a tie stands, all share it.
    pub rank: Option<u32>,
    /// The rule that decided a tie with a neighbour.
    pub decided_by: Option<String>,
    /// What becomes of it.
    pub decision: Outcome,
    /// What it gets, in fen; 0 unless it is funded.
    pub award: Money,
    /// Which rule decided, or why the ranking was departed from.
    pub reason: String,
    /// The rule in Chinese; empty where people departed from the ranking.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason_zh: String,
    /// What would have had to be different.
    pub needs: String,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub needs_zh: String,
    /// Whether people departed from the ranking.
    pub departed: bool,
    /// What was cut from which line of its budget, where people gave less than it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
}

/// One application that moved up from the reserve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Which.
    pub application: Uuid,
    /// What it gets, in fen.
    pub award: Money,
    /// Why.
    pub reason: String,
    /// What was cut from which line of its budget, where it gets less than it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// Who stood before it in the reserve and did not move up, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    /// By whom.
    pub by: Option<Uuid>,
}

/// What happened to a selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was computed.
    Computed {
        /// Inputs, rules and result.
        run: Box<Run>,
        /// By whom.
        by: Option<Uuid>,
    },
    /// People departed from the ranking.
    Departed {
        /// From what.
        changes: Vec<Departure>,
        /// Who.
        by: Option<Uuid>,
    },
    /// Something was tried under other rules.
    Simulated {
        /// Under which, and who would move.
        simulation: Box<Simulation>,
    },
    /// Somebody put it forward: they do not approve it.
    Proposed {
        /// Who.
        by: Option<Uuid>,
    },
    /// Somebody approved it.
    Approved {
        /// Who.
        by: Option<Uuid>,
    },
    /// It went back or was reverted: no approval stands.
    Undone {
        /// Why.
        reason: String,
    },
    /// An application moved up from the reserve.
    Promoted {
        /// Which, and why.
        promotion: Promotion,
    },
    /// Nothing but the move itself.
    Moved {},
}

impl Selection {
    /// What it says of one application.
    pub fn line(&self, application: Uuid) -> Option<&Line> {
        self.run
            .lines
            .iter()
            .find(|line| line.application == application)
    }
}

impl Aggregate for Selection {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Selection;
    const FIRST: Stage = Stage::Computed;
    const FLOW: &'static [Move<Self>] = flow::FLOW;
    // Applicants learn their result from their application, the public from the notice.
    const SIGHTS: &'static [Sight] = &[Sight {
        eye: Eye::Staff,
        stages: &[],
    }];
    const FIELDS: &'static [Field] = &[];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Amount, "run")];

    fn index(&self) -> Index {
        let awarded = Money::checked_sum(self.run.lines.iter().map(|line| line.award));
        Index {
            amount: awarded.map(Money::fen),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        let mut applications: Vec<Need> = record
            .data
            .run
            .lines
            .iter()
            .map(|line| Need::One(Kind::Application, line.application))
            .collect();
        match command {
            Command::Compute { .. } | Command::Recompute { .. } => {
                let owners = world.all::<Application>();
                let owners = owners.filter_map(|one| one.data.organisation);
                [Kind::Application, Kind::Sheet, Kind::Selection]
                    .map(Need::All)
                    .into_iter()
                    .chain(owners.map(|id| Need::One(Kind::Organisation, id)))
                    .collect()
            }
            Command::Promote { application, .. } => vec![
                Need::All(Kind::Application),
                Need::One(Kind::Application, *application),
            ],
            Command::Revert { .. } => {
                applications.push(Need::All(Kind::Notice));
                applications
            }
            Command::Announce {} => applications,
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let by = cx.account();
        Ok(match command {
            Command::Compute { lots } => {
                let run = Box::new(compute::run(&lots, cx)?);
                let others = cx
                    .world
                    .all::<Self>()
                    .filter(|other| other.id != record.id && other.stage == Stage::Computed);
                let then: Vec<Then> = others
                    .map(|other| Self::then(other.id, cx.journal, Command::Supersede {}))
                    .collect();
                Decided::only(Event::Computed { run, by }).then(then)
            }
            Command::Recompute { lots } => Decided::only(Event::Computed {
                run: Box::new(compute::run(&lots, cx)?),
                by,
            }),
            Command::Depart { changes } => {
                depart::checked(&record.data, &changes, cx)?;
                Decided::only(Event::Departed { changes, by })
            }
            Command::Simulate { what_if } => {
                let policy = cx.require_policy()?;
                let lines = &record.data.run.lines;
                let simulation = Box::new(Simulation {
                    by,
                    ..simulated(&record.data.run.inputs, lines, what_if, policy)?
                });
                Decided::only(Event::Simulated { simulation })
            }
            Command::Propose {} => Decided::only(Event::Proposed { by }),
            Command::Approve {} => Decided::only(Event::Approved { by }),
            Command::SendBack { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Decided::only(Event::Undone { reason })
            }
            Command::Announce {} => {
                Decided::only(Event::Moved {}).then(follow::announced(record, cx))
            }
            Command::Promote {
                application,
                award,
                reason,
                cuts,
                passed_over,
            } => {
                let promotion = Promotion {
                    application,
                    award,
                    reason,
                    cuts,
                    passed_over,
                    by,
                };
                reserve::promotable(record, &promotion, cx)?;
                let then = follow::promoted(record, &promotion, cx);
                Decided::only(Event::Promoted { promotion }).then(then)
            }
            Command::Revert { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Decided::only(Event::Undone { reason }).then(follow::undone(record, cx))
            }
            Command::Supersede {} => Decided::only(Event::Moved {}),
        })
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Computed { run, by } => {
                self.run = *run;
                self.made_by.extend(by);
            }
            Event::Departed { changes, by } => {
                for change in changes {
                    depart::applied(&mut self.run.lines, change);
                }
                self.made_by.extend(by);
            }
            Event::Simulated { simulation } => self.simulations.push(*simulation),
            Event::Proposed { by } => self.made_by.extend(by),
            Event::Approved { by } => self.approved_by.extend(by),
            Event::Undone { reason } => {
                self.reason = Some(reason);
                self.approved_by.clear();
            }
            Event::Promoted { promotion } => self.promotions.push(promotion),
            Event::Moved {} => {}
        }
    }
}
