//! Asking again, asking with a version, asking on trial.

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Kind;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_store::ExecuteError;
use fundcycle_store::submission::Precondition;
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use crate::{NOW, again, disable, fresh, key, member, open_account, register};

on_both!(
    the_same_key_and_request_get_the_same_answer,
    a_storm_of_equal_requests_is_done_once,
    the_same_key_for_another_request_is_refused,
    a_stored_answer_is_shown_only_to_who_may_see_it,
    keys_are_forgotten_in_time,
    a_stale_tag_is_refused_with_the_current_one,
    a_command_that_needs_a_tag_says_so,
    a_dry_run_answers_and_leaves_nothing
);

async fn the_same_key_and_request_get_the_same_answer(database: Database) {
    let store = fresh(&database).await;
    let owner = Uuid::now_v7();
    store.execute(open_account(owner)).await.unwrap();
    let mut command = register(owner, Uuid::now_v7(), "阳光");
    command.idempotency = Some(key("k", 1));
    let first = store.execute(command.clone()).await.unwrap();
    // Another instance, later, with another clock.
    let mut later = command;
    later.now = NOW.plus_days(1);
    let second = again(&database).await.execute(later).await.unwrap();
    assert!(!first.replayed && second.replayed);
    assert_eq!(second.facts, first.facts);
    assert_eq!(
        (second.seq, second.at, &second.shown),
        (first.seq, first.at, &first.shown)
    );
    assert_eq!(store.journals().await.unwrap()[&REGISTRY], 3);
}

async fn a_storm_of_equal_requests_is_done_once(database: Database) {
    let one = fresh(&database).await;
    let two = again(&database).await;
    let id = Uuid::now_v7();
    let tasks: Vec<_> = (0..50)
        .map(|place| {
            let store = if place % 2 == 0 {
                one.clone()
            } else {
                two.clone()
            };
            let mut command = open_account(id);
            command.idempotency = Some(key("storm", 7));
            tokio::spawn(async move { store.execute(command).await.unwrap() })
        })
        .collect();
    let mut first_answers = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.seq, 1);
        first_answers += usize::from(!answer.replayed);
    }
    assert_eq!(first_answers, 1);
    assert_eq!(one.history(id).await.unwrap().len(), 1);
}

async fn the_same_key_for_another_request_is_refused(database: Database) {
    let store = fresh(&database).await;
    let mut first = open_account(Uuid::now_v7());
    first.idempotency = Some(key("k", 1));
    store.execute(first).await.unwrap();
    let mut other = open_account(Uuid::now_v7());
    other.idempotency = Some(key("k", 2));
    assert!(matches!(
        store.execute(other).await,
        Err(ExecuteError::KeyReused)
    ));
    assert_eq!(store.journals().await.unwrap()[&REGISTRY], 1);
}

async fn a_stored_answer_is_shown_only_to_who_may_see_it(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    store.execute(open_account(account)).await.unwrap();
    let mut command = crate::disable(account);
    command.idempotency = Some(key("k", 1));
    store.execute(command.clone()).await.unwrap();
    // The same key and request, by somebody who cannot see the account.
    command.request.viewer = Viewer::new(member(Uuid::now_v7()));
    let answer = store.execute(command).await;
    assert!(
        matches!(answer, Err(ExecuteError::Refused(Rejection::NotFound))),
        "{answer:?}"
    );
}

async fn keys_are_forgotten_in_time(database: Database) {
    let store = fresh(&database).await;
    let mut command = open_account(Uuid::now_v7());
    command.idempotency = Some(key("k", 1));
    store.execute(command).await.unwrap();
    assert!(store.recall("test", "k").await.unwrap().is_some());
    assert_eq!(store.forget_keys(NOW).await.unwrap(), 0);
    assert_eq!(store.forget_keys(Timestamp(NOW.0 + 1)).await.unwrap(), 1);
    assert_eq!(store.recall("test", "k").await.unwrap(), None);
    let by_hand = key("upload", 9);
    assert!(store.remember(&by_hand, "{\"size\":1}", NOW).await.unwrap());
    assert!(!store.remember(&by_hand, "{\"size\":2}", NOW).await.unwrap());
    assert_eq!(
        store
            .recall("test", "upload")
            .await
            .unwrap()
            .unwrap()
            .response,
        "{\"size\":1}"
    );
}

async fn a_stale_tag_is_refused_with_the_current_one(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    store.execute(open_account(account)).await.unwrap();
    let mut command = disable(account);
    command.precondition = Precondition::Tags(vec!["0000000000000000".to_owned()]);
    let Err(ExecuteError::Stale { current }) = store.execute(command.clone()).await else {
        panic!("not stale")
    };
    assert_eq!(store.history(account).await.unwrap().len(), 1);

    command.precondition = Precondition::Tags(vec!["other".to_owned(), current.clone()]);
    let answer = store.execute(command).await.unwrap();
    let now = answer.shown.unwrap().entity_tag;
    assert_ne!(now, current);
    // What was answered is what a read gives.
    let state = store
        .read_one(Some(Kind::Account), account)
        .await
        .unwrap()
        .unwrap();
    let view = Viewer::new(crate::admin()).view(&state).unwrap();
    assert_eq!(fundcycle_core::visibility::entity_tag(&view), now);
}

async fn a_command_that_needs_a_tag_says_so(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    let mut create = open_account(account);
    create.precondition = Precondition::Required;
    store.execute(create).await.unwrap();
    let mut command = disable(account);
    command.precondition = Precondition::Required;
    assert!(matches!(
        store.execute(command.clone()).await,
        Err(ExecuteError::MatchRequired)
    ));
    command.precondition = Precondition::Tags(vec!["*".to_owned()]);
    store.execute(command).await.unwrap();
}

async fn a_dry_run_answers_and_leaves_nothing(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    store.execute(open_account(account)).await.unwrap();
    let mut trial = disable(account);
    trial.dry_run = true;
    trial.idempotency = Some(key("k", 1));
    // Among others of the same batch, which must not see it.
    let tasks: Vec<_> = (0..20)
        .map(|place| {
            let (store, trial) = (store.clone(), trial.clone());
            tokio::spawn(async move {
                if place % 2 == 0 {
                    store.execute(trial).await.unwrap()
                } else {
                    store.execute(open_account(Uuid::now_v7())).await.unwrap()
                }
            })
        })
        .collect();
    for (place, task) in tasks.into_iter().enumerate() {
        let answer = task.await.unwrap();
        if place % 2 == 0 {
            assert_eq!(answer.shown.unwrap().view["stage"], "disabled");
            assert_eq!(
                (answer.facts[0].verb.as_str(), answer.facts[0].version),
                ("disable", 2)
            );
        }
    }
    let state = store.read_one(None, account).await.unwrap().unwrap();
    assert_eq!((state.stage(), state.version()), ("active", 1));
    assert_eq!(store.journals().await.unwrap()[&REGISTRY], 11);
    assert_eq!(store.recall("test", "k").await.unwrap(), None);
    assert!(store.replay_check(None).await.unwrap().is_clean());
    // A refusal is the same on trial.
    let mut refused = disable(Uuid::now_v7());
    refused.dry_run = true;
    assert!(matches!(
        store.execute(refused).await,
        Err(ExecuteError::Refused(_))
    ));
}
