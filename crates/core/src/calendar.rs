//! Working days (工作日): Monday to Friday, less public holidays, plus the make-up days that the State Council
//! moves to weekends. The days are data, because each year's notice is new (`domain.md` §11).

mod document;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use document::CalendarFault;

/// The calendar of mainland China that is shipped.
const CHINA: &str = include_str!("calendar/cn.json");

/// The working days of one region, for the years that are loaded.
///
/// A date of any other year is an error, never an ordinary day: its holidays are not known yet.
/// The last days of December can still change with the notice of the following year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingDayCalendar {
    region: String,
    source: String,
    as_of: Date,
    years: BTreeMap<i16, Year>,
}

/// What one year's notice says. It may name days at the end of the year before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Year {
    holidays: BTreeSet<Date>,
    make_up_working_days: BTreeSet<Date>,
}

/// What kind of day a date is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Monday to Friday, and not a holiday.
    Working,
    /// Saturday or Sunday, and not moved.
    Weekend,
    /// A public holiday, or a day off around one, on whatever day of the week.
    Holiday,
    /// A Saturday or Sunday that is worked in exchange for a day off (调休).
    MakeUpWorking,
}

impl DayKind {
    /// Whether offices are open.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::MakeUpWorking)
    }
}

/// Whether the day a period starts on is the first of its working days.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FirstDay {
    /// The start counts, if it is a working day. Usual for public notices.
    Counted,
    /// Counting begins with the next working day.
    NotCounted,
}

/// Why a calendar cannot answer or cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// The holidays of the year are not known to this calendar.
    #[error(
        "the holidays of {year} are not loaded for region {region}: load the State Council's notice for {year}"
    )]
    YearNotLoaded {
        /// The missing year.
        year: i16,
        /// The region of the calendar that was asked.
        region: String,
    },
    /// The date lies beyond the last or first representable one.
    #[error("the period that starts at {start} leaves the range of dates")]
    OutOfRange {
        /// Where counting began.
        start: Date,
    },
    /// The document is not a calendar document at all.
    #[error("not a calendar document: {reason}")]
    Unreadable {
        /// What the parser found, with line and column.
        reason: String,
    },
    /// The document contradicts itself; every fault is listed.
    #[error("the calendar document has faults: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults {
        /// The faults; never empty.
        faults: Vec<CalendarFault>,
    },
}

impl WorkingDayCalendar {
    /// The shipped calendar of mainland China, 2023 to 2026.
    pub fn china() -> Result<Self, CalendarError> {
        Self::from_json(CHINA)
    }

    /// Reads a calendar document: `region`, `source`, `as_of` (a date) and `years`, each with `holidays` (dates and
    /// ranges `2026-02-15..2026-02-23`, both ends included) and `make_up_working_days`.
    pub fn from_json(text: &str) -> Result<Self, CalendarError> {
        document::read(text)
    }

    /// This calendar with the years of `newer` added. A year that is in both is taken from `newer`, and so are
    /// region, source and date.
    pub fn updated_with(mut self, newer: Self) -> Self {
        self.years.extend(newer.years);
        Self {
            years: self.years,
            ..newer
        }
    }

    /// The region the days are for, for example `CN`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where the days come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The day up to which the source was consulted.
    pub const fn as_of(&self) -> Date {
        self.as_of
    }

    /// The years that are loaded, in order.
    pub fn years(&self) -> impl Iterator<Item = i16> + '_ {
        self.years.keys().copied()
    }

    /// What kind of day `date` is.
    pub fn day_kind(&self, date: Date) -> Result<DayKind, CalendarError> {
        let own = self.year(date.year())?;
        // New Year's holiday can begin in December: then the next year's notice says so.
        let next = self.years.get(&date.year().saturating_add(1));
        let notices = || std::iter::once(own).chain(next);
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(if notices().any(|year| year.holidays.contains(&date)) {
            DayKind::Holiday
        } else if notices().any(|year| year.make_up_working_days.contains(&date)) {
            DayKind::MakeUpWorking
        } else if weekend {
            DayKind::Weekend
        } else {
            DayKind::Working
        })
    }

    /// The last day of a period of `working_days` that starts at `start`.
    ///
    /// The end is always a working day. A period of no days ends on the first working day from `start` on.
    pub fn end_of(
        &self,
        start: Date,
        working_days: u32,
        first_day: FirstDay,
    ) -> Result<Date, CalendarError> {
        let first = self.nearest_working_day(start, Direction::Forward)?;
        let start_counts = first == start && first_day == FirstDay::Counted;
        // Counting from a day off, the first working day after it is day one by either convention.
        let remaining = if start_counts || first != start {
            working_days.saturating_sub(1)
        } else {
            working_days
        };
        self.walk(first, remaining, Direction::Forward)
    }

    /// The working day that lies `working_days` after `date`, or before it if negative; `date` itself never counts.
    ///
    /// With zero, `date` if it is a working day, otherwise the next one.
    pub fn add_working_days(&self, date: Date, working_days: i32) -> Result<Date, CalendarError> {
        let steps = working_days.unsigned_abs();
        if working_days >= 0 {
            return self.end_of(date, steps, FirstDay::NotCounted);
        }
        self.walk(date, steps, Direction::Backward)
    }

    /// Number of working days in a year, make-up days included.
    pub fn working_days_in_year(&self, year: i16) -> Result<u32, CalendarError> {
        self.year(year)?;
        let mut working_days = 0;
        let mut next = Date::new(year, 1, 1).ok();
        while let Some(date) = next.filter(|date| date.year() == year) {
            working_days += u32::from(self.day_kind(date)?.is_working());
            next = date.tomorrow().ok();
        }
        Ok(working_days)
    }

    fn year(&self, year: i16) -> Result<&Year, CalendarError> {
        self.years
            .get(&year)
            .ok_or_else(|| CalendarError::YearNotLoaded {
                year,
                region: self.region.clone(),
            })
    }

    /// `date` if it is a working day, otherwise the next one in the direction.
    fn nearest_working_day(
        &self,
        mut date: Date,
        direction: Direction,
    ) -> Result<Date, CalendarError> {
        while !self.day_kind(date)?.is_working() {
            date = direction.step(date)?;
        }
        Ok(date)
    }

    /// The working day `steps` working days from `date`. It ends with an error at the first year not loaded.
    fn walk(
        &self,
        mut date: Date,
        steps: u32,
        direction: Direction,
    ) -> Result<Date, CalendarError> {
        for _ in 0..steps {
            date = self.nearest_working_day(direction.step(date)?, direction)?;
        }
        Ok(date)
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn step(self, date: Date) -> Result<Date, CalendarError> {
        match self {
            Self::Forward => date.tomorrow(),
            Self::Backward => date.yesterday(),
        }
        .map_err(|_| CalendarError::OutOfRange { start: date })
    }
}
