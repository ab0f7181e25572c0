//! What one transaction knows and is about to write.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::present::present;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use super::head::{self, Head};
use super::{Failure, Outcome};
use crate::credential::{self, NewCredential};
use crate::db::Engine;
use crate::entry::{self, Entry};
use crate::idempotency::{self, Remembered};
use crate::load::load;
use crate::outbox::{self, OutboxRow};
use crate::row;
use crate::store::Options;
use crate::submission::{Answer, ExecuteError, IdempotencyKey, Shown, Submission};
use crate::tree::{self, Node};

/// How often loading may lead to more loading: record → cycle → policy → what gates ask for → theirs.
pub(super) const MAX_LOADS: usize = 16;

/// The state of one transaction.
pub(super) struct Batch<'a> {
    pub(super) options: &'a Options,
    pub(super) journal: Uuid,
    pub(super) heads: BTreeMap<Uuid, Head>,
    /// All records as they are after the commands so far.
    pub(super) world: World,
    pub(super) entries: Vec<Entry>,
    /// Subtrees that the entries made full and that are kept.
    pub(super) nodes: Vec<Node>,
    pub(super) touched: BTreeSet<(Kind, Uuid)>,
    pub(super) messages: Vec<OutboxRow>,
    pub(super) credentials: Vec<(NewCredential, Timestamp)>,
    /// Addresses that somebody has, before and in this batch.
    pub(super) emails: BTreeSet<String>,
    /// First uses of keys, before and in this batch.
    pub(super) keys: BTreeMap<(String, String), FirstUse>,
    /// One per submission taken so far.
    pub(super) decided: Vec<Decided>,
}

/// The first use of an idempotency key.
pub(super) enum FirstUse {
    /// In an earlier transaction.
    Before(Remembered),
    /// By the submission at this place of this batch.
    Here {
        place: usize,
        request_hash: [u8; 32],
    },
}

/// What became of one submission.
pub(super) enum Decided {
    /// It is settled.
    Done(Outcome),
    /// It will be written; what the asker sees is added last.
    Accepted {
        answer: Answer,
        state: Box<State>,
        key: Option<IdempotencyKey>,
    },
    /// The same request stands at an earlier place of this batch.
    Same { place: usize },
}

impl<'a> Batch<'a> {
    pub(super) fn new(options: &'a Options, journal: Uuid, heads: BTreeMap<Uuid, Head>) -> Self {
        Self {
            options,
            journal,
            heads,
            world: World::default(),
            entries: Vec::new(),
            nodes: Vec::new(),
            touched: BTreeSet::new(),
            messages: Vec::new(),
            credentials: Vec::new(),
            emails: BTreeSet::new(),
            keys: BTreeMap::new(),
            decided: Vec::new(),
        }
    }

    /// Loads what the submissions need as far as it is known beforehand, all of them together.
    pub(super) async fn prepare(
        &mut self,
        engine: &mut Engine<'_>,
        submissions: &[Submission],
    ) -> Result<(), Failure> {
        let keys: Vec<&IdempotencyKey> = submissions
            .iter()
            .filter(|one| !one.dry_run)
            .filter_map(|one| one.idempotency.as_ref())
            .collect();
        for (key, first) in idempotency::first_uses(engine, &keys).await? {
            self.keys.insert(key, FirstUse::Before(first));
        }
        let credentials = submissions.iter().filter_map(|one| one.credential.as_ref());
        self.emails = credential::taken(engine, credentials).await?;
        for _ in 0..MAX_LOADS {
            let needs: BTreeSet<Need> = submissions
                .iter()
                .flat_map(|one| {
                    // A repeated request is answered by the rights its asker has now.
                    let asker = one
                        .idempotency
                        .as_ref()
                        .and(one.request.viewer.actor.account)
                        .map(|account| Need::One(Kind::Account, account))
                        .filter(|need| !self.world.has(*need));
                    fundcycle_core::engine::missing(&one.request, &self.world)
                        .into_iter()
                        .chain(asker)
                })
                .collect();
            if needs.is_empty() {
                break;
            }
            self.load(engine, needs).await?;
        }
        Ok(())
    }

    pub(super) async fn load(
        &mut self,
        engine: &mut Engine<'_>,
        needs: BTreeSet<Need>,
    ) -> Result<(), Failure> {
        let needs: Vec<Need> = needs.into_iter().collect();
        Ok(load(engine, self.journal, &needs, &mut self.world).await?)
    }

    /// Adds to every accepted submission what its asker sees now.
    pub(super) async fn show(
        &mut self,
        engine: &mut Engine<'_>,
        submissions: &[Submission],
    ) -> Result<(), Failure> {
        let mut needs = BTreeSet::new();
        for decided in &self.decided {
            if let Decided::Accepted { state, .. } = decided {
                needs.extend(
                    state
                        .moves_need()
                        .into_iter()
                        .filter(|need| !self.world.has(*need)),
                );
            }
        }
        self.load(engine, needs).await?;
        for (decided, submission) in self.decided.iter_mut().zip(submissions) {
            if let Decided::Accepted { answer, state, .. } = decided {
                answer.shown = present(
                    &submission.request.viewer.as_of(&self.world),
                    state,
                    &self.world,
                    answer.at,
                    &self.options.calendar,
                )
                .map(Shown::from);
            }
        }
        Ok(())
    }

    /// Writes everything, multi-row. Says whether there was anything to write.
    pub(super) async fn write(&mut self, engine: &mut Engine<'_>) -> Result<bool, Failure> {
        if self.entries.is_empty() {
            return Ok(false);
        }
        entry::append(engine, &self.entries).await?;
        tree::insert(engine, &self.nodes).await?;
        let states: Vec<&State> = self
            .touched
            .iter()
            .filter_map(|(kind, id)| self.world.state(*kind, *id))
            .collect();
        row::upsert(engine, &states).await?;
        outbox::insert(engine, &self.messages).await?;
        for (journal, head) in &self.heads {
            head::advance(engine, *journal, head).await?;
        }
        let answers: Vec<(&IdempotencyKey, &Answer)> = self
            .decided
            .iter()
            .filter_map(|decided| match decided {
                Decided::Accepted {
                    answer,
                    key: Some(key),
                    ..
                } => Some((key, answer)),
                _ => None,
            })
            .collect();
        let alone = idempotency::remember_all(engine, &answers).await?
            && credential::insert_all(engine, &self.credentials).await?;
        if alone {
            Ok(true)
        } else {
            // The same key or address was used in another journal meanwhile: seen on the next attempt.
            Err(Failure::Retry(sqlx::Error::RowNotFound.into()))
        }
    }

    /// What each submission ends with, in order.
    pub(super) fn outcomes(self) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(self.decided.len());
        for decided in self.decided {
            let outcome = match decided {
                Decided::Done(outcome) => outcome,
                Decided::Accepted { answer, .. } => Ok(answer),
                Decided::Same { place } => match outcomes.get(place) {
                    Some(Ok(answer)) => Ok(Answer {
                        replayed: true,
                        ..answer.clone()
                    }),
                    Some(Err(error)) => Err(error.clone()),
                    None => Err(ExecuteError::UnknownOutcome),
                },
            };
            outcomes.push(outcome);
        }
        outcomes
    }
}
