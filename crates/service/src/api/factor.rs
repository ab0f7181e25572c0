//! One's second factor: a program on the telephone that shows a code each half minute.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::body::BodySchema;
use super::call::Call;
use super::operation::{Answered, Operation};
use super::password;
use super::record::json_response;
use super::schema::{Schemas, plain};
use super::session::{self, unkept};
use crate::auth::{factor, random, totp};
use crate::problem::{Code, Problem};

/// Somebody who wants a second factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Offer {
    /// Your password, again.
    #[schemars(length(max = 512))]
    password: String,
}

/// Somebody who has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    /// The code that it shows.
    #[schemars(length(max = 40))]
    code: String,
}

/// Somebody who wants it no longer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remove {
    /// Your password, again.
    #[schemars(length(max = 512))]
    password: String,
    /// The code that it shows, or one for emergencies.
    #[schemars(length(max = 40))]
    code: String,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = |schema| Arc::new(BodySchema::new(schema, schemas.definitions()));
    let offered = json!({
        "type": "object",
        "required": ["secret", "address"],
        "properties": {
            "secret": {"type": "string", "description": "To type into the program (base32)."},
            "address": {"type": "string", "description": "The same as `otpauth://…`, to show as a QR code."},
        },
    });
    let mut confirmed = session::token();
    confirmed["properties"]["recovery_codes"] = json!({
        "type": "array", "items": {"type": "string"},
        "description": "Each signs in once in place of a code. They are shown this once: print them.",
    });
    vec![
        Operation::new(
            Method::POST,
            "/v1/me/second-factor",
            "me.second_factor.offer",
            Text::new(
                "Get the secret of a second factor, to be confirmed with a code",
                "获取二次验证密钥",
            ),
            offer,
        )
        .roles([Role::Account])
        .by_session()
        .before_factor()
        .takes_password()
        .takes(body(plain::<Offer>()))
        .gives(StatusCode::OK, "The secret, this once.", offered)
        .problems([Code::Malformed, Code::Overloaded])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/second-factor/confirm",
            "me.second_factor.confirm",
            Text::new(
                "Take your second factor into use; every other sign-in of yours ends",
                "启用二次验证;其他登录全部失效",
            ),
            confirm,
        )
        .roles([Role::Account])
        .by_session()
        .before_factor()
        .takes(body(plain::<Confirm>()))
        .gives(
            StatusCode::OK,
            "A new token, and codes for emergencies.",
            confirmed,
        )
        .problems([Code::Malformed])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/second-factor/remove",
            "me.second_factor.remove",
            Text::new("Take your second factor out of use", "停用二次验证"),
            remove,
        )
        .roles([Role::Account])
        .by_session()
        .takes_password()
        .takes(body(plain::<Remove>()))
        .gives(StatusCode::NO_CONTENT, "There is none any more.", None)
        .problems([Code::Malformed, Code::Overloaded])
        .tag("me"),
    ]
}

fn wrong_code() -> Problem {
    let (en, zh) = ("This code is wrong, or was used.", "验证码有误或已使用。");
    Problem::invalid(vec![Fault::new("/code", "wrong_code", en, zh)])
}

async fn offer(mut call: Call) -> Answered {
    let Offer { password } = call.checked_json().await?;
    let account = call.account()?;
    password::confirm(&call, password, "/password").await?;
    let store = &call.app.store;
    let first = store.sealed_secrets().await?.is_empty();
    let secret = random::<{ totp::SECRET }>()?;
    let sealed = call.app.vault.seal(account, &secret, first);
    let sealed = sealed.map_err(|error| Problem::internal(&error))?;
    if !store
        .offer_factor(account, &sealed, call.app.clock.now())
        .await?
    {
        let (en, zh) = (
            "You have a second factor: take it out of use first.",
            "已启用二次验证,请先停用。",
        );
        return Err(Problem::invalid(vec![Fault::new("", "in_use", en, zh)]));
    }
    let email = store.credential(account).await?.map(|one| one.email);
    let address = totp::address(&secret, &email.unwrap_or_default());
    let body = json!({"secret": totp::text(&secret), "address": address});
    Ok(unkept(json_response(StatusCode::OK, &body)))
}

async fn confirm(mut call: Call) -> Answered {
    let Confirm { code } = call.checked_json().await?;
    let (account, now) = (call.account()?, call.app.clock.now());
    let store = &call.app.store;
    let waiting = store
        .second_factor(account)
        .await?
        .filter(|one| one.confirmed_at.is_none())
        .ok_or_else(|| {
            let (en, zh) = ("Get a secret first.", "请先获取密钥。");
            Problem::invalid(vec![Fault::new("", "not_offered", en, zh)])
        })?;
    let secret = call.app.vault.open(account, &waiting.secret);
    let secret = secret.map_err(|error| Problem::internal(&error))?;
    let step = totp::step_of(&secret, &factor::digits(&code), now).ok_or_else(wrong_code)?;
    let codes = factor::recovery_codes()?;
    if !store
        .confirm_factor(account, &waiting.secret, step, &codes, now)
        .await?
    {
        return Err(wrong_code());
    }
    store.revoke_tokens_of(account, false, now).await?;
    let shown: Vec<String> = codes.iter().map(|code| factor::shown(code)).collect();
    let mut body = session::new_token(&call.app, account).await?;
    body["recovery_codes"] = json!(shown);
    Ok(unkept(json_response(StatusCode::OK, &body)))
}

async fn remove(mut call: Call) -> Answered {
    let Remove { password, code } = call.checked_json().await?;
    let account = call.account()?;
    let guess = password::right(&call, password, "/password").await?;
    if !factor::takes(&call.app, account, &code).await? {
        return Err(wrong_code());
    }
    guess.settle(&call.app).await?;
    call.app.store.remove_factor(account).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
