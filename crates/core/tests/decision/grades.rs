//! What a published grade leads to: contested or not, with less of the tail, from reports alone.

use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::Kind;
use fundcycle_core::policy::document::{EvaluationRules, GradeRule};
use fundcycle_core::policy::{PolicyDocument, document::Consequence};
use fundcycle_core::tranche::Tranche;
use fundcycle_scoring::{Exact, grade};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, lead, staff, why};
use crate::running::{
    active_in, because, evaluated, opened, other_lead, pay, scored, tranches, with_policy,
};

fn contestable(policy: &mut Value) {
    policy["evaluation"]["objection_working_days"] = json!(5);
    // Good keeps half of what waits for the evaluation, a bare pass nothing.
    policy["evaluation"]["grades"][1]["tail"] = json!("0.5");
    policy["evaluation"]["grades"][2]["tail"] = json!("0");
}

fn graded(play: &mut Play, project: Uuid, round: &str, mark: &str) -> Uuid {
    let id = opened(play, project, round);
    let panel = scored(play, project, round, mark);
    let body = json!({ "panel": panel });
    play.does(&staff(), Kind::Evaluation, id, "grade", body);
    id
}

#[test]
fn nothing_follows_from_a_grade_before_the_time_to_contest_it_is_over() {
    let mut play = with_policy(contestable);
    let project = active_in(&mut play);
    let id = graded(&mut play, project, "midterm", "80");
    play.does(&lead(), Kind::Evaluation, id, "publish", json!({}));
    assert_eq!(play.stage(Kind::Evaluation, id), "noticed");
    assert_eq!(play.stage(Kind::Project, project), "midterm_due");
    let seen = play.view(&applicant(0), Kind::Evaluation, id).unwrap();
    assert_eq!(seen["grade"], "良好");
    let settle = play.ask(&staff(), Kind::Evaluation, id, "settle", json!({}));
    assert_eq!(why(settle), "window_over");
    // Five working days from Thursday, 19 September.
    play.at("2024-09-26T23:59:59.999+08:00");
    let mut contested = play.clone();
    play.at("2024-09-27T00:00:00+08:00");
    let late = play.ask(&applicant(0), Kind::Evaluation, id, "contest", because());
    assert_eq!(why(late), "window_open");
    play.does(&staff(), Kind::Evaluation, id, "settle", json!({}));
    assert_eq!(play.stage(Kind::Project, project), "active");

    let play = &mut contested;
    play.does(&applicant(0), Kind::Evaluation, id, "contest", because());
    let mut again = play.clone();
    play.does(&other_lead(), Kind::Evaluation, id, "confirm", because());
    assert_eq!(play.stage(Kind::Evaluation, id), "published");
    assert_eq!(play.stage(Kind::Project, project), "active");
    let seen = play.view(&applicant(0), Kind::Evaluation, id).unwrap();
    assert_eq!(
        (&seen["contested"], &seen["answer"]),
        (&json!("经核实"), &json!("经核实"))
    );

    let play = &mut again;
    play.does(&lead(), Kind::Evaluation, id, "regrade", because());
    assert_eq!(play.stage(Kind::Evaluation, id), "open");
    let data = &play.get::<Evaluation>(id).data;
    assert_eq!(
        (&data.grade, &data.contested, data.contest_until),
        (&None, &None, None)
    );
}

#[test]
fn a_grade_cuts_the_tranches_that_waited_for_it_and_no_others() {
    let mut play = with_policy(|policy| {
        contestable(policy);
        policy["evaluation"]["objection_working_days"] = json!(0);
    });
    let project = active_in(&mut play);
    let [first, second, third] = tranches(project);
    evaluated(&mut play, project, "midterm", "75");
    // Half of 999.90 yuan: 499.95 stay.
    let data = &play.get::<Tranche>(second).data;
    assert_eq!((data.cancelled.fen(), data.left().fen()), (49_995, 49_995));
    for other in [first, third] {
        assert_eq!(play.get::<Tranche>(other).data.cancelled.fen(), 0);
    }
    pay(&mut play, second);
    evaluated(&mut play, project, "final", "60");
    assert_eq!(play.stage(Kind::Tranche, third), "cancelled");
    assert_eq!(play.stage(Kind::Project, project), "closing");
}

/// Thirty points from the report, the rest from experts.
fn from_reports(policy: &mut Value) {
    policy["evaluation"]["automatic"] = json!([{
        "round": "midterm", "key": "output", "title": "指标完成率",
        "bands": [{ "from": "1", "points": "30" }, { "from": "0.5", "points": "15" }, { "from": "0.2", "points": "1" }],
    }]);
}

fn reported(play: &mut Play, project: Uuid, reached: u32) {
    let report = play.fresh();
    let asked = json!({ "project": project, "occasion": "midterm_self_report" });
    play.does(&staff(), Kind::Report, report, "request", asked);
    let body = json!({ "body": { "text": "已开展活动", "reached": { "服务人次": reached } } });
    play.does(&applicant(0), Kind::Report, report, "save", body);
    play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
    play.does(&staff(), Kind::Report, report, "accept", json!({}));
}

#[test]
fn points_for_targets_follow_from_the_accepted_report_by_bands() {
    // Of 600; the lower bound of a band belongs to it.
    for (reached, points, grade) in [
        (Some(700), "30", "优秀"),
        (Some(600), "30", "优秀"),
        (Some(599), "15", "良好"),
        (Some(300), "15", "良好"),
        (Some(299), "1", "合格"),
        (Some(0), "0", "合格"),
        (None, "0", "合格"),
    ] {
        let mut play = with_policy(from_reports);
        let project = active_in(&mut play);
        if let Some(reached) = reached {
            reported(&mut play, project, reached);
        }
        let id = graded(&mut play, project, "midterm", "60");
        let data = &play.get::<Evaluation>(id).data;
        let [one] = data.automatic.as_slice() else {
            panic!("{data:?}");
        };
        assert_eq!(one.points.to_string(), points, "{reached:?}");
        assert_eq!(data.grade.as_deref(), Some(grade), "{reached:?}");
        assert_eq!(
            data.score.clone().unwrap(),
            &Exact::from_integer(60) + &one.points
        );
    }
}

#[test]
fn a_self_report_that_does_not_come_fails_the_project_where_the_policy_says_so() {
    for fails in [false, true] {
        let mut play = with_policy(|policy| {
            policy["evaluation"]["late_report_fails"] = json!(fails);
        });
        let project = active_in(&mut play);
        let report = play.fresh();
        let asked = json!({ "project": project, "occasion": "midterm_self_report" });
        play.does(&staff(), Kind::Report, report, "request", asked);
        play.at("2024-10-20T00:00:00+08:00");
        play.does(&staff(), Kind::Report, report, "expire", json!({}));
        let expected = if fails { "midterm_failed" } else { "active" };
        assert_eq!(play.stage(Kind::Project, project), expected);
    }
}

#[test]
fn a_policy_whose_grades_or_bands_cannot_work_is_refused() {
    let text = include_str!("../../../../docs/examples/wujin-2024.toml");
    let mut policy = serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    policy["evaluation"]["grades"][1]["tail"] = json!("1.01");
    policy["evaluation"]["automatic"] = json!([
        { "round": "roadshow", "key": "a", "title": "甲", "bands": [] },
        { "round": "final", "key": "b", "title": "乙", "bands": [
            { "from": "0.5", "points": "1" }, { "from": "0.2", "points": "2" },
        ]},
    ]);
    policy["changes"]["free_limit"] = json!("0.9");
    policy["tranches"][0]["needs"] = json!({ "least_grade": "合格" });
    policy["tranches"][1]["needs"] = json!({ "least_grade": "卓越" });
    let document: PolicyDocument = serde_json::from_value(policy).unwrap();
    let faults: Vec<String> = document
        .faults()
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    for at in [
        "/tranches/0/needs/least_grade",
        "/tranches/1/needs/least_grade",
        "/evaluation/grades/1/tail",
        "/evaluation/automatic/0/round",
        "/evaluation/automatic/0/bands",
        "/evaluation/automatic/1/bands",
        "/changes/free_limit",
    ] {
        assert!(faults.iter().any(|fault| fault == at), "{at} in {faults:?}");
    }
    assert_eq!(faults.len(), 7, "{faults:?}");
}

proptest! {
    /// Whatever the bands: who scores more never has the worse grade, and a lower bound belongs to its band.
    #[test]
    fn grades_are_monotone_in_scores(
        bounds in prop::collection::btree_set(1..=9_999_i64, 1..6),
        scores in prop::collection::vec(0..=10_000_i64, 2..20),
    ) {
        let hundredths = |value: i64| Exact::ratio(i128::from(value), 100).unwrap();
        let mut grades: Vec<GradeRule> = bounds
            .iter()
            .rev()
            .chain([&0])
            .map(|from| GradeRule {
                name: format!("≥{from}"),
                from: hundredths(*from),
                leads_to: Consequence::Pass,
                tail: None,
                bonus: None,
            })
            .collect();
        grades.dedup_by(|one, other| one.from == other.from);
        let rules = EvaluationRules { grades, ..EvaluationRules::default() };
        let bands = rules.bands();
        let place = |score: i64| {
            let name = grade(&bands, &hundredths(score)).unwrap();
            rules.grades.iter().position(|rule| rule.name == name).unwrap()
        };
        let mut scores = scores;
        scores.extend(&bounds);
        scores.sort_unstable();
        for pair in scores.windows(2) {
            prop_assert!(place(pair[1]) <= place(pair[0]), "{pair:?}");
        }
        for bound in &bounds {
            prop_assert_eq!(&rules.grades[place(*bound)].from, &hundredths(*bound));
        }
    }
}
