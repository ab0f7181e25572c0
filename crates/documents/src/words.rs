//! Simplified Chinese first, English beside it: words, dates and numbers as people write them.

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names;
use fundcycle_core::time::Timestamp;
use fundcycle_scoring::Exact;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The same words in Chinese and in English.
pub type Words = (&'static str, &'static str);

/// A language that documents are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// 简体中文.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// As in `lang` and `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The words in this language.
    pub const fn say(self, words: Words) -> &'static str {
        match self {
            Self::Zh => words.0,
            Self::En => words.1,
        }
    }

    /// The sentence in this language.
    pub fn choose(self, zh: impl Into<String>, en: impl Into<String>) -> String {
        match self {
            Self::Zh => zh.into(),
            Self::En => en.into(),
        }
    }

    /// A named thing: in Chinese by its title, in English by its stable name with spaces.
    pub fn name<N: Names>(self, one: N) -> String {
        self.choose(one.zh(), one.name().replace('_', " "))
    }

    /// A stage of a kind of record.
    pub fn stage(self, kind: Kind, stage: &str) -> String {
        let known = kind.stages().into_iter().find(|one| one.name == stage);
        known.map_or_else(
            || stage.to_owned(),
            |one| self.choose(one.zh, one.name.replace('_', " ")),
        )
    }

    /// A day.
    pub fn date(self, date: Date) -> String {
        let form = self.say(("%Y年%-m月%-d日", "%-d %B %Y"));
        date.strftime(form).to_string()
    }

    /// A moment as clocks of `zone` show it, to the minute.
    pub fn moment(self, at: Timestamp, zone: &TimeZone) -> String {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else {
            return at.to_string();
        };
        let form = self.say(("%Y年%-m月%-d日 %H:%M", "%-d %B %Y, %H:%M"));
        zone.to_datetime(instant).strftime(form).to_string()
    }
}

/// An exact number as a table shows it: all its decimals, or four where they do not end.
pub(crate) fn decimal(number: &Exact) -> String {
    let text = number.to_string();
    if text.contains('/') {
        number.fixed(4, fundcycle_scoring::Rounding::default())
    } else {
        text
    }
}
