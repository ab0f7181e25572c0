//! From declarations to routes, with the walk that every request takes: authenticate, read the
//! parameters, hand over, speak.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};

use super::call::Call;
use super::operation::{Answered, Operation};
use super::query::Query;
use crate::app::App;
use crate::auth::{self, scope};
use crate::language::Language;
use crate::limits::Caller;
use crate::problem::{Code, Problem};

/// The routes of all operations.
pub(crate) fn router(app: &App, operations: Vec<Operation>) -> Router {
    let mut router = Router::new();
    for operation in operations {
        let Ok(filter) = MethodFilter::try_from(operation.method.clone()) else {
            continue;
        };
        let (app, path, operation) = (app.clone(), operation.path.clone(), Arc::new(operation));
        router = router.route(
            &path,
            on(filter, move |request: Request| {
                serve(app.clone(), Arc::clone(&operation), request)
            }),
        );
    }
    let (nowhere, other_method) = (app.clone(), app.clone());
    router
        .fallback(move |headers: HeaderMap| refuse(nowhere.clone(), headers, Code::NotFound))
        .method_not_allowed_fallback(move |headers: HeaderMap| {
            refuse(other_method.clone(), headers, Code::MethodNotAllowed)
        })
}

/// What is not there refuses a bad token like everything else does.
async fn refuse(app: App, headers: HeaderMap, code: Code) -> Problem {
    auth::authenticate(&app, &headers)
        .await
        .map_or_else(|problem| problem, |_| Problem::new(code))
}

async fn serve(app: App, operation: Arc<Operation>, request: Request) -> Response {
    let (within, reads) = (operation.within, operation.method == Method::GET);
    match tokio::time::timeout(within, answer(app, operation, request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) if reads => Problem::new(Code::TimedOut).into_response(),
        // The command may still be committed: only the same key tells.
        Err(_) => Problem::new(Code::OutcomeUnknown).into_response(),
    }
}

async fn answer(app: App, operation: Arc<Operation>, request: Request) -> Answered {
    let (mut parts, body) = request.into_parts();
    let caller = parts.extensions.get::<Caller>().copied();
    let caller = caller.ok_or_else(|| Problem::internal(&"nobody found out who asks"))?;
    if operation.takes_password {
        app.rates.sign_in(caller.network())?;
    }
    let session = auth::authenticate(&app, &parts.headers).await?;
    if let Some(account) = session.viewer.actor.account {
        app.rates.account(account)?;
    }
    if let Some(program) = session.program() {
        scope::check(program, &operation)?;
    }
    if session.lacks_factor && !operation.before_factor {
        return Err(Problem::new(Code::SecondFactorRequired).detail(
            "Get one: POST /v1/me/second-factor, then …/confirm.",
            "请先通过 POST /v1/me/second-factor 启用二次验证。",
        ));
    }
    if session.secret.is_none() && !operation.is_public() {
        return Err(Problem::new(Code::Unauthenticated));
    }
    let path = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Problem::not_found())?;
    let path = path
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let query = Query::read(&parts.uri, &operation)?;
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    let forwarded = ["forwarded", "x-forwarded-for"]
        .iter()
        .any(|name| parts.headers.contains_key(*name));
    let call = Call {
        app,
        viewer: session.viewer,
        secret: session.secret,
        token: session.token,
        caller,
        language: Language::of(&parts.headers),
        local: peer.is_some_and(|peer| peer.ip().is_loopback()) && !forwarded,
        method: parts.method,
        address: parts.uri.path().to_owned(),
        path,
        query,
        headers: parts.headers,
        body: Mutex::new(body),
        operation: Arc::clone(&operation),
    };
    (operation.handler)(call).await
}
