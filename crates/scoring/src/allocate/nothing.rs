//! Applications to which the amount rule gives nothing. They are not funded: an award of 0 is none.

use super::Bid;
use super::rules::{AmountRule, SelectionRules};

/// Why `bid`, in place `place` (from 1) by score, would get 0 fen, and what would change that.
pub(super) fn why(rules: &SelectionRules, bid: &Bid, place: u32) -> (String, String) {
    if bid.requested_fen == 0 {
        return (
            "it asks for nothing".to_owned(),
            "a request above 0".to_owned(),
        );
    }
    let needs = match &rules.amount {
        AmountRule::TierByScore { .. } => format!("a tier that gives something at {}", bid.score),
        AmountRule::TierByRank { .. } => format!("a tier that gives something at rank {place}"),
        AmountRule::Recommended if bid.recommended_fen == Some(0) => {
            "a recommended amount above 0".to_owned()
        }
        AmountRule::AsRequested
        | AmountRule::Flat { .. }
        | AmountRule::StepDown { .. }
        | AmountRule::Recommended => "an amount of at least 0.01 yuan".to_owned(),
    };
    ("the amount rule gives it nothing".to_owned(), needs)
}
