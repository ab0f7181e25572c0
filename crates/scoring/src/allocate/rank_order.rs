//! Funding in rank order: the minimums of the domains first, then everyone by score.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{SelectionRules, WhenShort};
use super::{Allocation, Bid, Decision, Outcome};
use crate::yuan::Yuan;

/// What has been given away so far.
#[derive(Default)]
struct Given<'a> {
    fen: i64,
    awards: BTreeMap<&'a str, i64>,
    organisations: BTreeMap<&'a str, u32>,
    streets: BTreeMap<&'a str, u32>,
    domains: BTreeMap<&'a str, (u32, i64)>,
}

/// Why an application is not funded, and what would have to be different.
struct Stop {
    reason: String,
    needs: String,
}

impl Stop {
    fn new(reason: impl Into<String>, needs: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            needs: needs.into(),
        }
    }
}

pub(super) fn allocate(rules: &SelectionRules, ranked: &[&Bid]) -> Allocation {
    let budget = rules.budget.fen();
    let places: Vec<(u32, &Bid)> = (1..).zip(ranked.iter().copied()).collect();
    let passes = |bid: &Bid| {
        rules
            .pass_line
            .as_ref()
            .is_none_or(|line| line <= &bid.score)
    };
    let mut given = Given::default();
    for (place, bid) in &places {
        let award = rules.award_fen(bid, *place);
        let (count, fen) = given
            .domains
            .get(bid.domain.as_str())
            .copied()
            .unwrap_or_default();
        let limits = rules.limits_of(&bid.domain);
        let short = limits.min.is_some_and(|min| count < min)
            || limits.min_amount.is_some_and(|min| fen < min.fen());
        let fits = award <= budget - given.fen;
        if short && passes(bid) && fits && given.limit(rules, bid, award).is_none() {
            given.give(bid, award);
        }
    }
    let first: BTreeSet<&str> = given.awards.keys().copied().collect();
    let mut stopped_at: Option<&str> = None;
    let mut decisions = Vec::with_capacity(ranked.len());
    let mut reserves = 0;
    for (place, bid) in &places {
        let full = rules.award_fen(bid, *place);
        let rest = budget - given.fen;
        let stop = if first.contains(bid.application.as_str()) {
            None
        } else if let Some(line) = rules.pass_line.as_ref().filter(|line| &&bid.score < line) {
            Some(Stop::new(
                format!("rank {place}: {} is below the pass line {line}", bid.score),
                format!("{} more points", line - &bid.score),
            ))
        } else if let Some(stop) = given.limit(rules, bid, full) {
            Some(stop)
        } else if let Some(last) = stopped_at {
            Some(Stop::new(
                format!("rank {place}: the money ran out at {last}"),
                "a larger budget",
            ))
        } else if full <= rest {
            given.give(bid, full);
            None
        } else {
            let partial = rest.max(0);
            let enough = 0 < partial && rules.floor_fen(bid) <= partial;
            if rules.when_short == WhenShort::PartialLast && enough {
                given.give(bid, partial);
                stopped_at = Some(&bid.application);
                None
            } else {
                if rules.when_short != WhenShort::SkipAndFill {
                    stopped_at = Some(&bid.application);
                }
                Some(Stop::new(
                    format!("rank {place}: {} yuan are left of the budget", yuan(rest)),
                    format!("{} more yuan of budget", yuan(full - rest)),
                ))
            }
        };
        let award = given
            .awards
            .get(bid.application.as_str())
            .copied()
            .unwrap_or(0);
        let decision = match stop {
            None => funded(
                rules,
                bid,
                *place,
                award,
                full,
                first.contains(bid.application.as_str()),
            ),
            Some(stop) => {
                let stands_by = passes(bid) && reserves < rules.reserve;
                reserves += u32::from(stands_by);
                Decision {
                    application: bid.application.clone(),
                    decision: if stands_by {
                        Outcome::Reserve
                    } else {
                        Outcome::NotFunded
                    },
                    award_fen: 0,
                    reason: stop.reason,
                    needs: stop.needs,
                }
            }
        };
        decisions.push(decision);
    }
    Allocation {
        decisions,
        mode: rules.mode,
        total_awarded_fen: given.fen,
        certificate: None,
    }
}

fn funded(
    rules: &SelectionRules,
    bid: &Bid,
    place: u32,
    award: i64,
    full: i64,
    by_minimum: bool,
) -> Decision {
    let reason = if award < full {
        format!("rank {place}: gets the rest of the budget")
    } else if by_minimum {
        format!("rank {place}: within the minimum of domain {}", bid.domain)
    } else {
        format!("rank {place}: within the budget")
    };
    let floor = rules.floor_fen(bid);
    let needs = if award < floor {
        format!(
            "acceptance: the award is below the floor of {} yuan",
            yuan(floor)
        )
    } else {
        String::new()
    };
    Decision {
        application: bid.application.clone(),
        decision: Outcome::Funded,
        award_fen: award,
        reason,
        needs,
    }
}

fn yuan(fen: i64) -> String {
    Yuan::from_fen(fen.max(0)).unwrap_or_default().to_string()
}

impl<'a> Given<'a> {
    fn give(&mut self, bid: &'a Bid, fen: i64) {
        self.fen += fen;
        self.awards.insert(&bid.application, fen);
        *self.organisations.entry(&bid.organisation).or_default() += 1;
        if let Some(street) = &bid.street {
            *self.streets.entry(street).or_default() += 1;
        }
        let domain = self.domains.entry(&bid.domain).or_default();
        domain.0 += 1;
        domain.1 += fen;
    }

    /// The limit other than the budget that an award to `bid` would break.
    fn limit(&self, rules: &SelectionRules, bid: &Bid, award: i64) -> Option<Stop> {
        let reached = |counts: &BTreeMap<&str, u32>, who: &str, most: Option<u32>| {
            most.filter(|most| *most <= counts.get(who).copied().unwrap_or(0))
        };
        let (count, fen) = self
            .domains
            .get(bid.domain.as_str())
            .copied()
            .unwrap_or_default();
        let limits = rules.limits_of(&bid.domain);
        if let Some(max) = limits.max.filter(|max| *max <= count) {
            return Some(Stop::new(
                format!("domain {} max {max} reached", bid.domain),
                format!("max {} in domain {}", count + 1, bid.domain),
            ));
        }
        if let Some(max) = limits.max_amount.filter(|max| max.fen() < fen + award) {
            return Some(Stop::new(
                format!("domain {} max_amount {max} reached", bid.domain),
                format!("max_amount {} in domain {}", yuan(fen + award), bid.domain),
            ));
        }
        if let Some(max) = reached(
            &self.organisations,
            &bid.organisation,
            rules.max_per_organisation,
        ) {
            return Some(Stop::new(
                format!("organisation {} has {max} already", bid.organisation),
                format!("max_per_organisation {}", max + 1),
            ));
        }
        if let Some(street) = &bid.street
            && let Some(max) = reached(&self.streets, street, rules.max_per_street)
        {
            return Some(Stop::new(
                format!("street {street} has {max} already"),
                format!("max_per_street {}", max + 1),
            ));
        }
        let rival = rules.incompatible.iter().find_map(|(a, b)| {
            let other = if a == &bid.application {
                b
            } else if b == &bid.application {
                a
            } else {
                return None;
            };
            self.awards.contains_key(other.as_str()).then_some(other)
        });
        rival.map(|rival| {
            Stop::new(
                format!("incompatible with {rival}, which is funded"),
                format!("{rival} not funded"),
            )
        })
    }
}
