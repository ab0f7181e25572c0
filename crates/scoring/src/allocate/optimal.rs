//! Funding the best set: the greatest total score, or the greatest number of projects.

use std::collections::BTreeMap;

use super::explain::Explained;
use super::problem::{Domain, Item, Problem};
use super::rules::{Objective, SelectionRules};
use super::search::{self, Best, Failure};
use super::words::{Words, below, more_budget};
use super::{Allocation, AllocationError, Bid, Certificate, Decision, Outcome, nothing};
use crate::number::Exact;
use crate::yuan::Yuan;

/// How many partial choices are looked at before giving up: some seconds.
const SEARCH_LIMIT: usize = 20_000_000;

/// The bids that may be funded, as a problem.
pub(super) struct Choice<'a> {
    /// Place by score, award and bid of each item.
    bids: Vec<(u32, i64, &'a Bid)>,
    domains: Vec<&'a str>,
    pub(super) problem: Problem,
    /// Profit of one point of score.
    pub(super) per_point: i128,
}

pub(super) fn allocate(
    rules: &SelectionRules,
    ranked: &[&Bid],
) -> Result<Allocation, AllocationError> {
    let choice = Choice::new(rules, ranked)?;
    let impossible = || match choice.check_minimums() {
        Ok(()) => AllocationError::Infeasible("no choice keeps all limits".into()),
        Err(why) => why,
    };
    let prices = choice.problem.prices().ok_or_else(impossible)?;
    let best =
        search::best(&choice.problem, &prices, SEARCH_LIMIT).map_err(|failure| match failure {
            Failure::Infeasible => impossible(),
            Failure::TooLarge => AllocationError::TooLarge,
        })?;
    let mut explained = Explained::new(&choice, &prices, &best);
    let places: BTreeMap<&str, usize> = choice
        .bids
        .iter()
        .enumerate()
        .map(|(index, (_, _, bid))| (bid.application.as_str(), index))
        .collect();
    let mut total = 0;
    let mut reserves = 0;
    let mut decisions = Vec::with_capacity(ranked.len());
    for (place, bid) in (1..).zip(ranked) {
        let item = places.get(bid.application.as_str()).copied();
        let chosen = item.is_some_and(|item| best.chosen.get(item) == Some(&true));
        let (decision, award_fen, reason, needs) = if chosen {
            let award = rules.award_fen(bid, place);
            total += award;
            (
                Outcome::Funded,
                award,
                Words::new("in the best choice", "在最优方案中").of_place(place),
                rules.acceptance(bid, award),
            )
        } else {
            let (reason, needs) = match item {
                Some(item) => explained.why_not(rules, place, item),
                None => why_never(rules, bid, place),
            };
            let may_win = rules.passes(bid) && 0 < rules.award_fen(bid, place);
            let stands_by = may_win && reserves < rules.reserve;
            reserves += u32::from(stands_by);
            let outcome = if stands_by {
                Outcome::Reserve
            } else {
                Outcome::NotFunded
            };
            (outcome, 0, reason, needs)
        };
        decisions.push(Decision {
            application: bid.application.clone(),
            decision,
            award_fen,
            reason: reason.en,
            reason_zh: reason.zh,
            needs: needs.en,
            needs_zh: needs.zh,
        });
    }
    Ok(Allocation {
        decisions,
        mode: rules.mode,
        total_awarded_fen: total,
        certificate: Some(choice.certificate(rules, &best)),
    })
}

/// An application that no choice could fund.
fn why_never(rules: &SelectionRules, bid: &Bid, place: u32) -> (Words, Words) {
    if let Some(line) = rules.pass_line.as_ref().filter(|line| &&bid.score < line) {
        let (reason, needs) = below(line, bid);
        return (reason.of_place(place), needs);
    }
    let award = rules.award_fen(bid, place);
    if award == 0 {
        let (reason, needs) = nothing::why(rules, bid, place);
        return (reason.of_place(place), needs);
    }
    let excess = award - rules.budget.fen();
    let reason = Words::new(
        "the award alone exceeds the budget",
        "单项资助金额已超出预算",
    );
    (
        reason.of_place(place),
        more_budget(Yuan::from_fen(excess).unwrap_or_default()),
    )
}

impl<'a> Choice<'a> {
    fn new(rules: &SelectionRules, ranked: &[&'a Bid]) -> Result<Self, AllocationError> {
        let bids: Vec<(u32, i64, &Bid)> = (1..)
            .zip(ranked.iter().copied())
            .map(|(place, bid)| (place, rules.award_fen(bid, place), bid))
            .filter(|(_, award, bid)| {
                rules.passes(bid) && 0 < *award && *award <= rules.budget.fen()
            })
            .collect();
        let unit = bids
            .iter()
            .try_fold(1_i64, |unit, (_, _, bid)| bid.score.common_unit(unit));
        let scores: Option<Vec<i128>> = bids
            .iter()
            .map(|(_, _, bid)| {
                bid.score
                    .in_units_of(unit?)
                    .filter(|units| units.abs() < 1 << 50)
                    .map(i128::from)
            })
            .collect();
        let (Some(unit), Some(scores)) = (unit, scores) else {
            return Err(AllocationError::Bids(vec![
                "the scores have too many digits to be added exactly: round them".into(),
            ]));
        };
        // One project more outweighs all scores together, so that these decide among equals.
        let each = match rules.maximise {
            Objective::Score => 0,
            Objective::Count => scores.iter().map(|score| score.abs()).sum::<i128>() + 1,
        };
        let mut domains: Vec<&str> = bids.iter().map(|(_, _, bid)| bid.domain.as_str()).collect();
        domains.sort_unstable();
        domains.dedup();
        let mut items: Vec<Item> = bids
            .iter()
            .zip(&scores)
            .map(|((_, award, bid), score)| Item {
                profit: score + each,
                cost: *award,
                domain: domains
                    .binary_search(&bid.domain.as_str())
                    .unwrap_or_default(),
                groups: Vec::new(),
            })
            .collect();
        let groups = groups(rules, &bids, &mut items);
        let limits = domains
            .iter()
            .map(|name| {
                let limits = rules.limits_of(name);
                let own: Vec<i64> = bids
                    .iter()
                    .filter(|(_, _, bid)| bid.domain == *name)
                    .map(|(_, award, _)| *award)
                    .collect();
                let count = u32::try_from(own.len()).unwrap_or(u32::MAX);
                let fen: i64 = own.iter().fold(0, |sum, award| sum.saturating_add(*award));
                Domain {
                    min: limits.min.unwrap_or(0).min(count),
                    max: limits.max.filter(|max| *max < count).unwrap_or(u32::MAX),
                    min_fen: limits.min_amount.map_or(0, Yuan::fen).min(fen),
                    max_fen: limits
                        .max_amount
                        .map(Yuan::fen)
                        .filter(|max| *max < fen)
                        .unwrap_or(i64::MAX),
                }
            })
            .collect();
        let problem = Problem {
            budget: rules.budget.fen(),
            items,
            domains: limits,
            within_domain: Vec::new(),
            groups,
        };
        let problem = problem.with_spans();
        Ok(Self {
            bids,
            domains,
            problem,
            per_point: unit.into(),
        })
    }

    /// That the minimums can be met at all, or the fewest of them that cannot.
    fn check_minimums(&self) -> Result<(), AllocationError> {
        let demanding = |domain: &Domain| 0 < domain.min || 0 < domain.min_fen;
        let mut kept: Vec<usize> = (0..self.domains.len())
            .filter(|index| self.problem.domains.get(*index).is_some_and(demanding))
            .collect();
        if kept.is_empty()
            || self
                .cheapest(&kept)?
                .is_some_and(|fen| fen <= self.problem.budget)
        {
            return Ok(());
        }
        // Leave out one minimum after the other as long as the rest is still impossible.
        for index in kept.clone() {
            let fewer: Vec<usize> = kept
                .iter()
                .copied()
                .filter(|other| *other != index)
                .collect();
            if self
                .cheapest(&fewer)?
                .is_none_or(|fen| self.problem.budget < fen)
            {
                kept = fewer;
            }
        }
        let names: Vec<&str> = kept
            .iter()
            .filter_map(|index| self.domains.get(*index).copied())
            .collect();
        let names = names.join(", ");
        Err(AllocationError::Infeasible(match self.cheapest(&kept)? {
            Some(fen) => format!(
                "the minimums of {names} cost at least {} yuan, the budget is {}",
                Yuan::from_fen(fen).unwrap_or_default(),
                Yuan::from_fen(self.problem.budget).unwrap_or_default(),
            ),
            None => {
                format!("the minimums of {names} contradict the other limits on these applications")
            }
        }))
    }

    /// The least money that meets the minimums of these domains; `None` if no money does.
    fn cheapest(&self, minimums_of: &[usize]) -> Result<Option<i64>, AllocationError> {
        let mut problem = self.problem.clone();
        problem.budget = i64::MAX / 4;
        for item in &mut problem.items {
            item.profit = -i128::from(item.cost);
        }
        for (index, domain) in problem.domains.iter_mut().enumerate() {
            if !minimums_of.contains(&index) {
                domain.min = 0;
                domain.min_fen = 0;
            }
        }
        let Some(prices) = problem.prices() else {
            return Ok(None);
        };
        match search::best(&problem, &prices, SEARCH_LIMIT) {
            Ok(best) => Ok(i64::try_from(-best.profit).ok()),
            Err(Failure::Infeasible) => Ok(None),
            Err(Failure::TooLarge) => Err(AllocationError::TooLarge),
        }
    }

    fn certificate(&self, rules: &SelectionRules, best: &Best) -> Certificate {
        let objective = match rules.maximise {
            Objective::Score => Exact::ratio(best.profit, self.per_point).unwrap_or_default(),
            Objective::Count => {
                let chosen = best.chosen.iter().filter(|chosen| **chosen).count();
                Exact::from_integer(i64::try_from(chosen).unwrap_or(i64::MAX))
            }
        };
        // The search ended, so nothing better exists: it has looked at every choice whose bound is
        // above this one.
        Certificate {
            bound: objective.clone(),
            gap: Exact::ZERO,
            objective,
        }
    }
}

/// Puts items into the groups of which only so many may be funded, and gives the limits. Groups
/// that cannot bind are left out.
fn groups(rules: &SelectionRules, bids: &[(u32, i64, &Bid)], items: &mut [Item]) -> Vec<u32> {
    let mut members: Vec<(u32, Vec<usize>)> = Vec::new();
    let mut gather = |most: Option<u32>, key: &dyn Fn(&Bid) -> Option<String>| {
        let Some(most) = most else { return };
        let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (_, _, bid)) in bids.iter().enumerate() {
            if let Some(key) = key(bid) {
                by_key.entry(key).or_default().push(index);
            }
        }
        members.extend(by_key.into_values().map(|own| (most, own)));
    };
    gather(rules.max_per_organisation, &|bid| {
        Some(bid.organisation.clone())
    });
    gather(rules.max_per_street, &|bid| bid.street.clone());
    for (a, b) in &rules.incompatible {
        gather(Some(1), &|bid| {
            [a, b].contains(&&bid.application).then(String::new)
        });
    }
    let mut limits = Vec::new();
    for (most, own) in members {
        if own.len() <= most as usize {
            continue;
        }
        for index in own {
            if let Some(item) = items.get_mut(index) {
                item.groups.push(limits.len());
            }
        }
        limits.push(most);
    }
    limits
}
