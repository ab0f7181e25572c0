//! From a closed panel and an accepted report to a score, a grade, and what follows from it.

use fundcycle_scoring::{Exact, Rounding, grade};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Evaluation, Event};
use crate::aggregate::{REGISTRY, Record, Stored as _, Then};
use crate::context::Context;
use crate::money::Money;
use crate::organisation::{self, Organisation};
use crate::panel::{self, Outcome, Panel};
use crate::policy::Round;
use crate::policy::document::{Consequence, TrancheCondition};
use crate::project::{self, Project};
use crate::rejection::Rejection;
use crate::report::{self, Occasion, Report};
use crate::tranche::{self, Tranche};

pub(super) fn graded(
    record: &Record<Evaluation>,
    panel: Uuid,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let rules = &cx.require_policy()?.evaluation;
    let closed = cx.world.get::<Panel>(panel).filter(|one| {
        one.stage == panel::Stage::Closed
            && one.data.round == record.data.round
            // A panel that closed before the rectification has not seen what was put right.
            && record.data.opened_at.is_some_and(|opened| one.updated_at >= opened)
    });
    let outcome = closed.and_then(|panel| {
        let mut results = panel.data.results.iter();
        results.find(|outcome| Some(outcome.input.subject) == record.data.project)
    });
    let Some(outcome) = outcome else {
        return Err(Rejection::fault(
            "/panel",
            "no_result",
            "No panel with this id has closed since the evaluation began and has scored the project.",
            "没有该编号、在本次评估开始后结束且评过该项目的评审组。",
        ));
    };
    let automatic = automatic(record, cx)?;
    let score = automatic
        .iter()
        .fold(outcome.score.rounded.clone(), |sum, one| &sum + &one.points);
    let bands = rules.bands();
    let rule = grade(&bands, &score)
        .and_then(|name| rules.grades.iter().find(|rule| rule.name == name))
        .ok_or_else(|| {
            Rejection::fault(
                "",
                "no_grade",
                format!("The policy has no grade for a score of {score}."),
                format!("现行规则没有与 {score} 分对应的等级。"),
            )
        })?;
    let consequence = leads_to(record, outcome, rule.leads_to, cx);
    let passed = record.data.round == Some(Round::Final) && consequence == Consequence::Pass;
    Ok(Event::Graded {
        panel,
        grade: rule.name.clone(),
        consequence,
        tail: rule.tail.clone(),
        bonus: rule
            .bonus
            .clone()
            .filter(|points| passed && !points.is_zero()),
        automatic,
        score,
        by: cx.account(),
    })
}

/// What a grade leads to here: a veto fails, and there is one re-check, so that asking for a second
/// rectification fails too (`domain.md` §2.13).
fn leads_to(
    record: &Record<Evaluation>,
    outcome: &Outcome,
    rule: Consequence,
    cx: &Context<'_>,
) -> Consequence {
    let rectified = record
        .data
        .project
        .and_then(|id| cx.world.get::<Project>(id))
        .zip(record.data.round)
        .is_some_and(|(project, round)| project.data.rectified(round));
    if outcome.input.vetoed || (rule == Consequence::Rectify && rectified) {
        Consequence::Fail
    } else {
        rule
    }
}

/// What follows from a grade: the project moves on, and what waited for this evaluation is cut to the
/// part that the grade leaves.
pub(super) fn consequences(record: &Record<Evaluation>, cx: &Context<'_>) -> Vec<Then> {
    let moves_on = moves_on(record, cx);
    moves_on
        .into_iter()
        .chain(cut_tail(record, cx))
        .chain(merit(record, cx))
        .collect()
}

/// What the organisation takes from a final evaluation that it passed into later cycles.
fn merit(record: &Record<Evaluation>, cx: &Context<'_>) -> Option<Then> {
    let data = &record.data;
    let command = organisation::Command::NoteMerit {
        cycle: cx.journal,
        project: data.project?,
        grade: data.grade.clone()?,
        points: data.bonus.clone()?,
    };
    Some(Organisation::then(data.organisation?, REGISTRY, command))
}

fn moves_on(record: &Record<Evaluation>, cx: &Context<'_>) -> Option<Then> {
    use Consequence::{Fail, Pass, Rectify};
    let data = &record.data;
    let command = match (data.round?, data.consequence?) {
        (Round::Midterm, Pass) => project::Command::PassMidterm {},
        (Round::Midterm, Rectify) => project::Command::RectifyMidterm {},
        (Round::Midterm, Fail) => project::Command::FailMidterm {},
        (Round::Final, Pass) => project::Command::PassFinal {},
        (Round::Final, Rectify) => project::Command::RectifyFinal {},
        (Round::Final, Fail) => project::Command::FailFinal {},
        (Round::PaperReview | Round::Roadshow, _) => return None,
    };
    Some(Project::then(data.project?, cx.journal, command))
}

fn cut_tail(record: &Record<Evaluation>, cx: &Context<'_>) -> Vec<Then> {
    let data = &record.data;
    let waits = match data.round {
        Some(Round::Midterm) => TrancheCondition::Midterm,
        Some(Round::Final) => TrancheCondition::Final,
        _ => return Vec::new(),
    };
    let (Some(project), Some(tail), Some(Consequence::Pass)) =
        (data.project, &data.tail, data.consequence)
    else {
        return Vec::new();
    };
    cx.world
        .parts_of::<Tranche>(project)
        .filter(|one| one.data.after == Some(waits))
        .filter(|one| {
            matches!(
                one.stage,
                tranche::Stage::Planned | tranche::Stage::Withheld
            )
        })
        .filter_map(|one| {
            let left = one.data.left();
            let part = tail * &Exact::from_integer(left.fen());
            let kept = part.rounded(0, Rounding::Down).to_i64()?;
            let amount = left.checked_sub(Money::from_fen(kept))?;
            let reason = format!(
                "评估等级“{}”核减 (cut by the grade)",
                data.grade.as_deref().unwrap_or_default()
            );
            let command = if amount == Money::ZERO {
                return None;
            } else if amount == left {
                tranche::Command::Cancel { reason }
            } else {
                tranche::Command::Reduce { amount, reason }
            };
            Some(Tranche::then(one.id, cx.journal, command))
        })
        .collect()
}

/// The points of one criterion that nobody scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AutomaticScore {
    /// Which criterion.
    pub key: String,
    /// From which report; none where there is none, and no points.
    pub report: Option<Uuid>,
    /// What part of the targets was reached, 0 to 1: the mean over all, each counted as 1 at most.
    pub ratio: Exact,
    /// The points of the band that this reaches.
    pub points: Exact,
}

/// What the policy scores from the accepted report of this round.
fn automatic(
    record: &Record<Evaluation>,
    cx: &Context<'_>,
) -> Result<Vec<AutomaticScore>, Rejection> {
    let criteria = &cx.require_policy()?.evaluation.automatic;
    let occasion = match record.data.round {
        Some(Round::Midterm) => Some(Occasion::MidtermSelfReport),
        Some(Round::Final) => Some(Occasion::FinalReport),
        _ => None,
    };
    let report = record.data.project.and_then(|project| {
        cx.world
            .parts_of::<Report>(project)
            .filter(|one| one.data.occasion == occasion && one.stage == report::Stage::Accepted)
            .max_by_key(|one| one.data.submitted_at)
    });
    let ratio = report.map_or(Exact::ZERO, |report| reached(&report.data));
    Ok(criteria
        .iter()
        .filter(|criterion| Some(criterion.round) == record.data.round)
        .map(|criterion| {
            let mut bands = criterion.bands.iter();
            let band = bands.find(|band| report.is_some() && ratio >= band.from);
            AutomaticScore {
                key: criterion.key.clone(),
                report: report.map(|report| report.id),
                ratio: ratio.clone(),
                points: band.map_or(Exact::ZERO, |band| band.points.clone()),
            }
        })
        .collect())
}

/// The mean over all targets of what part of each was reached, each counted as 1 at most; a target of
/// nothing is reached.
fn reached(report: &Report) -> Exact {
    let parts: Vec<Exact> = report
        .planned
        .iter()
        .map(|target| {
            let now = report.body.reached.get(&target.name).copied().unwrap_or(0);
            let part = Exact::ratio(i128::from(now), i128::from(target.target));
            part.unwrap_or(Exact::ONE).min(Exact::ONE)
        })
        .collect();
    let count = i64::try_from(parts.len()).unwrap_or(i64::MAX);
    let sum: Exact = parts.iter().sum();
    sum.checked_div(&Exact::from_integer(count))
        .unwrap_or(Exact::ZERO)
}
