//! The OpenAPI 3.1 document, made from the same declarations as the router.

mod example;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use fundcycle_core::names::Names as _;
use serde_json::{Map, Value, json};

use crate::api::operation::{Carries, Parameter, Place};
use crate::api::{Operation, Schemas, reference};
use crate::auth::scope;
use crate::problem::{Code, MEDIA_TYPE};

/// What every operation may answer, beside its own.
const ALWAYS: [Code; 8] = [
    Code::Unauthenticated,
    Code::InsufficientScope,
    Code::SecondFactorRequired,
    Code::TimedOut,
    Code::TooManyRequests,
    Code::Internal,
    Code::Unavailable,
    Code::Overloaded,
];

/// The document.
pub(crate) fn document(operations: &[Operation], schemas: &Schemas) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let path = paths
            .entry(operation.path.clone())
            .or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(
                operation.method.as_str().to_ascii_lowercase(),
                describe(operation, schemas.definitions()),
            );
        }
    }
    let tags: BTreeSet<&str> = operations
        .iter()
        .map(|operation| operation.tag.as_str())
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "fundcycle",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "tags": tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "From `POST /v1/sign-in`, or from `POST /v1/me/tokens` with the scope that is named."},
                "session": {"type": "http", "scheme": "bearer", "description": "From `POST /v1/sign-in`."},
            },
            "responses": problems(),
            "schemas": &**schemas.definitions(),
        },
    })
}

const DESCRIPTION: &str = "One funding cycle, from the call to the close. Every record lists the `moves` that its caller may ask \
for now, each with the gates that keep it shut; moves are `POST /v1/{kind}/{id}/{verb}`. Problems are RFC 9457 documents in the \
language asked for (`Accept-Language`: zh-CN or en). What you may not see answers exactly like what does not exist.";

fn describe(operation: &Operation, definitions: &Map<String, Value>) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary.en,
        "x-summary-zh": operation.summary.zh,
        "x-roles": operation.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
        "security": security(operation),
        "parameters": operation.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses(operation, definitions),
    });
    match &operation.carries {
        Carries::Nothing => {}
        Carries::Json(schema) => {
            let example = example::example(schema.schema(), definitions);
            let content =
                json!({"application/json": {"schema": schema.schema(), "example": example}});
            described["requestBody"] =
                json!({"required": needs_body(schema.schema()), "content": content});
        }
        Carries::File => {
            let content = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
            described["requestBody"] = json!({"required": true, "content": content});
        }
    }
    described
}

/// With which tokens, and which scope of theirs, an operation is answered.
fn security(operation: &Operation) -> Value {
    if operation.by_session {
        return json!([{"session": []}]);
    }
    let token = json!({"token": [scope::needed(operation)]});
    if operation.is_public() {
        json!([{}, token])
    } else {
        json!([token])
    }
}

fn needs_body(schema: &Value) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|required| !required.is_empty())
}

fn parameter(one: &Parameter) -> Value {
    let place = match one.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({"name": one.name, "in": place, "required": one.required, "description": one.summary, "schema": one.schema})
}

fn responses(operation: &Operation, definitions: &Map<String, Value>) -> Value {
    let mut responses = Map::new();
    let gives = &operation.gives;
    let mut done = json!({"description": gives.summary});
    if gives.status != StatusCode::NO_CONTENT {
        let schema = gives
            .schema
            .clone()
            .unwrap_or_else(|| json!({"type": "object"}));
        let mut content = json!({"schema": schema});
        if gives.media_type == "application/json" {
            content["example"] = example::example(&schema, definitions);
        }
        done["content"] = json!({gives.media_type: content});
        for media_type in &gives.also {
            done["content"][*media_type] =
                json!({"schema": {"type": "string", "format": "binary"}});
        }
    }
    let tries = operation.parameters.iter().any(|one| one.name == "dry_run");
    if tries && gives.status == StatusCode::CREATED {
        let mut tried = done.clone();
        tried["description"] = json!("With `dry_run`: what it would be; nothing was changed.");
        responses.insert("200".to_owned(), tried);
    } else if tries && gives.status == StatusCode::ACCEPTED {
        let schema = json!({"type": "object", "properties": {"dry_run": {"const": true}}});
        let description = "With `dry_run`: it would be taken; nothing was changed.";
        let tried = json!({"description": description, "content": {"application/json": {"schema": schema}}});
        responses.insert("200".to_owned(), tried);
    }
    responses.insert(gives.status.as_str().to_owned(), done);
    let codes: BTreeSet<Code> = operation.problems.iter().copied().chain(ALWAYS).collect();
    let statuses: BTreeSet<u16> = codes.iter().map(|code| code.status().as_u16()).collect();
    for status in statuses {
        responses.insert(
            status.to_string(),
            json!({"$ref": format!("#/components/responses/{status}")}),
        );
    }
    Value::Object(responses)
}

/// One response per status, naming every problem that comes with it.
fn problems() -> Value {
    let mut responses = Map::new();
    let statuses: BTreeSet<u16> = Code::ALL
        .iter()
        .map(|code| code.status().as_u16())
        .collect();
    for status in statuses {
        let codes: Vec<Code> = Code::ALL
            .iter()
            .copied()
            .filter(|code| code.status().as_u16() == status)
            .collect();
        let description = codes
            .iter()
            .map(|code| format!("`/problems/{}`: {}", code.name(), code.summary()))
            .collect::<Vec<_>>()
            .join("\n\n");
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| {
                let value = json!({"type": format!("/problems/{}", code.name()), "title": code.title().en, "status": status});
                (code.name().to_owned(), json!({"value": value}))
            })
            .collect();
        let content = json!({MEDIA_TYPE: {"schema": reference("Problem"), "examples": examples}});
        responses.insert(
            status.to_string(),
            json!({"description": description, "content": content}),
        );
    }
    Value::Object(responses)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::api::{self, BodySchema};

    fn published() -> (Vec<Operation>, Value) {
        let schemas = Schemas::new();
        let operations = api::operations(&schemas);
        let document = document(&operations, &schemas);
        (operations, document)
    }

    #[test]
    fn the_document_is_as_checked_in() {
        let (_, document) = published();
        insta::assert_json_snapshot!("openapi", document);
    }

    #[test]
    fn operations_are_named_once_and_say_who_may_ask() {
        let (operations, _) = published();
        let mut seen = BTreeSet::new();
        for operation in &operations {
            assert!(
                seen.insert(operation.id.clone()),
                "{} is declared twice",
                operation.id
            );
            assert!(
                !operation.roles.is_empty(),
                "{} declares no rule: say `.roles(…)` where it is declared, in crates/service/src/api",
                operation.id
            );
            assert!(
                !operation.summary.en.is_empty() && !operation.summary.zh.is_empty(),
                "{} says nothing",
                operation.id
            );
        }
    }

    #[test]
    fn every_body_has_an_example_that_its_own_schema_accepts() {
        let (operations, document) = published();
        let schemas = Schemas::new();
        let mut seen = 0;
        for operation in &operations {
            let described =
                &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
            let answers = &described["responses"][operation.gives.status.as_str()]["content"];
            if operation.gives.media_type == "application/json" && !answers.is_null() {
                assert!(
                    answers["application/json"].get("example").is_some(),
                    "{}",
                    operation.id
                );
            }
            if let Carries::Json(schema) = &operation.carries {
                let example = &described["requestBody"]["content"]["application/json"]["example"];
                let schema = BodySchema::new(schema.schema().clone(), schemas.definitions());
                let faults = schema.faults(example);
                assert!(faults.is_empty(), "{}: {example} {faults:?}", operation.id);
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn every_parameter_of_a_path_is_declared_and_stands_in_it() {
        for operation in published().0 {
            let named: BTreeSet<&str> = operation
                .path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            let declared: BTreeSet<&str> = operation
                .parameters
                .iter()
                .filter(|one| one.place == Place::Path)
                .map(|one| one.name)
                .collect();
            assert_eq!(named, declared, "{}", operation.id);
        }
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let (_, document) = published();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
