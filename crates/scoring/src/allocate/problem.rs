//! The choice of the best set as a problem in whole numbers.

use super::simplex::{End, Programme};

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
    /// Whether all members of each group are in one domain.
    pub(super) within_domain: Vec<bool>,
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
    /// What a choice loses at least against the bound if it decides on an item otherwise than the
    /// margin says.
    pub(super) losses: Vec<i128>,
    /// Of each domain, the price of its money over and above that of the budget, and of a project.
    pub(super) domains: Vec<(i128, i128)>,
    /// The price of each group.
    pub(super) groups: Vec<i128>,
    /// Whether each item is wholly in a best choice that may take others in part: what its margin
    /// says, or where that says nothing, what keeps the limits.
    pub(super) inside: Vec<bool>,
    pub(super) draft: Draft,
}

/// Prices as found, before they are made whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) budget: f64,
    /// Per domain, on money over and above the budget's price, and on each project.
    domains: Vec<(f64, f64)>,
    pub(super) groups: Vec<f64>,
}

/// A row of the linear programme.
#[derive(Clone, Copy)]
enum Row {
    Budget,
    Money(usize),
    Projects(usize),
    Group(usize),
}

impl Problem {
    /// The same, knowing which groups lie within one domain.
    pub(super) fn with_spans(mut self) -> Self {
        let mut domains: Vec<Option<usize>> = vec![None; self.groups.len()];
        self.within_domain = vec![true; self.groups.len()];
        for item in &self.items {
            for group in &item.groups {
                let domain = *domains[*group].get_or_insert(item.domain);
                self.within_domain[*group] &= domain == item.domain;
            }
        }
        self
    }

    /// Prices whose bound is that of the best choice if items could be chosen in part; `None` if
    /// not even such a choice keeps all limits.
    ///
    /// Most groups bind nobody, so each comes in only when a choice breaks it.
    pub(super) fn prices(&self) -> Option<Prices> {
        let count = approximate(self.items.len() as i128).max(1.0);
        let all: f64 = self.items.iter().map(|i| approximate(i.cost.into())).sum();
        let unit = (all / count).max(1.0);
        let values = self.items.iter().map(|item| approximate(item.profit));
        let mut programme = Programme::new(values.collect());
        let money = |fen: i64| approximate(fen.into()) / unit;
        let costs: Vec<(usize, f64)> = self
            .items
            .iter()
            .map(|item| money(item.cost))
            .enumerate()
            .collect();
        let mut rows = vec![Row::Budget];
        programme.add(&costs, f64::NEG_INFINITY, money(self.budget));
        let mut members: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.domains.len()];
        for (cost, item) in costs.iter().zip(&self.items) {
            if let Some(own) = members.get_mut(item.domain) {
                own.push(*cost);
            }
        }
        for (index, (domain, own)) in self.domains.iter().zip(&members).enumerate() {
            if 0 < domain.min_fen || domain.max_fen < i64::MAX {
                rows.push(Row::Money(index));
                let most = if domain.max_fen < i64::MAX {
                    money(domain.max_fen)
                } else {
                    f64::INFINITY
                };
                programme.add(own, money(domain.min_fen), most);
            }
            if 0 < domain.min || domain.max < u32::MAX {
                rows.push(Row::Projects(index));
                let most = if domain.max < u32::MAX {
                    domain.max.into()
                } else {
                    f64::INFINITY
                };
                let each: Vec<(usize, f64)> = own.iter().map(|(item, _)| (*item, 1.0)).collect();
                programme.add(&each, domain.min.into(), most);
            }
        }
        let mut of_group: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.groups.len()];
        for (index, item) in self.items.iter().enumerate() {
            for group in &item.groups {
                if let Some(own) = of_group.get_mut(*group) {
                    own.push((index, 1.0));
                }
            }
        }
        let mut absent = vec![true; self.groups.len()];
        loop {
            let (end, found) = programme.optimise();
            let draft = self.draft(&rows, &found, unit);
            if end == End::Contradiction {
                if self.contradicts(&draft) {
                    return None;
                }
                return Some(self.settle(&self.draft(&rows, &vec![0.0; rows.len()], unit)));
            }
            let before = rows.len();
            for (group, (own, most)) in of_group.iter().zip(&self.groups).enumerate() {
                let level: f64 = own.iter().map(|(item, _)| programme.level(*item)).sum();
                if absent[group] && f64::from(*most) + 1e-6 < level {
                    absent[group] = false;
                    rows.push(Row::Group(group));
                    programme.add(own, f64::NEG_INFINITY, f64::from(*most));
                }
            }
            if before == rows.len() || end == End::Stopped {
                let mut prices = self.settle(&draft);
                for (item, inside) in prices.inside.iter_mut().enumerate() {
                    *inside = 1.0 - 1e-6 < programme.level(item);
                }
                return Some(prices);
            }
        }
    }

    fn draft(&self, rows: &[Row], prices: &[f64], unit: f64) -> Draft {
        let mut draft = Draft {
            budget: 0.0,
            domains: vec![(0.0, 0.0); self.domains.len()],
            groups: vec![0.0; self.groups.len()],
        };
        for (row, price) in rows.iter().zip(prices) {
            match row {
                Row::Budget => draft.budget = price / unit,
                Row::Money(domain) => draft.domains[*domain].0 = price / unit,
                Row::Projects(domain) => draft.domains[*domain].1 = *price,
                Row::Group(group) => draft.groups[*group] = *price,
            }
        }
        draft
    }

    /// Whether these prices prove that no choice keeps all limits: if nothing earned anything, its
    /// bound would be below what the empty choice earns.
    fn contradicts(&self, draft: &Draft) -> bool {
        let mut worthless = self.clone();
        for item in &mut worthless.items {
            item.profit = 0;
        }
        worthless.settle(draft).bound < 0 || worthless.settle(&draft.negated()).bound < 0
    }

    /// The bound that the same prices prove of this problem, which differs in profits only.
    pub(super) fn priced_as(&self, prices: &Prices) -> Prices {
        self.settle(&prices.draft)
    }

    /// Makes prices whole and adds up the bound they prove, with each group's price as good as those
    /// of all others let it be.
    fn settle(&self, draft: &Draft) -> Prices {
        self.settled(draft, true)
    }

    /// The same with the groups' prices as they are.
    pub(super) fn settle_at(&self, draft: &Draft) -> Prices {
        self.settled(draft, false)
    }

    fn settled(&self, draft: &Draft, sharpened: bool) -> Prices {
        let budget = whole(draft.budget).max(0);
        let mut bound = budget * i128::from(self.budget);
        let mut domains = Vec::with_capacity(self.domains.len());
        for (limits, (money, project)) in self.domains.iter().zip(&draft.domains) {
            let (mut money, mut project) = (whole(*money), whole(*project));
            if limits.max_fen == i64::MAX {
                money = money.min(0);
            }
            if limits.max == u32::MAX {
                project = project.min(0);
            }
            let money_limit = if 0 < money {
                limits.max_fen
            } else {
                limits.min_fen
            };
            let project_limit = if 0 < project { limits.max } else { limits.min };
            bound += money * i128::from(money_limit) + project * i128::from(project_limit);
            domains.push((money, project));
        }
        let mut groups: Vec<i128> = draft
            .groups
            .iter()
            .map(|price| whole(*price).max(0))
            .collect();
        let mut margins: Vec<i128> = self
            .items
            .iter()
            .map(|item| {
                let (money, project) = domains.get(item.domain).copied().unwrap_or_default();
                let used: i128 = item
                    .groups
                    .iter()
                    .filter_map(|group| groups.get(*group))
                    .sum();
                item.profit * PRICE_UNIT - (budget + money) * i128::from(item.cost) - project - used
            })
            .collect();
        let members = self.members();
        if sharpened {
            self.sharpen(&members, &mut groups, &mut margins);
        }
        let losses = self.losses(&members, &groups, &margins);
        let of_groups = groups.iter().zip(&self.groups);
        bound += of_groups
            .map(|(price, most)| price * i128::from(*most))
            .sum::<i128>();
        bound += margins
            .iter()
            .copied()
            .filter(|margin| 0 < *margin)
            .sum::<i128>();
        let inside = margins.iter().map(|margin| 0 < *margin).collect();
        Prices {
            bound,
            margins,
            losses,
            domains,
            groups,
            inside,
            draft: draft.clone(),
        }
    }

    /// The members of each group; none where one of them counts another group as its first, so that
    /// nobody is a member of two.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.groups.len()];
        let mut apart = vec![true; self.groups.len()];
        for (index, item) in self.items.iter().enumerate() {
            for (place, group) in item.groups.iter().enumerate() {
                members[*group].push(index);
                apart[*group] &= place == 0;
            }
        }
        for (own, apart) in members.iter_mut().zip(apart) {
            if !apart {
                own.clear();
            }
        }
        members
    }

    /// Sets each group's price to what its first loser would pay, which is best for all other
    /// prices given.
    fn sharpen(&self, members: &[Vec<usize>], groups: &mut [i128], margins: &mut [i128]) {
        for (group, own) in members.iter().enumerate() {
            let mut values: Vec<i128> = own
                .iter()
                .map(|item| margins[*item] + groups[group])
                .collect();
            values.sort_unstable_by_key(|value| std::cmp::Reverse(*value));
            let most = self.groups[group] as usize;
            let first_out = values.get(most).map_or(0, |value| *value).max(0);
            for item in own {
                margins[*item] += groups[group] - first_out;
            }
            if !own.is_empty() {
                groups[group] = first_out;
            }
        }
    }

    /// What a choice loses at least if it decides on an item otherwise than its margin says: who comes
    /// in puts another of its group out.
    fn losses(&self, members: &[Vec<usize>], groups: &[i128], margins: &[i128]) -> Vec<i128> {
        let mut losses: Vec<i128> = margins.iter().map(|margin| margin.abs()).collect();
        for (group, own) in members.iter().enumerate() {
            let (price, most) = (groups[group], self.groups[group] as usize);
            let mut own = own.clone();
            own.sort_by_key(|item| std::cmp::Reverse(margins[*item]));
            let value = |place: usize| own.get(place).map_or(0, |item| margins[*item] + price);
            let best = |places: usize| (0..places.min(own.len())).map(|at| value(at).max(0)).sum();
            let (of_all, of_others): (i128, i128) = (best(most), best(most.saturating_sub(1)));
            let bound = price * i128::from(self.groups[group])
                + own.iter().map(|item| margins[*item].max(0)).sum::<i128>();
            for (place, item) in own.iter().enumerate() {
                let among = place < most;
                let reached = match (0 < margins[*item], among) {
                    // It stays out: the next comes in.
                    (true, true) => of_all - value(place).max(0) + value(most).max(0),
                    (true, false) => of_all,
                    // It comes in: the last stays out.
                    (false, true) => of_all + value(place).min(0),
                    (false, false) => of_others + value(place),
                };
                losses[*item] = bound - reached;
            }
        }
        losses
    }
}

impl Draft {
    fn negated(&self) -> Self {
        Self {
            budget: -self.budget,
            domains: self
                .domains
                .iter()
                .map(|(money, project)| (-money, -project))
                .collect(),
            groups: self.groups.iter().map(|price| -price).collect(),
        }
    }
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
