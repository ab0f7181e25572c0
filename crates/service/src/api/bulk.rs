//! The same move on many records: each through the same door, each all or nothing, a result for each.

use std::sync::Arc;

use axum::http::StatusCode;
use fundcycle_core::kinds::{Command, Kind};
use fundcycle_store::submission::Precondition;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::command::{Sending, idempotency_key, record, send};
use super::operation::Answered;
use super::record::json_response;
use super::schema::Schemas;
use crate::problem::Problem;

/// Records per request.
const MOST: usize = 500;
/// Commands under way at a time; the store puts those that wait into one transaction.
const AT_ONCE: usize = 64;

#[derive(Debug, Deserialize)]
struct Bulk {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: Uuid,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    if_match: Option<String>,
}

/// What a bulk move carries. Bodies are checked item by item, so that a faulty one costs the others nothing.
pub(crate) fn schema(schemas: &Schemas) -> BodySchema {
    let item = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "body": {"type": "object", "description": "What the move carries, as in the move on one record."},
            "if_match": {"type": "string", "description": "The entity tag of the version that it is meant for, or *."},
        },
    });
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["items"],
        "properties": {"items": {"type": "array", "minItems": 1, "maxItems": MOST, "items": item}},
    });
    BodySchema::new(schema, schemas.definitions())
}

/// What a bulk move answers.
pub(crate) fn answer_schema(record: Value) -> Value {
    json!({
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": {
            "type": "object",
            "required": ["id", "status"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "status": {"type": "integer", "description": "As the move on this record alone would have answered."},
                "etag": {"type": "string"},
                "record": record,
                "problem": super::schema::reference("Problem"),
            },
        }}},
    })
}

/// Moves many records of one cycle with `verb`.
pub(crate) async fn act(
    mut call: Call,
    kind: Kind,
    verb: &'static str,
    replaces: bool,
    item_schema: Arc<BodySchema>,
) -> Answered {
    let journal = call.cycle().await?;
    let Bulk { items } = call.checked_json().await?;
    call.query.is_on("dry_run");
    call.query.done()?;
    let call = &call;
    let item_schema = &*item_schema;
    let results = futures_util::stream::iter(items.into_iter().enumerate()).map(
        |(number, item)| async move {
            let id = item.id;
            let mut result = match one(
                call,
                kind,
                verb,
                replaces,
                journal,
                item_schema,
                number,
                item,
            )
            .await
            {
                Ok((status, mut result)) => {
                    result.insert("status".to_owned(), status.as_u16().into());
                    result
                }
                Err(problem) => Map::from_iter([
                    ("status".to_owned(), problem.code().status().as_u16().into()),
                    ("problem".to_owned(), problem.to_json(call.language)),
                ]),
            };
            result.insert("id".to_owned(), id.to_string().into());
            Value::Object(result)
        },
    );
    let results: Vec<Value> = results.buffered(AT_ONCE).collect().await;
    Ok(json_response(StatusCode::OK, &json!({"results": results})))
}

#[expect(clippy::too_many_arguments, reason = "one item of a loop")]
async fn one(
    call: &Call,
    kind: Kind,
    verb: &str,
    replaces: bool,
    journal: Uuid,
    schema: &BodySchema,
    number: usize,
    item: Item,
) -> Result<(StatusCode, Map<String, Value>), Problem> {
    let state = call.visible(kind, item.id).await?;
    if state.journal() != journal {
        return Err(Problem::not_found());
    }
    let body = item.body.unwrap_or_else(|| json!({}));
    let faults = schema.faults(&body);
    if !faults.is_empty() {
        call.require_one_of(&state.roles_of(&call.viewer.actor))?;
        return Err(Problem::invalid(faults));
    }
    let precondition = match item.if_match {
        Some(tag) => Precondition::Tags(vec![tag.trim_matches('"').to_owned()]),
        None if replaces => Precondition::Required,
        None => Precondition::Free,
    };
    let idempotency = idempotency_key(call, &json!([item.id, body]), Some(number))?;
    let command = Command::parse(kind, verb, body)?;
    let answer = send(
        call,
        Sending {
            journal,
            id: item.id,
            command,
            precondition,
            idempotency,
        },
    )
    .await?;
    Ok(match record(call, kind, &answer) {
        None => (StatusCode::NO_CONTENT, Map::new()),
        Some((entity_tag, record)) => {
            let etag = format!("\"{entity_tag}\"");
            (
                StatusCode::OK,
                Map::from_iter([
                    ("etag".to_owned(), etag.into()),
                    ("record".to_owned(), Value::Object(record)),
                ]),
            )
        }
    })
}
