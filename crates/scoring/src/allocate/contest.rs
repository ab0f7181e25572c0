//! Everyone who competes, numbered once, so that looking up what a limit counts costs nothing.

use std::collections::BTreeMap;

use super::Bid;
use super::rules::{DomainLimits, SelectionRules};

/// The bids in rank order with everything that rules say about each.
#[derive(Debug)]
pub(super) struct Contest<'a> {
    pub(super) rules: &'a SelectionRules,
    pub(super) entries: Vec<Entry<'a>>,
    /// The limits of each domain.
    pub(super) domains: Vec<DomainLimits>,
    /// How many organisations there are.
    pub(super) organisations: usize,
    /// How many streets there are.
    pub(super) streets: usize,
}

/// One bid.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) bid: &'a Bid,
    /// What it gets if it is funded in full, in fen.
    pub(super) full: i64,
    /// Whether it reaches the pass line.
    pub(super) passes: bool,
    /// Number of its domain.
    pub(super) domain: usize,
    /// Number of its organisation.
    pub(super) organisation: usize,
    /// Number of its street, if it names one.
    pub(super) street: Option<usize>,
    /// The places of those it is incompatible with.
    pub(super) rivals: Vec<usize>,
}

impl Entry<'_> {
    /// Whether it can be funded at all.
    pub(super) fn may_win(&self) -> bool {
        self.passes && 0 < self.full
    }
}

/// Numbers names in the order they come.
#[derive(Default)]
struct Numbers<'a>(BTreeMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    fn of(&mut self, name: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

impl<'a> Contest<'a> {
    /// `ranked` in rank order.
    pub(super) fn new(rules: &'a SelectionRules, ranked: &[&'a Bid]) -> Self {
        let (mut domains, mut organisations) = (Numbers::default(), Numbers::default());
        let mut streets = Numbers::default();
        let mut entries: Vec<Entry<'_>> = (1..)
            .zip(ranked)
            .map(|(place, bid)| Entry {
                bid,
                full: rules.award_fen(bid, place),
                passes: rules.passes(bid),
                domain: domains.of(&bid.domain),
                organisation: organisations.of(&bid.organisation),
                street: bid.street.as_deref().map(|street| streets.of(street)),
                rivals: Vec::new(),
            })
            .collect();
        if !rules.incompatible.is_empty() {
            let places = ranked.iter().enumerate();
            let places: BTreeMap<&str, usize> = places
                .map(|(place, bid)| (bid.application.as_str(), place))
                .collect();
            for (a, b) in &rules.incompatible {
                let (Some(a), Some(b)) = (places.get(a.as_str()), places.get(b.as_str())) else {
                    continue;
                };
                for (own, rival) in [(a, b), (b, a)] {
                    if let Some(entry) = entries.get_mut(*own) {
                        entry.rivals.push(*rival);
                    }
                }
            }
        }
        let mut limits = vec![DomainLimits::default(); domains.0.len()];
        for (name, number) in &domains.0 {
            if let Some(limits) = limits.get_mut(*number) {
                *limits = rules.limits_of(name);
            }
        }
        Self {
            rules,
            entries,
            domains: limits,
            organisations: organisations.0.len(),
            streets: streets.0.len(),
        }
    }
}
