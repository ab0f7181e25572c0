//! Selections: from the published scores and rules to who is funded, and every departure from it.

use std::collections::BTreeMap;

use fundcycle_scoring::{Exact, Outcome, combine};
use serde::Deserialize;
use uuid::Uuid;

use super::Said;
use super::check::Replay;
use super::fact::Fact;
use super::rankings::Rankings;
use crate::digest::canonical_hash;
use crate::disclosure::Step;
use crate::money::Money;
use crate::policy::{PolicyDocument, Round};
use crate::selection::{Input, Line, Run, lines, may_count, with_bonus};

#[derive(Default)]
pub(super) struct Selections {
    known: BTreeMap<Uuid, Selection>,
    held: usize,
}

/// A selection as it stands.
#[derive(Default)]
struct Selection {
    lines: Vec<Line>,
    promoted: BTreeMap<Uuid, Money>,
    approvals: u32,
}

#[derive(Deserialize)]
struct Changed {
    application: Uuid,
    decision: Outcome,
    award: Money,
}

#[derive(Deserialize)]
struct Promoted {
    application: Uuid,
    award: Money,
}

impl Selections {
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// What a selection says of the application with `number`, and what it gives it.
    pub(super) fn awarded(&self, selection: Uuid, number: &str) -> Option<(&Line, Money)> {
        let selection = self.known.get(&selection)?;
        let line = selection.lines.iter().find(|line| line.number == number)?;
        let award = selection.promoted.get(&line.application).copied();
        Some((line, award.unwrap_or(line.award)))
    }
}

pub(super) fn take(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    let (id, seq) = (fact.id()?, fact.seq);
    match fact.text("verb") {
        "compute" | "recompute" => computed(replay, fact),
        "depart" => departed(replay, fact),
        "approve" => {
            replay.selections.known.entry(id).or_default().approvals += 1;
            Ok(())
        }
        "send_back" => {
            replay.selections.known.entry(id).or_default().approvals = 0;
            Ok(())
        }
        "announce" => {
            let asked = replay.policy_at(fact)?.1.selection_approvals;
            let given = replay
                .selections
                .known
                .get(&id)
                .map_or(0, |one| one.approvals);
            if given < asked {
                return Err(Said::differs(
                    format!("entry {seq}: announced with {given} of {asked} approvals"),
                    format!("第 {seq} 条:公布时仅有 {given} 次审批,规则要求 {asked} 次"),
                ));
            }
            replay.say(Said::holds(
                format!(
                    "selection announced with {given} approval(s); the policy asks for {asked}"
                ),
                format!("遴选结果经 {given} 次审批后公布(规则要求 {asked} 次)"),
            ));
            Ok(())
        }
        "promote" => {
            let promoted: Promoted = fact.read("/data/promoted/promotion")?;
            let reason = fact.has(&super::fact::path(&[
                "data",
                "promoted",
                "promotion",
                "reason",
            ]));
            let selection = replay.selections.known.entry(id).or_default();
            let line = selection
                .lines
                .iter()
                .find(|line| line.application == promoted.application);
            match line {
                Some(line) if reason && promoted.award <= line.requested => {
                    let number = line.number.clone();
                    selection
                        .promoted
                        .insert(promoted.application, promoted.award);
                    replay.say(Said::holds(
                        format!("promotion of {number}: from the selection, at most what it asks for, with a reason"),
                        format!("递补 {number}:出自本次遴选,不超过申请金额,已载明理由"),
                    ));
                    Ok(())
                }
                _ => Err(Said::differs(
                    format!(
                        "entry {seq}: the promotion has no reason, asks too much, or is not of this selection"
                    ),
                    format!("第 {seq} 条:递补没有理由、超出申请金额或不属于本次遴选"),
                )),
            }
        }
        _ => Ok(()),
    }
}

fn computed(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    let (id, seq) = (fact.id()?, fact.seq);
    let run: Run = fact.read("/data/computed/run")?;
    let (number, policy) = replay.policy_at(fact)?;
    let differs = |en: String, zh: String| {
        Err(Said::differs(
            format!("entry {seq}, selection: {en}"),
            format!("第 {seq} 条,遴选:{zh}"),
        ))
    };
    if (run.policy_number, &run.policy_hash) != (number, &policy.hash()) {
        return differs(
            "it names another policy than the one in force".to_owned(),
            "所引规则不是当时生效的规则".to_owned(),
        );
    }
    if run.inputs_hash != canonical_hash(&run.inputs) {
        return differs(
            "its inputs have another hash".to_owned(),
            "输入数据的哈希不符".to_owned(),
        );
    }
    for input in &run.inputs {
        if let Some(what) = unlike(input, &replay.rankings, policy) {
            let one = &input.number;
            return differs(
                format!("the {what} of {one} does not follow from its rounds"),
                format!("{one} 的 {what} 与各轮结果不符"),
            );
        }
    }
    match lines(&run.inputs, policy) {
        Ok((again, certificate)) if again == run.lines && certificate == run.certificate => {}
        Ok((again, _)) => {
            let other = again
                .iter()
                .zip(&run.lines)
                .find(|(again, line)| again != line);
            let who = other
                .map(|(again, _)| again.number.clone())
                .unwrap_or_default();
            return differs(
                format!("the rules give another result, first for {who}"),
                format!("按规则得出的结果不同,首个差异为 {who}"),
            );
        }
        Err(rejection) => {
            let why = rejection.to_string();
            return differs(why.clone(), why);
        }
    }
    over_budget(&run.lines, policy, seq)?;
    let (count, funded) = (run.lines.len(), funded(&run.lines));
    let total = total(&run.lines);
    replay.selections.held += 1;
    replay.selections.known.insert(
        id,
        Selection {
            lines: run.lines,
            ..Selection::default()
        },
    );
    replay.say(Said::holds(
        format!("selection: scores and policy {number} give all {count} lines; {funded} funded with {total} yuan"),
        format!("遴选:由得分和第 {number} 号规则重新得出全部 {count} 行,资助 {funded} 个,共 {total} 元"),
    ));
    Ok(())
}

/// Which part of an input is not what the rounds and the policy make of it.
fn unlike(input: &Input, rankings: &Rankings, policy: &PolicyDocument) -> Option<&'static str> {
    let mut parts = Vec::new();
    for (round, exact) in &input.rounds {
        let score = rankings.scores.get(&(input.application, *round))?;
        if score.exact != *exact {
            return Some("score");
        }
        let weight = policy
            .rounds
            .get(round)
            .map_or(Exact::ZERO, |rules| rules.weight.clone());
        parts.push((exact.clone(), weight));
    }
    if !may_count(&input.earlier, policy) {
        return Some("bonus");
    }
    if with_bonus(&combine(&parts), &input.earlier, policy) != input.score {
        return Some("score");
    }
    for round in [Round::PaperReview, Round::Roadshow] {
        let weighs = policy.has_round(round)
            && policy
                .rounds
                .get(&round)
                .is_some_and(|rules| !rules.weight.is_zero());
        if weighs != input.rounds.contains_key(&round) {
            return Some("score");
        }
        let key = input.keys.get(&format!("round:{round}"));
        let score = rankings.scores.get(&(input.application, round));
        if key != score.map(|score| &score.rounded) {
            return Some("tie-break");
        }
    }
    if input.keys.get("requested") != Some(&Exact::from_integer(input.requested.fen())) {
        return Some("request");
    }
    (recommended(input.application, rankings) != input.recommended).then_some("recommendation")
}

/// The lower median of what the experts of the last round with such figures would fund.
fn recommended(application: Uuid, rankings: &Rankings) -> Option<Money> {
    let mut found = None;
    for round in [Round::PaperReview, Round::Roadshow] {
        let mut amounts: Vec<Money> = rankings
            .sheets
            .values()
            .filter(|sheet| {
                sheet.counts() && sheet.subject == Some(application) && sheet.round == Some(round)
            })
            .filter_map(|sheet| sheet.recommended)
            .collect();
        amounts.sort_unstable();
        let middle = amounts.len().checked_sub(1).map(|last| last / 2);
        found = middle
            .and_then(|middle| amounts.get(middle).copied())
            .or(found);
    }
    found
}

fn departed(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    let (id, seq) = (fact.id()?, fact.seq);
    let changes: Vec<Changed> = fact.read("/data/departed/changes")?;
    let policy = replay.policy_at(fact)?.1.clone();
    let selection = replay.selections.known.entry(id).or_default();
    for (index, change) in changes.iter().enumerate() {
        let mut reason = super::fact::path(&["data", "departed", "changes"]);
        reason.extend([Step::Index(index), Step::Key("reason".to_owned())]);
        let line = selection
            .lines
            .iter_mut()
            .find(|line| line.application == change.application);
        match line {
            Some(line) if fact.has(&reason) && change.award <= line.requested => {
                line.decision = change.decision;
                line.award = change.award;
                line.departed = true;
            }
            _ => {
                return Err(Said::differs(
                    format!(
                        "entry {seq}: departure {index} has no reason, gives too much, or is not of this selection"
                    ),
                    format!("第 {seq} 条:第 {index} 项调整没有理由、超出申请金额或不属于本次遴选"),
                ));
            }
        }
    }
    over_budget(&selection.lines, &policy, seq)?;
    replay.say(Said::holds(
        format!(
            "departures from the ranking: {}, each with a reason on record and within the budget",
            changes.len()
        ),
        format!("偏离排名的调整 {} 项:均有在案理由,未超预算", changes.len()),
    ));
    Ok(())
}

fn funded(lines: &[Line]) -> usize {
    lines
        .iter()
        .filter(|line| line.decision == Outcome::Funded)
        .count()
}

fn total(lines: &[Line]) -> Money {
    Money::checked_sum(lines.iter().map(|line| line.award)).unwrap_or(Money::ZERO)
}

fn over_budget(lines: &[Line], policy: &PolicyDocument, seq: usize) -> Result<(), Said> {
    let budget = Money::from_fen(policy.selection.budget.fen());
    let total = Money::checked_sum(lines.iter().map(|line| line.award));
    if total.is_some_and(|total| total <= budget) {
        return Ok(());
    }
    Err(Said::differs(
        format!("entry {seq}: the awards add up to more than the budget of {budget} yuan"),
        format!("第 {seq} 条:资助合计超出预算 {budget} 元"),
    ))
}
