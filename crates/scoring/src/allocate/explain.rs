//! How far an application is from being in the best choice.

use super::optimal::Choice;
use super::problem::{PRICE_UNIT, Prices, Problem};
use super::rules::{Objective, SelectionRules};
use super::search::{self, Best, Failure};
use super::words::Words;
use crate::number::Exact;

/// How many are looked at, for all losers together, to say how far each is from being funded.
const EXPLAIN_LIMIT: usize = 3_000_000;

/// What it takes to say why applications are not funded.
pub(super) struct Explained<'a> {
    choice: &'a Choice<'a>,
    /// The same problem, in which one item after the other is worth more than everything else.
    problem: Problem,
    prices: &'a Prices,
    best: &'a Best,
    /// More than all profits together.
    bonus: i128,
    /// How many partial choices may be looked at for each.
    limit: usize,
}

impl<'a> Explained<'a> {
    pub(super) fn new(choice: &'a Choice<'a>, prices: &'a Prices, best: &'a Best) -> Self {
        let items = &choice.problem.items;
        let losers = best.chosen.iter().filter(|chosen| !**chosen).count();
        let most = items
            .iter()
            .map(|item| item.profit.abs())
            .max()
            .unwrap_or(0);
        Self {
            choice,
            problem: choice.problem.clone(),
            prices,
            best,
            // A multiple of what all profits are multiples of, so that bounds stay as sharp.
            bonus: search::common_step(&choice.problem)
                * (most + 1)
                * i128::try_from(items.len() + 1).unwrap_or(i128::MAX),
            limit: EXPLAIN_LIMIT / losers.max(1),
        }
    }

    /// Why an application that could be funded is not, and what would fund it: the best choice with
    /// it is so much worse than the best choice.
    pub(super) fn why_not(
        &mut self,
        rules: &SelectionRules,
        place: u32,
        item: usize,
    ) -> (Words, Words) {
        let because = |en: String, zh: String| {
            Words::new(format!("not in the best choice{en}"), zh).of_place(place)
        };
        if rules.maximise == Objective::Count {
            return (
                because(
                    " of the most projects".into(),
                    "不在资助项目数最多的方案中".into(),
                ),
                Words::new("a lower request", "申请金额更低"),
            );
        }
        let per_point = self.choice.per_point;
        let points = |profit: i128| Exact::ratio(profit, per_point).unwrap_or_default();
        self.add_to(item, self.bonus);
        let prices = self.problem.priced_as(self.prices);
        let with = search::best(&self.problem, &prices, self.limit);
        self.add_to(item, -self.bonus);
        let with = match with {
            Ok(with) if with.chosen.get(item) == Some(&true) => Ok(with.profit - self.bonus),
            Ok(_) => Err(Failure::Infeasible),
            Err(failure) => Err(failure),
        };
        match with {
            Ok(with) => {
                let short = self.best.profit - with;
                let lower = points(short);
                // By one unit more than what is missing, so that it wins and does not merely tie.
                let more = points(short + 1);
                (
                    because(
                        format!(": with it the best total is {lower} lower"),
                        format!("不在最优方案中:若入选,总分最高也要低 {lower} 分"),
                    ),
                    Words::new(format!("{more} more points"), format!("再高 {more} 分")),
                )
            }
            Err(Failure::Infeasible) => (
                because(
                    ": the limits rule it out".into(),
                    "不在最优方案中:受各项上限所限".into(),
                ),
                Words::new("other limits", "调整上限"),
            ),
            Err(Failure::TooLarge) => {
                // No choice that takes it reaches more than the bound.
                let most = prices.bound.div_euclid(PRICE_UNIT) - self.bonus;
                let more = points((self.best.profit - most).max(0) + 1);
                (
                    because(String::new(), "不在最优方案中".into()),
                    Words::new(
                        format!("at least {more} more points"),
                        format!("至少再高 {more} 分"),
                    ),
                )
            }
        }
    }

    fn add_to(&mut self, item: usize, bonus: i128) {
        if let Some(item) = self.problem.items.get_mut(item) {
            item.profit += bonus;
        }
    }
}
