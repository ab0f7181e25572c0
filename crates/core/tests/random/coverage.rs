//! The walks are not vacuous: fixed ones get nearly every verb accepted that a person may ask for.

use std::collections::BTreeSet;

use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;

use crate::bodies::Dice;
use crate::starts::STARTS;
use crate::walk::Walk;

/// Who may be asked for by a person and yet is not reached, and why.
const NOT_REACHED: &[(Kind, &str, &str)] = &[
    // A play is one cycle, and every start begins with creating it.
    (Kind::Cycle, "create", "done by every start"),
];

/// Rounds over all starts, at most; the last ones are walked only while a verb is missing.
const ROUNDS: usize = 12;
const STEPS: usize = 80;

fn askable() -> BTreeSet<(Kind, &'static str)> {
    let rows = Kind::ALL.iter().flat_map(|kind| {
        let rows = kind.moves().into_iter();
        rows.filter(|row| row.by != [Role::System])
            .map(|row| (*kind, row.verb))
    });
    rows.collect()
}

#[test]
fn fixed_walks_reach_every_verb_that_people_ask_for() {
    let askable = askable();
    let known: BTreeSet<_> = NOT_REACHED
        .iter()
        .map(|(kind, verb, _)| (*kind, *verb))
        .collect();
    let mut accepted = BTreeSet::new();
    let mut steps = 0;
    for (round, start) in
        (0..ROUNDS).flat_map(|round| (0..STARTS.len()).map(move |start| (round, start)))
    {
        if askable
            .difference(&accepted)
            .all(|(kind, verb)| known.contains(&(*kind, *verb)))
        {
            break;
        }
        let mut walk = Walk::from(start);
        walk.accepted = accepted;
        let mut seed = Dice((round * STARTS.len() + start) as u64);
        for _ in 0..STEPS {
            let choice = seed.roll(usize::MAX) as u64;
            walk.step(choice)
                .unwrap_or_else(|broken| panic!("{broken}"));
        }
        walk.ends().unwrap_or_else(|broken| panic!("{broken}"));
        steps += walk.trace.len();
        accepted = walk.accepted;
    }
    let missed: BTreeSet<_> = askable.difference(&accepted).copied().collect();
    let reached = askable.len() - missed.len();
    println!(
        "{reached} of {} verbs, {steps} accepted steps",
        askable.len()
    );
    assert_eq!(
        missed, known,
        "not reached, and not known to be out of reach"
    );
}
