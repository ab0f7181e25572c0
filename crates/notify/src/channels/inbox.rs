//! The inbox inside the product: the record of what was said to whom. What a person is told there is
//! queued for every other channel that reaches them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::inbox::InboxMessage;
use fundcycle_store::outbox::identity::{self, Cause};
use fundcycle_store::outbox::{Leased, OutboxMessage, OutboxRow};
use fundcycle_store::wording::Wording;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::channel::{Channel, ChannelError};
use crate::channels::email::{EMAIL, failing::FAILS};
use crate::message::{INBOX, template_data};
use crate::preferences::Group;
use crate::reminders::still_needed;
use crate::template::{Rendered, Templates, Words, spoken};

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

    /// The message in the words of its cycle, or in those that come with the product.
    async fn rendered(
        &self,
        message: &Leased,
        locale: &str,
        data: &Map<String, Value>,
    ) -> Result<Rendered, ChannelError> {
        let (topic, locale) = (message.topic.as_str(), spoken(locale));
        let own = self.store.wording(message.journal, locale, topic).await?;
        if let Some(Wording { title, text, .. }) = own {
            match self
                .templates
                .fill(topic, locale, &Words { title, text }, data)
            {
                Ok(rendered) => return Ok(rendered),
                // It was tried when it was saved; still nobody goes without the message for it.
                Err(error) => {
                    tracing::error!(%error, cycle = %message.journal, "a cycle's own words do not fit");
                }
            }
        }
        self.templates
            .render(topic, locale, data)
            .map_err(|error| ChannelError::Never(error.to_string()))
    }

    /// What `account` is told elsewhere, under an identity that follows from message, person and channel.
    fn further<'a>(
        &'a self,
        message: &'a Leased,
        cause: Option<&'a Cause>,
        account: Uuid,
    ) -> impl Iterator<Item = OutboxRow> + 'a {
        // That letters do not arrive is nothing to write a letter about.
        let followed = self
            .followers
            .iter()
            .filter(move |channel| **channel != EMAIL || message.topic != FAILS);
        followed.map(move |channel| OutboxRow {
            journal: message.journal,
            id: identity::of_copy(message.id, channel, account),
            seq: message.seq,
            message: OutboxMessage {
                channel: (*channel).to_owned(),
                topic: message.topic.clone(),
                receiver: Some(account),
                payload: json!({ "inbox": message.id, "cause": cause }),
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

    async fn deliver(&self, message: &Leased, now: Timestamp) -> Result<(), ChannelError> {
        let payload: Value = serde_json::from_str(&message.payload)
            .map_err(|error| ChannelError::Never(error.to_string()))?;
        let cause = Cause::of(&payload);
        if let Some(cause) = &cause {
            still_needed(&self.store, cause, message.created_at, now).await?;
        }
        let data = template_data(&payload);
        let accounts = self.receivers(message, &payload).await?;
        let locales: BTreeMap<Uuid, String> = self
            .store
            .credentials(&accounts)
            .await?
            .into_iter()
            .map(|person| (person.account, person.locale))
            .collect();
        let group = Group::of(&message.topic);
        let unwanted = if group.optional() {
            self.store.unwanted_by(&accounts, group.name()).await?
        } else {
            BTreeSet::new()
        };
        let (mut told, mut further) = (Vec::new(), Vec::new());
        for account in accounts {
            let wants = |channel: &str| !unwanted.contains(&(account, channel.to_owned()));
            let locale = locales.get(&account).cloned().unwrap_or_default();
            let rendered = self.rendered(message, &locale, &data).await?;
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
            let copies = self.further(message, cause.as_ref(), account);
            further.extend(copies.filter(|copy| wants(&copy.message.channel)));
        }
        Ok(self.store.put_in_inbox(&told, &further).await?)
    }
}

fn id_in(payload: &Value, name: &str) -> Option<Uuid> {
    payload.get(name)?.as_str()?.parse().ok()
}
