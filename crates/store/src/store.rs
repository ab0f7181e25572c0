//! The store itself: opened once, shared by all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fundcycle_core::calendar::WorkingDayCalendar;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::db::{OpenError, Pool};
use crate::error::StoreError;
use crate::outbox::Messages;
use crate::schema::{self, SchemaState};
use crate::submission::{Answer, ExecuteError, Submission};
use crate::tree;
use crate::writer::{self, Core, Job};

/// Commands that may wait for one journal; more are turned away at once.
const QUEUE: usize = 1_024;

/// What a store needs from the rest of the program.
#[derive(Clone)]
pub struct Options {
    /// Working days, for decisions that count them.
    pub calendar: Arc<WorkingDayCalendar>,
    /// Who is told of what: asked once per fact, inside the transaction.
    pub messages: Messages,
}

impl Options {
    /// Without messages.
    pub fn silent(calendar: WorkingDayCalendar) -> Self {
        Self {
            calendar: Arc::new(calendar),
            messages: Arc::new(|_, _, _| Vec::new()),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}

/// Everything that is remembered. Cheap to clone; all clones are one store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    /// The queue of each journal that has been written to, with the task that empties it.
    writers: Mutex<BTreeMap<Uuid, Writer>>,
}

#[derive(Debug)]
struct Writer {
    queue: mpsc::Sender<Job>,
    task: JoinHandle<()>,
}

impl Store {
    /// Opens `url` (`sqlite:PATH` or `postgres://…`).
    ///
    /// # Errors
    ///
    /// [`OpenError`] where it cannot be reached, is damaged, could lose what it acknowledges, or
    /// has not exactly the schema of this program.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let pool = Pool::open(url, false).await?;
        schema::state(&pool).await?.require()?;
        let core = Arc::new(Core::new(pool, options));
        Ok(Self {
            inner: Arc::new(Inner {
                core,
                writers: Mutex::default(),
            }),
        })
    }

    /// Brings the schema at `url` up to date; creates the file of an embedded database.
    ///
    /// # Errors
    ///
    /// [`OpenError`] where it cannot be opened or the schema is newer than this program.
    pub async fn migrate(url: &str) -> Result<(), OpenError> {
        let pool = Pool::open(url, true).await?;
        let done = match schema::migrate(&pool).await {
            Ok(()) => tree::build_missing(&pool).await.map_err(OpenError::from),
            Err(error) => Err(error),
        };
        pool.close().await;
        done
    }

    /// How the schema at `url` relates to this program, for saying so before anything is done.
    ///
    /// # Errors
    ///
    /// [`OpenError`] where it cannot be opened.
    pub async fn schema_at(url: &str) -> Result<SchemaState, OpenError> {
        let pool = Pool::open(url, false).await?;
        let state = schema::state(&pool).await;
        pool.close().await;
        state
    }

    /// How the schema relates to this program now, for readiness.
    ///
    /// # Errors
    ///
    /// [`OpenError`] where the database does not answer.
    pub async fn schema_state(&self) -> Result<SchemaState, OpenError> {
        schema::state(self.pool()).await
    }

    /// Whether commands are still taken; false after a commit with an unknown outcome on SQLite,
    /// when only a restart shows what the disk holds.
    pub fn is_writable(&self) -> bool {
        !self.inner.core.is_halted()
    }

    /// Sends a command through the one door: decided in its journal's order, committed with
    /// others, answered when it is durable. Dropping the future does not cancel the command.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`]; only after [`ExecuteError::UnknownOutcome`] may it have happened.
    pub async fn execute(&self, submission: Submission) -> Result<Answer, ExecuteError> {
        let (reply, answer) = oneshot::channel();
        self.queue(submission.request.journal)
            .try_send(Job { submission, reply })
            .map_err(|_| ExecuteError::Overloaded)?;
        // A writer that died can have died on either side of the commit.
        answer.await.unwrap_or(Err(ExecuteError::UnknownOutcome))
    }

    /// Lets what is queued finish, then closes all connections. Commands sent later are refused.
    pub async fn close(&self) {
        let writers = std::mem::take(
            &mut *self
                .inner
                .writers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for Writer { queue, task } in writers.into_values() {
            drop(queue);
            if let Err(error) = task.await {
                tracing::error!(%error, "a journal's writer had failed");
            }
        }
        self.pool().close().await;
    }

    /// How far each journal is known to be committed; told of whatever this store commits at once, and
    /// of what other instances commit when somebody [looks](Self::look_for_commits).
    pub fn heads(&self) -> watch::Receiver<BTreeMap<Uuid, i64>> {
        self.inner.core.heads.subscribe()
    }

    /// Looks for what other instances have committed, if anybody follows the journals here.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn look_for_commits(&self) -> Result<(), StoreError> {
        let core = &self.inner.core;
        if core.heads.receiver_count() > 0 {
            core.committed(&self.journals().await?);
        }
        Ok(())
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.core.pool
    }

    pub(crate) fn calendar(&self) -> &WorkingDayCalendar {
        &self.inner.core.options.calendar
    }

    /// The queue of a journal; its writer is started on first use, and again should it ever die.
    fn queue(&self, journal: Uuid) -> mpsc::Sender<Job> {
        let mut writers = self
            .inner
            .writers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writers
            .get(&journal)
            .filter(|writer| !writer.queue.is_closed())
        {
            return writer.queue.clone();
        }
        let (queue, jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(writer::run(self.inner.core.clone(), journal, jobs));
        writers.insert(
            journal,
            Writer {
                queue: queue.clone(),
                task,
            },
        );
        queue
    }
}
