//! Limits of a selection that only the whole engine shows: who may not be funded together, and streets.

use fundcycle_core::application::number_of;
use fundcycle_core::kinds::Kind;
use fundcycle_core::selection::Selection;
use fundcycle_scoring::Outcome;
use serde_json::{Value, json};

use crate::play::{Bid, Play, applicant, application, bid, staff, why};

const THREE: &[Bid] = &[
    bid(10_000, "90", "90"),
    bid(10_000, "85", "85"),
    bid(10_000, "80", "80"),
];

/// The first and the second are not funded together: their numbers follow from who they are.
fn not_together(policy: &mut Value) {
    let [first, second] = [0, 1].map(|index| number_of("WJ2024", application(index)));
    policy["selection"]["incompatible"] = json!([[first, second]]);
}

fn decisions(play: &mut Play) -> Vec<(Outcome, String)> {
    let id = play.fresh();
    play.does(&staff(), Kind::Selection, id, "compute", json!({}));
    let lines = &play.get::<Selection>(id).data.run.lines;
    let lines = lines
        .iter()
        .map(|line| (line.decision, line.reason.clone()));
    lines.collect()
}

#[test]
fn of_two_that_are_incompatible_the_second_stands_by_and_is_told_why() {
    let mut play = Play::at_selection(THREE, not_together);
    let decisions = decisions(&mut play);
    let reason = format!(
        "rank 2: incompatible with {}, which is funded",
        play.number(0)
    );
    assert_eq!(decisions[1], (Outcome::Reserve, reason));
    assert_eq!(
        (decisions[0].0, decisions[2].0),
        (Outcome::Funded, Outcome::Funded)
    );
}

#[test]
fn a_pair_of_which_one_has_withdrawn_keeps_nobody_back() {
    let mut play = Play::at_selection(THREE, not_together);
    let body = json!({ "reason": "场地有变" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    let decisions = decisions(&mut play);
    assert_eq!(decisions.len(), 2);
    assert!(
        decisions.iter().all(|one| one.0 == Outcome::Funded),
        "{decisions:?}"
    );
}

#[test]
fn a_street_gets_no_more_awards_than_the_policy_allows() {
    let mut play = Play::at_selection(THREE, |policy| {
        policy["selection"]["max_per_street"] = json!(2);
    });
    let decisions = decisions(&mut play);
    let reason = "rank 3: street 湖塘镇 max 2 reached".to_owned();
    assert_eq!(decisions[2], (Outcome::Reserve, reason));
}

#[test]
fn where_awards_are_limited_by_street_an_application_names_its_street() {
    let mut play = Play::called(THREE, |policy| {
        policy["selection"]["max_per_street"] = json!(1);
    });
    let (kind, id) = (Kind::Application, application(0));
    play.does(&applicant(0), kind, id, "retract", json!({}));
    let mut form = play.view(&applicant(0), kind, id).unwrap()["form"].clone();
    form["street"] = json!(" ");
    play.does(&applicant(0), kind, id, "edit", json!({ "form": form }));
    assert_eq!(
        why(play.ask(&applicant(0), kind, id, "submit", json!({}))),
        "/form/street required"
    );
}
