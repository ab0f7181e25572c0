//! What the sheets of a panel add up to, and what follows for each application.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Candidate, Exact, SheetScore, aggregate, rank};
use uuid::Uuid;

use super::shortlist::shortlist;
use super::{
    Counted, Event, Input, Outcome, Panel, agreement, assignment, calibration, in_round, overrun,
    sheets,
};
use crate::aggregate::{Decided, Record, Stored as _, Then, derived_id};
use crate::application::{self, Application, RoundScore};
use crate::context::Context;
use crate::interest;
use crate::policy::document::RoundRules;
use crate::policy::{PolicyDocument, Round};
use crate::rejection::{Fault, Rejection};
use crate::sheet::{self, Sheet};

pub(super) fn closed(
    record: &Record<Panel>,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let policy = cx.require_policy()?;
    let Some((round, rules)) = record
        .data
        .round
        .and_then(|round| Some((round, policy.rounds.get(&round)?)))
    else {
        return Err(Rejection::fault(
            "",
            "no_round",
            "The policy in force leaves this round out.",
            "现行规则未设该轮次。",
        ));
    };
    let mut by_subject: BTreeMap<Uuid, Vec<&Record<Sheet>>> = BTreeMap::new();
    for subject in record
        .data
        .subjects
        .iter()
        .filter(|subject| in_round(Some(round), **subject, cx.world))
    {
        by_subject.insert(*subject, Vec::new());
    }
    for sheet in sheets(record, cx.world).filter(|sheet| sheet.stage == sheet::Stage::Submitted) {
        if let Some(list) = sheet
            .data
            .subject
            .and_then(|subject| by_subject.get_mut(&subject))
        {
            list.push(sheet);
        }
    }
    let voided = void_interested(&mut by_subject, cx);
    let counted = counted(record, by_subject.values().flatten().copied());
    let inputs: Vec<Input> = by_subject
        .iter()
        .map(|(subject, list)| {
            let deducts = rules.overrun.is_some();
            Input {
                overrun_seconds: deducts
                    .then(|| overrun::overrun_seconds(*subject, cx))
                    .flatten(),
                ..input(*subject, list, &record.data.groups, rules, cx)
            }
        })
        .collect();
    let results = results(&inputs, rules, policy)?;
    let moved = results
        .iter()
        .filter_map(|outcome| consequence(round, outcome, cx));
    let then: Vec<Then> = voided.iter().cloned().chain(moved).collect();
    let policy_number = cx.cycle().map_or(0, |cycle| cycle.data.policy_number);
    Ok(Decided::only(Event::Closed {
        results,
        calibration: calibration::calibration(&inputs, rules)?,
        agreement: Some(agreement::agreement(&inputs, rules)),
        sheets: counted,
        voided: voided.iter().map(|one| one.id).collect(),
        policy_number,
    })
    .then(then))
}

/// The sheets that count, under labels. Their order follows from a hash: that of the accounts would
/// tell who was registered first.
fn counted<'a>(
    record: &Record<Panel>,
    sheets: impl Iterator<Item = &'a Record<Sheet>>,
) -> Vec<Counted> {
    let sheets: Vec<(Uuid, Uuid)> = sheets
        .filter_map(|sheet| Some((sheet.id, sheet.data.expert?)))
        .collect();
    let stands_for = |expert: Uuid| derived_id(record.id, &format!("label {expert}"));
    let seated: BTreeSet<Uuid> = sheets
        .iter()
        .map(|(_, expert)| stands_for(*expert))
        .collect();
    let labels: BTreeMap<Uuid, String> = seated
        .into_iter()
        .zip(1..)
        .map(|(expert, number)| (expert, format!("E{number}")))
        .collect();
    let mut counted: Vec<Counted> = sheets
        .into_iter()
        .filter_map(|(sheet, expert)| {
            Some(Counted {
                sheet,
                label: labels.get(&stands_for(expert))?.clone(),
                group: record.data.groups.get(&expert).cloned(),
            })
        })
        .collect();
    counted.sort_by_key(|one| one.sheet);
    counted
}

/// An interest may come to light after the sheet was handed in: it is kept and does not count. Takes
/// such sheets out, and gives the commands that mark them.
fn void_interested(
    by_subject: &mut BTreeMap<Uuid, Vec<&Record<Sheet>>>,
    cx: &Context<'_>,
) -> Vec<Then> {
    let mut then = Vec::new();
    for list in by_subject.values_mut() {
        list.retain(|sheet| {
            let interests = assignment::interests_of(sheet, cx.world);
            if interests.is_empty() {
                return true;
            }
            let reason = format!("利害关系:{}", interest::said(&interests).zh);
            then.push(Sheet::then(
                sheet.id,
                sheet.journal,
                sheet::Command::Void { reason },
            ));
            false
        });
    }
    then
}

/// What one application or project brings into the ranking of a round: everything that counts, so
/// that anyone can recompute the result from what is recorded.
fn input(
    subject: Uuid,
    sheets: &[&Record<Sheet>],
    groups: &BTreeMap<Uuid, String>,
    rules: &RoundRules,
    cx: &Context<'_>,
) -> Input {
    let scored: Vec<Uuid> = sheets.iter().filter_map(|one| one.data.expert).collect();
    Input {
        subject,
        totals: sheets
            .iter()
            .filter_map(|sheet| Some((sheet.data.expert?, sheet.data.total.clone()?)))
            .collect(),
        groups: groups
            .iter()
            .filter(|(expert, _)| scored.contains(expert))
            .map(|(expert, group)| (*expert, group.clone()))
            .collect(),
        marks: sheets
            .iter()
            .filter(|sheet| 1 < sheet.data.marks.scores.len())
            .filter_map(|sheet| Some((sheet.data.expert?, sheet.data.marks.scores.clone())))
            .collect(),
        keys: tie_break_keys(subject, sheets, cx),
        domain: rules.shortlist_per_domain.and_then(|_| {
            let application = cx.world.get::<Application>(subject)?;
            Some(application.data.form.domain.clone())
        }),
        vetoed: sheets.iter().any(|sheet| !sheet.data.vetoes.is_empty()),
        overrun_seconds: None,
    }
}

/// What `inputs` add up to under the rules of the round, best first. Pure: the same recorded inputs
/// and policy give the same results, byte for byte.
///
/// # Errors
///
/// [`Rejection::Invalid`] naming every subject with fewer valid sheets than the quorum, or if the
/// round calibrates and the totals have no common unit.
pub fn results(
    inputs: &[Input],
    rules: &RoundRules,
    policy: &PolicyDocument,
) -> Result<Vec<Outcome>, Rejection> {
    let mut faults = Vec::new();
    let mut outcomes = BTreeMap::new();
    let mut candidates = Vec::new();
    for input in inputs {
        let sheets: Vec<SheetScore> = input
            .totals
            .iter()
            .map(|(expert, total)| SheetScore {
                expert: expert.to_string(),
                group: input.groups.get(expert).cloned(),
                total: total.clone(),
            })
            .collect();
        let result = aggregate(&rules.aggregation, &sheets);
        let (Some(mut exact), Some(mut rounded)) = (result.exact, result.rounded) else {
            faults.push(below_quorum(input, rules.aggregation.quorum));
            continue;
        };
        let deduction = rules
            .overrun
            .as_ref()
            .and_then(|rule| overrun::deduction(rule, input.overrun_seconds?));
        if let Some(deduction) = &deduction {
            (exact, rounded) = overrun::deducted(&exact, deduction, &rules.aggregation);
        }
        candidates.push(Candidate {
            id: input.subject.to_string(),
            score: Some(rounded.clone()),
            keys: input.keys.clone(),
        });
        let outcome = Outcome {
            input: input.clone(),
            score: RoundScore {
                exact,
                rounded,
                rank: None,
            },
            deduction,
            raw: None,
            used: result.used,
            dropped: result.dropped,
            decided_by: None,
            goes_on: false,
            stopped_by: None,
        };
        outcomes.insert(input.subject.to_string(), outcome);
    }
    Rejection::unless_empty(faults)?;
    let chain = &policy.ranking.tie_breaks;
    if let Some(calibrated) = calibration::scores(inputs, rules)? {
        for raw in rank(&candidates, chain) {
            if let Some(outcome) = outcomes.get_mut(&raw.id) {
                outcome.score.rank = raw.rank;
                outcome.raw = Some(outcome.score.clone());
            }
        }
        let aggregation = &rules.aggregation;
        for candidate in &mut candidates {
            let exact = calibrated.scores.get(&candidate.id);
            if let Some((outcome, exact)) = outcomes.get_mut(&candidate.id).zip(exact) {
                outcome.score.exact = exact.clone();
                outcome.score.rounded = exact.rounded(aggregation.scale, aggregation.rounding);
                if let Some(deduction) = &outcome.deduction {
                    (outcome.score.exact, outcome.score.rounded) =
                        overrun::deducted(exact, deduction, aggregation);
                }
                candidate.score = Some(outcome.score.rounded.clone());
            }
        }
    }
    let ranked = rank(&candidates, chain).into_iter();
    let mut outcomes: Vec<Outcome> = ranked
        .filter_map(|ranked| {
            let mut outcome = outcomes.remove(&ranked.id)?;
            outcome.score.rank = ranked.rank;
            outcome.decided_by = ranked.decided_by;
            Some(outcome)
        })
        .collect();
    shortlist(&mut outcomes, rules, policy);
    Ok(outcomes)
}

fn below_quorum(input: &Input, quorum: u32) -> Fault {
    let (subject, sheets) = (input.subject, input.totals.len());
    Fault::new(
        "",
        "quorum",
        format!("{subject} has {sheets} valid sheet(s); the policy asks for {quorum}."),
        format!("{subject} 仅有 {sheets} 份有效评分表,规则要求 {quorum} 份。"),
    )
}

/// What closing a round does to one application; projects are graded by their evaluation.
fn consequence(round: Round, outcome: &Outcome, cx: &Context<'_>) -> Option<Then> {
    let score = Some(outcome.score.clone());
    let command = match round {
        Round::PaperReview if outcome.goes_on => application::Command::Shortlist { score },
        Round::PaperReview => application::Command::NotShortlist { score },
        Round::Roadshow => application::Command::ScorePitch { score },
        Round::Midterm | Round::Final => return None,
    };
    Some(Application::then(
        outcome.input.subject,
        cx.journal,
        command,
    ))
}

/// What ties are broken by: the mean of each criterion over `sheets`, the request, the first submission.
pub fn tie_break_keys(
    subject: Uuid,
    sheets: &[&Record<Sheet>],
    cx: &Context<'_>,
) -> BTreeMap<String, Exact> {
    let mut sums: BTreeMap<String, (Exact, i64)> = BTreeMap::new();
    for (key, score) in sheets.iter().flat_map(|sheet| sheet.data.criteria()) {
        let entry = sums.entry(key).or_insert((Exact::ZERO, 0));
        entry.0 = &entry.0 + &score;
        entry.1 += 1;
    }
    let mut keys: BTreeMap<String, Exact> = sums
        .into_iter()
        .filter_map(|(key, (sum, count))| {
            Some((key, sum.checked_div(&Exact::from_integer(count))?))
        })
        .collect();
    if let Some(application) = cx.world.get::<Application>(subject) {
        keys.extend(application_keys(&application.data));
    }
    keys
}

/// The facts of an application that a tie-break may name.
pub fn application_keys(application: &Application) -> BTreeMap<String, Exact> {
    let mut keys = BTreeMap::from([(
        "requested".to_owned(),
        Exact::from_integer(application.form.requested.fen()),
    )]);
    if let Some(first) = application.submissions.first() {
        keys.insert("submitted_at".to_owned(), Exact::from_integer(first.at.0));
    }
    if let Some(score) = &application.paper_review {
        keys.insert("round:paper_review".to_owned(), score.rounded.clone());
    }
    if let Some(score) = &application.roadshow {
        keys.insert("round:roadshow".to_owned(), score.rounded.clone());
    }
    keys
}

pub(super) fn reopened(record: &Record<Panel>, reason: String, cx: &Context<'_>) -> Decided<Panel> {
    let then = record.data.subjects.iter().filter_map(|subject| {
        let application = cx.world.get::<Application>(*subject)?;
        use application::Stage::{NotShortlisted, Presented, RoadshowReady, Shortlisted};
        let command = match (record.data.round?, application.stage) {
            (Round::PaperReview, Shortlisted | NotShortlisted | RoadshowReady) => {
                application::Command::ReopenReview {}
            }
            (Round::Roadshow, Presented) => application::Command::ClearPitch {},
            _ => return None,
        };
        Some(Application::then(*subject, cx.journal, command))
    });
    let then: Vec<Then> = then.collect();
    Decided::only(Event::Moved {
        reason: Some(reason),
    })
    .then(then)
}
