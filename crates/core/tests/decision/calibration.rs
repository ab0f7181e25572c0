//! Lenient and strict experts on one panel: what calibration changes, what it does not, and what is
//! recorded of how far they agree.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::aggregate::Aggregate as _;
use fundcycle_core::application::Application;
use fundcycle_core::kinds::{Event, Kind};
use fundcycle_core::panel::{self, Outcome, Panel};
use fundcycle_core::policy::Round;
use fundcycle_core::visibility::Eye;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Bid, Play, applicant, application, bid, lead, official, staff};
use crate::recompute::{assert_ranking_holds, read, seen};

const FOUR: &[Bid] = &[
    bid(10_000, "0", "0"),
    bid(12_000, "0", "0"),
    bid(9_000, "0", "0"),
    bid(10_000, "0", "0"),
];

/// Which expert gave which application what: not everybody scores everything.
const MARKS: &[(u128, usize, i64)] = &[
    (0, 0, 80),
    (2, 0, 82),
    (0, 1, 77),
    (1, 1, 76),
    (0, 2, 70),
    (1, 2, 71),
    (1, 3, 62),
    (2, 3, 64),
];

fn account(expert: u128) -> Uuid {
    Uuid::from_u128(500 + expert)
}

fn judge(expert: u128) -> Actor {
    Actor::account(account(expert), BTreeSet::new())
}

fn calibrating(rule: Value) -> impl FnOnce(&mut Value) {
    move |policy| policy["rounds"]["paper_review"]["calibration"] = rule
}

/// A panel at the paper review that gave `marks` by criterion and was closed.
fn scored(change: impl FnOnce(&mut Value), marks: &[(u128, usize, Value)]) -> (Play, Uuid) {
    let mut play = Play::begin(FOUR, change);
    let experts: BTreeSet<u128> = marks.iter().map(|(expert, ..)| *expert).collect();
    for expert in &experts {
        let (person, who) = (account(*expert), judge(*expert));
        play.does(&Actor::system(), Kind::Account, person, "open", json!({}));
        let id = fundcycle_core::expert::id_of(person);
        let body = json!({ "account": person, "profile": { "name": format!("评委{expert}") } });
        play.does(&staff(), Kind::Expert, id, "invite", body);
        play.does(&who, Kind::Expert, id, "accept", json!({ "pledge": true }));
    }
    let panel = play.fresh();
    let seats: Vec<Uuid> = experts.iter().map(|expert| account(*expert)).collect();
    let body = json!({ "round": "paper_review", "experts": seats });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let pairs: Vec<Value> = marks
        .iter()
        .map(|(expert, index, _)| json!({ "expert": account(*expert), "subject": application(*index) }))
        .collect();
    let body = json!({ "pairs": pairs });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", body);
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    let sheets = facts.iter().filter(|fact| fact.kind == Kind::Sheet);
    for (sheet, (expert, _, scores)) in sheets.zip(marks) {
        let body = json!({ "marks": { "scores": scores } });
        play.does(&judge(*expert), Kind::Sheet, sheet.id, "save", body);
        play.does(&judge(*expert), Kind::Sheet, sheet.id, "submit", json!({}));
    }
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
    (play, panel)
}

/// [`MARKS`], with `more` points from expert 1 for everything.
fn marks(more: i64) -> Vec<(u128, usize, Value)> {
    let given = |(expert, index, mark): &(u128, usize, i64)| {
        let mark = if *expert == 1 { mark + more } else { *mark };
        (*expert, *index, json!({ "need": mark }))
    };
    MARKS.iter().map(given).collect()
}

fn outcomes(play: &Play, panel: Uuid) -> Vec<Outcome> {
    read(&seen(play, Kind::Panel, panel)["results"])
}

/// The calibrated and the raw place of each application.
fn places(play: &Play, panel: Uuid) -> BTreeMap<Uuid, (u32, u32)> {
    let places = |one: Outcome| {
        let raw = one.raw.unwrap();
        (
            one.input.subject,
            (one.score.rank.unwrap(), raw.rank.unwrap()),
        )
    };
    outcomes(play, panel).into_iter().map(places).collect()
}

#[test]
fn a_lenient_experts_constant_offset_changes_raw_places_but_no_calibrated_one() {
    for rule in [
        json!({ "method": "additive" }),
        json!({ "method": "z_score" }),
        json!({ "method": "z_score", "precision": 9 }),
    ] {
        let (fair, first) = scored(calibrating(rule.clone()), &marks(0));
        let (lenient, second) = scored(calibrating(rule.clone()), &marks(15));
        let (before, after) = (places(&fair, first), places(&lenient, second));
        let places = |all: &BTreeMap<Uuid, (u32, u32)>, raw: bool| -> Vec<u32> {
            all.values()
                .map(|both| if raw { both.1 } else { both.0 })
                .collect()
        };
        assert_eq!(places(&before, false), [1, 2, 3, 4], "{rule}");
        assert_eq!(places(&after, false), [1, 2, 3, 4], "{rule}");
        assert_eq!(places(&before, true), [1, 2, 3, 4], "{rule}");
        assert_eq!(places(&after, true), [2, 1, 3, 4], "{rule}");
        for (play, panel) in [(&fair, first), (&lenient, second)] {
            assert_ranking_holds(play, panel, Round::PaperReview, |_| {});
            assert_ranking_holds(play, panel, Round::PaperReview, |all| all.reverse());
        }
    }
}

#[test]
fn raw_and_calibrated_stand_side_by_side_and_the_calibrated_score_is_carried_on() {
    let rule = json!({ "method": "additive", "precision": 4 });
    let (play, panel) = scored(calibrating(rule.clone()), &marks(15));
    let seen = seen(&play, Kind::Panel, panel);
    for outcome in outcomes(&play, panel) {
        let raw = outcome.raw.as_ref().unwrap();
        assert_ne!(raw.exact, outcome.score.exact);
        assert_eq!(
            outcome.score.exact,
            outcome
                .score
                .exact
                .rounded(4, fundcycle_scoring::Rounding::Down)
        );
        let application = play.get::<Application>(outcome.input.subject);
        assert_eq!(application.data.paper_review.as_ref(), Some(&outcome.score));
    }
    assert_eq!(seen["calibration"]["rules"], rule);
    let experts = seen["calibration"]["experts"].as_object().unwrap();
    assert_eq!(experts.len(), 3);
    let leniency = |expert: u128| -> fundcycle_scoring::Exact {
        read(&experts[&account(expert).to_string()]["leniency"])
    };
    let ten = fundcycle_scoring::Exact::from_integer(10);
    for other in [0, 2] {
        assert!(&leniency(1) - &leniency(other) > ten);
    }
    for expert in experts.values() {
        assert!(expert["standard_error"].is_string(), "{expert}");
    }
    assert!(seen["calibration"].get("unlinked").is_none());
}

#[test]
fn only_the_bureau_sees_a_panel_and_what_it_says_of_its_experts() {
    assert!(
        Panel::SIGHTS
            .iter()
            .all(|sight| sight.eye == Eye::Organiser)
    );
    assert!(Panel::FIELDS.is_empty());
    let (play, panel) = scored(calibrating(json!({ "method": "z_score" })), &marks(0));
    let finance = official(901, Role::Finance);
    for eye in [judge(0), applicant(0), finance, Actor::default()] {
        assert!(play.view(&eye, Kind::Panel, panel).is_none());
    }
    for eye in [staff(), lead(), official(900, Role::Auditor)] {
        let view = play.view(&eye, Kind::Panel, panel).unwrap();
        assert!(view["calibration"].is_object() && view["agreement"].is_object());
    }
}

#[test]
fn parts_of_a_panel_that_no_expert_links_are_named() {
    let apart: Vec<_> = [(0, 0, 80), (0, 1, 70), (1, 2, 90), (1, 3, 60)]
        .into_iter()
        .map(|(expert, index, mark)| (expert, index, json!({ "need": mark })))
        .collect();
    let (play, panel) = scored(calibrating(json!({ "method": "additive" })), &apart);
    let unlinked = seen(&play, Kind::Panel, panel)["calibration"]["unlinked"].clone();
    let expected = json!([
        { "subjects": [application(0), application(1)], "experts": [account(0)] },
        { "subjects": [application(2), application(3)], "experts": [account(1)] },
    ]);
    assert_eq!(unlinked, expected);
    assert_ranking_holds(&play, panel, Round::PaperReview, |_| {});
}

/// Two rooms that share no expert, one of them stricter: which rule makes them comparable is declared.
#[test]
fn rooms_are_comparable_by_the_rule_that_the_policy_declares() {
    let rooms: Vec<_> = [(0, 0, 90), (0, 1, 80), (1, 2, 75), (1, 3, 65)]
        .into_iter()
        .map(|(expert, index, mark)| (expert, index, json!({ "need": mark })))
        .collect();
    let rule = json!({ "method": "z_score" });
    let (play, panel) = scored(calibrating(rule), &rooms);
    let all = outcomes(&play, panel);
    let score = |index: usize| {
        let of = |one: &&Outcome| one.input.subject == application(index);
        &all.iter().find(of).unwrap().score.rounded
    };
    assert_eq!((score(0), score(1)), (score(2), score(3)));
    assert!(score(0) > score(1));
    assert_ranking_holds(&play, panel, Round::PaperReview, |_| {});
    // Without a rule the strict room stays behind.
    let (play, panel) = scored(|_| {}, &rooms);
    let places: Vec<Uuid> = (outcomes(&play, panel).iter())
        .map(|one| one.input.subject)
        .collect();
    assert_eq!(places, [0, 1, 2, 3].map(application));
}

#[test]
fn without_the_rule_nothing_is_calibrated_and_old_facts_still_read() {
    let (play, panel) = scored(|_| {}, &marks(15));
    let seen = seen(&play, Kind::Panel, panel);
    assert!(!seen.contains_key("calibration"));
    let results = seen["results"].as_array().unwrap();
    for one in results {
        assert!(one.get("raw").is_none() && one["input"].get("marks").is_none());
    }
    assert_eq!(results[0]["score"]["rounded"], json!("84"));
    assert_ranking_holds(&play, panel, Round::PaperReview, |_| {});

    let old = json!({ "closed": { "results": results, "policy_number": 1 } });
    let Event::Panel(event) = Event::parse(Kind::Panel, old.clone()).unwrap() else {
        panic!("an event of a panel");
    };
    assert!(matches!(
        &event,
        panel::Event::Closed {
            agreement: None,
            calibration: None,
            ..
        }
    ));
    assert_eq!(serde_json::to_value(&event).unwrap(), old);
}

#[test]
fn sheets_far_apart_and_sheets_alike_are_flagged_and_the_agreement_is_in_decimals() {
    let two = |policy: &mut Value| {
        let rules = &mut policy["rounds"]["paper_review"];
        rules["rubric"]["criteria"] = json!([
            { "key": "need", "title": "需求", "max": 50 },
            { "key": "team", "title": "团队", "max": 50 },
        ]);
        rules["spread"] = json!({ "range": "10", "deviation": "8" });
        policy["ranking"]["tie_breaks"] = json!([]);
    };
    let sheet = |expert, index, need: i64, team: i64| {
        (expert, index, json!({ "need": need, "team": team }))
    };
    let sheets = [
        sheet(0, 0, 40, 40),
        sheet(1, 0, 40, 40),
        sheet(2, 0, 41, 39),
        sheet(0, 1, 30, 30),
        sheet(1, 1, 35, 35),
        sheet(0, 2, 20, 30),
        sheet(1, 2, 30, 31),
        sheet(2, 3, 20, 20),
    ];
    let (play, panel) = scored(two, &sheets);
    let agreement = seen(&play, Kind::Panel, panel)["agreement"].clone();
    let expected = json!([
        { "subject": application(0), "range": "0", "deviation": "0", "identical": [[account(0), account(1)]] },
        { "subject": application(1), "range": "10", "deviation": "7.0711" },
        { "subject": application(2), "range": "11", "deviation": "7.7782", "range_flag": true },
        { "subject": application(3), "range": "0", "deviation": "0" },
    ]);
    assert_eq!(agreement["subjects"], expected);
    // 80 80 80, 60 70, 50 61: mean squares 379.4643 between and 27.625 within.
    assert_eq!(agreement["overall"]["icc_1k"], json!("0.9272"));
    assert!(agreement["overall"]["alpha"].is_string());
    assert_ranking_holds(&play, panel, Round::PaperReview, |all| all.reverse());
}
