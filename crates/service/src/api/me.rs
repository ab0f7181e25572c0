//! The signed-in person: what they may act as, and what they were told.

use axum::http::{Method, StatusCode};
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::Text;
use fundcycle_core::time::Timestamp;
use fundcycle_store::inbox::InboxMessage;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::kinds::id_in_path;
use super::operation::{Answered, Operation, Parameter, Place};
use super::record::json_response;
use crate::problem::{Code, Problem};

/// Messages on a page.
const PAGE: u32 = 50;

/// The operations.
pub(crate) fn operations() -> Vec<Operation> {
    let before = Parameter {
        name: "before",
        place: Place::Query,
        required: false,
        schema: json!({"type": "string"}),
        summary: "Where the page before ended: its `next`.",
    };
    vec![
        Operation::new(
            Method::GET,
            "/v1/me",
            "me",
            Text::new("Who you are and what you may act as", "本人账户与权限"),
            me,
        )
        .roles([Role::Account])
        .before_factor()
        .tag("me"),
        Operation::new(
            Method::GET,
            "/v1/me/inbox",
            "me.inbox",
            Text::new("Your messages, newest first", "站内消息"),
            inbox,
        )
        .roles([Role::Account])
        .parameters([before])
        .problems([Code::Malformed])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/inbox/{id}/read",
            "me.inbox.read",
            Text::new("Mark a message as read", "标为已读"),
            read,
        )
        .roles([Role::Account])
        .parameters([id_in_path("id", "Which message.")])
        .gives(StatusCode::NO_CONTENT, "Marked.", None)
        .problems([Code::NotFound])
        .tag("me"),
    ]
}

async fn me(call: Call) -> Answered {
    let id = call.account()?;
    let person = call.app.store.credential(id).await?;
    let (email, name, locale) =
        person.map_or_else(Default::default, |one| (one.email, one.name, one.locale));
    let unread = call.app.store.unread(id).await?;
    let grants = &call.viewer.actor.grants;
    let in_use = call.token.as_ref().is_some_and(|token| token.has_factor);
    let factor = json!({
        "in_use": in_use, "required": call.app.second_factor.of(grants),
        "recovery_codes": call.app.store.recovery_codes(id).await?,
    });
    let body = json!({"account": id, "email": email, "name": name, "locale": locale, "grants": grants, "unread": unread, "second_factor": factor});
    Ok(json_response(StatusCode::OK, &body))
}

async fn inbox(call: Call) -> Answered {
    let id = call.account()?;
    let before = match call.query.text("before") {
        None => None,
        Some(text) => {
            let place = text.split_once('_').and_then(|(at, id)| {
                Some((Timestamp(at.parse().ok()?), Uuid::try_parse(id).ok()?))
            });
            if place.is_none() {
                call.query.fault(
                    "before",
                    "This is not the `next` of a page.",
                    "分页标记有误。",
                );
            }
            place
        }
    };
    call.query.done()?;
    let mut messages = call.app.store.inbox(id, before, PAGE + 1).await?;
    let more = messages.len() > PAGE as usize;
    messages.truncate(PAGE as usize);
    let next = messages
        .last()
        .filter(|_| more)
        .map(|last| format!("{}_{}", last.at, last.id));
    let items: Vec<Value> = messages.iter().map(item).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({"items": items, "next": next}),
    ))
}

fn item(message: &InboxMessage) -> Value {
    let InboxMessage {
        id,
        at,
        topic,
        locale,
        title,
        text,
        subject,
        read_at,
        ..
    } = message;
    json!({
        "id": id, "at": Timestamp(*at), "topic": topic, "locale": locale, "title": title, "text": text, "subject": subject,
        "read_at": read_at.map(Timestamp),
    })
}

async fn read(call: Call) -> Answered {
    use axum::response::IntoResponse as _;
    let known = call
        .app
        .store
        .mark_read(call.account()?, call.id("id")?, call.app.clock.now())
        .await?;
    if known {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found())
    }
}
