//! The moves of an application: the table that decisions, API, diagrams and tests are made from.

use uuid::Uuid;

use super::{Application, CorrectionItem, Form, RoundScore, Selected};
use crate::actor::Role::{Applicant, Staff, System};
use crate::aggregate::{Gate, Move, Record};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::policy::Round;
use crate::world::Need;

names! {
    /// Where an application stands.
    pub enum Stage {
        /// Being written by the applicant.
        Draft = "draft" "草稿",
        /// Handed in.
        Submitted = "submitted" "已提交",
        /// Staff check whether it may take part.
        Screening = "screening" "资格审查中",
        /// Sent back to be corrected by a date.
        Returned = "returned" "退回补正",
        /// May not take part.
        Ineligible = "ineligible" "未通过资格审查",
        /// Checked again by another officer.
        Rechecking = "rechecking" "复核中",
        /// May take part.
        Eligible = "eligible" "通过资格审查",
        /// Experts score it.
        InReview = "in_review" "专家评审中",
        /// Goes on to the roadshow or the selection.
        Shortlisted = "shortlisted" "入围",
        /// Does not go on.
        NotShortlisted = "not_shortlisted" "未入围",
        /// Will pitch.
        RoadshowReady = "roadshow_ready" "已确认参加路演",
        /// Has pitched.
        Presented = "presented" "已路演",
        /// Did not come to pitch.
        NoShow = "no_show" "缺席路演",
        /// To be funded, before the public notice.
        Proposed = "proposed" "拟立项",
        /// Funded if money becomes free.
        Reserve = "reserve" "备选",
        /// Not funded.
        NotSelected = "not_selected" "未获资助",
        /// On public notice.
        Noticing = "noticing" "公示中",
        /// On notice with an objection to rule on.
        Disputed = "disputed" "异议处理中",
        /// Lost the award to an objection that was upheld.
        Cancelled = "cancelled" "异议成立,已取消",
        /// Ended because the cycle was cancelled.
        EndedWithCycle = "ended_with_cycle" "届次取消,已终止",
        /// Through the notice.
        Cleared = "cleared" "公示无异议",
        /// Awarded by letter.
        Awarded = "awarded" "已立项",
        /// The award was declined or has lapsed.
        Declined = "declined" "已放弃立项",
        /// Taken back by the applicant.
        Withdrawn = "withdrawn" "已撤回",
        /// A draft given up; nobody but its members ever saw it.
        Discarded = "discarded" "已放弃草稿",
    }
}

commands! {
    /// Begin an application for an organisation.
    Create = "create" "新建申报" {
        /// Who applies.
        organisation: Uuid,
        /// What it says so far.
        form: Box<Form>,
    }
    /// Replace the text of a draft.
    Edit = "edit" "修改草稿" {
        /// What it says now.
        form: Box<Form>,
    }
    /// Hand it in.
    Submit = "submit" "提交" {}
    /// Take it back before the deadline, to change it.
    Retract = "retract" "撤回修改" {}
    /// Give the draft up.
    Discard = "discard" "放弃草稿" {}
    /// Begin the eligibility check.
    StartCheck = "start_check" "开始审查" {}
    /// Send it back, listing once and completely what to correct.
    RequestCorrection = "request_correction" "退回补正" {
        /// The fields and what is wrong with each.
        items: Vec<CorrectionItem>,
    }
    /// Change the returned items.
    Correct = "correct" "补正" {
        /// What it says now; only returned items may differ.
        form: Box<Form>,
    }
    /// Hand in the correction.
    Resubmit = "resubmit" "重新提交" {}
    /// Close it because no correction came in time.
    Expire = "expire" "补正逾期" {}
    /// Let it take part.
    Accept = "accept" "通过审查" {
        /// A note to the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }
    /// Keep it from taking part.
    Reject = "reject" "不予通过" {
        /// Why; the applicant reads it.
        reason: String,
    }
    /// Ask that another officer checks it again.
    RequestRecheck = "request_recheck" "申请复核" {
        /// Why the rejection is wrong.
        reason: String,
    }
    /// Confirm the rejection after the second check.
    UpholdRejection = "uphold_rejection" "维持原决定" {
        /// Why; the applicant reads it.
        reason: String,
    }
    /// Give it to experts; follows from assigning the first sheet.
    Assign = "assign" "分配专家" {}
    /// Let it go on without a paper review.
    Invite = "invite" "邀请路演" {}
    /// Let it go on; follows from closing the review.
    Shortlist = "shortlist" "入围" {
        /// What it scored.
        score: Option<RoundScore>,
    }
    /// End it here; follows from closing the review.
    NotShortlist = "not_shortlist" "不入围" {
        /// What it scored.
        score: Option<RoundScore>,
    }
    /// Take it back into review; follows from reopening the panel.
    ReopenReview = "reopen_review" "重启评审" {}
    /// Say that the project will be pitched; also follows from confirming its slot.
    Confirm = "confirm" "确认参加" {}
    /// Note that it was pitched; follows from its slot.
    Present = "present" "完成路演" {}
    /// Note that nobody came; follows from its slot.
    Absent = "absent" "缺席" {}
    /// Let it pitch again after a technical failure; follows from its slot.
    PitchAgain = "pitch_again" "重新路演" {}
    /// Note its score; follows from closing the roadshow panel.
    ScorePitch = "score_pitch" "路演得分" {
        /// What it scored.
        score: Option<RoundScore>,
    }
    /// Take the pitch score back; follows from reopening the panel.
    ClearPitch = "clear_pitch" "撤销路演得分" {}
    /// Put it on the list; follows from announcing the selection.
    Propose = "propose" "拟立项" {
        /// What was decided.
        selected: Selected,
    }
    /// Put it on the reserve list; follows from announcing the selection.
    HoldInReserve = "hold_in_reserve" "列入备选" {
        /// What was decided.
        selected: Selected,
    }
    /// Leave it out; follows from announcing the selection.
    NotSelect = "not_select" "不予资助" {
        /// What was decided.
        selected: Selected,
    }
    /// Move it up from the reserve; follows from the selection's promotion.
    Promote = "promote" "递补" {
        /// What was decided.
        selected: Selected,
    }
    /// Take the decision back; follows from reverting the selection.
    UndoSelection = "undo_selection" "撤销遴选" {}
    /// Put it on public notice; follows from publishing the notice.
    StartNotice = "start_notice" "开始公示" {}
    /// Hold it while an objection is heard; follows from accepting the objection.
    Dispute = "dispute" "异议受理" {}
    /// Let it go on; follows from dismissing the objection.
    DismissObjection = "dismiss_objection" "异议不成立" {}
    /// Take the award away; follows from upholding an objection.
    Cancel = "cancel" "取消资格" {
        /// Why.
        reason: String,
    }
    /// Note that the notice is over; follows from closing it.
    Clear = "clear" "公示通过" {}
    /// Award it; follows from the award letter.
    Award = "award" "立项" {}
    /// Note that the award was declined or lapsed; follows from the award.
    DeclineAward = "decline_award" "放弃立项" {}
    /// Take it back for good.
    Withdraw = "withdraw" "撤回申报" {
        /// Why; kept in the statistics.
        reason: String,
    }
    /// End it with its cycle; follows from cancelling the cycle.
    CancelWithCycle = "cancel_with_cycle" "随届取消" {}
}

/// The stages that are cancelled with the cycle. A draft is discarded instead, so that nobody sees it
/// who did not see it before.
const IN_HAND: &[Stage] = {
    use Stage::*;
    &[
        Submitted,
        Screening,
        Returned,
        Rechecking,
        Eligible,
        InReview,
        Shortlisted,
        RoadshowReady,
        Presented,
        Proposed,
        Reserve,
        Noticing,
        Disputed,
        Cleared,
    ]
};

/// Whether an application in this stage ends when the cycle is cancelled.
pub fn ends_with_the_cycle(stage: Stage) -> bool {
    stage == Stage::Draft || IN_HAND.contains(&stage)
}

/// The stages in which staff see it: all but drafts that were never handed in.
pub const HANDED_IN: &[&str] = &[
    "submitted",
    "screening",
    "returned",
    "ineligible",
    "rechecking",
    "eligible",
    "in_review",
    "shortlisted",
    "not_shortlisted",
    "roadshow_ready",
    "presented",
    "no_show",
    "proposed",
    "reserve",
    "not_selected",
    "noticing",
    "disputed",
    "cancelled",
    "ended_with_cycle",
    "cleared",
    "awarded",
    "declined",
    "withdrawn",
];

/// The stages in which an assigned expert sees it.
pub const JUDGED: &[&str] = &["in_review", "shortlisted", "roadshow_ready", "presented"];

/// Whether an application in this stage counts towards the limit per organisation.
pub const fn counts_as_application(stage: Stage) -> bool {
    !matches!(
        stage,
        Stage::Draft | Stage::Discarded | Stage::Withdrawn | Stage::Ineligible
    )
}

/// How many other applications of the same organisation count towards its limit.
pub fn others_of_organisation(one: &Record<Application>, cx: &Context<'_>) -> usize {
    cx.world
        .all::<Application>()
        .filter(|other| {
            other.id != one.id
                && other.data.organisation == one.data.organisation
                && counts_as_application(other.stage)
        })
        .count()
}

const CALL_OPEN: Gate<Application> = Gate::new(
    "call_open",
    "the call is not open",
    "不在申报期内",
    |_, cx| {
        cx.cycle().is_some_and(|cycle| {
            cycle.stage == cycle::Stage::Application
                && cycle
                    .data
                    .opens_at
                    .is_some_and(|opens_at| opens_at <= cx.now)
                && cycle
                    .data
                    .closes_at
                    .is_some_and(|closes_at| cx.now <= closes_at)
        })
    },
);
const IN_INTAKE: Gate<Application> = Gate::new(
    "in_intake",
    "intake is over",
    "资格审查阶段已结束",
    |_, cx| {
        cx.cycle()
            .is_some_and(|cycle| cycle.stage == cycle::Stage::Application)
    },
);
const CORRECTIONS_LEFT: Gate<Application> = Gate::new(
    "corrections_left",
    "it was returned as often as the policy allows",
    "退回次数已达上限",
    |one, cx| {
        cx.policy()
            .is_some_and(|policy| one.data.corrections < policy.application.corrections_max)
    },
);
const CORRECTION_IN_TIME: Gate<Application> = Gate::new(
    "correction_in_time",
    "the time to correct is over",
    "补正期限已过",
    |one, cx| {
        one.data
            .correction
            .as_ref()
            .is_some_and(|correction| cx.now <= correction.due)
    },
);
const CORRECTION_OVERDUE: Gate<Application> = Gate::<Application>::new(
    "correction_overdue",
    "the time to correct is not over",
    "补正期限未到",
    |one, cx| {
        one.data
            .correction
            .as_ref()
            .is_some_and(|correction| cx.now > correction.due)
    },
)
.opened_by_time();
const RECHECK_IN_TIME: Gate<Application> = Gate::new(
    "recheck_in_time",
    "there was a re-check, or the time to ask for one is over",
    "已复核或复核申请期限已过",
    |one, cx| !one.data.rechecked && one.data.recheck_by.is_some_and(|by| cx.now <= by),
);
const OTHER_OFFICER: Gate<Application> = Gate::new(
    "other_officer",
    "somebody else has to do the re-check",
    "复核须由其他人员进行",
    |one, cx| one.data.checked_by != cx.account(),
);
const WITHIN_LIMIT: Gate<Application> = Gate::<Application>::new(
    "within_limit",
    "the organisation has as many other applications as the policy allows: one of them is withdrawn first",
    "该组织的其他申报已达上限,须先撤回一份",
    |one, cx| {
        let most = cx
            .policy()
            .and_then(|policy| policy.eligibility.applications_per_organisation);
        most.is_none_or(|most| others_of_organisation(one, cx) < usize::try_from(most).unwrap_or(usize::MAX))
    },
)
.looking_at(|one| {
    let organisation = one.data.organisation;
    organisation
        .map(|id| Need::OfOrganisation(Kind::Application, id))
        .into_iter()
        .collect()
});
const NO_REVIEW: Gate<Application> = Gate::new(
    "no_review",
    "this cycle has an expert review first",
    "本届须先进行书面评审",
    |_, cx| {
        cx.policy()
            .is_some_and(|policy| !policy.has_round(Round::PaperReview))
    },
);
const HAS_ROADSHOW: Gate<Application> = Gate::new(
    "has_roadshow",
    "this cycle has no roadshow",
    "本届不设路演",
    |_, cx| {
        cx.policy()
            .is_some_and(|policy| policy.has_round(Round::Roadshow))
    },
);
const NO_ROADSHOW: Gate<Application> = Gate::new(
    "no_roadshow",
    "this cycle has a roadshow",
    "本届设有路演",
    |_, cx| {
        cx.policy()
            .is_some_and(|policy| !policy.has_round(Round::Roadshow))
    },
);

type Row = Move<Application>;

/// Every move of an application.
#[rustfmt::skip]
pub const FLOW: &[Row] = {
    use Stage::*;
    &[
        Row { from: &[], verb: Verb::Create, to: Some(Draft), by: &[Applicant], gates: &[CALL_OPEN] },
        Row { from: &[Draft], verb: Verb::Edit, to: None, by: &[Applicant], gates: &[CALL_OPEN] },
        Row { from: &[Draft], verb: Verb::Submit, to: Some(Submitted), by: &[Applicant], gates: &[CALL_OPEN] },
        Row { from: &[Draft], verb: Verb::Discard, to: Some(Discarded), by: &[Applicant], gates: &[] },
        Row { from: &[Submitted], verb: Verb::Retract, to: Some(Draft), by: &[Applicant], gates: &[CALL_OPEN] },
        Row { from: &[Submitted], verb: Verb::StartCheck, to: Some(Screening), by: &[Staff], gates: &[IN_INTAKE] },
        Row { from: &[Screening], verb: Verb::RequestCorrection, to: Some(Returned), by: &[Staff], gates: &[IN_INTAKE, CORRECTIONS_LEFT] },
        Row { from: &[Returned], verb: Verb::Correct, to: None, by: &[Applicant], gates: &[CORRECTION_IN_TIME] },
        Row { from: &[Returned], verb: Verb::Resubmit, to: Some(Screening), by: &[Applicant], gates: &[CORRECTION_IN_TIME] },
        Row { from: &[Returned], verb: Verb::Expire, to: Some(Ineligible), by: &[System, Staff], gates: &[CORRECTION_OVERDUE] },
        Row { from: &[Screening], verb: Verb::Accept, to: Some(Eligible), by: &[Staff], gates: &[IN_INTAKE] },
        Row { from: &[Screening], verb: Verb::Reject, to: Some(Ineligible), by: &[Staff], gates: &[IN_INTAKE] },
        Row { from: &[Ineligible], verb: Verb::RequestRecheck, to: Some(Rechecking), by: &[Applicant], gates: &[IN_INTAKE, RECHECK_IN_TIME] },
        Row { from: &[Rechecking], verb: Verb::Accept, to: Some(Eligible), by: &[Staff], gates: &[IN_INTAKE, OTHER_OFFICER, WITHIN_LIMIT] },
        Row { from: &[Rechecking], verb: Verb::UpholdRejection, to: Some(Ineligible), by: &[Staff], gates: &[IN_INTAKE, OTHER_OFFICER] },

        Row { from: &[Eligible], verb: Verb::Assign, to: Some(InReview), by: &[System], gates: &[] },
        Row { from: &[Eligible], verb: Verb::Invite, to: Some(Shortlisted), by: &[Staff], gates: &[NO_REVIEW] },
        Row { from: &[InReview], verb: Verb::Shortlist, to: Some(Shortlisted), by: &[System], gates: &[] },
        Row { from: &[InReview], verb: Verb::NotShortlist, to: Some(NotShortlisted), by: &[System], gates: &[] },
        Row { from: &[Shortlisted, NotShortlisted, RoadshowReady], verb: Verb::ReopenReview, to: Some(InReview), by: &[System], gates: &[] },

        Row { from: &[Shortlisted], verb: Verb::Confirm, to: Some(RoadshowReady), by: &[Applicant, System], gates: &[HAS_ROADSHOW] },
        Row { from: &[Shortlisted, RoadshowReady], verb: Verb::Present, to: Some(Presented), by: &[System], gates: &[] },
        Row { from: &[Shortlisted, RoadshowReady], verb: Verb::Absent, to: Some(NoShow), by: &[System], gates: &[] },
        Row { from: &[Presented, NoShow], verb: Verb::PitchAgain, to: Some(RoadshowReady), by: &[System], gates: &[] },
        Row { from: &[Presented], verb: Verb::ScorePitch, to: None, by: &[System], gates: &[] },
        Row { from: &[Presented], verb: Verb::ClearPitch, to: None, by: &[System], gates: &[] },

        Row { from: &[Presented, Shortlisted], verb: Verb::Propose, to: Some(Proposed), by: &[System], gates: &[] },
        Row { from: &[Presented, Shortlisted], verb: Verb::HoldInReserve, to: Some(Reserve), by: &[System], gates: &[] },
        Row { from: &[Presented, Shortlisted], verb: Verb::NotSelect, to: Some(NotSelected), by: &[System], gates: &[] },
        Row { from: &[Reserve], verb: Verb::Promote, to: Some(Proposed), by: &[System], gates: &[] },
        Row { from: &[Proposed, Reserve, NotSelected], verb: Verb::UndoSelection, to: Some(Presented), by: &[System], gates: &[HAS_ROADSHOW] },
        Row { from: &[Proposed, Reserve, NotSelected], verb: Verb::UndoSelection, to: Some(Shortlisted), by: &[System], gates: &[NO_ROADSHOW] },

        Row { from: &[Proposed], verb: Verb::StartNotice, to: Some(Noticing), by: &[System], gates: &[] },
        Row { from: &[Noticing], verb: Verb::Dispute, to: Some(Disputed), by: &[System], gates: &[] },
        Row { from: &[Disputed], verb: Verb::DismissObjection, to: Some(Noticing), by: &[System], gates: &[] },
        Row { from: &[Disputed], verb: Verb::Cancel, to: Some(Cancelled), by: &[System], gates: &[] },
        Row { from: &[Noticing, Proposed], verb: Verb::Clear, to: Some(Cleared), by: &[System], gates: &[] },
        Row { from: &[Cleared], verb: Verb::Award, to: Some(Awarded), by: &[System], gates: &[] },
        Row { from: &[Awarded], verb: Verb::DeclineAward, to: Some(Declined), by: &[System], gates: &[] },

        Row { from: &[Submitted, Screening, Returned, Ineligible, Rechecking, Eligible, InReview, Shortlisted, RoadshowReady, Presented, Proposed, Reserve, Noticing, Disputed, Cleared],
              verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Applicant], gates: &[] },
        Row { from: &[Draft], verb: Verb::CancelWithCycle, to: Some(Discarded), by: &[System], gates: &[] },
        Row { from: IN_HAND, verb: Verb::CancelWithCycle, to: Some(EndedWithCycle), by: &[System], gates: &[] },
    ]
};
