//! Opening and migrating the database.

use std::sync::Arc;

use clap::Args;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::time::Timestamp;
use fundcycle_store::{Options, Store};

use super::{Common, Stop, say, settings};
use crate::clock::Clock;

/// What `migrate` takes.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    common: Common,
    /// Make it a database whose clock is set, for tests and demonstrations; only a new one.
    #[arg(long)]
    time_travel: bool,
    /// What that clock shows at first [default: now]
    #[arg(long, value_name = "INSTANT", requires = "time_travel")]
    clock: Option<Timestamp>,
}

/// Opens the database with all that decisions need.
///
/// # Errors
///
/// Where it cannot be served, with what to do.
pub(crate) async fn open(url: &str) -> Result<Store, Stop> {
    let options = Options {
        calendar: Arc::new(WorkingDayCalendar::china()?),
        messages: Arc::new(fundcycle_notify::messages),
    };
    Ok(Store::open(url, options).await?)
}

/// Makes the database, or brings it up to date.
pub(crate) async fn migrate(args: MigrateArgs) -> Result<(), Stop> {
    let url = settings(&args.common, Vec::new())?.database;
    Store::migrate(&url).await?;
    if args.time_travel {
        let store = open(&url).await?;
        Clock::prepare(&store, args.clock).await?;
        store.close().await;
    }
    say("the database is up to date")
}
