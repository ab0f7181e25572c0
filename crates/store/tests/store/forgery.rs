//! A forger with all rights on the database, who drops the triggers and reckons everything anew:
//! what the record itself shows, what only a checkpoint kept outside shows, and where.

use std::fmt::Write as _;

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Command;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::{Note, SecretKey};
use fundcycle_core::proof::path::root_of_entries;
use fundcycle_core::proof::tree::{Edge, leaf};
use fundcycle_core::signing_key;
use fundcycle_store::checkpoint::Checkpoint as Kept;
use fundcycle_store::entry::Entry;
use fundcycle_store::replay::{Outside, Place};
use fundcycle_store::submission::IdempotencyKey;
use fundcycle_store::{Store, Submission};
use fundcycle_test_support::{Database, on_both, sql};
use uuid::Uuid;

use crate::tampering::no_triggers;
use crate::{NOW, open_account, submission, talkative};

on_both!(every_forgery_is_found_and_located);

const TABLES: [&str; 7] = [
    "journal",
    "journal_head",
    "journal_node",
    "checkpoint",
    "state",
    "outbox",
    "idempotency",
];

/// Entries before the checkpoint: the key's and eight accounts.
const SIGNED: i64 = 9;
/// All of them.
const ALL: i64 = 14;

pub(crate) fn introduce(key: &SecretKey, before: Option<&SecretKey>) -> Submission {
    let public = key.public();
    let command = signing_key::Command::Introduce {
        public_key: Digest(public.0).to_string(),
        predecessor: before.map(|before| signing_key::id_of(before.public())),
        endorsement: before.map(|before| signing_key::endorse(before, public)),
        reason: None,
    };
    submission(
        Actor::system(),
        signing_key::id_of(public),
        Command::SigningKey(command),
    )
}

struct Forger {
    database: Database,
    store: Store,
    entries: Vec<Entry>,
}

impl Forger {
    fn bytes(&self, bytes: &[u8]) -> String {
        let hex = fundcycle_core::digest::to_hex(bytes);
        if self.database.is_postgres() {
            format!("'\\x{hex}'")
        } else {
            format!("x'{hex}'")
        }
    }

    async fn does(&self, change: &str) {
        let rows = sql(&self.database, change).await.unwrap();
        assert!(rows > 0, "{change}");
    }

    /// Makes the journal `entries`, with a chain, a tree and a head that fit.
    async fn reckons_anew(&self, mut entries: Vec<Entry>) {
        let mut previous = Digest::GENESIS;
        let mut edge = Edge::default();
        let mut text = "DELETE FROM journal;".to_owned();
        for entry in &mut entries {
            let hash = entry.chained(previous).unwrap();
            entry.hash = hash.0.to_vec();
            previous = hash;
            edge.push(leaf(&hash.0));
            let uuid = |id: Uuid| {
                if self.database.is_postgres() {
                    format!("'{id}'")
                } else {
                    format!("x'{}'", id.simple())
                }
            };
            write!(
                text,
                "INSERT INTO journal (journal, seq, kind, id, version, at, actor, command, verb, from_stage, to_stage, data, salt, hash)
                 VALUES ({}, {}, '{}', {}, {}, {}, '{}', {}, '{}', NULL, '{}', '{}', {}, {});",
                uuid(entry.journal), entry.seq, entry.kind, uuid(entry.id), entry.version, entry.at, entry.actor,
                uuid(entry.command), entry.verb, entry.to_stage, entry.data, self.bytes(&entry.salt), self.bytes(&entry.hash),
            )
            .unwrap();
        }
        let last = entries.last().unwrap();
        write!(
            text,
            "UPDATE journal_head SET seq = {}, at = {}, hash = {}, edge = {}",
            last.seq,
            last.at,
            self.bytes(&last.hash),
            self.bytes(&edge.to_bytes()),
        )
        .unwrap();
        sql(&self.database, &text).await.unwrap();
    }

    /// What a check finds.
    async fn finds(&self, outside: &[Outside]) -> Vec<Place> {
        let report = self.store.verify(None, outside).await.unwrap();
        report.differences.iter().map(|one| one.place).collect()
    }

    async fn keeps_all(&self) {
        for table in TABLES {
            let copy = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
            sql(&self.database, &copy).await.unwrap();
        }
    }

    async fn undoes_all(&self) {
        for table in TABLES {
            let back =
                format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
            sql(&self.database, &back).await.unwrap();
        }
        assert_eq!(self.finds(&[]).await, []);
    }
}

async fn every_forgery_is_found_and_located(database: Database) {
    let store = talkative(&database).await;
    let key = SecretKey::from_seed([1; 32]);
    let mut first = introduce(&key, None);
    first.idempotency = Some(IdempotencyKey {
        principal: "system".to_owned(),
        key: "1".to_owned(),
        request_hash: [0; 32],
    });
    store.execute(first).await.unwrap();
    for _ in 1..SIGNED {
        store.execute(open_account(Uuid::now_v7())).await.unwrap();
    }
    let head = store.tree(REGISTRY).await.unwrap().unwrap();
    let origin = signing_key::origin(key.public(), REGISTRY);
    let note = Checkpoint { origin, head }.sign(&key);
    let kept = Kept {
        journal: REGISTRY,
        size: SIGNED,
        at: NOW.0,
        published: true,
        note: note.to_string(),
    };
    store.keep_checkpoint(&kept).await.unwrap();
    for _ in SIGNED..ALL {
        store.execute(open_account(Uuid::now_v7())).await.unwrap();
    }
    let entries = store.journal(REGISTRY, 0, 100).await.unwrap();
    let outside = [Outside {
        journal: REGISTRY,
        note: note.clone(),
    }];
    let report = store.verify(None, &outside).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    // The one kept inside and the one kept outside.
    assert_eq!(report.checkpoints, 2);

    no_triggers(&database).await;
    let forger = Forger {
        database,
        store,
        entries,
    };
    forger.keeps_all().await;
    clumsy(&forger).await;
    skilled(&forger, &note, &outside).await;
    with_another_key(&forger, &outside).await;
}

/// Changes that break the chain, the order or the tables: the record shows them by itself.
async fn clumsy(forger: &Forger) {
    let insert = "INSERT INTO journal (journal, seq, kind, id, version, at, actor, command, verb, to_stage, data, salt, hash)
                  SELECT journal, 15, kind, id, version + 1, at, actor, command, verb, to_stage, data, salt, hash FROM journal WHERE seq = 14";
    let swap = "UPDATE journal SET seq = 99 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 5; UPDATE journal SET seq = 5 WHERE seq = 99";
    for (change, place) in [
        (
            "UPDATE journal SET data = replace(data, '\"grants\":[]', '\"grants\":[{\"role\":\"admin\",\"scope\":\"everywhere\"}]') WHERE seq = 5",
            Place::Entry(5),
        ),
        (
            "UPDATE journal SET actor = 'public' WHERE seq = 6",
            Place::Entry(6),
        ),
        (
            "UPDATE journal SET at = at + 1 WHERE seq = 14",
            Place::Entry(14),
        ),
        (
            "UPDATE journal SET hash = (SELECT hash FROM journal WHERE seq = 2) WHERE seq = 7",
            Place::Entry(7),
        ),
        (
            "UPDATE journal SET salt = (SELECT salt FROM journal WHERE seq = 2) WHERE seq = 7",
            Place::Entry(7),
        ),
        // What is missing shows where it should have been followed.
        ("DELETE FROM journal WHERE seq = 5", Place::Entry(6)),
        ("DELETE FROM journal WHERE seq = 14", Place::Head),
        (insert, Place::Entry(15)),
        (swap, Place::Entry(4)),
        (
            "UPDATE journal SET seq = 15 WHERE seq = 14",
            Place::Entry(15),
        ),
        ("UPDATE outbox SET seq = 3 WHERE seq = 4", Place::Outbox),
        (
            "UPDATE idempotency SET response = replace(response, '\"version\":1', '\"version\":2')",
            Place::Answers,
        ),
        ("UPDATE checkpoint SET size = 8", Place::Checkpoint(8)),
        (
            "UPDATE checkpoint SET note = replace(note, 'fundcycle/', 'fundcycle/0')",
            Place::Checkpoint(9),
        ),
    ] {
        forger.does(change).await;
        let found = forger.finds(&[]).await;
        assert!(found.contains(&place), "{change}: {found:?}");
        forger.undoes_all().await;
    }
    let id = forger.entries[2].id;
    let named = if forger.database.is_postgres() {
        format!("'{id}'")
    } else {
        format!("x'{}'", id.simple())
    };
    forger
        .does(&format!(
            "UPDATE state SET stage = 'disabled' WHERE id = {named}"
        ))
        .await;
    assert_eq!(forger.finds(&[]).await, [Place::Record(id)]);
    forger.undoes_all().await;
}

/// A tail that is cut off, or everything from some entry on written anew, with a chain, a tree and a
/// head that fit.
async fn skilled(forger: &Forger, note: &Note, outside: &[Outside]) {
    let gone = |from: usize| {
        let ids = forger.entries[from..].iter();
        let ids: Vec<String> = ids
            .map(|entry| {
                if forger.database.is_postgres() {
                    format!("'{}'", entry.id)
                } else {
                    format!("x'{}'", entry.id.simple())
                }
            })
            .collect();
        format!(
            "DELETE FROM state WHERE id IN ({}); DELETE FROM outbox WHERE seq > {from}",
            ids.join(", ")
        )
    };
    // Cut off behind what was signed: nothing shows it. That is why checkpoints are made often.
    forger.reckons_anew(forger.entries[..12].to_vec()).await;
    forger.does(&gone(12)).await;
    assert_eq!(forger.finds(outside).await, []);
    forger.undoes_all().await;

    // Cut off before it: the checkpoint shows it, inside as long as it is there, and outside.
    forger.reckons_anew(forger.entries[..6].to_vec()).await;
    forger.does(&gone(6)).await;
    assert_eq!(forger.finds(&[]).await, [Place::Entry(7)]);
    forger.does("DELETE FROM checkpoint").await;
    assert_eq!(forger.finds(&[]).await, []);
    assert_eq!(forger.finds(outside).await, [Place::Entry(7)]);
    forger.undoes_all().await;

    // Written anew from entry 4 on. With a smaller checkpoint too, it is known between which entries.
    let early = Outside {
        journal: REGISTRY,
        note: Checkpoint {
            origin: Checkpoint::of(note).unwrap().origin,
            head: root_of_entries(
                forger.entries[..3]
                    .iter()
                    .map(|entry| Digest::from_bytes(&entry.hash).unwrap()),
            ),
        }
        .sign(&SecretKey::from_seed([1; 32])),
    };
    let mut anew = forger.entries.clone();
    "public".clone_into(&mut anew[3].actor);
    forger.reckons_anew(anew).await;
    assert_eq!(forger.finds(&[]).await, [Place::Entry(1)]);
    forger.does("DELETE FROM checkpoint").await;
    assert_eq!(forger.finds(&[]).await, []);
    assert_eq!(forger.finds(outside).await, [Place::Entry(1)]);
    let both = [outside, &[early]].concat();
    assert_eq!(forger.finds(&both).await, [Place::Entry(4)]);
    forger.undoes_all().await;
}

/// The forger has no key on record, so they put their own on record and sign with that.
async fn with_another_key(forger: &Forger, outside: &[Outside]) {
    let own = SecretKey::from_seed([2; 32]);
    let (theirs, recorded) = (
        Digest(own.public().0).to_string(),
        Digest(SecretKey::from_seed([1; 32]).public().0).to_string(),
    );
    // Signed by the wrong key: the record shows it.
    let hash = |entry: &Entry| Digest::from_bytes(&entry.hash).unwrap();
    let resigned = |origin: String, entries: &[Entry]| {
        let note = Checkpoint {
            origin,
            head: root_of_entries(entries.iter().map(hash)),
        }
        .sign(&own);
        format!("UPDATE checkpoint SET note = '{note}'")
    };
    let signed = usize::try_from(SIGNED).unwrap();
    let origin = signing_key::origin(SecretKey::from_seed([1; 32]).public(), REGISTRY);
    forger
        .does(&resigned(origin, &forger.entries[..signed]))
        .await;
    assert_eq!(forger.finds(&[]).await, [Place::Checkpoint(9)]);
    forger.undoes_all().await;

    // Everything written anew with the other key on record: only what is outside shows it.
    let mut anew = forger.entries.clone();
    anew[0].data = anew[0].data.replace(&recorded, &theirs);
    forger.reckons_anew(anew).await;
    forger
        .does(&format!(
            "UPDATE state SET number = '{theirs}', body = replace(body, '{recorded}', '{theirs}') WHERE kind = 'signing_key'"
        ))
        .await;
    let anew = forger.store.journal(REGISTRY, 0, 100).await.unwrap();
    let origin = signing_key::origin(own.public(), REGISTRY);
    forger.does(&resigned(origin, &anew[..signed])).await;
    assert_eq!(forger.finds(&[]).await, []);
    assert_eq!(forger.finds(outside).await, [Place::Checkpoint(9)]);
    forger.undoes_all().await;
}
