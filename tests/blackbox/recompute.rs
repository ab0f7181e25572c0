//! Every published ranking and selection can be computed again from what the journal holds: by the same
//! functions, byte for byte, and by a second implementation. What is tried is what is then done.

mod second;

use std::collections::BTreeMap;

use fundcycle_core::digest::canonical_hash;
use fundcycle_core::policy::{PolicyDocument, Round};
use fundcycle_core::{panel, selection};
use fundcycle_test_support::{Database, on_both};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::desk::{Desk, PAPER};
use crate::walk::text;
use crate::ways::played_until;

on_both!(
    rankings_and_the_selection_are_computed_again_from_the_journal,
    closing_a_panel_is_tried_and_then_done_alike,
    who_pays_sees_no_sheet_and_no_expert,
);

/// Every entry of the cycle's journal.
async fn journal(desk: &Desk<'_>) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let path = desk.path(&format!("/journal?after={after}"));
        let (status, page) = desk.sees("staff", &path).await;
        assert_eq!(status, 200, "{page}");
        entries.extend(page["items"].as_array().unwrap().iter().cloned());
        after = page["next"].clone();
    }
    entries
}

/// What was recorded of every `verb` on records of `kind`.
fn events(journal: &[Value], kind: &str, verb: &str, event: &str) -> Vec<Value> {
    let of_verb = |entry: &&Value| entry["kind"] == kind && entry["verb"] == verb;
    let all = journal.iter().filter(of_verb);
    all.map(|entry| entry["event"][event].clone()).collect()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Equal bytes of canonical JSON, told apart by what differs.
fn assert_bytes(ours: &impl Serialize, recorded: &Value) {
    let ours = serde_json::to_value(ours).unwrap();
    assert_eq!(&ours, recorded);
    assert_eq!(canonical_hash(&ours), canonical_hash(recorded));
}

/// The policy in force, as the API publishes it.
async fn policy(desk: &Desk<'_>) -> Value {
    let (_, cycle) = desk.sees("staff", &desk.path("")).await;
    let path = format!("/v1/policies/{}", text(&cycle, "policy"));
    let (status, policy) = desk.sees("staff", &path).await;
    assert_eq!(status, 200, "{policy}");
    policy["document"].clone()
}

async fn rankings_and_the_selection_are_computed_again_from_the_journal(database: Database) {
    let server = played_until("roadshow", &database);
    let desk = Desk::open(&server, &["staff", "lead"]).await;
    desk.all("staff", &desk.path(""), &["open_selection"]).await;
    let before = journal(&desk).await;
    let tried = desk
        .tries("staff", &desk.path("/selections"), json!({}))
        .await;
    assert_eq!(
        journal(&desk).await,
        before,
        "what is tried leaves no trace"
    );
    assert_eq!(desk.list("staff", "/selections").await, Vec::<Value>::new());
    let made = desk.creates("staff", "selections", json!({})).await;
    let (_, computed) = desk.sees("staff", &made).await;
    assert_eq!(
        (&tried["run"], &tried["stage"]),
        (&computed["run"], &computed["stage"])
    );
    other_weights_are_tried(&desk, &made, &computed["run"]).await;
    desk.all("staff", &made, &["propose"]).await;
    desk.all("lead", &made, &["approve"]).await;
    desk.all("staff", &made, &["announce"]).await;

    let (journal, policy) = (journal(&desk).await, policy(&desk).await);
    let panels = desk.list("staff", "/panels").await;
    for (round, closed) in [
        (
            "paper_review",
            &events(&journal, "panel", "close", "closed")[0],
        ),
        ("roadshow", &events(&journal, "panel", "close", "closed")[1]),
    ] {
        a_ranking_is_computed_again(&journal, &policy, round, closed);
        let panel = panels.iter().find(|panel| panel["round"] == round).unwrap();
        for part in ["results", "agreement"] {
            assert_bytes(&panel[part], &closed[part]);
        }
    }
    let runs = events(&journal, "selection", "compute", "computed");
    assert_eq!(runs.len(), 1, "what was tried is not recorded");
    let run = &runs[0]["run"];
    a_selection_is_computed_again(&policy, run);
    // What applicants are told is what was computed.
    let (_, announced) = desk.sees("staff", &made).await;
    assert_bytes(&announced["run"], run);
    for line in run["lines"].as_array().unwrap() {
        let path = format!("/v1/applications/{}", text(line, "application"));
        let (_, application) = desk.sees("staff", &path).await;
        for name in ["score", "rank", "award"] {
            assert_eq!(application["selected"][name], line[name], "{name}");
        }
    }
}

/// Who would move if the rounds weighed otherwise, as a second implementation has it.
async fn other_weights_are_tried(desk: &Desk<'_>, selection: &str, run: &Value) {
    let mut policy = policy(desk).await;
    let weights = json!({ "paper_review": "0.95", "roadshow": "0.05" });
    for (round, weight) in weights.as_object().unwrap() {
        policy["rounds"][round]["weight"] = weight.clone();
    }
    let mut inputs = run["inputs"].as_array().unwrap().clone();
    for input in &mut inputs {
        input["score"] = second::combined(&policy, &input["rounds"]).into();
    }
    let place = |line: &Value| {
        let parts = ["score", "rank", "decision", "award"].map(|name| line[name].clone());
        Value::from(parts.to_vec())
    };
    let by_number = |lines: &[Value]| -> BTreeMap<String, Value> {
        let each = lines.iter().map(|line| (text(line, "number"), place(line)));
        each.collect()
    };
    let was = by_number(run["lines"].as_array().unwrap());
    let mut expected = by_number(&second::selected(&policy, &inputs));
    expected.retain(|number, place| was[number] != *place);
    assert!(
        expected.len() > 10,
        "the weights make no difference: {expected:?}"
    );

    let what_if = json!({ "what_if": { "weights": weights } });
    let tried = desk
        .does("staff", selection, "simulate?dry_run=true", what_if)
        .await;
    let moved = tried["simulations"][0]["moved"].as_array().unwrap();
    let becomes = moved
        .iter()
        .map(|one| (text(one, "number"), place(&one["becomes"])))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(becomes, expected);
}

/// From the marks that were handed in to the places.
fn a_ranking_is_computed_again(journal: &[Value], policy: &Value, round: &str, closed: &Value) {
    let recorded = closed["results"].as_array().unwrap();
    assert!(recorded.len() > 10, "{recorded:?}");
    let inputs: Vec<Value> = recorded.iter().map(|one| one["input"].clone()).collect();
    let rubric = &policy["rounds"][round]["rubric"];
    for (subject, totals) in totals(journal, rubric, round) {
        let input = inputs
            .iter()
            .find(|input| input["subject"] == json!(subject));
        // Who did not come to pitch has sheets and no place.
        if let Some(input) = input {
            assert_eq!(input["totals"], totals);
        }
    }

    let second = second::results(policy, round, &inputs);
    assert_eq!(recorded, &second, "by a second implementation");
    let document: PolicyDocument = read(policy);
    let round: Round = read(&json!(round));
    let rules = &document.rounds[&round];
    for turned in [0, 1, 5] {
        let mut inputs: Vec<panel::Input> = read(&json!(inputs));
        inputs.rotate_left(turned);
        let results = panel::results(&inputs, rules, &document).unwrap();
        assert_bytes(&results, &closed["results"]);
        assert_bytes(&panel::agreement(&inputs, rules), &closed["agreement"]);
    }
}

/// The totals of the sheets that count, by subject, from the marks as they were handed in.
fn totals(journal: &[Value], rubric: &Value, round: &str) -> BTreeMap<String, Value> {
    let mut sheets: BTreeMap<&str, (&Value, Option<String>)> = BTreeMap::new();
    for entry in journal.iter().filter(|entry| entry["kind"] == "sheet") {
        let (id, event) = (entry["id"].as_str().unwrap(), &entry["event"]);
        if event["assigned"]["round"] == round {
            sheets.insert(id, (&event["assigned"], None));
        } else if let Some((_, total)) = sheets.get_mut(id) {
            let handed_in = event.get("submitted");
            *total = handed_in.map(|event| second::total(rubric, &event["marks"]).to_string());
        }
    }
    let mut totals: BTreeMap<String, Value> = BTreeMap::new();
    for (assigned, total) in sheets.into_values() {
        if let Some(total) = total {
            let of_subject = totals.entry(text(assigned, "subject")).or_default();
            of_subject[text(assigned, "expert")] = total.into();
        }
    }
    totals
}

/// From the scores of the rounds to the awards.
fn a_selection_is_computed_again(policy: &Value, run: &Value) {
    let inputs = run["inputs"].as_array().unwrap();
    assert_eq!(run["inputs_hash"], canonical_hash(&inputs));
    assert_eq!(run["policy_hash"], canonical_hash(policy));
    for input in inputs {
        assert_eq!(input["score"], second::combined(policy, &input["rounds"]));
    }
    let second = second::selected(policy, inputs);
    let lines = run["lines"].as_array().unwrap();
    assert_eq!(second.len(), lines.len());
    for (ours, recorded) in second.iter().zip(lines) {
        for (name, value) in ours.as_object().unwrap() {
            assert_eq!(value, &recorded[name], "{name} of {recorded}");
        }
    }
    for (decision, count) in [("funded", 14), ("reserve", 2)] {
        assert_eq!(second::numbers(lines, decision).len(), count, "{decision}");
    }

    let document: PolicyDocument = read(policy);
    let mut inputs: Vec<selection::Input> = read(&run["inputs"]);
    for _ in 0..3 {
        let (lines, certificate) = selection::lines(&inputs, &document).unwrap();
        assert_bytes(&lines, &run["lines"]);
        assert_bytes(&certificate, &run["certificate"]);
        inputs.rotate_left(5);
    }
}

async fn closing_a_panel_is_tried_and_then_done_alike(database: Database) {
    let server = played_until("eligibility", &database);
    let experts = ["expert1", "expert2", "expert3", "expert4", "expert5"];
    let owners = ["org01", "org02", "org03"];
    let desk = Desk::open(&server, &[&["staff"][..], &experts, &owners].concat()).await;
    let applications = desk.applications(&owners).await;
    let all: Vec<&String> = applications.iter().collect();
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &experts).await;
    let pairs = desk.pairs(&experts, &all);
    desk.does("staff", &panel, "assign", pairs).await;
    desk.all("staff", &panel, &["open"]).await;
    // The second and the third tie; one expert is far off.
    for (expert, qualities) in experts.iter().zip([
        [90, 80, 80],
        [85, 75, 75],
        [80, 70, 70],
        [70, 72, 72],
        [40, 64, 64],
    ]) {
        for (application, quality) in all.iter().zip(qualities) {
            desk.scores(expert, application, PAPER, quality).await;
        }
    }
    let (before, open) = (journal(&desk).await, desk.sees("staff", &panel).await);
    let tried = desk
        .does("staff", &panel, "close?dry_run=true", json!({}))
        .await;
    assert_eq!(journal(&desk).await, before);
    assert_eq!(desk.sees("staff", &panel).await, open);
    desk.stages(&all, &["in_review"; 3]).await;
    let done = desk.does("staff", &panel, "close", json!({})).await;
    for part in [
        "results",
        "agreement",
        "calibration",
        "ranking_version",
        "policy_number",
        "stage",
    ] {
        assert_eq!(tried[part], done[part], "{part}");
    }
    let journal = journal(&desk).await;
    let closed = &events(&journal, "panel", "close", "closed")[0];
    let inputs: Vec<Value> = closed["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["input"].clone())
        .collect();
    let policy = policy(&desk).await;
    assert_eq!(
        closed["results"],
        json!(second::results(&policy, "paper_review", &inputs))
    );
    let decided: Vec<&Value> = (0..3)
        .map(|index| &closed["results"][index]["decided_by"])
        .collect();
    assert_eq!(decided[0], &Value::Null);
    assert_eq!(
        decided[1], decided[2],
        "the rule that broke the tie is named on both sides"
    );
    assert!(decided[1].is_string());
}

async fn who_pays_sees_no_sheet_and_no_expert(database: Database) {
    let server = played_until("review", &database);
    let desk = Desk::open(&server, &["staff", "finance", "auditor"]).await;
    let sheet = format!(
        "/v1/sheets/{}",
        text(&desk.list("staff", "/sheets").await[0], "id")
    );
    let panel = format!(
        "/v1/panels/{}",
        text(&desk.list("staff", "/panels").await[0], "id")
    );
    for plural in ["/sheets", "/panels"] {
        assert_eq!(desk.list("finance", plural).await, Vec::<Value>::new());
        assert_ne!(desk.list("auditor", plural).await, Vec::<Value>::new());
    }
    for (record, plural) in [(&sheet, "sheets"), (&panel, "panels")] {
        assert_eq!(desk.sees("auditor", record).await.0, 200);
        let absent = format!("/v1/{plural}/0199aaaa-0000-4000-8000-000000000000");
        let hidden = desk.sees("finance", record).await;
        assert_eq!(hidden.0, 404);
        assert_eq!(hidden, desk.sees("finance", &absent).await);
    }
    let path = desk.path("/journal");
    assert_eq!(desk.sees("auditor", &path).await.0, 200);
    assert_eq!(
        desk.sees("finance", &path).await.0,
        403,
        "every sheet stands in the journal"
    );
}
