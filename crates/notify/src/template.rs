//! The words of each message in each language. A variable that is missing is an error, not a blank.

mod sample;

use std::collections::BTreeMap;

use fundcycle_core::policy::PolicyDocument;
use fundcycle_core::time::Timestamp;
use minijinja::{Environment, ErrorKind, State, UndefinedBehavior};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The languages that messages are written in; the first is spoken where no other is asked for.
pub const LOCALES: &[(&str, &str)] = &[
    ("zh-CN", include_str!("templates/zh-CN.toml")),
    ("en", include_str!("templates/en.toml")),
];

/// A message as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// In one line.
    pub title: String,
    /// In full.
    pub text: String,
}

/// Why a message has no words.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file of templates cannot be read.
    #[error("the templates of {locale} cannot be read: {source}")]
    File {
        /// Which language.
        locale: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// There is no template for the topic.
    #[error("there is no template `{topic}` in {locale}")]
    Missing {
        /// Which topic.
        topic: String,
        /// In which language.
        locale: String,
    },
    /// A template cannot be filled in.
    #[error("template `{topic}` in {locale}: {source}")]
    Fill {
        /// Which topic.
        topic: String,
        /// In which language.
        locale: String,
        /// Where and why.
        source: Box<minijinja::Error>,
    },
}

/// The words of one kind of message, as templates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The title.
    pub title: String,
    /// The text.
    pub text: String,
}

/// A topic in a file of templates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    text: String,
    /// What its messages have beside what all about that kind of record have.
    #[serde(default)]
    sample: Map<String, Value>,
}

/// How much work filling in a template may be: a template that staff wrote must not hold the service up.
const FUEL: u64 = 100_000;

/// Every template, read once.
pub struct Templates {
    by_locale: BTreeMap<&'static str, BTreeMap<String, Words>>,
    samples: BTreeMap<String, Map<String, Value>>,
    environment: Environment<'static>,
}

impl Templates {
    /// Reads the templates that come with the product.
    ///
    /// # Errors
    ///
    /// [`TemplateError::File`] with the place.
    pub fn built_in() -> Result<Self, TemplateError> {
        let (mut by_locale, mut samples) = (BTreeMap::new(), BTreeMap::new());
        for (locale, text) in LOCALES {
            let topics: BTreeMap<String, Section> =
                toml::from_str(text).map_err(|source| TemplateError::File {
                    locale: (*locale).to_owned(),
                    source: Box::new(source),
                })?;
            let mut words = BTreeMap::new();
            for (
                topic,
                Section {
                    title,
                    text,
                    sample,
                },
            ) in topics
            {
                if !sample.is_empty() {
                    samples.insert(topic.clone(), sample);
                }
                words.insert(topic, Words { title, text });
            }
            by_locale.insert(*locale, words);
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("time", time);
        Ok(Self {
            by_locale,
            samples,
            environment,
        })
    }

    /// An example of what a message on `topic` is filled in with: what templates are tried with.
    pub fn sample(&self, topic: &str) -> Map<String, Value> {
        sample::sample(topic, self.samples.get(topic))
    }

    /// The topics that have words in `locale`.
    pub fn topics(&self, locale: &str) -> impl Iterator<Item = &str> {
        self.by_locale
            .get(locale)
            .into_iter()
            .flat_map(|topics| topics.keys().map(String::as_str))
    }

    /// The message on `topic` in `locale`, or in the first language where that one is not spoken.
    ///
    /// # Errors
    ///
    /// Where there is no such template, or `data` lacks a variable.
    pub fn render(
        &self,
        topic: &str,
        locale: &str,
        data: &Map<String, Value>,
    ) -> Result<Rendered, TemplateError> {
        let locale = spoken(locale);
        let words = self
            .words(topic, locale)
            .ok_or_else(|| TemplateError::Missing {
                topic: topic.to_owned(),
                locale: locale.to_owned(),
            })?;
        self.fill(topic, locale, words, data)
    }

    /// The words that come with the product for `topic` in `locale`.
    pub fn words(&self, topic: &str, locale: &str) -> Option<&Words> {
        self.by_locale.get(locale)?.get(topic)
    }

    /// The message on `topic` in these words.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Fill`] where they are no template, or `data` lacks a variable.
    pub fn fill(
        &self,
        topic: &str,
        locale: &str,
        words: &Words,
        data: &Map<String, Value>,
    ) -> Result<Rendered, TemplateError> {
        let fill = |text: &str| {
            self.environment
                .render_str(text, minijinja::value::Serde(data))
                .map_err(|error| TemplateError::Fill {
                    topic: topic.to_owned(),
                    locale: locale.to_owned(),
                    source: Box::new(error),
                })
        };
        Ok(Rendered {
            title: fill(&words.title)?,
            text: fill(&words.text)?,
        })
    }
}

/// The time zone in which times are written where a message names none.
pub const BEIJING: &str = "Asia/Shanghai";

/// The filter `time`: an instant as people read it, in the time zone that the message names as `zone`.
fn time(state: &State<'_, '_>, instant: &str) -> Result<String, minijinja::Error> {
    let instant: Timestamp = instant
        .parse()
        .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, format!("{error}")))?;
    let zone = state.lookup("zone");
    let zone = zone.as_ref().and_then(|zone| zone.as_str());
    Ok(instant.written_in(&PolicyDocument::zone_named(zone.unwrap_or(BEIJING))))
}

/// The language that is written for whoever reads `locale`.
pub fn spoken(locale: &str) -> &'static str {
    LOCALES
        .iter()
        .map(|(name, _)| *name)
        .find(|name| *name == locale)
        .unwrap_or(LOCALES[0].0)
}
