//! One's tokens: those of signing in, and those made for programs.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use fundcycle_core::time::Timestamp;
use fundcycle_store::token::{Program, Token, id_of_secret};
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
use super::session::{self, unkept};
use crate::auth;
use crate::problem::{Code, Problem};

/// Days for which a token for a program is good at most.
const LONGEST: i64 = 366;
/// Tokens for programs that one account has at a time.
const MOST: usize = 50;

/// A token for a program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Make {
    /// What it is for, to tell it from others.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it may be used for: `read`, a verb as `tranche.pay`, all of a group as `application.*`, or `everything`.
    #[schemars(length(min = 1, max = 100))]
    scopes: BTreeSet<String>,
    /// In which cycles; left out: in all.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    cycles: Option<BTreeSet<Uuid>>,
    /// For how many days.
    #[schemars(range(min = 1, max = 366))]
    days: i64,
    /// Your password, again.
    #[schemars(length(max = 512))]
    password: String,
}

/// What to end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignOut {
    /// Those for programs, too.
    #[serde(default)]
    programs_too: bool,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = |schema| Arc::new(BodySchema::new(schema, schemas.definitions()));
    vec![
        Operation::new(
            Method::GET,
            "/v1/me/tokens",
            "me.tokens",
            Text::new("Your tokens, without their secrets", "本人的令牌"),
            list,
        )
        .roles([Role::Account])
        .by_session()
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/tokens",
            "me.tokens.make",
            Text::new("Make a token for a program", "创建程序令牌"),
            make,
        )
        .roles([Role::Account])
        .by_session()
        .takes_password()
        .takes(body(plain::<Make>()))
        .gives(
            StatusCode::CREATED,
            "The token, this once.",
            session::token(),
        )
        .problems([Code::Malformed, Code::Overloaded])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/tokens/{id}/revoke",
            "me.tokens.revoke",
            Text::new("End one of your tokens", "撤销令牌"),
            revoke,
        )
        .roles([Role::Account])
        .by_session()
        .parameters([id_in_path("id", "Which token.")])
        .gives(
            StatusCode::NO_CONTENT,
            "The token is no longer valid.",
            None,
        )
        .problems([Code::NotFound])
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/me/token/renew",
            "me.token.renew",
            Text::new(
                "Take another token in place of the one you came with, for as long",
                "更换当前令牌",
            ),
            renew,
        )
        .roles([Role::Account])
        .by_session()
        .gives(
            StatusCode::OK,
            "The token; the old one is no longer valid.",
            session::token(),
        )
        .tag("me"),
        Operation::new(
            Method::POST,
            "/v1/sign-out-everywhere",
            "sign_out_everywhere",
            Text::new("End every token of signing in", "退出所有登录"),
            sign_out_everywhere,
        )
        .roles([Role::Account])
        .before_factor()
        .by_session()
        .takes(body(plain::<SignOut>()))
        .gives(StatusCode::NO_CONTENT, "They are no longer valid.", None)
        .problems([Code::Malformed])
        .tag("session"),
    ]
}

fn shown(token: &Token) -> Value {
    let mut shown = json!({
        "id": token.id, "created_at": token.created_at, "expires_at": token.expires_at, "program": null,
    });
    if let Some(Program {
        name,
        scopes,
        cycles,
    }) = &token.program
    {
        shown["program"] = json!({"name": name, "scopes": scopes, "cycles": cycles});
    }
    shown
}

async fn list(call: Call) -> Answered {
    let tokens = call
        .app
        .store
        .tokens_of(call.account()?, call.app.clock.now())
        .await?;
    let current = call.secret.as_ref().map(id_of_secret);
    let items = tokens.iter().map(|token| {
        let mut item = shown(token);
        item["current"] = json!(Some(token.id) == current);
        item
    });
    let items: Vec<Value> = items.collect();
    Ok(json_response(StatusCode::OK, &json!({"items": items})))
}

async fn make(mut call: Call) -> Answered {
    let Make {
        name,
        scopes,
        cycles,
        days,
        password,
    } = call.checked_json().await?;
    let (account, now) = (call.account()?, call.app.clock.now());
    let mut faults: Vec<Fault> = scopes
        .iter()
        .enumerate()
        .filter(|(_, scope)| !call.app.scopes.contains(*scope))
        .map(|(place, scope)| {
            Fault::new(
                format!("/scopes/{place}"),
                "unknown_scope",
                format!(
                    "There is no scope `{scope}`: write read, everything, KIND.* or KIND.VERB."
                ),
                format!("没有“{scope}”权限。"),
            )
        })
        .collect();
    let live = call.app.store.tokens_of(account, now).await?;
    if live.iter().filter(|one| one.program.is_some()).count() >= MOST {
        let (en, zh) = (
            format!("At most {MOST} at a time: revoke one."),
            format!("程序令牌最多 {MOST} 个,请先撤销。"),
        );
        faults.push(Fault::new("", "too_many", en, zh));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    super::password::confirm(&call, password, "/password").await?;
    let secret = auth::random()?;
    let expires = now.plus_days(days.clamp(1, LONGEST));
    let program = Program {
        name,
        scopes,
        cycles,
    };
    call.app
        .store
        .issue_token(&secret, account, now, expires, Some(&program))
        .await?;
    let body = json!({
        "token": auth::token_text(&secret), "id": id_of_secret(&secret), "account": account, "expires_at": expires,
    });
    Ok(unkept(json_response(StatusCode::CREATED, &body)))
}

async fn revoke(call: Call) -> Answered {
    let (id, now) = (call.id("id")?, call.app.clock.now());
    let ended = call
        .app
        .store
        .revoke_token_of(call.account()?, id, now)
        .await?;
    if ended {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found())
    }
}

async fn renew(call: Call) -> Answered {
    let refused = || Problem::new(Code::Unauthenticated);
    let (account, now) = (call.account()?, call.app.clock.now());
    let old = call.secret.ok_or_else(refused)?;
    let expires: Timestamp = call.token.as_ref().ok_or_else(refused)?.expires_at;
    let new = auth::random()?;
    if !call.app.store.renew_token(&old, &new, now).await? {
        return Err(refused());
    }
    let body = json!({"token": auth::token_text(&new), "account": account, "expires_at": expires});
    Ok(unkept(json_response(StatusCode::OK, &body)))
}

async fn sign_out_everywhere(mut call: Call) -> Answered {
    let SignOut { programs_too } = call.checked_json().await?;
    call.app
        .store
        .revoke_tokens_of(call.account()?, programs_too, call.app.clock.now())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
