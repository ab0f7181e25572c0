//! How far the experts of a panel agree: for people to look at. No score is changed because of it.

use std::collections::BTreeSet;

use fundcycle_scoring::{Agreement, Exact, Marks, SpreadRule, identical_sheets, spread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Input, calibration};
use crate::policy::document::RoundRules;

/// How far the experts agreed when a panel was closed. Only those see it who see panels: the
/// bureau.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreed {
    /// Over all applications or projects.
    pub overall: Agreement,
    /// About each of them.
    pub subjects: Vec<Differences>,
}

/// How far the sheets of one application or project lie apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Differences {
    /// The application or project.
    pub subject: Uuid,
    /// Highest minus lowest total, in points.
    pub range: Exact,
    /// The sample standard deviation of the totals, in points, to 4 decimals.
    pub deviation: Exact,
    /// Whether the range is above the line of the policy.
    #[serde(default, skip_serializing_if = "is_no")]
    pub range_flag: bool,
    /// Whether the standard deviation, before rounding, is above the line of the policy.
    #[serde(default, skip_serializing_if = "is_no")]
    pub deviation_flag: bool,
    /// Groups of experts whose sheets give the same mark in every one of several criteria.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identical: Vec<BTreeSet<Uuid>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_no(flag: &bool) -> bool {
    !*flag
}

/// How far the experts who scored `inputs` agree, in the order of the applications. Pure, like
/// [`results`](super::results).
pub fn agreement(inputs: &[Input], rules: &RoundRules) -> Agreed {
    let lines = rules.spread.clone().unwrap_or_default();
    let mut subjects: Vec<Differences> = inputs
        .iter()
        .map(|input| differences(input, &lines))
        .collect();
    subjects.sort_by_key(|one| one.subject);
    Agreed {
        overall: fundcycle_scoring::agreement(&calibration::totals(inputs)),
        subjects,
    }
}

fn differences(input: &Input, lines: &SpreadRule) -> Differences {
    let totals: Vec<Exact> = input.totals.values().cloned().collect();
    let spread = spread(lines, &totals);
    let (experts, marks): (Vec<Uuid>, Vec<Marks>) = input
        .marks
        .iter()
        .map(|(expert, scores)| {
            let scores = scores.clone();
            let marks = Marks {
                scores,
                ..Marks::default()
            };
            (*expert, marks)
        })
        .unzip();
    let marks: Vec<&Marks> = marks.iter().collect();
    let identical = identical_sheets(&marks).into_iter().map(|group| {
        let experts = group.sheets.iter().filter_map(|at| experts.get(*at));
        experts.copied().collect()
    });
    Differences {
        subject: input.subject,
        deviation: spread.deviation(Agreement::DECIMALS),
        range: spread.range,
        range_flag: spread.range_flag,
        deviation_flag: spread.deviation_flag,
        identical: identical.collect(),
    }
}
