//! Signing in and out tells nobody who has an account.

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::office::{PASSWORD, found, register};
use crate::support::Server;

on_both!(
    accounts_are_not_given_away_and_tokens_end,
    whoever_guesses_waits_whether_or_not_there_is_such_an_account,
    a_password_is_chosen_well_and_changing_it_ends_every_other_token,
);

async fn accounts_are_not_given_away_and_tokens_end(database: Database) {
    let folder = database.folder.path();
    found(folder, &database.url);
    let server = Server::start(folder, &database.url, &["--time-travel"]);
    let token = register(&server, "somebody").await;
    let post = async |path: &str, body| server.ask("POST", path, None, Some(body)).await;
    let sign_in = |email: &str| json!({ "email": email, "password": "not the password" });
    let known = post("/v1/sign-in", sign_in("somebody@example.org")).await;
    assert_eq!(known.0, 401, "{}", known.1);
    assert_eq!(
        known,
        post("/v1/sign-in", sign_in("nobody@example.org")).await
    );

    let again =
        json!({ "email": "somebody@example.org", "name": "x", "password": "another password" });
    let new = json!({ "email": "new@example.org", "name": "x", "password": "another password" });
    let taken = post("/v1/register", again).await;
    assert_eq!(taken, post("/v1/register", new).await);
    // The password is still the first one.
    let other = server.sign_in("somebody@example.org", PASSWORD).await;

    let me = async |token: &str| server.ask("GET", "/v1/me", Some(token), None).await.0;
    assert_eq!(me(&token).await, 200);
    let (status, _) = server.ask("POST", "/v1/sign-out", Some(&token), None).await;
    assert_eq!(status, 204);
    assert_eq!((me(&token).await, me(&other).await), (401, 200));
    let made_up = "fc_0000000000000000000000000000000000000000000";
    assert_eq!(
        server.ask("GET", "/v1/me", Some(made_up), None).await,
        server.ask("GET", "/v1/me", Some(&token), None).await
    );
}

/// What an answer says, and all that it says it with but the time and its own number.
async fn whole(server: &Server, path: &str, body: Value, from: &str) -> (u16, String, String) {
    let request = reqwest::Client::new()
        .post(format!("{}{path}", server.address))
        .header("x-forwarded-for", from)
        .json(&body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let mut headers: Vec<String> = response
        .headers()
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (status, headers.join("\n"), response.text().await.unwrap())
}

async fn whoever_guesses_waits_whether_or_not_there_is_such_an_account(database: Database) {
    let folder = database.folder.path();
    found(folder, &database.url);
    let flags = ["--time-travel", "--trusted-proxies", "127.0.0.1"];
    let server = Server::start(folder, &database.url, &flags);
    let admin = server.sign_in("admin@example.org", PASSWORD).await;
    register(&server, "somebody").await;
    let sign_in = async |name: &str, password: &str, from: &str| {
        let body = json!({ "email": format!("{name}@example.org"), "password": password });
        whole(&server, "/v1/sign-in", body, from).await
    };
    let (one, two) = ("203.0.113.1", "203.0.113.2");
    for turn in 0..7 {
        let known = sign_in("somebody", "not the password", one).await;
        assert_eq!(known.0, if turn < 5 { 401 } else { 429 }, "{known:?}");
        assert_eq!(known, sign_in("nobody", "not the password", one).await);
        assert_eq!(known.1.contains("retry-after: 30"), turn >= 5, "{known:?}");
    }
    assert_eq!(sign_in("somebody", PASSWORD, one).await.0, 429);
    assert_eq!(sign_in("somebody", PASSWORD, two).await.0, 200);
    for (now, status) in [("08:30:29", 429), ("08:30:30", 200)] {
        let now = json!({ "now": format!("2024-04-22T{now}+08:00") });
        let (set, said) = server
            .ask("PUT", "/v1/clock", Some(&admin), Some(now))
            .await;
        assert_eq!(set, 200, "{said}");
        assert_eq!(sign_in("somebody", PASSWORD, one).await.0, status);
    }
    // What was mistyped before is forgotten.
    for status in [401, 401, 401, 401, 200] {
        let password = if status == 200 {
            PASSWORD
        } else {
            "not the password"
        };
        assert_eq!(sign_in("somebody", password, one).await.0, status);
    }
}

async fn a_password_is_chosen_well_and_changing_it_ends_every_other_token(database: Database) {
    let folder = database.folder.path();
    found(folder, &database.url);
    std::fs::write(folder.join("leaked.txt"), "password123\n1234567890\n").unwrap();
    let flags = ["--time-travel", "--breached-passwords", "leaked.txt"];
    let server = Server::start(folder, &database.url, &flags);
    let (mine, other) = (
        register(&server, "somebody").await,
        server.sign_in("somebody@example.org", PASSWORD).await,
    );
    let new = json!({ "email": "new@example.org", "name": "x", "password": "Password123" });
    let (status, said) = server.ask("POST", "/v1/register", None, Some(new)).await;
    assert_eq!(
        (status, &said["errors"][0]["code"]),
        (422, &json!("breached")),
        "{said}"
    );
    let change = async |current: &str, new: &str| {
        let body = json!({ "current": current, "new": new });
        server
            .ask("POST", "/v1/me/password", Some(&mine), Some(body))
            .await
    };
    for (current, new, code) in [
        (PASSWORD, "1234567890", "breached"),
        (PASSWORD, "short", "too_short"),
        (
            "not the password",
            "another long password",
            "wrong_password",
        ),
    ] {
        let (status, said) = change(current, new).await;
        assert_eq!(
            (status, &said["errors"][0]["code"]),
            (422, &json!(code)),
            "{said}"
        );
    }
    let me = async |token: &str| server.ask("GET", "/v1/me", Some(token), None).await.0;
    assert_eq!((me(&mine).await, me(&other).await), (200, 200));
    let (status, said) = change(PASSWORD, "another long password").await;
    assert_eq!(status, 200, "{said}");
    assert_eq!((me(&mine).await, me(&other).await), (401, 401));
    assert_eq!(me(said["token"].as_str().unwrap()).await, 200);
    server
        .sign_in("somebody@example.org", "another long password")
        .await;
}
