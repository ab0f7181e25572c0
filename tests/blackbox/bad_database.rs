//! A database that cannot be served: each fault is named with what to do, and nothing is changed.

use std::fs;
use std::net::TcpListener;

use fundcycle_test_support::{Database, on_both, sql, temp_dir};

use crate::support::{err, fundcycle, run};

on_both!(a_database_with_a_missing_or_unknown_migration_is_not_served);

/// What `serve` says where it cannot; it must end by itself.
fn refused(folder: &std::path::Path, database: &str) -> String {
    let arguments = ["serve", "--database", database, "--listen", "127.0.0.1:0"];
    let output = run(folder, &arguments);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(output.stdout.is_empty(), "it said that it serves");
    err(&output)
}

async fn a_database_with_a_missing_or_unknown_migration_is_not_served(database: Database) {
    let (folder, url) = (database.folder.path(), database.url.as_str());
    if database.is_postgres() {
        let said = refused(folder, url);
        assert!(said.contains("fundcycle migrate"), "{said}");
    }
    assert!(
        run(folder, &["migrate", "--database", url])
            .status
            .success()
    );
    let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 SELECT 9000, 'newer', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    sql(&database, newer).await.unwrap();
    let said = refused(folder, url);
    assert!(said.contains("9000"), "{said}");
    let older = "DELETE FROM _sqlx_migrations WHERE version <> 1";
    sql(&database, older).await.unwrap();
    let said = refused(folder, url);
    assert!(said.contains("fundcycle migrate"), "{said}");
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    assert!(
        run(folder.path(), &["migrate", "--database", database])
            .status
            .success()
    );
    let path = folder.path().join("a.db");
    let mut damaged = fs::read(&path).unwrap();
    for byte in &mut damaged[..4096] {
        *byte = !*byte;
    }
    for bytes in [damaged, "这不是数据库\n".repeat(2_000).into_bytes()] {
        fs::write(&path, &bytes).unwrap();
        let said = refused(folder.path(), database);
        assert!(
            said.contains("a.db") && said.contains("not a database"),
            "{said}"
        );
        let output = run(
            folder.path(),
            &["journal", "replay", "--check", "--database", database],
        );
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
        assert_eq!(fs::read(&path).unwrap(), bytes, "the file was written to");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    assert!(
        run(folder.path(), &["migrate", "--database", database])
            .status
            .success()
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["serve", "--database", database, "--listen", &address];
    let output = fundcycle(folder.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = err(&output);
    assert!(
        said.contains(&address) && said.contains("another program"),
        "{said}"
    );
}
