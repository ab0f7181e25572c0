//! When reminders go out: the policy's hours before the deadline, kept out of the quiet hours.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Due, Item, usual};
use crate::time::Timestamp;

const HOUR: i64 = 3_600_000;

/// When people are reminded, and staff get their daily digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReminderRules {
    /// How long before the deadline of each item, in hours; an item that is left out keeps its usual
    /// ones, an empty list means no reminder.
    pub hours_before: BTreeMap<Item, Vec<u32>>,
    /// From which hour of the day no reminder goes out, 0 to 23.
    pub quiet_from: u8,
    /// Until which hour of the day; the same as `quiet_from` for no quiet hours.
    pub quiet_until: u8,
    /// At which hour of working days staff are told what waits for them; none: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_hour: Option<u8>,
}

impl Default for ReminderRules {
    fn default() -> Self {
        Self {
            hours_before: BTreeMap::new(),
            quiet_from: 21,
            quiet_until: 8,
            digest_hour: Some(8),
        }
    }
}

impl ReminderRules {
    /// How long before its deadline people are reminded of `item`, in hours.
    pub fn hours(&self, item: Item) -> &[u32] {
        self.hours_before
            .get(&item)
            .map_or_else(|| usual(item), Vec::as_slice)
    }
}

/// One reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// How long before the deadline, in hours, as the policy says.
    pub hours: u32,
    /// When it goes out.
    pub at: Timestamp,
}

/// Every reminder of `due`, earliest first. One that would fall into the quiet hours goes out at their
/// end, or at their beginning where their end is too late.
pub fn schedule(due: &Due, rules: &ReminderRules, zone: &TimeZone) -> Vec<Reminder> {
    let mut reminders: Vec<Reminder> = rules
        .hours(due.item)
        .iter()
        .map(|&hours| {
            let wanted = Timestamp(due.at.0.saturating_sub(i64::from(hours) * HOUR));
            Reminder {
                hours,
                at: outside_quiet_hours(wanted, due.at, rules, zone),
            }
        })
        .collect();
    reminders.sort_by_key(|one| (one.at, std::cmp::Reverse(one.hours)));
    reminders
}

/// The reminder of `due` that is to be out by `now`: the latest one whose time has come. Earlier ones
/// that were missed are dropped, and so are those from before it was known, and all once it is over.
pub fn current(
    due: &Due,
    rules: &ReminderRules,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Reminder> {
    if now > due.at {
        return None;
    }
    schedule(due, rules, zone)
        .into_iter()
        .rfind(|one| one.at <= now)
        .filter(|one| one.at >= due.since)
}

fn outside_quiet_hours(
    wanted: Timestamp,
    deadline: Timestamp,
    rules: &ReminderRules,
    zone: &TimeZone,
) -> Timestamp {
    let (from, until) = (rules.quiet_from, rules.quiet_until);
    let hour = wanted.hour_in(zone);
    let over_midnight = from > until;
    let quiet = if over_midnight {
        hour >= from || hour < until
    } else {
        from <= hour && hour < until
    };
    if !quiet {
        return wanted;
    }
    let date = wanted.date_in(zone);
    let began = if over_midnight && hour < until {
        date.yesterday().unwrap_or(date)
    } else {
        date
    };
    let ended = if over_midnight {
        began.tomorrow().unwrap_or(began)
    } else {
        began
    };
    let end = at_hour(ended, until, zone);
    if end < deadline {
        end
    } else {
        at_hour(began, from, zone)
    }
}

/// `hour` o'clock on `date`.
fn at_hour(date: Date, hour: u8, zone: &TimeZone) -> Timestamp {
    let time = i8::try_from(hour)
        .ok()
        .and_then(|hour| Time::new(hour, 0, 0, 0).ok())
        .unwrap_or_default();
    Timestamp::of_civil(date.to_datetime(time), zone)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        format!("{text}+08:00").parse().unwrap()
    }

    fn draft(deadline: &str) -> Due {
        Due {
            item: Item::Draft,
            at: at(deadline),
            since: at("2024-05-06T09:00:00"),
        }
    }

    fn times(due: &Due, rules: &ReminderRules) -> Vec<(u32, Timestamp)> {
        let all = schedule(due, rules, &zone());
        all.iter().map(|one| (one.hours, one.at)).collect()
    }

    #[test]
    fn they_go_out_before_the_deadline_and_move_with_it() {
        let rules = ReminderRules::default();
        let expected = |days: [&str; 4]| -> Vec<(u32, Timestamp)> {
            [168, 72, 24, 3].into_iter().zip(days.map(at)).collect()
        };
        assert_eq!(
            times(&draft("2024-05-31T17:00:00"), &rules),
            expected([
                "2024-05-24T17:00:00",
                "2024-05-28T17:00:00",
                "2024-05-30T17:00:00",
                "2024-05-31T14:00:00"
            ])
        );
        assert_eq!(
            times(&draft("2024-06-07T17:00:00"), &rules),
            expected([
                "2024-05-31T17:00:00",
                "2024-06-04T17:00:00",
                "2024-06-06T17:00:00",
                "2024-06-07T14:00:00"
            ])
        );
    }

    #[test]
    fn quiet_hours_put_them_off_or_where_that_is_too_late_forward() {
        let mut rules = ReminderRules::default();
        rules.hours_before.insert(Item::Draft, vec![24, 3]);
        let midnight = times(&draft("2024-05-31T23:59:59.999"), &rules);
        assert_eq!(
            midnight,
            [
                (24, at("2024-05-31T08:00:00")),
                (3, at("2024-05-31T20:59:59.999"))
            ]
        );
        let morning = times(&draft("2024-05-31T09:00:00"), &rules);
        assert_eq!(
            morning,
            [
                (24, at("2024-05-30T09:00:00")),
                (3, at("2024-05-31T08:00:00"))
            ]
        );
        let early = times(&draft("2024-05-31T07:00:00"), &rules);
        assert_eq!(
            early,
            [
                (24, at("2024-05-30T08:00:00")),
                (3, at("2024-05-30T21:00:00"))
            ]
        );
        (rules.quiet_from, rules.quiet_until) = (12, 14);
        let noon = times(&draft("2024-05-31T16:30:00"), &rules);
        assert_eq!(noon[1], (3, at("2024-05-31T14:00:00")));
        rules.quiet_until = 12;
        let never_quiet = times(&draft("2024-05-31T07:00:00"), &rules);
        assert_eq!(never_quiet[1], (3, at("2024-05-31T04:00:00")));
    }

    #[test]
    fn of_those_missed_only_the_latest_is_sent_and_none_after_the_end() {
        let rules = ReminderRules::default();
        let due = draft("2024-05-31T17:00:00");
        let hours =
            |now: &str, due: &Due| current(due, &rules, &zone(), at(now)).map(|one| one.hours);
        assert_eq!(hours("2024-05-24T16:59:59", &due), None);
        assert_eq!(hours("2024-05-24T17:00:00", &due), Some(168));
        assert_eq!(hours("2024-05-31T09:00:00", &due), Some(24));
        assert_eq!(hours("2024-05-31T17:00:00", &due), Some(3));
        assert_eq!(hours("2024-05-31T17:00:00.001", &due), None);
        // Begun after the time of a reminder: that one is not for it.
        let late = Due {
            since: at("2024-05-30T18:00:00"),
            ..due
        };
        assert_eq!(hours("2024-05-31T09:00:00", &late), None);
        assert_eq!(hours("2024-05-31T14:00:00", &late), Some(3));
    }
}
