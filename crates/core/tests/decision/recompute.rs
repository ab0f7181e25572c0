//! What is published can be computed again from what is recorded: the inputs are taken out of the
//! JSON that staff see, the pure functions run on them, and the bytes are the same.

use std::collections::BTreeSet;

use fundcycle_core::actor::Actor;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::digest::{canonical_hash, from_hex};
use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{self, Outcome};
use fundcycle_core::policy::{Policy, PolicyDocument, Round};
use fundcycle_core::selection;
use fundcycle_scoring::{combine, commitment, draw};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::play::{Bid, CYCLE, EXPERT, Play, application, bid, expert, lead, staff, why};

/// Two that tie in the first round and money for two.
const FOUR: &[Bid] = &[
    bid(10_000, "90", "70.5"),
    bid(12_000, "85.01", "85"),
    bid(9_000, "85.01", "85"),
    bid(10_000, "80", "88.33"),
];

fn for_two(policy: &mut Value) {
    policy["selection"]["budget"] = json!("20000");
}

/// What staff see of a record.
pub(crate) fn seen(play: &Play, kind: Kind, id: Uuid) -> Map<String, Value> {
    play.view(&staff(), kind, id).unwrap()
}

pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// The bytes that a value is published as.
fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// The policy in force, read from its published document.
fn policy(play: &Play) -> PolicyDocument {
    let id = play.get::<Cycle>(CYCLE).data.policy.unwrap();
    let document = serde_json::to_value(&play.get::<Policy>(id).data.document).unwrap();
    read(&document)
}

/// Computes the ranking of a panel again, and what it says of its experts; `mix` orders the inputs.
pub(crate) fn assert_ranking_holds(
    play: &Play,
    panel: Uuid,
    round: Round,
    mix: impl Fn(&mut Vec<Outcome>),
) {
    let all = seen(play, Kind::Panel, panel);
    let recorded = seen(play, Kind::Panel, panel)["results"].clone();
    let mut outcomes: Vec<Outcome> = read(&recorded);
    assert!(!outcomes.is_empty());
    mix(&mut outcomes);
    let inputs: Vec<panel::Input> = outcomes.into_iter().map(|one| one.input).collect();
    let policy = policy(play);
    let rules = &policy.rounds[&round];
    let again = panel::results(&inputs, rules, &policy).unwrap();
    let again = serde_json::to_value(&again).unwrap();
    assert_eq!(bytes(&again), bytes(&recorded));
    let calibration = serde_json::to_value(panel::calibration(&inputs, rules).unwrap()).unwrap();
    let recorded = all.get("calibration").cloned().unwrap_or_default();
    assert_eq!(bytes(&calibration), bytes(&recorded));
    let agreement = serde_json::to_value(panel::agreement(&inputs, rules)).unwrap();
    assert_eq!(bytes(&agreement), bytes(&all["agreement"]));
}

#[test]
fn a_ranking_is_recomputed_from_its_recorded_inputs_also_after_a_sheet_was_reopened() {
    let mut play = Play::begin(FOUR, for_two);
    let id = play.fresh();
    let person = Uuid::from_u128(EXPERT);
    let body = json!({ "round": "paper_review", "experts": [person] });
    play.does(&staff(), Kind::Panel, id, "form", body);
    let pairs: Vec<Value> = (0..FOUR.len())
        .map(|index| json!({ "expert": person, "subject": application(index) }))
        .collect();
    let facts = play.does(
        &staff(),
        Kind::Panel,
        id,
        "assign",
        json!({ "pairs": pairs }),
    );
    play.does(&staff(), Kind::Panel, id, "open", json!({}));
    let sheets: Vec<Uuid> = facts
        .iter()
        .filter(|fact| fact.kind == Kind::Sheet)
        .map(|fact| fact.id)
        .collect();
    for (sheet, bid) in sheets.iter().zip(FOUR) {
        score(&mut play, *sheet, bid.paper);
    }
    play.does(&staff(), Kind::Panel, id, "close", json!({}));
    assert_ranking_holds(&play, id, Round::PaperReview, |_| {});
    assert_ranking_holds(&play, id, Round::PaperReview, |all| all.reverse());
    let first = seen(&play, Kind::Panel, id);

    let body = json!({ "reason": "复核" });
    play.does(&lead(), Kind::Panel, id, "reopen", body.clone());
    play.does(&staff(), Kind::Sheet, sheets[0], "reopen", body);
    score(&mut play, sheets[0], "60.07");
    play.does(&staff(), Kind::Panel, id, "close", json!({}));
    let second = seen(&play, Kind::Panel, id);
    assert_eq!(
        (&first["ranking_version"], &second["ranking_version"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(first["results"], second["results"]);
    assert_ranking_holds(&play, id, Round::PaperReview, |_| {});
}

fn score(play: &mut Play, sheet: Uuid, mark: &str) {
    let body = json!({ "marks": { "scores": { "need": mark } } });
    play.does(&expert(), Kind::Sheet, sheet, "save", body);
    play.does(&expert(), Kind::Sheet, sheet, "submit", json!({}));
}

#[test]
fn the_order_of_a_session_is_drawn_again_from_its_recorded_list_and_seed() {
    let mut play = Play::at_roadshow(FOUR, for_two);
    let id = play.published_session();
    let session = seen(&play, Kind::PitchSession, id);
    let recorded = &session["draw"];
    let seed = from_hex(recorded["seed"].as_str().unwrap()).unwrap();
    let list: Vec<String> = read(&session["list"]);
    let again = draw(&list, &seed).unwrap();
    assert_eq!(session["commitment"], json!(commitment(&seed)));
    assert_eq!(session["list_hash"], json!(again.list_hash));
    assert_eq!(bytes(&recorded["list_hash"]), bytes(&again.list_hash));
    assert_eq!(bytes(&recorded["order"]), bytes(&again.order));
}

#[test]
fn a_selection_is_recomputed_from_its_recorded_inputs_under_the_policy_it_names() {
    for mode in ["rank_order", "optimal"] {
        let mut play = Play::at_selection(FOUR, |policy| {
            for_two(policy);
            policy["selection"]["mode"] = json!(mode);
        });
        let id = play.fresh();
        play.does(&staff(), Kind::Selection, id, "compute", json!({}));
        let run = seen(&play, Kind::Selection, id)["run"].clone();
        let inputs: Vec<selection::Input> = read(&run["inputs"]);
        let policy = policy(&play);
        assert_eq!(run["inputs_hash"], json!(canonical_hash(&inputs)));
        for input in &inputs {
            let parts: Vec<_> = input
                .rounds
                .iter()
                .map(|(round, score)| (score.clone(), policy.rounds[round].weight.clone()))
                .collect();
            let score = combine(&parts).rounded(policy.ranking.scale, policy.ranking.rounding);
            assert_eq!(score, input.score, "{}", input.number);
        }
        let (lines, certificate) = selection::lines(&inputs, &policy).unwrap();
        let again = serde_json::to_value((&lines, &certificate)).unwrap();
        assert_eq!(
            bytes(&again),
            bytes(&json!([run["lines"], run["certificate"]])),
            "{mode}"
        );
        assert_eq!(run["certificate"].is_null(), mode == "rank_order");
    }
}

#[test]
fn juror_groups_are_weighed_by_the_policy_and_every_expert_needs_one() {
    let mut play = Play::begin(&FOUR[..1], |policy| {
        let rule = json!({ "method": "weighted_mean", "groups": { "jury": "7", "public": "3" } });
        policy["rounds"]["paper_review"]["aggregation"] = rule;
    });
    let second = Uuid::from_u128(106);
    let other = Actor::account(second, BTreeSet::new());
    play.does(&Actor::system(), Kind::Account, second, "open", json!({}));
    let id = fundcycle_core::expert::id_of(second);
    let body = json!({ "account": second, "profile": { "name": "大众评委" } });
    play.does(&staff(), Kind::Expert, id, "invite", body);
    play.does(
        &other,
        Kind::Expert,
        id,
        "accept",
        json!({ "pledge": true }),
    );

    let (person, panel) = (Uuid::from_u128(EXPERT), play.fresh());
    let form = |groups: Value| json!({ "round": "paper_review", "experts": [person, second], "groups": groups });
    for (groups, fault) in [
        (json!({ person.to_string(): "jury" }), "no_group"),
        (
            json!({ person.to_string(): "jury", second.to_string(): "press" }),
            "no_such_group",
        ),
    ] {
        let refused = play.ask(&staff(), Kind::Panel, panel, "form", form(groups));
        assert_eq!(why(refused), format!("/groups/{second} {fault}"));
    }
    let groups = json!({ person.to_string(): "jury", second.to_string(): "public" });
    play.does(&staff(), Kind::Panel, panel, "form", form(groups));
    let pairs: Vec<Value> = [person, second]
        .iter()
        .map(|expert| json!({ "expert": expert, "subject": application(0) }))
        .collect();
    let facts = play.does(
        &staff(),
        Kind::Panel,
        panel,
        "assign",
        json!({ "pairs": pairs }),
    );
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    let sheets = facts.iter().filter(|fact| fact.kind == Kind::Sheet);
    for (sheet, (who, mark)) in sheets.zip([(expert(), "90"), (other, "70")]) {
        let body = json!({ "marks": { "scores": { "need": mark } } });
        play.does(&who, Kind::Sheet, sheet.id, "save", body);
        play.does(&who, Kind::Sheet, sheet.id, "submit", json!({}));
    }
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
    // 0.7 × 90 + 0.3 × 70
    let rounded = seen(&play, Kind::Panel, panel)["results"][0]["score"]["rounded"].clone();
    assert_eq!(rounded, json!("84"));
    assert_ranking_holds(&play, panel, Round::PaperReview, |_| {});
}
