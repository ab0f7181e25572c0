//! Evaluations that are taken back, failed, or passed at the second attempt.

use super::{Bureau, Case, Kind, Value, Walk, because, id, json, text};

const MIDTERM: [(&str, u32); 6] = [
    ("progress", 30),
    ("quality", 20),
    ("input", 15),
    ("finance", 20),
    ("records", 10),
    ("cooperation", 5),
];
const FINAL: [(&str, u32); 6] = [
    ("outputs", 25),
    ("outcomes", 20),
    ("satisfaction", 15),
    ("finance", 20),
    ("growth", 10),
    ("sustainability", 10),
];

/// About `percent` of every criterion.
fn marks(round: &str, percent: u32) -> Value {
    let rubric = if round == "midterm" { MIDTERM } else { FINAL };
    let scores: serde_json::Map<String, Value> = rubric
        .iter()
        .map(|(key, most)| ((*key).to_owned(), json!(most * percent / 100)))
        .collect();
    json!({ "marks": { "scores": scores, "comments": {} } })
}

/// Opens the evaluations and lets three experts give each project its percentage; gives the closed
/// panel and the evaluations.
pub(super) async fn scored(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    round: &str,
    cases: &[(&Case, u32)],
) -> (String, Vec<String>) {
    let (staff, cycle) = (&bureau.staff, &bureau.cycle);
    let mut evaluations = Vec::new();
    for (case, _) in cases {
        let list = format!("{cycle}/evaluations");
        let opened = json!({ "project": id(&case.project), "round": round });
        let made = walk.create(staff, Kind::Evaluation, "open", &list, opened);
        evaluations.push(made.await);
    }
    let mut experts = Vec::new();
    for number in 1..=3 {
        let email = format!("expert{number}@demo.invalid");
        experts.push(walk.person(&email).await);
    }
    let accounts: Vec<&str> = experts.iter().map(|one| one.account.as_str()).collect();
    let list = format!("{cycle}/panels");
    let formed = json!({ "round": round, "experts": accounts, "chair": accounts[0] });
    let panel = walk.create(staff, Kind::Panel, "form", &list, formed).await;
    let mut pairs = Vec::new();
    for (case, _) in cases {
        for expert in &accounts {
            pairs.push(json!({ "expert": expert, "subject": id(&case.project) }));
        }
    }
    let pairs = json!({ "pairs": pairs });
    walk.must(staff, &panel, "assign", pairs, "forming").await;
    walk.must(staff, &panel, "open", json!({}), "open").await;
    for expert in &experts {
        let list = format!("{cycle}/sheets?limit=200");
        let sheets = walk.read(expert, &list).await;
        for sheet in sheets["items"].as_array().unwrap() {
            let subject = text(sheet, "subject");
            let case = cases.iter().find(|(case, _)| id(&case.project) == subject);
            let (Some((_, percent)), "pending") = (case, text(sheet, "stage").as_str()) else {
                continue;
            };
            let record = format!("/v1/sheets/{}", text(sheet, "id"));
            let marks = marks(round, *percent);
            walk.must(expert, &record, "save", marks, "draft").await;
            walk.must(expert, &record, "submit", json!({}), "submitted")
                .await;
        }
    }
    walk.must(staff, &panel, "close", json!({}), "closed").await;
    (panel, evaluations)
}

/// Grades an evaluation, which must give `grade`.
async fn graded(walk: &mut Walk<'_>, bureau: &Bureau, evaluation: &str, panel: &str, grade: &str) {
    let body = json!({ "panel": id(panel) });
    walk.must(&bureau.staff, evaluation, "grade", body, "graded")
        .await;
    let seen = walk.read(&bureau.staff, evaluation).await;
    assert_eq!(seen["grade"], grade, "{seen}");
}

/// Publishes an evaluation, which must bring the project to `stage`.
async fn published(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    evaluation: &str,
    case: &Case,
    stage: &str,
) {
    walk.must(&bureau.lead, evaluation, "publish", json!({}), "published")
        .await;
    let seen = walk.read(&case.owner, &case.project).await;
    assert_eq!(seen["stage"], stage);
}

/// One of three fails half-way; the grade of another is taken back and given again, and published by
/// somebody else.
pub(super) async fn one_fails_half_way_and_a_grade_is_taken_back(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    [first, second, third]: [&Case; 3],
) {
    let percents = [(first, 30), (second, 80), (third, 70)];
    let (panel, evaluations) = scored(walk, bureau, "midterm", &percents).await;
    let [fails, again, passes] = evaluations.try_into().ok().unwrap();
    graded(walk, bureau, &again, &panel, "良好").await;
    let (staff, lead) = (&bureau.staff, &bureau.lead);
    bureau.role(walk, "grant", staff, "lead").await;
    let why = walk.refused(staff, &again, "publish", json!({})).await;
    assert_eq!(why, "other_than_grader");
    bureau.role(walk, "revoke", staff, "lead").await;
    walk.must(lead, &again, "regrade", because("复核评分"), "open")
        .await;
    let seen = walk.read(staff, &again).await;
    assert!(seen["score"].is_null() && seen["grade"].is_null(), "{seen}");
    let why = walk.refused(lead, &again, "publish", json!({})).await;
    assert_eq!(why, "not_from_here");
    graded(walk, bureau, &again, &panel, "良好").await;
    published(walk, bureau, &again, second, "active").await;
    graded(walk, bureau, &passes, &panel, "合格").await;
    published(walk, bureau, &passes, third, "active").await;
    graded(walk, bureau, &fails, &panel, "不合格").await;
    published(walk, bureau, &fails, first, "midterm_failed").await;
}

/// An excellent project ends early in the year; when nobody has contested that, its organisation has points
/// for later cycles on record.
pub(super) async fn one_ends_well(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let (panel, evaluations) = scored(walk, bureau, "final", &[(case, 100)]).await;
    graded(walk, bureau, &evaluations[0], &panel, "优秀").await;
    walk.must(
        &bureau.lead,
        &evaluations[0],
        "publish",
        json!({}),
        "noticed",
    )
    .await;
    let seen = walk.read(&case.owner, &evaluations[0]).await;
    assert_eq!(seen["bonus"], "2");
    let project = walk.read(&case.owner, &case.project).await;
    let organisation = format!("/v1/organisations/{}", text(&project, "organisation"));
    let seen = walk.read(&case.owner, &organisation).await;
    assert_eq!(seen["merits"], json!([]));
    bureau.at(walk, "2025-01-02T00:00:00+08:00").await;
    let seen = walk.read(&case.owner, &organisation).await;
    let merit = &seen["merits"][0];
    assert_eq!(
        (&merit["project"], &merit["grade"], &merit["points"]),
        (&json!(id(&case.project)), &json!("优秀"), &json!("2"))
    );
    let project = walk.read(&case.owner, &case.project).await;
    assert_eq!(project["stage"], "closing");
}

/// At the end one fails at once; the other puts things right and passes when it is seen again.
pub(super) async fn one_puts_right_and_one_fails_at_the_end(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    [second, third]: [&Case; 2],
) {
    let percents = [(second, 55), (third, 10)];
    let (panel, evaluations) = scored(walk, bureau, "final", &percents).await;
    let [conditional, fails] = evaluations.try_into().ok().unwrap();
    graded(walk, bureau, &conditional, &panel, "需整改").await;
    published(walk, bureau, &conditional, second, "rectifying").await;
    graded(walk, bureau, &fails, &panel, "不合格").await;
    published(walk, bureau, &fails, third, "final_failed").await;
    let last = bureau.tranche(walk, second, 2).await;
    let why = walk.refused(&bureau.staff, &last, "request", json!({}));
    assert_eq!(why.await, "condition_met");

    bureau.at(walk, "2025-06-20T09:00:00+08:00").await;
    let (panel, evaluations) = scored(walk, bureau, "final", &[(second, 80)]).await;
    graded(walk, bureau, &evaluations[0], &panel, "良好").await;
    published(walk, bureau, &evaluations[0], second, "closing").await;
}
