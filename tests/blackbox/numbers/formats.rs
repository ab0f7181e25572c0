//! The contract that all four commands share: three formats, standard input, byte order marks, faults.

use fundcycle_test_support::temp_dir;
use serde_json::{Value, json};

use super::ask;

const SCORES: &str = "expert,application,score\ne1,甲,80\ne2,甲,81\ne1,乙,90\ne1,丙,\n";
const AFFINITY: &str = "application,expert,affinity\n甲,e1,0.5\n乙,e2,1/3\n";
const CANDIDATES: &str =
    "application,organisation,domain,score,requested\n甲,o1,养老,80.5,100\n乙,o2,养老,90,50.5\n";
const ITEMS: &str = "item\n甲\n乙\n";

/// Each command on its input, as CSV and as JSON.
fn every(rules: &str) -> Vec<(Vec<String>, &'static str, &'static str, Value)> {
    let command = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    vec![
        (
            command("score --scores - --method mean"),
            SCORES,
            "rank,application,score,sheets,used,raw\n1,乙,90.00,1,1,90.00\n2,甲,80.50,2,2,80.50\n,丙,,0,0,\n",
            json!([
                { "rank": 1, "application": "乙", "score": "90.00", "sheets": 1, "used": 1, "raw": "90.00" },
                { "rank": 2, "application": "甲", "score": "80.50", "sheets": 2, "used": 2, "raw": "80.50" },
                { "rank": null, "application": "丙", "score": null, "sheets": 0, "used": 0, "raw": null },
            ]),
        ),
        (
            command("assign --affinity - --per-application 1 --max-load 1"),
            AFFINITY,
            "application,expert,affinity\n甲,e1,0.5\n乙,e2,1/3\n",
            json!({
                "assignments": [
                    { "application": "甲", "expert": "e1", "affinity": "0.5" },
                    { "application": "乙", "expert": "e2", "affinity": "1/3" },
                ],
                "objective": "5/6", "bound": "5/6", "minimum_application_affinity": "1/3",
            }),
        ),
        (
            command(&format!("allocate --candidates - --rules {rules}")),
            CANDIDATES,
            "application,decision,award,reason,needs\n乙,funded,50.50,rank 1: within the budget,\n\
             甲,funded,100.00,rank 2: within the budget,\n",
            json!({
                "decisions": [
                    { "application": "乙", "decision": "funded", "award": "50.50", "reason": "rank 1: within the budget", "needs": "" },
                    { "application": "甲", "decision": "funded", "award": "100.00", "reason": "rank 2: within the budget", "needs": "" },
                ],
                "mode": "rank_order", "total_awarded": "150.50", "certificate": null,
            }),
        ),
        (
            // As computed by hand from docs/numbers.md: the first integer, 11753876235452698859, is odd.
            command("draw --items - --seed 01"),
            ITEMS,
            "position,item\n1,乙\n2,甲\n",
            json!({
                "order": [{ "position": 1, "item": "乙" }, { "position": 2, "item": "甲" }],
                "list_hash": "c78784b39cd4494eef4eea7d974f909443d85313f16cb12941051b5c5f6db617",
                "commitment": "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
            }),
        ),
    ]
}

fn with(command: &[String], more: &[&str], input: &str) -> (i32, String, String) {
    let arguments: Vec<&str> = command
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    ask(&arguments, input)
}

#[test]
fn every_command_writes_csv_json_and_tables() {
    let folder = temp_dir();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, "\u{feff}budget = \"200.00\"\n").unwrap();
    for (command, input, csv, expected) in every(rules.to_str().unwrap()) {
        let said = (0, csv.to_owned(), String::new());
        assert_eq!(with(&command, &[], input), said, "{command:?}");
        assert_eq!(with(&command, &["--format", "csv"], input), said);
        let marked = format!("\u{feff}{}", input.replace('\n', "\r\n"));
        assert_eq!(
            with(&command, &[], &marked),
            said,
            "a mark and CRLF change nothing"
        );

        let (code, out, err) = with(&command, &["--format", "json"], input);
        assert_eq!((code, err.as_str()), (0, ""));
        let mut json: Value = serde_json::from_str(&out).unwrap();
        if let Some(all) = json.as_object_mut()
            && let Some(elapsed) = all.remove("elapsed_ms")
        {
            assert!(elapsed.is_u64());
        }
        assert_eq!(json, expected, "{command:?}");

        let (code, table, err) = with(&command, &["--format", "table"], input);
        assert_eq!((code, err.as_str()), (0, ""));
        let lines: Vec<&str> = csv.lines().collect();
        for field in lines.iter().flat_map(|line| line.split(',')) {
            assert!(table.contains(field), "{field}: {table}");
        }
        assert!(table.starts_with('┌') && table.ends_with("┘\n"), "{table}");
        assert_eq!(with(&command, &["--format", "xml"], input).0, 2);
    }
}

#[test]
fn a_file_is_as_good_as_standard_input_and_a_missing_one_is_said() {
    let folder = temp_dir();
    let (rules, file) = (
        folder.path().join("rules.toml"),
        folder.path().join("输入.csv"),
    );
    std::fs::write(&rules, "budget = 200\n").unwrap();
    for (mut command, input, csv, _) in every(rules.to_str().unwrap()) {
        let dash = command.iter().position(|word| word == "-").unwrap();
        command[dash] = file.to_str().unwrap().to_owned();
        std::fs::write(&file, input).unwrap();
        assert_eq!(with(&command, &[], ""), (0, csv.to_owned(), String::new()));
        command[dash] = folder
            .path()
            .join("nowhere.csv")
            .to_str()
            .unwrap()
            .to_owned();
        let (code, out, err) = with(&command, &[], "");
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains("nowhere.csv"), "{err}");
    }
}

#[test]
fn what_is_no_table_is_refused_whole() {
    let folder = temp_dir();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, "budget = 200\n").unwrap();
    for (command, input, ..) in every(rules.to_str().unwrap()) {
        let header = input.lines().next().unwrap();
        let column = header.split(',').next().unwrap();
        for (bad, why) in [
            ("", "line 1, column 1"),
            ("a;b;c\n1;2;3\n", "no column"),
            (&header.replacen(column, "名称", 1), column),
            (&format!("{header},{column}\n"), "twice"),
        ] {
            let (code, out, err) = with(&command, &[], bad);
            assert_eq!((code, out.as_str()), (1, ""), "{bad}: {err}");
            assert!(err.contains(why), "{why}: {err}");
        }
    }
}

#[test]
fn a_table_that_is_not_utf_8_is_told_where() {
    // GB18030, as some spreadsheets save: 项目 in the second column of line 3.
    let folder = temp_dir();
    let file = folder.path().join("gb.csv");
    let mut bytes = b"expert,application,score\ne1,a,80\ne1,".to_vec();
    bytes.extend([0xcf, 0xee, 0xc4, 0xbf]);
    bytes.extend(b",90\n");
    std::fs::write(&file, bytes).unwrap();
    let arguments = [
        "score",
        "--scores",
        file.to_str().unwrap(),
        "--method",
        "mean",
    ];
    let (code, out, err) = ask(&arguments, "");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("line 3, column 2: not UTF-8"), "{err}");
}

#[test]
fn spaces_that_nobody_sees_make_no_second_name() {
    let scores = "expert,application,score\ne1,甲,80\n e2,甲 , 90 \ne1\u{3000},甲,70\n";
    let (code, out, err) = ask(&["score", "--scores", "-", "--method", "mean"], scores);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("line 4, column 1") && err.contains("in line 2"),
        "{err}"
    );
    let (code, out, err) = ask(
        &["score", "--scores", "-", "--method", "mean"],
        &scores[..scores.len() - 14],
    );
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.ends_with("1,甲,85.00,2,2,85.00\n"), "{out}");
}

#[test]
fn numbers_that_are_none_are_all_named() {
    let scores = "expert,application,score\ne1,a,９０\ne2,a,90分\ne3,a,\"1,000\"\ne4,a,1e2\ne5,a,NaN\ne6,a,-5\ne7,a,.5\n";
    let (code, out, err) = ask(&["score", "--scores", "-", "--method", "mean"], scores);
    assert_eq!((code, out.as_str()), (1, ""));
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 6, "{err}");
    for (line, place) in lines.iter().zip([2, 3, 4, 5, 6, 8]) {
        assert!(line.contains(&format!("line {place}, column 3")), "{line}");
        assert!(line.contains("write it like 88, 0.4 or 263/3"), "{line}");
    }
}
