//! The engine itself counts the money of each award, against whoever writes the tables.

use fundcycle_store::replay::Place;
use fundcycle_test_support::{Database, on_both, sql};
use uuid::Uuid;

use crate::fresh;

on_both!(
    no_sql_pays_more_than_the_award,
    payments_are_neither_taken_back_nor_forgotten,
    every_fen_is_paid_withheld_cancelled_or_remaining,
    concurrent_payments_wait_for_each_other,
    a_balance_without_a_project_in_the_journal_is_found,
);

const PROJECT: Uuid = Uuid::from_u128(1);
const FIRST: Uuid = Uuid::from_u128(2);
const SECOND: Uuid = Uuid::from_u128(3);

/// An identity as the engine's own literal.
fn literal(database: &Database, id: Uuid) -> String {
    if database.is_postgres() {
        format!("'{id}'")
    } else {
        format!("X'{}'", id.simple())
    }
}

fn row(database: &Database, kind: &str, id: Uuid, stage: &str, amount: i64, body: &str) -> String {
    let parent = match kind {
        "tranche" => literal(database, PROJECT),
        _ => "NULL".to_owned(),
    };
    format!(
        "INSERT INTO state (journal, kind, id, version, stage, created_at, updated_at, parent, amount, body)
         VALUES ({}, '{kind}', {}, 1, '{stage}', 0, 0, {parent}, {amount}, '{body}')",
        literal(database, Uuid::from_u128(9)),
        literal(database, id),
    )
}

fn tranche(database: &Database, id: Uuid, stage: &str, amount: i64, paid: i64) -> String {
    let body = format!(r#"{{"amount":{amount},"paid":{paid},"cancelled":0}}"#);
    row(database, "tranche", id, stage, amount, &body)
}

fn change(database: &Database, id: Uuid, stage: &str, paid: i64, cancelled: i64) -> String {
    format!(
        r#"UPDATE state SET stage = '{stage}', body = '{{"paid":{paid},"cancelled":{cancelled}}}' WHERE id = {}"#,
        literal(database, id)
    )
}

/// A project with an award of 1000 fen, and a tranche of 600 and one of 400 that together are more
/// than it: 600 + 400 + 1.
async fn awarded(database: &Database) {
    fresh(database).await;
    for text in [
        row(
            database,
            "project",
            PROJECT,
            "active",
            1000,
            r#"{"refunded":0}"#,
        ),
        tranche(database, FIRST, "planned", 600, 0),
        tranche(database, SECOND, "planned", 401, 0),
    ] {
        sql(database, &text).await.unwrap();
    }
}

async fn refused(database: &Database, text: &str, why: &str) {
    let error = sql(database, text).await.unwrap_err().to_string();
    // SQLite names the constraint, and the expression of one without a name; PostgreSQL both.
    assert!(error.contains(why), "{text}: {error}");
}

async fn no_sql_pays_more_than_the_award(database: Database) {
    awarded(&database).await;
    sql(&database, &change(&database, FIRST, "paid", 600, 0))
        .await
        .unwrap();
    let over = change(&database, SECOND, "paid", 401, 0);
    refused(&database, &over, "award_not_exceeded").await;
    let third = tranche(&database, Uuid::from_u128(4), "paid", 500, 500);
    refused(&database, &third, "award_not_exceeded").await;
    let negative = change(&database, SECOND, "planned", -1, 0);
    refused(&database, &negative, "a payment is never taken back").await;
    for (text, why) in [
        (
            "UPDATE award_balance SET paid = 1001",
            "award_accounted_for",
        ),
        (
            "UPDATE award_balance SET paid = 1001, remaining = -1",
            "award_not_exceeded",
        ),
        (
            "UPDATE award_balance SET award = 2000, remaining = 1400",
            "the award of a project never changes",
        ),
        (
            "UPDATE award_balance SET refunded = 601",
            "refund_not_exceeded",
        ),
        (
            "UPDATE state SET amount = 2000 WHERE kind = 'project'",
            "the award of a project never changes",
        ),
        (
            "UPDATE state SET amount = 300 WHERE kind = 'tranche'",
            "the amount of a tranche never changes",
        ),
        (
            r#"UPDATE state SET body = '{"refunded":601}' WHERE kind = 'project'"#,
            "refund_not_exceeded",
        ),
    ] {
        refused(&database, text, why).await;
    }
    // What is left to the fen may still be paid.
    sql(&database, &change(&database, SECOND, "planned", 400, 0))
        .await
        .unwrap();
}

async fn payments_are_neither_taken_back_nor_forgotten(database: Database) {
    awarded(&database).await;
    let only_the_stage = format!(
        "UPDATE state SET stage = 'paid' WHERE id = {}",
        literal(&database, FIRST)
    );
    refused(
        &database,
        &only_the_stage,
        "a paid tranche has nothing left to pay",
    )
    .await;
    sql(&database, &change(&database, FIRST, "planned", 200, 100))
        .await
        .unwrap();
    for (paid, cancelled) in [(199, 100), (200, 99), (0, 0)] {
        let text = change(&database, FIRST, "planned", paid, cancelled);
        refused(&database, &text, "a payment is never taken back").await;
    }
    for text in [
        "DELETE FROM state WHERE kind = 'tranche'",
        "DELETE FROM state WHERE kind = 'project'",
        "DELETE FROM award_balance",
    ] {
        refused(
            &database,
            text,
            "projects and their tranches are not deleted",
        )
        .await;
    }
    let orphan = tranche(&database, Uuid::from_u128(4), "planned", 1, 0)
        .replace(&literal(&database, PROJECT), &literal(&database, SECOND));
    refused(&database, &orphan, "a tranche belongs to a project").await;
}

/// Whether the one balance is exactly this.
async fn balance_is(database: &Database, expected: [i64; 6]) {
    let [award, paid, withheld, cancelled, remaining, refunded] = expected;
    let text = format!(
        "UPDATE award_balance SET award = award WHERE award = {award} AND paid = {paid} AND withheld = {withheld}
         AND cancelled = {cancelled} AND remaining = {remaining} AND refunded = {refunded}"
    );
    assert_eq!(sql(database, &text).await.unwrap(), 1, "not {expected:?}");
}

async fn every_fen_is_paid_withheld_cancelled_or_remaining(database: Database) {
    awarded(&database).await;
    balance_is(&database, [1000, 0, 0, 0, 1000, 0]).await;
    for (id, stage, paid, cancelled, balance) in [
        (FIRST, "withheld", 0, 0, [1000, 0, 600, 0, 400, 0]),
        (FIRST, "planned", 0, 0, [1000, 0, 0, 0, 1000, 0]),
        (FIRST, "planned", 250, 0, [1000, 250, 0, 0, 750, 0]),
        (FIRST, "withheld", 250, 50, [1000, 250, 300, 50, 400, 0]),
        (FIRST, "cancelled", 250, 350, [1000, 250, 0, 350, 400, 0]),
        (SECOND, "planned", 400, 0, [1000, 650, 0, 350, 0, 0]),
    ] {
        sql(&database, &change(&database, id, stage, paid, cancelled))
            .await
            .unwrap();
        balance_is(&database, balance).await;
    }
    let refund = r#"UPDATE state SET body = '{"refunded":650}' WHERE kind = 'project'"#;
    sql(&database, refund).await.unwrap();
    balance_is(&database, [1000, 650, 0, 350, 0, 650]).await;
}

/// Sixteen connections, each with a tranche of its own: as many get through as the award pays for.
async fn concurrent_payments_wait_for_each_other(database: Database) {
    awarded(&database).await;
    let ids: Vec<Uuid> = (10..26).map(Uuid::from_u128).collect();
    for id in &ids {
        let text = tranche(&database, *id, "planned", 150, 0);
        sql(&database, &text).await.unwrap();
    }
    let database = std::sync::Arc::new(database);
    let mut tasks = tokio::task::JoinSet::new();
    for id in ids {
        let database = database.clone();
        tasks.spawn(async move {
            let text = change(&database, id, "paid", 150, 0);
            sql(&database, &text).await.is_ok()
        });
    }
    let paid = tasks.join_all().await.into_iter().filter(|paid| *paid);
    assert_eq!(paid.count(), 6, "six times 150 fen fit into 1000");
    balance_is(&database, [1000, 900, 0, 0, 100, 0]).await;
}

async fn a_balance_without_a_project_in_the_journal_is_found(database: Database) {
    let store = fresh(&database).await;
    let project = row(&database, "project", PROJECT, "active", 1000, "{}");
    sql(&database, &project).await.unwrap();
    let report = store.replay_check(None).await.unwrap();
    let balances: Vec<&str> = report
        .differences
        .iter()
        .filter(|one| one.place == Place::Record(PROJECT))
        .map(|one| one.what.as_str())
        .collect();
    assert_eq!(
        balances,
        [
            "there is a balance for it, the journal does not have it",
            "the table has it, the journal does not"
        ]
    );
}
