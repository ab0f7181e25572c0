//! What holds for every record: repeats, trials, many at once, pages.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::office::Office;

on_both!(
    a_repeat_is_answered_alike_and_a_trial_keeps_nothing,
    many_moves_answer_each_by_itself,
    pages_hold_every_record_once,
);

async fn a_repeat_is_answered_alike_and_a_trial_keeps_nothing(database: Database) {
    let office = Office::open(&database, &[]).await;
    let collection = office.path("applications");
    let body = |title: &str| json!({ "organisation": office.organisation, "form": { "title": title, "domain": "养老服务" } });
    let post = async |path: &str, title: &str| {
        let key = [("idempotency-key", "7f3a")];
        office
            .server
            .ask_with("POST", path, Some(&office.owner), Some(body(title)), &key)
            .await
    };
    let before = office.state().await;
    let trial = format!("{collection}?dry_run=true");
    let (status, tried) = office
        .server
        .ask("POST", &trial, Some(&office.owner), Some(body("一")))
        .await;
    assert_eq!(
        (status, &tried["form"]["title"]),
        (200, &json!("一")),
        "{tried}"
    );
    assert_eq!(office.state().await, before);

    let first = post(&collection, "一").await;
    assert_eq!(first.0, 201, "{}", first.2);
    let once = office.state().await;
    assert_eq!(post(&collection, "一").await, first);
    let (status, _, problem) = post(&collection, "二").await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (422, Some("/problems/key_reused")),
        "{problem}"
    );
    assert_eq!(office.state().await, once);
}

async fn many_moves_answer_each_by_itself(database: Database) {
    let office = Office::open(&database, &[]).await;
    let second = office.draft("二").await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let items = json!({ "items": [
        { "id": id(&office.draft), "body": {} },
        { "id": "0199aaaa-0000-7000-8000-000000000000", "body": { "reason": "x" } },
        { "id": id(&second), "body": { "reason": 7 } },
    ] });
    let path = format!("{}/bulk/discard", office.path("applications"));
    let (status, said) = office
        .server
        .ask("POST", &path, Some(&office.owner), Some(items))
        .await;
    assert_eq!(status, 200, "{said}");
    let statuses: Vec<&Value> = said["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses.len(), 3, "{said}");
    assert_eq!(statuses[0], 200, "{said}");
    assert_eq!(statuses[1], 404, "{said}");
    assert_eq!(statuses[2], 422, "{said}");
    assert_eq!(office.read(&second).await.1["stage"], "draft");
    assert_eq!(office.read(&office.draft).await.1["stage"], "discarded");
}

async fn pages_hold_every_record_once(database: Database) {
    let office = Office::open(&database, &[]).await;
    for number in 0..6 {
        office.draft(&format!("项目{number}")).await;
    }
    let collection = office.path("applications");
    let get = async |query: &str| {
        office
            .server
            .ask(
                "GET",
                &format!("{collection}?{query}"),
                Some(&office.owner),
                None,
            )
            .await
    };
    let (mut seen, mut titles, mut cursor) = (0, BTreeSet::new(), String::new());
    loop {
        let (status, page) = get(&format!("limit=3&sort=-created_at&fields=form,id{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        for one in page["items"].as_array().unwrap() {
            seen += 1;
            titles.insert(one["form"]["title"].as_str().unwrap().to_owned());
            assert_eq!(one.get("moves"), None);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, titles.len()), (7, 7));
    let (_, none) = get("stage=submitted").await;
    assert_eq!(none["items"], json!([]));
    let (status, problem) = get("limit=0&sort=beauty&stage=dreaming&colour=red").await;
    assert_eq!(status, 400, "{problem}");
    let (status, problem) = get("limit=0&sort=beauty&stage=dreaming").await;
    assert_eq!(
        (status, problem["errors"].as_array().unwrap().len()),
        (400, 3),
        "{problem}"
    );
    let (status, problem) = get("cursor=nonsense").await;
    assert_eq!(status, 400, "{problem}");
}
