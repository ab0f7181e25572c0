//! Addresses that take no letters, until they are changed or their owner says that they work again.

use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::outbox::{self, OutboxRow};
use crate::store::Store;

/// An address from which a letter came back for good.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FailingAddress {
    /// Whose it is.
    pub account: Uuid,
    /// The address as it is compared; once the person has another one, this says nothing any more.
    pub address: String,
    /// Since when, in Unix milliseconds.
    pub since: i64,
    /// The letter that came back.
    pub letter: Uuid,
    /// What the server said.
    pub because: String,
}

impl Store {
    /// Notes that an address takes no letters, and queues what its owner is told of it. False where that
    /// is known already: then nothing changes.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing is written.
    pub async fn address_fails(
        &self,
        failing: &FailingAddress,
        told: &OutboxRow,
    ) -> Result<bool, StoreError> {
        let FailingAddress {
            account,
            address,
            since,
            letter,
            because,
        } = failing;
        let mut tx = self.pool().write().await?;
        let written = async {
            let new = execute!(
                &mut tx.engine(),
                "INSERT INTO failing_address (account, address, since, letter, because) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (account) DO UPDATE
                 SET address = excluded.address, since = excluded.since, letter = excluded.letter, because = excluded.because
                 WHERE failing_address.address <> excluded.address",
                account,
                address.as_str(),
                since,
                letter,
                because.as_str()
            )? > 0;
            if new {
                outbox::insert(&mut tx.engine(), std::slice::from_ref(told)).await?;
            }
            Ok::<bool, sqlx::Error>(new)
        }
        .await;
        match written {
            Ok(new) => {
                tx.commit().await?;
                Ok(new)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    /// The address of `account` that takes no letters, if one is known.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn failing_address(
        &self,
        account: Uuid,
    ) -> Result<Option<FailingAddress>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_optional!(
            &mut reader.engine(),
            FailingAddress,
            "SELECT account, address, since, letter, because FROM failing_address WHERE account = $1",
            account
        )?)
    }

    /// Every address that people have and that takes no letters, longest first.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn failing_addresses(&self) -> Result<Vec<FailingAddress>, StoreError> {
        let mut reader = self.pool().reader().await?;
        Ok(fetch_all!(
            &mut reader.engine(),
            FailingAddress,
            "SELECT f.account, f.address, f.since, f.letter, f.because FROM failing_address f
             JOIN credential c ON c.account = f.account AND c.email_key = f.address ORDER BY f.since, f.account"
        )?)
    }

    /// Forgets that the address of `account` takes no letters: those on `channel` that waited for it or
    /// came back are due now, of what was queued after `after`. Gives how many.
    ///
    /// # Errors
    ///
    /// Where the database fails; then nothing changes.
    pub async fn address_works(
        &self,
        account: Uuid,
        channel: &str,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.pool().write().await?;
        let done = async {
            execute!(
                &mut tx.engine(),
                "DELETE FROM failing_address WHERE account = $1",
                account
            )?;
            execute!(
                &mut tx.engine(),
                "UPDATE outbox SET lease_until = $1, attempts = 0, dead_at = NULL
                 WHERE receiver = $2 AND channel = $3 AND created_at > $4 AND error IS NOT NULL
                   AND delivered_at IS NULL AND cancelled_at IS NULL",
                now.0,
                account,
                channel,
                after.0
            )
        }
        .await;
        match done {
            Ok(due) => {
                tx.commit().await?;
                Ok(due)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    /// Notes that a letter which was handed over came back: it is given up. False where there is no such
    /// letter, or it is known.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn came_back(
        &self,
        letter: Uuid,
        channel: &str,
        because: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writer = self.pool().writer().await?;
        let done = execute!(
            &mut writer.engine(),
            "UPDATE outbox SET dead_at = $1, delivered_at = NULL, error = $2
             WHERE id = $3 AND channel = $4 AND delivered_at IS NOT NULL",
            now.0,
            outbox::shortened(because),
            letter,
            channel
        )?;
        Ok(done > 0)
    }
}
