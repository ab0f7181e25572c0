//! Random commands through the engine, from several stages of a cycle; after each, what must hold.
#![expect(clippy::unwrap_used, reason = "tests")]

mod invariants;
#[path = "../decision/play.rs"]
#[expect(dead_code, reason = "shared with the tests of decisions")]
mod play;
#[path = "../decision/running.rs"]
#[expect(dead_code, reason = "shared with the tests of decisions")]
mod running;

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
use uuid::Uuid;

/// What one step chooses by: the clock, the record, the verb, the actor.
type Choice = (u8, u16, u16, u8);

fn start(index: usize) -> Play {
    let bids = [bid(30_000, "90", "80"), bid(20_000, "80", "90")];
    match index {
        0 => Play::begin(&bids, |_| {}),
        1 => Play::at_selection(&bids, |_| {}),
        2 => Play::on_notice(&bids, |_| {}).0,
        _ => running::active().0,
    }
}

fn actors() -> [Actor; 9] {
    [
        staff(),
        lead(),
        official(OTHER_STAFF, Role::Staff),
        official(OTHER_LEAD, Role::Lead),
        applicant(0),
        applicant(1),
        expert(),
        Actor::system(),
        running::finance(),
    ]
}

/// The first plausible body that the verb takes.
fn command(play: &Play, kind: Kind, id: Uuid, verb: &str) -> Option<Command> {
    if (kind, verb) == (Kind::Tranche, "pay") {
        return Command::parse(kind, verb, running::payment(play, id)).ok();
    }
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
    // One step in four lets some time pass, from a minute to two days.
    if clock % 4 == 0 {
        play.now = Timestamp(play.now.0 + i64::from(clock) * 600_000 + 60_000);
    }
    // By kind first, so that one tranche counts as much as many applications.
    let kinds: BTreeSet<Kind> = play.states.keys().map(|key| key.0).collect();
    let kinds: Vec<Kind> = kinds.into_iter().collect();
    let (of, nth) = (
        kinds[usize::from(record) % kinds.len()],
        usize::from(record) / kinds.len(),
    );
    let states: Vec<&State> = play
        .states
        .values()
        .filter(|one| one.kind() == of)
        .collect();
    let state = states[nth % states.len()];
    let (kind, id) = (state.kind(), state.id());
    let moves = kind.moves();
    // Mostly what the table has from here, sometimes any verb at all.
    let from_here: Vec<_> = moves
        .iter()
        .filter(|row| verb % 8 == 0 || row.from.contains(&state.stage()))
        // A cancelled cycle ends the walk, so that it is tried only among arbitrary verbs.
        .filter(|row| verb % 8 == 0 || kind != Kind::Cycle || row.verb != "cancel")
        .collect();
    if from_here.is_empty() {
        return Ok(None);
    }
    let row = from_here[usize::from(verb / 8) % from_here.len()];
    let Some(command) = command(play, kind, id, row.verb) else {
        return Ok(None);
    };
    let journal = if kind.is_registry() { REGISTRY } else { CYCLE };
    // Mostly somebody who may ask; sometimes anybody.
    let able =
        |one: &Actor| !one.system && row.by.iter().any(|role| state.roles_of(one).contains(role));
    let mut who: Vec<Actor> = actors().into();
    if verb % 8 != 1 && who.iter().any(able) {
        who.retain(able);
    }
    let actor = who[usize::from(actor) % who.len()].clone();
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
        from in 0_usize..4,
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
    for from in [0, 1, 2, 3].repeat(6) {
        let mut play = start(from);
        for _ in 0..250 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let [picks @ .., actor, clock, _, _] = (number >> 16).to_le_bytes();
            let choice = (
                clock,
                u16::from_le_bytes([picks[0], picks[1]]),
                u16::from_le_bytes([picks[2], picks[3]]),
                actor,
            );
            accepted.extend(step(&mut play, choice).unwrap());
        }
    }
    assert!(accepted.len() >= 29, "{accepted:?}");
    assert!(accepted.contains(&(Kind::Tranche, "pay")), "{accepted:?}");
}
