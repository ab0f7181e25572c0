//! Serving: the API with the layers around it, from binding the address to a graceful end.

mod connections;
mod docs;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use fundcycle_store::Store;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use self::connections::Patience;
use crate::api::board;
use crate::app::{App, Limits};
use crate::auth::{Breached, Passwords, Vault, scope};
use crate::clock::{Clock, ClockError};
use crate::config::Settings;
use crate::files::Files;
use crate::limits::Rates;
use crate::signing::{Signer, SigningError};
use crate::{api, delivery, limits, openapi, problem, scheduler, telemetry};

/// How long requests that are under way may take once the service is asked to end.
const DRAIN: Duration = Duration::from_secs(20);
/// Streams of events that may be open at once.
const STREAMS: usize = 1_000;

/// Why the service does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {}", listening(source))]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The folder of files cannot be used.
    #[error("the folder for files {folder} cannot be used: {reason}; name another with --files")]
    Files {
        /// Which folder.
        folder: String,
        /// Why.
        reason: String,
    },
    /// The key that signs checkpoints cannot be used.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The clock is not of the kind that was asked for.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Something that should not fail did.
    #[error("cannot start: {0}")]
    Other(String),
}

fn listening(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program uses this address; end it, or choose another with --listen".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have this address; choose another with --listen".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "this needs rights that you do not have; choose a port above 1023 with --listen"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

/// Serves until the process is asked to end. `ready` is told the address.
///
/// # Errors
///
/// [`ServeError`] where it cannot begin.
pub(crate) async fn serve(
    store: Store,
    settings: &Settings,
    time_travel: bool,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let clock = Clock::asked(&store, time_travel).await?;
    let files = Files::in_folder(&settings.files).map_err(|error| ServeError::Files {
        folder: settings.files.display().to_string(),
        reason: error.to_string(),
    })?;
    let channels = delivery::channels(&store, &settings.mail).map_err(ServeError::Other)?;
    let signer = Signer::begin(&store, &settings.signing_key_file(), clock.now()).await?;
    let (ending, ended) = watch::channel(false);
    let mut app = app(
        store.clone(),
        clock.clone(),
        files,
        signer.clone(),
        settings,
    )?;
    app.ended = ended.clone();
    app.channels = channels.iter().map(|channel| channel.name()).collect();
    let address = settings.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;

    // Dropped with this future, so that nobody who ends it by force leaves them running.
    let mut background = JoinSet::new();
    background.spawn(scheduler::run(store.clone(), clock.clone(), signer));
    let wake = Arc::clone(&app.wake);
    background.spawn(board::look_elsewhere(store.clone()));
    let mut deliveries = delivery::start(&store, &clock, &channels, &wake, &ended);
    ready(bound);
    tracing::info!(address = %bound, "serving");
    background.spawn(app.rates.clone().sweep());
    let asked = async move {
        asked_to_end().await;
        // The server may have failed meanwhile: then nobody waits.
        let _ = ending.send(true);
    };
    tokio::select! {
        () = connections::serve(listener, routes(app), Patience::default(), asked) => {}
        () = too_long(ended) => tracing::warn!("some requests took too long to end"),
    }
    background.shutdown().await;
    // What a receiver has accepted is noted, or it would get it again.
    let finish = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, finish).await.is_err() {
        tracing::warn!(
            "some messages were still on their way; they are tried again at the next start"
        );
    }
    store.close().await;
    Ok(())
}

/// What requests share.
fn app(
    store: Store,
    clock: Clock,
    files: Files,
    signer: Signer,
    settings: &Settings,
) -> Result<App, ServeError> {
    let other = |error: &dyn std::fmt::Display| ServeError::Other(error.to_string());
    let schemas = api::Schemas::new();
    let operations = api::operations(&schemas);
    let document = openapi::document(&operations, &schemas);
    Ok(App {
        store,
        clock,
        files,
        signer,
        limits: Limits {
            body: settings.body_limit,
            upload: settings.upload_limit,
            token_days: settings.token_days,
            webhook_private: settings.mail.webhook_allow_private,
        },
        rates: Rates::new(&settings.limits),
        passwords: passwords(settings)?,
        second_factor: settings.sign_in.second_factor,
        vault: Vault::in_file(settings.secret_key_file()),
        scopes: Arc::new(scope::all(&operations)),
        document: Bytes::from(document.to_string()),
        metrics: Arc::new(telemetry::init_metrics().map_err(|error| other(&error))?),
        channels: Arc::new([]),
        streams: Arc::new(Semaphore::new(STREAMS)),
        ended: watch::channel(false).1,
        wake: Arc::new(Notify::new()),
    })
}

/// What hashes passwords, with the list of those that nobody may choose.
fn passwords(settings: &Settings) -> Result<Passwords, ServeError> {
    let list = settings.sign_in.breached_passwords.as_ref();
    let list = list.map(Breached::open).transpose().map_err(|error| {
        ServeError::Other(format!(
            "the list of breached passwords cannot be used: {error}"
        ))
    })?;
    Passwords::new(list).map_err(|error| ServeError::Other(error.to_string()))
}

fn routes(app: App) -> Router {
    let operations = api::operations(&api::Schemas::new());
    let id = HeaderName::from_static("x-request-id");
    let rates = app.rates.clone();
    api::router(&app, operations)
        .merge(docs::router())
        .layer(from_fn_with_state(rates, limits::of_address))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(problem::speak))
        .layer(from_fn(guard))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_not_a_file)))
        .layer(from_fn(telemetry::observe))
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(SetRequestIdLayer::new(id, MakeRequestUuid))
}

/// The hash sent with a file is that of its very bytes.
fn is_not_a_file(
    _status: StatusCode,
    _version: Version,
    headers: &HeaderMap,
    _extensions: &Extensions,
) -> bool {
    !headers.contains_key("repr-digest")
}

/// Headers that keep browsers from guessing, framing and keeping.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    headers.extend(always.map(|(name, value)| (name, HeaderValue::from_static(value))));
    let by_default = [
        (header::CACHE_CONTROL, "private, no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in by_default {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn asked_to_end() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for an interrupt");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(error) => {
                tracing::error!(%error, "cannot listen for a request to end");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    tracing::info!("asked to end; finishing what is under way");
}

async fn too_long(mut ended: watch::Receiver<bool>) {
    if ended.wait_for(|ended| *ended).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(DRAIN).await;
}
