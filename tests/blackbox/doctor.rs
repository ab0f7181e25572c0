//! `doctor` finds what is wrong with an installation, each fault by its name, and nothing where all is well.

use std::path::Path;
use std::time::{Duration, SystemTime};

use fundcycle_test_support::{Database, on_both, sql};

use crate::office::create_admin;
use crate::support::{err, out, run};

on_both!(
    a_cycle_that_was_played_is_well_and_each_fault_is_named,
    a_clock_that_is_behind_the_record_is_wrong
);

fn doctor(database: &Database, files: &Path) -> (Option<i32>, String) {
    let files = files.display().to_string();
    let arguments = ["doctor", "--database", &database.url, "--files", &files];
    let output = run(database.folder.path(), &arguments);
    (output.status.code(), out(&output) + &err(&output))
}

async fn a_cycle_that_was_played_is_well_and_each_fault_is_named(database: Database) {
    let folder = database.folder.path();
    let files = folder.join("fundcycle-demo-files");
    let play = [
        "demo",
        "--until",
        "application",
        "--database",
        &database.url,
    ];
    let played = run(folder, &play);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    let (code, said) = doctor(&database, &files);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("all is well") && said.contains("I39"),
        "{said}"
    );

    // Files: one is gone, one was changed, one is nobody's.
    let mut kept: Vec<_> = std::fs::read_dir(&files)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    kept.sort();
    std::fs::remove_file(&kept[0]).unwrap();
    std::fs::write(&kept[1], "changed").unwrap();
    let stray = std::fs::File::create(files.join("nobody")).unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(48);
    stray.set_modified(long_ago).unwrap();
    // Rows: a session of nobody, and applications that go on in a cycle that is over.
    let (uuid, hash) = if database.is_postgres() {
        ("'00000000-0000-7000-8000-000000000000'", r"'\x00'")
    } else {
        ("x'00000000000070008000000000000000'", "x'00'")
    };
    let session = format!(
        "INSERT INTO token (hash, account, created_at, expires_at) VALUES ({hash}, {uuid}, 0, 0)"
    );
    let over = "UPDATE state SET stage = 'cancelled' WHERE kind = 'cycle'";
    for change in [session.as_str(), over] {
        assert!(sql(&database, change).await.unwrap() > 0, "{change}");
    }
    let key = if database.is_postgres() {
        "fundcycle-signing.key"
    } else {
        "fundcycle.db.signing.key"
    };
    std::fs::remove_file(folder.join(key)).unwrap();

    let (code, said) = doctor(&database, &files);
    assert_eq!(code, Some(1), "{said}");
    for fault in [
        "the file is missing",
        "the file was changed",
        "note  files: nobody belongs to no record",
        "WRONG sessions: 1 belong to nobody",
        "WRONG signing key:",
        "WRONG record: ",
        ": I16: application",
    ] {
        assert!(said.contains(fault), "{fault}: {said}");
    }
}

async fn a_clock_that_is_behind_the_record_is_wrong(database: Database) {
    let folder = database.folder.path();
    let made = run(folder, &["migrate", "--database", &database.url]);
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    create_admin(folder, &database.url);
    let files = folder.join("files");
    let (_, said) = doctor(&database, &files);
    assert!(said.contains("ok    clock"), "{said}");
    let later = "UPDATE journal_head SET at = at + 3600000";
    sql(&database, later).await.unwrap();
    let (code, said) = doctor(&database, &files);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("WRONG clock: the last entry is"), "{said}");
}
