//! The service itself: what it says of itself, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use fundcycle_test_support::temp_dir;
use serde_json::{Value, json};

use crate::office::{PASSWORD, create_admin};
use crate::support::{Server, fundcycle, out, run};

#[tokio::test]
async fn it_says_how_it_is_and_what_it_can() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    assert!(
        run(folder.path(), &["migrate", "--database", database])
            .status
            .success()
    );
    create_admin(folder.path(), database);
    let server = Server::start(folder.path(), database, &[]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.ask("GET", path, None, None).await.0, 200, "{path}");
    }
    let (status, metrics) = server.ask("GET", "/metrics", None, None).await;
    assert_eq!(status, 200);
    assert!(metrics.as_str().unwrap().contains("# TYPE"), "{metrics}");
    let (status, page) = server.ask("GET", "/docs/", None, None).await;
    assert!(
        status == 200 && page.as_str().unwrap().contains("<html"),
        "{page}"
    );
    let (_, served) = server.ask("GET", "/v1/openapi.json", None, None).await;
    let printed: Value = serde_json::from_str(&out(&run(folder.path(), &["openapi"]))).unwrap();
    assert_eq!(served, printed);
    let packed = reqwest::Client::new()
        .get(format!("{}/v1/openapi.json", server.address))
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");

    let admin = server.sign_in("admin@example.org", PASSWORD).await;
    let now = json!({ "now": "2099-01-01T00:00:00Z" });
    let (status, problem) = server
        .ask("PUT", "/v1/clock", Some(&admin), Some(now))
        .await;
    assert_eq!(status, 404, "{problem}");
}

/// A request whose body is still on its way when the service is asked to end is answered.
#[test]
fn what_is_under_way_is_finished_before_it_ends() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    assert!(
        run(folder.path(), &["migrate", "--database", database])
            .status
            .success()
    );
    create_admin(folder.path(), database);
    let mut process = fundcycle(
        folder.path(),
        &["serve", "--database", database, "--listen", "127.0.0.1:0"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("http://"))
        .unwrap();

    let body = json!({ "email": "admin@example.org", "password": PASSWORD }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /v1/sign-in HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    )
    .unwrap();
    // The service asks for the body: the request is under way.
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut said = String::new();
    reader.read_line(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 100"), "{said}");
    let told = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("asked to end")));
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("HTTP/1.1 200") && answer.contains("\"token\""),
        "{answer}"
    );
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

/// Whoever collects the log may end before the service does.
#[tokio::test]
async fn requests_are_answered_when_nobody_reads_the_log_any_more() {
    let folder = temp_dir();
    let database = "sqlite:a.db";
    assert!(
        run(folder.path(), &["migrate", "--database", database])
            .status
            .success()
    );
    let server = Server::start_unheard(folder.path(), database);
    for _ in 0..3 {
        assert_eq!(server.ask("GET", "/healthz", None, None).await.0, 200);
    }
}
