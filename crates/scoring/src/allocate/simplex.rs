//! Linear programmes: the dual simplex method for variables that each lie between 0 and 1.
//!
//! Only for prices. Whatever comes out, rounding and all, is turned into a bound that is exact.

/// Values below this are zero.
const TINY: f64 = 1e-9;

/// Limits are kept to within this.
const CLOSE: f64 = 1e-7;

/// The greatest value of items between 0 and 1 whose sums, row by row, lie within ranges.
#[derive(Debug, Default)]
pub(super) struct Programme {
    /// The value of each item.
    values: Vec<f64>,
    /// What each item adds to rows.
    columns: Vec<Vec<(usize, f64)>>,
    /// The negated range of each row: what has to be added to its sum to make 0.
    ranges: Vec<(f64, f64)>,
    /// Which item, or else which row's rest, is determined by each row.
    basis: Vec<usize>,
    /// The inverse of the matrix of these.
    inverse: Vec<Vec<f64>>,
    /// Item by item and then row by row: where each stands, what an increase would earn, and whether
    /// it is determined by a row.
    level: Vec<f64>,
    gain: Vec<f64>,
    basic: Vec<bool>,
}

/// How a programme ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Solved,
    /// The prices are those of a contradiction: with them nothing is worth as much as the limits.
    Contradiction,
    /// After too many steps. The prices are good for a bound, but not the best.
    Stopped,
}

impl Programme {
    pub(super) fn new(values: Vec<f64>) -> Self {
        let count = values.len();
        Self {
            columns: vec![Vec::new(); count],
            ranges: Vec::new(),
            basis: Vec::new(),
            inverse: Vec::new(),
            level: values
                .iter()
                .map(|v| f64::from(u8::from(0.0 < *v)))
                .collect(),
            gain: values.clone(),
            basic: vec![false; count],
            values,
        }
    }

    /// Adds a row: what each item adds to it, and the range of its sum.
    pub(super) fn add(&mut self, entries: &[(usize, f64)], least: f64, most: f64) {
        let row = self.ranges.len();
        let count = self.values.len();
        self.ranges.push((-most, -least));
        // The new row of the inverse: minus what the items that other rows determine add to it.
        let mut own = vec![0.0; row + 1];
        let mut sum = 0.0;
        for (item, weight) in entries {
            self.columns[*item].push((row, *weight));
            sum += weight * self.level[*item];
            if self.basic[*item] {
                let of = self
                    .basis
                    .iter()
                    .position(|basic| basic == item)
                    .unwrap_or(0);
                for (cell, other) in own.iter_mut().zip(&self.inverse[of]) {
                    *cell -= weight * other;
                }
            }
        }
        own[row] = 1.0;
        for other in &mut self.inverse {
            other.push(0.0);
        }
        self.inverse.push(own);
        self.basis.push(count + row);
        self.level.push(-sum);
        self.gain.push(0.0);
        self.basic.push(true);
    }

    /// Where an item stands.
    pub(super) fn level(&self, item: usize) -> f64 {
        self.level[item]
    }

    fn bounds(&self, variable: usize) -> (f64, f64) {
        match variable.checked_sub(self.values.len()) {
            None => (0.0, 1.0),
            Some(row) => self.ranges[row],
        }
    }

    fn dot(&self, row: &[f64], variable: usize) -> f64 {
        match variable.checked_sub(self.values.len()) {
            None => self.columns[variable]
                .iter()
                .map(|(i, w)| row[*i] * w)
                .sum(),
            Some(index) => row[index],
        }
    }

    /// The inverse times a sparse column.
    fn solve(&self, column: &[(usize, f64)]) -> Vec<f64> {
        self.inverse
            .iter()
            .map(|row| column.iter().map(|(i, w)| row[*i] * w).sum())
            .collect()
    }

    /// Moves to the best levels, from where it stands, and returns each row's price.
    pub(super) fn optimise(&mut self) -> (End, Vec<f64>) {
        let steps = 50 * self.ranges.len() + 1_000;
        for _ in 0..steps {
            let Some((row, excess)) = self.worst() else {
                return (End::Solved, self.prices());
            };
            if !self.step(row, excess) {
                let sign = excess.signum();
                return (
                    End::Contradiction,
                    self.inverse[row].iter().map(|x| x * sign).collect(),
                );
            }
        }
        (End::Stopped, self.prices())
    }

    fn prices(&self) -> Vec<f64> {
        let mut prices = vec![0.0; self.ranges.len()];
        for (variable, row) in self.basis.iter().zip(&self.inverse) {
            let Some(value) = self.values.get(*variable) else {
                continue;
            };
            for (price, x) in prices.iter_mut().zip(row) {
                *price += value * x;
            }
        }
        prices
    }

    /// The row whose variable is furthest above or (negative) below its bounds.
    fn worst(&self) -> Option<(usize, f64)> {
        let mut worst: Option<(usize, f64)> = None;
        for (row, variable) in self.basis.iter().enumerate() {
            let (low, high) = self.bounds(*variable);
            let level = self.level[*variable];
            let excess = if high + CLOSE < level {
                level - high
            } else if level < low - CLOSE {
                level - low
            } else {
                continue;
            };
            if worst.is_none_or(|(_, other)| other.abs() < excess.abs()) {
                worst = Some((row, excess));
            }
        }
        worst
    }

    /// Brings the variable of `row` to its bound; false if nothing can.
    fn step(&mut self, row: usize, excess: f64) -> bool {
        let sign = excess.signum();
        let own = self.inverse[row].clone();
        let mut rates = vec![0.0; self.level.len()];
        let mut ways: Vec<(f64, usize)> = Vec::new();
        for (variable, slot) in rates.iter_mut().enumerate() {
            if self.basic[variable] {
                continue;
            }
            let rate = self.dot(&own, variable);
            *slot = rate;
            let (low, high) = self.bounds(variable);
            let toward = rate * sign;
            let at_low = self.level[variable] <= low;
            if toward.abs() < TINY || high <= low || (at_low != (0.0 < toward)) {
                continue;
            }
            ways.push((self.gain[variable].abs() / toward.abs(), variable));
        }
        ways.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        // Those that cost least go all the way to their other bound, as long as that is not enough.
        let mut left = excess.abs();
        let mut entering = None;
        let mut flips: Vec<(usize, f64)> = Vec::new();
        for (_, variable) in &ways {
            let (low, high) = self.bounds(*variable);
            let reach = rates[*variable].abs() * (high - low);
            if left <= reach {
                entering = Some(*variable);
                break;
            }
            left -= reach;
            let to = if self.level[*variable] <= low {
                high
            } else {
                low
            };
            flips.push((*variable, to - self.level[*variable]));
        }
        let Some(entering) = entering else {
            return false;
        };
        if !flips.is_empty() {
            let mut moved = vec![0.0; self.ranges.len()];
            for (variable, by) in &flips {
                self.level[*variable] += by;
                match variable.checked_sub(self.values.len()) {
                    None => {
                        for (i, w) in &self.columns[*variable] {
                            moved[*i] += w * by;
                        }
                    }
                    Some(index) => moved[index] += by,
                }
            }
            for (variable, inverse) in self.basis.iter().zip(&self.inverse) {
                let by: f64 = inverse.iter().zip(&moved).map(|(x, m)| x * m).sum();
                self.level[*variable] -= by;
            }
        }
        let column = match entering.checked_sub(self.values.len()) {
            None => self.columns[entering].clone(),
            Some(index) => vec![(index, 1.0)],
        };
        let effect = self.solve(&column);
        let pivot = effect[row];
        if pivot.abs() < TINY {
            return false;
        }
        let leaving = self.basis[row];
        let (low, high) = self.bounds(leaving);
        let bound = if 0.0 < sign { high } else { low };
        let by = (self.level[leaving] - bound) / pivot;
        for (variable, e) in self.basis.iter().zip(&effect) {
            self.level[*variable] -= by * e;
        }
        self.level[entering] += by;
        self.level[leaving] = bound;
        let price = self.gain[entering] / rates[entering];
        for (variable, rate) in rates.iter().enumerate() {
            if *rate != 0.0 {
                self.gain[variable] -= price * rate;
            }
        }
        self.gain[entering] = 0.0;
        self.gain[leaving] = -price;
        self.basic[entering] = true;
        self.basic[leaving] = false;
        self.basis[row] = entering;
        let mut pivot_row = std::mem::take(&mut self.inverse[row]);
        for x in &mut pivot_row {
            *x /= pivot;
        }
        for (other, e) in self.inverse.iter_mut().zip(&effect) {
            if *e != 0.0 && !other.is_empty() {
                for (x, p) in other.iter_mut().zip(&pivot_row) {
                    *x -= e * p;
                }
            }
        }
        self.inverse[row] = pivot_row;
        true
    }
}
