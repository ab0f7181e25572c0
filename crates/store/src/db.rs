//! One SQL text, two engines: the only module that knows there are two.

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

/// Connections to one of the engines: some that write, more that read.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    /// One connection writes; readers never wait for it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    /// Apart, so that readers cannot take the writers' connections, nor the other way round.
    Postgres { writers: PgPool, readers: PgPool },
}

/// A transaction that may write.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A connection for single statements, mostly reads.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// What statements run on, in or out of a transaction.
#[derive(Debug)]
pub(crate) enum Engine<'a> {
    Sqlite(&'a mut sqlx::SqliteConnection),
    Postgres(&'a mut sqlx::PgConnection),
}

/// Evaluates `$body` with `$conn` as the connection of whichever engine `$engine` is on. The body is
/// compiled once per engine, so it must mean the same on both.
macro_rules! on_engine {
    ($engine:expr, $conn:ident => $body:expr) => {
        match $engine {
            $crate::db::Engine::Sqlite(conn) => {
                let $conn = &mut **conn;
                $body
            }
            $crate::db::Engine::Postgres(conn) => {
                let $conn = &mut **conn;
                $body
            }
        }
    };
}

/// `execute!(engine, SQL, a, b)`: runs a statement, gives the number of rows affected.
macro_rules! execute {
    ($engine:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($engine, conn => sqlx::query($sql)$(.bind($arg))*.execute(conn).await.map(|done| done.rows_affected()))
    };
}

/// `fetch_all!(engine, Row, SQL, a, b)`: runs a query, decodes every row.
macro_rules! fetch_all {
    ($engine:expr, $Row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($engine, conn => sqlx::query_as::<_, $Row>($sql)$(.bind($arg))*.fetch_all(conn).await)
    };
}

/// `fetch_optional!(engine, Row, SQL, a, b)`: runs a query, decodes its row if there is one.
macro_rules! fetch_optional {
    ($engine:expr, $Row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($engine, conn => sqlx::query_as::<_, $Row>($sql)$(.bind($arg))*.fetch_optional(conn).await)
    };
}

mod open;
mod statement;

pub use open::OpenError;
pub(crate) use statement::{Statement, Type, Value};

impl Pool {
    /// Begins a transaction that may write.
    ///
    /// SQLite takes its write lock here: a deferred transaction that reads before it writes fails
    /// as soon as another one commits in between, and the busy timeout does not apply to that.
    /// PostgreSQL is not asked for more than READ COMMITTED: whoever decides locks a journal first.
    pub(crate) async fn write(&self) -> Result<Tx, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?))
            }
            Self::Postgres { writers, .. } => Ok(Tx::Postgres(writers.begin().await?)),
        }
    }

    /// Begins a transaction that sees one snapshot and only reads.
    pub(crate) async fn snapshot(&self) -> Result<Tx, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => {
                Ok(Tx::Sqlite(readers.begin_with("BEGIN DEFERRED").await?))
            }
            Self::Postgres { readers, .. } => Ok(Tx::Postgres(
                readers
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await?,
            )),
        }
    }

    /// A connection for statements that read, each seeing what was committed before it.
    pub(crate) async fn reader(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Connection::Sqlite(readers.acquire().await?)),
            Self::Postgres { readers, .. } => Ok(Connection::Postgres(readers.acquire().await?)),
        }
    }

    /// A connection for single statements that write.
    pub(crate) async fn writer(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Connection::Sqlite(writer.acquire().await?)),
            Self::Postgres { writers, .. } => Ok(Connection::Postgres(writers.acquire().await?)),
        }
    }

    /// Waits for connections in use and closes all.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { writers, readers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

impl Tx {
    /// What statements run on.
    pub(crate) fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::Sqlite(tx) => Engine::Sqlite(&mut *tx),
            Self::Postgres(tx) => Engine::Postgres(&mut *tx),
        }
    }

    /// Makes all of it durable.
    pub(crate) async fn commit(self) -> Result<(), CommitError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await.map_err(|error| match code_of(&error) {
                // The log has no room for the end of the transaction, so it has no such end.
                Some(code) if is_out_of_room(&code) => CommitError::NotDone(error),
                _ => CommitError::Unknown(error),
            }),
            Self::Postgres(tx) => tx.commit().await.map_err(|error| match &error {
                // The server answered, and it says that nothing was committed.
                sqlx::Error::Database(answer)
                    if answer.code().is_some_and(|code| !code.starts_with("57P")) =>
                {
                    CommitError::NotDone(error)
                }
                _ => CommitError::Unknown(error),
            }),
        }
    }

    /// Undoes all of it. An error here is of no consequence: what is not committed is undone.
    pub(crate) async fn rollback(self) {
        let undone = match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        };
        if let Err(error) = undone {
            tracing::debug!(%error, "rollback");
        }
    }
}

impl Connection {
    /// What statements run on.
    pub(crate) fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::Sqlite(connection) => Engine::Sqlite(&mut *connection),
            Self::Postgres(connection) => Engine::Postgres(&mut *connection),
        }
    }
}

/// Why a commit was not confirmed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// It certainly did not happen.
    NotDone(sqlx::Error),
    /// It may have happened.
    Unknown(sqlx::Error),
}

/// Whether the same transaction, done again, may well succeed: a deadlock, a serialisation failure,
/// or a lock that somebody else held too long.
pub(crate) fn worth_retrying(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| {
        // 40001, 40P01: PostgreSQL. 5, 6, 261, 517: SQLITE_BUSY, SQLITE_LOCKED and their kin.
        matches!(code.as_ref(), "40001" | "40P01" | "5" | "6" | "261" | "517")
    })
}

/// Whether there is no room on the disk: SQLITE_FULL, or PostgreSQL's disk_full.
pub(crate) fn is_out_of_room(code: &str) -> bool {
    matches!(code, "13" | "53100")
}

/// What the engine calls this error.
fn code_of(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
}

#[cfg(test)]
mod tests;
