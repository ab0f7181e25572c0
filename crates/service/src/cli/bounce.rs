//! Reports of letters that did not arrive, as the mail server hands them over.

use std::io::Read as _;

use clap::Args;
use fundcycle_notify::channels::email::failing::{Taken, take_in};

use super::{Common, Stop, database, say, settings};
use crate::clock::Clock;

/// The longest message that is read, in bytes: a report carries the letter that came back at most.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What `bounce` takes.
#[derive(Debug, Args)]
pub(crate) struct BounceArgs {
    #[command(flatten)]
    common: Common,
}

/// Takes in the message on standard input. Trouble ends with the number by which mail servers know that
/// they have to keep it.
pub(crate) async fn run(args: BounceArgs) -> Result<(), Stop> {
    taken(args).await.map_err(|stop| match stop {
        Stop::Trouble(reason) => Stop::Later(reason),
        other => other,
    })
}

async fn taken(args: BounceArgs) -> Result<(), Stop> {
    let mut raw = Vec::new();
    std::io::stdin().take(LONGEST).read_to_end(&mut raw)?;
    let store = database::open(&settings(&args.common, Vec::new())?.database).await?;
    let now = Clock::of(&store).await?.now();
    let taken = take_in(&store, &raw, now).await;
    store.close().await;
    match taken? {
        Taken::Nothing(why) => say(&format!("left alone: {why}")),
        Taken::Letter(report) => say(&format!(
            "letter {} is given up ({}); its address is written to again",
            report.letter, report.said
        )),
        Taken::Address(report) => say(&format!(
            "letter {} is given up, and its address takes no more ({})",
            report.letter, report.said
        )),
    }
}
