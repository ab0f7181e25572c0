//! Credentials, tokens, inbox and settings.

use fundcycle_core::rejection::Rejection;
use fundcycle_core::time::Timestamp;
use fundcycle_store::credential::NewCredential;
use fundcycle_store::inbox::InboxMessage;
use fundcycle_store::token::Secret;
use fundcycle_store::{ExecuteError, Store};
use fundcycle_test_support::{Database, on_both};
use uuid::Uuid;

use crate::{NOW, again, fresh, open_account};

on_both!(
    an_account_and_its_credential_are_written_together,
    an_address_is_taken_once,
    a_person_is_erased_and_the_chain_stands,
    tokens_expire_and_are_revoked,
    the_inbox_is_paged_newest_first,
    settings_are_kept
);

fn credential(account: Uuid, email: &str) -> NewCredential {
    NewCredential {
        account,
        email: email.to_owned(),
        name: "王芳".to_owned(),
        locale: "zh-CN".to_owned(),
        password_hash: "$argon2id$…".to_owned(),
    }
}

async fn an_account_and_its_credential_are_written_together(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    let mut open = open_account(account);
    open.credential = Some(credential(account, " Wang.Fang@Example.org "));
    let mut trial = open.clone();
    trial.dry_run = true;
    store.execute(trial).await.unwrap();
    assert_eq!(store.credential(account).await.unwrap(), None);

    store.execute(open).await.unwrap();
    let found = store
        .credential_by_email("wang.fang@EXAMPLE.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.account, found.email.as_str(), found.name.as_str()),
        (account, "Wang.Fang@Example.org", "王芳")
    );
    assert!(store.set_password(account, "new", NOW).await.unwrap());
    assert!(
        store
            .set_person(account, "Fang Wang", "en", NOW)
            .await
            .unwrap()
    );
    let found = store.credential(account).await.unwrap().unwrap();
    assert_eq!(
        (
            found.password_hash.as_str(),
            found.name.as_str(),
            found.locale.as_str()
        ),
        ("new", "Fang Wang", "en")
    );
    assert!(
        !store
            .set_password(Uuid::now_v7(), "new", NOW)
            .await
            .unwrap()
    );
}

async fn an_address_is_taken_once(database: Database) {
    let one = fresh(&database).await;
    let two = again(&database).await;
    let tasks: Vec<_> = (0..20)
        .map(|place| {
            let store = if place % 2 == 0 {
                one.clone()
            } else {
                two.clone()
            };
            let account = Uuid::now_v7();
            let mut open = open_account(account);
            open.credential = Some(credential(account, "wang@example.org"));
            tokio::spawn(async move { store.execute(open).await })
        })
        .collect();
    let mut opened = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => opened += 1,
            Err(ExecuteError::Refused(Rejection::Invalid { faults })) => {
                assert_eq!(
                    (faults[0].pointer.as_str(), faults[0].code.as_str()),
                    ("/email", "taken")
                );
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(opened, 1);
    let report = one.replay_check(None).await.unwrap();
    assert_eq!((report.records, report.is_clean()), (1, true));
}

async fn a_person_is_erased_and_the_chain_stands(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    let mut open = open_account(account);
    open.credential = Some(credential(account, "wang@example.org"));
    store.execute(open).await.unwrap();
    store
        .issue_token(&[1; 32], account, NOW, NOW.plus_days(1), None)
        .await
        .unwrap();
    store.erase_person(account).await.unwrap();
    assert_eq!(store.credential(account).await.unwrap(), None);
    assert_eq!(live(&store, &[1; 32], NOW).await, None);
    assert!(store.replay_check(None).await.unwrap().is_clean());
    assert!(
        store
            .history(account)
            .await
            .unwrap()
            .iter()
            .all(|entry| !entry.data.contains("王芳"))
    );
}

/// Whose live token this is.
async fn live(store: &Store, secret: &Secret, now: Timestamp) -> Option<Uuid> {
    let found = store.token(secret, now).await.unwrap();
    found.map(|token| token.account)
}

async fn tokens_expire_and_are_revoked(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    for secret in [[1; 32], [2; 32], [3; 32]] {
        store
            .issue_token(&secret, account, NOW, NOW.plus_days(1), None)
            .await
            .unwrap();
    }
    assert_eq!(live(&store, &[1; 32], NOW).await, Some(account));
    assert_eq!(live(&store, &[1; 32], NOW.plus_days(1)).await, None);
    assert_eq!(live(&store, &[9; 32], NOW).await, None);
    assert!(store.revoke_token(&[1; 32], NOW).await.unwrap());
    assert!(!store.revoke_token(&[1; 32], NOW).await.unwrap());
    assert_eq!(live(&store, &[1; 32], NOW).await, None);
    assert_eq!(store.revoke_tokens_of(account, true, NOW).await.unwrap(), 2);
    assert_eq!(live(&store, &[2; 32], NOW).await, None);
    assert_eq!(store.forget_tokens(NOW.plus_days(2)).await.unwrap(), 3);
}

async fn the_inbox_is_paged_newest_first(database: Database) {
    let store = fresh(&database).await;
    let account = Uuid::now_v7();
    let message = |place: i64| InboxMessage {
        account,
        id: Uuid::from_u128(u128::try_from(place).unwrap()),
        at: NOW.0 + place / 2,
        topic: "returned".to_owned(),
        locale: "zh-CN".to_owned(),
        title: "申报材料需补正".to_owned(),
        text: "请于三个工作日内补正。".to_owned(),
        subject: Some(Uuid::from_u128(9)),
        read_at: None,
    };
    for place in [3, 1, 4, 2, 5, 1] {
        store.put_in_inbox(&[message(place)], &[]).await.unwrap();
    }
    let first = store.inbox(account, None, 3).await.unwrap();
    assert_eq!(first, [message(5), message(4), message(3)]);
    let rest = store
        .inbox(account, Some((Timestamp(first[2].at), first[2].id)), 3)
        .await
        .unwrap();
    assert_eq!(rest, [message(2), message(1)]);
    assert_eq!(store.unread(account).await.unwrap(), 5);
    assert!(store.mark_read(account, first[0].id, NOW).await.unwrap());
    assert!(
        store
            .mark_read(account, first[0].id, NOW.plus_days(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .mark_read(Uuid::now_v7(), first[0].id, NOW)
            .await
            .unwrap()
    );
    assert_eq!(store.unread(account).await.unwrap(), 4);
    assert_eq!(
        store.inbox(account, None, 1).await.unwrap()[0].read_at,
        Some(NOW.0)
    );
}

async fn settings_are_kept(database: Database) {
    let store = fresh(&database).await;
    assert_eq!(store.setting("time_travel").await.unwrap(), None);
    store.set_setting("time_travel", "allowed").await.unwrap();
    store.set_setting("time_travel", "refused").await.unwrap();
    assert_eq!(
        again(&database)
            .await
            .setting("time_travel")
            .await
            .unwrap()
            .as_deref(),
        Some("refused")
    );
}
