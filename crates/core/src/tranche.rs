//! One part of an award, from plan to payment (`domain.md` §6).
//!
//! Every fen of it is paid, withheld, cancelled or still to come. It may be paid in several payments;
//! each goes from request to approval to payment.
//!
//! `domain.md` §2.16 has a stage `eligible` between planned and requested. Here it is a gate on the
//! request: whether the condition holds follows from the project, and a stage would have to be kept
//! in step with it. Three people handle each tranche (`reliability.md` I37).

mod gates;
mod payment;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Index, Move, Record, derived_id};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::policy::document::{TrancheCondition, TrancheNeeds};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
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
        /// What else has to be there.
        #[serde(default)]
        needs: TrancheNeeds,
    }
    /// Put it forward for payment, all that is left of it or a part.
    Request = "request" "申请拨付" {
        /// How much, in fen; none: all that is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
        /// The number of the organisation's invoice or receipt (资金往来票据/发票).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<String>,
    }
    /// Send the request back.
    ReturnRequest = "return_request" "退回申请" {
        /// Why.
        reason: String,
    }
    /// Agree to the payment.
    Approve = "approve" "批准" {}
    /// Note that it was paid; the money itself moves elsewhere.
    Pay = "pay" "拨付" {
        /// How much, in fen: what was put forward and approved.
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
    /// Do not pay a part of it, and leave the rest as it is.
    Reduce = "reduce" "核减" {
        /// How much less, in fen; less than what is left.
        amount: Money,
        /// Why.
        reason: String,
    }
    /// Do not pay what is left of it.
    Cancel = "cancel" "取消" {
        /// Why.
        reason: String,
    }
}

/// One payment, by three people (`reliability.md` I37).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// How much, in fen.
    pub amount: Money,
    /// The number of the organisation's invoice or receipt.
    pub invoice: Option<String>,
    /// The number of the voucher.
    pub voucher: String,
    /// The day of payment.
    #[schemars(with = "String", extend("format" = "date"))]
    pub paid_on: Date,
    /// Who put it forward.
    pub requested_by: Option<Uuid>,
    /// Who agreed to it.
    pub approved_by: Option<Uuid>,
    /// Who noted the payment.
    pub paid_by: Option<Uuid>,
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
    /// What else has to be there.
    #[serde(default)]
    pub needs: TrancheNeeds,
    /// How much of it was paid, in fen.
    #[serde(default)]
    pub paid: Money,
    /// How much of it is not paid any more, in fen.
    #[serde(default)]
    pub cancelled: Money,
    /// How much was last put forward, in fen.
    #[serde(default)]
    pub requested: Option<Money>,
    /// The number of the invoice or receipt that came with it.
    #[serde(default)]
    pub invoice: Option<String>,
    /// Who last put it forward.
    pub requested_by: Option<Uuid>,
    /// Who agreed to that.
    pub approved_by: Option<Uuid>,
    /// Who noted the last payment.
    pub paid_by: Option<Uuid>,
    /// The number of the voucher of the last payment.
    pub voucher: Option<String>,
    /// The day of the last payment.
    #[schemars(with = "Option<String>")]
    pub paid_on: Option<Date>,
    /// Every payment, the newest last.
    #[serde(default)]
    pub payments: Vec<Payment>,
    /// Why it was last returned, held back, released, reduced or cancelled.
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
        /// How much, in fen; none in journals of before there were partial payments: all of it.
        #[serde(default)]
        amount: Option<Money>,
        /// The number of the invoice or receipt.
        #[serde(default)]
        invoice: Option<String>,
    },
    /// It was agreed to.
    Approved {
        /// By whom.
        by: Option<Uuid>,
    },
    /// What was put forward was paid.
    Paid {
        /// Noted by whom.
        by: Option<Uuid>,
        /// The number of the voucher.
        voucher: String,
        /// The day of payment.
        #[schemars(with = "String", extend("format" = "date"))]
        paid_on: Date,
    },
    /// A part of it is not paid any more.
    Reduced {
        /// How much, in fen.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// What was left of it is not paid any more.
    Cancelled {
        /// Why.
        reason: String,
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

impl Tranche {
    /// What is neither paid nor cancelled, in fen: still to come, or withheld.
    pub fn left(&self) -> Money {
        self.amount
            .checked_sub(self.paid)
            .and_then(|left| left.checked_sub(self.cancelled))
            .map_or(Money::ZERO, |left| left.max(Money::ZERO))
    }

    /// What was put forward, in fen.
    pub fn put_forward(&self) -> Money {
        self.requested.unwrap_or_else(|| self.left())
    }
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
            Move { from: &[Planned], verb: Verb::Request, to: Some(Requested), by: &[Role::Staff], gates: gates::READY },
            Move { from: &[Requested], verb: Verb::ReturnRequest, to: Some(Planned), by: &[Role::Lead], gates: &[] },
            Move { from: &[Requested], verb: Verb::Approve, to: Some(Approved), by: &[Role::Lead], gates: gates::APPROVAL },
            Move { from: &[Approved], verb: Verb::Pay, to: Some(Paid), by: &[Role::Finance], gates: gates::LAST_PAYMENT },
            Move { from: &[Approved], verb: Verb::Pay, to: Some(Planned), by: &[Role::Finance], gates: gates::PART_PAYMENT },
            Move { from: &[Planned, Requested, Approved], verb: Verb::Withhold, to: Some(Withheld), by: &[Role::Lead], gates: &[] },
            // A hold undoes request and approval: the facts they rested on may have changed.
            Move { from: &[Withheld], verb: Verb::ReleaseHold, to: Some(Planned), by: &[Role::Lead], gates: &[] },
            Move { from: &[Planned, Withheld], verb: Verb::Reduce, to: None, by: &[Role::Lead, Role::System], gates: &[] },
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
        Field { name: "needs", eyes: &[Eye::Applicant] },
        Field { name: "paid", eyes: &[Eye::Applicant] },
        Field { name: "cancelled", eyes: &[Eye::Applicant] },
        Field { name: "requested", eyes: &[Eye::Applicant] },
        Field { name: "invoice", eyes: &[Eye::Applicant] },
        Field { name: "voucher", eyes: &[Eye::Applicant] },
        Field { name: "paid_on", eyes: &[Eye::Applicant] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "project"), (Column::Facet, "after"), (Column::Number, "voucher"), (Column::Label, "name"), (Column::Amount, "amount")];

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
                needs,
            } => Event::Planned {
                tranche: Box::new(Tranche {
                    project: Some(project),
                    organisation,
                    position,
                    name,
                    amount,
                    after: Some(after),
                    needs,
                    ..Tranche::default()
                }),
            },
            Command::Request { amount, invoice } => {
                payment::requested(record, amount, invoice, cx)?
            }
            Command::Approve {} => Event::Approved { by: cx.account() },
            Command::Pay {
                amount,
                voucher,
                paid_on,
            } => payment::paid(record, amount, voucher, paid_on, cx)?,
            Command::Reduce { amount, reason } => payment::reduced(record, amount, reason)?,
            Command::Cancel { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Cancelled { reason }
            }
            Command::ReturnRequest { reason }
            | Command::Withhold { reason }
            | Command::ReleaseHold { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Moved { reason }
            }
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Planned { tranche } => *self = *tranche,
            Event::Requested {
                by,
                amount,
                invoice,
            } => {
                self.requested = amount;
                self.invoice = invoice;
                self.requested_by = by;
                self.approved_by = None;
            }
            Event::Approved { by } => self.approved_by = by,
            Event::Paid {
                by,
                voucher,
                paid_on,
            } => self.take_payment(by, voucher, paid_on),
            Event::Reduced { amount, reason } => {
                self.cancelled = self.cancelled.checked_add(amount).unwrap_or(self.cancelled);
                self.reason = Some(reason);
            }
            Event::Cancelled { reason } => {
                self.cancelled = self
                    .cancelled
                    .checked_add(self.left())
                    .unwrap_or(self.cancelled);
                self.take_back(reason);
            }
            Event::Moved { reason } => self.take_back(reason),
        }
    }
}
