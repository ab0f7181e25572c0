//! What has been given away so far, and which limits that leaves.

use std::collections::BTreeMap;

use super::Bid;
use super::rules::SelectionRules;
use crate::yuan::Yuan;

/// The awards so far, added up by everything that has a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) fen: i64,
    pub(super) awards: BTreeMap<&'a str, i64>,
    organisations: BTreeMap<&'a str, u32>,
    streets: BTreeMap<&'a str, u32>,
    domains: BTreeMap<&'a str, (u32, i64)>,
}

/// A limit that an award would break, and what it would have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Domain {
        domain: String,
        max: u32,
        needed: u32,
    },
    DomainAmount {
        domain: String,
        max: Yuan,
        needed: Yuan,
    },
    Organisation {
        organisation: String,
        max: u32,
        needed: u32,
    },
    Street {
        street: String,
        max: u32,
        needed: u32,
    },
    Incompatible {
        rival: String,
    },
}

impl Limit {
    /// The trace line's reason.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Domain { domain, max, .. } => format!("domain {domain} max {max} reached"),
            Self::DomainAmount { domain, max, .. } => {
                format!("domain {domain} max_amount {max} leaves too little")
            }
            Self::Organisation {
                organisation, max, ..
            } => {
                format!("organisation {organisation} max {max} reached")
            }
            Self::Street { street, max, .. } => format!("street {street} max {max} reached"),
            Self::Incompatible { rival } => format!("incompatible with {rival}, which is funded"),
        }
    }

    /// The change of the rules that would let the award through here.
    pub(super) fn needs(&self) -> String {
        match self {
            Self::Domain { domain, needed, .. } => format!("domain {domain} max {needed}"),
            Self::DomainAmount { domain, needed, .. } => {
                format!("domain {domain} max_amount {needed}")
            }
            Self::Organisation { needed, .. } => format!("max_per_organisation {needed}"),
            Self::Street { needed, .. } => format!("max_per_street {needed}"),
            Self::Incompatible { rival } => format!("{rival} not funded"),
        }
    }
}

impl<'a> Given<'a> {
    pub(super) fn give(&mut self, bid: &'a Bid, fen: i64) {
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

    /// Whether the domain of `bid` still lacks projects or money.
    pub(super) fn below_minimum(&self, rules: &SelectionRules, bid: &Bid) -> bool {
        let (count, fen) = self
            .domains
            .get(bid.domain.as_str())
            .copied()
            .unwrap_or_default();
        let limits = rules.limits_of(&bid.domain);
        limits.min.is_some_and(|min| count < min)
            || limits.min_amount.is_some_and(|min| fen < min.fen())
    }

    /// All limits other than the budget that an award to `bid` would break.
    pub(super) fn limits(&self, rules: &SelectionRules, bid: &Bid, award: i64) -> Vec<Limit> {
        let full = |counts: &BTreeMap<&str, u32>, who: &str, most: Option<u32>| {
            let used = counts.get(who).copied().unwrap_or(0);
            most.filter(|most| *most <= used)
                .map(|most| (most, used + 1))
        };
        let (count, fen) = self
            .domains
            .get(bid.domain.as_str())
            .copied()
            .unwrap_or_default();
        let own = rules.limits_of(&bid.domain);
        let mut broken = Vec::new();
        if let Some(max) = own.max.filter(|max| *max <= count) {
            let domain = bid.domain.clone();
            broken.push(Limit::Domain {
                domain,
                max,
                needed: count + 1,
            });
        }
        if let Some(max) = own.max_amount.filter(|max| max.fen() < fen + award) {
            let needed = Yuan::from_fen(fen + award).unwrap_or(max);
            broken.push(Limit::DomainAmount {
                domain: bid.domain.clone(),
                max,
                needed,
            });
        }
        if let Some((max, needed)) = full(
            &self.organisations,
            &bid.organisation,
            rules.max_per_organisation,
        ) {
            let organisation = bid.organisation.clone();
            broken.push(Limit::Organisation {
                organisation,
                max,
                needed,
            });
        }
        if let Some(street) = &bid.street
            && let Some((max, needed)) = full(&self.streets, street, rules.max_per_street)
        {
            broken.push(Limit::Street {
                street: street.clone(),
                max,
                needed,
            });
        }
        for (a, b) in &rules.incompatible {
            let rival = match &bid.application {
                own if own == a => b,
                own if own == b => a,
                _ => continue,
            };
            if self.awards.contains_key(rival.as_str()) {
                broken.push(Limit::Incompatible {
                    rival: rival.clone(),
                });
            }
        }
        broken
    }
}
