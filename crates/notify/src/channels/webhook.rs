//! Facts for other programs, by the Standard Webhooks specification: signed, timestamped, tried for
//! days, and saying only what happened to which record. What it says is asked of the API, by somebody
//! who may see it.

pub mod address;
mod post;
pub mod signature;

use async_trait::async_trait;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::identity::Cause;
use fundcycle_store::outbox::{Leased, OutboxMessage, OutboxRow};
use fundcycle_store::webhook::Webhook;
use fundcycle_store::{Store, StoreError};
use serde_json::{Value, json};

use self::post::{Post, Sent};
use crate::channel::{Channel, ChannelError, Pace};
use crate::message::INBOX;

/// The name of this channel.
pub const WEBHOOK: &str = "webhook";
/// The message to whoever set a webhook up that it was disabled.
pub const DISABLED: &str = "webhook.disabled";

/// A receiver that takes nothing for this long is disabled, in milliseconds (`reliability.md` P10).
const PATIENCE: i64 = 5 * 86_400_000;
/// How long to wait after each attempt, in milliseconds, as the specification suggests.
const WAITS: [i64; 9] = [
    5_000,
    5 * 60_000,
    30 * 60_000,
    2 * 3_600_000,
    5 * 3_600_000,
    10 * 3_600_000,
    14 * 3_600_000,
    20 * 3_600_000,
    24 * 3_600_000,
];

/// How receivers may be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Whether private, link-local and loopback addresses, and http, are allowed.
    pub allow_private: bool,
    /// An authority to trust beside the public ones, as PEM.
    pub authority: Option<Vec<u8>>,
    /// How many deliveries one receiver gets in a minute.
    pub per_minute: i64,
}

/// Delivers facts to webhooks.
pub struct Webhooks {
    store: Store,
    post: Post,
    per_minute: i64,
}

impl Webhooks {
    /// The webhooks of `store`.
    ///
    /// # Errors
    ///
    /// Where the authority's certificate cannot be read.
    pub fn new(store: Store, settings: &WebhookSettings) -> Result<Self, String> {
        Ok(Self {
            store,
            post: Post::new(settings)?,
            per_minute: settings.per_minute,
        })
    }

    /// Disables the receiver and tells whoever set it up, once.
    async fn give_up(
        &self,
        webhook: &Webhook,
        message: &Leased,
        because: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.store.disable_webhook(webhook.id, because, now).await? {
            return Ok(());
        }
        let cause = Cause::Disabled {
            webhook: webhook.id,
            at: now.0,
        };
        let told = OutboxRow {
            journal: message.journal,
            id: cause.identity(),
            seq: message.seq,
            message: OutboxMessage {
                channel: INBOX.to_owned(),
                topic: DISABLED.to_owned(),
                receiver: Some(webhook.created_by),
                payload: json!({ "data": { "description": webhook.description, "because": because }, "cause": cause }),
            },
            created_at: now.0,
            due_at: now.0,
        };
        self.store.queue_messages(&[told]).await
    }
}

/// What is sent: what happened to which record, in which cycle, at which place.
fn body(message: &Leased) -> String {
    let payload: Value = serde_json::from_str(&message.payload).unwrap_or_default();
    json!({
        "type": message.topic,
        "timestamp": Timestamp(message.created_at),
        "data": {
            "cycle": Some(message.journal).filter(|journal| *journal != REGISTRY),
            "seq": message.seq,
            "kind": payload["kind"],
            "id": payload["id"],
        },
    })
    .to_string()
}

#[async_trait]
impl Channel for Webhooks {
    fn name(&self) -> &'static str {
        WEBHOOK
    }

    fn pace(&self) -> Pace {
        // A receiver that does not answer holds up the batch it is in, not the others.
        Pace {
            workers: 4,
            at_once: 16,
            per_minute: Some(self.per_minute),
        }
    }

    fn wait_after(&self, attempts: i64) -> Option<i64> {
        let place = usize::try_from(attempts.max(1) - 1).ok()?;
        WAITS.get(place).copied()
    }

    async fn feed(&self) -> Result<(), StoreError> {
        self.store.feed_webhooks(WEBHOOK).await
    }

    async fn deliver(&self, message: &Leased, now: Timestamp) -> Result<(), ChannelError> {
        let id = message
            .receiver
            .ok_or_else(|| ChannelError::Never("the message names no receiver".to_owned()))?;
        let webhook = self
            .store
            .webhook(id)
            .await?
            .filter(|webhook| webhook.disabled_at.is_none())
            .ok_or_else(|| ChannelError::Moot("the webhook is disabled".to_owned()))?;
        let body = body(message);
        let headers = signature::headers(&webhook, message.id, now, &body);
        match self.post.send(&webhook.url, headers, body).await {
            Ok(Sent::Taken) => {
                if webhook.failing_since.is_some() {
                    self.store.webhook_fails(id, None).await?;
                }
                Ok(())
            }
            Ok(Sent::Gone) => {
                let because = "the receiver answered 410 Gone";
                self.give_up(&webhook, message, because, now).await?;
                Err(ChannelError::Never(because.to_owned()))
            }
            Err(why) => {
                if webhook
                    .failing_since
                    .is_some_and(|since| now.0 - since >= PATIENCE)
                {
                    let because = format!("nothing got through for five days; last: {why}");
                    self.give_up(&webhook, message, &because, now).await?;
                    return Err(ChannelError::Never(because));
                }
                self.store.webhook_fails(id, Some(now)).await?;
                Err(ChannelError::Later(why))
            }
        }
    }
}
