//! The best choice, proven: every choice that could be better than what was found is looked at.
//!
//! Prices bound every choice: its profit is at most the bound less the margin of each item that it
//! takes although its margin is negative, or leaves although it is positive. So all choices within
//! a gap of the bound are found by looking only at items whose margin is within the gap, and by
//! giving up each partial choice as soon as its margins add up to more. Within a domain, and then
//! over all domains, a partial choice that costs more and brings less than another is dropped.
//! If nothing is found within the gap, the gap is doubled.

use std::collections::BTreeMap;

use super::certain::{Certain, Uses};
use super::problem::{Domain, PRICE_UNIT, Prices, Problem};

/// The best choice.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) profit: i128,
    /// Whether each item is in it.
    pub(super) chosen: Vec<bool>,
}

/// Why there is no proven best choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No choice keeps all limits.
    Infeasible,
    /// More partial choices than `limit` would have to be looked at.
    TooLarge,
}

/// How many items are undecided in the first attempt.
const FIRST_CORE: usize = 12;

/// Searches for the best choice. With `forced`, only choices that take that item count.
pub(super) fn best(
    problem: &Problem,
    prices: &Prices,
    forced: Option<usize>,
    limit: usize,
) -> Result<Best, Failure> {
    let mut sizes: Vec<i128> = prices.margins.iter().map(|margin| margin.abs()).collect();
    sizes.sort_unstable();
    let all: i128 = sizes.iter().sum();
    let mut gap = sizes.get(FIRST_CORE).copied().unwrap_or(all).max(1);
    if let Some(margin) = forced.and_then(|item| prices.margins.get(item)) {
        gap = gap.max(margin.abs() * 2);
    }
    let mut left = limit;
    loop {
        gap = gap.min(all);
        let mut search = Search {
            problem,
            prices,
            forced,
            gap,
            nodes: Vec::new(),
            left,
        };
        let found = search.run()?;
        if let Some(best) = found
            && (prices.bound - gap <= best.profit * PRICE_UNIT || gap == all)
        {
            return Ok(best);
        }
        if gap == all {
            return Err(Failure::Infeasible);
        }
        left = search.left;
        gap = gap.saturating_mul(2);
    }
}

/// A partial choice.
#[derive(Clone, Debug)]
struct State {
    /// Groups used that still matter.
    uses: Uses,
    /// Projects of the domain, where its limits on them matter; 0 otherwise.
    count: u32,
    fen: i64,
    profit: i128,
    /// Margins lost against the bound.
    lost: i128,
    node: Step,
}

/// How a state came about, for reading the choice back.
#[derive(Clone, Copy, Debug)]
enum Step {
    Node(usize),
    Take(usize, usize),
    Join(usize, usize),
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Start,
    Take { before: usize, item: usize },
    Join { a: usize, b: usize },
}

struct Search<'a> {
    problem: &'a Problem,
    prices: &'a Prices,
    forced: Option<usize>,
    gap: i128,
    nodes: Vec<Node>,
    left: usize,
}

impl Search<'_> {
    /// The best choice within the gap, if there is any.
    fn run(&mut self) -> Result<Option<Best>, Failure> {
        self.nodes.push(Node::Start);
        let mut taken = vec![false; self.problem.items.len()];
        let mut open: Vec<Vec<usize>> = vec![Vec::new(); self.problem.domains.len()];
        let mut certain = Certain::new(self.problem);
        for (index, (item, margin)) in self
            .problem
            .items
            .iter()
            .zip(&self.prices.margins)
            .enumerate()
        {
            if margin.abs() <= self.gap && self.forced != Some(index) {
                if let Some(open) = open.get_mut(item.domain) {
                    open.push(index);
                }
            } else if 0 < *margin || self.forced == Some(index) {
                certain.take(item);
                if let Some(taken) = taken.get_mut(index) {
                    *taken = true;
                }
            }
        }
        let forced_loss = self
            .forced
            .and_then(|item| self.prices.margins.get(item))
            .map_or(0, |m| (-m).max(0));
        if self.gap < forced_loss || certain.breaks(self.problem) {
            return Ok(None);
        }
        let spans = self.spans_of_groups(&open);
        let mut whole = vec![State {
            uses: Uses::new(),
            count: 0,
            fen: certain.fen,
            profit: certain.profit,
            lost: forced_loss,
            node: Step::Node(0),
        }];
        for (domain, open) in open.iter().enumerate() {
            let part = self.domain(domain, open, &certain, &spans)?;
            whole = self.join(domain, &whole, &part, &certain, &spans)?;
        }
        let best = whole.into_iter().max_by_key(|state| state.profit);
        Ok(best.map(|best| {
            if let Step::Node(node) = best.node {
                self.read(node, &mut taken);
            }
            Best {
                profit: best.profit,
                chosen: taken,
            }
        }))
    }

    /// The first and the last domain in which undecided items use each group.
    fn spans_of_groups(&self, open: &[Vec<usize>]) -> Vec<Option<(usize, usize)>> {
        let mut spans = vec![None; self.problem.groups.len()];
        for (domain, open) in open.iter().enumerate() {
            for item in open.iter().filter_map(|item| self.problem.items.get(*item)) {
                for group in &item.groups {
                    if let Some(span) = spans.get_mut(*group) {
                        *span = Some((span.map_or(domain, |(first, _)| first), domain));
                    }
                }
            }
        }
        spans
    }

    /// All choices among the undecided items of one domain that keep its limits. Money, profit and
    /// uses are those of the undecided items only.
    fn domain(
        &mut self,
        index: usize,
        open: &[usize],
        certain: &Certain,
        spans: &[Option<(usize, usize)>],
    ) -> Result<Vec<State>, Failure> {
        let Some(limits) = self.problem.domains.get(index).copied() else {
            return Ok(Vec::new());
        };
        let (count, fen) = certain.domains.get(index).copied().unwrap_or_default();
        let limits = Domain {
            min: limits.min.saturating_sub(count),
            max: if limits.max == u32::MAX {
                u32::MAX
            } else {
                limits.max.saturating_sub(count)
            },
            min_fen: (limits.min_fen - fen).max(0),
            max_fen: limits
                .max_fen
                .saturating_sub(fen)
                .min(self.problem.budget - certain.fen),
        };
        let counts = 0 < limits.min || (limits.max as usize) < open.len();
        let mut order = open.to_vec();
        // The largest margins first: those decisions are soon given up.
        order.sort_by_key(|item| {
            std::cmp::Reverse(self.prices.margins.get(*item).map_or(0, |m| m.abs()))
        });
        // A group that only this domain uses is done with after the last item that uses it.
        let mut last_item: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, item) in order.iter().enumerate() {
            for group in self
                .problem
                .items
                .get(*item)
                .map_or(&[][..], |item| &item.groups)
            {
                last_item.insert(*group, place);
            }
        }
        let only_here = |group: usize| spans.get(group) == Some(&Some((index, index)));
        let mut states = vec![State {
            uses: Uses::new(),
            count: 0,
            fen: 0,
            profit: 0,
            lost: 0,
            node: Step::Node(0),
        }];
        for (place, item_index) in order.iter().enumerate() {
            let (Some(item), Some(margin)) = (
                self.problem.items.get(*item_index),
                self.prices.margins.get(*item_index).copied(),
            ) else {
                continue;
            };
            let mut next = Vec::with_capacity(states.len() * 2);
            for state in &states {
                let lost = state.lost + (-margin).max(0);
                let fen = state.fen + item.cost;
                let fits = lost <= self.gap
                    && fen <= limits.max_fen
                    && (!counts || state.count < limits.max);
                if fits && let Some(uses) = certain.with(&state.uses, &item.groups, self.problem) {
                    let Step::Node(before) = state.node else {
                        continue;
                    };
                    next.push(State {
                        uses,
                        count: state.count + u32::from(counts),
                        fen,
                        profit: state.profit + item.profit,
                        lost,
                        node: Step::Take(before, *item_index),
                    });
                }
            }
            for mut state in states {
                state.lost += margin.max(0);
                if state.lost <= self.gap {
                    next.push(state);
                }
            }
            for state in &mut next {
                state.uses.retain(|(group, _)| {
                    last_item.get(group) != Some(&place) || !only_here(*group)
                });
            }
            states = self.undominated(next, limits.min_fen)?;
        }
        states.retain(|state| limits.min <= state.count || !counts);
        states.retain(|state| limits.min_fen <= state.fen);
        for state in &mut states {
            state.count = 0;
        }
        self.undominated(states, 0)
    }

    /// Every choice of the domains so far with every choice of the next.
    fn join(
        &mut self,
        index: usize,
        whole: &[State],
        part: &[State],
        certain: &Certain,
        spans: &[Option<(usize, usize)>],
    ) -> Result<Vec<State>, Failure> {
        let mut by_loss: Vec<&State> = part.iter().collect();
        by_loss.sort_by_key(|state| state.lost);
        let mut joined = Vec::new();
        for a in whole {
            for b in &by_loss {
                let lost = a.lost + b.lost;
                if self.gap < lost {
                    break;
                }
                let fen = a.fen + b.fen;
                if self.problem.budget < fen {
                    continue;
                }
                let Some(mut uses) = certain.sum(&a.uses, &b.uses, self.problem) else {
                    continue;
                };
                let matters = |group: usize| {
                    spans
                        .get(group)
                        .copied()
                        .flatten()
                        .is_some_and(|(_, last)| index < last)
                };
                uses.retain(|(group, _)| matters(*group));
                let (Step::Node(left), Step::Node(right)) = (a.node, b.node) else {
                    continue;
                };
                joined.push(State {
                    uses,
                    count: 0,
                    fen,
                    profit: a.profit + b.profit,
                    lost,
                    node: Step::Join(left, right),
                });
            }
            if self.left < joined.len() {
                return Err(Failure::TooLarge);
            }
        }
        self.undominated(joined, 0)
    }

    /// Drops every state for which another, with the same uses and projects, brings as much for no
    /// more money. Less money is no advantage below a minimum of `min_fen`.
    fn undominated(&mut self, mut states: Vec<State>, min_fen: i64) -> Result<Vec<State>, Failure> {
        self.left = self
            .left
            .checked_sub(states.len())
            .ok_or(Failure::TooLarge)?;
        states.sort_by(|a, b| {
            (&a.uses, a.count, a.fen, b.profit).cmp(&(&b.uses, b.count, b.fen, a.profit))
        });
        let mut kept: Vec<State> = Vec::with_capacity(states.len());
        for mut state in states {
            let dominated = kept.last().is_some_and(|last| {
                let comparable = last.uses == state.uses && last.count == state.count;
                let no_dearer = last.fen == state.fen || min_fen <= last.fen;
                comparable && no_dearer && state.profit <= last.profit
            });
            if dominated {
                continue;
            }
            let node = match state.node {
                Step::Take(before, item) => Node::Take { before, item },
                Step::Join(a, b) => Node::Join { a, b },
                Step::Node(_) => {
                    kept.push(state);
                    continue;
                }
            };
            state.node = Step::Node(self.nodes.len());
            self.nodes.push(node);
            kept.push(state);
        }
        Ok(kept)
    }

    fn read(&self, node: usize, taken: &mut [bool]) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            match self.nodes.get(node) {
                Some(Node::Take { before, item }) => {
                    if let Some(taken) = taken.get_mut(*item) {
                        *taken = true;
                    }
                    todo.push(*before);
                }
                Some(Node::Join { a, b }) => todo.extend([*a, *b]),
                Some(Node::Start) | None => {}
            }
        }
    }
}
