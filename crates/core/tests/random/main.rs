//! Random commands through the engine, from several stages of a cycle; after each, what must hold.
#![expect(clippy::unwrap_used, reason = "tests")]

mod invariants;
#[path = "../decision/play.rs"]
#[expect(dead_code, reason = "shared with the tests of decisions")]
mod play;

use std::collections::BTreeSet;

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::engine::{Request, Stop, execute};
use fundcycle_core::kinds::{Command, Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::{Need, World};
use play::{CYCLE, OTHER_LEAD, OTHER_STAFF, Play, applicant, bid, expert, lead, official, staff};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What one step chooses by: the clock, the record, the verb, the actor.
type Choice = (u8, u16, u16, u8);

fn start(index: usize) -> Play {
    let bids = [bid(30_000, "90", "80"), bid(20_000, "80", "90")];
    match index {
        0 => Play::begin(&bids, |_| {}),
        1 => Play::at_selection(&bids, |_| {}),
        _ => Play::on_notice(&bids, |_| {}).0,
    }
}

fn actors() -> [Actor; 8] {
    [
        staff(),
        lead(),
        official(OTHER_STAFF, Role::Staff),
        official(OTHER_LEAD, Role::Lead),
        applicant(0),
        applicant(1),
        expert(),
        Actor::system(),
    ]
}

/// The first plausible body that the verb takes.
fn command(kind: Kind, verb: &str) -> Option<Command> {
    let bodies: [Value; 4] = [
        json!({}),
        json!({ "reason": "理由" }),
        json!({ "note": "说明" }),
        json!({ "pledge": true }),
    ];
    bodies
        .into_iter()
        .find_map(|body| Command::parse(kind, verb, body).ok())
}

/// Asks once with everything loaded, and checks what must hold; the verb if it was accepted.
fn step(play: &mut Play, choice: Choice) -> Result<Option<(Kind, &'static str)>, TestCaseError> {
    let (clock, record, verb, actor) = choice;
    // One step in four lets some time pass, from a minute to some days.
    if clock % 4 == 0 {
        play.now = Timestamp(play.now.0 + i64::from(clock) * 3_600_000 + 60_000);
    }
    let states: Vec<&State> = play.states.values().collect();
    let state = states[usize::from(record) % states.len()];
    let (kind, id) = (state.kind(), state.id());
    let moves = kind.moves();
    // Mostly what the table has from here, sometimes any verb at all.
    let from_here: Vec<_> = moves
        .iter()
        .filter(|row| verb % 8 == 0 || row.from.contains(&state.stage()))
        .collect();
    if from_here.is_empty() {
        return Ok(None);
    }
    let row = from_here[usize::from(verb / 8) % from_here.len()];
    let Some(command) = command(kind, row.verb) else {
        return Ok(None);
    };
    let journal = if kind.is_registry() { REGISTRY } else { CYCLE };
    let actor = actors()[usize::from(actor) % 8].clone();
    let trace = format!("{kind} {} by {actor:?}", command.to_value());
    let request = Request {
        journal,
        id,
        command,
        actor,
    };
    let mut world = World::default();
    for state in play.states.values() {
        world.put(state.clone());
    }
    for kind in Kind::ALL {
        world.mark_loaded(Need::All(*kind));
    }
    let before = world.clone();
    match execute(&request, &mut world, play.now, &play.calendar) {
        Ok(facts) => {
            invariants::facts(play, &world, &facts, &trace)?;
            for fact in &facts {
                let after = world.state(fact.kind, fact.id).unwrap().clone();
                play.states.insert((fact.kind, fact.id), after);
            }
            Ok(Some((kind, row.verb)))
        }
        Err(Stop::Refused(_)) => {
            prop_assert_eq!(format!("{before:?}"), format!("{world:?}"), "{}", trace);
            Ok(None)
        }
        Err(Stop::Missing(needs)) => Err(TestCaseError::fail(format!(
            "{trace}: still missing {needs:?}"
        ))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_commands_keep_what_must_hold(
        from in 0_usize..3,
        choices in prop::collection::vec(any::<Choice>(), 1..40),
    ) {
        let mut play = start(from);
        for choice in choices {
            step(&mut play, choice)?;
        }
    }
}

/// The walk is not vacuous: a fixed one gets verbs accepted.
#[test]
fn a_fixed_walk_gets_commands_accepted() {
    let mut accepted = BTreeSet::new();
    let mut number: u64 = 1;
    for from in 0..3 {
        let mut play = start(from);
        for _ in 0..150 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let [_, _, picks @ .., actor, clock] = number.to_le_bytes();
            let choice = (
                clock,
                u16::from_le_bytes([picks[0], picks[1]]),
                u16::from_le_bytes([picks[2], picks[3]]),
                actor,
            );
            accepted.extend(step(&mut play, choice).unwrap());
        }
    }
    assert!(accepted.len() >= 8, "{accepted:?}");
}
