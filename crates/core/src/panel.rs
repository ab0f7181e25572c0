//! The experts of one round: who sits, what they score, and what their sheets add up to.

mod agreement;
mod assignment;
mod board;
mod calibration;
mod draw;
mod interests;
mod overrun;
mod plan;
mod results;
mod shortlist;

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Exact, Fairness, PanelRules};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use agreement::{Agreed, Differences, agreement};
pub use assignment::interests_in;
pub(crate) use assignment::{interest_needs, interested};
pub use board::{Board, board};
pub use calibration::{Calibration, calibration};
pub use draw::{DrawnMembers, MembersDraw, Substitution, drawn_by};
pub use interests::{Found, found, needs as interests_need};
pub use overrun::{Deduction, deduction};
pub use plan::{Fit, Plan, PlanInputs, Room, affinity, planned};
pub use results::{application_keys, results, tie_break_keys};
pub use shortlist::StoppedBy;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record};
use crate::application::{self, Application, RoundScore};
use crate::context::Context;
use crate::cycle;
use crate::expert;
use crate::interest;
use crate::kinds::Kind;
use crate::policy::Round;
use crate::policy::document::RoundVisibility;
use crate::project::{self, Project};
use crate::rejection::Rejection;
use crate::sheet::{self, Sheet};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where a panel stands.
    pub enum Stage {
        /// Being put together; sheets can be given out.
        Forming = "forming" "组建中",
        /// Experts may score.
        Open = "open" "评分中",
        /// Every sheet is in and the result stands.
        Closed = "closed" "已结束",
        /// Given up before it scored.
        Dissolved = "dissolved" "已解散",
    }
}

commands! {
    /// Put a panel together for a round.
    Form = "form" "组建评审组" {
        /// Which round.
        round: Round,
        /// The accounts of its experts.
        experts: BTreeSet<Uuid>,
        /// Who chairs it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chair: Option<Uuid>,
        /// The juror group of each expert, where the round weighs groups.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        groups: BTreeMap<Uuid, String>,
    }
    /// Change who sits.
    ChangeMembers = "change_members" "调整成员" {
        /// The accounts of its experts.
        experts: BTreeSet<Uuid>,
        /// Who chairs it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chair: Option<Uuid>,
        /// The juror group of each expert, where the round weighs groups.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        groups: BTreeMap<Uuid, String>,
    }
    /// Fix who may be drawn as a member, by which rules and by which seed, before anybody can know the result.
    CommitDraw = "commit_draw" "固定抽取名单" {
        /// Seats, the fewest of each category of experts, and how many substitutes.
        rules: PanelRules,
        /// Who of the active experts is left out, and why.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        excluded: BTreeMap<Uuid, String>,
        /// Whether an expert may be drawn who must not score everything in the round; else they are left out.
        /// Who applies in the cycle is never drawn.
        #[serde(default)]
        conflicted_may_sit: bool,
        /// SHA-256 of the seed's bytes, in lower-case hexadecimal.
        commitment: String,
        /// Why the members are drawn again; only then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// Draw the members and their substitutes from the seed that was committed to.
    DrawMembers = "draw_members" "抽取成员" {
        /// The seed, in hexadecimal.
        seed: String,
    }
    /// Give the seat of a member who does not take part to the first substitute who fits.
    Substitute = "substitute" "候补递补" {
        /// Who does not take part.
        expert: Uuid,
        /// Why.
        reason: String,
        /// Substitutes who were asked and cannot, and why.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        refused: BTreeMap<Uuid, String>,
    }
    /// Give out sheets; all of them, or none if one conflicts.
    Assign = "assign" "分配评分" {
        /// Who scores what.
        pairs: Vec<Pair>,
    }
    /// Find the best assignment of everything in the round; nothing is given out yet.
    PlanAssignment = "plan_assignment" "拟定分配方案" {
        /// How many experts score each application or project.
        per_subject: u32,
        /// The most that one expert scores.
        max_load: u32,
        /// The least that each expert scores.
        #[serde(default)]
        min_load: u32,
        /// What the best assignment is best at.
        #[serde(default)]
        fairness: Fairness,
        /// Decides between equally good assignments, and nothing else.
        #[serde(default)]
        seed: u32,
        /// Panels fixed by room: what is in a room is scored by the experts of that room only.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        rooms: BTreeMap<String, Room>,
    }
    /// Give out the sheets of the plan; all of them, or none if one is refused by now.
    ApplyPlan = "apply_plan" "按方案分配" {}
    /// Drop the plan.
    DiscardPlan = "discard_plan" "放弃分配方案" {}
    /// Let the experts score.
    Open = "open" "开放评分" {
        /// Until when the sheets are due; they are taken after that, too, and shown as overdue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
    }
    /// End the scoring: the results are computed and the applications move on.
    Close = "close" "结束评分" {}
    /// Take the results back and score again.
    Reopen = "reopen" "重新开放" {
        /// Why.
        reason: String,
    }
    /// Give the panel up.
    Dissolve = "dissolve" "解散" {}
}

/// One expert for one application or project.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The expert's account.
    pub expert: Uuid,
    /// The application or project.
    pub subject: Uuid,
}

/// A panel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Panel {
    /// Which round.
    pub round: Option<Round>,
    /// The accounts of its experts.
    pub experts: BTreeSet<Uuid>,
    /// Who chairs it.
    pub chair: Option<Uuid>,
    /// The juror group of each expert, where the round weighs groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Uuid, String>,
    /// The draws of its members by lots, where there were any; the last one stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<MembersDraw>,
    /// What it scores.
    pub subjects: BTreeSet<Uuid>,
    /// The assignment that was planned, until sheets are given out, it is dropped or the panel
    /// moves on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Plan>>,
    /// When it was opened first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// Until when the sheets are due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// What the sheets added up to, best first, each time it was closed; the last one stands.
    pub results: Vec<Outcome>,
    /// What calibration said of the experts, where the round calibrates; the last time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How far the experts agreed; the last time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreed>,
    /// The sheets that were in when it closed the last time and did not count, because their experts have
    /// come to have an interest.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub voided: BTreeSet<Uuid>,
    /// How often it was closed: the version of the ranking.
    pub ranking_version: u32,
    /// The number of the policy the results were computed under.
    pub policy_number: Option<u32>,
    /// Who sees what while it is open, as the policy said when it opened.
    #[serde(default, skip_serializing_if = "RoundVisibility::is_default")]
    pub visibility: RoundVisibility,
}

/// What one application or project brought into the ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// The application or project.
    pub subject: Uuid,
    /// The totals of the sheets that were handed in, by expert.
    pub totals: BTreeMap<Uuid, Exact>,
    /// The juror group of each of these experts, where the round weighs groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Uuid, String>,
    /// The marks of these sheets, where there is more than one criterion.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<Uuid, BTreeMap<String, Exact>>,
    /// What ties are broken by.
    pub keys: BTreeMap<String, Exact>,
    /// Its domain, where the round limits how many of each go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether an expert vetoed it.
    pub vetoed: bool,
    /// By how many full seconds its pitch was too long, where the round deducts for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrun_seconds: Option<u32>,
}

/// What the sheets of one application or project added up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// From what it was computed.
    pub input: Input,
    /// The score, exactly and as published, after any deduction; calibrated where the round calibrates.
    pub score: RoundScore,
    /// What its pitch lost because it was too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduction: Option<Deduction>,
    /// The plain mean, after any deduction, and the place by it, where the round calibrates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RoundScore>,
    /// The experts whose sheets counted.
    pub used: Vec<String>,
    /// The experts whose sheets were dropped as highest or lowest.
    pub dropped: Vec<String>,
    /// The rule that decided a tie with a neighbour.
    pub decided_by: Option<String>,
    /// Whether it goes on.
    pub goes_on: bool,
    /// What kept it from going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
}

/// A sheet that counted, as the public may know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Which.
    pub sheet: Uuid,
    /// Stands for its expert, in this panel only: `E1`, `E2` and so on.
    pub label: String,
    /// The juror group of the expert, where the round weighs groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// What happened to a panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was put together.
    Formed {
        /// Which round.
        round: Round,
        /// Its experts.
        experts: BTreeSet<Uuid>,
        /// Who chairs it.
        chair: Option<Uuid>,
        /// The juror group of each expert, where the round weighs groups.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        groups: BTreeMap<Uuid, String>,
    },
    /// Who sits changed.
    MembersChanged {
        /// Its experts.
        experts: BTreeSet<Uuid>,
        /// Who chairs it.
        chair: Option<Uuid>,
        /// The juror group of each expert, where the round weighs groups.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        groups: BTreeMap<Uuid, String>,
    },
    /// Who may be drawn, the rules and a commitment to the seed were fixed.
    DrawCommitted {
        /// All but the seed and what comes of it.
        draw: Box<MembersDraw>,
    },
    /// Its members were drawn.
    MembersDrawn {
        /// The seed and what came of it.
        drawn: Box<DrawnMembers>,
        /// The juror group of each member, where the round weighs groups.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        groups: BTreeMap<Uuid, String>,
    },
    /// A substitute took the seat of a member.
    Substituted {
        /// Who, for whom, and why.
        substitution: Substitution,
    },
    /// Sheets were given out.
    Assigned {
        /// Who scores what.
        pairs: Vec<Pair>,
    },
    /// An assignment was planned.
    Planned {
        /// From what, and what came out.
        plan: Box<Plan>,
    },
    /// It was opened.
    Opened {
        /// Who sees what from now on.
        visibility: RoundVisibility,
        /// Until when the sheets are due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
    },
    /// It was closed.
    Closed {
        /// What the sheets added up to, best first.
        results: Vec<Outcome>,
        /// What calibration said of the experts, where the round calibrates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calibration: Option<Calibration>,
        /// How far the experts agreed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agreement: Option<Agreed>,
        /// The sheets that counted, under labels that stand for their experts in public.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sheets: Vec<Counted>,
        /// The sheets that were in and do not count, because their experts have come to have an
        /// interest; each is voided with this.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        voided: Vec<Uuid>,
        /// The policy they were computed under.
        policy_number: u32,
    },
    /// The move itself, with its reason where one was asked for.
    Moved {
        /// Why.
        reason: Option<String>,
    },
}

const ROUND_FREE: Gate<Panel> = Gate::<Panel>::new(
    "round_free",
    "another panel of this cycle is still at work",
    "本届另有评审组尚未结束",
    |panel, cx| {
        !cx.world.all::<Panel>().any(|other| {
            other.id != panel.id
                && other.stage == Stage::Open
                && other.data.round == panel.data.round
        })
    },
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);
const STAGE_FITS: Gate<Panel> = Gate::<Panel>::new(
    "stage_fits",
    "the cycle is not at this round",
    "届次尚未进入或已离开该轮次",
    |panel, cx| {
        let stage = cx.cycle().map(|cycle| cycle.stage);
        match panel.data.round {
            Some(Round::PaperReview) => stage == Some(cycle::Stage::Review),
            Some(Round::Roadshow) => stage == Some(cycle::Stage::Roadshow),
            Some(Round::Midterm | Round::Final) => stage == Some(cycle::Stage::Evaluation),
            None => false,
        }
    },
);
const SHEETS_IN: Gate<Panel> = Gate::<Panel>::new(
    "sheets_in",
    "some sheets are not in yet",
    "仍有评分表未提交",
    |panel, cx| {
        !sheets(panel, cx.world).any(|sheet| {
            matches!(sheet.stage, sheet::Stage::Pending | sheet::Stage::Draft)
                && is_live(panel, sheet, cx)
        })
    },
)
.looking_at(|panel| {
    vec![
        Need::All(Kind::Sheet),
        Need::All(kind_of_subjects(panel.data.round)),
    ]
});

/// Who sees what in a round by the policy in force.
fn visibility_now(panel: &Record<Panel>, cx: &Context<'_>) -> RoundVisibility {
    panel
        .data
        .round
        .and_then(|round| cx.policy()?.rounds.get(&round))
        .map(|rules| rules.visibility)
        .unwrap_or_default()
}

/// How lists mark a panel whose scores are sealed while it is open.
pub const SEALED: &str = "sealed";

fn sheets<'a>(
    panel: &Record<Panel>,
    world: &'a World,
) -> impl Iterator<Item = &'a Record<Sheet>> + use<'a> {
    let id = panel.id;
    world
        .all::<Sheet>()
        .filter(move |sheet| sheet.data.panel == Some(id))
}

/// What a round scores: applications before the award, projects after it.
const fn kind_of_subjects(round: Option<Round>) -> Kind {
    match round {
        Some(Round::Midterm | Round::Final) => Kind::Project,
        Some(Round::PaperReview | Round::Roadshow) | None => Kind::Application,
    }
}

/// Whether what a sheet scores is still in the round; applications that were withdrawn are not.
fn is_live(panel: &Record<Panel>, sheet: &Record<Sheet>, cx: &Context<'_>) -> bool {
    sheet
        .data
        .subject
        .is_some_and(|subject| in_round(panel.data.round, subject, cx.world))
}

fn in_round(round: Option<Round>, subject: Uuid, world: &World) -> bool {
    let application = |stage| {
        world
            .get::<Application>(subject)
            .is_some_and(|application| application.stage == stage)
    };
    let project = |stage| {
        world
            .get::<Project>(subject)
            .is_some_and(|project| project.stage == stage)
    };
    match round {
        Some(Round::PaperReview) => application(application::Stage::InReview),
        Some(Round::Roadshow) => application(application::Stage::Presented),
        Some(Round::Midterm) => project(project::Stage::MidtermDue),
        Some(Round::Final) => project(project::Stage::FinalDue),
        None => false,
    }
}

impl Aggregate for Panel {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Panel;
    const FIRST: Stage = Stage::Forming;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Form, to: Some(Forming), by: &[Role::Staff], gates: &[] },
            Move { from: &[Forming, Open], verb: Verb::ChangeMembers, to: None, by: &[Role::Staff], gates: &[] },
            // The first draw of a round is for staff, any other for a lead, with a reason.
            Move { from: &[Forming], verb: Verb::CommitDraw, to: None, by: &[Role::Staff], gates: &[draw::FIRST_DRAW] },
            Move { from: &[Forming], verb: Verb::CommitDraw, to: None, by: &[Role::Lead], gates: &[draw::DRAWN_BEFORE] },
            Move { from: &[Forming], verb: Verb::DrawMembers, to: None, by: &[Role::Staff], gates: &[draw::COMMITTED] },
            Move { from: &[Forming, Open], verb: Verb::Substitute, to: None, by: &[Role::Staff], gates: &[draw::DRAWN] },
            Move { from: &[Forming, Open], verb: Verb::Assign, to: None, by: &[Role::Staff], gates: &[STAGE_FITS] },
            Move { from: &[Forming, Open], verb: Verb::PlanAssignment, to: None, by: &[Role::Staff], gates: &[STAGE_FITS] },
            Move { from: &[Forming, Open], verb: Verb::ApplyPlan, to: None, by: &[Role::Staff], gates: &[STAGE_FITS, plan::PLANNED] },
            Move { from: &[Forming, Open], verb: Verb::DiscardPlan, to: None, by: &[Role::Staff], gates: &[plan::PLANNED] },
            Move { from: &[Forming], verb: Verb::Open, to: Some(Open), by: &[Role::Staff], gates: &[STAGE_FITS, ROUND_FREE] },
            Move { from: &[Open], verb: Verb::Close, to: Some(Closed), by: &[Role::Staff], gates: &[STAGE_FITS, SHEETS_IN] },
            Move { from: &[Closed], verb: Verb::Reopen, to: Some(Open), by: &[Role::Lead], gates: &[STAGE_FITS, ROUND_FREE] },
            Move { from: &[Forming], verb: Verb::Dissolve, to: Some(Dissolved), by: &[Role::Staff], gates: &[] },
        ]
    };
    const SIGHTS: &'static [Sight] = &[Sight {
        eye: Eye::Organiser,
        stages: &[],
    }];
    const FIELDS: &'static [Field] = &[];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Facet, "round")];
    const SEALED: &'static [&'static str] = &["results", "calibration", "agreement"];

    fn index(&self) -> Index {
        Index {
            facet: self.round.map(|round| round.to_string()),
            label: self.visibility.sealed.then(|| SEALED.to_owned()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        match command {
            Command::Form { experts, .. } | Command::ChangeMembers { experts, .. } => {
                let members = experts.iter().flat_map(|account| {
                    let profile = Need::One(Kind::Expert, expert::id_of(*account));
                    [profile]
                        .into_iter()
                        .chain(interest::needs(*account, world))
                });
                members.chain([Need::All(Kind::Sheet)]).collect()
            }
            Command::CommitDraw { .. } => draw::pool_needs(record, world),
            Command::DrawMembers { .. } => vec![Need::All(Kind::Sheet)],
            Command::Substitute { .. } => draw::substitute_needs(record, world),
            Command::Assign { pairs } => pairs
                .iter()
                .flat_map(|pair| assignment::assignment_needs(record, *pair, world))
                .collect(),
            Command::PlanAssignment { .. } => plan::needs(record, world),
            Command::ApplyPlan {} => plan::pairs(record)
                .iter()
                .flat_map(|pair| assignment::assignment_needs(record, *pair, world))
                .collect(),
            Command::Close {} => [
                Need::All(Kind::Sheet),
                Need::All(kind_of_subjects(record.data.round)),
            ]
            .into_iter()
            .chain((record.data.round == Some(Round::Roadshow)).then_some(Need::All(Kind::Slot)))
            .chain(assignment::interests_need(record, world))
            .collect(),
            Command::Reopen { .. } => record
                .data
                .subjects
                .iter()
                .map(|subject| Need::One(kind_of_subjects(record.data.round), *subject))
                .collect(),
            Command::DiscardPlan {} | Command::Open { .. } | Command::Dissolve {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Form {
                round,
                experts,
                chair,
                groups,
            } => {
                if !cx.policy().is_some_and(|policy| policy.has_round(round)) {
                    return Err(Rejection::fault(
                        "/round",
                        "no_round",
                        "The policy leaves this round out.",
                        "现行规则未设该轮次。",
                    ));
                }
                assignment::seated(record, &experts, chair, cx)?;
                assignment::grouped(round, &experts, &groups, cx)?;
                Ok(Decided::only(Event::Formed {
                    round,
                    experts,
                    chair,
                    groups,
                }))
            }
            Command::ChangeMembers {
                experts,
                chair,
                groups,
            } => {
                draw::chosen_freely(record, &experts)?;
                assignment::seated(record, &experts, chair, cx)?;
                if let Some(round) = record.data.round {
                    assignment::grouped(round, &experts, &groups, cx)?;
                }
                Ok(Decided::only(Event::MembersChanged {
                    experts,
                    chair,
                    groups,
                }))
            }
            Command::CommitDraw {
                rules,
                excluded,
                conflicted_may_sit,
                commitment,
                reason,
            } => {
                let asked = draw::Asked {
                    rules,
                    excluded,
                    conflicted_may_sit,
                    commitment,
                    reason,
                };
                draw::committed(record, asked, cx)
            }
            Command::DrawMembers { seed } => draw::drawn(record, &seed, cx),
            Command::Substitute {
                expert,
                reason,
                refused,
            } => draw::substituted(record, expert, reason, refused, cx),
            Command::Assign { pairs } => assignment::assigned(record, pairs, cx),
            Command::PlanAssignment {
                per_subject,
                max_load,
                min_load,
                fairness,
                seed,
                rooms,
            } => {
                let limits = plan::Limits {
                    per_subject,
                    max_load,
                    min_load,
                    fairness,
                    seed,
                    rooms,
                };
                plan::decided(record, limits, cx)
            }
            Command::ApplyPlan {} => assignment::assigned(record, plan::pairs(record).to_vec(), cx),
            Command::Close {} => results::closed(record, cx),
            Command::Reopen { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(results::reopened(record, reason, cx))
            }
            Command::Open { due_at } => {
                if due_at.is_some_and(|due| due <= cx.now) {
                    return Err(Rejection::fault(
                        "/due_at",
                        "past",
                        "Sheets fall due in the future.",
                        "评分截止时间须晚于当前时间。",
                    ));
                }
                Ok(Decided::only(Event::Opened {
                    visibility: visibility_now(record, cx),
                    due_at,
                }))
            }
            Command::DiscardPlan {} | Command::Dissolve {} => {
                Ok(Decided::only(Event::Moved { reason: None }))
            }
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Formed {
                round,
                experts,
                chair,
                groups,
            } => {
                *self = Self {
                    round: Some(round),
                    experts,
                    chair,
                    groups,
                    ..Self::default()
                }
            }
            Event::MembersChanged {
                experts,
                chair,
                groups,
            } => {
                self.experts = experts;
                self.chair = chair;
                self.groups = groups;
            }
            Event::DrawCommitted { draw } => self.draws.push(*draw),
            Event::MembersDrawn { drawn, groups } => {
                self.experts = drawn.members.iter().copied().collect();
                self.chair = self.chair.filter(|chair| self.experts.contains(chair));
                self.groups = groups;
                // A plan was for other members.
                self.plan = None;
                if let Some(draw) = self.draws.last_mut() {
                    draw.drawn = Some(*drawn);
                }
            }
            Event::Substituted { substitution } => self.substitute(&substitution),
            Event::Assigned { pairs } => {
                self.subjects
                    .extend(pairs.into_iter().map(|pair| pair.subject));
                self.plan = None;
            }
            Event::Planned { plan } => self.plan = Some(plan),
            Event::Closed {
                results,
                calibration,
                agreement,
                voided,
                policy_number,
                ..
            } => {
                self.results = results;
                self.voided = voided.into_iter().collect();
                self.calibration = calibration;
                self.agreement = agreement;
                self.ranking_version += 1;
                self.policy_number = Some(policy_number);
            }
            Event::Opened { visibility, due_at } => {
                self.visibility = visibility;
                self.opened_at = Some(at);
                self.due_at = due_at;
                self.plan = None;
            }
            Event::Moved { .. } => self.plan = None,
        }
    }
}
