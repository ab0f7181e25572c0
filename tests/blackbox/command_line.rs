//! The contracts of the command line: what it prints and how it ends.

use fundcycle_test_support::temp_dir;

use crate::support::{Server, err, out, run};

fn code(arguments: &[&str]) -> (i32, String, String) {
    let folder = temp_dir();
    let output = run(folder.path(), arguments);
    (output.status.code().unwrap(), out(&output), err(&output))
}

#[test]
fn calendar_end_prints_the_date_and_nothing_else() {
    for (arguments, date) in [
        (
            vec!["--start", "2023-04-20", "--working-days", "5"],
            "2023-04-25",
        ),
        (
            vec![
                "--start",
                "2024-09-30",
                "--working-days",
                "5",
                "--first-day",
                "counted",
            ],
            "2024-10-11",
        ),
        (
            vec![
                "--start",
                "2024-09-30",
                "--working-days",
                "5",
                "--first-day",
                "not_counted",
            ],
            "2024-10-12",
        ),
    ] {
        let all = [vec!["calendar", "end"], arguments].concat();
        let (code, out, err) = code(&all);
        assert_eq!(
            (code, out.as_str()),
            (0, format!("{date}\n").as_str()),
            "{all:?} {err}"
        );
    }
}

#[test]
fn a_year_whose_calendar_is_not_loaded_is_an_error() {
    let (code, out, err) = code(&[
        "calendar",
        "end",
        "--start",
        "2031-05-06",
        "--working-days",
        "5",
    ]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("2031"), "{err}");
}

#[test]
fn uscc_says_valid_or_what_is_wrong_one_line_each() {
    let (code_good, out_good, _) = code(&["uscc", "52320412MJDEMA0119", "52320412mjdema0119"]);
    assert_eq!((code_good, out_good.lines().count()), (0, 2));
    assert!(
        out_good.lines().all(|line| line.ends_with("valid")),
        "{out_good}"
    );
    let (code_bad, out_bad, _) = code(&[
        "uscc",
        "52320412MJDEMA0119",
        "52320412MJDEMA0118",
        "5232O412MJDEMA0119",
    ]);
    let lines: Vec<&str> = out_bad.lines().collect();
    assert_eq!((code_bad, lines.len()), (1, 3), "{out_bad}");
    assert!(
        lines[0].ends_with("valid") && !lines[1].ends_with("valid") && !lines[2].ends_with("valid"),
        "{out_bad}"
    );
}

#[test]
fn policy_check_accepts_the_example_and_locates_faults() {
    let folder = temp_dir();
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/examples/wujin-2024.toml"
    );
    assert_eq!(
        run(folder.path(), &["policy", "check", example])
            .status
            .code(),
        Some(0)
    );
    let broken = std::fs::read_to_string(example)
        .unwrap()
        .replace("share = \"0.5\"", "share = \"0.6\"");
    std::fs::write(folder.path().join("broken.toml"), broken).unwrap();
    let output = run(folder.path(), &["policy", "check", "broken.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = out(&output) + &err(&output);
    assert!(said.contains("tranches"), "{said}");
}

#[test]
fn a_database_without_schema_is_not_served() {
    let folder = temp_dir();
    let output = run(
        folder.path(),
        &[
            "serve",
            "--database",
            "sqlite:nothing.db",
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("migrate"), "{}", err(&output));
}

#[test]
fn a_damaged_database_file_is_named_and_left_alone() {
    let folder = temp_dir();
    let file = folder.path().join("damaged.db");
    std::fs::write(
        &file,
        b"this is not a database, and it is long enough to be looked at as one",
    )
    .unwrap();
    let before = std::fs::read(&file).unwrap();
    let output = run(
        folder.path(),
        &[
            "serve",
            "--database",
            "sqlite:damaged.db",
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert!(err(&output).contains("damaged.db"), "{}", err(&output));
}

#[test]
fn bad_configuration_names_the_key_and_the_place() {
    let folder = temp_dir();
    std::fs::write(
        folder.path().join("fundcycle.toml"),
        "listen = \"127.0.0.1:8080\"\nlistne = 1\n",
    )
    .unwrap();
    let output = run(folder.path(), &["serve", "--config", "fundcycle.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = err(&output);
    assert!(
        said.contains("listne") && said.contains("fundcycle.toml:2"),
        "{said}"
    );
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let folder = temp_dir();
    assert_eq!(
        run(folder.path(), &["migrate", "--database", "sqlite:a.db"])
            .status
            .code(),
        Some(0)
    );
    let server = Server::start(folder.path(), "sqlite:a.db", &[]);
    let taken = server.address.trim_start_matches("http://").to_owned();
    assert_eq!(
        run(folder.path(), &["migrate", "--database", "sqlite:b.db"])
            .status
            .code(),
        Some(0)
    );
    let output = run(
        folder.path(),
        &["serve", "--database", "sqlite:b.db", "--listen", &taken],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains(&taken), "{}", err(&output));
}

#[test]
fn time_travel_is_refused_on_a_database_that_was_not_made_for_it() {
    let folder = temp_dir();
    assert_eq!(
        run(folder.path(), &["migrate", "--database", "sqlite:real.db"])
            .status
            .code(),
        Some(0)
    );
    let output = run(
        folder.path(),
        &[
            "serve",
            "--database",
            "sqlite:real.db",
            "--listen",
            "127.0.0.1:0",
            "--time-travel",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("--time-travel"), "{}", err(&output));
}
