//! For development: messages are noted in the service's log, by topic and identity, without their text.

use async_trait::async_trait;
use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::Leased;

use crate::channel::{Channel, ChannelError};

/// The name of this channel.
pub const LOG: &str = "log";

/// Notes each message in the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

#[async_trait]
impl Channel for Log {
    fn name(&self) -> &'static str {
        LOG
    }

    async fn deliver(&self, message: &Leased, _now: Timestamp) -> Result<(), ChannelError> {
        tracing::info!(topic = %message.topic, id = %message.id, "message");
        Ok(())
    }
}
