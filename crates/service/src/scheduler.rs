//! What happens because time passes: windows that close, corrections and awards that lapse.
//!
//! The flow tables say it all: which moves the service may make, and which gates time opens. It tries
//! each such move where its gates are open; nothing here knows a kind.

use std::collections::BTreeSet;
use std::time::Duration;

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::context::Context;
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::{Command, Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::World;
use fundcycle_notify::{digest, reminders};
use fundcycle_store::list::{ListError, ListQuery};
use fundcycle_store::submission::{Precondition, Submission};
use fundcycle_store::{ExecuteError, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::clock::Clock;
use crate::signing::Signer;

/// Time between two looks.
pub(crate) const EVERY: Duration = Duration::from_secs(15);
/// Looks between two tidyings: about an hour.
const TIDYING: u32 = 240;
/// Hours for which an idempotency key is kept.
const KEY_HOURS: i64 = 24;
/// Days for which it is known of a token that it has ended.
const ENDED_DAYS: i64 = 30;
/// Looks in a row, where one lapse leads to another.
const ROUNDS: usize = 5;

/// A move that time opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    /// Of which kind of record.
    pub kind: Kind,
    /// Which move.
    pub verb: &'static str,
    /// The stages in which it may fall due.
    pub from: Vec<&'static str>,
}

/// Every move that time opens.
pub(crate) fn deadlines() -> Vec<Deadline> {
    let mut deadlines: Vec<Deadline> = Vec::new();
    for &kind in Kind::ALL {
        for row in kind.moves() {
            if !row.by_time {
                continue;
            }
            match deadlines
                .iter_mut()
                .find(|one| one.kind == kind && one.verb == row.verb)
            {
                Some(known) => known.from.extend(row.from),
                None => deadlines.push(Deadline {
                    kind,
                    verb: row.verb,
                    from: row.from,
                }),
            }
        }
    }
    deadlines
}

/// Looks again and again, until the task is dropped; then signs what has grown.
pub(crate) async fn run(store: Store, clock: Clock, signer: Signer) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks: u32 = 0;
    loop {
        ticks.tick().await;
        if let Err(error) = catch_up(&store, &clock).await {
            tracing::error!(%error, "what fell due could not be looked for; trying again");
        }
        signer.publish_due(clock.now()).await;
        if looks.is_multiple_of(TIDYING)
            && let Err(error) = tidy(&store, clock.now()).await
        {
            tracing::error!(%error, "what has run out could not be removed; trying again");
        }
        looks = looks.wrapping_add(1);
    }
}

/// Removes what has run out: tokens, idempotency keys, and tries to sign in.
async fn tidy(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store.forget_tries(now).await?;
    store.forget_tokens(now.plus_days(-ENDED_DAYS)).await?;
    let first = Timestamp(now.0 - KEY_HOURS * 3_600_000);
    store.forget_keys(first).await.map(drop)
}

/// Makes happen what has fallen due by now, and queues the reminders of what soon will; gives how many
/// moves that were.
///
/// # Errors
///
/// Where the database fails.
pub(crate) async fn catch_up(store: &Store, clock: &Clock) -> Result<usize, StoreError> {
    let deadlines = deadlines();
    let mut total = 0;
    for _ in 0..ROUNDS {
        let mut moved = 0;
        for deadline in &deadlines {
            moved += lapse(store, clock, deadline).await?;
        }
        total += moved;
        if moved == 0 {
            break;
        }
    }
    let now = clock.now();
    reminders::queue_due(store, now).await?;
    digest::queue_due(store, now).await?;
    Ok(total)
}

async fn lapse(store: &Store, clock: &Clock, deadline: &Deadline) -> Result<usize, StoreError> {
    let viewer = Viewer::new(Actor::system());
    let mut query = ListQuery {
        stages: deadline
            .from
            .iter()
            .map(|stage| (*stage).to_owned())
            .collect(),
        limit: ListQuery::MOST,
        ..ListQuery::of(deadline.kind)
    };
    let mut moved = 0;
    loop {
        let page = match store.list(&viewer, &query).await {
            Ok(page) => page,
            Err(ListError::Store(error)) => return Err(error),
            // A cursor that the store has just given.
            Err(error @ ListError::Cursor(_)) => {
                tracing::error!(%error, "a list broke off");
                return Ok(moved);
            }
        };
        let world = store.world_for(&page.states).await?;
        let now = clock.now();
        let due = page
            .states
            .iter()
            .filter(|state| is_due(store, state, &world, now, deadline.verb));
        let commands = due.filter_map(|state| submission(state, deadline, now));
        // Sent together, so that they share transactions.
        for outcome in futures_util::future::join_all(commands.map(|one| store.execute(one))).await
        {
            match outcome {
                Ok(_) => moved += 1,
                Err(ExecuteError::Refused(rejection)) => {
                    tracing::warn!(kind = %deadline.kind, verb = deadline.verb, %rejection, "what fell due was refused");
                }
                Err(error) => {
                    tracing::error!(kind = %deadline.kind, verb = deadline.verb, %error, "what fell due did not happen");
                }
            }
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(moved),
        }
    }
}

fn is_due(store: &Store, state: &State, world: &World, now: Timestamp, verb: &str) -> bool {
    let actor = Actor::system();
    let roles = BTreeSet::from([Role::System]);
    let cx = Context {
        now,
        actor: &actor,
        initiator: &actor,
        roles: &roles,
        journal: state.journal(),
        world,
        calendar: store.working_days(),
    };
    state
        .moves_for(&cx)
        .iter()
        .any(|one| one.verb == verb && one.shut_by.is_empty())
}

fn submission(state: &State, deadline: &Deadline, now: Timestamp) -> Option<Submission> {
    let command = Command::parse(deadline.kind, deadline.verb, json!({})).ok()?;
    Some(Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal: state.journal(),
            id: state.id(),
            command,
            viewer: Viewer::new(Actor::system()),
        },
        precondition: Precondition::Free,
        idempotency: None,
        credential: None,
        dry_run: false,
        now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new line here means that the service will make that move by itself: look whether it is time
    /// that opens its gates, and nothing else.
    #[test]
    fn the_moves_that_time_opens_are_these() {
        let lines: Vec<String> = deadlines()
            .iter()
            .map(|one| format!("{} {} from {}", one.kind, one.verb, one.from.join(", ")))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
