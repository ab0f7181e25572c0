//! One order per journal: gapless, chained, and the same for every instance.

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::cycle;
use fundcycle_core::kinds::{Command, Kind};
use fundcycle_core::time::Timestamp;
use fundcycle_store::{ExecuteError, Store};
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use crate::{NOW, admin, again, disable, fresh, open_account, register, submission};

on_both!(
    a_command_and_what_follows_are_written_together,
    concurrent_commands_of_two_instances_make_one_gapless_chain,
    of_commands_that_contradict_each_other_one_wins,
    a_refused_command_writes_nothing_and_costs_the_others_nothing,
    time_in_a_journal_never_goes_back,
    each_cycle_has_a_journal_of_its_own,
    dropping_the_caller_does_not_cancel_the_command,
    a_full_queue_turns_away_at_once
);

async fn a_command_and_what_follows_are_written_together(database: Database) {
    let store = fresh(&database).await;
    let (owner, organisation) = (Uuid::now_v7(), Uuid::now_v7());
    store.execute(open_account(owner)).await.unwrap();
    let answer = store
        .execute(register(owner, organisation, "常州市武进区阳光社工事务所"))
        .await
        .unwrap();

    assert_eq!(answer.seq, 3);
    assert_eq!(
        answer
            .facts
            .iter()
            .map(|fact| (fact.id, fact.version))
            .collect::<Vec<_>>(),
        [(organisation, 1), (owner, 2)]
    );
    let entries = store.journal(REGISTRY, 0, 10).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let [_, first, second] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(first.command, second.command);
    assert_eq!(
        (first.actor.as_str(), first.initiator.as_deref()),
        (owner.to_string().as_str(), None)
    );
    assert_eq!(
        (second.actor.as_str(), second.initiator.as_deref()),
        ("system", Some(owner.to_string().as_str()))
    );
    let account = store
        .read_one(Some(Kind::Account), owner)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(account.version(), 2);
    let organisation = store.read_one(None, organisation).await.unwrap().unwrap();
    assert_eq!(
        organisation.index().label.as_deref(),
        Some("常州市武进区阳光社工事务所")
    );
}

async fn concurrent_commands_of_two_instances_make_one_gapless_chain(database: Database) {
    let one = fresh(&database).await;
    let two = again(&database).await;
    let tasks: Vec<_> = (0..200)
        .map(|place| {
            let store: Store = if place % 2 == 0 {
                one.clone()
            } else {
                two.clone()
            };
            tokio::spawn(async move {
                store
                    .execute(open_account(Uuid::now_v7()))
                    .await
                    .unwrap()
                    .seq
            })
        })
        .collect();
    let mut places = Vec::new();
    for task in tasks {
        places.push(task.await.unwrap());
    }
    places.sort_unstable();
    assert_eq!(places, (1..=200).collect::<Vec<i64>>());
    let report = one.replay_check(None).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    assert_eq!(
        (report.journals, report.entries, report.records),
        (1, 200, 200)
    );
}

async fn of_commands_that_contradict_each_other_one_wins(database: Database) {
    let one = fresh(&database).await;
    let two = again(&database).await;
    for _ in 0..10 {
        let account = Uuid::now_v7();
        one.execute(open_account(account)).await.unwrap();
        let tasks: Vec<_> = [&one, &two, &one, &two, &one, &two, &one, &two]
            .into_iter()
            .cloned()
            .map(|store| tokio::spawn(async move { store.execute(disable(account)).await }))
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(ExecuteError::Refused(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, 1);
        let entries = one.history(account).await.unwrap();
        assert_eq!(
            entries
                .iter()
                .map(|entry| entry.verb.as_str())
                .collect::<Vec<_>>(),
            ["open", "disable"]
        );
    }
}

async fn a_refused_command_writes_nothing_and_costs_the_others_nothing(database: Database) {
    let store = fresh(&database).await;
    let unknown = store.execute(disable(Uuid::now_v7())).await;
    assert!(
        matches!(unknown, Err(ExecuteError::Refused(_))),
        "{unknown:?}"
    );
    assert!(store.journals().await.unwrap().is_empty());
    let report = store.replay_check(None).await.unwrap();
    assert_eq!(
        (report.entries, report.records, report.differences.len()),
        (0, 0, 0)
    );

    let tasks: Vec<_> = (0..60)
        .map(|place| {
            let store = store.clone();
            let command = if place % 3 == 0 {
                disable(Uuid::now_v7())
            } else {
                open_account(Uuid::now_v7())
            };
            tokio::spawn(async move { store.execute(command).await.is_ok() })
        })
        .collect();
    for (place, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), place % 3 != 0);
    }
    assert_eq!(store.journals().await.unwrap().get(&REGISTRY), Some(&40));
    assert!(store.replay_check(None).await.unwrap().is_clean());
}

async fn time_in_a_journal_never_goes_back(database: Database) {
    let store = fresh(&database).await;
    for milliseconds in [1_000, -5_000, 2_000, 0] {
        let mut command = open_account(Uuid::now_v7());
        command.now = Timestamp(NOW.0 + milliseconds);
        store.execute(command).await.unwrap();
    }
    let times: Vec<i64> = store
        .journal(REGISTRY, 0, 10)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.at - NOW.0)
        .collect();
    assert_eq!(times, [1_000, 1_000, 2_000, 2_000]);
}

async fn each_cycle_has_a_journal_of_its_own(database: Database) {
    let store = fresh(&database).await;
    let cycles = [Uuid::now_v7(), Uuid::now_v7()];
    for id in cycles {
        let command = Command::Cycle(cycle::Command::Create {
            name: "2024—2025年公益创投".to_owned(),
            name_en: None,
        });
        let mut create = submission(admin(), id, command);
        create.request.journal = id;
        assert_eq!(store.execute(create).await.unwrap().seq, 1);
    }
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    let journals = store.journals().await.unwrap();
    assert_eq!(
        journals.into_iter().collect::<Vec<_>>(),
        [(REGISTRY, 1), (cycles[0], 1), (cycles[1], 1)]
    );
    assert!(
        store
            .replay_check(Some(cycles[0]))
            .await
            .unwrap()
            .is_clean()
    );
}

async fn dropping_the_caller_does_not_cancel_the_command(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    {
        let mut asked = Box::pin(store.execute(open_account(account)));
        // Polled once: it is queued now.
        let once =
            std::future::poll_fn(|cx| std::task::Poll::Ready(asked.as_mut().poll(cx).is_pending()))
                .await;
        assert!(once);
    }
    // The same queue: when this is answered, the one before it has been decided.
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    assert!(store.read_one(None, account).await.unwrap().is_some());
}

async fn a_full_queue_turns_away_at_once(database: Database) {
    let store = fresh(&database).await;
    let mut asked: Vec<_> = (0..3_000)
        .map(|_| Box::pin(store.execute(open_account(Uuid::now_v7()))))
        .collect();
    let mut turned_away = 0;
    for one in &mut asked {
        let answer = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match one.as_mut().poll(cx) {
                std::task::Poll::Ready(answer) => Some(answer),
                std::task::Poll::Pending => None,
            })
        })
        .await;
        turned_away += usize::from(matches!(answer, Some(Err(ExecuteError::Overloaded))));
    }
    assert!((1..3_000).contains(&turned_away), "{turned_away}");
    drop(asked);
    // Who was let in is served all the same, and before who is let in next.
    while let Err(error) = store.execute(open_account(Uuid::now_v7())).await {
        assert!(matches!(error, ExecuteError::Overloaded), "{error}");
    }
    let served = store.journals().await.unwrap()[&REGISTRY];
    assert_eq!(usize::try_from(served).unwrap(), 3_000 - turned_away + 1);
}
