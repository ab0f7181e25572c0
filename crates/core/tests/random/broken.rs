//! The checks can fail: each of these worlds is broken by hand, and the right check sees it.

use std::collections::BTreeMap;

use fundcycle_core::actor::Actor;
use fundcycle_core::application::Application;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::{Kind, Row, State};
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bodies;
use crate::invariants::{self, Seen};
use crate::play::{CYCLE, EXPERT, Play, application, organisation};
use crate::running::{self, AWARD, tranches};
use crate::starts;

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
    fails_after(&play.states, play, world, &[])
}

/// The same, where `facts` led from `before` to here.
fn fails_after(
    before: &BTreeMap<(Kind, Uuid), State>,
    play: &Play,
    world: &World,
    facts: &[Fact],
) -> Option<String> {
    let seen = Seen {
        before,
        after: world,
        facts,
        actor: &Actor::system(),
        now: play.now,
        calendar: &play.calendar,
    };
    let outcome = invariants::stand(&seen);
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
    detected(Kind::Tranche, first, "paid", json!(AWARD + 1), "I36");
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
    let both = json!([{
        "amount": 166_650, "invoice": null, "voucher": "凭证-1", "paid_on": "2024-09-19",
        "requested_by": Uuid::from_u128(crate::play::STAFF), "approved_by": lead, "paid_by": lead,
    }]);
    detected(Kind::Tranche, first, "payments", both, "I37");
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

/// A world of `play` in which `change` was made to the record behind the engine's back is seen.
fn seen_in(play: &Play, kind: Kind, id: Uuid, number: &str, change: impl FnOnce(&mut Value)) {
    assert_eq!(fails(play, &bodies::world(play)), None);
    let world = with(play, kind, id, change);
    assert_eq!(fails(play, &world).as_deref(), Some(number));
}

#[test]
fn a_policy_rewritten_while_in_force_is_seen() {
    let (play, _) = paid();
    let policy = play.get::<Cycle>(CYCLE).data.policy.unwrap();
    seen_in(&play, Kind::Policy, policy, "I10", |body| {
        body["document"]["notice"]["working_days"] = json!(1);
    });
}

#[test]
fn an_application_given_to_another_organisation_is_seen() {
    let (play, _) = paid();
    seen_in(&play, Kind::Application, application(1), "I12", |body| {
        body["organisation"] = json!(organisation(0));
    });
}

#[test]
fn a_submission_rewritten_or_lost_is_seen() {
    let (play, _) = paid();
    for change in [json!([]), {
        let kept = &play.get::<Application>(application(1)).data.submissions;
        let mut kept = serde_json::to_value(kept).unwrap();
        kept[0]["content_hash"] = json!("00");
        kept
    }] {
        seen_in(&play, Kind::Application, application(1), "I13", |body| {
            body["submissions"] = change;
        });
    }
}

#[test]
fn a_record_that_is_gone_is_seen() {
    let (mut play, _) = paid();
    let world = {
        let before = play.states.clone();
        play.states.remove(&(Kind::Application, application(2)));
        let world = bodies::world(&play);
        play.states = before;
        world
    };
    assert_eq!(fails(&play, &world).as_deref(), Some("I16"));
}

#[test]
fn a_draw_with_another_seed_is_seen() {
    let play = starts::drawn();
    let mut sessions = play.states.keys().filter(|key| key.0 == Kind::PitchSession);
    let session = sessions.next().unwrap().1;
    seen_in(&play, Kind::PitchSession, session, "I32", |body| {
        let drawn = if body["draw"].is_null() {
            "undisclosed"
        } else {
            "draw"
        };
        body[drawn]["seed"] = json!("00".repeat(32));
    });
}

#[test]
fn a_sheet_handed_in_by_a_member_of_another_applicant_is_seen() {
    let play = starts::in_review();
    let since = "2024-01-01T00:00:00+08:00";
    let since = serde_json::to_value(since.parse::<Timestamp>().unwrap()).unwrap();
    let expert = Uuid::from_u128(EXPERT);
    seen_in(&play, Kind::Account, expert, "I19", |body| {
        let membership = json!({ "since": since, "until": null });
        body["memberships"] = json!({ organisation(0).to_string(): membership });
    });
}

#[test]
fn facts_that_no_table_knows_are_seen() {
    let (mut play, project) = running::active();
    let first = tranches(project)[0];
    running::pay(&mut play, first);
    let world = bodies::world(&play);
    let mut facts = play.facts.iter().map(|(_, fact)| fact);
    let paid = facts.rfind(|fact| fact.id == first).unwrap();
    let mut before = play.states.clone();
    before.insert((Kind::Tranche, first), earlier(&world, first, "approved"));
    for (change, number) in [
        ((|_| ()) as fn(&mut Fact), None),
        (|fact| fact.version += 1, Some("I01")),
        (|fact| fact.to = "cancelled", Some("I08")),
        (|fact| fact.from = Some("planned"), Some("I08")),
    ] {
        let mut fact = paid.clone();
        change(&mut fact);
        let fails = fails_after(&before, &play, &world, &[fact]);
        assert_eq!(fails.as_deref(), number);
    }
}

/// A record as it stood one event before.
fn earlier(world: &World, id: Uuid, stage: &'static str) -> State {
    let state = world.state(Kind::Tranche, id).unwrap();
    let row = Row {
        id,
        journal: state.journal(),
        version: state.version() - 1,
        stage,
        created_at: state.created_at(),
        updated_at: state.updated_at(),
        body: &state.body(),
    };
    State::restore(Kind::Tranche, row).unwrap()
}
