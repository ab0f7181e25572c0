//! The words of messages where a cycle has its own.

use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;

/// The words of one kind of message in one language, in one cycle.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Wording {
    /// In which language.
    pub locale: String,
    /// Which kind of message.
    pub topic: String,
    /// The title, as a template.
    pub title: String,
    /// The text, as a template.
    pub text: String,
    /// Who wrote it.
    pub changed_by: Uuid,
    /// When, in Unix milliseconds.
    pub changed_at: i64,
}

impl Store {
    /// Every wording that `journal` has of its own.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn wordings(&self, journal: Uuid) -> Result<Vec<Wording>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            Wording,
            "SELECT locale, topic, title, text, changed_by, changed_at FROM message_wording WHERE journal = $1 ORDER BY locale, topic",
            journal
        )?)
    }

    /// The wording that `journal` has of its own for this message, if any.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn wording(
        &self,
        journal: Uuid,
        locale: &str,
        topic: &str,
    ) -> Result<Option<Wording>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            Wording,
            "SELECT locale, topic, title, text, changed_by, changed_at FROM message_wording WHERE journal = $1 AND locale = $2 AND topic = $3",
            journal,
            locale,
            topic
        )?)
    }

    /// Gives `journal` a wording of its own, in place of the one it had.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn set_wording(&self, journal: Uuid, one: &Wording) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO message_wording (journal, locale, topic, title, text, changed_by, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (journal, locale, topic) DO UPDATE
             SET title = excluded.title, text = excluded.text, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
            journal,
            &one.locale,
            &one.topic,
            &one.title,
            &one.text,
            one.changed_by,
            one.changed_at
        )?;
        Ok(())
    }

    /// Takes the wording of its own from `journal`. False where it has none.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn drop_wording(
        &self,
        journal: Uuid,
        locale: &str,
        topic: &str,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "DELETE FROM message_wording WHERE journal = $1 AND locale = $2 AND topic = $3",
            journal,
            locale,
            topic
        )?;
        Ok(done == 1)
    }
}
