//! What is left of each event in the record of a project.

use super::{Event, Project, Refund};
use crate::time::Timestamp;

/// Takes `event` into `project`.
pub(super) fn take(project: &mut Project, event: Event, at: Timestamp) {
    match event {
        Event::Begun { project: begun } => *project = *begun,
        Event::PlanSubmitted {
            plan,
            lowered,
            over_caps,
        } => {
            project.plan = Some(*plan);
            project.lowered_targets = lowered;
            project.over_caps = over_caps;
            project.plan_version += 1;
            project.reason = None;
        }
        Event::Signed {
            agreement,
            launch_by,
        } => {
            project.agreed_budget = project
                .plan
                .as_ref()
                .map(|plan| plan.budget.clone())
                .unwrap_or_default();
            project.agreement = Some(agreement);
            project.launch_by = launch_by;
        }
        Event::BankAccountGiven { bank_account } => {
            project.bank_account_masked = Some(bank_account.masked());
            project.bank_account = Some(bank_account);
            project.bank_checked_by = None;
        }
        Event::BankAccountChecked { by } => project.bank_checked_by = by,
        Event::LaunchScheduled {
            launch,
            host,
            guests,
            media,
            same_venue,
        } => {
            project.launch = Some(launch);
            project.launch_host = host;
            project.launch_guests = guests;
            project.launch_media = media;
            project.launch_same_venue = same_venue;
        }
        Event::Passed { round } => {
            project.passed.insert(round);
        }
        Event::RectificationAsked { rectification } => project.rectifications.push(rectification),
        Event::Changed { change } => {
            project.plan = project.plan.take().map(|plan| plan.with(&change));
            project.plan_version += 1;
            if let Some(budget) = change.budget.as_ref().filter(|_| !change.free) {
                project.agreed_budget.clone_from(budget);
            }
            project.changes.push(*change);
        }
        Event::Progressed {
            activity_on,
            spent,
            report,
        } => {
            if activity_on > project.last_activity_on {
                project.last_activity_on = activity_on;
                project.silent_since = None;
            }
            if spent.is_some() {
                project.reported_spend = spent;
                project.underspent_at = None;
            }
            if let Some(report) = report {
                project.missing_reports.remove(&report);
            }
        }
        Event::ReportCalled { until } => project.reported_until = Some(until),
        Event::ReportMissed { report } => {
            project.missing_reports.insert(report);
        }
        Event::Silent { since } => project.silent_since = Some(since),
        Event::Underspent {} => project.underspent_at = Some(at),
        Event::Suspended { was, reason } => {
            project.was = Some(was);
            project.reason = Some(reason);
        }
        Event::HearingOpened { hearing } => project.hearing = Some(hearing),
        Event::Heard { statement } => {
            if let Some(hearing) = &mut project.hearing {
                hearing.statement = Some(statement);
            }
        }
        Event::Reminded {} => project.demand_reminded_at = Some(at),
        Event::WriteOffProposed { proposal } => project.write_off_proposal = Some(proposal),
        Event::Terminated { termination } => {
            project.was = None;
            project.termination = Some(termination);
        }
        Event::SpendAccepted { amount } => project.accepted_spend = Some(amount),
        Event::Refunded { amount, voucher } => {
            project.refunded = project
                .refunded
                .checked_add(amount)
                .unwrap_or(project.refunded);
            project.refunds.push(Refund {
                amount,
                voucher,
                recorded_at: at,
            });
        }
        Event::CheckedOff { done } => project.checked_off.push(done),
        Event::Closed {} => project.closed_at = Some(at),
        Event::Demanded { demand } => project.demand = Some(demand),
        Event::WrittenOff { amount, reason } => {
            project.written_off = amount;
            project.reason = Some(reason);
        }
        Event::Moved { reason } => {
            project.was = None;
            project.reason = reason;
        }
    }
}
