//! Draws that anyone can run again: presentation order, ties by lots, random panels.
//!
//! A draw is a function of a published list and a seed that was committed to before it was known.
//! It is defined so that a second implementation is an evening's work:
//!
//! 1. Sort the items by their UTF-8 bytes. Items are distinct, not empty, without line breaks.
//! 2. The *list hash* is SHA-256 over the sorted items, each followed by one line feed (`0x0A`):
//!    what `LC_ALL=C sort items.txt | sha256sum` prints.
//! 3. The *commitment* is SHA-256 over the bytes of the seed. It is published, with the list hash,
//!    before the seed.
//! 4. The *key* is SHA-256 over the bytes of the seed followed by the 32 bytes of the list hash.
//! 5. The generator is the ChaCha20 keystream under that key, with an all-zero nonce and a block
//!    counter from 0, cut into 8-byte little-endian unsigned integers, used in order.
//! 6. A number below `n` is the next integer `r` modulo `n`, except that an `r` of
//!    `floor(2^64 / n) * n` or more is skipped, so that every number is equally likely.
//! 7. Fisher–Yates: for `i` from the last index of the sorted list (counted from 0) down to 1, let
//!    `j` be a number below `i + 1`, and swap the items at `i` and `j`.

mod panel;
mod weighted;

use std::fmt::Write as _;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use panel::{Panel, PanelError, PanelMember, PanelRules, Pool, Substitution, draw_panel};
pub use weighted::{WeightedDrawn, WeightedItem, WeightedStep, draw_weighted};

/// A list that cannot be drawn from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// An item occurs twice, so one of them would have twice the chance.
    #[error("`{0}` is in the list twice: list every item once")]
    Duplicate(String),
    /// An item is empty or has a line break, so that two lists could have one hash.
    #[error("{0:?} is empty or has a line break: give every item a name on one line")]
    NotOneLine(String),
    /// A weight is 0, so the item could never be drawn.
    #[error("`{0}` has weight 0: leave it out or give it a weight of at least 1")]
    NoWeight(String),
}

/// The result of a draw, with every step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// SHA-256 of the list, in lower-case hexadecimal.
    pub list_hash: String,
    /// The items in the order drawn.
    pub order: Vec<String>,
    /// The swaps, in order.
    pub steps: Vec<DrawStep>,
}

/// One swap of a draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawStep {
    /// The index, from 0, that is filled by this step.
    pub index: u64,
    /// The integer that was used, in decimal: it exceeds what JSON numbers carry.
    pub random: String,
    /// How many integers were skipped before it because they would have favoured some items.
    pub skipped: u32,
    /// `random` modulo `index + 1`: the index it is swapped with.
    pub swapped_with: u64,
    /// The item that now has its final place.
    pub item: String,
}

/// SHA-256 of the sorted list, in lower-case hexadecimal. The order of `items` does not matter.
pub fn list_hash(items: &[String]) -> Result<String, DrawError> {
    Ok(hex(&hash_of(&canonical(items)?)))
}

/// SHA-256 of the seed, in lower-case hexadecimal: what is published before the seed.
#[must_use]
pub fn commitment(seed: &[u8]) -> String {
    hex(&Sha256::digest(seed).into())
}

/// Draws an order. The order of `items` does not matter.
pub fn draw(items: &[String], seed: &[u8]) -> Result<Drawn, DrawError> {
    let mut order = canonical(items)?;
    let hash = hash_of(&order);
    let mut generator = Generator::new(seed, &hash);
    let mut steps = Vec::with_capacity(order.len());
    for index in (1..order.len()).rev() {
        let number = generator.below(index as u64 + 1);
        let swapped_with = usize::try_from(number.value).unwrap_or(index);
        order.swap(index, swapped_with);
        steps.push(DrawStep {
            index: index as u64,
            random: number.random.to_string(),
            skipped: number.skipped,
            swapped_with: number.value,
            item: order.get(index).cloned().unwrap_or_default(),
        });
    }
    Ok(Drawn {
        list_hash: hex(&hash),
        order,
        steps,
    })
}

fn canonical(items: &[String]) -> Result<Vec<String>, DrawError> {
    let mut sorted = items.to_vec();
    sorted.sort();
    if let Some(item) = sorted
        .iter()
        .find(|item| item.is_empty() || item.contains(['\n', '\r']))
    {
        return Err(DrawError::NotOneLine(item.clone()));
    }
    match sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .find(|(a, b)| a == b)
    {
        Some((item, _)) => Err(DrawError::Duplicate(item.clone())),
        None => Ok(sorted),
    }
}

fn hash_of(sorted: &[String]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for item in sorted {
        hasher.update(item.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().into()
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The integers of one draw (steps 4 to 6).
struct Generator(ChaCha20Rng);

struct Number {
    value: u64,
    random: u64,
    skipped: u32,
}

impl Generator {
    fn new(seed: &[u8], list_hash: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(seed);
        hasher.update(list_hash);
        Self(ChaCha20Rng::from_seed(hasher.finalize().into()))
    }

    /// A number below `n`, which must not be 0.
    fn below(&mut self, n: u64) -> Number {
        // 2^64 mod n integers at the top would favour the smallest numbers.
        let surplus = (u64::MAX % n + 1) % n;
        let mut skipped = 0;
        loop {
            let random = self.0.next_u64();
            if random <= u64::MAX - surplus {
                return Number {
                    value: random % n,
                    random,
                    skipped,
                };
            }
            skipped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_chacha20_keystream() {
        // RFC 8439, appendix A.1, test vector 1: key, nonce and counter all zero.
        let mut generator = Generator(ChaCha20Rng::from_seed([0; 32]));
        let keystream = [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90];
        assert_eq!(
            generator.below(u64::MAX).random,
            u64::from_le_bytes(keystream)
        );
    }
}
