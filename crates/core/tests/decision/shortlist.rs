//! Who goes on from the paper review, and which rule stopped the others.

use fundcycle_core::panel::{Panel, StoppedBy};
use fundcycle_core::policy::Round;
use serde_json::{Value, json};

use crate::play::{Bid, Play, bid};

/// Best first: two of one domain, one of another, one of the first.
const BIDS: &[Bid] = &[
    bid(10_000, "95", "0"),
    bid(20_000, "90", "0"),
    Bid {
        domain: "助残助孤",
        ..bid(30_000, "85", "0")
    },
    bid(10_000, "80", "0"),
];

/// What stopped each, in the order of the bids; nothing where it goes on.
fn stopped(rules: &Value, bids: &[Bid]) -> Vec<Option<StoppedBy>> {
    let mut play = Play::begin(bids, |policy| {
        policy["selection"]["budget"] = json!("30000");
        policy["ranking"]["tie_breaks"] = json!([]);
        let round = &mut policy["rounds"]["paper_review"];
        round.as_object_mut().unwrap().remove("pass_line");
        for (name, value) in rules.as_object().unwrap() {
            round[name] = value.clone();
        }
    });
    play.score("paper_review", |bid| bid.paper);
    let panels = play
        .states
        .values()
        .filter_map(fundcycle_core::aggregate::Stored::of);
    let panel: &fundcycle_core::aggregate::Record<Panel> = panels
        .into_iter()
        .find(|one: &&fundcycle_core::aggregate::Record<Panel>| {
            one.data.round == Some(Round::PaperReview)
        })
        .unwrap();
    let mut results = panel.data.results.clone();
    for outcome in &results {
        assert_eq!(outcome.goes_on, outcome.stopped_by.is_none());
    }
    results.sort_by_key(|one| one.input.subject);
    let stages = play.stages();
    results
        .iter()
        .zip(stages)
        .map(|(one, stage)| {
            assert_eq!(one.goes_on, stage == "shortlisted");
            one.stopped_by
        })
        .collect()
}

#[test]
fn each_rule_stops_whom_it_should_and_says_so() {
    use StoppedBy::{Budget, Domain, PassLine, Shortlist};
    for (rules, expected) in [
        (json!({}), [None, None, None, None]),
        (
            json!({ "pass_line": "86" }),
            [None, None, Some(PassLine), Some(PassLine)],
        ),
        (
            json!({ "shortlist": 1 }),
            [None, Some(Shortlist), Some(Shortlist), Some(Shortlist)],
        ),
        (
            json!({ "shortlist_per_domain": 1 }),
            [None, Some(Domain), None, Some(Domain)],
        ),
        // 10,000 and 20,000 are within 1.5 times 30,000; 30,000 more are not, and nobody after it goes on.
        (
            json!({ "shortlist_budget_multiple": "1.5" }),
            [None, None, Some(Budget), Some(Budget)],
        ),
        (
            json!({ "shortlist_budget_multiple": "2", "pass_line": "81" }),
            [None, None, None, Some(PassLine)],
        ),
        (
            json!({ "shortlist_budget_multiple": "1", "shortlist_per_domain": 1 }),
            [None, Some(Domain), Some(Budget), Some(Domain)],
        ),
    ] {
        assert_eq!(stopped(&rules, BIDS), expected, "{rules}");
    }
}

#[test]
fn those_who_share_a_place_go_on_together_or_not_at_all() {
    let equal = &[
        bid(20_000, "90", "0"),
        bid(20_000, "90", "0"),
        bid(5_000, "80", "0"),
    ];
    let rules = json!({ "shortlist_budget_multiple": "1" });
    let budget = Some(StoppedBy::Budget);
    assert_eq!(
        stopped(&rules, equal),
        [budget, budget, budget],
        "each of the two fits by itself; together they do not"
    );
    let rules = json!({ "shortlist_budget_multiple": "1.4" });
    assert_eq!(stopped(&rules, equal), [None, None, budget]);
    let rules = json!({ "shortlist_per_domain": 1 });
    assert_eq!(
        stopped(&rules, equal),
        [None, None, Some(StoppedBy::Domain)]
    );
}
