//! Selection against brute force, and the promises that every selection keeps.

use std::collections::BTreeMap;

use fundcycle_scoring::{
    Allocation, AllocationError, Bid, DomainLimits, Exact, Objective, Outcome, SelectionMode,
    SelectionRules, WhenShort, Yuan, allocate,
};
use proptest::prelude::*;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    }
}

fn yuan(amount: i64) -> Yuan {
    Yuan::from_fen(amount * 100).unwrap()
}

fn bid(index: usize, organisation: usize, domain: usize, score: i64, requested: i64) -> Bid {
    Bid {
        application: format!("a{index}"),
        organisation: format!("o{organisation}"),
        domain: format!("d{domain}"),
        street: None,
        score: Exact::ratio(score.into(), 10).unwrap(),
        requested_fen: requested * 100,
        recommended_fen: None,
    }
}

fn some_bids(most: usize) -> impl Strategy<Value = Vec<Bid>> {
    prop::collection::vec((0..6_usize, 0..3_usize, 400..1000_i64, 1..40_i64), 1..=most).prop_map(
        |rows| {
            let bids = rows.into_iter().enumerate();
            bids.map(|(index, (o, d, score, money))| bid(index, o, d, score, money))
                .collect()
        },
    )
}

fn some_limits() -> impl Strategy<Value = DomainLimits> {
    let amount = |most| prop::option::of((0..most).prop_map(yuan));
    (
        prop::option::of(0..2_u32),
        prop::option::of(2..5_u32),
        amount(20_i64),
        amount(80),
    )
        .prop_map(|(min, max, min_amount, extra)| DomainLimits {
            min,
            max,
            min_amount,
            max_amount: extra.map(|extra| {
                Yuan::from_fen(extra.fen() + min_amount.map_or(0, Yuan::fen)).unwrap()
            }),
        })
}

fn some_rules() -> impl Strategy<Value = SelectionRules> {
    let limits = (some_limits(), some_limits(), any::<bool>());
    let rest = (
        100..300_i64,
        prop::option::of(400..700_i64),
        prop::option::of(1..3_u32),
        prop::collection::vec((0..5_usize, 5..9_usize), 0..3),
        prop::sample::select(vec![
            WhenShort::Stop,
            WhenShort::PartialLast,
            WhenShort::SkipAndFill,
        ]),
        any::<bool>(),
        0..4_u32,
    );
    (limits, rest).prop_map(
        |((every, single, has_single), (budget, line, most, pairs, short, count, reserve))| {
            SelectionRules {
                pass_line: line.map(|line| Exact::ratio(line.into(), 10).unwrap()),
                max_per_organisation: most,
                incompatible: pairs
                    .into_iter()
                    .map(|(a, b)| (format!("a{a}"), format!("a{b}")))
                    .collect(),
                when_short: short,
                maximise: if count {
                    Objective::Count
                } else {
                    Objective::Score
                },
                reserve,
                every_domain: every,
                domain: has_single
                    .then(|| ("d1".to_owned(), single))
                    .into_iter()
                    .collect(),
                ..SelectionRules::with_budget(yuan(budget))
            }
        },
    )
}

/// Pairs that name an application which does not bid are a fault of their own.
fn only_existing_pairs(rules: &mut SelectionRules, bids: &[Bid]) {
    let exists = |id: &String| bids.iter().any(|bid| &bid.application == id);
    rules.incompatible.retain(|(a, b)| exists(a) && exists(b));
}

/// Whether the set (as bits) keeps all maximums and the pass line, and whether also the minimums.
fn keeps_limits(rules: &SelectionRules, bids: &[Bid], set: usize, awards: &[i64]) -> (bool, bool) {
    let chosen: Vec<(&Bid, i64)> = (0..bids.len())
        .filter(|index| set >> index & 1 == 1)
        .map(|index| (&bids[index], awards[index]))
        .collect();
    let has = |id: &String| chosen.iter().any(|(bid, _)| &bid.application == id);
    let passes = |bid: &Bid| {
        rules
            .pass_line
            .as_ref()
            .is_none_or(|line| line <= &bid.score)
    };
    let mut maximums = chosen.iter().map(|(_, award)| award).sum::<i64>() <= rules.budget.fen()
        && chosen.iter().all(|(bid, _)| passes(bid))
        && !rules.incompatible.iter().any(|(a, b)| has(a) && has(b));
    let mut minimums = true;
    for (bid, _) in &chosen {
        let own = chosen
            .iter()
            .filter(|(other, _)| other.organisation == bid.organisation)
            .count();
        maximums &= rules
            .max_per_organisation
            .is_none_or(|most| own <= most as usize);
    }
    for domain in ["d0", "d1", "d2"] {
        let limits = rules.limits_of(domain);
        let own: Vec<i64> = chosen
            .iter()
            .filter(|(bid, _)| bid.domain == domain)
            .map(|(_, award)| *award)
            .collect();
        let could: Vec<i64> = bids
            .iter()
            .filter(|bid| {
                bid.domain == domain && passes(bid) && bid.requested_fen <= rules.budget.fen()
            })
            .map(|bid| bid.requested_fen)
            .collect();
        let min = (limits.min.unwrap_or(0) as usize).min(could.len());
        let min_fen = limits
            .min_amount
            .map_or(0, Yuan::fen)
            .min(could.iter().sum());
        maximums &= limits.max.is_none_or(|max| own.len() <= max as usize);
        maximums &= limits
            .max_amount
            .is_none_or(|max| own.iter().sum::<i64>() <= max.fen());
        minimums &= min <= own.len() && min_fen <= own.iter().sum();
    }
    (maximums, minimums)
}

/// The best objective over all sets; `None` if none keeps all limits.
fn brute_force(rules: &SelectionRules, bids: &[Bid]) -> Option<(Exact, Exact)> {
    let awards: Vec<i64> = bids.iter().map(|bid| bid.requested_fen).collect();
    (0..1_usize << bids.len())
        .filter(|set| keeps_limits(rules, bids, *set, &awards) == (true, true))
        .map(|set| {
            let chosen = (0..bids.len()).filter(|index| set >> index & 1 == 1);
            let score: Exact = chosen.map(|index| &bids[index].score).sum();
            let count = Exact::from_integer(set.count_ones().into());
            match rules.maximise {
                Objective::Score => (score.clone(), score),
                Objective::Count => (count, score),
            }
        })
        .max()
}

fn funded(selection: &Allocation) -> BTreeMap<&str, i64> {
    let funded = selection
        .decisions
        .iter()
        .filter(|d| d.decision == Outcome::Funded);
    funded
        .map(|d| (d.application.as_str(), d.award_fen))
        .collect()
}

fn as_bits(bids: &[Bid], selection: &Allocation) -> (usize, Vec<i64>) {
    let funded = funded(selection);
    let award = |bid: &Bid| funded.get(bid.application.as_str()).copied();
    let set = bids
        .iter()
        .enumerate()
        .filter(|(_, bid)| award(bid).is_some());
    let set = set.map(|(index, _)| 1 << index).sum();
    (
        set,
        bids.iter().map(|bid| award(bid).unwrap_or(0)).collect(),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_optimal_selection_is_as_good_as_brute_force(bids in some_bids(9), mut rules in some_rules()) {
        only_existing_pairs(&mut rules, &bids);
        rules.mode = SelectionMode::Optimal;
        prop_assume!(rules.faults().is_empty());
        match (allocate(&rules, &bids), brute_force(&rules, &bids)) {
            (Ok(selection), Some((objective, _))) => {
                let (set, awards) = as_bits(&bids, &selection);
                prop_assert_eq!(keeps_limits(&rules, &bids, set, &awards), (true, true));
                let certificate = selection.certificate.unwrap();
                prop_assert_eq!(&certificate.objective, &objective);
                prop_assert_eq!(certificate.bound, objective);
            }
            (Err(AllocationError::Infeasible(_)), None) => {}
            (ours, theirs) => prop_assert!(false, "{ours:?} but brute force {theirs:?}"),
        }
    }

    #[test]
    fn no_selection_breaks_a_maximum_or_overspends(bids in some_bids(12), mut rules in some_rules()) {
        only_existing_pairs(&mut rules, &bids);
        prop_assume!(rules.faults().is_empty());
        let selection = allocate(&rules, &bids).unwrap();
        let (set, awards) = as_bits(&bids, &selection);
        prop_assert!(keeps_limits(&rules, &bids, set, &awards).0);
        prop_assert_eq!(selection.total_awarded_fen, awards.iter().sum::<i64>());
        prop_assert!(selection.total_awarded_fen <= rules.budget.fen());
        let reserves = selection.decisions.iter().filter(|d| d.decision == Outcome::Reserve).count();
        prop_assert!(reserves <= rules.reserve as usize);
        prop_assert_eq!(selection.decisions.len(), bids.len());
        for decision in &selection.decisions {
            prop_assert!(!decision.reason.is_empty());
            prop_assert_eq!(decision.decision == Outcome::Funded, decision.needs.is_empty());
        }
    }

    #[test]
    fn an_optimal_loser_is_funded_with_the_points_it_is_told_and_not_with_less_than_it_lacks(
        bids in some_bids(9), mut rules in some_rules(),
    ) {
        only_existing_pairs(&mut rules, &bids);
        rules.mode = SelectionMode::Optimal;
        rules.maximise = Objective::Score;
        prop_assume!(rules.faults().is_empty());
        let Ok(selection) = allocate(&rules, &bids) else { return Ok(()) };
        for decision in selection.decisions.iter().filter(|d| d.decision != Outcome::Funded) {
            // What is below the pass line, or can never be funded, is told something else.
            let Some(points) = decision.needs.strip_suffix(" more points") else { continue };
            prop_assert!(!points.starts_with("at least"), "small cases are explained exactly");
            let points: Exact = points.parse().unwrap();
            let with = |points: Exact| {
                let mut raised = bids.clone();
                let own = raised.iter_mut().find(|bid| bid.application == decision.application).unwrap();
                own.score = &own.score + &points;
                let selection = allocate(&rules, &raised).unwrap();
                funded(&selection).contains_key(decision.application.as_str())
            };
            prop_assert!(with(points.clone()), "{decision:?}");
            let lower = decision.reason.split(" is ").nth(1).and_then(|rest| rest.strip_suffix(" lower"));
            let lower: Exact = lower.unwrap().parse().unwrap();
            prop_assert!(lower < points);
            prop_assert!(!with(lower - Exact::ratio(1, 10).unwrap()), "{decision:?}");
        }
    }
}

/// The change of the budget that a loser is told, in fen, if the budget is all it needs.
fn more_budget(needs: &str) -> Option<i64> {
    let amount = needs.strip_suffix(" more yuan of budget")?;
    Some(amount.parse::<Yuan>().ok()?.fen())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_loser_for_nothing_but_money_is_funded_with_the_budget_it_is_told(
        bids in some_bids(12), mut rules in some_rules(), has_minimums in any::<bool>(),
    ) {
        only_existing_pairs(&mut rules, &bids);
        if !has_minimums {
            rules.domain.clear();
            rules.every_domain = DomainLimits { min: None, min_amount: None, ..rules.every_domain };
        }
        prop_assume!(rules.faults().is_empty());
        for decision in allocate(&rules, &bids).unwrap().decisions {
            let Some(more) = more_budget(&decision.needs) else { continue };
            let mut richer = rules.clone();
            richer.budget = Yuan::from_fen(rules.budget.fen() + more).unwrap();
            let selection = allocate(&richer, &bids).unwrap();
            prop_assert!(funded(&selection).contains_key(decision.application.as_str()), "{decision:?}");
            // One fen less pays at most a part.
            richer.budget = Yuan::from_fen(rules.budget.fen() + more - 1).unwrap();
            let selection = allocate(&richer, &bids).unwrap();
            let award = funded(&selection).get(decision.application.as_str()).copied();
            let asked = bids.iter().find(|bid| bid.application == decision.application).unwrap();
            prop_assert!(award.unwrap_or(0) < asked.requested_fen, "{decision:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..config() })]

    #[test]
    fn the_budget_a_loser_is_told_is_the_least_or_the_least_that_always_suffices(
        bids in some_bids(8), mut rules in some_rules(), has_minimums in any::<bool>(),
    ) {
        only_existing_pairs(&mut rules, &bids);
        rules.when_short = WhenShort::SkipAndFill;
        if !has_minimums {
            rules.domain.clear();
            rules.every_domain = DomainLimits { min: None, min_amount: None, ..rules.every_domain };
        }
        prop_assume!(rules.faults().is_empty());
        let decisions = allocate(&rules, &bids).unwrap().decisions;
        let told: Vec<(&str, i64)> = decisions
            .iter()
            .filter_map(|d| Some((d.application.as_str(), more_budget(&d.needs)?)))
            .collect();
        // All amounts are whole yuan, so only budgets of whole yuan make a difference.
        let asked: i64 = bids.iter().map(|bid| bid.requested_fen).sum();
        let with: Vec<Allocation> = (0..=asked / 100)
            .map(|more| {
                let budget = Yuan::from_fen(rules.budget.fen() + more * 100).unwrap();
                allocate(&SelectionRules { budget, ..rules.clone() }, &bids).unwrap()
            })
            .collect();
        for (application, more) in told {
            let pays: Vec<bool> = with.iter().map(|s| funded(s).contains_key(application)).collect();
            let least = pays.iter().position(|pays| *pays).unwrap();
            let always = pays.iter().rposition(|pays| !pays).unwrap() + 1;
            let more = usize::try_from(more / 100).unwrap();
            prop_assert!(more == least || more == always, "{application}: {more}, not {least} or {always}");
        }
    }
}

#[test]
fn when_the_money_runs_out_the_rule_decides_who_is_funded() {
    let bids = [
        bid(0, 0, 0, 900, 50),
        bid(1, 1, 0, 800, 60),
        bid(2, 2, 0, 700, 30),
    ];
    let decisions = |when_short| {
        let rules = SelectionRules {
            when_short,
            ..SelectionRules::with_budget(yuan(100))
        };
        let decisions = allocate(&rules, &bids).unwrap().decisions;
        decisions
            .into_iter()
            .map(|d| (d.award_fen / 100, d.reason, d.needs))
            .collect::<Vec<_>>()
    };
    let row = |award, reason: &str, needs: &str| (award, reason.to_owned(), needs.to_owned());
    let first = row(50, "rank 1: within the budget", "");
    let short = row(
        0,
        "rank 2: 50.00 yuan are left of the budget",
        "10.00 more yuan of budget",
    );
    let after = row(
        0,
        "rank 3: the money ran out at a1",
        "40.00 more yuan of budget",
    );
    assert_eq!(
        decisions(WhenShort::Stop),
        [first.clone(), short.clone(), after.clone()]
    );
    let partial = row(50, "rank 2: gets what is left of the budget", "");
    assert_eq!(
        decisions(WhenShort::PartialLast),
        [first.clone(), partial, after]
    );
    let filled = row(30, "rank 3: within the budget", "");
    assert_eq!(decisions(WhenShort::SkipAndFill), [first, short, filled]);
}
