//! The rules of `visibility.md` that a round's policy turns on: blind on both sides, sealed, sheets of the
//! others, and interests of the bureau's own people.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, id_of, marks};
use crate::review_ways::checked_for_eligibility;
use crate::support::Server;

on_both!(
    a_blind_sealed_round_shows_each_what_its_policy_says_r10_r11_r15_r17_r19_r22_r26_f2_f8_f11_f12,
    nobody_acts_for_the_bureau_where_they_have_an_interest_r3_r5_f3_f9,
);

const PEOPLE: &[&str] = &[
    "staff", "staff2", "lead", "auditor", "org01", "org02", "expert1", "expert2", "expert3",
];

/// The cycle goes on under a policy whose paper review says this of who sees what.
async fn amended(desk: &Desk<'_>, visibility: Value) {
    let (_, cycle) = desk.sees("staff", &desk.path("")).await;
    let path = format!("/v1/policies/{}", cycle["policy"].as_str().unwrap());
    let (_, policy) = desk.sees("staff", &path).await;
    let mut document = policy["document"].clone();
    document["rounds"]["paper_review"]["visibility"] = visibility;
    let body = json!({ "document": document, "reason": "评审保密" });
    let draft = desk.creates("staff", "policies", body).await;
    desk.does(
        "lead",
        &desk.path(""),
        "amend",
        json!({ "policy": id_of(&draft) }),
    )
    .await;
}

/// How many records a list of the cycle holds for somebody.
async fn count(desk: &Desk<'_>, who: &str, path: &str) -> usize {
    desk.list(who, path).await.len()
}

async fn is_not_there(desk: &Desk<'_>, who: &str, path: &str) {
    let (status, said) = desk.sees(who, path).await;
    let nowhere = format!(
        "{}/00000000-0000-4000-8000-000000000000",
        path.rsplit_once('/').unwrap().0
    );
    assert_eq!(
        (status, said),
        desk.sees(who, &nowhere).await,
        "{who} {path}"
    );
}

async fn raw(server: &Server, token: &str, path: &str) -> (u16, String) {
    let request = reqwest::Client::new()
        .get(format!("{}{path}", server.address))
        .bearer_auth(token);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn a_blind_sealed_round_shows_each_what_its_policy_says_r10_r11_r15_r17_r19_r22_r26_f2_f8_f11_f12(
    database: Database,
) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, PEOPLE).await;
    amended(
        &desk,
        json!({ "blindness": "double", "others": "after_own", "sealed": true }),
    )
    .await;
    let files = desk.list("staff", "/attachments?limit=200").await;
    let eligible = desk
        .list("staff", "/applications?stage=eligible&limit=200")
        .await;
    let file = files
        .iter()
        .find(|file| eligible.iter().any(|one| one["id"] == file["application"]))
        .unwrap();
    let with_file = eligible
        .iter()
        .find(|one| one["id"] == file["application"])
        .unwrap();
    let a = format!("/v1/applications/{}", with_file["id"].as_str().unwrap());
    let other = eligible
        .iter()
        .find(|one| one["id"] != file["application"])
        .unwrap();
    let b = format!("/v1/applications/{}", other["id"].as_str().unwrap());
    let attachment = format!("/v1/attachments/{}", file["id"].as_str().unwrap());
    let organisation = with_file["organisation"].as_str().unwrap();
    let (_, applicant) = desk
        .sees("staff", &format!("/v1/organisations/{organisation}"))
        .await;

    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let experts = ["expert1", "expert2", "expert3"];
    let panel = desk.forms("paper_review", &experts).await;
    desk.does("staff", &panel, "assign", desk.pairs(&experts, &[&a, &b]))
        .await;
    is_not_there(&desk, "expert1", &a).await;
    desk.all("staff", &panel, &["open"]).await;

    // R10, F8: the text is there, who wrote it is not; not by a name, a file, a filter or an order.
    let token = desk.token("expert1");
    let (status, text) = raw(&server, token, &a).await;
    assert_eq!(status, 200, "{text}");
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(seen["form"]["domain"], with_file["form"]["domain"]);
    assert!(
        seen["form"]["lead"].is_null() && seen["organisation"].is_null(),
        "{text}"
    );
    for secret in [
        &applicant["profile"]["name"],
        &applicant["profile"]["uscc"],
        &with_file["organisation"],
    ] {
        assert!(
            !text.contains(secret.as_str().unwrap()),
            "{secret} in {text}"
        );
    }
    let (_, shown) = desk.sees("expert1", &attachment).await;
    assert!(
        !shown.to_string().contains(file["name"].as_str().unwrap()),
        "{shown}"
    );
    assert!(
        shown["sha256"].is_null() && shown["name"].is_string(),
        "{shown}"
    );
    assert_eq!(
        raw(&server, token, &format!("{attachment}/content"))
            .await
            .0,
        404
    );
    assert_eq!(
        raw(
            &server,
            desk.token("staff"),
            &format!("{attachment}/content")
        )
        .await
        .0,
        200
    );
    assert!(0 < count(&desk, "expert1", "/attachments").await);
    assert_eq!(count(&desk, "expert1", "/attachments?sort=label").await, 0);
    assert_eq!(
        count(&desk, "expert1", "/attachments?label_contains=.").await,
        0
    );
    assert_eq!(count(&desk, "expert1", "/applications").await, 2);

    // R15, R17, R19, R22, R26: the others' sheets after one's own, never their drafts, never whose they are.
    desk.scores("expert2", &a, PAPER, 60).await;
    let theirs = desk.sheet("expert2", &a).await;
    let draft = desk.sheet("expert3", &a).await;
    desk.does("expert3", &draft, "save", marks(PAPER, 35)).await;
    is_not_there(&desk, "expert1", &theirs).await;
    assert_eq!(count(&desk, "expert1", "/sheets").await, 2);
    desk.scores("expert1", &a, PAPER, 80).await;
    let (status, opened) = desk.sees("expert1", &theirs).await;
    assert_eq!((status, &opened["total"]), (200, &json!("60")), "{opened}");
    assert!(
        opened["expert"].is_null() && opened["submitted_at"].is_null(),
        "{opened}"
    );
    is_not_there(&desk, "expert1", &draft).await;
    assert_eq!(count(&desk, "expert1", "/sheets").await, 3);
    let by_person = format!("/sheets?person={}", desk.account("expert2"));
    assert_eq!(desk.sees("expert1", &desk.path(&by_person)).await.0, 403);

    sealed(&desk, &panel, &theirs).await;

    for (expert, subject) in [
        ("expert3", &a),
        ("expert1", &b),
        ("expert2", &b),
        ("expert3", &b),
    ] {
        desk.scores(expert, subject, PAPER, 70).await;
    }
    let tried = desk
        .does("staff", &panel, "close?dry_run=true", json!({}))
        .await;
    assert!(tried["results"].is_null(), "{tried}");
    // Nor does what would follow tell who goes on, and in which order.
    let follows = tried["facts"].as_array().unwrap();
    assert_eq!(follows.len(), 1, "{tried}");
    desk.all("staff", &panel, &["close"]).await;
    let (_, open) = desk.sees("staff", &theirs).await;
    assert_eq!(open["total"], "60");
    assert_eq!(desk.ranking(&panel).await.1.len(), 2);

    // F2, F12: rights end with the round; the receipt stays.
    is_not_there(&desk, "expert1", &a).await;
    is_not_there(&desk, "expert1", &attachment).await;
    is_not_there(&desk, "expert1", &theirs).await;
    assert_eq!(count(&desk, "expert1", "/applications").await, 0);
    let own = desk.sheet("expert1", &a).await;
    assert_eq!(desk.sees("expert1", &own).await.1["total"], "80");
}

/// F3: staff see that a sheet is in and not what it says, in no way; the auditor does.
async fn sealed(desk: &Desk<'_>, panel: &str, sheet: &str) {
    for who in ["staff", "lead"] {
        let (_, seen) = desk.sees(who, sheet).await;
        assert_eq!(seen["stage"], "submitted");
        for secret in ["marks", "total", "recommended", "vetoes"] {
            assert!(seen[secret].is_null(), "{who} sees {secret}: {seen}");
        }
        let (_, seen) = desk.sees(who, panel).await;
        assert!(
            seen["results"].is_null() && !seen["experts"].is_null(),
            "{seen}"
        );
    }
    assert_eq!(desk.sees("auditor", sheet).await.1["total"], "60");
    for (who, shown) in [("staff", false), ("auditor", true)] {
        let (mut after, mut events) = (json!(0), 0);
        while !after.is_null() {
            let path = desk.path(&format!("/journal?after={after}"));
            let (_, page) = desk.sees(who, &path).await;
            for entry in page["items"].as_array().unwrap() {
                if entry["id"] == id_of(sheet) {
                    assert_eq!(!entry["event"].is_null(), shown, "{who}: {entry}");
                    assert_eq!(!entry["salt"].is_null(), shown, "{who}: {entry}");
                    events += 1;
                }
            }
            after = page["next"].clone();
        }
        assert_eq!(events, 3);
    }
}

async fn nobody_acts_for_the_bureau_where_they_have_an_interest_r3_r5_f3_f9(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, PEOPLE).await;
    let found = desk.applications(&["org01", "org02"]).await;
    let [a, b] = [0, 1].map(|index| &found[index]);
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &["expert1", "expert2"]).await;
    desk.does(
        "staff",
        &panel,
        "assign",
        desk.pairs(&["expert1", "expert2"], &[a, b]),
    )
    .await;
    desk.all("staff", &panel, &["open"]).await;
    let (sheet, unrelated) = (
        desk.sheet("expert1", a).await,
        desk.sheet("expert1", b).await,
    );
    let everything = count(&desk, "staff2", "/sheets?limit=200").await;
    assert_eq!(desk.sees("staff2", &sheet).await.0, 200);

    let (_, own) = desk.sees("org01", "/v1/organisations?limit=1").await;
    let organisation = format!(
        "/v1/organisations/{}",
        own["items"][0]["id"].as_str().unwrap()
    );
    let joining = json!({ "account": desk.account("staff2"), "owner": false });
    desk.does("org01", &organisation, "add_member", joining)
        .await;

    is_not_there(&desk, "staff2", &sheet).await;
    assert_eq!(desk.sees("staff2", &unrelated).await.0, 200);
    assert_eq!(
        count(&desk, "staff2", "/sheets?limit=200").await,
        everything - 2
    );
    let path = desk.path(&format!("/sheets?parent={}&total=true", id_of(a)));
    assert_eq!(desk.sees("staff2", &path).await.1["total"], 0);
    desk.refused(
        ("staff2", &sheet, "void"),
        json!({ "reason": "试" }),
        404,
        "",
    )
    .await;
    let bulk = json!({ "items": [{ "id": id_of(&sheet), "body": { "reason": "试" } }] });
    let (_, answer) = desk
        .ask("staff2", &desk.path("/sheets/bulk"), "void", bulk)
        .await;
    assert_eq!(answer["results"][0]["status"], 404, "{answer}");
    // What speaks of everybody leaves them out; the record as a whole is not theirs to read.
    let (_, seen) = desk.sees("staff2", &panel).await;
    assert!(
        seen["subjects"].is_null() && !seen["experts"].is_null(),
        "{seen}"
    );
    assert_eq!(desk.sees("staff2", &desk.path("/journal")).await.0, 404);
    // As a member they see the application, as any member does, and decide nothing on it.
    let (_, mine) = desk.sees("staff2", a).await;
    assert!(
        mine["checked_by"].is_null() && mine["version"].is_null(),
        "{mine}"
    );
    let (_, decided) = desk.ask("staff2", &organisation, "verify", json!({})).await;
    assert_eq!(decided["status"], 403, "{decided}");
    // Staff without an interest see it all.
    assert_eq!(desk.sees("staff", &desk.path("/journal")).await.0, 200);
    assert_eq!(desk.sees("staff", &sheet).await.0, 200);
}
