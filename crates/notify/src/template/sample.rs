//! What templates are tried with before they are used: for each topic only what its messages always have.

use serde_json::{Map, Value, json};

/// An example of what a message on `topic` is filled in with.
pub fn sample(topic: &str) -> Map<String, Value> {
    let title = "家门口的幸福好“食”光";
    let kind = topic.split('.').next().unwrap_or_default();
    let mut data = match kind {
        "application" => {
            json!({ "number": "WJ2024-7K3M-9QXA", "label": title, "form": { "title": title, "domain": "养老服务" } })
        }
        "reminder" => json!({ "label": title, "due": "2024-05-31 17:00" }),
        "staff" => json!({
            "cycle": "2024年公益创投", "date": "2024-05-20",
            "lines": [
                { "zh": "待审查申报", "en": "applications to be checked", "count": 12, "late": 0 },
                { "zh": "待处理异议", "en": "objections to be ruled on", "count": 2, "late": 1 },
            ],
        }),
        "webhook" => {
            json!({ "description": "短信网关", "because": "the receiver answered 410 Gone" })
        }
        "visit" => {
            json!({ "rectification": "补齐活动签到表。", "due": "2024-06-06T15:59:59.999Z" })
        }
        "slot" => json!({
            "turn": { "number": "WJ2024-7K3M-9QXA", "position": 3 },
            "swap": { "with": "WJ2024-8N4P-2RYB", "reason": "上午须出庭" },
        }),
        "sheet" | "expert" => json!({}),
        _ => json!({ "label": title }),
    };
    let due = "2024-06-06T15:59:59.999Z";
    let more = match topic {
        "application.submit" | "application.resubmit" => {
            json!({ "submissions": [{ "content_hash": "9f86d081…" }] })
        }
        "application.request_correction" => {
            json!({ "correction": { "items": [{ "field": "indicators", "note": "请补充可衡量的指标" }], "due": due } })
        }
        "application.reject" => {
            json!({ "decision": { "reason": "项目内容与所报领域不符" }, "recheck_by": due })
        }
        "application.uphold_rejection" => {
            json!({ "decision": { "reason": "项目内容与所报领域不符" } })
        }
        "application.expire" => json!({ "recheck_by": due }),
        "activity.query" | "sheet.reopen" => json!({ "reason": "请核对预算一项的评分" }),
        "project.announce_termination" => json!({ "hearing": { "reason": "项目逾期未启动。" } }),
        "evaluation.confirm" => json!({ "answer": "经复核,指标完成率计算无误。" }),
        _ => json!({}),
    };
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    match data {
        Value::Object(data) => data,
        _ => Map::new(),
    }
}
