//! Messages shown inside the product.

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::{Engine, Statement, Value};
use crate::error::StoreError;
use crate::outbox::{self, OutboxRow};
use crate::row::ROWS;
use crate::store::Store;

/// A message to one account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InboxMessage {
    /// For whom.
    pub account: Uuid,
    /// Its identity: that of the outbox message, so that delivering twice shows it once.
    pub id: Uuid,
    /// When, in Unix milliseconds.
    pub at: i64,
    /// What kind of message.
    pub topic: String,
    /// In which language it is written.
    pub locale: String,
    /// In one line.
    pub title: String,
    /// In full.
    pub text: String,
    /// The record it is about.
    pub subject: Option<Uuid>,
    /// When it was read, in Unix milliseconds.
    pub read_at: Option<i64>,
}

impl Store {
    /// Shows messages to those they are for, and queues what follows from that on other channels,
    /// in one transaction. What stands already stays as it is.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing is written.
    pub async fn put_in_inbox(
        &self,
        messages: &[InboxMessage],
        further: &[OutboxRow],
    ) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut tx = self.pool().write().await?;
        match write(&mut tx.engine(), messages, further).await {
            Ok(()) => Ok(tx.commit().await?),
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    /// One message of `account`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn inbox_message(
        &self,
        account: Uuid,
        id: Uuid,
    ) -> Result<Option<InboxMessage>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            InboxMessage,
            "SELECT account, id, at, topic, locale, title, text, subject, read_at FROM inbox WHERE account = $1 AND id = $2",
            account,
            id
        )?)
    }

    /// The messages of `account`, newest first: those before the message (time, id) given last.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn inbox(
        &self,
        account: Uuid,
        before: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<InboxMessage>, StoreError> {
        let mut sql = Statement::new(
            "SELECT account, id, at, topic, locale, title, text, subject, read_at FROM inbox WHERE account = ",
        );
        sql.bind(account);
        if let Some((at, id)) = before {
            sql.push(" AND (at, id) < (")
                .bind(at.0)
                .push(", ")
                .bind(id)
                .push(")");
        }
        sql.push(" ORDER BY at DESC, id DESC LIMIT ")
            .bind(i64::from(limit));
        let mut reader = self.pool().reader().await?;
        Ok(sql.fetch_all(&mut reader.engine()).await?)
    }

    /// How many messages of `account` are not read yet.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn unread(&self, account: Uuid) -> Result<i64, StoreError> {
        let mut reader = self.pool().reader().await?;
        let count = fetch_optional!(
            &mut reader.engine(),
            (i64,),
            "SELECT COUNT(*) FROM inbox WHERE account = $1 AND read_at IS NULL",
            account
        )?;
        Ok(count.map_or(0, |(count,)| count))
    }

    /// Marks a message as read. False where the account has no such message.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn mark_read(
        &self,
        account: Uuid,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE inbox SET read_at = COALESCE(read_at, $1) WHERE account = $2 AND id = $3",
            now.0,
            account,
            id
        )?;
        Ok(done == 1)
    }
}

async fn write(
    engine: &mut Engine<'_>,
    messages: &[InboxMessage],
    further: &[OutboxRow],
) -> Result<(), sqlx::Error> {
    for chunk in messages.chunks(ROWS) {
        let mut sql = Statement::new(
            "INSERT INTO inbox (account, id, at, topic, locale, title, text, subject) ",
        );
        sql.rows(chunk.iter().map(|one| -> [Value; 8] {
            [
                one.account.into(),
                one.id.into(),
                one.at.into(),
                one.topic.as_str().into(),
                one.locale.as_str().into(),
                one.title.as_str().into(),
                one.text.as_str().into(),
                one.subject.into(),
            ]
        }));
        sql.push(" ON CONFLICT (account, id) DO NOTHING");
        sql.execute(engine).await?;
    }
    outbox::insert(engine, further).await
}
