//! The record of a cycle, for those who may see all of it; and what proves it, for everybody.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use data_encoding::HEXLOWER;
use fundcycle_core::actor::Role;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::Note;
use fundcycle_core::rejection::Text;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Eye;
use fundcycle_store::checkpoint::Checkpoint as Kept;
use fundcycle_store::entry::Entry;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use crate::problem::{Code, Problem};

/// Entries on a page.
const PAGE: u32 = 200;

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let number = |name, required, summary| Parameter {
        name,
        place: Place::Query,
        required,
        schema: json!({"type": "integer", "minimum": 0}),
        summary,
    };
    let after = Parameter {
        schema: json!({"type": "integer", "minimum": 0, "default": 0}),
        ..number(
            "after",
            false,
            "Entries after this number: the `next` of the page before.",
        )
    };
    let of_size = Parameter {
        name: "size",
        place: Place::Path,
        required: true,
        schema: json!({"type": "integer", "minimum": 1}),
        summary: "Over how many entries.",
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
        Operation::new(
            Method::GET,
            "/v1/journals/{journal}/checkpoint",
            "journal.checkpoint",
            Text::new(
                "The last signed and published head of a journal",
                "事实记录最新公开的签名校验点",
            ),
            |call| checkpoint(call, false),
        )
        .roles([Role::Public])
        .parameters([which()])
        .gives(StatusCode::OK, "The checkpoint.", checkpoint_schema())
        .problems([Code::NotFound])
        .tag("journal"),
        Operation::new(
            Method::GET,
            "/v1/journals/{journal}/checkpoints/{size}",
            "journal.checkpoint.of_size",
            Text::new(
                "The published head of a journal when it had so many entries",
                "事实记录指定条数的公开签名校验点",
            ),
            |call| checkpoint(call, true),
        )
        .roles([Role::Public])
        .parameters([which(), of_size])
        .gives(StatusCode::OK, "The checkpoint.", checkpoint_schema())
        .problems([Code::NotFound])
        .tag("journal"),
        Operation::new(
            Method::GET,
            "/v1/journals/{journal}/inclusion",
            "journal.inclusion",
            Text::new(
                "What shows that an entry stands in a journal",
                "记录条目的包含证明",
            ),
            inclusion,
        )
        .roles([Role::Public])
        .parameters([
            which(),
            number("seq", true, "Which entry."),
            number(
                "size",
                false,
                "In the first so many entries: those of the last published checkpoint, or fewer.",
            ),
        ])
        .gives(
            StatusCode::OK,
            "Leaf and path (RFC 9162 §2.1.3).",
            proof_schema(&["journal", "seq", "leaf", "size", "path"]),
        )
        .problems([Code::Malformed, Code::NotFound])
        .tag("journal"),
        Operation::new(
            Method::GET,
            "/v1/journals/{journal}/consistency",
            "journal.consistency",
            Text::new(
                "What shows that a journal only grew between two sizes",
                "事实记录的一致性证明",
            ),
            consistency,
        )
        .roles([Role::Public])
        .parameters([
            which(),
            number("from", true, "The smaller number of entries."),
            number(
                "to",
                false,
                "The larger: that of the last published checkpoint, or fewer.",
            ),
        ])
        .gives(
            StatusCode::OK,
            "The path (RFC 9162 §2.1.4).",
            proof_schema(&["journal", "from", "to", "path"]),
        )
        .problems([Code::Malformed, Code::NotFound])
        .tag("journal"),
    ]
}

fn which() -> Parameter {
    Parameter {
        name: "journal",
        place: Place::Path,
        required: true,
        schema: json!({"type": "string"}),
        summary: "Which journal: the id of a cycle, or `registry`.",
    }
}

fn checkpoint_schema() -> Value {
    json!({
        "type": "object",
        "required": ["journal", "origin", "size", "root", "at", "note"],
        "properties": {
            "journal": {"type": "string", "format": "uuid"},
            "origin": {"type": "string", "description": "Names the journal on all machines and for all time."},
            "size": {"type": "integer", "description": "Over how many entries."},
            "root": {"type": "string", "description": "The root of the RFC 6962 tree over them, in hexadecimal."},
            "at": {"type": "string", "format": "date-time", "description": "When it was signed."},
            "note": {"type": "string", "description": "What is signed, with its signature: keep this text outside."},
        },
    })
}

fn proof_schema(required: &[&str]) -> Value {
    let of = |name: &str| match name {
        "journal" => json!({"type": "string", "format": "uuid"}),
        "leaf" => {
            json!({"type": "string", "description": "SHA-256(0x00 ‖ hash of the entry), in hexadecimal."})
        }
        "path" => {
            json!({"type": "array", "items": {"type": "string"}, "description": "Hashes in hexadecimal."})
        }
        _ => json!({"type": "integer"}),
    };
    let properties: serde_json::Map<String, Value> = required
        .iter()
        .map(|name| ((*name).to_owned(), of(name)))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// The journal in the path: its hashes are public wherever its cycle is.
async fn journal(call: &Call) -> Result<Uuid, Problem> {
    match call.path.get("journal").map(String::as_str) {
        Some("registry") => Ok(REGISTRY),
        _ => Ok(call
            .visible(Kind::Cycle, call.id("journal")?)
            .await?
            .journal()),
    }
}

/// The last published checkpoint. What came after it is not spoken of: how fast a journal grows
/// tells how many apply and who has just scored.
async fn published(call: &Call, journal: Uuid) -> Result<(Kept, u64), Problem> {
    let last = call
        .app
        .store
        .published_checkpoint(journal, None)
        .await?
        .ok_or_else(Problem::not_found)?;
    let size = u64::try_from(last.size).unwrap_or_default();
    Ok((last, size))
}

async fn checkpoint(call: Call, of_size: bool) -> Answered {
    let journal = journal(&call).await?;
    let kept = if of_size {
        let size: i64 = call
            .path
            .get("size")
            .and_then(|size| size.parse().ok())
            .filter(|size| *size > 0)
            .ok_or_else(Problem::not_found)?;
        let found = call.app.store.published_checkpoint(journal, Some(size));
        found.await?.ok_or_else(Problem::not_found)?
    } else {
        published(&call, journal).await?.0
    };
    let said = Note::parse(&kept.note)
        .and_then(|note| Checkpoint::of(&note))
        .map_err(|error| Problem::internal(&error))?;
    let body = json!({
        "journal": journal, "origin": said.origin, "size": said.head.size, "root": said.head.root,
        "at": Timestamp(kept.at), "note": kept.note,
    });
    Ok(json_response(StatusCode::OK, &body))
}

async fn inclusion(call: Call) -> Answered {
    let journal = journal(&call).await?;
    let (_, most) = published(&call, journal).await?;
    let seq: u64 = call.query.value("seq", "a number").unwrap_or(0);
    let size: u64 = call.query.value("size", "a number").unwrap_or(most);
    call.query.done()?;
    if size > most {
        return Err(Problem::not_found());
    }
    let store = &call.app.store;
    let path = store.inclusion(journal, seq, size).await?;
    let entry = store
        .entry(journal, i64::try_from(seq).unwrap_or(i64::MAX))
        .await?;
    let (path, leaf) = path
        .zip(entry.and_then(|(entry, _)| entry.leaf()))
        .ok_or_else(Problem::not_found)?;
    let body = json!({"journal": journal, "seq": seq, "leaf": leaf, "size": size, "path": path});
    Ok(json_response(StatusCode::OK, &body))
}

async fn consistency(call: Call) -> Answered {
    let journal = journal(&call).await?;
    let (_, most) = published(&call, journal).await?;
    let from: u64 = call.query.value("from", "a number").unwrap_or(0);
    let to: u64 = call.query.value("to", "a number").unwrap_or(most);
    call.query.done()?;
    if to > most {
        return Err(Problem::not_found());
    }
    let path: Vec<Digest> = call
        .app
        .store
        .consistency(journal, from, to)
        .await?
        .ok_or_else(Problem::not_found)?;
    let body = json!({"journal": journal, "from": from, "to": to, "path": path});
    Ok(json_response(StatusCode::OK, &body))
}

async fn page(call: Call) -> Answered {
    let cycle = call.cycle().await?;
    call.require_role(Some(cycle))?;
    let all = call.viewer.reads_everything(cycle);
    // The record speaks of everybody: who has an interest in one application reads none of it.
    if !all && !call.viewer.standing.barred.is_empty() {
        return Err(Problem::not_found());
    }
    let after: i64 = call.query.value("after", "a number").unwrap_or(0);
    call.query.done()?;
    let mut entries = call.app.store.journal(cycle, after, PAGE + 1).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = entries.last().filter(|_| more).map(|last| last.seq);
    let sealed = if all {
        BTreeSet::new()
    } else {
        sealed(&call, &entries).await?
    };
    let items: Vec<Value> = entries
        .iter()
        .map(|entry| item(entry, !sealed.contains(&entry.id)))
        .collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({"items": items, "next": next}),
    ))
}

/// The sheets among these entries whose scores are sealed.
async fn sealed(call: &Call, entries: &[Entry]) -> Result<BTreeSet<Uuid>, Problem> {
    let sheets: BTreeSet<Uuid> = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Sheet.name())
        .map(|entry| entry.id)
        .collect();
    if sheets.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sheets: Vec<Uuid> = sheets.into_iter().collect();
    let states = call.app.store.read_many(&sheets).await?;
    let sealed = states.iter().filter(|state| call.viewer.is_sealed(state));
    Ok(sealed.map(State::id).collect())
}

/// Without its salt, the hash of an entry that is not shown tells nothing of it: who knows all the rest
/// cannot try every score against it.
fn item(entry: &Entry, shown: bool) -> Value {
    let event = shown.then(|| serde_json::from_str::<Value>(&entry.data).unwrap_or_default());
    let salt = shown.then(|| HEXLOWER.encode(&entry.salt));
    json!({
        "seq": entry.seq, "kind": entry.kind, "id": entry.id, "version": entry.version, "at": Timestamp(entry.at),
        "actor": entry.actor, "initiator": entry.initiator, "policy": entry.policy, "command": entry.command,
        "verb": entry.verb, "from": entry.from_stage, "to": entry.to_stage,
        "event": event, "salt": salt, "hash": HEXLOWER.encode(&entry.hash),
    })
}
