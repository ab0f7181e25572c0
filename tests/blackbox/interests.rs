//! Interests on record: shown to staff with what shows them, kept away on every path, and taken out of the
//! result when they come to light late (`visibility.md` R3, R4, F2, F3).

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, because, id_of};
use crate::review_ways::checked_for_eligibility;

on_both!(an_interest_on_record_keeps_experts_away_on_every_path_r3_r4_f2_f3_i19);

const PEOPLE: &[&str] = &[
    "staff", "staff2", "lead", "auditor", "org01", "org02", "org03", "expert1", "expert2",
    "expert3", "expert4", "expert5",
];
const EXPERTS: &[&str] = &["expert1", "expert2", "expert3", "expert4", "expert5"];
const PHONE: &str = "0519-86310001";

/// The address and the profile of the one organisation or expert that somebody sees.
async fn own(desk: &Desk<'_>, who: &str, plural: &str) -> (String, Value) {
    let (_, seen) = desk.sees(who, &format!("/v1/{plural}?limit=1")).await;
    let one = &seen["items"][0];
    let path = format!("/v1/{plural}/{}", one["id"].as_str().unwrap());
    (path, one["profile"].clone())
}

/// What staff are shown of an expert and an application.
async fn shown(desk: &Desk<'_>, who: &str, panel: &str, expert: &str, subject: &str) -> Value {
    let (status, seen) = desk.sees(who, &format!("{panel}/interests")).await;
    assert_eq!(status, 200, "{seen}");
    let mut items = seen["items"].as_array().unwrap().iter();
    let is_it =
        |one: &&Value| one["expert"] == desk.account(expert) && one["subject"] == id_of(subject);
    items.find(is_it).cloned().unwrap_or_default()
}

async fn an_interest_on_record_keeps_experts_away_on_every_path_r3_r4_f2_f3_i19(
    database: Database,
) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, PEOPLE).await;
    let found = desk.applications(&["org01", "org02"]).await;
    let [a, b] = [0, 1].map(|index| &found[index]);
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let (organisation, mut profile) = own(&desk, "org01", "organisations").await;
    profile["phone"] = json!(PHONE);
    desk.does(
        "org01",
        &organisation,
        "amend",
        json!({ "profile": profile }),
    )
    .await;
    let (expert, mut profile) = own(&desk, "expert1", "experts").await;
    profile["phone"] = json!("+86 519 8631 0001".replace("+86 ", "0"));
    desk.does("expert1", &expert, "amend", json!({ "profile": profile }))
        .await;

    let panel = desk.forms("paper_review", EXPERTS).await;
    nothing_gives_it_out(&desk, &panel, a).await;
    let one = shown(&desk, "staff", &panel, "expert1", a).await;
    assert_eq!(one["interests"][0]["ground"], "phone", "{one}");
    assert!(
        one["interests"][0]["evidence"]["zh"]
            .as_str()
            .unwrap()
            .contains(PHONE)
    );
    assert_eq!(
        (&one["sheet"], &one["counts"]),
        (&Value::Null, &json!(false))
    );
    for who in ["expert1", "org01"] {
        assert_eq!(desk.sees(who, &format!("{panel}/interests")).await.0, 404);
    }

    desk.does("staff", &panel, "assign", desk.pairs(&EXPERTS[1..], &[a]))
        .await;
    desk.does("staff", &panel, "assign", desk.pairs(EXPERTS, &[b]))
        .await;
    desk.all("staff", &panel, &["open"]).await;
    for (place, expert) in EXPERTS.iter().enumerate() {
        if 0 < place {
            let quality = if place == 1 { 100 } else { 60 };
            desk.scores(expert, a, PAPER, quality).await;
        }
        desk.scores(expert, b, PAPER, if place == 1 { 100 } else { 80 })
            .await;
    }
    noted_by_staff_after_scoring(&desk, &panel, a).await;
    found_after_the_close(&desk, &panel, b).await;

    // Whoever has an interest of their own is not told of those of others in the same matter.
    let joining = json!({ "account": desk.account("staff2"), "owner": false });
    assert_ne!(
        shown(&desk, "staff2", &panel, "expert1", a).await,
        Value::Null
    );
    desk.does("org01", &organisation, "add_member", joining)
        .await;
    assert_eq!(
        shown(&desk, "staff2", &panel, "expert1", a).await,
        Value::Null
    );
    assert_ne!(
        shown(&desk, "staff2", &panel, "expert2", b).await,
        Value::Null
    );
    assert_ne!(
        shown(&desk, "auditor", &panel, "expert1", a).await,
        Value::Null
    );
    applicants_judge_nobody(&desk, &panel, b).await;
}

/// Who belongs to an applicant is not seated, and loses what they have on others (A-061, I19).
async fn applicants_judge_nobody(desk: &Desk<'_>, panel: &str, b: &str) {
    let profile = json!({ "name": "申报方负责人" });
    let body = json!({ "account": desk.account("org03"), "profile": profile });
    let token = Some(desk.token("staff"));
    let server = desk.server();
    let (status, made) = server.ask("POST", "/v1/experts", token, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/v1/experts/{}", made["id"].as_str().unwrap());
    let pledge = json!({ "pledge": true });
    desk.does("org03", &path, "accept", pledge).await;
    let mut body = desk.members(&["org03", "expert4"]);
    body["round"] = json!("paper_review");
    let (status, refused) = desk.asks_to_create("staff", "panels", body).await;
    assert!(
        status == 422 && refused.to_string().contains("applicant"),
        "{status} {refused}"
    );

    let sheet = desk.sheet("expert1", b).await;
    assert_eq!(desk.sees("expert1", &sheet).await.0, 200);
    let (organisation, _) = own(desk, "org03", "organisations").await;
    let joining = json!({ "account": desk.account("expert1"), "owner": false });
    desk.does("org03", &organisation, "add_member", joining)
        .await;
    let one = shown(desk, "staff", panel, "expert1", b).await;
    assert_eq!(one["interests"][0]["ground"], "applicant", "{one}");
    assert_eq!(desk.sees("expert1", &sheet).await.0, 404);
    assert!(desk.list("expert1", "/sheets").await.is_empty());
}

/// Not by hand, not in bulk, not by the solver.
async fn nothing_gives_it_out(desk: &Desk<'_>, panel: &str, a: &String) {
    let pair = desk.pairs(&["expert1"], &[a]);
    desk.refused(("staff", panel, "assign"), pair.clone(), 422, PHONE)
        .await;
    let bulk = json!({ "items": [{ "id": id_of(panel), "body": pair }] });
    let (_, answer) = desk
        .ask("staff", &desk.path("/panels/bulk"), "assign", bulk)
        .await;
    assert_eq!(answer["results"][0]["status"], 422, "{answer}");
    let ask = json!({ "per_subject": 3, "max_load": 40 });
    let planned = desk.does("staff", panel, "plan_assignment", ask).await;
    let pair = &pair["pairs"][0];
    let plan = &planned["plan"];
    assert!(
        plan["inputs"]["forbidden"]
            .as_array()
            .unwrap()
            .contains(pair)
    );
    assert!(!plan["pairs"].as_array().unwrap().contains(pair));
    desk.does("staff", panel, "discard_plan", json!({})).await;
}

/// Staff note an interest when the sheet is in: the expert sees it no more, and it does not count.
async fn noted_by_staff_after_scoring(desk: &Desk<'_>, panel: &str, a: &String) {
    let (expert, _) = own(desk, "expert2", "experts").await;
    let (organisation, _) = own(desk, "org01", "organisations").await;
    let noted = json!({ "organisations": [id_of(&organisation)], "ground": "曾参与项目策划" });
    desk.does("staff", &expert, "declare_conflicts", noted)
        .await;
    let late = desk.sheet("expert2", a).await;
    let (_, before) = desk.sees("staff", &late).await;
    assert_eq!(desk.sees("expert2", &late).await.0, 404);
    assert_eq!(desk.list("expert2", "/sheets").await.len(), 1);
    let one = shown(desk, "staff", panel, "expert2", a).await;
    assert_eq!(
        (&one["interests"][0]["ground"], &one["counts"]),
        (&json!("pinned"), &json!(true))
    );
    desk.all("staff", panel, &["close"]).await;
    let (_, kept) = desk.sees("staff", &late).await;
    assert_eq!(
        (&kept["stage"], &kept["marks"]),
        (&json!("void"), &before["marks"])
    );
    assert!(
        kept["reason"].as_str().unwrap().contains("曾参与项目策划"),
        "{kept}"
    );
    let (version, ranked) = desk.ranking(panel).await;
    let other = desk.sheet("expert3", a).await;
    let (_, other) = desk.sees("staff", &other).await;
    let scored = ranked.iter().find(|(subject, _)| subject == a).unwrap();
    assert_eq!(
        (version, json!(scored.1)),
        (1, other["total"].clone()),
        "{ranked:?}"
    );
}

/// An expert turns out to be a member when the round has closed: a lead opens it again, and what
/// follows is another version of the ranking without that sheet.
async fn found_after_the_close(desk: &Desk<'_>, panel: &str, b: &String) {
    let (organisation, _) = own(desk, "org02", "organisations").await;
    let joining = json!({ "account": desk.account("expert2"), "owner": false });
    desk.does("org02", &organisation, "add_member", joining)
        .await;
    let one = shown(desk, "staff", panel, "expert2", b).await;
    assert_eq!(
        (&one["interests"][0]["ground"], &one["counts"]),
        (&json!("member"), &json!(true))
    );
    desk.does("lead", panel, "reopen", because("发现利害关系"))
        .await;
    desk.all("staff", panel, &["close"]).await;
    let late = desk.sheet("expert2", b).await;
    desk.stages(&[&late], &["void"]).await;
    let (version, ranked) = desk.ranking(panel).await;
    let other = desk.sheet("expert4", b).await;
    let (_, other) = desk.sees("staff", &other).await;
    let scored = ranked.iter().find(|(subject, _)| subject == b).unwrap();
    assert_eq!(
        (version, json!(scored.1)),
        (2, other["total"].clone()),
        "{ranked:?}"
    );
    assert!(
        !shown(desk, "staff", panel, "expert2", b).await["counts"]
            .as_bool()
            .unwrap()
    );
    let again = desk.pairs(&["expert2"], &[b]);
    desk.does("lead", panel, "reopen", because("再看")).await;
    desk.refused(("staff", panel, "assign"), again, 422, "given_before")
        .await;
    desk.all("staff", panel, &["close"]).await;
}
