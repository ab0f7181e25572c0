//! In which order open items are decided, and which limits have to be watched meanwhile.

use super::certain::Certain;
use super::problem::{PRICE_UNIT, Prices, Problem};

/// The open items in the order they are decided, with the limits that matter among them.
#[derive(Debug)]
pub(super) struct Tracked {
    /// One for each domain whose limits matter, and one for all other items.
    pub(super) stages: Vec<Stage>,
    /// What each item adds to the uses of a state.
    pub(super) uses: Vec<u128>,
    /// What each item earns, in profit times [`PRICE_UNIT`]: its profit less the prices of groups
    /// that cannot be watched.
    pub(super) earns: Vec<i128>,
    /// What all use of such groups may cost, and what choices therefore earn at most besides.
    pub(super) credit: i128,
    /// Whether there was no room to watch all groups: then choices may break some.
    pub(super) relaxed: bool,
    /// For each item, whether its groups allow one more.
    pub(super) checks: Vec<Check>,
}

/// Whether groups are used too often.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Check {
    offsets: u128,
    guards: u128,
    /// The groups that may have one more, a bit each.
    singles: u128,
}

impl Check {
    /// Whether none of the groups is used more often than it may be by both together.
    pub(super) fn allows(&self, a: u128, b: u128) -> bool {
        a & b & self.singles == 0 && (a + b + self.offsets) & self.guards == 0
    }

    /// Looks at the field of a group, too, that starts at a bit, is so many bits wide, and may hold at
    /// most so many: more of them reach its highest bit.
    fn add(&mut self, (shift, width, most): (u32, u32, u32)) {
        if width == 1 {
            self.singles |= 1 << shift;
            return;
        }
        self.offsets |= ((1_u128 << (width - 1)) - 1 - u128::from(most)) << shift;
        self.guards |= 1 << (shift + width - 1);
    }
}

/// Items that are decided together. Money and projects are what is left beside certain items.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) items: Vec<usize>,
    /// Whether these are all of one domain whose limits matter: then they are decided apart and
    /// joined to what is before.
    pub(super) apart: bool,
    /// The domain, if apart.
    pub(super) domain: usize,
    /// Whether projects are counted.
    pub(super) counts: bool,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) min_fen: i64,
    pub(super) max_fen: i64,
    /// The prices of money and of a project.
    prices: (i128, i128),
    /// For each place, the groups that are done with after it.
    pub(super) ends: Vec<Vec<End>>,
    /// The groups that are done with after the stage is joined.
    pub(super) closes: Vec<End>,
    /// Whether groups that other stages use, too, allow what is joined.
    pub(super) check: Check,
}

/// A group that no later item uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) mask: u128,
    shift: u32,
    most: u32,
    price: i128,
}

impl End {
    /// What is lost by what is left unused.
    pub(super) fn unused(&self, uses: u128) -> i128 {
        let used = (uses & self.mask) >> self.shift;
        self.price * (i128::from(self.most) - i128::try_from(used).unwrap_or(0))
    }
}

impl Stage {
    /// What is lost by what is left unused, or used beyond a minimum.
    pub(super) fn unused(&self, count: u32, fen: i64) -> i128 {
        let (money, project) = self.prices;
        let money = if 0 < money {
            money * i128::from(self.max_fen - fen)
        } else {
            -money * i128::from(fen - self.min_fen)
        };
        let project = if 0 < project {
            project * (i128::from(self.max) - i128::from(count))
        } else {
            -project * (i128::from(count) - i128::from(self.min))
        };
        money + project
    }
}

/// The places of a group among open items.
#[derive(Clone, Copy)]
struct Span {
    first: (usize, usize),
    last: (usize, usize),
    members: u32,
}

impl Tracked {
    /// With `alone`, for a look at one domain, whatever others do; with `priced_only`, domains whose
    /// limits have no price are not watched, so that choices may break these.
    pub(super) fn new(
        problem: &Problem,
        prices: &Prices,
        certain: &Certain,
        open: &[bool],
        alone: bool,
        priced_only: bool,
    ) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut rest: Vec<usize> = Vec::new();
        let mut of_domain: Vec<Vec<usize>> = vec![Vec::new(); problem.domains.len()];
        for (index, item) in problem
            .items
            .iter()
            .enumerate()
            .filter(|(index, _)| open[*index])
        {
            of_domain[item.domain].push(index);
        }
        for (domain, own) in of_domain.into_iter().enumerate() {
            if priced_only && prices.domains[domain] == (0, 0) {
                rest.extend(own);
                continue;
            }
            match Stage::of_domain(problem, prices, certain, domain, own) {
                Ok(stage) => stages.push(stage),
                Err(own) => rest.extend(own),
            }
        }
        stages.sort_by_key(|stage| stage.items.len());
        stages.push(Stage {
            items: rest,
            max_fen: problem.budget,
            ..Stage::default()
        });
        // The largest losses first: those decisions are soon given up. Members of a group together.
        let size = |item: &usize| prices.losses[*item];
        let mut largest = vec![0_i128; problem.groups.len()];
        for item in stages.iter().flat_map(|stage| &stage.items) {
            if let Some(group) = problem.items[*item].groups.first() {
                largest[*group] = largest[*group].max(size(item));
            }
        }
        for stage in &mut stages {
            stage.items.sort_by_key(|item| {
                let group = problem.items[*item].groups.first();
                let largest = group.map_or(size(item), |group| largest[*group]);
                (
                    std::cmp::Reverse(largest),
                    group.copied(),
                    std::cmp::Reverse(size(item)),
                    *item,
                )
            });
            stage.ends = vec![Vec::new(); stage.items.len()];
        }
        let mut tracked = Self {
            stages,
            uses: vec![0; problem.items.len()],
            checks: vec![Check::default(); problem.items.len()],
            earns: problem
                .items
                .iter()
                .map(|item| item.profit * PRICE_UNIT)
                .collect(),
            credit: 0,
            relaxed: false,
        };
        tracked.watch_groups(problem, prices, certain, alone);
        tracked
    }

    fn watch_groups(&mut self, problem: &Problem, prices: &Prices, certain: &Certain, alone: bool) {
        let mut spans: Vec<Option<Span>> = vec![None; problem.groups.len()];
        for (number, stage) in self.stages.iter().enumerate() {
            for (place, item) in stage.items.iter().enumerate() {
                for group in &problem.items[*item].groups {
                    let here = (number, place);
                    let span = spans[*group].get_or_insert(Span {
                        first: here,
                        last: here,
                        members: 0,
                    });
                    span.last = here;
                    span.members += 1;
                }
            }
        }
        let mut spans: Vec<(usize, Span)> = spans
            .into_iter()
            .enumerate()
            .filter_map(|(group, span)| Some((group, span?)))
            .collect();
        spans.sort_by_key(|(_, span)| span.first);
        // The fields in use: until when, from which bit, and how many bits.
        let mut used: Vec<((usize, usize), u32, u32)> = Vec::new();
        let mut fields = vec![None; problem.groups.len()];
        let mut charged = vec![false; problem.groups.len()];
        for (group, span) in spans {
            // Looking at one domain alone, others are known to use such a group only by its price.
            charged[group] = alone && !problem.within_domain[group];
            let most = problem.groups[group] - certain.groups[group];
            if span.members <= most {
                continue;
            }
            // Room for the sum of two states, and a guard above what is allowed; or one bit.
            let width = if most == 1 {
                1
            } else {
                (u32::BITS - (2 * most).leading_zeros()).max(1) + 1
            };
            let shared = span.first.0 < span.last.0;
            used.retain(|(until, _, _)| span.first <= *until);
            used.sort_by_key(|(_, shift, _)| *shift);
            let mut shift = 0;
            for (_, at, wide) in &used {
                if shift + width <= *at {
                    break;
                }
                shift = at + wide;
            }
            if u128::BITS < shift + width {
                self.relaxed = true;
                charged[group] = true;
                self.credit += prices.groups[group] * i128::from(most);
                continue;
            }
            let until = if shared {
                (span.last.0, usize::MAX)
            } else {
                span.last
            };
            used.push((until, shift, width));
            fields[group] = Some((shift, width, most));
            if shared {
                for stage in &mut self.stages[span.first.0..=span.last.0] {
                    stage.check.add((shift, width, most));
                }
            }
            let mask = ((1 << width) - 1) << shift;
            let end = End {
                mask,
                shift,
                most,
                price: if charged[group] {
                    0
                } else {
                    prices.groups[group]
                },
            };
            let stage = &mut self.stages[span.last.0];
            if shared && stage.apart {
                stage.closes.push(end);
            } else {
                stage.ends[span.last.1].push(end);
            }
        }
        for (index, item) in problem.items.iter().enumerate() {
            for field in item.groups.iter().filter_map(|group| fields[*group]) {
                self.uses[index] += 1 << field.0;
                self.checks[index].add(field);
            }
            for group in item.groups.iter().filter(|group| charged[**group]) {
                self.earns[index] -= prices.groups[*group];
            }
        }
    }
}

impl Stage {
    /// The stage of a domain, or else its items again if none of its limits matters.
    fn of_domain(
        problem: &Problem,
        prices: &Prices,
        certain: &Certain,
        domain: usize,
        items: Vec<usize>,
    ) -> Result<Self, Vec<usize>> {
        let limits = problem.domains[domain];
        let (count, fen) = certain.domains[domain];
        let number = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let most = items.iter().fold(fen, |sum, item| {
            sum.saturating_add(problem.items[*item].cost)
        });
        let counts =
            count < limits.min || limits.max < count + number || prices.domains[domain].1 != 0;
        let money = fen < limits.min_fen || limits.max_fen < most || prices.domains[domain].0 != 0;
        if !counts && !money {
            return Err(items);
        }
        Ok(Self {
            items,
            apart: true,
            domain,
            counts,
            min: limits.min.saturating_sub(count),
            max: limits.max.saturating_sub(count),
            min_fen: (limits.min_fen - fen).max(0),
            max_fen: limits
                .max_fen
                .saturating_sub(fen)
                .min(problem.budget - certain.fen),
            prices: prices.domains[domain],
            ..Self::default()
        })
    }
}
