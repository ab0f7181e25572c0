//! The end of a journal: the baton that makes one writer at a time, on any number of instances.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::proof::Digest;
use fundcycle_core::proof::tree::Edge;
use uuid::Uuid;

use crate::db::Engine;
use crate::error::StoreError;
use crate::tree;

/// The last entry of a journal, and the right edge of the tree over all.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: Digest,
    pub(super) at: i64,
    pub(super) edge: Edge,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    seq: i64,
    hash: Vec<u8>,
    at: i64,
    edge: Option<Vec<u8>>,
}

/// Locks the heads of `journals` in their order until the transaction ends; a head that is not
/// there yet is made.
pub(super) async fn lock(
    engine: &mut Engine<'_>,
    journals: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Head>, StoreError> {
    let mut heads = BTreeMap::new();
    for journal in journals {
        let row = if let Some(row) = lock_one(engine, *journal).await? {
            row
        } else {
            execute!(
                engine,
                "INSERT INTO journal_head (journal, seq, hash, at, edge) VALUES ($1, 0, $2, 0, $3) ON CONFLICT (journal) DO NOTHING",
                *journal,
                Digest::GENESIS.0.as_slice(),
                Vec::<u8>::new()
            )?;
            lock_one(engine, *journal)
                .await?
                .ok_or(sqlx::Error::RowNotFound)?
        };
        let head = Head {
            seq: row.seq,
            hash: Digest::from_bytes(&row.hash)
                .ok_or_else(|| tree::corrupt(*journal, "its head has no hash"))?,
            at: row.at,
            edge: tree::edge(*journal, row.seq, row.edge.as_deref())?,
        };
        heads.insert(*journal, head);
    }
    Ok(heads)
}

/// The no-op update is the one row lock that both engines spell the same way.
async fn lock_one(engine: &mut Engine<'_>, journal: Uuid) -> Result<Option<HeadRow>, sqlx::Error> {
    fetch_optional!(
        engine,
        HeadRow,
        "UPDATE journal_head SET seq = seq WHERE journal = $1 RETURNING seq, hash, at, edge",
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
        "UPDATE journal_head SET seq = $1, hash = $2, at = $3, edge = $4 WHERE journal = $5",
        head.seq,
        head.hash.0.as_slice(),
        head.at,
        head.edge.to_bytes(),
        journal
    )
    .map(drop)
}
