//! A call that takes too few applications, is opened again, and comes to nothing.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::kinds::Kind;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::walk::{PASSWORD, Person, Walk, text};
use crate::ways::{at, happened, id, is, items, played_until, shut, the_cycle};

/// What is made to happen here.
pub(crate) const VERBS: &[&str] = &[
    "application cancel_with_cycle",
    "application discard",
    "attachment remove",
    "cycle reopen_call",
];

on_both!(a_call_is_opened_again_for_a_latecomer_and_then_given_up);

async fn a_call_is_opened_again_for_a_latecomer_and_then_given_up(database: Database) {
    let server = played_until("eligibility", &database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let admin = walk.person("admin@demo.invalid").await;
    let staff = walk.person("staff@demo.invalid").await;
    let lead = walk.person("lead@demo.invalid").await;
    let cycle = the_cycle(&walk, &staff).await;
    let who =
        json!({ "email": "org25@demo.invalid", "name": "(演示)后来者", "password": PASSWORD });
    let (status, _) = server.ask("POST", "/v1/register", None, Some(who)).await;
    assert_eq!(status, 202);
    let owner = walk.person("org25@demo.invalid").await;
    let organisation = organisation(&mut walk, &owner, &staff).await;
    let draft =
        json!({ "organisation": id(&organisation), "form": { "title": "(演示)后来的项目" } });

    walk.must(&staff, &cycle, "open_review", json!({}), "review")
        .await;
    let path = format!("{cycle}/applications");
    let (status, late) = server
        .ask("POST", &path, Some(&owner.token), Some(draft.clone()))
        .await;
    assert_eq!(status, 409, "the call is closed: {late}");
    let again = json!({ "closes_at": "2024-06-28T17:00:00+08:00", "reason": "有效申报数量不足" });
    walk.must(&lead, &cycle, "reopen_call", again, "application")
        .await;
    let seen = walk.read(&owner, &cycle).await;
    assert_eq!(seen["closes_at"], "2024-06-28T09:00:00.000Z");
    assert_eq!(seen["extensions"][0]["reason"], "有效申报数量不足");
    shut(
        &walk,
        &staff,
        &cycle,
        "open_review",
        json!({}),
        "deadline_passed",
    )
    .await;

    let first = walk
        .create(&owner, Kind::Application, "create", &path, draft.clone())
        .await;
    let file = attach(&walk, &owner, &first).await;
    walk.must(&owner, &file, "remove", json!({}), "removed")
        .await;
    walk.must(&owner, &first, "discard", json!({}), "discarded")
        .await;
    // One application per organisation: what was discarded does not count.
    let second = walk
        .create(&owner, Kind::Application, "create", &path, draft)
        .await;
    at(&walk, &admin, "2024-06-20T09:00:00+08:00").await;
    let why = json!({ "reason": "专项资金未获批准" });
    walk.must(&lead, &cycle, "cancel", why, "cancelled").await;
    // It was never handed in: it ends without anybody else having seen it.
    is(&walk, &owner, &second, "discarded").await;
    is(&walk, &owner, &first, "discarded").await;
    // Of the others, who had no application in hand any more keeps what was decided.
    let mut stages: BTreeMap<String, usize> = BTreeMap::new();
    let all = items(&walk, &staff, &path).await;
    assert!(all.iter().all(|one| one["id"] != id(&second)));
    for one in &all {
        *stages.entry(text(one, "stage")).or_default() += 1;
    }
    let decided = [
        ("ended_with_cycle", 21),
        ("ineligible", 2),
        ("withdrawn", 1),
    ];
    let decided = decided.map(|(stage, count)| (stage.to_owned(), count));
    assert_eq!(stages, BTreeMap::from(decided));
    let seen = walk.read(&owner, &cycle).await;
    assert_eq!(seen["cancelled_because"], "专项资金未获批准");
    happened(server, &staff, VERBS, &database).await;
}

/// An organisation that comes after the others, verified.
async fn organisation(walk: &mut Walk<'_>, owner: &Person, staff: &Person) -> String {
    let profile = json!({
        "name": "(演示)后来的服务社",
        "organisation_kind": "service",
        "uscc": "52320412MJDEMA0119",
        "registered_on": "2015-03-01",
        "legal_representative": "(演示)法定代表人",
        "phone": "0519-00000000",
        "address": "(演示)江苏省常州市武进区",
        "synthetic": [],
    });
    let profile = json!({ "profile": profile });
    let record = walk
        .create(
            owner,
            Kind::Organisation,
            "register",
            "/v1/organisations",
            profile,
        )
        .await;
    walk.must(staff, &record, "verify", json!({}), "verified")
        .await;
    record
}

/// A file of an application; its type is found from its content.
async fn attach(walk: &Walk<'_>, owner: &Person, application: &str) -> String {
    let path = format!("{application}/attachments?name=note.txt");
    let body: Value = json!("(演示)说明");
    let (status, made) = walk
        .server
        .ask("POST", &path, Some(&owner.token), Some(body))
        .await;
    assert_eq!((status, &made["stage"]), (201, &json!("stored")), "{made}");
    format!("/v1/attachments/{}", text(&made, "id"))
}
