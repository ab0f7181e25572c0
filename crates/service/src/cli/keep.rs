//! Keeping what is kept: copies for bad days, and moving to another database.

mod backup;
mod manifest;
mod restore;

use clap::Args;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::attachment::Attachment;
use fundcycle_core::kinds::Kind;
use fundcycle_core::world::{Need, World};
use fundcycle_store::copy::{self, TableSum};
use fundcycle_store::{Store, StoreError};
use uuid::Uuid;

pub(crate) use self::backup::{BackupArgs, backup};
pub(crate) use self::restore::{RestoreArgs, restore};
use super::{Stop, complain, database, journal, say};

/// What `move` takes.
#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// The database to leave.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The empty one to move into.
    #[arg(long, value_name = "URL")]
    to: String,
}

/// Copies everything into a database on either engine and compares both.
pub(crate) async fn relocate(MoveArgs { from, to }: MoveArgs) -> Result<(), Stop> {
    let copied = copy::copy(&from, &to).await?;
    list(&copied)?;
    let (left, moved) = (heads(&from).await?, heads(&to).await?);
    if left != moved {
        complain(
            "the database that was left has more entries than were copied: somebody still wrote to it; stop the service, and move once more into another empty database",
        );
        return Err(Stop::No);
    }
    verify(&to).await?;
    say(
        "moved: serve the new database with the same --signing-key and --files, and the old one no more",
    )
}

async fn heads(url: &str) -> Result<std::collections::BTreeMap<Uuid, i64>, Stop> {
    let store = database::open(url).await?;
    let heads = store.journals().await;
    store.close().await;
    Ok(heads?)
}

/// Says what was copied, table by table.
fn list(copied: &[TableSum]) -> Result<(), Stop> {
    copied
        .iter()
        .try_for_each(|one| say(&format!("{} {} {}", one.table, one.rows, one.hash)))
}

/// Checks the whole record of a database; the answer is no where anything differs.
async fn verify(url: &str) -> Result<(), Stop> {
    let store = database::open(url).await?;
    let report = store.verify(None, &[]).await;
    store.close().await;
    journal::conclude(&report?)
}

/// Every attachment, with the SHA-256 of its bytes.
///
/// # Errors
///
/// Where the database fails.
pub(crate) async fn attachments(store: &Store) -> Result<Vec<(Uuid, String)>, StoreError> {
    let mut world = World::default();
    let needs = [Need::All(Kind::Attachment)].into();
    // From the registry all cycles are seen.
    store.load_needs(REGISTRY, needs, &mut world).await?;
    let all = world.all::<Attachment>();
    Ok(all.map(|one| (one.id, one.data.sha256.clone())).collect())
}
