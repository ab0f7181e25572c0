//! Settings of how people sign in.

use crate::auth::BreachedFile;

/// The keys, as in the file.
pub(crate) const KEYS: [&str; 1] = ["breached_passwords"];

/// How people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignInSettings {
    /// Passwords that nobody may choose.
    pub breached_passwords: Option<BreachedFile>,
}

impl SignInSettings {
    /// Takes a value; none where the key is not one of these.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        match key {
            "breached_passwords" => match BreachedFile::from_text(value) {
                Some(file) => self.breached_passwords = Some(file),
                None => return Some(Err("name a file, or sha1:FILE".to_owned())),
            },
            _ => return None,
        }
        Some(Ok(()))
    }
}
