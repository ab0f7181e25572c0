//! Messages as whoever operates the service looks at them: what waits, what failed, what to do about it.
//! Never what they say.

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::Statement;
use crate::error::StoreError;
use crate::store::Store;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskStatus {
    /// To be delivered, not tried yet.
    Waiting,
    /// To be delivered, tried without success.
    Failing,
    /// Delivered.
    Delivered,
    /// Given up.
    Dead,
    /// Not needed any more.
    Cancelled,
}

impl DeskStatus {
    /// Every status, with the name it goes by.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Waiting, "waiting"),
        (Self::Failing, "failing"),
        (Self::Delivered, "delivered"),
        (Self::Dead, "dead"),
        (Self::Cancelled, "cancelled"),
    ];

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(status, known)| (known == name).then_some(status))
    }

    /// The name it goes by.
    pub fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find_map(|(status, name)| (status == self).then_some(name))
            .unwrap_or_default()
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Waiting => {
                "delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL AND error IS NULL"
            }
            Self::Failing => {
                "delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL AND error IS NOT NULL"
            }
            Self::Delivered => "delivered_at IS NOT NULL",
            Self::Dead => "dead_at IS NOT NULL",
            Self::Cancelled => "cancelled_at IS NOT NULL",
        }
    }
}

/// Which messages are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskFilter {
    /// In this status.
    pub status: Option<DeskStatus>,
    /// On this channel.
    pub channel: Option<String>,
    /// For this account or webhook.
    pub receiver: Option<Uuid>,
    /// Before this one, as a page ended: time and identity.
    pub before: Option<(Timestamp, Uuid)>,
}

/// A message without what it says.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeskRow {
    /// The journal of its fact.
    pub journal: Uuid,
    /// Its identity.
    pub id: Uuid,
    /// The place of its fact.
    pub seq: i64,
    /// Which way it goes out.
    pub channel: String,
    /// What kind of message.
    pub topic: String,
    /// For which account or webhook.
    pub receiver: Option<Uuid>,
    /// When its fact happened, in Unix milliseconds.
    pub created_at: i64,
    /// When it may be tried again, in Unix milliseconds.
    pub lease_until: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was last tried.
    pub tried_at: Option<i64>,
    /// When it was delivered.
    pub delivered_at: Option<i64>,
    /// When it was given up.
    pub dead_at: Option<i64>,
    /// When it was cancelled.
    pub cancelled_at: Option<i64>,
    /// What the last attempt said, or why it was cancelled.
    pub error: Option<String>,
}

impl DeskRow {
    /// Where it stands.
    pub const fn status(&self) -> DeskStatus {
        if self.delivered_at.is_some() {
            DeskStatus::Delivered
        } else if self.dead_at.is_some() {
            DeskStatus::Dead
        } else if self.cancelled_at.is_some() {
            DeskStatus::Cancelled
        } else if self.error.is_some() {
            DeskStatus::Failing
        } else {
            DeskStatus::Waiting
        }
    }
}

/// How a channel keeps up.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Lag {
    /// Which channel.
    pub channel: String,
    /// To be delivered.
    pub waiting: i64,
    /// Of these, tried without success.
    pub failing: i64,
    /// Given up.
    pub dead: i64,
    /// Since when the longest waiting one is due, in Unix milliseconds.
    pub due_since: Option<i64>,
}

const COLUMNS: &str = "journal, id, seq, channel, topic, receiver, created_at, lease_until, attempts, tried_at, delivered_at, dead_at, cancelled_at, error";

impl Store {
    /// Messages, newest first.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn outbox_page(
        &self,
        filter: &DeskFilter,
        limit: u32,
    ) -> Result<Vec<DeskRow>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS).push(" FROM outbox WHERE 1 = 1");
        if let Some(status) = filter.status {
            sql.push(" AND ").push(status.condition());
        }
        if let Some(channel) = &filter.channel {
            sql.push(" AND channel = ").bind(channel.as_str());
        }
        if let Some(receiver) = filter.receiver {
            sql.push(" AND receiver = ").bind(receiver);
        }
        if let Some((at, id)) = filter.before {
            sql.push(" AND (created_at, id) < (")
                .bind(at.0)
                .push(", ")
                .bind(id)
                .push(")");
        }
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ")
            .bind(i64::from(limit));
        let mut reader = self.pool().reader().await?;
        Ok(sql.fetch_all(&mut reader.engine()).await?)
    }

    /// One message.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn outbox_row(&self, id: Uuid) -> Result<Option<DeskRow>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS).push(" FROM outbox WHERE id = ").bind(id);
        let mut reader = self.pool().reader().await?;
        let rows: Vec<DeskRow> = sql.fetch_all(&mut reader.engine()).await?;
        Ok(rows.into_iter().next())
    }

    /// Makes a message that failed, was given up or was cancelled due now, with all its attempts
    /// before it; whoever does so takes its receiver's address to work. False where it is delivered, or
    /// there is none.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn retry_message(&self, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        let done = async {
            execute!(
                &mut tx.engine(),
                "DELETE FROM failing_address WHERE account IN (SELECT receiver FROM outbox WHERE id = $1)",
                id
            )?;
            // One that waits for its first attempt, or is being tried just now, stays as it is.
            execute!(
                &mut tx.engine(),
                "UPDATE outbox SET lease_until = $1, attempts = 0, dead_at = NULL, cancelled_at = NULL
                 WHERE id = $2 AND delivered_at IS NULL AND error IS NOT NULL",
                now.0,
                id
            )
        }
        .await;
        match done {
            Ok(done) => {
                tx.commit().await?;
                Ok(done > 0)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    /// The same for every message on `channel` that was given up; gives how many.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn retry_dead(&self, channel: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "UPDATE outbox SET lease_until = $1, attempts = 0, dead_at = NULL
             WHERE channel = $2 AND dead_at IS NOT NULL",
            now.0,
            channel
        )?)
    }

    /// Takes a message out of the queue. False where it is delivered or cancelled, or there is none.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn cancel_message(
        &self,
        id: Uuid,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE outbox SET cancelled_at = $1, dead_at = NULL, error = $2
             WHERE id = $3 AND delivered_at IS NULL AND cancelled_at IS NULL",
            now.0,
            reason,
            id
        )?;
        Ok(done > 0)
    }

    /// How each channel keeps up, of those that have something to deliver or gave something up.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn outbox_lag(&self) -> Result<Vec<Lag>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            Lag,
            "SELECT channel, COUNT(*) FILTER (WHERE dead_at IS NULL) AS waiting,
                    COUNT(*) FILTER (WHERE dead_at IS NULL AND error IS NOT NULL) AS failing, COUNT(dead_at) AS dead,
                    MIN(CASE WHEN dead_at IS NULL THEN CASE WHEN error IS NULL OR attempts = 0 THEN lease_until ELSE created_at END END) AS due_since
             FROM outbox WHERE delivered_at IS NULL AND cancelled_at IS NULL GROUP BY channel ORDER BY channel"
        )?)
    }
}
