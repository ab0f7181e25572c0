//! Calibration as a policy asks for it and as a result is recorded: exact decimals only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Calibration, CalibrationRule, additive, calibrate};
use crate::fixed::Fixed;
use crate::number::{Exact, Rounding};
use crate::table::{ScoreRow, ScoreTable, TableFault};

/// How a round makes the scores of lenient and strict experts comparable. Leave it out to rank by
/// the scores as given. Needs `method = "mean"` in the aggregation, and is only for rounds that
/// rank. The raw mean and rank are always recorded beside the calibrated ones.
///
/// Where experts and applications fall into parts that no expert links, levels of different parts
/// cannot be compared: the panel closes all the same, and the record names the parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationRules {
    /// The rule itself.
    pub method: CalibrationMethod,
    /// For `additive`: the penalty on the squared effects of experts, which draws those with few
    /// scores to 0; not negative, 0 if absent.
    #[serde(default, skip_serializing_if = "Exact::is_zero")]
    pub ridge: Exact,
    /// Decimals to which calibrated figures are rounded (half away from zero) before anything
    /// compares them: at least those of the round's score, at most 9; 6 if absent.
    #[serde(default = "six")]
    pub precision: u8,
}

/// The ways to calibrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// Each expert's scores are standardised, mapped to the mean and spread of all scores, and
    /// averaged per application.
    ZScore,
    /// Least squares of score = application + expert.
    Additive,
}

/// The scores of a round after calibration, and what was learnt about its experts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calibrated {
    /// The calibrated score of each application with a sheet, at the declared precision.
    pub scores: BTreeMap<String, Exact>,
    /// How each expert scores.
    pub experts: BTreeMap<String, Leniency>,
    /// The parts of the table that no expert links; one if all are linked.
    pub parts: Vec<LinkedPart>,
}

/// How an expert scores, at the declared precision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leniency {
    /// Scores given.
    pub sheets: u32,
    /// Points above (lenient) or below (strict) the others: for `z_score` the expert's mean minus
    /// the mean of all scores, for `additive` the estimated effect.
    pub leniency: Exact,
    /// Its standard error: for `z_score` the sample deviation of the expert's scores over the root
    /// of their number, for `additive` that of the model without ridge. Absent where there are too
    /// few scores to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<Exact>,
}

/// Applications and experts that are linked by common sheets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkedPart {
    /// The applications or projects.
    pub subjects: Vec<String>,
    /// The experts.
    pub experts: Vec<String>,
}

const fn six() -> u8 {
    6
}

impl CalibrationRules {
    /// The most decimals that calibration is good for: it computes with some 15 digits.
    pub const MOST_DECIMALS: u8 = 9;

    fn rule(&self) -> CalibrationRule {
        match self.method {
            CalibrationMethod::ZScore => CalibrationRule::ZScore,
            CalibrationMethod::Additive => CalibrationRule::Additive {
                ridge: self.ridge.clone(),
            },
        }
    }

    fn settle(&self, value: f64) -> Option<Exact> {
        Fixed::from_f64(value, self.precision, Rounding::HalfUp).map(Fixed::to_exact)
    }
}

/// Calibrates `totals`, by application and expert. The same totals give the same digits: they are
/// taken in the order of their keys, and every figure is rounded to the declared precision.
pub fn calibrated(
    rules: &CalibrationRules,
    totals: &BTreeMap<String, BTreeMap<String, Exact>>,
) -> Result<Calibrated, Vec<TableFault>> {
    let table = table_of(totals)?;
    let fit = calibrate(&rules.rule(), &table);
    let errors = errors(rules, &fit, &table);
    let scores = table.applications().iter().zip(&fit.scores);
    let experts = table.experts().iter().zip(&fit.experts).zip(errors);
    let (parts, part_of) = additive::parts(&table);
    let parts = parts.iter().enumerate().map(|(number, part)| {
        let own = |(_, part): &(&String, &usize)| **part == number;
        let mut experts: Vec<String> = table
            .experts()
            .iter()
            .zip(&part_of)
            .filter(own)
            .map(|(expert, _)| expert.clone())
            .collect();
        experts.sort_unstable();
        LinkedPart {
            subjects: part
                .iter()
                .filter_map(|application| table.applications().get(*application).cloned())
                .collect(),
            experts,
        }
    });
    Ok(Calibrated {
        scores: scores
            .filter_map(|(id, score)| Some((id.clone(), rules.settle((*score)?)?)))
            .collect(),
        experts: experts
            .filter_map(|((id, effect), error)| {
                let leniency = Leniency {
                    sheets: effect.sheets,
                    leniency: rules.settle(effect.leniency)?,
                    standard_error: error.and_then(|error| rules.settle(error)),
                };
                Some((id.clone(), leniency))
            })
            .collect(),
        parts: parts.collect(),
    })
}

/// A table of `totals`, by application and expert.
pub(crate) fn table_of(
    totals: &BTreeMap<String, BTreeMap<String, Exact>>,
) -> Result<ScoreTable, Vec<TableFault>> {
    ScoreTable::new(totals.iter().flat_map(|(application, sheets)| {
        sheets.iter().map(|(expert, score)| ScoreRow {
            expert,
            application,
            score: Some(score),
        })
    }))
}

fn errors(rules: &CalibrationRules, fit: &Calibration, table: &ScoreTable) -> Vec<Option<f64>> {
    match rules.method {
        CalibrationMethod::ZScore => errors_of_means(table),
        CalibrationMethod::Additive if rules.ridge.is_zero() => fit.standard_errors(table),
        CalibrationMethod::Additive => {
            let free = CalibrationRule::Additive { ridge: Exact::ZERO };
            calibrate(&free, table).standard_errors(table)
        }
    }
}

/// The standard error of each expert's mean score; absent with fewer than two scores.
#[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
fn errors_of_means(table: &ScoreTable) -> Vec<Option<f64>> {
    let mut own: Vec<Vec<f64>> = vec![Vec::new(); table.experts().len()];
    for (expert, units) in table.sheets().iter() {
        if let Some(own) = own.get_mut(expert) {
            own.push(units as f64 / table.per_point() as f64);
        }
    }
    let error = |scores: Vec<f64>| {
        let count = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / count;
        let squares: f64 = scores.iter().map(|one| (one - mean) * (one - mean)).sum();
        (2 <= scores.len()).then(|| (squares / (count - 1.0) / count).sqrt())
    };
    own.into_iter().map(error).collect()
}
