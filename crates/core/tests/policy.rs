//! Policies that work, and the located faults of those that cannot.
#![expect(clippy::unwrap_used, reason = "tests")]

use fundcycle_core::policy::check::parse;
use serde_json::{Value, json};

const WUJIN: &str = include_str!("../../../docs/examples/wujin-2024.toml");

fn wujin() -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(WUJIN).unwrap()).unwrap()
}

/// The faults of the Wujin policy after `change`, one line each.
fn faults(change: impl FnOnce(&mut Value)) -> String {
    let mut document = wujin();
    change(&mut document);
    let faults = parse(&document).err().unwrap_or_default();
    faults
        .iter()
        .map(|fault| {
            format!(
                "{} [{}] {} / {}\n",
                fault.pointer, fault.code, fault.message.en, fault.message.zh
            )
        })
        .collect()
}

#[test]
fn the_published_example_works() {
    assert_eq!(faults(|_| {}), "");
}

#[test]
fn a_policy_survives_being_written_and_read() {
    let policy = parse(&wujin()).unwrap();
    let again = parse(&serde_json::to_value(&policy).unwrap()).unwrap();
    assert_eq!(policy, again);
    assert_eq!(policy.hash(), again.hash());
}

#[test]
fn every_fault_of_a_document_is_reported_with_its_place() {
    insta::assert_snapshot!(faults(|policy| {
        policy["programme"]["time_zone"] = json!("Asia/Wujin");
        policy["application"]["closes_at"] = json!("2024-05-01T17:00:00+08:00");
        policy["rounds"]["paper_review"]["weight"] = json!("0.5");
        policy["rounds"]["roadshow"]["pass_line"] = json!("101");
        policy["selection"]["domain"]["航天"] = json!({ "min": 1 });
        policy["tranches"][2]["share"] = json!("0.3");
        policy["evaluation"]["grades"][4]["from"] = json!("10");
        policy["domains"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "name": "养老服务" }));
    }));
}

#[test]
fn an_item_of_the_checklist_is_named_once() {
    let found = faults(|policy| {
        policy["close_out"]["checklist"] = json!(["档案", " ", "档案"]);
    });
    let at = |index: u32| format!("/close_out/checklist/{index}");
    assert!(
        found.contains(&at(1)) && found.contains(&at(2)) && !found.contains(&at(0)),
        "{found}"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    insta::assert_snapshot!(faults(
        |policy| policy["application"]["closing_time"] = json!("17:00")
    ));
}

#[test]
fn a_wrong_type_is_named_with_its_place() {
    insta::assert_snapshot!(faults(
        |policy| policy["notice"]["working_days"] = json!("five")
    ));
}

#[test]
fn quotas_that_cost_more_than_the_budget_cannot_work() {
    insta::assert_snapshot!(faults(
        |policy| policy["selection"]["every_domain"]["min"] = json!(40)
    ));
}

#[test]
fn a_stage_that_is_left_out_leaves_nothing_waiting_for_it() {
    insta::assert_snapshot!(faults(|policy| {
        policy["stages"]["midterm"] = json!(false);
        policy["stages"]["review"] = json!(false);
    }));
}

#[test]
fn a_calibration_that_cannot_work_is_named_with_its_place() {
    insta::assert_snapshot!(faults(|policy| {
        let rules = &mut policy["rounds"];
        rules["paper_review"]["calibration"] =
            json!({ "method": "additive", "ridge": "-1", "precision": 1 });
        rules["roadshow"]["aggregation"] = json!({ "method": "mean" });
        rules["roadshow"]["calibration"] =
            json!({ "method": "z_score", "ridge": "1", "precision": 10 });
        rules["roadshow"]["spread"] = json!({ "range": "-1", "deviation": "5" });
        rules["final"]["calibration"] = json!({ "method": "z_score" });
    }));
}

#[test]
fn a_calibration_of_plain_means_works() {
    assert_eq!(
        faults(|policy| {
            let rules = &mut policy["rounds"]["paper_review"];
            rules["aggregation"] = json!({ "method": "mean" });
            rules["calibration"] = json!({ "method": "additive", "ridge": "0.5" });
        }),
        ""
    );
}
