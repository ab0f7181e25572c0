//! Cutting every request alike, no deeper than it takes to fund as many as possible.

use super::rules::{AmountRule, RankTier, SelectionRules};
use super::{Allocation, AllocationError, Bid, Outcome, by_mode};
use crate::number::Exact;

/// The shares from 1 down to `least`, `step` apart.
pub(super) fn shares(step: &Exact, least: &Exact) -> impl Iterator<Item = Exact> {
    let least = least.clone();
    let step = step.clone();
    std::iter::successors(Some(Exact::ONE), move |share| Some(share - &step))
        .take_while(move |share| least <= *share)
}

/// The selection at the greatest share at which as many are funded as at any.
pub(super) fn allocate(
    rules: &SelectionRules,
    (step, least): (&Exact, &Exact),
    ranked: &[&Bid],
) -> Result<Allocation, AllocationError> {
    let mut best: Option<(usize, Exact, Allocation)> = None;
    let mut impossible = None;
    for share in shares(step, least) {
        let tier = RankTier {
            through: u32::MAX,
            share: share.clone(),
        };
        let cut = SelectionRules {
            amount: AmountRule::TierByRank { tiers: vec![tier] },
            ..rules.clone()
        };
        match by_mode(&cut, ranked) {
            Ok(allocation) => {
                let funded = count(&allocation);
                if best.as_ref().is_none_or(|(most, ..)| *most < funded) {
                    best = Some((funded, share, allocation));
                }
            }
            // A deeper cut may leave money for every minimum.
            Err(error @ AllocationError::Infeasible(_)) => impossible = Some(error),
            Err(error) => return Err(error),
        }
    }
    let Some((_, share, mut allocation)) = best else {
        return Err(impossible.unwrap_or(AllocationError::TooLarge));
    };
    let funded = |decision: Outcome| decision == Outcome::Funded && share < Exact::ONE;
    for line in &mut allocation.decisions {
        if funded(line.decision) {
            line.reason = format!("{}; every request is cut to {share} of it", line.reason);
        }
    }
    Ok(allocation)
}

fn count(allocation: &Allocation) -> usize {
    let decisions = allocation.decisions.iter();
    decisions
        .filter(|line| line.decision == Outcome::Funded)
        .count()
}
