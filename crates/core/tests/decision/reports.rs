//! Reports of running projects.

use fundcycle_core::actor::Actor;
use fundcycle_core::kinds::Kind;
use fundcycle_core::report::Report;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, lead, staff, why};
use crate::running::{accepted, active, at_launch, because, launched};

fn requested(play: &mut Play, project: Uuid) -> Uuid {
    let id = play.fresh();
    let body = json!({ "project": project, "occasion": "midterm_self_report" });
    play.does(&staff(), Kind::Report, id, "request", body);
    id
}

fn ask(play: &mut Play, actor: &Actor, id: Uuid, verb: &str, body: Value) -> String {
    match play.ask(actor, Kind::Report, id, verb, body) {
        Ok(_) => play.stage(Kind::Report, id).to_owned(),
        refused => why(refused),
    }
}

fn body() -> Value {
    json!({ "body": {
        "text": "已开展活动十场", "people": 120, "person_times": 300,
        "spend": { "活动": 90_000, "人员": 50_000 }, "reached": { "服务人次": 300 },
    }})
}

#[test]
fn a_report_is_written_returned_handed_in_again_and_accepted() {
    let (mut play, project) = active();
    let id = requested(&mut play, project);
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "not from requested"
    );
    assert_eq!(ask(&mut play, &applicant(0), id, "save", body()), "draft");
    assert_eq!(
        ask(&mut play, &applicant(1), id, "save", body()),
        "not found"
    );
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "submitted"
    );
    let data = &play.get::<Report>(id).data;
    assert_eq!(
        (data.planned[0].target, data.body.reached["服务人次"]),
        (600, 300)
    );
    assert_eq!(
        (data.body.people, data.body.person_times),
        (Some(120), Some(300))
    );

    assert_eq!(
        ask(&mut play, &staff(), id, "return", json!({ "reason": "" })),
        "/reason required"
    );
    assert_eq!(
        ask(&mut play, &staff(), id, "return", because()),
        "returned"
    );
    assert_eq!(
        ask(&mut play, &applicant(0), id, "save", body()),
        "returned"
    );
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "submitted"
    );
    assert_eq!(
        ask(&mut play, &staff(), id, "accept", json!({})),
        "accepted"
    );
}

#[test]
fn a_report_is_held_against_the_plan_and_every_fault_is_said_at_once() {
    let (mut play, project) = active();
    let id = requested(&mut play, project);
    let faulty =
        json!({ "body": { "spend": { "差旅/交通": 1, "人员": -1 }, "reached": { "场次": 3 } } });
    assert_eq!(ask(&mut play, &applicant(0), id, "save", faulty), "draft");
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "/body/text required, /body/spend/人员 amount, /body/spend/差旅~1交通 unknown_category, \
         /body/reached/场次 unknown_target, /body/reached missing"
    );
}

#[test]
fn a_report_is_late_after_the_last_moment_of_its_day_and_a_lead_may_give_more_time() {
    let (mut play, project) = active();
    let id = requested(&mut play, project);
    assert_eq!(ask(&mut play, &applicant(0), id, "save", body()), "draft");
    // Thirty calendar days after 19 September.
    play.at("2024-10-19T23:59:59.999+08:00");
    assert_eq!(ask(&mut play, &staff(), id, "expire", json!({})), "overdue");
    assert_eq!(play.stage(Kind::Report, id), "draft");
    play.at("2024-10-20T00:00:00+08:00");
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "in_time"
    );
    assert_eq!(
        ask(&mut play, &Actor::system(), id, "expire", json!({})),
        "overdue"
    );
    assert_eq!(play.stage(Kind::Report, id), "overdue");
    let more = |due: &str| json!({ "due": due, "reason": "洪水" });
    assert_eq!(
        ask(
            &mut play,
            &lead(),
            id,
            "extend",
            more("2024-10-20T00:00:00+08:00")
        ),
        "/due not_later"
    );
    assert_eq!(
        ask(
            &mut play,
            &lead(),
            id,
            "extend",
            more("2024-10-31T23:59:59+08:00")
        ),
        "draft"
    );
    assert_eq!(
        ask(&mut play, &applicant(0), id, "submit", json!({})),
        "submitted"
    );
}

#[test]
fn only_projects_under_way_report() {
    let mut play = at_launch();
    let id = play.fresh();
    let early = accepted(&mut play, 1);
    for project in [early, Uuid::nil()] {
        let body = json!({ "project": project, "occasion": "monthly" });
        assert_eq!(
            ask(&mut play, &staff(), id, "request", body),
            "/project not_under_way"
        );
    }
    let project = launched(&mut play, 0);
    requested(&mut play, project);
}
