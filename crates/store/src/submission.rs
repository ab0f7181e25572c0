//! What goes into the store and what comes back.

use std::sync::Arc;

use fundcycle_core::engine::{Fact, Request};
use fundcycle_core::kinds::Kind;
use fundcycle_core::present::Presented;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::credential::NewCredential;
use crate::error::StoreError;

/// A command with all that surrounds it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Names the command in the journal; all facts that follow from it share it.
    pub command: Uuid,
    /// What is asked, by whom; through the same eyes the record is compared and answered.
    pub request: Request,
    /// Which version the asker has seen (`If-Match`).
    pub precondition: Precondition,
    /// So that asking again is not doing again (`Idempotency-Key`).
    pub idempotency: Option<IdempotencyKey>,
    /// Written in the same transaction as the account that the command registers.
    pub credential: Option<NewCredential>,
    /// Decide and answer, keep nothing.
    pub dry_run: bool,
    /// The service's clock.
    pub now: Timestamp,
}

/// What the asker knows of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing, and nothing is asked for.
    #[default]
    Free,
    /// Nothing, although without it this command could undo what somebody else wrote.
    Required,
    /// One of these entity tags of what they see; `*` is any.
    Tags(Vec<String>),
}

/// The first use of a key fixes request and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is: an account, or whatever else the caller is known by.
    pub principal: String,
    /// The key as sent.
    pub key: String,
    /// SHA-256 over operation and body.
    pub request_hash: [u8; 32],
}

/// What a committed (or tried) command answers; stored whole under its idempotency key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Every record that moved, the asked one first.
    pub facts: Vec<Moved>,
    /// The place in the journal of the last fact of this command in the asked journal; a dry run
    /// says which it would have been.
    pub seq: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// The record as the asker sees it now; none where the move took it out of their sight.
    pub shown: Option<Shown>,
    /// Whether this is the stored answer to an earlier, equal request.
    #[serde(skip)]
    pub replayed: bool,
}

/// One record's move, without what only some may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// In which journal.
    pub journal: Uuid,
    /// What moved.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// How many events it has now.
    pub version: i64,
    /// What was asked.
    pub verb: String,
    /// Where it stood; none if this began it.
    pub from: Option<String>,
    /// Where it stands now.
    pub to: String,
}

impl From<&Fact> for Moved {
    fn from(fact: &Fact) -> Self {
        Self {
            journal: fact.journal,
            kind: fact.kind,
            id: fact.id,
            version: fact.version,
            verb: fact.verb.to_owned(),
            from: fact.from.map(str::to_owned),
            to: fact.to.to_owned(),
        }
    }
}

/// A record as one viewer gets it, in a form that can be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The fields the viewer sees.
    pub view: Map<String, Value>,
    /// Changes exactly when `view` does.
    pub entity_tag: String,
    /// The moves the viewer may ask for, each with the gates that keep it shut.
    pub moves: Vec<Value>,
}

impl From<Presented> for Shown {
    fn from(presented: Presented) -> Self {
        let Presented {
            view,
            entity_tag,
            moves,
        } = presented;
        let moves = moves
            .iter()
            .map(|one| serde_json::to_value(one).unwrap_or_default())
            .collect();
        Self {
            view,
            entity_tag,
            moves,
        }
    }
}

/// Why a command has no answer. Nothing of it is stored, but for [`ExecuteError::UnknownOutcome`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExecuteError {
    /// It may not happen.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// The record is no longer what the asker has seen.
    #[error("the record has changed: its entity tag is now {current}")]
    Stale {
        /// The entity tag of what the asker would see now; empty where there is no such record.
        current: String,
    },
    /// The asker has to say which version they have seen.
    #[error("this command needs the entity tag of the version that it is meant for")]
    MatchRequired,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// Too many commands wait for this journal; try again.
    #[error("too many commands are waiting; try again shortly")]
    Overloaded,
    /// The commit was sent and not confirmed: it may or may not have happened. Asking again with
    /// the same idempotency key tells.
    #[error("the database did not confirm the commit: ask again with the same idempotency key")]
    UnknownOutcome,
    /// After an unconfirmed commit to the embedded database nothing more is written until a restart.
    #[error(
        "an earlier commit was not confirmed by the disk; restart the service to see what it holds"
    )]
    Halted,
    /// The database failed before the commit.
    #[error(transparent)]
    Store(Arc<StoreError>),
}
