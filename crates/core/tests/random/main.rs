//! Random commands through the engine, from every stage of a cycle; after each, what must hold.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod bodies;
mod broken;
mod coverage;
mod invariants;
mod money;
#[path = "../decision/play.rs"]
#[expect(dead_code, reason = "shared with the tests of decisions")]
mod play;
#[path = "../decision/running.rs"]
mod running;
mod starts;
mod walk;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_commands_keep_what_must_hold(
        start in 0..starts::STARTS.len(),
        choices in prop::collection::vec(any::<u64>().no_shrink(), 1..60),
    ) {
        let mut walk = walk::Walk::from(start);
        for choice in choices {
            walk.step(choice).map_err(TestCaseError::fail)?;
        }
        walk.ends().map_err(TestCaseError::fail)?;
    }
}
