//! Reports and requests for change while projects run.

use super::{Bureau, Case, Kind, Value, Walk, because, id, json};

/// A change beyond what staff may approve is refused, and another one taken back; the plan stays.
pub(super) async fn changes_are_refused_and_taken_back(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    [case, other]: [&Case; 2],
) {
    let list = format!("{}/change-requests", bureau.cycle);
    let kind = Kind::ChangeRequest;
    let owner = &case.owner;
    let project = walk.read(owner, &case.project).await;
    let mut budget = project["plan"]["budget"].clone();
    // A fifth of the award and one fen more.
    let moved = case.award / 5 + 1;
    for (category, by) in [("物资", moved), ("人员补贴", -moved)] {
        let mut lines = budget.as_array_mut().unwrap().iter_mut();
        let line = lines.find(|line| line["category"] == category).unwrap();
        line["unit_price"] = json!(line["unit_price"].as_i64().unwrap() + by);
    }
    let change = json!({
        "subject": "budget", "old": "原预算", "new": "新预算", "reason": "人工成本上涨", "budget": budget,
    });
    let filed = json!({ "project": id(&case.project), "change": change });
    let request = walk.create(owner, kind, "file", &list, filed).await;
    let seen = walk.read(owner, &request).await;
    assert_eq!(seen["shifted"], 900_001);
    let why = walk.refused(&bureau.staff, &request, "approve", json!({}));
    assert_eq!(why.await, "within_staff_limit");
    walk.must(
        &bureau.staff,
        &request,
        "refuse",
        because("理由不足"),
        "refused",
    )
    .await;
    let seen = walk.read(owner, &request).await;
    assert_eq!(seen["answer"], "理由不足");
    let why = walk.refused(&bureau.lead, &request, "approve", json!({}));
    assert_eq!(why.await, "not_from_here");

    let change =
        json!({ "subject": "venue", "old": "原地点", "new": "新地点", "reason": "原场地装修" });
    let filed = json!({ "project": id(&case.project), "change": change });
    let request = walk.create(owner, kind, "file", &list, filed).await;
    let why = walk.refused(&other.owner, &request, "withdraw", json!({}));
    assert_eq!(why.await, "not_found");
    walk.must(owner, &request, "withdraw", json!({}), "withdrawn")
        .await;
    let after = walk.read(owner, &case.project).await;
    assert_eq!(after["plan"], project["plan"]);
    assert_eq!(
        (&after["plan_version"], &after["changes"]),
        (&json!(1), &json!([]))
    );
}

/// What is written of a project that spent half of its plan and reached half of its targets.
async fn written(walk: &Walk<'_>, case: &Case, words: &str) -> Value {
    let plan = walk.read(&case.owner, &case.project).await["plan"].clone();
    let half = |list: &str, key: &str, number: &str| -> Value {
        let each = plan[list].as_array().unwrap().iter().map(|one| {
            let name = one[key].as_str().unwrap().to_owned();
            (name, json!(one[number].as_i64().unwrap() / 2))
        });
        each.collect::<serde_json::Map<_, _>>().into()
    };
    json!({ "body": {
        "text": words,
        "people": 60,
        "person_times": 240,
        "spend": half("budget", "category", "unit_price"),
        "reached": half("targets", "name", "target"),
    }})
}

/// The final report is asked for, written, handed in and found complete.
pub(super) async fn a_final_report_is_accepted(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let list = format!("{}/reports", bureau.cycle);
    let asked = json!({ "project": id(&case.project), "occasion": "final_report" });
    let report = walk
        .create(&bureau.staff, Kind::Report, "request", &list, asked)
        .await;
    let draft = written(walk, case, "项目已完成").await;
    walk.must(&case.owner, &report, "save", draft, "draft")
        .await;
    walk.must(&case.owner, &report, "submit", json!({}), "submitted")
        .await;
    walk.must(&bureau.staff, &report, "accept", json!({}), "accepted")
        .await;
}

/// One report comes back and is handed in again; another is not there when its time is over, which
/// the clock notices by itself, and is given more time.
pub(super) async fn a_report_is_returned_and_another_is_late(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    [case, late]: [&Case; 2],
) {
    let list = format!("{}/reports", bureau.cycle);
    let (staff, lead, owner) = (&bureau.staff, &bureau.lead, &case.owner);
    let asked = json!({ "project": id(&case.project), "occasion": "midterm_self_report" });
    let report = walk
        .create(staff, Kind::Report, "request", &list, asked)
        .await;
    let asked = json!({ "project": id(&late.project), "occasion": "monthly" });
    let missing = walk
        .create(staff, Kind::Report, "request", &list, asked)
        .await;

    let draft = written(walk, case, "开展活动六场").await;
    walk.must(owner, &report, "save", draft, "draft").await;
    walk.must(owner, &report, "submit", json!({}), "submitted")
        .await;
    walk.must(staff, &report, "return", because("请附照片"), "returned")
        .await;
    let better = written(walk, case, "开展活动六场,照片见附件").await;
    walk.must(owner, &report, "save", better, "returned").await;
    walk.must(owner, &report, "submit", json!({}), "submitted")
        .await;
    walk.must(staff, &report, "accept", json!({}), "accepted")
        .await;

    // Thirty days after 15 October, to the end of the day.
    bureau.at(walk, "2024-11-14T23:59:00+08:00").await;
    let seen = walk.read(staff, &missing).await;
    assert_eq!(seen["stage"], "requested");
    bureau.at(walk, "2024-11-15T00:00:00+08:00").await;
    let seen = walk.read(staff, &missing).await;
    assert_eq!(seen["stage"], "overdue");
    let why = walk.refused(&late.owner, &missing, "submit", json!({}));
    assert_eq!(why.await, "not_from_here");
    let more = |due: &str| json!({ "due": due, "reason": "台风影响" });
    let passed = more("2024-11-14T23:59:59+08:00");
    let why = walk.refused(lead, &missing, "extend", passed).await;
    assert_eq!(why, "/due not_later");
    let longer = more("2024-11-30T23:59:59+08:00");
    walk.must(lead, &missing, "extend", longer, "draft").await;
    let draft = written(walk, late, "十月开展活动两场").await;
    walk.must(&late.owner, &missing, "save", draft, "draft")
        .await;
    walk.must(&late.owner, &missing, "submit", json!({}), "submitted")
        .await;
}
