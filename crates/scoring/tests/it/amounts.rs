//! How much a funded application gets, by each amount rule, and what floors, caps and streets do.

use fundcycle_scoring::{Allocation, Bid, Exact, Outcome, SelectionRules, Yuan, allocate};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bid(name: &str, score: &str, requested: i64) -> Bid {
    Bid {
        application: name.to_owned(),
        organisation: format!("of {name}"),
        domain: "养老服务".to_owned(),
        street: Some(if name < "c" { "湖塘" } else { "洛阳" }.to_owned()),
        score: score.parse().unwrap(),
        requested_fen: requested * 100,
        recommended_fen: Some(requested * 90),
    }
}

fn rules(more: Value) -> SelectionRules {
    let mut rules = json!({ "budget": "1000" });
    rules
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let rules: SelectionRules = serde_json::from_value(rules).unwrap();
    assert_eq!(rules.faults(), []);
    rules
}

fn four() -> Vec<Bid> {
    vec![
        bid("a", "92", 300),
        bid("b", "85", 333),
        bid("c", "85", 200),
        bid("d", "71", 100),
    ]
}

fn selected(more: Value) -> Allocation {
    allocate(&rules(more), &four()).unwrap()
}

/// The awards in yuan, in rank order; none for who is not funded.
fn awards(more: Value) -> Vec<Option<String>> {
    let decisions = selected(more).decisions.into_iter();
    decisions
        .map(|line| {
            let award = Yuan::from_fen(line.award_fen).unwrap();
            (line.decision == Outcome::Funded).then(|| award.to_string())
        })
        .collect()
}

fn amounts(all: [&str; 4]) -> Vec<Option<String>> {
    all.iter()
        .map(|one| (!one.is_empty()).then(|| (*one).to_owned()))
        .collect()
}

#[test]
fn each_amount_rule_gives_what_it_says_and_never_more_than_asked() {
    for (amount, expected) in [
        (
            json!({ "rule": "as_requested" }),
            ["300.00", "333.00", "200.00", "100.00"],
        ),
        (
            json!({ "rule": "tier_by_score", "tiers": [
                { "from": "70", "share": "0.8" }, { "from": "90", "share": "1" }, { "from": "80", "share": "0.9" },
            ] }),
            ["300.00", "299.70", "180.00", "80.00"],
        ),
        (
            // Floored to the fen.
            json!({ "rule": "tier_by_rank", "tiers": [
                { "through": 1, "share": "1" }, { "through": 4, "share": "1/3" },
            ] }),
            ["300.00", "111.00", "66.66", "33.33"],
        ),
        (
            json!({ "rule": "flat", "amount": "150" }),
            ["150.00", "150.00", "150.00", "100.00"],
        ),
        (
            json!({ "rule": "recommended" }),
            ["270.00", "299.70", "180.00", "90.00"],
        ),
    ] {
        assert_eq!(
            awards(json!({ "amount": amount })),
            amounts(expected),
            "{amount}"
        );
    }
    let capped = json!({ "max_award": "250.5" });
    assert_eq!(
        awards(capped),
        amounts(["250.50", "250.50", "200.00", "100.00"])
    );
}

/// Reason and needs of each who gets nothing by the amount rule.
fn nothing(rules: Value, bids: &[Bid]) -> Vec<(String, String, Outcome)> {
    let lines = allocate(&self::rules(rules), bids).unwrap().decisions;
    let without = lines.into_iter().filter(|line| line.award_fen == 0);
    without
        .map(|line| (line.reason, line.needs, line.decision))
        .collect()
}

#[test]
fn an_award_of_nothing_is_none() {
    let mut bids = four();
    bids[1].recommended_fen = Some(0);
    for mode in ["rank_order", "optimal"] {
        let by = |amount: Value| {
            // Nobody without an award counts for the minimum, nor stands by.
            let every_domain = json!({ "min": 1, "max": 3 });
            let rules = json!({ "mode": mode, "amount": amount, "reserve": 9, "every_domain": every_domain });
            nothing(rules, &bids)
        };
        let not =
            |reason: &str, needs: &str| (reason.to_owned(), needs.to_owned(), Outcome::NotFunded);
        let rule = "the amount rule gives it nothing";
        assert_eq!(
            by(json!({ "rule": "tier_by_score", "tiers": [{ "from": "80", "share": "1" }] })),
            [not(
                &format!("rank 4: {rule}"),
                "a tier that gives something at 71"
            )],
        );
        assert_eq!(
            by(json!({ "rule": "tier_by_rank", "tiers": [{ "through": 3, "share": "1" }] })),
            [not(
                &format!("rank 4: {rule}"),
                "a tier that gives something at rank 4"
            )],
        );
        assert_eq!(
            by(json!({ "rule": "recommended" })),
            [not(
                &format!("rank 2: {rule}"),
                "a recommended amount above 0"
            )],
        );
        assert_eq!(
            by(json!({ "rule": "flat", "amount": "0" })),
            (1..5)
                .map(|place| not(
                    &format!("rank {place}: {rule}"),
                    "an amount of at least 0.01 yuan"
                ))
                .collect::<Vec<_>>(),
        );
    }
    bids[0].requested_fen = 0;
    assert_eq!(
        nothing(json!({}), &bids),
        [(
            "rank 1: it asks for nothing".to_owned(),
            "a request above 0".to_owned(),
            Outcome::NotFunded
        )],
    );
}

#[test]
fn an_award_below_the_floor_says_what_must_be_accepted() {
    let cut = json!({ "floor": "0.6", "max_award": "190", "amount": { "rule": "as_requested" } });
    let needs: Vec<String> = selected(cut)
        .decisions
        .into_iter()
        .map(|line| line.needs)
        .collect();
    assert_eq!(
        needs[1],
        "acceptance: the award is below the floor of 199.80 yuan"
    );
    assert_eq!((needs[0].as_str(), needs[2].as_str()), ("", ""));
    // The last one gets the rest only if it can live on it.
    let last = |floor: &str| {
        awards(json!({ "budget": "700", "when_short": "partial_last", "floor": floor }))
    };
    assert_eq!(last("0.3"), amounts(["300.00", "333.00", "67.00", ""]));
    assert_eq!(last("0.4"), amounts(["300.00", "333.00", "", ""]));
}

#[test]
fn a_street_gets_no_more_awards_than_it_may() {
    let per_street = json!({ "max_per_street": 1 });
    assert_eq!(
        awards(per_street.clone()),
        amounts(["300.00", "", "200.00", ""])
    );
    let line = &selected(per_street.clone()).decisions[1];
    assert_eq!(line.reason, "rank 2: street 湖塘 max 1 reached");
    assert_eq!(line.needs, "max_per_street 2");
    let mut nowhere = four();
    nowhere[3].street = None;
    let refused = allocate(&rules(per_street), &nowhere)
        .unwrap_err()
        .to_string();
    assert_eq!(
        refused,
        "application `d` names no street, which max_per_street needs"
    );
}

#[test]
fn of_an_incompatible_pair_the_better_is_funded() {
    let pair = json!({ "incompatible": [["c", "b"]] });
    assert_eq!(
        awards(pair.clone()),
        amounts(["300.00", "333.00", "", "100.00"])
    );
    let line = &selected(pair).decisions[2];
    assert_eq!(line.reason, "rank 3: incompatible with b, which is funded");
    assert_eq!(line.needs, "b not funded");
}

/// Cuts of 5 % down to 60 %.
fn steps(budget: &str) -> Value {
    json!({ "budget": budget, "amount": { "rule": "step_down", "step": "0.05", "least": "0.6" } })
}

#[test]
fn every_request_is_cut_alike_and_no_deeper_than_needed() {
    // All of 933 fit into 1000; into 800 they fit at 85 %, into 500 not even at 60 %.
    assert_eq!(
        awards(steps("1000")),
        amounts(["300.00", "333.00", "200.00", "100.00"])
    );
    assert_eq!(
        awards(steps("800")),
        amounts(["255.00", "283.05", "170.00", "85.00"])
    );
    let cut = selected(steps("800"));
    assert_eq!(
        cut.decisions[0].reason,
        "rank 1: within the budget; every request is cut to 0.85 of it"
    );
    assert_eq!(cut.total_awarded_fen, 79_305);
    // Three fit into 500 at 60 %, and at nothing above.
    assert_eq!(
        awards(steps("500")),
        amounts(["180.00", "199.80", "120.00", ""])
    );
    let optimal = json!({ "mode": "optimal", "maximise": "count" });
    let mut both = steps("800");
    both.as_object_mut()
        .unwrap()
        .extend(optimal.as_object().unwrap().clone());
    assert_eq!(
        awards(both),
        amounts(["255.00", "283.05", "170.00", "85.00"])
    );
}

#[test]
fn a_cut_that_makes_no_sense_is_a_fault() {
    for (step, least, path) in [
        ("0", "0.5", "/amount"),
        ("0.1", "0", "/amount"),
        ("0.1", "1.1", "/amount"),
        ("0.001", "0.5", "/amount/step"),
    ] {
        let amount = json!({ "rule": "step_down", "step": step, "least": least });
        let rules: SelectionRules =
            serde_json::from_value(json!({ "budget": "1", "amount": amount })).unwrap();
        let paths: Vec<String> = rules.faults().into_iter().map(|fault| fault.path).collect();
        assert_eq!(paths, [path], "{step} {least}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_shallower_cut_would_fund_fewer_and_a_deeper_one_no_more(
        requests in prop::collection::vec(1..400_i64, 1..8), budget in 100..1_500_i64, fill in any::<bool>(),
    ) {
        let bids: Vec<Bid> = requests
            .iter()
            .enumerate()
            .map(|(index, request)| bid(&format!("a{index}"), &(90 - index).to_string(), *request))
            .collect();
        let mut cut = steps(&budget.to_string());
        cut["when_short"] = json!(if fill { "skip_and_fill" } else { "stop" });
        let funded = |allocation: &Allocation| {
            allocation.decisions.iter().filter(|line| line.decision == Outcome::Funded).count()
        };
        let chosen = allocate(&rules(cut.clone()), &bids).unwrap();
        prop_assert!(chosen.total_awarded_fen <= budget * 100);
        let mut before = true;
        for percent in (60..=100).rev().step_by(5) {
            let share = Exact::ratio(percent, 100).unwrap();
            cut["amount"] = json!({ "rule": "tier_by_rank", "tiers": [{ "through": 1_000, "share": share }] });
            let alike = allocate(&rules(cut.clone()), &bids).unwrap();
            let awards = |allocation: &Allocation| -> Vec<i64> {
                allocation.decisions.iter().map(|line| line.award_fen).collect()
            };
            before &= awards(&alike) != awards(&chosen);
            if before {
                prop_assert!(funded(&alike) < funded(&chosen), "at {percent} %");
            }
            prop_assert!(funded(&alike) <= funded(&chosen), "at {percent} %");
        }
        prop_assert!(!before, "no share gives these awards");
    }
}
