//! How every command ends: 0 done or yes, 1 the answer is no, 2 it could not be asked, with the reason.

use fundcycle_test_support::temp_dir;

use crate::support::{err, fundcycle, out, run};

#[test]
fn every_command_teaches_by_example() {
    let folder = temp_dir();
    for command in [
        &["serve"][..],
        &["demo"],
        &["migrate"],
        &["admin", "create"],
        &["admin", "change-email"],
        &["policy", "check"],
        &["journal", "replay"],
        &["outbox", "list"],
        &["outbox", "show"],
        &["outbox", "retry"],
        &["outbox", "cancel"],
        &["bounce"],
        &["openapi"],
        &["version"],
        &["calendar", "end"],
        &["uscc"],
    ] {
        let output = run(folder.path(), &[command, &["--help"]].concat());
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let said = out(&output);
        assert!(said.contains("Usage: fundcycle"), "{said}");
        assert!(
            command == ["version"] || said.contains("Example"),
            "{command:?} gives no example: {said}"
        );
        let output = run(folder.path(), &[command, &["--no-such-flag"]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}");
    }
}

#[test]
fn what_cannot_be_asked_ends_with_two_and_says_why() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    let migrated = run(folder.path(), &["migrate", "--database", database]);
    assert_eq!(migrated.status.code(), Some(0));
    let replay = ["journal", "replay", "--check", "--database"];
    assert_eq!(
        run(folder.path(), &[&replay[..], &[database]].concat())
            .status
            .code(),
        Some(0)
    );
    for (arguments, word) in [
        ([&replay[..], &["sqlite:none.db"]].concat(), "none.db"),
        (vec!["migrate", "--database", "mysql:x"], "--database"),
        (vec!["policy", "check", "none.toml"], "none.toml"),
        (
            vec!["admin", "create", "--email", "x", "--database", database],
            "email",
        ),
        (
            vec!["serve", "--database", database, "--listen", "here"],
            "--listen",
        ),
    ] {
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            err(&output).contains(word),
            "{arguments:?} {}",
            err(&output)
        );
    }
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn a_wrong_setting_in_the_environment_is_named_even_where_a_flag_wins() {
    let folder = temp_dir();
    let output = fundcycle(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
        .env("FUNDCYCLE_LISTEN", "here")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("FUNDCYCLE_LISTEN"),
        "{}",
        err(&output)
    );
}
