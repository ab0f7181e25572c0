//! What a backup says of itself, written last: a folder without it is no finished backup.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fundcycle_core::proof::Digest;
use fundcycle_core::time::Timestamp;
use fundcycle_store::copy::TableSum;
use serde::{Deserialize, Serialize};

use super::Stop;

/// The form of a backup that this program writes and reads.
const FORM: u32 = 1;

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The form of the backup.
    fundcycle_backup: u32,
    /// The version of the program that made it.
    pub(super) program: String,
    /// When.
    pub(super) made_at: Timestamp,
    /// Each table.
    pub(super) tables: Vec<Counted>,
    /// How many files, and how many bytes they have together.
    pub(super) files: (u64, u64),
    /// What could not be copied, and why.
    pub(super) missing: Vec<String>,
}

/// What a table holds, as [`TableSum`] has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    table: String,
    rows: u64,
    hash: Digest,
}

impl From<&TableSum> for Counted {
    fn from(one: &TableSum) -> Self {
        Self {
            table: one.table.to_owned(),
            rows: one.rows,
            hash: one.hash,
        }
    }
}

/// Where the parts of a backup lie.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("fundcycle.db")
}

/// Where its files lie.
pub(super) fn files(folder: &Path) -> PathBuf {
    folder.join("files")
}

fn place(folder: &Path) -> PathBuf {
    folder.join("manifest.json")
}

impl Manifest {
    /// Of what has just been copied.
    pub(super) fn of(
        tables: &[TableSum],
        files: (u64, u64),
        missing: Vec<String>,
        made_at: Timestamp,
    ) -> Self {
        Self {
            fundcycle_backup: FORM,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            tables: tables.iter().map(Counted::from).collect(),
            files,
            missing,
        }
    }

    /// Makes the backup a finished one, once and for all.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Stop> {
        let unfinished = folder.join("manifest.json.unfinished");
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, place(folder))?;
        fs::File::open(folder)?.sync_all()?;
        Ok(())
    }

    /// That of a finished backup.
    pub(super) fn read(folder: &Path) -> Result<Self, Stop> {
        let path = place(folder);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Stop::Trouble(format!(
                    "{} is no finished backup: it has no manifest.json",
                    folder.display()
                )));
            }
            read => read?,
        };
        let manifest: Self = serde_json::from_str(&text)
            .map_err(|error| Stop::Trouble(format!("{}: {error}", path.display())))?;
        if manifest.fundcycle_backup == FORM {
            Ok(manifest)
        } else {
            Err(Stop::Trouble(format!(
                "{} has the form {}, which this program does not know: restore it with version {}",
                folder.display(),
                manifest.fundcycle_backup,
                manifest.program
            )))
        }
    }
}
