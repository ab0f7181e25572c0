//! Messages on their way out, for whoever operates the service: what waits, what failed and why, and
//! what to do about it. Never what they say.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_store::failing::FailingAddress;
use fundcycle_store::outbox::{DeskFilter, DeskRow, DeskStatus, Lag};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::problem::{Code, Problem};

/// Messages on a page.
const PAGE: u32 = 100;

/// Why a message is taken out of the queue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    /// The reason, kept with the message.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

/// Which messages are tried again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryAll {
    /// All that were given up on this channel.
    #[schemars(length(min = 1, max = 40))]
    channel: String,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = |schema| Arc::new(BodySchema::new(schema, schemas.definitions()));
    let parameter = |name, schema, summary| Parameter {
        name,
        place: Place::Query,
        required: false,
        schema,
        summary,
    };
    let names: Vec<&str> = DeskStatus::ALL.iter().map(|(_, name)| *name).collect();
    let one = || id_in_path("id", "Which message.");
    vec![
        Operation::new(
            Method::GET,
            "/v1/outbox",
            "outbox",
            Text::new(
                "Messages on their way out, newest first, how each channel keeps up, and which addresses take no letters",
                "外发消息队列",
            ),
            list,
        )
        .roles([Role::Admin, Role::Auditor])
        .parameters([
            parameter(
                "status",
                json!({"type": "string", "enum": names}),
                "Only those that stand here.",
            ),
            parameter(
                "channel",
                json!({"type": "string"}),
                "Only those that go out this way.",
            ),
            parameter(
                "receiver",
                json!({"type": "string", "format": "uuid"}),
                "Only those for this account or webhook.",
            ),
            parameter(
                "before",
                json!({"type": "string"}),
                "Where the page before ended: its `next`.",
            ),
        ])
        .problems([Code::Malformed, Code::Forbidden])
        .tag("outbox"),
        Operation::new(
            Method::GET,
            "/v1/outbox/{id}",
            "outbox.show",
            Text::new("One message on its way out", "查看外发消息"),
            show,
        )
        .roles([Role::Admin, Role::Auditor])
        .parameters([one()])
        .problems([Code::Forbidden, Code::NotFound])
        .tag("outbox"),
        Operation::new(
            Method::POST,
            "/v1/outbox/{id}/retry",
            "outbox.retry",
            Text::new(
                "Try a message again now that failed, was given up or was cancelled",
                "重发消息",
            ),
            retry,
        )
        .roles([Role::Admin])
        .parameters([one()])
        .problems([Code::Forbidden, Code::NotFound, Code::NotFromHere])
        .tag("outbox"),
        Operation::new(
            Method::POST,
            "/v1/outbox/{id}/cancel",
            "outbox.cancel",
            Text::new(
                "Take a message out of the queue, with a reason",
                "取消发送消息",
            ),
            cancel,
        )
        .roles([Role::Admin])
        .parameters([one()])
        .takes(body(plain::<Cancel>()))
        .problems([
            Code::Malformed,
            Code::Forbidden,
            Code::NotFound,
            Code::NotFromHere,
        ])
        .tag("outbox"),
        Operation::new(
            Method::POST,
            "/v1/outbox/retry",
            "outbox.retry_all",
            Text::new(
                "Try every message again that was given up on a channel",
                "重发某渠道全部失败消息",
            ),
            retry_all,
        )
        .roles([Role::Admin])
        .takes(body(plain::<RetryAll>()))
        .gives(
            StatusCode::OK,
            "How many are due again.",
            json!({"type": "object", "properties": {"retried": {"type": "integer"}}}),
        )
        .problems([Code::Malformed, Code::Forbidden])
        .tag("outbox"),
    ]
}

async fn list(call: Call) -> Answered {
    call.require_role(None)?;
    let status = call.query.text("status").and_then(|name| {
        let status = DeskStatus::named(name);
        if status.is_none() {
            call.query
                .fault("status", "There is no such status.", "没有该状态。");
        }
        status
    });
    let before = call.query.text("before").and_then(|text| {
        let place = text
            .split_once('_')
            .and_then(|(at, id)| Some((Timestamp(at.parse().ok()?), Uuid::try_parse(id).ok()?)));
        if place.is_none() {
            call.query.fault(
                "before",
                "This is not the `next` of a page.",
                "分页标记有误。",
            );
        }
        place
    });
    let filter = DeskFilter {
        status,
        channel: call.query.text("channel").map(str::to_owned),
        receiver: call.query.value("receiver", "an identity"),
        before,
    };
    call.query.done()?;
    let mut rows = call.app.store.outbox_page(&filter, PAGE + 1).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|last| format!("{}_{}", last.created_at, last.id));
    let items: Vec<Value> = rows.iter().map(item).collect();
    let lag = call.app.store.outbox_lag().await?;
    let now = call.app.clock.now();
    let channels: Vec<Value> = lag.iter().map(|lag| channel(lag, now)).collect();
    let addresses = call.app.store.failing_addresses().await?;
    let addresses: Vec<Value> = addresses.iter().map(address).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({"items": items, "next": next, "channels": channels, "failing_addresses": addresses}),
    ))
}

/// A message as the desk sees it.
pub(crate) fn item(row: &DeskRow) -> Value {
    let at = |time: Option<i64>| time.map(Timestamp);
    json!({
        "id": row.id, "cycle": Some(row.journal).filter(|id| !id.is_nil()), "seq": row.seq, "channel": row.channel, "topic": row.topic,
        "receiver": row.receiver, "status": row.status().name(), "attempts": row.attempts, "error": row.error,
        "created_at": Timestamp(row.created_at), "due_at": Timestamp(row.lease_until), "tried_at": at(row.tried_at),
        "delivered_at": at(row.delivered_at), "dead_at": at(row.dead_at), "cancelled_at": at(row.cancelled_at),
    })
}

fn channel(lag: &Lag, now: Timestamp) -> Value {
    let seconds = lag
        .due_since
        .map_or(0, |since| (now.0 - since).max(0) / 1_000);
    json!({"channel": lag.channel, "waiting": lag.waiting, "failing": lag.failing, "dead": lag.dead, "lag_seconds": seconds})
}

/// An address that takes no letters; whose it is, and not what it is.
fn address(failing: &FailingAddress) -> Value {
    json!({
        "account": failing.account, "since": Timestamp(failing.since), "letter": failing.letter, "because": failing.because,
    })
}

async fn one(call: &Call) -> Result<DeskRow, Problem> {
    call.require_role(None)?;
    let row = call.app.store.outbox_row(call.id("id")?).await?;
    row.ok_or_else(Problem::not_found)
}

async fn show(call: Call) -> Answered {
    Ok(json_response(StatusCode::OK, &item(&one(&call).await?)))
}

async fn retry(call: Call) -> Answered {
    let row = one(&call).await?;
    let now = call.app.clock.now();
    if !call.app.store.retry_message(row.id, now).await? {
        return Err(Problem::new(Code::NotFromHere).detail(
            "Only a message that failed, was given up or was cancelled is tried again.",
            "仅发送失败、已放弃或已取消的消息可重发。",
        ));
    }
    call.app.wake.notify_waiters();
    Ok(json_response(StatusCode::OK, &item(&one(&call).await?)))
}

async fn cancel(mut call: Call) -> Answered {
    let row = one(&call).await?;
    let Cancel { reason } = call.checked_json().await?;
    if reason.trim().is_empty() {
        return Err(Problem::invalid(vec![Fault::new(
            "/reason",
            "required",
            "Give the reason.",
            "请填写理由。",
        )]));
    }
    let now = call.app.clock.now();
    if !call.app.store.cancel_message(row.id, &reason, now).await? {
        return Err(Problem::new(Code::NotFromHere).detail(
            "It is delivered or cancelled already.",
            "该消息已送达或已取消。",
        ));
    }
    Ok(json_response(StatusCode::OK, &item(&one(&call).await?)))
}

async fn retry_all(mut call: Call) -> Answered {
    call.require_role(None)?;
    let RetryAll { channel } = call.checked_json().await?;
    let now = call.app.clock.now();
    let retried = call.app.store.retry_dead(&channel, now).await?;
    call.app.wake.notify_waiters();
    Ok(json_response(StatusCode::OK, &json!({"retried": retried})))
}
