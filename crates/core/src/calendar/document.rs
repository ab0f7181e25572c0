//! Reading a calendar document, and refusing one that contradicts itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use thiserror::Error;

use super::{CalendarError, WorkingDayCalendar, Year};

/// The only month of the year before that a notice may speak of.
const DECEMBER: i8 = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    region: String,
    source: String,
    as_of: Date,
    years: BTreeMap<i16, Notice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    holidays: Vec<String>,
    make_up_working_days: Vec<Date>,
}

/// One fault of a calendar document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarFault {
    /// A year without holidays is one whose notice has not been entered.
    #[error("{year}: no holidays: leave the year out until its notice is published")]
    EmptyYear {
        /// The year.
        year: i16,
    },
    /// An entry is neither a date nor a range of dates.
    #[error(
        "{year}: holiday {text:?} is neither a date (2026-04-04) nor a range (2026-04-04..2026-04-06)"
    )]
    NotARange {
        /// The year.
        year: i16,
        /// The entry as written.
        text: String,
    },
    /// A day that this year's notice cannot speak of.
    #[error("{year}: {date} lies outside the year and the December before it")]
    ForeignDate {
        /// The year.
        year: i16,
        /// The day.
        date: Date,
    },
    /// A day that is listed twice, or both as a holiday and as a make-up day.
    #[error("{year}: {date} is listed twice")]
    ListedTwice {
        /// The year.
        year: i16,
        /// The day.
        date: Date,
    },
    /// A make-up day that would be a working day anyway.
    #[error("{year}: make-up working day {date} is not a Saturday or Sunday")]
    MakeUpOnWeekday {
        /// The year.
        year: i16,
        /// The day.
        date: Date,
    },
}

pub(super) fn read(text: &str) -> Result<WorkingDayCalendar, CalendarError> {
    let document: Document =
        serde_json::from_str(text).map_err(|error| CalendarError::Unreadable {
            reason: error.to_string(),
        })?;
    let mut faults = Vec::new();
    let years = document
        .years
        .iter()
        .map(|(&year, notice)| (year, read_notice(year, notice, &mut faults)))
        .collect();
    if !faults.is_empty() {
        return Err(CalendarError::Faults { faults });
    }
    Ok(WorkingDayCalendar {
        region: document.region,
        source: document.source,
        as_of: document.as_of,
        years,
    })
}

fn read_notice(year: i16, notice: &Notice, faults: &mut Vec<CalendarFault>) -> Year {
    if notice.holidays.is_empty() {
        faults.push(CalendarFault::EmptyYear { year });
    }
    let mut holidays = BTreeSet::new();
    for text in &notice.holidays {
        let Some((first, last)) = parse_range(text) else {
            faults.push(CalendarFault::NotARange {
                year,
                text: text.clone(),
            });
            continue;
        };
        // A range with a foreign end is not walked: a wrong year in it would bury the real faults.
        if let Some(date) = [first, last]
            .into_iter()
            .find(|end| !belongs_to(year, *end))
        {
            faults.push(CalendarFault::ForeignDate { year, date });
            continue;
        }
        let mut next = Some(first);
        while let Some(date) = next.filter(|date| *date <= last) {
            if !holidays.insert(date) {
                faults.push(CalendarFault::ListedTwice { year, date });
            }
            next = date.tomorrow().ok();
        }
    }
    let mut make_up_working_days = BTreeSet::new();
    for &date in &notice.make_up_working_days {
        if !belongs_to(year, date) {
            faults.push(CalendarFault::ForeignDate { year, date });
        }
        if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            faults.push(CalendarFault::MakeUpOnWeekday { year, date });
        }
        if holidays.contains(&date) || !make_up_working_days.insert(date) {
            faults.push(CalendarFault::ListedTwice { year, date });
        }
    }
    Year {
        holidays,
        make_up_working_days,
    }
}

/// A date, or two in order with `..` between them; both ends are included.
fn parse_range(text: &str) -> Option<(Date, Date)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let range = (first.parse().ok()?, last.parse().ok()?);
    (range.0 <= range.1).then_some(range)
}

/// A notice speaks of its own year and, for New Year, of the December before.
fn belongs_to(year: i16, date: Date) -> bool {
    date.year() == year || (date.year().checked_add(1) == Some(year) && date.month() == DECEMBER)
}
