//! Whether every message follows from an entry that stands.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::db::{Engine, Statement};
use crate::error::StoreError;
use crate::outbox::identity;

use super::{Check, PAGE, Place};

/// More messages than any entry causes.
const MOST_PER_ENTRY: usize = 10_000;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    seq: i64,
    channel: String,
    receiver: Option<Uuid>,
    payload: String,
    created_at: i64,
}

impl Row {
    /// Whether its identity says that it follows from the entry it names: by itself, as a copy of a
    /// message that does, as news for a webhook, or as the word that a webhook was disabled.
    fn follows(&self, journal: Uuid) -> bool {
        let payload: Json = serde_json::from_str(&self.payload).unwrap_or_default();
        let named = |key| payload.get(key)?.as_str()?.parse::<Uuid>().ok();
        let of_entry = |id| {
            (0..MOST_PER_ENTRY).any(|number| identity::of_fact(journal, self.seq, number) == id)
        };
        let told = self.receiver.is_some_and(|receiver| {
            identity::of_feed(receiver, journal, self.seq) == self.id
                || named("inbox").is_some_and(|inbox| {
                    identity::of_copy(inbox, &self.channel, receiver) == self.id && of_entry(inbox)
                })
        });
        let disabled = named("webhook")
            .is_some_and(|webhook| identity::of_disabling(webhook, self.created_at) == self.id);
        told || disabled || of_entry(self.id)
    }
}

impl Check<'_> {
    pub(super) async fn outbox(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let (mut after, mut stray) = (Uuid::nil(), 0);
        loop {
            let mut sql = Statement::new(
                "SELECT id, seq, channel, receiver, payload, created_at FROM outbox WHERE journal = ",
            );
            sql.bind(self.journal).push(" AND id > ").bind(after);
            sql.push(" ORDER BY id LIMIT ").bind(i64::from(PAGE));
            let page: Vec<Row> = sql.fetch_all(engine).await?;
            for row in &page {
                let stands = (1..=self.last.seq).contains(&row.seq);
                stray += u64::from(!stands || !row.follows(self.journal));
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = last.id,
                _ => break,
            }
        }
        if stray > 0 {
            self.found(
                Place::Outbox,
                format!("{stray} message(s) without the entry that caused them"),
            );
        }
        Ok(())
    }
}
