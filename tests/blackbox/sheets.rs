//! Sheets while they are written: by many at once, from paper by two clerks, and opened again.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER, because, id_of, marks};
use crate::office::register;
use crate::review_ways::checked_for_eligibility;
use crate::support::Server;
use crate::walk::{Walk, text};
use crate::ways;

/// What the scenarios of this file make happen, as `kind verb`.
pub(crate) const VERBS: &[&str] = &["sheet enter", "sheet transcribe"];

on_both!(
    fifty_experts_whose_sheets_save_themselves_at_once_lose_nothing,
    a_paper_sheet_is_entered_by_two_clerks_and_kept_when_opened_again,
);

const EXPERTS: usize = 50;
/// How often each field is entered.
const PASSES: u32 = 2;

/// An expert at their desk.
struct Writer {
    token: String,
    account: String,
}

/// A new account that is invited into the pool and agrees.
async fn writer(server: &Server, staff: &str, index: usize) -> Writer {
    let token = register(server, &format!("writer{index}")).await;
    let (_, me) = server.ask("GET", "/v1/me", Some(&token), None).await;
    let account = text(&me, "account");
    let body = json!({ "account": account, "profile": { "name": format!("评委{index}") } });
    let (status, made) = server
        .ask("POST", "/v1/experts", Some(staff), Some(body))
        .await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/v1/experts/{}/accept", text(&made, "id"));
    let body = json!({ "pledge": true });
    let (status, answer) = server.ask("POST", &path, Some(&token), Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    Writer { token, account }
}

/// What a window enters last, and before that something else.
fn value(criterion: usize, pass: u32, most: u32) -> String {
    let last = (u32::try_from(criterion).unwrap() * 3 + pass) % most;
    last.to_string()
}

/// One window enters the scores, the other one the comments, each field as often as there are passes.
async fn window(server: &Server, writer: &Writer, sheet: &str, comments: bool) {
    for pass in 0..PASSES {
        for (criterion, (key, most)) in PAPER.iter().enumerate() {
            let (group, entered) = if comments {
                ("comments", format!("{key} 第{pass}稿"))
            } else {
                ("scores", value(criterion, pass, *most))
            };
            let field = format!("{group}/{key}");
            let body = json!({ group: { *key: entered }, "seen": { field: pass } });
            let (status, answer) = server
                .ask("PATCH", sheet, Some(&writer.token), Some(body))
                .await;
            assert_eq!(status, 200, "{answer}");
        }
    }
}

async fn fifty_experts_whose_sheets_save_themselves_at_once_lose_nothing(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, &["staff", "org01"]).await;
    let found = desk.applications(&["org01"]).await;
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let staff = desk.token("staff");
    let writers: Vec<Writer> = stream::iter(0..EXPERTS)
        .map(|index| writer(&server, staff, index))
        .buffer_unordered(8)
        .collect()
        .await;
    let accounts: Vec<&String> = writers.iter().map(|one| &one.account).collect();
    let body = json!({ "round": "paper_review", "experts": accounts });
    let panel = desk.creates("staff", "panels", body).await;
    let pairs: Vec<Value> = accounts
        .iter()
        .map(|account| json!({ "expert": account, "subject": id_of(&found[0]) }))
        .collect();
    desk.does("staff", &panel, "assign", json!({ "pairs": pairs }))
        .await;
    desk.all("staff", &panel, &["open"]).await;

    let (server, path) = (&server, desk.path("/sheets"));
    let path = path.as_str();
    let work = writers.iter().map(|writer| async move {
        let (_, own) = server.ask("GET", path, Some(&writer.token), None).await;
        let sheet = format!("/v1/sheets/{}", text(&own["items"][0], "id"));
        tokio::join!(
            window(server, writer, &sheet, false),
            window(server, writer, &sheet, true)
        );
        let stale = json!({ "scores": { "need": "1" }, "seen": { "scores/need": 1 } });
        let (status, answer) = server
            .ask("PATCH", &sheet, Some(&writer.token), Some(stale))
            .await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer.to_string().contains("changed_meanwhile"), "{answer}");
        server.ask("GET", &sheet, Some(&writer.token), None).await.1
    });
    let sheets: Vec<Value> = stream::iter(work).buffer_unordered(EXPERTS).collect().await;
    assert_eq!(sheets.len(), EXPERTS);
    for sheet in &sheets {
        let mut total = 0;
        for (criterion, (key, most)) in PAPER.iter().enumerate() {
            let last = value(criterion, PASSES - 1, *most);
            total += last.parse::<u32>().unwrap();
            assert_eq!(sheet["marks"]["scores"][key], json!(last), "{sheet}");
            let comment = format!("{key} 第{}稿", PASSES - 1);
            assert_eq!(sheet["marks"]["comments"][key], json!(comment), "{sheet}");
            for group in ["scores", "comments"] {
                assert_eq!(sheet["edits"][format!("{group}/{key}")], PASSES, "{sheet}");
            }
        }
        assert_eq!(sheet["total"], json!(total.to_string()), "{sheet}");
        assert_eq!(sheet["stage"], "draft");
    }
}

async fn a_paper_sheet_is_entered_by_two_clerks_and_kept_when_opened_again(database: Database) {
    let server = checked_for_eligibility(&database);
    let people = ["staff", "staff2", "auditor", "org01", "expert1"];
    let desk = Desk::open(&server, &people).await;
    let found = desk.applications(&["org01"]).await;
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &["expert1"]).await;
    let pairs = desk.pairs(&["expert1"], &[&found[0]]);
    desk.does("staff", &panel, "assign", pairs).await;
    desk.all("staff", &panel, &["open"]).await;
    let sheet = desk.sheet("expert1", &found[0]).await;

    desk.does("staff", &sheet, "transcribe", marks(PAPER, 80))
        .await;
    desk.stages(&[&sheet], &["pending"]).await;
    assert_eq!(
        desk.sees("staff2", &sheet).await.1["transcript"],
        Value::Null
    );
    assert_eq!(
        read_in_the_journal(&desk, "staff2", &sheet).await,
        [false, false]
    );
    assert_eq!(
        read_in_the_journal(&desk, "auditor", &sheet).await,
        [true, true]
    );
    let differs = ("staff2", sheet.as_str(), "transcribe");
    desk.refused(differs, marks(PAPER, 60), 422, "/marks/scores/need")
        .await;
    desk.does("staff2", &sheet, "transcribe", marks(PAPER, 80))
        .await;
    let (_, seen) = desk.sees("staff", &sheet).await;
    assert_eq!(seen["stage"], "submitted");
    let clerks = json!([desk.account("staff"), desk.account("staff2")]);
    assert_eq!(
        (&seen["entered_by"], &seen["marks"]["scores"]),
        (&clerks, &marks(PAPER, 80)["marks"]["scores"])
    );
    assert_eq!(
        read_in_the_journal(&desk, "staff2", &sheet).await,
        [true; 3]
    );

    desk.does("staff", &sheet, "reopen", because("专家要求更正"))
        .await;
    let body = json!({ "scores": { "need": "1" } });
    desk.does("expert1", &sheet, "enter", body).await;
    desk.all("expert1", &sheet, &["submit"]).await;
    let (_, own) = desk.sees("expert1", &sheet).await;
    assert_eq!(
        own["earlier"][0]["marks"]["scores"],
        marks(PAPER, 80)["marks"]["scores"]
    );
    assert_eq!(own["earlier"][0]["reopened_because"], "专家要求更正");
    assert_eq!(own["marks"]["scores"]["need"], "1");
    assert_eq!(own["earlier"].as_array().unwrap().len(), 1);

    let reader = {
        let seen = BTreeSet::new();
        Walk {
            server: &server,
            seen,
        }
        .person("staff@demo.invalid")
        .await
    };
    ways::happened(server, &reader, VERBS, &database).await;
}

/// Whether each entry of a sheet in the journal shows what happened.
async fn read_in_the_journal(desk: &Desk<'_>, who: &str, sheet: &str) -> Vec<bool> {
    let (mut after, mut read) = (json!(0), Vec::new());
    while !after.is_null() {
        let path = desk.path(&format!("/journal?after={after}"));
        let (_, page) = desk.sees(who, &path).await;
        let entries = page["items"].as_array().unwrap().iter();
        let own = entries.filter(|entry| entry["id"] == id_of(sheet));
        read.extend(own.map(|entry| !entry["event"].is_null()));
        after = page["next"].clone();
    }
    read
}
