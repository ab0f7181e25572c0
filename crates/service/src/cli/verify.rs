//! Computing the published results of a cycle again, from its verification file alone.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::proof::Digest;
use fundcycle_core::rejection::Text;
use fundcycle_core::verification::{Export, check};

use super::{Stop, complain, say};

/// What `verify` takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The file, as `GET /v1/cycles/{cycle}/verification` gives it.
    file: PathBuf,
    /// The fingerprint of the key that must have signed the head of the record, as it was published.
    #[arg(long, value_name = "SHA256")]
    key: Option<Digest>,
    /// The language of what is printed.
    #[arg(long, value_enum, default_value_t = Locale::En)]
    locale: Locale,
}

/// A language that every line has.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Locale {
    /// English.
    En,
    /// 简体中文.
    #[value(name = "zh-CN", alias = "zh")]
    Zh,
}

impl Locale {
    fn of(self, text: &Text) -> &str {
        match self {
            Self::En => &text.en,
            Self::Zh => &text.zh,
        }
    }
}

/// Does what is asked.
pub(crate) fn run(args: &VerifyArgs) -> Result<(), Stop> {
    let VerifyArgs { file, key, locale } = args;
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::Trouble(format!("{name} cannot be read: {error}")))?;
    let export: Export = serde_json::from_str(&text).map_err(|error| {
        complain(&format!("{name} is not a verification file: {error}"));
        Stop::No
    })?;
    let said = check(&export, *key, &WorkingDayCalendar::china()?);
    for one in &said {
        let mark = if one.holds { "✓" } else { "✗" };
        say(&format!("{mark} {}", locale.of(&one.text)))?;
    }
    let differ = said.iter().filter(|one| !one.holds).count();
    let verdict = if differ == 0 {
        Text::new("everything holds", "全部一致")
    } else {
        Text::new(
            format!("{differ} difference(s)"),
            format!("{differ} 处不符"),
        )
    };
    say(locale.of(&verdict))?;
    if differ == 0 { Ok(()) } else { Err(Stop::No) }
}
