//! Addresses that take no letters: noted once, told to their owner in the inbox, and written to no more
//! until they are changed or confirmed.

use fundcycle_core::time::Timestamp;
use fundcycle_store::credential::email_key;
use fundcycle_store::failing::FailingAddress;
use fundcycle_store::outbox::identity::Cause;
use fundcycle_store::outbox::{DeskRow, OutboxMessage, OutboxRow};
use fundcycle_store::{Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::EMAIL;
use super::bounce::{NoReport, Report, Verdict, read};
use super::identity::LETTER_SECRET;
use crate::message::INBOX;

/// The message to whoever has an address that takes no letters. Told in the inbox alone.
pub const FAILS: &str = "email.fails";

/// Letters that waited for longer are not sent any more, in milliseconds: the inbox has had them for long.
pub(super) const PATIENCE: i64 = 30 * 86_400_000;

/// Where a letter stands in the record: what is told of it stands there, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) id: Uuid,
    pub(super) journal: Uuid,
    pub(super) seq: i64,
    pub(super) account: Uuid,
}

/// Notes that `address`, to which `letter` was written, takes no letters. False where that was known.
pub(super) async fn note(
    store: &Store,
    letter: Letter,
    address: &str,
    because: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let cause = Cause::Bounced {
        letter: letter.id,
        at: now.0,
    };
    let told = OutboxRow {
        journal: letter.journal,
        id: cause.identity(),
        seq: letter.seq,
        message: OutboxMessage {
            channel: INBOX.to_owned(),
            topic: FAILS.to_owned(),
            receiver: Some(letter.account),
            payload: json!({ "data": { "address": address, "because": because }, "cause": cause }),
        },
        created_at: now.0,
        due_at: now.0,
    };
    let failing = FailingAddress {
        account: letter.account,
        address: email_key(address),
        since: now.0,
        letter: letter.id,
        because: because.to_owned(),
    };
    store.address_fails(&failing, &told).await
}

/// What became of a message that may be a report of delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing follows from it.
    Nothing(NoReport),
    /// The letter is given up; its address may be well.
    Letter(Report),
    /// The letter is given up, and its address takes no more.
    Address(Report),
}

/// Takes in a message that came to the mailbox of the sender. The same one twice is taken in once.
///
/// # Errors
///
/// Where the database fails: then it has to be given again.
pub async fn take_in(store: &Store, raw: &[u8], now: Timestamp) -> Result<Taken, StoreError> {
    let secret = store.secret(LETTER_SECRET).await?;
    let report = match read(raw, &secret) {
        Ok(report) => report,
        Err(nothing) => return Ok(Taken::Nothing(nothing)),
    };
    let row = store.outbox_row(report.letter).await?;
    let found = row.as_ref().and_then(letter);
    let Some(letter) = found else {
        return Ok(Taken::Nothing(NoReport::UnknownLetter));
    };
    store.came_back(letter.id, EMAIL, &report.said, now).await?;
    let person = store.credential(letter.account).await?;
    let current = person.is_some_and(|one| email_key(&one.email) == email_key(&report.address));
    if report.verdict != Verdict::Address || !current {
        return Ok(Taken::Letter(report));
    }
    note(store, letter, &report.address, &report.said, now).await?;
    Ok(Taken::Address(report))
}

fn letter(row: &DeskRow) -> Option<Letter> {
    Some(Letter {
        id: row.id,
        journal: row.journal,
        seq: row.seq,
        account: row.receiver.filter(|_| row.channel == EMAIL)?,
    })
}

/// The person's own word that their address works again: what waited for it is sent. Gives how many
/// letters those are.
///
/// # Errors
///
/// Where the database fails.
pub async fn works_again(store: &Store, account: Uuid, now: Timestamp) -> Result<u64, StoreError> {
    let after = Timestamp(now.0.saturating_sub(PATIENCE));
    store.address_works(account, EMAIL, after, now).await
}
