//! The identities of messages. Each follows from what caused the message, so that writing it twice
//! writes it once, a receiver can tell a repetition, and a check finds one that nothing caused.

use fundcycle_core::aggregate::derived_id;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

/// Why the service tells somebody something of its own accord, without a fact. It stands in the
/// message, under `cause`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A deadline comes nearer.
    Reminder {
        /// Of which record.
        record: Uuid,
        /// What is to be done.
        item: String,
        /// Which of its reminders, in hours before the deadline.
        hours: u32,
        /// The deadline, in Unix milliseconds: once it moves, there are other reminders.
        due: i64,
    },
    /// A day has begun on which something waits.
    Digest {
        /// In which cycle.
        cycle: Uuid,
        /// For whom.
        account: Uuid,
        /// Which day.
        date: String,
    },
    /// A letter came back, and its address takes no more.
    Bounced {
        /// Which letter.
        letter: Uuid,
        /// When that was known, in Unix milliseconds.
        at: i64,
    },
    /// A webhook was disabled.
    Disabled {
        /// Which.
        webhook: Uuid,
        /// When, in Unix milliseconds.
        at: i64,
    },
}

impl Cause {
    /// The cause that a message names.
    pub fn of(payload: &Json) -> Option<Self> {
        Self::deserialize(payload.get("cause")?).ok()
    }

    /// The identity of the message.
    pub fn identity(&self) -> Uuid {
        match self {
            Self::Reminder {
                record,
                item,
                hours,
                due,
            } => derived_id(*record, &format!("reminder {item} {hours} {due}")),
            Self::Digest {
                cycle,
                account,
                date,
            } => derived_id(*cycle, &format!("digest {date} {account}")),
            Self::Bounced { letter, at } => derived_id(*letter, &format!("bounced {at}")),
            Self::Disabled { webhook, at } => derived_id(*webhook, &format!("disabled {at}")),
        }
    }
}

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
