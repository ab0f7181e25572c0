//! What is not about records: the flows, the clock, health, counts, and this very document.

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_store::SchemaState;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::BodySchema;
use super::call::Call;
use super::operation::{Answered, Operation};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::problem::{Code, Problem};
use crate::{scheduler, telemetry};

/// What time it is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetClock {
    /// Not before what the clock shows.
    now: Timestamp,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let set = Arc::new(BodySchema::new(plain::<SetClock>(), schemas.definitions()));
    let clock = json!({"type": "object", "required": ["now"], "properties": {"now": {"type": "string", "format": "date-time"}}});
    let mut plain_text = Operation::new(
        Method::GET,
        "/metrics",
        "metrics",
        Text::new("What is counted, for Prometheus", "监控指标"),
        metrics,
    )
    .roles([Role::Public])
    .problems([Code::NotFound]);
    plain_text.gives.media_type = "text/plain; version=0.0.4";
    vec![
        Operation::new(
            Method::GET,
            "/v1/workflow",
            "workflow",
            Text::new("Every flow: stages, moves, roles and gates", "全部流程表"),
            workflow,
        )
        .roles([Role::Public]),
        Operation::new(
            Method::GET,
            "/v1/openapi.json",
            "openapi",
            Text::new("This document", "接口文档"),
            document,
        )
        .roles([Role::Public]),
        Operation::new(
            Method::GET,
            "/v1/clock",
            "clock",
            Text::new("What time it is, where the clock may be set", "查看时钟"),
            read_clock,
        )
        .roles([Role::Public])
        .gives(
            StatusCode::OK,
            "The time; 404 where the clock keeps real time.",
            clock.clone(),
        )
        .problems([Code::NotFound]),
        Operation::new(
            Method::PUT,
            "/v1/clock",
            "clock.set",
            Text::new(
                "Set the time, forward, where the clock may be set",
                "设置时钟",
            ),
            set_clock,
        )
        .roles([Role::Admin])
        .takes(set)
        .gives(
            StatusCode::OK,
            "The time; what fell due by then has happened.",
            clock,
        )
        .problems([Code::Malformed, Code::Forbidden, Code::NotFound]),
        Operation::new(
            Method::GET,
            "/healthz",
            "healthz",
            Text::new("Whether the service runs", "存活检查"),
            healthz,
        )
        .roles([Role::Public]),
        Operation::new(
            Method::GET,
            "/readyz",
            "readyz",
            Text::new("Whether the service can do its work", "就绪检查"),
            readyz,
        )
        .roles([Role::Public])
        .problems([Code::Overloaded]),
        plain_text,
    ]
}

async fn workflow(_call: Call) -> Answered {
    let kinds: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| {
            json!({
                "kind": kind.name(), "zh": kind.zh(), "plural": kind.plural(), "registry": kind.is_registry(),
                "stages": kind.stages(), "moves": kind.moves(),
            })
        })
        .collect();
    Ok(json_response(StatusCode::OK, &json!({"kinds": kinds})))
}

async fn document(call: Call) -> Answered {
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        call.app.document.clone(),
    )
        .into_response())
}

async fn read_clock(call: Call) -> Answered {
    if !call.app.clock.travels() {
        return Err(Problem::not_found());
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({"now": call.app.clock.now()}),
    ))
}

async fn set_clock(mut call: Call) -> Answered {
    if !call.app.clock.travels() {
        return Err(Problem::not_found());
    }
    call.require_role(None)?;
    let SetClock { now } = call.checked_json().await?;
    if !call.app.clock.set(&call.app.store, now).await? {
        let shown = call.app.clock.now();
        return Err(Problem::invalid(vec![Fault::new(
            "/now",
            "back_in_time",
            format!("Time does not go back: it is {shown}."),
            format!("时间不可倒退:当前为 {shown}。"),
        )]));
    }
    scheduler::catch_up(&call.app.store, &call.app.clock).await?;
    call.app.wake.notify_waiters();
    call.app.signer.publish_due(call.app.clock.now()).await;
    Ok(json_response(
        StatusCode::OK,
        &json!({"now": call.app.clock.now()}),
    ))
}

async fn healthz(_call: Call) -> Answered {
    Ok(json_response(StatusCode::OK, &json!({"status": "ok"})))
}

async fn readyz(call: Call) -> Answered {
    let schema = call.app.store.schema_state().await;
    let ready = matches!(schema, Ok(SchemaState::Current)) && call.app.store.is_writable();
    if !ready {
        tracing::warn!(
            ?schema,
            writable = call.app.store.is_writable(),
            "not ready"
        );
        return Err(Problem::overloaded());
    }
    Ok(json_response(StatusCode::OK, &json!({"status": "ready"})))
}

/// Counts tell what goes on in a cycle: they are for this machine, administrators and auditors.
async fn metrics(call: Call) -> Answered {
    let roles = call
        .viewer
        .actor
        .roles(Some(fundcycle_core::aggregate::REGISTRY), None, None);
    if !call.local && !roles.contains(&Role::Admin) && !roles.contains(&Role::Auditor) {
        return Err(Problem::not_found());
    }
    telemetry::count_outbox(
        &call.app.channels,
        &call.app.store.outbox_lag().await?,
        call.app.clock.now(),
    );
    telemetry::count_failing_addresses(call.app.store.failing_addresses().await?.len());
    let text = call.app.metrics.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
