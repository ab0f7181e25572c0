//! Sending commands: from a request to the store and back to an answer. The service decides nothing.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fundcycle_core::actor::Role;
use fundcycle_core::aggregate::{REGISTRY, derived_id};
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::{Command, Kind};
use fundcycle_store::submission::{Answer, IdempotencyKey, Precondition, Submission};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::call::Call;
use super::operation::Answered;
use super::read::location;
use super::receipt;
use super::record::{Rendered, json_response, tagged};
use crate::problem::Problem;

/// The header that makes asking again not doing again.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A command on its way to the store.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// The journal of the record.
    pub journal: Uuid,
    /// The record.
    pub id: Uuid,
    /// What is asked of it.
    pub command: Command,
    /// Which version the caller has seen.
    pub precondition: Precondition,
    /// The caller's key, with what it was first used for.
    pub idempotency: Option<IdempotencyKey>,
}

/// Creates a record with `verb`.
pub(crate) async fn create(mut call: Call, kind: Kind, verb: &'static str) -> Answered {
    let journal = match home(kind) {
        Home::Registry => Some(REGISTRY),
        Home::OwnJournal => None,
        Home::Cycle => Some(call.cycle().await?),
    };
    let body = call.json().await?;
    let faults = call.faults(&body);
    if !faults.is_empty() {
        let cycle = journal.filter(|journal| *journal != REGISTRY);
        call.require_one_of(&possible_roles(&call, cycle))?;
        return Err(Problem::invalid(faults));
    }
    let idempotency = idempotency_key(&call, &body, None)?;
    let command = Command::parse(kind, verb, body)?;
    let id = command
        .identity()
        .unwrap_or_else(|| new_id(kind, idempotency.as_ref()));
    let precondition = precondition(&call.headers, false)?;
    let sending = Sending {
        journal: journal.unwrap_or(id),
        id,
        command,
        precondition,
        idempotency,
    };
    let answer = send(&call, sending).await?;
    Ok(render(&call, kind, &answer, StatusCode::CREATED))
}

/// Moves a record with `verb`.
pub(crate) async fn act(
    mut call: Call,
    kind: Kind,
    verb: &'static str,
    replaces: bool,
) -> Answered {
    let id = call.id("id")?;
    let state = call.visible(kind, id).await?;
    let body = call.json().await?;
    let faults = call.faults(&body);
    if !faults.is_empty() {
        call.require_one_of(&state.roles_of(&call.viewer.actor))?;
        return Err(Problem::invalid(faults));
    }
    let idempotency = idempotency_key(&call, &body, None)?;
    let command = Command::parse(kind, verb, body)?;
    let precondition = precondition(&call.headers, replaces)?;
    let answer = send(
        &call,
        Sending {
            journal: state.journal(),
            id,
            command,
            precondition,
            idempotency,
        },
    )
    .await?;
    let receipt = receipt::after(&call, &answer).await;
    Ok(render_with(&call, kind, &answer, StatusCode::OK, receipt))
}

/// Sends one command.
///
/// # Errors
///
/// The refusal, as a problem.
pub(crate) async fn send(call: &Call, sending: Sending) -> Result<Answer, Problem> {
    let dry_run = call.query.is_on("dry_run");
    call.query.done()?;
    Ok(call
        .app
        .store
        .execute(submission(call, sending, dry_run))
        .await?)
}

/// The command with all that surrounds it.
pub(crate) fn submission(call: &Call, sending: Sending, dry_run: bool) -> Submission {
    let Sending {
        journal,
        id,
        command,
        precondition,
        idempotency,
    } = sending;
    Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal,
            id,
            command,
            viewer: call.viewer.clone(),
        },
        precondition,
        idempotency,
        credential: None,
        dry_run,
        now: call.app.clock.now(),
    }
}

/// The answer to a command: the record as the caller sees it now; 204 where they no longer do. Who
/// hands something in that they may not see afterwards gets a receipt: 202.
pub(crate) fn render(call: &Call, kind: Kind, answer: &Answer, done: StatusCode) -> Response {
    render_with(call, kind, answer, done, None)
}

/// The same with a receipt, where one is given.
fn render_with(
    call: &Call,
    kind: Kind,
    answer: &Answer,
    done: StatusCode,
    receipt: Option<Value>,
) -> Response {
    let dry_run = call.query.is_on("dry_run");
    let Some((entity_tag, mut record)) = record(call, kind, answer) else {
        let receipt = answer
            .facts
            .first()
            .filter(|_| done == StatusCode::CREATED && !dry_run);
        return match receipt {
            Some(first) => json_response(
                StatusCode::ACCEPTED,
                &json!({"receipt": first.id, "received_at": answer.at}),
            ),
            None => StatusCode::NO_CONTENT.into_response(),
        };
    };
    record.extend(receipt.map(|receipt| ("receipt".to_owned(), receipt)));
    if dry_run {
        record.insert("dry_run".to_owned(), true.into());
        return json_response(StatusCode::OK, &record);
    }
    let response = tagged(done, &entity_tag, &record);
    created_at(response, kind, answer, done)
}

fn created_at(response: Response, kind: Kind, answer: &Answer, done: StatusCode) -> Response {
    match answer.facts.first().filter(|_| done == StatusCode::CREATED) {
        Some(first) => location(response, &Call::address_of(kind, first.id)),
        None => response,
    }
}

/// The record that a command answers, with its entity tag; none where the caller sees it no longer.
pub(crate) fn record(
    call: &Call,
    kind: Kind,
    answer: &Answer,
) -> Option<(String, Map<String, Value>)> {
    let shown = answer.shown.as_ref()?;
    let first = answer.facts.first()?;
    let staff = call.is_staff(kind, first.journal);
    let rendered = Rendered {
        kind,
        journal: first.journal,
        view: shown.view.clone(),
        moves: shown.moves.clone(),
        latest: staff.then_some((first.version, answer.at)),
    };
    let mut record = rendered.into_json();
    if staff {
        // What followed elsewhere: only who sees all of a cycle may know.
        let facts = answer.facts.iter().map(|fact| {
            json!({"kind": fact.kind, "id": fact.id, "verb": fact.verb, "from": fact.from, "to": fact.to})
        });
        record.insert("facts".to_owned(), facts.collect());
    }
    Some((shown.entity_tag.clone(), record))
}

/// Where records of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the registry.
    Registry,
    /// In a journal of their own: cycles.
    OwnJournal,
    /// In the journal of a cycle.
    Cycle,
}

/// Where records of `kind` live.
pub(crate) fn home(kind: Kind) -> Home {
    if kind.is_registry() {
        Home::Registry
    } else if kind == Kind::Cycle {
        Home::OwnJournal
    } else {
        Home::Cycle
    }
}

/// The identity of a new record. With an idempotency key it follows from the key, so that asking
/// again asks for the same record. Where the time order of ids would tie an expert to an
/// application it is random (`visibility.md` F11).
pub(crate) fn new_id(kind: Kind, idempotency: Option<&IdempotencyKey>) -> Uuid {
    match idempotency {
        Some(IdempotencyKey { principal, key, .. }) => {
            derived_id(Uuid::nil(), &json!(["key", principal, key]).to_string())
        }
        None if kind == Kind::Sheet => Uuid::new_v4(),
        None => Uuid::now_v7(),
    }
}

/// The roles that a caller could turn out to have towards a record that does not exist yet.
fn possible_roles(call: &Call, cycle: Option<Uuid>) -> BTreeSet<Role> {
    let actor = &call.viewer.actor;
    let organisations = actor.organisations();
    let mut roles = actor.roles(cycle, None, actor.account);
    roles.extend(
        organisations
            .iter()
            .flat_map(|organisation| actor.roles(cycle, Some(*organisation), actor.account)),
    );
    roles
}

/// What the caller says they have seen.
///
/// # Errors
///
/// 400 where `If-Match` is of no known form.
pub(crate) fn precondition(headers: &HeaderMap, required: bool) -> Result<Precondition, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(if required {
            Precondition::Required
        } else {
            Precondition::Free
        });
    };
    let malformed = || {
        let (en, zh) = (
            "`If-Match` holds entity tags in double quotes, or *.",
            "If-Match 应为带双引号的实体标签或 *。",
        );
        Problem::malformed("/If-Match", "if_match", en, zh)
    };
    let tag = |text: &str| match text.trim() {
        "*" => Some("*".to_owned()),
        quoted => quoted
            .strip_prefix('"')?
            .strip_suffix('"')
            .map(str::to_owned),
    };
    // A weak tag is no promise that the text is the same: it matches nothing (RFC 9110 §13.1.1).
    let texts = value
        .to_str()
        .map_err(|_| malformed())?
        .split(',')
        .filter(|text| !text.trim().starts_with("W/"));
    texts
        .map(tag)
        .collect::<Option<Vec<String>>>()
        .map(Precondition::Tags)
        .ok_or_else(malformed)
}

/// The caller's idempotency key with the hash of what is asked: address, parameters and body.
///
/// # Errors
///
/// 400 where the key is empty, too long or not plain.
pub(crate) fn idempotency_key(
    call: &Call,
    body: &Value,
    item: Option<usize>,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = call.headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=200).contains(&key.len()))
        .ok_or_else(|| {
            let (en, zh) = (
                "An idempotency key has 1 to 200 plain characters.",
                "幂等键应为 1 至 200 个可见字符。",
            );
            Problem::malformed("/Idempotency-Key", "idempotency_key", en, zh)
        })?;
    let asked = json!([call.method.as_str(), call.address, body]);
    Ok(Some(IdempotencyKey {
        principal: call.principal(),
        key: item.map_or_else(|| key.to_owned(), |item| format!("{key}#{item}")),
        request_hash: Sha256::digest(asked.to_string().as_bytes()).into(),
    }))
}
