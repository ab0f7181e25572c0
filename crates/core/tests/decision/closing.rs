//! How projects begin in public and how they are closed: what is noted of a launch, and everything that a
//! close waits for.

use fundcycle_core::kinds::Kind;
use fundcycle_core::project::Project;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, staff, why};
use crate::running::{
    AWARD, active_in, at_launch, because, evaluated, finance, pay, signed, tranches, with_policy,
};

fn does(play: &mut Play, id: Uuid, verb: &str, body: Value) {
    play.does(&staff(), Kind::Project, id, verb, body);
}

fn refused(play: &mut Play, id: Uuid, verb: &str, body: Value) -> String {
    why(play.ask(&staff(), Kind::Project, id, verb, body))
}

/// How many others are told to launch there on that day.
fn others(play: &mut Play, id: Uuid, day: &str, venue: &str) -> u32 {
    let body = json!({ "date": day, "venue": venue });
    does(play, id, "schedule_launch", body);
    play.get::<Project>(id).data.launch_same_venue
}

#[test]
fn a_place_that_is_taken_on_a_day_is_noted_and_not_refused() {
    let mut play = at_launch();
    let [one, other] = [0, 1].map(|index| signed(&mut play, index));
    assert_eq!(others(&mut play, one, "2024-10-07", "武进区文化馆"), 0);
    // The same place, written otherwise.
    assert_eq!(others(&mut play, other, "2024-10-07", " 武进区文化馆 "), 1);
    assert_eq!(others(&mut play, other, "2024-10-08", "武进区文化馆"), 0);
    assert_eq!(others(&mut play, other, "2024-10-07", "星河社区"), 0);
    // It does not meet itself.
    assert_eq!(others(&mut play, one, "2024-10-07", "武进区文化馆"), 0);
    let unnamed = json!({ "date": "2024-10-07", "venue": " ", "guests": [""] });
    assert_eq!(
        refused(&mut play, one, "schedule_launch", unnamed),
        "/venue required, /guests/0 required"
    );
}

#[test]
fn a_project_closes_when_everything_is_done_that_the_policy_asks_for() {
    let mut play = with_policy(|policy| {
        policy["close_out"] =
            json!({ "final_report": true, "checklist": ["项目档案已移交", "资产清单已核对"] });
    });
    let project = active_in(&mut play);
    let request = play.fresh();
    let change = json!({ "subject": "people", "old": "甲", "new": "乙", "reason": "工作调动" });
    let body = json!({ "project": project, "change": change });
    play.does(&applicant(0), Kind::ChangeRequest, request, "file", body);
    let report = play.fresh();
    let body = json!({ "project": project, "occasion": "final_report" });
    play.does(&staff(), Kind::Report, report, "request", body);
    let [first, second, third] = tranches(project);
    pay(&mut play, first);
    evaluated(&mut play, project, "midterm", "85");
    pay(&mut play, second);
    evaluated(&mut play, project, "final", "85");

    let close = |play: &mut Play| refused(play, project, "close", json!({}));
    assert_eq!(
        close(&mut play),
        "tranches_settled, nothing_owed, reports_settled, final_report_accepted, changes_decided, checklist_done"
    );
    pay(&mut play, third);
    assert!(close(&mut play).starts_with("nothing_owed, "));
    let spent = json!({ "amount": AWARD - 100 });
    does(&mut play, project, "accept_spend", spent);
    assert!(close(&mut play).starts_with("nothing_owed, "));
    let back = json!({ "amount": 100, "voucher": "退-1" });
    play.does(&finance(), Kind::Project, project, "record_refund", back);
    assert!(close(&mut play).starts_with("reports_settled, "));
    let text = json!({ "body": { "text": "已完成", "spend": { "活动": 200_000 }, "reached": { "服务人次": 620 } } });
    play.does(&applicant(0), Kind::Report, report, "save", text);
    play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
    assert!(close(&mut play).starts_with("reports_settled, "));
    play.does(&staff(), Kind::Report, report, "accept", json!({}));
    assert_eq!(close(&mut play), "changes_decided, checklist_done");
    play.does(&staff(), Kind::ChangeRequest, request, "refuse", because());
    assert_eq!(close(&mut play), "checklist_done");

    let item = |item: &str| json!({ "item": item });
    let unknown = refused(&mut play, project, "check_off", item("盖章"));
    assert_eq!(unknown, "/item unknown_item");
    does(&mut play, project, "check_off", item("项目档案已移交"));
    let twice = refused(&mut play, project, "check_off", item("项目档案已移交"));
    assert_eq!(twice, "/item checked_off");
    assert_eq!(close(&mut play), "checklist_done");
    does(&mut play, project, "check_off", item("资产清单已核对"));
    does(&mut play, project, "close", json!({}));
    let closed = play.get::<Project>(project);
    assert_eq!(closed.data.closed_at, Some(play.now));
    let refunds = &closed.data.refunds;
    assert_eq!((refunds.len(), refunds[0].voucher.as_str()), (1, "退-1"));
}
