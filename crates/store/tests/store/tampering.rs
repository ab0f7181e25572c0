//! The journal cannot be changed, and where somebody manages to, the check finds it.

use std::sync::atomic::{AtomicU32, Ordering};

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Command;
use fundcycle_core::organisation::{self, Profile};
use fundcycle_core::time::Timestamp;
use fundcycle_store::replay::Place;
use fundcycle_store::{ExecuteError, Store, Submission};
use fundcycle_test_support::{Database, on_both, sql};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::{NOW, disable, fresh, member, open_account, register, submission, talkative};

on_both!(
    the_engine_refuses_to_change_the_journal,
    after_random_commands_the_tables_say_what_the_journal_says,
    every_kind_of_tampering_is_found
);

async fn the_engine_refuses_to_change_the_journal(database: Database) {
    let store = fresh(&database).await;
    store.execute(open_account(Uuid::now_v7())).await.unwrap();
    let mut changes = vec![
        "UPDATE journal SET at = 0",
        "DELETE FROM journal WHERE seq = 1",
    ];
    if database.is_postgres() {
        changes.push("TRUNCATE journal");
    }
    for change in changes {
        let refused = sql(&database, change).await.unwrap_err().to_string();
        assert!(
            refused.contains("the journal is append-only"),
            "{change}: {refused}"
        );
    }
    assert!(store.replay_check(None).await.unwrap().is_clean());
}

/// Takes the triggers off the journal, as an administrator of the database could; gives the SQL that
/// puts them on again, where that is to be had.
pub(crate) async fn no_triggers(database: &Database) -> &'static str {
    let (off, on) = if database.is_postgres() {
        (
            "ALTER TABLE journal DISABLE TRIGGER ALL;",
            "ALTER TABLE journal ENABLE TRIGGER ALL;",
        )
    } else {
        (
            "DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete;",
            "",
        )
    };
    sql(database, off).await.unwrap();
    on
}

/// What a random user might do to one of a few accounts and organisations.
#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Disable(usize),
    Register(usize, usize),
    Amend(usize, usize, String),
    AddMember(usize, usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let n = || 0usize..4;
    prop_oneof![
        n().prop_map(Step::Open),
        n().prop_map(Step::Disable),
        (n(), n()).prop_map(|(who, org)| Step::Register(who, org)),
        (n(), n(), "\\PC{0,20}").prop_map(|(who, org, name)| Step::Amend(who, org, name)),
        (n(), n(), n()).prop_map(|(who, org, new)| Step::AddMember(who, org, new)),
    ]
}

/// The command of a step. Whether it may happen is for the core to say.
async fn command(
    store: &Store,
    accounts: &[Uuid],
    organisations: &[Uuid],
    step: Step,
) -> Submission {
    let of = |who: usize, org: usize, command| {
        (
            accounts[who],
            organisations[org],
            Command::Organisation(command),
        )
    };
    let (who, id, command) = match step {
        Step::Open(who) => return open_account(accounts[who]),
        Step::Disable(who) => return disable(accounts[who]),
        Step::Register(who, org) => return register(accounts[who], organisations[org], "阳光"),
        Step::Amend(who, org, name) => {
            let profile = Profile {
                name,
                ..Profile::default()
            };
            of(who, org, organisation::Command::Amend { profile })
        }
        Step::AddMember(who, org, new) => of(
            who,
            org,
            organisation::Command::AddMember {
                account: accounts[new],
                owner: new % 2 == 0,
            },
        ),
    };
    // With the grants that the account has by now.
    let mut actor = member(who);
    if let Some(fundcycle_core::kinds::State::Account(account)) =
        store.read_one(None, who).await.unwrap()
    {
        actor.grants = account.data.grants;
    }
    submission(actor, id, command)
}

async fn after_random_commands_the_tables_say_what_the_journal_says(database: Database) {
    let store = talkative(&database).await;
    let handle = tokio::runtime::Handle::current();
    let (done, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let config = Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    };
    let checked = TestRunner::new(config).run(
        &prop::collection::vec((any_step(), -9i64..99), 1..40),
        |steps| {
            let accounts = [(); 4].map(|()| Uuid::now_v7());
            let organisations = [(); 4].map(|()| Uuid::now_v7());
            let report = tokio::task::block_in_place(|| {
                handle.block_on(async {
                    for (step, later) in steps {
                        let mut command = command(&store, &accounts, &organisations, step).await;
                        command.now = Timestamp(NOW.0 + later);
                        match store.execute(command).await {
                            Ok(_) => done.fetch_add(1, Ordering::Relaxed),
                            Err(ExecuteError::Refused(_)) => {
                                refused.fetch_add(1, Ordering::Relaxed)
                            }
                            Err(error) => panic!("{error}"),
                        };
                    }
                    store.replay_check(None).await.unwrap()
                })
            });
            prop_assert!(report.is_clean(), "{:?}", report.differences);
            Ok(())
        },
    );
    checked.unwrap();
    let (done, refused) = (done.into_inner(), refused.into_inner());
    assert!(done > 30 && refused > 30, "{done} done, {refused} refused");
}

/// How to change what, and where the check has to find it.
struct Tampering {
    change: String,
    place: Place,
}

async fn every_kind_of_tampering_is_found(database: Database) {
    let store = talkative(&database).await;
    let owner = Uuid::now_v7();
    let organisation = Uuid::now_v7();
    store.execute(open_account(owner)).await.unwrap();
    store
        .execute(register(owner, organisation, "阳光"))
        .await
        .unwrap();
    for _ in 0..3 {
        store.execute(open_account(Uuid::now_v7())).await.unwrap();
    }
    assert!(store.replay_check(None).await.unwrap().is_clean());

    let on = no_triggers(&database).await;
    let id = if database.is_postgres() {
        format!("'{organisation}'")
    } else {
        format!("x'{}'", organisation.simple())
    };
    let head = Place::Head;
    let tamperings = [
        (
            "UPDATE journal SET data = replace(data, '阳光', '月光') WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET data = data || ' ' WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET actor = 'system' WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET initiator = NULL WHERE seq = 3".to_owned(),
            Place::Entry(3),
        ),
        (
            "UPDATE journal SET policy = '0' WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET at = at + 1 WHERE seq = 3".to_owned(),
            Place::Entry(3),
        ),
        (
            "UPDATE journal SET at = at - 1 WHERE seq = 4".to_owned(),
            Place::Entry(4),
        ),
        (
            "UPDATE journal SET to_stage = 'verified' WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET verb = 'amend' WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET version = 7 WHERE seq = 2".to_owned(),
            Place::Entry(2),
        ),
        (
            "UPDATE journal SET hash = (SELECT hash FROM journal WHERE seq = 1) WHERE seq = 4"
                .to_owned(),
            Place::Entry(4),
        ),
        (
            "DELETE FROM journal WHERE seq = 4".to_owned(),
            Place::Entry(5),
        ),
        ("DELETE FROM journal WHERE seq = 6".to_owned(), head),
        (
            "UPDATE journal SET seq = 9 WHERE seq = 6".to_owned(),
            Place::Entry(9),
        ),
        ("UPDATE journal_head SET seq = 5".to_owned(), head),
        ("UPDATE journal_head SET at = at + 1".to_owned(), head),
        ("DELETE FROM journal_head".to_owned(), head),
        (
            format!("UPDATE state SET body = replace(body, '阳光', '月光') WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET label = '月光' WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET stage = 'banned' WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET stage = 'nonsense' WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET version = 2 WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET updated_at = 0 WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET organisation = NULL WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("UPDATE state SET body = 'x' WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            format!("DELETE FROM state WHERE id = {id}"),
            Place::Record(organisation),
        ),
        (
            "UPDATE outbox SET seq = 99 WHERE seq = 6".to_owned(),
            Place::Outbox,
        ),
    ]
    .map(|(change, place)| Tampering { change, place });

    for table in ["journal", "journal_head", "state", "outbox"] {
        sql(
            &database,
            &format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"),
        )
        .await
        .unwrap();
    }
    for Tampering { change, place } in tamperings {
        assert!(sql(&database, &change).await.unwrap() > 0, "{change}");
        let report = store.replay_check(Some(REGISTRY)).await.unwrap();
        assert!(
            report.differences.iter().any(|one| one.place == place),
            "{change}: {:?}",
            report.differences
        );
        for table in ["journal", "journal_head", "state", "outbox"] {
            sql(
                &database,
                &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"),
            )
            .await
            .unwrap();
        }
        assert!(
            store.replay_check(None).await.unwrap().is_clean(),
            "after {change}"
        );
    }
    // A record that no journal speaks of, in a journal that nothing else mentions.
    let stray = "INSERT INTO state (journal, kind, id, version, stage, created_at, updated_at, body)
                 SELECT id, kind, id, version, stage, created_at, updated_at, body FROM state WHERE kind = 'organisation'";
    sql(&database, stray).await.unwrap();
    let report = store.replay_check(None).await.unwrap();
    assert!(
        report
            .differences
            .iter()
            .any(|one| one.journal == organisation && one.place == Place::Record(organisation))
    );
    if !on.is_empty() {
        sql(&database, on).await.unwrap();
    }
}
