//! Signing in and out tells nobody who has an account.

use fundcycle_test_support::{Database, on_both};
use serde_json::json;

use crate::office::{PASSWORD, found, register};
use crate::support::Server;

on_both!(accounts_are_not_given_away_and_tokens_end);

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
