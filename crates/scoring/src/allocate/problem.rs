//! The choice of the best set as a problem in whole numbers.

/// What may be chosen, and within what.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// What may be spent, in fen.
    pub(super) budget: i64,
    pub(super) items: Vec<Item>,
    pub(super) domains: Vec<Domain>,
    /// The most items of each group: an organisation, a street, an incompatible pair. Only groups
    /// that have more members than they may have winners.
    pub(super) groups: Vec<u32>,
}

/// One application that could be funded.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What it adds to the objective.
    pub(super) profit: i128,
    /// Its award, in fen.
    pub(super) cost: i64,
    pub(super) domain: usize,
    pub(super) groups: Vec<usize>,
}

/// The limits of one domain, with those that cannot bind made infinite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Domain {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) min_fen: i64,
    pub(super) max_fen: i64,
}

/// One fraction of 2^-48: prices are whole multiples of this, so that bounds are exact.
pub(super) const PRICE_UNIT: i128 = 1 << 48;

/// A price on every limit. Any prices give a bound; good ones give a close bound.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    /// What no choice can exceed, in profit times [`PRICE_UNIT`].
    pub(super) bound: i128,
    /// What an item adds to the bound if it is chosen: profit less the prices of all it uses.
    pub(super) margins: Vec<i128>,
}

/// Prices as found, before they are made whole.
#[derive(Clone, Debug, Default)]
struct Draft {
    budget: f64,
    /// Per domain, on money (including the budget's price) and on each project.
    domains: Vec<(f64, f64)>,
    groups: Vec<f64>,
}

const BISECTIONS: usize = 60;
const ROUNDS: usize = 12;

impl Problem {
    /// Prices whose bound is close to the best choice.
    ///
    /// With the groups' prices fixed, the best prices of the budget and the domains are found by
    /// bisection, because the money that the best priced choice spends falls as its price rises.
    /// Then each group's price is set to what its first loser would pay; and again.
    pub(super) fn prices(&self) -> Prices {
        let mut groups = vec![0.0; self.groups.len()];
        let mut best: Option<Prices> = None;
        for _ in 0..ROUNDS {
            let draft = self.price_money(groups);
            let prices = self.settle(&draft);
            let settled = best.as_ref().is_some_and(|best| best.bound <= prices.bound);
            if !settled {
                best = Some(prices);
            }
            groups = self.price_groups(draft);
            if settled || groups.is_empty() {
                break;
            }
        }
        best.unwrap_or_else(|| self.settle(&Draft::default()))
    }

    /// The best prices of money and projects for given prices of groups.
    fn price_money(&self, groups: Vec<f64>) -> Draft {
        let mut members: Vec<Vec<(f64, f64)>> = vec![Vec::new(); self.domains.len()];
        let mut highest = 0.0_f64;
        for item in &self.items {
            let value = approximate(item.profit) - price_of_groups(item, &groups);
            let cost = approximate(item.cost.into());
            if 0.0 < cost {
                highest = highest.max(value.abs() / cost);
            }
            if let Some(members) = members.get_mut(item.domain) {
                members.push((value, cost));
            }
        }
        // Above this price even the dearest item is not worth its money.
        let highest = 2.0 * highest + 1e-9;
        let spent =
            |domain: usize, price: f64| match (members.get(domain), self.domains.get(domain)) {
                (Some(members), Some(limits)) => best_at(members, limits, price).0,
                _ => 0.0,
            };
        let limits_on_price: Vec<(f64, f64)> = self
            .domains
            .iter()
            .enumerate()
            .map(|(domain, limits)| {
                let below = if limits.max_fen == i64::MAX {
                    -highest
                } else {
                    let most = approximate(limits.max_fen.into());
                    least_price(-highest, highest, |price| spent(domain, price) <= most)
                };
                let above = if limits.min_fen == 0 {
                    highest
                } else {
                    let least = approximate(limits.min_fen.into());
                    least_price(-highest, highest, |price| spent(domain, price) < least)
                };
                (below, above)
            })
            .collect();
        let price_in = |(below, above): &(f64, f64), budget: f64| budget.max(*below).min(*above);
        let budget = least_price(0.0, highest, |price| {
            let all = limits_on_price.iter().enumerate();
            let spent: f64 = all
                .map(|(domain, limits)| spent(domain, price_in(limits, price)))
                .sum();
            spent <= approximate(self.budget.into())
        });
        let domains = self.domains.iter().zip(&members).zip(&limits_on_price);
        let domains = domains
            .map(|((limits, members), range)| {
                let price = price_in(range, budget);
                (price, best_at(members, limits, price).1)
            })
            .collect();
        Draft {
            budget,
            domains,
            groups,
        }
    }

    /// Each group's price at which its first loser would be indifferent.
    fn price_groups(&self, draft: Draft) -> Vec<f64> {
        let mut groups = draft.groups;
        let mut members: Vec<Vec<&Item>> = vec![Vec::new(); groups.len()];
        for item in &self.items {
            for group in &item.groups {
                if let Some(members) = members.get_mut(*group) {
                    members.push(item);
                }
            }
        }
        for (index, (members, most)) in members.iter().zip(&self.groups).enumerate() {
            let own = groups.get(index).copied().unwrap_or(0.0);
            let mut margins: Vec<f64> = members
                .iter()
                .map(|item| {
                    let (money, project) =
                        draft.domains.get(item.domain).copied().unwrap_or_default();
                    approximate(item.profit)
                        - money * approximate(item.cost.into())
                        - project
                        - price_of_groups(item, &groups)
                        + own
                })
                .collect();
            margins.sort_unstable_by(|a, b| b.total_cmp(a));
            let loser = margins.get(*most as usize).copied().unwrap_or(0.0);
            if let Some(price) = groups.get_mut(index) {
                *price = loser.max(0.0);
            }
        }
        groups
    }

    /// Makes prices whole and adds up the bound they prove.
    fn settle(&self, draft: &Draft) -> Prices {
        let budget = whole(draft.budget).max(0);
        let mut bound = budget * i128::from(self.budget);
        let mut of_domain = Vec::with_capacity(self.domains.len());
        for (index, limits) in self.domains.iter().enumerate() {
            let (money, project) = draft.domains.get(index).copied().unwrap_or_default();
            let own = whole(money) - budget;
            let own = if limits.max_fen == i64::MAX {
                own.min(0)
            } else {
                own
            };
            let project = whole(project);
            let project = if limits.max == u32::MAX {
                project.min(0)
            } else {
                project
            };
            let money_limit = if 0 < own {
                limits.max_fen
            } else {
                limits.min_fen
            };
            let project_limit = if 0 < project { limits.max } else { limits.min };
            bound += own * i128::from(money_limit) + project * i128::from(project_limit);
            of_domain.push((budget + own, project));
        }
        let groups: Vec<i128> = self
            .groups
            .iter()
            .enumerate()
            .map(|(index, _)| whole(draft.groups.get(index).copied().unwrap_or(0.0)).max(0))
            .collect();
        bound += groups
            .iter()
            .zip(&self.groups)
            .map(|(price, most)| price * i128::from(*most))
            .sum::<i128>();
        let margins: Vec<i128> = self
            .items
            .iter()
            .map(|item| {
                let (money, project) = of_domain.get(item.domain).copied().unwrap_or_default();
                let used = item
                    .groups
                    .iter()
                    .filter_map(|group| groups.get(*group))
                    .sum::<i128>();
                item.profit * PRICE_UNIT - money * i128::from(item.cost) - project - used
            })
            .collect();
        bound += margins
            .iter()
            .copied()
            .filter(|margin| 0 < *margin)
            .sum::<i128>();
        Prices { bound, margins }
    }
}

/// What the best priced choice of a domain spends at a price on money, and the price on each of its
/// projects that keeps their number within limits. `members` are (value, cost).
fn best_at(members: &[(f64, f64)], limits: &Domain, price: f64) -> (f64, f64) {
    let mut margins: Vec<(f64, f64)> = members
        .iter()
        .map(|(value, cost)| (value - price * cost, *cost))
        .collect();
    let positive = margins.iter().filter(|(margin, _)| 0.0 < *margin).count();
    let (min, max) = (limits.min as usize, limits.max as usize);
    if (min..=max).contains(&positive) {
        let spent = margins
            .iter()
            .filter(|(margin, _)| 0.0 < *margin)
            .map(|(_, cost)| cost)
            .sum();
        return (spent, 0.0);
    }
    let chosen = positive.clamp(min.min(max), max).min(margins.len());
    margins.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    // Too many want to be in: the first that is out pays nothing. Too few: the last in is paid.
    let marginal = if max < positive {
        chosen
    } else {
        chosen.saturating_sub(1)
    };
    let project = margins.get(marginal).map_or(0.0, |(margin, _)| *margin);
    (
        margins.iter().take(chosen).map(|(_, cost)| cost).sum(),
        project,
    )
}

/// The least price, to within the bisection, at which `enough` holds; it must hold from there up.
fn least_price(mut low: f64, mut high: f64, enough: impl Fn(f64) -> bool) -> f64 {
    if enough(low) {
        return low;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

fn price_of_groups(item: &Item, groups: &[f64]) -> f64 {
    item.groups
        .iter()
        .filter_map(|group| groups.get(*group))
        .sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "prices need not be exact to prove a bound"
)]
fn approximate(value: i128) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a price beyond the range gives a poor bound"
)]
fn whole(price: f64) -> i128 {
    (price * approximate(PRICE_UNIT)).round() as i128
}
