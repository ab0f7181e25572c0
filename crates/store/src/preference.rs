//! Which messages people do not want on which channel.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::db::{Statement, Value};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Those of `accounts` that do not want this group of messages, with the channel.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn unwanted_by(
        &self,
        accounts: &[Uuid],
        messages: &str,
    ) -> Result<BTreeSet<(Uuid, String)>, StoreError> {
        if accounts.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut sql = Statement::new("SELECT account, channel FROM unwanted WHERE messages = ");
        sql.bind(messages)
            .push(" AND account IN ")
            .list(accounts.iter().copied());
        let mut reader = self.pool().reader().await?;
        let rows: Vec<(Uuid, String)> = sql.fetch_all(&mut reader.engine()).await?;
        Ok(rows.into_iter().collect())
    }

    /// The groups of messages that `account` does not want on `channel`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn unwanted(
        &self,
        account: Uuid,
        channel: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let rows = fetch_all!(
            &mut reader.engine(),
            (String,),
            "SELECT messages FROM unwanted WHERE account = $1 AND channel = $2",
            account,
            channel
        )?;
        Ok(rows.into_iter().map(|(messages,)| messages).collect())
    }

    /// Notes for each of these groups whether `account` wants it on `channel`; others stay as they are.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing changes.
    pub async fn want(
        &self,
        account: Uuid,
        channel: &str,
        wanted: &[(&str, bool)],
    ) -> Result<(), StoreError> {
        let groups = |want: bool| -> Vec<&str> {
            let these = wanted.iter().filter(|(_, wanted)| *wanted == want);
            these.map(|(messages, _)| *messages).collect()
        };
        let (on, off) = (groups(true), groups(false));
        let mut tx = self.pool().write().await?;
        if !on.is_empty() {
            let mut sql = Statement::new("DELETE FROM unwanted WHERE account = ");
            sql.bind(account)
                .push(" AND channel = ")
                .bind(channel)
                .push(" AND messages IN ")
                .list(on);
            sql.execute(&mut tx.engine()).await?;
        }
        if !off.is_empty() {
            let mut sql = Statement::new("INSERT INTO unwanted (account, channel, messages) ");
            sql.rows(off.iter().map(|messages| -> [Value; 3] {
                [account.into(), channel.into(), (*messages).into()]
            }));
            sql.push(" ON CONFLICT (account, channel, messages) DO NOTHING");
            sql.execute(&mut tx.engine()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The secret of this installation that goes by `name`: made on first use, the same ever after.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn secret(&self, name: &str) -> Result<String, StoreError> {
        if let Some(known) = self.setting(name).await? {
            return Ok(known);
        }
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            name,
            fresh
        )?;
        drop(writer);
        Ok(self.setting(name).await?.unwrap_or_default())
    }
}
