//! Messages shown inside the product.

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::Statement;
use crate::error::StoreError;
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
    /// Delivers a message; the same one again changes nothing.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn put_in_inbox(&self, message: &InboxMessage) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO inbox (account, id, at, topic, locale, title, text, subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (account, id) DO NOTHING",
            message.account,
            message.id,
            message.at,
            &message.topic,
            &message.locale,
            &message.title,
            &message.text,
            message.subject
        )?;
        Ok(())
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
