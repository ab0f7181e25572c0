//! When reports are asked for, until when they come, and what follows when they do not (`domain.md` §2.12–2.13).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Event, Occasion, Report};
use crate::aggregate::{Record, Stored as _, Then};
use crate::context::Context;
use crate::policy::Round;
use crate::project::{self, Project};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// The time that a regular report is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Its first day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// Its last day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

/// Asks a project under way for a report.
pub(super) fn requested(
    project: Uuid,
    occasion: Occasion,
    period: Option<Period>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    use project::Stage::{FinalFailed, MidtermFailed, Suspended, Terminated};
    let found = cx.world.get::<Project>(project).filter(|project| {
        project::RUNNING.contains(&project.stage)
            || matches!(
                project.stage,
                Suspended | MidtermFailed | FinalFailed | Terminated
            )
    });
    let Some(found) = found else {
        return Err(Rejection::fault(
            "/project",
            "not_under_way",
            "There is no project with this id under way.",
            "没有该编号且在执行中的项目。",
        ));
    };
    if period.is_some_and(|period| period.until < period.from) {
        return Err(Rejection::fault(
            "/period/until",
            "order",
            "The last day of the time lies before its first.",
            "期间的截止日期早于起始日期。",
        ));
    }
    Ok(Event::Requested {
        project,
        organisation: found.data.organisation,
        occasion,
        period,
        due: due(period, cx)?,
    })
}

/// Until when a report has to be handed in: so many days after the time it is of, or after today where it is
/// asked for later.
fn due(period: Option<Period>, cx: &Context<'_>) -> Result<Timestamp, Rejection> {
    let policy = cx.require_policy()?;
    let rhythm = policy.monitoring.reports.as_ref().zip(period);
    let (from, days) = rhythm.map_or_else(
        || (cx.today(), policy.evaluation.report_days),
        |(rhythm, period)| {
            let yesterday = cx.today().yesterday().unwrap_or(Date::MIN);
            (period.until.max(yesterday), rhythm.due_days)
        },
    );
    let last = from
        .checked_add(jiff::Span::new().days(i64::from(days)))
        .unwrap_or(Date::MAX);
    Ok(Timestamp::end_of_day(last, &cx.zone()))
}

/// The project is flagged where it is still under way.
pub(super) fn missed(record: &Record<Report>, cx: &Context<'_>) -> Option<Then> {
    let project = cx.world.get::<Project>(record.data.project?)?;
    let command = project::Command::FlagMissingReport { report: record.id };
    project::NOTED
        .contains(&project.stage)
        .then(|| Project::then(project.id, cx.journal, command))
}

/// Where the policy says so, a project fails the evaluation whose report did not come, unless that
/// evaluation is under way or over.
pub(super) fn fails_its_project(record: &Record<Report>, cx: &Context<'_>) -> Option<Then> {
    let policy = cx.policy()?;
    let id = record.data.project?;
    let project = cx.world.get::<Project>(id)?;
    let midterm_ahead =
        policy.has_round(Round::Midterm) && !project.data.has_passed(Round::Midterm);
    let command = match record.data.occasion? {
        Occasion::MidtermSelfReport if midterm_ahead => project::Command::FailMidterm {},
        Occasion::FinalReport if !midterm_ahead => project::Command::FailFinal {},
        _ => return None,
    };
    (policy.evaluation.late_report_fails && project.stage == project::Stage::Active)
        .then(|| Project::then(id, cx.journal, command))
}
