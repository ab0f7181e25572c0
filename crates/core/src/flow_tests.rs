//! Every flow table, walked whole: each stage × verb × role, the negative space included.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::actor::{Actor, Role};
use crate::aggregate::REGISTRY;
use crate::calendar::WorkingDayCalendar;
use crate::context::Context;
use crate::kinds::{AnyMove, Command, Kind, Row, State};
use crate::names::Names as _;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::world::World;

/// The least JSON that a schema accepts, so that every command has a body without being listed.
fn sample(schema: &Value, definitions: &Map<String, Value>) -> Value {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return sample(
            &definitions[target.rsplit('/').next().unwrap()],
            definitions,
        );
    }
    if let Some(first) = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(*key)?.get(0))
    {
        return sample(first, definitions);
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(value) = schema.get("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    match (kind, schema.get("format").and_then(Value::as_str)) {
        (Some("string"), Some("uuid")) => json!(Uuid::from_u128(7)),
        (Some("string"), Some("date-time")) => json!("2024-09-11T01:00:00Z"),
        (Some("string"), Some("date")) => json!("2024-09-11"),
        (Some("string"), _) => json!("1"),
        (Some("integer" | "number"), _) => json!(1),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => {
            let items = schema.get("prefixItems").and_then(Value::as_array);
            json!(
                items
                    .into_iter()
                    .flatten()
                    .map(|item| sample(item, definitions))
                    .collect::<Vec<_>>()
            )
        }
        (Some("object"), _) => {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fields = schema
                .get("properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            Value::Object(
                fields
                    .iter()
                    .filter(|(name, _)| required.contains(&name.as_str()))
                    .map(|(name, field)| (name.clone(), sample(field, definitions)))
                    .collect(),
            )
        }
        _ => Value::Null,
    }
}

/// A command of each verb of `kind`.
fn commands(kind: Kind) -> BTreeMap<String, Command> {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let schema = kind.command_schema(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let variants = schema["oneOf"]
        .as_array()
        .unwrap_or_else(|| panic!("{kind} has one verb only"))
        .clone();
    variants
        .iter()
        .map(|variant| {
            let (verb, body) = variant["properties"]
                .as_object()
                .unwrap()
                .iter()
                .next()
                .unwrap();
            let body = sample(body, &definitions);
            let command = Command::parse(kind, verb, body.clone())
                .unwrap_or_else(|error| panic!("{kind} {verb} {body}: {error}"));
            (verb.clone(), command)
        })
        .collect()
}

fn state(kind: Kind, id: Uuid, journal: Uuid, stage: &str) -> State {
    let body = State::unborn(kind, id, journal).body();
    let at = Timestamp(0);
    let row = Row {
        id,
        journal,
        version: 1,
        stage,
        created_at: at,
        updated_at: at,
        body: &body,
    };
    State::restore(kind, row).unwrap()
}

fn rows<'a>(
    moves: &'a [AnyMove],
    stage: Option<&'a str>,
    verb: &'a str,
) -> impl Iterator<Item = &'a AnyMove> {
    moves.iter().filter(move |row| {
        row.verb == verb && stage.map_or(row.from.is_empty(), |stage| row.from.contains(&stage))
    })
}

#[test]
fn every_stage_verb_and_role_does_what_its_table_says() {
    let calendar = WorkingDayCalendar::china().unwrap();
    let (actor, id) = (
        Actor::account(Uuid::from_u128(9), BTreeSet::new()),
        Uuid::from_u128(1),
    );
    let mut cells = 0;
    for kind in Kind::ALL.iter().copied() {
        let moves = kind.moves();
        let journal = if kind.is_registry() {
            REGISTRY
        } else {
            Uuid::from_u128(5)
        };
        let stages: Vec<Option<&str>> = std::iter::once(None)
            .chain(kind.stages().into_iter().map(|stage| Some(stage.name)))
            .collect();
        for (verb, command) in commands(kind) {
            for stage in &stages {
                let mut world = World::default();
                if let Some(stage) = stage {
                    world.put(state(kind, id, journal, stage));
                }
                for role in Role::ALL {
                    let roles = BTreeSet::from([*role]);
                    let cx = Context {
                        now: Timestamp(1_726_000_000_000),
                        actor: &actor,
                        initiator: &actor,
                        roles: &roles,
                        journal,
                        world: &world,
                        calendar: &calendar,
                    };
                    let outcome = command.clone().decide(id, &cx);
                    let mine: Vec<&AnyMove> = rows(&moves, *stage, &verb)
                        .filter(|row| row.by.contains(role))
                        .collect();
                    let cell = format!("{kind} {stage:?} {verb} {role}");
                    match outcome {
                        Ok(step) => {
                            let leads_to: Vec<&str> =
                                mine.iter().map(|row| row.to.or(*stage).unwrap()).collect();
                            assert!(
                                leads_to.contains(&step.to),
                                "{cell} led to {}, the table says {leads_to:?}",
                                step.to
                            );
                        }
                        Err(Rejection::Forbidden { .. } | Rejection::NotFromHere { .. }) => {
                            assert!(mine.is_empty(), "{cell} is in the table and was refused");
                        }
                        Err(Rejection::Shut { gates, .. }) => {
                            let known: Vec<&str> = mine
                                .iter()
                                .flat_map(|row| &row.gates)
                                .map(|gate| gate.0)
                                .collect();
                            assert!(
                                gates.iter().all(|gate| known.contains(&gate.gate.as_str())),
                                "{cell}: {gates:?}"
                            );
                        }
                        Err(
                            Rejection::NotFound
                            | Rejection::Invalid { .. }
                            | Rejection::Consequence { .. },
                        ) => {
                            assert!(
                                !mine.is_empty() || stage.is_none(),
                                "{cell} is not in the table and got past it"
                            );
                        }
                    }
                    cells += 1;
                }
            }
        }
    }
    assert!(cells > 10_000, "only {cells} cells were walked");
}

#[test]
fn every_flow_is_well_formed() {
    let mut faults = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let (moves, stages) = (kind.moves(), kind.stages());
        let creating = moves
            .iter()
            .any(|row| row.from.is_empty() && row.to.is_some());
        if !creating {
            faults.push(format!("{kind}: nothing creates one"));
        }
        for stage in &stages {
            if !moves.iter().any(|row| row.to == Some(stage.name)) {
                faults.push(format!("{kind}: nothing leads to {}", stage.name));
            }
        }
        for verb in commands(kind).keys() {
            if !moves.iter().any(|row| row.verb == verb) {
                faults.push(format!("{kind}: no move has the verb {verb}"));
            }
        }
        for (index, row) in moves.iter().enumerate() {
            for other in moves
                .iter()
                .skip(index + 1)
                .filter(|other| other.verb == row.verb)
            {
                let overlap = row.from.iter().any(|from| other.from.contains(from))
                    || (row.from.is_empty() && other.from.is_empty());
                let told_apart =
                    row.gates != other.gates || !row.by.iter().any(|role| other.by.contains(role));
                if overlap && !told_apart {
                    faults.push(format!("{kind}: two rows for {:?} {}", row.from, row.verb));
                }
            }
            for (name, en, zh) in &row.gates {
                if en.is_empty() || zh.is_ascii() {
                    faults.push(format!("{kind}: gate {name} does not speak both languages"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_is_shown_names_fields_and_stages_that_exist() {
    let mut faults = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let data = State::unborn(kind, Uuid::nil(), REGISTRY).data();
        for field in kind
            .fields()
            .iter()
            .filter(|field| !data.contains_key(field.name))
        {
            faults.push(format!("{kind} has no field {}", field.name));
        }
        let stages: Vec<&str> = kind.stages().into_iter().map(|stage| stage.name).collect();
        for stage in kind
            .sights()
            .iter()
            .flat_map(|sight| sight.stages)
            .filter(|stage| !stages.contains(*stage))
        {
            faults.push(format!("{kind} has no stage {stage}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The documents that are rendered from the tables. `UPDATE_DOCS=1` writes them.
#[test]
fn the_rendered_documents_are_up_to_date() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let picture = |kind: Kind| format!("```mermaid\n{}```\n", crate::diagram::mermaid(kind));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let fresh = between_marks(&readme, "flow", &picture(Kind::Cycle));
    for (path, text) in [
        ("docs/flows.md", crate::diagram::flows_document()),
        (
            "docs/policy.md",
            crate::policy::reference::policy_reference(),
        ),
        ("README.md", fresh),
    ] {
        let path = root.join(path);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, text).unwrap();
        } else {
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == text,
                "{} is stale: run `just docs`",
                path.display()
            );
        }
    }
}

fn between_marks(document: &str, mark: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (Some(from), Some(to)) = (document.find(&begin), document.find(&end)) else {
        return document.to_owned();
    };
    format!(
        "{}{text}{}",
        &document[..from + begin.len()],
        &document[to..]
    )
}
