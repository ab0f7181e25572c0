//! The language of an answer: what the caller asked for, of the two that the product speaks.

use axum::http::{HeaderMap, header};
use fundcycle_core::rejection::Text;

/// A language that every message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// English; also for callers who ask for nothing that we speak.
    #[default]
    En,
    /// 简体中文.
    Zh,
}

impl Language {
    /// The one the caller likes best (`Accept-Language`, RFC 9110 §12.5.4).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::asked(headers).unwrap_or_default()
    }

    /// The same; none where they ask for nothing that we speak.
    pub(crate) fn asked(headers: &HeaderMap) -> Option<Self> {
        let asked = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (mut best, mut most) = (None, 0.0);
        for range in asked.split(',') {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let language = match tag
                .trim()
                .split('-')
                .next()
                .map(str::to_ascii_lowercase)
                .as_deref()
            {
                Some("zh") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            let quality: f32 = quality
                .trim()
                .strip_prefix("q=")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0.0);
            if quality > most {
                (best, most) = (Some(language), quality);
            }
        }
        best
    }

    /// As in `Content-Language`.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The sentence in this language.
    pub(crate) fn of_text(self, text: &Text) -> &str {
        match self {
            Self::En => &text.en,
            Self::Zh => &text.zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn chinese_is_spoken_only_to_those_who_ask_for_it_first() {
        for (asked, spoken) in [
            ("", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-GB,zh;q=0.5", Language::En),
            ("en;q=0.2, zh-Hans;q=0.7", Language::Zh),
            ("fr", Language::En),
            ("zh;q=0", Language::En),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(asked))]);
            assert_eq!(Language::of(&headers), spoken, "{asked}");
        }
    }
}
