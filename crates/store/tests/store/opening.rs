//! What cannot be served says so, and changes nothing.

use std::fs;

use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_store::{OpenError, Options, SchemaState, Store};
use fundcycle_test_support::{Database, on_both, sql};

use crate::{again, fresh, open_account};
use uuid::Uuid;

on_both!(
    an_empty_database_lacks_migrations_until_it_is_migrated,
    a_schema_of_a_newer_program_is_not_served_nor_migrated,
    a_migration_that_was_changed_is_named,
    migrating_again_changes_nothing
);

async fn open(url: &str) -> Result<Store, OpenError> {
    Store::open(url, Options::silent(WorkingDayCalendar::china().unwrap())).await
}

async fn an_empty_database_lacks_migrations_until_it_is_migrated(database: Database) {
    if !database.is_postgres() {
        let error = open(&database.url).await.unwrap_err();
        assert!(matches!(error, OpenError::NoFile { .. }), "{error:?}");
        assert!(error.to_string().contains("fundcycle migrate"), "{error}");
        fs::write(database.folder.path().join("fundcycle.db"), b"").unwrap();
    }
    let state = Store::schema_at(&database.url).await.unwrap();
    let SchemaState::Missing(missing) = state else {
        panic!("{state:?}");
    };
    // All of them, in one sequence.
    let all: Vec<i64> = (1..).take(missing.len()).collect();
    assert!(missing == all && missing.len() > 1, "{missing:?}");
    let error = open(&database.url).await.unwrap_err();
    let SchemaState::Missing(missing) = Store::schema_at(&database.url).await.unwrap() else {
        panic!("nothing is missing");
    };
    assert_eq!(missing.first(), Some(&1));
    assert_eq!(
        error.to_string(),
        format!(
            "the database lacks {} migration(s), the first is number 1; run `fundcycle migrate`",
            missing.len()
        )
    );
    let store = fresh(&database).await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    assert!(store.is_writable());
}

async fn a_schema_of_a_newer_program_is_not_served_nor_migrated(database: Database) {
    let store = fresh(&database).await;
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 SELECT 99, 'newer', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    sql(&database, newer).await.unwrap();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Newer(99));
    for refused in [
        open(&database.url).await.map(drop),
        Store::migrate(&database.url).await,
    ] {
        assert!(
            matches!(refused, Err(OpenError::SchemaNewer { version: 99 })),
            "{refused:?}"
        );
    }
}

async fn a_migration_that_was_changed_is_named(database: Database) {
    let store = fresh(&database).await;
    sql(&database, "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 2) WHERE version = 1")
        .await
        .unwrap();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Changed(1));
    let refused = open(&database.url).await.map(drop);
    assert!(
        matches!(refused, Err(OpenError::SchemaChanged { version: 1 })),
        "{refused:?}"
    );
}

async fn migrating_again_changes_nothing(database: Database) {
    let store = fresh(&database).await;
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    Store::migrate(&database.url).await.unwrap();
    assert_eq!(
        again(&database)
            .await
            .replay_check(None)
            .await
            .unwrap()
            .records,
        1
    );
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let database = Database::sqlite();
    let store = fresh(&database).await;
    for _ in 0..50 {
        store.execute(open_account(Uuid::now_v7())).await.unwrap();
    }
    store.close().await;
    let file = database.folder.path().join("fundcycle.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[..100].fill(b'x');
    fs::write(&file, &bytes).unwrap();
    let error = open(&database.url).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(
        error.to_string().contains("fundcycle.db") && error.to_string().contains("backup"),
        "{error}"
    );
    assert_eq!(fs::read(&file).unwrap(), bytes);
    // A file that never was a database.
    fs::write(&file, "name,amount\n".repeat(1_000)).unwrap();
    assert!(matches!(
        open(&database.url).await,
        Err(OpenError::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_setting_that_could_lose_an_acknowledged_command_is_refused() {
    let database = Database::sqlite();
    fresh(&database).await.close().await;
    for setting in ["normal", "off"] {
        let error = open(&format!("{}?synchronous={setting}", database.url))
            .await
            .unwrap_err();
        let OpenError::NotDurable {
            setting: "synchronous",
            found,
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(found.to_lowercase(), setting);
    }
    for setting in ["full", "extra"] {
        open(&format!("{}?synchronous={setting}", database.url))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_server_may_not_acknowledge_before_it_has_written() {
    let Some(database) = Database::postgres() else {
        return;
    };
    fresh(&database).await;
    let error = open(&format!(
        "{}&options=-c%20synchronous_commit%3Doff",
        database.url
    ))
    .await
    .unwrap_err();
    assert!(
        matches!(
            &error,
            OpenError::NotDurable {
                setting: "synchronous_commit",
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_showing_it() {
    for url in ["mysql://root:secret@host/db", "fundcycle.db", "http://x"] {
        let error = open(url).await.unwrap_err();
        assert!(matches!(error, OpenError::WrongScheme { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for url in [
        "sqlite:",
        "sqlite::memory:",
        "sqlite:x.db?mode=memory",
        "postgres://host:notaport/x",
    ] {
        let error = open(url).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Malformed { .. }),
            "{url}: {error:?}"
        );
    }
    let error = open("postgres:///x?host=/nowhere&user=nobody")
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
}
