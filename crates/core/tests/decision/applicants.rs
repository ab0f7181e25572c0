//! Who applies in a cycle judges nobody in it, so that no two can judge each other's (invariant I19).

use std::collections::BTreeSet;

use fundcycle_core::account::{Account, Membership};
use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::{REGISTRY, Record, Stored};
use fundcycle_core::application::{Application, Stage};
use fundcycle_core::cycle::Cycle;
use fundcycle_core::digest::from_hex;
use fundcycle_core::expert::id_of;
use fundcycle_core::interest::{self, Ground};
use fundcycle_core::invariants;
use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::rejection::Rejection;
use fundcycle_core::world::World;
use fundcycle_scoring::commitment;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, Play, applicant, application, bid, organisation, staff, why};

const SEED: &str = "00112233445566778899aabbccddeeff";

fn person(index: usize) -> Uuid {
    Uuid::from_u128(600 + index as u128)
}

fn actor(index: usize) -> Actor {
    Actor::account(person(index), BTreeSet::new())
}

fn join(play: &mut Play, of: usize, index: usize) {
    let body = json!({ "account": person(index) });
    let id = organisation(of);
    play.does(&applicant(of), Kind::Organisation, id, "add_member", body);
}

fn leave(play: &mut Play, of: usize, index: usize) {
    let body = json!({ "account": person(index) });
    let id = organisation(of);
    let owner = applicant(of);
    play.does(&owner, Kind::Organisation, id, "remove_member", body);
}

/// Two applications, and three experts in the pool.
fn reviewing() -> Play {
    let bids = [bid(10_000, "80", "80"), bid(10_000, "81", "81")];
    let mut play = Play::begin(&bids, |policy| {
        policy["rounds"]["paper_review"]["aggregation"] = json!({ "method": "mean", "quorum": 1 });
    });
    for index in 0..3 {
        let system = Actor::system();
        play.does(&system, Kind::Account, person(index), "open", json!({}));
        let profile = json!({ "name": format!("专家{index}"), "category": "practice" });
        let body = json!({ "account": person(index), "profile": profile });
        let id = id_of(person(index));
        play.does(&staff(), Kind::Expert, id, "invite", body);
        let body = json!({ "pledge": true });
        play.does(&actor(index), Kind::Expert, id, "accept", body);
    }
    play
}

fn form(play: &mut Play, experts: &[usize]) -> Result<Uuid, Rejection> {
    let panel = play.fresh();
    let experts: Vec<Uuid> = experts.iter().map(|index| person(*index)).collect();
    let body = json!({ "round": "paper_review", "experts": experts });
    let asked = play.ask(&staff(), Kind::Panel, panel, "form", body);
    asked.map(|_| panel)
}

fn assign(play: &mut Play, panel: Uuid, pairs: &[(usize, usize)]) -> Result<(), Rejection> {
    let pair = |(expert, of): &(usize, usize)| json!({ "expert": person(*expert), "subject": application(*of) });
    let pairs: Vec<Value> = pairs.iter().map(pair).collect();
    let body = json!({ "pairs": pairs });
    let asked = play.ask(&staff(), Kind::Panel, panel, "assign", body);
    asked.map(|_| ())
}

fn everything(play: &Play) -> World {
    let mut world = World::default();
    for state in play.states.values() {
        world.put(state.clone());
    }
    world
}

/// The grounds between an expert and an application.
fn grounds(play: &Play, index: usize, of: usize) -> Vec<Ground> {
    let expert = play.get(id_of(person(index)));
    let found = panel::interests_in(expert, application(of), CYCLE, &everything(play));
    found.into_iter().map(|one| one.ground).collect()
}

#[test]
fn two_applicants_cannot_judge_each_other_nor_anybody_else() {
    let mut play = reviewing();
    let panel = form(&mut play, &[0, 1, 2]).unwrap();
    join(&mut play, 0, 0);
    join(&mut play, 1, 1);
    let each_other = assign(&mut play, panel, &[(0, 1), (1, 0)]);
    assert_eq!(why(each_other), "/pairs/0 conflict, /pairs/1 conflict");
    assert_eq!(grounds(&play, 0, 1), [Ground::Applicant]);
    assert_eq!(grounds(&play, 0, 0), [Ground::Member]);
    assert_eq!(grounds(&play, 2, 0), []);
    assign(&mut play, panel, &[(2, 0), (2, 1)]).unwrap();

    // They are not seated either; who sits already may stay, and gets nothing.
    assert_eq!(why(form(&mut play, &[0, 2])), "/experts/0 applicant");
    let experts = json!({ "experts": [person(0), person(2)] });
    play.does(&staff(), Kind::Panel, panel, "change_members", experts);
}

#[test]
fn who_leaves_once_applications_are_open_still_applies() {
    let mut play = reviewing();
    let panel = form(&mut play, &[0, 1]).unwrap();
    join(&mut play, 0, 0);
    play.at("2024-06-20T09:00:00+08:00");
    leave(&mut play, 0, 0);
    assert_eq!(grounds(&play, 0, 1), [Ground::Applicant]);
    assert_eq!(
        why(assign(&mut play, panel, &[(0, 1)])),
        "/pairs/0 conflict"
    );

    // Not for one that is taken back.
    let reason = json!({ "reason": "人员变动" });
    let owner = applicant(0);
    let id = application(0);
    play.does(&owner, Kind::Application, id, "withdraw", reason);
    assign(&mut play, panel, &[(0, 1)]).unwrap();
}

#[test]
fn an_applicant_is_not_drawn_even_where_conflicted_experts_may_be() {
    let mut play = reviewing();
    let panel = form(&mut play, &[]).unwrap();
    join(&mut play, 0, 0);
    let declared = json!({ "organisations": [organisation(1)], "ground": "理事" });
    let other = id_of(person(1));
    play.does(&staff(), Kind::Expert, other, "declare_conflicts", declared);
    let seed = from_hex(SEED).unwrap();
    let body = json!({
        "rules": { "seats": 1, "substitutes": 2 }, "conflicted_may_sit": true,
        "commitment": commitment(&seed),
    });
    play.does(&staff(), Kind::Panel, panel, "commit_draw", body);
    let draw = play.get::<Panel>(panel).data.draws[0].clone();
    assert_eq!(draw.conflicted, BTreeSet::from([person(0)]));
    assert!(draw.pool.contains_key(&person(1)));
    let body = json!({ "seed": SEED });
    play.does(&staff(), Kind::Panel, panel, "draw_members", body);

    // A substitute who has become an applicant takes no seat.
    let drawn = |play: &Play| {
        let draw = &play.get::<Panel>(panel).data.draws[0];
        draw.drawn.clone().unwrap()
    };
    let first = drawn(&play).substitutes[0];
    let system = Actor::system();
    let grant = Grant {
        role: Role::Applicant,
        scope: Scope::Organisation(organisation(1)),
    };
    let body = json!({ "grant": grant });
    play.does(&system, Kind::Account, first, "join", body);
    let leaves = drawn(&play).members[0];
    let body = json!({ "expert": leaves, "reason": "生病" });
    let refused = play.ask(&staff(), Kind::Panel, panel, "substitute", body);
    assert_eq!(why(refused), format!("/refused/{first} applicant"));
    let refused = json!({ first.to_string(): "本届申报方成员" });
    let body = json!({ "expert": leaves, "reason": "生病", "refused": refused });
    play.does(&staff(), Kind::Panel, panel, "substitute", body);
}

#[test]
fn who_becomes_an_applicant_after_scoring_loses_every_sheet_at_the_close() {
    let mut play = reviewing();
    let panel = form(&mut play, &[0, 1]).unwrap();
    let all = [(0, 0), (0, 1), (1, 0), (1, 1)];
    assign(&mut play, panel, &all).unwrap();
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    for (index, mark) in [(0, "90"), (1, "70")] {
        for sheet in sheets(&play, index) {
            let body = json!({ "marks": { "scores": { "need": mark } } });
            play.does(&actor(index), Kind::Sheet, sheet, "save", body);
            play.does(&actor(index), Kind::Sheet, sheet, "submit", json!({}));
        }
    }
    play.at("2024-06-20T09:00:00+08:00");
    join(&mut play, 0, 0);
    assert_eq!(invariants::broken(&everything(&play)), Vec::<String>::new());
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
    let stages = |play: &Play, index| {
        let sheets = sheets(play, index).into_iter();
        sheets
            .map(|sheet| play.stage(Kind::Sheet, sheet))
            .collect::<Vec<_>>()
    };
    assert_eq!(stages(&play, 0), ["void"; 2]);
    assert_eq!(stages(&play, 1), ["submitted"; 2]);
    let results = &play.get::<Panel>(panel).data.results;
    let scores = results.iter().map(|one| one.score.rounded.to_string());
    assert_eq!(scores.collect::<Vec<_>>(), ["70", "70"]);
}

fn sheets(play: &Play, index: usize) -> Vec<Uuid> {
    let sheets = play
        .states
        .values()
        .filter_map(fundcycle_core::sheet::Sheet::of);
    sheets
        .filter(|one| one.data.expert == Some(person(index)))
        .map(|one| one.id)
        .collect()
}

fn record<A: Stored>(id: Uuid, data: A) -> Record<A> {
    Record {
        data,
        version: 1,
        ..Record::unborn(id, CYCLE)
    }
}

/// Whether somebody whose membership ended at `until`, if ever, applies in a cycle that opened on 1 June, with
/// an application of this journal at this stage.
fn applies(until: Option<&str>, journal: Uuid, stage: Stage) -> bool {
    let id = organisation(0);
    let account = Account {
        memberships: [(
            id,
            Membership {
                since: "2024-01-01T00:00:00+08:00".parse().unwrap(),
                until: until.map(|at| at.parse().unwrap()),
            },
        )]
        .into(),
        ..Account::default()
    };
    let cycle = Cycle {
        opens_at: Some("2024-06-01T00:00:00+08:00".parse().unwrap()),
        ..Cycle::default()
    };
    let application = Record {
        stage,
        journal,
        ..record(
            Uuid::from_u128(4),
            Application {
                organisation: Some(id),
                ..Application::default()
            },
        )
    };
    let mut world = World::default();
    world.put(Cycle::state(record(CYCLE, cycle)));
    world.put(Application::state(application));
    !interest::applies_for(&account, CYCLE, &world).is_empty()
}

#[test]
fn who_left_before_and_what_nobody_has_handed_in_here_does_not_count() {
    let (before, after) = ("2024-05-31T23:59:59+08:00", "2024-06-01T00:00:00+08:00");
    for (until, journal, stage, expected) in [
        (None, CYCLE, Stage::Submitted, true),
        (None, CYCLE, Stage::Ineligible, true),
        (None, CYCLE, Stage::NotSelected, true),
        (Some(after), CYCLE, Stage::Submitted, true),
        (Some(before), CYCLE, Stage::Submitted, false),
        (None, REGISTRY, Stage::Submitted, false),
        (None, CYCLE, Stage::Draft, false),
        (None, CYCLE, Stage::Discarded, false),
        (None, CYCLE, Stage::Withdrawn, false),
    ] {
        let found = applies(until, journal, stage);
        assert_eq!(found, expected, "{until:?} {stage:?}");
    }
}
