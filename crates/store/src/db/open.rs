//! Opening a database: which engine, which settings, and a clear word where it cannot be.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::db::Pool;

/// How long a caller waits for a connection before it is told that there is none.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 8;
const POSTGRES_WRITERS: u32 = 8;
const POSTGRES_READERS: u32 = 16;

/// Why a database cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address has another scheme.
    #[error("`{url}` is not a database address: write sqlite:PATH or postgres://USER@HOST/NAME")]
    WrongScheme {
        /// What was given, without any password.
        url: String,
    },
    /// The address has the right scheme and does not parse.
    #[error(
        "the database address cannot be read: {reason}; write sqlite:PATH or postgres://USER@HOST/NAME"
    )]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such file, or it may not be opened.
    #[error("the database file {} cannot be opened: {reason}; check the path and its permissions, or create it with `fundcycle migrate`", path.display())]
    NoFile {
        /// Which file.
        path: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// The file is not a database, or damaged.
    #[error("the database file {} is damaged or is not a database ({reason}); nothing was changed: restore it from a backup", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// The server does not answer, or does not let us in.
    #[error(
        "the database server cannot be reached: {reason}; check that it runs and that address, name and password are right"
    )]
    Unreachable {
        /// What the driver says.
        reason: String,
    },
    /// A setting under which an acknowledged command could be lost.
    #[error(
        "refusing to serve: {setting} is {found}, and what is acknowledged could be lost in a power cut; set it to {wanted}"
    )]
    NotDurable {
        /// Which setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// The schema is older than this program.
    #[error(
        "the database lacks {} migration(s), the first is number {first}; run `fundcycle migrate`",
        missing
    )]
    MigrationsMissing {
        /// How many.
        missing: usize,
        /// The first of them.
        first: i64,
    },
    /// The schema is newer than this program.
    #[error(
        "the database has migration {version}, which this program does not know: it was written by a newer version; use that one"
    )]
    SchemaNewer {
        /// The first unknown migration.
        version: i64,
    },
    /// A migration that was applied differs from the one that this program has.
    #[error(
        "migration {version} of the database is not the one of this program: one of the two was changed; use the program that applied it"
    )]
    SchemaChanged {
        /// Which migration.
        version: i64,
    },
    /// A migration was refused and undone.
    #[error("migration failed and was undone: {reason}")]
    MigrationFailed {
        /// What the engine says.
        reason: String,
    },
    /// The engine failed otherwise.
    #[error("the database failed: {0}")]
    Engine(#[from] sqlx::Error),
}

impl Pool {
    /// Opens `url`, whose scheme picks the engine, and verifies that what it acknowledges lasts.
    pub(crate) async fn open(url: &str, create: bool) -> Result<Self, OpenError> {
        if let Some(rest) = url.strip_prefix("sqlite:") {
            open_sqlite(rest.strip_prefix("//").unwrap_or(rest), create).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            open_postgres(url).await
        } else {
            let scheme_only = url.split_once("://").map_or(url, |(scheme, _)| scheme);
            Err(OpenError::WrongScheme {
                url: scheme_only.to_owned(),
            })
        }
    }
}

async fn open_sqlite(address: &str, create: bool) -> Result<Pool, OpenError> {
    let (path, synchronous) = match address.split_once('?') {
        None => (address, SqliteSynchronous::Full),
        Some((path, query)) => (path, synchronous(query)?),
    };
    if path.is_empty() || path == ":memory:" {
        return Err(OpenError::Malformed {
            reason: "a database needs a file".to_owned(),
        });
    }
    let path = PathBuf::from(path);
    let failed = |error: sqlx::Error| sqlite_failed(path.clone(), error);
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(create)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .max_lifetime(None)
            .idle_timeout(None)
            .after_connect(|conn, _| Box::pin(verify_sqlite(conn)))
            .after_release(|conn, _| Box::pin(has_ended(conn)))
    };
    // Apart from the pool first: that would try again and again and in the end only say that it did.
    let mut first = options.connect().await.map_err(failed)?;
    verify_sqlite(&mut first).await.map_err(failed)?;
    // One read proves that the header and the first page are what they should be.
    sqlx::query("SELECT COUNT(*) FROM sqlite_schema")
        .execute(&mut first)
        .await
        .map_err(failed)?;
    first.close().await.map_err(failed)?;
    let writer = pool(1).connect_lazy_with(options.clone());
    let readers = pool(SQLITE_READERS)
        .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
    Ok(Pool::Sqlite { writer, readers })
}

fn synchronous(query: &str) -> Result<SqliteSynchronous, OpenError> {
    let value = query.strip_prefix("synchronous=").ok_or_else(|| OpenError::Malformed {
        reason: format!("`?{query}` is not an option of a sqlite address; the only one is ?synchronous=extra"),
    })?;
    SqliteSynchronous::from_str(value).map_err(|error| OpenError::Malformed {
        reason: error.to_string(),
    })
}

/// Whether the connection is out of its transaction, and so fit for another. A full disk makes SQLite undo a
/// transaction by itself, which the driver does not notice: it would refuse to begin another for ever.
async fn has_ended(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if conn.is_in_transaction() {
        // What is still to be undone is done before this is answered.
        conn.ping().await?;
    }
    Ok(!conn.is_in_transaction())
}

/// Runs on every new connection: what is acknowledged must survive a power cut.
async fn verify_sqlite(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous")
        .fetch_one(&mut *conn)
        .await?;
    if synchronous < 2 {
        let found = if synchronous == 0 { "OFF" } else { "NORMAL" };
        return Err(not_durable("synchronous", found, "FULL or EXTRA"));
    }
    let (journal_mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
        .fetch_one(&mut *conn)
        .await?;
    if !journal_mode.eq_ignore_ascii_case("wal") {
        return Err(not_durable(
            "journal_mode",
            &journal_mode,
            "WAL (the file system may not support it)",
        ));
    }
    Ok(())
}

async fn open_postgres(url: &str) -> Result<Pool, OpenError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| OpenError::Malformed {
            reason: error.to_string(),
        })?
        .application_name("fundcycle");
    let pool = |connections| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .after_connect(|conn, _| Box::pin(verify_postgres(conn)))
    };
    let mut first = options.connect().await.map_err(postgres_failed)?;
    verify_postgres(&mut first).await.map_err(postgres_failed)?;
    first.close().await.map_err(postgres_failed)?;
    let writers = pool(POSTGRES_WRITERS).connect_lazy_with(options.clone());
    let readers = pool(POSTGRES_READERS).connect_lazy_with(options);
    Ok(Pool::Postgres { writers, readers })
}

/// Runs on every new connection, as `synchronous_commit` may be set per role and per database.
async fn verify_postgres(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (fsync, commit): (String, String) =
        sqlx::query_as("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(conn)
            .await?;
    if fsync != "on" {
        return Err(not_durable("fsync", &fsync, "on"));
    }
    if commit == "off" {
        return Err(not_durable("synchronous_commit", &commit, "on"));
    }
    Ok(())
}

/// Carries a refusal through the pool, which knows only its own errors.
#[derive(Debug, thiserror::Error)]
#[error("{setting} is {found}, wanted {wanted}")]
struct NotDurable {
    setting: &'static str,
    found: String,
    wanted: &'static str,
}

fn not_durable(setting: &'static str, found: &str, wanted: &'static str) -> sqlx::Error {
    sqlx::Error::Configuration(Box::new(NotDurable {
        setting,
        found: found.to_owned(),
        wanted,
    }))
}

fn refusal(error: sqlx::Error) -> Result<OpenError, sqlx::Error> {
    match error {
        sqlx::Error::Configuration(inner) => match inner.downcast::<NotDurable>() {
            Ok(refusal) => Ok(OpenError::NotDurable {
                setting: refusal.setting,
                found: refusal.found,
                wanted: refusal.wanted,
            }),
            Err(inner) => Err(sqlx::Error::Configuration(inner)),
        },
        other => Err(other),
    }
}

fn sqlite_failed(path: PathBuf, error: sqlx::Error) -> OpenError {
    let error = match refusal(error) {
        Ok(refused) => return refused,
        Err(error) => error,
    };
    let reason = error.to_string();
    match error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .as_deref()
    {
        // SQLITE_CORRUPT with its kin, and SQLITE_NOTADB.
        Some("11" | "267" | "523" | "779" | "26") => OpenError::Damaged { path, reason },
        // SQLITE_CANTOPEN with its kin, SQLITE_READONLY, SQLITE_PERM.
        Some("14" | "270" | "526" | "782" | "1038" | "8" | "264" | "1288" | "3") => {
            OpenError::NoFile { path, reason }
        }
        _ => OpenError::Engine(error),
    }
}

fn postgres_failed(error: sqlx::Error) -> OpenError {
    match refusal(error) {
        Ok(refused) => refused,
        Err(
            error @ (sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::Database(_)
            | sqlx::Error::Tls(_)),
        ) => OpenError::Unreachable {
            reason: error.to_string(),
        },
        Err(error) => OpenError::Engine(error),
    }
}
