//! Sessions, their draw, and the turns of applications.

use fundcycle_core::actor::Actor;
use fundcycle_core::application::Application;
use fundcycle_core::kinds::Kind;
use fundcycle_core::pitch_session::PitchSession;
use fundcycle_core::slot::Slot;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Bid, CYCLE, Play, applicant, application, bid, lead, plan, staff, why};

const THREE: &[Bid] = &[
    bid(10_000, "80", "80"),
    bid(10_000, "81", "81"),
    bid(10_000, "82", "82"),
];
const SEED: &str = "00112233445566778899aabbccddeeff";
/// `printf 00112233445566778899aabbccddeeff | xxd -r -p | sha256sum`
const COMMITMENT: &str = "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811";

fn keep(_: &mut Value) {}

fn all() -> Vec<Uuid> {
    (0..THREE.len()).map(application).collect()
}

fn session(play: &mut Play, id: Uuid, verb: &str, body: Value) -> Result<(), String> {
    play.ask(&staff(), Kind::PitchSession, id, verb, body)
        .map(|_| ())
        .map_err(|rejection| why::<()>(Err(rejection)))
}

fn slot(play: &mut Play, id: Uuid, verb: &str) -> Result<(), String> {
    play.ask(&staff(), Kind::Slot, id, verb, json!({}))
        .map(|_| ())
        .map_err(|rejection| why::<()>(Err(rejection)))
}

/// The slot of bid `index`.
fn slot_of(play: &Play, session: Uuid, index: usize) -> Uuid {
    let mut slots = play.slots(session).into_iter();
    slots
        .find(|id| play.get::<Slot>(*id).data.turn.application == application(index))
        .unwrap()
}

#[test]
fn a_draw_gives_every_application_a_turn_in_the_drawn_order_and_on_the_clock_of_the_policy() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    let drawn = play.get::<PitchSession>(id).data.draw.clone().unwrap();
    let list: Vec<String> = (0..3).map(|index| play.number(index)).collect();
    let again =
        fundcycle_scoring::draw(&list, &fundcycle_core::digest::from_hex(SEED).unwrap()).unwrap();
    assert_eq!(
        (drawn.order.clone(), drawn.list_hash),
        (again.order, again.list_hash)
    );
    let turns: Vec<(String, u32, String, String)> = play
        .slots(id)
        .into_iter()
        .map(|slot| {
            let turn = &play.get::<Slot>(slot).data.turn;
            let (from, to) = (turn.starts_at.to_string(), turn.ends_at.to_string());
            (turn.number.clone(), turn.position, from, to)
        })
        .collect();
    // 8 + 7 minutes and 2 between two pitches, from 09:00 in Beijing.
    let clock = [("01:00", "01:15"), ("01:17", "01:32"), ("01:34", "01:49")];
    let expected: Vec<(String, u32, String, String)> = (1..)
        .zip(drawn.order.into_iter().zip(clock))
        .map(|(position, (number, (from, to)))| {
            let at = |time: &str| format!("2024-07-02T{time}:00.000Z");
            (number, position, at(from), at(to))
        })
        .collect();
    assert_eq!(turns, expected);
}

#[test]
fn the_list_is_frozen_by_the_commitment_and_only_the_committed_seed_is_drawn_from_once() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.fresh();
    session(&mut play, id, "plan", plan(&all())).unwrap();
    assert_eq!(
        session(&mut play, id, "draw", json!({ "seed": SEED })),
        Err("not from planned".into())
    );
    assert_eq!(
        session(&mut play, id, "commit_draw", json!({ "commitment": "ABC" })),
        Err("/commitment not_a_digest".into())
    );
    session(
        &mut play,
        id,
        "commit_draw",
        json!({ "commitment": COMMITMENT }),
    )
    .unwrap();
    assert_eq!(
        session(&mut play, id, "revise", plan(&all())),
        Err("not from committed".into())
    );
    for (seed, code) in [
        ("00112233445566778899aabbccddeefe", "/seed not_committed"),
        ("0011", "/seed not_a_seed"),
        ("not hexadecimal, not hexadecimal", "/seed not_a_seed"),
    ] {
        assert_eq!(
            session(&mut play, id, "draw", json!({ "seed": seed })),
            Err(code.into())
        );
    }
    session(&mut play, id, "draw", json!({ "seed": SEED })).unwrap();
    assert_eq!(
        session(&mut play, id, "draw", json!({ "seed": SEED })),
        Err("not from drawn".into()),
        "there is no second draw"
    );
}

#[test]
fn an_order_is_nobodys_but_staffs_before_it_is_published_and_then_each_sees_their_own_turn() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.fresh();
    session(&mut play, id, "plan", plan(&all())).unwrap();
    assert_eq!(play.view(&Actor::public(), Kind::PitchSession, id), None);
    session(
        &mut play,
        id,
        "commit_draw",
        json!({ "commitment": COMMITMENT }),
    )
    .unwrap();
    session(&mut play, id, "draw", json!({ "seed": SEED })).unwrap();
    let first = slot_of(&play, id, 0);
    assert_eq!(play.view(&applicant(0), Kind::Slot, first), None);
    let seen = play.view(&Actor::public(), Kind::PitchSession, id).unwrap();
    assert_eq!(seen["commitment"], COMMITMENT);
    assert_eq!(seen["draw"], Value::Null);
    assert!(!seen.contains_key("undisclosed") && !seen.contains_key("applications"));
    assert_eq!(
        why(play.ask(&applicant(0), Kind::Slot, first, "confirm", json!({}))),
        "not found"
    );

    session(&mut play, id, "publish", json!({})).unwrap();
    let seen = play.view(&Actor::public(), Kind::PitchSession, id).unwrap();
    assert_eq!(seen["draw"]["seed"], SEED);
    let own = play.view(&applicant(0), Kind::Slot, first).unwrap();
    assert_eq!(own["turn"]["room"], "一楼报告厅");
    assert!(!own.contains_key("overrun_seconds"));
    assert_eq!(play.view(&applicant(1), Kind::Slot, first), None);
}

#[test]
fn cancelling_ends_the_turns_discloses_the_draw_and_frees_the_applications() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.fresh();
    session(&mut play, id, "plan", plan(&all())).unwrap();
    let second = play.fresh();
    assert_eq!(
        session(&mut play, second, "plan", plan(&[application(1)])),
        Err("/applications/0 in_another_session".into())
    );
    session(
        &mut play,
        id,
        "commit_draw",
        json!({ "commitment": COMMITMENT }),
    )
    .unwrap();
    session(&mut play, id, "draw", json!({ "seed": SEED })).unwrap();
    let slot = slot_of(&play, id, 0);
    assert_eq!(
        session(&mut play, id, "cancel", json!({ "reason": " " })),
        Err("/reason required".into())
    );
    session(&mut play, id, "cancel", json!({ "reason": "停电" })).unwrap();
    assert_eq!(play.stage(Kind::Slot, slot), "discarded");
    assert_eq!(play.view(&applicant(0), Kind::Slot, slot), None);
    let seen = play.view(&Actor::public(), Kind::PitchSession, id).unwrap();
    assert_eq!(
        seen["draw"]["seed"], SEED,
        "a cancelled draw stays in the open"
    );
    session(&mut play, second, "plan", plan(&all())).unwrap();
}

#[test]
fn only_shortlisted_applications_pitch_and_only_near_the_roadshow() {
    let mut play = Play::begin(&[bid(10_000, "80", "80"), bid(10_000, "50", "0")], |_| {});
    play.score("paper_review", |bid| bid.paper);
    assert_eq!(play.stages(), ["shortlisted", "not_shortlisted"]);
    let id = play.fresh();
    assert_eq!(
        session(
            &mut play,
            id,
            "plan",
            plan(&[application(0), application(1)])
        ),
        Err("/applications/1 not_shortlisted".into())
    );
    assert_eq!(
        session(&mut play, id, "plan", plan(&[])),
        Err("/applications empty".into())
    );
    session(&mut play, id, "plan", plan(&[application(0)])).unwrap();
    session(
        &mut play,
        id,
        "commit_draw",
        json!({ "commitment": COMMITMENT }),
    )
    .unwrap();
    session(&mut play, id, "draw", json!({ "seed": SEED })).unwrap();
    session(&mut play, id, "publish", json!({})).unwrap();
    assert_eq!(
        session(&mut play, id, "start", json!({})),
        Err("at_roadshow".into())
    );

    let (mut late, _) = Play::announced(THREE, keep);
    let id = late.fresh();
    assert_eq!(
        session(&mut late, id, "plan", plan(&all())),
        Err("before_selection".into())
    );
}

#[test]
fn a_turn_is_confirmed_checked_in_heard_alone_and_timed() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    let (first, second) = (slot_of(&play, id, 0), slot_of(&play, id, 1));
    let facts = play.does(&applicant(0), Kind::Slot, first, "confirm", json!({}));
    assert_eq!(facts.len(), 2, "the application is confirmed with its slot");
    assert_eq!(
        play.stage(Kind::Application, application(0)),
        "roadshow_ready"
    );
    slot(&mut play, first, "check_in").unwrap();
    slot(&mut play, second, "check_in").unwrap();
    assert_eq!(
        slot(&mut play, first, "start"),
        Err("session_running".into())
    );
    session(&mut play, id, "start", json!({})).unwrap();
    play.at("2024-07-02T09:00:00+08:00");
    slot(&mut play, first, "start").unwrap();
    assert_eq!(slot(&mut play, second, "start"), Err("floor_free".into()));
    // Fifteen minutes are allowed.
    play.at("2024-07-02T09:16:05.900+08:00");
    slot(&mut play, first, "finish").unwrap();
    assert_eq!(play.get::<Slot>(first).data.overrun_seconds, 65);
    assert_eq!(play.stage(Kind::Application, application(0)), "presented");
    assert_eq!(
        session(&mut play, id, "finish", json!({})),
        Err("slots_done".into())
    );
}

#[test]
fn who_does_not_come_or_leaves_keeps_the_place_and_the_session_can_end() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    let slots: Vec<Uuid> = (0..3).map(|index| slot_of(&play, id, index)).collect();
    assert_eq!(
        slot(&mut play, slots[0], "mark_absent"),
        Err("session_running".into())
    );
    session(&mut play, id, "start", json!({})).unwrap();
    slot(&mut play, slots[0], "mark_absent").unwrap();
    assert_eq!(slot(&mut play, slots[1], "withdraw"), Err("left".into()));
    let reason = json!({ "reason": "人员变动" });
    play.does(
        &applicant(1),
        Kind::Application,
        application(1),
        "withdraw",
        reason,
    );
    assert_eq!(
        slot(&mut play, slots[1], "check_in"),
        Err("takes_part".into())
    );
    let before = play.get::<Slot>(slots[1]).data.turn.clone();
    slot(&mut play, slots[1], "withdraw").unwrap();
    assert_eq!(play.get::<Slot>(slots[1]).data.turn, before);
    for verb in ["check_in", "start", "finish"] {
        slot(&mut play, slots[2], verb).unwrap();
    }
    session(&mut play, id, "finish", json!({})).unwrap();
    assert_eq!(play.stages(), ["no_show", "withdrawn", "presented"]);
}

#[test]
fn after_a_technical_failure_a_pitch_is_heard_again_until_it_is_scored() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    session(&mut play, id, "start", json!({})).unwrap();
    let first = slot_of(&play, id, 0);
    for verb in ["check_in", "start", "finish"] {
        slot(&mut play, first, verb).unwrap();
    }
    let again = json!({ "reason": "投影故障" });
    play.does(&staff(), Kind::Slot, first, "pitch_again", again.clone());
    assert_eq!(play.stage(Kind::Slot, first), "checked_in");
    assert_eq!(
        play.stage(Kind::Application, application(0)),
        "roadshow_ready"
    );
    for verb in ["start", "finish"] {
        slot(&mut play, first, verb).unwrap();
    }
    play.score("roadshow", |bid| bid.pitch);
    let scored = &play.get::<Application>(application(0)).data.roadshow;
    assert_eq!(scored.as_ref().unwrap().rounded.to_string(), "80");
    assert_eq!(
        why(play.ask(&staff(), Kind::Slot, first, "pitch_again", again)),
        "not_scored"
    );
}

#[test]
fn nobody_pitches_again_in_a_cycle_that_is_over() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    session(&mut play, id, "start", json!({})).unwrap();
    let first = slot_of(&play, id, 0);
    slot(&mut play, first, "mark_absent").unwrap();
    play.does(
        &lead(),
        Kind::Cycle,
        CYCLE,
        "cancel",
        json!({ "reason": "停办" }),
    );
    let again = json!({ "reason": "投影故障" });
    assert_eq!(
        why(play.ask(&staff(), Kind::Slot, first, "pitch_again", again)),
        "at_roadshow"
    );
    assert_eq!(play.stage(Kind::Application, application(0)), "no_show");
}

#[test]
fn the_selection_waits_for_every_pitch_and_every_session() {
    let mut play = Play::at_roadshow(THREE, keep);
    let id = play.published_session();
    session(&mut play, id, "start", json!({})).unwrap();
    assert_eq!(
        why(play.ask(&staff(), Kind::Cycle, CYCLE, "open_selection", json!({}))),
        "everyone_pitched, sessions_over, roadshow_closed"
    );
}
