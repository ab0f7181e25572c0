//! What the next cycle knows of this one.

use super::{Bureau, Case, Kind, Value, Walk, id, json, text};

/// A second cycle whose call is open on 3 March 2025, by the rules of the first; gives its address.
pub(super) async fn is_called(walk: &mut Walk<'_>, bureau: &Bureau) -> String {
    let (admin, staff, lead) = (&bureau.admin, &bureau.staff, &bureau.lead);
    let name = json!({ "name": "2025—2026年公益创投" });
    let cycle = walk
        .create(admin, Kind::Cycle, "create", "/v1/cycles", name)
        .await;
    for (who, role) in [(staff, "staff"), (lead, "lead")] {
        let grant = json!({ "grant": { "role": role, "scope": { "cycle": id(&cycle) } } });
        let account = format!("/v1/accounts/{}", who.account);
        walk.must(admin, &account, "grant", grant, "active").await;
    }
    let policy = text(&walk.read(staff, &bureau.cycle).await, "policy");
    let policy = walk.read(staff, &format!("/v1/policies/{policy}")).await;
    let mut document = policy["document"].clone();
    document["application"]["opens_at"] = json!("2025-03-03T09:00:00+08:00");
    document["application"]["closes_at"] = json!("2025-03-31T17:00:00+08:00");
    let list = format!("{cycle}/policies");
    let draft = json!({ "document": document });
    let draft = walk
        .create(staff, Kind::Policy, "draft", &list, draft)
        .await;
    let body = json!({ "policy": id(&draft) });
    walk.must(lead, &cycle, "publish", body, "application")
        .await;
    bureau.at(walk, "2025-03-03T10:00:00+08:00").await;
    cycle
}

/// The same application as last year, for the year after.
async fn applied(walk: &mut Walk<'_>, cycle: &str, case: &Case) -> String {
    let project = walk.read(&case.owner, &case.project).await;
    let last = format!("/v1/applications/{}", text(&project, "application"));
    let mut form: Value = walk.read(&case.owner, &last).await["form"].clone();
    form["starts_on"] = json!("2025-09-01");
    form["ends_on"] = json!("2026-05-31");
    let body = json!({ "organisation": project["organisation"], "form": form });
    let list = format!("{cycle}/applications");
    walk.create(&case.owner, Kind::Application, "create", &list, body)
        .await
}

/// Whoever is in the register of bans cannot hand in an application, whoever is not can; the ban of a year
/// is over after that year.
pub(super) async fn the_register_of_bans_is_read(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    cycle: &str,
    banned: &Case,
    free: &Case,
) {
    let application = applied(walk, cycle, banned).await;
    let why = walk.refused(&banned.owner, &application, "submit", json!({}));
    assert_eq!(why.await, "/organisation banned");
    let application = applied(walk, cycle, free).await;
    walk.must(&free.owner, &application, "submit", json!({}), "submitted")
        .await;
    // Who handed in is not counted as somebody new, and a draft is not counted at all.
    let path = format!("{cycle}/documents/statistics");
    let token = Some(bureau.staff.token.as_str());
    let (status, _, page) = walk.server.fetch(&path, token, &[]).await;
    let page = String::from_utf8(page).unwrap();
    assert_eq!(status, 200, "{page}");
    let group = |name: &str| page.contains(&format!("<th scope=\"row\">{name}</th>"));
    assert!(group("曾经申报") && !group("首次申报"), "{page}");
    let project = walk.read(&banned.owner, &banned.project).await;
    let organisation = format!("/v1/organisations/{}", text(&project, "organisation"));
    for (now, stage) in [
        ("2025-11-15T23:59:59+08:00", "banned"),
        ("2025-11-16T00:00:00+08:00", "registered"),
    ] {
        bureau.at(walk, now).await;
        // Everybody's year-long sign-in is over.
        let staff = walk.person("staff@demo.invalid").await;
        let seen = walk.read(&staff, &organisation).await;
        assert_eq!(seen["stage"], stage, "{now}");
    }
}
