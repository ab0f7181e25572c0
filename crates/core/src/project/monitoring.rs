//! When a running project is flagged for staff to look at: no activity for long, or little spent late in
//! its time (`domain.md` §2.12). A flag forbids nothing.

use fundcycle_scoring::Exact;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Event, Project};
use crate::aggregate::{Gate, Record};
use crate::context::Context;

type Guard = Gate<Project>;

pub(super) const SILENT: Guard = Gate::<Project>::new(
    "silent",
    "there was an activity not long ago, or that is flagged already",
    "近期有活动或已提示",
    |project, cx| {
        let days = cx
            .policy()
            .map_or(0, |policy| policy.monitoring.silence_days);
        let late = |since: Date| {
            let last = since.checked_add(i64::from(days).days());
            last.is_ok_and(|last| cx.today() > last)
        };
        days > 0 && project.data.silent_since.is_none() && last_sign(project).is_some_and(late)
    },
)
.opened_by_time();
pub(super) const UNDERSPENT: Guard = Gate::<Project>::new(
    "underspent",
    "enough is spent for the time that has passed, or that is flagged already",
    "支出进度正常或已提示",
    |project, cx| {
        let rule = cx
            .policy()
            .and_then(|policy| policy.monitoring.underspend.as_ref());
        rule.is_some_and(|rule| {
            project.data.underspent_at.is_none()
                && time_passed(project, cx).is_some_and(|part| part > rule.after)
                && spent(project) < rule.below
        })
    },
)
.opened_by_time();

/// The day of the last activity, or of the launch.
fn last_sign(project: &Record<Project>) -> Option<Date> {
    let launch = project.data.launch.as_ref().map(|launch| launch.date);
    project.data.last_activity_on.max(launch)
}

/// What part of the time from the agreement to the last day of the plan has passed.
fn time_passed(project: &Record<Project>, cx: &Context<'_>) -> Option<Exact> {
    let from = project.data.agreement.as_ref()?.signed_on;
    let until = project.data.plan.as_ref()?.ends_on?;
    let days = |until: Date| i128::from((until - from).get_days());
    Exact::ratio(days(cx.today()), days(until))
}

/// What part of the award is spent by the last accepted report.
fn spent(project: &Record<Project>) -> Exact {
    let spent = project.data.reported_spend.unwrap_or_default();
    let part = Exact::ratio(
        i128::from(spent.fen()),
        i128::from(project.data.amount.fen()),
    );
    part.unwrap_or(Exact::ZERO)
}

pub(super) fn silent(record: &Record<Project>, cx: &Context<'_>) -> Event {
    let since = last_sign(record).unwrap_or_else(|| cx.today());
    Event::Silent { since }
}
