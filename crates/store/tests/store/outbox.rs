//! Messages go out if and only if their fact stands, and to one worker at a time.

use std::collections::BTreeSet;

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::time::Timestamp;
use fundcycle_store::outbox::OutboxCounts;
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use crate::{NOW, disable, open_account, register, talkative};

on_both!(
    a_message_per_fact_and_none_without,
    many_workers_lease_each_message_once,
    a_lease_that_ends_goes_to_the_next_worker,
    delivered_and_dead_messages_are_not_leased_again
);

async fn a_message_per_fact_and_none_without(database: Database) {
    let store = talkative(&database).await;
    let owner = Uuid::now_v7();
    store.execute(open_account(owner)).await.unwrap();
    store
        .execute(register(owner, Uuid::now_v7(), "阳光"))
        .await
        .unwrap();
    store.execute(disable(Uuid::now_v7())).await.unwrap_err();
    let mut trial = disable(owner);
    trial.dry_run = true;
    store.execute(trial).await.unwrap();

    let mut leased = store.lease(NOW, NOW.plus_days(1), 100).await.unwrap();
    leased.sort_by_key(|message| message.seq);
    assert_eq!(
        leased
            .iter()
            .map(|one| (one.seq, one.topic.as_str()))
            .collect::<Vec<_>>(),
        [(1, "open"), (2, "register"), (3, "join")]
    );
    assert_eq!(leased[0].payload, r#"{"stage":"active","text":"养老服务"}"#);
    assert!(store.replay_check(None).await.unwrap().is_clean());
}

async fn many_workers_lease_each_message_once(database: Database) {
    let store = talkative(&database).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.execute(open_account(Uuid::now_v7())).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            // More rounds than all messages need: a worker that waited for others may get none.
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..10 {
                    let leased = store.lease(NOW, NOW.plus_days(1), 5).await.unwrap();
                    mine.extend(leased.into_iter().map(|one| one.id));
                }
                mine
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    // What nobody got in those rounds is left.
    all.extend(
        store
            .lease(NOW, NOW.plus_days(1), 50)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.id),
    );
    assert_eq!(all.len(), 50);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 50);
}

async fn a_lease_that_ends_goes_to_the_next_worker(database: Database) {
    let store = talkative(&database).await;
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    let until = Timestamp(NOW.0 + 1_000);
    let first = store.lease(NOW, until, 10).await.unwrap();
    assert!(store.lease(NOW, until, 10).await.unwrap().is_empty());
    let second = store.lease(until, NOW.plus_days(1), 10).await.unwrap();
    assert_eq!((first[0].id, first[0].attempts), (second[0].id, 1));
    assert_eq!(second[0].attempts, 2);
    // Failed: due again when it was told to.
    store
        .failed(REGISTRY, second[0].id, "451", Timestamp(NOW.0 + 5_000))
        .await
        .unwrap();
    assert!(
        store
            .lease(Timestamp(NOW.0 + 4_999), NOW.plus_days(1), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .lease(Timestamp(NOW.0 + 5_000), NOW.plus_days(1), 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn delivered_and_dead_messages_are_not_leased_again(database: Database) {
    let store = talkative(&database).await;
    for _ in 0..3 {
        store.execute(open_account(Uuid::now_v7())).await.unwrap();
    }
    let leased = store.lease(NOW, NOW, 10).await.unwrap();
    store.delivered(REGISTRY, leased[0].id, NOW).await.unwrap();
    store
        .dead(REGISTRY, leased[1].id, "550 no such mailbox", NOW)
        .await
        .unwrap();
    let left = store
        .lease(NOW.plus_days(9), NOW.plus_days(9), 10)
        .await
        .unwrap();
    assert_eq!(
        left.iter().map(|one| one.id).collect::<Vec<_>>(),
        [leased[2].id]
    );
    assert_eq!(
        store.outbox_counts().await.unwrap(),
        OutboxCounts {
            waiting: 1,
            delivered: 1,
            dead: 1
        }
    );
    assert_eq!(
        store.forget_delivered(Timestamp(NOW.0 + 1)).await.unwrap(),
        1
    );
    assert_eq!(
        store.outbox_counts().await.unwrap(),
        OutboxCounts {
            waiting: 1,
            delivered: 0,
            dead: 1
        }
    );
}
