//! Messages on their way out: written with the fact that causes them, leased by whoever delivers.

mod desk;
pub mod identity;
mod settle;

use std::collections::BTreeSet;
use std::sync::Arc;

use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::State;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use serde_json::Value as Json;
use uuid::Uuid;

pub use self::desk::{DeskFilter, DeskRow, DeskStatus, Lag};
pub(crate) use self::settle::shortened;
pub use self::settle::{Ending, Settled};
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
    /// For whom: an account, or a webhook; none where it is for no single one.
    pub receiver: Option<Uuid>,
    /// What the template needs.
    pub payload: Json,
}

/// A message with its place.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// The journal of its fact.
    pub journal: Uuid,
    /// Its identity; it follows from the fact, the receiver and the channel, so that writing it
    /// twice writes it once.
    pub id: Uuid,
    /// The place of its fact.
    pub seq: i64,
    /// What it is.
    pub message: OutboxMessage,
    /// When its fact happened, in Unix milliseconds.
    pub created_at: i64,
    /// Not to be tried before, in Unix milliseconds.
    pub due_at: i64,
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
    /// For whom: an account, or a webhook.
    pub receiver: Option<Uuid>,
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
    /// Not needed any more.
    pub cancelled: i64,
}

/// Writes messages; those that stand already stay as they are.
pub(crate) async fn insert(engine: &mut Engine<'_>, rows: &[OutboxRow]) -> Result<(), sqlx::Error> {
    for chunk in rows.chunks(ROWS) {
        let mut sql = Statement::new(
            "INSERT INTO outbox (journal, id, seq, channel, topic, receiver, payload, created_at, lease_until, attempts) ",
        );
        sql.rows(chunk.iter().map(|row| -> [Value; 10] {
            [
                row.journal.into(),
                row.id.into(),
                row.seq.into(),
                row.message.channel.as_str().into(),
                row.message.topic.as_str().into(),
                row.message.receiver.into(),
                row.message.payload.to_string().into(),
                row.created_at.into(),
                row.due_at.into(),
                0.into(),
            ]
        }));
        sql.push(" ON CONFLICT (journal, id) DO NOTHING");
        sql.execute(engine).await?;
    }
    Ok(())
}

impl Store {
    /// Leases up to `limit` due messages of `channel` until `until`; who does not finish by then
    /// loses them to the next worker. In one statement, so that no two workers get the same.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn lease(
        &self,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Leased>, StoreError> {
        let mut writer = self.pool().writer().await?;
        let mut engine = writer.engine();
        let mut sql = Statement::new(
            "WITH due AS MATERIALIZED (SELECT journal, id FROM outbox WHERE channel = ",
        );
        sql.bind(channel)
            .push(" AND lease_until <= ")
            .bind(now.0)
            .push(" AND delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL ORDER BY lease_until, id LIMIT ")
            .bind(i64::from(limit));
        if let Engine::Postgres(_) = engine {
            // Rows that another worker is leasing are passed over: two that wait for each other's are a
            // deadlock. SQLite has one writer at a time.
            sql.push(" FOR UPDATE SKIP LOCKED");
        }
        sql.push(") UPDATE outbox SET lease_until = ")
            .bind(until.0)
            .push(", attempts = attempts + 1, tried_at = ")
            .bind(now.0)
            .push(
                " WHERE (journal, id) IN (SELECT journal, id FROM due)
                 RETURNING journal, id, seq, channel, topic, receiver, payload, created_at, attempts",
            );
        Ok(sql.fetch_all(&mut engine).await?)
    }

    /// How many messages on `channel` have been tried for each of `receivers` after `since`; those
    /// with none are left out.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn tried_since(
        &self,
        channel: &str,
        receivers: &[Uuid],
        since: Timestamp,
    ) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let mut sql = Statement::new("SELECT receiver, COUNT(*) FROM outbox WHERE receiver IN ");
        sql.list(receivers.iter().copied())
            .push(" AND channel = ")
            .bind(channel)
            .push(" AND tried_at > ")
            .bind(since.0)
            .push(" GROUP BY receiver");
        // Not a replica: the leases just taken have to be among them.
        let mut writer = self.pool().writer().await?;
        Ok(sql.fetch_all(&mut writer.engine()).await?)
    }

    /// Those of `ids` that stand in the outbox of `journal`, whatever became of them.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn queued_among(
        &self,
        journal: Uuid,
        ids: &[Uuid],
    ) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut queued = BTreeSet::new();
        let mut reader = self.pool().reader().await?;
        for chunk in ids.chunks(ROWS) {
            let mut sql = Statement::new("SELECT id FROM outbox WHERE journal = ");
            sql.bind(journal)
                .push(" AND id IN ")
                .list(chunk.iter().copied());
            let rows: Vec<(Uuid,)> = sql.fetch_all(&mut reader.engine()).await?;
            queued.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(queued)
    }

    /// How many messages wait, are delivered, were given up, and are not needed any more.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let mut reader = self.pool().reader().await?;
        let counts = fetch_optional!(
            &mut reader.engine(),
            OutboxCounts,
            "SELECT COUNT(*) FILTER (WHERE delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL) AS waiting,
                    COUNT(delivered_at) AS delivered, COUNT(dead_at) AS dead, COUNT(cancelled_at) AS cancelled FROM outbox"
        )?;
        Ok(counts.unwrap_or_default())
    }
}
