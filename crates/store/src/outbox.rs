//! Messages on their way out: written with the fact that causes them, leased by whoever delivers.

use std::sync::Arc;

use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::State;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::db::{Engine, Statement, Value};
use crate::error::StoreError;
use crate::row::ROWS;
use crate::store::Store;

/// Who is told of a fact: asked inside the transaction, with the record as it is now and what was
/// loaded for the decision. Must be a pure function; it may be asked again for the same fact.
pub type Messages = Arc<dyn Fn(&Fact, &State, &World) -> Vec<OutboxMessage> + Send + Sync>;

/// A message that goes out if and only if its fact stands. One per receiver and channel, so that a
/// channel that is down does not resend the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Which way it goes out.
    pub channel: String,
    /// What kind of message; picks the template.
    pub topic: String,
    /// For whom; none where it is for no single person.
    pub account: Option<Uuid>,
    /// What the template needs.
    pub payload: Json,
}

/// A message with its place.
#[derive(Clone, Debug)]
pub(crate) struct OutboxRow {
    pub(crate) journal: Uuid,
    pub(crate) id: Uuid,
    pub(crate) seq: i64,
    pub(crate) message: OutboxMessage,
    pub(crate) created_at: i64,
}

/// A message leased to this worker.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Leased {
    /// The journal of its fact.
    pub journal: Uuid,
    /// Its identity, the same on every attempt: the receiver's idempotency key.
    pub id: Uuid,
    /// The place of its fact.
    pub seq: i64,
    /// Which way it goes out.
    pub channel: String,
    /// What kind of message.
    pub topic: String,
    /// For whom.
    pub account: Option<Uuid>,
    /// What the template needs, as JSON.
    pub payload: String,
    /// When its fact happened, in Unix milliseconds.
    pub created_at: i64,
    /// How often it has been tried, this time included.
    pub attempts: i64,
}

/// How many messages stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxCounts {
    /// To be delivered.
    pub waiting: i64,
    /// Delivered.
    pub delivered: i64,
    /// Given up.
    pub dead: i64,
}

pub(crate) async fn insert(engine: &mut Engine<'_>, rows: &[OutboxRow]) -> Result<(), sqlx::Error> {
    for chunk in rows.chunks(ROWS) {
        let mut sql = Statement::new(
            "INSERT INTO outbox (journal, id, seq, channel, topic, account, payload, created_at, lease_until, attempts) ",
        );
        sql.rows(chunk.iter().map(|row| -> [Value; 10] {
            [
                row.journal.into(),
                row.id.into(),
                row.seq.into(),
                row.message.channel.as_str().into(),
                row.message.topic.as_str().into(),
                row.message.account.into(),
                row.message.payload.to_string().into(),
                row.created_at.into(),
                row.created_at.into(),
                0.into(),
            ]
        }));
        sql.execute(engine).await?;
    }
    Ok(())
}

impl Store {
    /// Leases up to `limit` due messages until `until`; who does not finish by then loses them to
    /// the next worker.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn lease(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Leased>, StoreError> {
        let mut writer = self.pool().writer().await?;
        // The condition stands twice on purpose: PostgreSQL evaluates the subquery once, and a worker
        // that waited for another one's row then re-checks only the outer condition.
        Ok(fetch_all!(
            &mut writer.engine(),
            Leased,
            "UPDATE outbox SET lease_until = $1, attempts = attempts + 1
             WHERE lease_until <= $2 AND delivered_at IS NULL AND dead_at IS NULL
               AND (journal, id) IN (SELECT journal, id FROM outbox
                                     WHERE lease_until <= $2 AND delivered_at IS NULL AND dead_at IS NULL
                                     ORDER BY lease_until, id LIMIT $3)
             RETURNING journal, id, seq, channel, topic, account, payload, created_at, attempts",
            until.0,
            now.0,
            i64::from(limit)
        )?)
    }

    /// Notes that a message was delivered.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn delivered(
        &self,
        journal: Uuid,
        id: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "UPDATE outbox SET delivered_at = $1, error = NULL WHERE journal = $2 AND id = $3 AND delivered_at IS NULL",
            now.0,
            journal,
            id
        )?;
        Ok(())
    }

    /// Notes that an attempt failed; the message is due again at `again`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn failed(
        &self,
        journal: Uuid,
        id: Uuid,
        error: &str,
        again: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "UPDATE outbox SET lease_until = $1, error = $2 WHERE journal = $3 AND id = $4 AND delivered_at IS NULL",
            again.0,
            error,
            journal,
            id
        )?;
        Ok(())
    }

    /// Gives a message up.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn dead(
        &self,
        journal: Uuid,
        id: Uuid,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "UPDATE outbox SET dead_at = $1, error = $2 WHERE journal = $3 AND id = $4 AND delivered_at IS NULL",
            now.0,
            error,
            journal,
            id
        )?;
        Ok(())
    }

    /// How many messages wait, are delivered, and were given up.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let mut reader = self.pool().reader().await?;
        let counts = fetch_optional!(
            &mut reader.engine(),
            OutboxCounts,
            "SELECT COUNT(*) FILTER (WHERE delivered_at IS NULL AND dead_at IS NULL) AS waiting,
                    COUNT(delivered_at) AS delivered, COUNT(dead_at) AS dead FROM outbox"
        )?;
        Ok(counts.unwrap_or_default())
    }

    /// Forgets messages delivered before `before`; gives how many.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn forget_delivered(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "DELETE FROM outbox WHERE delivered_at < $1",
            before.0
        )?)
    }
}
