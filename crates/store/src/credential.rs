//! Who signs in. Names, addresses and password hashes live here and not in the journal, so that
//! erasing a person does not break the chain.

use std::collections::BTreeSet;

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::{Engine, Statement, Value};
use crate::error::StoreError;
use crate::store::Store;

/// What a person signs in with, for an account that is being registered.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// The account.
    pub account: Uuid,
    /// The e-mail address as given.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// The language they read, such as `zh-CN`.
    pub locale: String,
    /// The password, hashed by the caller.
    pub password_hash: String,
}

impl std::fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCredential")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl NewCredential {
    /// The address as it is compared.
    pub fn email_key(&self) -> String {
        email_key(&self.email)
    }
}

/// An e-mail address as it is compared: without outer space, in lower case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What is known of a person who signs in.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Credential {
    /// The account.
    pub account: Uuid,
    /// The e-mail address as given.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// The language they read.
    pub locale: String,
    /// The hash of the password.
    pub password_hash: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Those of the addresses that are taken, as they are compared.
pub(crate) async fn taken(
    engine: &mut Engine<'_>,
    wanted: impl Iterator<Item = &NewCredential>,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let wanted: Vec<String> = wanted.map(NewCredential::email_key).collect();
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Statement::new("SELECT email_key FROM credential WHERE email_key IN ");
    sql.list(wanted);
    let rows: Vec<(String,)> = sql.fetch_all(engine).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// Writes all credentials. False where somebody else took one of the addresses meanwhile.
pub(crate) async fn insert_all(
    engine: &mut Engine<'_>,
    new: &[(NewCredential, Timestamp)],
) -> Result<bool, sqlx::Error> {
    if new.is_empty() {
        return Ok(true);
    }
    let mut sql = Statement::new(
        "INSERT INTO credential (account, email, email_key, name, locale, password_hash, created_at, updated_at) ",
    );
    sql.rows(new.iter().map(|(one, at)| -> [Value; 8] {
        [
            one.account.into(),
            one.email.trim().into(),
            one.email_key().into(),
            one.name.as_str().into(),
            one.locale.as_str().into(),
            one.password_hash.as_str().into(),
            at.0.into(),
            at.0.into(),
        ]
    }));
    sql.push(" ON CONFLICT DO NOTHING");
    Ok(sql.execute(engine).await? == new.len() as u64)
}

impl Store {
    /// Who signs in with `email`.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn credential_by_email(&self, email: &str) -> Result<Option<Credential>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            Credential,
            "SELECT account, email, name, locale, password_hash FROM credential WHERE email_key = $1",
            email_key(email)
        )?)
    }

    /// What `account` signs in with.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn credential(&self, account: Uuid) -> Result<Option<Credential>, StoreError> {
        Ok(self.credentials(&[account]).await?.into_iter().next())
    }

    /// The same for many accounts, in no particular order; those without are left out.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn credentials(&self, accounts: &[Uuid]) -> Result<Vec<Credential>, StoreError> {
        let mut sql = Statement::new(
            "SELECT account, email, name, locale, password_hash FROM credential WHERE account IN ",
        );
        sql.list(accounts.iter().copied());
        let mut reader = self.pool().reader().await?;
        Ok(sql.fetch_all(&mut reader.engine()).await?)
    }

    /// Replaces the password hash and ends every token of the account. False where it has no credential.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn set_password(
        &self,
        account: Uuid,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().write().await?;
        let done = execute!(
            &mut tx.engine(),
            "UPDATE credential SET password_hash = $1, updated_at = $2 WHERE account = $3",
            password_hash,
            now.0,
            account
        )?;
        execute!(
            &mut tx.engine(),
            "UPDATE token SET revoked_at = $1 WHERE account = $2 AND revoked_at IS NULL",
            now.0,
            account
        )?;
        tx.commit().await?;
        Ok(done == 1)
    }

    /// Replaces name and language. False where the account has no credential.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn set_person(
        &self,
        account: Uuid,
        name: &str,
        locale: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE credential SET name = $1, locale = $2, updated_at = $3 WHERE account = $4",
            name,
            locale,
            now.0,
            account
        )?;
        Ok(done == 1)
    }

    /// Erases what is known of a person beside their account: credential, second factor, tokens and inbox. The
    /// journal keeps the account's id only.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing is erased.
    pub async fn erase_person(&self, account: Uuid) -> Result<(), StoreError> {
        let mut tx = self.pool().write().await?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM credential WHERE account = $1",
            account
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM token WHERE account = $1",
            account
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM second_factor WHERE account = $1",
            account
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM recovery_code WHERE account = $1",
            account
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM inbox WHERE account = $1",
            account
        )?;
        execute!(
            &mut tx.engine(),
            "DELETE FROM failing_address WHERE account = $1",
            account
        )?;
        Ok(tx.commit().await?)
    }

    /// Gives `account` another address. False where somebody has it, or there is no such account.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn change_email(
        &self,
        account: Uuid,
        email: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = email_key(email);
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE credential SET email = $1, email_key = $2, updated_at = $3
             WHERE account = $4 AND NOT EXISTS (SELECT 1 FROM credential WHERE email_key = $2 AND account <> $4)",
            email.trim(),
            key,
            now.0,
            account
        )?;
        Ok(done > 0)
    }
}
