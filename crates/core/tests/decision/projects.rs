//! Projects from the refined plan to the close, and every way they leave that line.

use fundcycle_core::actor::Actor;
use fundcycle_core::calendar::DayKind;
use fundcycle_core::evaluation::Evaluation;
use fundcycle_core::kinds::Kind;
use fundcycle_core::project::Project;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, EXPERT, Play, applicant, expert, lead, staff, why};
use crate::running::{
    AWARD, accepted, active, active_in, agreement, at_launch, because, evaluated, finance,
    launched, line, opened, other_lead, pay, plan, scored, signed, tranches, with_policy,
};

fn does(play: &mut Play, actor: &Actor, id: Uuid, verb: &str, body: Value) {
    play.does(actor, Kind::Project, id, verb, body);
}

fn refused(play: &mut Play, actor: &Actor, id: Uuid, verb: &str, body: Value) -> String {
    why(play.ask(actor, Kind::Project, id, verb, body))
}

fn stage(play: &Play, id: Uuid) -> &'static str {
    play.stage(Kind::Project, id)
}

/// Graded under the policy of Wujin: from 60 passes, from 50 rectifies, below fails.
fn grade(play: &Play, evaluation: Uuid) -> String {
    let data = &play.get::<Evaluation>(evaluation).data;
    data.grade.clone().unwrap()
}

#[test]
fn a_project_goes_from_its_plan_to_its_close_and_the_cycle_with_it() {
    let (mut play, id) = active();
    let [first, second, third] = tranches(id);
    pay(&mut play, first);
    evaluated(&mut play, id, "midterm", "92");
    pay(&mut play, second);
    evaluated(&mut play, id, "final", "88");
    assert_eq!(stage(&play, id), "closing");

    let close = |play: &mut Play| play.ask(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
    assert_eq!(
        refused(&mut play, &staff(), id, "close", json!({})),
        "tranches_settled, nothing_owed"
    );
    pay(&mut play, third);
    does(
        &mut play,
        &staff(),
        id,
        "accept_spend",
        json!({ "amount": AWARD - 1_234 }),
    );
    assert_eq!(
        refused(&mut play, &staff(), id, "close", json!({})),
        "nothing_owed"
    );
    let refund = |amount: i64| json!({ "amount": amount, "voucher": "退-1" });
    for amount in [0, 1_235] {
        let why = refused(&mut play, &finance(), id, "record_refund", refund(amount));
        assert_eq!(why, "/amount range");
    }
    does(&mut play, &finance(), id, "record_refund", refund(1_234));
    assert_eq!(why(close(&mut play)), "projects_ended");
    does(&mut play, &staff(), id, "close", json!({}));
    assert_eq!(stage(&play, id), "closed");
    assert_eq!(play.get::<Project>(id).data.refunded.fen(), 1_234);
    close(&mut play).unwrap();
    assert_eq!(play.stage(Kind::Cycle, CYCLE), "closed");
}

#[test]
fn a_plan_spends_the_award_exactly_and_may_be_sent_back() {
    let mut play = at_launch();
    let id = accepted(&mut play, 0);
    let mut faulty = plan(AWARD - 1);
    faulty["plan"]["text"] = json!("  ");
    faulty["plan"]["targets"] = json!([]);
    assert_eq!(
        refused(&mut play, &applicant(0), id, "submit_plan", faulty),
        "/plan/text required, /plan/budget sum, /plan/targets required"
    );
    let mut faulty = plan(AWARD);
    faulty["plan"]["budget"][0]["unit_price"] = json!(-1);
    assert_eq!(
        refused(&mut play, &applicant(0), id, "submit_plan", faulty),
        "/plan/budget/0 amount, /plan/budget sum"
    );
    does(&mut play, &applicant(0), id, "submit_plan", plan(AWARD));
    does(&mut play, &staff(), id, "return_plan", because());
    assert_eq!(stage(&play, id), "refining");
    does(&mut play, &applicant(0), id, "submit_plan", plan(AWARD));
    does(&mut play, &staff(), id, "approve_plan", json!({}));
    assert_eq!(play.get::<Project>(id).data.plan_version, 2);
}

#[test]
fn an_agreement_names_its_parties_and_prints_the_amount_in_capitals() {
    let mut play = at_launch();
    let id = accepted(&mut play, 0);
    does(&mut play, &applicant(0), id, "submit_plan", plan(AWARD));
    does(&mut play, &staff(), id, "approve_plan", json!({}));
    let faulty = json!({ "parties": ["甲方"], "signed_on": "2024-09-20", "number": "" });
    assert_eq!(
        refused(&mut play, &staff(), id, "sign", faulty),
        "/number required, /parties too_few, /signed_on in_future"
    );
    does(&mut play, &staff(), id, "sign", agreement());
    let data = &play.get::<Project>(id).data;
    let signed = data.agreement.as_ref().unwrap();
    assert_eq!(signed.amount.fen(), AWARD);
    assert_eq!(signed.amount_in_capitals, "叁仟叁佰叁拾叁元整");
    assert_eq!(data.launch_by.unwrap().to_string(), "2024-11-18");
}

#[test]
fn a_launch_may_be_on_any_kind_of_day_but_not_before_it_has_come() {
    let mut play = at_launch();
    let id = signed(&mut play, 0);
    assert_eq!(
        refused(&mut play, &staff(), id, "launch", json!({})),
        "launch_day_come"
    );
    let holiday =
        json!({ "date": "2024-10-07", "venue": "星河社区", "host": "街道", "guests": ["居民"] });
    does(&mut play, &applicant(0), id, "schedule_launch", holiday);
    let launch = play.get::<Project>(id).data.launch.clone().unwrap();
    assert_eq!(launch.day_kind, Some(DayKind::Holiday));
    does(
        &mut play,
        &staff(),
        id,
        "schedule_launch",
        json!({ "date": "2024-09-29" }),
    );
    let launch = play.get::<Project>(id).data.launch.clone().unwrap();
    assert_eq!(
        (launch.day_kind, launch.venue),
        (Some(DayKind::MakeUpWorking), None)
    );

    play.at("2024-09-28T23:59:59.999+08:00");
    assert_eq!(
        refused(&mut play, &staff(), id, "launch", json!({})),
        "launch_day_come"
    );
    play.at("2024-09-29T00:00:00+08:00");
    does(&mut play, &staff(), id, "launch", json!({}));
    // A year whose holidays are not announced yet is no obstacle.
    let mut play = at_launch();
    let id = signed(&mut play, 0);
    does(
        &mut play,
        &staff(),
        id,
        "schedule_launch",
        json!({ "date": "2031-01-01" }),
    );
    assert_eq!(
        play.get::<Project>(id)
            .data
            .launch
            .clone()
            .unwrap()
            .day_kind,
        None
    );
}

#[test]
fn the_public_sees_of_a_project_its_launch_and_nothing_before_it() {
    let mut play = at_launch();
    let id = signed(&mut play, 0);
    assert_eq!(play.view(&Actor::public(), Kind::Project, id), None);
    let body = json!({ "date": "2024-09-19", "venue": "武进区文化馆", "guests": ["张三"] });
    does(&mut play, &staff(), id, "schedule_launch", body);
    does(&mut play, &staff(), id, "launch", json!({}));
    let seen = play.view(&Actor::public(), Kind::Project, id).unwrap();
    let expected = json!({
        "id": id, "kind": "project", "stage": "launched", "title": "项目0", "organisation_name": "组织0",
        "launch": { "date": "2024-09-19", "day_kind": "working", "venue": "武进区文化馆" },
    });
    assert_eq!(Value::Object(seen), expected);
    does(&mut play, &lead(), id, "suspend", because());
    assert_eq!(play.view(&Actor::public(), Kind::Project, id), None);
    let own = play.view(&applicant(0), Kind::Project, id).unwrap();
    assert_eq!(own["reason"], "经核实");
}

#[test]
fn a_suspended_project_goes_on_exactly_where_it_was() {
    let mut play = at_launch();
    let there_and_back = |play: &mut Play, id: Uuid, expected: &str| {
        assert_eq!(stage(play, id), expected);
        assert_eq!(
            refused(play, &lead(), id, "suspend", json!({ "reason": "" })),
            "/reason required"
        );
        does(play, &lead(), id, "suspend", because());
        assert_eq!(stage(play, id), "suspended");
        let data = &play.get::<Project>(id).data;
        assert_eq!(data.was.unwrap().to_string(), expected);
        does(play, &lead(), id, "resume", because());
        assert_eq!(stage(play, id), expected);
        assert_eq!(play.get::<Project>(id).data.was, None);
    };
    let id = signed(&mut play, 0);
    there_and_back(&mut play, id, "signed");
    let mut play = at_launch();
    let id = launched(&mut play, 0);
    there_and_back(&mut play, id, "launched");
    let mut play = at_launch();
    let id = active_in(&mut play);
    there_and_back(&mut play, id, "active");
    let evaluation = opened(&mut play, id, "midterm");
    there_and_back(&mut play, id, "midterm_due");
    let panel = scored(&mut play, id, "midterm", "55");
    play.does(
        &staff(),
        Kind::Evaluation,
        evaluation,
        "grade",
        json!({ "panel": panel }),
    );
    // A suspended project is not judged either.
    does(&mut play, &lead(), id, "suspend", because());
    let publish = play.ask(&lead(), Kind::Evaluation, evaluation, "publish", json!({}));
    assert_eq!(why(publish), "not from suspended");
    assert_eq!(play.stage(Kind::Evaluation, evaluation), "graded");
    does(&mut play, &lead(), id, "resume", because());
    play.does(&lead(), Kind::Evaluation, evaluation, "publish", json!({}));
    there_and_back(&mut play, id, "rectifying");
    evaluated(&mut play, id, "midterm", "80");
    opened(&mut play, id, "final");
    there_and_back(&mut play, id, "final_due");
    let (mut play, id) = active();
    evaluated(&mut play, id, "midterm", "80");
    evaluated(&mut play, id, "final", "80");
    there_and_back(&mut play, id, "closing");
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
fn a_project_that_fails_half_way_is_stopped_and_what_it_did_not_spend_comes_back_or_is_written_off()
{
    let (mut play, id) = active();
    let [first, second, third] = tranches(id);
    pay(&mut play, first);
    evaluated(&mut play, id, "midterm", "30");
    let ground = json!({ "ground": "failed_evaluation", "reason": "中期评估不通过" });
    does(&mut play, &lead(), id, "terminate", ground);
    for open in [second, third] {
        assert_eq!(play.stage(Kind::Tranche, open), "cancelled");
    }
    for amount in [-1, 166_651] {
        let body = json!({ "amount": amount });
        assert_eq!(
            refused(&mut play, &staff(), id, "accept_spend", body),
            "/amount range"
        );
    }
    does(
        &mut play,
        &staff(),
        id,
        "accept_spend",
        json!({ "amount": 100_000 }),
    );
    let due = |day: &str| json!({ "due_on": day });
    assert_eq!(
        refused(&mut play, &staff(), id, "recover", due("2024-09-19")),
        "/due_on not_later"
    );
    does(&mut play, &staff(), id, "recover", due("2024-10-15"));
    let data = &play.get::<Project>(id).data;
    assert_eq!(data.demand.as_ref().unwrap().amount.fen(), 66_650);

    let mut unpaid = play.clone();
    let part = |amount: i64| json!({ "amount": amount, "voucher": "退" });
    does(&mut play, &finance(), id, "record_refund", part(60_000));
    assert_eq!(
        refused(&mut play, &finance(), id, "confirm_recovery", json!({})),
        "nothing_owed"
    );
    does(&mut play, &finance(), id, "record_refund", part(6_650));
    assert_eq!(
        refused(&mut play, &lead(), id, "write_off", because()),
        "something_owed"
    );
    does(&mut play, &finance(), id, "confirm_recovery", json!({}));
    assert_eq!(stage(&play, id), "recovered");

    let close = unpaid.ask(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
    assert_eq!(why(close), "projects_ended");
    does(&mut unpaid, &lead(), id, "write_off", because());
    assert_eq!(unpaid.get::<Project>(id).data.written_off.fen(), 66_650);
    unpaid.does(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
}

#[test]
fn a_project_that_fails_at_the_end_gets_no_tail_and_ends_without_debt_if_all_was_spent_as_agreed() {
    let (mut play, id) = active();
    let [first, second, third] = tranches(id);
    pay(&mut play, first);
    evaluated(&mut play, id, "midterm", "70");
    pay(&mut play, second);
    evaluated(&mut play, id, "final", "10");
    assert_eq!(stage(&play, id), "final_failed");
    let ground = json!({ "ground": "failed_evaluation", "reason": "末期评估不通过" });
    does(&mut play, &lead(), id, "terminate", ground);
    assert_eq!(play.stage(Kind::Tranche, third), "cancelled");
    let close = play.ask(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
    assert_eq!(why(close), "projects_ended");
    does(
        &mut play,
        &staff(),
        id,
        "accept_spend",
        json!({ "amount": 266_640 }),
    );
    assert_eq!(
        refused(
            &mut play,
            &staff(),
            id,
            "recover",
            json!({ "due_on": "2024-10-15" })
        ),
        "something_owed"
    );
    play.does(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
}

#[test]
fn a_cycle_does_not_close_while_a_cleared_application_has_no_award() {
    let mut play = at_launch();
    play.does(&staff(), Kind::Cycle, CYCLE, "open_evaluation", json!({}));
    let close = play.ask(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
    assert_eq!(why(close), "nothing_cleared");
}

#[test]
fn a_grade_is_published_by_somebody_else_and_known_to_the_organisation_from_then_on() {
    let (mut play, id) = active();
    let evaluation = opened(&mut play, id, "midterm");
    let panel = scored(&mut play, id, "midterm", "80");
    let graded = json!({ "panel": panel });
    let one = crate::play::official(501, fundcycle_core::actor::Role::Staff);
    let mut both = one.clone();
    both.grants
        .extend(crate::play::official(501, fundcycle_core::actor::Role::Lead).grants);
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
    let mut viewer = fundcycle_core::visibility::Viewer::new(expert());
    let state = fundcycle_core::kinds::State::Project(play.get::<Project>(id).clone());
    // Having read the application does not show the project.
    viewer
        .assigned
        .insert(play.get::<Project>(id).data.application.unwrap());
    assert!(!viewer.view(&state).unwrap().contains_key("plan"));
    viewer.assigned.insert(id);
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

/// The budget of the plan with `fen` moved from activities to people.
fn moved(fen: i64) -> Value {
    json!([
        line("活动", AWARD - 100_000 - fen),
        line("人员", 100_000 + fen)
    ])
}

fn filed(play: &mut Play, project: Uuid, budget: Value) -> Uuid {
    let id = play.fresh();
    let body = json!({ "project": project, "change": {
        "subject": "budget", "old": "原预算", "new": "新预算", "budget": budget, "reason": "人工成本上涨",
    }});
    play.does(&applicant(0), Kind::ChangeRequest, id, "file", body);
    id
}

#[test]
fn staff_approve_changes_up_to_the_limit_of_the_policy_and_a_lead_beyond_it() {
    let (mut play, project) = active();
    let approve = |play: &mut Play, who: &Actor, id: Uuid| {
        play.ask(who, Kind::ChangeRequest, id, "approve", json!({}))
    };
    // A tenth of the award.
    let over = filed(&mut play, project, moved(33_331));
    assert_eq!(
        why(approve(&mut play, &staff(), over)),
        "within_staff_limit"
    );
    let exact = filed(&mut play, project, moved(33_330));
    approve(&mut play, &staff(), exact).unwrap();
    let data = &play.get::<Project>(project).data;
    assert_eq!((data.plan_version, data.changes.len()), (2, 1));
    let people = &data.plan.as_ref().unwrap().budget[1];
    assert_eq!(people.unit_price.fen(), 133_330);

    // Written against a plan that is no more.
    assert_eq!(why(approve(&mut play, &lead(), over)), "plan_unchanged");
    play.does(&staff(), Kind::ChangeRequest, over, "refuse", because());
    let over = filed(&mut play, project, moved(99_999));
    approve(&mut play, &lead(), over).unwrap();
    assert_eq!(play.get::<Project>(project).data.plan_version, 3);
}

#[test]
fn a_change_of_the_total_is_refused_and_one_may_be_taken_back() {
    let (mut play, project) = active();
    let id = play.fresh();
    let file = |play: &mut Play, who: &Actor, change: Value| {
        let body = json!({ "project": project, "change": change });
        play.ask(who, Kind::ChangeRequest, id, "file", body)
    };
    let more = json!({
        "subject": "budget", "old": "原", "new": "新", "reason": "", "budget": [line("活动", AWARD + 1)],
    });
    assert_eq!(
        why(file(&mut play, &applicant(0), more)),
        "/change/reason required, /change/budget sum"
    );
    let none = json!({ "subject": "indicators", "old": "原", "new": "新", "reason": "招募较慢" });
    assert_eq!(
        why(file(&mut play, &applicant(0), none)),
        "/change/targets required"
    );
    let longer = json!({
        "subject": "schedule", "old": "六月", "new": "七月", "reason": "招募较慢", "ends_on": "2025-07-31",
    });
    assert_eq!(
        why(file(&mut play, &applicant(1), longer.clone())),
        "forbidden"
    );
    file(&mut play, &applicant(0), longer).unwrap();
    let mut withdrawn = play.clone();
    withdrawn.does(
        &applicant(0),
        Kind::ChangeRequest,
        id,
        "withdraw",
        json!({}),
    );
    assert_eq!(withdrawn.get::<Project>(project).data.plan_version, 1);
    play.does(&staff(), Kind::ChangeRequest, id, "approve", json!({}));
    let plan = play.get::<Project>(project).data.plan.clone().unwrap();
    assert_eq!(plan.ends_on.unwrap().to_string(), "2025-07-31");
}
