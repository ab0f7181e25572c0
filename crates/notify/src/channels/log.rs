//! For development: messages are noted in the service's log, by topic and identity, without their text.

use async_trait::async_trait;
use fundcycle_store::outbox::Leased;

use crate::channel::{Channel, ChannelError};

/// Notes each message in the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

#[async_trait]
impl Channel for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn deliver(&self, message: &Leased) -> Result<(), ChannelError> {
        tracing::info!(topic = %message.topic, id = %message.id, "message");
        Ok(())
    }
}
