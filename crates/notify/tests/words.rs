//! Every message that is told has words in both languages, and the words fit what it is about.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_notify::routes::{ROUTES, Route, topics};
use fundcycle_notify::template::{LOCALES, Templates, sample};
use serde_json::{Value, json};

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

/// What the receiver of any message might see of its record.
fn example() -> Value {
    json!({
        "number": "WJ2024-7K3M-9QXA",
        "label": "家门口的幸福好“食”光",
        "form": { "title": "家门口的幸福好“食”光" },
        "submissions": [{ "content_hash": "9f86d081…" }],
        "correction": { "items": [{ "field": "indicators", "note": "请补充可衡量的指标" }], "due": "2024-06-06T15:59:59.999Z" },
        "decision": { "reason": "项目内容与所报领域不符" },
        "recheck_by": "2024-06-06T15:59:59.999Z",
        "reason": "请核对预算一项的评分",
        "hearing": { "reason": "项目逾期未启动。" },
        "answer": "经复核,指标完成率计算无误。",
        "rectification": "补齐活动签到表。",
        "due": "2024-06-06T15:59:59.999Z",
        "turn": { "number": "WJ2024-7K3M-9QXA", "position": 3 },
        "swap": { "with": "WJ2024-8N4P-2RYB", "reason": "上午须出庭" },
        "description": "短信网关",
        "because": "the receiver answered 410 Gone",
    })
}

#[test]
fn the_words_of_every_message() {
    let templates = Templates::built_in().unwrap();
    let data = example().as_object().cloned().unwrap();
    let mut text = String::new();
    for (locale, _) in LOCALES {
        for topic in topics() {
            let mut data = data.clone();
            data.extend(sample(&topic));
            let message = templates.render(&topic, locale, &data).unwrap();
            let _ = writeln!(
                text,
                "[{locale}] {topic}\n  {}\n  {}",
                message.title, message.text
            );
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_missing_variable_is_an_error_and_not_a_blank() {
    let templates = Templates::built_in().unwrap();
    let error = templates
        .render("application.submit", "zh-CN", &serde_json::Map::new())
        .unwrap_err();
    assert!(error.to_string().contains("application.submit"), "{error}");
}
