//! Reminders of deadlines, and the daily word to staff of what waits for them.

use fundcycle_test_support::smtp::{SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{desk, follows_from_the_record, smtp, submitted};
use crate::office::Office;
use crate::support::Server;

on_both!(
    an_extended_deadline_moves_the_reminders,
    what_was_missed_is_sent_once_and_what_is_done_is_not_reminded_of,
    staff_are_told_on_working_days_what_waits_for_them,
);

/// The identities of the messages on `topic` that were ever put in inboxes, newest first.
async fn told(office: &Office, topic: &str) -> Vec<Value> {
    let items = desk(office, "channel=inbox", |_| true).await;
    items
        .into_iter()
        .filter(|one| one["topic"] == topic)
        .collect()
}

async fn an_extended_deadline_moves_the_reminders(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let office = Office::open(&database, &smtp(&port, "none")).await;
    // The call closes on 31 May at 17:00: a week before there is one reminder, until then none.
    office.at("2024-05-24T16:59:59+08:00").await;
    assert_eq!(told(&office, "reminder.draft").await.len(), 0);
    office.at("2024-05-24T17:00:00+08:00").await;
    let first = server.letters(1).remove(0);
    assert_eq!(first.to, "owner@example.org");
    assert_eq!(first.header("Subject"), "申报即将截止");
    assert!(first.part("text/plain").contains("2024-05-31 17:00"));

    let extension = json!({ "closes_at": "2024-06-07T17:00:00+08:00", "reason": "(演示)系统维护" });
    let extend = format!("/v1/cycles/{}/extend_deadline", office.cycle);
    office.made(&office.lead, &extend, extension).await;
    // Three days before the old deadline, one day before it: nothing.
    for now in ["2024-05-28T17:00:00+08:00", "2024-05-30T17:00:00+08:00"] {
        office.at(now).await;
        assert_eq!(told(&office, "reminder.draft").await.len(), 1, "{now}");
    }
    office.at("2024-05-31T17:00:00+08:00").await;
    let second = server.letters(2).remove(1);
    assert!(second.part("text/plain").contains("2024-06-07 17:00"));
    office.at("2024-06-04T17:00:00+08:00").await;
    server.letters(3);
    // Handed in: there is nothing to be reminded of.
    submitted(&office, 1).await;
    let receipt = server.letters(4).remove(3);
    assert!(receipt.header("Subject").starts_with("申报已提交"));
    for now in ["2024-06-06T17:00:00+08:00", "2024-06-07T14:00:00+08:00"] {
        office.at(now).await;
        assert_eq!(told(&office, "reminder.draft").await.len(), 3, "{now}");
    }
    // Beside what staff are told of the application that waits for them.
    desk(&office, "channel=email&status=delivered", |all| {
        let digests = all.iter().filter(|one| one["topic"] == "staff.digest");
        all.len() - digests.count() == 4
    })
    .await;
    follows_from_the_record(&database);
}

async fn what_was_missed_is_sent_once_and_what_is_done_is_not_reminded_of(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let mut office = Office::open(&database, &smtp(&port, "none")).await;
    let second = office.draft("(演示)第二份").await;
    // Down over the reminders of a week, of three days and of one day before: the last one counts.
    office.at("2024-05-31T09:00:00+08:00").await;
    server.letters(2);
    let noted = |all: &[Value]| all.len() == 2;
    desk(&office, "channel=email&status=delivered", noted).await;
    office.server.kill();
    let flags = [&["--time-travel"], smtp(&port, "none").as_slice()].concat();
    office.server = Server::start(database.folder.path(), &database.url, &flags);
    office.at("2024-05-31T09:05:00+08:00").await;
    assert_eq!(told(&office, "reminder.draft").await.len(), 2);

    // The last reminder waits because the mail server is down; meanwhile one draft is handed in.
    server.down();
    office.at("2024-05-31T14:00:00+08:00").await;
    desk(&office, "channel=email&status=failing", |all| {
        all.iter().any(|one| one["topic"] == "reminder.draft")
    })
    .await;
    submitted(&office, 1).await;
    server.up();
    office.at("2024-05-31T14:10:00+08:00").await;
    let cancelled = desk(&office, "channel=email&status=cancelled", |all| {
        all.len() == 1
    })
    .await;
    assert_eq!(cancelled[0]["error"], "what it reminds of is done or over");
    // Two reminders at first, then the receipt of the one and the reminder of the other.
    let mut subjects: Vec<String> = server
        .letters(4)
        .iter()
        .skip(2)
        .map(|mail| mail.header("Subject"))
        .collect();
    subjects.sort_unstable();
    assert!(
        subjects[0].starts_with("申报已提交") || subjects[1].starts_with("申报已提交"),
        "{subjects:?}"
    );
    assert!(
        subjects.iter().any(|subject| subject == "申报即将截止"),
        "{subjects:?}"
    );
    assert_ne!(second, office.draft);
    follows_from_the_record(&database);
}

/// One of two messages of staff is read: by them, and by nobody else.
async fn what_is_read_is_marked(office: &Office, id: &str) {
    let path = format!("/v1/me/inbox/{id}/read");
    let ask = async |method: &str, path: &str, token: &str| {
        office.server.ask(method, path, Some(token), None).await
    };
    assert_eq!(ask("POST", &path, &office.lead).await.0, 404);
    for (marked, unread) in [(false, 2), (true, 1), (true, 1)] {
        if marked {
            assert_eq!(ask("POST", &path, &office.staff).await.0, 204);
        }
        let (_, me) = ask("GET", "/v1/me", &office.staff).await;
        assert_eq!(me["unread"], unread, "{me}");
        let read = |one: &Value| one["id"] == id && !one["read_at"].is_null();
        assert_eq!(digests(office).await.iter().any(read), marked);
    }
}

/// The digests in the inbox of staff, newest first.
async fn digests(office: &Office) -> Vec<Value> {
    let (status, inbox) = office
        .server
        .ask("GET", "/v1/me/inbox", Some(&office.staff), None)
        .await;
    assert_eq!(status, 200, "{inbox}");
    inbox["items"].as_array().unwrap().clone()
}

async fn staff_are_told_on_working_days_what_waits_for_them(database: Database) {
    let office = Office::open(&database, &[]).await;
    // Nothing waits, nothing is said.
    office.at("2024-05-07T08:00:00+08:00").await;
    assert_eq!(told(&office, "staff.digest").await.len(), 0);
    submitted(&office, 1).await;
    office.at("2024-05-08T07:59:59+08:00").await;
    assert_eq!(told(&office, "staff.digest").await.len(), 0);
    // Saturday the 11th is worked, Sunday the 12th is not; twice a day is once.
    for (now, count) in [
        ("2024-05-08T08:00:00+08:00", 1),
        ("2024-05-08T17:00:00+08:00", 1),
        ("2024-05-11T08:00:00+08:00", 2),
        ("2024-05-12T08:00:00+08:00", 2),
    ] {
        office.at(now).await;
        assert_eq!(told(&office, "staff.digest").await.len(), count, "{now}");
        // Before time goes on: one that waits for a day is overtaken by the next.
        desk(&office, "channel=inbox&status=waiting", <[Value]>::is_empty).await;
    }
    let digests = digests(&office).await;
    assert_eq!(digests.len(), 2, "{digests:?}");
    assert_eq!(digests[0]["title"], "今日待办(2024-05-11)");
    assert_eq!(digests[0]["text"], "2024年公益创投:\n待审查申报 1 件");
    what_is_read_is_marked(&office, digests[1]["id"].as_str().unwrap()).await;
    // Nobody else is told.
    let (_, inbox) = office
        .server
        .ask("GET", "/v1/me/inbox", Some(&office.lead), None)
        .await;
    assert_eq!(inbox["items"], json!([]));
    follows_from_the_record(&database);
}
