//! Leases what is due and hands it to its channel; any number of workers and instances may do so at once.

use std::collections::BTreeMap;

use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::{Ending, Leased, Settled};
use fundcycle_store::{Store, StoreError};
use futures_util::stream::{self, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{self, UnboundedSender};
use uuid::Uuid;

use crate::channel::{Channel, ChannelError};

/// How long a worker may take over what it leased, in milliseconds.
const LEASE: i64 = 120_000;
/// Nothing is begun when less of the lease is left, in milliseconds: longer than any attempt takes.
const MARGIN: i64 = 45_000;
/// How long what is held rests until it is looked at again, in milliseconds.
const HELD: i64 = 86_400_000;
/// How many messages are leased at a time.
const BATCH: u32 = 200;
/// How many endings are noted in one transaction at most.
const NOTED: usize = 100;
/// The time over which the rate of a receiver is counted, in milliseconds.
const MINUTE: i64 = 60_000;

/// What time it is, asked again and again.
pub type Now<'a> = &'a (dyn Fn() -> Timestamp + Send + Sync);

/// Delivers what is due on `channel`, one batch; gives how many messages were due.
///
/// Each ending is noted within moments, so that a crash repeats little, and always under the same
/// identity.
///
/// # Errors
///
/// Where the database fails; what was leased then falls due again.
pub async fn deliver_due(
    store: &Store,
    channel: &dyn Channel,
    clock: Now<'_>,
) -> Result<usize, StoreError> {
    channel.feed().await?;
    let now = clock();
    let until = Timestamp(now.0.saturating_add(LEASE));
    let leased = store.lease(channel.name(), now, until, BATCH).await?;
    let due = leased.len();
    let (leased, postponed) = within_rate(store, channel, leased, now).await?;
    store.settle(&postponed, now).await?;

    let (ended, mut endings) = mpsc::unbounded_channel();
    let groups = by_receiver(leased);
    let work = async move {
        let ended = &ended;
        stream::iter(groups)
            .for_each_concurrent(channel.pace().at_once, |group| {
                deliver_in_order(channel, group, until, clock, ended)
            })
            .await;
    };
    let note = async {
        let mut chunk = Vec::new();
        while endings.recv_many(&mut chunk, NOTED).await > 0 {
            store.settle(&chunk, clock()).await?;
            chunk.clear();
        }
        Ok::<(), StoreError>(())
    };
    let ((), noted) = tokio::join!(work, note);
    noted?;
    Ok(due)
}

/// Parts what may be tried now from what would be too much for its receiver.
async fn within_rate(
    store: &Store,
    channel: &dyn Channel,
    leased: Vec<Leased>,
    now: Timestamp,
) -> Result<(Vec<Leased>, Vec<Settled>), StoreError> {
    let Some(most) = channel.pace().per_minute else {
        return Ok((leased, Vec::new()));
    };
    let mut own: BTreeMap<Uuid, i64> = BTreeMap::new();
    for receiver in leased.iter().filter_map(|one| one.receiver) {
        *own.entry(receiver).or_default() += 1;
    }
    let receivers: Vec<Uuid> = own.keys().copied().collect();
    let since = Timestamp(now.0.saturating_sub(MINUTE));
    let tried: BTreeMap<Uuid, i64> = store
        .tried_since(channel.name(), &receivers, since)
        .await?
        .into_iter()
        .collect();
    // What others tried, or are about to try, comes first: together all instances stay within the rate.
    let mut left: BTreeMap<Uuid, i64> = own
        .into_iter()
        .map(|(receiver, own)| {
            let others = tried.get(&receiver).copied().unwrap_or(own) - own;
            (receiver, (most - others).max(0))
        })
        .collect();
    let (mut allowed, mut postponed) = (Vec::new(), Vec::new());
    for message in leased {
        match message
            .receiver
            .and_then(|receiver| left.get_mut(&receiver))
        {
            Some(0) => postponed.push(settled(
                &message,
                Ending::Untried {
                    at: Timestamp(now.0.saturating_add(MINUTE)),
                },
            )),
            Some(left) => {
                *left -= 1;
                allowed.push(message);
            }
            None => allowed.push(message),
        }
    }
    Ok((allowed, postponed))
}

/// The messages to each receiver in the order of their facts; those to no single one each by itself.
fn by_receiver(leased: Vec<Leased>) -> Vec<Vec<Leased>> {
    let mut groups: BTreeMap<Uuid, Vec<Leased>> = BTreeMap::new();
    for message in leased {
        groups
            .entry(message.receiver.unwrap_or(message.id))
            .or_default()
            .push(message);
    }
    let mut groups: Vec<Vec<Leased>> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|one| (one.created_at, one.journal, one.seq));
    }
    groups
}

async fn deliver_in_order(
    channel: &dyn Channel,
    group: Vec<Leased>,
    until: Timestamp,
    clock: Now<'_>,
    ended: &UnboundedSender<Settled>,
) {
    // Nobody listens where the database failed: then the leases run out.
    let tell = |message: &Leased, ending| drop(ended.send(settled(message, ending)));
    let mut postponed = None;
    for message in &group {
        let now = clock();
        if postponed.is_none() && now.0.saturating_add(MARGIN) > until.0 {
            postponed = Some(now);
        }
        if let Some(at) = postponed {
            tell(message, Ending::Untried { at });
            continue;
        }
        let ending = ending(channel, message, channel.deliver(message, now).await, now);
        // Whoever cannot take this one now will not take the next one either.
        if let Ending::Again { at, .. } = &ending {
            postponed = Some(*at);
        }
        tell(message, ending);
    }
}

fn ending(
    channel: &dyn Channel,
    message: &Leased,
    outcome: Result<(), ChannelError>,
    now: Timestamp,
) -> Ending {
    let (outcome, ending) = match outcome {
        Ok(()) => ("delivered", Ending::Delivered),
        Err(ChannelError::Moot(reason)) => ("cancelled", Ending::Cancelled { reason }),
        Err(ChannelError::Never(error)) => ("dead", Ending::Dead { error }),
        Err(ChannelError::Held(reason)) => {
            let at = Timestamp(now.0.saturating_add(HELD));
            ("held", Ending::Held { at, reason })
        }
        Err(ChannelError::Later(error)) => match channel.wait_after(message.attempts) {
            Some(wait) => {
                let at = now
                    .0
                    .saturating_add(jittered(wait, message.id, message.attempts));
                (
                    "failed",
                    Ending::Again {
                        at: Timestamp(at),
                        error,
                    },
                )
            }
            None => ("dead", Ending::Dead { error }),
        },
    };
    let channel = channel.name();
    metrics::counter!("fundcycle_messages_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
    // What a receiver says may name a person: it stands in the outbox, not in the log.
    if matches!(outcome, "failed" | "dead") {
        tracing::warn!(channel, topic = %message.topic, id = %message.id, attempts = message.attempts, outcome, "not delivered");
    }
    ending
}

/// `wait`, shorter or longer by up to a fifth: different for each message and attempt, so that what
/// failed together does not come back together, and always the same for one.
fn jittered(wait: i64, id: Uuid, attempt: i64) -> i64 {
    let digest = Sha256::new()
        .chain_update(id.as_bytes())
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let fraction = digest
        .iter()
        .take(2)
        .fold(0_i64, |sum, byte| sum * 256 + i64::from(*byte));
    // 0 ..= 65,535 becomes -wait/5 ..= wait/5.
    wait - wait / 5 + (wait / 5 * 2).saturating_mul(fraction) / 65_535
}

fn settled(message: &Leased, ending: Ending) -> Settled {
    Settled {
        journal: message.journal,
        id: message.id,
        attempt: message.attempts,
        ending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_apart_by_up_to_a_fifth_and_the_same_each_time() {
        let waits: Vec<i64> = (0..200)
            .map(|id| jittered(10_000, Uuid::from_u128(id), 1))
            .collect();
        assert!(waits.iter().all(|wait| (8_000..=12_000).contains(wait)));
        assert!(waits.iter().max() > Some(&11_500) && waits.iter().min() < Some(&8_500));
        assert_eq!(waits[7], jittered(10_000, Uuid::from_u128(7), 1));
        assert_ne!(waits[7], jittered(10_000, Uuid::from_u128(7), 2));
    }
}
