//! A draw in which some items are likelier to come early than others.
//!
//! As [`crate::draw()`], with two differences. The lines that are sorted and hashed are the item, a
//! tab (`0x09`) and its weight in decimal; sorting is by item. And instead of step 7: as long as
//! items are left, let `r` be a number below the sum of the weights left; go through the items left
//! in sorted order, adding up their weights; the first at which the sum exceeds `r` is next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{DrawError, Generator, canonical, hex};

/// An item and how likely it is to be next, in proportion to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedItem {
    /// The item, without a tab.
    pub item: String,
    /// At least 1.
    pub weight: u32,
}

/// The result of a weighted draw, with every step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedDrawn {
    /// SHA-256 of the list, in lower-case hexadecimal.
    pub list_hash: String,
    /// The items in the order drawn.
    pub order: Vec<String>,
    /// How each came to be next.
    pub steps: Vec<WeightedStep>,
}

/// How one item came to be next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedStep {
    /// The sum of the weights that were left.
    pub of: u64,
    /// The integer that was used, in decimal.
    pub random: String,
    /// How many integers were skipped before it.
    pub skipped: u32,
    /// `random` modulo `of`.
    pub drawn: u64,
    /// The item.
    pub item: String,
}

/// Draws an order by weight. The order of `items` does not matter.
pub fn draw_weighted(items: &[WeightedItem], seed: &[u8]) -> Result<WeightedDrawn, DrawError> {
    let names: Vec<String> = items.iter().map(|item| item.item.clone()).collect();
    canonical(&names)?;
    if let Some(item) = items.iter().find(|item| item.item.contains('\t')) {
        return Err(DrawError::NotOneLine(item.item.clone()));
    }
    if let Some(item) = items.iter().find(|item| item.weight == 0) {
        return Err(DrawError::NoWeight(item.item.clone()));
    }
    let mut left: Vec<&WeightedItem> = items.iter().collect();
    left.sort_by(|a, b| a.item.cmp(&b.item));
    let mut hasher = Sha256::new();
    for WeightedItem { item, weight } in &left {
        hasher.update(format!("{item}\t{weight}\n"));
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let mut generator = Generator::new(seed, &hash);
    let mut steps = Vec::with_capacity(items.len());
    while !left.is_empty() {
        let of = left.iter().map(|item| u64::from(item.weight)).sum();
        let number = generator.below(of);
        let mut sum = 0;
        let next = left.iter().position(|item| {
            sum += u64::from(item.weight);
            number.value < sum
        });
        let item = left.remove(next.unwrap_or(0)).item.clone();
        steps.push(WeightedStep {
            of,
            random: number.random.to_string(),
            skipped: number.skipped,
            drawn: number.value,
            item,
        });
    }
    let order = steps.iter().map(|step| step.item.clone()).collect();
    Ok(WeightedDrawn {
        list_hash: hex(&hash),
        order,
        steps,
    })
}
