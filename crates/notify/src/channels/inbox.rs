//! The inbox inside the product: the record of what was said to whom. What a person is told there is
//! queued for every other channel that reaches them.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::inbox::InboxMessage;
use fundcycle_store::outbox::{Leased, OutboxMessage, OutboxRow, identity};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::{Channel, ChannelError};
use crate::message::{INBOX, template_data};
use crate::template::Templates;

/// Puts messages into inboxes.
pub struct Inbox {
    store: Store,
    templates: Arc<Templates>,
    followers: Vec<&'static str>,
}

impl Inbox {
    /// An inbox in `store`, with the words of `templates`; each message to a person is queued for
    /// the channels `followers` too.
    pub const fn new(
        store: Store,
        templates: Arc<Templates>,
        followers: Vec<&'static str>,
    ) -> Self {
        Self {
            store,
            templates,
            followers,
        }
    }

    /// Who gets it, as of now: the person it is for, or the members of the organisation.
    async fn receivers(
        &self,
        message: &Leased,
        payload: &Value,
    ) -> Result<Vec<Uuid>, ChannelError> {
        if let Some(account) = message.receiver {
            return Ok(vec![account]);
        }
        let organisation = id_in(payload, "organisation")
            .ok_or_else(|| ChannelError::Never("the message names no receiver".to_owned()))?;
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

    /// What `account` is told elsewhere, under an identity that follows from message, person and channel.
    fn further<'a>(
        &'a self,
        message: &'a Leased,
        account: Uuid,
    ) -> impl Iterator<Item = OutboxRow> + 'a {
        self.followers.iter().map(move |channel| OutboxRow {
            journal: message.journal,
            id: identity::of_copy(message.id, channel, account),
            seq: message.seq,
            message: OutboxMessage {
                channel: (*channel).to_owned(),
                topic: message.topic.clone(),
                receiver: Some(account),
                payload: json!({ "inbox": message.id }),
            },
            created_at: message.created_at,
            due_at: message.created_at,
        })
    }
}

#[async_trait]
impl Channel for Inbox {
    fn name(&self) -> &'static str {
        INBOX
    }

    async fn deliver(&self, message: &Leased, _now: Timestamp) -> Result<(), ChannelError> {
        let payload: Value = serde_json::from_str(&message.payload)
            .map_err(|error| ChannelError::Never(error.to_string()))?;
        let data = template_data(&payload);
        let accounts = self.receivers(message, &payload).await?;
        let locales: BTreeMap<Uuid, String> = self
            .store
            .credentials(&accounts)
            .await?
            .into_iter()
            .map(|person| (person.account, person.locale))
            .collect();
        let (mut told, mut further) = (Vec::new(), Vec::new());
        for account in accounts {
            let locale = locales.get(&account).cloned().unwrap_or_default();
            let rendered = self
                .templates
                .render(&message.topic, &locale, &data)
                .map_err(|error| ChannelError::Never(error.to_string()))?;
            told.push(InboxMessage {
                account,
                id: message.id,
                at: message.created_at,
                topic: message.topic.clone(),
                locale,
                title: rendered.title,
                text: rendered.text,
                subject: id_in(&payload, "subject"),
                read_at: None,
            });
            further.extend(self.further(message, account));
        }
        Ok(self.store.put_in_inbox(&told, &further).await?)
    }
}

fn id_in(payload: &Value, name: &str) -> Option<Uuid> {
    payload.get(name)?.as_str()?.parse().ok()
}
