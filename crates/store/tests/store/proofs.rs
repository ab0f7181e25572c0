//! The tree grows with the journal, whoever writes, and proves every entry and every beginning.

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::proof::path::{Head, root_of_entries, verify_consistency, verify_inclusion};
use fundcycle_core::proof::{Digest, tree};
use fundcycle_store::replay::Place;
use fundcycle_store::{Store, StoreError};
use fundcycle_test_support::{Database, on_both, sql};
use uuid::Uuid;

use crate::{again, fresh, open_account};

on_both!(
    every_entry_and_every_beginning_is_proven,
    a_journal_from_before_trees_gets_one_by_migrating,
    a_damaged_tree_is_named_and_refuses_what_would_hide_it
);

/// Enough for several subtrees that are kept.
const MANY: usize = 600;

/// Opens accounts, all at once, so that they share transactions.
async fn grown(store: &Store, count: usize) {
    let opened: Vec<_> = (0..count)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.execute(open_account(Uuid::now_v7())).await })
        })
        .collect();
    for one in opened {
        one.await.unwrap().unwrap();
    }
}

async fn hashes(store: &Store) -> Vec<Digest> {
    let mut hashes = Vec::new();
    loop {
        let after = i64::try_from(hashes.len()).unwrap();
        let page = store.journal(REGISTRY, after, 500).await.unwrap();
        if page.is_empty() {
            return hashes;
        }
        hashes.extend(
            page.iter()
                .map(|entry| Digest::from_bytes(&entry.hash).unwrap()),
        );
    }
}

async fn every_entry_and_every_beginning_is_proven(database: Database) {
    let store = fresh(&database).await;
    assert_eq!(store.tree(REGISTRY).await.unwrap(), None);
    // From two instances in turns: each goes on from the edge that the other left.
    let other = again(&database).await;
    for round in 0..6 {
        grown(if round % 2 == 0 { &store } else { &other }, MANY / 6).await;
    }
    let hashes = hashes(&store).await;
    let head = store.tree(REGISTRY).await.unwrap().unwrap();
    assert_eq!(head, root_of_entries(hashes.iter().copied()));
    assert_eq!(head.size, MANY as u64);

    let heads = |size: u64| {
        let size = usize::try_from(size).unwrap();
        root_of_entries(hashes.iter().take(size).copied())
    };
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 600] {
        let Head { root, .. } = heads(size);
        assert_eq!(store.root_at(REGISTRY, size).await.unwrap(), Some(root));
        for seq in [1, 2, size / 2 + 1, size] {
            let seq = seq.min(size);
            let path = store.inclusion(REGISTRY, seq, size).await.unwrap().unwrap();
            let entry = hashes[usize::try_from(seq - 1).unwrap()];
            verify_inclusion(tree::leaf(&entry.0), seq - 1, size, &path, root).unwrap();
        }
        let path = store.consistency(REGISTRY, size, 600).await;
        verify_consistency(heads(size), head, &path.unwrap().unwrap()).unwrap();
    }
    for (seq, size) in [(0, 600), (601, 600), (1, 601), (5, 4), (1, 0)] {
        assert_eq!(store.inclusion(REGISTRY, seq, size).await.unwrap(), None);
    }
    assert_eq!(store.consistency(REGISTRY, 2, 1).await.unwrap(), None);
    assert_eq!(store.consistency(REGISTRY, 1, 601).await.unwrap(), None);
    let report = store.replay_check(None).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

async fn a_journal_from_before_trees_gets_one_by_migrating(database: Database) {
    let store = fresh(&database).await;
    grown(&store, 300).await;
    let head = store.tree(REGISTRY).await.unwrap();
    // As the migration finds it.
    let old = "UPDATE journal_head SET edge = NULL; DELETE FROM journal_node";
    sql(&database, old).await.unwrap();
    let error = store
        .execute(open_account(Uuid::now_v7()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("fundcycle migrate"), "{error}");
    Store::migrate(&database.url).await.unwrap();
    assert_eq!(store.tree(REGISTRY).await.unwrap(), head);
    grown(&store, 1).await;
    assert!(store.replay_check(None).await.unwrap().is_clean());
}

async fn a_damaged_tree_is_named_and_refuses_what_would_hide_it(database: Database) {
    let store = fresh(&database).await;
    grown(&store, 300).await;
    let zeros = if database.is_postgres() {
        format!("'\\x{}'", "00".repeat(32))
    } else {
        format!("x'{}'", "00".repeat(32))
    };
    for change in [
        format!("UPDATE journal_node SET hash = {zeros}"),
        "UPDATE journal_node SET place = 7".to_owned(),
        "DELETE FROM journal_node".to_owned(),
        "UPDATE journal_head SET edge = NULL".to_owned(),
    ] {
        assert!(sql(&database, &change).await.unwrap() > 0, "{change}");
        let report = store.replay_check(None).await.unwrap();
        let places: Vec<Place> = report.differences.iter().map(|one| one.place).collect();
        assert!(places.contains(&Place::Tree), "{change}: {places:?}");
    }
    let error = store.tree(REGISTRY).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
