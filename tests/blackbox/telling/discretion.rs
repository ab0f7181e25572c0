//! What applicants are not told: internal moves, results before their time, and who acted.

use std::collections::BTreeSet;

use fundcycle_core::kinds::Kind;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::walk::{Person, Walk, text};
use crate::ways::{at, items, played_until, the_cycle};

on_both!(results_are_told_together_and_never_who_acted);

/// The messages about how a selection ended.
const RESULTS: [&str; 3] = [
    "application.propose",
    "application.hold_in_reserve",
    "application.not_select",
];

/// Everything in somebody's inbox, once all that waited for inboxes has arrived.
async fn inbox(walk: &Walk<'_>, admin: &Person, who: &Person) -> Vec<Value> {
    let waiting = "/v1/outbox?channel=inbox&status=waiting";
    for _ in 0..20_000 {
        if walk.read(admin, waiting).await["items"] == json!([]) {
            let inbox = walk.read(who, "/v1/me/inbox").await;
            return inbox["items"].as_array().unwrap().clone();
        }
    }
    panic!("messages are never delivered");
}

/// The newest message that was ever queued for inboxes.
async fn newest(walk: &Walk<'_>, admin: &Person) -> Value {
    walk.read(admin, "/v1/outbox?channel=inbox").await["items"][0].clone()
}

async fn results_are_told_together_and_never_who_acted(database: Database) {
    let server = played_until("roadshow", &database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let admin = walk.person("admin@demo.invalid").await;
    let staff = walk.person("staff@demo.invalid").await;
    let lead = walk.person("lead@demo.invalid").await;
    let cycle = the_cycle(&walk, &staff).await;
    let applications = items(&walk, &staff, &format!("{cycle}/applications")).await;
    let presented: BTreeSet<String> = applications
        .iter()
        .filter(|one| one["stage"] == "presented")
        .map(|one| text(one, "id"))
        .collect();
    assert!(presented.len() > 8, "{}", presented.len());

    at(&walk, &admin, "2024-07-08T09:00:00+08:00").await;
    let before = newest(&walk, &admin).await;
    walk.must(&staff, &cycle, "open_selection", json!({}), "selection")
        .await;
    let path = format!("{cycle}/selections");
    let selection = walk
        .create(&staff, Kind::Selection, "compute", &path, json!({}))
        .await;
    for (who, verb, stage) in [
        (&staff, "recompute", "computed"),
        (&staff, "propose", "proposed"),
        (&lead, "approve", "approved"),
    ] {
        walk.must(who, &selection, verb, json!({}), stage).await;
        assert_eq!(newest(&walk, &admin).await, before, "{verb}");
    }
    at(&walk, &admin, "2024-07-09T10:00:00+08:00").await;
    walk.must(&staff, &selection, "announce", json!({}), "announced")
        .await;

    // Everybody at the same moment, whatever became of their application.
    let (mut told, mut times, mut topics) = (0, BTreeSet::new(), BTreeSet::new());
    let mut inboxes = Vec::new();
    for number in [1, 2, 3, 4, 5, 6, 14, 16] {
        let owner = walk.person(&format!("org{number:02}@demo.invalid")).await;
        let inbox = inbox(&walk, &admin, &owner).await;
        let results = inbox
            .iter()
            .filter(|one| RESULTS.contains(&one["topic"].as_str().unwrap()));
        for result in results {
            told += 1;
            times.insert(text(result, "at"));
            topics.insert(text(result, "topic"));
            assert!(presented.contains(&text(result, "subject")), "{result}");
        }
        inboxes.push(json!(inbox).to_string());
    }
    assert_eq!(told, 8);
    assert_eq!(
        times.into_iter().collect::<Vec<_>>(),
        ["2024-07-09T02:00:00.000Z"]
    );
    assert!(topics.len() > 1, "{topics:?}");

    // Nobody is named who checked, scored, proposed or approved.
    let mut hidden: Vec<String> = Vec::new();
    for person in [&staff, &lead] {
        let me = walk.read(person, "/v1/me").await;
        hidden.extend(["account", "email", "name"].map(|field| text(&me, field)));
    }
    for expert in items(&walk, &staff, "/v1/experts").await {
        hidden.push(text(&expert, "id"));
        hidden.extend(expert["account"].as_str().map(str::to_owned));
        hidden.extend(expert["profile"]["name"].as_str().map(str::to_owned));
    }
    assert!(hidden.len() > 10, "{hidden:?}");
    for secret in hidden {
        let seen = inboxes.iter().find(|inbox| inbox.contains(&secret));
        assert!(seen.is_none(), "{secret} in {seen:?}");
    }
}
