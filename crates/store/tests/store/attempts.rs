//! Tries to sign in: who waits after too many, and who does not.

use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::attempt::Attempt;
use fundcycle_test_support::{Database, on_both};

use super::{NOW, again, fresh};

on_both!(
    who_mistypes_waits_longer_each_time_and_not_for_ever,
    guesses_from_many_networks_keep_out_only_networks_that_are_not_known,
    one_password_tried_on_many_people_makes_its_network_wait,
    tries_at_the_same_time_are_all_counted,
);

fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000)
}

/// Seconds to wait for the next try; none where this one was counted.
async fn fails(store: &Store, attempt: &Attempt, at: Timestamp) -> Option<i64> {
    let shut = store.try_sign_in(attempt, at).await.unwrap();
    shut.map(|until| (until.0 - at.0) / 1_000)
}

async fn who_mistypes_waits_longer_each_time_and_not_for_ever(database: Database) {
    let store = fresh(&database).await;
    let fang = Attempt::new("fang@example.org", "203.0.113.1");
    for _ in 0..5 {
        assert_eq!(fails(&store, &fang, NOW).await, None);
    }
    assert_eq!(fails(&store, &fang, NOW).await, Some(30));
    // A try that is not looked at does not make the wait longer.
    assert_eq!(fails(&store, &fang, later(20)).await, Some(10));
    assert_eq!(fails(&store, &fang, later(30)).await, None);
    assert_eq!(fails(&store, &fang, later(30)).await, Some(60));
    let elsewhere = Attempt::new("fang@example.org", "203.0.113.2");
    assert_eq!(fails(&store, &elsewhere, later(30)).await, None);

    assert_eq!(fails(&store, &fang, later(90)).await, None);
    store.signed_in(&fang, later(90)).await.unwrap();
    for _ in 0..5 {
        assert_eq!(fails(&store, &fang, later(90)).await, None);
    }
    assert_eq!(fails(&store, &fang, later(90)).await, Some(30));
    let next_week = NOW.plus_days(7);
    for _ in 0..5 {
        assert_eq!(fails(&store, &fang, next_week).await, None);
    }
    // Neither right nor wrong is as if it had not been.
    store.take_back(&fang, next_week).await.unwrap();
    assert_eq!(fails(&store, &fang, next_week).await, None);
    assert_eq!(fails(&store, &fang, next_week).await, Some(30));
    assert_eq!(store.forget_tries(next_week).await.unwrap(), 2);
    assert_eq!(store.forget_tries(NOW.plus_days(100)).await.unwrap(), 3);
}

async fn guesses_from_many_networks_keep_out_only_networks_that_are_not_known(database: Database) {
    let store = fresh(&database).await;
    let home = Attempt::new("fang@example.org", "203.0.113.1");
    assert_eq!(fails(&store, &home, NOW).await, None);
    store.signed_in(&home, NOW).await.unwrap();
    for number in 0..50 {
        let guess = Attempt::new("fang@example.org", &format!("198.51.100.{number}"));
        assert_eq!(fails(&store, &guess, NOW).await, None, "{number}");
    }
    let guess = Attempt::new("fang@example.org", "198.51.100.99");
    assert_eq!(fails(&store, &guess, NOW).await, Some(30));
    assert_eq!(fails(&store, &home, NOW).await, None);
    // After a quarter nobody knows the network any more.
    let later = NOW.plus_days(100);
    for number in 0..50 {
        let guess = Attempt::new("fang@example.org", &format!("192.0.2.{number}"));
        assert_eq!(fails(&store, &guess, later).await, None, "{number}");
    }
    assert_eq!(fails(&store, &home, later).await, Some(30));
}

async fn one_password_tried_on_many_people_makes_its_network_wait(database: Database) {
    let store = fresh(&database).await;
    for number in 0..300 {
        let guess = Attempt::new(&format!("{number}@example.org"), "203.0.113.1");
        assert_eq!(fails(&store, &guess, NOW).await, None, "{number}");
    }
    let guess = |network| Attempt::new("another@example.org", network);
    assert_eq!(fails(&store, &guess("203.0.113.1"), NOW).await, Some(30));
    assert_eq!(fails(&store, &guess("203.0.113.2"), NOW).await, None);
}

async fn tries_at_the_same_time_are_all_counted(database: Database) {
    let (one, two) = (fresh(&database).await, again(&database).await);
    let fang = Attempt::new("fang@example.org", "203.0.113.1");
    let tries: Vec<_> = (0..20)
        .map(|number| {
            let store = if number % 2 == 0 { &one } else { &two }.clone();
            tokio::spawn(async move { store.try_sign_in(&fang, NOW).await.unwrap() })
        })
        .collect();
    let mut looked_at = 0;
    for one in tries {
        looked_at += usize::from(one.await.unwrap().is_none());
    }
    assert_eq!(looked_at, 5);
}
