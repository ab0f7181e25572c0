//! Commitments to every single value of a JSON document, so that some can be shown and proven while
//! the others stay hidden: what makes a record of people publishable (`docs/decisions`).
//!
//! A document is taken apart into its *fields*: one per number, text, boolean, null, empty list and
//! empty object, each with its path. With a secret salt of 32 bytes per document:
//!
//! ```text
//! field salt  = SHA-256(salt ‖ SHA-256(JCS(path)))
//! value       = SHA-256(0x10 ‖ field salt ‖ JCS(value))
//! field       = SHA-256(0x11 ‖ SHA-256(JCS(path)) ‖ value)
//! document    = SHA-256(0x12 ‖ all fields, in ascending order)
//! ```
//!
//! JCS is RFC 8785. The salt keeps small ranges such as scores from being guessed from the hashes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::digest::{from_hex, to_hex};

/// A SHA-256.
pub type Hash = [u8; 32];

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Step {
    /// Into a list, from 0.
    Index(usize),
    /// Into an object.
    Key(String),
}

/// The way from the top of a document to one of its fields.
pub type Path = Vec<Step>;

/// How much of a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Its path and value.
    Value,
    /// That it is there: its path.
    Presence,
    /// Nothing.
    Nothing,
}

/// A field with what opens its commitment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Where it stands in the document.
    pub path: Path,
    /// Its value.
    pub value: Value,
    /// Its salt: 64 hexadecimal digits.
    pub salt: String,
}

/// A field that is there, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Present {
    /// Where it stands in the document.
    pub path: Path,
    /// The commitment to its value: 64 hexadecimal digits.
    pub commitment: String,
}

/// A document of which some fields are shown; its hash is the one of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The fields that anyone may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// The fields of which anyone may know that they are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<Present>,
    /// The commitments to all other fields, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
}

/// The hash of `document` under `salt`.
pub fn hash(salt: &[u8], document: &Value) -> Hash {
    let mut fields = Vec::new();
    each(document, &mut Vec::new(), &mut |path, value| {
        let place = place(path);
        fields.push(field(&place, &committed(&field_salt(salt, &place), value)));
    });
    whole(fields)
}

/// The hash of a journal's entry with the hash `content`, after the one with the hash `previous`.
pub fn chained(previous: &[u8], content: &Hash) -> Hash {
    Sha256::new()
        .chain_update(previous)
        .chain_update(content)
        .finalize()
        .into()
}

/// Shows of `document` what `show` says of each path, and commits to the rest.
pub fn disclose(salt: &[u8], document: &Value, show: impl Fn(&[Step]) -> Show) -> Disclosed {
    let mut disclosed = Disclosed::default();
    each(document, &mut Vec::new(), &mut |path, value| {
        let place = place(path);
        let secret = field_salt(salt, &place);
        let commitment = committed(&secret, value);
        match show(path) {
            Show::Value => disclosed.shown.push(Shown {
                path: path.to_vec(),
                value: value.clone(),
                salt: to_hex(&secret),
            }),
            Show::Presence => disclosed.present.push(Present {
                path: path.to_vec(),
                commitment: to_hex(&commitment),
            }),
            Show::Nothing => disclosed.hidden.push(to_hex(&field(&place, &commitment))),
        }
    });
    disclosed.hidden.sort_unstable();
    disclosed
}

impl Disclosed {
    /// The hash of the whole document, from what is shown of it; none where a salt or commitment is
    /// not one, or a field is shown twice.
    pub fn hash(&self) -> Option<Hash> {
        let mut fields = Vec::new();
        let mut paths = std::collections::BTreeSet::new();
        for shown in &self.shown {
            let place = place(&shown.path);
            let secret = digest(&shown.salt)?;
            fields.push(field(&place, &committed(&secret, &shown.value)));
            paths.insert(&shown.path);
        }
        for present in &self.present {
            fields.push(field(&place(&present.path), &digest(&present.commitment)?));
            paths.insert(&present.path);
        }
        if paths.len() != self.shown.len() + self.present.len() {
            return None;
        }
        for hidden in &self.hidden {
            fields.push(digest(hidden)?);
        }
        Some(whole(fields))
    }

    /// The document as far as it is shown: a list has `null` where an element is hidden.
    pub fn document(&self) -> Value {
        let mut tree = Tree::default();
        for shown in &self.shown {
            tree.insert(&shown.path, &shown.value);
        }
        tree.value()
    }

    /// Whether the field at `path` is there, shown or not.
    pub fn has(&self, path: &[Step]) -> bool {
        self.shown.iter().any(|shown| shown.path == path)
            || self.present.iter().any(|present| present.path == path)
    }
}

/// Calls `visit` for every field, in order.
fn each<'a>(value: &'a Value, path: &mut Path, visit: &mut impl FnMut(&[Step], &'a Value)) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                path.push(Step::Key(key.clone()));
                each(value, path, visit);
                path.pop();
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (index, value) in list.iter().enumerate() {
                path.push(Step::Index(index));
                each(value, path, visit);
                path.pop();
            }
        }
        _ => visit(path, value),
    }
}

fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}

fn place(path: &[Step]) -> Hash {
    Sha256::digest(canonical(&path)).into()
}

fn field_salt(salt: &[u8], place: &Hash) -> Hash {
    Sha256::new()
        .chain_update(salt)
        .chain_update(place)
        .finalize()
        .into()
}

fn committed(secret: &Hash, value: &Value) -> Hash {
    Sha256::new()
        .chain_update([0x10])
        .chain_update(secret)
        .chain_update(canonical(value))
        .finalize()
        .into()
}

fn field(place: &Hash, value: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x11])
        .chain_update(place)
        .chain_update(value)
        .finalize()
        .into()
}

fn whole(mut fields: Vec<Hash>) -> Hash {
    // Their order would tell which field is which.
    fields.sort_unstable();
    fields
        .iter()
        .fold(Sha256::new().chain_update([0x12]), Sha256::chain_update)
        .finalize()
        .into()
}

/// The hash that `text` spells: 64 lower-case hexadecimal digits.
pub fn digest(text: &str) -> Option<Hash> {
    let bytes = from_hex(text).filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()))?;
    bytes.try_into().ok()
}

/// What is shown of a document, on its way back to one.
#[derive(Default)]
struct Tree {
    leaf: Option<Value>,
    keys: BTreeMap<String, Tree>,
    items: BTreeMap<usize, Tree>,
}

impl Tree {
    fn insert(&mut self, path: &[Step], value: &Value) {
        match path.split_first() {
            None => self.leaf = Some(value.clone()),
            Some((Step::Key(key), rest)) => {
                self.keys
                    .entry(key.clone())
                    .or_default()
                    .insert(rest, value);
            }
            Some((Step::Index(index), rest)) => {
                self.items.entry(*index).or_default().insert(rest, value);
            }
        }
    }

    fn value(self) -> Value {
        if let Some(leaf) = self.leaf {
            return leaf;
        }
        if self.items.is_empty() {
            let keys = self.keys.into_iter();
            return Value::Object(
                keys.map(|(key, tree)| (key, tree.value()))
                    .collect::<Map<_, _>>(),
            );
        }
        let mut list = Vec::new();
        for (index, tree) in self.items {
            // A file may claim any index: it is not worth a gap of more than a few places.
            if index > list.len() + 10_000 {
                break;
            }
            list.resize(index, Value::Null);
            list.push(tree.value());
        }
        Value::Array(list)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "kind": "sheet", "actor": "somebody",
            "data": { "marks": { "need": "18", "design": "27.5" }, "notes": [], "list": ["a", "b", "c"] },
        })
    }

    fn scores(path: &[Step]) -> Show {
        match path {
            [Step::Key(kind)] if kind == "kind" => Show::Value,
            [Step::Key(data), Step::Key(part), ..] if data == "data" && part == "marks" => {
                Show::Value
            }
            [_, Step::Key(list), Step::Index(1)] if list == "list" => Show::Value,
            [_, Step::Key(notes)] if notes == "notes" => Show::Presence,
            _ => Show::Nothing,
        }
    }

    #[test]
    fn what_is_shown_has_the_hash_of_the_whole() {
        let (salt, document) = ([7; 32], document());
        let disclosed = disclose(&salt, &document, scores);
        assert_eq!(disclosed.hash(), Some(hash(&salt, &document)));
        let text = serde_json::to_string(&disclosed).unwrap();
        assert!(
            !text.contains("somebody") && !text.contains("actor"),
            "{text}"
        );
        assert_eq!(
            disclosed.document(),
            json!({ "kind": "sheet", "data": { "marks": { "need": "18", "design": "27.5" }, "list": [null, "b"] } })
        );
        let notes = [Step::Key("data".to_owned()), Step::Key("notes".to_owned())];
        assert!(disclosed.has(&notes));
        let read: Disclosed = serde_json::from_str(&text).unwrap();
        assert_eq!(read, disclosed);
    }

    #[test]
    fn no_value_path_or_commitment_can_change_unseen() {
        let (salt, document) = ([7; 32], document());
        let disclosed = disclose(&salt, &document, scores);
        let right = disclosed.hash();
        let changes: [fn(&mut Disclosed); 8] = [
            |one| one.shown[0].value = json!("19"),
            |one| one.shown[1].path.push(Step::Index(0)),
            |one| one.shown[1].salt = "00".repeat(32),
            |one| one.present[0].path.clear(),
            |one| one.present[0].commitment = "11".repeat(32),
            |one| one.hidden[0] = "22".repeat(32),
            |one| drop(one.hidden.pop()),
            |one| drop(one.shown.pop()),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = disclosed.clone();
            change(&mut changed);
            assert_ne!(changed.hash(), right, "change {number}");
        }
        let mut twice = disclosed.clone();
        twice.shown.push(twice.shown[0].clone());
        assert_eq!(twice.hash(), None);
    }

    #[test]
    fn equal_values_have_unequal_commitments_and_lists_are_not_objects() {
        let hidden =
            |salt: &[u8], document: &Value| disclose(salt, document, |_| Show::Nothing).hidden;
        let same = json!({ "a": "88", "b": "88" });
        let one = hidden(&[1; 32], &same);
        assert_ne!(one[0], one[1]);
        assert_ne!(one, hidden(&[2; 32], &same));
        assert_ne!(
            hash(&[1; 32], &json!(["x"])),
            hash(&[1; 32], &json!({ "0": "x" }))
        );
        assert_ne!(hash(&[1; 32], &json!([])), hash(&[1; 32], &json!({})));
    }

    #[test]
    fn the_hash_of_a_document_is_what_the_docs_say() {
        // Computed by hand from the formula above, with Python's hashlib.
        let salt: Vec<u8> = (0..32).collect();
        let document = json!({ "a": [1, "爱"], "b": null });
        assert_eq!(
            to_hex(&hash(&salt, &document)),
            "539a65ffc4388e64d6ff0268fcf8ec5a832140a38467b4b6bb8c76261ee1cd06"
        );
    }
}
