//! Bearer tokens. Only their SHA-256 is kept: who reads the database cannot sign in with it.

use std::collections::BTreeSet;

use fundcycle_core::time::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;

/// The secret of a token: 32 random bytes, made by the service.
pub type Secret = [u8; 32];

/// A token as it is known, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By which its holder names it; follows from the hash.
    pub id: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// For which program; none: it is of somebody who signed in.
    pub program: Option<Program>,
    /// Whether its account has a second factor in use.
    pub has_factor: bool,
}

/// What a token for a program may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// How its holder calls it.
    pub name: String,
    /// For what.
    pub scopes: BTreeSet<String>,
    /// In which cycles; none: in all.
    pub cycles: Option<BTreeSet<Uuid>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    hash: Vec<u8>,
    account: Uuid,
    created_at: i64,
    expires_at: i64,
    name: Option<String>,
    scopes: Option<String>,
    cycles: Option<String>,
    factors: i64,
}

impl Row {
    fn token(self) -> Result<Token, StoreError> {
        let id = id_of(&self.hash);
        let corrupt = |reason: serde_json::Error| StoreError::Corrupt {
            what: "token".to_owned(),
            id,
            reason: reason.to_string(),
        };
        let program = match self.name {
            None => None,
            Some(name) => Some(Program {
                name,
                scopes: serde_json::from_str(&self.scopes.unwrap_or_default()).map_err(corrupt)?,
                cycles: self
                    .cycles
                    .map(|text| serde_json::from_str(&text))
                    .transpose()
                    .map_err(corrupt)?,
            }),
        };
        Ok(Token {
            id,
            account: self.account,
            created_at: Timestamp(self.created_at),
            expires_at: Timestamp(self.expires_at),
            program,
            has_factor: self.factors > 0,
        })
    }
}

fn hash(secret: &Secret) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// The beginning of the hash: it names a token, and gives nothing of the secret away.
fn id_of(hash: &[u8]) -> Uuid {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(hash) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// The name of a token by its secret.
pub fn id_of_secret(secret: &Secret) -> Uuid {
    id_of(&hash(secret))
}

impl Store {
    /// Keeps a new token of `account`, for a program or for whoever signed in.
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
        program: Option<&Program>,
    ) -> Result<(), StoreError> {
        let scopes = program.map(|one| json!(one.scopes).to_string());
        let cycles = program.and_then(|one| one.cycles.as_ref());
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO token (hash, account, created_at, expires_at, name, scopes, cycles)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            hash(secret),
            account,
            now.0,
            expires.0,
            program.map(|one| one.name.as_str()),
            scopes,
            cycles.map(|cycles| json!(cycles).to_string())
        )?;
        Ok(())
    }

    /// The token with this secret; none where it is unknown, expired or revoked.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn token(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Token>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let found = fetch_optional!(
            &mut reader.engine(),
            Row,
            "SELECT hash, account, created_at, expires_at, name, scopes, cycles,
             (SELECT CAST(COUNT(*) AS BIGINT) FROM second_factor f WHERE f.account = token.account AND f.confirmed_at IS NOT NULL) AS factors
             FROM token WHERE hash = $1 AND expires_at > $2 AND revoked_at IS NULL",
            hash(secret),
            now.0
        )?;
        found.map(Row::token).transpose()
    }

    /// The live tokens of `account`, oldest first.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn tokens_of(&self, account: Uuid, now: Timestamp) -> Result<Vec<Token>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let found = fetch_all!(
            &mut reader.engine(),
            Row,
            "SELECT hash, account, created_at, expires_at, name, scopes, cycles,
             (SELECT CAST(COUNT(*) AS BIGINT) FROM second_factor f WHERE f.account = token.account AND f.confirmed_at IS NOT NULL) AS factors
             FROM token WHERE account = $1 AND expires_at > $2 AND revoked_at IS NULL ORDER BY created_at, hash",
            account,
            now.0
        )?;
        found.into_iter().map(Row::token).collect()
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

    /// Puts `new` in the place of `old`, which ends, and which was to last as long. False where `old`
    /// was not live.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn renew_token(
        &self,
        old: &Secret,
        new: &Secret,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        let done = execute!(
            &mut tx.engine(),
            "UPDATE token SET revoked_at = $1 WHERE hash = $2 AND revoked_at IS NULL AND expires_at > $1",
            now.0,
            hash(old)
        )?;
        execute!(
            &mut tx.engine(),
            "INSERT INTO token (hash, account, created_at, expires_at, name, scopes, cycles)
             SELECT $1, account, created_at, expires_at, name, scopes, cycles FROM token
             WHERE hash = $2 AND revoked_at = $3",
            hash(new),
            hash(old),
            now.0
        )?;
        if done == 1 {
            tx.commit().await?;
        } else {
            tx.rollback().await;
        }
        Ok(done == 1)
    }

    /// Ends the token of `account` that is named `id`. False where they have no such live token.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn revoke_token_of(
        &self,
        account: Uuid,
        id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        let live = fetch_all!(
            &mut tx.engine(),
            (Vec<u8>,),
            "SELECT hash FROM token WHERE account = $1 AND expires_at > $2 AND revoked_at IS NULL",
            account,
            now.0
        )?;
        let Some((hash,)) = live.into_iter().find(|(hash,)| id_of(hash) == id) else {
            tx.rollback().await;
            return Ok(false);
        };
        let done = execute!(
            &mut tx.engine(),
            "UPDATE token SET revoked_at = $1 WHERE hash = $2 AND revoked_at IS NULL",
            now.0,
            hash
        )?;
        tx.commit().await?;
        Ok(done == 1)
    }

    /// Ends every token of `account`, or only those of signing in; gives how many were live.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn revoke_tokens_of(
        &self,
        account: Uuid,
        programs_too: bool,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "UPDATE token SET revoked_at = $1
             WHERE account = $2 AND revoked_at IS NULL AND (name IS NULL OR $3)",
            now.0,
            account,
            programs_too
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
