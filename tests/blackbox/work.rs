//! What is to be done in a review: an expert's list, and the bureau's board of rounds.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, id_of};
use crate::review_ways::checked_for_eligibility;

on_both!(work_is_listed_for_who_has_to_do_it_and_rounds_for_the_bureau);

const PEOPLE: &[&str] = &[
    "admin", "staff", "lead", "finance", "auditor", "org01", "org02", "expert1", "expert2",
    "expert3",
];
const EXPERTS: &[&str] = &["expert1", "expert2", "expert3"];

async fn work(desk: &Desk<'_>, who: &str) -> Vec<Value> {
    let (status, seen) = desk.sees(who, "/v1/me/work").await;
    assert_eq!(status, 200, "{seen}");
    seen["items"].as_array().unwrap().clone()
}

async fn board(desk: &Desk<'_>, who: &str) -> Value {
    let (status, seen) = desk.sees(who, &desk.path("/rounds")).await;
    assert_eq!(status, 200, "{seen}");
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    seen["items"][0].clone()
}

/// The cycle goes on under a policy that flags totals more than 20 points apart.
async fn flags_wide_spreads(desk: &Desk<'_>) {
    let (_, cycle) = desk.sees("staff", &desk.path("")).await;
    let path = format!("/v1/policies/{}", cycle["policy"].as_str().unwrap());
    let (_, policy) = desk.sees("staff", &path).await;
    let mut document = policy["document"].clone();
    document["rounds"]["paper_review"]["spread"] = json!({ "range": "20" });
    let body = json!({ "document": document, "reason": "离散度提示" });
    let draft = desk.creates("staff", "policies", body).await;
    let body = json!({ "policy": id_of(&draft) });
    desk.does("lead", &desk.path(""), "amend", body).await;
}

/// Complete, missing, overdue, conflicted and flagged.
fn counts(board: &Value) -> [u64; 5] {
    ["complete", "missing", "overdue", "conflicted", "flagged"]
        .map(|name| board[name].as_u64().unwrap())
}

async fn work_is_listed_for_who_has_to_do_it_and_rounds_for_the_bureau(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, PEOPLE).await;
    let found = desk.applications(&["org01", "org02"]).await;
    flags_wide_spreads(&desk).await;
    let [a, b] = [0, 1].map(|index| &found[index]);
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", EXPERTS).await;
    desk.does("staff", &panel, "assign", desk.pairs(EXPERTS, &[a, b]))
        .await;
    assert!(
        work(&desk, "expert1").await.is_empty(),
        "the round is not open"
    );
    let past = json!({ "due_at": "2020-01-01T00:00:00+08:00" });
    desk.refused(("staff", &panel, "open"), past, 422, "/due_at")
        .await;
    let due = "2024-07-31T16:00:00.000Z";
    desk.does("staff", &panel, "open", json!({ "due_at": due }))
        .await;

    let list = work(&desk, "expert1").await;
    assert_eq!(list.len(), 2);
    for one in &list {
        assert_eq!(
            (&one["stage"], &one["due_at"]),
            (&json!("pending"), &json!(due))
        );
        assert_eq!(
            (&one["entered"], &one["criteria"]),
            (&json!(0), &json!(PAPER.len()))
        );
        assert_eq!(one["is_overdue"], false);
        assert!(one["title"].is_string(), "{one}");
    }
    let sheet = desk.sheet("expert1", a).await;
    desk.does(
        "expert1",
        &sheet,
        "enter",
        json!({ "scores": { "need": "12" } }),
    )
    .await;
    desk.scores("expert1", b, PAPER, 100).await;
    let list = work(&desk, "expert1").await;
    let order: Vec<_> = list
        .iter()
        .map(|one| (&one["sheet"], &one["stage"]))
        .collect();
    let other = desk.sheet("expert1", b).await;
    let expected = [
        (json!(id_of(&sheet)), json!("draft")),
        (json!(id_of(&other)), json!("submitted")),
    ];
    assert_eq!(
        order,
        expected
            .iter()
            .map(|(id, stage)| (id, stage))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (&list[0]["entered"], &list[0]["total"]),
        (&json!(1), &json!("12"))
    );

    let seen = board(&desk, "staff").await;
    assert_eq!(counts(&seen), [0, 2, 0, 0, 0], "{seen}");
    assert_eq!(
        seen["sheets"],
        json!({ "pending": 4, "draft": 1, "submitted": 1 })
    );
    for who in ["finance", "org01", "expert1"] {
        assert_eq!(desk.sees(who, &desk.path("/rounds")).await.0, 403, "{who}");
    }
    for expert in ["expert2", "expert3"] {
        desk.scores(expert, b, PAPER, 40).await;
    }
    let now = json!({ "now": "2024-08-01T09:00:00+08:00" });
    let token = Some(desk.token("admin"));
    let (status, answer) = server.ask("PUT", "/v1/clock", token, Some(now)).await;
    assert_eq!(status, 200, "{answer}");
    // Their tokens have expired meanwhile.
    let desk = Desk::open(&server, PEOPLE).await;
    let seen = board(&desk, "auditor").await;
    assert_eq!(counts(&seen), [1, 1, 3, 0, 1], "{seen}");
    assert_eq!(
        seen["subjects"][0]["outstanding"], 3,
        "what is missing comes first"
    );
    assert_eq!(seen["subjects"][1]["is_flagged"], true);
    let rows = seen["work"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["sheet"] == id_of(&other))
        .unwrap();
    assert_eq!(
        (&row["minutes"], &row["is_overdue"]),
        (&json!(0), &json!(false))
    );
    assert!(
        row["begun_at"].is_string() && row["submitted_at"].is_string(),
        "{row}"
    );
    assert_eq!(work(&desk, "expert2").await[0]["is_overdue"], true);

    // The expert turns out to apply: nothing is left on their list, and the board says so.
    let (_, own) = desk.sees("org02", "/v1/organisations?limit=1").await;
    let path = format!(
        "/v1/organisations/{}",
        own["items"][0]["id"].as_str().unwrap()
    );
    let joining = json!({ "account": desk.account("expert3"), "owner": false });
    desk.does("org02", &path, "add_member", joining).await;
    assert!(work(&desk, "expert3").await.is_empty());
    let seen = board(&desk, "staff").await;
    assert_eq!(
        counts(&seen),
        [0, 2, 3, 2, 1],
        "the quorum of three is gone: {seen}"
    );
}
