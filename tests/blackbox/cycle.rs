//! The whole cycle over HTTP, on both engines, and what is left of it.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::json;

use crate::support::{Server, err, out, run};

const PASSWORD: &str = "wujin-demo-2024";

on_both!(the_wujin_cycle_is_played_and_its_journal_rebuilds_every_table);

async fn the_wujin_cycle_is_played_and_its_journal_rebuilds_every_table(database: Database) {
    let folder = database.folder.path();
    let played = run(folder, &["demo", "--database", &database.url]);
    assert_eq!(
        played.status.code(),
        Some(0),
        "{}{}",
        out(&played),
        err(&played)
    );
    assert_eq!(
        out(&played).matches("已结项").count(),
        14,
        "{}",
        out(&played)
    );

    let replay = run(
        folder,
        &["journal", "replay", "--check", "--database", &database.url],
    );
    assert_eq!(
        replay.status.code(),
        Some(0),
        "{}{}",
        out(&replay),
        err(&replay)
    );

    let server = Server::start(folder, &database.url, &["--time-travel"]);
    the_public_sees_the_notice_and_no_more(&server).await;
    strangers_see_nothing(&server).await;
    a_stale_write_and_a_reused_key_are_refused(&server).await;
}

/// The notice is an allow-list of columns; nothing else of the cycle is public.
async fn the_public_sees_the_notice_and_no_more(server: &Server) {
    let (_, cycles) = server.ask("GET", "/v1/cycles", None, None).await;
    let cycle = cycles["items"][0]["id"].as_str().unwrap().to_owned();
    let (status, notices) = server
        .ask("GET", &format!("/v1/cycles/{cycle}/notices"), None, None)
        .await;
    assert_eq!(
        (status, notices["items"].as_array().unwrap().len()),
        (200, 2),
        "{notices}"
    );
    let columns: BTreeSet<&str> = notices["items"][0]["rows"][0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let allowed = BTreeSet::from([
        "number",
        "title",
        "organisation",
        "domain",
        "rank",
        "score",
        "award",
    ]);
    assert!(columns.is_subset(&allowed), "{columns:?}");
    for plural in [
        "applications",
        "sheets",
        "panels",
        "selections",
        "objections",
        "awards",
        "tranches",
    ] {
        let (status, list) = server
            .ask("GET", &format!("/v1/cycles/{cycle}/{plural}"), None, None)
            .await;
        assert!(
            status == 401 || list["items"].as_array().is_some_and(Vec::is_empty),
            "{plural}: {status} {list}"
        );
    }
}

/// Another organisation's application answers exactly like one that does not exist.
async fn strangers_see_nothing(server: &Server) {
    let staff = server.sign_in("staff@demo.invalid", PASSWORD).await;
    let stranger = server.sign_in("org02@demo.invalid", PASSWORD).await;
    let (_, cycles) = server.ask("GET", "/v1/cycles", None, None).await;
    let cycle = cycles["items"][0]["id"].as_str().unwrap().to_owned();
    let (_, all) = server
        .ask(
            "GET",
            &format!("/v1/cycles/{cycle}/applications?limit=100"),
            Some(&staff),
            None,
        )
        .await;
    let (_, own) = server
        .ask(
            "GET",
            &format!("/v1/cycles/{cycle}/applications"),
            Some(&stranger),
            None,
        )
        .await;
    assert_eq!(
        (
            all["items"].as_array().unwrap().len(),
            own["items"].as_array().unwrap().len()
        ),
        (24, 1)
    );
    let own = own["items"][0]["id"].as_str().unwrap();
    let foreign = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["id"].as_str())
        .find(|id| *id != own)
        .unwrap();
    let hidden = server
        .ask(
            "GET",
            &format!("/v1/applications/{foreign}"),
            Some(&stranger),
            None,
        )
        .await;
    let absent = server
        .ask(
            "GET",
            "/v1/applications/0199aaaa-0000-7000-8000-000000000000",
            Some(&stranger),
            None,
        )
        .await;
    assert_eq!(hidden, absent);
    assert_eq!(hidden.0, 404);
}

/// `If-Match` and `Idempotency-Key` keep two writers apart.
async fn a_stale_write_and_a_reused_key_are_refused(server: &Server) {
    let admin = server.sign_in("admin@demo.invalid", PASSWORD).await;
    let create = |name: &str| Some(json!({ "name": name }));
    let key = [("idempotency-key", "one")];
    let (first, _, made) = server
        .ask_with("POST", "/v1/cycles", Some(&admin), create("2026"), &key)
        .await;
    let (again, _, same) = server
        .ask_with("POST", "/v1/cycles", Some(&admin), create("2026"), &key)
        .await;
    assert_eq!(
        (first, again, &made["id"]),
        (201, 201, &same["id"]),
        "{made} {same}"
    );
    let (reused, _, problem) = server
        .ask_with("POST", "/v1/cycles", Some(&admin), create("2027"), &key)
        .await;
    assert_eq!(reused, 422, "{problem}");

    let (status, problem) = server
        .ask(
            "POST",
            "/v1/cycles",
            Some(&admin),
            Some(json!({ "nme": "x", "name_en": 7 })),
        )
        .await;
    let pointers: BTreeSet<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|fault| fault["pointer"].as_str())
        .collect();
    assert_eq!(status, 422);
    assert!(
        pointers.contains("/name_en") && pointers.len() >= 2,
        "{problem}"
    );
}
