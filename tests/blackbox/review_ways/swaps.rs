//! Two presenters change places in an order that is drawn and public.

use serde_json::{Value, json};

use crate::desk::{Desk, because};

/// Place, beginning and end of a turn.
type Placed = (Value, Value, Value);

/// The first two change places because both want it, then back because staff say so; what was drawn
/// stays on record.
pub(super) async fn places_are_swapped(desk: &Desk<'_>, session: &str, slots: &[String]) {
    let [own, other] = [slots[0].as_str(), slots[1].as_str()];
    let drawn = desk.sees("staff", session).await.1["draw"].clone();
    let before = [placed(desk, own).await, placed(desk, other).await];
    a_request_is_checked(desk, own, other).await;

    asks(desk, own, other).await;
    let (_, asked) = desk.sees("org02", other).await;
    assert_eq!(
        (&asked["swap"]["asked_by_other"], &asked["swap"]["reason"]),
        (&json!(true), &json!("上午须出庭")),
        "{asked}"
    );
    assert_eq!([placed(desk, own).await, placed(desk, other).await], before);
    let itself = ("org01", own, "agree_to_swap");
    desk.refused(itself, json!({}), 409, "asked_by_other").await;
    desk.refused(("org03", other, "agree_to_swap"), json!({}), 404, "")
        .await;
    desk.all("org02", other, &["drop_swap"]).await;
    for (who, slot) in [("org01", own), ("org02", other)] {
        assert!(desk.sees(who, slot).await.1["swap"].is_null(), "{who}");
    }

    asks(desk, own, other).await;
    let third = json!({ "with": number(desk, &slots[2]).await, "reason": "上午须出庭" });
    desk.refused(("org01", own, "ask_swap"), third, 409, "no_swap_asked")
        .await;
    desk.all("org02", other, &["agree_to_swap"]).await;
    let swapped = [before[1].clone(), before[0].clone()];
    assert_eq!(
        [placed(desk, own).await, placed(desk, other).await],
        swapped
    );

    asks(desk, own, other).await;
    let approve = ("staff", own, "approve_swap");
    desk.refused(approve, because(" "), 422, "/reason").await;
    desk.does(
        "staff",
        own,
        "approve_swap",
        because("对方无法联系,时间相邻"),
    )
    .await;
    assert_eq!([placed(desk, own).await, placed(desk, other).await], before);
    let (_, record) = desk.sees("org02", other).await;
    let made: Vec<(&Value, &Value)> = record["swaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["from"], &one["approved_because"]))
        .collect();
    assert_eq!(
        made,
        [
            (&before[1].0, &Value::Null),
            (&before[0].0, &json!("对方无法联系,时间相邻"))
        ]
    );
    let now = desk.sees("staff", session).await.1["draw"].clone();
    assert_eq!(now, drawn, "the drawn order stays on record");
}

/// Nobody swaps without a reason, with a stranger or with themselves.
async fn a_request_is_checked(desk: &Desk<'_>, own: &str, other: &str) {
    let ask = ("org01", own, "ask_swap");
    let with = number(desk, other).await;
    let unreasoned = json!({ "with": with, "reason": " " });
    desk.refused(ask, unreasoned, 422, "/reason").await;
    for with in [json!("无此编号"), number(desk, own).await] {
        let body = json!({ "with": with, "reason": "上午须出庭" });
        desk.refused(ask, body, 422, "cannot_swap").await;
    }
    for verb in ["agree_to_swap", "drop_swap"] {
        desk.refused(("org02", other, verb), json!({}), 409, "asked")
            .await;
    }
}

async fn asks(desk: &Desk<'_>, own: &str, other: &str) {
    let body = json!({ "with": number(desk, other).await, "reason": "上午须出庭" });
    desk.does("org01", own, "ask_swap", body).await;
}

async fn number(desk: &Desk<'_>, slot: &str) -> Value {
    desk.sees("staff", slot).await.1["turn"]["number"].clone()
}

async fn placed(desk: &Desk<'_>, slot: &str) -> Placed {
    let (_, seen) = desk.sees("staff", slot).await;
    let turn = &seen["turn"];
    (
        turn["position"].clone(),
        turn["starts_at"].clone(),
        turn["ends_at"].clone(),
    )
}
