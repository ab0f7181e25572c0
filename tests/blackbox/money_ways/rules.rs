//! Lives under amended rules: targets cut, changes made freely, grades contested, a hearing, a ban, a
//! demand that is reminded of.

use super::evaluations::scored;
use super::{
    Bureau, Case, Kind, Value, Walk, agreement, because, id, json, monitoring, reminded_of, text,
};

/// What these lives make happen.
pub(crate) const VERBS: &[&str] = &[
    "change_request approve",
    "evaluation confirm",
    "evaluation contest",
    "evaluation settle",
    "project announce_termination",
    "project be_heard",
    "project propose_write_off",
    "project remind_demand",
    "project write_off",
];

/// The rules are amended before the launch: staff draft, a lead puts them in force.
pub(super) async fn are_amended(walk: &mut Walk<'_>, bureau: &Bureau) {
    let cycle = &bureau.cycle;
    let policy = text(&walk.read(&bureau.staff, cycle).await, "policy");
    let policy = walk
        .read(&bureau.staff, &format!("/v1/policies/{policy}"))
        .await;
    let mut document = policy["document"].clone();
    document["evaluation"]["objection_working_days"] = json!(5);
    document["evaluation"]["late_report_fails"] = json!(true);
    document["evaluation"]["grades"][2]["tail"] = json!("0.5");
    document["evaluation"]["grades"][0]["bonus"] = json!("2");
    document["evaluation"]["automatic"] = json!([{
        "round": "midterm", "key": "output", "title": "指标完成率", "bands": [{ "from": "0.5", "points": "2" }],
    }]);
    document["termination"] = json!({
        "hearing_working_days": 5, "demand_working_days": 15, "ban_days": { "failed_evaluation": 365 },
    });
    document["reminders"] = json!({ "hours_before": { "hearing": [190] } });
    document["monitoring"] = json!({
        "silence_days": 45, "underspend": { "after": "0.3", "below": "0.5" },
        "reports": { "every": "quarter", "due_days": 10 },
    });
    let draft = json!({ "document": document, "reason": "(演示)完善执行规则" });
    let list = format!("{cycle}/policies");
    let draft = walk
        .create(&bureau.staff, Kind::Policy, "draft", &list, draft)
        .await;
    let body = json!({ "policy": id(&draft) });
    walk.must(&bureau.lead, cycle, "amend", body, "selection")
        .await;
}

/// A plan whose targets fall although nothing was cut waits for a lead.
pub(super) async fn lower_targets_wait_for_a_lead(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let mut lower = agreement::plan(walk, case).await;
    lower["plan"]["targets"][0]["target"] = json!(1);
    let project = &case.project;
    walk.must(&case.owner, project, "submit_plan", lower, "plan_submitted")
        .await;
    let seen = walk.read(&case.owner, project).await;
    assert_eq!(seen["lowered_targets"][0]["planned"], 1, "{seen}");
    let why = walk.refused(&bureau.staff, project, "approve_plan", json!({}));
    assert_eq!(why.await, "targets_kept");
    let (lead, pending) = (&bureau.lead, "agreement_pending");
    walk.must(lead, project, "approve_plan", json!({}), pending)
        .await;
}

/// The budget of the project with `fen` moved from people to goods.
async fn moved(walk: &Walk<'_>, case: &Case, fen: i64) -> Value {
    let project = walk.read(&case.owner, &case.project).await;
    let mut budget = project["agreed_budget"].clone();
    for (category, by) in [("物资", fen), ("人员补贴", -fen)] {
        let mut lines = budget.as_array_mut().unwrap().iter_mut();
        let line = lines.find(|line| line["category"] == category).unwrap();
        line["unit_price"] = json!(line["unit_price"].as_i64().unwrap() + by);
    }
    json!({ "project": id(&case.project), "change": {
        "subject": "budget", "old": "原预算", "new": "新预算", "reason": "人工成本上涨", "budget": budget,
    }})
}

/// A tenth moves at once, one fen more with the approval of staff; a month more of time too, and longer
/// only with a lead's.
pub(super) async fn changes_go_by_their_size(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let (owner, kind) = (&case.owner, Kind::ChangeRequest);
    let list = format!("{}/change-requests", bureau.cycle);
    let tenth = case.award / 10;
    let free = moved(walk, case, tenth).await;
    let free = walk.create(owner, kind, "file", &list, free).await;
    let seen = walk.read(owner, &free).await;
    assert_eq!(
        (&seen["stage"], &seen["free"]),
        (&json!("approved"), &json!(true))
    );
    assert_eq!(
        seen["comparison"]["budget"].as_array().unwrap().len(),
        2,
        "{seen}"
    );
    let more = moved(walk, case, tenth + 1).await;
    let more = walk.create(owner, kind, "file", &list, more).await;
    walk.must(&bureau.staff, &more, "approve", json!({}), "approved")
        .await;

    // The plan ends on 31 May 2025.
    let longer = |day: &str| {
        json!({ "project": id(&case.project), "change": {
            "subject": "schedule", "old": "五月底", "new": day, "reason": "招募较慢", "ends_on": day,
        }})
    };
    let beyond = longer("2025-07-01");
    let beyond = walk.create(owner, kind, "file", &list, beyond).await;
    let seen = walk.read(&bureau.staff, &beyond).await;
    assert_eq!(seen["comparison"]["extended_days"], 31);
    let why = walk.refused(&bureau.staff, &beyond, "approve", json!({}));
    assert_eq!(why.await, "within_staff_limit");
    walk.must(&bureau.lead, &beyond, "approve", json!({}), "approved")
        .await;
    let seen = walk.read(owner, &case.project).await;
    assert_eq!(
        (&seen["plan"]["ends_on"], &seen["plan_version"]),
        (&json!("2025-07-01"), &json!(4))
    );
}

/// The self-report does not come; the clock fails the project, which is heard, stopped, banned, asked to
/// pay back, reminded, and let off by two people.
pub(super) async fn one_never_reports_and_is_stopped(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let (staff, lead, owner, project) = (&bureau.staff, &bureau.lead, &case.owner, &case.project);
    let asked = json!({ "project": id(project), "occasion": "midterm_self_report" });
    let list = format!("{}/reports", bureau.cycle);
    walk.create(staff, Kind::Report, "request", &list, asked)
        .await;
    bureau.at(walk, "2024-11-15T00:00:00+08:00").await;
    let seen = walk.read(owner, project).await;
    assert_eq!(seen["stage"], "midterm_failed");

    let ground = json!({ "ground": "failed_evaluation", "reason": "逾期未提交中期自评报告" });
    let why = walk.refused(lead, project, "terminate", ground.clone());
    assert_eq!(why.await, "/ground not_heard");
    let told = "midterm_failed";
    walk.must(staff, project, "announce_termination", ground.clone(), told)
        .await;
    // It is reminded of its answer, in the morning and once.
    for (hour, times) in [("07:59:59", 0), ("08:00:00", 1), ("12:00:00", 1)] {
        bureau.at(walk, &format!("2024-11-15T{hour}+08:00")).await;
        let reminded = reminded_of(walk, &bureau.admin, "hearing").await;
        assert_eq!(reminded, times, "{hour}");
    }
    let answer = json!({ "statement": "(演示)负责人离职,未及时交接" });
    walk.must(owner, project, "be_heard", answer, told).await;
    walk.must(lead, project, "terminate", ground, "terminated")
        .await;
    let organisation = format!("/v1/organisations/{}", text(&seen, "organisation"));
    let banned = walk.read(owner, &organisation).await;
    assert_eq!(banned["stage"], "banned");
    assert_eq!(banned["banned_until"], "2025-11-15T15:59:59.999Z");

    let spent = json!({ "amount": 500_000 });
    walk.must(staff, project, "accept_spend", spent, "terminated")
        .await;
    walk.must(staff, project, "recover", json!({}), "recovering")
        .await;
    let seen = walk.read(owner, project).await;
    assert_eq!(seen["demand"]["due_on"], "2024-12-06");
    assert!(seen["demand_reminded_at"].is_null());
    // Ten days before, late because the clock leapt, and three days before.
    for (now, times) in [("2024-12-04T07:59:59", 1), ("2024-12-04T08:00:00", 2)] {
        bureau.at(walk, &format!("{now}+08:00")).await;
        let reminded = reminded_of(walk, &bureau.admin, "refund").await;
        assert_eq!(reminded, times, "{now}");
    }
    bureau.at(walk, "2024-12-07T09:00:00+08:00").await;
    let seen = walk.read(owner, project).await;
    assert!(!seen["demand_reminded_at"].is_null(), "{seen}");
    let why = walk.refused(lead, project, "write_off", because("单位注销"));
    assert_eq!(why.await, "write_off_proposed");
    let proposed = because("单位注销,无可执行财产");
    walk.must(staff, project, "propose_write_off", proposed, "recovering")
        .await;
    walk.must(
        lead,
        project,
        "write_off",
        because("经集体研究同意"),
        "written_off",
    )
    .await;
}

/// Of two grades one is contested and stands; the other takes effect when nobody has contested it, and
/// cuts the tranche that waited for it by half.
pub(super) async fn grades_are_contested_or_settle(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    [first, second]: [&Case; 2],
) {
    bureau.at(walk, "2024-12-16T09:00:00+08:00").await;
    monitoring::staff_are_told_what_to_look_at(walk, bureau).await;
    let percents = [(first, 80), (second, 65)];
    let (panel, evaluations) = scored(walk, bureau, "midterm", &percents).await;
    for evaluation in &evaluations {
        let body = json!({ "panel": id(&panel) });
        walk.must(&bureau.staff, evaluation, "grade", body, "graded")
            .await;
        walk.must(&bureau.lead, evaluation, "publish", json!({}), "noticed")
            .await;
    }
    let [contested, settles] = evaluations.try_into().ok().unwrap();
    let seen = walk.read(&first.owner, &contested).await;
    assert_eq!(
        (&seen["grade"], &seen["automatic"][0]["points"]),
        (&json!("良好"), &json!("0"))
    );
    for case in [first, second] {
        let seen = walk.read(&case.owner, &case.project).await;
        assert_eq!(seen["stage"], "midterm_due");
    }
    let wrong = because("财务评分未考虑补交凭证");
    walk.must(&first.owner, &contested, "contest", wrong, "contested")
        .await;
    let stands = because("已复核,评分无误");
    walk.must(&bureau.lead_2, &contested, "confirm", stands, "published")
        .await;
    let seen = walk.read(&first.owner, &first.project).await;
    assert_eq!(seen["stage"], "active");

    let early = walk.refused(&bureau.staff, &settles, "settle", json!({}));
    assert_eq!(early.await, "window_over");
    bureau.at(walk, "2024-12-24T00:00:00+08:00").await;
    let seen = walk.read(&second.owner, &settles).await;
    assert_eq!(
        (&seen["stage"], &seen["grade"]),
        (&json!("published"), &json!("合格"))
    );
    let waited = bureau.tranche(walk, second, 1).await;
    let seen = walk.read(&second.owner, &waited).await;
    let amount = second.award * 3 / 10;
    assert_eq!(
        (&seen["amount"], &seen["cancelled"]),
        (&json!(amount), &json!(amount / 2))
    );
}
