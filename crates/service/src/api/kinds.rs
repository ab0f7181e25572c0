//! The operations on records: for every kind the same ones, made from its flow table. A new kind or
//! a new move needs nothing here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use fundcycle_core::actor::Role;
use fundcycle_core::kinds::{AnyMove, Kind};
use fundcycle_core::names::Names as _;
use fundcycle_core::rejection::Text;
use fundcycle_core::visibility::Eye;
use fundcycle_store::list::{ListQuery, SortBy};
use serde_json::{Value, json};

use super::body::BodySchema;
use super::call::says;
use super::command::{self, Home, home};
use super::operation::{Operation, Parameter, Place};
use super::schema::{Schemas, record_name, reference};
use super::{bulk, read};
use crate::problem::Code;

/// The operations on records of every kind.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    Kind::ALL
        .iter()
        .flat_map(|kind| of_kind(*kind, schemas))
        .collect()
}

fn of_kind(kind: Kind, schemas: &Schemas) -> Vec<Operation> {
    let mut operations = vec![list(kind), get(kind)];
    let verbs = verbs(kind);
    let creating: Vec<&Verb> = verbs.iter().filter(|verb| verb.creates).collect();
    for verb in &creating {
        operations.push(create(kind, verb, creating.len() == 1, schemas));
    }
    for verb in verbs.iter().filter(|verb| verb.moves) {
        operations.push(act(kind, verb, schemas));
        if verb.patches {
            operations.push(Operation {
                method: Method::PATCH,
                path: format!("/v1/{}/{{id}}", kind.plural()),
                id: format!("{}.patch", kind.name()),
                ..act(kind, verb, schemas)
            });
        }
        if home(kind) == Home::Cycle {
            operations.push(act_in_bulk(kind, verb, schemas));
        }
    }
    operations
        .into_iter()
        .map(|operation| operation.tag(kind.plural()))
        .collect()
}

/// A verb that somebody may ask for, with all its rows in the table.
struct Verb {
    name: &'static str,
    zh: &'static str,
    summary: &'static str,
    by: BTreeSet<Role>,
    /// Whether it begins a record by an address of its own.
    creates: bool,
    /// Whether it moves one that exists.
    moves: bool,
    /// Whether it replaces text that somebody else may have changed meanwhile.
    replaces: bool,
    /// Whether it changes single fields, so that it is also asked by `PATCH`.
    patches: bool,
}

/// What only the service asks for has no address.
fn verbs(kind: Kind) -> Vec<Verb> {
    let mut verbs: BTreeMap<&'static str, Verb> = BTreeMap::new();
    for AnyMove {
        from,
        verb,
        zh,
        summary,
        by,
        replaces,
        patches,
        ..
    } in kind.moves()
    {
        let asked: Vec<Role> = by
            .into_iter()
            .filter(|role| *role != Role::System)
            .collect();
        if asked.is_empty() {
            continue;
        }
        let entry = verbs.entry(verb).or_insert(Verb {
            name: verb,
            zh,
            summary,
            by: BTreeSet::new(),
            creates: false,
            moves: false,
            replaces,
            patches,
        });
        entry.by.extend(asked);
        // Files come in by an address that takes their bytes.
        entry.creates |= from.is_empty() && kind != Kind::Attachment;
        entry.moves |= !from.is_empty();
    }
    verbs.into_values().collect()
}

fn collection(kind: Kind) -> String {
    match home(kind) {
        Home::Registry | Home::OwnJournal => format!("/v1/{}", kind.plural()),
        Home::Cycle => format!("/v1/cycles/{{cycle}}/{}", kind.plural()),
    }
}

fn in_collection(kind: Kind) -> Vec<Parameter> {
    match home(kind) {
        Home::Registry | Home::OwnJournal => Vec::new(),
        Home::Cycle => vec![id_in_path("cycle", "Which cycle.")],
    }
}

fn list(kind: Kind) -> Operation {
    let what = Text::new(
        format!("List {}", kind.plural().replace('_', " ")),
        format!("{}:列表", kind.zh()),
    );
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference(&record_name(kind)), "description": "Each with its entity tag as `etag`."},
            "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last."},
            "total": {"type": "integer", "description": "How many on all pages, where `total` was asked for."},
        },
    });
    Operation::new(
        Method::GET,
        collection(kind),
        format!("{}.list", kind.name()),
        what,
        move |call| read::list(call, kind),
    )
    .roles(readers(kind))
    .parameters(in_collection(kind))
    .parameters(filters(kind))
    .gives(StatusCode::OK, "A page.", page)
    .problems([Code::Malformed, Code::Forbidden, Code::NotFound])
}

fn get(kind: Kind) -> Operation {
    let what = Text::new(
        format!("Read one {}", kind.name().replace('_', " ")),
        format!("{}:查看", kind.zh()),
    );
    let if_none_match = Parameter {
        name: "If-None-Match",
        place: Place::Header,
        required: false,
        schema: json!({"type": "string"}),
        summary: "The entity tag that you have: 304 while it is current.",
    };
    Operation::new(
        Method::GET,
        format!("/v1/{}/{{id}}", kind.plural()),
        format!("{}.get", kind.name()),
        what,
        move |call| read::one(call, kind),
    )
    .roles(readers(kind))
    .parameters([id_in_path("id", "Which record."), fields(), if_none_match])
    .gives(
        StatusCode::OK,
        "The record, as you may see it.",
        reference(&record_name(kind)),
    )
    .problems([Code::Malformed, Code::NotFound])
}

fn create(kind: Kind, verb: &Verb, alone: bool, schemas: &Schemas) -> Operation {
    let name = verb.name;
    let path = if alone {
        collection(kind)
    } else {
        format!("{}/{name}", collection(kind))
    };
    let body = Arc::new(BodySchema::new(
        schemas.body(kind, name),
        schemas.definitions(),
    ));
    let summary = says(verb.summary, kind, verb.zh);
    let operation = Operation::new(
        Method::POST,
        path,
        format!("{}.{name}", kind.name()),
        summary,
        move |call| command::create(call, kind, name),
    )
    .roles(verb.by.iter().copied())
    .parameters(in_collection(kind))
    .parameters(writing())
    .takes(body)
    .problems(refusals());
    if verb.by.iter().eq(&[Role::Public]) {
        let receipt = json!({
            "type": "object",
            "required": ["receipt", "received_at"],
            "properties": {
                "receipt": {"type": "string", "format": "uuid", "description": "What to quote when asking about it."},
                "received_at": {"type": "string", "format": "date-time"},
            },
        });
        let says = "It was received; what becomes of it is not public.";
        return operation.gives(StatusCode::ACCEPTED, says, receipt);
    }
    operation.gives(
        StatusCode::CREATED,
        "The new record; `Location` says where.",
        reference(&record_name(kind)),
    )
}

fn act(kind: Kind, verb: &Verb, schemas: &Schemas) -> Operation {
    let (name, replaces) = (verb.name, verb.replaces);
    let path = format!("/v1/{}/{{id}}/{name}", kind.plural());
    let body = Arc::new(BodySchema::new(
        schemas.body(kind, name),
        schemas.definitions(),
    ));
    let summary = says(verb.summary, kind, verb.zh);
    // A verb that also creates has its name taken by that.
    let id = if verb.creates {
        format!("{}.{name}.again", kind.name())
    } else {
        format!("{}.{name}", kind.name())
    };
    Operation::new(Method::POST, path, id, summary, move |call| {
        command::act(call, kind, name, replaces)
    })
    .roles(verb.by.iter().copied())
    .parameters([id_in_path("id", "Which record."), if_match(replaces)])
    .parameters(writing())
    .takes(body)
    .gives(
        StatusCode::OK,
        "The record after the move; 204 where the move took it out of your sight.",
        reference(&record_name(kind)),
    )
    .problems(refusals())
    .problems(replaces.then_some(Code::MatchRequired))
}

fn act_in_bulk(kind: Kind, verb: &Verb, schemas: &Schemas) -> Operation {
    let (name, replaces) = (verb.name, verb.replaces);
    let path = format!("{}/bulk/{name}", collection(kind));
    let summary = Text::new(
        format!("On many at once: {}", verb.summary),
        format!("{}:批量{}", kind.zh(), verb.zh),
    );
    let item = Arc::new(BodySchema::new(
        schemas.body(kind, name),
        schemas.definitions(),
    ));
    let handler = move |call| bulk::act(call, kind, name, replaces, Arc::clone(&item));
    Operation::new(
        Method::POST,
        path,
        format!("{}.{name}.bulk", kind.name()),
        summary,
        handler,
    )
    .roles(verb.by.iter().copied())
    .parameters(in_collection(kind))
    .parameters(writing())
    .takes(Arc::new(bulk::schema(schemas)))
    .gives(
        StatusCode::OK,
        "A result for each, in the order asked.",
        bulk::answer_schema(reference(&record_name(kind))),
    )
    .problems([Code::Malformed, Code::NotFound])
}

/// Who sees records of a kind at all, in some stage.
fn readers(kind: Kind) -> Vec<Role> {
    behind(kind.sights().iter().map(|sight| sight.eye))
}

/// The roles that see through these eyes.
pub(crate) fn behind(eyes: impl IntoIterator<Item = Eye>) -> Vec<Role> {
    let roles = eyes.into_iter().flat_map(|eye| match eye {
        Eye::Public => vec![Role::Public],
        Eye::Account => vec![Role::Account],
        Eye::Applicant => vec![Role::Applicant, Role::Owner],
        Eye::Holder | Eye::Expert | Eye::Peer => vec![Role::Holder],
        Eye::Staff | Eye::Organiser => eye.all_seeing().to_vec(),
        Eye::Admin => vec![Role::Admin],
    });
    roles.collect::<BTreeSet<Role>>().into_iter().collect()
}

fn refusals() -> [Code; 8] {
    use Code::*;
    [
        Malformed,
        Forbidden,
        NotFound,
        NotFromHere,
        Shut,
        Consequence,
        Stale,
        KeyReused,
    ]
}

/// The parameter of an identity in the path.
pub(crate) fn id_in_path(name: &'static str, summary: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Path,
        required: true,
        schema: json!({"type": "string", "format": "uuid"}),
        summary,
    }
}

fn if_match(required: bool) -> Parameter {
    Parameter {
        name: "If-Match",
        place: Place::Header,
        required,
        schema: json!({"type": "string"}),
        summary: "The entity tag of the version that this is meant for: 412 where it is no longer current.",
    }
}

/// The parameters of every POST.
pub(crate) fn writing() -> [Parameter; 2] {
    let key = Parameter {
        name: "Idempotency-Key",
        place: Place::Header,
        required: false,
        schema: json!({"type": "string", "minLength": 1, "maxLength": 200}),
        summary: "Asking again with the same key and body gives the same answer and does nothing more.",
    };
    [
        query(
            "dry_run",
            json!({"type": "boolean"}),
            "Decide and answer, keep nothing.",
        ),
        key,
    ]
}

/// A parameter of the query that may be left out.
pub(crate) fn query(name: &'static str, schema: Value, summary: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Query,
        required: false,
        schema,
        summary,
    }
}

fn fields() -> Parameter {
    query(
        "fields",
        json!({"type": "string"}),
        "Only these fields, with commas between, beside `id`, `kind`, `stage` and `status`.",
    )
}

fn filters(kind: Kind) -> Vec<Parameter> {
    let stages: Vec<&str> = kind.stages().iter().map(|stage| stage.name).collect();
    let sorts: Vec<String> = SortBy::ALL
        .iter()
        .flat_map(|by| [by.name().to_owned(), format!("-{}", by.name())])
        .collect();
    let (text, id) = (
        json!({"type": "string"}),
        json!({"type": "string", "format": "uuid"}),
    );
    vec![
        query(
            "stage",
            json!({"type": "array", "items": {"enum": stages}}),
            "In one of these stages; repeat it or put commas between.",
        ),
        query("parent", id.clone(), "Parts of this record."),
        query(
            "organisation",
            id.clone(),
            "Of this organisation; others than your own only for staff.",
        ),
        query(
            "person",
            id,
            "Of this account; others than your own only for staff.",
        ),
        query("facet", text.clone(), "Of this domain, round or category."),
        query("number", text.clone(), "With exactly this number or code."),
        query(
            "label_contains",
            text.clone(),
            "With this text in title or name.",
        ),
        query(
            "updated_since",
            json!({"type": "string", "format": "date-time"}),
            "Changed at or after this time; for staff.",
        ),
        query(
            "sort",
            json!({"enum": sorts}),
            "In this order; `-` in front: largest first. By amount and time of change for staff.",
        ),
        query(
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": ListQuery::MOST, "default": 50}),
            "How many per page.",
        ),
        query("cursor", text, "Where the page before ended: its `next`."),
        query(
            "total",
            json!({"type": "boolean"}),
            "Count all that you may see, too.",
        ),
        fields(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_somebody_may_ask_for_has_an_address_and_no_other_has() {
        let schemas = Schemas::new();
        let ids: BTreeSet<String> = operations(&schemas)
            .into_iter()
            .map(|operation| operation.id)
            .collect();
        for &kind in Kind::ALL {
            for one in kind.moves() {
                let somebody = kind.moves().iter().any(|other| {
                    other.verb == one.verb && other.by.iter().any(|role| *role != Role::System)
                });
                let expected = somebody && !(kind == Kind::Attachment && one.from.is_empty());
                let id = format!("{}.{}", kind.name(), one.verb);
                assert_eq!(ids.contains(&id), expected, "{id}");
            }
        }
    }
}
