//! Calibration: making scores of lenient and strict experts comparable.
//!
//! Off unless a policy asks for it, and never shown without the raw scores beside it. This is the
//! one place where binary floating point is used; results are rounded to the declared scale before
//! anything compares them.

mod additive;
mod errors;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use rules::table_of;
pub use rules::{
    Calibrated, CalibrationMethod, CalibrationRules, Leniency, LinkedPart, calibrated,
};

use crate::fixed::Fixed;
use crate::number::{Exact, Rounding};
use crate::table::{Placed, ScoreTable, placed_in_order, total};

/// How scores are calibrated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum CalibrationRule {
    /// Each expert's scores are standardised (population standard deviation), mapped to the mean
    /// and spread of all scores, and averaged per application. An expert with one score, or with
    /// equal scores, contributes the overall mean.
    ZScore,
    /// Least squares of score = application + expert. In each connected part of the table the
    /// experts' effects, weighted by their number of scores, sum to 0.
    Additive {
        /// Penalty on the squared effects of experts; draws those with few scores to 0.
        #[serde(default)]
        ridge: Exact,
    },
}

/// Calibrated scores beside raw ones, and what was learnt about the experts.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The score of each application of the table; absent without a sheet.
    pub scores: Vec<Option<f64>>,
    /// What is known of each expert of the table.
    pub experts: Vec<ExpertEffect>,
    /// The connected parts of the table, as indices of applications; more than one means that no
    /// expert links them, so that levels of different parts cannot be compared. Applications
    /// without a sheet are in none.
    pub parts: Vec<Vec<usize>>,
}

/// How an expert scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpertEffect {
    /// Scores given.
    pub sheets: u32,
    /// Points above (lenient) or below (strict) the others: for `z_score` the expert's mean minus
    /// the overall mean, for `additive` the estimated effect.
    pub leniency: f64,
}

/// Calibrates all scores of `table`.
#[must_use]
pub fn calibrate(rule: &CalibrationRule, table: &ScoreTable) -> Calibration {
    match rule {
        CalibrationRule::ZScore => z_score(table),
        CalibrationRule::Additive { ridge } => additive::fit(table, ridge.to_f64()),
    }
}

impl Calibration {
    /// The standard error of each expert's leniency under the additive model without ridge; absent
    /// where there are no more scores than unknowns. Cubic in the number of experts of a part.
    #[must_use]
    pub fn standard_errors(&self, table: &ScoreTable) -> Vec<Option<f64>> {
        errors::standard_errors(self, table)
    }

    /// The applications by calibrated score, rounded; the raw mean stands beside it.
    #[must_use]
    pub fn ranking(&self, table: &ScoreTable, scale: u8, rounding: Rounding) -> Vec<Placed> {
        let means = table.means(scale, rounding);
        let placed = table.by_application().zip(&self.scores).enumerate();
        let placed = placed.map(|(application, (sheets, score))| {
            let raw = means.mean(total(sheets.units), sheets.len());
            let sheets = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
            Placed {
                application,
                rank: None,
                score: score.and_then(|score| Fixed::from_f64(score, scale, rounding)),
                raw,
                sheets,
                used: sheets,
            }
        });
        placed_in_order(placed.collect())
    }
}

/// What is added up for each expert.
#[derive(Clone, Copy, Default)]
struct Tally {
    sheets: u32,
    sum: f64,
    squares: f64,
    lowest: Option<i64>,
    varies: bool,
    /// The expert's mean less the mean of all.
    leniency: f64,
}

#[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
fn z_score(table: &ScoreTable) -> Calibration {
    let sheets = table.sheets();
    let (number, per_point) = (sheets.len() as f64, table.per_point() as f64);
    let points = |units: i64| units as f64 / per_point;
    let all: f64 = sheets.units.iter().map(|units| points(*units)).sum();
    let mean = all / number;
    let mut tallies = vec![Tally::default(); table.experts().len()];
    for (expert, units) in sheets.iter() {
        let Some(tally) = tallies.get_mut(expert) else {
            continue;
        };
        // Whether the scores are all equal is decided on integers: a float would say almost.
        tally.varies |= tally.lowest.is_some_and(|lowest| lowest != units);
        tally.lowest = Some(units);
        tally.sheets += 1;
        tally.sum += points(units) - mean;
    }
    for tally in &mut tallies {
        tally.leniency = tally.sum / f64::from(tally.sheets);
    }
    let mut spread = 0.0;
    for (expert, units) in sheets.iter() {
        let Some(tally) = tallies.get_mut(expert) else {
            continue;
        };
        let off = points(units) - mean;
        spread += off * off;
        let own = off - tally.leniency;
        tally.squares += own * own;
    }
    let spread = (spread / number).sqrt();
    // What an expert's points are multiplied by, after its leniency is taken off.
    let factor = |tally: &Tally| {
        let own = (tally.squares / f64::from(tally.sheets)).sqrt();
        if tally.varies { spread / own } else { 0.0 }
    };
    let scales: Vec<(f64, f64)> = tallies.iter().map(|t| (t.leniency, factor(t))).collect();
    let scores = table.by_application().map(|sheets| {
        let standardised = sheets.iter().filter_map(|(expert, units)| {
            let (leniency, factor) = scales.get(expert)?;
            Some((points(units) - mean - leniency) * factor)
        });
        let sum: f64 = standardised.sum();
        (0 < sheets.len()).then(|| mean + sum / sheets.len() as f64)
    });
    Calibration {
        scores: scores.collect(),
        experts: tallies
            .iter()
            .map(|tally| ExpertEffect {
                sheets: tally.sheets,
                leniency: tally.leniency,
            })
            .collect(),
        parts: additive::parts(table).0,
    }
}
