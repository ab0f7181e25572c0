//! What every way out has in common.

use async_trait::async_trait;
use fundcycle_store::outbox::Leased;

/// A way in which messages reach people. A new channel is one file in `channels/` and its entry
/// where the service lists the channels it runs.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Its stable name, as messages carry it.
    fn name(&self) -> &'static str;

    /// Delivers one message. May be called again for the same identity after a crash; a receiver
    /// sees the same identity then.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] says whether trying again makes sense.
    async fn deliver(&self, message: &Leased) -> Result<(), ChannelError>;
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
}

impl From<fundcycle_store::StoreError> for ChannelError {
    fn from(error: fundcycle_store::StoreError) -> Self {
        Self::Later(error.to_string())
    }
}
