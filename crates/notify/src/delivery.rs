//! Leases what is due and hands it to its channel; any number of instances may do so at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::Leased;
use fundcycle_store::{Store, StoreError};

use crate::channel::{Channel, ChannelError};

/// How long a worker may take over what it leased, in milliseconds.
const LEASE: i64 = 60_000;
/// How many messages are leased at a time.
const BATCH: u32 = 100;
/// After this many attempts a message is given up.
const ATTEMPTS: i64 = 10;

/// The channels of an installation, by name.
#[derive(Clone, Default)]
pub struct Channels(BTreeMap<&'static str, Arc<dyn Channel>>);

impl Channels {
    /// The same with one more.
    pub fn with(mut self, channel: impl Channel + 'static) -> Self {
        self.0.insert(channel.name(), Arc::new(channel));
        self
    }
}

/// Delivers what is due at `now`, once; gives how many messages were tried.
///
/// # Errors
///
/// Where the database fails; what was leased then falls due again.
pub async fn deliver_due(
    store: &Store,
    channels: &Channels,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let leased = store
        .lease(now, Timestamp(now.0.saturating_add(LEASE)), BATCH)
        .await?;
    for message in &leased {
        match attempt(channels, message).await {
            Ok(()) => store.delivered(message.journal, message.id, now).await?,
            Err(error) => give_back(store, message, &error, now).await?,
        }
    }
    Ok(leased.len())
}

async fn attempt(channels: &Channels, message: &Leased) -> Result<(), ChannelError> {
    match channels.0.get(message.channel.as_str()) {
        Some(channel) => channel.deliver(message).await,
        None => Err(ChannelError::Never(format!(
            "there is no channel `{}`",
            message.channel
        ))),
    }
}

async fn give_back(
    store: &Store,
    message: &Leased,
    error: &ChannelError,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::warn!(topic = %message.topic, id = %message.id, attempts = message.attempts, %error, "not delivered");
    if matches!(error, ChannelError::Never(_)) || message.attempts >= ATTEMPTS {
        store
            .dead(message.journal, message.id, &error.to_string(), now)
            .await
    } else {
        store
            .failed(
                message.journal,
                message.id,
                &error.to_string(),
                again(message.attempts, now),
            )
            .await
    }
}

/// Twice as long after each attempt: 2 s, 4 s, … up to an hour.
fn again(attempts: i64, now: Timestamp) -> Timestamp {
    let seconds = 1_i64
        .checked_shl(u32::try_from(attempts).unwrap_or(u32::MAX).min(12))
        .unwrap_or(3_600)
        .min(3_600);
    Timestamp(now.0.saturating_add(seconds * 1_000))
}
