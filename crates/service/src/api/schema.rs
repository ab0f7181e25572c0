//! JSON Schemas made from the core's types: what each verb carries, and what records look like.

use std::collections::BTreeMap;
use std::sync::Arc;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Where shared schemas lie in the published document, and how they are referred to.
const DEFINITIONS: &str = "/components/schemas";

/// Every schema of the API.
#[derive(Clone, Debug)]
pub(crate) struct Schemas {
    bodies: BTreeMap<(Kind, String), Value>,
    definitions: Arc<Map<String, Value>>,
}

impl Schemas {
    /// Makes the schemas.
    pub(crate) fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = DEFINITIONS.into();
        let mut generator = settings.into_generator();
        let mut bodies = BTreeMap::new();
        let mut records = Map::new();
        for &kind in Kind::ALL {
            let commands = kind.command_schema(&mut generator).to_value();
            for (verb, body) in verbs(&commands) {
                bodies.insert((kind, verb), body);
            }
            let data = kind.data_schema(&mut generator).to_value();
            records.insert(record_name(kind), record(kind, data));
        }
        let mut definitions: Map<String, Value> =
            generator.take_definitions(true).into_iter().collect();
        definitions.extend(records);
        definitions.extend(shared());
        Self {
            bodies,
            definitions: Arc::new(definitions),
        }
    }

    /// What `verb` carries; an empty object where it carries nothing.
    pub(crate) fn body(&self, kind: Kind, verb: &str) -> Value {
        let nothing = || json!({"type": "object", "additionalProperties": false});
        self.bodies
            .get(&(kind, verb.to_owned()))
            .cloned()
            .unwrap_or_else(nothing)
    }

    /// What the schemas refer to.
    pub(crate) fn definitions(&self) -> &Arc<Map<String, Value>> {
        &self.definitions
    }
}

/// A reference to a shared schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#{DEFINITIONS}/{name}")})
}

/// The schema of a type of this crate, with all it needs inside.
pub(crate) fn plain<T: schemars::JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The name of the schema of records of `kind`.
pub(crate) fn record_name(kind: Kind) -> String {
    let pascal = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    kind.name()
        .split('_')
        .map(pascal)
        .chain(["Record".to_owned()])
        .collect()
}

/// The branches of an externally tagged enum: verb and what it carries.
fn verbs(commands: &Value) -> impl Iterator<Item = (String, Value)> {
    let branches = commands
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    branches.filter_map(|branch| {
        let (verb, body) = branch.get("properties")?.as_object()?.iter().next()?;
        let mut body = body.clone();
        if let (Some(body), Some(summary)) = (body.as_object_mut(), branch.get("description")) {
            body.insert("description".to_owned(), summary.clone());
        }
        Some((verb.clone(), body))
    })
}

/// A record as answered: the data of its kind, of which a caller gets what they may see, with what
/// all records have.
fn record(kind: Kind, data: Value) -> Value {
    let Value::Object(mut schema) = data else {
        return json!({"type": "object"});
    };
    schema.remove("$schema");
    schema.remove("additionalProperties");
    schema.insert("required".to_owned(), json!(super::record::ALWAYS));
    let stages: Vec<&str> = kind.stages().iter().map(|stage| stage.name).collect();
    let common = json!({
        "id": {"type": "string", "format": "uuid"},
        "kind": {"const": kind.name()},
        "stage": {"enum": stages, "description": "Where it stands, by stable name."},
        "cycle": {"type": "string", "format": "uuid", "description": "The cycle that it belongs to."},
        "status": reference("Status"),
        "moves": {"type": "array", "items": reference("MoveNow"), "description": "What this caller may ask for."},
        "version": {"type": "integer", "description": "How many events made it; staff see this."},
        "updated_at": {"type": "string", "format": "date-time", "description": "When its last event happened; staff see this."},
    });
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let (Some(properties), Value::Object(common)) = (properties.as_object_mut(), common) {
        properties.extend(common);
    }
    Value::Object(schema)
}

/// Schemas that no kind owns.
fn shared() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let shared = json!({
        "Problem": {
            "type": "object",
            "description": "Problem details (RFC 9457), in the caller's language.",
            "required": ["type", "title", "status"],
            "properties": {
                "type": {"type": "string", "description": "Stable, `/problems/` and a code."},
                "title": text, "status": {"type": "integer"}, "detail": text,
                "errors": {"type": "array", "items": reference("ProblemFault"), "description": "Everything that is wrong with the input."},
                "gates": {"type": "array", "items": reference("ProblemGate"), "description": "Every gate that keeps the move shut."},
                "needed": {"type": "array", "items": text, "description": "The roles that could."},
                "stage": text,
                "allowed": {"type": "array", "items": text, "description": "The verbs that are possible from here."},
                "current": {"type": "string", "description": "The entity tag of what you would see now."},
            },
        },
        "ProblemFault": {
            "type": "object",
            "required": ["pointer", "code", "message"],
            "properties": {
                "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the body, or the name of a parameter."},
                "code": {"type": "string", "description": "Stable."}, "message": text,
            },
        },
        "ProblemGate": {"type": "object", "required": ["gate", "message"], "properties": {"gate": text, "message": text}},
        "Status": {
            "type": "object",
            "description": "Where the record stands, in words.",
            "required": ["name", "zh", "en"],
            "properties": {"name": text, "zh": text, "en": text},
        },
        "MoveNow": {
            "type": "object",
            "description": "A move that this caller's roles may ask for, with what keeps it shut.",
            "required": ["verb", "zh", "to", "open", "shut_by"],
            "properties": {
                "verb": text, "zh": text,
                "to": {"type": ["string", "null"], "description": "The stage it reaches; null where the stage stays."},
                "open": {"type": "boolean"},
                "shut_by": {"type": "array", "items": {
                    "type": "object",
                    "properties": {"gate": text, "message": {"type": "object", "properties": {"en": text, "zh": text}}},
                }},
            },
        },
    });
    match shared {
        Value::Object(shared) => shared,
        _ => Map::new(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_verb_of_every_flow_has_a_schema() {
        let schemas = Schemas::new();
        for &kind in Kind::ALL {
            for one in kind.moves() {
                assert!(
                    schemas.bodies.contains_key(&(kind, one.verb.to_owned())),
                    "{kind} {}",
                    one.verb
                );
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schemas = Schemas::new();
        let text = serde_json::to_string(&*schemas.definitions).unwrap()
            + &schemas
                .bodies
                .values()
                .map(Value::to_string)
                .collect::<String>();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.definitions.contains_key(name), "{name}");
        }
    }
}
