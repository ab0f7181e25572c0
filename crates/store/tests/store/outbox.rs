//! Messages go out if and only if their fact stands, and to one worker at a time.

use std::collections::BTreeSet;

use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::outbox::{Ending, Leased, OutboxCounts, Settled};
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use crate::{NOW, disable, open_account, register, talkative};

/// Notes how an attempt ended.
async fn end(store: &Store, message: &Leased, ending: Ending) {
    let settled = Settled {
        journal: message.journal,
        id: message.id,
        attempt: message.attempts,
        ending,
    };
    store.settle(&[settled], NOW).await.unwrap();
}

on_both!(
    a_message_per_fact_and_none_without,
    many_workers_lease_each_message_once,
    a_lease_that_ends_goes_to_the_next_worker,
    delivered_and_dead_messages_are_not_leased_again,
    what_was_not_tried_does_not_count,
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

    let mut leased = store
        .lease("log", NOW, NOW.plus_days(1), 100)
        .await
        .unwrap();
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
                    let leased = store.lease("log", NOW, NOW.plus_days(1), 5).await.unwrap();
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
            .lease("log", NOW, NOW.plus_days(1), 50)
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
    let first = store.lease("log", NOW, until, 10).await.unwrap();
    assert!(store.lease("log", NOW, until, 10).await.unwrap().is_empty());
    let second = store
        .lease("log", until, NOW.plus_days(1), 10)
        .await
        .unwrap();
    assert_eq!((first[0].id, first[0].attempts), (second[0].id, 1));
    assert_eq!(second[0].attempts, 2);
    // Failed: due again when it was told to.
    let at = Timestamp(NOW.0 + 5_000);
    let error = "451".to_owned();
    end(&store, &second[0], Ending::Again { at, error }).await;
    // The first worker was too slow: what it says of its attempt changes nothing.
    end(&store, &first[0], Ending::Untried { at: NOW }).await;
    let error = "too late".to_owned();
    end(&store, &first[0], Ending::Dead { error }).await;
    assert!(
        store
            .lease("log", Timestamp(NOW.0 + 4_999), NOW.plus_days(1), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .lease("log", Timestamp(NOW.0 + 5_000), NOW.plus_days(1), 10)
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
    let leased = store.lease("log", NOW, NOW, 10).await.unwrap();
    end(&store, &leased[0], Ending::Delivered).await;
    let error = "550 no such mailbox".to_owned();
    end(&store, &leased[1], Ending::Dead { error }).await;
    let left = store
        .lease("log", NOW.plus_days(9), NOW.plus_days(9), 10)
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
            dead: 1,
            cancelled: 0
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
            dead: 1,
            cancelled: 0
        }
    );
}

async fn what_was_not_tried_does_not_count(database: Database) {
    let store = talkative(&database).await;
    let receiver = Uuid::now_v7();
    store.execute(open_account(receiver)).await.unwrap();
    let leased = store.lease("log", NOW, NOW.plus_days(1), 10).await.unwrap();
    let tried = async || {
        let since = Timestamp(NOW.0 - 1);
        store.tried_since("log", &[receiver], since).await.unwrap()
    };
    assert_eq!(tried().await, [(receiver, 1)]);
    end(&store, &leased[0], Ending::Untried { at: NOW }).await;
    assert_eq!(tried().await, []);
    let again = store.lease("log", NOW, NOW.plus_days(1), 10).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (leased[0].id, 1));
    // Another channel's messages are another worker's business.
    assert_eq!(store.lease("email", NOW, NOW, 10).await.unwrap(), []);
}
