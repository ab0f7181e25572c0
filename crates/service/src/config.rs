//! Settings: flags before environment before file before defaults, each fault with its place.

pub(crate) mod limits;
pub(crate) mod mail;
pub(crate) mod sign_in;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use self::limits::LimitSettings;
use self::mail::MailSettings;
use self::sign_in::SignInSettings;
use crate::telemetry::{self, LogFormat};

/// What the service runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it remembers: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// The folder of attachments.
    pub files: PathBuf,
    /// The file with the key that signs checkpoints; none: [`Settings::signing_key_file`] says.
    pub signing_key: Option<PathBuf>,
    /// What of the log is written.
    pub log: String,
    /// How it is written.
    pub log_format: LogFormat,
    /// Days that a token lasts.
    pub token_days: i64,
    /// Bytes of a JSON body.
    pub body_limit: usize,
    /// Bytes of a file.
    pub upload_limit: usize,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// How often one may ask.
    pub limits: LimitSettings,
    /// How people are told outside the product.
    pub mail: MailSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: "sqlite:fundcycle.db".to_owned(),
            files: PathBuf::from("fundcycle-files"),
            signing_key: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            token_days: 14,
            body_limit: 1024 * 1024,
            upload_limit: 20 * 1024 * 1024,
            sign_in: SignInSettings::default(),
            limits: LimitSettings::default(),
            mail: MailSettings::default(),
        }
    }
}

impl Settings {
    /// The file with the key that signs checkpoints: as set, else beside the database file, else in
    /// the folder that the service runs in.
    pub(crate) fn signing_key_file(&self) -> PathBuf {
        let named = self.signing_key.clone();
        named.unwrap_or_else(|| self.beside_the_database("signing"))
    }

    /// The file with the key that seals secrets: likewise.
    pub(crate) fn secret_key_file(&self) -> PathBuf {
        let named = self.sign_in.secret_key.clone();
        named.unwrap_or_else(|| self.beside_the_database("secret"))
    }

    fn beside_the_database(&self, name: &str) -> PathBuf {
        let path = self.database.strip_prefix("sqlite:").map(|path| {
            let path = path.strip_prefix("//").unwrap_or(path);
            path.split_once('?').map_or(path, |(path, _)| path)
        });
        PathBuf::from(path.map_or_else(
            || format!("fundcycle-{name}.key"),
            |path| format!("{path}.{name}.key"),
        ))
    }
}

/// The keys, as in the file; `FUNDCYCLE_` and the key in capitals in the environment; `--` and the
/// key with hyphens as a flag. Those of [`sign_in`], [`limits`] and [`mail`] come after them.
const KEYS: [&str; 9] = [
    "listen",
    "database",
    "files",
    "signing_key",
    "log",
    "log_format",
    "token_days",
    "body_limit",
    "upload_limit",
];

fn keys() -> impl Iterator<Item = &'static str> {
    let more = sign_in::KEYS.into_iter().chain(limits::KEYS);
    KEYS.into_iter().chain(more).chain(mail::KEYS)
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the command line.
    Flag(&'static str),
    /// In the environment.
    Environment(String),
    /// In the file, on this line.
    File(PathBuf, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => write!(f, "--{}", key.replace('_', "-")),
            Self::Environment(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigFault {
    /// Where.
    pub place: String,
    /// What, with the key.
    pub what: String,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad configuration:{}", faults.iter().map(|fault| format!("\n  {}: {}", fault.place, fault.what)).collect::<String>())]
pub(crate) struct ConfigError {
    /// Each with its place.
    pub faults: Vec<ConfigFault>,
}

/// A value with its place.
struct Given {
    key: &'static str,
    value: String,
    place: Place,
}

/// Reads the settings: `flags` by key, the environment by `lookup`, the file if one is named.
///
/// # Errors
///
/// [`ConfigError`] with every fault.
pub(crate) fn load(
    flags: Vec<(&'static str, Option<String>)>,
    file: Option<&Path>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let mut faults = Vec::new();
    let mut given: Vec<Given> = Vec::new();
    let named = file
        .map(Path::to_owned)
        .or_else(|| lookup("FUNDCYCLE_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        read_file(&path, &mut given, &mut faults);
    }
    for key in keys() {
        let name = format!("FUNDCYCLE_{}", key.to_ascii_uppercase());
        given.extend(lookup(&name).map(|value| Given {
            key,
            value,
            place: Place::Environment(name),
        }));
    }
    given.extend(flags.into_iter().filter_map(|(key, value)| {
        Some(Given {
            key,
            value: value?,
            place: Place::Flag(key),
        })
    }));
    let mut settings = Settings::default();
    for one in given {
        // Later wins; but a value that cannot be is a fault wherever it stands.
        if let Err(what) = set(&mut settings, one.key, &one.value) {
            faults.push(ConfigFault {
                place: one.place.to_string(),
                what: format!("`{}` is `{}`: {what}", one.key, shown(one.key, &one.value)),
            });
        }
    }
    faults.extend(
        settings
            .mail
            .faults()
            .into_iter()
            .map(|(key, what)| ConfigFault {
                place: "all settings together".to_owned(),
                what: format!("`{key}` {what}"),
            }),
    );
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(ConfigError { faults })
    }
}

/// An address of a database may hold a password.
fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    match key {
        "database" => value.split_once(':').map_or("…", |(scheme, _)| scheme),
        "smtp_password" => "…",
        _ => value,
    }
}

fn set(settings: &mut Settings, key: &str, value: &str) -> Result<(), String> {
    let number = |least: u64, most: u64, what: &str| {
        let number = value
            .parse::<u64>()
            .ok()
            .filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("write {what} from {least} to {most}"))
    };
    let bytes = || {
        number(1_024, 1 << 30, "a number of bytes")
            .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    match key {
        "listen" => {
            settings.listen = value
                .parse()
                .map_err(|_| "write ADDRESS:PORT, such as 127.0.0.1:8080".to_owned())?;
        }
        "database" => {
            if !["sqlite:", "postgres:", "postgresql:"]
                .iter()
                .any(|scheme| value.starts_with(scheme))
            {
                return Err("write sqlite:PATH or postgres://USER@HOST/NAME".to_owned());
            }
            value.clone_into(&mut settings.database);
        }
        "files" if value.is_empty() => return Err("name a folder".to_owned()),
        "files" => settings.files = PathBuf::from(value),
        "signing_key" if value.is_empty() => return Err("name a file".to_owned()),
        "signing_key" => settings.signing_key = Some(PathBuf::from(value)),
        "log" => {
            telemetry::filter(value).map_err(|error| {
                format!("write a level such as info, or fundcycle=debug,warn ({error})")
            })?;
            value.clone_into(&mut settings.log);
        }
        "log_format" => {
            settings.log_format = match value {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("write text or json".to_owned()),
            }
        }
        "token_days" => {
            settings.token_days = number(1, 3_650, "a number of days")
                .map(|days| i64::try_from(days).unwrap_or(i64::MAX))?;
        }
        "body_limit" => settings.body_limit = bytes()?,
        "upload_limit" => settings.upload_limit = bytes()?,
        other => {
            return (settings.limits.set(other, value))
                .or_else(|| settings.sign_in.set(other, value))
                .or_else(|| settings.mail.set(other, value))
                .unwrap_or_else(|| Err("there is no such key".to_owned()));
        }
    }
    Ok(())
}

fn read_file(path: &Path, given: &mut Vec<Given>, faults: &mut Vec<ConfigFault>) {
    let mut fault = |line: Option<usize>, what: String| {
        let place = line.map_or_else(
            || path.display().to_string(),
            |line| format!("{}:{line}", path.display()),
        );
        faults.push(ConfigFault { place, what });
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return fault(None, format!("the file cannot be read: {error}")),
    };
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map(|span| line_of(&text, span.start));
            return fault(line, format!("this is not TOML: {}", error.message()));
        }
    };
    for (name, value) in table.get_ref() {
        let line = line_of(&text, name.span().start);
        let name = name.get_ref().as_ref();
        let Some(key) = keys().find(|key| *key == name) else {
            let known: Vec<&str> = keys().collect();
            fault(
                Some(line),
                format!(
                    "there is no key `{name}`; the keys are {}",
                    known.join(", ")
                ),
            );
            continue;
        };
        match value.get_ref() {
            DeValue::String(text) => given.push(Given {
                key,
                value: text.to_string(),
                place: Place::File(path.to_owned(), line),
            }),
            DeValue::Integer(number) => given.push(Given {
                key,
                value: number.to_string(),
                place: Place::File(path.to_owned(), line),
            }),
            other => fault(
                Some(line),
                format!(
                    "`{key}` is a {}: write a text or a whole number",
                    other.type_str()
                ),
            ),
        }
    }
}

/// The line, from 1, on which a byte of `text` stands.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(byte)
        .filter(|one| **one == b'\n')
        .count()
        + 1
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn with(
        file: &str,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fundcycle.toml");
        std::fs::write(&path, file).unwrap();
        let environment: BTreeMap<String, String> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let flags = flags
            .iter()
            .map(|(key, value)| (*key, Some((*value).to_owned())))
            .collect();
        load(flags, Some(&path), |name| environment.get(name).cloned()).map_err(|error| {
            ConfigError {
                faults: error
                    .faults
                    .into_iter()
                    .map(|fault| ConfigFault {
                        place: fault
                            .place
                            .replace(&folder.path().display().to_string(), ""),
                        ..fault
                    })
                    .collect(),
            }
        })
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let settings = with(
            "listen = \"127.0.0.1:1\"\ntoken_days = 1\nbody_limit = 2048\n",
            &[
                ("FUNDCYCLE_LISTEN", "127.0.0.1:2"),
                ("FUNDCYCLE_TOKEN_DAYS", "2"),
            ],
            &[("listen", "127.0.0.1:3")],
        )
        .unwrap();
        assert_eq!(
            (
                settings.listen.port(),
                settings.token_days,
                settings.body_limit
            ),
            (3, 2, 2048)
        );
    }

    #[test]
    fn every_fault_is_named_with_key_and_place() {
        let error = with(
            "token_days = 0\ncolour = \"red\"\nlog = true\n",
            &[("FUNDCYCLE_LISTEN", "here")],
            &[("database", "mysql://root:secret@db")],
        )
        .unwrap_err();
        insta::assert_snapshot!(error);
    }

    #[test]
    fn a_file_that_is_not_toml_is_named_with_its_line() {
        let error = with("listen = \"127.0.0.1:1\"\nlog = = 1\n", &[], &[]).unwrap_err();
        assert_eq!(
            error.faults.first().unwrap().place,
            "/fundcycle.toml:2",
            "{error}"
        );
    }
}
