//! A record as it is answered: what the caller sees of it, its status in words, and its moves.

use std::collections::BTreeSet;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Kind;
use fundcycle_core::time::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What makes an answer.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    /// What kind of record.
    pub kind: Kind,
    /// In which journal.
    pub journal: Uuid,
    /// The fields the caller sees.
    pub view: Map<String, Value>,
    /// The moves the caller may ask for.
    pub moves: Vec<Value>,
    /// Version and time of the last event, for staff.
    pub latest: Option<(i64, Timestamp)>,
}

impl Rendered {
    /// The record as JSON.
    pub(crate) fn into_json(self) -> Map<String, Value> {
        let Self {
            kind,
            journal,
            mut view,
            moves,
            latest,
        } = self;
        let stage = view
            .get("stage")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let status = kind.stages().into_iter().find(|one| one.name == stage);
        let status = status.map(|one| json!({"name": one.name, "zh": one.zh, "en": one.summary}));
        view.insert("status".to_owned(), status.unwrap_or_default());
        if journal != REGISTRY {
            view.insert("cycle".to_owned(), journal.to_string().into());
        }
        view.insert(
            "moves".to_owned(),
            moves.into_iter().map(with_open).collect(),
        );
        if let Some((version, at)) = latest {
            view.insert("version".to_owned(), version.into());
            view.insert("updated_at".to_owned(), at.to_string().into());
        }
        view
    }
}

fn with_open(mut one: Value) -> Value {
    if let Some(members) = one.as_object_mut() {
        let open = members
            .get("shut_by")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty);
        members.insert("open".to_owned(), open.into());
    }
    one
}

/// What every record says, whatever part of it was asked for.
pub(crate) const ALWAYS: [&str; 4] = ["id", "kind", "stage", "status"];

/// Leaves only the wanted fields beside [`ALWAYS`]. Empty: all of them.
pub(crate) fn sparse(record: &mut Map<String, Value>, wanted: &BTreeSet<String>) {
    if !wanted.is_empty() {
        record.retain(|name, _| ALWAYS.contains(&name.as_str()) || wanted.contains(name));
    }
}

/// An answer with an entity tag.
pub(crate) fn tagged(status: StatusCode, entity_tag: &str, body: &Map<String, Value>) -> Response {
    let mut response = json_response(status, body);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{entity_tag}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// An answer of JSON.
pub(crate) fn json_response(status: StatusCode, body: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => crate::problem::Problem::internal(&error).into_response(),
    }
}
