//! The Merkle tree of RFC 6962 §2.1, grown leaf by leaf.

use sha2::{Digest as _, Sha256};

use super::Digest;

/// The hash of a leaf that holds `data`: SHA-256 over 0x00 and the data.
pub fn leaf(data: &[u8]) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([0x00])
            .chain_update(data)
            .finalize()
            .into(),
    )
}

/// The hash of what holds `left` and `right`: SHA-256 over 0x01 and both.
pub fn node(left: Digest, right: Digest) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([0x01])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// The root of a tree without leaves: SHA-256 over nothing.
pub fn empty() -> Digest {
    Digest(Sha256::digest([]).into())
}

/// A part of the tree that is full: the leaves from `index << level`, `1 << level` of them. Its
/// hash never changes again, however the tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    /// How many nodes it is high; a leaf is of level 0.
    pub level: u32,
    /// Its number among those of its level, from 0.
    pub index: u64,
}

/// The full subtrees that the leaves `start..end` consist of, left to right, largest first; for
/// ranges that begin where a subtree of their size does, as all of this module do.
pub fn subtrees(start: u64, end: u64) -> Vec<Subtree> {
    let mut parts = Vec::new();
    let mut from = start;
    while from < end {
        let level = (end - from).ilog2();
        parts.push(Subtree {
            level,
            index: from >> level,
        });
        from += 1 << level;
    }
    parts
}

/// The hash of the leaves that `parts` consist of, left to right.
pub fn root_of(parts: &[Digest]) -> Digest {
    let mut right_to_left = parts.iter().rev().copied();
    let last = right_to_left.next().unwrap_or_else(empty);
    right_to_left.fold(last, |right, left| node(left, right))
}

/// The right edge of a tree: the hashes of the full subtrees it consists of, largest first. All
/// that is needed to add leaves and to know the root; at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    hashes: Vec<Digest>,
}

impl Edge {
    /// The edge of a tree with `size` leaves, as [`Edge::to_bytes`] gave it; none if these bytes
    /// are not one.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        fits.then(|| Self {
            size,
            hashes: hashes.iter().copied().map(Digest).collect(),
        })
    }

    /// All hashes, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        root_of(&self.hashes)
    }

    /// Adds a leaf with this hash. Gives every subtree that it made full, itself first.
    pub fn push(&mut self, leaf: Digest) -> Vec<(Subtree, Digest)> {
        let mut subtree = Subtree {
            level: 0,
            index: self.size,
        };
        let mut full = vec![(subtree, leaf)];
        let mut hash = leaf;
        // A subtree to the right of an equally large one makes one twice as large with it.
        while subtree.index % 2 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = node(left, hash);
            subtree = Subtree {
                level: subtree.level + 1,
                index: subtree.index / 2,
            };
            full.push((subtree, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        full
    }
}
