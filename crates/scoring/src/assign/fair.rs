//! The application that fares worst first, then the total.
//!
//! First the highest floor that every application can reach is found by bisection, then the best
//! total under it. Both are answered by branch and bound over flows: the best assignment without
//! the floor bounds what is possible with it; where an application falls short, one of its experts
//! must go, and that makes the branches.

use super::flow::{NEVER, Network, Solution, Stuck};

/// Flows that may be solved to decide about one floor.
const FLOWS_PER_FLOOR: usize = 200;
/// Flows that may be solved to prove the total.
const FLOWS_FOR_TOTAL: usize = 2_000;
/// Flows with raised affinities of those that fall short, to reach a floor quickly.
const ATTEMPTS: usize = 25;
/// The most, in eighths, that an affinity is raised by: keeps sums within 64 bits.
const HIGHEST_WEIGHT: i64 = 2_048;

/// The fairest assignment, and a bound on what its worst-off application could have. Proven as far
/// as the bounds say.
pub(super) fn solve(network: &Network) -> Result<(Solution, i64), Stuck> {
    let free = network.solve()?;
    let mut floor = least(network, &free);
    // No application can have more than its own best experts.
    let mut ceiling = (0..network.applications())
        .map(|application| best_sum(network, application))
        .min()
        .unwrap_or(floor);
    let mut best = free;
    // Floors up to `floor` can be reached, floors above `ceiling` cannot.
    let mut tried = ceiling;
    let mut unproven = None;
    while floor < ceiling {
        match reach(network, tried) {
            Reach::Reached(solution) => {
                floor = least(network, &solution);
                best = solution;
            }
            Reach::Impossible => {
                ceiling = tried - 1;
                unproven = None;
            }
            Reach::Unknown => {
                unproven = unproven.or(Some(ceiling));
                ceiling = tried - 1;
            }
        }
        tried = floor + (ceiling - floor + 1) / 2;
    }
    let bound = unproven.unwrap_or(floor);
    Ok((best_total(network, floor, best), bound))
}

enum Reach {
    Reached(Solution),
    Impossible,
    Unknown,
}

/// An assignment in which every application has at least `floor`.
fn reach(network: &Network, floor: i64) -> Reach {
    let Some(root) = Branch::root(network).tightened(floor) else {
        return Reach::Impossible;
    };
    if let Some(solution) = persuade(&root.network, network, floor) {
        return Reach::Reached(solution);
    }
    let mut open = vec![root];
    for _ in 0..FLOWS_PER_FLOOR {
        let Some(branch) = open.pop() else {
            return Reach::Impossible;
        };
        let Ok(solution) = branch.network.solve() else {
            continue;
        };
        match short(network, &solution, floor) {
            None => return Reach::Reached(solution),
            Some(application) => {
                let mut children = branch.split(network, application, &solution, floor);
                children.reverse();
                open.extend(children);
            }
        }
    }
    if open.is_empty() {
        Reach::Impossible
    } else {
        Reach::Unknown
    }
}

/// Raises all affinities of applications that fall short until none does, or gives up.
fn persuade(narrowed: &Network, network: &Network, floor: i64) -> Option<Solution> {
    let mut raised = narrowed.clone();
    let mut weights = vec![8_i64; network.applications()];
    for _ in 0..ATTEMPTS {
        let solution = raised.solve().ok()?;
        let mut reached = true;
        for (application, experts) in solution.experts.iter().enumerate() {
            let row = network.row(application);
            let sum: i64 = experts.iter().filter_map(|expert| row.get(*expert)).sum();
            if floor <= sum {
                continue;
            }
            reached = false;
            let Some(weight) = weights.get_mut(application) else {
                continue;
            };
            *weight = (*weight + *weight / 2).min(HIGHEST_WEIGHT);
            let start = application * network.experts;
            let cells = raised
                .affinity
                .get_mut(start..start + network.experts)
                .unwrap_or_default();
            for (cell, own) in cells
                .iter_mut()
                .zip(row)
                .filter(|(cell, _)| **cell != NEVER)
            {
                *cell = own * *weight / 8;
            }
        }
        if reached {
            return Some(solution);
        }
    }
    None
}

/// The greatest total under a floor that `known` reaches.
fn best_total(network: &Network, floor: i64, known: Solution) -> Solution {
    let total = |solution: &Solution| -> i64 {
        let rows = solution.experts.iter().enumerate();
        rows.map(|(application, experts)| sum(network, application, experts))
            .sum()
    };
    let mut best = Solution {
        total: total(&known),
        ..known
    };
    let mut open: Vec<(i64, usize, Branch, Solution)> = Vec::new();
    let mut flows = 0;
    let mut todo: Vec<Branch> = Branch::root(network).tightened(floor).into_iter().collect();
    let bound = loop {
        for branch in todo.drain(..) {
            flows += 1;
            if let Ok(solution) = branch.network.solve()
                && best.total < solution.total
            {
                open.push((solution.total, flows, branch, solution));
            }
        }
        open.retain(|(total, ..)| best.total < *total);
        // The most promising first; among equals the oldest.
        let next = open
            .iter()
            .enumerate()
            .max_by_key(|(_, (total, age, ..))| (*total, std::cmp::Reverse(*age)));
        let Some((index, (bound, ..))) = next else {
            break best.total;
        };
        if FLOWS_FOR_TOTAL < flows {
            break *bound;
        }
        let (_, _, branch, solution) = open.swap_remove(index);
        match short(network, &solution, floor) {
            None => best = solution,
            Some(application) => todo = branch.split(network, application, &solution, floor),
        }
    };
    Solution { bound, ..best }
}

/// The problem with some pairs decided.
#[derive(Clone, Debug)]
struct Branch {
    network: Network,
}

impl Branch {
    fn root(network: &Network) -> Self {
        Self {
            network: network.clone(),
        }
    }

    /// Without the pairs that would keep their application below the floor; `None` if an
    /// application has too few experts left.
    fn tightened(mut self, floor: i64) -> Option<Self> {
        let applications = 0..self.network.applications();
        applications
            .into_iter()
            .all(|application| self.tighten(application, floor))
            .then_some(self)
    }

    fn tighten(&mut self, application: usize, floor: i64) -> bool {
        let experts = self.network.experts;
        let kept = self
            .network
            .kept
            .get(application)
            .cloned()
            .unwrap_or_default();
        let wanted = self.network.per_application - kept.len();
        let is_kept = |expert: usize| kept.iter().any(|(kept, _)| *kept == expert);
        let row = self.network.row(application).iter().enumerate();
        let mut open: Vec<i64> = row
            .filter(|(expert, value)| **value != NEVER && !is_kept(*expert))
            .map(|(_, value)| *value)
            .collect();
        let have: i64 = kept.iter().map(|(_, value)| value).sum();
        if open.len() < wanted {
            return false;
        }
        open.sort_unstable_by(|a, b| b.cmp(a));
        let others: i64 = open.iter().take(wanted.saturating_sub(1)).sum();
        let best: i64 = open.iter().take(wanted).sum();
        if have + best < floor {
            return false;
        }
        // An expert below the best ones fits only if the floor is reached with the best others.
        let start = application * experts;
        let cells = self
            .network
            .affinity
            .get_mut(start..start + experts)
            .unwrap_or_default();
        for (expert, cell) in cells.iter_mut().enumerate() {
            if *cell != NEVER && !is_kept(expert) && have + others + *cell < floor {
                *cell = NEVER;
            }
        }
        true
    }

    /// The branches in which `application`, short of the floor with its experts of `solution`, has
    /// not all of them: the first branch drops the first, the next keeps it and drops the second,
    /// and so on.
    fn split(
        &self,
        network: &Network,
        application: usize,
        solution: &Solution,
        floor: i64,
    ) -> Vec<Self> {
        let mut experts = solution
            .experts
            .get(application)
            .cloned()
            .unwrap_or_default();
        let row = network.row(application);
        experts.retain(|expert| {
            let kept = self.network.kept.get(application);
            !kept.is_some_and(|kept| kept.iter().any(|(kept, _)| kept == expert))
        });
        experts.sort_by_key(|expert| row.get(*expert).copied());
        let mut keeping = self.clone();
        let mut branches = Vec::with_capacity(experts.len());
        for expert in experts {
            let mut dropping = keeping.clone();
            if let Some(cell) = dropping
                .network
                .affinity
                .get_mut(application * network.experts + expert)
            {
                *cell = NEVER;
            }
            if dropping.tighten(application, floor) {
                branches.push(dropping);
            }
            if let (Some(kept), Some(value)) =
                (keeping.network.kept.get_mut(application), row.get(expert))
            {
                kept.push((expert, *value));
            }
        }
        branches
    }
}

/// The application that falls furthest short of the floor.
fn short(network: &Network, solution: &Solution, floor: i64) -> Option<usize> {
    let sums = solution.experts.iter().enumerate();
    sums.map(|(application, experts)| (sum(network, application, experts), application))
        .filter(|(sum, _)| *sum < floor)
        .min()
        .map(|(_, application)| application)
}

fn least(network: &Network, solution: &Solution) -> i64 {
    let sums = solution.experts.iter().enumerate();
    sums.map(|(application, experts)| sum(network, application, experts))
        .min()
        .unwrap_or(0)
}

fn sum(network: &Network, application: usize, experts: &[usize]) -> i64 {
    let row = network.row(application);
    experts.iter().filter_map(|expert| row.get(*expert)).sum()
}

/// The most that an application could have if no load limited its experts.
fn best_sum(network: &Network, application: usize) -> i64 {
    let kept = network.kept.get(application).map_or(&[][..], Vec::as_slice);
    let row = network.row(application).iter().enumerate();
    let mut open: Vec<i64> = row
        .filter(|(expert, value)| **value != NEVER && !kept.iter().any(|(kept, _)| kept == expert))
        .map(|(_, value)| *value)
        .collect();
    open.sort_unstable_by(|a, b| b.cmp(a));
    let have: i64 = kept.iter().map(|(_, value)| value).sum();
    have + open
        .iter()
        .take(network.per_application - kept.len())
        .sum::<i64>()
}
