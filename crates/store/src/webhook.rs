//! Receivers of facts outside the product, and up to where each has them queued.

mod feed;

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::Statement;
use crate::error::StoreError;
use crate::store::Store;

/// A receiver of facts.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Webhook {
    /// Its identity.
    pub id: Uuid,
    /// The cycle whose facts it gets; none: all facts, the registry's too.
    pub journal: Option<Uuid>,
    /// Where it is.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Which facts it gets, as a JSON list of `kind.verb`; `*`: every one.
    pub types: String,
    /// With what deliveries are signed.
    pub secret: Vec<u8>,
    /// With what they are signed too, until a new secret is in use.
    pub old_secret: Option<Vec<u8>>,
    /// Until when, in Unix milliseconds.
    pub old_secret_until: Option<i64>,
    /// Which account set it up.
    pub created_by: Uuid,
    /// When, in Unix milliseconds.
    pub created_at: i64,
    /// Since when nothing has got through, in Unix milliseconds.
    pub failing_since: Option<i64>,
    /// When it was disabled, in Unix milliseconds.
    pub disabled_at: Option<i64>,
    /// Why.
    pub disabled_because: Option<String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the secrets nor the address, which may hold one.
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// The facts it gets.
    pub fn wanted(&self) -> Vec<String> {
        serde_json::from_str(&self.types).unwrap_or_default()
    }
}

const COLUMNS: &str = "id, journal, url, description, types, secret, old_secret, old_secret_until, created_by, created_at, failing_since, disabled_at, disabled_because";

impl Store {
    /// Sets up a webhook; it gets the facts from now on.
    ///
    /// # Errors
    ///
    /// Where the database fails; then there is none.
    pub async fn create_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let heads = self.journals().await?;
        let mut tx = self.pool().write().await?;
        execute!(
            &mut tx.engine(),
            "INSERT INTO webhook (id, journal, url, description, types, secret, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            webhook.id,
            webhook.journal,
            &webhook.url,
            &webhook.description,
            &webhook.types,
            &webhook.secret,
            webhook.created_by,
            webhook.created_at
        )?;
        for (journal, seq) in heads {
            if webhook.journal.is_none_or(|only| only == journal) {
                execute!(
                    &mut tx.engine(),
                    "INSERT INTO webhook_cursor (webhook, journal, seq) VALUES ($1, $2, $3)",
                    webhook.id,
                    journal,
                    seq
                )?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Every webhook, oldest first.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS)
            .push(" FROM webhook ORDER BY created_at, id");
        let mut reader = self.pool().reader().await?;
        Ok(sql.fetch_all(&mut reader.engine()).await?)
    }

    /// One webhook.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(COLUMNS).push(" FROM webhook WHERE id = ").bind(id);
        let mut reader = self.pool().reader().await?;
        let found: Vec<Webhook> = sql.fetch_all(&mut reader.engine()).await?;
        Ok(found.into_iter().next())
    }

    /// Where it has its facts queued up to: journal and place.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn webhook_cursors(&self, id: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            (Uuid, i64),
            "SELECT journal, seq FROM webhook_cursor WHERE webhook = $1 ORDER BY journal",
            id
        )?)
    }

    /// Signs with `secret` from now on, and with the one before it too until `until`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn rotate_webhook(
        &self,
        id: Uuid,
        secret: &[u8],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "UPDATE webhook SET old_secret = secret, old_secret_until = $1, secret = $2 WHERE id = $3",
            until.0,
            secret,
            id
        )?;
        Ok(())
    }

    /// Notes since when nothing gets through (none: it does); the first such time stands.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn webhook_fails(
        &self,
        id: Uuid,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        match since {
            Some(since) => execute!(
                &mut writer.engine(),
                "UPDATE webhook SET failing_since = COALESCE(failing_since, $1) WHERE id = $2",
                since.0,
                id
            )?,
            None => execute!(
                &mut writer.engine(),
                "UPDATE webhook SET failing_since = NULL WHERE id = $1",
                id
            )?,
        };
        Ok(())
    }

    /// Stops deliveries, for a reason that is kept. False where they were stopped already.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn disable_webhook(
        &self,
        id: Uuid,
        because: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE webhook SET disabled_at = $1, disabled_because = $2 WHERE id = $3 AND disabled_at IS NULL",
            now.0,
            because,
            id
        )?;
        Ok(done == 1)
    }

    /// Delivers again from where the queue ends.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn enable_webhook(&self, id: Uuid) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "UPDATE webhook SET disabled_at = NULL, disabled_because = NULL, failing_since = NULL WHERE id = $1",
            id
        )?;
        Ok(())
    }

    /// Removes a webhook with all that is queued for it.
    ///
    /// # Errors
    ///
    /// Where the database fails; then it stays.
    pub async fn delete_webhook(&self, id: Uuid) -> Result<(), StoreError> {
        let mut tx = self.pool().write().await?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM outbox WHERE receiver = $1",
            id
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM webhook_cursor WHERE webhook = $1",
            id
        )?;
        execute!(&mut tx.engine(), "DELETE FROM webhook WHERE id = $1", id)?;
        Ok(tx.commit().await?)
    }
}
