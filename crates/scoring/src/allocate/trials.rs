//! Looking for a good choice, so that few others have to be looked at to prove the best.

use super::problem::PRICE_UNIT;
use super::search::{Best, Failure, Gaps, Standing};
use super::states::Search;

/// How a good choice is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// How many items are open.
    open: usize,
    /// How many of them may come in although their group is full, so that another has to go.
    swaps: usize,
    /// How many partial choices are kept.
    width: usize,
}

impl Trial {
    pub(super) const fn new(open: usize, swaps: usize, width: usize) -> Self {
        Self { open, swaps, width }
    }
}

pub(super) const TRIALS: [Trial; 6] = [
    Trial::new(16, 1_000, 200),
    Trial::new(32, 8, 500),
    Trial::new(32, 1_000, 500),
    Trial::new(64, 8, 500),
    Trial::new(64, 1_000, 1_000),
    Trial::new(128, 8, 2_000),
];

impl Search<'_> {
    /// A good choice: what the prices say, with a few items decided anew, and again from there.
    pub(super) fn good(&mut self, trials: &[Trial], step: i128) -> Result<Option<Best>, Failure> {
        let (problem, prices) = (self.problem, self.prices);
        let mut by_loss: Vec<usize> = (0..problem.items.len()).collect();
        by_loss.sort_by_key(|item| prices.losses[*item]);
        let most = prices.bound.div_euclid(PRICE_UNIT * step) * step;
        let mut best: Option<Best> = None;
        for trial in trials {
            let inside = best
                .as_ref()
                .map_or(&prices.inside, |best| &best.chosen)
                .clone();
            let open = self.open_some(&by_loss, *trial, &inside);
            let gap = best.as_ref().map_or(i128::MAX, |best| {
                prices.bound - (best.profit + step) * PRICE_UNIT
            });
            let gaps = Gaps {
                all: gap,
                of_domain: vec![gap; problem.domains.len()],
                least: vec![0; problem.domains.len()],
            };
            let kept = Some((trial.width, inside.as_slice()));
            if let Some((found, standing)) = self.run(&open, &gaps, kept, false)?
                && standing != Standing::Broken
                && best.as_ref().is_none_or(|best| best.profit < found.profit)
            {
                best = Some(found);
            }
            if best.as_ref().is_some_and(|best| most <= best.profit) {
                break;
            }
        }
        Ok(best)
    }

    /// The items that lose least, and some more of each domain whose limits have a price. Of those
    /// outside only so many may come in that no group is full, and the swaps.
    fn open_some(&self, by_loss: &[usize], trial: Trial, inside: &[bool]) -> Vec<bool> {
        let items = &self.problem.items;
        let priced = |price: &(i128, i128)| {
            if *price == (0, 0) {
                0
            } else {
                trial.open * 2 / 3
            }
        };
        let mut rooms: Vec<usize> = self.prices.domains.iter().map(priced).collect();
        let mut left = self.problem.groups.clone();
        for group in (0..items.len())
            .filter(|item| inside[*item])
            .flat_map(|item| &items[item].groups)
        {
            left[*group] = left[*group].saturating_sub(1);
        }
        let mut open = vec![false; by_loss.len()];
        let (mut all, mut swaps) = (trial.open, trial.swaps);
        for index in by_loss {
            let item = &items[*index];
            let room = &mut rooms[item.domain];
            if all == 0 && *room == 0 {
                continue;
            }
            if !inside[*index] {
                if item.groups.iter().any(|group| left[*group] == 0) {
                    if swaps == 0 {
                        continue;
                    }
                    swaps -= 1;
                }
                for group in &item.groups {
                    left[*group] = left[*group].saturating_sub(1);
                }
            }
            open[*index] = true;
            all = all.saturating_sub(1);
            *room = room.saturating_sub(1);
        }
        open
    }
}
