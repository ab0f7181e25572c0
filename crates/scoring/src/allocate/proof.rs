//! The search against brute force, with first attempts so poor that the proof has to do the work.

use proptest::prelude::*;

use super::certain::Certain;
use super::problem::{Domain, Item, Problem};
use super::search::{Failure, best_after};
use super::trials::Trial;

/// The greatest profit within all limits, of all choices there are.
fn brute_force(problem: &Problem) -> Option<i128> {
    let profit = |set: usize| {
        let mut all = Certain::new(problem);
        let own = problem.items.iter().enumerate();
        for (_, item) in own.filter(|(index, _)| set >> index & 1 == 1) {
            all.take(item);
        }
        let mut domains = all.domains.iter().zip(&problem.domains);
        let enough =
            domains.all(|((count, fen), limits)| limits.min <= *count && limits.min_fen <= *fen);
        (enough && !all.breaks(problem)).then_some(all.profit)
    };
    (0..1_usize << problem.items.len()).filter_map(profit).max()
}

/// Profits and costs of one kind: far apart, much alike, or one the multiple of the other.
fn some_items() -> impl Strategy<Value = Vec<Item>> {
    let kind = 0..4_u8;
    kind.prop_flat_map(|kind| {
        let cost = if kind == 0 { 1..7_i64 } else { 1..60 };
        let groups = prop::collection::btree_set(0..5_usize, 0..3);
        let item = (cost, -200..700_i64, 0..3_usize, groups).prop_map(
            move |(cost, profit, domain, groups)| {
                let profit = match kind {
                    1 => 80,
                    2 => cost,
                    _ => profit,
                };
                Item {
                    profit: profit.into(),
                    cost,
                    domain,
                    groups: groups.into_iter().collect(),
                }
            },
        );
        prop::collection::vec(item, 1..12)
    })
}

fn some_domain() -> impl Strategy<Value = Domain> {
    let most = prop::option::of((0..4_u32, 0..80_i64));
    (0..3_u32, prop_oneof![Just(0), 0..60_i64], most).prop_map(|(min, min_fen, most)| Domain {
        min,
        max: most.map_or(u32::MAX, |(more, _)| min + more),
        min_fen,
        max_fen: most.map_or(i64::MAX, |(_, more)| min_fen + more),
    })
}

fn some_problem() -> impl Strategy<Value = Problem> {
    let groups = prop::collection::vec(1..3_u32, 5);
    let domains = prop::collection::vec(some_domain(), 3);
    (some_items(), domains, groups, 10..90_i64).prop_map(|(items, domains, groups, part)| {
        let all: i64 = items.iter().map(|item| item.cost).sum();
        let budget = all * part / 100;
        Problem {
            budget,
            items,
            domains,
            groups,
            within_domain: Vec::new(),
        }
        .with_spans()
    })
}

#[test]
fn a_minimum_is_met_at_a_loss_if_nothing_better_meets_it() {
    let item = |profit, cost| Item {
        profit,
        cost,
        domain: 0,
        groups: Vec::new(),
    };
    let problem = Problem {
        budget: 1,
        items: vec![item(-50, 1), item(-48, 8)],
        domains: vec![Domain {
            min: 1,
            max: u32::MAX,
            min_fen: 0,
            max_fen: i64::MAX,
        }],
        groups: Vec::new(),
        within_domain: Vec::new(),
    }
    .with_spans();
    let prices = problem.prices().expect("half a choice keeps all limits");
    let best = best_after(&[], &problem, &prices, 1_000_000).expect("the first keeps all limits");
    assert_eq!((best.profit, best.chosen), (-50, vec![true, false]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn the_search_proves_what_brute_force_finds(problem in some_problem(), poor in any::<bool>()) {
        let known = brute_force(&problem);
        let trials: &[Trial] = if poor { &[Trial::new(1, 0, 2), Trial::new(3, 1, 2)] } else { &[] };
        let ours = match problem.prices().map(|prices| best_after(trials, &problem, &prices, 1_000_000)) {
            None | Some(Err(Failure::Infeasible)) => None,
            Some(Ok(best)) => {
                let mut all = Certain::new(&problem);
                for (item, _) in problem.items.iter().zip(&best.chosen).filter(|(_, chosen)| **chosen) {
                    all.take(item);
                }
                prop_assert!(!all.breaks(&problem));
                prop_assert_eq!(all.profit, best.profit);
                Some(best.profit)
            }
            Some(Err(Failure::TooLarge)) => return Err(TestCaseError::fail("too large")),
        };
        prop_assert_eq!(ours, known);
    }
}
