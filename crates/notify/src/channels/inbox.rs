//! The inbox inside the product: the record of what was said to whom.

use std::sync::Arc;

use async_trait::async_trait;
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_store::Store;
use fundcycle_store::inbox::InboxMessage;
use fundcycle_store::outbox::Leased;
use serde_json::Value;
use uuid::Uuid;

use crate::channel::{Channel, ChannelError};
use crate::message::{INBOX, template_data};
use crate::template::Templates;

/// Writes messages into the inboxes of their receivers.
pub struct Inbox {
    store: Store,
    templates: Arc<Templates>,
}

impl Inbox {
    /// An inbox in `store`, with the words of `templates`.
    pub const fn new(store: Store, templates: Arc<Templates>) -> Self {
        Self { store, templates }
    }

    /// Who gets it, as of now: the person it is for, or the members of the organisation.
    async fn receivers(
        &self,
        message: &Leased,
        payload: &Value,
    ) -> Result<Vec<Uuid>, ChannelError> {
        if let Some(account) = message.account {
            return Ok(vec![account]);
        }
        let organisation = payload
            .get("organisation")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok());
        let Some(organisation) = organisation else {
            return Err(ChannelError::Never(
                "the message names no receiver".to_owned(),
            ));
        };
        let state = self
            .store
            .read_one(Some(Kind::Organisation), organisation)
            .await?;
        let members = state
            .as_ref()
            .and_then(Organisation::of)
            .map(|record| record.data.members.keys().copied().collect());
        Ok(members.unwrap_or_default())
    }
}

#[async_trait]
impl Channel for Inbox {
    fn name(&self) -> &'static str {
        INBOX
    }

    async fn deliver(&self, message: &Leased) -> Result<(), ChannelError> {
        let payload: Value = serde_json::from_str(&message.payload)
            .map_err(|error| ChannelError::Never(error.to_string()))?;
        let data = template_data(&payload);
        let subject = payload
            .get("subject")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok());
        for account in self.receivers(message, &payload).await? {
            let locale = self
                .store
                .credential(account)
                .await?
                .map(|person| person.locale)
                .unwrap_or_default();
            let rendered = self
                .templates
                .render(&message.topic, &locale, &data)
                .map_err(|error| ChannelError::Never(error.to_string()))?;
            self.store
                .put_in_inbox(&InboxMessage {
                    account,
                    id: message.id,
                    at: message.created_at,
                    topic: message.topic.clone(),
                    locale,
                    title: rendered.title,
                    text: rendered.text,
                    subject,
                    read_at: None,
                })
                .await?;
        }
        Ok(())
    }
}
