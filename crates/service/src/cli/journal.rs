//! Checking the record.

use clap::{Args, Subcommand};

use super::{Common, Stop, complain, database, say, settings};

/// Look at the record.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Rebuild every record from its journal and compare it with what is stored.
    #[command(after_help = "\
Example:
  fundcycle journal replay --check --database sqlite:fundcycle.db
Exits with 1 if anything differs, naming journal and place.")]
    Replay(ReplayArgs),
}

/// What `journal replay` takes.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    common: Common,
    /// Compare and report; nothing is ever changed.
    #[arg(long, required = true)]
    check: bool,
}

/// Does what is asked.
pub(crate) async fn run(command: JournalCommand) -> Result<(), Stop> {
    let JournalCommand::Replay(ReplayArgs { common, check: _ }) = command;
    let url = settings(&common, Vec::new())?.database;
    let store = database::open(&url).await?;
    let report = store.replay_check(None).await;
    store.close().await;
    let report = report?;
    for difference in &report.differences {
        complain(&difference.to_string());
    }
    let found = match report.differences.len() {
        0 => "all as recorded".to_owned(),
        many => format!("{many} differ"),
    };
    say(&format!(
        "{} journals, {} entries, {} records: {found}",
        report.journals, report.entries, report.records
    ))?;
    if report.is_clean() {
        Ok(())
    } else {
        Err(Stop::No)
    }
}
