//! Second factors: their sealed secrets, the codes that were taken, and the codes for emergencies.

use fundcycle_core::time::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;

/// A second factor.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SecondFactor {
    /// The secret, sealed by the caller.
    pub secret: Vec<u8>,
    /// Since when it is in use; none: it was never shown that its holder has it.
    pub confirmed_at: Option<i64>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code).to_vec()
}

impl Store {
    /// The second factor of `account`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn second_factor(&self, account: Uuid) -> Result<Option<SecondFactor>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            SecondFactor,
            "SELECT secret, confirmed_at FROM second_factor WHERE account = $1",
            account
        )?)
    }

    /// The sealed secrets of all accounts, which somebody has to be able to open.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn sealed_secrets(&self) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            (Uuid, Vec<u8>),
            "SELECT account, secret FROM second_factor"
        )?)
    }

    /// Keeps the sealed secret of a factor that is to be confirmed. False where one is in use.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn offer_factor(
        &self,
        account: Uuid,
        secret: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "INSERT INTO second_factor (account, secret, created_at, last_step) VALUES ($1, $2, $3, 0)
             ON CONFLICT (account) DO UPDATE SET secret = $2, created_at = $3
             WHERE second_factor.confirmed_at IS NULL",
            account,
            secret.to_vec(),
            now.0
        )?;
        Ok(done == 1)
    }

    /// Takes a factor into use, of which a code of `step` was shown, with codes for emergencies. False
    /// where `secret` is not the one that waits for it.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn confirm_factor(
        &self,
        account: Uuid,
        secret: &[u8],
        step: i64,
        codes: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        let done = execute!(
            &mut tx.engine(),
            "UPDATE second_factor SET confirmed_at = $1, last_step = $2
             WHERE account = $3 AND confirmed_at IS NULL AND secret = $4",
            now.0,
            step,
            account,
            secret.to_vec()
        )?;
        if done != 1 {
            tx.rollback().await;
            return Ok(false);
        }
        execute!(
            &mut tx.engine(),
            "DELETE FROM recovery_code WHERE account = $1",
            account
        )?;
        for code in codes {
            execute!(
                &mut tx.engine(),
                "INSERT INTO recovery_code (account, hash) VALUES ($1, $2)",
                account,
                hash(code)
            )?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the code of a time step. False where that one, or a later one, was taken.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn take_step(&self, account: Uuid, step: i64) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE second_factor SET last_step = $1
             WHERE account = $2 AND confirmed_at IS NOT NULL AND last_step < $1",
            step,
            account
        )?;
        Ok(done == 1)
    }

    /// Takes a code for emergencies. False where there is no such code, or it was taken.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn take_recovery_code(
        &self,
        account: Uuid,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE recovery_code SET used_at = $1 WHERE account = $2 AND hash = $3 AND used_at IS NULL",
            now.0,
            account,
            hash(code)
        )?;
        Ok(done == 1)
    }

    /// How many codes for emergencies `account` has left.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn recovery_codes(&self, account: Uuid) -> Result<i64, StoreError> {
        let mut reader = self.pool().reader().await?;
        let found = fetch_optional!(
            &mut reader.engine(),
            (i64,),
            "SELECT CAST(COUNT(*) AS BIGINT) FROM recovery_code WHERE account = $1 AND used_at IS NULL",
            account
        )?;
        Ok(found.map_or(0, |(count,)| count))
    }

    /// Takes the factor of `account` away, with its codes. False where there is none.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn remove_factor(&self, account: Uuid) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM recovery_code WHERE account = $1",
            account
        )?;
        let done = execute!(
            &mut tx.engine(),
            "DELETE FROM second_factor WHERE account = $1",
            account
        )?;
        tx.commit().await?;
        Ok(done == 1)
    }
}
