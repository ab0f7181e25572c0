//! What was signed of the journals. The store keeps it; who holds a key signs.

use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;

/// A signed checkpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// Of which journal.
    pub journal: Uuid,
    /// How many entries it is about.
    pub size: i64,
    /// When it was signed, in Unix milliseconds.
    pub at: i64,
    /// Whether everybody is shown it, or only who holds a receipt.
    pub published: bool,
    /// The signed note.
    pub note: String,
}

/// How far a journal is signed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Signed {
    /// Which journal.
    pub journal: Uuid,
    /// How many entries it has.
    pub seq: i64,
    /// How many the last published checkpoint is about; 0 before the first.
    pub size: i64,
    /// When that was signed, in Unix milliseconds; 0 before the first.
    pub at: i64,
    /// The last entry of the cycle itself, such as one that moved it to another stage; 0 for the
    /// registry.
    pub moved: i64,
}

impl Store {
    /// Keeps a checkpoint. One that is kept already stays; it may become published.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn keep_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO checkpoint (journal, size, at, published, note) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (journal, size) DO UPDATE SET published = checkpoint.published OR excluded.published",
            checkpoint.journal,
            checkpoint.size,
            checkpoint.at,
            checkpoint.published,
            checkpoint.note.as_str()
        )?;
        Ok(())
    }

    /// The largest checkpoint of a journal.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn last_checkpoint(&self, journal: Uuid) -> Result<Option<Checkpoint>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            Checkpoint,
            "SELECT journal, size, at, published, note FROM checkpoint WHERE journal = $1 ORDER BY size DESC LIMIT 1",
            journal
        )?)
    }

    /// The smallest checkpoint that is about the entry at `seq` too.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn first_checkpoint_of(
        &self,
        journal: Uuid,
        seq: i64,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            Checkpoint,
            "SELECT journal, size, at, published, note FROM checkpoint
             WHERE journal = $1 AND size >= $2 ORDER BY size LIMIT 1",
            journal,
            seq
        )?)
    }

    /// The largest published checkpoint of a journal, or that of `size` entries.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn published_checkpoint(
        &self,
        journal: Uuid,
        size: Option<i64>,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            Checkpoint,
            "SELECT journal, size, at, published, note FROM checkpoint
             WHERE journal = $1 AND published AND ($2 = 0 OR size = $2) ORDER BY size DESC LIMIT 1",
            journal,
            size.unwrap_or(0)
        )?)
    }

    /// How far each journal is signed.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn signed(&self) -> Result<Vec<Signed>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            Signed,
            "SELECT head.journal, head.seq, COALESCE(done.size, 0) AS size, COALESCE(done.at, 0) AS at,
                    COALESCE(entry.seq, 0) AS moved
             FROM journal_head head
             LEFT JOIN (SELECT journal, MAX(size) AS size, MAX(at) AS at FROM checkpoint WHERE published GROUP BY journal) done
                    ON done.journal = head.journal
             LEFT JOIN state ON state.journal = head.journal AND state.kind = 'cycle' AND state.id = head.journal
             LEFT JOIN journal entry ON entry.id = state.id AND entry.version = state.version AND entry.journal = head.journal
             WHERE head.seq > 0 ORDER BY head.journal"
        )?)
    }
}
