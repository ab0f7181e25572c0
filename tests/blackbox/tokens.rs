//! Tokens for programs: they do what they were made for, where they were made for it, until they end.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::office::{Office, PASSWORD, register};

on_both!(
    a_token_for_a_program_does_what_it_was_made_for_and_nothing_else,
    tokens_are_listed_renewed_and_ended_by_their_holder_alone,
);

async fn make(office: &Office, by: &str, more: Value) -> (u16, Value) {
    let mut body =
        json!({ "name": "短信网关", "scopes": ["read"], "days": 30, "password": PASSWORD });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    office
        .server
        .ask("POST", "/v1/me/tokens", Some(by), Some(body))
        .await
}

async fn made(office: &Office, by: &str, more: Value) -> String {
    let (status, said) = make(office, by, more).await;
    assert_eq!(status, 201, "{said}");
    said["token"].as_str().unwrap().to_owned()
}

async fn reads(office: &Office, token: &str, path: &str) -> (u16, Value) {
    office.server.ask("GET", path, Some(token), None).await
}

async fn asks(office: &Office, token: &str, path: &str) -> (u16, String) {
    let body = Some(json!({}));
    let (status, said) = office.server.ask("POST", path, Some(token), body).await;
    (status, said["type"].as_str().unwrap_or_default().to_owned())
}

const SCOPE: &str = "/problems/insufficient_scope";

async fn a_token_for_a_program_does_what_it_was_made_for_and_nothing_else(database: Database) {
    let office = Office::open(&database, &[]).await;
    // A second cycle, where the same person works.
    let body = json!({ "name": "2025年公益创投" });
    let other = office.made(&office.admin, "/v1/cycles", body).await;
    let other = other["id"].as_str().unwrap().to_owned();
    let (_, me) = reads(&office, &office.staff, "/v1/me").await;
    let grant = json!({ "grant": { "role": "staff", "scope": { "cycle": other } } });
    let path = format!("/v1/accounts/{}/grant", me["account"].as_str().unwrap());
    office.made(&office.admin, &path, grant).await;

    // To read one cycle: what is not of it is not there, and nothing is changed.
    let bot = made(&office, &office.staff, json!({ "cycles": [office.cycle] })).await;
    let there = [
        office.path("journal"),
        office.path("applications"),
        format!("/v1/cycles/{}", office.cycle),
        format!("/v1/organisations/{}", office.organisation),
        "/v1/me".to_owned(),
    ];
    for path in &there {
        let (status, said) = reads(&office, &bot, path).await;
        assert_eq!(status, 200, "{path}: {said}");
    }
    let elsewhere = format!("/v1/cycles/{other}");
    for path in [
        elsewhere.clone(),
        format!("{elsewhere}/journal"),
        format!("{elsewhere}/policies"),
    ] {
        assert_eq!(reads(&office, &office.staff, &path).await.0, 200, "{path}");
        assert_eq!(reads(&office, &bot, &path).await.0, 404, "{path}");
    }
    for token in [&office.staff, &bot] {
        let (_, listed) = reads(&office, token, "/v1/cycles?total=true").await;
        let both = *token == office.staff;
        assert_eq!(listed["total"], json!(if both { 2 } else { 1 }), "{listed}");
    }
    let publish = format!("/v1/organisations/{}/verify", office.organisation);
    for path in [publish.as_str(), &office.path("policies"), "/v1/webhooks"] {
        assert_eq!(
            asks(&office, &bot, path).await,
            (403, SCOPE.to_owned()),
            "{path}"
        );
    }
    for path in ["/v1/me/inbox", "/v1/me/tokens", "/v1/outbox"] {
        assert_eq!(reads(&office, &bot, path).await.0, 403, "{path}");
    }
    // Everything, in one cycle: the registry and other cycles stay as they are.
    let all = json!({ "scopes": ["everything"], "cycles": [office.cycle] });
    let all = made(&office, &office.staff, all).await;
    assert_eq!(asks(&office, &all, &publish).await.0, 403);
    let policies = office.path("policies");
    assert_eq!(asks(&office, &all, &policies).await.0, 422);
    assert_eq!(
        asks(&office, &all, &format!("{elsewhere}/policies"))
            .await
            .0,
        404
    );

    // One verb, or all of a group; to read is another thing.
    let edit = format!("{}/edit", office.draft);
    let discard = format!("{}/discard?dry_run=true", office.draft);
    for (scopes, may_edit, may_discard, may_read) in [
        (json!(["application.edit"]), true, false, false),
        (json!(["application.edit", "read"]), true, false, true),
        (json!(["application.*"]), true, true, false),
        (json!(["everything"]), true, true, true),
        (json!(["read", "sheet.*"]), false, false, true),
    ] {
        let bot = made(&office, &office.owner, json!({ "scopes": scopes })).await;
        assert_eq!(
            asks(&office, &bot, &edit).await.1 != SCOPE,
            may_edit,
            "{scopes}"
        );
        let discarded = asks(&office, &bot, &discard).await;
        assert_eq!(discarded.0, if may_discard { 200 } else { 403 }, "{scopes}");
        let read = reads(&office, &bot, &office.draft).await.0;
        assert_eq!(read, if may_read { 200 } else { 403 }, "{scopes}");
        // It never does more than its account.
        let accept = format!("{}/accept", office.draft);
        assert_eq!(asks(&office, &bot, &accept).await.0, 403, "{scopes}");
    }
}

async fn tokens_are_listed_renewed_and_ended_by_their_holder_alone(database: Database) {
    let office = Office::open(&database, &[]).await;
    let server = &office.server;
    for (more, code) in [
        (json!({ "scopes": ["read", "fly"] }), "unknown_scope"),
        (json!({ "scopes": [] }), "too_few"),
        (json!({ "days": 0 }), "too_small"),
        (json!({ "days": 367 }), "too_great"),
        (json!({ "password": "not the password" }), "wrong_password"),
    ] {
        let (status, said) = make(&office, &office.owner, more).await;
        assert_eq!(
            (status, &said["errors"][0]["code"]),
            (422, &json!(code)),
            "{said}"
        );
    }
    let token = made(&office, &office.owner, json!({ "days": 1 })).await;
    let bot = made(&office, &office.owner, json!({ "name": "报表" })).await;
    let (_, listed) = reads(&office, &office.owner, "/v1/me/tokens").await;
    let items = listed["items"].as_array().unwrap();
    let names: Vec<&Value> = items.iter().map(|one| &one["program"]["name"]).collect();
    assert_eq!(items.len(), 3, "{listed}");
    assert!(
        names.contains(&&json!("报表")) && names.contains(&&Value::Null),
        "{listed}"
    );
    assert_eq!(items.iter().filter(|one| one["current"] == true).count(), 1);
    for secret in [&token, &bot, &office.owner] {
        assert!(!listed.to_string().contains(&secret[10..40]), "{listed}");
    }
    let id = items
        .iter()
        .find(|one| one["program"]["name"] == "报表")
        .unwrap()["id"]
        .as_str()
        .unwrap();
    let revoke = format!("/v1/me/tokens/{id}/revoke");
    assert_eq!(asks(&office, &office.stranger, &revoke).await.0, 404);
    assert_eq!(reads(&office, &bot, "/v1/me").await.0, 200);
    assert_eq!(asks(&office, &office.owner, &revoke).await.0, 204);
    assert_eq!(reads(&office, &bot, "/v1/me").await.0, 401);
    assert_eq!(asks(&office, &office.owner, &revoke).await.0, 404);
    office.at("2024-05-07T09:29:59+08:00").await;
    assert_eq!(reads(&office, &token, "/v1/me").await.0, 200);
    office.at("2024-05-07T09:30:00+08:00").await;
    assert_eq!(reads(&office, &token, "/v1/me").await.0, 401);

    let (status, renewed) = server
        .ask("POST", "/v1/me/token/renew", Some(&office.owner), None)
        .await;
    assert_eq!(status, 200, "{renewed}");
    let renewed = renewed["token"].as_str().unwrap();
    assert_eq!(reads(&office, &office.owner, "/v1/me").await.0, 401);
    let bot = made(&office, renewed, json!({})).await;
    let second = server.sign_in("owner@example.org", PASSWORD).await;
    let out = async |by: &str, body: Value| {
        server
            .ask("POST", "/v1/sign-out-everywhere", Some(by), Some(body))
            .await
            .0
    };
    assert_eq!(out(&second, json!({})).await, 204);
    for (token, status) in [
        (renewed, 401),
        (&second, 401),
        (&bot, 200),
        (&office.staff, 200),
    ] {
        assert_eq!(reads(&office, token, "/v1/me").await.0, status);
    }
    let third = server.sign_in("owner@example.org", PASSWORD).await;
    assert_eq!(out(&third, json!({ "programs_too": true })).await, 204);
    assert_eq!(reads(&office, &bot, "/v1/me").await.0, 401);
    let newcomer = register(server, "newcomer").await;
    assert_eq!(reads(&office, &newcomer, "/v1/me/tokens").await.0, 200);
}
