//! The public notice and the objections to it.

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::kinds::Kind;
use fundcycle_core::notice::Notice;
use fundcycle_core::objection::Objection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    Bid, CYCLE, EXPERT, OTHER_LEAD, Play, STAFF, applicant, application, bid, expert, lead,
    official, staff, why,
};

const THREE: &[Bid] = &[
    bid(10_000, "90", "90"),
    bid(10_000, "85", "85"),
    bid(10_000, "80", "80"),
];

/// Money for two of three; the notice is published on Wednesday, 11 September 2024.
fn on_notice() -> (Play, Uuid, Uuid) {
    Play::on_notice(THREE, |policy| {
        policy["selection"]["budget"] = json!("20000");
    })
}

/// Through the window: Saturday the 14th is worked, the 15th to the 17th are the Mid-Autumn holiday.
const LAST_MOMENT: &str = "2024-09-18T23:59:59.999+08:00";
const TOO_LATE: &str = "2024-09-19T00:00:00+08:00";

fn objector() -> Value {
    json!({ "kind": "person", "name": "张三", "contact": "13800000000", "signed": true })
}

fn file_body(play: &Play, notice: Uuid, index: usize) -> Value {
    json!({
        "notice": notice, "number": play.number(index), "objector": objector(),
        "facts": "该项目与上年项目重复",
    })
}

/// An objection to bid `index`.
fn filed(play: &mut Play, notice: Uuid, index: usize) -> Uuid {
    let id = play.fresh();
    let body = file_body(play, notice, index);
    play.does(&Actor::public(), Kind::Objection, id, "file", body);
    id
}

/// The same, taken up.
fn accepted(play: &mut Play, notice: Uuid, index: usize) -> Uuid {
    let id = filed(play, notice, index);
    play.does(&staff(), Kind::Objection, id, "accept", json!({}));
    id
}

fn reason() -> Value {
    json!({ "reason": "经核实" })
}

fn close(play: &mut Play, notice: Uuid) {
    play.at(TOO_LATE);
    play.does(&Actor::system(), Kind::Notice, notice, "close", json!({}));
}

#[test]
fn a_notice_shows_the_listed_columns_to_anybody_for_five_working_days() {
    let (mut play, id, _) = on_notice();
    let seen = play.view(&Actor::public(), Kind::Notice, id).unwrap();
    let names: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "contact",
            "ends_at",
            "id",
            "kind",
            "rows",
            "stage",
            "starts_on",
            "title"
        ]
    );
    assert_eq!(seen["starts_on"], "2024-09-11");
    assert_eq!(seen["ends_at"], "2024-09-18T15:59:59.999Z");
    assert_eq!(
        seen["rows"][0],
        json!({
            "number": play.number(0), "title": "项目0", "organisation": "组织0", "domain": "养老服务",
            "rank": 1, "score": "90", "award": 1_000_000,
        })
    );
    assert_eq!(seen["rows"].as_array().unwrap().len(), 2);
    assert_eq!(play.stages(), ["noticing", "noticing", "reserve"]);

    play.at(LAST_MOMENT);
    assert_eq!(
        why(play.ask(&staff(), Kind::Notice, id, "close", json!({}))),
        "window_over"
    );
    close(&mut play, id);
    assert_eq!(play.stages(), ["cleared", "cleared", "reserve"]);
}

#[test]
fn a_notice_is_hidden_until_somebody_else_publishes_it() {
    let (mut play, selection) = Play::announced(THREE, |_| {});
    let id = play.fresh();
    let unknown = json!({ "selection": application(0) });
    assert_eq!(
        why(play.ask(&staff(), Kind::Notice, id, "prepare", unknown)),
        "/selection not_announced"
    );
    let body = json!({ "selection": selection });
    play.does(&staff(), Kind::Notice, id, "prepare", body.clone());
    assert_eq!(play.view(&Actor::public(), Kind::Notice, id), None);
    let second = play.fresh();
    assert_eq!(
        why(play.ask(&staff(), Kind::Notice, second, "prepare", body.clone())),
        "none_prepared"
    );
    let own = official(STAFF, Role::Lead);
    assert_eq!(
        why(play.ask(&own, Kind::Notice, id, "publish", json!({}))),
        "others_prepared_it"
    );
    assert_eq!(
        why(play.ask(&lead(), Kind::Notice, id, "skip", json!({}))),
        "no_notice"
    );
    play.does(&lead(), Kind::Notice, id, "withdraw", json!({}));
    assert_eq!(play.view(&Actor::public(), Kind::Notice, id), None);
    play.does(&staff(), Kind::Notice, second, "prepare", body.clone());
    play.does(&lead(), Kind::Notice, second, "publish", json!({}));
    let third = play.fresh();
    assert_eq!(
        why(play.ask(&staff(), Kind::Notice, third, "prepare", body)),
        "/selection nothing_proposed"
    );
}

#[test]
fn who_withdrew_after_the_preparation_is_not_put_on_the_notice() {
    let (mut play, selection) = Play::announced(THREE, |_| {});
    let id = play.fresh();
    play.does(
        &staff(),
        Kind::Notice,
        id,
        "prepare",
        json!({ "selection": selection }),
    );
    let body = json!({ "reason": "放弃" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    play.does(&lead(), Kind::Notice, id, "publish", json!({}));
    let listed: Vec<String> = play
        .get::<Notice>(id)
        .data
        .rows
        .iter()
        .map(|row| row.number.clone())
        .collect();
    assert_eq!(listed, [play.number(1), play.number(2)]);
    assert_eq!(play.stages(), ["withdrawn", "noticing", "noticing"]);
}

#[test]
fn where_the_policy_has_no_notice_a_lead_lets_everybody_through() {
    let (mut play, selection) =
        Play::announced(THREE, |policy| policy["stages"]["notice"] = json!(false));
    let id = play.fresh();
    play.does(
        &staff(),
        Kind::Notice,
        id,
        "prepare",
        json!({ "selection": selection }),
    );
    assert_eq!(
        why(play.ask(&lead(), Kind::Notice, id, "publish", json!({}))),
        "has_notice"
    );
    play.does(&lead(), Kind::Notice, id, "skip", json!({}));
    assert_eq!(play.stages(), ["cleared"; 3]);
    assert_eq!(play.view(&Actor::public(), Kind::Notice, id), None);
}

#[test]
fn an_objection_has_a_name_facts_and_comes_in_time() {
    let (mut play, notice, _) = on_notice();
    let id = play.fresh();
    let mut anonymous = file_body(&play, notice, 0);
    anonymous["objector"] =
        json!({ "kind": "person", "name": " ", "contact": "", "signed": false });
    anonymous["facts"] = json!("");
    anonymous["number"] = json!(play.number(2));
    assert_eq!(
        why(play.ask(&Actor::public(), Kind::Objection, id, "file", anonymous)),
        "/objector/name required, /objector/contact required, /facts required, \
         /objector/signed anonymous, /number not_on_notice"
    );
    let mut elsewhere = file_body(&play, notice, 0);
    elsewhere["notice"] = json!(application(0));
    assert_eq!(
        why(play.ask(&Actor::public(), Kind::Objection, id, "file", elsewhere)),
        "/notice unknown_notice"
    );
    play.at(LAST_MOMENT);
    let body = file_body(&play, notice, 0);
    play.does(&Actor::public(), Kind::Objection, id, "file", body.clone());
    play.at(TOO_LATE);
    let late = play.fresh();
    assert_eq!(
        why(play.ask(&Actor::public(), Kind::Objection, late, "file", body)),
        "/notice late"
    );
}

#[test]
fn an_upheld_objection_costs_the_award_and_a_reserve_moves_up_with_a_notice_of_its_own() {
    let (mut play, notice, selection) = on_notice();
    let id = accepted(&mut play, notice, 0);
    assert_eq!(play.stages(), ["disputed", "noticing", "reserve"]);
    // Five working days from the 11th, itself not counted.
    let due = play.get::<Objection>(id).data.due.unwrap();
    assert_eq!(due.to_string(), "2024-09-19T15:59:59.999Z");
    assert_eq!(
        why(play.ask(&lead(), Kind::Objection, id, "uphold", reason())),
        "due_passed",
        "nobody loses an award unheard"
    );
    let body = json!({ "statement": "说明" });
    play.does(&applicant(0), Kind::Objection, id, "answer", body);
    play.does(&lead(), Kind::Objection, id, "uphold", reason());
    assert_eq!(play.stages(), ["cancelled", "noticing", "reserve"]);

    let body = json!({ "application": application(2), "award": 1_000_000, "reason": "递补" });
    play.does(&lead(), Kind::Selection, selection, "promote", body);
    let own = play.fresh();
    play.does(
        &staff(),
        Kind::Notice,
        own,
        "prepare",
        json!({ "selection": selection }),
    );
    play.does(&lead(), Kind::Notice, own, "publish", json!({}));
    assert_eq!(play.get::<Notice>(own).data.rows.len(), 1);
    assert_eq!(play.stages(), ["cancelled", "noticing", "noticing"]);
    close(&mut play, notice);
    assert_eq!(play.stages(), ["cancelled", "cleared", "noticing"]);
}

#[test]
fn who_does_not_answer_in_time_can_lose_the_award_unheard() {
    let (mut play, notice, _) = on_notice();
    let id = accepted(&mut play, notice, 0);
    close(&mut play, notice);
    assert_eq!(
        play.stages(),
        ["disputed", "cleared", "reserve"],
        "only the disputed one waits"
    );
    play.at("2024-09-20T09:00:00+08:00");
    play.does(&lead(), Kind::Objection, id, "uphold", reason());
    assert_eq!(play.stages(), ["cancelled", "cleared", "reserve"]);
}

#[test]
fn a_dismissed_objection_releases_the_award_and_after_the_notice_lets_it_through() {
    let (mut play, notice, _) = on_notice();
    let during = accepted(&mut play, notice, 0);
    let after = accepted(&mut play, notice, 1);
    play.does(&lead(), Kind::Objection, during, "dismiss", reason());
    assert_eq!(play.stages(), ["noticing", "disputed", "reserve"]);
    close(&mut play, notice);
    assert_eq!(play.stages(), ["cleared", "disputed", "reserve"]);
    let facts = play.does(&lead(), Kind::Objection, after, "dismiss", reason());
    assert_eq!(facts.len(), 3, "dismissed, released, through");
    assert_eq!(play.stages(), ["cleared", "cleared", "reserve"]);
}

#[test]
fn several_objections_hold_an_award_until_the_last_one_is_decided() {
    let (mut play, notice, _) = on_notice();
    let first = accepted(&mut play, notice, 0);
    let second = accepted(&mut play, notice, 0);
    let unread = filed(&mut play, notice, 0);
    play.does(&lead(), Kind::Objection, first, "dismiss", reason());
    assert_eq!(play.stages()[0], "disputed");
    close(&mut play, notice);
    play.does(&staff(), Kind::Objection, second, "withdraw", reason());
    assert_eq!(play.stages()[0], "noticing", "one has not been read yet");
    play.does(&staff(), Kind::Objection, unread, "refuse", reason());
    assert_eq!(play.stages()[0], "cleared");
}

#[test]
fn an_objection_that_nobody_read_keeps_its_award_from_going_through_with_the_notice() {
    let (mut play, notice, _) = on_notice();
    let unread = filed(&mut play, notice, 0);
    close(&mut play, notice);
    assert_eq!(play.stages(), ["noticing", "cleared", "reserve"]);
    play.does(&staff(), Kind::Objection, unread, "accept", json!({}));
    assert_eq!(play.stages()[0], "disputed");
}

#[test]
fn once_an_award_is_lost_or_withdrawn_other_objections_end_without_touching_it() {
    let (mut play, notice, _) = on_notice();
    let first = accepted(&mut play, notice, 0);
    let second = accepted(&mut play, notice, 0);
    let unread = filed(&mut play, notice, 0);
    let body = json!({ "reason": "放弃" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    assert_eq!(
        why(play.ask(&staff(), Kind::Objection, unread, "accept", json!({}))),
        "on_notice"
    );
    let body = json!({ "statement": "已放弃" });
    play.does(&applicant(0), Kind::Objection, first, "answer", body);
    assert_eq!(
        why(play.ask(&lead(), Kind::Objection, first, "uphold", reason())),
        "disputed"
    );
    for id in [first, second] {
        let facts = play.does(&lead(), Kind::Objection, id, "dismiss", reason());
        assert_eq!(facts.len(), 1);
    }
    assert_eq!(play.stages()[0], "withdrawn");
}

#[test]
fn who_scored_an_application_does_not_rule_on_it() {
    let (mut play, notice, _) = on_notice();
    let id = accepted(&mut play, notice, 0);
    let judge = official(EXPERT, Role::Lead);
    for verb in ["uphold", "dismiss"] {
        let outcome = why(play.ask(&judge, Kind::Objection, id, verb, reason()));
        assert!(outcome.contains("not_a_scorer"), "{verb}: {outcome}");
    }
    let other = official(OTHER_LEAD, Role::Lead);
    play.does(&other, Kind::Objection, id, "dismiss", reason());
}

#[test]
fn the_applicant_reads_the_facts_once_taken_up_and_never_who_raised_them() {
    let (mut play, notice, _) = on_notice();
    let id = filed(&mut play, notice, 0);
    assert_eq!(play.view(&applicant(0), Kind::Objection, id), None);
    play.does(&staff(), Kind::Objection, id, "accept", json!({}));
    let seen = play.view(&applicant(0), Kind::Objection, id).unwrap();
    assert_eq!(seen["facts"], "该项目与上年项目重复");
    assert!(seen.contains_key("due") && !seen.contains_key("objector"));
    assert!(!serde_json::to_string(&seen).unwrap().contains("张三"));
    for other in [applicant(1), expert(), Actor::public()] {
        assert_eq!(play.view(&other, Kind::Objection, id), None);
    }
}

#[test]
fn awards_wait_until_the_list_is_announced_and_through_the_notice() {
    let launch =
        |play: &mut Play| why(play.ask(&staff(), Kind::Cycle, CYCLE, "open_launch", json!({})));
    let mut play = Play::at_selection(THREE, |_| {});
    assert_eq!(launch(&mut play), "selection_announced");
    let (mut play, notice, _) = on_notice();
    assert_eq!(launch(&mut play), "notices_over, list_settled");
    let id = accepted(&mut play, notice, 0);
    close(&mut play, notice);
    assert_eq!(launch(&mut play), "list_settled");
    play.does(&lead(), Kind::Objection, id, "dismiss", reason());
    play.does(&staff(), Kind::Cycle, CYCLE, "open_launch", json!({}));
    assert_eq!(play.stage(Kind::Cycle, CYCLE), "launch");
}
