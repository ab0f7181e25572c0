//! How attempts end: many in one transaction, as a worker finishes them.

use std::collections::BTreeMap;

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::{Engine, Statement, Tx};
use crate::error::StoreError;
use crate::store::Store;

/// Longest reason that is kept, in characters.
const REASON: usize = 500;

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The receiver has it.
    Delivered,
    /// It failed, and is due again then.
    Again {
        /// When.
        at: Timestamp,
        /// What the receiver said.
        error: String,
    },
    /// It was not tried after all, and is due then; does not count as an attempt.
    Untried {
        /// When.
        at: Timestamp,
    },
    /// It waits for its receiver, is looked at again then, and counts as never tried.
    Held {
        /// When.
        at: Timestamp,
        /// What for.
        reason: String,
    },
    /// It is given up.
    Dead {
        /// What the receiver said.
        error: String,
    },
    /// Nobody needs it any more.
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// A message with how its attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The journal of its fact.
    pub journal: Uuid,
    /// Its identity.
    pub id: Uuid,
    /// Which attempt it was: who was too slow and lost the message to another worker does not
    /// undo what that one does.
    pub attempt: i64,
    /// How it ended.
    pub ending: Ending,
}

impl Store {
    /// Notes how attempts ended, all in one transaction.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing is noted, and the messages fall due again when their
    /// lease ends.
    pub async fn settle(&self, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut tx = self.pool().write().await?;
        let done = write_all(&mut tx, settled, now).await;
        match done {
            Ok(()) => Ok(tx.commit().await?),
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    /// Forgets messages that ended before `before`; gives how many. Dead ones stay until somebody
    /// deals with them.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn forget_delivered(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "DELETE FROM outbox WHERE delivered_at < $1 OR cancelled_at < $1",
            before.0
        )?)
    }
}

async fn write_all(tx: &mut Tx, settled: &[Settled], now: Timestamp) -> Result<(), sqlx::Error> {
    let mut engine = tx.engine();
    // Nearly all end well: those are written together.
    let mut delivered: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for one in settled {
        match &one.ending {
            Ending::Delivered => delivered.entry(one.journal).or_default().push(one.id),
            _ => write(&mut engine, one, now).await?,
        }
    }
    for (journal, ids) in delivered {
        let mut sql = Statement::new("UPDATE outbox SET delivered_at = ");
        sql.bind(now.0)
            .push(", error = NULL WHERE journal = ")
            .bind(journal)
            .push(" AND id IN ")
            .list(ids)
            .push(" AND delivered_at IS NULL");
        sql.execute(&mut engine).await?;
    }
    Ok(())
}

async fn write(engine: &mut Engine<'_>, one: &Settled, now: Timestamp) -> Result<(), sqlx::Error> {
    let Settled {
        journal,
        id,
        attempt,
        ending,
    } = one;
    match ending {
        Ending::Delivered => execute!(
            engine,
            "UPDATE outbox SET delivered_at = $1, error = NULL WHERE journal = $2 AND id = $3 AND delivered_at IS NULL",
            now.0,
            journal,
            id
        )?,
        Ending::Again { at, error } => execute!(
            engine,
            "UPDATE outbox SET lease_until = $1, error = $2 WHERE journal = $3 AND id = $4 AND attempts = $5 AND delivered_at IS NULL",
            at.0,
            shortened(error),
            journal,
            id,
            attempt
        )?,
        Ending::Untried { at } => execute!(
            engine,
            "UPDATE outbox SET lease_until = $1, attempts = attempts - 1, tried_at = NULL
             WHERE journal = $2 AND id = $3 AND attempts = $4 AND delivered_at IS NULL",
            at.0,
            journal,
            id,
            attempt
        )?,
        Ending::Held { at, reason } => execute!(
            engine,
            "UPDATE outbox SET lease_until = $1, error = $2, attempts = 0, tried_at = NULL
             WHERE journal = $3 AND id = $4 AND attempts = $5 AND delivered_at IS NULL",
            at.0,
            shortened(reason),
            journal,
            id,
            attempt
        )?,
        Ending::Dead { error } => execute!(
            engine,
            "UPDATE outbox SET dead_at = $1, error = $2 WHERE journal = $3 AND id = $4 AND attempts = $5 AND delivered_at IS NULL",
            now.0,
            shortened(error),
            journal,
            id,
            attempt
        )?,
        Ending::Cancelled { reason } => execute!(
            engine,
            "UPDATE outbox SET cancelled_at = $1, error = $2 WHERE journal = $3 AND id = $4 AND attempts = $5 AND delivered_at IS NULL",
            now.0,
            shortened(reason),
            journal,
            id,
            attempt
        )?,
    };
    Ok(())
}

/// What a receiver says can be of any length.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(REASON).collect()
}
