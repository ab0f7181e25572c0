//! Lists of partial choices: how they grow item by item, join, and shrink to what may yet be best.

use super::problem::{Prices, Problem};
use super::search::Failure;
use super::tracked::{Stage, Tracked};

/// A partial choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// How much is used of each group that matters.
    pub(super) uses: u128,
    pub(super) fen: i64,
    pub(super) profit: i128,
    /// What it has lost against the bound.
    pub(super) lost: i128,
    /// Projects of the domain, where its limits on them matter; 0 otherwise.
    pub(super) count: u32,
    /// Where it comes from.
    pub(super) node: u32,
    /// What has just been added to that: 0 for nothing, or one more than an item or a node.
    pub(super) with: u32,
}

pub(super) const START: State = State {
    uses: 0,
    fen: 0,
    profit: 0,
    lost: 0,
    count: 0,
    node: 0,
    with: 0,
};

/// How a state came about, for reading the choice back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    Start,
    Take { before: u32, item: u32 },
    Join { a: u32, b: u32 },
}

pub(super) struct Search<'a> {
    pub(super) problem: &'a Problem,
    pub(super) prices: &'a Prices,
    pub(super) nodes: Vec<Node>,
    pub(super) left: usize,
}

impl Search<'_> {
    /// The choices in a domain, apart from all others.
    pub(super) fn part(
        &mut self,
        stage: &Stage,
        tracked: &Tracked,
        gap: i128,
        width: Option<usize>,
    ) -> Result<Vec<State>, Failure> {
        let mut states = vec![START];
        for place in 0..stage.items.len() {
            let next = self.decide(&states, stage, place, gap, tracked);
            states = self.undominated(next, stage.min_fen, false, width)?;
        }
        for state in &mut states {
            state.lost += stage.unused(state.count, state.fen);
        }
        states.retain(|state| {
            stage.min <= state.count && stage.min_fen <= state.fen && state.lost <= gap
        });
        for state in &mut states {
            state.count = 0;
        }
        self.undominated(states, 0, false, width)
    }

    /// Every state without the item in this place and, where it may be, with it.
    pub(super) fn decide(
        &self,
        states: &[State],
        stage: &Stage,
        place: usize,
        gap: i128,
        tracked: &Tracked,
    ) -> Vec<State> {
        let index = stage.items[place];
        let item = &self.problem.items[index];
        let margin = self.prices.margins[index];
        let uses = tracked.uses[index];
        let ends = &stage.ends[place];
        let mut next = Vec::with_capacity(states.len() * 2);
        let mut push = |mut state: State| {
            for end in ends {
                state.lost += end.unused(state.uses);
                state.uses &= !end.mask;
            }
            if state.lost <= gap {
                next.push(state);
            }
        };
        for state in states {
            push(State {
                lost: state.lost + margin.max(0),
                ..*state
            });
        }
        for state in states {
            let fen = state.fen + item.cost;
            let full = stage.counts && stage.max <= state.count;
            let clash = !tracked.checks[index].allows(state.uses, uses);
            if !full && !clash && fen <= stage.max_fen {
                push(State {
                    uses: state.uses + uses,
                    fen,
                    profit: state.profit + tracked.earns[index],
                    lost: state.lost + (-margin).max(0),
                    count: state.count + u32::from(stage.counts),
                    node: state.node,
                    with: number(index) + 1,
                });
            }
        }
        next
    }

    /// Every choice of the domains so far with every choice of the next.
    pub(super) fn join(
        &self,
        whole: &[State],
        part: &[State],
        stage: &Stage,
        gap: i128,
    ) -> Result<Vec<State>, Failure> {
        let mut by_loss: Vec<&State> = part.iter().collect();
        by_loss.sort_by_key(|state| state.lost);
        let mut joined = Vec::new();
        for a in whole {
            for b in &by_loss {
                let mut lost = a.lost.saturating_add(b.lost);
                if gap < lost {
                    break;
                }
                let fen = a.fen + b.fen;
                if self.problem.budget < fen || !stage.check.allows(a.uses, b.uses) {
                    continue;
                }
                let mut uses = a.uses + b.uses;
                for end in &stage.closes {
                    lost += end.unused(uses);
                    uses &= !end.mask;
                }
                if lost <= gap {
                    joined.push(State {
                        uses,
                        fen,
                        profit: a.profit + b.profit,
                        lost,
                        count: 0,
                        node: a.node,
                        with: b.node + 1,
                    });
                }
            }
            if self.left < joined.len() {
                return Err(Failure::TooLarge);
            }
        }
        Ok(joined)
    }

    /// Drops every state for which another, with the same uses and projects, brings as much for no
    /// more money. Less money is no advantage below a minimum of `min_fen`. Of more than `width` only
    /// so many stay.
    pub(super) fn undominated(
        &mut self,
        mut states: Vec<State>,
        min_fen: i64,
        joins: bool,
        width: Option<usize>,
    ) -> Result<Vec<State>, Failure> {
        self.left = self
            .left
            .checked_sub(states.len())
            .ok_or(Failure::TooLarge)?;
        states.sort_by(|a, b| {
            (a.uses, a.count, a.fen, b.profit).cmp(&(b.uses, b.count, b.fen, a.profit))
        });
        let mut last: Option<State> = None;
        states.retain(|state| {
            let dominated = last.is_some_and(|last| {
                let comparable = last.uses == state.uses && last.count == state.count;
                let no_dearer = last.fen == state.fen || min_fen <= last.fen;
                comparable && no_dearer && state.profit <= last.profit
            });
            if !dominated {
                last = Some(*state);
            }
            !dominated
        });
        if let Some(width) = width
            && width < states.len()
        {
            thin(&mut states, width);
        }
        for state in &mut states {
            let Some(with) = state.with.checked_sub(1) else {
                continue;
            };
            self.nodes.push(if joins {
                Node::Join {
                    a: state.node,
                    b: with,
                }
            } else {
                Node::Take {
                    before: state.node,
                    item: with,
                }
            });
            state.node = number(self.nodes.len()) - 1;
            state.with = 0;
        }
        Ok(states)
    }

    pub(super) fn read(&self, node: u32, taken: &mut [bool]) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            match self.nodes[node as usize] {
                Node::Take { before, item } => {
                    taken[item as usize] = true;
                    todo.push(before);
                }
                Node::Join { a, b } => todo.extend([a, b]),
                Node::Start => {}
            }
        }
    }
}

/// Keeps at most so many states: those that have lost least, and the one that has in each range of
/// money, for the limits may want either.
fn thin(states: &mut Vec<State>, width: usize) {
    let lost = |index: &usize| (states[*index].lost, *index);
    let least = width / 2;
    let mut kept = vec![false; states.len()];
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.select_nth_unstable_by_key(least, lost);
    for index in order.iter().take(least) {
        kept[*index] = true;
    }
    order.sort_unstable_by_key(|index| (states[*index].fen, *index));
    for range in order.chunks(states.len().div_ceil(width - least)) {
        if let Some(index) = range.iter().copied().min_by_key(lost) {
            kept[index] = true;
        }
    }
    let mut kept = kept.into_iter();
    states.retain(|_| kept.next() == Some(true));
}

/// A place in a list that is far shorter than this can count.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
