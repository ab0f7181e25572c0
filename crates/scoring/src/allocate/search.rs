//! The best choice, proven: every choice that could be better than what was found is looked at.
//!
//! Prices bound every choice: its profit is the bound less what each decision loses against it, where
//! a decision loses if it takes an item with a negative margin, leaves one with a positive margin, or
//! leaves something unused that has a price. First a few items with small margins are decided anew
//! and the rest as their margins say; that finds a good choice. Then all choices that could be better
//! are looked at: only items that lose less than the good choice are open, and each partial choice is
//! given up as soon as it has lost more. Of two partial choices that leave the same possibilities, the
//! one that costs no less and brings no more is dropped.

use super::certain::Certain;
use super::problem::{PRICE_UNIT, Prices, Problem};
use super::states::{Node, START, Search, State};
use super::tracked::Tracked;

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

/// How many items are open when a good choice is looked for, and how many partial choices are kept.
const TRIALS: [(usize, usize); 4] = [(16, 200), (32, 500), (64, 1_000), (128, 2_000)];

/// Searches for the best choice.
pub(super) fn best(problem: &Problem, prices: &Prices, limit: usize) -> Result<Best, Failure> {
    best_after(&TRIALS, problem, prices, limit)
}

/// The same after these attempts to find a good one.
pub(super) fn best_after(
    trials: &[(usize, usize)],
    problem: &Problem,
    prices: &Prices,
    limit: usize,
) -> Result<Best, Failure> {
    let step = common_step(problem);
    let mut by_loss: Vec<usize> = (0..problem.items.len()).collect();
    by_loss.sort_by_key(|item| prices.losses[*item]);
    // Profits are whole steps, so the bound can be rounded down to one.
    let most = prices.bound.div_euclid(PRICE_UNIT * step) * step;
    let mut search = Search {
        problem,
        prices,
        nodes: Vec::new(),
        left: limit,
    };
    let mut best: Option<Best> = None;
    for (size, width) in trials.iter().copied() {
        let open = search.open_some(&by_loss, size);
        let gap = best
            .as_ref()
            .map_or(i128::MAX, |b| prices.bound - (b.profit + step) * PRICE_UNIT);
        let gaps = Gaps {
            all: gap,
            of_domain: vec![gap; problem.domains.len()],
        };
        if let Some((found, standing)) = search.run(&open, &gaps, Some(width), false)?
            && standing != Standing::Broken
            && best.as_ref().is_none_or(|best| best.profit < found.profit)
        {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| most <= best.profit) {
            return best.ok_or(Failure::Infeasible);
        }
    }
    // No choice has less profit than all losses there are, and so none loses more than this.
    let least: i128 = problem.items.iter().map(|item| item.profit.min(0)).sum();
    let all = prices.bound - least * PRICE_UNIT;
    let mut gap = match &best {
        Some(best) => prices.bound - (best.profit + step) * PRICE_UNIT,
        None => by_loss
            .get(40)
            .map_or(all, |item| prices.losses[*item])
            .max(1),
    };
    loop {
        let Some(gaps) = search.gaps(gap)? else {
            // No choice loses so little.
            match best {
                Some(best) => return Ok(best),
                None if all <= gap => return Err(Failure::Infeasible),
                None => {
                    gap = gap.saturating_mul(4).min(all);
                    continue;
                }
            }
        };
        let open = search.open_all(&gaps);
        // Limits without a price seldom matter: they are watched only if they turn out to.
        let mut found = search.run(&open, &gaps, None, true)?;
        if matches!(found, Some((_, Standing::Broken))) {
            found = search.run(&open, &gaps, None, false)?;
        }
        if let Some((found, standing)) = found {
            let better = best.as_ref().is_none_or(|best| best.profit < found.profit);
            match standing {
                Standing::Best => return Ok(found),
                Standing::Kept if better => {
                    gap = prices.bound - (found.profit + step) * PRICE_UNIT;
                    best = Some(found);
                    continue;
                }
                _ => return Err(Failure::TooLarge),
            }
        }
        if let Some(best) = best {
            return Ok(best);
        }
        if all <= gap {
            return Err(Failure::Infeasible);
        }
        gap = gap.saturating_mul(4).min(all);
    }
}

/// What is known of a choice that is the best among those looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// No choice keeps all limits and is better.
    Best,
    /// It keeps all limits; some choice that was not looked at might be better.
    Kept,
    /// It breaks a limit that was not watched. No choice that keeps all limits has a better bound.
    Broken,
}

/// What a choice may lose: in all, and in each domain.
#[derive(Clone, Debug)]
struct Gaps {
    all: i128,
    of_domain: Vec<i128>,
}

/// What all profits are whole multiples of.
pub(super) fn common_step(problem: &Problem) -> i128 {
    let mut step = 0_i128;
    for item in &problem.items {
        let (mut a, mut b) = (step, item.profit.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        step = a;
    }
    step.max(1)
}

impl Search<'_> {
    /// The `size` items that lose least, and some more of each domain whose limits have a price.
    fn open_some(&self, by_loss: &[usize], size: usize) -> Vec<bool> {
        let priced = |price: &(i128, i128)| if *price == (0, 0) { 0 } else { size * 2 / 3 };
        let mut rooms: Vec<usize> = self.prices.domains.iter().map(priced).collect();
        let mut open = vec![false; by_loss.len()];
        let mut all = size;
        for item in by_loss {
            let room = &mut rooms[self.problem.items[*item].domain];
            open[*item] = 0 < all || 0 < *room;
            all = all.saturating_sub(1);
            *room = room.saturating_sub(1);
        }
        open
    }

    /// What a choice that loses at most `gap` may lose where: in each domain whose limits have a
    /// price, what all others lose at least is taken off. `None` if that is more than there is.
    fn gaps(&mut self, gap: i128) -> Result<Option<Gaps>, Failure> {
        let mut least = vec![0; self.problem.domains.len()];
        let mut sum = 0;
        for (domain, least) in least.iter_mut().enumerate() {
            if self.prices.domains[domain] == (0, 0) {
                continue;
            }
            let Some(own) = self.least(domain, gap - sum, gap)? else {
                return Ok(None);
            };
            *least = own;
            sum += own;
        }
        let rest = gap - sum;
        Ok(Some(Gaps {
            all: gap,
            of_domain: least.iter().map(|own| rest + own).collect(),
        }))
    }

    /// The least that a choice loses in a domain, whatever it does in others, if that is no more than
    /// `gap`.
    fn least(&mut self, domain: usize, gap: i128, all: i128) -> Result<Option<i128>, Failure> {
        let mut own_gap = gap / 64;
        loop {
            let mut certain = Certain::new(self.problem);
            let mut open = vec![false; self.problem.items.len()];
            for (index, item) in self.problem.items.iter().enumerate() {
                if item.domain != domain {
                    continue;
                }
                let margin = self.prices.margins[index];
                if margin.abs() <= own_gap && self.prices.losses[index] <= all {
                    open[index] = true;
                } else if 0 < margin {
                    certain.take(item);
                }
            }
            if !certain.breaks(self.problem) {
                let tracked = Tracked::new(self.problem, self.prices, &certain, &open, true, false);
                let stage = tracked
                    .stages
                    .iter()
                    .find(|stage| stage.apart && stage.domain == domain)
                    .ok_or(Failure::TooLarge)?;
                let states = self.part(stage, &tracked, own_gap, None)?;
                let least = states.iter().map(|state| state.lost).min();
                if least.is_some() {
                    return Ok(least);
                }
            }
            if own_gap == gap {
                return Ok(None);
            }
            own_gap = own_gap.saturating_mul(2).clamp(1, gap);
        }
    }

    /// The items on which a choice within the gaps may decide otherwise than their margins say.
    fn open_all(&self, gaps: &Gaps) -> Vec<bool> {
        let items = self
            .problem
            .items
            .iter()
            .zip(&self.prices.margins)
            .zip(&self.prices.losses);
        items
            .map(|((item, margin), loss)| {
                margin.abs() <= gaps.of_domain[item.domain] && *loss <= gaps.all
            })
            .collect()
    }

    /// The best choice among those that lose at most `gap` and decide only `open` items otherwise
    /// than their margins say, if there is any; with `width`, among the so many most promising.
    fn run(
        &mut self,
        open: &[bool],
        gaps: &Gaps,
        width: Option<usize>,
        priced_only: bool,
    ) -> Result<Option<(Best, Standing)>, Failure> {
        self.nodes.clear();
        self.nodes.push(Node::Start);
        let mut taken = vec![false; self.problem.items.len()];
        let mut certain = Certain::new(self.problem);
        let mut lost = 0;
        for (index, item) in self.problem.items.iter().enumerate() {
            if open[index] {
                continue;
            }
            let margin = self.prices.margins[index];
            // Among the most promising, what has next to no margin stays where limits are kept.
            let inside = if width.is_some() {
                self.prices.inside[index]
            } else {
                0 < margin
            };
            if inside {
                certain.take(item);
                taken[index] = true;
            }
            lost += if inside { -margin } else { margin }.max(0);
        }
        if certain.breaks(self.problem) {
            return Ok(None);
        }
        let tracked = Tracked::new(
            self.problem,
            self.prices,
            &certain,
            open,
            false,
            priced_only,
        );
        let mut whole = vec![State {
            fen: certain.fen,
            profit: certain.profit * PRICE_UNIT + tracked.credit,
            lost,
            ..START
        }];
        for stage in &tracked.stages {
            whole = if stage.apart {
                let part = self.part(stage, &tracked, gaps.of_domain[stage.domain], width)?;
                let joined = self.join(&whole, &part, stage, gaps.all)?;
                self.undominated(joined, 0, true, width)?
            } else {
                let mut states = whole;
                for place in 0..stage.items.len() {
                    let next = self.decide(&states, stage, place, gaps.all, &tracked);
                    states = self.undominated(next, stage.min_fen, false, width)?;
                }
                states
            };
        }
        let mut best: Option<State> = None;
        for state in whole {
            let lost = self.prices.bound - state.profit;
            if lost <= gaps.all && best.is_none_or(|best| best.profit < state.profit) {
                best = Some(state);
            }
        }
        let Some(best) = best else { return Ok(None) };
        self.read(best.node, &mut taken);
        let mut all = Certain::new(self.problem);
        for (item, _) in self
            .problem
            .items
            .iter()
            .zip(&taken)
            .filter(|(_, taken)| **taken)
        {
            all.take(item);
        }
        let standing = if !all.keeps(self.problem) {
            Standing::Broken
        } else if tracked.relaxed {
            Standing::Kept
        } else {
            Standing::Best
        };
        let best = Best {
            profit: all.profit,
            chosen: taken,
        };
        Ok(Some((best, standing)))
    }
}
