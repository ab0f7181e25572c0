//! Rubrics: what a sheet adds up to, and everything that is wrong with a sheet or with a rubric.

use fundcycle_scoring::{Exact, Marks, Rubric, SheetFaultCode};
use serde_json::{Value, json};

/// Two levels, weights on both, a bonus and a deduction with caps, a veto and both comment lines.
fn rubric() -> Rubric {
    serde_json::from_value(json!({
        "title": "书面评审", "version": 3, "bonus_cap": "5", "deduction_cap": "10",
        "criteria": [
            { "key": "need", "title": "社会需求", "weight": "0.5", "criteria": [
                { "key": "evidence", "title": "依据", "max": "100", "step": "0.5", "comment_required_below": "60" },
                { "key": "reach", "title": "受益面", "max": "100", "weight": "0.2", "comment_required_above": "95" },
            ] },
            { "key": "pledge", "title": "合规", "min": "1", "max": "10", "veto_below": "3" },
            { "key": "rating", "title": "等级", "kind": "bonus", "criteria": [
                { "key": "level", "title": "评估等级", "max": "3" },
                { "key": "brand", "title": "品牌", "max": "4", "weight": "2" },
            ] },
            { "key": "late", "title": "逾期", "kind": "deduction", "max": "20" },
        ],
    }))
    .unwrap()
}

fn marks(scores: &[(&str, &str)], comments: &[&str]) -> Marks {
    Marks {
        scores: scores
            .iter()
            .map(|(key, mark)| ((*key).to_owned(), mark.parse().unwrap()))
            .collect(),
        comments: comments
            .iter()
            .map(|key| ((*key).to_owned(), "理由".to_owned()))
            .collect(),
    }
}

fn total(scores: &[(&str, &str)]) -> String {
    rubric().check(&marks(scores, &[])).unwrap().to_string()
}

#[test]
fn weights_of_all_levels_multiply_and_nothing_is_rounded() {
    assert_eq!(rubric().faults(), []);
    // (80.5 + 91 × 0.2) × 0.5 + 7
    let scores = [("evidence", "80.5"), ("reach", "91"), ("pledge", "7")];
    assert_eq!(total(&scores), "56.35");
    let mut third = rubric();
    third.criteria[0].weight = Exact::ratio(1, 3).unwrap();
    let exact = third.check(&marks(&scores, &[])).unwrap();
    assert_eq!(exact.to_string(), "39.9");
    // (100 + 20) × 0.5 + 10
    assert_eq!(rubric().maximum(), Exact::from_integer(70));
}

#[test]
fn bonuses_and_deductions_count_up_to_their_caps_and_may_lead_beyond_the_maximum() {
    let full = [("evidence", "100"), ("reach", "95"), ("pledge", "10")];
    let with = |more: &[(&str, &str)]| total(&[&full, more].concat());
    assert_eq!(with(&[]), "69.5");
    assert_eq!(with(&[("level", "3")]), "72.5");
    assert_eq!(with(&[("level", "3"), ("brand", "1")]), "74.5");
    assert_eq!(
        with(&[("level", "3"), ("brand", "4")]),
        "74.5",
        "capped at 5"
    );
    assert!(rubric().maximum() < "74.5".parse().unwrap());
    assert_eq!(with(&[("late", "4")]), "65.5");
    assert_eq!(with(&[("late", "20")]), "59.5", "capped at 10");
    let mut free = rubric();
    (free.bonus_cap, free.deduction_cap) = (None, None);
    let all = [&full[..], &[("brand", "4"), ("late", "20")]].concat();
    assert_eq!(free.check(&marks(&all, &[])).unwrap().to_string(), "57.5");
}

#[test]
fn a_sheet_is_told_all_its_faults_by_criterion() {
    use SheetFaultCode::{CommentMissing, Missing, OffStep, OutOfRange, UnknownCriterion};
    let faults = |scores: &[(&str, &str)], comments: &[&str]| -> Vec<(String, SheetFaultCode)> {
        let faults = rubric().check(&marks(scores, comments)).unwrap_err();
        assert!(faults.iter().all(|fault| !fault.message.is_empty()));
        faults
            .into_iter()
            .map(|one| (one.criterion, one.code))
            .collect()
    };
    let said = |all: &[(&str, SheetFaultCode)]| -> Vec<(String, SheetFaultCode)> {
        all.iter()
            .map(|(key, code)| ((*key).to_owned(), *code))
            .collect()
    };
    assert_eq!(
        faults(&[], &[]),
        said(&[
            ("evidence", Missing),
            ("reach", Missing),
            ("pledge", Missing)
        ]),
        "bonuses and deductions may be left out"
    );
    let wrong = [
        ("evidence", "59.75"),
        ("reach", "101"),
        ("pledge", "0"),
        ("brand", "-1"),
        ("need", "50"),
        ("style", "1"),
    ];
    assert_eq!(
        faults(&wrong, &["nobody", "need"]),
        said(&[
            ("evidence", OffStep),
            ("evidence", CommentMissing),
            ("reach", OutOfRange),
            ("reach", CommentMissing),
            ("pledge", OutOfRange),
            ("brand", OutOfRange),
            ("need", UnknownCriterion),
            ("style", UnknownCriterion),
            ("nobody", UnknownCriterion),
        ])
    );
}

#[test]
fn a_comment_is_asked_for_below_and_above_its_lines_and_not_on_them() {
    let check = |evidence: &str, reach: &str, comments: &[&str]| {
        let scores = [("evidence", evidence), ("reach", reach), ("pledge", "5")];
        rubric()
            .check(&marks(&scores, comments))
            .map_err(|faults| faults.len())
    };
    assert!(check("60", "95", &[]).is_ok());
    assert_eq!(check("59.5", "95", &[]), Err(1));
    assert_eq!(check("60", "96", &[]), Err(1));
    assert_eq!(check("59.5", "96", &[]), Err(2));
    assert!(check("59.5", "96", &["evidence", "reach"]).is_ok());
    let mut blank = marks(&[("evidence", "1"), ("reach", "1"), ("pledge", "5")], &[]);
    blank.comments.insert("evidence".into(), " \n".into());
    assert_eq!(
        rubric().check(&blank).unwrap_err()[0].code,
        SheetFaultCode::CommentMissing
    );
}

#[test]
fn a_mark_below_its_line_is_a_veto_and_still_adds_up() {
    let vetoes = |mark: &str| {
        let marks = marks(
            &[("evidence", "80"), ("reach", "80"), ("pledge", mark)],
            &[],
        );
        assert!(rubric().check(&marks).is_ok());
        rubric().vetoes(&marks)
    };
    assert_eq!(vetoes("2"), ["pledge"]);
    assert_eq!(vetoes("3"), Vec::<String>::new());
}

#[test]
fn a_draft_adds_up_what_there_is() {
    let draft = marks(&[("reach", "50"), ("level", "2"), ("style", "9")], &[]);
    assert_eq!(rubric().running_total(&draft).to_string(), "7");
}

#[test]
fn every_fault_of_a_rubric_is_reported_with_its_place() {
    let leaf = |key: &str, more: Value| {
        let mut leaf = json!({ "key": key, "title": "项", "max": "10" });
        leaf.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        leaf
    };
    let rubric: Rubric = serde_json::from_value(json!({
        "title": " ", "version": 0, "bonus_cap": "-1", "deduction_cap": "-1",
        "criteria": [
            leaf("Need", json!({})),
            leaf("a", json!({ "weight": "0", "title": "" })),
            leaf("a", json!({ "min": "10" })),
            leaf("b", json!({ "step": "0" })),
            leaf("c", json!({ "step": "3" })),
            leaf("d", json!({ "comment_required_below": "11", "comment_required_above": "-1", "veto_below": "10.5" })),
            leaf("e", json!({ "criteria": [leaf("f", json!({}))] })),
            leaf("g", json!({ "max": null })),
            { "key": "h", "title": "加分", "kind": "bonus", "criteria": [leaf("i", json!({ "kind": "deduction" }))] },
        ],
    }))
    .unwrap();
    let faults = rubric.faults();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/title",
            "/version",
            "/bonus_cap",
            "/deduction_cap",
            "/criteria/0/key",
            "/criteria/1/title",
            "/criteria/1/weight",
            "/criteria/2/key",
            "/criteria/2/max",
            "/criteria/3/step",
            "/criteria/4/step",
            "/criteria/5/comment_required_below",
            "/criteria/5/comment_required_above",
            "/criteria/5/veto_below",
            "/criteria/6/max",
            "/criteria/7/max",
            "/criteria/8/criteria/0/kind",
        ]
    );
    let only_extras = json!({ "title": "加分", "version": 1, "criteria": [leaf("a", json!({ "kind": "bonus" }))] });
    let only_extras: Rubric = serde_json::from_value(only_extras).unwrap();
    assert_eq!(only_extras.faults()[0].path, "/criteria");
}
