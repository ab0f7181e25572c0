//! What templates are tried with before they are used: for each topic only what its messages always have.

use serde_json::{Map, Value, json};

use super::BEIJING;

/// What every message about this kind of record has; `own` is what the topic adds, as its section of the
/// templates says.
pub(super) fn sample(topic: &str, own: Option<&Map<String, Value>>) -> Map<String, Value> {
    let title = "家门口的幸福好“食”光";
    let due = "2024-06-06T15:59:59.999Z";
    let kind = topic.split('.').next().unwrap_or_default();
    let common = match kind {
        "application" => {
            json!({ "number": "WJ2024-7K3M-9QXA", "label": title, "form": { "title": title, "domain": "养老服务" } })
        }
        "reminder" => json!({ "label": title, "due": "2024-05-31 17:00" }),
        "visit" => json!({ "label": title, "rectification": "补齐活动签到表。", "due": due }),
        "slot" => json!({
            "turn": { "number": "WJ2024-7K3M-9QXA", "position": 3 },
            "swap": { "with": "WJ2024-8N4P-2RYB", "reason": "上午须出庭" },
        }),
        // Who is told of these learns no title, or there is none.
        "sheet" | "expert" | "staff" | "email" | "webhook" => json!({}),
        _ => json!({ "label": title }),
    };
    let mut data = match common {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    data.insert("zone".to_owned(), BEIJING.into());
    data.extend(
        own.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    data
}
