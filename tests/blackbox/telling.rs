//! Everyone is told, once, at the right moment: what a real mail server gets.

mod bounces;
mod crowd;
mod discretion;
mod mail;
mod preferences;
mod reminders;
mod webhooks;
mod words;

use fundcycle_test_support::Database;
use serde_json::{Value, json};

use crate::office::{Office, register};
use crate::support::{err, out, run};

/// Flags of a server that sends mail to this port of this machine.
pub(crate) fn smtp<'a>(port: &'a str, security: &'a str) -> Vec<&'a str> {
    vec![
        "--smtp-host",
        "127.0.0.1",
        "--smtp-port",
        port,
        "--smtp-security",
        security,
        "--mail-from",
        "武进区民政局 <no-reply@fund.example>",
    ]
}

/// Every message follows from an entry that stands: so says the check of the record.
pub(crate) fn follows_from_the_record(database: &Database) {
    let arguments = ["journal", "verify", "--database", &database.url];
    let checked = run(database.folder.path(), &arguments);
    let said = out(&checked) + &err(&checked);
    assert_eq!(checked.status.code(), Some(0), "{said}");
}

/// Staff invite an expert: one message to one person.
pub(crate) async fn invite(office: &Office, name: &str) -> String {
    let token = register(&office.server, name).await;
    let (_, me) = office.server.ask("GET", "/v1/me", Some(&token), None).await;
    let account = me["account"].as_str().unwrap();
    let profile = json!({ "name": "(演示)专家", "category": "学者", "employer": "(演示)单位", "synthetic": true });
    let asked = json!({ "account": account, "profile": profile });
    office.made(&office.staff, "/v1/experts", asked).await;
    account.to_owned()
}

/// Asks the operator's desk until it is so; gives the messages.
pub(crate) async fn desk(
    office: &Office,
    query: &str,
    so: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let path = format!("/v1/outbox?{query}");
    let mut last = Vec::new();
    for _ in 0..20_000 {
        let (status, page) = office
            .server
            .ask("GET", &path, Some(&office.admin), None)
            .await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        if so(items) {
            return items.clone();
        }
        last.clone_from(items);
    }
    panic!("{query} never came about: {last:?}");
}

/// A form that may be handed in under the example policy.
pub(crate) fn form(title: &str) -> Value {
    let line = |category: &str, yuan: u32| json!({ "category": category, "item": "(演示)", "unit_price": yuan * 100, "quantity": 1, "funded_by": "grant" });
    json!({
        "title": title, "domain": "养老服务", "summary": "(演示)", "need": "(演示)需求", "goals": "(演示)目标",
        "activities": ["入户走访"], "beneficiaries": { "group": "社区居民", "count": 60, "unit": "people" },
        "place": "(演示)武进区", "starts_on": "2024-09-01", "ends_on": "2025-05-31", "lead": "(演示)负责人",
        "indicators": [{ "name": "活动场次", "target": 12, "unit": "场" }, { "name": "服务人次", "target": 240, "unit": "人次" }],
        "budget": [line("人员补贴", 16_000), line("场地", 6_000), line("宣传", 2_000), line("物资", 16_000)],
        "requested": 4_000_000, "pledge": true,
    })
}

/// The owner hands the draft in this often, taking it back in between: a message each time.
pub(crate) async fn submitted(office: &Office, times: usize) {
    let does = async |verb: &str| {
        let path = format!("{}/{verb}", office.draft);
        office.made(&office.owner, &path, json!({})).await;
    };
    let (tag, draft) = office.read(&office.draft).await;
    if draft["stage"] == "draft" {
        let title = draft["form"]["title"].as_str().unwrap();
        let body = json!({ "form": form(title) });
        let edit = format!("{}/edit", office.draft);
        let headers = [("if-match", tag.as_deref().unwrap())];
        let (status, _, edited) = office
            .server
            .ask_with("POST", &edit, Some(&office.owner), Some(body), &headers)
            .await;
        assert_eq!(status, 200, "{edited}");
    } else {
        does("retract").await;
    }
    for time in 0..times {
        if time > 0 {
            does("retract").await;
        }
        does("submit").await;
    }
}
