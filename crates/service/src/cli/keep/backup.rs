//! `backup`: while the service runs, on either engine. What was acknowledged before it began is in it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use fundcycle_store::copy;

use super::manifest::{self, Manifest};
use super::{Stop, attachments, complain, database, list, say};
use crate::cli::{Common, settings};
use crate::clock::Clock;
use crate::files::Files;

/// What `backup` takes.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    common: Common,
    /// The folder of attachments [default: fundcycle-files]
    #[arg(long, value_name = "FOLDER")]
    files: Option<String>,
    /// The new folder to write into.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Copies the database, then the files that its records speak of, then says what there is.
pub(crate) async fn backup(args: BackupArgs) -> Result<(), Stop> {
    let settings = settings(&args.common, vec![("files", args.files)])?;
    let out = args.out;
    make(&out)?;
    let url = format!("sqlite:{}", manifest::database(&out).display());
    let copied = copy::copy(&settings.database, &url).await?;
    let store = database::open(&url).await?;
    let (wanted, now) = (attachments(&store).await, Clock::of(&store).await);
    store.close().await;
    let (from, to) = (
        Files::in_folder(&settings.files)?,
        Files::in_folder(&manifest::files(&out))?,
    );
    let (mut files, mut missing) = ((0, 0), Vec::new());
    for (id, sha256) in wanted? {
        match from.copy_to(&to, id, &sha256).await {
            Ok(bytes) => files = (files.0 + 1, files.1 + bytes),
            Err(lost) => missing.push(format!("attachment {id}: {lost}")),
        }
    }
    list(&copied)?;
    for line in &missing {
        complain(line);
    }
    let whole = missing.is_empty();
    Manifest::of(&copied, files, missing, now?.now()).write(&out)?;
    say(&format!(
        "{} files, {} bytes; the backup is in {}",
        files.0,
        files.1,
        out.display()
    ))?;
    if whole { Ok(()) } else { Err(Stop::No) }
}

/// Makes the folder, for its owner alone: it will hold what the database holds.
fn make(folder: &Path) -> Result<(), Stop> {
    if folder
        .read_dir()
        .is_ok_and(|mut inside| inside.next().is_some())
    {
        return Err(Stop::Trouble(format!(
            "{} is not empty: name a new folder with --out",
            folder.display()
        )));
    }
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
