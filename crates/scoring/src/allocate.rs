//! Who is funded, and with how much, under a budget (`domain.md` §5.4).

mod certain;
mod contest;
mod explain;
mod given;
mod nothing;
mod optimal;
mod problem;
#[cfg(test)]
mod proof;
mod rank_order;
mod refine;
mod rules;
mod search;
mod simplex;
mod states;
mod step_down;
mod tracked;
mod trials;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use rules::{
    AmountRule, DomainLimits, Objective, RankTier, RulesFault, ScoreTier, SelectionMode,
    SelectionRules, WhenShort,
};

use crate::number::Exact;

/// One application that asks for money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// The application. Unique.
    pub application: String,
    /// Who applies.
    pub organisation: String,
    /// The domain it competes in.
    pub domain: String,
    /// The street (街道) it belongs to, for `max_per_street`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Its score as published.
    pub score: Exact,
    /// What it asks for, in fen. Not negative.
    pub requested_fen: i64,
    /// What the experts, or staff, recommend, in fen, for the amount rule `recommended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended_fen: Option<i64>,
}

/// What becomes of an application.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It gets an award.
    Funded,
    /// It moves up if an award falls free.
    Reserve,
    /// It gets nothing: an award is never 0.
    NotFunded,
}

/// The trace line of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The application.
    pub application: String,
    /// What becomes of it.
    pub decision: Outcome,
    /// What it gets, in fen; 0 if it is not funded.
    pub award_fen: i64,
    /// Which rule decided.
    pub reason: String,
    /// The same in Chinese.
    pub reason_zh: String,
    /// For an application that is not funded, what would have had to be different; for one that is
    /// funded below its request, what it must accept. Empty otherwise.
    pub needs: String,
    /// The same in Chinese.
    pub needs_zh: String,
}

/// The selection: one decision per application, highest score first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// One line per application.
    pub decisions: Vec<Decision>,
    /// How the funded ones were chosen.
    pub mode: SelectionMode,
    /// The sum of all awards, in fen. Never above the budget.
    pub total_awarded_fen: i64,
    /// Proof that no other choice is better; only where the mode promises the best.
    pub certificate: Option<Certificate>,
}

/// How good the choice is, and how good any choice could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What the choice reaches.
    pub objective: Exact,
    /// What no choice within the rules can exceed.
    pub bound: Exact,
    /// `bound` minus `objective`: 0, for the choice is optimal.
    pub gap: Exact,
}

/// Why there is no selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// The rules contradict themselves; see [`SelectionRules::faults`].
    #[error("the selection rules are faulty: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rules(Vec<RulesFault>),
    /// Bids that cannot be: all of them.
    #[error("{}", .0.join("; "))]
    Bids(Vec<String>),
    /// The minimums cannot be met with these bids.
    #[error("the rules cannot be met: {0}")]
    Infeasible(String),
    /// The best choice could not be proven within the work that is allowed.
    #[error(
        "the best choice among these bids cannot be proven in reasonable time, for too many sets \
         differ by next to nothing: use mode rank_order, or round scores to fewer decimals and \
         amounts to whole hundreds of yuan, or limit fewer domains by max_amount"
    )]
    TooLarge,
}

/// Chooses who is funded. `bids` with equal scores compete in the order given, so pass them in the
/// order of the published ranking.
pub fn allocate(rules: &SelectionRules, bids: &[Bid]) -> Result<Allocation, AllocationError> {
    let faults = rules.faults();
    if !faults.is_empty() {
        return Err(AllocationError::Rules(faults));
    }
    let faults = bid_faults(rules, bids);
    if !faults.is_empty() {
        return Err(AllocationError::Bids(faults));
    }
    let mut ranked: Vec<&Bid> = bids.iter().collect();
    ranked.sort_by(|a, b| b.score.cmp(&a.score));
    match &rules.amount {
        AmountRule::StepDown { step, least } => step_down::allocate(rules, (step, least), &ranked),
        _ => by_mode(rules, &ranked),
    }
}

fn by_mode(rules: &SelectionRules, ranked: &[&Bid]) -> Result<Allocation, AllocationError> {
    match rules.mode {
        SelectionMode::RankOrder => Ok(rank_order::allocate(rules, ranked)),
        SelectionMode::Optimal => optimal::allocate(rules, ranked),
    }
}

fn bid_faults(rules: &SelectionRules, bids: &[Bid]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for bid in bids {
        let id = &bid.application;
        if !seen.insert(id) {
            faults.push(format!("application `{id}` bids twice"));
        }
        if bid.requested_fen < 0 {
            faults.push(format!("application `{id}` asks for a negative amount"));
        }
        match bid.recommended_fen {
            Some(fen) if fen < 0 => {
                faults.push(format!("the recommended amount of `{id}` is negative"));
            }
            None if rules.amount == AmountRule::Recommended => {
                faults.push(format!("application `{id}` has no recommended amount"));
            }
            _ => {}
        }
        if rules.max_per_street.is_some() && bid.street.is_none() {
            faults.push(format!(
                "application `{id}` names no street, which max_per_street needs"
            ));
        }
    }
    for (a, b) in &rules.incompatible {
        for id in [a, b] {
            if !seen.contains(id) {
                faults.push(format!(
                    "the incompatible pair {a}, {b} names `{id}`, which does not bid"
                ));
            }
        }
    }
    faults
}
