//! Payments in parts, into a checked account, asked for by many at once.

use fundcycle_test_support::Database;
use futures_util::future::join_all;

use super::{Bureau, Case, Server, Value, Walk, json, payment, text};

/// The organisation says where it is paid to, reads that back masked, and nothing is paid before
/// finance has checked it.
pub(super) async fn an_account_is_checked_before_it_is_paid(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
) {
    let (owner, project) = (&case.owner, &case.project);
    let name = text(&walk.read(owner, project).await, "organisation_name");
    let account = |holder: &str| json!({ "bank_account": { "holder": holder, "bank": "(演示)某银行武进支行", "number": "6222000011112222" } });
    let why = walk.refused(owner, project, "give_bank_account", account("(演示)某人"));
    assert_eq!(why.await, "/bank_account/holder other_holder");
    walk.must(
        owner,
        project,
        "give_bank_account",
        account(&name),
        "signed",
    )
    .await;
    let seen = walk.read(owner, project).await;
    assert_eq!(seen["bank_account_masked"], "6222********2222");
    assert!(seen["bank_account"].is_null(), "{seen}");
    let first = bureau.tranche(walk, case, 0).await;
    let why = walk.refused(&bureau.staff, &first, "request", json!({}));
    assert_eq!(why.await, "bank_account_checked");
    let why = walk.refused(&bureau.staff, project, "check_bank_account", json!({}));
    assert_eq!(why.await, "forbidden");
    walk.must(
        &bureau.finance,
        project,
        "check_bank_account",
        json!({}),
        "signed",
    )
    .await;
}

/// Who asks, where, for what: gives whether it was done, and why not.
async fn asked(server: &Server, token: &str, path: &str, body: Value) -> Result<(), String> {
    let (status, answer) = server.ask("POST", path, Some(token), Some(body)).await;
    match status {
        200 => Ok(()),
        409 | 422 => Err(answer["errors"][0]["code"]
            .as_str()
            .unwrap_or("gate")
            .to_owned()),
        _ => panic!("{path}: {status} {answer}"),
    }
}

/// Sixteen clients put forward, approve and pay parts of one tranche all at once, on PostgreSQL through
/// two instances: what is paid is what they were told was paid, and the rest is there to the fen.
pub(super) async fn sixteen_clients_cannot_overdraw_it(
    walk: &mut Walk<'_>,
    bureau: &Bureau,
    case: &Case,
    database: &Database,
) {
    const PART: i64 = 300_000;
    let tranche = bureau.tranche(walk, case, 0).await;
    let other = database
        .is_postgres()
        .then(|| Server::start(database.folder.path(), &database.url, &["--time-travel"]));
    let servers = [walk.server, other.as_ref().unwrap_or(walk.server)];
    let (tranche, bureau) = (&tranche, bureau);
    let client = |number: usize| async move {
        let server = servers[number % 2];
        let mut paid = 0;
        for _ in 0..400 {
            let part = json!({ "amount": PART });
            let path = format!("{tranche}/request");
            let request = asked(server, &bureau.staff.token, &path, part).await;
            if request == Err("range".to_owned()) {
                return paid;
            }
            // Each of these may have been done by somebody else already.
            let path = format!("{tranche}/approve");
            drop(asked(server, &bureau.lead.token, &path, json!({})).await);
            let path = format!("{tranche}/pay");
            let body = payment(PART, "2024-08-20");
            paid += i64::from(
                asked(server, &bureau.finance.token, &path, body)
                    .await
                    .is_ok(),
            );
        }
        panic!("it is never used up");
    };
    let told: i64 = join_all((0..16).map(client)).await.into_iter().sum();
    let seen = walk.read(&bureau.staff, tranche).await;
    let amount = seen["amount"].as_i64().unwrap();
    let payments = seen["payments"].as_array().unwrap().len();
    assert_eq!(seen["paid"], told * PART, "{seen}");
    assert_eq!(
        (told, payments),
        (amount / PART, usize::try_from(told).unwrap())
    );

    // What is left goes the same way.
    let rest = amount - told * PART;
    for (who, verb, body, stage) in [
        (
            &bureau.staff,
            "request",
            json!({ "invoice": "苏财票-7" }),
            "requested",
        ),
        (&bureau.lead, "approve", json!({}), "approved"),
        (&bureau.finance, "pay", payment(rest, "2024-08-20"), "paid"),
    ] {
        walk.must(who, tranche, verb, body, stage).await;
    }
    let seen = walk.read(&case.owner, tranche).await;
    assert_eq!(
        (&seen["paid"], &seen["cancelled"]),
        (&json!(amount), &json!(0))
    );
    assert_eq!(seen["invoice"], "苏财票-7");
}

/// A lead cuts a tranche: less is left, and the cut is nobody's to pay.
pub(super) async fn a_tranche_is_cut(walk: &mut Walk<'_>, bureau: &Bureau, case: &Case) {
    let last = bureau.tranche(walk, case, 2).await;
    let cut = |amount: i64| json!({ "amount": amount, "reason": "活动场次减少" });
    let why = walk.refused(&bureau.staff, &last, "reduce", cut(1));
    assert_eq!(why.await, "forbidden");
    let amount = case.award * 2 / 10;
    let why = walk.refused(&bureau.lead, &last, "reduce", cut(amount));
    assert_eq!(why.await, "/amount range");
    walk.must(&bureau.lead, &last, "reduce", cut(100_001), "planned")
        .await;
    let unsaid = json!({ "amount": 1, "reason": " " });
    let why = walk.refused(&bureau.lead, &last, "reduce", unsaid);
    assert_eq!(why.await, "/reason required");
    let seen = walk.read(&case.owner, &last).await;
    assert_eq!(
        (&seen["amount"], &seen["cancelled"]),
        (&json!(amount), &json!(100_001))
    );
}
