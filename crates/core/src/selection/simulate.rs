//! What if the rules were others: the same inputs under another budget, other weights or limits.

use std::collections::BTreeMap;

use fundcycle_scoring::{DomainLimits, Exact, Outcome, Yuan, combine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Input, Line, compute, earlier};
use crate::money::Money;
use crate::policy::{PolicyDocument, Round};
use crate::rejection::{Fault, Rejection};

/// What is different; what is left out stays as the policy in force has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// What may be spent, in yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Yuan>,
    /// The weights of rounds in the combined score.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<Round, Exact>,
    /// Scores below this are never funded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_line: Option<Exact>,
    /// The most that one award may be, in yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_award: Option<Yuan>,
    /// The most awards one organisation may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_organisation: Option<u32>,
    /// Limits of single domains.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domain: BTreeMap<String, DomainLimits>,
    /// Limits of every domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_domain: Option<DomainLimits>,
}

/// What was tried, and who would move.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Simulation {
    /// What was different.
    pub what_if: WhatIf,
    /// How many would be funded.
    pub funded: u32,
    /// With how much, in fen.
    pub total: Money,
    /// Who would stand otherwise than in the selection as it was.
    pub moved: Vec<Moved>,
    /// Who tried it.
    pub by: Option<Uuid>,
}

/// An application that would stand otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Which.
    pub application: Uuid,
    /// Its number.
    pub number: String,
    /// How it stands.
    pub was: Place,
    /// How it would stand.
    pub becomes: Place,
}

/// How an application stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Its combined score.
    pub score: Exact,
    /// Its place in the ranking.
    pub rank: Option<u32>,
    /// What becomes of it.
    pub decision: Outcome,
    /// What it gets, in fen.
    pub award: Money,
}

impl From<&Line> for Place {
    fn from(line: &Line) -> Self {
        Self {
            score: line.score.clone(),
            rank: line.rank,
            decision: line.decision,
            award: line.award,
        }
    }
}

/// Who would move from `lines` if `inputs` were selected from under `policy` with `what_if`. Pure.
///
/// # Errors
///
/// [`Rejection::Invalid`] where nothing is different, a round with a weight has no scores, or such
/// rules cannot work.
pub fn simulated(
    inputs: &[Input],
    lines: &[Line],
    what_if: Box<WhatIf>,
    policy: &PolicyDocument,
) -> Result<Simulation, Rejection> {
    let changed = changed(&what_if, policy);
    if changed == *policy {
        return Err(Rejection::fault(
            "/what_if",
            "nothing_differs",
            "Name something that is different from the policy in force.",
            "请至少填写一项与现行规则不同的设定。",
        ));
    }
    let mut faults: Vec<Fault> = changed
        .faults()
        .into_iter()
        .map(|fault| Fault::new("/what_if", fault.code, fault.message.en, fault.message.zh))
        .collect();
    let inputs = inputs
        .iter()
        .map(|input| rescored(input, &changed))
        .collect::<Result<Vec<Input>, Fault>>()
        .unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
    Rejection::unless_empty(faults)?;
    let (again, _) = compute::lines(&inputs, &changed)?;
    let before: BTreeMap<Uuid, &Line> = lines.iter().map(|line| (line.application, line)).collect();
    let moved = again.iter().filter_map(|line| {
        let was = Place::from(*before.get(&line.application)?);
        let becomes = Place::from(line);
        (was != becomes).then(|| Moved {
            application: line.application,
            number: line.number.clone(),
            was,
            becomes,
        })
    });
    let funded = again.iter().filter(|line| line.decision == Outcome::Funded);
    Ok(Simulation {
        funded: u32::try_from(funded.count()).unwrap_or(u32::MAX),
        total: Money::checked_sum(again.iter().map(|line| line.award)).unwrap_or(Money::ZERO),
        moved: moved.collect(),
        what_if: *what_if,
        by: None,
    })
}

fn changed(what_if: &WhatIf, policy: &PolicyDocument) -> PolicyDocument {
    let mut policy = policy.clone();
    for (round, weight) in &what_if.weights {
        if let Some(rules) = policy.rounds.get_mut(round) {
            rules.weight = weight.clone();
        }
    }
    let rules = &mut policy.selection;
    rules.budget = what_if.budget.unwrap_or(rules.budget);
    rules.pass_line = what_if.pass_line.clone().or(rules.pass_line.take());
    rules.max_award = what_if.max_award.or(rules.max_award);
    rules.max_per_organisation = what_if.max_per_organisation.or(rules.max_per_organisation);
    rules.domain.extend(what_if.domain.clone());
    rules.every_domain = what_if.every_domain.unwrap_or(rules.every_domain);
    policy
}

/// The same input with the combined score that these weights give.
fn rescored(input: &Input, policy: &PolicyDocument) -> Result<Input, Fault> {
    let mut parts = Vec::new();
    for (round, rules) in &policy.rounds {
        let ranks =
            matches!(round, Round::PaperReview | Round::Roadshow) && policy.has_round(*round);
        if !ranks || rules.weight.is_zero() {
            continue;
        }
        let Some(exact) = input.rounds.get(round) else {
            return Err(Fault::new(
                format!("/what_if/weights/{round}"),
                "no_score",
                format!(
                    "The selection did not take the {round} scores of {} in: it has no weight in force.",
                    input.number
                ),
                format!("本次遴选未采用 {} 的该轮({round})得分。", input.number),
            ));
        };
        parts.push((exact.clone(), rules.weight.clone()));
    }
    Ok(Input {
        score: earlier::with_bonus(&combine(&parts), &input.earlier, policy),
        ..input.clone()
    })
}
