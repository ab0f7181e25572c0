//! The live board of a session: its clock by the server's time, what is missing, who sees which scores,
//! and the stream of events that follows it.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::roadshow::{EXPERTS, OWNERS, everybody_is_invited, published, slots_of};
use super::{Part, checked_for_eligibility, the_journals_hold};
use crate::desk::{Desk, PITCH, id_of};
use crate::support::{Server, err, out, run};
use crate::walk::PASSWORD;

on_both!(a_board_shows_the_session_as_it_runs_and_to_each_what_they_may_see);

async fn a_board_shows_the_session_as_it_runs_and_to_each_what_they_may_see(database: Database) {
    let server = checked_for_eligibility(&database);
    // A token that was given weeks ago would have run out.
    travel(&server, "2024-07-04T08:30:00+08:00").await;
    let people = [&["staff", "lead", "finance"][..], &EXPERTS, &OWNERS].concat();
    let desk = Desk::open(&server, &people).await;
    let applications = desk.applications(&OWNERS).await;
    everybody_is_invited(&desk, &applications).await;
    // Once a sheet of the round is in, its rules stand.
    amended(&desk, |policy| {
        policy["rounds"]["roadshow"]["overrun"] =
            json!({ "points_per_minute": "0.75", "cap": "3" });
        policy["selection"]
            .as_object_mut()
            .unwrap()
            .remove("domain");
    })
    .await;
    let pitched = &applications[..2];
    let session = published(&desk, "第一场", pitched).await;
    let slots = slots_of(&desk, &session, pitched).await;
    let board = format!("{session}/board");

    let mut public = Stream::open(&server, &board, None).await;
    let first = public.board().await;
    let turns = first["turns"].as_array().unwrap();
    let (_, seen) = desk.sees("staff", &session).await;
    let order: Vec<&Value> = turns.iter().map(|turn| &turn["number"]).collect();
    assert_eq!(json!(order), seen["draw"]["order"], "the drawn order");
    assert!(first["current"].is_null() && turns.iter().all(|turn| turn["progress"] == "waiting"));

    its_clock_goes_by_the_server(&desk, &server, (&session, &slots[0]), &mut public).await;
    what_is_missing_is_for_those_who_organise(&desk, &server, &board, &applications[0]).await;
    scores_go_by_the_policy(&desk, &server, &board, pitched, &slots, &mut public).await;
    nobody_else_comes(&desk, &session).await;
    the_result_is_computed_again(&desk, &server, &database).await;
    the_journals_hold(&database, server, Part::Board).await;
}

/// All others are in a second session, and absent.
async fn nobody_else_comes(desk: &Desk<'_>, session: &str) {
    desk.all("staff", session, &["finish"]).await;
    let left = "/applications?stage=shortlisted&limit=100";
    let others: Vec<String> = desk
        .list("staff", left)
        .await
        .iter()
        .map(|one| format!("/v1/applications/{}", one["id"].as_str().unwrap()))
        .collect();
    let second = published(desk, "第二场", &others).await;
    desk.all("staff", &second, &["start"]).await;
    for slot in slots_of(desk, &second, &others).await {
        desk.all("staff", &slot, &["mark_absent"]).await;
    }
    desk.all("staff", &second, &["finish"]).await;
}

/// From the recorded times to the points that were deducted, by anybody.
async fn the_result_is_computed_again(desk: &Desk<'_>, server: &Server, database: &Database) {
    desk.all("staff", &desk.path(""), &["open_selection"]).await;
    let selection = desk.creates("staff", "selections", json!({})).await;
    desk.all("staff", &selection, &["propose"]).await;
    desk.all("lead", &selection, &["approve"]).await;
    desk.all("staff", &selection, &["announce"]).await;
    let body = json!({ "selection": id_of(&selection) });
    let notice = desk.creates("staff", "notices", body).await;
    desk.all("lead", &notice, &["publish"]).await;
    let (status, file) = server
        .ask("GET", &desk.path("/verification"), None, None)
        .await;
    assert_eq!(status, 200, "{file}");
    let shows = |kind: &str| {
        let says = |entry: &&Value| {
            let mut shown = entry["content"]["shown"].as_array().unwrap().iter();
            shown.any(|one| one["path"] == json!(["kind"]) && one["value"] == kind)
        };
        let entries = file["entries"].as_array().unwrap().iter().filter(says);
        entries.map(ToString::to_string).collect::<String>()
    };
    assert!(shows("slot").contains("overrun_seconds") && shows("panel").contains("deduction"));
    assert!(
        !shows("slot").contains("no_show"),
        "who was absent is not said"
    );
    let folder = database.folder.path();
    std::fs::write(folder.join("board.json"), file.to_string()).unwrap();
    let verified = run(folder, &["verify", "--locale", "en", "board.json"]);
    let said = out(&verified) + &err(&verified);
    assert_eq!(verified.status.code(), Some(0), "{said}");
    assert!(said.contains("✓ ranking of roadshow: 3 sheets"), "{said}");
}

/// A pitch that begins late has its whole time; the stream says that it began and that it ended.
async fn its_clock_goes_by_the_server(
    desk: &Desk<'_>,
    server: &Server,
    (session, slot): (&str, &str),
    public: &mut Stream,
) {
    let board = format!("{session}/board");
    desk.all("staff", session, &["start"]).await;
    assert_eq!(public.board().await["stage"], "running");
    desk.all("staff", slot, &["check_in"]).await;
    travel(server, "2024-07-04T09:05:00+08:00").await;
    desk.all("staff", slot, &["start"]).await;
    let current = loop {
        let seen = public.board().await;
        if !seen["current"].is_null() {
            break seen["current"].clone();
        }
    };
    let number = &desk.sees("staff", slot).await.1["turn"]["number"];
    assert_eq!(
        (
            &current["number"],
            &current["phase"],
            &current["remaining_seconds"]
        ),
        (number, &json!("presenting"), &json!(480))
    );
    for (at, phase, remaining, overrun) in [
        ("09:12:59", "presenting", 1, 0),
        ("09:13:00", "questions", 420, 0),
        ("09:21:30", "over", 0, 90),
    ] {
        travel(server, &format!("2024-07-04T{at}+08:00")).await;
        let (status, seen) = server.ask("GET", &board, None, None).await;
        let current = &seen["current"];
        assert_eq!(
            (
                status,
                &current["phase"],
                &current["remaining_seconds"],
                &current["overrun_seconds"]
            ),
            (200, &json!(phase), &json!(remaining), &json!(overrun)),
            "{seen}"
        );
    }
    desk.all("staff", slot, &["finish"]).await;
    let seen = public.board().await;
    let done = seen["turns"].as_array().unwrap().iter();
    let done: Vec<&Value> = done.filter(|turn| turn["progress"] == "done").collect();
    assert_eq!((done.len(), &done[0]["number"]), (1, number), "{seen}");
    assert!(seen["current"].is_null());
}

/// A pitch without a sheet, then a sheet that is not in: only who organises the scoring is told.
async fn what_is_missing_is_for_those_who_organise(
    desk: &Desk<'_>,
    server: &Server,
    board: &str,
    heard: &String,
) {
    let missing = async || desk.sees("staff", board).await.1["missing"].clone();
    let nobody_scores = missing().await;
    assert_eq!(
        nobody_scores.as_array().unwrap().len(),
        1,
        "{nobody_scores}"
    );
    assert!(nobody_scores[0]["sheet"].is_null() && nobody_scores[0]["since"].is_string());
    let panel = desk.forms("roadshow", &EXPERTS).await;
    desk.does("staff", &panel, "assign", desk.pairs(&EXPERTS, &[heard]))
        .await;
    desk.all("staff", &panel, &["open"]).await;
    desk.scores("expert1", heard, PITCH, 80).await;
    let late: Vec<Value> = missing().await.as_array().unwrap().clone();
    let mut accounts: Vec<&str> = late
        .iter()
        .map(|one| one["expert"].as_str().unwrap())
        .collect();
    accounts.sort_unstable();
    let mut expected = vec![desk.account("expert2"), desk.account("expert3")];
    expected.sort_unstable();
    assert_eq!(accounts, expected);
    for who in ["finance", "expert1", "org01"] {
        let (status, seen) = desk.sees(who, board).await;
        assert_eq!((status, seen.get("missing")), (200, None), "{who}");
    }
    let (_, seen) = server.ask("GET", board, None, None).await;
    for secret in ["expert", "missing", "own_sheets", "score"] {
        assert!(!seen.to_string().contains(secret), "{secret}: {seen}");
    }
    for expert in ["expert2", "expert3"] {
        desk.scores(expert, heard, PITCH, 80).await;
    }
    assert_eq!(missing().await, json!([]));
}

/// Nothing, own, published: the same board under three policies, while scoring and after it.
async fn scores_go_by_the_policy(
    desk: &Desk<'_>,
    server: &Server,
    board: &str,
    pitched: &[String],
    slots: &[String],
    public: &mut Stream,
) {
    let scores = async |who: Option<&str>| {
        let token = who.map(|who| desk.token(who));
        let (_, seen) = server.ask("GET", board, token, None).await;
        let turns = seen["turns"].as_array().unwrap().iter();
        let shown = turns.filter(|turn| turn.get("score").is_some());
        let numbers: Vec<Value> = shown.map(|turn| turn["number"].clone()).collect();
        let own = seen.get("own_sheets").cloned().unwrap_or(json!([]));
        (numbers, own)
    };
    assert_eq!(
        scores(Some("expert1")).await,
        (vec![], json!([])),
        "nothing"
    );
    shows(desk, "own").await;
    let (results, own) = scores(Some("expert1")).await;
    assert_eq!(
        (
            results.len(),
            &own[0]["stage"],
            own[0]["total"].as_str().is_some()
        ),
        (0, &json!("submitted"), true),
        "{own}"
    );
    assert_eq!(
        scores(Some("org01")).await,
        (vec![], json!([])),
        "not closed yet"
    );

    desk.all("staff", &slots[1], &["mark_absent"]).await;
    let panels = desk.list("staff", "/panels?facet=roadshow").await;
    let panel = format!("/v1/panels/{}", panels[0]["id"].as_str().unwrap());
    desk.all("staff", &panel, &["close"]).await;
    time_that_was_overrun_costs_points(desk, &panel).await;
    let (_, heard) = desk.sees("staff", &pitched[0]).await;
    let number = vec![heard["number"].clone()];
    assert_eq!(scores(Some("org01")).await.0, number, "their own");
    assert_eq!(scores(Some("org02")).await.0, Vec::<Value>::new());
    assert_eq!(scores(None).await.0, Vec::<Value>::new());
    let exact = |turns: &Value| {
        let mut turns = turns.as_array().unwrap().iter();
        let turn = turns
            .find(|turn| turn["number"] == heard["number"])
            .unwrap();
        (turn["stage"].clone(), turn["score"].clone())
    };
    let (_, own) = desk.sees("org01", board).await;
    let given = heard["roadshow"]["rounded"].clone();
    assert_eq!(exact(&own["turns"]), (json!("presented"), given.clone()));

    shows(desk, "published").await;
    let told = loop {
        let told = public.board().await;
        if told["turns"].to_string().contains("score") {
            break told;
        }
    };
    assert_eq!(exact(&told["turns"]), (Value::Null, given));
    assert_eq!(scores(None).await.0, number);
}

/// Ninety seconds are two minutes begun: the ranking and the summary say so.
async fn time_that_was_overrun_costs_points(desk: &Desk<'_>, panel: &str) {
    let (_, seen) = desk.sees("staff", panel).await;
    let outcome = &seen["results"][0];
    assert_eq!(
        (&outcome["input"]["overrun_seconds"], &outcome["deduction"]),
        (&json!(90), &json!({ "minutes": 2, "points": "1.5" }))
    );
    // Three sheets of 80 each.
    let score = outcome["score"]["rounded"].as_str().unwrap();
    assert_eq!(score.trim_end_matches('0'), "78.5", "{outcome}");
    let summary = format!("{panel}/documents/score-summary?format=csv&language=en");
    let (_, summary) = desk.sees("staff", &summary).await;
    assert!(summary.as_str().unwrap().contains("Deducted for overrun"));
}

async fn shows(desk: &Desk<'_>, scores: &str) {
    amended(desk, |policy| policy["roadshow"]["board"] = json!(scores)).await;
}

/// The policy is amended.
async fn amended(desk: &Desk<'_>, change: impl FnOnce(&mut Value)) {
    let (_, cycle) = desk.sees("staff", &desk.path("")).await;
    let policy = format!("/v1/policies/{}", cycle["policy"].as_str().unwrap());
    let mut document = desk.sees("staff", &policy).await.1["document"].clone();
    change(&mut document);
    let draft = json!({ "document": document, "reason": "看板显示" });
    let policy = desk.creates("staff", "policies", draft).await;
    let put = json!({ "policy": id_of(&policy) });
    desk.does("lead", &desk.path(""), "amend", put).await;
}

async fn travel(server: &Server, now: &str) {
    let token = server.sign_in("admin@demo.invalid", PASSWORD).await;
    let body = Some(json!({ "now": now }));
    let answer = server.ask("PUT", "/v1/clock", Some(&token), body).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
}

/// An open stream of events, as a browser reads it.
struct Stream {
    response: reqwest::Response,
    read: String,
}

impl Stream {
    async fn open(server: &Server, path: &str, token: Option<&str>) -> Self {
        let mut request = reqwest::Client::new()
            .get(format!("{}{path}", server.address))
            .header("accept", "text/event-stream");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            read: String::new(),
        }
    }

    /// The board of the next event; fails where none comes in good time, or the stream ends.
    async fn board(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let line = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name).map(str::trim))
                };
                let found = line("data:").map(|data| {
                    assert_eq!(line("event:"), Some("board"));
                    assert!(line("id:").unwrap().parse::<u64>().unwrap() > 0);
                    serde_json::from_str(data).unwrap()
                });
                let rest = rest.to_owned();
                self.read = rest;
                match found {
                    Some(board) => return board,
                    None => continue,
                }
            }
            let patience = std::time::Duration::from_mins(1);
            let more = tokio::time::timeout(patience, self.response.chunk()).await;
            let more = more.unwrap().unwrap().unwrap();
            self.read.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}
