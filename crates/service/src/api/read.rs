//! Reading records, one or a page of them, as the caller may see them.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fundcycle_core::actor::Role;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::present::present;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::visibility::Eye;
use fundcycle_core::world::World;
use fundcycle_store::list::{ListQuery, SortBy};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::operation::Answered;
use super::record::{Rendered, json_response, sparse, tagged};
use crate::problem::Problem;

/// Answers one record.
pub(crate) async fn one(call: Call, kind: Kind) -> Answered {
    let wanted = fields(&call);
    let state = call.visible(kind, call.id("id")?).await?;
    let world = call
        .app
        .store
        .world_for(std::slice::from_ref(&state))
        .await?;
    let (entity_tag, mut record) = show(&call, &state, &world)?;
    let known = call
        .headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if known
        .split(',')
        .any(|tag| tag.trim().trim_start_matches("W/").trim_matches('"') == entity_tag)
    {
        let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
        unchanged.headers_mut().extend(
            tagged(StatusCode::OK, &entity_tag, &Map::new())
                .headers_mut()
                .remove(header::ETAG)
                .map(|tag| (header::ETAG, tag)),
        );
        return Ok(unchanged);
    }
    sparse(&mut record, &wanted);
    Ok(tagged(StatusCode::OK, &entity_tag, &record))
}

/// Answers a page of records.
pub(crate) async fn list(call: Call, kind: Kind) -> Answered {
    let journal = if kind.is_registry() {
        Some(REGISTRY)
    } else if kind == Kind::Cycle {
        None
    } else {
        Some(call.cycle().await?)
    };
    let wanted = fields(&call);
    let query = query(&call, kind, journal)?;
    let page = call.app.store.list(&call.viewer, &query).await?;
    let with_moves = wanted.is_empty() || wanted.contains("moves");
    let world = if with_moves {
        call.app.store.world_for(&page.states).await?
    } else {
        World::default()
    };
    let mut items = Vec::with_capacity(page.states.len());
    for state in &page.states {
        let (entity_tag, mut record) = show(&call, state, &world)?;
        sparse(&mut record, &wanted);
        record.insert("etag".to_owned(), format!("\"{entity_tag}\"").into());
        items.push(Value::Object(record));
    }
    let mut body = json!({"items": items, "next": page.next});
    if call.query.is_on("total") {
        call.query.done()?;
        body["total"] = call.app.store.count(&call.viewer, &query).await?.into();
    }
    Ok(json_response(StatusCode::OK, &body))
}

/// What the caller sees of a record that they may see, with its entity tag.
fn show(
    call: &Call,
    state: &State,
    world: &World,
) -> Result<(String, Map<String, Value>), Problem> {
    let now = call.app.clock.now();
    let shown = present(
        &call.viewer,
        state,
        world,
        now,
        call.app.store.working_days(),
    )
    .ok_or_else(Problem::not_found)?;
    let rendered = Rendered {
        kind: state.kind(),
        journal: state.journal(),
        view: shown.view,
        moves: shown
            .moves
            .iter()
            .filter_map(|one| serde_json::to_value(one).ok())
            .collect(),
        latest: call
            .viewer
            .eyes(state)
            .iter()
            .any(|eye| !eye.all_seeing().is_empty())
            .then(|| (state.version(), state.updated_at())),
    };
    Ok((shown.entity_tag, rendered.into_json()))
}

fn fields(call: &Call) -> BTreeSet<String> {
    call.query
        .texts("fields")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn query(call: &Call, kind: Kind, journal: Option<Uuid>) -> Result<ListQuery, Problem> {
    let asked = &call.query;
    let mut query = ListQuery {
        journal,
        ..ListQuery::of(kind)
    };
    let stages = kind.stages();
    for stage in asked.texts("stage") {
        if stages.iter().any(|one| one.name == stage) {
            query.stages.push(stage.to_owned());
        } else {
            let known = stages
                .iter()
                .map(|one| one.name)
                .collect::<Vec<_>>()
                .join(", ");
            asked.fault(
                "stage",
                format!("There is no stage `{stage}`: {known}."),
                format!("没有“{stage}”这一阶段:{known}。"),
            );
        }
    }
    query.parent = asked.value("parent", "an id");
    query.organisation = asked.value("organisation", "an id");
    query.person = asked.value("person", "an id");
    query.facet = asked.text("facet").map(str::to_owned);
    query.number = asked.text("number").map(str::to_owned);
    query.label_contains = asked.text("label_contains").map(str::to_owned);
    query.updated_since = asked.value("updated_since", "an RFC 3339 instant");
    query.cursor = asked.text("cursor").map(str::to_owned);
    if let Some(limit) = asked.value::<u32>("limit", "a number") {
        if !(1..=ListQuery::MOST).contains(&limit) {
            let (en, zh) = (
                format!("From 1 to {}.", ListQuery::MOST),
                format!("取值 1 至 {}。", ListQuery::MOST),
            );
            asked.fault("limit", en, zh);
        }
        query.limit = limit;
    }
    if let Some(sort) = asked.text("sort") {
        query.descending = sort.starts_with('-');
        match SortBy::from_name(sort.trim_start_matches('-')) {
            Some(by) => query.sort = by,
            None => asked.fault(
                "sort",
                "One of created_at, updated_at, label, number, amount; with a minus in front: largest first.",
                "可选:created_at、updated_at、label、number、amount;前加减号为降序。",
            ),
        }
    }
    asked.done()?;
    guard(call, kind, &query)?;
    Ok(query)
}

/// A filter or an order on a field is a read of that field (`visibility.md` F11): who does not see
/// all of a record may only ask for their own, and by what everyone who sees it sees.
fn guard(call: &Call, kind: Kind, query: &ListQuery) -> Result<(), Problem> {
    let all_seeing = match query.journal {
        Some(journal) => call.is_staff(kind, journal),
        None => false,
    };
    let actor = &call.viewer.actor;
    let own = query
        .organisation
        .is_none_or(|id| actor.organisations().contains(&id))
        && query.person.is_none_or(|id| Some(id) == actor.account);
    let open =
        !matches!(query.sort, SortBy::Amount | SortBy::UpdatedAt) && query.updated_since.is_none();
    // Cycles are public in all that lists go by.
    if all_seeing || (own && (open || kind == Kind::Cycle)) {
        return Ok(());
    }
    let eyes = kind.sights().iter().map(|sight| sight.eye);
    let needed: BTreeSet<Role> = eyes.flat_map(Eye::all_seeing).copied().collect();
    let needed = needed.into_iter().collect();
    Err(Rejection::Forbidden {
        verb: format!("list {} so", kind.name()),
        needed,
    }
    .into())
}

/// The current answer for a record that a command has just moved.
pub(crate) fn location(mut response: Response, address: &str) -> Response {
    if let Ok(value) = axum::http::HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
