//! Webhooks: what a real receiver gets, and what becomes of it when it is down, slow or unwilling.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use fundcycle_test_support::http::{Answer, HttpReceiver, Posted};
use fundcycle_test_support::{Database, on_both, tls};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{desk, follows_from_the_record, submitted};
use crate::office::Office;

on_both!(
    a_receiver_gets_signed_ids_and_nothing_else,
    a_receiver_that_was_down_gets_every_fact_once_it_is_up,
    a_receiver_that_errs_is_tried_for_days_and_then_disabled_and_its_owner_told,
    a_receiver_that_is_gone_is_disabled_and_a_replay_brings_what_it_missed,
    a_slow_receiver_holds_nobody_up,
    only_public_addresses_over_tls_are_reached,
);

const PRIVATE: &[&str] = &["--webhook-allow-private", "true"];

/// HMAC-SHA256 (RFC 2104), written out so that the product's own is not what checks it.
fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut key = [0; 64];
    key[..secret.len()].copy_from_slice(secret);
    let padded = |pad: u8| key.map(|byte| byte ^ pad);
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// Whether one of the signatures of `post` is by `secret`.
fn signed(post: &Posted, secret: &str) -> bool {
    let secret = secret.strip_prefix("whsec_").unwrap();
    let secret = BASE64.decode(secret.as_bytes()).unwrap();
    let message = format!(
        "{}.{}.{}",
        post.headers["webhook-id"], post.headers["webhook-timestamp"], post.body
    );
    let wanted = format!("v1,{}", BASE64.encode(&hmac(&secret, message.as_bytes())));
    post.headers["webhook-signature"]
        .split(' ')
        .any(|one| one == wanted)
}

fn event(post: &Posted) -> Value {
    serde_json::from_str(&post.body).unwrap()
}

/// Sets a webhook up; gives its address in the API and its secret.
async fn hook(office: &Office, url: &str, types: Value) -> (String, String) {
    let body =
        json!({ "url": url, "description": "短信网关", "cycle": office.cycle, "types": types });
    let made = office.made(&office.admin, "/v1/webhooks", body).await;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    (path, made["secret"].as_str().unwrap().to_owned())
}

async fn see(office: &Office, path: &str) -> Value {
    let (status, seen) = office
        .server
        .ask("GET", path, Some(&office.admin), None)
        .await;
    assert_eq!(status, 200, "{seen}");
    seen
}

async fn a_receiver_gets_signed_ids_and_nothing_else(database: Database) {
    let receiver = HttpReceiver::start(Some(tls::server()));
    let authority = tls::authority_in(database.folder.path());
    let flags = [PRIVATE, &["--webhook-authority", &authority]].concat();
    let office = Office::open(&database, &flags).await;
    let url = format!("https://127.0.0.1:{}/in?key=1", receiver.port());
    // Who applies or reviews cannot set one up, nor who runs a cycle.
    let body = json!({ "url": url, "description": "x", "types": ["*"] });
    for token in [&office.owner, &office.stranger, &office.staff] {
        let (status, said) = office
            .server
            .ask("POST", "/v1/webhooks", Some(token), Some(body.clone()))
            .await;
        assert_eq!(status, 403, "{said}");
    }
    let types = json!(["application.submit", "application.retract"]);
    let (path, secret) = hook(&office, &url, types).await;
    assert!(!see(&office, &path).await.to_string().contains("whsec_"));
    submitted(&office, 2).await;
    let posts = receiver.posts(3);
    let kinds: Vec<Value> = posts
        .iter()
        .map(|post| event(post)["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "application.submit",
            "application.retract",
            "application.submit"
        ]
    );
    let (_, journal) = office
        .server
        .ask("GET", &office.path("journal"), Some(&office.staff), None)
        .await;
    let entries = journal["items"].as_array().unwrap();
    for post in &posts {
        assert!(signed(post, &secret), "{post:?}");
        assert_eq!(post.path, "/in?key=1");
        let event = event(post);
        // Ids, type, place and cycle: nothing that somebody wrote, nobody who did it.
        let names: Vec<&String> = event.as_object().unwrap().keys().collect();
        assert_eq!(names, ["data", "timestamp", "type"]);
        let data = &event["data"];
        let names: Vec<&String> = data.as_object().unwrap().keys().collect();
        assert_eq!(names, ["cycle", "id", "kind", "seq"]);
        assert_eq!(data["cycle"], office.cycle.as_str());
        let entry = entries
            .iter()
            .find(|one| one["seq"] == data["seq"])
            .unwrap();
        assert_eq!(
            format!(
                "{}.{}",
                entry["kind"].as_str().unwrap(),
                entry["verb"].as_str().unwrap()
            ),
            event["type"].as_str().unwrap()
        );
        assert_eq!(entry["id"], data["id"]);
    }
    // A new secret signs at once, the old one for as long as was asked.
    let rotated = office
        .made(
            &office.admin,
            &format!("{path}/rotate"),
            json!({ "overlap_hours": 1 }),
        )
        .await;
    let new = rotated["secret"].as_str().unwrap();
    let moves = |verb: &str| format!("{}/{verb}", office.draft);
    office
        .made(&office.owner, &moves("retract"), json!({}))
        .await;
    let post = receiver.posts(4).remove(3);
    assert!(signed(&post, new) && signed(&post, &secret), "{post:?}");
    office.at("2024-05-06T10:30:01+08:00").await;
    office
        .made(&office.owner, &moves("submit"), json!({}))
        .await;
    let post = receiver.posts(5).remove(4);
    assert!(signed(&post, new) && !signed(&post, &secret), "{post:?}");
}

async fn a_receiver_that_was_down_gets_every_fact_once_it_is_up(database: Database) {
    let receiver = HttpReceiver::start(None);
    receiver.down();
    let office = Office::open(&database, PRIVATE).await;
    let url = format!("http://127.0.0.1:{}/", receiver.port());
    let (path, _) = hook(&office, &url, json!(["application.submit"])).await;
    submitted(&office, 3).await;
    desk(&office, "channel=webhook&status=failing", |all| {
        !all.is_empty()
    })
    .await;
    assert_ne!(see(&office, &path).await["failing_since"], Value::Null);
    receiver.up();
    office.at("2024-05-06T09:30:10+08:00").await;
    let sent = desk(&office, "channel=webhook&status=delivered", |all| {
        all.len() == 3
    })
    .await;
    let posts = receiver.posts(3);
    let keys: BTreeSet<&String> = posts
        .iter()
        .map(|post| &post.headers["webhook-id"])
        .collect();
    assert_eq!((posts.len(), keys.len()), (3, 3));
    assert!(
        sent.iter()
            .all(|one| keys.contains(&one["id"].as_str().unwrap().to_owned())),
        "{sent:?}"
    );
    assert_eq!(see(&office, &path).await["failing_since"], Value::Null);
}

async fn a_receiver_that_errs_is_tried_for_days_and_then_disabled_and_its_owner_told(
    database: Database,
) {
    let receiver = HttpReceiver::start(None);
    receiver.answers(Answer::Says("500 Oops"));
    let office = Office::open(&database, PRIVATE).await;
    let url = format!("http://127.0.0.1:{}/", receiver.port());
    let (path, _) = hook(&office, &url, json!(["application.submit"])).await;
    submitted(&office, 1).await;
    receiver.posts(1);
    // Each time later than the wait with its fifth more; a redirect is not followed.
    for (attempt, now) in [
        (1, "2024-05-06T09:30:07+08:00"),
        (2, "2024-05-06T09:37:00+08:00"),
        (3, "2024-05-06T10:20:00+08:00"),
        (4, "2024-05-07T09:30:00+08:00"),
        (5, "2024-05-08T09:30:00+08:00"),
        (6, "2024-05-09T09:30:00+08:00"),
        (7, "2024-05-10T09:30:00+08:00"),
        (8, "2024-05-11T09:30:02+08:00"),
    ] {
        let tried = desk(&office, "channel=webhook&status=failing", |all| {
            all.len() == 1 && all[0]["attempts"] == json!(attempt)
        })
        .await;
        // Counted when it is begun: the clock moves on once it is made.
        receiver.posts(attempt);
        let error = tried[0]["error"].as_str().unwrap();
        assert!(error.contains("500") || error.contains("302"), "{error}");
        if attempt == 2 {
            let own = "302 Found\r\nlocation: /elsewhere";
            receiver.answers(Answer::Says(own));
        }
        office.at(now).await;
    }
    desk(&office, "channel=webhook&status=dead", |all| all.len() == 1).await;
    let posts = receiver.posts(9);
    let keys: BTreeSet<&String> = posts
        .iter()
        .map(|post| &post.headers["webhook-id"])
        .collect();
    assert_eq!((posts.len(), keys.len()), (9, 1));
    assert!(posts.iter().all(|post| post.path == "/"), "{posts:?}");
    let seen = see(&office, &path).await;
    assert!(
        seen["disabled_because"].as_str().unwrap().contains("302"),
        "{seen}"
    );
    desk(&office, "channel=inbox&status=delivered", |all| {
        all.iter().any(|one| one["topic"] == "webhook.disabled")
    })
    .await;
    let inbox = see(&office, "/v1/me/inbox").await;
    assert_eq!(inbox["items"].as_array().unwrap().len(), 1, "{inbox}");
    assert_eq!(inbox["items"][0]["title"], "Webhook 已停用");
    follows_from_the_record(&database);
}

async fn a_receiver_that_is_gone_is_disabled_and_a_replay_brings_what_it_missed(
    database: Database,
) {
    let receiver = HttpReceiver::start(None);
    let office = Office::open(&database, PRIVATE).await;
    let url = format!("http://127.0.0.1:{}/", receiver.port());
    let (path, _) = hook(&office, &url, json!(["application.submit"])).await;
    submitted(&office, 1).await;
    let first = receiver.posts(1).remove(0);
    desk(&office, "channel=webhook&status=delivered", |all| {
        all.len() == 1
    })
    .await;
    receiver.answers(Answer::Says("410 Gone"));
    submitted(&office, 2).await;
    desk(&office, "channel=webhook&status=dead", |all| all.len() == 1).await;
    assert_ne!(see(&office, &path).await["disabled_at"], Value::Null);
    let before = receiver.posts(2).len();
    assert_eq!(before, 2);
    receiver.answers(Answer::Says("204 No Content"));
    let does = async |verb: &str, body: Value| {
        office
            .made(&office.admin, &format!("{path}/{verb}"), body)
            .await
    };
    let seq = event(&first)["data"]["seq"].as_i64().unwrap();
    does("replay", json!({ "cycle": office.cycle, "after": seq - 1 })).await;
    does("enable", json!({})).await;
    desk(&office, "channel=webhook&status=delivered", |all| {
        all.len() == 3
    })
    .await;
    let posts = receiver.posts(5);
    let again: Vec<&Posted> = posts.iter().skip(2).collect();
    // The first one once more, under the same key, then what was missed, in order.
    assert_eq!(again[0].headers["webhook-id"], first.headers["webhook-id"]);
    assert_eq!(again[0].body, first.body);
    let places: Vec<i64> = again
        .iter()
        .map(|post| event(post)["data"]["seq"].as_i64().unwrap())
        .collect();
    assert!(places.is_sorted() && places.len() == 3, "{places:?}");
    let (status, _) = office
        .server
        .ask("DELETE", &path, Some(&office.admin), None)
        .await;
    assert_eq!(status, 204);
    let (status, _) = office
        .server
        .ask("GET", &path, Some(&office.admin), None)
        .await;
    assert_eq!(status, 404);
}

async fn a_slow_receiver_holds_nobody_up(database: Database) {
    let (slow, quick) = (HttpReceiver::start(None), HttpReceiver::start(None));
    slow.answers(Answer::Holds);
    let office = Office::open(&database, PRIVATE).await;
    for receiver in [&slow, &quick] {
        let url = format!("http://127.0.0.1:{}/", receiver.port());
        hook(&office, &url, json!(["application.submit"])).await;
    }
    submitted(&office, 1).await;
    slow.posts(1);
    quick.posts(1);
    submitted(&office, 2).await;
    quick.posts(3);
    // It answered nothing within its time: that is a failure like any other.
    desk(&office, "channel=webhook&status=failing", |all| {
        all.iter().any(|one| {
            one["error"]
                .as_str()
                .is_some_and(|said| said.contains("in time"))
        })
    })
    .await;
}

async fn only_public_addresses_over_tls_are_reached(database: Database) {
    let receiver = HttpReceiver::start(None);
    let office = Office::open(&database, &[]).await;
    let port = receiver.port();
    let asked = async |url: &str| {
        let body = json!({ "url": url, "description": "x", "types": ["application.submit"] });
        office
            .server
            .ask("POST", "/v1/webhooks", Some(&office.admin), Some(body))
            .await
    };
    for url in [
        format!("http://example.org:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://user:secret@example.org/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let (status, said) = asked(&url).await;
        assert_eq!(
            (status, said["errors"][0]["pointer"].as_str()),
            (422, Some("/url")),
            "{url}: {said}"
        );
    }
    // What is no literal address shows where it leads only when it is connected to.
    for url in ["localhost", "2130706433", "0x7f.1", "127.1"] {
        let (status, said) = asked(&format!("https://{url}:{port}/")).await;
        assert!(status == 201 || status == 422, "{url}: {said}");
    }
    let (status, said) = asked("https://example.org/").await;
    assert_eq!(status, 201, "{said}");
    let example = format!("/v1/webhooks/{}", said["id"].as_str().unwrap());
    office
        .server
        .ask("DELETE", &example, Some(&office.admin), None)
        .await;
    submitted(&office, 1).await;
    desk(&office, "channel=webhook&status=failing", |all| {
        all.iter().any(|one| {
            one["error"]
                .as_str()
                .is_some_and(|said| said.contains("private, link-local or loopback"))
        })
    })
    .await;
    desk(
        &office,
        "channel=webhook&status=waiting",
        <[Value]>::is_empty,
    )
    .await;
    // Whoever speaks no TLS, or whom nobody vouches for, gets nothing.
    let own = Database::sqlite();
    let office = Office::open(&own, PRIVATE).await;
    let (plain, stranger) = (receiver, HttpReceiver::start(Some(tls::server())));
    for one in [&plain, &stranger] {
        let url = format!("https://127.0.0.1:{}/", one.port());
        hook(&office, &url, json!(["application.submit"])).await;
    }
    submitted(&office, 1).await;
    let failing = desk(&office, "channel=webhook&status=failing", |all| {
        all.len() == 2
    })
    .await;
    let said = format!("{failing:?}");
    assert!(said.contains("TLS: invalid peer certificate"), "{said}");
    stranger.connections(1);
    assert_eq!(plain.posts(0).len() + stranger.posts(0).len(), 0);
}
