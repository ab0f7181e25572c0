//! What cannot be accepted: each fault is located, said in the caller's language, and changes nothing.

use std::collections::BTreeSet;

use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use crate::office::{Office, policy};

on_both!(
    refused_requests_say_where_and_change_nothing,
    text_in_any_script_survives,
);

async fn refused_requests_say_where_and_change_nothing(database: Database) {
    let office = Office::open(&database, &["--body-limit", "65536"]).await;
    let before = office.state().await;
    malformed_json(&office).await;
    faulty_fields(&office).await;
    a_wrong_credit_code(&office).await;
    versions(&office).await;
    moves_that_are_not_there(&office).await;
    a_policy_that_cannot_work(&office).await;
    assert_eq!(office.state().await, before);
    over_the_cap_and_late(&office).await;
}

fn pointers(problem: &Value) -> BTreeSet<(&str, &str)> {
    let faults = problem["errors"].as_array();
    faults
        .into_iter()
        .flatten()
        .map(|fault| {
            (
                fault["pointer"].as_str().unwrap(),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect()
}

async fn malformed_json(office: &Office) {
    for (language, words) in [("en", "not JSON"), ("zh-CN", "不是有效的 JSON")] {
        let answer = reqwest::Client::new()
            .post(format!("{}{}/submit", office.server.address, office.draft))
            .bearer_auth(&office.owner)
            .header("content-type", "application/json")
            .header("accept-language", language)
            .body("{\"form\": ")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()["content-language"], language);
        let text = answer.text().await.unwrap();
        assert!(text.contains(words), "{text}");
    }
    let long = json!({ "form": { "title": "长".repeat(30_000), "domain": "养老服务" } });
    let (status, problem) = office
        .server
        .ask(
            "POST",
            &format!("{}/edit", office.draft),
            Some(&office.owner),
            Some(long),
        )
        .await;
    assert_eq!(status, 413, "{problem}");
}

async fn faulty_fields(office: &Office) {
    let body = json!({ "profile": {
        "name": "名".repeat(201), "organisation_kind": "guild", "uscc": 7, "colour": "red",
    }, "extra": true });
    for (language, words) in [
        ("en", "At most 200 characters."),
        ("zh-CN", "最多 200 个字符。"),
    ] {
        let (status, _, problem) = office
            .server
            .ask_with(
                "POST",
                "/v1/organisations",
                Some(&office.stranger),
                Some(body.clone()),
                &[("accept-language", language)],
            )
            .await;
        assert_eq!(status, 422, "{problem}");
        let all = pointers(&problem);
        for fault in [
            ("/extra", "unknown_field"),
            ("/profile/colour", "unknown_field"),
            ("/profile/name", "too_long"),
            ("/profile/organisation_kind", "unknown_value"),
            ("/profile/uscc", "wrong_type"),
        ] {
            assert!(all.contains(&fault), "{fault:?} in {problem}");
        }
        assert!(problem.to_string().contains(words), "{problem}");
    }
    let (status, registered) = office
        .server
        .ask("GET", "/v1/organisations", Some(&office.staff), None)
        .await;
    assert_eq!(
        (status, registered["items"].as_array().map(Vec::len)),
        (200, Some(1)),
        "only the one that was there before: {registered}"
    );
}

/// A code of the wrong shape is refused; one that only fails its check waits for staff, because such are in use.
async fn a_wrong_credit_code(office: &Office) {
    let profile = |code: &str| {
        json!({ "profile": {
            "name": "某中心", "organisation_kind": "service", "uscc": code, "registered_on": "2015-03-01",
            "legal_representative": "某", "phone": "0519-00000000", "address": "武进区",
        } })
    };
    let path = "/v1/organisations";
    let (status, problem) = office
        .server
        .ask(
            "POST",
            path,
            Some(&office.stranger),
            Some(profile("5232O412MJDEMA0119")),
        )
        .await;
    assert_eq!(
        (status, pointers(&problem)),
        (422, BTreeSet::from([("/profile/uscc", "uscc")])),
        "{problem}"
    );
    let made = office
        .made(&office.stranger, path, profile("52320412MJDEMA0118"))
        .await;
    let record = format!("{path}/{}", made["id"].as_str().unwrap());
    let verify = format!("{record}/verify");
    let (status, problem) = office
        .server
        .ask("POST", &verify, Some(&office.staff), Some(json!({})))
        .await;
    assert!(
        (400..500).contains(&status) && problem.to_string().contains("position 18"),
        "{status} {problem}"
    );
    let (_, after) = office
        .server
        .ask("GET", &record, Some(&office.stranger), None)
        .await;
    assert_eq!(after["stage"], "registered");
}

async fn versions(office: &Office) {
    let edit = format!("{}/edit", office.draft);
    let body = json!({ "form": { "title": "another", "domain": "养老服务" } });
    for (headers, status, kind) in [
        (&[][..], 428, "/problems/match_required"),
        (&[("if-match", "\"stale\"")][..], 412, "/problems/stale"),
    ] {
        let (answered, _, problem) = office
            .server
            .ask_with(
                "POST",
                &edit,
                Some(&office.owner),
                Some(body.clone()),
                headers,
            )
            .await;
        assert_eq!(
            (answered, problem["type"].as_str()),
            (status, Some(kind)),
            "{problem}"
        );
    }
}

async fn moves_that_are_not_there(office: &Office) {
    let ask = async |verb: &str, token: &str| {
        let path = format!("{}/{verb}", office.draft);
        office
            .server
            .ask("POST", &path, Some(token), Some(json!({})))
            .await
    };
    let (status, problem) = ask("retract", &office.owner).await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("/problems/not_from_here")),
        "{problem}"
    );
    let (status, problem) = ask("fly", &office.owner).await;
    assert_eq!(status, 404, "{problem}");
    let (status, problem) = ask("submit", &office.stranger).await;
    assert_eq!(status, 404, "{problem}");
}

async fn a_policy_that_cannot_work(office: &Office) {
    let mut document = policy();
    document["application"]["request_cap"] = json!("-1");
    document["colour"] = json!("red");
    let (status, problem) = office
        .server
        .ask(
            "POST",
            &office.path("policies"),
            Some(&office.staff),
            Some(json!({ "document": document })),
        )
        .await;
    assert_eq!(status, 422, "{problem}");
    let all: BTreeSet<&str> = pointers(&problem)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert!(
        all.contains("/document/colour") && all.contains("/document/application/request_cap"),
        "{problem}"
    );
}

/// A draft may say anything; handing it in may not.
async fn over_the_cap_and_late(office: &Office) {
    let (tag, draft) = office.read(&office.draft).await;
    let mut form = draft["form"].clone();
    form["requested"] = json!(5_000_001);
    let edit = format!("{}/edit", office.draft);
    let (status, _, edited) = office
        .server
        .ask_with(
            "POST",
            &edit,
            Some(&office.owner),
            Some(json!({ "form": form })),
            &[("if-match", &tag.unwrap())],
        )
        .await;
    assert_eq!(status, 200, "{edited}");
    let before = office.state().await;
    let submit = format!("{}/submit", office.draft);
    let ask = async || {
        office
            .server
            .ask("POST", &submit, Some(&office.owner), Some(json!({})))
            .await
    };
    let (status, problem) = ask().await;
    assert_eq!(status, 422, "{problem}");
    let all: BTreeSet<&str> = pointers(&problem)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert!(
        all.contains("/form/requested") && all.len() > 3,
        "{problem}"
    );
    assert_eq!(office.state().await, before);
    office.at("2024-05-31T17:00:01+08:00").await;
    let (status, problem) = ask().await;
    assert_eq!(
        (status, problem["gates"][0]["gate"].as_str()),
        (409, Some("call_open")),
        "{problem}"
    );
    assert_eq!(office.read(&office.draft).await.1["form"], before.1["form"]);
}

async fn text_in_any_script_survives(database: Database) {
    let office = Office::open(&database, &[]).await;
    for title in [
        "👵🏽👨‍👩‍👧 一家",
        "مشروع رعاية المسنين",
        "e\u{301}te\u{301} / été",
        "ABC(全角)「」",
        "𠮷野家 \u{202e}rtl\u{202c} \u{200d}",
    ] {
        let path = office.draft(title).await;
        assert_eq!(office.read(&path).await.1["form"]["title"], title);
    }
}
