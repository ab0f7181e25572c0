//! One part of an award, from plan to payment (`domain.md` §6).
//!
//! `domain.md` §2.16 has a stage `eligible` between planned and requested. Here it is a gate on the
//! request: whether the condition holds follows from the project, and a stage would have to be kept
//! in step with it. Three people handle each tranche (`reliability.md` I37).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, derived_id};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::policy::Round;
use crate::policy::document::TrancheCondition;
use crate::project::{self, Project};
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Eye, Field, Sight};
use crate::world::{Need, World};

names! {
    /// Where a tranche stands.
    pub enum Stage {
        /// Part of the agreement.
        Planned = "planned" "待申请",
        /// Put forward for payment.
        Requested = "requested" "已申请",
        /// To be paid.
        Approved = "approved" "已批准",
        /// Paid.
        Paid = "paid" "已拨付",
        /// Held back.
        Withheld = "withheld" "暂缓拨付",
        /// Not paid any more.
        Cancelled = "cancelled" "已取消",
    }
}

commands! {
    /// Set the tranche up; follows from signing the agreement.
    Plan = "plan" "列入计划" {
        /// For which project.
        project: Uuid,
        /// Whose project that is.
        organisation: Option<Uuid>,
        /// Its place in the order of payment, from 1.
        position: u32,
        /// What it is called.
        name: String,
        /// How much, in fen.
        amount: Money,
        /// What has to be there first.
        after: TrancheCondition,
    }
    /// Put it forward for payment.
    Request = "request" "申请拨付" {}
    /// Send the request back.
    ReturnRequest = "return_request" "退回申请" {
        /// Why.
        reason: String,
    }
    /// Agree to the payment.
    Approve = "approve" "批准" {}
    /// Note that it was paid; the money itself moves elsewhere.
    Pay = "pay" "拨付" {
        /// How much, in fen: the amount of the tranche.
        amount: Money,
        /// The number of the voucher.
        voucher: String,
        /// The day of payment.
        #[schemars(with = "String", extend("format" = "date"))]
        paid_on: Date,
    }
    /// Hold it back.
    Withhold = "withhold" "暂缓" {
        /// Why.
        reason: String,
    }
    /// Let it be requested again.
    ReleaseHold = "release_hold" "解除暂缓" {
        /// What has been settled.
        reason: String,
    }
    /// Do not pay it.
    Cancel = "cancel" "取消" {
        /// Why.
        reason: String,
    }
}

/// A tranche.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tranche {
    /// For which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// Its place in the order of payment, from 1.
    pub position: u32,
    /// What it is called.
    pub name: String,
    /// How much, in fen; it never changes.
    pub amount: Money,
    /// What has to be there first.
    pub after: Option<TrancheCondition>,
    /// Who put it forward.
    pub requested_by: Option<Uuid>,
    /// Who agreed to it.
    pub approved_by: Option<Uuid>,
    /// Who noted the payment.
    pub paid_by: Option<Uuid>,
    /// The number of the voucher.
    pub voucher: Option<String>,
    /// The day of payment.
    #[schemars(with = "Option<String>")]
    pub paid_on: Option<Date>,
    /// Why it was last returned, held back, released or cancelled.
    pub reason: Option<String>,
}

/// What happened to a tranche.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was set up.
    Planned {
        /// As it was set up.
        tranche: Box<Tranche>,
    },
    /// It was put forward.
    Requested {
        /// By whom.
        by: Option<Uuid>,
    },
    /// It was agreed to.
    Approved {
        /// By whom.
        by: Option<Uuid>,
    },
    /// It was paid.
    Paid {
        /// Noted by whom.
        by: Option<Uuid>,
        /// The number of the voucher.
        voucher: String,
        /// The day of payment.
        #[schemars(with = "String", extend("format" = "date"))]
        paid_on: Date,
    },
    /// The move itself.
    Moved {
        /// Why.
        reason: String,
    },
}

/// The stages of a tranche that is neither paid nor cancelled.
pub const OPEN: &[Stage] = &[
    Stage::Planned,
    Stage::Requested,
    Stage::Approved,
    Stage::Withheld,
];

/// The identity of the tranche of a project at `position`.
pub fn id_of(project: Uuid, position: u32) -> Uuid {
    derived_id(project, &format!("tranche:{position}"))
}

const CONDITION_MET: Gate<Tranche> = Gate::<Tranche>::new(
    "condition_met",
    "what the policy asks for before this tranche is not there yet",
    "尚未满足该期拨款条件",
    |tranche, cx| {
        its_project(tranche, cx).is_some_and(|project| match tranche.data.after {
            Some(TrancheCondition::Agreement) => project.data.agreement.is_some(),
            Some(TrancheCondition::Midterm) => project.data.has_passed(Round::Midterm),
            Some(TrancheCondition::Final) => project.data.has_passed(Round::Final),
            None => false,
        })
    },
)
.looking_at(project_need);
const PROJECT_RUNNING: Gate<Tranche> = Gate::<Tranche>::new(
    "project_running",
    "the project is suspended, failed or over: nothing is paid",
    "项目已暂停、未通过评估或已结束,不得拨付",
    |tranche, cx| {
        its_project(tranche, cx).is_some_and(|project| project::RUNNING.contains(&project.stage))
    },
)
.looking_at(project_need);
const OTHER_THAN_REQUESTER: Gate<Tranche> = Gate::new(
    "other_than_requester",
    "who put it forward does not approve or pay it",
    "申请人不得批准或拨付",
    |tranche, cx| tranche.data.requested_by != cx.account(),
);
const OTHER_THAN_APPROVER: Gate<Tranche> = Gate::new(
    "other_than_approver",
    "who approved it does not pay it",
    "批准人不得拨付",
    |tranche, cx| tranche.data.approved_by != cx.account(),
);

fn project_need(tranche: &Record<Tranche>) -> Vec<Need> {
    tranche
        .data
        .project
        .map(|id| Need::One(Kind::Project, id))
        .into_iter()
        .collect()
}

fn its_project<'a>(tranche: &Record<Tranche>, cx: &Context<'a>) -> Option<&'a Record<Project>> {
    cx.world.get::<Project>(tranche.data.project?)
}

impl Aggregate for Tranche {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Tranche;
    const FIRST: Stage = Stage::Planned;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Plan, to: Some(Planned), by: &[Role::System], gates: &[] },
            Move { from: &[Planned], verb: Verb::Request, to: Some(Requested), by: &[Role::Staff], gates: &[CONDITION_MET, PROJECT_RUNNING] },
            Move { from: &[Requested], verb: Verb::ReturnRequest, to: Some(Planned), by: &[Role::Lead], gates: &[] },
            Move { from: &[Requested], verb: Verb::Approve, to: Some(Approved), by: &[Role::Lead], gates: &[CONDITION_MET, PROJECT_RUNNING, OTHER_THAN_REQUESTER] },
            Move { from: &[Approved], verb: Verb::Pay, to: Some(Paid), by: &[Role::Finance],
                   gates: &[CONDITION_MET, PROJECT_RUNNING, OTHER_THAN_REQUESTER, OTHER_THAN_APPROVER] },
            Move { from: &[Planned, Requested, Approved], verb: Verb::Withhold, to: Some(Withheld), by: &[Role::Lead], gates: &[] },
            // A hold undoes request and approval: the facts they rested on may have changed.
            Move { from: &[Withheld], verb: Verb::ReleaseHold, to: Some(Planned), by: &[Role::Lead], gates: &[] },
            Move { from: OPEN, verb: Verb::Cancel, to: Some(Cancelled), by: &[Role::Lead, Role::System], gates: &[] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "position", eyes: &[Eye::Applicant] },
        Field { name: "name", eyes: &[Eye::Applicant] },
        Field { name: "amount", eyes: &[Eye::Applicant] },
        Field { name: "after", eyes: &[Eye::Applicant] },
        Field { name: "voucher", eyes: &[Eye::Applicant] },
        Field { name: "paid_on", eyes: &[Eye::Applicant] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
    ];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            person: None,
            facet: self.after.map(|after| after.to_string()),
            number: self.voucher.clone(),
            label: Some(self.name.clone()),
            amount: Some(self.amount.fen()),
        }
    }

    fn identity(command: &Command) -> Option<Uuid> {
        match command {
            Command::Plan {
                project, position, ..
            } => Some(id_of(*project, *position)),
            _ => None,
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match (command, record.data.project) {
            (Command::Pay { .. }, Some(project)) => vec![Need::PartsOf(Kind::Tranche, project)],
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Plan {
                project,
                organisation,
                position,
                name,
                amount,
                after,
            } => Event::Planned {
                tranche: Box::new(Tranche {
                    project: Some(project),
                    organisation,
                    position,
                    name,
                    amount,
                    after: Some(after),
                    ..Tranche::default()
                }),
            },
            Command::Request {} => Event::Requested { by: cx.account() },
            Command::Approve {} => Event::Approved { by: cx.account() },
            Command::Pay {
                amount,
                voucher,
                paid_on,
            } => paid(record, amount, voucher, paid_on, cx)?,
            Command::ReturnRequest { reason }
            | Command::Withhold { reason }
            | Command::ReleaseHold { reason }
            | Command::Cancel { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Moved { reason }
            }
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Planned { tranche } => *self = *tranche,
            Event::Requested { by } => {
                self.requested_by = by;
                self.approved_by = None;
            }
            Event::Approved { by } => self.approved_by = by,
            Event::Paid {
                by,
                voucher,
                paid_on,
            } => {
                self.paid_by = by;
                self.voucher = Some(voucher);
                self.paid_on = Some(paid_on);
            }
            Event::Moved { reason } => {
                self.requested_by = None;
                self.approved_by = None;
                self.reason = Some(reason);
            }
        }
    }
}

fn paid(
    record: &Record<Tranche>,
    amount: Money,
    voucher: String,
    paid_on: Date,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/voucher", &voucher, 100));
    let planned = record.data.amount;
    if amount != planned {
        faults.push(Fault::new(
            "/amount",
            "amount",
            format!("This tranche is {planned} yuan, not {amount}."),
            format!("该期款项为 {planned} 元,而非 {amount} 元。"),
        ));
    }
    if paid_on > cx.today() {
        faults.push(Fault::new(
            "/paid_on",
            "in_future",
            "A payment cannot be dated after today.",
            "拨付日期不能晚于今天。",
        ));
    }
    let before = record
        .data
        .project
        .map_or(Money::ZERO, |project| project::paid(project, cx.world));
    let award = its_project(record, cx).map_or(Money::ZERO, |project| project.data.amount);
    if before.checked_add(planned).is_none_or(|sum| sum > award) {
        faults.push(Fault::new(
            "/amount",
            "over_award",
            format!(
                "{before} yuan are paid already; with this the award of {award} would be exceeded."
            ),
            format!("已拨付 {before} 元,再拨该期将超过资助金额 {award} 元。"),
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Paid {
        by: cx.account(),
        voucher,
        paid_on,
    })
}
