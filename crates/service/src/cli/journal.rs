//! Checking the record, and what proves it to others.

mod key;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fundcycle_store::replay::Report;
use uuid::Uuid;

use super::{Common, Stop, complain, database, say, settings};
use crate::clock::Clock;
use crate::signing::Signer;

/// Look at the record.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Rebuild every record from its journal and compare it with what is stored.
    #[command(after_help = "\
Example:
  fundcycle journal replay --check --database sqlite:fundcycle.db
Exits with 1 if anything differs, naming journal and place.")]
    Replay(ReplayArgs),
    /// Check chain, tree, signatures and tables, also against checkpoints kept outside; or a receipt.
    #[command(after_help = "\
Examples:
  fundcycle journal verify --database sqlite:fundcycle.db
  fundcycle journal verify --against printed.checkpoint --database sqlite:fundcycle.db
  fundcycle journal verify --receipt receipt.json       needs no database
Exits with 1 if anything differs, naming journal and entry.")]
    Verify(verify::VerifyArgs),
    /// Sign the journals as they are now, for keeping outside.
    #[command(after_help = "\
Examples:
  fundcycle journal checkpoint --database sqlite:fundcycle.db                     print all
  fundcycle journal checkpoint --out checkpoints --database sqlite:fundcycle.db   one file each")]
    Checkpoint(CheckpointArgs),
    /// Look at the key that signs, or take another one.
    #[command(subcommand)]
    Key(key::KeyCommand),
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

/// What `journal checkpoint` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    common: Common,
    /// The file with the key that signs [default: beside the database]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<String>,
    /// Only this cycle, by its id.
    #[arg(long, value_name = "ID")]
    cycle: Option<Uuid>,
    /// Write JOURNAL-SIZE.checkpoint into this folder instead of printing.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Does what is asked.
pub(crate) async fn run(command: JournalCommand) -> Result<(), Stop> {
    match command {
        JournalCommand::Replay(args) => replay(args).await,
        JournalCommand::Verify(args) => verify::run(args).await,
        JournalCommand::Checkpoint(args) => checkpoint(args).await,
        JournalCommand::Key(command) => key::run(command).await,
    }
}

async fn replay(ReplayArgs { common, check: _ }: ReplayArgs) -> Result<(), Stop> {
    let url = settings(&common, Vec::new())?.database;
    let store = database::open(&url).await?;
    let report = store.replay_check(None).await;
    store.close().await;
    conclude(&report?)
}

/// Says what a check found; the answer is no where anything differs.
pub(super) fn conclude(report: &Report) -> Result<(), Stop> {
    for difference in &report.differences {
        complain(&difference.to_string());
    }
    for note in &report.notes {
        complain(note);
    }
    let found = match report.differences.len() {
        0 => "all as recorded".to_owned(),
        many => format!("{many} differ"),
    };
    say(&format!(
        "{} journals, {} entries, {} records, {} checkpoints agree: {found}",
        report.journals, report.entries, report.records, report.checkpoints
    ))?;
    if report.is_clean() {
        Ok(())
    } else {
        Err(Stop::No)
    }
}

async fn checkpoint(args: CheckpointArgs) -> Result<(), Stop> {
    let settings = settings(&args.common, vec![("signing_key", args.signing_key)])?;
    let store = database::open(&settings.database).await?;
    let now = Clock::of(&store).await?.now();
    let signer = Signer::existing(&store, &settings.signing_key_file()).await?;
    let journals = match args.cycle {
        Some(cycle) => vec![cycle],
        None => store.journals().await?.into_keys().collect(),
    };
    for journal in journals {
        let Some(kept) = signer.sign(journal, true, now).await? else {
            return Err(Stop::Trouble(format!("there is no cycle {journal}")));
        };
        match &args.out {
            None => say(&kept.note)?,
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                let path = folder.join(format!("{journal}-{}.checkpoint", kept.size));
                std::fs::write(&path, &kept.note)?;
                say(&path.display().to_string())?;
            }
        }
    }
    store.close().await;
    Ok(())
}
