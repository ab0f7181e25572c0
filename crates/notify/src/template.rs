//! The words of each message in each language. A variable that is missing is an error, not a blank.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    title: String,
    text: String,
}

/// Every template, read once.
pub struct Templates {
    by_locale: BTreeMap<&'static str, BTreeMap<String, Source>>,
    environment: Environment<'static>,
}

impl Templates {
    /// Reads the templates that come with the product.
    ///
    /// # Errors
    ///
    /// [`TemplateError::File`] with the place.
    pub fn built_in() -> Result<Self, TemplateError> {
        let mut by_locale = BTreeMap::new();
        for (locale, text) in LOCALES {
            let topics = toml::from_str(text).map_err(|source| TemplateError::File {
                locale: (*locale).to_owned(),
                source: Box::new(source),
            })?;
            by_locale.insert(*locale, topics);
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        Ok(Self {
            by_locale,
            environment,
        })
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
        let spoken = LOCALES
            .iter()
            .map(|(name, _)| *name)
            .find(|name| *name == locale)
            .unwrap_or(LOCALES[0].0);
        let source = self
            .by_locale
            .get(spoken)
            .and_then(|topics| topics.get(topic))
            .ok_or_else(|| TemplateError::Missing {
                topic: topic.to_owned(),
                locale: spoken.to_owned(),
            })?;
        let fill = |text: &str| {
            self.environment
                .render_str(text, minijinja::value::Serde(data))
                .map_err(|error| TemplateError::Fill {
                    topic: topic.to_owned(),
                    locale: spoken.to_owned(),
                    source: Box::new(error),
                })
        };
        Ok(Rendered {
            title: fill(&source.title)?,
            text: fill(&source.text)?,
        })
    }
}
