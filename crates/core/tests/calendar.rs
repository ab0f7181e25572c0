//! Working days of the State Council's calendar.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use fundcycle_core::calendar::{
    CalendarError, CalendarFault, DayKind, FirstDay, WorkingDayCalendar,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    holidays: BTreeMap<i16, Vec<String>>,
    make_up_working_days: BTreeMap<i16, Vec<Date>>,
    working_days_in_year: BTreeMap<i16, u32>,
    #[serde(rename = "vectors")]
    periods: Vec<Period>,
}

#[derive(Deserialize)]
struct Period {
    start: Date,
    working_days: u32,
    end_first_day_counted: Date,
    end_first_day_not_counted: Date,
}

fn vectors() -> Expected {
    serde_json::from_str(include_str!("vectors/working_days.json")).unwrap()
}

fn china() -> WorkingDayCalendar {
    WorkingDayCalendar::china().unwrap()
}

fn document(years: &str) -> String {
    format!(r#"{{"region":"test","source":"a test","as_of":"2026-11-04","years":{years}}}"#)
}

fn not_loaded(year: i16) -> CalendarError {
    CalendarError::YearNotLoaded {
        year,
        region: "CN".into(),
    }
}

#[test]
fn the_shipped_calendar_says_what_the_notices_say() {
    let calendar = china();
    let vectors = vectors();
    assert!(
        calendar
            .years()
            .eq(vectors.working_days_in_year.keys().copied())
    );
    for (year, working_days) in &vectors.working_days_in_year {
        assert_eq!(calendar.working_days_in_year(*year), Ok(*working_days));
    }
    for date in vectors.make_up_working_days.values().flatten() {
        assert_eq!(calendar.day_kind(*date), Ok(DayKind::MakeUpWorking));
    }
    for range in vectors.holidays.values().flatten() {
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        for end in [first, last] {
            let end: Date = end.parse().unwrap();
            if end.year() > 2022 {
                assert_eq!(calendar.day_kind(end), Ok(DayKind::Holiday), "{end}");
            }
        }
    }
}

#[test]
fn every_period_ends_where_the_vectors_say() {
    let calendar = china();
    for period in vectors().periods {
        let end = |first_day| {
            calendar
                .end_of(period.start, period.working_days, first_day)
                .unwrap()
        };
        assert_eq!(end(FirstDay::Counted), period.end_first_day_counted);
        assert_eq!(end(FirstDay::NotCounted), period.end_first_day_not_counted);
    }
}

#[test]
fn each_kind_of_day_is_told_apart() {
    let calendar = china();
    for (day, kind) in [
        (date(2024, 9, 26), DayKind::Working),
        (date(2024, 9, 28), DayKind::Weekend),
        (date(2024, 9, 29), DayKind::MakeUpWorking),
        (date(2024, 10, 1), DayKind::Holiday),
        (date(2024, 10, 5), DayKind::Holiday),
    ] {
        assert_eq!(calendar.day_kind(day), Ok(kind), "{day}");
    }
}

#[test]
fn a_period_that_starts_on_a_day_off_begins_with_the_next_working_day() {
    let calendar = china();
    let saturday = date(2024, 9, 28);
    for first_day in [FirstDay::Counted, FirstDay::NotCounted] {
        assert_eq!(
            calendar.end_of(saturday, 1, first_day),
            Ok(date(2024, 9, 29))
        );
        assert_eq!(
            calendar.end_of(saturday, 0, first_day),
            Ok(date(2024, 9, 29))
        );
    }
}

#[test]
fn working_days_are_counted_backwards_too() {
    let calendar = china();
    assert_eq!(
        calendar.add_working_days(date(2024, 10, 9), -5),
        Ok(date(2024, 9, 26))
    );
    assert_eq!(
        calendar.add_working_days(date(2024, 9, 30), 5),
        Ok(date(2024, 10, 12))
    );
    assert_eq!(
        calendar.add_working_days(date(2024, 10, 1), 0),
        Ok(date(2024, 10, 8))
    );
}

#[test]
fn a_year_that_is_not_loaded_is_an_error_and_never_a_year_without_holidays() {
    let calendar = china();
    assert_eq!(calendar.day_kind(date(2027, 1, 1)), Err(not_loaded(2027)));
    assert_eq!(calendar.working_days_in_year(2022), Err(not_loaded(2022)));
    assert_eq!(
        calendar.end_of(date(2026, 12, 28), 9, FirstDay::Counted),
        Err(not_loaded(2027))
    );
    assert_eq!(
        calendar.end_of(date(2026, 12, 28), u32::MAX, FirstDay::Counted),
        Err(not_loaded(2027))
    );
    assert_eq!(
        calendar.add_working_days(date(2023, 1, 3), -1),
        Err(not_loaded(2022))
    );
    assert_eq!(
        not_loaded(2027).to_string(),
        "the holidays of 2027 are not loaded for region CN: load the State Council's notice for 2027"
    );
}

#[test]
fn a_new_year_can_be_loaded_at_run_time_and_reaches_into_december() {
    let newer = WorkingDayCalendar::from_json(&document(
        r#"{"2027":{"holidays":["2026-12-31..2027-01-02"],"make_up_working_days":["2027-01-03"]}}"#,
    ))
    .unwrap();
    assert_eq!(china().day_kind(date(2026, 12, 31)), Ok(DayKind::Working));
    let calendar = china().updated_with(newer);
    assert_eq!(calendar.day_kind(date(2026, 12, 31)), Ok(DayKind::Holiday));
    assert_eq!(
        calendar.end_of(date(2026, 12, 30), 2, FirstDay::Counted),
        Ok(date(2027, 1, 3))
    );
    assert_eq!(calendar.working_days_in_year(2023), Ok(249));
    assert_eq!(
        (calendar.region(), calendar.as_of()),
        ("test", date(2026, 11, 4))
    );
}

#[test]
fn every_fault_of_a_document_is_reported_at_once() {
    let error = WorkingDayCalendar::from_json(&document(
        r#"{
            "2026": {
                "holidays": ["2026-01-03..2026-01-01", "soon", "2026-05-01..2062-05-05", "2026-10-01", "2026-10-01"],
                "make_up_working_days": ["2026-10-01", "2025-11-01", "2026-10-10", "2026-10-10"]
            },
            "2027": {"holidays": [], "make_up_working_days": []}
        }"#,
    ))
    .unwrap_err();
    let CalendarError::Faults { faults } = error else {
        panic!("{error}")
    };
    let year = 2026;
    assert_eq!(
        faults,
        [
            CalendarFault::NotARange {
                year,
                text: "2026-01-03..2026-01-01".into()
            },
            CalendarFault::NotARange {
                year,
                text: "soon".into()
            },
            CalendarFault::ForeignDate {
                year,
                date: date(2062, 5, 5)
            },
            CalendarFault::ListedTwice {
                year,
                date: date(2026, 10, 1)
            },
            CalendarFault::MakeUpOnWeekday {
                year,
                date: date(2026, 10, 1)
            },
            CalendarFault::ListedTwice {
                year,
                date: date(2026, 10, 1)
            },
            CalendarFault::ForeignDate {
                year,
                date: date(2025, 11, 1)
            },
            CalendarFault::ListedTwice {
                year,
                date: date(2026, 10, 10)
            },
            CalendarFault::EmptyYear { year: 2027 },
        ]
    );
}

#[test]
fn a_document_of_another_shape_is_refused_with_the_place() {
    let error = WorkingDayCalendar::from_json(r#"{"region":"CN","days":[]}"#).unwrap_err();
    assert!(
        error.to_string().contains("unknown field `days`") && error.to_string().contains("line 1"),
        "{error}"
    );
}

prop_compose! {
    /// Any day of the loaded years that leaves room for a long period.
    fn any_start()(offset in 0_i64..1200) -> Date {
        date(2023, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap()
    }
}

proptest! {
    #[test]
    fn a_period_ends_on_a_working_day_and_contains_exactly_its_days(
        start in any_start(),
        working_days in 1_u32..60,
    ) {
        let calendar = china();
        let end = calendar.end_of(start, working_days, FirstDay::Counted).unwrap();
        prop_assert!(calendar.day_kind(end).unwrap().is_working());
        let mut counted = 0;
        let mut day = start;
        while day <= end {
            counted += u32::from(calendar.day_kind(day).unwrap().is_working());
            day = day.tomorrow().unwrap();
        }
        prop_assert_eq!(counted, working_days);
    }

    #[test]
    fn a_longer_or_later_period_never_ends_earlier(start in any_start(), working_days in 0_u32..60) {
        let calendar = china();
        for first_day in [FirstDay::Counted, FirstDay::NotCounted] {
            let end = calendar.end_of(start, working_days, first_day).unwrap();
            let longer = calendar.end_of(start, working_days + 1, first_day).unwrap();
            let later = calendar.end_of(start.tomorrow().unwrap(), working_days, first_day).unwrap();
            prop_assert!(end <= longer && end <= later);
        }
        prop_assert!(
            calendar.end_of(start, working_days, FirstDay::Counted).unwrap()
                <= calendar.end_of(start, working_days, FirstDay::NotCounted).unwrap()
        );
    }

    #[test]
    fn going_forward_and_back_returns_to_a_working_day(start in any_start(), days in 0_i32..60) {
        let calendar = china();
        let start = calendar.add_working_days(start, 0).unwrap();
        let there = calendar.add_working_days(start, days).unwrap();
        prop_assert_eq!(calendar.add_working_days(there, -days).unwrap(), start);
    }
}
