//! What `score` says of experts, and of parts that nobody links.

use serde_json::{Value, json};

use super::score;

/// Two experts who share two applications, and one who is alone.
const TWO_PARTS: &str = "expert,application,score\ne1,a,80\ne2,a,70\ne1,b,90\ne2,b,82\n\
    e1,c,61\ne3,z,75\n";

#[test]
fn parts_that_no_expert_links_are_named() {
    let (code, out, err) = score("additive", TWO_PARTS, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("no expert links these 2 parts"), "{err}");
    assert!(err.contains("part 1: a, b, c\n"), "{err}");
    assert!(err.contains("part 2: z\n"), "{err}");
    let header = "rank,application,score,sheets,used,raw\n";
    assert!(out.starts_with(header), "{out}");
    let linked = format!("{TWO_PARTS}e3,a,75\n");
    assert_eq!(score("additive", &linked, &[]).2, "");
}

#[test]
fn leniency_and_its_standard_error_stand_beside_the_scores() {
    let (code, out, err) = score("additive", TWO_PARTS, &["--format", "json"]);
    assert_eq!(code, 0, "{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["parts"], json!([["a", "b", "c"], ["z"]]));
    // By hand: e1 is 9 above e2; with 3 and 2 scores, 3.6 above and 5.4 below. Off by 0.5 four
    // times, with 6 scores and 4 + 3 - 2 unknowns: variance 1. The difference of two experts over
    // two applications has variance 1, and e1 gets 2/5 of it, e2 3/5.
    let expert = |expert, sheets, leniency, error| json!({"expert": expert, "sheets": sheets, "leniency": leniency, "standard_error": error});
    assert_eq!(
        json["experts"],
        json!([
            expert("e1", 3, "3.60", "0.40"),
            expert("e2", 2, "-5.40", "0.60"),
            expert("e3", 1, "0.00", "0.00")
        ])
    );
    let first = json!({
        "rank": 1, "application": "b", "score": "86.90", "sheets": 2, "used": 2, "raw": "86.00", "raw_rank": 1
    });
    assert_eq!(json["ranking"][0], first);
    let (_, table, _) = score("additive", TWO_PARTS, &["--format", "table"]);
    for column in ["raw_rank", "leniency", "standard_error", "-5.40"] {
        assert!(table.contains(column), "{table}");
    }
    let (_, out, _) = score("z_score", TWO_PARTS, &["--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["experts"][0]["standard_error"], Value::Null);
    assert_eq!(json["experts"][2]["leniency"], "-1.33");
}

#[test]
fn a_ridge_draws_the_effects_of_experts_to_nothing() {
    let leniency = |more: &[&str]| {
        let more = [&["--format", "json"], more].concat();
        let (code, out, err) = score("additive", TWO_PARTS, &more);
        assert_eq!(code, 0, "{err}");
        let json: Value = serde_json::from_str(&out).unwrap();
        let expert = &json["experts"][0];
        let number = |name: &str| expert[name].as_str().unwrap().parse::<f64>().unwrap();
        (number("leniency"), number("standard_error"))
    };
    let (free, some, much) = (
        leniency(&[]),
        leniency(&["--ridge", "1/2"]),
        leniency(&["--ridge", "1000000"]),
    );
    assert_eq!(leniency(&["--ridge", "0"]), free);
    assert!(
        0.0 < some.0 && some.0 < free.0 && much.0.abs() < 0.01,
        "{free:?} {some:?} {much:?}"
    );
    assert_eq!(
        (free.1, free.1),
        (some.1, much.1),
        "the error is that of the model without ridge"
    );
    for (method, ridge) in [("mean", "1"), ("z_score", "1"), ("additive", "-1")] {
        assert_eq!(
            score(method, TWO_PARTS, &["--ridge", ridge]).0,
            2,
            "{method}"
        );
    }
}

#[test]
fn a_calibrated_rank_stands_beside_the_raw_one() {
    // x was seen by the strict expert alone.
    let input = "expert,application,score\nkind,a,90\nstrict,a,70\nkind,y,85\nstrict,x,75\n";
    let (_, out, _) = score("additive", input, &["--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let ranking = json["ranking"].as_array().unwrap();
    let rows: Vec<_> = ranking
        .iter()
        .map(|row| {
            (
                row["application"].as_str().unwrap(),
                &row["score"],
                &row["raw_rank"],
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("x", &json!("85.00"), &json!(3)),
            ("a", &json!("80.00"), &json!(2)),
            ("y", &json!("75.00"), &json!(1))
        ]
    );
}

#[test]
fn every_aggregate_of_the_vectors_prints_as_published() {
    let text = include_str!("../../../crates/scoring/tests/vectors/scores.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    for case in vectors["aggregate"].as_array().unwrap() {
        let scores = case["scores"].as_array().unwrap();
        let row = |(index, score): (usize, &Value)| match score {
            Value::Null => format!("e{index},a,\n"),
            score => format!("e{index},a,{score}\n"),
        };
        let rows: String = scores.iter().enumerate().map(row).collect();
        let none = if scores.is_empty() { "e0,a,\n" } else { "" };
        let input = format!("expert,application,score\n{rows}{none}");
        let mut more = Vec::new();
        for (key, option) in [
            ("drop_high", "--drop-high"),
            ("drop_low", "--drop-low"),
            ("min_remaining", "--min-remaining"),
        ] {
            if let Some(value) = case.get(key) {
                more.extend([option.to_owned(), value.to_string()]);
            }
        }
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let (code, out, err) = score(case["method"].as_str().unwrap(), &input, &more);
        assert_eq!(code, 0, "{err}");
        let row: Vec<&str> = out.lines().nth(1).unwrap().split(',').collect();
        let printed = case["rounded"].as_str().unwrap_or("");
        assert_eq!(row[2], printed, "{case}");
    }
}

#[test]
fn rounding_and_scale_are_options() {
    let input = "expert,application,score\ne1,a,86\ne2,a,86.25\n";
    for (rounding, expected) in [
        ("half_up", "86.13"),
        ("half_even", "86.12"),
        ("down", "86.12"),
    ] {
        let (_, out, _) = score("mean", input, &["--rounding", rounding]);
        assert_eq!(
            out.lines().nth(1).unwrap(),
            format!("1,a,{expected},2,2,{expected}")
        );
    }
    let thirds = "expert,application,score\ne1,a,80\ne2,a,81\ne3,a,81\n";
    let (_, out, _) = score("mean", thirds, &["--scale", "12"]);
    assert!(
        out.contains("1,a,80.666666666667,3,3,80.666666666667"),
        "{out}"
    );
}
