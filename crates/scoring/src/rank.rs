//! From scores to ranks, with a declared chain of tie-breaks (`domain.md` §5.3).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::Exact;

/// One link of the tie-break chain.
///
/// The chain is open: whoever ranks brings the values. Usual names are `round:roadshow`,
/// `criterion:need`, `level_rating`, `not_funded_last_cycle`, `requested`, `submitted_at` and
/// `lots` (the position in a recorded draw).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TieBreak {
    /// Which of [`Candidate::keys`] is compared.
    pub by: String,
    /// Which value goes first; the higher if absent.
    #[serde(default)]
    pub order: Order,
}

/// Which of two values goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The higher value: scores, ratings.
    #[default]
    Higher,
    /// The lower value: requested amounts, times of submission, lots.
    Lower,
}

/// One application to be ranked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Who it is.
    pub id: String,
    /// The score as published; absent without a valid sheet.
    pub score: Option<Exact>,
    /// Values for the tie-break chain. A candidate without a value goes after those that have it.
    #[serde(default)]
    pub keys: BTreeMap<String, Exact>,
}

/// The place of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// Who it is.
    pub id: String,
    /// The place, from 1. Where a tie stands, all share the place and the next ones are skipped
    /// (1, 2, 2, 4). Absent without a score.
    pub rank: Option<u32>,
    /// The score.
    pub score: Option<Exact>,
    /// The tie-break that set this application apart from the one before it with the same score
    /// or, for the first of them, from the one after it. Absent if no other has the score, or if
    /// the tie stands.
    pub decided_by: Option<String>,
}

/// Ranks by score, highest first; equals by the chain, in its order. Applications that are equal
/// in everything share a rank and stay in the order they came in. Those without a score come last.
#[must_use]
pub fn rank(candidates: &[Candidate], chain: &[TieBreak]) -> Vec<Ranked> {
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by(|a, b| compare(a, b, chain).0);
    let classes: Vec<&[&Candidate]> = order
        .chunk_by(|a, b| compare(a, b, chain).0.is_eq())
        .collect();
    let mut ranked = Vec::with_capacity(order.len());
    let mut place = 1_u32;
    for (index, class) in classes.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| classes.get(index));
        let decided_by = [before, classes.get(index + 1)]
            .into_iter()
            .flatten()
            .find_map(|other| compare(other.first()?, class.first()?, chain).1);
        for candidate in *class {
            let scored = candidate.score.is_some();
            ranked.push(Ranked {
                id: candidate.id.clone(),
                rank: scored.then_some(place),
                score: candidate.score.clone(),
                decided_by: decided_by.filter(|_| scored).map(str::to_owned),
            });
        }
        place = place.saturating_add(u32::try_from(class.len()).unwrap_or(u32::MAX));
    }
    ranked
}

/// Which goes first, and the tie-break that said so if the scores are equal.
fn compare<'c>(a: &Candidate, b: &Candidate, chain: &'c [TieBreak]) -> (Ordering, Option<&'c str>) {
    let by_score = first(a.score.as_ref(), b.score.as_ref(), Order::Higher);
    if by_score.is_ne() || a.score.is_none() {
        return (by_score, None);
    }
    for link in chain {
        let by_link = first(a.keys.get(&link.by), b.keys.get(&link.by), link.order);
        if by_link.is_ne() {
            return (by_link, Some(&link.by));
        }
    }
    (Ordering::Equal, None)
}

fn first(a: Option<&Exact>, b: Option<&Exact>, order: Order) -> Ordering {
    match (a, b, order) {
        (Some(a), Some(b), Order::Higher) => b.cmp(a),
        (Some(a), Some(b), Order::Lower) => a.cmp(b),
        (a, b, _) => b.is_some().cmp(&a.is_some()),
    }
}
