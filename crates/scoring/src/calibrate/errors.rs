//! Standard errors of the experts' effects in the additive model.
//!
//! With `S` the system over the experts of one part, `w` their numbers of scores and `W` the sum of
//! these, the effects centred by `w` have covariance `variance * (G - 1/W)` with `G` the inverse of
//! `S + w wᵀ / W`. The variance is the residual sum of squares over the degrees of freedom.

use super::{Calibration, additive};
use crate::table::ScoreTable;

#[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
pub(super) fn standard_errors(fit: &Calibration, table: &ScoreTable) -> Vec<Option<f64>> {
    let experts = table.experts().len();
    let (parts, part_of) = additive::parts(table);
    let scored = fit.scores.iter().flatten().count();
    let unknowns = (scored + experts).saturating_sub(parts.len());
    let freedom = table.sheets().len().saturating_sub(unknowns);
    let mut errors = vec![None; experts];
    if freedom == 0 {
        return errors;
    }
    let variance = residual_squares(fit, table) / freedom as f64;
    // The place of each expert among those of its part.
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
    let mut place = Vec::with_capacity(experts);
    for (expert, part) in part_of.iter().enumerate() {
        if let Some(members) = members.get_mut(*part) {
            place.push(members.len());
            members.push(expert);
        }
    }
    for (part, members) in parts.iter().zip(&members) {
        let counts: Vec<f64> = members
            .iter()
            .map(|expert| {
                fit.experts
                    .get(*expert)
                    .map_or(0.0, |effect| effect.sheets.into())
            })
            .collect();
        let total: f64 = counts.iter().sum();
        let mut matrix = Matrix::new(members.len());
        for (i, a) in counts.iter().enumerate() {
            for (j, b) in counts.iter().enumerate() {
                matrix.add(i, j, a * b / total);
            }
            matrix.add(i, i, *a);
        }
        let in_part: std::collections::BTreeSet<usize> = part.iter().copied().collect();
        let own = table
            .by_application()
            .enumerate()
            .filter(|(a, _)| in_part.contains(a));
        for (_, sheets) in own {
            for a in sheets.experts {
                for b in sheets.experts {
                    let (Some(i), Some(j)) = (place.get(*a as usize), place.get(*b as usize))
                    else {
                        continue;
                    };
                    matrix.add(*i, *j, -1.0 / sheets.len() as f64);
                }
            }
        }
        let Some(inverse) = matrix.inverse_diagonal() else {
            continue;
        };
        for (expert, g) in members.iter().zip(inverse) {
            if let Some(error) = errors.get_mut(*expert) {
                *error = Some((variance * (g - 1.0 / total)).max(0.0).sqrt());
            }
        }
    }
    errors
}

#[expect(clippy::cast_precision_loss, reason = "calibration is approximate")]
fn residual_squares(fit: &Calibration, table: &ScoreTable) -> f64 {
    let mut sum = 0.0;
    for (sheets, score) in table.by_application().zip(&fit.scores) {
        for (expert, units) in sheets.iter() {
            let points = units as f64 / table.per_point() as f64;
            let leniency = fit.experts.get(expert).map_or(0.0, |e| e.leniency);
            let off = points - score.unwrap_or(0.0) - leniency;
            sum += off * off;
        }
    }
    sum
}

/// A symmetric positive definite matrix, row by row.
struct Matrix {
    size: usize,
    rows: Vec<Vec<f64>>,
}

impl Matrix {
    fn new(size: usize) -> Self {
        Self {
            size,
            rows: vec![vec![0.0; size]; size],
        }
    }

    fn add(&mut self, row: usize, column: usize, value: f64) {
        if let Some(cell) = self.rows.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell += value;
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.rows
            .get(row)
            .and_then(|row| row.get(column))
            .copied()
            .unwrap_or(0.0)
    }

    /// The diagonal of the inverse, by Cholesky's factorisation; `None` if it breaks down.
    fn inverse_diagonal(mut self) -> Option<Vec<f64>> {
        // The factor L is built row by row in the lower triangle.
        for i in 0..self.size {
            for j in 0..=i {
                let (row_i, row_j) = (self.rows.get(i)?, self.rows.get(j)?);
                let known: f64 = row_i.iter().zip(row_j).take(j).map(|(a, b)| a * b).sum();
                let left = self.at(i, j) - known;
                let value = if i == j {
                    if left <= 0.0 {
                        return None;
                    }
                    left.sqrt()
                } else {
                    left / self.at(j, j)
                };
                *self.rows.get_mut(i)?.get_mut(j)? = value;
            }
        }
        // Column c of L⁻¹ by forward substitution; the inverse's diagonal is its squared length.
        let mut diagonal = Vec::with_capacity(self.size);
        let mut column = vec![0.0; self.size];
        for c in 0..self.size {
            let mut squares = 0.0;
            column.fill(0.0);
            for i in c..self.size {
                let row = self.rows.get(i)?;
                let known: f64 = row
                    .get(c..i)?
                    .iter()
                    .zip(column.get(c..i)?)
                    .map(|(a, b)| a * b)
                    .sum();
                let value = (f64::from(u8::from(i == c)) - known) / row.get(i)?;
                *column.get_mut(i)? = value;
                squares += value * value;
            }
            diagonal.push(squares);
        }
        Some(diagonal)
    }
}
