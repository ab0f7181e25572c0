//! Who scores what, found by the solver: planned on record, then given out or dropped.

use std::collections::BTreeSet;

use fundcycle_core::actor::Actor;
use fundcycle_core::expert::{Profile, id_of};
use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{self, Pair, Panel, Plan, PlanInputs};
use fundcycle_core::rejection::Rejection;
use fundcycle_core::sheet::Sheet;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    Bid, Play, applicant, application, bid, lead, official, organisation, staff, why,
};

pub(crate) const FOUR: &[Bid] = &[
    bid(10_000, "80", "80"),
    bid(10_000, "81", "81"),
    Bid {
        domain: "助残助孤",
        ..bid(10_000, "82", "82")
    },
    Bid {
        domain: "助残助孤",
        ..bid(10_000, "83", "83")
    },
];

pub(crate) fn person(index: usize) -> Uuid {
    Uuid::from_u128(500 + index as u128)
}

fn person_as_actor(index: usize) -> Actor {
    Actor::account(person(index), BTreeSet::new())
}

/// Three experts on a forming panel: one for the old, one for the young, one for neither.
pub(crate) fn formed() -> (Play, Uuid) {
    let mut play = Play::begin(FOUR, |_| {});
    for (index, domain) in ["养老服务", "助残助孤", "法律"].iter().enumerate() {
        let (account, actor) = (person(index), person_as_actor(index));
        play.does(&Actor::system(), Kind::Account, account, "open", json!({}));
        let profile = json!({ "name": format!("专家{index}"), "domains": [domain] });
        let body = json!({ "account": account, "profile": profile });
        play.does(&staff(), Kind::Expert, id_of(account), "invite", body);
        let body = json!({ "pledge": true });
        play.does(&actor, Kind::Expert, id_of(account), "accept", body);
    }
    let id = play.fresh();
    let experts: Vec<Uuid> = (0..3).map(person).collect();
    let body = json!({ "round": "paper_review", "experts": experts });
    play.does(&staff(), Kind::Panel, id, "form", body);
    (play, id)
}

fn ask(play: &mut Play, id: Uuid, verb: &str, body: Value) -> Result<(), Rejection> {
    play.ask(&staff(), Kind::Panel, id, verb, body).map(|_| ())
}

pub(crate) fn plan(play: &mut Play, id: Uuid, body: Value) -> Plan {
    play.does(&staff(), Kind::Panel, id, "plan_assignment", body);
    *play.get::<Panel>(id).data.plan.clone().unwrap()
}

fn conflict(play: &mut Play, expert: usize, index: usize) {
    let body = json!({ "organisations": [organisation(index)], "ground": "理事" });
    let id = id_of(person(expert));
    play.does(&staff(), Kind::Expert, id, "declare_conflicts", body);
}

pub(crate) fn limits(per_subject: u32, max_load: u32) -> Value {
    json!({ "per_subject": per_subject, "max_load": max_load })
}

/// Who was given what by the sheets among `facts`.
fn given(play: &Play, facts: &[fundcycle_core::engine::Fact]) -> BTreeSet<Pair> {
    let sheets = facts.iter().filter(|fact| fact.kind == Kind::Sheet);
    sheets
        .map(|fact| &play.get::<Sheet>(fact.id).data)
        .map(|sheet| Pair {
            expert: sheet.expert.unwrap(),
            subject: sheet.subject.unwrap(),
        })
        .collect()
}

#[test]
fn exactly_the_planned_sheets_are_given_out_and_the_plan_is_gone() {
    let (mut play, id) = formed();
    let made = plan(&mut play, id, limits(1, 2));
    let expected: BTreeSet<Pair> = [(0, 0), (0, 1), (1, 2), (1, 3)]
        .map(|(expert, index)| Pair {
            expert: person(expert),
            subject: application(index),
        })
        .into();
    let planned: BTreeSet<Pair> = made.pairs.iter().copied().collect();
    assert_eq!(planned, expected, "everybody scores what they know");
    assert_eq!(made.objective.to_string(), "16");
    assert_eq!(made.bound, made.objective);
    assert_eq!(made.minimum_affinity.to_string(), "4");
    assert_eq!(play.stages(), ["eligible"; 4]);

    let facts = play.does(&staff(), Kind::Panel, id, "apply_plan", json!({}));
    assert_eq!(given(&play, &facts), expected);
    assert_eq!(play.stages(), ["in_review"; 4]);
    assert_eq!(play.get::<Panel>(id).data.plan, None);
    assert_eq!(
        why(ask(&mut play, id, "apply_plan", json!({}))),
        "planned",
        "a plan is given out once"
    );
}

#[test]
fn a_plan_is_recomputed_from_its_recorded_inputs_byte_for_byte() {
    for fairness in ["total", "worst_first"] {
        let (mut play, id) = formed();
        conflict(&mut play, 0, 1);
        let body = json!({
            "per_subject": 2, "max_load": 4, "min_load": 1, "fairness": fairness, "seed": 7,
        });
        plan(&mut play, id, body);
        let seen = play.view(&staff(), Kind::Panel, id).unwrap()["plan"].clone();
        let inputs: PlanInputs = serde_json::from_value(seen["inputs"].clone()).unwrap();
        assert_eq!((inputs.seed, inputs.forbidden.len()), (7, 1));
        let again = serde_json::to_value(panel::planned(&inputs).unwrap()).unwrap();
        assert_eq!(
            serde_json::to_vec(&again).unwrap(),
            serde_json::to_vec(&seen).unwrap()
        );
        assert_eq!(seen.get("minimum_bound").is_some(), fairness != "total");
    }
}

#[test]
fn an_expert_with_an_interest_is_never_planned_and_stops_a_plan_made_before() {
    let (mut play, id) = formed();
    let stale = plan(&mut play, id, limits(1, 2));
    conflict(&mut play, 0, 0);
    let index = stale
        .pairs
        .iter()
        .position(|pair| pair.subject == application(0))
        .unwrap();
    assert_eq!(
        why(ask(&mut play, id, "apply_plan", json!({}))),
        format!("/pairs/{index} conflict")
    );
    let forbidden = Pair {
        expert: person(0),
        subject: application(0),
    };
    for seed in 0..8 {
        let body = json!({ "per_subject": 2, "max_load": 4, "seed": seed });
        let made = plan(&mut play, id, body);
        assert!(!made.pairs.contains(&forbidden));
        assert_eq!(made.pairs.len(), 8);
        assert!(made.inputs.forbidden.contains(&forbidden));
    }
    ask(&mut play, id, "apply_plan", json!({})).unwrap();
}

#[test]
fn what_cannot_work_is_named_in_both_languages_at_the_limit_it_runs_into() {
    let (mut play, id) = formed();
    conflict(&mut play, 0, 2);
    let number = play.number(2);
    for (body, at, names) in [
        (limits(3, 4), "/per_subject", number.as_str()),
        (limits(2, 2), "/max_load", "专家1"),
        (
            json!({ "per_subject": 1, "max_load": 5, "min_load": 5 }),
            "/min_load",
            "专家0",
        ),
    ] {
        let refused = ask(&mut play, id, "plan_assignment", body);
        let Err(Rejection::Invalid { faults }) = refused else {
            panic!("{refused:?}")
        };
        let [fault] = faults.as_slice() else {
            panic!("{faults:?}")
        };
        assert_eq!(
            (fault.pointer.as_str(), fault.code.as_str()),
            (at, "infeasible")
        );
        assert!(fault.message.en.contains(names), "{}", fault.message.en);
        assert!(fault.message.zh.contains(names), "{}", fault.message.zh);
    }
    let wrong = json!({ "per_subject": 0, "max_load": 1, "min_load": 2 });
    assert_eq!(
        why(ask(&mut play, id, "plan_assignment", wrong)),
        "/per_subject not_positive, /min_load above_max_load"
    );
    assert_eq!(play.get::<Panel>(id).data.plan, None);
}

#[test]
fn planning_again_keeps_what_was_given_and_never_asks_who_stepped_back() {
    let (mut play, id) = formed();
    plan(&mut play, id, limits(1, 2));
    let facts = play.does(&staff(), Kind::Panel, id, "apply_plan", json!({}));
    let before = given(&play, &facts);
    let sheet = facts
        .iter()
        .find(|fact| {
            fact.kind == Kind::Sheet
                && play.get::<Sheet>(fact.id).data.subject == Some(application(3))
        })
        .unwrap()
        .id;
    play.does(&staff(), Kind::Panel, id, "open", json!({}));
    let body = json!({ "reason": "改派" });
    play.does(&staff(), Kind::Sheet, sheet, "void", body);
    let void = Pair {
        expert: person(1),
        subject: application(3),
    };

    let made = plan(&mut play, id, limits(2, 4));
    let kept: BTreeSet<Pair> = made.inputs.kept.iter().copied().collect();
    let mut expected = before;
    assert!(expected.remove(&void));
    assert_eq!(kept, expected);
    assert_eq!(made.inputs.forbidden, [void]);
    assert_eq!(made.pairs.len(), 8 - 3);
    assert!(made.pairs.iter().all(|pair| !kept.contains(pair)));
    ask(&mut play, id, "apply_plan", json!({})).unwrap();

    assert_eq!(
        why(ask(&mut play, id, "plan_assignment", limits(1, 4))),
        ["/per_subject given_more"; 4].join(", ")
    );
    let same = plan(&mut play, id, limits(2, 4));
    assert_eq!((same.pairs.len(), same.inputs.kept.len()), (0, 8));
    conflict(&mut play, 2, 3);
    assert_eq!(
        why(ask(&mut play, id, "plan_assignment", limits(2, 4))),
        " conflict",
        "a sheet given before the interest was known"
    );
}

#[test]
fn a_plan_is_seen_by_the_bureau_only_and_ends_by_discarding_assigning_or_opening() {
    let (mut play, id) = formed();
    assert_eq!(
        why(play.ask(
            &applicant(0),
            Kind::Panel,
            id,
            "plan_assignment",
            limits(1, 2)
        )),
        "not found"
    );
    assert_eq!(
        why(play.ask(&lead(), Kind::Panel, id, "plan_assignment", limits(1, 2))),
        "forbidden"
    );
    for (verb, body) in [
        ("discard_plan", json!({})),
        (
            "assign",
            json!({ "pairs": [{ "expert": person(2), "subject": application(0) }] }),
        ),
        ("open", json!({})),
    ] {
        plan(&mut play, id, limits(1, 2));
        let auditor = official(109, fundcycle_core::actor::Role::Auditor);
        for official in [staff(), lead(), auditor] {
            let seen = play.view(&official, Kind::Panel, id).unwrap();
            assert!(seen.contains_key("plan"));
        }
        assert_eq!(play.view(&person_as_actor(0), Kind::Panel, id), None);
        ask(&mut play, id, verb, body).unwrap();
        assert_eq!(play.get::<Panel>(id).data.plan, None, "{verb}");
    }
}

#[test]
fn affinity_is_four_for_the_domain_and_one_for_each_other_domain_in_the_title() {
    let of = |domains: &[&str], title: &str| {
        let profile = Profile {
            domains: domains.iter().map(ToString::to_string).collect(),
            ..Profile::default()
        };
        panel::affinity(&profile, "养老 服务", title)
    };
    assert_eq!(of(&[], "社区"), 0);
    assert_eq!(of(&["", " "], "社区"), 0);
    assert_eq!(of(&["养老  服务"], "养老 服务进社区"), 4);
    assert_eq!(of(&["社区", "社区", "法律"], "养老进社区"), 1);
    assert_eq!(of(&["养老 服务", "a", "B", "c", "d"], "ＡＢＣＤ"), 7);
}

#[test]
fn who_joins_an_organisation_hands_in_no_sheet_on_it() {
    let (mut play, id) = formed();
    let pair = json!({ "pairs": [{ "expert": person(0), "subject": application(0) }] });
    let facts = play.does(&staff(), Kind::Panel, id, "assign", pair);
    let sheet = facts.iter().find(|fact| fact.kind == Kind::Sheet).unwrap();
    play.does(&staff(), Kind::Panel, id, "open", json!({}));
    let body = json!({ "marks": { "scores": { "need": "75" } } });
    play.does(&person_as_actor(0), Kind::Sheet, sheet.id, "save", body);
    let member = json!({ "account": person(0), "owner": false });
    let owner = applicant(0);
    let theirs = organisation(0);
    play.does(&owner, Kind::Organisation, theirs, "add_member", member);
    let refused = play.ask(
        &person_as_actor(0),
        Kind::Sheet,
        sheet.id,
        "submit",
        json!({}),
    );
    assert_eq!(why(refused.map(|_| ())), " conflict");
}
