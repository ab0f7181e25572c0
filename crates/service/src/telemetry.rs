//! What operators see: a line per request, counts and times. Never bodies, tokens or queries.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::Lag;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Upper bounds of the latency histogram, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
const REQUESTS: &str = "fundcycle_http_requests_total";
const WAITING: &str = "fundcycle_messages_waiting";
const FAILING: &str = "fundcycle_messages_failing";
const DEAD: &str = "fundcycle_messages_dead";
const ADDRESSES: &str = "fundcycle_mail_addresses_failing";
const LAG: &str = "fundcycle_messages_lag_seconds";
const DURATION: &str = "fundcycle_http_request_duration_seconds";

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What of the log is written, such as `info` or `fundcycle=debug,warn`.
///
/// # Errors
///
/// Where it is no filter.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(text)
}

/// Writes the log to standard error from here on.
pub(crate) fn init_log(filter: EnvFilter, format: LogFormat) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Whoever reads the log may end; complaining of that on the same pipe would panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let set = match format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = set {
        tracing::debug!(%error, "the log was set up before");
    }
}

/// Counts from here on.
///
/// # Errors
///
/// Where something else counts already.
pub(crate) fn init_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &SECONDS)?
        .install_recorder()?;
    metrics::describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "Time to answer, by method and route."
    );
    metrics::describe_counter!(
        "fundcycle_messages_total",
        "Attempts to deliver a message, by channel and outcome."
    );
    metrics::describe_gauge!(WAITING, "Messages to be delivered, by channel.");
    metrics::describe_gauge!(
        FAILING,
        "Messages tried without success so far, by channel."
    );
    metrics::describe_gauge!(DEAD, "Messages given up and not dealt with, by channel.");
    metrics::describe_gauge!(ADDRESSES, "Addresses that take no letters.");
    metrics::describe_gauge!(
        LAG,
        metrics::Unit::Seconds,
        "For how long the oldest message has been due, by channel."
    );
    Ok(handle)
}

/// Shows how many addresses take no letters.
pub(crate) fn count_failing_addresses(count: usize) {
    metrics::gauge!(ADDRESSES).set(u32::try_from(count).map_or(f64::INFINITY, f64::from));
}

/// Shows how each of the channels `names` keeps up. One that has nothing to do is shown as 0.
pub(crate) fn count_outbox(names: &[&'static str], lags: &[Lag], now: Timestamp) {
    for &name in names {
        let lag = lags.iter().find(|lag| lag.channel == name);
        let shown = |gauge: &'static str, value: i64| {
            // Counts and seconds are far below 2^52.
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!(gauge, "channel" => name).set(value as f64);
        };
        shown(WAITING, lag.map_or(0, |lag| lag.waiting));
        shown(FAILING, lag.map_or(0, |lag| lag.failing));
        shown(DEAD, lag.map_or(0, |lag| lag.dead));
        let since = lag.and_then(|lag| lag.due_since).unwrap_or(now.0);
        shown(LAG, (now.0 - since).max(0) / 1_000);
    }
}

/// Notes one request: its route, never its address or what it carried.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let id = request
        .headers()
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let response = next.run(request).await;
    let (status, elapsed) = (response.status(), started.elapsed());
    metrics::counter!(REQUESTS, "method" => method.clone(), "route" => route.clone(), "status" => status.as_str().to_owned()).increment(1);
    metrics::histogram!(DURATION, "method" => method.clone(), "route" => route.clone())
        .record(elapsed.as_secs_f64());
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::error!(
            method,
            route,
            status = status.as_u16(),
            micros,
            request_id = id,
            "request failed"
        );
    } else {
        tracing::info!(
            method,
            route,
            status = status.as_u16(),
            micros,
            request_id = id,
            "request answered"
        );
    }
    response
}
