//! From the award to the first payment, and everything that can come between.

use super::{Bureau, Case, Kind, Value, Walk, because, id, json, payment, text};

/// The letters of three go out and are accepted; their projects begin.
pub(super) async fn three_are_awarded(walk: &mut Walk<'_>, bureau: &Bureau) -> [Case; 3] {
    bureau.at(walk, "2024-07-29T09:00:00+08:00").await;
    walk.must(
        &bureau.staff,
        &bureau.cycle,
        "open_launch",
        json!({}),
        "launch",
    )
    .await;
    let mut cases = Vec::new();
    for number in ["01", "02", "03"] {
        let owner = walk.person(&format!("org{number}@demo.invalid")).await;
        let list = format!("{}/applications", bureau.cycle);
        let own = walk.read(&owner, &list).await;
        let application = text(&own["items"][0], "id");
        let letter =
            json!({ "application": application, "letter": format!("武民立〔2024〕{number}号") });
        let list = format!("{}/awards", bureau.cycle);
        let award = walk
            .create(&bureau.lead, Kind::Award, "issue", &list, letter)
            .await;
        walk.must(&owner, &award, "accept", json!({}), "accepted")
            .await;
        let list = format!("{}/projects", bureau.cycle);
        let own = walk.read(&owner, &list).await;
        let project = &own["items"][0];
        assert_eq!(project["stage"], "refining");
        cases.push(Case {
            owner,
            award: project["amount"].as_i64().unwrap(),
            project: format!("/v1/projects/{}", text(project, "id")),
        });
    }
    let awards: Vec<i64> = cases.iter().map(|case| case.award).collect();
    assert_eq!(awards, [5_000_000, 4_500_000, 4_000_000]);
    cases.try_into().ok().unwrap()
}

/// The plan that the application asked for.
pub(super) async fn plan(walk: &Walk<'_>, case: &Case) -> Value {
    let project = walk.read(&case.owner, &case.project).await;
    let application = format!("/v1/applications/{}", text(&project, "application"));
    let form = walk.read(&case.owner, &application).await["form"].clone();
    json!({ "plan": {
        "text": "优化后的实施方案",
        "budget": form["budget"],
        "targets": form["indicators"],
        "ends_on": "2025-05-31",
    }})
}

/// The plan is sent back, comes again, and is approved.
pub(super) async fn a_plan_is_sent_back_and_comes_again(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let (owner, project) = (&case.owner, &case.project);
    let mut faulty = plan(walk, case).await;
    faulty["plan"]["budget"][0]["unit_price"] = json!(1);
    let why = walk.refused(owner, project, "submit_plan", faulty).await;
    assert_eq!(why, "/plan/budget sum");
    let sent = plan(walk, case).await;
    walk.must(owner, project, "submit_plan", sent, "plan_submitted")
        .await;
    let back = because("请补充风险预案");
    let why = walk.refused(owner, project, "return_plan", back.clone());
    assert_eq!(why.await, "forbidden");
    walk.must(&bureau.staff, project, "return_plan", back, "refining")
        .await;
    let seen = walk.read(owner, project).await;
    assert_eq!(seen["reason"], "请补充风险预案");
    planned(walk, bureau, case).await;
    let seen = walk.read(owner, project).await;
    assert_eq!(seen["plan_version"], 2);
}

/// A plan is handed in and approved.
pub(super) async fn planned(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let sent = plan(walk, case).await;
    let project = &case.project;
    walk.must(&case.owner, project, "submit_plan", sent, "plan_submitted")
        .await;
    walk.must(
        &bureau.staff,
        project,
        "approve_plan",
        json!({}),
        "agreement_pending",
    )
    .await;
}

/// The agreements are signed: each plans three tranches of a half, three tenths and the rest.
pub(super) async fn signed(walk: &mut Walk<'_>, bureau: &Bureau, cases: [&Case; 3]) {
    bureau.at(walk, "2024-08-08T10:00:00+08:00").await;
    for case in cases {
        let agreement = json!({
            "parties": ["武进区民政局", "承接方"],
            "signed_on": "2024-08-08",
            "number": format!("WJ2024-{}", id(&case.project)),
        });
        walk.must(&bureau.staff, &case.project, "sign", agreement, "signed")
            .await;
        let planned = [5, 3, 2].map(|tenths| ("planned".to_owned(), case.award * tenths / 10));
        assert_eq!(bureau.money(walk, case).await, planned);
    }
    bureau.at(walk, "2024-08-20T10:00:00+08:00").await;
}

/// Whoever asks for a payment does not approve it, whoever approves does not pay, whatever roles
/// they hold; a request that is sent back begins anew. In the end it is approved.
pub(super) async fn three_people_handle_a_payment(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let tranche = bureau.tranche(walk, case, 0).await;
    let (staff, lead) = (&bureau.staff, &bureau.lead);
    for (who, role) in [(staff, "lead"), (staff, "finance"), (lead, "finance")] {
        bureau.role(walk, "grant", who, role).await;
    }
    let nothing = json!({});
    walk.must(staff, &tranche, "request", nothing.clone(), "requested")
        .await;
    let why = walk
        .refused(staff, &tranche, "approve", nothing.clone())
        .await;
    assert_eq!(why, "other_than_requester");

    let back = because("请附协议扫描件");
    walk.must(lead, &tranche, "return_request", back, "planned")
        .await;
    let seen = walk.read(staff, &tranche).await;
    assert!(seen["requested_by"].is_null(), "{seen}");
    let why = walk
        .refused(lead, &tranche, "approve", nothing.clone())
        .await;
    assert_eq!(why, "not_from_here");
    walk.must(staff, &tranche, "request", nothing.clone(), "requested")
        .await;
    walk.must(lead, &tranche, "approve", nothing, "approved")
        .await;

    let pay = payment(2_500_000, "2024-08-20");
    for (who, expected) in [
        (staff, "other_than_requester"),
        (lead, "other_than_approver"),
    ] {
        let why = walk.refused(who, &tranche, "pay", pay.clone()).await;
        assert_eq!(why, expected);
    }
    for (who, role) in [(staff, "lead"), (staff, "finance"), (lead, "finance")] {
        bureau.role(walk, "revoke", who, role).await;
    }
    let why = walk.refused(staff, &tranche, "pay", pay).await;
    assert_eq!(why, "forbidden");
    assert_eq!(bureau.money(walk, case).await[0].0, "approved");
}

/// An approved payment waits while its project is suspended.
pub(super) async fn a_suspended_project_is_not_paid(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let tranche = bureau.tranche(walk, case, 0).await;
    let (lead, project) = (&bureau.lead, &case.project);
    let why = walk.refused(&bureau.staff, project, "suspend", because("核查中"));
    assert_eq!(why.await, "forbidden");
    walk.must(lead, project, "suspend", because("核查中"), "suspended")
        .await;
    let pay = payment(2_500_000, "2024-08-20");
    let why = walk.refused(&bureau.finance, &tranche, "pay", pay).await;
    assert_eq!(why, "project_running");
    let seen = walk.read(&bureau.staff, &tranche).await;
    assert_eq!(
        (&seen["stage"], &seen["voucher"]),
        (&json!("approved"), &Value::Null)
    );
    // It goes on where it was.
    walk.must(lead, project, "resume", because("核查无误"), "signed")
        .await;
}

/// A hold undoes request and approval; once it is released three people handle it anew.
pub(super) async fn a_payment_is_held_and_released(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let tranche = bureau.tranche(walk, case, 0).await;
    let (lead, finance) = (&bureau.lead_2, &bureau.finance);
    let pay = payment(2_500_000, "2024-08-20");
    walk.must(
        lead,
        &tranche,
        "withhold",
        because("账户待核实"),
        "withheld",
    )
    .await;
    let why = walk.refused(finance, &tranche, "pay", pay.clone()).await;
    assert_eq!(why, "not_from_here");
    let blank = walk.refused(lead, &tranche, "release_hold", because(" "));
    assert_eq!(blank.await, "/reason required");
    walk.must(lead, &tranche, "release_hold", because("已核实"), "planned")
        .await;
    let seen = walk.read(&bureau.staff, &tranche).await;
    assert!(seen["approved_by"].is_null(), "{seen}");

    walk.must(&bureau.staff, &tranche, "request", json!({}), "requested")
        .await;
    walk.must(lead, &tranche, "approve", json!({}), "approved")
        .await;
    let short = payment(2_499_999, "2024-08-20");
    let why = walk.refused(finance, &tranche, "pay", short).await;
    assert_eq!(why, "/amount amount");
    walk.must(finance, &tranche, "pay", pay, "paid").await;
    let seen = walk.read(&case.owner, &tranche).await;
    assert_eq!(
        (&seen["amount"], &seen["paid_on"]),
        (&json!(2_500_000), &json!("2024-08-20"))
    );
}

/// The three are launched and carried out; the cycle comes to its evaluations.
pub(super) async fn launched(walk: &mut Walk<'_>, bureau: &Bureau, cases: [&Case; 3]) {
    for case in cases {
        let day = json!({ "date": "2024-09-02", "venue": "武进区文化馆" });
        let project = &case.project;
        walk.must(&case.owner, project, "schedule_launch", day, "signed")
            .await;
    }
    bureau.at(walk, "2024-09-02T09:30:00+08:00").await;
    for case in cases {
        for (verb, stage) in [("launch", "launched"), ("activate", "active")] {
            walk.must(&bureau.staff, &case.project, verb, json!({}), stage)
                .await;
        }
    }
    bureau.at(walk, "2024-10-15T09:00:00+08:00").await;
    let (staff, cycle) = (&bureau.staff, &bureau.cycle);
    walk.must(staff, cycle, "open_evaluation", json!({}), "evaluation")
        .await;
}
