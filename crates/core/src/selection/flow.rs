//! The moves of a selection: the table that decisions, API, diagrams and tests are made from.

use std::collections::BTreeMap;

use fundcycle_scoring::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Cut, Line, PassedOver, Selection, WhatIf, compute};
use crate::actor::Role::{Lead, Staff, System};
use crate::aggregate::{Gate, Move, Record};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::money::Money;
use crate::notice::{self, Notice};
use crate::world::Need;

names! {
    /// Where a selection stands.
    pub enum Stage {
        /// Computed; can be computed again and departed from.
        Computed = "computed" "已测算",
        /// Put forward for approval.
        Proposed = "proposed" "待审批",
        /// Approved; nobody outside knows.
        Approved = "approved" "已审定",
        /// Every applicant knows.
        Announced = "announced" "已公布",
        /// Taken back after it was announced.
        Reverted = "reverted" "已撤销",
        /// Replaced by a newer computation.
        Superseded = "superseded" "已被取代",
    }
}

commands! {
    /// Compute who is to be funded.
    Compute = "compute" "测算" {
        /// Lots drawn before witnesses for applications that tie, by application: the lower number goes first.
        #[serde(default)]
        lots: BTreeMap<Uuid, u32>,
    }
    /// Compute it again; departures from the ranking are dropped.
    Recompute = "recompute" "重新测算" {
        /// Lots drawn before witnesses for applications that tie, by application: the lower number goes first.
        #[serde(default)]
        lots: BTreeMap<Uuid, u32>,
    }
    /// Depart from the ranking, with a reason for each application (`domain.md` §2.8).
    Depart = "depart" "调整" {
        /// What becomes of which application instead, and why.
        changes: Vec<Departure>,
    }
    /// Try other rules on the same inputs, and see who would move. Recorded as a simulation; nothing
    /// else changes, no approval is lost. With `dry_run` it is not even recorded.
    Simulate = "simulate" "试算" {
        /// What is different.
        what_if: Box<WhatIf>,
    }
    /// Put it forward for approval.
    Propose = "propose" "提请审批" {}
    /// Approve it; the last approval that the policy asks for lets it go on.
    Approve = "approve" "审批通过" {}
    /// Send it back; no approval stands.
    SendBack = "send_back" "退回" {
        /// Why.
        reason: String,
    }
    /// Make every decision known at once.
    Announce = "announce" "公布结果" {}
    /// Move an application up from the reserve when money is free.
    Promote = "promote" "递补" {
        /// Which.
        application: Uuid,
        /// What it gets, in fen.
        award: Money,
        /// Why.
        reason: String,
        /// What is cut from which line of its budget, where it gets less than it asks for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cuts: Vec<Cut>,
        /// Who stands before it in the reserve and does not move up, and why: all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed_over: Vec<PassedOver>,
    }
    /// Take it back before the public notice.
    Revert = "revert" "撤销" {
        /// Why.
        reason: String,
    }
    /// Retire it; follows from a newer computation.
    Supersede = "supersede" "取代" {}
}

/// What becomes of an application instead of what the ranking says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// Which application.
    pub application: Uuid,
    /// What becomes of it.
    pub decision: Outcome,
    /// What it gets, in fen; 0 unless it is funded.
    #[serde(default)]
    pub award: Money,
    /// Why.
    pub reason: String,
    /// What is cut from which line of its budget, where it gets less than it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
}

const AT_SELECTION: Gate<Selection> = Gate::<Selection>::new(
    "at_selection",
    "the cycle is not at the selection",
    "届次未进入或已离开遴选阶段",
    |_, cx| at(cx, &[cycle::Stage::Selection]),
);
const BEFORE_EVALUATION: Gate<Selection> = Gate::<Selection>::new(
    "before_evaluation",
    "the reserve list is not in use: the cycle is not at selection or launch",
    "届次不在遴选或立项阶段,备选名单未启用",
    |_, cx| at(cx, &[cycle::Stage::Selection, cycle::Stage::Launch]),
);
const NONE_PENDING: Gate<Selection> = Gate::<Selection>::new(
    "none_pending",
    "another selection is proposed, approved or announced",
    "已有遴选方案在审批中、已审定或已公布",
    |selection, cx| {
        use Stage::{Announced, Approved, Proposed};
        !cx.world.all::<Selection>().any(|other| {
            other.id != selection.id && matches!(other.stage, Proposed | Approved | Announced)
        })
    },
)
.looking_at(|_| vec![Need::All(Kind::Selection)]);
const INPUTS_HOLD: Gate<Selection> = Gate::<Selection>::new(
    "inputs_hold",
    "scores, applications or policy have changed since: compute it again",
    "测算后得分、申报或规则已有变化,请重新测算",
    compute::inputs_hold,
)
.looking_at(|selection| {
    let inputs = selection.data.run.inputs.iter();
    [Need::All(Kind::Application), Need::All(Kind::Sheet)]
        .into_iter()
        .chain(inputs.map(|input| Need::One(Kind::Organisation, input.organisation)))
        .collect()
});
const TIES_DECIDED: Gate<Selection> = Gate::<Selection>::new(
    "ties_decided",
    "applications with one place fare differently: draw lots, or give the reason for each",
    "并列申报的结果不同,请抽签决定或逐一说明理由",
    |selection, _| {
        let lines = &selection.data.run.lines;
        let differ = |a: &Line, b: &Line| {
            a.rank == b.rank && a.decision != b.decision && !a.departed && !b.departed
        };
        !lines.iter().any(|a| lines.iter().any(|b| differ(a, b)))
    },
);
const OTHERS_MADE_IT: Gate<Selection> = Gate::<Selection>::new(
    "others_made_it",
    "who computed, changed or proposed it does not approve it",
    "测算、调整或提请审批的人员不得审批",
    |selection, cx| {
        cx.account()
            .is_some_and(|account| !selection.data.made_by.contains(&account))
    },
);
const NOT_APPROVER: Gate<Selection> = Gate::<Selection>::new(
    "not_approver",
    "you approved it: this takes somebody else",
    "您已审批,须由其他负责人操作",
    |selection, cx| {
        cx.account()
            .is_some_and(|account| !selection.data.approved_by.contains(&account))
    },
);
const LAST_APPROVAL: Gate<Selection> = Gate::<Selection>::new(
    "last_approval",
    "more approvals are needed first",
    "尚需其他负责人审批",
    is_last_approval,
);
const NOT_LAST_APPROVAL: Gate<Selection> = Gate::<Selection>::new(
    "not_last_approval",
    "this approval is the last one",
    "这是最后一次审批",
    |selection, cx| !is_last_approval(selection, cx),
);
const NOT_ON_NOTICE: Gate<Selection> = Gate::<Selection>::new(
    "not_on_notice",
    "it has been on public notice",
    "已经公示,不能撤销",
    |selection, cx| {
        use notice::Stage::{Ended, Running, Skipped};
        !cx.world.all::<Notice>().any(|notice| {
            notice.data.selection == Some(selection.id)
                && matches!(notice.stage, Running | Ended | Skipped)
        })
    },
)
.looking_at(|_| vec![Need::All(Kind::Notice)]);

fn at(cx: &Context<'_>, stages: &[cycle::Stage]) -> bool {
    cx.cycle()
        .is_some_and(|cycle| stages.contains(&cycle.stage))
}

fn is_last_approval(selection: &Record<Selection>, cx: &Context<'_>) -> bool {
    let given = u32::try_from(selection.data.approved_by.len()).unwrap_or(u32::MAX);
    cx.policy()
        .is_some_and(|policy| given.saturating_add(1) >= policy.selection_approvals)
}

type Row = Move<Selection>;

/// Every move of a selection.
#[rustfmt::skip]
pub(super) const FLOW: &[Row] = {
    use Stage::*;
    &[
        Row { from: &[], verb: Verb::Compute, to: Some(Computed), by: &[Staff], gates: &[AT_SELECTION, NONE_PENDING] },
        Row { from: &[Computed], verb: Verb::Recompute, to: None, by: &[Staff], gates: &[AT_SELECTION] },
        Row { from: &[Computed], verb: Verb::Depart, to: None, by: &[Staff], gates: &[AT_SELECTION, INPUTS_HOLD] },
        Row { from: &[Computed, Proposed, Approved], verb: Verb::Simulate, to: None, by: &[Staff, Lead], gates: &[AT_SELECTION] },
        Row { from: &[Computed], verb: Verb::Propose, to: Some(Proposed), by: &[Staff], gates: &[AT_SELECTION, INPUTS_HOLD, TIES_DECIDED, NONE_PENDING] },
        Row { from: &[Computed], verb: Verb::Supersede, to: Some(Superseded), by: &[System], gates: &[] },
        // Approvals are counted: the last one that the policy asks for is another row.
        Row { from: &[Proposed], verb: Verb::Approve, to: Some(Approved), by: &[Lead], gates: &[OTHERS_MADE_IT, NOT_APPROVER, INPUTS_HOLD, LAST_APPROVAL] },
        Row { from: &[Proposed], verb: Verb::Approve, to: None, by: &[Lead], gates: &[OTHERS_MADE_IT, NOT_APPROVER, INPUTS_HOLD, NOT_LAST_APPROVAL] },
        Row { from: &[Proposed, Approved], verb: Verb::SendBack, to: Some(Computed), by: &[Lead], gates: &[] },
        Row { from: &[Approved], verb: Verb::Announce, to: Some(Announced), by: &[Staff], gates: &[AT_SELECTION, INPUTS_HOLD] },
        Row { from: &[Announced], verb: Verb::Promote, to: None, by: &[Lead], gates: &[BEFORE_EVALUATION] },
        Row { from: &[Announced], verb: Verb::Revert, to: Some(Reverted), by: &[Lead], gates: &[AT_SELECTION, NOT_APPROVER, NOT_ON_NOTICE] },
    ]
};
