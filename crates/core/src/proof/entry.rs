//! An entry of a journal with what shows that it stands there, for whoever keeps it elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::{Head, Unproven, verify_inclusion};
use super::{Digest, tree};
use crate::disclosure;

/// An entry, whole, and its way to the root of the tree over its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEntry {
    /// The entry.
    pub entry: Value,
    /// What the commitments to its values are salted with.
    pub salt: Digest,
    /// The hash of the entry before.
    pub previous: Digest,
    /// From its leaf to the root.
    pub path: Vec<Digest>,
}

impl ProvenEntry {
    /// The hash of its leaf.
    pub fn leaf(&self) -> Digest {
        let content = disclosure::hash(&self.salt.0, &self.entry);
        tree::leaf(&disclosure::chained(&self.previous.0, &content))
    }

    /// That it is the entry of its number in the journal with this head; gives the number.
    ///
    /// # Errors
    ///
    /// [`Unproven`] where its path leads elsewhere, or it has no number.
    pub fn verify(&self, head: Head) -> Result<u64, Unproven> {
        let seq = self.entry.get("seq").and_then(Value::as_u64);
        let index = seq.and_then(|seq| seq.checked_sub(1));
        let index = index.ok_or(Unproven::Length)?;
        verify_inclusion(self.leaf(), index, head.size, &self.path, head.root)?;
        Ok(index + 1)
    }
}
