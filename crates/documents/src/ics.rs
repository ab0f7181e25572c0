//! A document's events as iCalendar (RFC 5545), for the calendars that people already have.

use fundcycle_core::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::paper::Paper;

/// The longest line, in bytes, without its end (RFC 5545 §3.1).
const LINE: usize = 75;

/// When something takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From one moment to another.
    Between(Timestamp, Timestamp),
    /// On a day, at an hour that is not settled.
    On(Date),
}

/// Something that takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What tells it from every other one, for good.
    pub uid: String,
    /// When what is said here was settled.
    pub settled_at: Timestamp,
    /// When it takes place.
    pub when: When,
    /// What it is.
    pub summary: String,
    /// Where it is.
    pub place: String,
    /// What else is to be known.
    pub description: String,
    /// Whether it does not take place after all.
    pub cancelled: bool,
}

pub(crate) fn write(paper: &Paper) -> Vec<u8> {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| folded(&mut text, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//fundcycle//documents//ZH");
    line("CALSCALE", "GREGORIAN");
    line("NAME", &escaped(&paper.title));
    for one in &paper.happenings {
        line("BEGIN", "VEVENT");
        line("UID", &escaped(&one.uid));
        line("DTSTAMP", &utc(one.settled_at));
        match one.when {
            When::Between(starts_at, ends_at) => {
                line("DTSTART", &utc(starts_at));
                line("DTEND", &utc(ends_at));
            }
            // Without an end it takes the day (RFC 5545 §3.6.1).
            When::On(day) => line("DTSTART;VALUE=DATE", &day.strftime("%Y%m%d").to_string()),
        }
        line("SUMMARY", &escaped(&one.summary));
        line("LOCATION", &escaped(&one.place));
        if !one.description.is_empty() {
            line("DESCRIPTION", &escaped(&one.description));
        }
        line(
            "STATUS",
            if one.cancelled {
                "CANCELLED"
            } else {
                "CONFIRMED"
            },
        );
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    text.into_bytes()
}

fn utc(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let time = TimeZone::UTC.to_datetime(instant);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as a value: nothing in it can end the line or begin another property (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\\' | ';' | ',' => escaped.extend(['\\', one]),
            '\n' => escaped.push_str("\\n"),
            _ if one.is_control() => {}
            _ => escaped.push(one),
        }
    }
    escaped
}

/// Adds a line, continued on others that begin with a space where it is too long; characters stay
/// whole.
fn folded(text: &mut String, line: &str) {
    let mut taken = 0;
    for one in line.chars() {
        if taken + one.len_utf8() > LINE {
            text.push_str("\r\n ");
            taken = 1;
        }
        text.push(one);
        taken += one.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters_and_unfold_to_what_they_were() {
        let line = format!("SUMMARY:{}", "公益创投路演".repeat(20));
        let mut text = String::new();
        folded(&mut text, &line);
        assert!(text.ends_with("\r\n"));
        let lines: Vec<&str> = text.trim_end_matches("\r\n").split("\r\n").collect();
        assert!(lines.len() > 4 && lines.iter().all(|one| one.len() <= LINE));
        assert!(lines.iter().skip(1).all(|one| one.starts_with(' ')));
        assert_eq!(text.replace("\r\n ", ""), format!("{line}\r\n"));
    }

    #[test]
    fn what_was_typed_cannot_add_a_property() {
        assert_eq!(
            escaped("甲,乙;\\\r\nATTENDEE:mailto:x"),
            "甲\\,乙\\;\\\\\\nATTENDEE:mailto:x"
        );
    }

    #[test]
    fn times_are_in_utc() {
        let at: Timestamp = "2024-07-04T09:00:00+08:00".parse().unwrap_or_default();
        assert_eq!(utc(at), "20240704T010000Z");
    }
}
