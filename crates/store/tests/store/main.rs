//! The store's contract, each test once per engine from one source.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod attempts;
mod balances;
mod forgery;
mod opening;
mod order;
mod outbox;
mod people;
mod proofs;
mod tampering;

use std::collections::BTreeSet;
use std::sync::Arc;

use fundcycle_core::account;
use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::engine::Request;
use fundcycle_core::kinds::Command;
use fundcycle_core::organisation::{self, Profile};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_store::outbox::{Messages, OutboxMessage};
use fundcycle_store::submission::{IdempotencyKey, Precondition};
use fundcycle_store::{Options, Store, Submission};
use fundcycle_test_support::Database;
use uuid::Uuid;

/// 2024-09-11T01:00:00Z, when the call of the example cycle opened.
pub(crate) const NOW: Timestamp = Timestamp(1_726_016_400_000);

/// A store on a fresh database, without messages.
pub(crate) async fn fresh(database: &Database) -> Store {
    Store::migrate(&database.url).await.unwrap();
    again(database).await
}

/// Another store on the same database, as another instance would have.
pub(crate) async fn again(database: &Database) -> Store {
    Store::open(
        &database.url,
        Options::silent(WorkingDayCalendar::china().unwrap()),
    )
    .await
    .unwrap()
}

/// A store that sends one message per fact.
pub(crate) async fn talkative(database: &Database) -> Store {
    Store::migrate(&database.url).await.unwrap();
    let messages: Messages = Arc::new(|fact, state, _| {
        vec![OutboxMessage {
            channel: "log".to_owned(),
            topic: fact.verb.to_owned(),
            receiver: Some(state.id()),
            payload: serde_json::json!({ "stage": state.stage(), "text": "养老服务" }),
        }]
    });
    let calendar = Arc::new(WorkingDayCalendar::china().unwrap());
    Store::open(&database.url, Options { calendar, messages })
        .await
        .unwrap()
}

/// A command in the registry.
pub(crate) fn submission(actor: Actor, id: Uuid, command: Command) -> Submission {
    Submission {
        command: Uuid::now_v7(),
        request: Request {
            journal: REGISTRY,
            id,
            command,
            viewer: Viewer::new(actor),
        },
        precondition: Precondition::Free,
        idempotency: None,
        credential: None,
        dry_run: false,
        now: NOW,
    }
}

/// The service opens account `id`.
pub(crate) fn open_account(id: Uuid) -> Submission {
    submission(
        Actor::system(),
        id,
        Command::Account(account::Command::Open {
            grants: BTreeSet::new(),
        }),
    )
}

/// The administrator disables account `id`.
pub(crate) fn disable(id: Uuid) -> Submission {
    submission(
        admin(),
        id,
        Command::Account(account::Command::Disable {
            reason: "test".to_owned(),
        }),
    )
}

/// `owner` registers an organisation: two facts, on the organisation and on the account.
pub(crate) fn register(owner: Uuid, id: Uuid, name: &str) -> Submission {
    let profile = Profile {
        name: name.to_owned(),
        ..Profile::default()
    };
    submission(
        member(owner),
        id,
        Command::Organisation(organisation::Command::Register { profile }),
    )
}

/// An administrator who is none of the accounts in the test.
pub(crate) fn admin() -> Actor {
    let grants = BTreeSet::from([Grant {
        role: Role::Admin,
        scope: Scope::Everywhere,
    }]);
    Actor::account(Uuid::from_u128(0xad), grants)
}

/// A signed-in person without grants.
pub(crate) fn member(id: Uuid) -> Actor {
    Actor::account(id, BTreeSet::new())
}

/// A key of the test's own principal.
pub(crate) fn key(key: &str, request: u8) -> IdempotencyKey {
    IdempotencyKey {
        principal: "test".to_owned(),
        key: key.to_owned(),
        request_hash: [request; 32],
    }
}
