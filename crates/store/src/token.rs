//! Bearer tokens. Only their SHA-256 is kept: who reads the database cannot sign in with it.

use fundcycle_core::time::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;

/// The secret of a token: 32 random bytes, made by the service.
pub type Secret = [u8; 32];

fn hash(secret: &Secret) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

impl Store {
    /// Keeps a new token of `account`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn issue_token(
        &self,
        secret: &Secret,
        account: Uuid,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO token (hash, account, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            hash(secret),
            account,
            now.0,
            expires.0
        )?;
        Ok(())
    }

    /// Whose token this is; none where it is unknown, expired or revoked.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn token_account(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let found = fetch_optional!(
            &mut reader.engine(),
            (Uuid,),
            "SELECT account FROM token WHERE hash = $1 AND expires_at > $2 AND revoked_at IS NULL",
            hash(secret),
            now.0
        )?;
        Ok(found.map(|(account,)| account))
    }

    /// Ends one token. False where it was not live.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn revoke_token(&self, secret: &Secret, now: Timestamp) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE token SET revoked_at = $1 WHERE hash = $2 AND revoked_at IS NULL",
            now.0,
            hash(secret)
        )?;
        Ok(done == 1)
    }

    /// Ends every token of `account`; gives how many were live.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn revoke_tokens_of(&self, account: Uuid, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "UPDATE token SET revoked_at = $1 WHERE account = $2 AND revoked_at IS NULL",
            now.0,
            account
        )?)
    }

    /// Ends every token; gives how many were live.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn revoke_all_tokens(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "UPDATE token SET revoked_at = $1 WHERE revoked_at IS NULL",
            now.0
        )?)
    }

    /// Forgets tokens that expired before `before`; gives how many.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn forget_tokens(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "DELETE FROM token WHERE expires_at < $1",
            before.0
        )?)
    }
}
