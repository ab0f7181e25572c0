//! Rules and calls of a cycle: drafted, corrected, extended, reopened, cancelled.

use fundcycle_core::kinds::Kind;
use serde_json::{Value, json};

use crate::walk::{Person, Walk};

const POLICY: &str = include_str!("../../docs/examples/wujin-2024.toml");

/// The example policy, for a call in July 2025.
fn document() -> Value {
    let dated = POLICY
        .replace("2024-05-06T", "2025-07-07T")
        .replace("2024-05-31T", "2025-07-31T");
    serde_json::to_value(toml::from_str::<toml::Table>(&dated).unwrap()).unwrap()
}

/// A cycle is founded, its rules are revised, discarded, published and amended, its call is extended,
/// and in the end there is no cycle: an application in it is cancelled with it.
pub(crate) async fn a_call_is_amended_extended_and_cancelled(
    walk: &mut Walk<'_>,
    admin: &Person,
    [staff, lead]: [&Person; 2],
) {
    let cycle = walk
        .create(
            admin,
            Kind::Cycle,
            "create",
            "/v1/cycles",
            json!({ "name": "2025—2026年公益创投" }),
        )
        .await;
    let id = cycle.rsplit('/').next().unwrap().to_owned();
    for (who, role) in [(staff, "staff"), (lead, "lead")] {
        let grant = json!({ "grant": { "role": role, "scope": { "cycle": id } } });
        let account = format!("/v1/accounts/{}", who.account);
        walk.must(admin, &account, "grant", grant, "active").await;
    }
    let policies = format!("{cycle}/policies");
    let draft = json!({ "document": document() });
    let dropped = walk
        .create(staff, Kind::Policy, "draft", &policies, draft.clone())
        .await;
    walk.must(staff, &dropped, "revise", draft.clone(), "draft")
        .await;
    walk.must(staff, &dropped, "discard", json!({}), "discarded")
        .await;
    let first = walk
        .create(staff, Kind::Policy, "draft", &policies, draft.clone())
        .await;
    walk.must(lead, &cycle, "publish", policy(&first), "application")
        .await;
    let mut correction = draft;
    correction["reason"] = json!("更正联系方式");
    let second = walk
        .create(staff, Kind::Policy, "draft", &policies, correction)
        .await;
    walk.must(lead, &cycle, "amend", policy(&second), "application")
        .await;
    let superseded = walk.read(staff, &first).await;
    assert_eq!(superseded["stage"], "superseded");
    let longer = json!({ "closes_at": "2025-08-08T17:00:00+08:00", "reason": "申报数量不足" });
    walk.must(lead, &cycle, "extend_deadline", longer, "application")
        .await;
    let why = json!({ "reason": "申报数量仍不足" });
    walk.must(lead, &cycle, "cancel", why, "cancelled").await;
}

fn policy(record: &str) -> Value {
    json!({ "policy": record.rsplit('/').next() })
}
