//! The schema of both engines, embedded, and whether a database has it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};

use crate::db::{OpenError, Pool};

static SHARED: Migrator = sqlx::migrate!("../../migrations");
static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How the schema of a database relates to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// They belong together.
    Current,
    /// These migrations have to be applied first.
    Missing(Vec<i64>),
    /// A newer program has applied this migration.
    Newer(i64),
    /// This migration was applied in another form.
    Changed(i64),
}

impl SchemaState {
    /// `Ok` where it may be served.
    pub(crate) fn require(&self) -> Result<(), OpenError> {
        match self {
            Self::Current => Ok(()),
            Self::Missing(missing) => Err(OpenError::MigrationsMissing {
                missing: missing.len(),
                first: missing.first().copied().unwrap_or_default(),
            }),
            Self::Newer(version) => Err(OpenError::SchemaNewer { version: *version }),
            Self::Changed(version) => Err(OpenError::SchemaChanged { version: *version }),
        }
    }
}

fn migrator(pool: &Pool) -> Migrator {
    let own = match pool {
        Pool::Sqlite { .. } => &SQLITE,
        Pool::Postgres { .. } => &POSTGRES,
    };
    Migrator::with_migrations(SHARED.iter().chain(own.iter()).cloned().collect())
}

/// Applies what is missing. Two programs that do so at once wait for each other.
pub(crate) async fn migrate(pool: &Pool) -> Result<(), OpenError> {
    // Asked first, so that a newer schema is named as such.
    match state(pool).await? {
        SchemaState::Missing(_) => {}
        other => return other.require(),
    }
    let migrator = migrator(pool);
    let done = match pool {
        Pool::Sqlite { writer, .. } => migrator.run(writer).await,
        Pool::Postgres { writers, .. } => migrator.run(writers).await,
    };
    done.map_err(|error| match error {
        MigrateError::Execute(error) => OpenError::Engine(error),
        error => OpenError::MigrationFailed {
            reason: error.to_string(),
        },
    })
}

/// Compares what was applied with what this program has. Writes nothing.
pub(crate) async fn state(pool: &Pool) -> Result<SchemaState, OpenError> {
    let applied = match pool {
        Pool::Sqlite { writer, .. } => {
            let known: Option<(String,)> =
                sqlx::query_as("SELECT name FROM sqlite_schema WHERE name = '_sqlx_migrations'")
                    .fetch_optional(writer)
                    .await?;
            applied(known.is_some(), &mut *writer.acquire().await?).await?
        }
        Pool::Postgres { writers, .. } => {
            let (known,): (Option<String>,) =
                sqlx::query_as("SELECT CAST(to_regclass('_sqlx_migrations') AS TEXT)")
                    .fetch_one(writers)
                    .await?;
            applied(known.is_some(), &mut *writers.acquire().await?).await?
        }
    };
    Ok(compare(&migrator(pool), &applied))
}

type Checksums = BTreeMap<i64, Cow<'static, [u8]>>;

async fn applied(any: bool, conn: &mut impl Migrate) -> Result<Checksums, OpenError> {
    if !any {
        return Ok(Checksums::new());
    }
    let failed = |error: MigrateError| OpenError::MigrationFailed {
        reason: error.to_string(),
    };
    if let Some(version) = conn
        .dirty_version("_sqlx_migrations")
        .await
        .map_err(failed)?
    {
        return Err(OpenError::MigrationFailed {
            reason: format!("migration {version} was begun and not finished"),
        });
    }
    let applied = conn
        .list_applied_migrations("_sqlx_migrations")
        .await
        .map_err(failed)?;
    Ok(applied
        .into_iter()
        .map(|one| (one.version, one.checksum))
        .collect())
}

fn compare(migrator: &Migrator, applied: &Checksums) -> SchemaState {
    let known: BTreeMap<i64, &Migration> = migrator.iter().map(|one| (one.version, one)).collect();
    for (version, checksum) in applied {
        match known.get(version) {
            None => return SchemaState::Newer(*version),
            Some(one) if one.checksum != *checksum => return SchemaState::Changed(*version),
            Some(_) => {}
        }
    }
    let missing: Vec<i64> = known
        .into_keys()
        .filter(|version| !applied.contains_key(version))
        .collect();
    if missing.is_empty() {
        SchemaState::Current
    } else {
        SchemaState::Missing(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_a_file_for_each_number_that_the_other_has() {
        let versions =
            |migrator: &Migrator| migrator.iter().map(|one| one.version).collect::<Vec<_>>();
        assert_eq!(versions(&SQLITE), versions(&POSTGRES));
        assert!(
            SQLITE
                .iter()
                .all(|own| SHARED.iter().all(|shared| shared.version != own.version))
        );
    }
}
