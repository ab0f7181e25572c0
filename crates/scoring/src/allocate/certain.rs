//! What is used up before anything is searched: by the items that are taken in every good choice.

use super::problem::{Item, Problem};

/// The items taken for certain, added up.
#[derive(Debug, Default)]
pub(super) struct Certain {
    pub(super) fen: i64,
    pub(super) profit: i128,
    /// Projects and money of each domain.
    pub(super) domains: Vec<(u32, i64)>,
    /// How many of each group.
    pub(super) groups: Vec<u32>,
}

impl Certain {
    pub(super) fn new(problem: &Problem) -> Self {
        Self {
            domains: vec![(0, 0); problem.domains.len()],
            groups: vec![0; problem.groups.len()],
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self, item: &Item) {
        self.fen += item.cost;
        self.profit += item.profit;
        if let Some((count, fen)) = self.domains.get_mut(item.domain) {
            *count += 1;
            *fen += item.cost;
        }
        for group in &item.groups {
            if let Some(used) = self.groups.get_mut(*group) {
                *used += 1;
            }
        }
    }

    /// Whether these items alone break a limit.
    pub(super) fn breaks(&self, problem: &Problem) -> bool {
        let domains = self.domains.iter().zip(&problem.domains);
        problem.budget < self.fen
            || self
                .groups
                .iter()
                .zip(&problem.groups)
                .any(|(used, most)| most < used)
            || domains
                .into_iter()
                .any(|((count, fen), limits)| limits.max < *count || limits.max_fen < *fen)
    }

    /// Whether these items, with no others, keep every limit.
    pub(super) fn keeps(&self, problem: &Problem) -> bool {
        let mut domains = self.domains.iter().zip(&problem.domains);
        let enough =
            domains.all(|((count, fen), limits)| limits.min <= *count && limits.min_fen <= *fen);
        enough && !self.breaks(problem)
    }
}
