//! Settings of how people sign in.

use std::path::PathBuf;

use crate::auth::BreachedFile;
use crate::auth::factor::Required;

/// The keys, as in the file.
pub(crate) const KEYS: [&str; 3] = ["breached_passwords", "second_factor", "secret_key"];

/// How people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignInSettings {
    /// Passwords that nobody may choose.
    pub breached_passwords: Option<BreachedFile>,
    /// Who has to have a second factor.
    pub second_factor: Required,
    /// The file with the key that seals secrets; none: `Settings::secret_key_file` says.
    pub secret_key: Option<PathBuf>,
}

impl SignInSettings {
    /// Takes a value; none where the key is not one of these.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        match key {
            "breached_passwords" => match BreachedFile::from_text(value) {
                Some(file) => self.breached_passwords = Some(file),
                None => return Some(Err("name a file, or sha1:FILE".to_owned())),
            },
            "second_factor" => match Required::from_text(value) {
                Some(required) => self.second_factor = required,
                None => return Some(Err("write staff, everybody or optional".to_owned())),
            },
            "secret_key" if value.is_empty() => return Some(Err("name a file".to_owned())),
            "secret_key" => self.secret_key = Some(PathBuf::from(value)),
            _ => return None,
        }
        Some(Ok(()))
    }
}
