//! Receipts for what was handed in, which their holders can check without us.

use axum::http::{Method, StatusCode};
use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::note::Note;
use fundcycle_core::proof::receipt::Receipt;
use fundcycle_core::rejection::Text;
use fundcycle_core::visibility::Eye;
use fundcycle_store::entry::Entry;
use fundcycle_store::submission::{Answer, Moved};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation};
use super::record::json_response;
use crate::problem::{Code, Problem};
use crate::signing;

/// The verbs that hand something in.
const HANDS_IN: [&str; 2] = ["submit", "resubmit"];

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/v1/applications/{id}/receipt",
            "application.receipt",
            Text::new(
                "The receipt for what was handed in last, to be kept and checked offline",
                "申报:提交回执(可离线验证)",
            ),
            receipt,
        )
        .roles([
            Role::Applicant,
            Role::Owner,
            Role::Staff,
            Role::Lead,
            Role::Finance,
            Role::Auditor,
        ])
        .parameters([id_in_path("id", "Which application.")])
        .gives(StatusCode::OK, "The receipt.", schema())
        .problems([Code::NotFound])
        .tag("application"),
    ]
}

fn schema() -> Value {
    let hash = json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    json!({
        "type": "object",
        "required": ["fundcycle_receipt", "text", "entry", "salt", "previous", "leaf", "path", "checkpoint", "key"],
        "description": "Keep it as it is: `fundcycle journal verify --receipt FILE` checks it without a server.",
        "properties": {
            "fundcycle_receipt": {"type": "integer", "const": 1},
            "text": {"type": "object", "properties": {"en": {"type": "string"}, "zh": {"type": "string"}}},
            "entry": {"type": "object", "description": "What was recorded, whole."},
            "salt": hash, "previous": hash, "leaf": hash,
            "path": {"type": "array", "items": hash},
            "checkpoint": {"type": "string", "description": "The signed head of the journal (C2SP)."},
            "key": {"type": "string", "description": "The key that signed it (C2SP)."},
        },
    })
}

/// The entry holds the whole form: it is for who sees all of the application.
async fn receipt(call: Call) -> Answered {
    let id = call.id("id")?;
    let state = call.visible(Kind::Application, id).await?;
    let eyes = call.viewer.eyes(&state);
    if !eyes.contains(&Eye::Applicant) && !eyes.contains(&Eye::Staff) {
        return Err(Problem::not_found());
    }
    let history = call.app.store.history(id).await?;
    let last = history
        .into_iter()
        .rev()
        .find(|entry| HANDS_IN.contains(&entry.verb.as_str()))
        .ok_or_else(Problem::not_found)?;
    let made = make(&call, &last).await?;
    Ok(json_response(StatusCode::OK, &made))
}

/// The receipt that goes with the answer to a command that handed something in. Where it cannot be
/// made now, the command has happened all the same: it is for the asking later.
pub(crate) async fn after(call: &Call, answer: &Answer) -> Option<Value> {
    let Moved {
        id,
        version,
        verb,
        kind,
        ..
    } = answer.facts.first()?;
    if *kind != Kind::Application
        || !HANDS_IN.contains(&verb.as_str())
        || call.query.is_on("dry_run")
    {
        return None;
    }
    match at(call, *id, *version).await {
        Ok(receipt) => receipt,
        Err(problem) => {
            tracing::error!(?problem, application = %id, "a receipt could not be made");
            None
        }
    }
}

async fn at(call: &Call, id: Uuid, version: i64) -> Result<Option<Value>, Problem> {
    let history = call.app.store.history(id).await?;
    match history.iter().find(|entry| entry.version == version) {
        Some(entry) => make(call, entry).await.map(Some),
        None => Ok(None),
    }
}

async fn make(call: &Call, entry: &Entry) -> Result<Value, Problem> {
    let unfit = |reason: &dyn std::fmt::Display| Problem::internal(reason);
    let store = &call.app.store;
    let (entry, previous) = store
        .entry(entry.journal, entry.seq)
        .await?
        .ok_or_else(|| unfit(&"an entry is gone"))?;
    // The first head that was signed with it: a later one would tell how much others do meanwhile.
    let signed = match store.first_checkpoint_of(entry.journal, entry.seq).await? {
        Some(kept) => kept,
        None => call
            .app
            .signer
            .sign(entry.journal, false, call.app.clock.now())
            .await
            .map_err(|error| unfit(&error))?
            .ok_or_else(|| unfit(&"a journal is gone"))?,
    };
    let (seq, size) = (
        u64::try_from(entry.seq).unwrap_or_default(),
        u64::try_from(signed.size).unwrap_or_default(),
    );
    let path = store
        .inclusion(entry.journal, seq, size)
        .await?
        .ok_or_else(|| unfit(&"an entry is not in its journal"))?;
    let note = Note::parse(&signed.note).map_err(|error| unfit(&error))?;
    let (_, key) = signing::key_of(store, &note)
        .await?
        .ok_or_else(|| unfit(&"a checkpoint is signed with an unknown key"))?;
    let salt = Digest::from_bytes(&entry.salt).ok_or_else(|| unfit(&"an entry has no salt"))?;
    let content = entry.content().map_err(|error| unfit(&error))?;
    let receipt =
        Receipt::new(content, salt, previous, path, &note, key).map_err(|error| unfit(&error))?;
    serde_json::to_value(receipt).map_err(|error| unfit(&error))
}
