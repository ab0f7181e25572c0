//! Examples made from schemas: the shortest value that is complete, the same on every run.

use serde_json::{Map, Value, json};

/// How deep references are followed; deeper values are left out.
const DEEPEST: usize = 12;

/// A value that the schema accepts. References are looked up in `definitions`.
pub(super) fn example(schema: &Value, definitions: &Map<String, Value>) -> Value {
    value(schema, definitions, DEEPEST)
}

fn value(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let inside = |schema: &Value| value(schema, definitions, depth - 1);
    if let Some(known) = schema.get("const").or_else(|| schema.get("default")) {
        return known.clone();
    }
    if let Some(first) = list(schema, "enum").next() {
        return first.clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return definitions.get(name).map_or(Value::Null, inside);
    }
    // Not null: that stands for what may be left out.
    let mut branches = list(schema, "oneOf").chain(list(schema, "anyOf"));
    if let Some(branch) = branches.find(|branch| type_of(branch) != Some("null")) {
        return inside(branch);
    }
    if let Some(part) = list(schema, "allOf").next() {
        return inside(part);
    }
    match type_of(schema) {
        Some("object") => object(schema, inside),
        Some("array") if schema.get("maxItems") == Some(&json!(0)) => json!([]),
        Some("array") => {
            let listed: Vec<Value> = list(schema, "prefixItems").map(&inside).collect();
            if listed.is_empty() {
                schema
                    .get("items")
                    .map_or_else(|| json!([]), |items| json!([inside(items)]))
            } else {
                Value::Array(listed)
            }
        }
        Some("integer" | "number") => {
            let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(0);
            json!(least.max(1))
        }
        Some("boolean") => json!(true),
        Some("string") => json!(text(schema)),
        _ => json!({}),
    }
}

fn object(schema: &Value, inside: impl Fn(&Value) -> Value) -> Value {
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let shown = properties
        .into_iter()
        .flatten()
        .filter(|(name, _)| required.contains(&name.as_str()));
    Value::Object(
        shown
            .map(|(name, property)| (name.clone(), inside(property)))
            .collect(),
    )
}

/// A text of the form that is asked for.
fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => "0190f3c1-7a10-7000-8000-000000000001",
        Some("date-time") => "2024-09-11T09:00:00+08:00",
        Some("date") => "2024-09-11",
        _ if schema.get("pattern").is_some() => "1",
        _ => "…",
    }
}

fn type_of(schema: &Value) -> Option<&str> {
    let named = schema.get("type")?;
    named
        .as_str()
        .or_else(|| named.as_array()?.first()?.as_str())
}

fn list<'a>(schema: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    schema
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
