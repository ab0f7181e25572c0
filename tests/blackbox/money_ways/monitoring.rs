//! What is known of a project between its launch and its evaluation: activities, visits, flags.

use super::{Bureau, Case, Kind, Value, Walk, because, id, json, reminded_of};

/// What these lives make happen.
pub(crate) const VERBS: &[&str] = &[
    "activity amend",
    "activity check",
    "activity query",
    "activity record",
    "activity withdraw",
    "project call_for_report",
    "project flag_missing_report",
    "project flag_silence",
    "project flag_underspend",
    "project note_progress",
    "visit answer",
    "visit demand_rectification",
    "visit expire",
    "visit record",
    "visit settle",
];

/// An activity of 12 October that adds to the first target and the first category of the plan.
async fn held(walk: &Walk<'_>, case: &Case, people: u32) -> Value {
    let plan = walk.read(&case.owner, &case.project).await["plan"].clone();
    let mut held = json!({
        "name": "邻里茶话会", "held_on": "2024-10-12", "place": "星河社区", "people": people, "person_times": 45,
        "reached": {}, "spend": {},
        "evidence": [
            { "kind": "sign_in", "name": "签到表", "sha256": "ab".repeat(32) },
            { "kind": "photo", "name": "现场照片三张" },
        ],
    });
    held["reached"][plan["targets"][0]["name"].as_str().unwrap()] = json!(1);
    held["spend"][plan["budget"][0]["category"].as_str().unwrap()] = json!(123_400);
    held
}

/// An activity is recorded, asked about, amended and checked; another one is taken back. People and
/// attendances stay apart in what is printed.
pub(super) async fn activities_are_recorded_with_evidence(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let (owner, staff) = (&case.owner, &bureau.staff);
    let list = format!("{}/activities", bureau.cycle);
    let mut blank = held(walk, case, 30).await;
    blank["evidence"] = json!([]);
    let body = json!({ "project": id(&case.project), "held": blank });
    let (status, problem) = walk
        .server
        .ask("POST", &list, Some(&owner.token), Some(body))
        .await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/held/evidence"))
    );
    let body = json!({ "project": id(&case.project), "held": held(walk, case, 30).await });
    let kind = Kind::Activity;
    let [one, other] = [
        walk.create(owner, kind, "record", &list, body.clone())
            .await,
        walk.create(owner, kind, "record", &list, body).await,
    ];
    walk.must(staff, &one, "query", because("签到表仅 28 人"), "queried")
        .await;
    let better = json!({ "held": held(walk, case, 28).await });
    walk.must(owner, &one, "amend", better, "recorded").await;
    walk.must(staff, &one, "check", json!({}), "checked").await;
    walk.must(owner, &other, "withdraw", because("重复登记"), "withdrawn")
        .await;
    let seen = walk.read(owner, &case.project).await;
    assert_eq!(seen["last_activity_on"], "2024-10-12");

    let path = format!("{}/documents/progress?format=csv", case.project);
    let (status, _, bytes) = walk.server.fetch(&path, Some(&owner.token), &[]).await;
    let table = String::from_utf8(bytes).unwrap();
    assert_eq!(status, 200, "{table}");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(
        lines[1].contains(",28,45,1234.00,签到表:签到表;照片:现场照片三张,已核对"),
        "{table}"
    );
}

/// A visit asks for something to be put right; the clock notes that it was not, and in the end it is.
pub(super) async fn a_visit_is_answered_late(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let (owner, staff) = (&case.owner, &bureau.staff);
    let list = format!("{}/visits", bureau.cycle);
    let went = json!({
        "project": id(&case.project), "visited_on": "2024-10-15", "visitors": ["(演示)督导员"],
        "findings": "台账与票据不一致",
    });
    let visit = walk.create(staff, Kind::Visit, "record", &list, went).await;
    let what = json!({ "what": "补齐票据", "working_days": 5 });
    let why = walk.refused(owner, &visit, "demand_rectification", what.clone());
    assert_eq!(why.await, "forbidden");
    walk.must(staff, &visit, "demand_rectification", what, "rectifying")
        .await;
    // Five days before, late because the clock leapt, and on the last day.
    for (now, times) in [("2024-12-13T07:59:59", 1), ("2024-12-13T08:00:00", 2)] {
        bureau.at(walk, &format!("{now}+08:00")).await;
        let reminded = reminded_of(walk, &bureau.admin, "rectification").await;
        assert_eq!(reminded, times, "{now}");
    }
    bureau.at(walk, "2024-12-14T00:00:00+08:00").await;
    let seen = walk.read(owner, &visit).await;
    assert_eq!(
        (&seen["stage"], &seen["rectification"]),
        (&json!("overdue"), &json!("补齐票据"))
    );
    let answer = json!({ "statement": "(演示)已补齐" });
    walk.must(owner, &visit, "answer", answer, "answered").await;
    walk.must(staff, &visit, "settle", json!({}), "settled")
        .await;
}

/// In October the clock asked for the report of the third quarter; it was due ten days later and did not come.
/// Until it is accepted, the project is flagged.
async fn a_regular_report_comes_late(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let list = format!("{}/reports?parent={}", bureau.cycle, id(&case.project));
    let reports = walk.read(&case.owner, &list).await;
    let report = &reports["items"][0];
    assert_eq!(
        (&report["occasion"], &report["period"], &report["due"]),
        (
            &json!("quarterly"),
            &json!({ "from": "2024-09-02", "until": "2024-09-30" }),
            &json!("2024-10-24T15:59:59.999Z")
        )
    );
    assert_eq!(report["stage"], "overdue");
    let seen = walk.read(&bureau.staff, &case.project).await;
    assert_eq!(seen["missing_reports"], json!([report["id"]]));
    let report = format!("/v1/reports/{}", report["id"].as_str().unwrap());
    let more = json!({ "due": "2024-12-10T17:00:00+08:00", "reason": "(演示)交接" });
    walk.must(&bureau.lead, &report, "extend", more, "draft")
        .await;
    let plan = walk.read(&case.owner, &case.project).await["plan"].clone();
    let targets = plan["targets"].as_array().unwrap().iter();
    let reached: serde_json::Map<String, Value> = targets
        .map(|target| (target["name"].as_str().unwrap().to_owned(), json!(0)))
        .collect();
    let said = json!({ "body": { "text": "(演示)三季度尚在筹备", "reached": reached } });
    walk.must(&case.owner, &report, "save", said, "draft").await;
    walk.must(&case.owner, &report, "submit", json!({}), "submitted")
        .await;
    walk.must(&bureau.staff, &report, "accept", json!({}), "accepted")
        .await;
    let seen = walk.read(&bureau.staff, &case.project).await;
    assert_eq!(seen["missing_reports"], json!([]));
    // Nothing was spent by then either, which the next look at the clock flags again.
    bureau.at(walk, "2024-12-07T09:01:00+08:00").await;
}

/// On Monday morning staff read in their digest what they have to look at: two projects are silent and spend
/// little, and one of them has not reported.
pub(super) async fn staff_are_told_what_to_look_at(walk: &Walk<'_>, bureau: &Bureau) {
    let mut last = Value::Null;
    for _ in 0..20_000 {
        let inbox = walk.read(&bureau.staff, "/v1/me/inbox").await;
        last = inbox["items"][0].clone();
        if last["title"] == "今日待办(2024-12-16)" {
            break;
        }
    }
    let told = last["text"].as_str().unwrap_or_default();
    let lines = "活动停滞项目 2 件\n支出偏低项目 2 件\n报告逾期项目 1 件";
    assert!(told.ends_with(lines), "{last}");
}

/// By 7 December there has been no activity for 56 days and no spending was reported: both are flagged,
/// for staff to see and for nobody else.
pub(super) async fn silence_and_little_spending_are_flagged(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let seen = walk.read(&bureau.staff, &case.project).await;
    assert_eq!(seen["silent_since"], "2024-10-12", "{seen}");
    assert!(!seen["underspent_at"].is_null(), "{seen}");
    let own = walk.read(&case.owner, &case.project).await;
    assert!(own.get("silent_since").is_none(), "{own}");
    a_regular_report_comes_late(walk, bureau, case).await;

    let path = format!("{}/documents/monitoring?format=csv", bureau.cycle);
    let token = Some(bureau.staff.token.as_str());
    let (status, _, bytes) = walk.server.fetch(&path, token, &[]).await;
    let table = String::from_utf8(bytes).unwrap();
    assert_eq!(status, 200, "{table}");
    let title = own["title"].as_str().unwrap();
    let line = table.lines().find(|line| line.contains(title)).unwrap();
    assert!(
        line.contains("2024年10月12日") && line.ends_with("自2024年10月12日起无活动;支出进度偏低"),
        "{table}"
    );
    let (status, _, _) = walk.server.fetch(&path, Some(&case.owner.token), &[]).await;
    assert_eq!(status, 404);
}
