//! Prices on experts' time to start from, where many applications want the same few experts.
//!
//! Any prices are a valid start: the flow puts right whatever they leave. Good ones leave little.

use super::flow::{NEVER, Network};

/// How often prices are adjusted. Each time is one pass over all pairs.
const ROUNDS: usize = 20;

impl Network {
    /// Prices that spread the load: none where loads are nearly right without.
    pub(super) fn starting_prices(&self) -> Vec<i64> {
        let mut prices = vec![0; self.experts];
        let mut loads = vec![0; self.experts];
        let mut best = (usize::MAX, prices.clone());
        let possible = self.affinity.iter().filter(|value| **value != NEVER);
        let (low, high) = possible.fold((0, 0), |(low, high), value| {
            ((*value).min(low), (*value).max(high))
        });
        let mut step = (high - low) / 2;
        for _ in 0..ROUNDS {
            self.demand(&prices, &mut loads);
            let wrong: usize = loads
                .iter()
                .zip(&prices)
                .map(|(load, price)| self.off(*load, *price).unsigned_abs())
                .sum();
            if wrong < best.0 {
                best = (wrong, prices.clone());
            }
            // Chains of exchanges are cheaper than passes over all pairs.
            if wrong <= 2 * self.experts {
                break;
            }
            for (price, load) in prices.iter_mut().zip(&loads) {
                let off = self.off(*load, *price);
                let most = i64::try_from(self.max_load.max(1)).unwrap_or(i64::MAX);
                let change =
                    step.saturating_mul(i64::try_from(off).unwrap_or(0).clamp(-most, most)) / most;
                // A price does not change its sign in one go: at 0 any load within limits is right.
                let next = *price + change;
                *price = if price.signum() * next.signum() < 0 {
                    0
                } else {
                    next
                };
            }
            step = step * 4 / 5;
        }
        best.1
    }

    /// How many reviews too many (or, negative, too few) a load is at a price.
    fn off(&self, load: usize, price: i64) -> isize {
        let within = self.pooled(load, price);
        isize::try_from(load).unwrap_or(isize::MAX) - isize::try_from(within).unwrap_or(isize::MAX)
    }

    /// The load that goes with a price: the maximum if time costs something, the minimum if it is
    /// paid for, otherwise any within limits.
    pub(super) fn pooled(&self, load: usize, price: i64) -> usize {
        match price.signum() {
            1 => self.max_load,
            -1 => self.min_load,
            _ => load.clamp(self.min_load, self.max_load),
        }
    }

    /// The load of every expert if each application gets what is best for it at these prices.
    fn demand(&self, prices: &[i64], loads: &mut [usize]) {
        loads.fill(0);
        let mut order = Vec::with_capacity(self.experts);
        for (application, kept) in self.kept.iter().enumerate() {
            for (expert, _) in kept {
                loads[*expert] += 1;
            }
            let fixed = |expert: usize| kept.iter().any(|(kept, _)| *kept == expert);
            let row = self.row(application).iter().zip(prices).enumerate();
            order.clear();
            order.extend(
                row.filter(|(expert, (value, _))| **value != NEVER && !fixed(*expert))
                    .map(|(expert, (value, price))| (price - value, loads[expert], expert)),
            );
            for (_, _, expert) in first(&mut order, self.per_application.saturating_sub(kept.len()))
            {
                loads[*expert] += 1;
            }
        }
    }
}

/// The `count` least of `items`, in no order.
pub(super) fn first<T: Ord>(items: &mut [T], count: usize) -> &[T] {
    if count == 0 {
        return &[];
    }
    if count < items.len() {
        items.select_nth_unstable(count - 1);
    }
    items.get(..count).unwrap_or(items)
}
