//! Registering, signing in and out.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::{Command, Kind};
use fundcycle_core::rejection::{Fault, Rejection, Text};
use fundcycle_core::text::check_name;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::{account, actor::Grant};
use fundcycle_store::credential::NewCredential;
use fundcycle_store::submission::{Precondition, Submission};
use fundcycle_store::{ExecuteError, Store};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::BodySchema;
use super::call::Call;
use super::operation::{Answered, Operation};
use super::record::json_response;
use super::schema::{Schemas, plain};
use crate::app::App;
use crate::auth::{self, Guess, factor};
use crate::clock::Clock;
use crate::problem::{Code, Problem};

/// Who registers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    /// The address to sign in with.
    #[schemars(length(max = 254))]
    email: String,
    /// What the person is called.
    #[schemars(length(max = 100))]
    name: String,
    /// At least ten characters.
    #[schemars(length(max = 512))]
    password: String,
    /// The language that messages come in: `zh-CN` (the default) or `en`.
    #[serde(default)]
    locale: Option<String>,
}

/// Who signs in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The address registered with.
    #[schemars(length(max = 254))]
    email: String,
    /// The password.
    #[schemars(length(max = 512))]
    password: String,
    /// The code of the second factor, where there is one; or one for emergencies.
    #[serde(default)]
    #[schemars(length(max = 40))]
    code: Option<String>,
}

/// The operations.
pub(crate) fn operations(schemas: &Schemas) -> Vec<Operation> {
    let body = |schema| Arc::new(BodySchema::new(schema, schemas.definitions()));
    let done = json!({"type": "object", "properties": {"registered": {"const": true}}});
    vec![
        Operation::new(
            Method::POST,
            "/v1/register",
            "register",
            Text::new(
                "Register; the answer does not tell whether the address was known",
                "注册账户;无论邮箱是否已注册,回复相同",
            ),
            register,
        )
        .roles([Role::Public])
        .takes_password()
        .takes(body(plain::<Register>()))
        .gives(
            StatusCode::ACCEPTED,
            "Sign in now. Who had an account before keeps it and its password.",
            done,
        )
        .problems([Code::Malformed, Code::Overloaded])
        .tag("session"),
        Operation::new(
            Method::POST,
            "/v1/sign-in",
            "sign_in",
            Text::new("Sign in for a bearer token", "登录并获取令牌"),
            sign_in,
        )
        .roles([Role::Public])
        .takes_password()
        .takes(body(plain::<SignIn>()))
        .gives(StatusCode::OK, "The token.", token())
        .problems([
            Code::Malformed,
            Code::Unauthenticated,
            Code::SecondFactorNeeded,
            Code::Overloaded,
        ])
        .tag("session"),
        Operation::new(
            Method::POST,
            "/v1/sign-out",
            "sign_out",
            Text::new("End this token", "退出登录"),
            sign_out,
        )
        .roles([Role::Account])
        .before_factor()
        .gives(
            StatusCode::NO_CONTENT,
            "The token is no longer valid.",
            None,
        )
        .tag("session"),
    ]
}

/// What a token is answered as.
pub(super) fn token() -> Value {
    json!({
        "type": "object",
        "required": ["token", "account", "expires_at"],
        "properties": {
            "token": {"type": "string", "description": "Send it as `Authorization: Bearer …`. It is shown this once."},
            "account": {"type": "string", "format": "uuid"},
            "expires_at": {"type": "string", "format": "date-time"},
        },
    })
}

async fn register(mut call: Call) -> Answered {
    let Register {
        email,
        name,
        password,
        locale,
    } = call.checked_json().await?;
    let person = Person {
        email,
        name,
        locale: locale.unwrap_or_else(|| "zh-CN".to_owned()),
    };
    let mut faults = person.faults();
    faults.extend(call.app.passwords.faults(&password, "/password").await?);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let password_hash = call.app.passwords.hash(password).await?;
    match open_account(
        &call.app.store,
        &call.app.clock,
        person,
        password_hash,
        BTreeSet::new(),
    )
    .await
    {
        Ok(_) | Err(Opening::Taken) => Ok(json_response(
            StatusCode::ACCEPTED,
            &json!({"registered": true}),
        )),
        Err(Opening::Failed(error)) => Err(error.into()),
    }
}

async fn sign_in(mut call: Call) -> Answered {
    let SignIn {
        email,
        password,
        code,
    } = call.checked_json().await?;
    let refused = || {
        Problem::new(Code::Unauthenticated).detail(
            "Address, password or code is wrong, or the account is disabled.",
            "邮箱、密码或验证码有误,或账户已停用。",
        )
    };
    let guess = Guess::look(&call.app, call.caller.network(), &email, password).await?;
    let account = guess.right.as_ref().ok_or_else(refused)?.account;
    let state = call
        .app
        .store
        .read_one(Some(Kind::Account), account)
        .await?
        .ok_or_else(refused)?;
    if state.stage() != fundcycle_core::names::Names::name(account::Stage::Active) {
        return Err(refused());
    }
    let factor = call.app.store.second_factor(account).await?;
    if factor.is_some_and(|one| one.confirmed_at.is_some()) {
        let Some(code) = code else {
            guess.take_back(&call.app).await?;
            return Err(Problem::new(Code::SecondFactorNeeded));
        };
        if !factor::takes(&call.app, account, &code).await? {
            return Err(refused());
        }
    }
    guess.settle(&call.app).await?;
    signed_in(&call.app, account).await
}

/// Gives `account` a new token.
pub(super) async fn signed_in(app: &App, account: Uuid) -> Answered {
    let body = new_token(app, account).await?;
    Ok(unkept(json_response(StatusCode::OK, &body)))
}

/// A new token of `account`, as it is answered.
pub(super) async fn new_token(app: &App, account: Uuid) -> Result<Value, Problem> {
    let secret = auth::random()?;
    let now = app.clock.now();
    let expires = now.plus_days(app.limits.token_days);
    app.store
        .issue_token(&secret, account, now, expires, None)
        .await?;
    Ok(json!({"token": auth::token_text(&secret), "account": account, "expires_at": expires}))
}

/// The answer with a secret in it, which nothing on its way may keep.
pub(super) fn unkept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn sign_out(call: Call) -> Answered {
    if let Some(secret) = &call.secret {
        call.app
            .store
            .revoke_token(secret, call.app.clock.now())
            .await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Somebody who is to have an account.
#[derive(Debug)]
pub(crate) struct Person {
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The language they read.
    pub locale: String,
}

impl Person {
    /// What is wrong with it.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let plausible = self
            .email
            .trim()
            .split_once('@')
            .is_some_and(|(name, host)| {
                !name.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !self.email.trim().contains(char::is_whitespace)
            });
        if !plausible {
            faults.push(Fault::new(
                "/email",
                "email",
                "This is not an e-mail address.",
                "邮箱地址有误。",
            ));
        }
        if let Err(errors) = check_name(&self.name, 100) {
            faults.extend(errors.into_iter().map(|error| {
                Fault::new(
                    "/name",
                    "name",
                    error.to_string(),
                    format!("姓名有误:{error}"),
                )
            }));
        }
        if !matches!(self.locale.as_str(), "zh-CN" | "en") {
            faults.push(Fault::new(
                "/locale",
                "unknown_value",
                "One of: zh-CN, en.",
                "可选值:zh-CN、en。",
            ));
        }
        faults
    }
}

/// Why an account was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Opening {
    /// The address has an account.
    #[error("this e-mail address has an account already")]
    Taken,
    /// Anything else.
    #[error(transparent)]
    Failed(ExecuteError),
}

/// Opens an account with a credential; the service itself asks for it.
///
/// # Errors
///
/// [`Opening`] where the address is taken or the store fails.
pub(crate) async fn open_account(
    store: &Store,
    clock: &Clock,
    person: Person,
    password_hash: String,
    grants: BTreeSet<Grant>,
) -> Result<Uuid, Opening> {
    let id = Uuid::now_v7();
    let Person {
        email,
        name,
        locale,
    } = person;
    let submission = Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal: REGISTRY,
            id,
            command: Command::Account(account::Command::Open { grants }),
            viewer: Viewer::new(Actor::system()),
        },
        precondition: Precondition::Free,
        idempotency: None,
        credential: Some(NewCredential {
            account: id,
            email,
            name,
            locale,
            password_hash,
        }),
        dry_run: false,
        now: clock.now(),
    };
    match store.execute(submission).await {
        Ok(_) => Ok(id),
        Err(ExecuteError::Refused(Rejection::Invalid { faults }))
            if faults.iter().any(|fault| fault.code == "taken") =>
        {
            Err(Opening::Taken)
        }
        Err(error) => Err(Opening::Failed(error)),
    }
}
