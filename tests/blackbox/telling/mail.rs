//! Mail: what a letter looks like, and what becomes of it when the server is down, slow or unwilling.

use fundcycle_test_support::smtp::{Mood, SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both, tls};
use serde_json::{Value, json};

use super::{desk, follows_from_the_record, invite, smtp};
use crate::office::Office;
use crate::support::{err, out, run};

on_both!(
    a_letter_is_whole_and_says_the_same_in_every_part,
    a_server_that_was_down_gets_every_letter_once_it_is_up,
    a_server_that_says_later_is_asked_later_and_one_that_says_never_is_not,
    a_slow_server_gets_each_letter_once,
    without_tls_nothing_is_sent,
    one_person_gets_no_more_than_the_rate,
);

async fn a_letter_is_whole_and_says_the_same_in_every_part(database: Database) {
    let authority = tls::authority_in(database.folder.path());
    for (security, speaks) in [
        ("starttls", Speaks::StartTls(tls::server())),
        ("tls", Speaks::Tls(tls::server())),
    ] {
        if security == "tls" && database.is_postgres() {
            continue;
        }
        let server = SmtpServer::start(speaks);
        let port = server.port();
        let mut flags = smtp(&port, security);
        flags.extend(["--smtp-authority", &authority]);
        let database = if security == "tls" {
            &Database::sqlite()
        } else {
            &database
        };
        let office = Office::open(database, &flags).await;
        let account = invite(&office, "expert").await;
        let mail = server.letters(1).remove(0);
        assert_eq!(mail.to, "expert@example.org");
        assert_eq!(mail.header("Subject"), "邀请加入专家库");
        assert!(mail.header("From").starts_with("武进区民政局"), "{mail:?}");
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        let sent = desk(&office, "channel=email&status=delivered", |all| {
            all.len() == 1
        })
        .await;
        assert_eq!(sent[0]["receiver"], account);
        let (id, name) = (sent[0]["id"].as_str().unwrap(), mail.header("Message-ID"));
        assert!(
            name.starts_with(&format!("<{id}.")) && name.ends_with("@fund.example>"),
            "{name}"
        );
        assert_eq!(mail.from, "no-reply@fund.example");
        for kind in ["text/plain", "text/html"] {
            let part = mail.part(kind);
            assert!(part.contains("expert,您好"), "{kind}: {part}");
            assert!(part.contains("请确认并签署承诺"), "{kind}: {part}");
        }
        follows_from_the_record(database);
    }
}

async fn a_server_that_was_down_gets_every_letter_once_it_is_up(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    server.down();
    let office = Office::open(&database, &smtp(&port, "none")).await;
    for name in ["one", "two", "three"] {
        invite(&office, name).await;
    }
    let failing = desk(&office, "channel=email&status=failing", |all| {
        all.len() == 3
    })
    .await;
    assert!(
        failing.iter().all(|one| one["attempts"] == 1),
        "{failing:?}"
    );
    server.up();
    // Nobody is asked again before the time is there.
    office.at("2024-05-06T09:30:20+08:00").await;
    let mails = server.letters(3);
    let mut to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(
        to,
        ["one@example.org", "three@example.org", "two@example.org"]
    );
    let sent = desk(&office, "channel=email&status=delivered", |all| {
        all.len() == 3
    })
    .await;
    assert!(sent.iter().all(|one| one["attempts"] == 2), "{sent:?}");
}

async fn a_server_that_says_later_is_asked_later_and_one_that_says_never_is_not(
    database: Database,
) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    server.is_in(Mood::Answers("451 4.7.1 greylisted"));
    let office = Office::open(&database, &smtp(&port, "none")).await;
    invite(&office, "one").await;
    let failing = desk(&office, "channel=email&status=failing", |all| {
        all.len() == 1
    })
    .await;
    assert!(
        failing[0]["error"].as_str().unwrap().contains("greylisted"),
        "{failing:?}"
    );
    server.is_in(Mood::Answers("550 5.1.1 no such mailbox"));
    office.at("2024-05-06T09:30:20+08:00").await;
    let dead = desk(&office, "channel=email&status=dead", |all| all.len() == 1).await;
    assert_eq!(dead[0]["attempts"], 2);
    assert!(
        dead[0]["error"]
            .as_str()
            .unwrap()
            .contains("no such mailbox")
    );
    // Not for weeks, until somebody has seen to it.
    office.at("2024-05-20T09:30:00+08:00").await;
    let id = dead[0]["id"].as_str().unwrap();
    let again = format!("/v1/outbox/{id}/retry");
    let asked = async |token: &str, path: &str, body: Value| {
        office
            .server
            .ask("POST", path, Some(token), Some(body))
            .await
    };
    assert_eq!(asked(&office.owner, &again, json!({})).await.0, 403);
    assert_eq!(asked(&office.staff, &again, json!({})).await.0, 403);
    server.wait("asked twice", |state| state.asked == 2);
    server.is_in(Mood::Takes);
    let (status, said) = asked(&office.admin, &again, json!({})).await;
    assert_eq!(status, 200, "{said}");
    let mail = server.letters(1).remove(0);
    assert!(mail.header("Message-ID").contains(id), "{mail:?}");
    desk(&office, "channel=email&status=delivered", |all| {
        all.len() == 1
    })
    .await;
    let (status, said) = asked(&office.admin, &again, json!({})).await;
    assert_eq!(status, 409, "{said}");
    let (_, metrics) = office.server.ask("GET", "/metrics", None, None).await;
    let metrics = metrics.as_str().unwrap();
    for line in [
        "fundcycle_messages_total{channel=\"email\",outcome=\"failed\"} 1",
        "fundcycle_messages_total{channel=\"email\",outcome=\"dead\"} 1",
        "fundcycle_messages_total{channel=\"email\",outcome=\"delivered\"} 1",
        "fundcycle_messages_lag_seconds{channel=\"email\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    on_the_command_line(&office, &database, &server).await;
}

/// The same from a shell on the machine.
async fn on_the_command_line(office: &Office, database: &Database, server: &SmtpServer) {
    let cli = |arguments: &[&str]| {
        let all = [&["outbox"], arguments, &["--database", &database.url]].concat();
        run(database.folder.path(), &all)
    };
    server.is_in(Mood::Answers("550 5.7.1 not from you"));
    invite(office, "two").await;
    let dead = desk(office, "channel=email&status=dead", |all| all.len() == 1).await;
    let id = dead[0]["id"].as_str().unwrap();
    let listed = cli(&["list", "--status", "dead"]);
    assert!(
        out(&listed)
            .contains("email: 0 waiting, of these 0 failing, oldest due for 0 s; 1 given up")
            && out(&listed).contains(id)
            && out(&listed).contains("not from you"),
        "{}{}",
        out(&listed),
        err(&listed)
    );
    let shown: Value = serde_json::from_str(&out(&cli(&["show", id]))).unwrap();
    assert_eq!(shown["status"], "dead");
    server.is_in(Mood::Takes);
    assert_eq!(cli(&["retry", "--dead", "email"]).status.code(), Some(0));
    server.letters(2);
    desk(office, "channel=email&status=delivered", |all| {
        all.len() == 2
    })
    .await;
    assert_eq!(cli(&["retry", "--dead", "email"]).status.code(), Some(1));
    assert_eq!(cli(&["retry", id]).status.code(), Some(1));
    server.is_in(Mood::Answers("451 later"));
    invite(office, "three").await;
    let failing = desk(office, "channel=email&status=failing", |all| all.len() == 1).await;
    let id = failing[0]["id"].as_str().unwrap();
    let cancel = ["cancel", id, "--reason", "sent by post"];
    assert_eq!(cli(&cancel).status.code(), Some(0));
    assert_eq!(cli(&cancel).status.code(), Some(1));
    let shown: Value = serde_json::from_str(&out(&cli(&["show", id]))).unwrap();
    assert_eq!(
        (&shown["status"], &shown["error"]),
        (&json!("cancelled"), &json!("sent by post"))
    );
}

async fn a_slow_server_gets_each_letter_once(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    server.is_in(Mood::Holds);
    let office = Office::open(&database, &smtp(&port, "none")).await;
    invite(&office, "one").await;
    invite(&office, "two").await;
    server.wait("two letters handed over", |state| state.asked >= 2);
    // The one who waits keeps its lease; the desk shows the attempt.
    let waiting = desk(&office, "channel=email&status=waiting", |all| {
        all.len() == 2
    })
    .await;
    assert!(
        waiting.iter().all(|one| one["attempts"] == 1),
        "{waiting:?}"
    );
    server.is_in(Mood::Takes);
    assert_eq!(server.letters(2).len(), 2);
    let sent = desk(&office, "channel=email&status=delivered", |all| {
        all.len() == 2
    })
    .await;
    assert!(sent.iter().all(|one| one["attempts"] == 1), "{sent:?}");
    server.wait("no more than two", |state| state.asked == 2);
}

async fn without_tls_nothing_is_sent(database: Database) {
    let folder = database.folder.path();
    // Wanted and not offered, and offered by somebody whom nobody vouches for.
    for (number, speaks) in [Speaks::Plain, Speaks::StartTls(tls::server())]
        .into_iter()
        .enumerate()
    {
        if number == 1 && database.is_postgres() {
            continue;
        }
        let server = SmtpServer::start(speaks);
        let port = server.port();
        let flags = smtp(&port, "starttls");
        let own = Database::sqlite();
        let database = if number == 1 { &own } else { &database };
        let office = Office::open(database, &flags).await;
        invite(&office, "one").await;
        desk(&office, "channel=email&status=failing", |all| {
            all.len() == 1
        })
        .await;
        server.wait("nobody was named", |state| {
            state.opened > 0 && state.asked == 0
        });
    }
    // A password is not given in the open.
    let output = crate::support::fundcycle(
        folder,
        &["serve", "--smtp-host", "x", "--smtp-security", "none"],
    )
    .env("FUNDCYCLE_SMTP_PASSWORD", "hunter2secret")
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = err(&output);
    for word in ["smtp_user", "mail_from", "in the open"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(!said.contains("hunter2secret"), "{said}");
}

async fn one_person_gets_no_more_than_the_rate(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let mut flags = smtp(&port, "none");
    flags.extend(["--mail-per-minute", "2"]);
    let office = Office::open(&database, &flags).await;
    super::submitted(&office, 5).await;
    desk(&office, "channel=email&status=delivered", |all| {
        all.len() == 2
    })
    .await;
    let waiting = desk(&office, "channel=email&status=waiting", |all| {
        all.len() == 3
            && all
                .iter()
                .all(|one| one["attempts"] == 0 && one["due_at"] != one["created_at"])
    })
    .await;
    assert_eq!(waiting.len(), 3);
    for (minute, count) in [("31:00", 4), ("32:00", 5)] {
        office
            .at(&format!("2024-05-06T09:{minute}.001+08:00"))
            .await;
        desk(&office, "channel=email&status=delivered", |all| {
            all.len() == count
        })
        .await;
    }
    let ids: std::collections::BTreeSet<String> = server
        .letters(5)
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    assert_eq!(ids.len(), 5);
}
