//! What has been given away so far, and which limits that leaves.

use super::contest::Contest;
use super::words::Words;
use crate::yuan::Yuan;

/// The awards so far, added up by everything that has a limit.
#[derive(Debug)]
pub(super) struct Given<'a> {
    contest: &'a Contest<'a>,
    pub(super) fen: i64,
    /// The award in each place.
    awards: Vec<Option<i64>>,
    organisations: Vec<u32>,
    streets: Vec<u32>,
    /// Projects and money of each domain.
    domains: Vec<(u32, i64)>,
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
    pub(super) fn reason(&self) -> Words {
        match self {
            Self::Domain { domain, max, .. } => Words::new(
                format!("domain {domain} max {max} reached"),
                format!("“{domain}”领域已达 {max} 个的上限"),
            ),
            Self::DomainAmount { domain, max, .. } => Words::new(
                format!("domain {domain} max_amount {max} leaves too little"),
                format!("“{domain}”领域资助上限 {max} 元的余额不足"),
            ),
            Self::Organisation {
                organisation, max, ..
            } => Words::new(
                format!("organisation {organisation} max {max} reached"),
                format!("该组织已达 {max} 个的上限"),
            ),
            Self::Street { street, max, .. } => Words::new(
                format!("street {street} max {max} reached"),
                format!("“{street}”街道已达 {max} 个的上限"),
            ),
            Self::Incompatible { rival } => Words::new(
                format!("incompatible with {rival}, which is funded"),
                format!("与已资助的 {rival} 不能同时资助"),
            ),
        }
    }

    /// The change of the rules that would let the award through here.
    pub(super) fn needs(&self) -> Words {
        match self {
            Self::Domain { domain, needed, .. } => Words::new(
                format!("domain {domain} max {needed}"),
                format!("“{domain}”领域上限为 {needed} 个"),
            ),
            Self::DomainAmount { domain, needed, .. } => Words::new(
                format!("domain {domain} max_amount {needed}"),
                format!("“{domain}”领域资助上限为 {needed} 元"),
            ),
            Self::Organisation { needed, .. } => Words::new(
                format!("max_per_organisation {needed}"),
                format!("每个组织上限为 {needed} 个"),
            ),
            Self::Street { needed, .. } => Words::new(
                format!("max_per_street {needed}"),
                format!("每个街道上限为 {needed} 个"),
            ),
            Self::Incompatible { rival } => {
                Words::new(format!("{rival} not funded"), format!("{rival} 未获资助"))
            }
        }
    }
}

impl<'a> Given<'a> {
    /// Nothing given yet.
    pub(super) fn new(contest: &'a Contest<'a>) -> Self {
        Self {
            contest,
            fen: 0,
            awards: vec![None; contest.entries.len()],
            organisations: vec![0; contest.organisations],
            streets: vec![0; contest.streets],
            domains: vec![(0, 0); contest.domains.len()],
        }
    }

    pub(super) fn give(&mut self, place: usize, fen: i64) {
        let Some(entry) = self.contest.entries.get(place) else {
            return;
        };
        self.fen += fen;
        if let Some(award) = self.awards.get_mut(place) {
            *award = Some(fen);
        }
        if let Some(count) = self.organisations.get_mut(entry.organisation) {
            *count += 1;
        }
        if let Some(count) = entry.street.and_then(|street| self.streets.get_mut(street)) {
            *count += 1;
        }
        if let Some(domain) = self.domains.get_mut(entry.domain) {
            domain.0 += 1;
            domain.1 += fen;
        }
    }

    /// The award in this place, if there is one.
    pub(super) fn award(&self, place: usize) -> Option<i64> {
        self.awards.get(place).copied().flatten()
    }

    /// Whether the domain of what is in this place still lacks projects or money.
    pub(super) fn below_minimum(&self, place: usize) -> bool {
        let Some(domain) = self.contest.entries.get(place).map(|entry| entry.domain) else {
            return false;
        };
        let limits = self.contest.domains.get(domain);
        let given = self.domains.get(domain);
        limits.zip(given).is_some_and(|(limits, (count, fen))| {
            limits.min.is_some_and(|min| *count < min)
                || limits.min_amount.is_some_and(|min| *fen < min.fen())
        })
    }

    /// All limits other than the budget that a full award in this place would break.
    pub(super) fn limits(&self, place: usize) -> Vec<Limit> {
        let mut broken = Vec::new();
        let (contest, rules) = (self.contest, self.contest.rules);
        let Some(entry) = contest.entries.get(place) else {
            return broken;
        };
        let bid = entry.bid;
        let full = |used: Option<&u32>, most: Option<u32>| {
            let used = used.copied().unwrap_or(0);
            most.filter(|most| *most <= used)
                .map(|most| (most, used + 1))
        };
        let (count, fen) = self.domains.get(entry.domain).copied().unwrap_or_default();
        let own = contest
            .domains
            .get(entry.domain)
            .copied()
            .unwrap_or_default();
        if let Some((max, needed)) = full(Some(&count), own.max) {
            let domain = bid.domain.clone();
            broken.push(Limit::Domain {
                domain,
                max,
                needed,
            });
        }
        let with = fen + entry.full;
        if let Some(max) = own.max_amount.filter(|max| max.fen() < with) {
            broken.push(Limit::DomainAmount {
                domain: bid.domain.clone(),
                max,
                needed: Yuan::from_fen(with).unwrap_or(max),
            });
        }
        let used = self.organisations.get(entry.organisation);
        if let Some((max, needed)) = full(used, rules.max_per_organisation) {
            let organisation = bid.organisation.clone();
            broken.push(Limit::Organisation {
                organisation,
                max,
                needed,
            });
        }
        if let Some(street) = entry.street
            && let Some((max, needed)) = full(self.streets.get(street), rules.max_per_street)
        {
            broken.push(Limit::Street {
                street: bid.street.clone().unwrap_or_default(),
                max,
                needed,
            });
        }
        for rival in &entry.rivals {
            if self.award(*rival).is_some()
                && let Some(rival) = contest.entries.get(*rival)
            {
                broken.push(Limit::Incompatible {
                    rival: rival.bid.application.clone(),
                });
            }
        }
        broken
    }
}
