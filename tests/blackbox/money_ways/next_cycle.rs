//! What the next cycle knows of this one.

use fundcycle_test_support::Database;

use super::{Bureau, Case, Kind, Value, Walk, err, id, json, out, run, text};

/// What these lives make happen in the registry, whose journal nobody reads over the API.
pub(crate) const VERBS: &[&str] = &["organisation note_merit"];

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
    // One mark of one expert is the score; what earlier projects brought is added to it.
    document["stages"]["roadshow"] = json!(false);
    document["rounds"]
        .as_object_mut()
        .unwrap()
        .remove("roadshow");
    let criteria = json!([{ "key": "need", "title": "社会需求", "max": 100 }]);
    document["rounds"]["paper_review"] = json!({
        "weight": "1", "aggregation": { "method": "mean" },
        "rubric": { "title": "书面评审表", "version": 1, "criteria": criteria },
    });
    document["ranking"] = json!({ "earlier_projects": { "most": "3", "days": 365 } });
    document["selection"] =
        json!({ "budget": "60000", "mode": "rank_order", "when_short": "stop" });
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

/// Whoever is in the register of bans cannot hand in an application, whoever is not can; gives what the
/// latter handed in.
pub(super) async fn the_register_of_bans_is_read(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    cycle: &str,
    banned: &Case,
    free: &Case,
) -> String {
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
    application
}

/// The final grade of an earlier project adds its points to the score: on record in the ranking, and anybody
/// computes it again from the public file.
pub(super) async fn an_earlier_project_counts(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    cycle: &str,
    application: &str,
    database: &Database,
) {
    let (staff, lead) = (&bureau.staff, &bureau.lead);
    bureau.at(walk, "2025-04-01T09:00:00+08:00").await;
    for (verb, stage) in [("start_check", "screening"), ("accept", "eligible")] {
        walk.must(staff, application, verb, json!({}), stage).await;
    }
    walk.must(staff, cycle, "open_review", json!({}), "review")
        .await;
    let expert = walk.person("expert1@demo.invalid").await;
    let list = format!("{cycle}/panels");
    let formed = json!({ "round": "paper_review", "experts": [expert.account] });
    let panel = walk.create(staff, Kind::Panel, "form", &list, formed).await;
    let pairs = json!({ "pairs": [{ "expert": expert.account, "subject": id(application) }] });
    walk.must(staff, &panel, "assign", pairs, "forming").await;
    walk.must(staff, &panel, "open", json!({}), "open").await;
    let sheets = walk.read(&expert, &format!("{cycle}/sheets")).await;
    let sheet = format!("/v1/sheets/{}", text(&sheets["items"][0], "id"));
    let marks = json!({ "marks": { "scores": { "need": "80" } } });
    walk.must(&expert, &sheet, "save", marks, "draft").await;
    walk.must(&expert, &sheet, "submit", json!({}), "submitted")
        .await;
    walk.must(staff, &panel, "close", json!({}), "closed").await;
    walk.must(staff, cycle, "open_selection", json!({}), "selection")
        .await;
    let list = format!("{cycle}/selections");
    let selection = walk
        .create(staff, Kind::Selection, "compute", &list, json!({}))
        .await;
    let run_of = walk.read(staff, &selection).await["run"].clone();
    let (line, input) = (&run_of["lines"][0], &run_of["inputs"][0]);
    assert_eq!(
        (&line["score"], &line["bonus"], &line["decision"]),
        (&json!("82"), &json!("2"), &json!("funded"))
    );
    assert_eq!(
        (
            &input["rounds"]["paper_review"],
            &input["earlier"][0]["points"]
        ),
        (&json!("80"), &json!("2"))
    );
    for (who, verb, stage) in [
        (staff, "propose", "proposed"),
        (lead, "approve", "approved"),
        (staff, "announce", "announced"),
    ] {
        walk.must(who, &selection, verb, json!({}), stage).await;
    }
    let list = format!("{cycle}/notices");
    let body = json!({ "selection": id(&selection) });
    let notice = walk
        .create(staff, Kind::Notice, "prepare", &list, body)
        .await;
    walk.must(lead, &notice, "publish", json!({}), "running")
        .await;
    let path = format!("{cycle}/verification");
    let (status, file) = walk.server.ask("GET", &path, None, None).await;
    assert_eq!(status, 200, "{file}");
    let folder = database.folder.path();
    std::fs::write(folder.join("next.json"), file.to_string()).unwrap();
    let said = run(folder, &["verify", "next.json"]);
    let text = out(&said) + &err(&said);
    assert_eq!(said.status.code(), Some(0), "{text}");
    assert!(text.contains("✓ selection: "), "{text}");
}

/// The ban of a year is over after that year.
pub(super) async fn a_ban_is_over_after_its_year(walk: &Walk<'_>, bureau: &Bureau, banned: &Case) {
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
