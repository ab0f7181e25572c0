//! What must hold of money, notice, objections and projects after every accepted command.

use std::collections::BTreeMap;

use fundcycle_core::application::Application;
use fundcycle_core::award::Award;
use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::notice::Notice;
use fundcycle_core::objection::Objection;
use fundcycle_core::project::{self, Project};
use fundcycle_core::selection::Selection;
use fundcycle_core::sheet::Sheet;
use fundcycle_core::tranche::Tranche;
use uuid::Uuid;

use crate::invariants::{Holds, Seen, ensure};

pub(crate) const ALL: &[fn(&Seen) -> Holds] =
    &[i31, i33, i33_ruling, i34, i35, i36_award, i38, i40];

/// I31: a computed list respects budget, domains, organisations and requests; sums are in fen.
fn i31(seen: &Seen) -> Holds {
    let Some(policy) = seen.policy() else {
        return Ok(());
    };
    seen.did::<Selection>(&["compute", "recompute", "depart"])
        .try_for_each(|(fact, one)| {
            let run = &one.data.run;
            let total: i64 = run.lines.iter().map(|line| line.award.fen()).sum();
            let mut faults = total > policy.selection.budget.fen();
            faults |= run
                .lines
                .iter()
                .any(|line| line.award.fen() < 0 || line.award > line.requested);
            if fact.verb != "depart" {
                let mut domains = BTreeMap::<&str, u32>::new();
                let mut organisations = BTreeMap::<Uuid, u32>::new();
                for line in run.lines.iter().filter(|line| line.award.fen() > 0) {
                    let mut inputs = run.inputs.iter();
                    let input = inputs
                        .find(|input| input.application == line.application)
                        .unwrap();
                    *domains.entry(&input.domain).or_default() += 1;
                    *organisations.entry(input.organisation).or_default() += 1;
                }
                let most = policy.selection.max_per_organisation;
                faults |= organisations
                    .values()
                    .any(|count| most.is_some_and(|most| *count > most));
                faults |= domains.iter().any(|(domain, count)| {
                    let limits = policy.selection.domain.get(*domain);
                    let most = limits.unwrap_or(&policy.selection.every_domain).max;
                    most.is_some_and(|most| *count > most)
                });
            }
            ensure(!faults, || format!("I31: {:?} in {fact:?}", run.lines))
        })
}

/// I33: an award is issued only after the notice has ended, and with no objection open.
fn i33(seen: &Seen) -> Holds {
    seen.did::<Award>(&["issue"]).try_for_each(|(fact, award)| {
        let subject = award.data.application;
        let noticed = seen.after.all::<Notice>().any(|notice| {
            ["ended", "skipped"].contains(&notice.stage.name())
                && notice.data.ends_at.is_none_or(|ends_at| ends_at < seen.now)
                && subject.is_some_and(|id| notice.data.applications.contains(&id))
        });
        let open = seen
            .after
            .all::<Objection>()
            .any(|objection| objection.data.application == subject && objection.stage.is_open());
        ensure(noticed && !open, || format!("I33: {fact:?}"))
    })
}

/// I33: who scored an application does not rule on an objection against it.
fn i33_ruling(seen: &Seen) -> Holds {
    seen.did::<Objection>(&["uphold", "dismiss"])
        .try_for_each(|(fact, objection)| {
            let ruler = objection.data.ruled_by;
            let scored = seen.after.all::<Sheet>().any(|sheet| {
                sheet.data.subject == objection.data.application && sheet.data.expert == ruler
            });
            ensure(ruler.is_some() && !scored, || format!("I33: {fact:?}"))
        })
}

/// I34: a notice runs for the working days of the policy at least, and is not closed before.
fn i34(seen: &Seen) -> Holds {
    let Some(policy) = seen.policy() else {
        return Ok(());
    };
    let zone = jiff::tz::TimeZone::get(&policy.programme.time_zone).unwrap();
    seen.did::<Notice>(&["publish"])
        .try_for_each(|(fact, notice)| {
            let days = notice
                .data
                .starts_on
                .zip(notice.data.ends_at)
                .map(|(from, to)| {
                    let mut days = 0;
                    let mut day = from;
                    while day <= to.date_in(&zone) {
                        days += u32::from(seen.calendar.day_kind(day).unwrap().is_working());
                        day = day.tomorrow().unwrap();
                    }
                    days
                });
            let enough = days.is_some_and(|days| days >= policy.notice.working_days);
            ensure(enough, || format!("I34: {days:?} days in {fact:?}"))
        })?;
    seen.did::<Notice>(&["close"])
        .try_for_each(|(fact, notice)| {
            let over = notice.data.ends_at.is_some_and(|at| at < seen.now);
            ensure(over, || format!("I34: {fact:?}"))
        })
}

/// I35: who moves up was in reserve, with a reason; clearing is left to a notice (I33).
fn i35(seen: &Seen) -> Holds {
    seen.did::<Selection>(&["promote"])
        .try_for_each(|(fact, one)| {
            let last = one.data.promotions.last();
            let fits = last.is_some_and(|last| {
                let was = seen.was::<Application>(last.application);
                !last.reason.trim().is_empty()
                    && last.by == seen.actor.account
                    && was.is_some_and(|was| was.stage.name() == "reserve")
            });
            ensure(fits, || format!("I35: {fact:?}"))
        })
}

/// I36: a letter grants what the list gave, and nothing changes it afterwards.
fn i36_award(seen: &Seen) -> Holds {
    seen.after.all::<Award>().try_for_each(|award| {
        let granted = match seen.was::<Award>(award.id) {
            Some(was) => Some(was.data.amount),
            None => award.data.application.and_then(|id| {
                Some(
                    seen.after
                        .get::<Application>(id)?
                        .data
                        .selected
                        .as_ref()?
                        .award,
                )
            }),
        };
        let paid_once = seen
            .did::<Tranche>(&["pay"])
            .all(|(fact, _)| fact.from == Some("approved"));
        ensure(granted == Some(award.data.amount) && paid_once, || {
            format!("I36: {award:?}")
        })
    })
}

/// I38: nothing is paid while the project is suspended or over, its application disputed, or its bank
/// account not checked since it changed.
fn i38(seen: &Seen) -> Holds {
    seen.did::<Tranche>(&["pay"])
        .try_for_each(|(fact, tranche)| {
            let project = tranche.data.project.and_then(|id| seen.was::<Project>(id));
            let runs = project.is_some_and(|one| project::RUNNING.contains(&one.stage));
            let subject = project.and_then(|one| one.data.application);
            let state = subject.and_then(|id| seen.before.get(&(Kind::Application, id)));
            let awarded = state.is_some_and(|state| state.stage() == "awarded");
            let checked = project.is_some_and(|one| {
                one.data.bank_account.is_none() || one.data.bank_checked_by.is_some()
            });
            ensure(runs && awarded && checked, || format!("I38: {fact:?}"))
        })
}

/// I40: a grade is the highest band whose lower bound the score reaches.
fn i40(seen: &Seen) -> Holds {
    let Some(policy) = seen.policy() else {
        return Ok(());
    };
    seen.did::<Evaluation>(&["grade"])
        .try_for_each(|(fact, one)| {
            let score = one.data.score.as_ref();
            let reached = policy
                .evaluation
                .grades
                .iter()
                .filter(|band| score >= Some(&band.from));
            let best = reached.max_by(|one, other| one.from.cmp(&other.from));
            ensure(
                best.map(|band| &band.name) == one.data.grade.as_ref(),
                || format!("I40: {fact:?}"),
            )
        })
}
