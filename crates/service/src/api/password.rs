//! Changing one's password.

use std::sync::Arc;

use axum::http::Method;
use fundcycle_core::actor::Role;
use fundcycle_core::rejection::{Fault, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::body::BodySchema;
use super::call::Call;
use super::operation::{Answered, Operation};
use super::schema::{Schemas, plain};
use super::session;
use crate::auth::Guess;
use crate::problem::{Code, Problem};

/// An old and a new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The one in use.
    #[schemars(length(max = 512))]
    current: String,
    /// The one to use from now on: at least ten characters.
    #[schemars(length(max = 512))]
    new: String,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = Arc::new(BodySchema::new(plain::<Change>(), schemas.definitions()));
    vec![
        Operation::new(
            Method::POST,
            "/v1/me/password",
            "me.password",
            Text::new(
                "Change your password; every other sign-in of yours ends",
                "修改密码;其他登录全部失效",
            ),
            change,
        )
        .roles([Role::Account])
        .by_session()
        .before_factor()
        .takes_password()
        .takes(body)
        .gives(axum::http::StatusCode::OK, "A new token.", session::token())
        .problems([Code::Malformed, Code::Overloaded])
        .tag("me"),
    ]
}

async fn change(mut call: Call) -> Answered {
    let Change { current, new } = call.checked_json().await?;
    let account = call.account()?;
    let faults = call.app.passwords.faults(&new, "/new").await?;
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    confirm(&call, current, "/current").await?;
    let hash = call.app.passwords.hash(new).await?;
    let now = call.app.clock.now();
    call.app.store.set_password(account, &hash, now).await?;
    session::signed_in(&call.app, account).await
}

/// Looks at the password that somebody gives again, at `pointer` of what they sent.
///
/// # Errors
///
/// 422 where it is wrong, 429 where it was too often.
pub(super) async fn confirm(call: &Call, password: String, pointer: &str) -> Result<(), Problem> {
    let guess = right(call, password, pointer).await?;
    guess.settle(&call.app).await
}

/// The same, and it still counts as wrong: something else is to be looked at.
///
/// # Errors
///
/// As above.
pub(super) async fn right(call: &Call, password: String, pointer: &str) -> Result<Guess, Problem> {
    let credential = call.app.store.credential(call.account()?).await?;
    let email = credential.ok_or_else(Problem::not_found)?.email;
    let guess = Guess::look(&call.app, call.caller.network(), &email, password).await?;
    if guess.right.is_none() {
        let (en, zh) = ("This is not your password.", "密码有误。");
        return Err(Problem::invalid(vec![Fault::new(
            pointer,
            "wrong_password",
            en,
            zh,
        )]));
    }
    Ok(guess)
}
