//! Closer prices. Those of the linear programme let each domain, looked at alone, count on what others
//! would have to give up: applications of one organisation in several domains, and the same money.
//!
//! So in each round every domain finds its best part alone, and the prices of what is used too often by
//! all together rise, and of what is used too little fall. Any prices prove a bound; the best are kept.

use super::problem::{Draft, PRICE_UNIT, Prices, Problem};
use super::search::Failure;
use super::states::{Node, Search};

/// How often prices change, at most.
const ROUNDS: usize = 60;

/// With less work left than this, the prices there are have to do.
const WORTHWHILE: usize = 100_000;

/// Rounds without a better bound before it goes back to the best.
const PATIENCE: u32 = 10;

/// What all domains would do, each alone.
struct Look {
    /// What they lose at least.
    lost: i128,
    taken: Vec<bool>,
}

/// A direction in which prices go: of money, in mean requests, and of groups.
#[derive(Clone, Default)]
struct Excess {
    money: f64,
    groups: Vec<f64>,
}

impl Search<'_> {
    /// Prices with a better bound, or those there are; enough if no choice can earn `goal`.
    pub(super) fn refine(&mut self, goal: i128) -> Prices {
        let problem = self.problem;
        let mut draft = self.prices.known();
        let mut best: Option<(i128, Prices)> = None;
        let mut guesses = vec![0; problem.domains.len()];
        let mut last = Excess::none(problem);
        let (mut pace, mut step, mut failed) = (0.0, 1.0, 0);
        let (kept, limit) = (self.left / 2, self.left / 16);
        for _ in 0..ROUNDS {
            if self.left < (kept + limit).max(WORTHWHILE) {
                break;
            }
            let prices = problem.settle_at(&draft);
            let Ok(look) = self.look(&prices, &mut guesses, limit) else {
                let Some((_, prices)) = &best else { break };
                draft = prices.draft.clone();
                last = Excess::none(problem);
                guesses.fill(0);
                step /= 4.0;
                continue;
            };
            let bound = prices.bound - look.lost;
            if best.is_none() {
                pace = points(look.lost).max(1.0) / (4.0 * points_of(problem.domains.len()));
            }
            if best.as_ref().is_none_or(|(known, _)| bound < *known) {
                best = Some((bound, prices));
                step *= 1.2;
                failed = 0;
            } else {
                step *= 0.85;
                failed += 1;
                if let Some((_, prices)) = &best
                    && PATIENCE <= failed
                {
                    draft = prices.draft.clone();
                    last = Excess::none(problem);
                    step /= 2.0;
                    failed = 0;
                    continue;
                }
            }
            if bound < goal * PRICE_UNIT {
                break;
            }
            let excess = Excess::of(problem, &look.taken, &draft);
            last.turn(&excess);
            last.push(problem, &mut draft, step * pace);
        }
        best.map_or_else(|| self.prices.clone(), |(_, prices)| prices)
    }

    /// What every domain does under these prices, alone. `guesses` at what each loses save work.
    fn look(
        &mut self,
        prices: &Prices,
        guesses: &mut [i128],
        limit: usize,
    ) -> Result<Look, Failure> {
        let mut search = Search {
            problem: self.problem,
            prices,
            nodes: vec![Node::Start],
            left: limit,
        };
        let mut taken: Vec<bool> = prices.margins.iter().map(|margin| 0 < *margin).collect();
        let mut lost = 0;
        let mut look = || {
            for (domain, guess) in guesses.iter_mut().enumerate() {
                if prices.domains[domain] != (0, 0) {
                    let most = i128::MAX / 4;
                    *guess = search
                        .least(domain, most, *guess, &mut taken)?
                        .ok_or(Failure::Infeasible)?;
                    lost += *guess;
                }
            }
            Ok(())
        };
        let ended = look();
        self.left -= limit - search.left;
        ended.map(|()| Look { lost, taken })
    }
}

impl Prices {
    /// A draft of the prices of groups as they have become, and of all others.
    fn known(&self) -> Draft {
        let mut draft = self.draft.clone();
        for (price, known) in draft.groups.iter_mut().zip(&self.groups) {
            *price = points(*known);
        }
        draft
    }
}

impl Excess {
    fn none(problem: &Problem) -> Self {
        Self {
            money: 0.0,
            groups: vec![0.0; problem.groups.len()],
        }
    }

    /// What is used beyond the limits; below 0 where something is left. What costs nothing and is not
    /// used up stays so.
    fn of(problem: &Problem, taken: &[bool], draft: &Draft) -> Self {
        let mut fen = -i128::from(problem.budget);
        let mut groups: Vec<i64> = problem
            .groups
            .iter()
            .map(|most| -i64::from(*most))
            .collect();
        let items = problem.items.iter().zip(taken);
        for (item, _) in items.filter(|(_, taken)| **taken) {
            fen += i128::from(item.cost);
            for group in &item.groups {
                groups[*group] += 1;
            }
        }
        let of_group = |(used, price): (i64, &f64)| {
            if *price <= 0.0 {
                number(used.max(0).into())
            } else {
                number(used.into())
            }
        };
        Self {
            money: number(fen) / mean(problem),
            groups: groups
                .into_iter()
                .zip(&draft.groups)
                .map(of_group)
                .collect(),
        }
    }

    /// Turns towards another, but not all the way: that goes straighter where rounds alternate.
    fn turn(&mut self, other: &Self) {
        self.money = other.money + self.money / 2.0;
        for (own, other) in self.groups.iter_mut().zip(&other.groups) {
            *own = other + *own / 2.0;
        }
    }

    fn push(&self, problem: &Problem, draft: &mut Draft, by: f64) {
        draft.budget = (draft.budget + by * self.money / mean(problem)).max(0.0);
        for (price, excess) in draft.groups.iter_mut().zip(&self.groups) {
            *price = (*price + by * excess).max(0.0);
        }
    }
}

/// The mean request, in fen.
fn mean(problem: &Problem) -> f64 {
    let all: i128 = problem.items.iter().map(|item| i128::from(item.cost)).sum();
    (number(all) / points_of(problem.items.len().max(1))).max(1.0)
}

fn points(price: i128) -> f64 {
    number(price) / number(PRICE_UNIT)
}

#[expect(clippy::cast_precision_loss, reason = "a number of domains or items")]
fn points_of(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "prices need not be exact to prove a bound"
)]
fn number(value: i128) -> f64 {
    value as f64
}
