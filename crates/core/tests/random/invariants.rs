//! What must hold after every accepted command, named after the numbers of the invariants.
//!
//! Here so far: I01, I03, I05, I08, I21, I36 and I37. I02 and I41 belong to the store: chain and outbox.

use std::collections::BTreeSet;

use fundcycle_core::award;
use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::{Event, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::project;
use fundcycle_core::sheet::Sheet;
use fundcycle_core::tranche::Tranche;
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
    i21(world, trace)?;
    i36(world, trace)?;
    i37(world, trace)
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

/// I21: an expert has at most one live sheet for one subject in one panel.
fn i21(world: &World, trace: &str) -> Holds {
    let mut seen = BTreeSet::new();
    for sheet in world.all::<Sheet>() {
        if !["abstained", "recused", "void"].contains(&sheet.stage.name()) {
            let key = (sheet.data.expert, sheet.data.subject, sheet.data.panel);
            prop_assert!(seen.insert(key), "{}: {:?}", trace, sheet);
        }
    }
    Ok(())
}

/// I36: what is paid of an award is at most the award, and no amount is below nothing.
fn i36(world: &World, trace: &str) -> Holds {
    for award in world.all::<award::Award>() {
        let mut paid = 0;
        for tranche in world.parts_of::<Tranche>(project::id_of(award.id)) {
            prop_assert!(tranche.data.amount.fen() >= 0, "{}", trace);
            if tranche.stage.name() == "paid" {
                paid += tranche.data.amount.fen();
            }
        }
        prop_assert!(paid <= award.data.amount.fen(), "{}: paid {}", trace, paid);
    }
    Ok(())
}

/// I37: who put a payment forward, who agreed and who paid are three people.
fn i37(world: &World, trace: &str) -> Holds {
    for tranche in world
        .all::<Tranche>()
        .filter(|one| one.stage.name() == "paid")
    {
        let data = &tranche.data;
        let who = BTreeSet::from([data.requested_by, data.approved_by, data.paid_by]);
        prop_assert_eq!(who.len(), 3, "{}: {:?}", trace, tranche);
    }
    Ok(())
}
