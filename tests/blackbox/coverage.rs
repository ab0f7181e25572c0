//! Every verb of every flow is made to happen on the built binary: a new one without a scenario fails here.

use std::collections::BTreeSet;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_test_support::{Database, on_both};

use crate::support::{Server, err, out, run};
use crate::walk::Walk;
use crate::{calls, money_ways, proof, registry, result_rules, result_ways, review_ways, sheets};

/// What scenarios of their own make happen; each of them looks for it in the journals.
const WALKED_ELSEWHERE: &[&[&str]] = &[
    result_rules::VERBS,
    result_rules::no_notice::VERBS,
    result_ways::VERBS,
    result_ways::no_result::VERBS,
    money_ways::VERBS,
    money_ways::rules::VERBS,
    money_ways::monitoring::VERBS,
    money_ways::next_cycle::VERBS,
    review_ways::VERBS,
    sheets::VERBS,
    proof::VERBS,
];

on_both!(every_verb_is_walked);

async fn every_verb_is_walked(database: Database) {
    let folder = database.folder.path();
    let played = run(folder, &["demo", "--database", &database.url]);
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));

    let server = Server::start(folder, &database.url, &["--time-travel"]);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let admin = walk.person("admin@demo.invalid").await;
    let staff = walk.person("staff@demo.invalid").await;
    let lead = walk.person("lead@demo.invalid").await;
    let finance = walk.person("finance@demo.invalid").await;
    let owner = walk.person("org02@demo.invalid").await;
    let member = walk.person("org03@demo.invalid").await;
    registry::a_role_is_revoked_and_an_account_disabled_and_enabled(&mut walk, &admin, &finance)
        .await;
    registry::an_organisation_is_amended_banned_and_let_in_again(
        &mut walk,
        &admin,
        [&staff, &lead],
        [&owner, &finance],
    )
    .await;
    registry::an_expert_declines_is_asked_again_and_retires(&mut walk, &staff, &member).await;
    calls::a_call_is_amended_extended_and_cancelled(&mut walk, &admin, [&staff, &lead]).await;
    walk.read_journals(&staff).await;

    let every: BTreeSet<String> = Kind::ALL
        .iter()
        .flat_map(|kind| {
            let moves = kind.moves().into_iter();
            moves.map(move |one| format!("{kind} {}", one.verb))
        })
        .collect();
    let elsewhere: BTreeSet<&str> = WALKED_ELSEWHERE.concat().into_iter().collect();
    let missing: BTreeSet<&str> = every
        .difference(&walk.seen)
        .map(String::as_str)
        .filter(|verb| !elsewhere.contains(verb))
        .collect();
    assert!(missing.is_empty(), "nothing walks {missing:?}");
    drop(server);

    let replay = run(
        folder,
        &["journal", "replay", "--check", "--database", &database.url],
    );
    assert_eq!(
        replay.status.code(),
        Some(0),
        "{}{}",
        out(&replay),
        err(&replay)
    );
}
