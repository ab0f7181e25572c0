//! Scores made comparable between lenient and strict experts, where the policy asks for it.

use std::collections::BTreeMap;

use fundcycle_scoring::{
    Calibrated, CalibrationRules, Exact, Leniency, LinkedPart, TableFault, calibrated,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Input;
use crate::policy::document::RoundRules;
use crate::rejection::{Fault, Rejection};

/// What was learnt about the experts of a round when its scores were calibrated. Only those see it
/// who see panels: the bureau.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// By which rule.
    pub rules: CalibrationRules,
    /// How lenient each expert is.
    pub experts: BTreeMap<String, Leniency>,
    /// A warning: the parts of the panel that no expert links, so that their levels cannot be
    /// compared. Empty where all are linked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlinked: Vec<LinkedPart>,
}

/// What calibration says of the experts who scored `inputs`; nothing where the round does not
/// calibrate. Pure, like [`results`](super::results).
///
/// # Errors
///
/// [`Rejection::Invalid`] if the totals have no common unit.
pub fn calibration(inputs: &[Input], rules: &RoundRules) -> Result<Option<Calibration>, Rejection> {
    let Some(calibrated) = scores(inputs, rules)? else {
        return Ok(None);
    };
    let linked = calibrated.parts.len() < 2;
    Ok(rules.calibration.clone().map(|rules| Calibration {
        rules,
        experts: calibrated.experts,
        unlinked: if linked { Vec::new() } else { calibrated.parts },
    }))
}

/// The calibrated scores of `inputs`; nothing where the round does not calibrate.
pub(super) fn scores(
    inputs: &[Input],
    rules: &RoundRules,
) -> Result<Option<Calibrated>, Rejection> {
    let Some(rules) = &rules.calibration else {
        return Ok(None);
    };
    calibrated(rules, &totals(inputs))
        .map(Some)
        .map_err(|faults| Rejection::Invalid {
            faults: faults.iter().map(|fault| not_comparable(*fault)).collect(),
        })
}

/// The totals by application and expert, in the order of their names.
pub(super) fn totals(inputs: &[Input]) -> BTreeMap<String, BTreeMap<String, Exact>> {
    inputs
        .iter()
        .map(|input| {
            let sheets = input.totals.iter();
            let sheets = sheets.map(|(expert, total)| (expert.to_string(), total.clone()));
            (input.subject.to_string(), sheets.collect())
        })
        .collect()
}

fn not_comparable(fault: TableFault) -> Fault {
    Fault::new(
        "",
        "calibration",
        format!("The scores cannot be calibrated: {fault}."),
        format!("评分无法校准:{fault}。"),
    )
}
