//! A cycle whose published rules have no notice, and an application that wins its re-check.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::json;

use crate::district::{Bid, District, serve};
use crate::walk::Walk;
use crate::ways::{at, happened, shut};

/// What is made to happen here.
pub(crate) const VERBS: &[&str] = &["notice skip"];

on_both!(an_organisation_keeps_its_limit_and_goes_through_without_a_notice);

/// The second bid is handed in after the first was rejected.
const TWICE: [Bid; 2] = [
    Bid {
        owner: 0,
        domain: "养老服务",
        yuan: 10_000,
        score: "90",
    },
    Bid {
        owner: 0,
        domain: "社区建设",
        yuan: 10_000,
        score: "80",
    },
];

async fn an_organisation_keeps_its_limit_and_goes_through_without_a_notice(database: Database) {
    let server = serve(&database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let district = a_recheck_is_won(&mut walk).await;
    let District {
        admin, staff, lead, ..
    } = &district;
    district.reviews(&mut walk).await;
    let selection = district.computes(&mut walk).await;
    walk.must(staff, &selection, "propose", json!({}), "proposed")
        .await;
    walk.must(lead, &selection, "approve", json!({}), "approved")
        .await;
    walk.must(staff, &selection, "announce", json!({}), "announced")
        .await;
    at(&walk, admin, "2024-07-10T09:00:00+08:00").await;
    let notice = district.prepares(&mut walk, &selection).await;
    shut(&walk, lead, &notice, "publish", json!({}), "has_notice").await;
    walk.must(lead, &notice, "skip", json!({}), "skipped").await;
    assert_eq!(district.stages(&walk).await, ["cleared", "withdrawn"]);
    let staff = walk.person("staff@demo.invalid").await;
    happened(server, &staff, VERBS, &database).await;
}

/// One application for each organisation: who wins a re-check after another one was handed in keeps one.
async fn a_recheck_is_won(walk: &mut Walk<'_>) -> District {
    let mut district = District::called(walk, &TWICE[..1], |policy| {
        policy["stages"]["notice"] = json!(false);
        policy["eligibility"] = json!({ "applications_per_organisation": 1 });
    })
    .await;
    let first = district.applications[0].clone();
    let staff = &district.staff;
    walk.must(staff, &first, "start_check", json!({}), "screening")
        .await;
    let why = json!({ "reason": "材料不符" });
    walk.must(staff, &first, "reject", why, "ineligible").await;
    let second = district.applies(walk, TWICE[1]).await;
    let District {
        owners,
        staff,
        lead,
        ..
    } = &district;
    for verb in ["start_check", "accept"] {
        let stage = if verb == "accept" {
            "eligible"
        } else {
            "screening"
        };
        walk.must(staff, &second, verb, json!({}), stage).await;
    }
    let why = json!({ "reason": "材料齐全" });
    walk.must(&owners[0], &first, "request_recheck", why, "rechecking")
        .await;
    district.grants(walk, lead, "staff").await;
    shut(walk, lead, &first, "accept", json!({}), "within_limit").await;
    let why = json!({ "reason": "保留首个项目" });
    walk.must(&owners[0], &second, "withdraw", why, "withdrawn")
        .await;
    walk.must(lead, &first, "accept", json!({}), "eligible")
        .await;
    at(walk, &district.admin, "2024-06-03T09:00:00+08:00").await;
    district.applications.push(second);
    district
}
