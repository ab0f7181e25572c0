//! [`ScoreTable`]: all sheets of a round, laid out so that half a million rank in an instant.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::aggregate::{Aggregation, Method};
use crate::fixed::Fixed;
use crate::number::{Exact, Rounding};

/// The sheets of one round, by application. Scores are whole multiples of one common unit, so that
/// sums are integer sums and every mean is exact.
#[derive(Clone, Debug)]
pub struct ScoreTable {
    applications: Vec<String>,
    experts: Vec<String>,
    /// Where the sheets of each application start in `sheets`; one entry more than applications.
    starts: Vec<usize>,
    sheets: Vec<Sheet>,
    /// Units in one point.
    per_point: i64,
}

/// One score of a [`ScoreTable`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sheet {
    /// Index of the expert.
    pub(crate) expert: u32,
    /// The score, in the table's unit.
    pub(crate) units: i64,
}

/// One row to build a [`ScoreTable`] from. Without a score there is no sheet, but the application
/// is listed.
#[derive(Clone, Copy, Debug)]
pub struct ScoreRow<'a> {
    /// Who scored.
    pub expert: &'a str,
    /// What was scored.
    pub application: &'a str,
    /// The total of the sheet, if there is one.
    pub score: Option<&'a Exact>,
}

/// Why a row cannot be in the table. Rows are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TableFault {
    /// The expert has scored the application before.
    #[error("row {row}: the same expert and application as in row {first}")]
    Duplicate {
        /// The later row.
        row: usize,
        /// The earlier row.
        first: usize,
    },
    /// All scores together have no common unit that fits in 64 bits.
    #[error("row {row}: too many digits to be added exactly to the other scores")]
    TooFine {
        /// The row.
        row: usize,
    },
}

/// The place of one application, with the numbers as printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into [`ScoreTable::applications`].
    pub application: usize,
    /// The place, from 1, shared where a tie stands; absent without a score.
    pub rank: Option<u32>,
    /// The score.
    pub score: Option<Fixed>,
    /// The plain mean of all sheets, neither trimmed nor calibrated.
    pub raw: Option<Fixed>,
    /// Sheets there are.
    pub sheets: u32,
    /// Sheets that count.
    pub used: u32,
}

impl ScoreTable {
    /// Builds a table; applications and experts keep the order they are first seen in.
    pub fn new<'a>(rows: impl IntoIterator<Item = ScoreRow<'a>>) -> Result<Self, Vec<TableFault>> {
        let (mut applications, mut experts) = (Names::default(), Names::default());
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        let mut per_point = Some(1_i64);
        for (row, entry) in rows.into_iter().enumerate() {
            let application = applications.index_of(entry.application);
            let Some(score) = entry.score else { continue };
            let expert = experts.index_of(entry.expert);
            let finer = per_point.and_then(|unit| score.common_unit(unit));
            if finer.is_none() {
                faults.push(TableFault::TooFine { row });
            } else {
                per_point = finer;
            }
            entries.push((application, expert, row, score));
        }
        let per_point = per_point.unwrap_or(1);
        let mut starts = vec![0; applications.list.len() + 1];
        let mut sheets = Vec::with_capacity(entries.len());
        entries.sort_unstable_by_key(|(application, expert, row, _)| (*application, *expert, *row));
        let mut before = None;
        for (application, expert, row, score) in entries {
            match before {
                Some((same, also, first)) if (same, also) == (application, expert) => {
                    faults.push(TableFault::Duplicate { row, first });
                }
                _ => before = Some((application, expert, row)),
            }
            match score.in_units_of(per_point) {
                Some(units) => sheets.push(Sheet { expert, units }),
                None => faults.push(TableFault::TooFine { row }),
            }
            if let Some(end) = starts.get_mut(application as usize + 1) {
                *end = sheets.len();
            }
        }
        if !faults.is_empty() {
            faults.sort_unstable();
            faults.dedup();
            return Err(faults);
        }
        // An application without a sheet ends where the one before it ends.
        let mut end = 0;
        for start in &mut starts {
            end = end.max(*start);
            *start = end;
        }
        Ok(Self {
            applications: applications.list,
            experts: experts.list,
            starts,
            sheets,
            per_point,
        })
    }

    /// The applications, in the order they were first seen.
    #[must_use]
    pub fn applications(&self) -> &[String] {
        &self.applications
    }

    /// The experts with at least one score, in the order they were first seen.
    #[must_use]
    pub fn experts(&self) -> &[String] {
        &self.experts
    }

    /// All sheets, those of one application together.
    pub(crate) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// Units in one point.
    pub(crate) fn per_point(&self) -> i64 {
        self.per_point
    }

    /// The sheets of each application.
    pub(crate) fn by_application(&self) -> impl Iterator<Item = &[Sheet]> {
        self.starts
            .iter()
            .zip(self.starts.iter().skip(1))
            .map(|(start, end)| self.sheets.get(*start..*end).unwrap_or_default())
    }

    /// Ranks all applications by `rule`, as [`crate::aggregate`] and [`crate::rank`] would without
    /// tie-breaks. A weighted mean needs groups, which a table does not have: it gives no scores.
    #[must_use]
    pub fn ranking(&self, rule: &Aggregation) -> Vec<Placed> {
        let mut units = Vec::new();
        let placed = self
            .by_application()
            .enumerate()
            .map(|(application, sheets)| {
                units.clear();
                units.extend(sheets.iter().map(|sheet| sheet.units));
                let raw = self.mean(&units, rule.scale, rule.rounding);
                let (score, used) = self.score(rule, &mut units);
                Placed {
                    application,
                    rank: None,
                    score,
                    raw,
                    sheets: count(sheets.len()),
                    used,
                }
            });
        placed_in_order(placed.collect())
    }

    fn score(&self, rule: &Aggregation, units: &mut [i64]) -> (Option<Fixed>, u32) {
        let total = units.len();
        if count(total) < rule.quorum {
            return (None, 0);
        }
        let kept = match rule.method {
            Method::Mean => 0..total,
            Method::WeightedMean => return (None, 0),
            Method::Median => {
                units.sort_unstable();
                let middle = total.saturating_sub(1) / 2..total / 2 + 1;
                let middle = units.get(middle).unwrap_or_default();
                return (self.mean(middle, rule.scale, rule.rounding), count(total));
            }
            Method::TrimmedMean => {
                let drop = rule.drop_low.saturating_add(rule.drop_high);
                if count(total) < drop.saturating_add(rule.min_remaining.max(1)) {
                    0..total
                } else {
                    units.sort_unstable();
                    rule.drop_low as usize..total - rule.drop_high as usize
                }
            }
        };
        let kept = units.get(kept).unwrap_or_default();
        (
            self.mean(kept, rule.scale, rule.rounding),
            count(kept.len()),
        )
    }

    /// The rounded mean; `None` of nothing.
    pub(crate) fn mean(&self, units: &[i64], scale: u8, rounding: Rounding) -> Option<Fixed> {
        let sum: i128 = units.iter().copied().map(i128::from).sum();
        let below = i128::from(self.per_point) * i128::try_from(units.len()).ok()?;
        Fixed::rounded(sum, below, scale, rounding)
    }
}

/// Sorts by score, highest first, those without one last, and numbers the places. Equal scores
/// stay in the order of the table and share a place.
pub(crate) fn placed_in_order(mut placed: Vec<Placed>) -> Vec<Placed> {
    placed.sort_unstable_by_key(|row| (Reverse(row.score), row.application));
    let mut last = None;
    for (place, row) in (1_u32..).zip(&mut placed) {
        let Some(score) = row.score else { continue };
        let rank = match last {
            Some((same, rank)) if same == score => rank,
            _ => place,
        };
        last = Some((score, rank));
        row.rank = Some(rank);
    }
    placed
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Names {
    list: Vec<String>,
    indices: BTreeMap<String, u32>,
}

impl Names {
    fn index_of(&mut self, name: &str) -> u32 {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        let index = count(self.list.len());
        self.list.push(name.to_owned());
        self.indices.insert(name.to_owned(), index);
        index
    }
}
