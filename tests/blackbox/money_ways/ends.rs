//! How projects end: with the money back, with a part given up, or as agreed.

use super::{Bureau, Case, Walk, because, json, reminded_of, reports};

/// What became of the three tranches, of a half, three tenths and the rest of the award.
async fn left(walk: &Walk<'_>, bureau: &Bureau, case: &Case, stages: [&str; 3]) {
    let shares = [5, 3, 2].map(|tenths| case.award * tenths / 10);
    let expected: Vec<(String, i64)> = stages.map(str::to_owned).into_iter().zip(shares).collect();
    assert_eq!(bureau.money(walk, case).await, expected);
}

/// A lead, and nobody else, stops a project that failed: what was not paid never will be.
async fn stopped(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let ground = json!({ "ground": "failed_evaluation", "reason": "评估不通过" });
    let project = &case.project;
    let why = walk.refused(&bureau.staff, project, "terminate", ground.clone());
    assert_eq!(why.await, "forbidden");
    walk.must(&bureau.lead, project, "terminate", ground, "terminated")
        .await;
    left(walk, bureau, case, ["paid", "cancelled", "cancelled"]).await;
}

/// A project that failed half-way is stopped; what it had not spent is demanded and comes back.
pub(super) async fn what_was_not_spent_comes_back(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    bureau.at(walk, "2025-01-20T10:00:00+08:00").await;
    let next = bureau.tranche(walk, case, 1).await;
    let why = walk.refused(&bureau.staff, &next, "request", json!({}));
    assert_eq!(why.await, "condition_met, project_running");
    stopped(walk, bureau, case).await;
    let (staff, lead, finance) = (&bureau.staff, &bureau.lead, &bureau.finance);
    let project = &case.project;
    let spent = |fen: i64| json!({ "amount": fen });
    let why = walk.refused(staff, project, "accept_spend", spent(2_500_001));
    assert_eq!(why.await, "/amount range");
    walk.must(
        staff,
        project,
        "accept_spend",
        spent(2_000_000),
        "terminated",
    )
    .await;
    let due = json!({ "due_on": "2025-02-20" });
    walk.must(staff, project, "recover", due, "recovering")
        .await;
    let seen = walk.read(&case.owner, project).await;
    assert_eq!(seen["demand"]["amount"], 500_000);

    let refund = |fen: i64| json!({ "amount": fen, "voucher": "退款-1" });
    let why = walk.refused(finance, project, "record_refund", refund(500_001));
    assert_eq!(why.await, "/amount range");
    walk.must(
        finance,
        project,
        "record_refund",
        refund(300_000),
        "recovering",
    )
    .await;
    let why = walk.refused(finance, project, "confirm_recovery", json!({}));
    assert_eq!(why.await, "nothing_owed");
    bureau.at(walk, "2025-02-11T08:00:00+08:00").await;
    assert_eq!(reminded_of(walk, &bureau.admin, "refund").await, 1);
    walk.must(
        finance,
        project,
        "record_refund",
        refund(200_000),
        "recovering",
    )
    .await;
    // All is there: nobody is reminded, although finance has not confirmed it yet.
    bureau.at(walk, "2025-02-18T08:00:00+08:00").await;
    assert_eq!(reminded_of(walk, &bureau.admin, "refund").await, 1);
    let why = walk.refused(lead, project, "write_off", because("无款可核"));
    assert_eq!(why.await, "something_owed, write_off_proposed");
    walk.must(finance, project, "confirm_recovery", json!({}), "recovered")
        .await;
    let seen = walk.read(&case.owner, project).await;
    assert_eq!(seen["refunded"], 500_000);
}

/// A project that failed at the end pays back a part; a lead, and nobody else, gives up the rest.
pub(super) async fn what_cannot_be_had_is_written_off(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    // It was held back, and is cancelled with the others.
    let second = bureau.tranche(walk, case, 1).await;
    let held = because("待末期评估");
    walk.must(&bureau.lead, &second, "withhold", held, "withheld")
        .await;
    stopped(walk, bureau, case).await;
    let (staff, lead, finance) = (&bureau.staff, &bureau.lead, &bureau.finance);
    let project = &case.project;
    let spent = json!({ "amount": 1_234_567 });
    walk.must(staff, project, "accept_spend", spent, "terminated")
        .await;
    let due = json!({ "due_on": "2025-07-31" });
    walk.must(staff, project, "recover", due, "recovering")
        .await;
    let refund = json!({ "amount": 100_000, "voucher": "退款-2" });
    walk.must(finance, project, "record_refund", refund, "recovering")
        .await;
    for who in [staff, finance, &case.owner] {
        let why = walk.refused(who, project, "write_off", because("单位注销"));
        assert_eq!(why.await, "forbidden");
    }
    let proposed = because("单位注销");
    walk.must(staff, project, "propose_write_off", proposed, "recovering")
        .await;
    let why = walk.refused(lead, project, "write_off", because(""));
    assert_eq!(why.await, "/reason required");
    walk.must(
        lead,
        project,
        "write_off",
        because("经批准核销"),
        "written_off",
    )
    .await;
    let seen = walk.read(staff, project).await;
    assert_eq!(seen["demand"]["amount"], 765_433);
    assert_eq!(seen["written_off"], 665_433);
    assert_eq!(seen["refunded"], 100_000);
}

/// A project that passed closes without its last payment, which a lead cancels, and with its surplus back.
pub(super) async fn a_surplus_comes_back_and_the_project_closes(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let (staff, lead, project) = (&bureau.staff, &bureau.lead, &case.project);
    let why = walk.refused(staff, project, "close", json!({})).await;
    assert_eq!(
        why,
        "tranches_settled, nothing_owed, final_report_accepted, checklist_done"
    );
    let last = bureau.tranche(walk, case, 2).await;
    let why = walk.refused(staff, &last, "cancel", because("结余充足"));
    assert_eq!(why.await, "forbidden");
    walk.must(lead, &last, "cancel", because("结余充足"), "cancelled")
        .await;
    let why = walk.refused(staff, &last, "request", json!({})).await;
    assert_eq!(why, "not_from_here");
    left(walk, bureau, case, ["paid", "paid", "cancelled"]).await;
    // Of what was paid, 500 yuan were not needed; it closes once they are back, to the fen.
    let spent = json!({ "amount": case.award * 8 / 10 - 50_000 });
    walk.must(staff, project, "accept_spend", spent, "closing")
        .await;
    let refund = |fen: i64| json!({ "amount": fen, "voucher": "退款-3" });
    let why = walk.refused(staff, project, "record_refund", refund(50_000));
    assert_eq!(why.await, "forbidden");
    let finance = &bureau.finance;
    walk.must(finance, project, "record_refund", refund(49_999), "closing")
        .await;
    let why = walk.refused(staff, project, "close", json!({})).await;
    assert_eq!(why, "nothing_owed, final_report_accepted, checklist_done");
    walk.must(finance, project, "record_refund", refund(1), "closing")
        .await;
    reports::a_final_report_is_accepted(walk, bureau, case).await;
    for item in ["项目档案已移交", "资产清单已核对"] {
        let why = walk.refused(staff, project, "close", json!({})).await;
        assert_eq!(why, "checklist_done");
        let done = json!({ "item": item, "note": "(演示)见交接单" });
        walk.must(staff, project, "check_off", done, "closing")
            .await;
    }
    walk.must(staff, project, "close", json!({}), "closed")
        .await;
    let seen = walk.read(&case.owner, project).await;
    assert_eq!(seen["refunded"], 50_000);
}
