//! Members of a panel drawn by lots: fixed before the seed is known, drawn as anyone draws them again.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{Part, checked_for_eligibility, the_journals_hold};
use crate::desk::{Desk, because};
use crate::numbers::draw::by_hand;
use crate::walk::text;

const SEED: &str = "00112233445566778899aabbccddeeff";
/// `printf 00112233445566778899aabbccddeeff | xxd -r -p | sha256sum`
const COMMITMENT: &str = "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811";

on_both!(members_are_drawn_by_lots_and_replaced_by_substitutes);

/// Members and substitutes, from `docs/numbers.md` alone.
fn drawn_by_hand(draw: &Value) -> (Vec<String>, Vec<String>) {
    let pool = draw["pool"].as_object().unwrap();
    let accounts: Vec<String> = pool.keys().cloned().collect();
    let seed = data_encoding::HEXLOWER.decode(SEED.as_bytes()).unwrap();
    let (order, _, list_hash) = by_hand(&accounts, &seed);
    assert_eq!(draw["list_hash"], list_hash);
    let count = |rule: &Value| usize::try_from(rule.as_u64().unwrap()).unwrap();
    let mut seated: BTreeSet<&String> = BTreeSet::new();
    let least: BTreeMap<String, Value> =
        serde_json::from_value(draw["rules"]["at_least"].clone()).unwrap();
    for (category, least) in &least {
        let own = order.iter().filter(|account| pool[*account] == *category);
        seated.extend(own.take(count(least)));
    }
    let seats = count(&draw["rules"]["seats"]);
    let others = order.iter().filter(|account| !seated.contains(account));
    let more: Vec<&String> = others.take(seats - seated.len()).collect();
    seated.extend(more);
    let (members, others): (Vec<&String>, Vec<&String>) =
        order.iter().partition(|account| seated.contains(account));
    let substitutes = others
        .into_iter()
        .take(count(&draw["rules"]["substitutes"]));
    (
        members.into_iter().cloned().collect(),
        substitutes.cloned().collect(),
    )
}

async fn members_are_drawn_by_lots_and_replaced_by_substitutes(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, &["staff", "lead", "expert1", "auditor"]).await;
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &["expert1"]).await;
    let excluded =
        json!({ desk.members(&["expert1"])["chair"].as_str().unwrap(): "连续三届担任评委" });
    let category = "财务";
    let asked = json!({
        "rules": { "seats": 3, "at_least": { category: 1 }, "substitutes": 2 },
        "excluded": excluded, "commitment": COMMITMENT,
    });
    let commit = ("staff", panel.as_str(), "commit_draw");
    let mut impossible = asked.clone();
    impossible["rules"]["at_least"][category] = json!(9);
    desk.refused(commit, impossible, 422, "/rules/seats").await;
    let tried = desk
        .does("staff", &panel, "commit_draw?dry_run=true", asked.clone())
        .await;
    let fixed = desk
        .does("staff", &panel, "commit_draw", asked.clone())
        .await;
    assert_eq!(tried["draws"], fixed["draws"]);
    assert_eq!(fixed["draws"][0]["pool"].as_object().unwrap().len(), 6);
    desk.refused(commit, asked.clone(), 409, "first_draw").await;
    let wrong = json!({ "seed": "ff112233445566778899aabbccddeeff" });
    desk.refused(
        ("staff", &panel, "draw_members"),
        wrong,
        422,
        "not_committed",
    )
    .await;

    let seed = json!({ "seed": SEED });
    let drawn = desk
        .does("staff", &panel, "draw_members", seed.clone())
        .await;
    let draw = &drawn["draws"][0];
    let (members, substitutes) = drawn_by_hand(draw);
    assert_eq!(draw["drawn"]["members"], json!(members));
    assert_eq!(draw["drawn"]["substitutes"], json!(substitutes));
    let seated: BTreeSet<&String> = members.iter().collect();
    assert_eq!(drawn["experts"], json!(seated));
    desk.refused(
        ("staff", &panel, "draw_members"),
        seed,
        409,
        "draw_committed",
    )
    .await;
    let lead = ("lead", panel.as_str(), "commit_draw");
    desk.refused(lead, asked, 422, "/reason").await;

    let finance = members
        .iter()
        .find(|one| draw["pool"][*one] == category)
        .unwrap();
    let other = members.iter().find(|one| *one != finance).unwrap();
    let ill = json!({ "expert": other, "reason": "因病", "refused": { substitutes[0].as_str(): "出差" } });
    let after = desk.does("staff", &panel, "substitute", ill).await;
    let drawn = &after["draws"][0]["drawn"];
    assert_eq!(drawn["substitutions"][0]["joins"], substitutes[1]);
    assert_eq!(drawn["substitutes"], json!([]));
    let seated = after["experts"].as_array().unwrap();
    assert!(seated.contains(&json!(substitutes[1])) && !seated.contains(&json!(other)));
    let nobody = json!({ "expert": finance, "reason": "因病" });
    desk.refused(
        ("staff", &panel, "substitute"),
        nobody,
        422,
        "no_substitute",
    )
    .await;
    let (_, seen) = desk.sees("auditor", &panel).await;
    assert_eq!(text(&seen["draws"][0], "commitment"), COMMITMENT);
    assert_eq!(seen["draws"], after["draws"]);
    desk.refused(("auditor", &panel, "dissolve"), because("试"), 403, "")
        .await;
    the_journals_hold(&database, server, Part::Draw).await;
}
