//! The checks of money can fail: each of these worlds is broken by hand, and the right one sees it.

use fundcycle_core::actor::Actor;
use fundcycle_core::kinds::{Kind, Row, State};
use fundcycle_core::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bodies;
use crate::invariants::Seen;
use crate::money;
use crate::play::{Play, application};
use crate::running::{self, AWARD, tranches};

/// A project with its first tranche paid.
fn paid() -> (Play, Uuid) {
    let (mut play, project) = running::active();
    running::pay(&mut play, tranches(project)[0]);
    (play, project)
}

/// The world of `play` with one record changed behind the engine's back.
fn with(play: &Play, kind: Kind, id: Uuid, change: impl FnOnce(&mut Value)) -> World {
    let state = &play.states[&(kind, id)];
    let mut body = serde_json::from_str(&state.body()).unwrap();
    change(&mut body);
    let row = Row {
        id,
        journal: state.journal(),
        version: state.version(),
        stage: state.stage(),
        created_at: state.created_at(),
        updated_at: state.updated_at(),
        body: &body.to_string(),
    };
    let mut world = bodies::world(play);
    world.put(State::restore(kind, row).unwrap());
    world
}

/// Which check fails first, by its number.
fn fails(play: &Play, world: &World) -> Option<String> {
    let seen = Seen {
        before: &play.states,
        after: world,
        facts: &[],
        actor: &Actor::system(),
        now: play.now,
        calendar: &play.calendar,
    };
    let outcome = money::ALL.iter().try_for_each(|one| one(&seen));
    outcome.err().map(|says| says[..3].to_owned())
}

fn detected(kind: Kind, of: impl Fn(Uuid) -> Uuid, key: &str, value: Value, number: &str) {
    let (play, project) = paid();
    assert_eq!(fails(&play, &bodies::world(&play)), None);
    let world = with(&play, kind, of(project), |body| {
        assert_ne!(body[key], value);
        body[key] = value;
    });
    assert_eq!(fails(&play, &world).as_deref(), Some(number));
}

#[test]
fn a_payment_beyond_the_award_is_seen() {
    let first = |project| tranches(project)[0];
    detected(Kind::Tranche, first, "amount", json!(AWARD + 1), "I36");
}

#[test]
fn a_fen_that_no_part_of_the_award_holds_is_seen() {
    let last = |project| tranches(project)[2];
    detected(Kind::Tranche, last, "amount", json!(66_659), "I36");
}

#[test]
fn a_payment_by_who_agreed_to_it_is_seen() {
    let lead = Uuid::from_u128(crate::play::LEAD);
    let first = |project| tranches(project)[0];
    detected(Kind::Tranche, first, "paid_by", json!(lead), "I37");
}

#[test]
fn a_refund_of_more_than_was_paid_is_seen() {
    detected(
        Kind::Project,
        |project| project,
        "refunded",
        json!(AWARD),
        "I39",
    );
}

#[test]
fn a_promise_beyond_the_budget_is_seen() {
    let (play, _) = paid();
    let world = with(&play, Kind::Application, application(0), |body| {
        body["selected"]["award"] = json!(74_000_001);
    });
    assert_eq!(fails(&play, &world).as_deref(), Some("I11"));
}
