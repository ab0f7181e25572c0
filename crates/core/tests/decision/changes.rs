//! Change requests of running projects.

use fundcycle_core::actor::Actor;
use fundcycle_core::change_request::ChangeRequest;
use fundcycle_core::kinds::Kind;
use fundcycle_core::project::Project;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, lead, staff, why};
use crate::running::{AWARD, active, active_in, because, line, with_policy};

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
    // A fifth of the award.
    let over = filed(&mut play, project, moved(66_661));
    assert_eq!(
        why(approve(&mut play, &staff(), over)),
        "within_staff_limit"
    );
    let exact = filed(&mut play, project, moved(66_660));
    approve(&mut play, &staff(), exact).unwrap();
    let data = &play.get::<Project>(project).data;
    assert_eq!((data.plan_version, data.changes.len()), (2, 1));
    let people = &data.plan.as_ref().unwrap().budget[1];
    assert_eq!(people.unit_price.fen(), 166_660);

    // Written against a plan that is no more.
    assert_eq!(why(approve(&mut play, &lead(), over)), "plan_unchanged");
    play.does(&staff(), Kind::ChangeRequest, over, "refuse", because());
    let over = filed(&mut play, project, moved(199_999));
    approve(&mut play, &lead(), over).unwrap();
    assert_eq!(play.get::<Project>(project).data.plan_version, 3);
}

fn freely(policy: &mut Value) {
    policy["changes"] =
        json!({ "free_limit": "0.1", "staff_limit": "0.2", "staff_extension_days": 30 });
}

#[test]
fn a_tenth_of_the_award_moves_between_lines_without_asking_and_no_tenth_after_it() {
    let mut play = with_policy(freely);
    let project = active_in(&mut play);
    let free = filed(&mut play, project, moved(33_330));
    assert_eq!(play.stage(Kind::ChangeRequest, free), "approved");
    let data = &play.get::<ChangeRequest>(free).data;
    let compared = &data.comparison.budget;
    let compared: Vec<_> = compared
        .iter()
        .map(|one| (one.name.as_str(), one.before.fen(), one.after.fen()))
        .collect();
    assert_eq!(
        compared,
        [("人员", 100_000, 133_330), ("活动", 233_300, 199_970)]
    );
    let people = |play: &Play| {
        play.get::<Project>(project)
            .data
            .plan
            .clone()
            .unwrap()
            .budget[1]
            .unit_price
            .fen()
    };
    assert_eq!(people(&play), 133_330);

    // Measured against what was agreed, not against the last change.
    let second = filed(&mut play, project, moved(33_331));
    assert_eq!(play.stage(Kind::ChangeRequest, second), "filed");
    play.does(&staff(), Kind::ChangeRequest, second, "approve", json!({}));
    // Now somebody has agreed to that budget: the next tenth counts from there.
    let third = filed(&mut play, project, moved(66_661));
    assert_eq!(play.stage(Kind::ChangeRequest, third), "approved");
    assert_eq!(people(&play), 166_661);
}

#[test]
fn a_long_extension_or_a_lower_target_needs_a_lead() {
    let mut play = with_policy(freely);
    let project = active_in(&mut play);
    let file = |play: &mut Play, change: Value| {
        let id = play.fresh();
        let body = json!({ "project": project, "change": change });
        play.ask(&applicant(0), Kind::ChangeRequest, id, "file", body)
            .map(|_| id)
    };
    let longer = |day: &str| {
        json!({
            "subject": "schedule", "old": "六月", "new": "七月", "reason": "招募较慢", "ends_on": day,
        })
    };
    let past = file(&mut play, longer("2024-09-18"));
    assert_eq!(why(past), "/change/ends_on past");
    // The plan ends on 30 June.
    let month = file(&mut play, longer("2025-07-30")).unwrap();
    assert_eq!(
        play.get::<ChangeRequest>(month)
            .data
            .comparison
            .extended_days,
        30
    );
    let more = file(&mut play, longer("2025-07-31")).unwrap();
    let lower = json!({
        "subject": "indicators", "old": "600", "new": "500", "reason": "招募较慢",
        "targets": [{ "name": "服务人次", "target": 500, "unit": "人次" }],
    });
    let lower = file(&mut play, lower).unwrap();
    for id in [more, lower] {
        let approve = play.ask(&staff(), Kind::ChangeRequest, id, "approve", json!({}));
        assert_eq!(why(approve), "within_staff_limit");
    }
    play.does(&staff(), Kind::ChangeRequest, month, "approve", json!({}));
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
        "subject": "schedule", "old": "六月", "new": "七月", "reason": "招募较慢", "ends_on": "2025-07-30",
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
    assert_eq!(plan.ends_on.unwrap().to_string(), "2025-07-30");
}
