//! From the scores of the rounds to one decision per application, by the policy and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Bid, Candidate, Certificate, Exact, Ranked, allocate, combine, rank};
use uuid::Uuid;

use super::{Input, Line, Run, Selection, earlier};
use crate::aggregate::Record;
use crate::application::{self, Application, RoundScore};
use crate::context::Context;
use crate::digest::canonical_hash;
use crate::money::Money;
use crate::panel::tie_break_keys;
use crate::policy::{Policy, PolicyDocument, Round};
use crate::rejection::{Fault, Rejection};
use crate::sheet::{self, Sheet};

/// The rounds that come before a selection, in order.
const ROUNDS: [Round; 2] = [Round::PaperReview, Round::Roadshow];

/// The tie-break that lots decide.
const LOTS: &str = "lots";

/// Computes the selection from the records as they are.
pub(super) fn run(lots: &BTreeMap<Uuid, u32>, cx: &Context<'_>) -> Result<Run, Rejection> {
    let policy = cx.require_policy()?;
    let (inputs, mut faults) = inputs(lots, policy, cx);
    faults.extend(lot_faults(lots, &inputs, policy));
    if inputs.is_empty() && faults.is_empty() {
        faults.push(Fault::new(
            "",
            "nothing_to_select",
            "No application has come as far as the selection.",
            "没有进入遴选的申报。",
        ));
    }
    Rejection::unless_empty(faults)?;
    let (lines, certificate) = lines(&inputs, policy)?;
    let (policy_number, policy_hash) = in_force(cx);
    Ok(Run {
        inputs_hash: canonical_hash(&inputs),
        inputs,
        policy_number,
        policy_hash,
        lines,
        certificate,
    })
}

/// What `inputs` lead to under `policy`, best first, with the proof where the policy promises the
/// best. Pure: the same recorded inputs and policy give the same lines, byte for byte.
///
/// # Errors
///
/// [`Rejection::Invalid`] if the budget cannot be given out by the rules.
pub fn lines(
    inputs: &[Input],
    policy: &PolicyDocument,
) -> Result<(Vec<Line>, Option<Certificate>), Rejection> {
    let ranking = ranking(inputs, policy);
    let by_number: BTreeMap<&str, &Input> = inputs
        .iter()
        .map(|input| (input.number.as_str(), input))
        .collect();
    // Bids compete in the order of the ranking.
    let bids: Vec<Bid> = ranking
        .iter()
        .filter_map(|ranked| by_number.get(ranked.id.as_str()))
        .map(|input| bid(input))
        .collect();
    // Who of an incompatible pair has withdrawn or was not shortlisted stands in nobody's way.
    let mut rules = policy.selection.clone();
    let bids_too = |number: &String| by_number.contains_key(number.as_str());
    rules
        .incompatible
        .retain(|(a, b)| bids_too(a) && bids_too(b));
    let allocation = allocate(&rules, &bids).map_err(|error| {
        Rejection::fault(
            "",
            "allocation",
            error.to_string(),
            format!("无法按规则分配资金:{error}"),
        )
    })?;
    let decisions: BTreeMap<&str, _> = allocation
        .decisions
        .iter()
        .map(|decision| (decision.application.as_str(), decision))
        .collect();
    let lines = ranking
        .iter()
        .filter_map(|ranked| {
            let input = by_number.get(ranked.id.as_str())?;
            let decision = decisions.get(ranked.id.as_str())?;
            Some(Line {
                application: input.application,
                number: input.number.clone(),
                requested: input.requested,
                score: input.score.clone(),
                bonus: earlier::bonus(&input.earlier, policy),
                rank: ranked.rank,
                decided_by: ranked.decided_by.clone(),
                decision: decision.decision,
                award: Money::from_fen(decision.award_fen),
                reason: decision.reason.clone(),
                reason_zh: decision.reason_zh.clone(),
                needs: decision.needs.clone(),
                needs_zh: decision.needs_zh.clone(),
                departed: false,
                cuts: Vec::new(),
            })
        })
        .collect();
    Ok((lines, allocation.certificate))
}

/// Whether computing again would start from the same inputs and rules.
pub(super) fn inputs_hold(record: &Record<Selection>, cx: &Context<'_>) -> bool {
    let run = &record.data.run;
    let Some(policy) = cx.policy() else {
        return false;
    };
    let lots: BTreeMap<Uuid, u32> = run
        .inputs
        .iter()
        .filter_map(|input| {
            let lot = input.keys.get(LOTS)?.to_i64()?;
            Some((input.application, u32::try_from(lot).ok()?))
        })
        .collect();
    let (now, faults) = inputs(&lots, policy, cx);
    faults.is_empty()
        && now == run.inputs
        && in_force(cx) == (run.policy_number, run.policy_hash.clone())
}

fn in_force(cx: &Context<'_>) -> (u32, String) {
    let cycle = cx.cycle();
    let number = cycle.map_or(0, |cycle| cycle.data.policy_number);
    let hash = cycle
        .and_then(|cycle| cx.world.get::<Policy>(cycle.data.policy?))
        .map(|policy| policy.data.hash.clone());
    (number, hash.unwrap_or_default())
}

/// What every application that has come this far brings, by number; and what is missing.
fn inputs(
    lots: &BTreeMap<Uuid, u32>,
    policy: &PolicyDocument,
    cx: &Context<'_>,
) -> (Vec<Input>, Vec<Fault>) {
    let arrived = if policy.has_round(Round::Roadshow) {
        application::Stage::Presented
    } else {
        application::Stage::Shortlisted
    };
    let mut sheets: BTreeMap<(Uuid, Round), Vec<&Record<Sheet>>> = BTreeMap::new();
    for sheet in cx
        .world
        .all::<Sheet>()
        .filter(|sheet| sheet.stage == sheet::Stage::Submitted)
    {
        if let (Some(subject), Some(round)) = (sheet.data.subject, sheet.data.round) {
            sheets.entry((subject, round)).or_default().push(sheet);
        }
    }
    let mut faults = Vec::new();
    let mut inputs = Vec::new();
    for one in cx
        .world
        .all::<Application>()
        .filter(|one| one.stage == arrived)
    {
        let (Some(number), Some(organisation)) = (one.data.number.clone(), one.data.organisation)
        else {
            continue;
        };
        let mut rounds = BTreeMap::new();
        let mut parts = Vec::new();
        for (round, score) in [
            (Round::PaperReview, &one.data.paper_review),
            (Round::Roadshow, &one.data.roadshow),
        ] {
            let weight = policy
                .rounds
                .get(&round)
                .map_or(Exact::ZERO, |rules| rules.weight.clone());
            if !policy.has_round(round) || weight.is_zero() {
                continue;
            }
            match score {
                Some(RoundScore { exact, .. }) => {
                    parts.push((exact.clone(), weight));
                    rounds.insert(round, exact.clone());
                }
                None => faults.push(Fault::new(
                    "",
                    "no_score",
                    format!("{number} has no {round} score: close its panel first."),
                    format!("{number} 缺少该轮({round})得分,请先结束评分。"),
                )),
            }
        }
        let mut keys = BTreeMap::new();
        let mut recommended = None;
        // A criterion that both rounds have counts as the later one scored it.
        for round in ROUNDS {
            let sheets = sheets.get(&(one.id, round)).map_or(&[][..], Vec::as_slice);
            keys.extend(tie_break_keys(one.id, sheets, cx));
            recommended = median(sheets).or(recommended);
        }
        if let Some(lot) = lots.get(&one.id) {
            keys.insert(LOTS.to_owned(), Exact::from(*lot));
        }
        let earlier = earlier::counted(organisation, policy, cx);
        inputs.push(Input {
            application: one.id,
            number,
            organisation,
            domain: one.data.form.domain.clone(),
            street: Some(one.data.form.street.trim().to_owned()).filter(|text| !text.is_empty()),
            requested: one.data.form.requested,
            recommended,
            rounds,
            score: earlier::with_bonus(&combine(&parts), &earlier, policy),
            earlier,
            keys,
        });
    }
    inputs.sort_by(|a, b| a.number.cmp(&b.number));
    (inputs, faults)
}

/// The middle of what the experts would fund; of two middle amounts the lower one.
fn median(sheets: &[&Record<Sheet>]) -> Option<Money> {
    let mut amounts: Vec<Money> = sheets
        .iter()
        .filter_map(|sheet| sheet.data.recommended)
        .collect();
    amounts.sort_unstable();
    amounts.get(amounts.len().checked_sub(1)? / 2).copied()
}

fn ranking(inputs: &[Input], policy: &PolicyDocument) -> Vec<Ranked> {
    let candidates: Vec<Candidate> = inputs
        .iter()
        .map(|input| Candidate {
            id: input.number.clone(),
            score: Some(input.score.clone()),
            keys: input.keys.clone(),
        })
        .collect();
    rank(&candidates, &policy.ranking.tie_breaks)
}

fn bid(input: &Input) -> Bid {
    Bid {
        application: input.number.clone(),
        organisation: input.organisation.to_string(),
        domain: input.domain.clone(),
        street: input.street.clone(),
        score: input.score.clone(),
        requested_fen: input.requested.fen(),
        recommended_fen: input.recommended.map(Money::fen),
    }
}

fn lot_faults(lots: &BTreeMap<Uuid, u32>, inputs: &[Input], policy: &PolicyDocument) -> Vec<Fault> {
    let mut faults = Vec::new();
    let declared = policy
        .ranking
        .tie_breaks
        .iter()
        .any(|tie_break| tie_break.by == LOTS);
    if !lots.is_empty() && !declared {
        faults.push(Fault::new(
            "/lots",
            "not_declared",
            "The policy does not name lots among its tie-breaks.",
            "现行规则的并列处理办法中没有抽签。",
        ));
    }
    let mut seen = BTreeSet::new();
    for (application, lot) in lots {
        let at = format!("/lots/{application}");
        if !inputs.iter().any(|input| input.application == *application) {
            faults.push(Fault::new(
                &at,
                "not_a_candidate",
                "This application is not in the selection.",
                "该申报未进入遴选。",
            ));
        }
        if !seen.insert(lot) {
            faults.push(Fault::new(
                &at,
                "lot_twice",
                format!("Lot {lot} was given to another application."),
                format!("签号 {lot} 已属于其他申报。"),
            ));
        }
    }
    faults
}
