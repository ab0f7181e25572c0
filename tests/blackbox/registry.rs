//! Accounts, organisations and experts: what outlives a cycle.

use fundcycle_core::kinds::Kind;
use serde_json::{Value, json};

use crate::walk::{Person, Walk, text};
use crate::ways::{at, is};

/// Whether `account` holds `role` anywhere.
async fn holds(walk: &Walk<'_>, admin: &Person, account: &str, role: &str) -> bool {
    let record = walk.read(admin, &format!("/v1/accounts/{account}")).await;
    record["grants"]
        .as_array()
        .unwrap()
        .iter()
        .any(|grant| grant["role"] == role)
}

/// A role is given and taken, an account is closed and opened again.
pub(crate) async fn a_role_is_revoked_and_an_account_disabled_and_enabled(
    walk: &mut Walk<'_>,
    admin: &Person,
    other: &Person,
) {
    let record = format!("/v1/accounts/{}", other.account);
    let grant = json!({ "grant": { "role": "auditor", "scope": "everywhere" } });
    walk.must(admin, &record, "grant", grant.clone(), "active")
        .await;
    assert!(holds(walk, admin, &other.account, "auditor").await);
    walk.must(admin, &record, "revoke", grant, "active").await;
    assert!(!holds(walk, admin, &other.account, "auditor").await);
    walk.must(
        admin,
        &record,
        "disable",
        json!({ "reason": "长期离岗" }),
        "disabled",
    )
    .await;
    walk.must(admin, &record, "enable", json!({}), "active")
        .await;
    // Whoever has an account has opened one.
    walk.saw(Kind::Account, "open");
}

/// An organisation corrects its profile, takes a member in and lets them go, is banned and let in again.
pub(crate) async fn an_organisation_is_amended_banned_and_let_in_again(
    walk: &mut Walk<'_>,
    admin: &Person,
    [staff, lead]: [&Person; 2],
    [owner, member]: [&Person; 2],
) {
    let list = walk.read(owner, "/v1/organisations").await;
    let known = walk
        .read(
            owner,
            &format!("/v1/organisations/{}", text(&list["items"][0], "id")),
        )
        .await;
    let record = format!("/v1/organisations/{}", text(&known, "id"));
    let mut profile = known["profile"].clone();
    profile["phone"] = json!("0519-00000009");
    walk.must(
        owner,
        &record,
        "amend",
        json!({ "profile": profile }),
        "registered",
    )
    .await;
    walk.must(staff, &record, "verify", json!({}), "verified")
        .await;
    let who = json!({ "account": member.account });
    walk.must(owner, &record, "add_member", who.clone(), "verified")
        .await;
    assert!(holds(walk, admin, &member.account, "applicant").await);
    walk.saw(Kind::Account, "join");
    walk.must(owner, &record, "remove_member", who, "verified")
        .await;
    assert!(!holds(walk, admin, &member.account, "applicant").await);
    walk.saw(Kind::Account, "leave");
    let ban = json!({ "until": "2027-07-01T00:00:00+08:00", "reason": "提供虚假材料" });
    walk.must(lead, &record, "ban", ban, "banned").await;
    let lifted = json!({ "reason": "复议后撤销" });
    walk.must(lead, &record, "lift_ban", lifted, "registered")
        .await;
    // Another one is over by itself.
    let short = json!({ "until": "2025-06-30T18:00:00+08:00", "reason": "提供虚假材料" });
    walk.must(lead, &record, "ban", short, "banned").await;
    at(walk, admin, "2025-06-30T17:59:59+08:00").await;
    is(walk, owner, &record, "banned").await;
    at(walk, admin, "2025-06-30T18:00:00+08:00").await;
    is(walk, owner, &record, "registered").await;
    walk.saw(Kind::Organisation, "end_ban");
    // A code can belong to one organisation; a second one registers with its own.
    profile["name"] = json!("(演示)新登记的服务社");
    profile["uscc"] = json!("52320412MJDEMA0119");
    walk.create(
        member,
        Kind::Organisation,
        "register",
        "/v1/organisations",
        json!({ "profile": profile }),
    )
    .await;
}

/// An expert declines, is asked again, accepts, amends, declares a conflict, and leaves.
pub(crate) async fn an_expert_declines_is_asked_again_and_retires(
    walk: &mut Walk<'_>,
    staff: &Person,
    expert: &Person,
) {
    let profile = |employer: &str| -> Value {
        json!({ "profile": { "name": "(演示)专家", "category": "学者", "employer": employer, "synthetic": true } })
    };
    let mut asked = profile("(演示)单位");
    asked["account"] = json!(expert.account);
    let record = walk
        .create(staff, Kind::Expert, "invite", "/v1/experts", asked)
        .await;
    walk.must(expert, &record, "decline", json!({}), "declined")
        .await;
    walk.must(staff, &record, "reinstate", json!({}), "invited")
        .await;
    walk.must(
        expert,
        &record,
        "accept",
        json!({ "pledge": true }),
        "active",
    )
    .await;
    walk.must(expert, &record, "amend", profile("(演示)新单位"), "active")
        .await;
    let organisations = walk.read(staff, "/v1/organisations").await;
    let conflict =
        json!({ "organisations": [text(&organisations["items"][0], "id")], "ground": "曾任理事" });
    walk.must(expert, &record, "declare_conflicts", conflict, "active")
        .await;
    walk.must(
        staff,
        &record,
        "retire",
        json!({ "reason": "任期届满" }),
        "retired",
    )
    .await;
}
