//! What every scenario beside the demonstration's own course begins and ends with.

use std::collections::BTreeSet;

use fundcycle_test_support::Database;
use serde_json::{Value, json};

use crate::support::{Server, err, out, run};
use crate::walk::{Person, Walk, text};

/// The Wujin cycle played to the end of a scene, and a server on what came of it.
pub(crate) fn played_until(scene: &str, database: &Database) -> Server {
    let folder = database.folder.path();
    let played = run(
        folder,
        &["demo", "--until", scene, "--database", &database.url],
    );
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    let more = ["--time-travel", "--token-days", "400"];
    Server::start(folder, &database.url, &more)
}

/// The journals hold every one of `verbs`, and rebuild every table.
pub(crate) async fn happened(
    server: Server,
    reader: &Person,
    verbs: &[&'static str],
    database: &Database,
) {
    let mut journals = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    journals.read_journals(reader).await;
    let missing: Vec<&str> = verbs
        .iter()
        .copied()
        .filter(|verb| !journals.seen.contains(*verb))
        .collect();
    assert!(missing.is_empty(), "not in the journals: {missing:?}");
    drop(server);
    let replay = run(
        database.folder.path(),
        &["journal", "replay", "--check", "--database", &database.url],
    );
    assert_eq!(
        replay.status.code(),
        Some(0),
        "{}{}",
        out(&replay),
        err(&replay)
    );
}

/// The one cycle that the demonstration plays.
pub(crate) async fn the_cycle(walk: &Walk<'_>, reader: &Person) -> String {
    let list = walk.read(reader, "/v1/cycles").await;
    format!("/v1/cycles/{}", text(&list["items"][0], "id"))
}

/// The identity in a record's address.
pub(crate) fn id(record: &str) -> &str {
    record.rsplit('/').next().unwrap()
}

/// Time goes on, and what falls due by then has happened.
pub(crate) async fn at(walk: &Walk<'_>, admin: &Person, now: &str) {
    let body = Some(json!({ "now": now }));
    let (status, answer) = walk
        .server
        .ask("PUT", "/v1/clock", Some(&admin.token), body)
        .await;
    assert_eq!(status, 200, "{now}: {answer}");
}

/// How often organisations were reminded of `item`, for whatever records.
pub(crate) async fn reminded_of(walk: &Walk<'_>, admin: &Person, item: &str) -> usize {
    let path = "/v1/outbox?channel=inbox";
    let (mut times, mut next) = (0, String::new());
    loop {
        let page = walk.read(admin, &format!("{path}{next}")).await;
        let items = page["items"].as_array().unwrap();
        let topic = format!("reminder.{item}");
        times += items.iter().filter(|one| one["topic"] == topic).count();
        match page["next"].as_str() {
            Some(last) => next = format!("&before={last}"),
            None => return times,
        }
    }
}

/// The record is in `stage`.
pub(crate) async fn is(walk: &Walk<'_>, who: &Person, record: &str, stage: &str) {
    let seen = walk.read(who, record).await;
    assert_eq!(seen["stage"], stage, "{record}: {seen}");
}

/// What is in a list, as somebody sees it.
pub(crate) async fn items(walk: &Walk<'_>, who: &Person, path: &str) -> Vec<Value> {
    let list = walk.read(who, &format!("{path}?limit=200")).await;
    list["items"].as_array().unwrap().clone()
}

/// A move that is refused, by this gate alone.
pub(crate) async fn shut(
    walk: &Walk<'_>,
    who: &Person,
    record: &str,
    verb: &str,
    body: Value,
    gate: &str,
) {
    let path = format!("{record}/{verb}");
    let (status, answer) = walk
        .server
        .ask("POST", &path, Some(&who.token), Some(body))
        .await;
    let gates: Vec<&Value> = answer["gates"]
        .as_array()
        .map(|gates| gates.iter().map(|one| &one["gate"]).collect())
        .unwrap_or_default();
    assert_eq!(
        (status, gates),
        (409, vec![&json!(gate)]),
        "{path}: {answer}"
    );
}
