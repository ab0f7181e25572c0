//! Idempotency keys: the answer to the first use of each.

use std::collections::BTreeMap;

use fundcycle_core::time::Timestamp;

use crate::db::{Engine, Statement, Value};
use crate::error::StoreError;
use crate::row::ROWS;
use crate::store::Store;
use crate::submission::{Answer, IdempotencyKey};

/// What is known of a used key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of the request it was used for.
    pub request_hash: Vec<u8>,
    /// What was answered, as JSON.
    pub response: String,
}

#[derive(sqlx::FromRow)]
struct UsedRow {
    principal: String,
    key: String,
    request_hash: Vec<u8>,
    response: String,
}

/// The first uses of those keys that have been used, by principal and key.
pub(crate) async fn first_uses(
    engine: &mut Engine<'_>,
    keys: &[&IdempotencyKey],
) -> Result<BTreeMap<(String, String), Remembered>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Statement::new(
        "SELECT principal, key, request_hash, response FROM idempotency WHERE (principal, key) IN (",
    );
    sql.rows(
        keys.iter()
            .map(|key| [key.principal.as_str().into(), key.key.as_str().into()]),
    );
    sql.push(")");
    let rows: Vec<UsedRow> = sql.fetch_all(engine).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                (row.principal, row.key),
                Remembered {
                    request_hash: row.request_hash,
                    response: row.response,
                },
            )
        })
        .collect())
}

/// Remembers all answers. False where somebody else used one of the keys meanwhile.
pub(crate) async fn remember_all(
    engine: &mut Engine<'_>,
    answers: &[(&IdempotencyKey, &Answer)],
) -> Result<bool, sqlx::Error> {
    let rows: Vec<[Value; 5]> = answers
        .iter()
        .map(|(key, answer)| {
            let response = serde_json::to_string(answer).unwrap_or_default();
            [
                key.principal.as_str().into(),
                key.key.as_str().into(),
                key.request_hash.to_vec().into(),
                response.into(),
                answer.at.0.into(),
            ]
        })
        .collect();
    insert(engine, rows).await
}

async fn insert(engine: &mut Engine<'_>, rows: Vec<[Value; 5]>) -> Result<bool, sqlx::Error> {
    let wanted = rows.len() as u64;
    let mut written = 0;
    for chunk in rows.chunks(ROWS) {
        let mut sql =
            Statement::new("INSERT INTO idempotency (principal, key, request_hash, response, at) ");
        sql.rows(chunk.iter().cloned());
        sql.push(" ON CONFLICT (principal, key) DO NOTHING");
        written += sql.execute(engine).await?;
    }
    Ok(written == wanted)
}

impl Store {
    /// What `principal` was answered when they first used `key`; for requests that are no commands.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn recall(
        &self,
        principal: &str,
        key: &str,
    ) -> Result<Option<Remembered>, StoreError> {
        let key = IdempotencyKey {
            principal: principal.to_owned(),
            key: key.to_owned(),
            request_hash: [0; 32],
        };
        let mut reader = self.pool().reader().await?;
        Ok(first_uses(&mut reader.engine(), &[&key])
            .await?
            .into_values()
            .next())
    }

    /// Remembers the answer to a request that is no command. False where the key was used already.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn remember(
        &self,
        key: &IdempotencyKey,
        response: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = [
            key.principal.as_str().into(),
            key.key.as_str().into(),
            key.request_hash.to_vec().into(),
            response.into(),
            at.0.into(),
        ];
        let mut writer = self.pool().writer().await?;
        Ok(insert(&mut writer.engine(), vec![row]).await?)
    }

    /// Forgets keys first used before `before`; gives how many.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn forget_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "DELETE FROM idempotency WHERE at < $1",
            before.0
        )?)
    }
}
