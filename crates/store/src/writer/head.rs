//! The end of a journal: the baton that makes one writer at a time, on any number of instances.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::db::Engine;
use crate::entry::GENESIS;

/// The last entry of a journal.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    pub(super) at: i64,
}

/// Locks the heads of `journals` in their order until the transaction ends; a head that is not
/// there yet is made.
pub(super) async fn lock(
    engine: &mut Engine<'_>,
    journals: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Head>, sqlx::Error> {
    let mut heads = BTreeMap::new();
    for journal in journals {
        let head = if let Some(head) = lock_one(engine, *journal).await? {
            head
        } else {
            execute!(
                engine,
                "INSERT INTO journal_head (journal, seq, hash, at) VALUES ($1, 0, $2, 0) ON CONFLICT (journal) DO NOTHING",
                journal,
                GENESIS.as_slice()
            )?;
            lock_one(engine, *journal)
                .await?
                .ok_or(sqlx::Error::RowNotFound)?
        };
        heads.insert(*journal, head);
    }
    Ok(heads)
}

/// The no-op update is the one row lock that both engines spell the same way.
async fn lock_one(engine: &mut Engine<'_>, journal: Uuid) -> Result<Option<Head>, sqlx::Error> {
    fetch_optional!(
        engine,
        Head,
        "UPDATE journal_head SET seq = seq WHERE journal = $1 RETURNING seq, hash, at",
        journal
    )
}

/// Writes where the journal ends now.
pub(super) async fn advance(
    engine: &mut Engine<'_>,
    journal: Uuid,
    head: &Head,
) -> Result<(), sqlx::Error> {
    execute!(
        engine,
        "UPDATE journal_head SET seq = $1, hash = $2, at = $3 WHERE journal = $4",
        head.seq,
        head.hash.as_slice(),
        head.at,
        journal
    )
    .map(drop)
}
