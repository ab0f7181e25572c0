//! What the money of a played cycle comes to, as the finance system, the organisations and the public get it.

use fundcycle_core::money::Money;
use serde_json::Value;

use super::Office;

/// The fourteen awards of the cycle, in yuan.
const AWARDED: &str = "558000.00";

fn of_cycle(office: &Office<'_>, name: &str, format: &str) -> String {
    format!(
        "/v1/cycles/{}/documents/{name}?format={format}",
        office.cycle
    )
}

/// Every payment of every tranche is in the ledger, to the fen; nothing waits any more.
pub(super) async fn the_ledger_adds_up(office: &Office<'_>) {
    let projects = office.list("staff", "projects").await;
    let awards = projects
        .iter()
        .map(|one| Money::from_fen(one["amount"].as_i64().unwrap()));
    let sum = Money::checked_sum(awards).unwrap().to_yuan_text();
    assert_eq!((projects.len(), sum.as_str()), (14, AWARDED));

    let (status, ledger) = office
        .text("finance", &of_cycle(office, "payments", "csv"))
        .await;
    assert_eq!(status, 200, "{ledger}");
    let lines: Vec<&str> = ledger.lines().collect();
    assert_eq!(lines.len(), 1 + 14 * 3 + 1, "{ledger}");
    assert_eq!(lines[43], format!("合计,,,,,,,{AWARDED},"), "{ledger}");
    let (_, page) = office
        .text("finance", &of_cycle(office, "payments", "html"))
        .await;
    assert!(
        page.contains("(演示)退款-01") && page.contains("500.00"),
        "{page}"
    );
    let (status, orders) = office
        .text("finance", &of_cycle(office, "payment-orders", "csv"))
        .await;
    assert_eq!((status, orders.lines().count()), (200, 1), "{orders}");
}

/// What the bureau publishes names nobody and no account, and has one line for each award.
pub(super) async fn open_data_can_be_published(office: &Office<'_>) {
    let (status, grants) = office
        .text("staff", &of_cycle(office, "open-data", "csv"))
        .await;
    assert_eq!((status, grants.lines().count()), (200, 15), "{grants}");
    let heading = grants.lines().next().unwrap();
    for column in [
        "Identifier",
        "Currency",
        "Amount Awarded",
        "Award Date",
        "Recipient Org:Name",
    ] {
        assert!(heading.contains(column), "{heading}");
    }
    let (_, organisations) = office
        .server
        .ask(
            "GET",
            "/v1/organisations?limit=100",
            Some(&office.tokens["staff"]),
            None,
        )
        .await;
    for one in organisations["items"].as_array().unwrap() {
        for name in ["legal_representative", "phone", "address"] {
            let said = one["profile"][name].as_str().unwrap();
            assert!(said.is_empty() || !grants.contains(said), "{name} {said}");
        }
    }
    assert!(!grants.contains("6222"), "no account");
    let (status, package) = office
        .text("staff", &of_cycle(office, "open-data", "json"))
        .await;
    let read: Value = serde_json::from_str(&package).unwrap();
    assert_eq!(
        (status, read["grants"].as_array().unwrap().len()),
        (200, 14)
    );
    for one in organisations["items"].as_array().unwrap() {
        for name in ["legal_representative", "phone", "address"] {
            let said = one["profile"][name].as_str().unwrap();
            assert!(said.is_empty() || !package.contains(said), "{name} {said}");
        }
    }
    assert!(!package.contains("6222"), "no account");
}

/// Applications, awards and money are counted, all of first-time applicants in the first cycle there is.
pub(super) async fn the_statistics_count_everybody(office: &Office<'_>) {
    let (status, table) = office
        .text("staff", &of_cycle(office, "statistics", "csv"))
        .await;
    assert_eq!(status, 200, "{table}");
    let total = format!("合计,24,14,58.3%,958000.00,{AWARDED},{AWARDED},557500.00,99.9%,");
    assert!(
        table.lines().any(|line| line.starts_with(&total)),
        "{table}"
    );
    let (_, page) = office
        .text("staff", &of_cycle(office, "statistics", "html"))
        .await;
    let group = |name: &str| page.contains(&format!("<th scope=\"row\">{name}</th>"));
    assert!(group("首次申报") && !group("曾经申报"), "{page}");
}

/// The organisation gets its final statement and its certificate; nobody else does.
pub(super) async fn a_closed_project_has_its_papers(office: &Office<'_>) {
    // Projects of others are listed too, without their agreements.
    let listed = office.list("org01", "projects").await;
    let own = listed.iter().find(|one| one.get("agreement").is_some());
    let project = own.unwrap()["id"].as_str().unwrap();
    for (name, says) in [("final-statement", "应退未退"), ("certificate", "特发此证")] {
        let path = format!("/v1/projects/{project}/documents/{name}");
        for who in ["org01", "staff", "finance"] {
            let (status, page) = office.text(who, &path).await;
            assert_eq!(status, 200, "{who} {name}");
            assert!(page.contains(says), "{page}");
        }
        for (who, status) in [
            ("org02", 404),
            ("expert1", 404),
            ("admin", 404),
            ("nobody", 401),
        ] {
            assert_eq!(office.text(who, &path).await.0, status, "{who} {name}");
        }
    }
    for name in [
        "payments",
        "payment-orders",
        "open-data",
        "statistics",
        "monitoring",
    ] {
        for (who, status) in [("org01", 404), ("expert1", 404), ("nobody", 401)] {
            let path = of_cycle(office, name, "csv");
            assert_eq!(office.text(who, &path).await.0, status, "{who} {name}");
        }
    }
}
