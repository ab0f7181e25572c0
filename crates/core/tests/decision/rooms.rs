//! Panels fixed by room: what is in a room is scored by the experts who sit there.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{Panel, Room, planned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::assignment::{FOUR, formed, limits, person, plan};
use crate::play::{EXPERT, Play, application, staff, why};

fn with_rooms(mut body: Value, rooms: Value) -> Value {
    body["rooms"] = rooms;
    body
}

#[test]
fn what_is_in_a_room_is_scored_by_its_experts_only() {
    let (mut play, id) = formed();
    // The first knows the domain of the first two, and sits elsewhere.
    let rooms = json!({
        "一室": { "experts": [person(1)], "subjects": [application(0), application(1)] },
        "二室": { "experts": [person(0), person(2)], "subjects": [application(2)] },
    });
    let made = plan(&mut play, id, with_rooms(limits(1, 4), rooms));
    let of = |subject: usize| {
        let pair = made
            .pairs
            .iter()
            .find(|pair| pair.subject == application(subject));
        pair.unwrap().expert
    };
    assert_eq!((of(0), of(1)), (person(1), person(1)));
    assert!([person(0), person(2)].contains(&of(2)));
    assert_eq!(of(3), person(1), "who is in no room is anybody's");
    assert_eq!(
        planned(&made.inputs).unwrap(),
        made,
        "the rooms are on record"
    );

    let full =
        json!({ "一室": { "experts": [person(1)], "subjects": [application(0), application(1)] } });
    let body = with_rooms(limits(1, 1), full);
    let refused = play.ask(&staff(), Kind::Panel, id, "plan_assignment", body);
    assert_eq!(why(refused), "/max_load infeasible");
}

#[test]
fn rooms_that_cannot_be_are_told_one_by_one() {
    let (mut play, id) = formed();
    let rooms = json!({
        "a": { "experts": [person(0), person(9)], "subjects": [application(0), application(9)] },
        "b": { "experts": [person(0)], "subjects": [application(0)] },
        "c": { "experts": [person(1)] },
    });
    let body = with_rooms(limits(1, 4), rooms);
    let refused = play.ask(&staff(), Kind::Panel, id, "plan_assignment", body);
    assert_eq!(
        why(refused),
        "/rooms/a/experts/1 not_seated, /rooms/a/subjects/1 not_in_round, \
         /rooms/b/experts/0 in_two_rooms, /rooms/b/subjects/0 in_two_rooms, /rooms/c empty_room"
    );
}

#[test]
fn at_the_roadshow_a_room_holds_what_its_sessions_hold() {
    let mut play = Play::at_roadshow(FOUR, |_| {});
    for (room, applications) in [("东厅", [0, 1]), ("西厅", [2, 3])] {
        let session = play.fresh();
        let body = json!({
            "name": room, "room": room, "starts_at": "2024-07-04T09:00:00+08:00",
            "applications": applications.map(application),
        });
        play.does(&staff(), Kind::PitchSession, session, "plan", body);
    }
    let id = play.fresh();
    let expert = Uuid::from_u128(EXPERT);
    let body = json!({ "round": "roadshow", "experts": [expert] });
    play.does(&staff(), Kind::Panel, id, "form", body);
    let rooms = json!({ "东厅": { "experts": [expert] } });
    play.does(
        &staff(),
        Kind::Panel,
        id,
        "plan_assignment",
        with_rooms(limits(1, 4), rooms),
    );
    let inputs = &play.get::<Panel>(id).data.plan.as_ref().unwrap().inputs;
    let room = Room {
        experts: BTreeSet::from([expert]),
        subjects: [0, 1].map(application).into(),
    };
    assert_eq!(inputs.rooms, BTreeMap::from([("东厅".to_owned(), room)]));
}
