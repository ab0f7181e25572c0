//! What has to be there before money moves, checked at request, approval and payment alike.

use super::Tranche;
use crate::aggregate::{Gate, Record};
use crate::context::Context;
use crate::evaluation::{self, Evaluation};
use crate::kinds::Kind;
use crate::policy::Round;
use crate::policy::document::TrancheCondition;
use crate::project::{self, Project};
use crate::report::{self, Report};
use crate::world::Need;

type Guard = Gate<Tranche>;

/// Before anything is put forward.
pub(super) const READY: &[Guard] = &[
    CONDITION_MET,
    GRADE_REACHED,
    REPORT_ACCEPTED,
    BANK_ACCOUNT_CHECKED,
    PROJECT_RUNNING,
];
/// Before it is approved.
pub(super) const APPROVAL: &[Guard] = &[
    CONDITION_MET,
    GRADE_REACHED,
    REPORT_ACCEPTED,
    BANK_ACCOUNT_CHECKED,
    PROJECT_RUNNING,
    OTHER_THAN_REQUESTER,
];
/// Before the payment that leaves nothing to come.
pub(super) const LAST_PAYMENT: &[Guard] = &[
    CONDITION_MET,
    GRADE_REACHED,
    REPORT_ACCEPTED,
    BANK_ACCOUNT_CHECKED,
    PROJECT_RUNNING,
    OTHER_THAN_REQUESTER,
    OTHER_THAN_APPROVER,
    NOTHING_LEFT,
];
/// Before a payment after which more is to come.
pub(super) const PART_PAYMENT: &[Guard] = &[
    CONDITION_MET,
    GRADE_REACHED,
    REPORT_ACCEPTED,
    BANK_ACCOUNT_CHECKED,
    PROJECT_RUNNING,
    OTHER_THAN_REQUESTER,
    OTHER_THAN_APPROVER,
    SOMETHING_LEFT,
];

const CONDITION_MET: Guard = Guard::new(
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
const GRADE_REACHED: Guard = Guard::new(
    "grade_reached",
    "the published grade is below the one that this tranche asks for",
    "评估等级未达到该期拨款要求",
    |tranche, cx| {
        let Some(least) = &tranche.data.needs.least_grade else {
            return true;
        };
        reached(tranche, least, cx).unwrap_or(false)
    },
)
.looking_at(|tranche| {
    parts_need(
        tranche,
        Kind::Evaluation,
        tranche.data.needs.least_grade.is_some(),
    )
});
const REPORT_ACCEPTED: Guard = Guard::new(
    "report_accepted",
    "the report that this tranche asks for is not accepted yet",
    "该期拨款所需的报告尚未通过",
    |tranche, cx| {
        let asked = tranche.data.needs.report;
        asked.is_none()
            || tranche.data.project.is_some_and(|project| {
                cx.world
                    .parts_of::<Report>(project)
                    .any(|one| one.data.occasion == asked && one.stage == report::Stage::Accepted)
            })
    },
)
.looking_at(|tranche| parts_need(tranche, Kind::Report, tranche.data.needs.report.is_some()));
const BANK_ACCOUNT_CHECKED: Guard = Guard::new(
    "bank_account_checked",
    "the bank account of the organisation is not given, or finance has not checked it since it changed",
    "收款账户未填写或变更后尚未核验",
    |tranche, cx| {
        its_project(tranche, cx).is_some_and(|project| match &project.data.bank_account {
            Some(_) => project.data.bank_checked_by.is_some(),
            None => !tranche.data.needs.bank_account,
        })
    },
)
.looking_at(project_need);
const PROJECT_RUNNING: Guard = Guard::new(
    "project_running",
    "the project is suspended, failed or over: nothing is paid",
    "项目已暂停、未通过评估或已结束,不得拨付",
    |tranche, cx| {
        its_project(tranche, cx).is_some_and(|project| project::RUNNING.contains(&project.stage))
    },
)
.looking_at(project_need);
const OTHER_THAN_REQUESTER: Guard = Guard::new(
    "other_than_requester",
    "who put it forward does not approve or pay it",
    "申请人不得批准或拨付",
    |tranche, cx| tranche.data.requested_by != cx.account(),
);
const OTHER_THAN_APPROVER: Guard = Guard::new(
    "other_than_approver",
    "who approved it does not pay it",
    "批准人不得拨付",
    |tranche, cx| tranche.data.approved_by != cx.account(),
);
const NOTHING_LEFT: Guard = Guard::new(
    "nothing_left",
    "only a part of it is approved",
    "仅批准拨付部分金额",
    |tranche, _| tranche.data.put_forward() == tranche.data.left(),
);
const SOMETHING_LEFT: Guard = Guard::new(
    "something_left",
    "all that is left of it is approved",
    "已批准拨付全部剩余金额",
    |tranche, _| tranche.data.put_forward() < tranche.data.left(),
);

fn project_need(tranche: &Record<Tranche>) -> Vec<Need> {
    let project = tranche.data.project;
    Vec::from_iter(project.map(|id| Need::One(Kind::Project, id)))
}

fn parts_need(tranche: &Record<Tranche>, kind: Kind, asked: bool) -> Vec<Need> {
    let project = tranche.data.project.filter(|_| asked);
    Vec::from_iter(project.map(|id| Need::PartsOf(kind, id)))
}

pub(super) fn its_project<'a>(
    tranche: &Record<Tranche>,
    cx: &Context<'a>,
) -> Option<&'a Record<Project>> {
    cx.world.get::<Project>(tranche.data.project?)
}

/// Whether the last published grade of the evaluation that the tranche waits for is `least` or
/// better; none where there is no such grade. Grades stand best first in the policy.
fn reached(tranche: &Record<Tranche>, least: &str, cx: &Context<'_>) -> Option<bool> {
    let round = match tranche.data.after? {
        TrancheCondition::Midterm => Round::Midterm,
        TrancheCondition::Final => Round::Final,
        TrancheCondition::Agreement => return None,
    };
    let last = cx
        .world
        .parts_of::<Evaluation>(tranche.data.project?)
        .filter(|one| one.data.round == Some(round) && one.stage == evaluation::Stage::Published)
        .max_by_key(|one| one.data.opened_at)?;
    let grades = &cx.policy()?.evaluation.grades;
    let place = |name: &str| grades.iter().position(|rule| rule.name == name);
    Some(place(last.data.grade.as_deref()?)? <= place(least)?)
}
