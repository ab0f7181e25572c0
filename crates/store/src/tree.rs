//! The tree over each journal's entries (RFC 6962): grown with them, read for proofs.
//!
//! The head of a journal keeps the tree's right edge, so that adding an entry reads nothing. Of
//! the rest, every eighth level is kept, and what lies between is computed when it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::proof::Digest;
use fundcycle_core::proof::path::{Head, Plan};
use fundcycle_core::proof::tree::{Edge, Subtree, leaf, root_of, subtrees};
use uuid::Uuid;

use crate::db::{Engine, Pool, Statement};
use crate::entry;
use crate::error::StoreError;
use crate::row::ROWS;
use crate::store::Store;

/// Every so many levels are kept.
const KEPT: u32 = 8;
/// Entries read at a time.
const PAGE: u32 = 1_000;

/// A subtree that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Of which journal.
    pub(crate) journal: Uuid,
    /// Which one.
    pub(crate) subtree: Subtree,
    /// Its hash.
    pub(crate) hash: Digest,
}

/// Adds a leaf to the tree of a journal; gives the subtrees that have to be kept.
pub(crate) fn grow(
    edge: &mut Edge,
    journal: Uuid,
    leaf: Digest,
) -> impl Iterator<Item = Node> + use<> {
    let kept =
        |(subtree, _): &(Subtree, Digest)| subtree.level > 0 && subtree.level.is_multiple_of(KEPT);
    edge.push(leaf)
        .into_iter()
        .filter(kept)
        .map(move |(subtree, hash)| Node {
            journal,
            subtree,
            hash,
        })
}

/// Keeps subtrees.
pub(crate) async fn insert(engine: &mut Engine<'_>, nodes: &[Node]) -> Result<(), sqlx::Error> {
    for chunk in nodes.chunks(ROWS) {
        let mut sql = Statement::new("INSERT INTO journal_node (journal, level, place, hash) ");
        sql.rows(chunk.iter().map(|node| {
            [
                node.journal.into(),
                i64::from(node.subtree.level).into(),
                number(node.subtree.index).into(),
                node.hash.0.to_vec().into(),
            ]
        }));
        sql.execute(engine).await?;
    }
    Ok(())
}

/// Where a journal's tree is not what it should be.
pub(crate) fn corrupt(journal: Uuid, reason: &str) -> StoreError {
    StoreError::Corrupt {
        what: "tree of journal".to_owned(),
        id: journal,
        reason: reason.to_owned(),
    }
}

/// The edge as its head keeps it.
///
/// # Errors
///
/// Where it is not the edge of a tree of `size` leaves.
pub(crate) fn edge(journal: Uuid, size: i64, kept: Option<&[u8]>) -> Result<Edge, StoreError> {
    let kept = kept.ok_or_else(|| corrupt(journal, "it is not built; run `fundcycle migrate`"))?;
    u64::try_from(size)
        .ok()
        .and_then(|size| Edge::from_bytes(size, kept))
        .ok_or_else(|| corrupt(journal, "its edge does not fit the number of entries"))
}

/// Builds the trees of journals that are older than trees are.
pub(crate) async fn build_missing(pool: &Pool) -> Result<(), sqlx::Error> {
    let mut reader = pool.reader().await?;
    let missing = fetch_all!(
        &mut reader.engine(),
        (Uuid,),
        "SELECT journal FROM journal_head WHERE edge IS NULL"
    )?;
    drop(reader);
    for (journal,) in missing {
        let mut tx = pool.write().await?;
        let built = build(&mut tx.engine(), journal).await;
        match built {
            Ok(()) => tx.commit().await.map_err(|error| match error {
                crate::db::CommitError::NotDone(error) | crate::db::CommitError::Unknown(error) => {
                    error
                }
            })?,
            Err(error) => {
                tx.rollback().await;
                return Err(error);
            }
        }
    }
    Ok(())
}

async fn build(engine: &mut Engine<'_>, journal: Uuid) -> Result<(), sqlx::Error> {
    // The head's lock, as a writer takes it.
    let head = fetch_optional!(
        engine,
        (i64,),
        "UPDATE journal_head SET seq = seq WHERE journal = $1 AND edge IS NULL RETURNING seq",
        journal
    )?;
    // Somebody else has built it meanwhile.
    if head.is_none() {
        return Ok(());
    }
    let (mut edge, mut after) = (Edge::default(), 0);
    loop {
        let page = hashes_after(engine, journal, after, i64::from(PAGE)).await?;
        let mut nodes = Vec::new();
        for (seq, hash) in &page {
            after = *seq;
            let hash = Digest::from_bytes(hash).unwrap_or(Digest([0; 32]));
            nodes.extend(grow(&mut edge, journal, leaf(&hash.0)));
        }
        insert(engine, &nodes).await?;
        if page.len() < PAGE as usize {
            break;
        }
    }
    execute!(
        engine,
        "UPDATE journal_head SET edge = $1 WHERE journal = $2",
        edge.to_bytes(),
        journal
    )
    .map(drop)
}

/// Numbers and hashes of up to `limit` entries after `after`.
async fn hashes_after(
    engine: &mut Engine<'_>,
    journal: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    fetch_all!(
        engine,
        (i64, Vec<u8>),
        "SELECT seq, hash FROM journal WHERE journal = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        journal,
        after,
        limit
    )
}

/// The hashes of full subtrees.
async fn hashes(
    engine: &mut Engine<'_>,
    journal: Uuid,
    needed: impl IntoIterator<Item = Subtree>,
) -> Result<BTreeMap<Subtree, Digest>, StoreError> {
    let mut known = BTreeMap::new();
    for subtree in needed {
        let above = subtree.level % KEPT;
        let (first, count) = (number(subtree.index << above), 1 << above);
        let level = subtree.level - above;
        let parts: Vec<Vec<u8>> = if level == 0 {
            let rows = hashes_after(engine, journal, first, count).await?;
            rows.into_iter().map(|(_, hash)| hash).collect()
        } else {
            let rows = fetch_all!(
                engine,
                (Vec<u8>,),
                "SELECT hash FROM journal_node WHERE journal = $1 AND level = $2 AND place >= $3 ORDER BY place LIMIT $4",
                journal,
                i64::from(level),
                first,
                count
            )?;
            rows.into_iter().map(|(hash,)| hash).collect()
        };
        let mut edge = Edge::default();
        for hash in &parts {
            let hash = Digest::from_bytes(hash)
                .ok_or_else(|| corrupt(journal, "one of its hashes is none"))?;
            edge.push(if level == 0 { leaf(&hash.0) } else { hash });
        }
        if number(edge.size()) != count {
            return Err(corrupt(journal, "some of its hashes are missing"));
        }
        known.insert(subtree, edge.root());
    }
    Ok(known)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// What a snapshot knows of a journal's end.
async fn ends(engine: &mut Engine<'_>, journal: Uuid) -> Result<Option<(i64, Edge)>, StoreError> {
    let head = fetch_optional!(
        engine,
        (i64, Option<Vec<u8>>),
        "SELECT seq, edge FROM journal_head WHERE journal = $1 AND seq > 0",
        journal
    )?;
    head.map(|(size, kept)| Ok((size, edge(journal, size, kept.as_deref())?)))
        .transpose()
}

impl Store {
    /// Size and root of a journal's tree as it is now; none where nothing is recorded.
    ///
    /// # Errors
    ///
    /// Where the database fails or the tree is damaged.
    pub async fn tree(&self, journal: Uuid) -> Result<Option<Head>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let ends = ends(&mut reader.engine(), journal).await?;
        Ok(ends.map(|(_, edge)| Head {
            size: edge.size(),
            root: edge.root(),
        }))
    }

    /// The root that the tree had when the journal had `size` entries; none where it has fewer.
    ///
    /// # Errors
    ///
    /// Where the database fails or the tree is damaged.
    pub async fn root_at(&self, journal: Uuid, size: u64) -> Result<Option<Digest>, StoreError> {
        let parts = subtrees(0, size);
        let needed: BTreeSet<Subtree> = parts.iter().copied().collect();
        let known = self.subtrees(journal, size, needed).await?;
        Ok(known.and_then(|known| {
            let parts: Option<Vec<Digest>> =
                parts.iter().map(|part| known.get(part).copied()).collect();
            parts.map(|parts| root_of(&parts))
        }))
    }

    /// The path from entry `seq` to the root of the tree of the first `size`; none where that
    /// cannot be.
    ///
    /// # Errors
    ///
    /// Where the database fails or the tree is damaged.
    pub async fn inclusion(
        &self,
        journal: Uuid,
        seq: u64,
        size: u64,
    ) -> Result<Option<Vec<Digest>>, StoreError> {
        let Some(plan) = seq
            .checked_sub(1)
            .and_then(|index| Plan::inclusion(index, size))
        else {
            return Ok(None);
        };
        let known = self.subtrees(journal, size, plan.needs()).await?;
        Ok(known.and_then(|known| plan.hashes(|part| known.get(&part).copied())))
    }

    /// What shows that the tree of the first `first` entries is the beginning of that of the first
    /// `second`; none where that cannot be.
    ///
    /// # Errors
    ///
    /// Where the database fails or the tree is damaged.
    pub async fn consistency(
        &self,
        journal: Uuid,
        first: u64,
        second: u64,
    ) -> Result<Option<Vec<Digest>>, StoreError> {
        let Some(plan) = Plan::consistency(first, second) else {
            return Ok(None);
        };
        let known = self.subtrees(journal, second, plan.needs()).await?;
        Ok(known.and_then(|known| plan.hashes(|part| known.get(&part).copied())))
    }

    /// The hashes of subtrees of the first `size` entries; none where there are fewer.
    async fn subtrees(
        &self,
        journal: Uuid,
        size: u64,
        needed: BTreeSet<Subtree>,
    ) -> Result<Option<BTreeMap<Subtree, Digest>>, StoreError> {
        // Full subtrees never change: no snapshot is needed.
        let mut reader = self.pool().reader().await?;
        let ends = ends(&mut reader.engine(), journal).await?;
        if ends.is_none_or(|(_, edge)| edge.size() < size) {
            return Ok(None);
        }
        hashes(&mut reader.engine(), journal, needed)
            .await
            .map(Some)
    }

    /// The entry `seq` of a journal, with the hash of the one before.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn entry(
        &self,
        journal: Uuid,
        seq: i64,
    ) -> Result<Option<(entry::Entry, Digest)>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let page = entry::page(&mut reader.engine(), journal, seq - 2, 2).await?;
        let previous = page
            .iter()
            .find(|one| one.seq == seq - 1)
            .and_then(|one| Digest::from_bytes(&one.hash))
            .or((seq == 1).then_some(Digest::GENESIS));
        Ok(page.into_iter().find(|one| one.seq == seq).zip(previous))
    }
}
