//! How far experts agree: flags for people to look at. No score is ever changed because of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibrate::table_of;
use crate::fixed::Fixed;
use crate::number::{Exact, Rounding};
use crate::table::ScoreTable;

/// When the sheets of one application lie too far apart (`domain.md` §5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpreadRule {
    /// Flag if the highest and the lowest total are more than this apart, in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Exact>,
    /// Flag if the sample standard deviation of the totals is above this, in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Exact>,
}

/// How far the totals of one application lie apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Highest minus lowest total, in points; 0 with fewer than two sheets.
    pub range: Exact,
    /// The square of the sample standard deviation; 0 with fewer than two sheets.
    pub variance: Exact,
    /// Whether the range is above its line.
    pub range_flag: bool,
    /// Whether the standard deviation is above its line.
    pub deviation_flag: bool,
}

/// How far the totals of one application lie apart, exactly.
#[must_use]
pub fn spread(rule: &SpreadRule, totals: &[Exact]) -> Spread {
    let range = match (totals.iter().max(), totals.iter().min()) {
        (Some(highest), Some(lowest)) => highest - lowest,
        _ => Exact::ZERO,
    };
    let count = i64::try_from(totals.len()).unwrap_or(i64::MAX);
    let sum: Exact = totals.iter().sum();
    let mean = sum
        .checked_div(&Exact::from_integer(count))
        .unwrap_or_default();
    let squares: Exact = totals
        .iter()
        .map(|total| {
            let off = total - &mean;
            &off * &off
        })
        .sum();
    let variance = squares
        .checked_div(&Exact::from_integer(count - 1))
        .unwrap_or_default();
    Spread {
        range_flag: rule.range.as_ref().is_some_and(|line| line < &range),
        deviation_flag: rule
            .deviation
            .as_ref()
            .is_some_and(|line| line * line < variance),
        range,
        variance,
    }
}

impl Spread {
    /// The sample standard deviation, to the nearest with `scale` decimals.
    #[must_use]
    pub fn deviation(&self, scale: u8) -> Exact {
        self.variance.root(scale)
    }
}

/// How far the experts of a round agree, as it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// ICC(1,k), the reliability of the mean of the experts' scores; absent where it cannot be
    /// told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icc_1k: Option<Exact>,
    /// Krippendorff's alpha for interval data; absent where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Exact>,
}

impl Agreement {
    /// Decimals of both statistics, rounded half away from zero, and of deviations beside them.
    pub const DECIMALS: u8 = 4;
}

/// How far experts agree about `totals`, by application and expert, at [`Agreement::DECIMALS`].
/// Nothing can be told of totals without a common unit.
#[must_use]
pub fn agreement(totals: &BTreeMap<String, BTreeMap<String, Exact>>) -> Agreement {
    let Ok(table) = table_of(totals) else {
        return Agreement::default();
    };
    let settle = |value: Option<f64>| {
        let fixed = Fixed::from_f64(value?, Agreement::DECIMALS, Rounding::HalfUp)?;
        Some(fixed.to_exact())
    };
    Agreement {
        icc_1k: settle(icc_1k(&table)),
        alpha: settle(krippendorff_alpha(&table)),
    }
}

/// Two sheets of one application with the same mark in every criterion: copied, perhaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdenticalSheets {
    /// Positions of sheets that are all equal, two or more, in the order given.
    pub sheets: Vec<usize>,
}

/// Groups of sheets of one application whose marks are equal in every criterion. Sheets with fewer
/// than two criteria are not compared: equal totals are no news.
#[must_use]
pub fn identical_sheets(sheets: &[&crate::Marks]) -> Vec<IdenticalSheets> {
    let mut places: BTreeMap<&BTreeMap<String, Exact>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, marks) in sheets.iter().enumerate() {
        if marks.scores.len() < 2 {
            continue;
        }
        let place = *places.entry(&marks.scores).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    let several = groups.into_iter().filter(|group| 1 < group.len());
    several.map(|sheets| IdenticalSheets { sheets }).collect()
}

/// The reliability of the mean of `k` experts per application, each application scored by `k` of
/// any experts: ICC(1,k) = (MSB - MSW) / MSB, from the one-way analysis of variance. With unequal
/// numbers of sheets the mean squares are those of the unbalanced table.
///
/// At most 1; below 0 if experts differ more about one application than applications differ.
/// Applications with one sheet say nothing about agreement and are left out. `None` with fewer
/// than two applications left, or if all their means are equal.
#[must_use]
pub fn icc_1k(table: &ScoreTable) -> Option<f64> {
    let rated: Vec<Vec<f64>> = points(table);
    let sheets: f64 = rated.iter().map(|own| length(own)).sum();
    let grand = rated.iter().flatten().sum::<f64>() / sheets;
    let (mut between, mut within) = (0.0, 0.0);
    for own in &rated {
        let mean = own.iter().sum::<f64>() / length(own);
        between += length(own) * (mean - grand).powi(2);
        within += own.iter().map(|score| (score - mean).powi(2)).sum::<f64>();
    }
    let between = between / (length(&rated) - 1.0);
    let within = within / (sheets - length(&rated));
    (2 <= rated.len() && 0.0 < between).then(|| (between - within) / between)
}

/// Krippendorff's alpha for interval data: 1 minus observed over expected disagreement. Missing
/// sheets are no obstacle; applications with one sheet are left out.
///
/// `None` if nothing can be compared or all scores are equal.
#[must_use]
pub fn krippendorff_alpha(table: &ScoreTable) -> Option<f64> {
    let rated = points(table);
    let all: Vec<f64> = rated.iter().flatten().copied().collect();
    // The sum over ordered pairs of squared differences is 2n Σx² - 2(Σx)², here from the mean.
    let pairs = |scores: &[f64]| {
        let mean = scores.iter().sum::<f64>() / length(scores);
        2.0 * length(scores)
            * scores
                .iter()
                .map(|score| (score - mean).powi(2))
                .sum::<f64>()
    };
    let observed: f64 = rated
        .iter()
        .map(|own| pairs(own) / (length(own) - 1.0))
        .sum();
    let expected = pairs(&all) / (length(&all) - 1.0);
    (!all.is_empty() && 0.0 < expected).then(|| 1.0 - observed / expected)
}

/// The scores of each application with two sheets or more.
#[expect(clippy::cast_precision_loss, reason = "a statistic, not a score")]
fn points(table: &ScoreTable) -> Vec<Vec<f64>> {
    let per_point = table.per_point() as f64;
    let several = table.by_application().filter(|sheets| 1 < sheets.len());
    several
        .map(|sheets| {
            let points = sheets.units.iter().map(|units| *units as f64 / per_point);
            points.collect()
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a statistic, not a score")]
fn length<T>(items: &[T]) -> f64 {
    items.len() as f64
}
