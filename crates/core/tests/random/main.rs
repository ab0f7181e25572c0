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
mod review;
#[path = "../decision/running.rs"]
mod running;
mod starts;
mod walk;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same walks each time, so that a change is judged by what it changes. `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` are for longer searches.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be told how far to search"
)]
fn config() -> ProptestConfig {
    let asked = |name: &str| std::env::var(name).is_ok();
    let given = ProptestConfig::default();
    ProptestConfig {
        cases: if asked("PROPTEST_CASES") {
            given.cases
        } else {
            16
        },
        rng_seed: if asked("PROPTEST_RNG_SEED") {
            given.rng_seed
        } else {
            RngSeed::Fixed(2024)
        },
        failure_persistence: None,
        ..given
    }
}

proptest! {
    #![proptest_config(config())]

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
