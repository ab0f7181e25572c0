//! The file of a cycle, from the entries of its journal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::allow::{More, show};
use super::{Export, FORMAT, Line, Signed};
use crate::digest::to_hex;
use crate::disclosure::disclose;
use crate::names::Names as _;
use crate::policy::Round;

/// One entry of a journal, as it is kept.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its salt.
    pub salt: Vec<u8>,
    /// All that it says, as one document.
    pub content: Value,
    /// Its chained hash.
    pub hash: Vec<u8>,
}

/// The file of `cycle`, from all `entries` of its journal in order, and the last head of it that was
/// published.
pub fn export(cycle: Uuid, entries: &[Source], signed: Option<Signed>) -> Export {
    let public = public(entries);
    let entries = entries
        .iter()
        .zip(public)
        .map(|(entry, more)| {
            let kind = text(&entry.content, "/kind");
            Line {
                hash: to_hex(&entry.hash),
                content: disclose(&entry.salt, &entry.content, |path| show(kind, more, path)),
            }
        })
        .collect();
    Export {
        format: FORMAT.to_owned(),
        cycle,
        entries,
        signed,
    }
}

fn text<'a>(content: &'a Value, pointer: &str) -> &'a str {
    content
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What is public of each entry beside what always is: panels that ranked applications, once they
/// are closed, with their sheets.
fn public(entries: &[Source]) -> Vec<More> {
    let is = |entry: &Source, kind: &str, verb: &str| {
        text(&entry.content, "/kind") == kind && text(&entry.content, "/verb") == verb
    };
    let ranks = |round: &str| {
        matches!(
            Round::from_name(round),
            Some(Round::PaperReview | Round::Roadshow)
        )
    };
    let (mut ranking, mut pitched) = (BTreeSet::new(), BTreeSet::new());
    let mut closed = BTreeMap::new();
    for entry in entries {
        let id = text(&entry.content, "/id");
        if is(entry, "panel", "form") && ranks(text(&entry.content, "/data/formed/round")) {
            ranking.insert(id);
            if text(&entry.content, "/data/formed/round") == Round::Roadshow.name() {
                pitched.insert(id);
            }
        }
        // A panel that was opened again has no result until it is closed again.
        if text(&entry.content, "/kind") == "panel" {
            closed.insert(id, text(&entry.content, "/to") == "closed");
        }
    }
    let result = |panel: &str| ranking.contains(panel) && closed.get(panel) == Some(&true);
    let mut ranked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut heard = BTreeMap::new();
    let mut panel_of = BTreeMap::new();
    let mut saved = BTreeMap::new();
    let mut counts = BTreeSet::new();
    for (place, entry) in entries.iter().enumerate() {
        let id = text(&entry.content, "/id");
        if is(entry, "panel", "close") && pitched.contains(id) && result(id) {
            let outcomes = entry.content.pointer("/data/closed/results");
            let outcomes = outcomes.and_then(Value::as_array).into_iter().flatten();
            let subjects = outcomes.map(|outcome| text(outcome, "/input/subject"));
            ranked.insert(id, subjects.collect());
        } else if is(entry, "slot", "schedule") {
            heard.insert(id, text(&entry.content, "/data/scheduled/turn/application"));
        } else if is(entry, "sheet", "assign") {
            panel_of.insert(id, text(&entry.content, "/data/assigned/panel"));
        } else if is(entry, "sheet", "save") {
            saved.insert(id, place);
        } else if is(entry, "sheet", "submit") {
            // Since sheets say at their end what their expert would fund, no draft has to.
            let says = entry
                .content
                .pointer("/data/submitted/recommended")
                .is_some();
            counts.extend(saved.get(id).copied().filter(|_| !says));
        }
    }
    entries
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let id = text(&entry.content, "/id");
            More {
                result: match text(&entry.content, "/kind") {
                    "panel" => result(id),
                    "sheet" => panel_of.get(id).is_some_and(|panel| result(panel)),
                    "slot" => heard
                        .get(id)
                        .is_some_and(|id| ranked.values().any(|subjects| subjects.contains(id))),
                    _ => false,
                },
                counts: counts.contains(&place),
            }
        })
        .collect()
}
