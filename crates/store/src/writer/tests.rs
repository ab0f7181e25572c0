//! Transactions that turn out to touch more than their own journal, and batches with a bad apple.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use fundcycle_core::account;
use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::Command;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use super::Core;
use crate::db::Pool;
use crate::store::{Options, Store};
use crate::submission::{ExecuteError, Precondition, Submission};

on_both!(
    a_batch_that_touches_another_journal_is_done_again_with_both_locked,
    a_record_that_cannot_be_read_fails_only_its_own_command
);

fn submission(actor: Actor, id: Uuid, command: account::Command) -> Submission {
    Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal: REGISTRY,
            id,
            command: Command::Account(command),
            viewer: Viewer::new(actor),
        },
        precondition: Precondition::Free,
        idempotency: None,
        credential: None,
        dry_run: false,
        now: Timestamp(1),
    }
}

fn open_account(id: Uuid) -> Submission {
    submission(
        Actor::system(),
        id,
        account::Command::Open {
            grants: BTreeSet::new(),
        },
    )
}

fn disable(id: Uuid) -> Submission {
    let grants = BTreeSet::from([Grant {
        role: Role::Admin,
        scope: Scope::Everywhere,
    }]);
    submission(
        Actor::account(Uuid::from_u128(0xad), grants),
        id,
        account::Command::Disable {
            reason: "test".to_owned(),
        },
    )
}

async fn core(database: &Database) -> Arc<Core> {
    Store::migrate(&database.url).await.unwrap();
    let pool = Pool::open(&database.url, false).await.unwrap();
    Arc::new(Core::new(
        pool,
        Options::silent(WorkingDayCalendar::china().unwrap()),
    ))
}

async fn store(database: &Database) -> Store {
    Store::open(
        &database.url,
        Options::silent(WorkingDayCalendar::china().unwrap()),
    )
    .await
    .unwrap()
}

async fn a_batch_that_touches_another_journal_is_done_again_with_both_locked(database: Database) {
    let core = core(&database).await;
    // Writers of ten cycles whose commands all end in the registry, and the registry's own writer.
    let tasks: Vec<_> = (0..11u128)
        .map(|n| {
            let core = core.clone();
            let journal = if n == 10 {
                REGISTRY
            } else {
                Uuid::from_u128(0x300 + n)
            };
            tokio::spawn(async move {
                for _ in 0..5 {
                    let batch = [open_account(Uuid::now_v7()), open_account(Uuid::now_v7())];
                    for outcome in core.commit_all(journal, &batch).await {
                        outcome.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let store = store(&database).await;
    let report = store.replay_check(None).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    assert_eq!((report.entries, report.records), (110, 110));
    assert_eq!(
        store
            .journals()
            .await
            .unwrap()
            .into_iter()
            .collect::<Vec<_>>(),
        [(REGISTRY, 110)]
    );
}

async fn a_record_that_cannot_be_read_fails_only_its_own_command(database: Database) {
    let core = core(&database).await;
    let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
    for outcome in core
        .commit_all(REGISTRY, &[open_account(bad), open_account(good)])
        .await
    {
        outcome.unwrap();
    }
    let mut tx = core.pool.write().await.unwrap();
    execute!(
        &mut tx.engine(),
        "UPDATE state SET body = 'x' WHERE id = $1",
        bad
    )
    .unwrap();
    tx.commit()
        .await
        .map_err(|error| format!("{error:?}"))
        .unwrap();

    let outcomes = core
        .commit_all(
            REGISTRY,
            &[disable(good), disable(bad), open_account(Uuid::now_v7())],
        )
        .await;
    let [Ok(first), Err(ExecuteError::Store(error)), Ok(last)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!((first.seq, last.seq), (3, 4));
    assert!(error.to_string().contains(&bad.to_string()), "{error}");
}
