//! What a look at an installation asks besides its record.

use crate::db::Engine;
use crate::error::StoreError;
use crate::store::Store;

/// Rows that must belong to an account, and those that do not.
const OWNED: [(&str, &str); 3] = [
    (
        "credentials",
        "SELECT COUNT(*) FROM credential WHERE account NOT IN (SELECT id FROM state WHERE kind = 'account')",
    ),
    (
        "sessions",
        "SELECT COUNT(*) FROM token WHERE account NOT IN (SELECT account FROM credential)",
    ),
    (
        "inboxes",
        "SELECT COUNT(*) FROM inbox WHERE account NOT IN (SELECT id FROM state WHERE kind = 'account')",
    ),
];

impl Store {
    /// The time of the database server, where it has one of its own, and that of the last entry, in
    /// Unix milliseconds.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn times(&self) -> Result<(Option<i64>, i64), StoreError> {
        let mut reader = self.pool().reader().await?;
        let mut engine = reader.engine();
        let server = match &engine {
            // It is a file: its clock is this machine's.
            Engine::Sqlite(_) => None,
            Engine::Postgres(_) => {
                let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
                let now: Option<(i64,)> = fetch_optional!(&mut engine, (i64,), sql)?;
                now.map(|(now,)| now)
            }
        };
        let last: Option<(i64,)> = fetch_optional!(
            &mut engine,
            (i64,),
            "SELECT COALESCE(MAX(at), 0) FROM journal_head"
        )?;
        Ok((server, last.map_or(0, |(at,)| at)))
    }

    /// What should belong to an account and does not, with how many rows.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn orphans(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let mut found = Vec::new();
        for (what, sql) in OWNED {
            let counted: Option<(i64,)> = fetch_optional!(&mut reader.engine(), (i64,), sql)?;
            found.extend(
                counted
                    .filter(|(count,)| *count > 0)
                    .map(|(count,)| (what, count)),
            );
        }
        Ok(found)
    }
}
