//! Letters that come back, at once or later: noted, told, and no more written there until it is confirmed.

use std::io::Write as _;
use std::process::Stdio;

use fundcycle_test_support::smtp::{Mood, SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{desk, follows_from_the_record, smtp, submitted};
use crate::office::Office;
use crate::support::{err, fundcycle, out, run};

on_both!(
    a_letter_that_comes_back_later_holds_the_next_ones_until_the_address_is_confirmed,
    an_address_that_is_refused_at_once_is_written_to_again_when_it_is_changed,
);

/// A report as Postfix writes it.
const REPORT: &str = include_str!("../../../crates/notify/tests/reports/postfix.eml");

/// Hands a message over as a mail server does; gives how that ended and what was said.
fn handed_over(database: &Database, text: &str) -> (Option<i32>, String) {
    let arguments = ["bounce", "--database", &database.url];
    let mut asked = fundcycle(database.folder.path(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = text.replace('\n', "\r\n");
    asked
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = asked.wait_with_output().unwrap();
    (output.status.code(), out(&output) + &err(&output))
}

/// The report that the letter of this name to the owner came back.
fn report(name: &str) -> String {
    REPORT
        .replace("<NAME>", name)
        .replace("WangFang@example.org", "Owner@example.org")
}

async fn preferences(office: &Office) -> Value {
    let path = "/v1/me/preferences";
    let asked = office.server.ask("GET", path, Some(&office.owner), None);
    let (status, shown) = asked.await;
    assert_eq!(status, 200, "{shown}");
    shown["address"].clone()
}

async fn metric(office: &Office, line: &str) {
    let (_, metrics) = office.server.ask("GET", "/metrics", None, None).await;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains(line), "no {line} in {metrics}");
}

async fn a_letter_that_comes_back_later_holds_the_next_ones_until_the_address_is_confirmed(
    database: Database,
) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let mut flags = smtp(&port, "none");
    flags.extend(["--mail-bounces", "bounces@fund.example"]);
    let office = Office::open(&database, &flags).await;
    submitted(&office, 1).await;
    let letter = server.letters(1).remove(0);
    assert_eq!(letter.from, "bounces@fund.example");
    let sent = |all: &[Value]| all.len() == 1;
    let row = desk(&office, "channel=email&status=delivered", sent).await[0].clone();
    let name = letter.header("Message-ID");

    // What is no report, reports nothing lost, or names a letter that its writer never saw.
    let id = row["id"].as_str().unwrap();
    for (text, said) in [
        ("From: a@b\n\n550 5.1.1".to_owned(), "no report"),
        (report(&name).replace("failed", "delayed"), "no failure"),
        (report(&format!("<{id}@fund.example>")), "no letter"),
    ] {
        let (code, answer) = handed_over(&database, &text);
        assert!(code == Some(0) && answer.contains(said), "{answer}");
    }
    desk(&office, "channel=email&status=delivered", sent).await;
    assert_eq!(preferences(&office).await["failing_since"], Value::Null);

    for _ in 0..2 {
        let (code, answer) = handed_over(&database, &report(&name));
        assert!(
            code == Some(0) && answer.contains("takes no more"),
            "{answer}"
        );
    }
    let dead = desk(&office, "channel=email&status=dead", |all| all.len() == 1).await;
    assert!(dead[0]["error"].as_str().unwrap().contains("User unknown"));
    // The person learns of it where it can be read, and nowhere else.
    let told = |all: &[Value]| all.iter().any(|one| one["topic"] == "email.fails");
    desk(&office, "channel=inbox&status=delivered", told).await;
    let (_, inbox) = office
        .server
        .ask("GET", "/v1/me/inbox", Some(&office.owner), None)
        .await;
    let texts: Vec<&str> = inbox["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["topic"] == "email.fails")
        .map(|one| one["text"].as_str().unwrap())
        .collect();
    assert!(
        texts.len() == 1 && texts[0].contains("Owner@example.org"),
        "{texts:?}"
    );
    let shown = preferences(&office).await;
    assert_eq!(
        shown["failing_since"], "2024-05-06T01:30:00.000Z",
        "{shown}"
    );
    assert!(shown["because"].as_str().unwrap().contains("User unknown"));
    // Who looks after it sees whose it is.
    let (_, outbox) = office
        .server
        .ask("GET", "/v1/outbox", Some(&office.admin), None)
        .await;
    let failing = outbox["failing_addresses"].as_array().unwrap();
    assert_eq!(
        (failing.len(), &failing[0]["account"]),
        (1, &row["receiver"])
    );
    metric(&office, "fundcycle_mail_addresses_failing 1").await;

    // Nothing more goes there; that is nobody's lag.
    submitted(&office, 2).await;
    let held = desk(&office, "channel=email&status=failing", |all| {
        all.len() == 2
    })
    .await;
    assert!(
        held.iter().all(|one| {
            one["attempts"] == 0 && one["error"].as_str().unwrap().starts_with("held")
        })
    );
    assert_eq!(server.letters(1).len(), 1);
    metric(
        &office,
        "fundcycle_messages_lag_seconds{channel=\"email\"} 0",
    )
    .await;

    let confirm = "/v1/me/preferences/confirm_address";
    let shown = office.made(&office.owner, confirm, json!({})).await;
    assert_eq!(shown["address"]["failing_since"], Value::Null);
    let mails = server.letters(4);
    // The one that came back under the name that it had.
    assert!(
        mails[1..]
            .iter()
            .any(|mail| mail.header("Message-ID") == name)
    );
    desk(&office, "channel=email&status=delivered", |all| {
        all.len() == 3
    })
    .await;
    metric(&office, "fundcycle_mail_addresses_failing 0").await;
    follows_from_the_record(&database);

    // A database that cannot be asked: the mail server shall keep the message.
    let nowhere = ["bounce", "--database", "sqlite:none.db"];
    let output = run(database.folder.path(), &nowhere);
    assert_eq!(output.status.code(), Some(75), "{}", err(&output));
}

async fn an_address_that_is_refused_at_once_is_written_to_again_when_it_is_changed(
    database: Database,
) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let office = Office::open(&database, &smtp(&port, "none")).await;
    // A refusal of what is sent says nothing about the address.
    server.is_in(Mood::Answers("550 5.7.1 blocked by policy"));
    submitted(&office, 1).await;
    desk(&office, "channel=email&status=dead", |all| all.len() == 1).await;
    assert_eq!(preferences(&office).await["failing_since"], Value::Null);
    server.is_in(Mood::Answers("550 5.1.1 no such mailbox"));
    submitted(&office, 1).await;
    let dead = desk(&office, "channel=email&status=dead", |all| all.len() == 2).await;
    assert_ne!(preferences(&office).await["failing_since"], Value::Null);
    server.is_in(Mood::Takes);
    submitted(&office, 1).await;
    desk(&office, "channel=email&status=failing", |all| {
        all.len() == 1
    })
    .await;
    server.wait("two asked for", |state| {
        state.asked == 2 && state.mails.is_empty()
    });

    let change = |to: &str| {
        let from = [
            "admin",
            "change-email",
            "--email",
            "owner@example.org",
            "--to",
            to,
        ];
        let arguments = [&from[..], &["--database", &database.url]].concat();
        run(database.folder.path(), &arguments)
    };
    let taken = change("STAFF@example.org");
    assert_eq!(taken.status.code(), Some(1), "{}", out(&taken));
    let changed = change("chair@example.org");
    assert_eq!(changed.status.code(), Some(0), "{}", err(&changed));
    let mails = server.letters(3);
    assert!(mails.iter().all(|mail| mail.to == "chair@example.org"));
    assert!(mails.iter().any(|mail| {
        mail.header("Message-ID")
            .contains(dead[0]["id"].as_str().unwrap())
    }));
    assert_eq!(preferences(&office).await["failing_since"], Value::Null);
    assert_eq!(preferences(&office).await["address"], "chair@example.org");
    follows_from_the_record(&database);
}
