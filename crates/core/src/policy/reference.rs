//! What a policy can say, as a document rendered from the types that read it.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::document::PolicyDocument;

/// The reference of every table and key of a policy.
pub fn policy_reference() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let root = generator.root_schema_for::<PolicyDocument>().to_value();
    let definitions = root
        .get("$defs")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut text = String::from(
        "# Policy reference\n\nRendered from the types that read a policy; a test compares, and `just docs` renders it again. \
         A policy is one TOML or JSON document per cycle. `fundcycle policy check FILE` says everything that cannot work, with its place.\n\n\
         A whole one to start from: [examples/wujin-2024.toml](examples/wujin-2024.toml).\n",
    );
    section(&mut text, "The document", &root);
    for (name, schema) in &definitions {
        section(&mut text, name, schema);
    }
    text
}

fn section(text: &mut String, name: &str, schema: &Value) {
    let _ = write!(text, "\n## {name}\n\n{}\n", one_line(schema));
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        fields_table(text, fields, schema);
    }
    let variants = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(*key)?.as_array());
    for variant in variants.into_iter().flatten() {
        let meaning = one_line(variant);
        match (
            variant.get("const"),
            variant.get("properties").and_then(Value::as_object),
        ) {
            (Some(value), _) => {
                let _ = write!(text, "\n- `{}`: {meaning}", plain(value));
            }
            (None, Some(fields)) => {
                let _ = write!(text, "\n- {meaning} Keys:");
                for (key, field) in fields {
                    let _ = write!(text, " `{key}` ({});", type_of(field));
                }
            }
            (None, None) => {
                let _ = write!(text, "\n- {}", type_of(variant));
            }
        }
    }
    if variants.is_some() {
        text.push('\n');
    }
}

fn fields_table(text: &mut String, fields: &Map<String, Value>, schema: &Value) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    text.push_str("\n| key | type | if left out | meaning |\n|---|---|---|---|\n");
    for (key, field) in fields {
        let default = match field.get("default") {
            _ if required.contains(&key.as_str()) => "must be given".to_owned(),
            Some(value) if !value.is_object() && !value.is_null() => format!("`{}`", plain(value)),
            Some(Value::Object(_)) => "its defaults".to_owned(),
            _ => "none".to_owned(),
        };
        let _ = writeln!(
            text,
            "| `{key}` | {} | {default} | {} |",
            type_of(field),
            one_line(field)
        );
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or(target);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<String> = options
            .iter()
            .map(type_of)
            .filter(|kind| kind != "null")
            .collect();
        return kinds.join(" or ");
    }
    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        Some(Value::String(kind)) => kind.clone(),
        _ => "any".to_owned(),
    };
    match (
        kinds.as_str(),
        schema.get("items"),
        schema.get("additionalProperties"),
    ) {
        ("array", Some(items), _) => format!("list of {}", type_of(items)),
        ("object", _, Some(values)) if values.is_object() => {
            format!("table of {}", type_of(values))
        }
        _ => kinds,
    }
}

fn one_line(schema: &Value) -> String {
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
