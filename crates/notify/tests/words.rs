//! Every message that is told has words in both languages, and the words fit what it is about.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_notify::channels::email::letter::{Letter, letter};
use fundcycle_notify::preferences::Group;
use fundcycle_notify::routes::{ROUTES, Route, topics};
use fundcycle_notify::template::{LOCALES, Templates};
use fundcycle_store::inbox::InboxMessage;
use uuid::Uuid;

#[test]
fn every_route_names_a_move_of_a_flow() {
    let unknown: Vec<String> = ROUTES
        .iter()
        .filter(|route| {
            let kind = Kind::from_name(route.kind);
            !kind.is_some_and(|kind| kind.moves().iter().any(|row| row.verb == route.verb))
        })
        .map(Route::topic)
        .collect();
    assert!(unknown.is_empty(), "no flow has {unknown:?}");
}

#[test]
fn every_topic_has_words_in_every_language_and_no_words_are_left_over() {
    let told: BTreeSet<String> = topics().collect();
    let templates = Templates::built_in().unwrap();
    for (locale, _) in LOCALES {
        let worded: BTreeSet<String> = templates.topics(locale).map(str::to_owned).collect();
        assert_eq!(told, worded, "{locale}");
    }
}

/// Every message in full, as a letter to somebody: what is before the mail program and nothing else.
fn letters(locale: &str) -> String {
    let templates = Templates::built_in().unwrap();
    let mut all = String::new();
    for topic in topics() {
        let words = templates
            .render(&topic, locale, &templates.sample(&topic))
            .unwrap();
        let told = InboxMessage {
            account: Uuid::nil(),
            id: Uuid::nil(),
            at: 0,
            topic: topic.clone(),
            locale: locale.to_owned(),
            title: words.title,
            text: words.text,
            subject: None,
            read_at: None,
        };
        let leave = Group::of(&topic)
            .optional()
            .then_some("https://fund.example.org/v1/unsubscribe/TOKEN");
        let letter = letter(&told, "王芳", Some("https://fund.example.org"), leave);
        let Letter {
            subject,
            text,
            html,
        } = letter;
        let _ = writeln!(
            all,
            "===== {topic}\n{subject}\n-----\n{text}\n-----\n{html}"
        );
    }
    all
}

#[test]
fn every_letter_in_chinese() {
    insta::assert_snapshot!(letters("zh-CN"));
}

#[test]
fn every_letter_in_english() {
    insta::assert_snapshot!(letters("en"));
}

#[test]
fn what_people_wrote_is_text_in_a_letter_and_nothing_else() {
    let told = InboxMessage {
        account: Uuid::nil(),
        id: Uuid::nil(),
        at: 0,
        topic: "application.accept".to_owned(),
        locale: "en".to_owned(),
        title: "A & B\r\nBcc: everybody@example.org".to_owned(),
        text: "<script>alert('1')</script>\nsecond \"line\"".to_owned(),
        subject: None,
        read_at: None,
    };
    let letter = letter(&told, "<b>Eve</b>", None, None);
    assert_eq!(letter.subject, "A & B  Bcc: everybody@example.org");
    assert!(!letter.html.contains("<script") && !letter.html.contains("<b>"));
    for part in [
        "<title>A &amp; B",
        "<p>Dear &lt;b&gt;Eve&lt;/b&gt;,</p>",
        "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>\n<p>second &quot;line&quot;</p>",
    ] {
        assert!(
            letter.html.contains(part),
            "{part} is not in {}",
            letter.html
        );
    }
    assert!(
        letter
            .text
            .contains("<script>alert('1')</script>\nsecond \"line\"")
    );
}

#[test]
fn a_missing_variable_is_an_error_and_not_a_blank() {
    let templates = Templates::built_in().unwrap();
    let error = templates
        .render("application.submit", "zh-CN", &serde_json::Map::new())
        .unwrap_err();
    assert!(error.to_string().contains("application.submit"), "{error}");
}
