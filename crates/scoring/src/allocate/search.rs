//! The best choice, proven: every choice that could be better than what was found is looked at.
//!
//! Prices bound every choice: its profit is the bound less what each decision loses against it, where
//! a decision loses if it takes an item with a negative margin, leaves one with a positive margin, or
//! leaves something unused that has a price. First a few items with small margins are decided anew
//! and the rest as their margins say; that finds a good choice. Then prices are made closer, and the
//! least that every choice loses in each domain is found. Then choices that lose little more are looked
//! at, then those that lose more, up to the good choice: only items that lose no more are open, and each
//! partial choice is given up as soon as it has lost more. Of two partial choices that leave the same
//! possibilities, the one that costs no less and brings no more is dropped.

use super::certain::Certain;
use super::problem::{PRICE_UNIT, Prices, Problem};
use super::states::{Node, START, Search, State};
use super::tracked::Tracked;
use super::trials::{TRIALS, Trial};

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

/// Searches for the best choice.
pub(super) fn best(problem: &Problem, prices: &Prices, limit: usize) -> Result<Best, Failure> {
    best_after(&TRIALS, problem, prices, limit)
}

/// The same after these attempts to find a good one.
pub(super) fn best_after(
    trials: &[Trial],
    problem: &Problem,
    prices: &Prices,
    limit: usize,
) -> Result<Best, Failure> {
    let step = common_step(problem);
    let mut search = Search {
        problem,
        prices,
        nodes: Vec::new(),
        left: limit,
    };
    let good = search.good(trials, step)?;
    // Profits are whole steps, so the bound can be rounded down to one.
    let most = prices.bound.div_euclid(PRICE_UNIT * step) * step;
    let Some(good) = good else {
        return search.prove(None, step)?.ok_or(Failure::Infeasible);
    };
    if most <= good.profit {
        return Ok(good);
    }
    let refined = search.refine(good.profit + step);
    let mut search = Search {
        problem,
        prices: &refined,
        nodes: Vec::new(),
        left: search.left,
    };
    search.prove(Some(good), step)?.ok_or(Failure::Infeasible)
}

/// What is known of a choice that is the best among those looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// No choice keeps all limits and is better.
    Best,
    /// It keeps all limits; some choice that was not looked at might be better.
    Kept,
    /// It breaks a limit that was not watched. No choice that keeps all limits has a better bound.
    Broken,
}

/// What a choice may lose: in all, and in each domain.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    pub(super) all: i128,
    pub(super) of_domain: Vec<i128>,
    /// What every choice loses at least in each domain.
    pub(super) least: Vec<i128>,
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
    /// The best choice, if it is not `best` itself: choices that lose little are looked at first, and
    /// the best of these, if there is any, is the best of all.
    fn prove(&mut self, mut best: Option<Best>, step: i128) -> Result<Option<Best>, Failure> {
        let bound = self.prices.bound;
        // No choice has less profit than all losses there are, and so none loses more than this.
        let items = self.problem.items.iter();
        let all = bound - items.map(|item| item.profit.min(0)).sum::<i128>() * PRICE_UNIT;
        let most = |best: &Option<Best>| {
            best.as_ref()
                .map_or(all, |best| bound - (best.profit + step) * PRICE_UNIT)
        };
        let Some(least) = self.leasts(most(&best))? else {
            return Ok(best);
        };
        let sum: i128 = least.iter().sum();
        let mut more = match best {
            Some(_) => (step * PRICE_UNIT).max(sum / 32),
            None => self.smallest_losses(),
        };
        loop {
            let gap = most(&best).min(sum.saturating_add(more));
            if gap < sum {
                return Ok(best);
            }
            let gaps = Gaps {
                all: gap,
                of_domain: least.iter().map(|own| gap - sum + own).collect(),
                least: least.clone(),
            };
            let open = self.open_all(&gaps);
            // Limits without a price seldom matter: they are watched only if they turn out to.
            let mut found = self.run(&open, &gaps, None, true)?;
            if matches!(found, Some((_, Standing::Broken))) {
                found = self.run(&open, &gaps, None, false)?;
            }
            match found {
                Some((found, Standing::Best)) => return Ok(Some(found)),
                Some((found, Standing::Kept))
                    if best.as_ref().is_none_or(|best| best.profit < found.profit) =>
                {
                    best = Some(found);
                }
                Some(_) => return Err(Failure::TooLarge),
                None if gap == most(&best) => return Ok(best),
                None if best.is_none() => more = more.saturating_mul(4),
                None => more = more.saturating_add(more / 2),
            }
        }
    }

    /// What a few items lose.
    fn smallest_losses(&self) -> i128 {
        let mut losses = self.prices.losses.clone();
        losses.sort_unstable();
        losses
            .get(40)
            .or(losses.last())
            .copied()
            .unwrap_or(0)
            .max(1)
    }

    /// The least that a choice loses in each domain; `None` if that is more than `gap` together.
    fn leasts(&mut self, gap: i128) -> Result<Option<Vec<i128>>, Failure> {
        let mut least = vec![0; self.problem.domains.len()];
        let mut sum = 0;
        let mut taken = vec![false; self.problem.items.len()];
        for (domain, least) in least.iter_mut().enumerate() {
            if self.prices.domains[domain] == (0, 0) {
                continue;
            }
            self.nodes.clear();
            self.nodes.push(Node::Start);
            let given = self.left / 16;
            let kept = self.left - given;
            self.left = given;
            let own = self.least(domain, gap - sum, 0, &mut taken);
            self.left += kept;
            *least = match own {
                Ok(Some(own)) => own,
                Ok(None) => return Ok(None),
                // Too many to tell: it may lose nothing.
                Err(Failure::TooLarge) if 0 < self.left => 0,
                Err(failure) => return Err(failure),
            };
            sum += *least;
        }
        Ok(Some(least))
    }

    /// The least that a choice loses in a domain, whatever it does in others, if that is no more than
    /// `gap`; and in `taken` what it takes there. With a `guess` that is no less it takes less work.
    pub(super) fn least(
        &mut self,
        domain: usize,
        gap: i128,
        guess: i128,
        taken: &mut [bool],
    ) -> Result<Option<i128>, Failure> {
        let mut own_gap = if 0 < guess {
            guess + guess / 16
        } else {
            let items = self.problem.items.iter().zip(&self.prices.margins);
            let own = items.filter(|(item, _)| item.domain == domain);
            let mut margins: Vec<i128> = own.map(|(_, margin)| margin.abs()).collect();
            margins.sort_unstable();
            margins.get(6).or(margins.last()).copied().unwrap_or(0)
        };
        loop {
            own_gap = own_gap.min(gap);
            let mut certain = Certain::new(self.problem);
            let mut open = vec![false; self.problem.items.len()];
            for (index, item) in self.problem.items.iter().enumerate() {
                if item.domain != domain {
                    continue;
                }
                let margin = self.prices.margins[index];
                if margin.abs() <= own_gap && self.prices.losses[index] <= gap {
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
                if let Some(least) = states.iter().min_by_key(|state| state.lost) {
                    for index in (0..open.len()).filter(|index| open[*index]) {
                        taken[index] = false;
                    }
                    self.read(least.node, taken);
                    return Ok(Some(least.lost));
                }
            }
            if own_gap == gap {
                return Ok(None);
            }
            own_gap = own_gap.saturating_add(own_gap / 5 + PRICE_UNIT);
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
    /// than their margins say, if there is any; or, with `kept`, otherwise than a known choice does,
    /// among so many promising ones.
    pub(super) fn run(
        &mut self,
        open: &[bool],
        gaps: &Gaps,
        kept: Option<(usize, &[bool])>,
        priced_only: bool,
    ) -> Result<Option<(Best, Standing)>, Failure> {
        let width = kept.map(|(width, _)| width);
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
            let inside = kept.map_or(0 < margin, |(_, inside)| inside[index]);
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
        // What the domains yet to come lose at least.
        let mut to_come: i128 = gaps.least.iter().sum();
        for stage in &tracked.stages {
            whole = if stage.apart {
                to_come -= gaps.least[stage.domain];
                let part = self.part(stage, &tracked, gaps.of_domain[stage.domain], width)?;
                let joined = self.join(&whole, &part, stage, gaps.all - to_come)?;
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
