//! What waits for staff, and when they are told of it.

use crate::kinds::{Kind, State};
use crate::policy::PolicyDocument;
use crate::time::Timestamp;

/// What waits for staff: kind, stages, in Chinese and in English.
pub const DESK: &[(Kind, &[&str], &str, &str)] = &[
    (
        Kind::Application,
        &["submitted", "screening", "rechecking"],
        "待审查申报",
        "applications to be checked",
    ),
    (
        Kind::Objection,
        &["filed", "accepted", "heard"],
        "待处理异议",
        "objections to be ruled on",
    ),
    (
        Kind::Project,
        &["plan_submitted"],
        "待审项目计划",
        "project plans to be looked at",
    ),
    (
        Kind::Report,
        &["submitted"],
        "待审报告",
        "reports to be looked at",
    ),
    (
        Kind::ChangeRequest,
        &["filed"],
        "待审变更申请",
        "changes to be decided on",
    ),
    (
        Kind::Tranche,
        &["requested", "approved"],
        "待办拨款",
        "payments under way",
    ),
];

/// Until when staff have to deal with `state`, where that is set.
pub fn staff_due(state: &State) -> Option<Timestamp> {
    match state {
        State::Objection(one) => one.data.due,
        _ => None,
    }
}

/// Whether the digest of the day is due by `now`; none on a day off.
pub fn digest_is_due(policy: &PolicyDocument, now: Timestamp, working_day: bool) -> bool {
    working_day
        && policy
            .reminders
            .digest_hour
            .is_some_and(|hour| now.hour_in(&policy.zone()) >= hour)
}
