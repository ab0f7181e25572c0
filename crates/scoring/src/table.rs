//! [`ScoreTable`]: all sheets of a round, laid out so that half a million rank in an instant.

use std::collections::BTreeMap;

use crate::aggregate::{Aggregation, Method};
use crate::fixed::{Fixed, Means};
use crate::number::{Exact, Rounding};
use crate::radix;

/// The sheets of one round, by application. Scores are whole multiples of one common unit, so that
/// sums are integer sums and every mean is exact.
#[derive(Clone, Debug)]
pub struct ScoreTable {
    applications: Vec<String>,
    experts: Vec<String>,
    /// Where the sheets of each application start; one entry more than applications.
    starts: Vec<usize>,
    /// The expert of each sheet, by index. Apart from the scores, because means need only these and
    /// calibration mostly only those.
    expert_of: Vec<u32>,
    /// The score of each sheet, in the table's unit.
    units: Vec<i64>,
    /// Units in one point.
    per_point: i64,
}

/// Some sheets of a [`ScoreTable`]; both lists are of one length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sheets<'a> {
    /// Index of each sheet's expert.
    pub(crate) experts: &'a [u32],
    /// Each sheet's score, in the table's unit.
    pub(crate) units: &'a [i64],
}

impl<'a> Sheets<'a> {
    pub(crate) fn len(self) -> usize {
        self.units.len()
    }

    /// The expert and the score of each sheet.
    pub(crate) fn iter(self) -> impl Iterator<Item = (usize, i64)> + 'a {
        let pairs = self.experts.iter().zip(self.units);
        pairs.map(|(expert, units)| (*expert as usize, *units))
    }
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
        let mut expert_of = Vec::with_capacity(entries.len());
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
                Some(units) => {
                    sheets.push(units);
                    expert_of.push(expert);
                }
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
            expert_of,
            units: sheets,
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
    pub(crate) fn sheets(&self) -> Sheets<'_> {
        Sheets {
            experts: &self.expert_of,
            units: &self.units,
        }
    }

    /// Units in one point.
    pub(crate) fn per_point(&self) -> i64 {
        self.per_point
    }

    /// The sheets of each application.
    pub(crate) fn by_application(&self) -> impl Iterator<Item = Sheets<'_>> {
        self.starts.windows(2).map(|bounds| {
            let &[start, end] = bounds else {
                return Sheets::default();
            };
            Sheets {
                experts: self.expert_of.get(start..end).unwrap_or_default(),
                units: self.units.get(start..end).unwrap_or_default(),
            }
        })
    }

    /// Ranks all applications by `rule`, as [`crate::aggregate`] and [`crate::rank`] would without
    /// tie-breaks. A weighted mean needs groups, which a table does not have: it gives no scores.
    #[must_use]
    pub fn ranking(&self, rule: &Aggregation) -> Vec<Placed> {
        let means = self.means(rule.scale, rule.rounding);
        let mut sorted = Vec::new();
        let placed = self
            .by_application()
            .enumerate()
            .map(|(application, sheets)| {
                let sum = total(sheets.units);
                let raw = means.mean(sum, sheets.len());
                let (score, used) = match kept(rule, sheets.units, sum, &mut sorted) {
                    None => (None, 0),
                    Some(kept) if kept.of == sheets.len() => (raw, kept.used),
                    Some(kept) => (means.mean(kept.sum, kept.of), kept.used),
                };
                Placed {
                    application,
                    rank: None,
                    score,
                    raw,
                    sheets: count(sheets.len()),
                    used: count(used),
                }
            });
        placed_in_order(placed.collect())
    }

    /// How means of this table are printed.
    pub(crate) fn means(&self, scale: u8, rounding: Rounding) -> Means {
        Means::new(self.per_point, scale, rounding)
    }
}

/// The sum.
pub(crate) fn total(units: &[i64]) -> i128 {
    units.iter().map(|units| i128::from(*units)).sum()
}

/// The scores whose mean is the score of an application.
struct Kept {
    sum: i128,
    /// How many are added up.
    of: usize,
    /// How many sheets count: more than are added up for a median, which looks at all.
    used: usize,
}

/// What `rule` keeps of these scores, which add up to `sum`; `None` without a score. `sorted` is
/// room to work in.
fn kept(rule: &Aggregation, units: &[i64], sum: i128, sorted: &mut Vec<i64>) -> Option<Kept> {
    let number = units.len();
    if count(number) < rule.quorum {
        return None;
    }
    let all = Kept {
        sum,
        of: number,
        used: number,
    };
    let mut sort = || {
        sorted.clear();
        sorted.extend_from_slice(units);
        sorted.sort_unstable();
    };
    match rule.method {
        Method::Mean => Some(all),
        Method::WeightedMean => None,
        Method::Median => {
            sort();
            let middle = number.saturating_sub(1) / 2..number / 2 + 1;
            let middle = sorted.get(middle).unwrap_or_default();
            Some(Kept {
                sum: total(middle),
                of: middle.len(),
                used: number,
            })
        }
        Method::TrimmedMean => {
            let drop = rule.drop_low.saturating_add(rule.drop_high);
            if count(number) < drop.saturating_add(rule.min_remaining.max(1)) {
                return Some(all);
            }
            let left = number - drop as usize;
            let sum = if rule.drop_low <= 1 && rule.drop_high <= 1 {
                // The usual case needs no sorting.
                let part = |dropped: u32, extreme: Option<&i64>| {
                    i128::from(dropped) * i128::from(extreme.copied().unwrap_or(0))
                };
                sum - part(rule.drop_low, units.iter().min())
                    - part(rule.drop_high, units.iter().max())
            } else {
                sort();
                let inner = rule.drop_low as usize..number - rule.drop_high as usize;
                total(sorted.get(inner).unwrap_or_default())
            };
            Some(Kept {
                sum,
                of: left,
                used: left,
            })
        }
    }
}

/// Sorts by score, highest first, those without one last, and numbers the places. Equal scores
/// stay in the order of the table and share a place.
pub(crate) fn placed_in_order(placed: Vec<Placed>) -> Vec<Placed> {
    let order = radix::highest_first(placed.iter().map(|row| row.score.map(Fixed::units)));
    let mut last = None;
    let rows = order.into_iter().filter_map(|index| placed.get(index));
    (1_u32..)
        .zip(rows)
        .map(|(place, row)| {
            let rank = row.score.map(|score| match last {
                Some((same, rank)) if same == score => rank,
                _ => place,
            });
            last = row.score.zip(rank).or(last);
            Placed { rank, ..*row }
        })
        .collect()
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
