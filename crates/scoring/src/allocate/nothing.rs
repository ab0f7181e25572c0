//! Applications to which the amount rule gives nothing. They are not funded: an award of 0 is none.

use super::Bid;
use super::rules::{AmountRule, SelectionRules};
use super::words::Words;

/// Why `bid`, in place `place` (from 1) by score, would get 0 fen, and what would change that.
pub(super) fn why(rules: &SelectionRules, bid: &Bid, place: u32) -> (Words, Words) {
    if bid.requested_fen == 0 {
        return (
            Words::new("it asks for nothing", "申请金额为 0"),
            Words::new("a request above 0", "申请金额大于 0"),
        );
    }
    let score = &bid.score;
    let needs = match &rules.amount {
        AmountRule::TierByScore { .. } => Words::new(
            format!("a tier that gives something at {score}"),
            format!("{score} 分所在档次有资助金额"),
        ),
        AmountRule::TierByRank { .. } => Words::new(
            format!("a tier that gives something at rank {place}"),
            format!("第 {place} 名所在档次有资助金额"),
        ),
        AmountRule::Recommended if bid.recommended_fen == Some(0) => {
            Words::new("a recommended amount above 0", "建议金额大于 0")
        }
        AmountRule::AsRequested
        | AmountRule::Flat { .. }
        | AmountRule::StepDown { .. }
        | AmountRule::Recommended => {
            Words::new("an amount of at least 0.01 yuan", "资助金额不少于 0.01 元")
        }
    };
    (
        Words::new("the amount rule gives it nothing", "按金额规则不给予资助"),
        needs,
    )
}
