//! Webhooks: other programs that are told of facts. Administrators keep them; what is told is never
//! more than which record it happened to.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_notify::channels::webhook::address::target;
use fundcycle_notify::channels::webhook::signature::{SECRET_BYTES, secret_text};
use fundcycle_store::webhook::Webhook;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::auth;
use crate::problem::{Code, Problem};

/// Hours for which the secret before the last rotation signs too, unless said otherwise.
const ROTATION_HOURS: i64 = 24;

/// A webhook to be set up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Where it is: a public address over https.
    #[schemars(length(min = 1, max = 2000))]
    url: String,
    /// What it is for.
    #[schemars(length(min = 1, max = 200))]
    description: String,
    /// The cycle whose facts it gets; none: those of every cycle and of the registry.
    #[serde(default)]
    cycle: Option<Uuid>,
    /// The facts it gets, as `kind.verb`, such as `application.submit`; `*`: every one.
    #[schemars(length(min = 1, max = 200))]
    types: Vec<String>,
}

/// A new secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// For how many hours the old one signs too; 24 unless said otherwise.
    #[serde(default)]
    #[schemars(range(min = 0, max = 720))]
    overlap_hours: Option<i64>,
}

/// From where to deliver again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// The cycle whose facts are delivered again; none: the registry's.
    #[serde(default)]
    cycle: Option<Uuid>,
    /// All facts after this place of its journal.
    #[schemars(range(min = 0))]
    after: i64,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = |schema| Arc::new(BodySchema::new(schema, schemas.definitions()));
    let one = || id_in_path("id", "Which webhook.");
    let on = |verb: &str, summary, handler: fn(Call) -> Handled| {
        Operation::new(
            Method::POST,
            format!("/v1/webhooks/{{id}}/{verb}"),
            format!("webhooks.{verb}"),
            summary,
            handler,
        )
        .roles([Role::Admin])
        .parameters([one()])
        .problems([Code::Forbidden, Code::NotFound])
        .tag("webhooks")
    };
    vec![
        Operation::new(
            Method::GET,
            "/v1/webhooks",
            "webhooks",
            Text::new("Every webhook, without its secret", "全部 Webhook"),
            list,
        )
        .roles([Role::Admin, Role::Auditor])
        .problems([Code::Forbidden])
        .tag("webhooks"),
        Operation::new(
            Method::POST,
            "/v1/webhooks",
            "webhooks.create",
            Text::new(
                "Set up a webhook; its secret is shown this once",
                "新建 Webhook;密钥仅显示一次",
            ),
            create,
        )
        .roles([Role::Admin])
        .takes(body(plain::<Create>()))
        .gives(
            StatusCode::CREATED,
            "The webhook with its secret; it gets the facts from now on.",
            None,
        )
        .problems([Code::Malformed, Code::Forbidden])
        .tag("webhooks"),
        Operation::new(
            Method::GET,
            "/v1/webhooks/{id}",
            "webhooks.show",
            Text::new(
                "One webhook, with the place in each journal up to which facts are queued",
                "查看 Webhook",
            ),
            show,
        )
        .roles([Role::Admin, Role::Auditor])
        .parameters([one()])
        .problems([Code::Forbidden, Code::NotFound])
        .tag("webhooks"),
        Operation::new(
            Method::DELETE,
            "/v1/webhooks/{id}",
            "webhooks.delete",
            Text::new(
                "Remove a webhook with all that is queued for it",
                "删除 Webhook",
            ),
            delete,
        )
        .roles([Role::Admin])
        .parameters([one()])
        .gives(StatusCode::NO_CONTENT, "Removed.", None)
        .problems([Code::Forbidden, Code::NotFound])
        .tag("webhooks"),
        on(
            "rotate",
            Text::new(
                "Make a new secret; the old one signs too for a while",
                "更换密钥;旧密钥在过渡期内仍同时签名",
            ),
            |call| Box::pin(rotate(call)),
        )
        .takes(body(plain::<Rotate>()))
        .problems([Code::Malformed]),
        on(
            "disable",
            Text::new("Stop deliveries", "停用 Webhook"),
            |call| Box::pin(disable(call)),
        ),
        on(
            "enable",
            Text::new("Deliver again from where the queue ends", "启用 Webhook"),
            |call| Box::pin(enable(call)),
        ),
        on(
            "replay",
            Text::new(
                "Deliver facts again, each under the identity it had",
                "从指定位置补发",
            ),
            |call| Box::pin(replay(call)),
        )
        .takes(body(plain::<Replay>()))
        .problems([Code::Malformed]),
    ]
}

type Handled = futures_util::future::BoxFuture<'static, Answered>;

async fn one(call: &Call) -> Result<Webhook, Problem> {
    call.require_role(None)?;
    let webhook = call.app.store.webhook(call.id("id")?).await?;
    webhook.ok_or_else(Problem::not_found)
}

fn item(webhook: &Webhook) -> Value {
    let at = |time: Option<i64>| time.map(Timestamp);
    json!({
        "id": webhook.id, "url": webhook.url, "description": webhook.description, "cycle": webhook.journal,
        "types": webhook.wanted(), "created_by": webhook.created_by, "created_at": Timestamp(webhook.created_at),
        "old_secret_until": at(webhook.old_secret_until), "failing_since": at(webhook.failing_since),
        "disabled_at": at(webhook.disabled_at), "disabled_because": webhook.disabled_because,
    })
}

async fn list(call: Call) -> Answered {
    call.require_role(None)?;
    let items: Vec<Value> = call.app.store.webhooks().await?.iter().map(item).collect();
    Ok(json_response(StatusCode::OK, &json!({"items": items})))
}

async fn show(call: Call) -> Answered {
    let webhook = one(&call).await?;
    let cursors: BTreeMap<String, i64> = call
        .app
        .store
        .webhook_cursors(webhook.id)
        .await?
        .into_iter()
        .map(|(journal, seq)| {
            let name = if journal.is_nil() {
                "registry".to_owned()
            } else {
                journal.to_string()
            };
            (name, seq)
        })
        .collect();
    let mut body = item(&webhook);
    body["cursors"] = json!(cursors);
    Ok(json_response(StatusCode::OK, &body))
}

async fn create(mut call: Call) -> Answered {
    call.require_role(None)?;
    let account = call
        .viewer
        .actor
        .account
        .ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let Create {
        url,
        description,
        cycle,
        types,
    } = call.checked_json().await?;
    let mut faults = Vec::new();
    if let Err(fault) = target(&url, call.app.limits.webhook_private) {
        faults.push(Fault::new(
            "/url",
            "url",
            format!("This address is not taken: {fault}."),
            format!("该地址不可用:{fault}。"),
        ));
    }
    for (place, name) in types.iter().enumerate().filter(|(_, name)| !is_fact(name)) {
        faults.push(Fault::new(
            format!("/types/{place}"),
            "unknown_value",
            format!("No flow has `{name}`: write kind.verb, or *."),
            format!("没有事件“{name}”:应写作 kind.verb 或 *。"),
        ));
    }
    if let Some(cycle) = cycle
        && call
            .app
            .store
            .read_one(Some(Kind::Cycle), cycle)
            .await?
            .is_none()
    {
        faults.push(Fault::new(
            "/cycle",
            "unknown_value",
            "There is no such cycle.",
            "没有该届次。",
        ));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let webhook = Webhook {
        id: Uuid::now_v7(),
        journal: cycle,
        url,
        description,
        types: json!(types).to_string(),
        secret: secret()?,
        old_secret: None,
        old_secret_until: None,
        created_by: account,
        created_at: call.app.clock.now().0,
        failing_since: None,
        disabled_at: None,
        disabled_because: None,
    };
    call.app.store.create_webhook(&webhook).await?;
    tracing::info!(webhook = %webhook.id, by = %account, "webhook set up");
    let mut body = item(&webhook);
    body["secret"] = json!(secret_text(&webhook.secret));
    Ok(json_response(StatusCode::CREATED, &body))
}

fn is_fact(name: &str) -> bool {
    name == "*"
        || name.split_once('.').is_some_and(|(kind, verb)| {
            use fundcycle_core::names::Names as _;
            Kind::from_name(kind)
                .is_some_and(|kind| kind.moves().iter().any(|row| row.verb == verb))
        })
}

fn secret() -> Result<Vec<u8>, Problem> {
    let secret: [u8; SECRET_BYTES] = auth::random()?;
    Ok(secret.to_vec())
}

async fn rotate(mut call: Call) -> Answered {
    let webhook = one(&call).await?;
    let Rotate { overlap_hours } = call.checked_json().await?;
    let hours = overlap_hours.unwrap_or(ROTATION_HOURS);
    let until = Timestamp(call.app.clock.now().0.saturating_add(hours * 3_600_000));
    let secret = secret()?;
    call.app
        .store
        .rotate_webhook(webhook.id, &secret, until)
        .await?;
    let mut body = item(&one(&call).await?);
    body["secret"] = json!(secret_text(&secret));
    Ok(json_response(StatusCode::OK, &body))
}

async fn disable(call: Call) -> Answered {
    let webhook = one(&call).await?;
    let now = call.app.clock.now();
    call.app
        .store
        .disable_webhook(webhook.id, "by an administrator", now)
        .await?;
    Ok(json_response(StatusCode::OK, &item(&one(&call).await?)))
}

async fn enable(call: Call) -> Answered {
    let webhook = one(&call).await?;
    call.app.store.enable_webhook(webhook.id).await?;
    call.app.wake.notify_waiters();
    Ok(json_response(StatusCode::OK, &item(&one(&call).await?)))
}

async fn replay(mut call: Call) -> Answered {
    let webhook = one(&call).await?;
    let Replay { cycle, after } = call.checked_json().await?;
    let journal = cycle.unwrap_or(Uuid::nil());
    if webhook.journal.is_some_and(|only| only != journal) {
        return Err(Problem::invalid(vec![Fault::new(
            "/cycle",
            "unknown_value",
            "This webhook does not get that journal's facts.",
            "该 Webhook 不接收此届次的事件。",
        )]));
    }
    let heads = call.app.store.journals().await?;
    let after = after.min(heads.get(&journal).copied().unwrap_or(0));
    call.app
        .store
        .replay_webhook(webhook.id, journal, after)
        .await?;
    call.app.wake.notify_waiters();
    Ok(json_response(StatusCode::OK, &item(&webhook)))
}

async fn delete(call: Call) -> Answered {
    let webhook = one(&call).await?;
    call.app.store.delete_webhook(webhook.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
