//! Projects from the refined plan to the close, and every way they leave that line.

use fundcycle_core::actor::Actor;
use fundcycle_core::application::form::Indicator;
use fundcycle_core::calendar::DayKind;
use fundcycle_core::kinds::Kind;
use fundcycle_core::money::Money;
use fundcycle_core::project::Project;
use fundcycle_core::project::plan::lowered;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, Play, applicant, lead, staff, why};
use crate::running::{
    AWARD, accepted, active, active_in, agreement, at_launch, because, evaluated, finance,
    launched, line, opened, pay, plan, scored, signed, tranches, with_policy,
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
fn targets_fall_at_most_with_the_award_or_a_lead_approves_it() {
    let mut play = at_launch();
    let id = accepted(&mut play, 0);
    let mut lower = plan(AWARD);
    lower["plan"]["targets"][0]["target"] = json!(599);
    does(&mut play, &applicant(0), id, "submit_plan", lower);
    let data = &play.get::<Project>(id).data;
    let found = &data.lowered_targets[0];
    assert_eq!((found.asked, found.planned, found.least), (600, 599, 600));
    assert_eq!(
        refused(&mut play, &staff(), id, "approve_plan", json!({})),
        "targets_kept"
    );
    does(&mut play, &lead(), id, "approve_plan", json!({}));

    let target = |name: &str, target| Indicator {
        name: name.to_owned(),
        target,
        unit: "人次".to_owned(),
    };
    let fen = Money::from_fen;
    let asked = [target("服务人次", 100), target("培训", 3)];
    // Cut by a third: 66.7 of 100 and 2 of 3.
    let kept = [target("服务人次", 66), target("培训", 2)];
    assert_eq!(lowered(&asked, &kept, fen(20_000), fen(30_000)), []);
    let less = [target("服务人次", 65)];
    let names = lowered(&asked, &less, fen(20_000), fen(30_000));
    let names: Vec<_> = names
        .iter()
        .map(|one| (one.name.as_str(), one.planned, one.least))
        .collect();
    assert_eq!(names, [("服务人次", 65, 66), ("培训", 0, 2)]);
}

#[test]
fn a_budget_beyond_a_cap_is_refused_or_shown_as_the_policy_says() {
    let mut play = with_policy(|policy| {
        policy["budget_rules"] = json!([
            { "category": "人员", "max_ratio": "0.3", "severity": "block" },
            { "category": "活动", "max_amount": "2000", "severity": "warn" },
        ]);
    });
    let id = accepted(&mut play, 0);
    // 1000 yuan of 3333 are a little more than three tenths.
    assert_eq!(
        refused(&mut play, &applicant(0), id, "submit_plan", plan(AWARD)),
        "/plan/budget budget_rule_block"
    );
    let mut within = plan(AWARD);
    within["plan"]["budget"] = json!([line("活动", AWARD - 99_990), line("人员", 99_990)]);
    does(&mut play, &applicant(0), id, "submit_plan", within);
    let over = &play.get::<Project>(id).data.over_caps;
    let over: Vec<_> = over
        .iter()
        .map(|one| (one.category.as_str(), one.planned.fen(), one.most.fen()))
        .collect();
    assert_eq!(over, [("活动", 233_310, 200_000)]);
}

#[test]
fn who_signed_for_each_party_is_recorded() {
    let mut play = at_launch();
    let id = accepted(&mut play, 0);
    does(&mut play, &applicant(0), id, "submit_plan", plan(AWARD));
    does(&mut play, &staff(), id, "approve_plan", json!({}));
    let mut body = agreement();
    body["signatures"] = json!([{ "party": "街道", "name": "张三", "signed_on": "2024-09-20" }]);
    assert_eq!(
        refused(&mut play, &staff(), id, "sign", body.clone()),
        "/signatures/0/party unknown, /signatures/0/signed_on after_agreement, /signatures missing"
    );
    body["signatures"] = json!([
        { "party": "武进区民政局", "name": "李四", "signed_on": "2024-09-18" },
        { "party": "组织", "name": "张三", "signed_on": "2024-09-19" },
    ]);
    does(&mut play, &staff(), id, "sign", body);
    let data = &play.get::<Project>(id).data;
    assert_eq!(data.agreement.as_ref().unwrap().signatures[1].name, "张三");
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
        "something_owed, write_off_proposed"
    );
    does(&mut play, &finance(), id, "confirm_recovery", json!({}));
    assert_eq!(stage(&play, id), "recovered");

    let close = unpaid.ask(&lead(), Kind::Cycle, CYCLE, "close", json!({}));
    assert_eq!(why(close), "projects_ended");
    assert_eq!(
        refused(&mut unpaid, &lead(), id, "write_off", because()),
        "write_off_proposed"
    );
    does(&mut unpaid, &staff(), id, "propose_write_off", because());
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
