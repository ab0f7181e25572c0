//! The identities of messages. Each follows from what caused the message, so that writing it twice
//! writes it once, a receiver can tell a repetition, and a check finds one that nothing caused.

use fundcycle_core::aggregate::derived_id;
use uuid::Uuid;

/// Of the `number`th message that a fact caused.
pub fn of_fact(journal: Uuid, seq: i64, number: usize) -> Uuid {
    derived_id(journal, &format!("message {seq} {number}"))
}

/// Of what `account` is told by `channel` of a message that stands.
pub fn of_copy(message: Uuid, channel: &str, account: Uuid) -> Uuid {
    derived_id(message, &format!("{channel} {account}"))
}

/// Of what a webhook is told of the fact at `seq`.
pub fn of_feed(webhook: Uuid, journal: Uuid, seq: i64) -> Uuid {
    derived_id(journal, &format!("webhook {webhook} {seq}"))
}

/// Of the word that a webhook was disabled, at this time in Unix milliseconds.
pub fn of_disabling(webhook: Uuid, at: i64) -> Uuid {
    derived_id(webhook, &format!("disabled {at}"))
}
