//! Draws: the same for everyone, and fair.

use std::collections::BTreeMap;

use fundcycle_scoring::{
    DrawError, PanelError, PanelRules, Pool, WeightedItem, commitment, draw, draw_panel,
    draw_weighted, list_hash,
};
use proptest::prelude::*;

fn items(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_draw_is_what_a_second_implementation_computes() {
    // Computed from the description alone, in another language with another ChaCha20.
    let drawn = draw(&items(&["丁", "丙", "乙", "甲", "a"]), &[0xab, 0xcd]).unwrap();
    assert_eq!(
        drawn.list_hash,
        "41ddbc6a39ddd1f84a420e67be9a56ecefe0e1a9e55194e321a3ee97a8d2a40c"
    );
    assert_eq!(drawn.order, items(&["甲", "a", "乙", "丙", "丁"]));
}

#[test]
fn the_list_hash_is_what_sort_and_sha256sum_print() {
    // printf 'a\nb\n' | sha256sum
    assert_eq!(
        list_hash(&items(&["b", "a"])).unwrap(),
        "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
    );
}

#[test]
fn the_commitment_is_the_plain_hash_of_the_seed() {
    // printf 'abc' | sha256sum
    assert_eq!(
        commitment(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_list_that_is_not_one_line_per_item_is_refused() {
    assert_eq!(
        draw(&items(&["a", "b", "a"]), b"s"),
        Err(DrawError::Duplicate("a".into()))
    );
    assert_eq!(
        draw(&items(&["a", ""]), b"s"),
        Err(DrawError::NotOneLine(String::new()))
    );
    assert_eq!(
        draw(&items(&["a\nb"]), b"s"),
        Err(DrawError::NotOneLine("a\nb".into()))
    );
}

/// Pearson's statistic of observed counts against expected ones.
fn chi_square(observed: &[u32], expected: &[f64]) -> f64 {
    observed
        .iter()
        .zip(expected)
        .map(|(o, e)| (f64::from(*o) - e).powi(2) / e)
        .sum()
}

#[test]
fn every_order_of_four_items_is_equally_likely() {
    let mut counts: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for seed in 0..12_000_u32 {
        let drawn = draw(&items(&["a", "b", "c", "d"]), &seed.to_be_bytes()).unwrap();
        *counts.entry(drawn.order).or_default() += 1;
    }
    let observed: Vec<u32> = counts.into_values().collect();
    assert_eq!(observed.len(), 24);
    // 23 degrees of freedom: 49.7 is exceeded by one fair draw in a thousand, 9.3 by all but five.
    let statistic = chi_square(&observed, &[500.0; 24]);
    assert!((9.3..49.7).contains(&statistic), "{statistic}");
}

#[test]
fn a_weighted_draw_puts_items_first_in_proportion_to_their_weights() {
    let weighted: Vec<WeightedItem> = [("a", 1), ("b", 2), ("c", 5)]
        .iter()
        .map(|(item, weight)| WeightedItem {
            item: (*item).to_owned(),
            weight: *weight,
        })
        .collect();
    let mut counts = BTreeMap::from([("a", 0), ("b", 0), ("c", 0)]);
    for seed in 0..8_000_u32 {
        let drawn = draw_weighted(&weighted, &seed.to_be_bytes()).unwrap();
        *counts.get_mut(drawn.order[0].as_str()).unwrap() += 1;
    }
    let observed: Vec<u32> = counts.into_values().collect();
    // 2 degrees of freedom: 13.8 is exceeded by one fair draw in a thousand.
    let statistic = chi_square(&observed, &[1_000.0, 2_000.0, 5_000.0]);
    assert!(statistic < 13.8, "{statistic}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_list_does_not_matter(
        list in prop::collection::btree_set("[a-z]{1,6}", 1..30), seed in any::<[u8; 8]>(),
    ) {
        let sorted: Vec<String> = list.into_iter().collect();
        let mut reversed = sorted.clone();
        reversed.reverse();
        let drawn = draw(&sorted, &seed).unwrap();
        prop_assert_eq!(&draw(&reversed, &seed).unwrap(), &drawn);
        let mut order = drawn.order.clone();
        order.sort();
        prop_assert_eq!(order, sorted, "all items, each once");
    }

    #[test]
    fn the_steps_alone_reproduce_the_order(
        list in prop::collection::btree_set("[a-z]{1,6}", 1..30), seed in any::<[u8; 8]>(),
    ) {
        let mut order: Vec<String> = list.into_iter().collect();
        let drawn = draw(&order, &seed).unwrap();
        for step in &drawn.steps {
            let random: u64 = step.random.parse().unwrap();
            prop_assert_eq!(random % (step.index + 1), step.swapped_with);
            order.swap(usize::try_from(step.index).unwrap(), usize::try_from(step.swapped_with).unwrap());
        }
        prop_assert_eq!(order, drawn.order);
    }
}

fn pool() -> Pool {
    let experts = (1..=12).map(|index| {
        let category = if index % 4 == 0 {
            "finance"
        } else {
            "practice"
        };
        (format!("e{index:02}"), category.to_owned())
    });
    experts.collect()
}

#[test]
fn a_panel_has_its_categories_and_its_substitutes_whatever_the_seed() {
    let rules = PanelRules {
        seats: 5,
        at_least: BTreeMap::from([("finance".to_owned(), 2)]),
        substitutes: 4,
    };
    for seed in 0..50_u32 {
        let panel = draw_panel(&rules, &pool(), &seed.to_be_bytes()).unwrap();
        assert_eq!((panel.members.len(), panel.substitutes.len()), (5, 4));
        let finance = panel
            .members
            .iter()
            .filter(|member| member.category == "finance")
            .count();
        assert!(2 <= finance);
        let leaves = &panel.members[0].expert;
        let Ok(after) = panel.replace(&rules, leaves, "ill") else {
            // Only if the seat is one of finance and no substitute is.
            assert!(
                panel
                    .substitutes
                    .iter()
                    .all(|member| member.category != "finance")
            );
            continue;
        };
        assert!(after.members.iter().all(|member| &member.expert != leaves));
        assert_eq!(after.members.len(), 5);
        assert_eq!(after.substitutions[0].leaves, *leaves);
        assert_eq!(after.substitutions[0].reason, "ill");
        let finance = after
            .members
            .iter()
            .filter(|member| member.category == "finance")
            .count();
        assert!(2 <= finance);
    }
}

#[test]
fn a_panel_that_cannot_be_made_up_says_why() {
    let rules = |seats, finance| PanelRules {
        seats,
        at_least: BTreeMap::from([("finance".to_owned(), finance)]),
        substitutes: 0,
    };
    let error = |rules| draw_panel(&rules, &pool(), b"s").unwrap_err();
    assert_eq!(
        error(rules(13, 1)),
        PanelError::TooFewExperts {
            seats: 13,
            experts: 12
        }
    );
    assert_eq!(
        error(rules(3, 4)),
        PanelError::TooFewSeats {
            seats: 3,
            needed: 4
        }
    );
    assert_eq!(
        error(rules(5, 4)),
        PanelError::TooFewOfCategory {
            category: "finance".into(),
            needed: 4,
            found: 3
        }
    );
}
