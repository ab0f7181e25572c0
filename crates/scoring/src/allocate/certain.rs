//! What is used up before anything is searched: by the items that are taken in every good choice.

use super::problem::{Item, Problem};

/// How often each group is used by undecided items; groups that cannot bind any more left out.
pub(super) type Uses = Vec<(usize, u32)>;

/// The items taken for certain, added up.
#[derive(Debug, Default)]
pub(super) struct Certain {
    pub(super) fen: i64,
    pub(super) profit: i128,
    /// Projects and money of each domain.
    pub(super) domains: Vec<(u32, i64)>,
    /// How many of each group.
    groups: Vec<u32>,
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

    /// `uses` and one more of each of `groups`, if all of them allow it.
    pub(super) fn with(&self, uses: &Uses, groups: &[usize], problem: &Problem) -> Option<Uses> {
        let more: Uses = groups.iter().map(|group| (*group, 1)).collect();
        self.sum(uses, &more, problem)
    }

    /// Both together, if all groups allow it.
    pub(super) fn sum(&self, a: &Uses, b: &Uses, problem: &Problem) -> Option<Uses> {
        let mut sum = a.clone();
        for (group, more) in b {
            let used = if let Some((_, used)) = sum.iter_mut().find(|(other, _)| other == group) {
                *used += more;
                *used
            } else {
                sum.push((*group, *more));
                *more
            };
            if problem.groups.get(*group)? < &(used + self.groups.get(*group)?) {
                return None;
            }
        }
        sum.sort_unstable();
        Some(sum)
    }
}
