//! Where a project may stand, what may be asked of it, and every move there is.

use jiff::civil::Date;
use uuid::Uuid;

use super::accounts::{outstanding, tranches_need};
use super::closing::{self, NOTHING_OWED};
use super::monitoring;
use super::plan::{Plan, RecordedChange};
use super::{BankAccount, Ground, Project, Signature};
use crate::actor::Role::{Applicant, Finance, Lead, Staff, System};
use crate::aggregate::{Gate, Move};
use crate::context::Context;
use crate::money::Money;
use crate::policy::Round;

names! {
    /// Where a project stands (`domain.md` §2.16).
    pub enum Stage {
        /// The plan is being fitted to the awarded amount.
        Refining = "refining" "方案优化",
        /// The plan is with staff.
        PlanSubmitted = "plan_submitted" "方案待审",
        /// The plan is agreed; signatures are missing.
        AgreementPending = "agreement_pending" "待签约",
        /// The agreement is signed.
        Signed = "signed" "已签约",
        /// Launched in public.
        Launched = "launched" "已启动",
        /// Being carried out.
        Active = "active" "执行中",
        /// Being assessed half-way.
        MidtermDue = "midterm_due" "中期评估中",
        /// Putting right what an evaluation found; assessed once more after that.
        Rectifying = "rectifying" "整改中",
        /// Failed half-way.
        MidtermFailed = "midterm_failed" "中期评估不通过",
        /// Being assessed at the end.
        FinalDue = "final_due" "末期评估中",
        /// Failed at the end.
        FinalFailed = "final_failed" "末期评估不通过",
        /// Assessed; money and papers are being settled.
        Closing = "closing" "结项中",
        /// Done.
        Closed = "closed" "已结项",
        /// Stopped for now; nothing is paid.
        Suspended = "suspended" "已暂停",
        /// Stopped for good.
        Terminated = "terminated" "已终止",
        /// Money is demanded back.
        Recovering = "recovering" "追回中",
        /// What was demanded came back.
        Recovered = "recovered" "已追回",
        /// What was demanded will not come back.
        WrittenOff = "written_off" "已核销",
    }
}

commands! {
    /// Begin the project; follows from accepting the award.
    Begin = "begin" "立项" {
        /// What it was applied for with.
        application: Uuid,
        /// The award.
        award: Uuid,
        /// Whose it is.
        organisation: Uuid,
        /// The name of that organisation.
        organisation_name: String,
        /// Its title.
        title: String,
        /// Its domain.
        domain: String,
        /// The award, in fen.
        amount: Money,
    }
    /// Hand in the plan for the awarded amount.
    SubmitPlan = "submit_plan" "提交方案" {
        /// What will be done, for what money, measured by what.
        plan: Box<Plan>,
    }
    /// Send the plan back.
    ReturnPlan = "return_plan" "退回方案" {
        /// What has to change.
        reason: String,
    }
    /// Agree to the plan.
    ApprovePlan = "approve_plan" "通过方案" {}
    /// Record the signed agreement; the tranches are planned by it.
    Sign = "sign" "签约" {
        /// Who signed, two or more.
        parties: Vec<String>,
        /// The day of the last signature.
        #[schemars(with = "String", extend("format" = "date"))]
        signed_on: Date,
        /// The number of the agreement.
        number: String,
        /// Who signed for each party and when.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        signatures: Vec<Signature>,
    }
    /// Say where the award is to be paid to; finance checks it before anything is paid.
    GiveBankAccount = "give_bank_account" "填报收款账户" {
        /// An account in the organisation's name.
        bank_account: BankAccount,
    }
    /// Find that the bank account is the organisation's.
    CheckBankAccount = "check_bank_account" "核验收款账户" {}
    /// Say when and where it is launched; may be said again until then.
    ScheduleLaunch = "schedule_launch" "安排启动" {
        /// The day, of whatever kind.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        venue: Option<String>,
        /// Who hosts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// Who is expected.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        guests: Vec<String>,
        /// Which media are invited.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<String>,
    }
    /// Note that it was launched.
    Launch = "launch" "启动" {}
    /// Note that it is being carried out.
    Activate = "activate" "进入执行" {}
    /// Begin the mid-term evaluation; follows from opening one.
    OpenMidterm = "open_midterm" "开始中期评估" {}
    /// Go on; follows from the published grade.
    PassMidterm = "pass_midterm" "中期评估通过" {}
    /// Put things right; follows from the published grade.
    RectifyMidterm = "rectify_midterm" "中期整改" {}
    /// Stop; follows from the published grade.
    FailMidterm = "fail_midterm" "中期评估不通过" {}
    /// Begin the final evaluation; follows from opening one.
    OpenFinal = "open_final" "开始末期评估" {}
    /// Settle the project; follows from the published grade.
    PassFinal = "pass_final" "末期评估通过" {}
    /// Put things right; follows from the published grade.
    RectifyFinal = "rectify_final" "末期整改" {}
    /// Stop; follows from the published grade.
    FailFinal = "fail_final" "末期评估不通过" {}
    /// Take an approved change into the plan; follows from its approval.
    RecordChange = "record_change" "记录变更" {
        /// What changes.
        change: Box<RecordedChange>,
    }
    /// Note an activity, or what was spent by now; follows from recording the one or accepting a report.
    NoteProgress = "note_progress" "记录进展" {
        /// On which day there was an activity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        activity_on: Option<Date>,
        /// What was spent by now, in fen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spent: Option<Money>,
        /// Which report was accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<Uuid>,
    }
    /// Ask for the report of the time that has passed, where the policy wants one of each month or quarter.
    CallForReport = "call_for_report" "定期报告" {}
    /// Flag that a report did not come in time; follows from the report.
    FlagMissingReport = "flag_missing_report" "报告逾期提示" {
        /// Which.
        report: Uuid,
    }
    /// Flag that there has been no activity for long.
    FlagSilence = "flag_silence" "活动停滞提示" {}
    /// Flag that little of the award is spent late in its time.
    FlagUnderspend = "flag_underspend" "支出偏低提示" {}
    /// Stop for now; payments are held.
    Suspend = "suspend" "暂停" {
        /// Why.
        reason: String,
    }
    /// Go on where it was suspended.
    Resume = "resume" "恢复" {
        /// What has been settled.
        reason: String,
    }
    /// Tell the organisation on what ground its project is to be stopped, and hear it.
    AnnounceTermination = "announce_termination" "拟终止告知" {
        /// On what ground.
        ground: Ground,
        /// What happened.
        reason: String,
    }
    /// Answer before the project is stopped.
    BeHeard = "be_heard" "陈述申辩" {
        /// What the organisation says to it.
        statement: String,
    }
    /// Stop for good; what is not paid yet is cancelled.
    Terminate = "terminate" "终止" {
        /// On what ground.
        ground: Ground,
        /// What happened.
        reason: String,
    }
    /// State how much of what was paid was spent as agreed.
    AcceptSpend = "accept_spend" "核定支出" {
        /// That amount, in fen; replaces what was stated before.
        amount: Money,
    }
    /// Note money that came back: a surplus, or a part of a demand.
    RecordRefund = "record_refund" "登记退款" {
        /// How much, in fen.
        amount: Money,
        /// The number of the voucher.
        voucher: String,
    }
    /// Find an item of the policy's close-out checklist done.
    CheckOff = "check_off" "办结清单" {
        /// Which, as the policy calls it.
        item: String,
        /// What there is to say of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }
    /// End a project that reached its goals.
    Close = "close" "结项" {}
    /// Demand back what was paid and not spent as agreed; all of it after fraud.
    Recover = "recover" "追回" {
        /// Until when it has to be paid back; none: as the policy says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        due_on: Option<Date>,
    }
    /// Remind the organisation, once the demand is overdue.
    RemindDemand = "remind_demand" "催缴" {}
    /// Note that nothing of the demand is open any more.
    ConfirmRecovery = "confirm_recovery" "确认追回" {}
    /// Propose to give up what is still open.
    ProposeWriteOff = "propose_write_off" "提请核销" {
        /// Why it will not come back.
        reason: String,
    }
    /// Give up what is still open, as proposed by somebody else.
    WriteOff = "write_off" "核销" {
        /// Why that is right.
        reason: String,
    }
}

/// The stages before the agreement is signed; a project that ends here is ended through its award.
pub const BEFORE_AGREEMENT: &[Stage] = &[
    Stage::Refining,
    Stage::PlanSubmitted,
    Stage::AgreementPending,
];

/// The stages from the agreement to the end of evaluation, in which work goes on and may stop.
pub const RUNNING: &[Stage] = {
    use Stage::*;
    &[
        Signed, Launched, Active, MidtermDue, Rectifying, FinalDue, Closing,
    ]
};

/// The stages in which a project ends, one way or the other.
pub const ENDED: &[Stage] = {
    use Stage::*;
    &[Closed, Terminated, Recovered, WrittenOff]
};

/// The stages in which progress is noted.
pub const NOTED: &[Stage] = {
    use Stage::*;
    &[
        Launched, Active, MidtermDue, Rectifying, FinalDue, Closing, Suspended,
    ]
};

/// The stages in which a lead stops a project for good.
pub const STOPPABLE: &[Stage] = {
    use Stage::*;
    &[
        Signed,
        Launched,
        Active,
        MidtermDue,
        Rectifying,
        MidtermFailed,
        FinalDue,
        FinalFailed,
        Closing,
        Suspended,
    ]
};

/// The stages in which money may still go to the organisation.
const PAYABLE: &[Stage] = {
    use Stage::*;
    &[
        Refining,
        PlanSubmitted,
        AgreementPending,
        Signed,
        Launched,
        Active,
        MidtermDue,
        Rectifying,
        FinalDue,
        Closing,
        Suspended,
    ]
};

/// The stages that a revoked award still ends; in later ones the demand is already out.
pub const TERMINABLE: &[Stage] = {
    use Stage::*;
    &[
        Refining,
        PlanSubmitted,
        AgreementPending,
        Signed,
        Launched,
        Active,
        MidtermDue,
        Rectifying,
        MidtermFailed,
        FinalDue,
        FinalFailed,
        Closing,
        Closed,
        Suspended,
        Terminated,
    ]
};

type Guard = Gate<Project>;

const BANK_ACCOUNT_GIVEN: Guard = Gate::new(
    "bank_account_given",
    "no bank account is given, or it is checked already",
    "未填报收款账户或已核验",
    |project, _| project.data.bank_account.is_some() && project.data.bank_checked_by.is_none(),
);

const TARGETS_KEPT: Guard = Gate::new(
    "targets_kept",
    "targets fall by more than the award was cut: a lead decides",
    "指标降幅超过资金核减比例,须由负责人审批",
    |project, _| project.data.lowered_targets.is_empty(),
);
const HEARING_OPEN: Guard = Gate::new(
    "hearing_open",
    "nothing is to be answered, or the time for it is over",
    "无拟终止告知或陈述申辩期已过",
    |project, cx| {
        let hearing = project.data.hearing.as_ref();
        hearing.is_some_and(|hearing| hearing.statement.is_none() && cx.now <= hearing.until)
    },
);
const DEMAND_OVERDUE: Guard = Gate::<Project>::new(
    "demand_overdue",
    "the time to pay back is not over, or it was reminded already",
    "退款期限未到或已催缴",
    |project, cx| {
        let demand = project.data.demand.as_ref();
        project.data.demand_reminded_at.is_none()
            && demand.is_some_and(|demand| demand.due_on < cx.today())
    },
)
.opened_by_time();
const WRITE_OFF_PROPOSED: Guard = Gate::new(
    "write_off_proposed",
    "nobody else has proposed to give it up",
    "尚无他人提请核销",
    |project, cx| {
        let proposal = project.data.write_off_proposal.as_ref();
        proposal.is_some_and(|proposal| proposal.by != cx.account())
    },
);
const LAUNCH_DAY_COME: Guard = Gate::new(
    "launch_day_come",
    "no launch date is set, or it has not come",
    "未安排启动日期或日期未到",
    |project, cx| {
        project
            .data
            .launch
            .as_ref()
            .is_some_and(|launch| launch.date <= cx.today())
    },
);
const HAS_MIDTERM: Guard = Gate::new(
    "has_midterm",
    "this cycle has no mid-term evaluation",
    "本届不设中期评估",
    |_, cx| has_midterm(cx),
);
const MIDTERM_AHEAD: Guard = Gate::new(
    "midterm_ahead",
    "the mid-term evaluation is passed already",
    "中期评估已通过",
    |project, _| !project.data.has_passed(Round::Midterm),
);
const MIDTERM_BEHIND: Guard = Gate::new(
    "midterm_behind",
    "the mid-term evaluation is not passed yet",
    "中期评估尚未通过",
    |project, cx| !has_midterm(cx) || project.data.has_passed(Round::Midterm),
);
const RECTIFIES_MIDTERM: Guard = Gate::new(
    "rectifies_midterm",
    "it puts right what another evaluation found",
    "整改事项不属于中期评估",
    |project, _| project.data.rectifies(Round::Midterm),
);
const RECTIFIES_FINAL: Guard = Gate::new(
    "rectifies_final",
    "it puts right what another evaluation found",
    "整改事项不属于末期评估",
    |project, _| project.data.rectifies(Round::Final),
);
const NO_MIDTERM_RECHECK_YET: Guard = Gate::new(
    "no_midterm_recheck_yet",
    "it was assessed a second time already",
    "中期评估已复评一次",
    |project, _| !project.data.rectified(Round::Midterm),
);
const NO_FINAL_RECHECK_YET: Guard = Gate::new(
    "no_final_recheck_yet",
    "it was assessed a second time already",
    "末期评估已复评一次",
    |project, _| !project.data.rectified(Round::Final),
);
const SOMETHING_OWED: Guard = Gate::<Project>::new(
    "something_owed",
    "nothing is owed",
    "没有应退资金",
    |project, cx| outstanding(project, cx.world) > Money::ZERO,
)
.looking_at(tranches_need);

fn has_midterm(cx: &Context<'_>) -> bool {
    cx.policy()
        .is_some_and(|policy| policy.has_round(Round::Midterm))
}

/// A gate that leads a suspended project back to where it was.
macro_rules! was {
    ($Stage:ident, $name:literal) => {
        Gate::new(
            $name,
            "it was suspended at another stage",
            "暂停前不在该阶段",
            |project, _| project.data.was == Some(Stage::$Stage),
        )
    };
}
const WAS_SIGNED: Guard = was!(Signed, "was_signed");
const WAS_LAUNCHED: Guard = was!(Launched, "was_launched");
const WAS_ACTIVE: Guard = was!(Active, "was_active");
const WAS_MIDTERM_DUE: Guard = was!(MidtermDue, "was_midterm_due");
const WAS_RECTIFYING: Guard = was!(Rectifying, "was_rectifying");
const WAS_FINAL_DUE: Guard = was!(FinalDue, "was_final_due");
const WAS_CLOSING: Guard = was!(Closing, "was_closing");

type Row = Move<Project>;

/// Every move of a project.
#[rustfmt::skip]
pub const FLOW: &[Row] = {
    use Stage::*;
    &[
        Row { from: &[], verb: Verb::Begin, to: Some(Refining), by: &[System], gates: &[] },
        Row { from: &[Refining], verb: Verb::SubmitPlan, to: Some(PlanSubmitted), by: &[Applicant], gates: &[] },
        Row { from: &[PlanSubmitted], verb: Verb::ReturnPlan, to: Some(Refining), by: &[Staff], gates: &[] },
        Row { from: &[PlanSubmitted], verb: Verb::ApprovePlan, to: Some(AgreementPending), by: &[Staff], gates: &[TARGETS_KEPT] },
        Row { from: &[PlanSubmitted], verb: Verb::ApprovePlan, to: Some(AgreementPending), by: &[Lead], gates: &[] },
        Row { from: &[AgreementPending], verb: Verb::Sign, to: Some(Signed), by: &[Staff], gates: &[] },

        Row { from: PAYABLE, verb: Verb::GiveBankAccount, to: None, by: &[Applicant], gates: &[] },
        Row { from: PAYABLE, verb: Verb::CheckBankAccount, to: None, by: &[Finance], gates: &[BANK_ACCOUNT_GIVEN] },

        Row { from: &[Signed], verb: Verb::ScheduleLaunch, to: None, by: &[Applicant, Staff], gates: &[] },
        Row { from: &[Signed], verb: Verb::Launch, to: Some(Launched), by: &[Staff], gates: &[LAUNCH_DAY_COME] },
        Row { from: &[Launched], verb: Verb::Activate, to: Some(Active), by: &[Staff], gates: &[] },

        Row { from: &[Active], verb: Verb::OpenMidterm, to: Some(MidtermDue), by: &[System], gates: &[HAS_MIDTERM, MIDTERM_AHEAD] },
        Row { from: &[Rectifying], verb: Verb::OpenMidterm, to: Some(MidtermDue), by: &[System], gates: &[RECTIFIES_MIDTERM] },
        Row { from: &[MidtermDue], verb: Verb::PassMidterm, to: Some(Active), by: &[System], gates: &[] },
        Row { from: &[MidtermDue], verb: Verb::RectifyMidterm, to: Some(Rectifying), by: &[System], gates: &[NO_MIDTERM_RECHECK_YET] },
        Row { from: &[MidtermDue], verb: Verb::FailMidterm, to: Some(MidtermFailed), by: &[System], gates: &[] },
        // Its self-report did not come in time.
        Row { from: &[Active], verb: Verb::FailMidterm, to: Some(MidtermFailed), by: &[System], gates: &[HAS_MIDTERM, MIDTERM_AHEAD] },

        Row { from: &[Active], verb: Verb::OpenFinal, to: Some(FinalDue), by: &[System], gates: &[MIDTERM_BEHIND] },
        Row { from: &[Rectifying], verb: Verb::OpenFinal, to: Some(FinalDue), by: &[System], gates: &[RECTIFIES_FINAL] },
        Row { from: &[FinalDue], verb: Verb::PassFinal, to: Some(Closing), by: &[System], gates: &[] },
        Row { from: &[FinalDue], verb: Verb::RectifyFinal, to: Some(Rectifying), by: &[System], gates: &[NO_FINAL_RECHECK_YET] },
        Row { from: &[FinalDue], verb: Verb::FailFinal, to: Some(FinalFailed), by: &[System], gates: &[] },
        Row { from: &[Active], verb: Verb::FailFinal, to: Some(FinalFailed), by: &[System], gates: &[MIDTERM_BEHIND] },

        Row { from: &[Launched, Active, MidtermDue, Rectifying, FinalDue], verb: Verb::RecordChange, to: None, by: &[System], gates: &[] },

        Row { from: NOTED, verb: Verb::NoteProgress, to: None, by: &[System], gates: &[] },
        Row { from: &[Launched, Active], verb: Verb::FlagSilence, to: None, by: &[System], gates: &[monitoring::SILENT] },
        Row { from: &[Launched, Active], verb: Verb::FlagUnderspend, to: None, by: &[System], gates: &[monitoring::UNDERSPENT] },

        Row { from: &[Launched, Active, MidtermDue, Rectifying], verb: Verb::CallForReport, to: None, by: &[System], gates: &[monitoring::REPORT_DUE] },
        Row { from: NOTED, verb: Verb::FlagMissingReport, to: None, by: &[System], gates: &[] },

        Row { from: RUNNING, verb: Verb::Suspend, to: Some(Suspended), by: &[Lead], gates: &[] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(Signed), by: &[Lead], gates: &[WAS_SIGNED] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(Launched), by: &[Lead], gates: &[WAS_LAUNCHED] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(Active), by: &[Lead], gates: &[WAS_ACTIVE] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(MidtermDue), by: &[Lead], gates: &[WAS_MIDTERM_DUE] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(Rectifying), by: &[Lead], gates: &[WAS_RECTIFYING] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(FinalDue), by: &[Lead], gates: &[WAS_FINAL_DUE] },
        Row { from: &[Suspended], verb: Verb::Resume, to: Some(Closing), by: &[Lead], gates: &[WAS_CLOSING] },

        Row { from: &[Closing, Terminated, Recovering], verb: Verb::AcceptSpend, to: None, by: &[Staff], gates: &[] },
        Row { from: &[Closing, Recovering], verb: Verb::RecordRefund, to: None, by: &[Finance], gates: &[] },
        Row { from: &[Closing], verb: Verb::CheckOff, to: None, by: &[Staff], gates: &[] },
        Row { from: &[Closing], verb: Verb::Close, to: Some(Closed), by: &[Staff], gates: closing::CHECKLIST },

        Row { from: STOPPABLE, verb: Verb::AnnounceTermination, to: None, by: &[Staff, Lead], gates: &[] },
        Row { from: STOPPABLE, verb: Verb::BeHeard, to: None, by: &[Applicant], gates: &[HEARING_OPEN] },
        Row { from: STOPPABLE, verb: Verb::Terminate, to: Some(Terminated), by: &[Lead], gates: &[] },
        Row { from: TERMINABLE, verb: Verb::Terminate, to: Some(Terminated), by: &[System], gates: &[] },
        Row { from: &[Terminated], verb: Verb::Recover, to: Some(Recovering), by: &[Staff], gates: &[SOMETHING_OWED] },
        Row { from: &[Recovering], verb: Verb::ConfirmRecovery, to: Some(Recovered), by: &[Finance], gates: &[NOTHING_OWED] },
        Row { from: &[Recovering], verb: Verb::RemindDemand, to: None, by: &[System, Staff], gates: &[DEMAND_OVERDUE] },
        Row { from: &[Recovering], verb: Verb::ProposeWriteOff, to: None, by: &[Staff], gates: &[SOMETHING_OWED] },
        Row { from: &[Recovering], verb: Verb::WriteOff, to: Some(WrittenOff), by: &[Lead], gates: &[SOMETHING_OWED, WRITE_OFF_PROPOSED] },
    ]
};
