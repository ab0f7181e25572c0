//! The commands that compute, from outside: real cases, and what they say of bad input.

mod calibration;
pub(crate) mod draw;
mod exact;
mod formats;
mod limits;

use std::io::Write as _;
use std::process::Stdio;

use fundcycle_test_support::temp_dir;
use serde_json::Value;

use crate::support::{err, fundcycle, out};

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../scoring/tests/vectors/anchors/"
);

/// Runs with `input` on standard input; gives code, output and complaints.
fn ask(arguments: &[&str], input: &str) -> (i32, String, String) {
    let folder = temp_dir();
    let mut process = fundcycle(folder.path(), arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended before it read everything.
    let _: std::io::Result<()> = process.stdin.take().unwrap().write_all(input.as_bytes());
    let output = process.wait_with_output().unwrap();
    (output.status.code().unwrap(), out(&output), err(&output))
}

fn score(method: &str, input: &str, more: &[&str]) -> (i32, String, String) {
    let arguments = ["score", "--scores", "-", "--method", method];
    ask(&[&arguments, more].concat(), input)
}

#[test]
fn the_panel_scores_as_computed_elsewhere() {
    let file = format!("{VECTORS}scores_panel_9x37.csv");
    let expected = std::fs::read_to_string(format!("{VECTORS}scores_panel_9x37.expected.csv"));
    let expected = expected.unwrap();
    let methods = ["mean", "trimmed_mean", "median", "z_score", "additive"];
    for (column, method) in (2..).zip(methods) {
        let arguments = [
            "score", "--scores", &file, "--method", method, "--scale", "12",
        ];
        let (code, out, err) = ask(&arguments, "");
        assert_eq!((code, out.lines().count()), (0, 38), "{err}");
        for line in out.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let known = expected
                .lines()
                .find(|row| row.starts_with(fields[1]))
                .unwrap();
            let known: f64 = known.split(',').nth(column).unwrap().parse().unwrap();
            let score: f64 = fields[2].parse().unwrap();
            assert!((score - known).abs() < 1e-9, "{method}: {line}: {known}");
        }
    }
}

#[test]
fn real_assignments_and_selections_are_optimal() {
    for (file, load, optimum) in [("preflib1", "6", "124.25"), ("sigir_query", "10", "134")] {
        let file = format!("{VECTORS}assign_{file}.csv");
        let arguments = [
            "assign",
            "--affinity",
            &file,
            "--per-application",
            "3",
            "--max-load",
            load,
            "--format",
            "json",
        ];
        let (code, out, err) = ask(&arguments, "");
        assert_eq!(code, 0, "{err}");
        let best: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&best["objective"], &best["bound"]),
            (&optimum.into(), &optimum.into())
        );
    }
    let cases = std::fs::read_to_string(format!("{VECTORS}selection.json")).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    for (name, case) in cases["cases"].as_object().unwrap() {
        let file = format!("{VECTORS}selection_{name}.csv");
        let budget = case["budget"].as_i64().unwrap();
        let cap = format!(
            "[every_domain]\nmax_amount = \"{}.{}\"\n",
            budget * 2 / 5,
            budget * 2 % 5 * 2
        );
        for (key, limits) in [
            ("optimum", String::new()),
            ("optimum_domain_cap_40pct", cap.clone()),
            ("optimum_cap40_min1_per_domain", format!("{cap}min = 1\n")),
        ] {
            let rules = format!("budget = {budget}\nmode = \"optimal\"\n{limits}");
            let arguments = [
                "allocate",
                "--candidates",
                &file,
                "--rules",
                "-",
                "--format",
                "json",
            ];
            let (code, out, err) = ask(&arguments, &rules);
            assert_eq!(code, 0, "{err}");
            let best: Value = serde_json::from_str(&out).unwrap();
            let optimum = case[key][1].to_string();
            assert_eq!(best["certificate"]["objective"], optimum, "{name} {key}");
            assert_eq!(best["certificate"]["gap"], "0", "{name} {key}");
        }
    }
}

#[test]
fn ties_share_a_rank_and_nothing_is_not_zero() {
    let input = "\u{feff}expert,application,score\r\ne1,none,\r\ne1,\"=b \"\"x\"\", y\",80\r\ne1,a,80\r\ne1,c,90\r\n";
    let (code, out, _) = score("mean", input, &[]);
    let expected = "rank,application,score,sheets,used,raw\n1,c,90.00,1,1,90.00\n\
        2,\"=b \"\"x\"\", y\",80.00,1,1,80.00\n2,a,80.00,1,1,80.00\n,none,,0,0,\n";
    assert_eq!((code, out.as_str()), (0, expected));
}

#[test]
fn bad_rows_are_said_all_at_once_and_nothing_is_written() {
    let input = "expert,application,score\r\ne1,a,1\r\n\r\ne2,a,x\r\ne3,,5\r\ne1,a,3\r\ne4,a\r\n";
    let (code, out, err) = score("mean", input, &[]);
    assert_eq!(
        (code, out.as_str(), err.lines().count()),
        (1, "", 4),
        "{err}"
    );
    for place in [
        "line 4, column 3",
        "line 5, column 2",
        "line 6, column 1",
        "line 7, column 3",
    ] {
        assert!(err.contains(place), "{place}: {err}");
    }
    assert_eq!(score("modal", "", &[]).0, 2);
}

#[test]
fn an_assignment_that_cannot_be_names_its_cause() {
    let input = "application,expert,affinity\na1,e1,1\na2,e1,1\n";
    let arguments = [
        "assign",
        "--affinity",
        "-",
        "--per-application",
        "1",
        "--max-load",
        "1",
    ];
    let (code, out, err) = ask(&arguments, input);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("a1") && err.contains("e1"), "{err}");
}
