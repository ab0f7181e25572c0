//! What people can do without, and what they cannot.

use fundcycle_test_support::smtp::{SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{desk, follows_from_the_record, invite, smtp, submitted};
use crate::office::Office;

on_both!(
    one_click_ends_the_letters_of_its_kind_and_no_others,
    decisions_cannot_be_switched_off,
);

const PUBLIC: &str = "https://fund.example.org";

/// Where the letter can be unsubscribed from, without the server's name.
fn way_out(header: &str) -> String {
    let address = header.trim_start_matches('<').trim_end_matches('>');
    address.strip_prefix(PUBLIC).unwrap().to_owned()
}

async fn preferences(office: &Office, token: &str) -> Value {
    let (status, shown) = office
        .server
        .ask("GET", "/v1/me/preferences", Some(token), None)
        .await;
    assert_eq!(status, 200, "{shown}");
    shown
}

/// Whether this group of letters is wanted.
fn wants(shown: &Value, messages: &str) -> bool {
    let groups = shown["email"].as_array().unwrap();
    let group = groups.iter().find(|one| one["messages"] == messages);
    group.unwrap()["wanted"].as_bool().unwrap()
}

async fn one_click_ends_the_letters_of_its_kind_and_no_others(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let mut flags = smtp(&port, "none");
    flags.extend(["--public-url", PUBLIC]);
    let office = Office::open(&database, &flags).await;
    submitted(&office, 1).await;
    let receipt = server.letters(1).remove(0);
    assert_eq!(
        receipt.header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    let path = way_out(&receipt.header("List-Unsubscribe"));
    for kind in ["text/plain", "text/html"] {
        assert!(receipt.part(kind).contains(&path), "{kind}");
    }
    // A program that looks at the address changes nothing; neither does a made-up one.
    let (status, page) = office.server.ask("GET", &path, None, None).await;
    assert!(
        status == 200 && page.as_str().unwrap().contains("<form method=\"post\">"),
        "{page}"
    );
    let forged = path.replace("receipts", "reminders");
    let (status, said) = office.server.ask("POST", &forged, None, None).await;
    assert_eq!(status, 404, "{said}");
    let owner = &office.owner;
    assert!(wants(&preferences(&office, owner).await, "receipts"));

    let clicked = reqwest::Client::new()
        .post(format!("{}{path}", office.server.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("List-Unsubscribe=One-Click")
        .send()
        .await
        .unwrap();
    assert_eq!(clicked.status().as_u16(), 204);
    let shown = preferences(&office, owner).await;
    assert!(!wants(&shown, "receipts"), "{shown}");
    assert!(wants(&shown, "reminders") && wants(&shown, "decisions"));
    // No letter, but a message in the inbox; others still get theirs.
    submitted(&office, 1).await;
    desk(&office, "channel=inbox&status=delivered", |all| {
        all.len() == 2
    })
    .await;
    invite(&office, "expert").await;
    let decision = server.letters(2).remove(1);
    assert_eq!(decision.to, "expert@example.org");
    // An invitation is nothing that one unsubscribes from.
    assert_eq!(decision.header("List-Unsubscribe"), "");
    let rows = desk(&office, "channel=email", |all| all.len() == 2).await;
    assert!(rows.iter().any(|one| one["topic"] == "expert.invite"));

    // Back again; what is on its way when it is switched off is not sent any more.
    let set = async |wanted: bool| {
        let body = json!({ "channel": "email", "wanted": { "receipts": wanted } });
        let asked = office
            .server
            .ask("PUT", "/v1/me/preferences", Some(owner), Some(body))
            .await;
        assert_eq!(asked.0, 200, "{}", asked.1);
    };
    set(true).await;
    submitted(&office, 1).await;
    assert_eq!(server.letters(3)[2].to, "owner@example.org");
    let noted = |all: &[Value]| all.len() == 3;
    desk(&office, "channel=email&status=delivered", noted).await;
    server.down();
    submitted(&office, 1).await;
    desk(&office, "channel=email&status=failing", |all| {
        all.len() == 1
    })
    .await;
    set(false).await;
    server.up();
    office.at("2024-05-06T09:31:00+08:00").await;
    let cancelled = desk(&office, "channel=email&status=cancelled", |all| {
        all.len() == 1
    })
    .await;
    assert_eq!(cancelled[0]["error"], "it is not wanted any more");
    follows_from_the_record(&database);
}

async fn decisions_cannot_be_switched_off(database: Database) {
    let office = Office::open(&database, &[]).await;
    let set = async |body: Value| {
        office
            .server
            .ask("PUT", "/v1/me/preferences", Some(&office.owner), Some(body))
            .await
    };
    for (body, pointer, code) in [
        (
            json!({ "channel": "email", "wanted": { "decisions": false, "reminders": false } }),
            "/wanted/decisions",
            "always_sent",
        ),
        (
            json!({ "channel": "email", "wanted": { "all": false } }),
            "/wanted/all",
            "unknown_value",
        ),
        (
            json!({ "channel": "inbox", "wanted": { "reminders": false } }),
            "/channel",
            "unknown_value",
        ),
    ] {
        let (status, said) = set(body).await;
        let fault = &said["errors"][0];
        assert_eq!(
            (status, &fault["pointer"], &fault["code"]),
            (422, &json!(pointer), &json!(code)),
            "{said}"
        );
    }
    let shown = preferences(&office, &office.owner).await;
    assert!(wants(&shown, "reminders"), "{shown}");
    let (status, _) = set(json!({ "channel": "email", "wanted": { "reminders": false } })).await;
    assert_eq!(status, 200);
    // Everybody for themselves.
    assert!(!wants(
        &preferences(&office, &office.owner).await,
        "reminders"
    ));
    assert!(wants(
        &preferences(&office, &office.staff).await,
        "reminders"
    ));
    let (status, _) = office
        .server
        .ask("GET", "/v1/me/preferences", None, None)
        .await;
    assert_eq!(status, 401);
}
