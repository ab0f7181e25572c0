//! `journal key`: the key that signs.

use clap::{Args, Subcommand};
use fundcycle_core::proof::Digest;
use fundcycle_core::signing_key;

use crate::cli::{Common, Stop, database, say, settings};
use crate::clock::Clock;
use crate::signing::{self, SigningError, recorded};

/// Look at the key that signs, or take another one.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys on record: since when, fingerprint, public key.
    #[command(after_help = "Example:\n  fundcycle journal key list --database sqlite:fundcycle.db")]
    List(ListArgs),
    /// Make a new key, vouched for by the one before, and put both facts on record.
    #[command(after_help = "\
Examples:
  fundcycle journal key rotate --database sqlite:fundcycle.db
  fundcycle journal key rotate --lost 'disk of the old server failed' --database sqlite:fundcycle.db
Copy the file to every instance afterwards; a running service takes it up by itself.")]
    Rotate(RotateArgs),
}

/// What `journal key list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// What `journal key rotate` takes.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    common: Common,
    /// The file with the key that signs [default: beside the database]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<String>,
    /// The key before is lost and cannot vouch for the new one: why. Verification will name it.
    #[arg(long, value_name = "REASON")]
    lost: Option<String>,
}

/// Does what is asked.
pub(super) async fn run(command: KeyCommand) -> Result<(), Stop> {
    match command {
        KeyCommand::List(args) => list(args).await,
        KeyCommand::Rotate(args) => rotate(args).await,
    }
}

async fn list(ListArgs { common }: ListArgs) -> Result<(), Stop> {
    let url = settings(&common, Vec::new())?.database;
    let store = database::open(&url).await?;
    let on_record = recorded(&store).await;
    store.close().await;
    let mut keys = on_record?.ok_or(SigningError::NoKey)?.all;
    keys.sort_by_key(|record| record.created_at);
    for record in keys {
        if let Some(key) = signing_key::parse(&record.data.public_key) {
            say(&format!(
                "{} {} fingerprint {} public key {}",
                record.created_at,
                record.stage,
                key.fingerprint(),
                Digest(key.0)
            ))?;
        }
    }
    Ok(())
}

async fn rotate(args: RotateArgs) -> Result<(), Stop> {
    let settings = settings(&args.common, vec![("signing_key", args.signing_key)])?;
    let store = database::open(&settings.database).await?;
    let now = Clock::of(&store).await?.now();
    let rotated = signing::rotate(&store, &settings.signing_key_file(), args.lost, now).await;
    store.close().await;
    say(&format!(
        "signing from now on: fingerprint {}; publish it",
        rotated?.fingerprint()
    ))
}
