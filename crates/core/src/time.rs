//! Instants as Unix milliseconds: one number that sorts the same in memory and in every database.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant, in milliseconds since 1970-01-01T00:00:00Z. JSON shows it as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A text that is not an RFC 3339 instant, or one out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 instant such as 2024-09-11T09:00:00+08:00")]
pub struct TimestampError {
    /// What was given.
    pub text: String,
}

impl Timestamp {
    /// The instant `days` times 24 hours later, saturating.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(86_400_000)))
    }

    /// The civil date of this instant in `zone`.
    pub fn date_in(self, zone: &jiff::tz::TimeZone) -> jiff::civil::Date {
        zone.to_datetime(self.instant()).date()
    }

    /// The hour of the day of this instant in `zone`, 0 to 23.
    pub fn hour_in(self, zone: &jiff::tz::TimeZone) -> u8 {
        u8::try_from(zone.to_datetime(self.instant()).hour()).unwrap_or_default()
    }

    /// Date and time of day in `zone`, to the minute, as people write it.
    pub fn written_in(self, zone: &jiff::tz::TimeZone) -> String {
        zone.to_datetime(self.instant())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    }

    /// The instant of a civil time in `zone`; where a change of clocks leaves it out, the next one.
    pub fn of_civil(civil: jiff::civil::DateTime, zone: &jiff::tz::TimeZone) -> Self {
        zone.to_ambiguous_timestamp(civil)
            .compatible()
            .map_or(Self(i64::MAX), |instant| Self(instant.as_millisecond()))
    }

    /// The last millisecond of `date` in `zone`: the end of a window that includes that day.
    pub fn end_of_day(date: jiff::civil::Date, zone: &jiff::tz::TimeZone) -> Self {
        let midnight = date
            .tomorrow()
            .unwrap_or(date)
            .to_datetime(jiff::civil::Time::midnight());
        match Self::of_civil(midnight, zone) {
            Self(i64::MAX) => Self(i64::MAX),
            Self(next) => Self(next - 1),
        }
    }

    fn instant(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.instant())
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_millisecond()))
            .map_err(|_| TimestampError {
                text: text.to_owned(),
            })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "description": "An RFC 3339 instant."})
    }
}
