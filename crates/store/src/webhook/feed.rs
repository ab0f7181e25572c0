//! From the journals to the queue of each webhook: facts after its cursor, in order, each once.

use serde_json::json;
use uuid::Uuid;

use super::Webhook;
use crate::db::Tx;
use crate::error::StoreError;
use crate::outbox::{self, OutboxMessage, OutboxRow, identity};
use crate::store::Store;

/// Facts that are looked at in one transaction.
const STEP: i64 = 500;
/// A webhook that has this many waiting gets no more for now: the journal keeps them.
const BACKLOG: i64 = 1_000;

/// What of a fact is told: what happened to which record, never what it says.
#[derive(sqlx::FromRow)]
struct Told {
    seq: i64,
    kind: String,
    verb: String,
    id: Uuid,
    at: i64,
}

impl Store {
    /// Queues for every webhook on `channel` the facts it has not got yet; any number of instances
    /// may do so at once.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn feed_webhooks(&self, channel: &str) -> Result<(), StoreError> {
        let webhooks = self.webhooks().await?;
        if webhooks.iter().all(|one| one.disabled_at.is_some()) {
            return Ok(());
        }
        let (heads, waiting) = (self.journals().await?, self.waiting(channel).await?);
        for webhook in webhooks.iter().filter(|one| one.disabled_at.is_none()) {
            let queued = waiting.iter().find(|(id, _)| *id == webhook.id);
            if queued.is_some_and(|(_, count)| *count >= BACKLOG) {
                continue;
            }
            let cursors = self.webhook_cursors(webhook.id).await?;
            for (journal, head) in &heads {
                if webhook.journal.is_some_and(|only| only != *journal) {
                    continue;
                }
                let known = cursors.iter().find(|(one, _)| one == journal);
                if known.is_none_or(|(_, seq)| seq < head) {
                    let after = known.map(|(_, seq)| *seq);
                    self.feed(channel, webhook, *journal, after).await?;
                }
            }
        }
        Ok(())
    }

    async fn waiting(&self, channel: &str) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            (Uuid, i64),
            "SELECT receiver, COUNT(*) FROM outbox
             WHERE channel = $1 AND receiver IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL
             GROUP BY receiver",
            channel
        )?)
    }

    /// One step of one webhook in one journal.
    async fn feed(
        &self,
        channel: &str,
        webhook: &Webhook,
        journal: Uuid,
        after: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut reader = self.pool().reader().await?;
        let facts = fetch_all!(
            &mut reader.engine(),
            Told,
            "SELECT seq, kind, verb, id, at FROM journal WHERE journal = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            journal,
            after.unwrap_or(0),
            STEP
        )?;
        drop(reader);
        let Some(last) = facts.last().map(|fact| fact.seq) else {
            return Ok(());
        };
        let wanted = webhook.wanted();
        let rows: Vec<OutboxRow> = facts
            .into_iter()
            .filter_map(|fact| {
                let topic = format!("{}.{}", fact.kind, fact.verb);
                let wants = wanted.iter().any(|one| *one == topic || one == "*");
                wants.then(|| OutboxRow {
                    journal,
                    id: identity::of_feed(webhook.id, journal, fact.seq),
                    seq: fact.seq,
                    message: OutboxMessage {
                        channel: channel.to_owned(),
                        topic,
                        receiver: Some(webhook.id),
                        payload: json!({ "kind": fact.kind, "id": fact.id }),
                    },
                    created_at: fact.at,
                    due_at: fact.at,
                })
            })
            .collect();
        let mut tx = self.pool().write().await?;
        // Whoever moves the cursor queues; another instance that read the same facts does not.
        if moved(&mut tx, webhook.id, journal, after, last).await? {
            outbox::insert(&mut tx.engine(), &rows).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await;
        }
        Ok(())
    }

    /// Goes back to after `after` in a journal: the facts from there on are queued and delivered
    /// again, each under the identity it had before.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing is delivered again.
    pub async fn replay_webhook(
        &self,
        id: Uuid,
        journal: Uuid,
        after: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool().write().await?;
        // What waits or is on its way goes out anyway.
        execute!(
            &mut tx.engine(),
            "DELETE FROM outbox WHERE receiver = $1 AND journal = $2 AND seq > $3
             AND (delivered_at IS NOT NULL OR dead_at IS NOT NULL OR cancelled_at IS NOT NULL)",
            id,
            journal,
            after
        )?;
        execute!(
            &mut tx.engine(),
            "INSERT INTO webhook_cursor (webhook, journal, seq) VALUES ($1, $2, $3)
             ON CONFLICT (webhook, journal) DO UPDATE SET seq = CASE WHEN excluded.seq < webhook_cursor.seq THEN excluded.seq ELSE webhook_cursor.seq END",
            id,
            journal,
            after
        )?;
        Ok(tx.commit().await?)
    }

    /// Queues a message that no fact causes by itself, once.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn queue_messages(&self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(outbox::insert(&mut writer.engine(), rows).await?)
    }
}

async fn moved(
    tx: &mut Tx,
    webhook: Uuid,
    journal: Uuid,
    from: Option<i64>,
    to: i64,
) -> Result<bool, sqlx::Error> {
    let done = match from {
        Some(from) => execute!(
            &mut tx.engine(),
            "UPDATE webhook_cursor SET seq = $1 WHERE webhook = $2 AND journal = $3 AND seq = $4",
            to,
            webhook,
            journal,
            from
        )?,
        None => execute!(
            &mut tx.engine(),
            "INSERT INTO webhook_cursor (webhook, journal, seq) VALUES ($1, $2, $3) ON CONFLICT (webhook, journal) DO NOTHING",
            webhook,
            journal,
            to
        )?,
    };
    Ok(done == 1)
}
