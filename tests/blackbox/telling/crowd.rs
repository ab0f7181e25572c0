//! A thousand deliveries: through a crash in their midst, and shared between instances.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_test_support::http::HttpReceiver;
use fundcycle_test_support::smtp::{Mood, SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{desk, follows_from_the_record, smtp, submitted};
use crate::office::Office;
use crate::support::Server;

on_both!(
    a_kill_in_the_midst_of_a_thousand_deliveries_loses_nothing,
    two_instances_share_the_work_and_send_nothing_twice,
);

/// How many webhooks get every fact of the cycle.
const HOOKS: usize = 10;
/// How often the draft is handed in: with its retractions, a hundred facts and more.
const TIMES: usize = 50;

const QUICK: &[&str] = &[
    "--webhook-allow-private",
    "true",
    "--webhook-per-minute",
    "100000",
    "--mail-per-minute",
    "100000",
];

/// Sets up webhooks that get every fact of the cycle from its first on.
async fn hooks(office: &Office, receiver: &HttpReceiver) {
    for hook in 0..HOOKS {
        let url = format!("http://127.0.0.1:{}/{hook}", receiver.port());
        let body = json!({ "url": url, "description": "x", "cycle": office.cycle, "types": ["*"] });
        let made = office.made(&office.admin, "/v1/webhooks", body).await;
        let path = format!("/v1/webhooks/{}/replay", made["id"].as_str().unwrap());
        let whole = json!({ "cycle": office.cycle, "after": 0 });
        office.made(&office.admin, &path, whole).await;
    }
}

/// How many facts the cycle has.
async fn facts(office: &Office) -> usize {
    let path = format!("/v1/cycles/{}/journal", office.cycle);
    let (mut count, mut next) = (0, String::new());
    loop {
        let (status, page) = office
            .server
            .ask("GET", &format!("{path}{next}"), Some(&office.staff), None)
            .await;
        assert_eq!(status, 200, "{page}");
        count += page["items"].as_array().unwrap().len();
        match page["next"].as_i64() {
            None => return count,
            Some(last) => next = format!("?after={last}"),
        }
    }
}

/// The keys under which each webhook got each fact.
fn keys(receiver: &HttpReceiver) -> BTreeMap<(String, i64), Vec<String>> {
    let mut keys: BTreeMap<(String, i64), Vec<String>> = BTreeMap::new();
    for post in receiver.posts(0) {
        let event: Value = serde_json::from_str(&post.body).unwrap();
        let place = (post.path, event["data"]["seq"].as_i64().unwrap());
        keys.entry(place)
            .or_default()
            .push(post.headers["webhook-id"].clone());
    }
    keys
}

/// Every webhook got every fact, each fact under one key of its own however often it came.
fn whole(keys: &BTreeMap<(String, i64), Vec<String>>, facts: usize) {
    assert_eq!(keys.len(), HOOKS * facts);
    let distinct: BTreeSet<&String> = keys.values().flatten().collect();
    assert_eq!(distinct.len(), keys.len());
}

async fn nothing_waits(office: &Office) {
    for status in ["waiting", "failing"] {
        desk(office, &format!("status={status}"), <[Value]>::is_empty).await;
    }
    desk(office, "status=dead", <[Value]>::is_empty).await;
}

async fn a_kill_in_the_midst_of_a_thousand_deliveries_loses_nothing(database: Database) {
    let (receiver, letters) = (HttpReceiver::start(None), SmtpServer::start(Speaks::Plain));
    let port = letters.port();
    let flags = [QUICK, &smtp(&port, "none")].concat();
    let mut office = Office::open(&database, &flags).await;
    // Letters are handed over and not acknowledged: whether they were taken nobody can know.
    letters.is_in(Mood::Holds);
    submitted(&office, TIMES).await;
    let facts = facts(&office).await;
    assert!(HOOKS * facts >= 1_000, "{facts}");
    receiver.answers_only(300);
    hooks(&office, &receiver).await;
    receiver.posts(301);
    letters.wait("a letter under way", |state| state.asked > 0);

    office.server.kill();
    let before = receiver.posts(0).len();
    assert!(before < HOOKS * facts, "{before}");
    receiver.answers_only(usize::MAX);
    letters.is_in(Mood::Takes);
    let flags = [&["--time-travel"], flags.as_slice()].concat();
    office.server = Server::start(database.folder.path(), &database.url, &flags);
    // What the dead one held falls due when its lease ends, and what failed while it waited.
    office.at("2024-05-06T09:45:00+08:00").await;
    nothing_waits(&office).await;

    whole(&keys(&receiver), facts);
    let mails = letters.letters(TIMES);
    let distinct: BTreeSet<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(distinct.len(), TIMES);
    // The one on its way during the crash came twice, under the same key.
    assert!(mails.len() > TIMES, "{}", mails.len());
    follows_from_the_record(&database);
}

/// How many messages of webhooks this instance has delivered.
async fn delivered(server: &Server) -> usize {
    let (_, metrics) = server.ask("GET", "/metrics", None, None).await;
    let line = "fundcycle_messages_total{channel=\"webhook\",outcome=\"delivered\"} ";
    let found = metrics.as_str().unwrap().split(line).nth(1);
    found.map_or(0, |rest| {
        rest.lines().next().unwrap().trim().parse().unwrap()
    })
}

async fn two_instances_share_the_work_and_send_nothing_twice(database: Database) {
    let receiver = HttpReceiver::start(None);
    let office = Office::open(&database, QUICK).await;
    let flags = [&["--time-travel"], QUICK].concat();
    let second = Server::start(database.folder.path(), &database.url, &flags);
    submitted(&office, TIMES).await;
    hooks(&office, &receiver).await;
    nothing_waits(&office).await;
    // Both look for work every second: a few rounds at most until both have had some.
    let mut rounds = 1;
    while delivered(&second).await == 0 || delivered(&office.server).await == 0 {
        assert!(rounds < 20, "one instance did all of the work");
        submitted(&office, TIMES).await;
        nothing_waits(&office).await;
        rounds += 1;
    }
    let (keys, facts) = (keys(&receiver), facts(&office).await);
    whole(&keys, facts);
    let twice: Vec<_> = keys.iter().filter(|(_, keys)| keys.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let together = delivered(&office.server).await + delivered(&second).await;
    assert_eq!(together, HOOKS * facts);
}
