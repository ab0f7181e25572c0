//! Which expert reviews which application.
//!
//! The assignment is the best there is, and says so: its total affinity equals a bound that prices
//! on the experts' time prove. Where no assignment keeps all limits, a small set of applications
//! and experts that cannot work is named.

mod cause;
mod fair;
mod flow;
mod network;
mod prices;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::Exact;
use network::Order;

/// What is to be assigned, and within what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentProblem {
    /// The applications, each once.
    pub applications: Vec<String>,
    /// The experts, each once.
    pub experts: Vec<String>,
    /// How well they fit. A pair that is not listed has affinity 0 and may be assigned.
    #[serde(default)]
    pub affinities: Vec<Affinity>,
    /// Pairs that must never be.
    #[serde(default)]
    pub conflicts: Vec<Pair>,
    /// Pairs that are assigned already and stay.
    #[serde(default)]
    pub keep: Vec<Pair>,
    /// Reviews of each application.
    pub per_application: u32,
    /// The most reviews of each expert.
    pub max_load: u32,
    /// The fewest reviews of each expert.
    #[serde(default)]
    pub min_load: u32,
    /// What is best.
    #[serde(default)]
    pub fairness: Fairness,
    /// Panels fixed by room: the room of applications and of experts. An application with a room
    /// gets experts of that room only.
    #[serde(default)]
    pub rooms: Rooms,
    /// Decides between equally good assignments, and nothing else: applications and experts are
    /// taken in the order drawn with it. Without it, in the order listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Vec<u8>>,
}

/// How well an expert fits an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Affinity {
    /// The application.
    pub application: String,
    /// The expert.
    pub expert: String,
    /// The more, the better.
    pub affinity: Exact,
}

/// An application and an expert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The application.
    pub application: String,
    /// The expert.
    pub expert: String,
}

/// Which room everyone sits in. Who is not listed has no room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rooms {
    /// The room of an application.
    #[serde(default)]
    pub applications: BTreeMap<String, String>,
    /// The room of an expert.
    #[serde(default)]
    pub experts: BTreeMap<String, String>,
}

/// What the best assignment is best at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fairness {
    /// The total affinity.
    #[default]
    Total,
    /// The affinity of the application that fares worst; among equals, the total.
    WorstFirst,
}

/// Who reviews what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The pairs, by application and expert in the order of the problem.
    pub pairs: Vec<Affinity>,
    /// The total affinity.
    pub objective: Exact,
    /// What the total cannot exceed (with `worst_first`: without harming the application that fares
    /// worst). Equal to the objective when that is proven best.
    pub bound: Exact,
    /// The least sum of affinities of any application.
    pub minimum_application_affinity: Exact,
    /// What that cannot exceed; only with `worst_first`.
    pub minimum_bound: Option<Exact>,
}

/// Why there is no assignment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// The problem contradicts itself: all its faults.
    #[error("{}", .0.join("; "))]
    Faults(Vec<String>),
    /// No assignment keeps all limits.
    #[error("{0}")]
    Infeasible(Cause),
}

/// A small set that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The applications, in the order of the problem.
    pub applications: Vec<String>,
    /// The experts, in the order of the problem.
    pub experts: Vec<String>,
    /// Reviews needed of, or by, these.
    pub needed: u64,
    /// Reviews possible.
    pub possible: u64,
    /// Whether the experts have too little to do, and not too much.
    pub idle: bool,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            applications,
            experts,
            needed,
            possible,
            idle,
        } = self;
        let (a, e) = (applications.len(), experts.len());
        let (all, also) = (applications.join(", "), experts.join(", "));
        if let ([one], true) = (experts.as_slice(), idle) {
            write!(
                out,
                "expert {one} must review {needed}, but only {possible} can be given to it"
            )
        } else if *idle {
            write!(
                out,
                "these {e} experts ({also}) must review {needed}, but only {possible} can be given to them"
            )
        } else if let [one] = applications.as_slice() {
            write!(
                out,
                "application {one} needs {needed} experts and has only {possible}: {also}"
            )
        } else {
            write!(
                out,
                "these {a} applications ({all}) share only {e} eligible experts ({also}), who can give \
                 {possible} of the {needed} reviews they need"
            )
        }
    }
}

/// Finds the best assignment.
pub fn assign(problem: &AssignmentProblem) -> Result<Assignment, AssignmentError> {
    let order = Order::new(problem)?;
    let (network, unit) = network::build(problem, &order)?;
    cause::check(problem, &order, &network)?;
    let stuck = |stuck| AssignmentError::Infeasible(cause::of(problem, &order, &network, &stuck));
    let (solution, minimum_bound) = match problem.fairness {
        Fairness::Total => (network.solve().map_err(stuck)?, None),
        Fairness::WorstFirst => {
            let (solution, minimum) = fair::solve(&network).map_err(stuck)?;
            (solution, Some(minimum))
        }
    };
    let points = |units: i64| Exact::ratio(units.into(), unit.into()).unwrap_or_default();
    let mut pairs = Vec::new();
    let mut least = None;
    for (application, experts) in solution.experts.iter().enumerate() {
        let row = network.row(application);
        let sum: i64 = experts.iter().filter_map(|expert| row.get(*expert)).sum();
        least = Some(least.map_or(sum, |least: i64| least.min(sum)));
        for expert in experts {
            pairs.push((
                order
                    .applications
                    .get(application)
                    .copied()
                    .unwrap_or_default(),
                order.experts.get(*expert).copied().unwrap_or_default(),
                points(row.get(*expert).copied().unwrap_or_default()),
            ));
        }
    }
    pairs.sort_unstable_by_key(|(application, expert, _)| (*application, *expert));
    let name = |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
    Ok(Assignment {
        pairs: pairs
            .into_iter()
            .map(|(application, expert, affinity)| Affinity {
                application: name(&problem.applications, application),
                expert: name(&problem.experts, expert),
                affinity,
            })
            .collect(),
        objective: points(solution.total),
        bound: points(solution.bound),
        minimum_application_affinity: points(least.unwrap_or(0)),
        minimum_bound: minimum_bound.map(points),
    })
}
