//! Whether every message follows from an entry that stands.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::db::{Engine, Statement};
use crate::error::StoreError;
use crate::outbox::identity::{self, Cause};

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
}

impl Row {
    /// Whether its identity says that it follows from the entry it names, or from what the service
    /// tells of its own accord: by itself, or as a copy of a message that does.
    fn follows(&self, journal: Uuid) -> bool {
        let payload: Json = serde_json::from_str(&self.payload).unwrap_or_default();
        let inbox = payload.get("inbox").and_then(Json::as_str);
        let copied = inbox
            .and_then(|id| id.parse().ok())
            .zip(self.receiver)
            .filter(|(inbox, receiver)| {
                identity::of_copy(*inbox, &self.channel, *receiver) == self.id
            });
        let original = copied.map_or(self.id, |(inbox, _)| inbox);
        let fed = self
            .receiver
            .is_some_and(|receiver| identity::of_feed(receiver, journal, self.seq) == self.id);
        fed || Cause::of(&payload).is_some_and(|cause| cause.identity() == original)
            || (0..MOST_PER_ENTRY)
                .any(|number| identity::of_fact(journal, self.seq, number) == original)
    }
}

impl Check<'_> {
    pub(super) async fn outbox(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let (mut after, mut stray) = (Uuid::nil(), 0);
        loop {
            let mut sql = Statement::new(
                "SELECT id, seq, channel, receiver, payload FROM outbox WHERE journal = ",
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
