//! Deciding one submission within a batch.

use std::collections::BTreeSet;

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::{self, Fact, Stop};
use fundcycle_core::names::Names as _;
use fundcycle_core::policy::Policy;
use fundcycle_core::present::present;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::tree::leaf;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::entity_tag;
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use super::Failure;
use super::batch::{Batch, Decided, FirstUse, MAX_LOADS};
use crate::db::Engine;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::outbox::{OutboxRow, identity};
use crate::submission::{Answer, ExecuteError, Moved, Precondition, Shown, Submission};
use crate::tree;

impl Batch<'_> {
    /// Decides the submission at `place` and takes in what happens.
    pub(super) async fn take(
        &mut self,
        engine: &mut Engine<'_>,
        place: usize,
        submission: &Submission,
    ) -> Result<(), Failure> {
        let decided = match self.known(submission) {
            Some(decided) => decided,
            None if submission.dry_run => Decided::Done(self.try_out(engine, submission).await?),
            None => self.accept(engine, submission).await?,
        };
        if let (Decided::Accepted { .. }, Some(key)) = (&decided, &submission.idempotency) {
            let first = FirstUse::Here {
                place,
                request_hash: key.request_hash,
            };
            self.keys
                .insert((key.principal.clone(), key.key.clone()), first);
        }
        self.decided.push(decided);
        Ok(())
    }

    /// What is settled without deciding: a key used before, a version that is not the asker's.
    fn known(&self, submission: &Submission) -> Option<Decided> {
        if let Some(key) = submission
            .idempotency
            .as_ref()
            .filter(|_| !submission.dry_run)
        {
            let (hash, decided) = match self.keys.get(&(key.principal.clone(), key.key.clone())) {
                Some(FirstUse::Before(first)) => (
                    first.request_hash.as_slice(),
                    self.replay(submission, &first.response),
                ),
                Some(FirstUse::Here {
                    place,
                    request_hash,
                }) => (request_hash.as_slice(), Decided::Same { place: *place }),
                None => {
                    return self
                        .precondition(submission)
                        .err()
                        .map(|error| Decided::Done(Err(error)));
                }
            };
            return Some(if hash == key.request_hash {
                decided
            } else {
                Decided::Done(Err(ExecuteError::KeyReused))
            });
        }
        self.precondition(submission)
            .err()
            .map(|error| Decided::Done(Err(error)))
    }

    /// The stored answer, if the asker may see what it is about by the rights they have now: the
    /// command may have given them, and others may have been taken away since.
    fn replay(&self, submission: &Submission, response: &str) -> Decided {
        let request = &submission.request;
        let viewer = submission.request.viewer.as_of(&self.world);
        let visible = self
            .world
            .state(request.command.kind(), request.id)
            .is_some_and(|state| viewer.actor.system || !viewer.eyes(state).is_empty());
        Decided::Done(match serde_json::from_str::<Answer>(response) {
            Ok(answer) if visible || answer.shown.is_none() => Ok(Answer {
                replayed: true,
                ..answer
            }),
            Ok(_) => Err(Rejection::NotFound.into()),
            Err(error) => Err(ExecuteError::Store(std::sync::Arc::new(
                StoreError::Corrupt {
                    what: "answer to an idempotency key, for".to_owned(),
                    id: request.id,
                    reason: error.to_string(),
                },
            ))),
        })
    }

    fn precondition(&self, submission: &Submission) -> Result<(), ExecuteError> {
        let Submission {
            request,
            precondition,
            credential,
            ..
        } = submission;
        if let Some(credential) = credential
            && self.emails.contains(&credential.email_key())
        {
            return Err(Rejection::fault(
                "/email",
                "taken",
                "This e-mail address has an account already.",
                "该邮箱已注册。",
            )
            .into());
        }
        let state = self.world.state(request.command.kind(), request.id);
        if let Precondition::Free = precondition {
            return Ok(());
        }
        let Some(state) = state else {
            // Nothing to lose where nothing is; but a tag was given for something.
            return match precondition {
                Precondition::Tags(_) => Err(ExecuteError::Stale {
                    current: String::new(),
                }),
                _ => Ok(()),
            };
        };
        let view = request.viewer.view(state).ok_or(Rejection::NotFound)?;
        let current = entity_tag(&view);
        match precondition {
            Precondition::Tags(tags) if tags.iter().any(|tag| *tag == current || tag == "*") => {
                Ok(())
            }
            Precondition::Tags(_) => Err(ExecuteError::Stale { current }),
            Precondition::Required => Err(ExecuteError::MatchRequired),
            Precondition::Free => Ok(()),
        }
    }

    /// Never before the previous entry of a journal that may be written.
    fn now(&self, submission: &Submission) -> Timestamp {
        let last = self
            .heads
            .values()
            .map(|head| head.at)
            .max()
            .unwrap_or(i64::MIN);
        Timestamp(submission.now.0.max(last))
    }

    async fn accept(
        &mut self,
        engine: &mut Engine<'_>,
        submission: &Submission,
    ) -> Result<Decided, Failure> {
        let now = self.now(submission);
        let policy = policy_hash(&self.world, submission.request.journal);
        let mut world = std::mem::take(&mut self.world);
        let executed = self.execute(engine, submission, &mut world, now).await;
        self.world = world;
        let facts = match executed? {
            Ok(facts) => facts,
            Err(refused) => return Ok(Decided::Done(Err(refused.into()))),
        };
        let Some(state) = self
            .world
            .state(submission.request.command.kind(), submission.request.id)
            .cloned()
        else {
            return Ok(Decided::Done(Err(Rejection::NotFound.into())));
        };
        for (number, fact) in facts.iter().enumerate() {
            self.record(submission, fact, number == 0, now, policy.as_deref())?;
        }
        if let Some(credential) = &submission.credential {
            self.emails.insert(credential.email_key());
            self.credentials.push((credential.clone(), now));
        }
        let answer = Answer {
            facts: facts.iter().map(Moved::from).collect(),
            seq: self
                .heads
                .get(&submission.request.journal)
                .map_or(0, |head| head.seq),
            at: now,
            shown: None,
            replayed: false,
        };
        Ok(Decided::Accepted {
            answer,
            state: Box::new(state),
            key: submission.idempotency.clone(),
        })
    }

    /// Decides on a copy of the world, answers as if, and forgets.
    async fn try_out(
        &mut self,
        engine: &mut Engine<'_>,
        submission: &Submission,
    ) -> Result<Result<Answer, ExecuteError>, Failure> {
        let now = self.now(submission);
        let request = &submission.request;
        let mut world = self.world.clone();
        let facts = match self.execute(engine, submission, &mut world, now).await? {
            Ok(facts) => facts,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let Some(state) = world.state(request.command.kind(), request.id).cloned() else {
            return Ok(Err(Rejection::NotFound.into()));
        };
        let needs: Vec<Need> = state
            .moves_need()
            .into_iter()
            .filter(|need| !world.has(*need))
            .collect();
        crate::load::load(engine, self.journal, &needs, &mut world).await?;
        let here = facts
            .iter()
            .filter(|fact| fact.journal == request.journal)
            .count();
        let last = self.heads.get(&request.journal).map_or(0, |head| head.seq);
        let viewer = submission.request.viewer.as_of(&world);
        // What would follow from sealed scores tells them: what becomes of each, in the order of places.
        let told = if viewer.is_sealed(&state) {
            &facts[..1]
        } else {
            &facts[..]
        };
        Ok(Ok(Answer {
            facts: told.iter().map(Moved::from).collect(),
            seq: last.saturating_add(i64::try_from(here).unwrap_or(i64::MAX)),
            at: now,
            shown: present(&viewer, &state, &world, now, &self.options.calendar).map(Shown::from),
            replayed: false,
        }))
    }

    /// Runs the engine, loading what it asks for. `world` is as before unless there are facts.
    async fn execute(
        &self,
        engine: &mut Engine<'_>,
        submission: &Submission,
        world: &mut World,
        now: Timestamp,
    ) -> Result<Result<Vec<Fact>, Rejection>, Failure> {
        for _ in 0..MAX_LOADS {
            match engine::execute(&submission.request, world, now, &self.options.calendar) {
                Ok(facts) => {
                    let unlocked: BTreeSet<Uuid> = facts
                        .iter()
                        .map(|fact| fact.journal)
                        .filter(|journal| !self.heads.contains_key(journal))
                        .collect();
                    return if unlocked.is_empty() {
                        Ok(Ok(facts))
                    } else {
                        Err(Failure::Locks(unlocked))
                    };
                }
                Err(Stop::Refused(rejection)) => return Ok(Err(rejection)),
                Err(Stop::Missing(needs)) => {
                    crate::load::load(engine, self.journal, &needs, world).await?;
                }
            }
        }
        Err(Failure::Store(StoreError::Corrupt {
            what: submission.request.command.kind().to_string(),
            id: submission.request.id,
            reason: format!("what it depends on was not found in {MAX_LOADS} rounds"),
        }))
    }

    /// Chains one fact to its journal and asks who is to be told of it.
    fn record(
        &mut self,
        submission: &Submission,
        fact: &Fact,
        direct: bool,
        now: Timestamp,
        policy: Option<&str>,
    ) -> Result<(), Failure> {
        let failed = |reason| {
            Failure::Store(StoreError::Corrupt {
                what: fact.kind.to_string(),
                id: fact.id,
                reason,
            })
        };
        let head = self
            .heads
            .get_mut(&fact.journal)
            .ok_or_else(|| failed("its journal is not locked".to_owned()))?;
        let asker = submission.request.viewer.actor.name();
        let entry = Entry {
            journal: fact.journal,
            seq: head.seq + 1,
            kind: fact.kind.name().to_owned(),
            id: fact.id,
            version: fact.version,
            at: now.0,
            actor: if direct {
                asker.clone()
            } else {
                Actor::system().name()
            },
            initiator: (!direct).then_some(asker),
            policy: if fact.journal == submission.request.journal {
                policy.map(str::to_owned)
            } else {
                policy_hash(&self.world, fact.journal)
            },
            command: submission.command,
            verb: fact.verb.to_owned(),
            from_stage: fact.from.map(str::to_owned),
            to_stage: fact.to.to_owned(),
            data: String::new(),
            salt: Vec::new(),
            hash: Vec::new(),
        };
        let entry = entry
            .seal(&fact.event.to_value(), head.hash)
            .map_err(failed)?;
        head.seq = entry.seq;
        head.hash =
            Digest::from_bytes(&entry.hash).ok_or_else(|| failed("it has no hash".to_owned()))?;
        head.at = entry.at;
        self.nodes.extend(tree::grow(
            &mut head.edge,
            entry.journal,
            leaf(&head.hash.0),
        ));
        if let Some(state) = self.world.state(fact.kind, fact.id) {
            let messages = (self.options.messages)(fact, state, &self.world);
            self.messages
                .extend(
                    messages
                        .into_iter()
                        .enumerate()
                        .map(|(number, message)| OutboxRow {
                            journal: entry.journal,
                            id: identity::of_fact(entry.journal, entry.seq, number),
                            seq: entry.seq,
                            message,
                            created_at: now.0,
                            due_at: now.0,
                        }),
                );
        }
        self.touched.insert((fact.kind, fact.id));
        self.entries.push(entry);
        Ok(())
    }
}

/// The hash of the rules in force in `journal`.
fn policy_hash(world: &World, journal: Uuid) -> Option<String> {
    if journal == REGISTRY {
        return None;
    }
    let policy = world.get::<Cycle>(journal)?.data.policy?;
    Some(world.get::<Policy>(policy)?.data.hash.clone())
}
