//! What has to be done before a project is closed as agreed: the shut gates of closing it are the close-out
//! checklist (`domain.md` §2.14).

use super::accounts::{outstanding, tranches_need};
use super::{CheckedOff, Event, Project};
use crate::aggregate::{Gate, Record};
use crate::change_request::{self, ChangeRequest};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::report::{self, Occasion, Report};
use crate::tranche::{self, Tranche};
use crate::world::Need;

type Guard = Gate<Project>;

/// Everything that is waited for.
pub(super) const CHECKLIST: &[Guard] = &[
    TRANCHES_SETTLED,
    NOTHING_OWED,
    REPORTS_SETTLED,
    FINAL_REPORT_ACCEPTED,
    CHANGES_DECIDED,
    CHECKLIST_DONE,
];

const TRANCHES_SETTLED: Guard = Gate::<Project>::new(
    "tranches_settled",
    "some tranches are neither paid nor cancelled",
    "仍有款项未拨付或未取消",
    |project, cx| {
        cx.world.parts_of::<Tranche>(project.id).all(|tranche| {
            matches!(
                tranche.stage,
                tranche::Stage::Paid | tranche::Stage::Cancelled
            )
        })
    },
)
.looking_at(tranches_need);
pub(super) const NOTHING_OWED: Guard = Gate::<Project>::new(
    "nothing_owed",
    "some of what was paid is neither accepted as spent nor refunded",
    "已拨资金中仍有未核定且未退回的部分",
    |project, cx| outstanding(project, cx.world) == Money::ZERO,
)
.looking_at(tranches_need);
const REPORTS_SETTLED: Guard = Gate::<Project>::new(
    "reports_settled",
    "a report that was asked for is neither accepted nor overdue",
    "仍有报告未提交或未通过",
    |project, cx| {
        cx.world.parts_of::<Report>(project.id).all(|report| {
            matches!(
                report.stage,
                report::Stage::Accepted | report::Stage::Overdue
            )
        })
    },
)
.looking_at(reports_need);
const FINAL_REPORT_ACCEPTED: Guard = Gate::<Project>::new(
    "final_report_accepted",
    "no final report is accepted",
    "末期总结报告尚未通过",
    |project, cx| {
        let asked = cx
            .policy()
            .is_some_and(|policy| policy.close_out.final_report);
        let accepted = |report: &Record<Report>| {
            report.stage == report::Stage::Accepted
                && report.data.occasion == Some(Occasion::FinalReport)
        };
        !asked || cx.world.parts_of::<Report>(project.id).any(accepted)
    },
)
.looking_at(reports_need);
const CHANGES_DECIDED: Guard = Gate::<Project>::new(
    "changes_decided",
    "a change request waits for its decision",
    "仍有变更申请未处理",
    |project, cx| {
        cx.world
            .parts_of::<ChangeRequest>(project.id)
            .all(|request| request.stage != change_request::Stage::Filed)
    },
)
.looking_at(|project| vec![Need::PartsOf(Kind::ChangeRequest, project.id)]);
const CHECKLIST_DONE: Guard = Gate::new(
    "checklist_done",
    "some items of the close-out checklist are not checked off",
    "结项清单尚未全部办结",
    |project, cx| {
        let done = |item: &String| project.data.checked_off.iter().any(|one| one.item == *item);
        cx.policy()
            .is_some_and(|policy| policy.close_out.checklist.iter().all(done))
    },
);

fn reports_need(project: &Record<Project>) -> Vec<Need> {
    vec![Need::PartsOf(Kind::Report, project.id)]
}

pub(super) fn checked_off(
    record: &Record<Project>,
    item: String,
    note: Option<String>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = Vec::new();
    let known = &cx.require_policy()?.close_out.checklist;
    if !known.contains(&item) {
        let listed = known.join("、");
        faults.push(Fault::new(
            "/item",
            "unknown_item",
            format!("The close-out checklist of the policy has: {listed}."),
            format!("规则的结项清单包括:{listed}。"),
        ));
    }
    if record.data.checked_off.iter().any(|one| one.item == item) {
        faults.push(Fault::new(
            "/item",
            "checked_off",
            "It is checked off already.",
            "该项已办结。",
        ));
    }
    if let Some(note) = &note {
        faults.extend(Fault::of_text("/note", note, LONGEST_REASON));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::CheckedOff {
        done: CheckedOff {
            item,
            by: cx.account(),
            note,
        },
    })
}
