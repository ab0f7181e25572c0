//! What one caller may ask of the service: so often, so much, so slowly, so deep.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use fundcycle_test_support::temp_dir;
use serde_json::json;

use crate::office::{PASSWORD, create_admin};
use crate::support::{Server, run};

/// A few more than are allowed below: a minute gives some back while they are asked.
const MANY: usize = 40;

fn serving(folder: &std::path::Path, flags: &[&str]) -> Server {
    let database = "sqlite:a.db";
    if !folder.join("a.db").exists() {
        assert!(
            run(folder, &["migrate", "--database", database])
                .status
                .success()
        );
        create_admin(folder, database);
    }
    Server::start(folder, database, flags)
}

/// Asks for the workflow as if for `address` until that is refused; gives the answers' statuses and,
/// of the refusal, the seconds to wait.
async fn asks_until_refused(server: &Server, address: &str, path: &str) -> (Vec<u16>, Option<u64>) {
    let mut statuses = Vec::new();
    for _ in 0..MANY {
        let (status, headers, _) = server
            .fetch(path, None, &[("x-forwarded-for", address)])
            .await;
        statuses.push(status);
        if status == 429 {
            let wait = headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert_eq!(headers["content-type"], "application/problem+json");
            return (statuses, Some(wait));
        }
    }
    (statuses, None)
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again() {
    let folder = temp_dir();
    let flags = ["--rate-per-address", "20", "--trusted-proxies", "127.0.0.1"];
    let server = serving(folder.path(), &flags);
    let path = "/v1/workflow";
    let (statuses, wait) = asks_until_refused(&server, "203.0.113.1", path).await;
    assert!(statuses.len() > 20, "{statuses:?}");
    assert!(matches!(wait, Some(1..=3)), "{wait:?} {statuses:?}");
    // Others go on, and so does whoever looks whether the service is there.
    let (first, _) = asks_until_refused(&server, "203.0.113.2", path).await;
    assert_eq!(first[0], 200);
    let (health, wait) = asks_until_refused(&server, "203.0.113.1", "/healthz").await;
    assert_eq!((wait, health.last()), (None, Some(&200)));
    // What is not there is limited like everything else.
    let (nowhere, wait) = asks_until_refused(&server, "203.0.113.3", "/v1/nowhere").await;
    assert_eq!((nowhere[0], wait.is_some()), (404, true), "{nowhere:?}");
    drop(server);

    // Nobody vouches for the header: whoever writes another each time stays one caller.
    let server = serving(folder.path(), &["--rate-per-address", "20"]);
    let mut refused = 0;
    for number in 0..MANY {
        let address = format!("203.0.113.{number}");
        let headers = [("x-forwarded-for", address.as_str())];
        let (status, _, _) = server.fetch(path, None, &headers).await;
        refused += usize::from(status == 429);
    }
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn passwords_and_accounts_have_limits_of_their_own() {
    let folder = temp_dir();
    let flags = ["--sign-in-rate", "5", "--rate-per-account", "20"];
    let server = serving(folder.path(), &flags);
    let token = server.sign_in("admin@example.org", PASSWORD).await;
    let body = json!({ "email": "admin@example.org", "password": PASSWORD });
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let body = Some(body.clone());
        statuses.push(server.ask("POST", "/v1/sign-in", None, body).await.0);
    }
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );
    let mut statuses = Vec::new();
    for _ in 0..MANY {
        statuses.push(server.ask("GET", "/v1/me", Some(&token), None).await.0);
    }
    assert!(
        statuses.starts_with(&[200; 15]) && statuses.contains(&429),
        "{statuses:?}"
    );
    assert_eq!(server.ask("GET", "/v1/workflow", None, None).await.0, 200);
}

#[tokio::test]
async fn heads_depth_and_pages_have_limits_and_answers_are_guarded() {
    let folder = temp_dir();
    let server = serving(folder.path(), &[]);
    let token = server.sign_in("admin@example.org", PASSWORD).await;
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let (status, headers, said) = post(&server, "/v1/cycles", &token, deep).await;
    assert!(status == 400 && said.contains("malformed_json"), "{said}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(headers[name], value);
    }
    let (_, headers, _) = server.fetch("/docs/", None, &[]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'self'") && !policy.contains("script-src"),
        "{policy}"
    );
    for query in ["limit=501", "limit=0", "limit=-1", "limit=1e9"] {
        let path = format!("/v1/organisations?{query}");
        assert_eq!(
            server.ask("GET", &path, Some(&token), None).await.0,
            400,
            "{query}"
        );
    }
    // A token in the address is no token, and is not looked at.
    let path = format!("/v1/me?token={token}");
    assert_eq!(server.ask("GET", &path, None, None).await.0, 401);

    let long = "x".repeat(200_000);
    let many = (0..1_000)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect::<String>();
    for head in [
        format!("GET /v1/workflow HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"),
        format!("GET /v1/workflow HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
        "GET /v1/workflow\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}hello, TLS\r\n\r\n".to_owned(),
    ] {
        let said = raw(&server, &head);
        let refused = ["HTTP/1.1 431", "HTTP/1.1 414", "HTTP/1.1 400"]
            .iter()
            .any(|status| said.starts_with(status));
        assert!(refused || said.is_empty(), "{said}");
    }
    assert_eq!(server.ask("GET", "/readyz", None, None).await.0, 200);
}

async fn post(
    server: &Server,
    path: &str,
    token: &str,
    body: String,
) -> (u16, reqwest::header::HeaderMap, String) {
    let request = reqwest::Client::new()
        .post(format!("{}{path}", server.address))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body);
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.text().await.unwrap())
}

/// Sends these very bytes; gives what is answered until the connection ends.
fn raw(server: &Server, head: &str) -> String {
    let address = server.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    // It may be cut off before all is sent.
    let _: std::io::Result<()> = stream.write_all(head.as_bytes());
    let _: std::io::Result<()> = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _: std::io::Result<usize> = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}
