//! One writer per journal: what waits is decided in order and committed together.

mod batch;
mod decide;
mod head;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::db::{CommitError, Pool, Tx, worth_retrying};
use crate::error::StoreError;
use crate::store::Options;
use crate::submission::{Answer, ExecuteError, Submission};
use batch::Batch;

/// Commands per transaction.
const MAX_BATCH: usize = 256;
/// How often a transaction is done again after a deadlock, or when it turns out to touch more journals.
const MAX_ATTEMPTS: usize = 8;

/// A command with where its answer goes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) submission: Submission,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// What a command ends with.
pub(crate) type Outcome = Result<Answer, ExecuteError>;

/// What every writer shares.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) pool: Pool,
    pub(crate) options: Options,
    /// Set after a commit that the embedded database did not confirm.
    halted: AtomicBool,
    /// How far each journal is known to be committed, for those who follow it.
    pub(crate) heads: watch::Sender<BTreeMap<Uuid, i64>>,
}

/// Why a transaction came to nothing.
enum Failure {
    /// Undone. It has to be done again with these journals locked too.
    Locks(BTreeSet<Uuid>),
    /// Undone. The same again may succeed.
    Retry(StoreError),
    /// Undone.
    Store(StoreError),
    /// Done or not, nobody knows.
    Unknown(sqlx::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Engine(error) => error.into(),
            error @ StoreError::Corrupt { .. } => Self::Store(error),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if worth_retrying(&error) {
            Self::Retry(error.into())
        } else {
            Self::Store(error.into())
        }
    }
}

/// Empties the queue of `journal` until nobody can send to it any more.
pub(crate) async fn run(core: Arc<Core>, journal: Uuid, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(MAX_BATCH);
    while jobs.recv_many(&mut waiting, MAX_BATCH).await > 0 {
        let (submissions, replies): (Vec<_>, Vec<_>) = waiting
            .drain(..)
            .map(|job| (job.submission, job.reply))
            .unzip();
        let outcomes = core.commit_all(journal, &submissions).await;
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            // The asker may have gone; what is committed stays committed.
            drop(reply.send(outcome));
        }
    }
}

impl Core {
    pub(crate) fn new(pool: Pool, options: Options) -> Self {
        Self {
            pool,
            options,
            halted: AtomicBool::new(false),
            heads: watch::Sender::default(),
        }
    }

    /// Notes that journals are committed up to these entries, and wakes who follows them.
    pub(crate) fn committed(&self, heads: &BTreeMap<Uuid, i64>) {
        self.heads.send_if_modified(|known| {
            let mut grown = false;
            for (journal, seq) in heads {
                let before = known.entry(*journal).or_default();
                grown |= *before < *seq;
                *before = (*before).max(*seq);
            }
            grown
        });
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    /// The outcome of each submission, in order.
    async fn commit_all(&self, journal: Uuid, submissions: &[Submission]) -> Vec<Outcome> {
        match self.commit(journal, submissions).await {
            Ok(outcomes) => outcomes,
            // One command that the database cannot take must not take the others with it.
            Err(Failure::Store(
                StoreError::Corrupt { .. } | StoreError::Engine(sqlx::Error::Database(_)),
            )) if submissions.len() > 1 => {
                let mut outcomes = Vec::with_capacity(submissions.len());
                for submission in submissions {
                    let one = std::slice::from_ref(submission);
                    match self.commit(journal, one).await {
                        Ok(one) => outcomes.extend(one),
                        Err(failure) => outcomes.extend(self.failed(failure, 1)),
                    }
                }
                outcomes
            }
            Err(failure) => self.failed(failure, submissions.len()),
        }
    }

    /// The same bad news for everyone.
    fn failed(&self, failure: Failure, count: usize) -> Vec<Outcome> {
        let error = match failure {
            Failure::Unknown(error) => {
                tracing::error!(%error, "a commit was not confirmed");
                if matches!(self.pool, Pool::Sqlite { .. }) {
                    self.halted.store(true, Ordering::Release);
                }
                ExecuteError::UnknownOutcome
            }
            Failure::Locks(_) => ExecuteError::Overloaded,
            Failure::Retry(error) | Failure::Store(error) => {
                tracing::error!(%error, "a batch of commands was undone");
                ExecuteError::Store(Arc::new(error))
            }
        };
        vec![Err(error); count]
    }

    /// One transaction for all submissions, done again as often as it makes sense.
    async fn commit(
        &self,
        journal: Uuid,
        submissions: &[Submission],
    ) -> Result<Vec<Outcome>, Failure> {
        if self.is_halted() {
            return Ok(vec![Err(ExecuteError::Halted); submissions.len()]);
        }
        // Sorted, and locked in this order: the registry, all zeros, comes first.
        let mut locks = BTreeSet::from([journal]);
        for attempt in 1.. {
            let failure = match self.attempt(journal, &locks, submissions).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(failure) => failure,
            };
            match failure {
                Failure::Locks(more) if attempt < MAX_ATTEMPTS => locks.extend(more),
                Failure::Retry(error) if attempt < MAX_ATTEMPTS => {
                    tracing::debug!(%error, attempt, "once more");
                }
                failure => return Err(failure),
            }
        }
        Err(Failure::Locks(locks))
    }

    async fn attempt(
        &self,
        journal: Uuid,
        locks: &BTreeSet<Uuid>,
        submissions: &[Submission],
    ) -> Result<Vec<Outcome>, Failure> {
        let mut tx = self.pool.write().await?;
        let decided = self.decide(&mut tx, journal, locks, submissions).await;
        match decided {
            Ok((outcomes, Some(heads))) => match tx.commit().await {
                Ok(()) => {
                    self.committed(&heads);
                    Ok(outcomes)
                }
                Err(CommitError::NotDone(error)) => Err(error.into()),
                Err(CommitError::Unknown(error)) => Err(Failure::Unknown(error)),
            },
            Ok((outcomes, None)) => {
                tx.rollback().await;
                Ok(outcomes)
            }
            Err(failure) => {
                tx.rollback().await;
                Err(failure)
            }
        }
    }

    /// Decides and writes, short of the commit. Says how far the journals are then, if there is
    /// anything to commit.
    async fn decide(
        &self,
        tx: &mut Tx,
        journal: Uuid,
        locks: &BTreeSet<Uuid>,
        submissions: &[Submission],
    ) -> Result<(Vec<Outcome>, Option<BTreeMap<Uuid, i64>>), Failure> {
        let heads = head::lock(&mut tx.engine(), locks).await?;
        let mut batch = Batch::new(&self.options, journal, heads);
        batch.prepare(&mut tx.engine(), submissions).await?;
        for (place, submission) in submissions.iter().enumerate() {
            batch.take(&mut tx.engine(), place, submission).await?;
        }
        batch.show(&mut tx.engine(), submissions).await?;
        let anything = batch.write(&mut tx.engine()).await?;
        let heads = anything.then(|| {
            let heads = batch.heads.iter();
            heads.map(|(journal, head)| (*journal, head.seq)).collect()
        });
        Ok((batch.outcomes(), heads))
    }
}

#[cfg(test)]
mod tests;
