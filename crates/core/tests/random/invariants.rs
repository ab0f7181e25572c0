//! What must hold after every accepted command, named after the numbers of the invariants.
//!
//! Here so far: I01, I03, I05 and I08. I02 and I41 belong to the store: chain and outbox.

use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::{Event, State};
use fundcycle_core::world::World;
use proptest::prelude::*;

use crate::play::Play;

type Holds = Result<(), TestCaseError>;

/// Every invariant over the facts of one command.
pub(crate) fn facts(play: &Play, world: &World, facts: &[Fact], trace: &str) -> Holds {
    prop_assert!(!facts.is_empty(), "{}", trace);
    let mut states = play.states.clone();
    for fact in facts {
        let unborn = State::unborn(fact.kind, fact.id, fact.journal);
        let state = states.entry((fact.kind, fact.id)).or_insert(unborn);
        i03(state, play, trace)?;
        i08(state, fact, trace)?;
        let event = Event::parse(fact.kind, fact.event.to_value()).unwrap();
        state.apply(fact.to, &event, play.now).unwrap();
        i01(state, fact, trace)?;
    }
    for (key, state) in &states {
        i05(world.state(key.0, key.1), state, trace)?;
    }
    Ok(())
}

/// I01: the events of a record are numbered without a gap.
fn i01(state: &State, fact: &Fact, trace: &str) -> Holds {
    prop_assert_eq!(state.version(), fact.version, "{}", trace);
    Ok(())
}

/// I03: time does not go back.
fn i03(state: &State, play: &Play, trace: &str) -> Holds {
    prop_assert!(state.updated_at() <= play.now, "{}", trace);
    Ok(())
}

/// I05: the events as a journal holds them make the same state.
fn i05(decided: Option<&State>, replayed: &State, trace: &str) -> Holds {
    prop_assert_eq!(decided, Some(replayed), "{}", trace);
    Ok(())
}

/// I08: every move is an arrow of its flow.
fn i08(state: &State, fact: &Fact, trace: &str) -> Holds {
    let from = (state.version() > 0).then(|| state.stage());
    prop_assert_eq!(from, fact.from, "{}", trace);
    let known = fact.kind.moves().iter().any(|row| {
        row.verb == fact.verb
            && from.map_or(row.from.is_empty(), |from| row.from.contains(&from))
            && row.to.is_none_or(|to| to == fact.to)
    });
    prop_assert!(known, "{}: {:?}", trace, fact);
    Ok(())
}
