//! Grades half-way and at the end, and what they lead to.

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::project::Project;
use fundcycle_core::standing::Blinding;
use fundcycle_core::visibility::Viewer;
use serde_json::json;
use uuid::Uuid;

use crate::play::{EXPERT, Play, applicant, expert, lead, official, staff, why};
use crate::running::{
    active, active_in, because, evaluated, opened, other_lead, scored, with_policy,
};

fn stage(play: &Play, id: Uuid) -> &'static str {
    play.stage(Kind::Project, id)
}

/// Graded under the policy of Wujin: from 60 passes, from 50 rectifies, below fails.
fn grade(play: &Play, evaluation: Uuid) -> String {
    let data = &play.get::<Evaluation>(evaluation).data;
    data.grade.clone().unwrap()
}

#[test]
fn a_conditional_grade_is_put_right_and_assessed_once_more_and_no_third_time() {
    let (mut play, id) = active();
    evaluated(&mut play, id, "midterm", "59.99");
    assert_eq!(stage(&play, id), "rectifying");
    let due = play.get::<Project>(id).data.rectifications[0].due;
    assert_eq!(due, "2024-10-15T23:59:59.999+08:00".parse().unwrap());
    let final_too_early = json!({ "project": id, "round": "final" });
    let fresh = play.fresh();
    let outcome = play.ask(&staff(), Kind::Evaluation, fresh, "open", final_too_early);
    assert_eq!(why(outcome), "rectifies_final");
    let mut passes = play.clone();
    let again = evaluated(&mut play, id, "midterm", "59.99");
    assert_eq!(grade(&play, again), "需整改");
    assert_eq!(stage(&play, id), "midterm_failed");

    evaluated(&mut passes, id, "midterm", "60");
    assert_eq!(stage(&passes, id), "active");
    // The final evaluation has a re-check of its own.
    evaluated(&mut passes, id, "final", "50");
    assert_eq!(stage(&passes, id), "rectifying");
    evaluated(&mut passes, id, "final", "75");
    assert_eq!(stage(&passes, id), "closing");
}

#[test]
fn grades_follow_the_bands_with_the_lower_bound_included() {
    for (mark, expected, to) in [
        ("90", "优秀", "active"),
        ("89.99", "良好", "active"),
        ("60", "合格", "active"),
        // Printed, and counted, as 60.00.
        ("59.995", "合格", "active"),
        ("59.994", "需整改", "rectifying"),
        ("50", "需整改", "rectifying"),
        ("49.99", "不合格", "midterm_failed"),
        ("0", "不合格", "midterm_failed"),
    ] {
        let (mut play, id) = active();
        let evaluation = evaluated(&mut play, id, "midterm", mark);
        assert_eq!(
            (grade(&play, evaluation).as_str(), stage(&play, id)),
            (expected, to),
            "{mark}"
        );
    }
}

#[test]
fn a_grade_is_published_by_somebody_else_and_known_to_the_organisation_from_then_on() {
    let (mut play, id) = active();
    let evaluation = opened(&mut play, id, "midterm");
    let panel = scored(&mut play, id, "midterm", "80");
    let graded = json!({ "panel": panel });
    let one = official(501, Role::Staff);
    let mut both = one.clone();
    both.grants.extend(official(501, Role::Lead).grants);
    play.does(&one, Kind::Evaluation, evaluation, "grade", graded.clone());
    let publish = |play: &mut Play, who: &Actor| {
        play.ask(who, Kind::Evaluation, evaluation, "publish", json!({}))
    };
    assert_eq!(why(publish(&mut play, &both)), "other_than_grader");
    play.does(&lead(), Kind::Evaluation, evaluation, "regrade", because());
    assert_eq!(play.get::<Evaluation>(evaluation).data.score, None);
    play.does(&one, Kind::Evaluation, evaluation, "grade", graded);
    assert_eq!(play.view(&applicant(0), Kind::Evaluation, evaluation), None);
    publish(&mut play, &other_lead()).unwrap();
    let seen = play
        .view(&applicant(0), Kind::Evaluation, evaluation)
        .unwrap();
    assert_eq!(seen["grade"], "良好");
    assert!(!seen.contains_key("graded_by") && !seen.contains_key("panel"));
}

#[test]
fn an_evaluation_takes_only_a_closed_panel_of_its_round_that_scored_after_it_began() {
    let (mut play, id) = active();
    let first = opened(&mut play, id, "midterm");
    let grade = |play: &mut Play, evaluation: Uuid, panel: Uuid| {
        play.ask(
            &staff(),
            Kind::Evaluation,
            evaluation,
            "grade",
            json!({ "panel": panel }),
        )
    };
    assert_eq!(
        why(grade(&mut play, first, Uuid::nil())),
        "/panel no_result"
    );
    let panel = scored(&mut play, id, "midterm", "55");
    grade(&mut play, first, panel).unwrap();
    play.does(&lead(), Kind::Evaluation, first, "publish", json!({}));
    play.at("2024-10-16T09:00:00+08:00");
    let second = opened(&mut play, id, "midterm");
    assert_eq!(why(grade(&mut play, second, panel)), "/panel no_result");
    for (round, refusal) in [
        ("roadshow", "/round not_of_projects"),
        ("midterm", "not from midterm_due"),
    ] {
        let fresh = play.fresh();
        let body = json!({ "project": id, "round": round });
        assert_eq!(
            why(play.ask(&staff(), Kind::Evaluation, fresh, "open", body)),
            refusal
        );
    }
}

#[test]
fn experts_are_given_projects_under_evaluation_only_and_see_their_plan_while_they_score() {
    let (mut play, id) = active();
    let (panel, person) = (play.fresh(), Uuid::from_u128(EXPERT));
    let body = json!({ "round": "midterm", "experts": [person] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let pairs = json!({ "pairs": [{ "expert": person, "subject": id }] });
    let early = play.ask(&staff(), Kind::Panel, panel, "assign", pairs.clone());
    assert_eq!(why(early), "/pairs/0/subject not_in_round");
    opened(&mut play, id, "midterm");
    play.does(&staff(), Kind::Panel, panel, "assign", pairs);
    let mut viewer = Viewer::new(expert());
    let state = State::Project(play.get::<Project>(id).clone());
    // Having read the application does not show the project.
    viewer.standing.assigned.insert(
        play.get::<Project>(id).data.application.unwrap(),
        Blinding::Shown,
    );
    assert!(!viewer.view(&state).unwrap().contains_key("plan"));
    viewer.standing.assigned.insert(id, Blinding::Shown);
    let seen = viewer.view(&state).unwrap();
    assert!(seen.contains_key("plan") && !seen.contains_key("agreement"));
}

#[test]
fn a_cycle_without_a_mid_term_goes_straight_to_the_final_evaluation() {
    let mut play = with_policy(|policy| {
        policy["stages"] = json!({ "midterm": false });
        policy["rounds"].as_object_mut().unwrap().remove("midterm");
        policy["tranches"][1]["after"] = json!("final");
    });
    let id = active_in(&mut play);
    let fresh = play.fresh();
    let body = json!({ "project": id, "round": "midterm" });
    assert_eq!(
        why(play.ask(&staff(), Kind::Evaluation, fresh, "open", body)),
        "has_midterm"
    );
    evaluated(&mut play, id, "final", "80");
    assert_eq!(stage(&play, id), "closing");

    let (mut play, id) = active();
    let body = json!({ "project": id, "round": "final" });
    assert_eq!(
        why(play.ask(&staff(), Kind::Evaluation, fresh, "open", body)),
        "midterm_behind"
    );
}

#[test]
fn a_panel_whose_only_sheet_has_an_interest_that_came_to_light_late_does_not_close() {
    let (mut play, id) = active();
    opened(&mut play, id, "midterm");
    let panel = scored(&mut play, id, "midterm", "80");
    play.does(&lead(), Kind::Panel, panel, "reopen", because());
    let person = fundcycle_core::expert::id_of(Uuid::from_u128(EXPERT));
    let organisation = play.get::<Project>(id).data.organisation;
    let body = json!({ "organisations": [organisation], "ground": "亲属" });
    play.does(&expert(), Kind::Expert, person, "declare_conflicts", body);
    let close = |play: &mut Play| play.ask(&staff(), Kind::Panel, panel, "close", json!({}));
    assert_eq!(why(close(&mut play)), " quorum");
}

#[test]
fn a_panel_is_not_reopened_without_a_reason() {
    let (mut play, id) = active();
    opened(&mut play, id, "midterm");
    let panel = scored(&mut play, id, "midterm", "80");
    let blank = json!({ "reason": " " });
    let outcome = play.ask(&lead(), Kind::Panel, panel, "reopen", blank);
    assert_eq!(why(outcome), "/reason required");
}
