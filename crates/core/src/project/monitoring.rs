//! When a running project reports, and when it is flagged for staff to look at: no activity for long, or
//! little spent late in its time (`domain.md` §2.12). A flag forbids nothing.

use fundcycle_scoring::Exact;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Event, Project};
use crate::aggregate::{Decided, Gate, Record, Stored as _, derived_id};
use crate::context::Context;
use crate::policy::document::ReportEvery;
use crate::rejection::Rejection;
use crate::report::{self, Occasion, Period, Report};

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

pub(super) const REPORT_DUE: Guard = Gate::<Project>::new(
    "report_due",
    "the policy asks for no regular reports, or the time of the next one is not over",
    "规则未要求定期报告或本期尚未结束",
    |project, cx| next_period(project, cx).is_some_and(|period| cx.today() > period.until),
)
.opened_by_time();

/// The time that the next regular report is of: what is left of a calendar month or quarter, from the launch to
/// the last day of the plan. None where the policy wants no such reports or all were asked for.
fn next_period(project: &Record<Project>, cx: &Context<'_>) -> Option<Period> {
    let every = cx.policy()?.monitoring.reports.as_ref()?.every;
    let data = &project.data;
    let from = match data.reported_until {
        Some(last) => last.tomorrow().ok()?,
        None => data.launch.as_ref()?.date,
    };
    let until = last_day(every, from);
    let ends = data.plan.as_ref().and_then(|plan| plan.ends_on);
    match ends {
        Some(ends) if from > ends => None,
        Some(ends) => Some(Period {
            from,
            until: until.min(ends),
        }),
        None => Some(Period { from, until }),
    }
}

/// The last day of the month or quarter that `day` lies in.
fn last_day(every: ReportEvery, day: Date) -> Date {
    let months = match every {
        ReportEvery::Month => 0,
        // Quarters end with March, June, September and December.
        ReportEvery::Quarter => (3 - day.month() % 3) % 3,
    };
    let first = day.first_of_month();
    let month = first.checked_add(i64::from(months).months());
    month.unwrap_or(first).last_of_month()
}

/// Asks for the report of the time that has passed.
pub(super) fn called_for(
    record: &Record<Project>,
    cx: &Context<'_>,
) -> Result<Decided<Project>, Rejection> {
    let rhythm = cx.require_policy()?.monitoring.reports.as_ref();
    let (Some(rhythm), Some(period)) = (rhythm, next_period(record, cx)) else {
        return Err(Rejection::NotFound);
    };
    let occasion = match rhythm.every {
        ReportEvery::Month => Occasion::Monthly,
        ReportEvery::Quarter => Occasion::Quarterly,
    };
    let request = report::Command::Request {
        project: record.id,
        occasion,
        period: Some(period),
    };
    let id = derived_id(record.id, &format!("report {}", period.from));
    let event = Event::ReportCalled {
        until: period.until,
    };
    Ok(Decided::only(event).then([Report::then(id, cx.journal, request)]))
}

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
