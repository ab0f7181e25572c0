//! Least squares of score = application + expert on a sparse table.
//!
//! The applications' effects are eliminated: each is the mean of its scores minus its experts'
//! effects. What is left is one symmetric system over the experts, solved by conjugate gradients
//! with the number of scores as preconditioner. Each step is one pass over the sheets, so the work
//! is linear in them.

use super::{Calibration, ExpertEffect};
use crate::table::ScoreTable;

/// The part of the squared length at which a first solution stops, and one for what it left over.
///
/// Solving again squeezes out the rounding of the first solution, which some digits suffice for.
const ENOUGH: [f64; 3] = [1e-26, 1e-14, 1e-14];

/// Along a direction whose curvature is below this part of its length the system is level, but for
/// rounding.
const LEVEL: f64 = 1e-13;

#[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
pub(super) fn fit(table: &ScoreTable, ridge: f64) -> Calibration {
    let experts = table.experts().len();
    let (parts, part_of_expert) = parts(table);
    let system = System::new(table, ridge, &part_of_expert, parts.len());

    let points: Vec<f64> = table
        .sheets()
        .units
        .iter()
        .map(|units| *units as f64 / table.per_point() as f64)
        .collect();
    let mut effects = vec![0.0; experts];
    for enough in ENOUGH {
        let residual = system.residual(&points, &effects);
        let correction = system.solve(&residual, enough);
        add_scaled(&mut effects, 1.0, &correction);
    }
    centre(&mut effects, &system.counts, &part_of_expert, parts.len());

    let mut rest = points.as_slice();
    let scores = table.by_application().map(|sheets| {
        let (own, after) = rest.split_at_checked(sheets.len())?;
        rest = after;
        let sum: f64 = own
            .iter()
            .zip(sheets.experts)
            .map(|(score, expert)| score - at(&effects, *expert))
            .sum();
        (0 < sheets.len()).then(|| sum / sheets.len() as f64)
    });
    let scores = scores.collect();
    let effect = |(leniency, count): (&f64, &f64)| ExpertEffect {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows"
        )]
        sheets: *count as u32,
        leniency: *leniency,
    };
    let experts = effects.iter().zip(&system.counts).map(effect).collect();
    Calibration {
        scores,
        experts,
        parts,
    }
}

/// Shifts the effects of each part so that, weighted by their scores, they sum to 0.
fn centre(effects: &mut [f64], counts: &[f64], part_of: &[usize], parts: usize) {
    let mut sums = vec![(0.0, 0.0); parts];
    for ((effect, count), part) in effects.iter().zip(counts).zip(part_of) {
        if let Some(sum) = sums.get_mut(*part) {
            sum.0 += effect * count;
            sum.1 += count;
        }
    }
    for (effect, part) in effects.iter_mut().zip(part_of) {
        if let Some((sum, count)) = sums.get(*part) {
            *effect -= sum / count;
        }
    }
}

/// The connected parts of the table: the applications of each, and the part of each expert.
pub(super) fn parts(table: &ScoreTable) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut leader: Vec<usize> = (0..table.experts().len()).collect();
    for sheets in table.by_application() {
        for pair in sheets.experts.windows(2) {
            if let &[a, b] = pair {
                let (a, b) = (root(&mut leader, a as usize), root(&mut leader, b as usize));
                if let Some(slot) = leader.get_mut(a.max(b)) {
                    *slot = a.min(b);
                }
            }
        }
    }
    let mut number_of_root = vec![None; leader.len()];
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (application, sheets) in table.by_application().enumerate() {
        let Some(expert) = sheets.experts.first() else {
            continue;
        };
        let root = root(&mut leader, *expert as usize);
        let Some(number) = number_of_root.get_mut(root) else {
            continue;
        };
        let number = *number.get_or_insert_with(|| {
            parts.push(Vec::new());
            parts.len() - 1
        });
        if let Some(part) = parts.get_mut(number) {
            part.push(application);
        }
    }
    let part_of_expert = (0..leader.len())
        .map(|expert| {
            let root = root(&mut leader, expert);
            number_of_root.get(root).copied().flatten().unwrap_or(0)
        })
        .collect();
    (parts, part_of_expert)
}

/// The leader of `item`'s set; the path to it is halved on the way.
fn root(leader: &mut [usize], mut item: usize) -> usize {
    while let Some(up) = leader.get(item).copied().filter(|up| *up != item) {
        let above = leader.get(up).copied().unwrap_or(up);
        if let Some(slot) = leader.get_mut(item) {
            *slot = above;
        }
        item = above;
    }
    item
}

/// The system over the experts that is left when the applications are eliminated.
struct System<'a> {
    table: &'a ScoreTable,
    ridge: f64,
    /// The number of scores of each expert.
    counts: Vec<f64>,
    /// The part of each expert.
    part_of: &'a [usize],
    parts: usize,
}

impl<'a> System<'a> {
    fn new(table: &'a ScoreTable, ridge: f64, part_of: &'a [usize], parts: usize) -> Self {
        let mut counts = vec![0.0; table.experts().len()];
        for expert in table.sheets().experts {
            if let Some(count) = counts.get_mut(*expert as usize) {
                *count += 1.0;
            }
        }
        Self {
            table,
            ridge,
            counts,
            part_of,
            parts,
        }
    }

    /// For each expert the sum of what the model leaves unexplained of the scores.
    #[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
    fn residual(&self, points: &[f64], effects: &[f64]) -> Vec<f64> {
        let mut left: Vec<f64> = effects.iter().map(|effect| -self.ridge * effect).collect();
        let mut rest = points;
        for sheets in self.table.by_application() {
            let Some((own, after)) = rest.split_at_checked(sheets.len()) else {
                break;
            };
            rest = after;
            let off = |(expert, score): (&u32, &f64)| score - at(effects, *expert);
            let mean = sheets.experts.iter().zip(own).map(off).sum::<f64>() / sheets.len() as f64;
            for pair in sheets.experts.iter().zip(own) {
                if let Some(left) = left.get_mut(*pair.0 as usize) {
                    *left += off(pair) - mean;
                }
            }
        }
        left
    }

    /// The matrix of the system times `vector`.
    #[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let own = self.counts.iter().zip(vector);
        let mut product: Vec<f64> = own.map(|(count, x)| (count + self.ridge) * x).collect();
        for sheets in self.table.by_application() {
            let sum: f64 = sheets
                .experts
                .iter()
                .map(|expert| at(vector, *expert))
                .sum();
            let mean = sum / sheets.len() as f64;
            for expert in sheets.experts {
                if let Some(product) = product.get_mut(*expert as usize) {
                    *product -= mean;
                }
            }
        }
        product
    }

    /// Conjugate gradients from 0. Without ridge the system is singular by one constant per part,
    /// which the right-hand side is free of but for rounding. What rounding adds is taken out, and
    /// no step is taken along what is left of it: nothing would hold back such a step.
    fn solve(&self, right: &[f64], enough: f64) -> Vec<f64> {
        let conditioned = |r: &[f64]| -> Vec<f64> {
            let pairs = r.iter().zip(&self.counts);
            let mut z: Vec<f64> = pairs.map(|(r, count)| r / (count + self.ridge)).collect();
            if self.ridge == 0.0 {
                centre(&mut z, &self.counts, self.part_of, self.parts);
            }
            z
        };
        let mut solution = vec![0.0; right.len()];
        let mut z = conditioned(right);
        let weighted = |x: &[f64]| -> Vec<f64> {
            let pairs = x.iter().zip(&self.counts);
            pairs.map(|(x, count)| x * (count + self.ridge)).collect()
        };
        let mut residual = weighted(&z);
        let mut direction = z.clone();
        let mut size = dot(&residual, &z);
        let enough = size * enough;
        // In exact arithmetic as many steps as experts suffice.
        for _ in 0..2 * right.len() + 20 {
            if size <= enough || size == 0.0 {
                break;
            }
            let product = self.times(&direction);
            let curvature = dot(&direction, &product);
            if curvature <= dot(&direction, &weighted(&direction)) * LEVEL {
                break;
            }
            let step = size / curvature;
            add_scaled(&mut solution, step, &direction);
            add_scaled(&mut residual, -step, &product);
            z = conditioned(&residual);
            let next = dot(&residual, &z);
            let ratio = next / size;
            for (direction, z) in direction.iter_mut().zip(&z) {
                *direction = z + ratio * *direction;
            }
            size = next;
        }
        solution
    }
}

fn at(values: &[f64], index: u32) -> f64 {
    values.get(index as usize).copied().unwrap_or(0.0)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_scaled(sum: &mut [f64], factor: f64, other: &[f64]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += factor * other;
    }
}
