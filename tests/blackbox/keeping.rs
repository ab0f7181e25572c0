//! Copies for bad days: made while the service works, brought back on either engine, refused where
//! they were changed; and a district that moves to the other engine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fundcycle_test_support::{Database, on_both, sql};
use serde_json::Value;

use crate::office::{Office, PASSWORD, register};
use crate::support::{Server, err, out, run};
use crate::walk::text;

on_both!(
    a_backup_made_under_load_holds_all_that_was_acknowledged_before,
    what_is_changed_in_a_backup_is_found,
    a_whole_cycle_moves_to_the_other_engine
);

/// What the binary says, with its exit code.
fn does(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, arguments);
    (output.status.code(), out(&output) + &err(&output))
}

/// An empty database on each engine there is.
fn empty() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres()]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether somebody with this address has an account.
async fn knows(server: &Server, name: &str) -> bool {
    let body = serde_json::json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
    let (status, _) = server.ask("POST", "/v1/sign-in", None, Some(body)).await;
    status == 200
}

async fn a_backup_made_under_load_holds_all_that_was_acknowledged_before(database: Database) {
    let office = Arc::new(Office::open(&database, &[]).await);
    let plan = b"%PDF-1.7\nplan".to_vec();
    let upload = format!(
        "{}{}/attachments?name=plan.pdf",
        office.server.address, office.draft
    );
    let made = reqwest::Client::new()
        .post(upload)
        .bearer_auth(&office.owner)
        .header("content-type", "application/octet-stream")
        .body(plan.clone())
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    let content = format!("/v1/attachments/{}/content", text(&made, "id"));
    for number in 0..3 {
        register(&office.server, &format!("before{number}")).await;
    }

    // Somebody goes on writing until the backup is made.
    let stop = Arc::new(AtomicBool::new(false));
    let (others, stopped) = (Arc::clone(&office), Arc::clone(&stop));
    let writing = tokio::spawn(async move {
        let mut written = 0;
        while !stopped.load(Ordering::Acquire) {
            register(&others.server, &format!("during{written}")).await;
            written += 1;
        }
        written
    });
    let folder = database.folder.path().to_owned();
    let url = database.url.clone();
    let backup = move || does(&folder, &["backup", "--out", "kept", "--database", &url]);
    let (code, said) = tokio::task::spawn_blocking(backup).await.unwrap();
    stop.store(true, Ordering::Release);
    assert!(writing.await.unwrap() > 0);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 files, 13 bytes"), "{said}");
    let key = if database.is_postgres() {
        "fundcycle-signing.key"
    } else {
        "fundcycle.db.signing.key"
    };
    let key = database.folder.path().join(key).display().to_string();

    for other in empty() {
        let folder = other.folder.path();
        let kept = database.folder.path().join("kept").display().to_string();
        let back = ["restore", "--from", &kept, "--database", &other.url];
        let (code, said) = does(folder, &back);
        assert_eq!(code, Some(0), "{said}");
        // Never over what is there.
        let (code, said) = does(folder, &back);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("not empty"), "{said}");

        let flags = ["--time-travel", "--signing-key", &key];
        let server = Server::start(folder, &other.url, &flags);
        for number in 0..3 {
            assert!(knows(&server, &format!("before{number}")).await);
        }
        assert!(!knows(&server, "nobody").await);
        // Whatever was revoked after the backup is not good again.
        let (status, _) = server.ask("GET", "/v1/me", Some(&office.owner), None).await;
        assert_eq!(status, 401);
        let owner = server.sign_in("owner@example.org", PASSWORD).await;
        let (_, _, bytes) = server.fetch(&content, Some(&owner), &[]).await;
        assert_eq!(bytes, plan);
        let draft = office
            .server
            .ask("GET", &office.draft, Some(&office.owner), None);
        let restored = server.ask("GET", &office.draft, Some(&owner), None);
        assert_eq!(restored.await, draft.await);
        // It goes on from there.
        register(&server, "after").await;
        drop(server);
        let (code, said) = does(folder, &["journal", "verify", "--database", &other.url]);
        assert_eq!(code, Some(0), "{said}");
    }
}

async fn what_is_changed_in_a_backup_is_found(database: Database) {
    let folder = database.folder.path().to_owned();
    drop(Office::open(&database, &[]).await);
    let backup = |name: &str| {
        does(
            &folder,
            &["backup", "--out", name, "--database", &database.url],
        )
    };
    let (code, said) = backup("kept");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = backup("kept");
    assert_eq!(code, Some(2), "{said}");

    let inside = Database {
        url: format!("sqlite:{}", folder.join("kept/fundcycle.db").display()),
        folder: fundcycle_test_support::temp_dir(),
    };
    let changes =
        "UPDATE credential SET password_hash = (SELECT password_hash FROM credential LIMIT 1)";
    sql(&inside, changes).await.unwrap();
    for other in empty() {
        let kept = folder.join("kept").display().to_string();
        let back = ["restore", "--from", &kept, "--database", &other.url];
        let (code, said) = does(other.folder.path(), &back);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("nothing was restored"), "{said}");
    }
    std::fs::remove_file(folder.join("kept/manifest.json")).unwrap();
    let other = Database::sqlite();
    let (code, said) = does(
        &folder,
        &["restore", "--from", "kept", "--database", &other.url],
    );
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no finished backup"), "{said}");
}

async fn a_whole_cycle_moves_to_the_other_engine(database: Database) {
    let folder = database.folder.path();
    let (code, said) = does(folder, &["demo", "--database", &database.url]);
    assert_eq!(code, Some(0), "{said}");
    let Some(other) = (if database.is_postgres() {
        Some(Database::sqlite())
    } else {
        Database::postgres()
    }) else {
        return;
    };
    let there = ["move", "--from", &database.url, "--to", &other.url];
    let (code, said) = does(folder, &there);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = does(folder, &there);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not empty"), "{said}");

    // And back again: the same rows with the same hashes, table by table.
    let home = Database::sqlite();
    let (code, back) = does(folder, &["move", "--from", &other.url, "--to", &home.url]);
    assert_eq!(code, Some(0), "{back}");
    let rows = |said: &str| -> Vec<String> {
        let lines = said.lines().filter(|line| line.split(' ').count() == 3);
        lines.map(str::to_owned).collect()
    };
    let (first, second) = (
        does(
            folder,
            &[
                "move",
                "--from",
                &database.url,
                "--to",
                &Database::sqlite().url,
            ],
        )
        .1,
        back,
    );
    assert!(
        rows(&first).iter().any(|line| line.starts_with("journal ")),
        "{first}"
    );
    assert_eq!(rows(&first), rows(&second));
}
