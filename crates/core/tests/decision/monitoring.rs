//! What is known of a project while it runs: activities with what shows them, visits with what has to be
//! put right, and the flags that time raises.

use std::collections::BTreeSet;

use fundcycle_core::activity::Activity;
use fundcycle_core::actor::Actor;
use fundcycle_core::flag::{Flag, flags as to_look_at};
use fundcycle_core::kinds::Kind;
use fundcycle_core::project::Project;
use fundcycle_core::report::Report;
use fundcycle_core::visit::Visit;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, lead, staff, why};
use crate::running::{active_in, because, held, with_policy};

fn watched(policy: &mut Value) {
    policy["monitoring"] =
        json!({ "silence_days": 45, "underspend": { "after": "0.7", "below": "0.5" } });
}

fn records(play: &mut Play, project: Uuid, held: Value) -> Result<Uuid, String> {
    let id = play.fresh();
    let body = json!({ "project": project, "held": held });
    let asked = play.ask(&applicant(0), Kind::Activity, id, "record", body);
    if asked.is_ok() {
        Ok(id)
    } else {
        Err(why(asked))
    }
}

fn flags(play: &mut Play, project: Uuid, verb: &str) -> String {
    let asked = play.ask(&Actor::system(), Kind::Project, project, verb, json!({}));
    if asked.is_ok() {
        "accepted".to_owned()
    } else {
        why(asked)
    }
}

#[test]
fn an_activity_is_recorded_with_evidence_questioned_amended_and_checked() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    let today = json!("2024-09-19");
    let id = records(&mut play, project, held(&today)).unwrap();
    let seen = play.get::<Project>(project);
    assert_eq!(
        seen.data.last_activity_on,
        Some("2024-09-19".parse().unwrap())
    );

    play.does(&staff(), Kind::Activity, id, "query", because());
    let early = why(play.ask(&staff(), Kind::Activity, id, "check", json!({})));
    assert_eq!(early, "not from queried");
    let mut better = held(&today);
    better["people"] = json!(28);
    let body = json!({ "held": better });
    play.does(&applicant(0), Kind::Activity, id, "amend", body);
    play.does(&staff(), Kind::Activity, id, "check", json!({}));
    let data = &play.get::<Activity>(id).data;
    assert_eq!(data.checked_by, staff().account);
    let seen = data.held.as_ref().unwrap();
    assert_eq!((seen.people, seen.person_times), (Some(28), Some(45)));
    // What is checked is not changed any more, unless staff ask again.
    let body = json!({ "held": held(&today) });
    let late = why(play.ask(&applicant(0), Kind::Activity, id, "amend", body));
    assert_eq!(late, "not from checked");
    let other = records(&mut play, project, held(&today)).unwrap();
    play.does(&applicant(0), Kind::Activity, other, "withdraw", because());
}

#[test]
fn a_record_without_evidence_or_beyond_the_plan_is_refused() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    let mut wrong = held(&json!("2024-09-20"));
    wrong["evidence"] = json!([]);
    wrong["reached"] = json!({ "场次": 1 });
    wrong["spend"] = json!({ "场/地": 1, "活动": -1 });
    assert_eq!(
        records(&mut play, project, wrong).unwrap_err(),
        "/held/held_on range, /held/reached/场次 unknown_target, /held/spend/场~1地 unknown_category, \
         /held/spend/活动 amount, /held/evidence required"
    );
    let mut wrong = held(&json!("2024-09-18"));
    wrong["evidence"][0]["sha256"] = json!("AB".repeat(32));
    assert_eq!(
        records(&mut play, project, wrong).unwrap_err(),
        "/held/held_on range, /held/evidence/0/sha256 sha256"
    );
    play.does(&lead(), Kind::Project, project, "terminate", ended());
    let today = held(&json!("2024-09-19"));
    let late = records(&mut play, project, today).unwrap_err();
    assert_eq!(late, "/project not_under_way");
}

fn ended() -> Value {
    json!({ "ground": "own_request", "reason": "经核实" })
}

#[test]
fn a_visit_asks_for_what_has_to_be_put_right_and_the_clock_notes_that_it_was_not() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    let visit = play.fresh();
    let body = |day: &str, who: Value| json!({ "project": project, "visited_on": day, "visitors": who, "findings": "台账不全" });
    let faulty = body("2024-09-20", json!([]));
    assert_eq!(
        why(play.ask(&staff(), Kind::Visit, visit, "record", faulty)),
        "/visitors required, /visited_on in_future"
    );
    let went = body("2024-09-19", json!(["督导员甲", "督导员乙"]));
    play.does(&staff(), Kind::Visit, visit, "record", went);
    let what = json!({ "what": "补齐签到表", "working_days": 5 });
    play.does(
        &staff(),
        Kind::Visit,
        visit,
        "demand_rectification",
        what.clone(),
    );
    // Five working days from Thursday, 19 September.
    let due = "2024-09-26T23:59:59.999+08:00".parse().unwrap();
    assert_eq!(play.get::<Visit>(visit).data.due, Some(due));
    let early = why(play.ask(&Actor::system(), Kind::Visit, visit, "expire", json!({})));
    assert_eq!(early, "overdue");
    play.at("2024-09-27T00:00:00+08:00");
    play.does(&Actor::system(), Kind::Visit, visit, "expire", json!({}));
    let answer = json!({ "statement": "已补齐" });
    play.does(&applicant(0), Kind::Visit, visit, "answer", answer.clone());
    play.does(&lead(), Kind::Visit, visit, "demand_rectification", what);
    assert_eq!(play.get::<Visit>(visit).data.statement, None);
    play.does(&applicant(0), Kind::Visit, visit, "answer", answer);
    play.does(&staff(), Kind::Visit, visit, "settle", json!({}));
    assert_eq!(play.get::<Visit>(visit).data.settled_by, staff().account);
}

#[test]
fn silence_is_flagged_after_its_days_and_ends_with_an_activity() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    // Launched on 19 September; 45 days later is 3 November.
    play.at("2024-11-03T23:59:59+08:00");
    assert_eq!(flags(&mut play, project, "flag_silence"), "silent");
    play.at("2024-11-04T00:00:00+08:00");
    assert_eq!(flags(&mut play, project, "flag_silence"), "accepted");
    let since = |play: &Play| play.get::<Project>(project).data.silent_since;
    assert_eq!(since(&play), Some("2024-09-19".parse().unwrap()));
    assert_eq!(flags(&mut play, project, "flag_silence"), "silent");
    // An activity ends it, and another silence begins with that.
    records(&mut play, project, held(&json!("2024-11-01"))).unwrap();
    assert_eq!(since(&play), None);
    play.at("2024-12-17T00:00:00+08:00");
    assert_eq!(flags(&mut play, project, "flag_silence"), "accepted");
    assert_eq!(since(&play), Some("2024-11-01".parse().unwrap()));
}

#[test]
fn little_spending_is_flagged_late_in_the_time_until_a_report_says_more() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    // From 19 September 2024 to 30 June 2025 are 284 days: 70 % of them are 198.8.
    play.at("2025-04-05T09:00:00+08:00");
    assert_eq!(flags(&mut play, project, "flag_underspend"), "underspent");
    play.at("2025-04-06T09:00:00+08:00");
    assert_eq!(flags(&mut play, project, "flag_underspend"), "accepted");
    for (spent, again) in [(166_649, "accepted"), (166_650, "underspent")] {
        let report = play.fresh();
        let body = json!({ "project": project, "occasion": "monthly" });
        play.does(&staff(), Kind::Report, report, "request", body);
        let body = json!({ "body": {
            "text": "已开展", "spend": { "活动": spent }, "reached": { "服务人次": 300 },
        }});
        play.does(&applicant(0), Kind::Report, report, "save", body);
        play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
        play.does(&staff(), Kind::Report, report, "accept", json!({}));
        // Half of the award of 3,333 yuan.
        assert_eq!(
            flags(&mut play, project, "flag_underspend"),
            again,
            "{spent}"
        );
    }
}

/// The regular reports that the clock has asked for, by their first days.
fn regular(play: &Play) -> Vec<(String, String, String, Uuid)> {
    let mut all: Vec<_> = play
        .states
        .values()
        .filter(|state| state.kind() == Kind::Report)
        .map(|state| {
            let data = &play.get::<Report>(state.id()).data;
            let period = data.period.unwrap();
            let due = data.due.unwrap().to_string();
            (
                period.from.to_string(),
                period.until.to_string(),
                due,
                state.id(),
            )
        })
        .collect();
    all.sort();
    all
}

fn asks(play: &mut Play, project: Uuid) -> String {
    flags(play, project, "call_for_report")
}

#[test]
fn regular_reports_are_asked_for_when_their_time_is_over_until_the_work_ends() {
    let rhythm = |every: &'static str| {
        move |policy: &mut Value| {
            policy["monitoring"] = json!({ "reports": { "every": every, "due_days": 10 } });
        }
    };
    let mut play = with_policy(rhythm("month"));
    let project = active_in(&mut play);
    play.at("2024-09-30T23:59:59+08:00");
    assert_eq!(asks(&mut play, project), "report_due");
    play.at("2024-10-01T00:00:00+08:00");
    assert_eq!(asks(&mut play, project), "accepted");
    assert_eq!(asks(&mut play, project), "report_due");
    let (from, until, due, _) = regular(&play)[0].clone();
    assert_eq!(
        (from.as_str(), until.as_str()),
        ("2024-09-19", "2024-09-30")
    );
    assert_eq!(due, "2024-10-10T15:59:59.999Z");
    // Down for two months: each is asked for, and its days are counted from then on.
    play.at("2024-12-05T09:00:00+08:00");
    assert_eq!(asks(&mut play, project), "accepted");
    assert_eq!(asks(&mut play, project), "accepted");
    assert_eq!(asks(&mut play, project), "report_due");
    let all = regular(&play);
    assert_eq!(
        (all[2].1.as_str(), all[2].2.as_str()),
        ("2024-11-30", "2024-12-14T15:59:59.999Z")
    );
    // The last one ends with the plan, on 30 June.
    play.at("2025-09-01T09:00:00+08:00");
    while asks(&mut play, project) == "accepted" {}
    let all = regular(&play);
    assert_eq!((all.len(), all[9].1.as_str()), (10, "2025-06-30"));

    let mut play = with_policy(rhythm("quarter"));
    let project = active_in(&mut play);
    play.at("2025-04-01T00:00:00+08:00");
    while asks(&mut play, project) == "accepted" {}
    let last: Vec<String> = regular(&play).into_iter().map(|one| one.1).collect();
    assert_eq!(last, ["2024-09-30", "2024-12-31", "2025-03-31"]);

    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    play.at("2025-04-01T00:00:00+08:00");
    assert_eq!(asks(&mut play, project), "report_due");
}

#[test]
fn a_report_that_does_not_come_is_a_flag_until_it_is_accepted() {
    let mut play = with_policy(|policy| {
        policy["monitoring"] = json!({ "reports": { "every": "month" } });
    });
    let project = active_in(&mut play);
    play.at("2024-10-01T00:00:00+08:00");
    assert_eq!(asks(&mut play, project), "accepted");
    let report = regular(&play)[0].3;
    let today = "2024-10-11".parse().unwrap();
    let seen = |play: &Play| {
        let state = &play.states[&(Kind::Project, project)];
        let missing = play.get::<Project>(project).data.missing_reports.clone();
        (to_look_at(state, today), missing)
    };
    assert_eq!(seen(&play), (vec![], BTreeSet::new()));
    play.at("2024-10-11T00:00:00+08:00");
    play.does(&Actor::system(), Kind::Report, report, "expire", json!({}));
    let flagged = (vec![Flag::ReportMissing], BTreeSet::from([report]));
    assert_eq!(seen(&play), flagged);
    let more = json!({ "due": "2024-10-20T23:59:59+08:00", "reason": "负责人住院" });
    play.does(&lead(), Kind::Report, report, "extend", more);
    let body = json!({ "body": { "text": "已开展", "reached": { "服务人次": 12 } } });
    play.does(&applicant(0), Kind::Report, report, "save", body);
    play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
    assert_eq!(seen(&play), flagged);
    play.does(&staff(), Kind::Report, report, "accept", json!({}));
    assert_eq!(seen(&play), (vec![], BTreeSet::new()));
}

#[test]
fn the_time_of_a_report_does_not_end_before_it_begins() {
    let mut play = with_policy(watched);
    let project = active_in(&mut play);
    let report = play.fresh();
    let body = json!({
        "project": project, "occasion": "monthly", "period": { "from": "2024-10-02", "until": "2024-10-01" },
    });
    let asked = play.ask(&staff(), Kind::Report, report, "request", body);
    assert_eq!(why(asked), "/period/until order");
}
