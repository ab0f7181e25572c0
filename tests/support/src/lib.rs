//! Throw-away databases for tests, on both engines, from one source.
//!
//! A test takes a [`Database`] and is listed in [`on_both!`], which runs it once per engine. The
//! PostgreSQL server is private to the test process and ends with it, however the process ends.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cluster;
pub mod http;
mod listener;
pub mod mail;
pub mod smtp;
pub mod tls;

use std::sync::atomic::{AtomicU32, Ordering};

pub use cluster::Cluster;
use sqlx::{AssertSqlSafe, Connection as _};
pub use tempfile::TempDir;

/// An empty folder that is removed when it goes out of scope.
pub fn temp_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("fundcycle-test-")
        .tempdir()
        .unwrap()
}

/// An empty database of one test.
#[derive(Debug)]
pub struct Database {
    /// Where it is, as the service takes it: `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// A folder of the test's own; the SQLite file lies in it.
    pub folder: TempDir,
}

impl Database {
    /// A database in a file of its own; the file does not exist yet.
    pub fn sqlite() -> Self {
        let folder = temp_dir();
        let url = format!("sqlite:{}", folder.path().join("fundcycle.db").display());
        Self { url, folder }
    }

    /// An empty database on this process's own PostgreSQL server; none where no server is
    /// installed, which is an error under `CI=true`.
    pub fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let cluster = cluster::postgres()?;
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Some(Self::on(cluster, &name))
    }

    /// An empty database of this name on this server.
    pub fn on(cluster: &Cluster, name: &str) -> Self {
        cluster.create_database(name);
        Self {
            url: cluster.url(name),
            folder: temp_dir(),
        }
    }

    /// Whether this is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres:")
    }
}

/// Runs SQL past the store, as somebody with access to the database would.
pub async fn sql(database: &Database, text: &str) -> Result<u64, sqlx::Error> {
    let statement = AssertSqlSafe(text.to_owned());
    if database.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&database.url).await?;
        Ok(sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await?
            .rows_affected())
    } else {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await?;
        Ok(sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await?
            .rows_affected())
    }
}

/// The PostgreSQL server of this process, started on first use; none where none is installed.
pub fn postgres() -> Option<&'static Cluster> {
    cluster::postgres()
}

/// Runs each of the named `async fn(Database)` once per engine, as `sqlite::name` and `postgres::name`.
///
/// The calling crate needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Database::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = $crate::Database::postgres() {
                    super::$name(database).await;
                }
            })+
        }
    };
}
