//! What every way out has in common.

use async_trait::async_trait;
use fundcycle_core::time::Timestamp;
use fundcycle_store::StoreError;
use fundcycle_store::outbox::Leased;

/// How fast a channel goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many batches are under way, so that a slow receiver holds up only one of them.
    pub workers: usize,
    /// How many receivers of a batch are served at once; the messages to one of them go in order.
    pub at_once: usize,
    /// How many messages one receiver gets in a minute; none: any number.
    pub per_minute: Option<i64>,
}

/// A way in which messages reach people. A new channel is one file in `channels/` and its entry
/// where the service lists the channels it runs.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Its stable name, as messages carry it.
    fn name(&self) -> &'static str;

    /// How fast it goes.
    fn pace(&self) -> Pace {
        Pace {
            workers: 1,
            at_once: 8,
            per_minute: None,
        }
    }

    /// How long to wait after `attempts` in vain, in milliseconds; none: it is given up.
    ///
    /// By default ten seconds, then three times as long each time up to six hours; given up after
    /// twelve attempts in about 28 hours, so that a server may be down for a day.
    fn wait_after(&self, attempts: i64) -> Option<i64> {
        let exponent = u32::try_from(attempts.max(1) - 1).ok()?;
        (attempts < 12).then(|| {
            10_000_i64
                .saturating_mul(3_i64.saturating_pow(exponent))
                .min(6 * 3_600_000)
        })
    }

    /// Queues what this channel takes from elsewhere than the messages of facts. Called before each
    /// look for what is due.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    async fn feed(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Delivers one message. May be called again for the same identity after a crash; a receiver
    /// sees the same identity then.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] says whether trying again makes sense.
    async fn deliver(&self, message: &Leased, now: Timestamp) -> Result<(), ChannelError>;
}

/// Why a message was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// It may go through later.
    #[error("not now: {0}")]
    Later(String),
    /// It never will.
    #[error("never: {0}")]
    Never(String),
    /// Nobody needs it any more.
    #[error("not needed: {0}")]
    Moot(String),
    /// It waits for something that only its receiver can change.
    #[error("held: {0}")]
    Held(String),
}

impl From<StoreError> for ChannelError {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}
