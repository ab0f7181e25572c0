//! Closing a round: tried first, then done, with what stopped each application.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, id_of};
use crate::review_ways::checked_for_eligibility;

on_both!(a_close_that_is_tried_shows_the_shortlist_and_keeps_nothing);

const EXPERTS: &[&str] = &["expert1", "expert2", "expert3"];

/// Subject, whether it goes on, and what stopped it, best first.
fn lines(panel: &Value) -> Vec<(Value, Value, Value)> {
    let results = panel["results"].as_array().unwrap().iter();
    let line = |one: &Value| {
        (
            one["input"]["subject"].clone(),
            one["goes_on"].clone(),
            one["stopped_by"].clone(),
        )
    };
    results.map(line).collect()
}

async fn a_close_that_is_tried_shows_the_shortlist_and_keeps_nothing(database: Database) {
    let server = checked_for_eligibility(&database);
    let people = [&["staff", "lead"][..], EXPERTS].concat();
    let desk = Desk::open(&server, &people).await;
    let (_, cycle) = desk.sees("staff", &desk.path("")).await;
    let path = format!("/v1/policies/{}", cycle["policy"].as_str().unwrap());
    let (_, policy) = desk.sees("staff", &path).await;
    let mut document = policy["document"].clone();
    document["rounds"]["paper_review"]["shortlist_per_domain"] = json!(1);
    document["rounds"]["paper_review"]["pass_line"] = json!("60");
    let body = json!({ "document": document, "reason": "每领域一项" });
    let draft = desk.creates("staff", "policies", body).await;
    let body = json!({ "policy": id_of(&draft) });
    desk.does("lead", &desk.path(""), "amend", body).await;

    // Two of one domain, and others.
    let eligible = desk
        .list("staff", "/applications?stage=eligible&limit=200")
        .await;
    let domain = |one: &Value| one["form"]["domain"].clone();
    let twice = eligible
        .iter()
        .map(domain)
        .find(|this| 1 < eligible.iter().filter(|one| domain(one) == *this).count())
        .unwrap();
    let same = eligible.iter().filter(|one| domain(one) == twice).take(2);
    let others = eligible.iter().filter(|one| domain(one) != twice).take(2);
    let found: Vec<String> = same
        .chain(others)
        .map(|one| format!("/v1/applications/{}", one["id"].as_str().unwrap()))
        .collect();
    let found: Vec<&String> = found.iter().collect();
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", EXPERTS).await;
    desk.does("staff", &panel, "assign", desk.pairs(EXPERTS, &found))
        .await;
    desk.all("staff", &panel, &["open"]).await;
    for (subject, quality) in found.iter().zip([100, 80, 90, 40]) {
        for expert in EXPERTS {
            desk.scores(expert, subject, PAPER, quality).await;
        }
    }

    let tried = desk
        .does("staff", &panel, "close?dry_run=true", json!({}))
        .await;
    desk.stages(&[&panel], &["open"]).await;
    desk.stages(&found, &["in_review"; 4]).await;
    let expected = [
        (found[0], true, Value::Null),
        (found[2], true, Value::Null),
        (found[1], false, json!("domain")),
        (found[3], false, json!("pass_line")),
    ];
    let expected = expected.map(|(subject, on, why)| (json!(id_of(subject)), json!(on), why));
    assert_eq!(lines(&tried), expected, "{tried}");
    let done = desk.does("staff", &panel, "close", json!({})).await;
    assert_eq!(done["results"], tried["results"]);
    let stages = [
        "shortlisted",
        "not_shortlisted",
        "shortlisted",
        "not_shortlisted",
    ];
    desk.stages(&found, &stages).await;
}
