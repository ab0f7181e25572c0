//! From the sheets of one application in one round to one score (`domain.md` §5.1–5.2).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::{Exact, Rounding};

/// How valid sheets become a score. A round's policy holds one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// The rule itself.
    pub method: Method,
    /// For `weighted_mean`: the weight of each group's own mean, such as `jury = 0.7`. Only their
    /// proportion counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Exact>,
    /// For `trimmed_mean`: how many of the highest totals to leave out.
    #[serde(default)]
    pub drop_high: u32,
    /// For `trimmed_mean`: how many of the lowest totals to leave out.
    #[serde(default)]
    pub drop_low: u32,
    /// For `trimmed_mean`: if fewer sheets than this would remain, none is dropped and the result
    /// says so; 3 if absent.
    #[serde(default = "three")]
    pub min_remaining: u32,
    /// The fewest valid sheets that make a score; 1 if absent.
    #[serde(default = "one")]
    pub quorum: u32,
    /// Decimals of the rounded score; 2 if absent.
    #[serde(default = "two")]
    pub scale: u8,
    /// How the score is rounded, once, at the end.
    #[serde(default)]
    pub rounding: Rounding,
}

/// The ways to aggregate.
///
/// An enum, not a trait: the choice is stored with the cycle, printed in its published rules and
/// run again years later by an auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The arithmetic mean.
    Mean,
    /// The mean without the highest and lowest totals.
    TrimmedMean,
    /// The middle total; of two middle totals, their mean.
    Median,
    /// The mean of each group's mean, by weight.
    WeightedMean,
}

/// The total of one valid sheet. Void, recused and abstained sheets are never passed in: no sheet
/// is not zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetScore {
    /// Who scored. Unique within one application and round.
    pub expert: String,
    /// The juror group of the expert, for `weighted_mean`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The sheet's total.
    pub total: Exact,
}

/// The score of one application, and how it came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The unrounded score, to be carried into further sums; absent if there is none.
    pub exact: Option<Exact>,
    /// The score at the declared scale.
    pub rounded: Option<Exact>,
    /// The experts whose sheets count, sorted.
    pub used: Vec<String>,
    /// The experts whose sheets were left out as highest or lowest, sorted.
    pub dropped: Vec<String>,
    /// Why there is no score, or why nothing was dropped.
    pub note: Option<AggregateNote>,
}

/// What a reader of an [`Aggregate`] must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case", deny_unknown_fields)]
pub enum AggregateNote {
    /// There is no valid sheet, so there is no score. Never 0.
    #[error("no valid sheet: no score")]
    NoSheet,
    /// There are too few valid sheets.
    #[error("{sheets} valid sheets, fewer than the quorum of {quorum}: no score")]
    BelowQuorum {
        /// Valid sheets.
        sheets: u32,
        /// Sheets needed.
        quorum: u32,
    },
    /// Dropping the highest and lowest would leave too few, so all sheets count.
    #[error(
        "{sheets} sheets: dropping {drop} would leave fewer than {min_remaining}, so none is dropped"
    )]
    NothingDropped {
        /// Valid sheets.
        sheets: u32,
        /// Sheets that would have been dropped.
        drop: u32,
        /// Sheets that must remain.
        min_remaining: u32,
    },
    /// A group with a weight has no valid sheet.
    #[error("no valid sheet of group `{group}`: no score")]
    GroupWithoutSheet {
        /// The group.
        group: String,
    },
    /// A sheet belongs to no group with a weight.
    #[error("the sheet of `{expert}` belongs to no group that has a weight: no score")]
    SheetWithoutGroup {
        /// Whose sheet.
        expert: String,
    },
}

/// What is wrong with an [`Aggregation`], and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregationFault {
    /// JSON Pointer into the aggregation, such as `/groups/jury`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A band of scores that has a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// What it is called: `excellent`, 优.
    pub name: String,
    /// The lowest score of the band, itself included.
    pub from: Exact,
}

const fn one() -> u32 {
    1
}

const fn two() -> u8 {
    2
}

const fn three() -> u32 {
    3
}

/// The most decimals a policy may ask for.
const MAX_SCALE: u8 = 30;

impl Default for Aggregation {
    /// The mean at two decimals, half-up, of at least one sheet.
    fn default() -> Self {
        Self {
            method: Method::Mean,
            groups: BTreeMap::new(),
            drop_high: 0,
            drop_low: 0,
            min_remaining: three(),
            quorum: one(),
            scale: two(),
            rounding: Rounding::HalfUp,
        }
    }
}

impl Aggregation {
    /// Everything that is wrong with these settings.
    #[must_use]
    pub fn faults(&self) -> Vec<AggregationFault> {
        let mut faults = Vec::new();
        let mut add = |path: String, message: &str| {
            faults.push(AggregationFault {
                path,
                message: message.to_owned(),
            });
        };
        let weighted = self.method == Method::WeightedMean;
        if weighted && self.groups.is_empty() {
            add(
                "/groups".into(),
                "weighted_mean needs the weight of each group",
            );
        }
        if !weighted && !self.groups.is_empty() {
            add("/groups".into(), "only weighted_mean has groups");
        }
        for (name, weight) in &self.groups {
            if weight <= &Exact::ZERO {
                let name = name.replace('~', "~0").replace('/', "~1");
                add(format!("/groups/{name}"), "a weight must be above 0");
            }
        }
        let trimmed = self.method == Method::TrimmedMean;
        for (path, drop) in [("/drop_high", self.drop_high), ("/drop_low", self.drop_low)] {
            if !trimmed && drop != 0 {
                add(path.into(), "only trimmed_mean drops sheets");
            }
        }
        if trimmed && self.drop_high == 0 && self.drop_low == 0 {
            add(
                "/drop_high".into(),
                "trimmed_mean needs drop_high, drop_low or both",
            );
        }
        if self.min_remaining == 0 {
            add("/min_remaining".into(), "at least one sheet must remain");
        }
        if self.quorum == 0 {
            add("/quorum".into(), "a score needs at least one sheet");
        }
        if MAX_SCALE < self.scale {
            add("/scale".into(), "at most 30 decimals");
        }
        faults
    }
}

/// The score of one application from its valid sheets. The order of `sheets` does not matter.
#[must_use]
pub fn aggregate(rule: &Aggregation, sheets: &[SheetScore]) -> Aggregate {
    let count = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
    let without_score = |note| Aggregate {
        note: Some(note),
        ..Aggregate::default()
    };
    if sheets.is_empty() {
        return without_score(AggregateNote::NoSheet);
    }
    if count < rule.quorum {
        return without_score(AggregateNote::BelowQuorum {
            sheets: count,
            quorum: rule.quorum,
        });
    }
    let mut sorted: Vec<&SheetScore> = sheets.iter().collect();
    // By expert among equals, so that which of two equal sheets is dropped is no matter of order.
    sorted.sort_by(|a, b| (&a.total, &a.expert).cmp(&(&b.total, &b.expert)));
    let mut note = None;
    let mut kept = sorted.as_slice();
    let mut exact = None;
    match rule.method {
        Method::Mean => {}
        Method::Median => exact = median(&sorted),
        Method::TrimmedMean => {
            let drop = rule.drop_low.saturating_add(rule.drop_high);
            if count < drop.saturating_add(rule.min_remaining.max(1)) {
                let min_remaining = rule.min_remaining;
                note = Some(AggregateNote::NothingDropped {
                    sheets: count,
                    drop,
                    min_remaining,
                });
            } else {
                let inner = as_index(rule.drop_low)..sorted.len() - as_index(rule.drop_high);
                kept = sorted.get(inner).unwrap_or_default();
            }
        }
        Method::WeightedMean => match weighted_mean(&rule.groups, &sorted) {
            Ok(score) => exact = Some(score),
            Err(why) => return without_score(why),
        },
    }
    let exact = exact.or_else(|| mean(kept));
    let names = |sheets: &mut dyn Iterator<Item = &&SheetScore>| {
        let mut names: Vec<String> = sheets.map(|sheet| sheet.expert.clone()).collect();
        names.sort();
        names
    };
    let high = sorted.iter().rev().take(if kept.len() < sorted.len() {
        as_index(rule.drop_high)
    } else {
        0
    });
    let low = sorted.iter().take(if kept.len() < sorted.len() {
        as_index(rule.drop_low)
    } else {
        0
    });
    Aggregate {
        rounded: exact
            .as_ref()
            .map(|score| score.rounded(rule.scale, rule.rounding)),
        exact,
        used: names(&mut kept.iter()),
        dropped: names(&mut high.chain(low)),
        note,
    }
}

/// Scores of several rounds by weight: the sum of the products, unrounded. The weights are taken
/// as they are, so a policy's weights add up to 1.
#[must_use]
pub fn combine(parts: &[(Exact, Exact)]) -> Exact {
    parts.iter().map(|(score, weight)| score * weight).sum()
}

/// The band that `score` belongs to: the one with the highest lower bound that it reaches. `None`
/// below all bands. Pass the rounded score: `59.995` prints, and counts, as `60.00`.
#[must_use]
pub fn grade<'a>(bands: &'a [Grade], score: &Exact) -> Option<&'a str> {
    bands
        .iter()
        .filter(|band| &band.from <= score)
        .max_by(|a, b| a.from.cmp(&b.from))
        .map(|band| band.name.as_str())
}

fn as_index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn mean(sheets: &[&SheetScore]) -> Option<Exact> {
    let sum: Exact = sheets.iter().map(|sheet| &sheet.total).sum();
    sum.checked_div(&Exact::from_integer(i64::try_from(sheets.len()).ok()?))
}

fn median(sorted: &[&SheetScore]) -> Option<Exact> {
    let half = sorted.len() / 2;
    let first = if sorted.len().is_multiple_of(2) {
        half.checked_sub(1)?
    } else {
        half
    };
    mean(sorted.get(first..=half)?)
}

fn weighted_mean(
    weights: &BTreeMap<String, Exact>,
    sheets: &[&SheetScore],
) -> Result<Exact, AggregateNote> {
    let has_weight = |sheet: &SheetScore| {
        sheet
            .group
            .as_ref()
            .is_some_and(|g| weights.contains_key(g))
    };
    if let Some(sheet) = sheets.iter().find(|sheet| !has_weight(sheet)) {
        return Err(AggregateNote::SheetWithoutGroup {
            expert: sheet.expert.clone(),
        });
    }
    let mut parts = Vec::with_capacity(weights.len());
    for (group, weight) in weights {
        let of_group: Vec<&SheetScore> = sheets
            .iter()
            .filter(|sheet| sheet.group.as_ref() == Some(group))
            .copied()
            .collect();
        let without_sheet = || AggregateNote::GroupWithoutSheet {
            group: group.clone(),
        };
        parts.push((mean(&of_group).ok_or_else(without_sheet)?, weight.clone()));
    }
    let sum: Exact = weights.values().sum();
    Ok(combine(&parts).checked_div(&sum).unwrap_or_default())
}
