//! `journal verify`: the whole record, one receipt, or the archive of a project.

use std::path::{Path, PathBuf};

use clap::Args;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::archive as kept;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::{Note, PublicKey};
use fundcycle_core::proof::receipt::{Receipt, Shown};
use fundcycle_core::signing_key::journal_of;
use fundcycle_documents::archive as package;
use fundcycle_store::replay::Outside;

use super::conclude;
use crate::cli::{Common, Stop, complain, database, say, settings};

/// What `journal verify` takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    common: Common,
    /// A checkpoint that was kept outside; may be given more than once.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Check this receipt instead, without a database.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "database", "config"])]
    receipt: Option<PathBuf>,
    /// Check the archive of a project instead, without a database.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "database", "config", "receipt"])]
    archive: Option<PathBuf>,
    /// The fingerprint of the key that must have signed the receipt or archive, as it was published.
    #[arg(long, value_name = "SHA256")]
    key: Option<Digest>,
}

/// Does what is asked.
pub(super) async fn run(args: VerifyArgs) -> Result<(), Stop> {
    if let Some(path) = args.receipt {
        return receipt(&path, args.key);
    }
    if let Some(path) = args.archive {
        return archive(&path, args.key);
    }
    if args.key.is_some() {
        return Err(Stop::Trouble(
            "--key is of a receipt or an archive: name one with --receipt or --archive".to_owned(),
        ));
    }
    let outside = args
        .against
        .iter()
        .map(|path| outside(path))
        .collect::<Result<Vec<_>, Stop>>()?;
    let url = settings(&args.common, Vec::new())?.database;
    let store = database::open(&url).await?;
    let report = store.verify(None, &outside).await;
    store.close().await;
    let report = report?;
    if report.is_clean() {
        for one in &outside {
            if let Ok(checkpoint) = Checkpoint::of(&one.note) {
                say(&format!(
                    "journal {}: consistent; it begins with the {} entries of the checkpoint kept outside",
                    one.journal, checkpoint.head.size
                ))?;
            }
        }
    }
    conclude(&report)
}

fn text(path: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(path)
        .map_err(|error| Stop::Trouble(format!("{} cannot be read: {error}", path.display())))
}

fn outside(path: &Path) -> Result<Outside, Stop> {
    let note = Note::parse(&text(path)?);
    let named = note.and_then(|note| {
        let checkpoint = Checkpoint::of(&note)?;
        Ok((note, checkpoint.origin))
    });
    let (note, origin) =
        named.map_err(|error| Stop::Trouble(format!("{}: {error}", path.display())))?;
    let journal = journal_of(&origin).ok_or_else(|| {
        Stop::Trouble(format!(
            "{}: {origin} is not a journal of this program",
            path.display()
        ))
    })?;
    Ok(Outside { journal, note })
}

fn receipt(path: &Path, key: Option<Digest>) -> Result<(), Stop> {
    let receipt: Receipt = serde_json::from_str(&text(path)?)
        .map_err(|error| Stop::Trouble(format!("{} is no receipt: {error}", path.display())))?;
    let Shown {
        seq,
        size,
        key: signed,
        ..
    } = match receipt.verify() {
        Ok(shown) => shown,
        Err(broken) => {
            complain(&format!("{} proves nothing: {broken}", path.display()));
            return Err(Stop::No);
        }
    };
    let fingerprint = expected(path, signed, key)?;
    say(&receipt.text.zh)?;
    say(&receipt.text.en)?;
    say(&format!(
        "it holds: entry {seq} of the {size} that were signed with the key of fingerprint {fingerprint}"
    ))
}

/// The fingerprint of the key that signed; refused where another one was asked for.
fn expected(path: &Path, signed: PublicKey, asked: Option<Digest>) -> Result<Digest, Stop> {
    let fingerprint = signed.fingerprint();
    if asked.is_some_and(|asked| asked != fingerprint) {
        complain(&format!(
            "{} is signed with another key: {fingerprint}",
            path.display()
        ));
        return Err(Stop::No);
    }
    Ok(fingerprint)
}

fn archive(path: &Path, key: Option<Digest>) -> Result<(), Stop> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Stop::Trouble(format!("{} is no archive: {error}", path.display()))
    };
    let bytes = std::fs::read(path)
        .map_err(|error| Stop::Trouble(format!("{} cannot be read: {error}", path.display())))?;
    let files = package::unpack(&bytes).map_err(|error| unreadable(&error))?;
    let shown = match kept::check(&files) {
        Ok(shown) => shown,
        Err(broken) => {
            complain(&format!("{} proves nothing: {broken}", path.display()));
            return Err(Stop::No);
        }
    };
    let fingerprint = expected(path, shown.key, key)?;
    say(&format!(
        "it holds: {} files as packed; {} records of project {} follow from {} of the {} entries that were signed with the \
         key of fingerprint {fingerprint}",
        shown.files, shown.records, shown.project, shown.entries, shown.size
    ))
}
