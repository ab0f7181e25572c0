//! A cycle's own words: tried before they are kept, and what people read from then on.

use fundcycle_test_support::smtp::{SmtpServer, Speaks};
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::{smtp, submitted};
use crate::office::Office;

on_both!(a_cycle_has_words_of_its_own_that_were_tried_first);

async fn a_cycle_has_words_of_its_own_that_were_tried_first(database: Database) {
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let office = Office::open(&database, &smtp(&port, "none")).await;
    let all = office.path("wordings");
    let one = format!("{all}/zh-CN/application.submit");
    let ask = async |method: &str, path: &str, token: &str, body: Option<Value>| {
        office.server.ask(method, path, Some(token), body).await
    };
    let own = |title: &str, text: &str| Some(json!({ "title": title, "text": text }));

    // A variable that the message does not have, a template that is none, one that never ends.
    for (title, text, pointer) in [
        ("收到 {{ numbr }}", "好", "/title"),
        ("收到", "{{ correction.due }}", "/text"),
        ("收到", "{% if %}", "/text"),
        (
            "收到",
            "{% for a in range(99999) %}{% for b in range(99999) %}.{% endfor %}{% endfor %}",
            "/text",
        ),
    ] {
        for (method, path) in [("PUT", one.clone()), ("POST", format!("{one}/preview"))] {
            let (status, said) = ask(method, &path, &office.staff, own(title, text)).await;
            assert_eq!(
                (status, &said["errors"][0]["pointer"]),
                (422, &json!(pointer)),
                "{text}: {said}"
            );
        }
    }
    let words = own(
        "常州市武进区:已收到 {{ number }}",
        "“{{ form.title }}”已收到。",
    );
    for token in [&office.owner, &office.stranger] {
        let (status, _) = ask("PUT", &one, token, words.clone()).await;
        assert!(status == 403 || status == 404, "{status}");
    }
    for wrong in ["zh-CN/application.nothing", "fr/application.submit"] {
        let path = format!("{all}/{wrong}");
        assert_eq!(ask("PUT", &path, &office.staff, words.clone()).await.0, 404);
    }
    let preview = format!("{one}/preview");
    let (status, seen) = ask("POST", &preview, &office.staff, words.clone()).await;
    assert_eq!(status, 200, "{seen}");
    assert_eq!(
        seen["preview"]["title"],
        "常州市武进区:已收到 WJ2024-7K3M-9QXA"
    );
    // Looking keeps nothing.
    submitted(&office, 1).await;
    let letter = server.letters(1).remove(0);
    assert!(letter.header("Subject").starts_with("申报已提交"));

    assert_eq!(ask("PUT", &one, &office.staff, words).await.0, 200);
    submitted(&office, 1).await;
    let letter = server.letters(2).remove(1);
    assert!(
        letter
            .header("Subject")
            .starts_with("常州市武进区:已收到 WJ2024-")
    );
    let (_, listed) = ask("GET", &all, &office.staff, None).await;
    let items = listed["items"].as_array().unwrap();
    let mine: Vec<&Value> = items.iter().filter(|item| item["own"] == true).collect();
    assert_eq!(mine.len(), 1, "{mine:?}");
    assert_eq!(mine[0]["topic"], "application.submit");
    assert!(items.iter().all(|item| item["preview"].is_object()));

    assert_eq!(ask("DELETE", &one, &office.staff, None).await.0, 204);
    assert_eq!(ask("DELETE", &one, &office.staff, None).await.0, 404);
    submitted(&office, 1).await;
    let letter = server.letters(3).remove(2);
    assert!(letter.header("Subject").starts_with("申报已提交"));
}
