//! An assignment problem in numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::{NEVER, Network};
use super::{AssignmentError, AssignmentProblem, Pair};
use crate::draw::{DrawError, draw};

/// The order in which rows and columns of the network stand for applications and experts.
pub(super) struct Order {
    /// Index in the problem of each row.
    pub(super) applications: Vec<usize>,
    /// Index in the problem of each column.
    pub(super) experts: Vec<usize>,
    row_of: Places,
    column_of: Places,
}

impl Order {
    pub(super) fn new(problem: &AssignmentProblem) -> Result<Self, AssignmentError> {
        let mut faults = Vec::new();
        for (what, names) in [
            ("application", &problem.applications),
            ("expert", &problem.experts),
        ] {
            let mut seen = BTreeSet::new();
            let twice = names.iter().filter(|name| !seen.insert(*name));
            faults.extend(twice.map(|name| format!("{what} `{name}` is listed twice")));
        }
        if problem.per_application == 0 {
            faults.push("each application needs at least one review".into());
        }
        if problem.max_load < problem.min_load {
            let (min, max) = (problem.min_load, problem.max_load);
            faults.push(format!(
                "the minimum load {min} is above the maximum load {max}"
            ));
        }
        let mut order = |names: &[String], salt: &[u8]| match &problem.seed {
            None => (0..names.len()).collect(),
            Some(seed) => by_lot(names, &[seed, salt].concat()).unwrap_or_else(|error| {
                faults.push(error.to_string());
                Vec::new()
            }),
        };
        let applications: Vec<usize> = order(&problem.applications, b"applications");
        let experts: Vec<usize> = order(&problem.experts, b"experts");
        if !faults.is_empty() {
            return Err(AssignmentError::Faults(faults));
        }
        Ok(Self {
            row_of: Places::new(&applications, &problem.applications),
            column_of: Places::new(&experts, &problem.experts),
            applications,
            experts,
        })
    }
}

/// Where each name stands.
struct Places {
    names: Vec<String>,
    of: BTreeMap<String, usize>,
}

impl Places {
    fn new(order: &[usize], names: &[String]) -> Self {
        let names: Vec<String> = order
            .iter()
            .filter_map(|index| names.get(*index).cloned())
            .collect();
        let of = names.iter().cloned().zip(0..).collect();
        Self { names, of }
    }

    /// The place of `name`. Lists of pairs go through names in order, so `guess`, and the place
    /// after it, are tried first: it spares most searches among many pairs.
    fn find(&self, name: &str, guess: &mut usize) -> Option<usize> {
        let here = [*guess, *guess + 1]
            .into_iter()
            .find(|place| self.names.get(*place).is_some_and(|other| other == name));
        let place = here.or_else(|| self.of.get(name).copied())?;
        *guess = place;
        Some(place)
    }
}

fn by_lot(names: &[String], seed: &[u8]) -> Result<Vec<usize>, DrawError> {
    let index_of: BTreeMap<&String, usize> = names.iter().zip(0..).collect();
    let drawn = draw(names, seed)?.order;
    Ok(drawn
        .iter()
        .filter_map(|name| index_of.get(name).copied())
        .collect())
}

/// Affinities beyond this many units could add up to more than 64 bits.
const MOST_UNITS: i64 = 1 << 36;

/// The problem in numbers, and how many units of affinity make 1.
pub(super) fn build(
    problem: &AssignmentProblem,
    order: &Order,
) -> Result<(Network, i64), AssignmentError> {
    let experts = problem.experts.len();
    let mut faults = Vec::new();
    let (mut last_row, mut last_column) = (0, 0);
    let mut cell = |application: &str, expert: &str| {
        let row = order.row_of.find(application, &mut last_row);
        let column = order.column_of.find(expert, &mut last_column);
        if row.is_none() {
            faults.push(format!("there is no application `{application}`"));
        }
        if column.is_none() {
            faults.push(format!("there is no expert `{expert}`"));
        }
        Some((row?, column?))
    };
    let mut affinity = vec![0; problem.applications.len() * experts];
    let mut kept = vec![Vec::new(); problem.applications.len()];
    let listed: Vec<_> = problem
        .affinities
        .iter()
        .map(|pair| (cell(&pair.application, &pair.expert), &pair.affinity))
        .collect();
    let conflicts: Vec<_> = problem
        .conflicts
        .iter()
        .map(|pair| cell(&pair.application, &pair.expert))
        .collect();
    let keep: Vec<_> = problem
        .keep
        .iter()
        .map(|pair| cell(&pair.application, &pair.expert))
        .collect();
    let unit = listed
        .iter()
        .try_fold(1_i64, |unit, (_, affinity)| affinity.common_unit(unit));
    for (at, value) in listed {
        let Some((row, column)) = at else { continue };
        match unit
            .and_then(|unit| value.in_units_of(unit))
            .filter(|units| units.abs() < MOST_UNITS)
        {
            Some(units) => {
                if let Some(slot) = affinity.get_mut(row * experts + column) {
                    *slot = units;
                }
            }
            None => faults.push(format!(
                "affinity {value} has too many digits to be added exactly"
            )),
        }
    }
    for (row, column) in conflicts.into_iter().flatten() {
        if let Some(slot) = affinity.get_mut(row * experts + column) {
            *slot = NEVER;
        }
    }
    for (application, room) in &problem.rooms.applications {
        let Some(row) = order.row_of.of.get(application) else {
            faults.push(format!("there is no application `{application}`"));
            continue;
        };
        for (expert, column) in &order.column_of.of {
            let slot = affinity.get_mut(row * experts + column);
            if problem.rooms.experts.get(expert) != Some(room)
                && let Some(slot) = slot
            {
                *slot = NEVER;
            }
        }
    }
    for ((row, column), pair) in keep
        .into_iter()
        .zip(&problem.keep)
        .filter_map(|(at, pair)| Some((at?, pair)))
    {
        let units = affinity
            .get(row * experts + column)
            .copied()
            .unwrap_or(NEVER);
        let Pair {
            application,
            expert,
        } = pair;
        if units == NEVER {
            faults.push(format!(
                "{expert} is to keep {application}, but must not review it"
            ));
        } else if let Some(kept) = kept.get_mut(row) {
            if !kept.contains(&(column, units)) {
                kept.push((column, units));
            }
            if problem.per_application as usize == kept.len() - 1 {
                faults.push(format!(
                    "{application} is to keep more experts than it needs"
                ));
            }
        }
    }
    for (column, expert) in order.experts.iter().enumerate() {
        let load = kept
            .iter()
            .flatten()
            .filter(|(kept, _)| *kept == column)
            .count();
        if (problem.max_load as usize) < load {
            let name = problem.experts.get(*expert).map_or("", String::as_str);
            faults.push(format!(
                "{name} is to keep {load} applications, more than the maximum load"
            ));
        }
    }
    if !faults.is_empty() {
        return Err(AssignmentError::Faults(faults));
    }
    let network = Network {
        experts,
        per_application: problem.per_application as usize,
        min_load: problem.min_load as usize,
        max_load: problem.max_load as usize,
        affinity,
        kept,
    };
    Ok((network, unit.unwrap_or(1)))
}
