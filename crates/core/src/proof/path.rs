//! That an entry stands in a tree, and that one tree is the beginning of another: which hashes
//! show it (RFC 6962 §2.1.1, §2.1.2) and whether they do (RFC 9162 §2.1.3.2, §2.1.4.2).

use std::collections::BTreeSet;

use super::Digest;
use super::tree::{self, Subtree, empty, node, root_of, subtrees};

/// Why hashes show nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// There is no such leaf in a tree of this size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    NoSuchLeaf {
        /// Which leaf, from 0.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// A tree is never the beginning of a smaller one.
    #[error("a tree of {first} leaves is not the beginning of one of {second}")]
    Backwards {
        /// Leaves of the tree that is to be the beginning.
        first: u64,
        /// Leaves of the other.
        second: u64,
    },
    /// There are more or fewer hashes than the proof has.
    #[error("the proof has too many or too few hashes")]
    Length,
    /// They lead to another root than that of the tree.
    #[error("the proof does not lead to the root of the tree")]
    OtherRoot,
    /// They lead to another root than that of the tree that is to be the beginning.
    #[error("the proof does not begin with the root of the smaller tree")]
    OtherBeginning,
}

/// Which hashes make up a proof: each is that of the leaves of one range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    ranges: Vec<(u64, u64)>,
}

impl Plan {
    /// That leaf `index`, from 0, stands in the tree of the first `size` leaves; none if it cannot.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut ranges = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                ranges.push((middle, end));
                end = middle;
            } else {
                ranges.push((start, middle));
                start = middle;
            }
        }
        ranges.reverse();
        Some(Self { ranges })
    }

    /// That the first `first` leaves are the beginning of the first `second`; none if they cannot be.
    pub fn consistency(first: u64, second: u64) -> Option<Self> {
        if first > second {
            return None;
        }
        let mut ranges = Vec::new();
        if first == 0 || first == second {
            return Some(Self { ranges });
        }
        let (mut start, mut end) = (0, second);
        // Until the smaller tree ends where a subtree of the larger does.
        while end != first {
            let middle = start + split(end - start);
            if first <= middle {
                ranges.push((middle, end));
                end = middle;
            } else {
                ranges.push((start, middle));
                start = middle;
            }
        }
        if start > 0 {
            ranges.push((start, end));
        }
        ranges.reverse();
        Some(Self { ranges })
    }

    /// The full subtrees whose hashes are needed.
    pub fn needs(&self) -> BTreeSet<Subtree> {
        self.ranges
            .iter()
            .flat_map(|(start, end)| subtrees(*start, *end))
            .collect()
    }

    /// The hashes of the proof, where `hash_of` knows that of every subtree needed.
    pub fn hashes(&self, hash_of: impl Fn(Subtree) -> Option<Digest>) -> Option<Vec<Digest>> {
        let hash = |(start, end): &(u64, u64)| {
            let parts: Option<Vec<Digest>> =
                subtrees(*start, *end).into_iter().map(&hash_of).collect();
            parts.map(|parts| root_of(&parts))
        };
        self.ranges.iter().map(hash).collect()
    }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root that the tree of `size` leaves has if `leaf` is its leaf `index`, from 0, with this path.
///
/// # Errors
///
/// [`Unproven`] where there is no such leaf or the path is not as long as it has to be.
pub fn root_from(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Result<Digest, Unproven> {
    if index >= size {
        return Err(Unproven::NoSuchLeaf { index, size });
    }
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for hash in path {
        if last == 0 {
            return Err(Unproven::Length);
        }
        if at % 2 == 1 || at == last {
            root = node(*hash, root);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = node(root, *hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 {
        Ok(root)
    } else {
        Err(Unproven::Length)
    }
}

/// That `leaf` (a leaf's hash) is leaf `index`, from 0, of the tree of `size` leaves with this root.
///
/// # Errors
///
/// [`Unproven`] where the path does not show it.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: Digest,
) -> Result<(), Unproven> {
    if root_from(leaf, index, size, path)? == root {
        Ok(())
    } else {
        Err(Unproven::OtherRoot)
    }
}

/// A tree by its size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many leaves it has.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// That the tree `first` is the beginning of the tree `second`.
///
/// # Errors
///
/// [`Unproven`] where the path does not show it.
pub fn verify_consistency(first: Head, second: Head, path: &[Digest]) -> Result<(), Unproven> {
    if first.size > second.size {
        return Err(Unproven::Backwards {
            first: first.size,
            second: second.size,
        });
    }
    if first.size == 0 || first.size == second.size {
        let beginning = if first.size == 0 {
            empty()
        } else {
            second.root
        };
        return match path {
            [_, ..] => Err(Unproven::Length),
            [] if first.root == beginning => Ok(()),
            [] => Err(Unproven::OtherBeginning),
        };
    }
    let (mut at, mut last) = (first.size - 1, second.size - 1);
    while at % 2 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // A smaller tree that is one full subtree stands for itself.
    let own = [first.root];
    let mut hashes = if first.size.is_power_of_two() {
        own.iter().chain(path)
    } else {
        [].iter().chain(path)
    };
    let begin = *hashes.next().ok_or(Unproven::Length)?;
    let (mut first_root, mut second_root) = (begin, begin);
    for hash in hashes {
        if last == 0 {
            return Err(Unproven::Length);
        }
        if at % 2 == 1 || at == last {
            first_root = node(*hash, first_root);
            second_root = node(*hash, second_root);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            second_root = node(second_root, *hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        Err(Unproven::Length)
    } else if first_root != first.root {
        Err(Unproven::OtherBeginning)
    } else if second_root != second.root {
        Err(Unproven::OtherRoot)
    } else {
        Ok(())
    }
}

/// The root of the tree over these entries' hashes, all at hand: for exports and checks.
pub fn root_of_entries(hashes: impl IntoIterator<Item = Digest>) -> Head {
    let mut edge = tree::Edge::default();
    for hash in hashes {
        edge.push(tree::leaf(&hash.0));
    }
    Head {
        size: edge.size(),
        root: edge.root(),
    }
}
