//! What makes a journal prove itself: a Merkle tree over its entries, short proofs against its
//! root, and signed checkpoints of it. Pure: whoever stores the tree hands the hashes in.
//!
//! - [`tree`]: the tree of RFC 6962 §2.1 (RFC 9162 §2.1), grown leaf by leaf from its right edge.
//! - [`path`]: that an entry stands in a tree, and that one tree is the beginning of another.
//! - [`note`]: signed texts (C2SP signed-note) and the keys that sign them.
//! - [`checkpoint`]: what is signed of a tree (C2SP tlog-checkpoint).
//! - [`entry`]: an entry with its way to the root.
//! - [`receipt`]: all of it together, for one application that was handed in.
//! - [`archive`]: all of it together, for a project that has ended.
//!
//! The leaf of an entry is `SHA-256(0x00 ‖ hash of the entry)`; its hash is chained to that of the
//! entry before and commits to each of its values ([`disclosure`](crate::disclosure)).

pub mod archive;
pub mod checkpoint;
pub mod entry;
pub mod note;
pub mod path;
pub mod receipt;
pub mod tree;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::from_hex;

/// A SHA-256 hash; as text, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What the first entry of a journal is chained to.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash that these bytes are; none if there are not 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        from_hex(text)
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or(NoDigest)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod vectors;
