//! The record of a cycle, for those who may see all of it.

use axum::http::{Method, StatusCode};
use data_encoding::HEXLOWER;
use fundcycle_core::rejection::Text;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Eye;
use fundcycle_store::entry::Entry;
use serde_json::{Value, json};

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use crate::problem::Code;

/// Entries on a page.
const PAGE: u32 = 200;

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let after = Parameter {
        name: "after",
        place: Place::Query,
        required: false,
        schema: json!({"type": "integer", "minimum": 0, "default": 0}),
        summary: "Entries after this number: the `next` of the page before.",
    };
    vec![
        Operation::new(
            Method::GET,
            "/v1/cycles/{cycle}/journal",
            "journal",
            Text::new(
                "Everything that happened in a cycle, in order, with the chain of hashes",
                "本届全部事实记录(含哈希链)",
            ),
            page,
        )
        .roles(Eye::Organiser.all_seeing().iter().copied())
        .parameters([id_in_path("cycle", "Which cycle."), after])
        .problems([Code::Malformed, Code::Forbidden, Code::NotFound])
        .tag("journal"),
    ]
}

async fn page(call: Call) -> Answered {
    let cycle = call.cycle().await?;
    call.require_role(Some(cycle))?;
    let after: i64 = call.query.value("after", "a number").unwrap_or(0);
    call.query.done()?;
    let mut entries = call.app.store.journal(cycle, after, PAGE + 1).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = entries.last().filter(|_| more).map(|last| last.seq);
    let items: Vec<Value> = entries.iter().map(item).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({"items": items, "next": next}),
    ))
}

fn item(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq, "kind": entry.kind, "id": entry.id, "version": entry.version, "at": Timestamp(entry.at),
        "actor": entry.actor, "initiator": entry.initiator, "policy": entry.policy, "command": entry.command,
        "verb": entry.verb, "from": entry.from_stage, "to": entry.to_stage,
        "event": serde_json::from_str::<Value>(&entry.data).unwrap_or_default(),
        "salt": HEXLOWER.encode(&entry.salt), "hash": HEXLOWER.encode(&entry.hash),
    })
}
