//! What every request shares.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use fundcycle_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, Semaphore, watch};

use crate::auth::factor::Required;
use crate::auth::{Passwords, Vault};
use crate::clock::Clock;
use crate::files::Files;
use crate::limits::Rates;
use crate::signing::Signer;

/// The service. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// What is remembered.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The bytes of attachments.
    pub files: Files,
    /// Signs the journals.
    pub signer: Signer,
    /// How much of anything.
    pub limits: Limits,
    /// How often one may ask.
    pub rates: Rates,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Who has to have a second factor.
    pub second_factor: Required,
    /// Seals their secrets.
    pub vault: Vault,
    /// What tokens of programs may be for.
    pub scopes: Arc<BTreeSet<String>>,
    /// The OpenAPI document.
    pub document: Bytes,
    /// What is counted.
    pub metrics: Arc<PrometheusHandle>,
    /// The channels that messages go out by.
    pub channels: Arc<[&'static str]>,
    /// One permit for each stream of events that may be open.
    pub streams: Arc<Semaphore>,
    /// Whether the service is asked to end: then no stream is waited for.
    pub ended: watch::Receiver<bool>,
    /// Wakes whoever delivers messages: more may be due.
    pub wake: Arc<Notify>,
}

/// How much of anything is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a JSON body.
    pub body: usize,
    /// Bytes of a file.
    pub upload: usize,
    /// Days that a token lasts.
    pub token_days: i64,
    /// Whether webhooks may be on private addresses.
    pub webhook_private: bool,
}
