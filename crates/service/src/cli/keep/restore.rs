//! `restore`: a backup into an empty database on either engine, compared with what was backed up.

use std::path::PathBuf;

use clap::Args;
use fundcycle_store::copy;

use super::manifest::{self, Counted, Manifest};
use super::{Stop, attachments, complain, database, list, say, verify};
use crate::cli::{Common, settings};
use crate::clock::Clock;
use crate::files::Files;

/// What `restore` takes.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The folder of the backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    #[command(flatten)]
    common: Common,
    /// The folder of attachments [default: fundcycle-files]
    #[arg(long, value_name = "FOLDER")]
    files: Option<String>,
}

/// Copies everything back, checks it, and lets nobody in with an old token.
pub(crate) async fn restore(args: RestoreArgs) -> Result<(), Stop> {
    let settings = settings(&args.common, vec![("files", args.files)])?;
    let manifest = Manifest::read(&args.from)?;
    let path = manifest::database(&args.from);
    if !path.exists() {
        return Err(Stop::Trouble(format!("{} is missing", path.display())));
    }
    let backup = format!("sqlite:{}", path.display());
    let sums = copy::sums(&backup).await?;
    if sums.iter().map(Counted::from).ne(manifest.tables) {
        complain(
            "the backup was changed since it was made: its tables are not those of its manifest; nothing was restored",
        );
        return Err(Stop::No);
    }
    let copied = copy::copy(&backup, &settings.database).await?;
    list(&copied)?;
    let (from, to) = (
        Files::in_folder(&manifest::files(&args.from))?,
        Files::in_folder(&settings.files)?,
    );
    let store = database::open(&settings.database).await?;
    let now = Clock::of(&store).await?.now();
    // One that was revoked after the backup would be good again.
    let tokens = store.revoke_all_tokens(now).await?;
    let (mut files, mut lost) = (0, 0);
    for (id, sha256) in attachments(&store).await? {
        match from.copy_to(&to, id, &sha256).await {
            Ok(_) => files += 1,
            Err(error) => {
                lost += 1;
                complain(&format!("attachment {id}: {error}"));
            }
        }
    }
    store.close().await;
    verify(&settings.database).await?;
    say(&format!(
        "restored as of {}, with {files} files; {tokens} sessions ended: everybody signs in again",
        manifest.made_at
    ))?;
    if lost == 0 { Ok(()) } else { Err(Stop::No) }
}
