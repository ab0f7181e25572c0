//! Which messages a person wants, and on which channel: set by them when signed in, or by whoever holds
//! one of their letters (RFC 8058).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_notify::channels::email::EMAIL;
use fundcycle_notify::channels::email::failing::works_again;
use fundcycle_notify::preferences::{Group, SECRET, read_token};
use fundcycle_store::credential::email_key;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::language::Language;
use crate::problem::{Code, Problem};

/// What a person wants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// On this channel: `email`. The inbox always has everything.
    #[schemars(length(min = 1, max = 40))]
    channel: String,
    /// For each group of messages, whether it is wanted; groups left out stay as they are.
    wanted: BTreeMap<String, bool>,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = Arc::new(BodySchema::new(plain::<Wanted>(), schemas.definitions()));
    let token = || Parameter {
        name: "token",
        place: Place::Path,
        required: true,
        schema: json!({"type": "string"}),
        summary: "The token from the letter.",
    };
    let group = json!({
        "type": "object",
        "required": ["messages", "wanted", "optional"],
        "properties": {
            "messages": {"type": "string", "enum": Group::ALL.map(|(_, name)| name)},
            "wanted": {"type": "boolean"},
            "optional": {"type": "boolean", "description": "Whether it can be switched off."},
        },
    });
    let address = json!({
        "type": "object",
        "required": ["address", "failing_since", "because"],
        "properties": {
            "address": {"type": "string"},
            "failing_since": {"type": ["string", "null"], "format": "date-time", "description": "Since when it takes no letters."},
            "because": {"type": ["string", "null"], "description": "What the other mail server said."},
        },
    });
    let shown = json!({"type": "object", "properties": {
        "email": {"type": "array", "items": group}, "address": address,
    }});
    let mut page = Operation::new(
        Method::GET,
        "/v1/unsubscribe/{token}",
        "unsubscribe.page",
        Text::new(
            "A page that asks whether these letters are not wanted any more; it changes nothing",
            "退订确认页",
        ),
        page,
    )
    .roles([Role::Public])
    .parameters([token()])
    .problems([Code::NotFound])
    .tag("me");
    page.gives.media_type = "text/html";
    vec![
        Operation::new(
            Method::GET,
            "/v1/me/preferences",
            "me.preferences",
            Text::new("Which messages you get on which channel", "消息接收设置"),
            show,
        )
        .roles([Role::Account])
        .gives(StatusCode::OK, "Each group of messages.", shown.clone())
        .tag("me"),
        Operation::new(
            Method::PUT,
            "/v1/me/preferences",
            "me.preferences.set",
            Text::new(
                "Say which messages you want on a channel; decisions cannot be switched off",
                "修改消息接收设置;决定类消息不可关闭",
            ),
            set,
        )
        .roles([Role::Account])
        .takes(body)
        .gives(StatusCode::OK, "As it is now.", shown.clone())
        .problems([Code::Malformed])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/preferences/confirm_address",
            "me.preferences.confirm_address",
            Text::new(
                "Say that your address takes letters again: those that waited for it are sent",
                "确认邮箱已恢复,补发暂停的邮件",
            ),
            confirm_address,
        )
        .roles([Role::Account])
        .gives(StatusCode::OK, "As it is now.", shown)
        .tag("me"),
        page,
        Operation::new(
            Method::POST,
            "/v1/unsubscribe/{token}",
            "unsubscribe",
            Text::new(
                "Switch off the letters that this token came with, in one click (RFC 8058)",
                "一键退订",
            ),
            unsubscribe,
        )
        .roles([Role::Public])
        .parameters([token()])
        .gives(StatusCode::NO_CONTENT, "No more of them.", None)
        .problems([Code::NotFound])
        .tag("me"),
    ]
}

fn account(call: &Call) -> Result<Uuid, Problem> {
    call.viewer
        .actor
        .account
        .ok_or_else(|| Problem::new(Code::Unauthenticated))
}

async fn shown(call: &Call, account: Uuid) -> Result<Value, Problem> {
    let unwanted = call.app.store.unwanted(account, EMAIL).await?;
    let groups = Group::ALL.map(|(group, name)| {
        json!({"messages": name, "wanted": !unwanted.contains(name), "optional": group.optional()})
    });
    let store = &call.app.store;
    let person = store.credential(account).await?;
    let email = person.map(|person| person.email).unwrap_or_default();
    let failing = store.failing_address(account).await?;
    let failing = failing.filter(|one| one.address == email_key(&email));
    let address = json!({
        "address": email, "failing_since": failing.as_ref().map(|one| Timestamp(one.since)),
        "because": failing.as_ref().map(|one| &one.because),
    });
    Ok(json!({ EMAIL: groups, "address": address }))
}

async fn show(call: Call) -> Answered {
    let account = account(&call)?;
    Ok(json_response(StatusCode::OK, &shown(&call, account).await?))
}

async fn set(mut call: Call) -> Answered {
    let account = account(&call)?;
    let Wanted { channel, wanted } = call.checked_json().await?;
    let mut faults = Vec::new();
    if channel != EMAIL {
        faults.push(Fault::new(
            "/channel",
            "unknown_value",
            "Only `email` can be chosen; the inbox has everything.",
            "仅可设置 email;站内消息始终保留。",
        ));
    }
    for (name, want) in &wanted {
        let pointer = format!("/wanted/{}", name.replace('~', "~0").replace('/', "~1"));
        match Group::named(name) {
            None => faults.push(Fault::new(
                pointer,
                "unknown_value",
                format!("There is no group of messages `{name}`."),
                format!("没有消息类别“{name}”。"),
            )),
            Some(group) if !want && !group.optional() => faults.push(Fault::new(
                pointer,
                "always_sent",
                "Decisions and what is asked of you with a time limit are always sent.",
                "决定和有期限要求的消息不可关闭。",
            )),
            Some(_) => {}
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let wanted: Vec<(&str, bool)> = wanted
        .iter()
        .map(|(name, want)| (name.as_str(), *want))
        .collect();
    call.app.store.want(account, EMAIL, &wanted).await?;
    Ok(json_response(StatusCode::OK, &shown(&call, account).await?))
}

async fn confirm_address(call: Call) -> Answered {
    let account = account(&call)?;
    let now = call.app.clock.now();
    if works_again(&call.app.store, account, now).await? > 0 {
        call.app.wake.notify_waiters();
    }
    Ok(json_response(StatusCode::OK, &shown(&call, account).await?))
}

/// Whose letter it was, and what it was about. What was not made here does not exist.
async fn holder(call: &Call) -> Result<(Uuid, Group), Problem> {
    let secret = call.app.store.setting(SECRET).await?;
    let token = call.path.get("token");
    secret
        .zip(token)
        .and_then(|(secret, token)| read_token(&secret, token))
        .ok_or_else(Problem::not_found)
}

/// Mail programs fetch addresses to look at them: only the button does it.
async fn page(call: Call) -> Answered {
    holder(&call).await?;
    let (language, title, asks, button) = match call.language {
        Language::En => (
            "en",
            "Unsubscribe",
            "Do you want no more of these letters? Your inbox in the system keeps every message.",
            "Unsubscribe",
        ),
        Language::Zh => (
            "zh-CN",
            "退订邮件",
            "不再接收此类邮件?系统内的站内消息仍会保留。",
            "退订",
        ),
    };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><p>{asks}</p><form method=\"post\"><button>{button}</button></form></body></html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ];
    Ok((headers, html).into_response())
}

async fn unsubscribe(call: Call) -> Answered {
    let (account, group) = holder(&call).await?;
    let off = [(group.name(), false)];
    call.app.store.want(account, EMAIL, &off).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
