//! Tries to sign in, counted before the password is looked at, so that many at once do not slip
//! through; and taken back where it was right. The same happens to an address that has no account.

use fundcycle_core::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::db::Engine;
use crate::error::StoreError;
use crate::store::Store;

/// After how many failures there is a wait, and how long it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Patience {
    free: i64,
    /// In ms.
    longest: i64,
}

/// One person from one network: whoever mistypes waits half a minute after the fifth time.
const PAIR: Patience = Patience {
    free: 5,
    longest: 60 * MINUTE,
};
/// One person from anywhere: guesses from many networks. Networks from which the person has signed in
/// do not wait for it, or anybody could keep anybody out.
const PERSON: Patience = Patience {
    free: 50,
    longest: 60 * MINUTE,
};
/// Anybody from one network: one password tried on many people.
const NETWORK: Patience = Patience {
    free: 300,
    longest: 15 * MINUTE,
};

const MINUTE: i64 = 60_000;
/// The first wait; each later one is twice as long.
const FIRST_WAIT: i64 = MINUTE / 2;
/// Failures are forgotten so long after the last.
const FORGOTTEN_AFTER: i64 = 24 * 60 * MINUTE;
/// Days for which it is known that a person signed in from a network.
const KNOWN_DAYS: i64 = 90;

/// Somebody who tries to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pair: [u8; 32],
    person: [u8; 32],
    network: [u8; 32],
}

/// What is kept of one thing that is counted.
struct Row {
    failures: i64,
    at: i64,
    shut_until: i64,
    succeeded_at: Option<i64>,
}

impl Attempt {
    /// As the person that `email` names, known or not, from `network`.
    pub fn new(email: &str, network: &str) -> Self {
        let email = crate::credential::email_key(email);
        let hash = |of: &[&str]| Sha256::digest(of.join("\0")).into();
        Self {
            pair: hash(&["pair", &email, network]),
            person: hash(&["person", &email]),
            network: hash(&["network", network]),
        }
    }

    /// In the order in which they are locked: two tries cannot wait for each other.
    const fn counted(&self) -> [(&[u8; 32], Patience); 3] {
        [
            (&self.pair, PAIR),
            (&self.person, PERSON),
            (&self.network, NETWORK),
        ]
    }
}

impl Patience {
    /// For how long after the last of so many failures nothing is looked at, in ms.
    fn wait(self, failures: i64) -> i64 {
        let over = failures.saturating_sub(self.free);
        if over < 0 {
            return 0;
        }
        // Doubled thirty times it is longer than any longest.
        FIRST_WAIT
            .saturating_mul(1 << over.min(30))
            .min(self.longest)
    }
}

/// Locks the row, making it where there is none.
async fn lock(engine: &mut Engine<'_>, who: &[u8; 32], now: Timestamp) -> Result<Row, sqlx::Error> {
    let rows = fetch_all!(
        engine,
        (i64, i64, i64, Option<i64>),
        "INSERT INTO sign_in_try (who, failures, at, shut_until) VALUES ($1, 0, $2, 0)
         ON CONFLICT (who) DO UPDATE SET failures = sign_in_try.failures
         RETURNING failures, at, shut_until, succeeded_at",
        who.to_vec(),
        now.0
    )?;
    let (failures, at, shut_until, succeeded_at) =
        rows.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let forgotten = at < now.0 - FORGOTTEN_AFTER;
    Ok(Row {
        failures: if forgotten { 0 } else { failures },
        at,
        shut_until,
        succeeded_at,
    })
}

async fn keep(engine: &mut Engine<'_>, who: &[u8; 32], row: &Row) -> Result<(), sqlx::Error> {
    execute!(
        engine,
        "UPDATE sign_in_try SET failures = $1, at = $2, shut_until = $3, succeeded_at = $4 WHERE who = $5",
        row.failures,
        row.at,
        row.shut_until,
        row.succeeded_at,
        who.to_vec()
    )
    .map(drop)
}

impl Store {
    /// Counts a try as failed until [`Store::signed_in`] or [`Store::take_back`] says otherwise. Gives
    /// the time before which none is looked at, where there were too many; then it is not counted.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn try_sign_in(
        &self,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tx = self.pool().write().await?;
        let mut rows = Vec::new();
        for (who, patience) in attempt.counted() {
            rows.push((who, patience, lock(&mut tx.engine(), who, now).await?));
        }
        let known_since = now.plus_days(-KNOWN_DAYS).0;
        let known = rows
            .iter()
            .any(|(_, _, row)| row.succeeded_at.is_some_and(|at| at >= known_since));
        let shut = rows
            .iter()
            .filter(|(who, _, _)| !known || **who == attempt.pair)
            .map(|(_, _, row)| row.shut_until)
            .max()
            .filter(|until| *until > now.0);
        if let Some(until) = shut {
            tx.rollback().await;
            return Ok(Some(Timestamp(until)));
        }
        for (who, patience, mut row) in rows {
            row.failures += 1;
            row.at = now.0;
            row.shut_until = now.0 + patience.wait(row.failures);
            keep(&mut tx.engine(), who, &row).await?;
        }
        tx.commit().await?;
        Ok(None)
    }

    /// The try was right: the person is known there, and what they mistyped is forgotten.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn signed_in(&self, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        self.settle_try(attempt, now, true).await
    }

    /// The try was neither right nor wrong.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn take_back(&self, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        self.settle_try(attempt, now, false).await
    }

    async fn settle_try(
        &self,
        attempt: &Attempt,
        now: Timestamp,
        right: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool().write().await?;
        for (who, patience) in attempt.counted() {
            let mut row = lock(&mut tx.engine(), who, now).await?;
            row.failures = (row.failures - 1).max(0);
            if right && *who == attempt.pair {
                row.failures = 0;
                row.succeeded_at = Some(now.0);
            }
            if patience.wait(row.failures) == 0 {
                row.shut_until = 0;
            }
            keep(&mut tx.engine(), who, &row).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets what no longer counts; gives how many rows.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn forget_tries(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut writer = self.pool().writer().await?;
        Ok(execute!(
            &mut writer.engine(),
            "DELETE FROM sign_in_try WHERE at < $1 AND (succeeded_at IS NULL OR succeeded_at < $2)",
            now.0 - FORGOTTEN_AFTER,
            now.plus_days(-KNOWN_DAYS).0
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_the_free_failures_and_double_up_to_the_longest() {
        let seconds: Vec<i64> = (3..15)
            .map(|failures| PAIR.wait(failures) / 1_000)
            .collect();
        assert_eq!(
            seconds,
            [0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]
        );
        assert_eq!(PERSON.wait(i64::MAX), 60 * MINUTE);
        assert_eq!(NETWORK.wait(299), 0);
    }

    #[test]
    fn what_is_counted_does_not_depend_on_how_an_address_is_written() {
        assert_eq!(
            Attempt::new(" A@Example.org", "x"),
            Attempt::new("a@example.org", "x")
        );
        assert_ne!(
            Attempt::new("a@example.org", "x"),
            Attempt::new("a@example.org", "y")
        );
    }
}
