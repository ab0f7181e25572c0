//! What waits for staff and what they have to look at, once on each working day, and only where there is
//! something.

use std::collections::BTreeMap;

use fundcycle_core::account::{self, Account};
use fundcycle_core::actor::{Grant, Role, Scope};
use fundcycle_core::aggregate::{REGISTRY, Stored as _};
use fundcycle_core::calendar::DayKind;
use fundcycle_core::flag::{FLAGGED, Flag, flags};
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::reminder::{DESK, digest_is_due, staff_due};
use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::identity::Cause;
use fundcycle_store::outbox::{OutboxMessage, OutboxRow};
use fundcycle_store::{Store, StoreError};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::message::INBOX;
use crate::reminders::{UnderWay, cycles_under_way, queue_new};

/// The kind of message.
pub const DIGEST: &str = "staff.digest";

/// Queues the digest of the day for the staff of every cycle where it is due; gives how many.
///
/// # Errors
///
/// Where the database fails.
pub async fn queue_due(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut queued = 0;
    for one in cycles_under_way(store).await? {
        let today = now.date_in(&one.policy.zone());
        if !digest_is_due(&one.policy, now, is_working_day(store, today)) {
            continue;
        }
        // Looked at once a day; the identities keep it single even so.
        let (mark, date) = (format!("digest {}", one.id), today.to_string());
        if store.setting(&mark).await?.as_ref() == Some(&date) {
            continue;
        }
        queued += queue(store, &one, &date, now).await?;
        store.set_setting(&mark, &date).await?;
    }
    Ok(queued)
}

/// Monday to Friday in a year whose calendar is not known yet.
fn is_working_day(store: &Store, date: Date) -> bool {
    use jiff::civil::Weekday::{Saturday, Sunday};
    store.working_days().day_kind(date).map_or_else(
        |_| !matches!(date.weekday(), Saturday | Sunday),
        |kind| matches!(kind, DayKind::Working | DayKind::MakeUpWorking),
    )
}

async fn queue(
    store: &Store,
    one: &UnderWay,
    date: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut lines = lines(store, one, now).await?;
    lines.extend(flagged(store, one, now).await?);
    if lines.is_empty() {
        return Ok(0);
    }
    let heads = store.journals().await?;
    let seq = heads.get(&one.id).copied().unwrap_or(1);
    let data = json!({ "cycle": one.cycle.name, "date": date, "lines": lines });
    let rows = staff(store, one.id).await?.into_iter().map(|account| {
        let cause = Cause::Digest {
            cycle: one.id,
            account,
            date: date.to_owned(),
        };
        OutboxRow {
            journal: one.id,
            id: cause.identity(),
            seq,
            message: OutboxMessage {
                channel: INBOX.to_owned(),
                topic: DIGEST.to_owned(),
                receiver: Some(account),
                payload: json!({ "kind": Kind::Cycle, "subject": one.id, "data": data, "cause": cause }),
            },
            created_at: now.0,
            due_at: now.0,
        }
    });
    queue_new(store, one.id, rows.collect()).await
}

/// What waits, by the kind of work: how much, and how much of it is late.
async fn lines(store: &Store, one: &UnderWay, now: Timestamp) -> Result<Vec<Value>, StoreError> {
    let mut lines = Vec::new();
    for (kind, stages, zh, en) in DESK {
        let waiting = store.in_stages(one.id, *kind, stages).await?;
        if waiting.is_empty() {
            continue;
        }
        let due = waiting.iter().filter_map(staff_due);
        let (count, late) = (waiting.len(), due.filter(|due| *due < now).count());
        lines.push(json!({ "zh": zh, "en": en, "count": count, "late": late }));
    }
    Ok(lines)
}

/// What is to be looked at, by the reason: how much.
async fn flagged(store: &Store, one: &UnderWay, now: Timestamp) -> Result<Vec<Value>, StoreError> {
    let today = now.date_in(&one.policy.zone());
    let mut counts: BTreeMap<Flag, usize> = BTreeMap::new();
    for (kind, stages) in FLAGGED {
        for state in store.in_stages(one.id, *kind, stages).await? {
            for flag in flags(&state, today) {
                *counts.entry(flag).or_default() += 1;
            }
        }
    }
    let lines = counts.into_iter().map(|(flag, count)| {
        let en = flag.summary().trim_end_matches('.').to_lowercase();
        json!({ "zh": flag.zh(), "en": en, "count": count, "late": 0 })
    });
    Ok(lines.collect())
}

/// The active accounts that run this cycle.
async fn staff(store: &Store, cycle: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let grant = Grant {
        role: Role::Staff,
        scope: Scope::Cycle(cycle),
    };
    let active = [account::Stage::Active.name()];
    let accounts = store.in_stages(REGISTRY, Kind::Account, &active).await?;
    Ok(accounts
        .iter()
        .filter_map(Account::of)
        .filter(|one| one.data.grants.contains(&grant))
        .map(|one| one.id)
        .collect())
}
