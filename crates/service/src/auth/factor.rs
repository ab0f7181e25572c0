//! Whether a second factor is asked for, and whether what was given is one.

use std::collections::BTreeSet;

use data_encoding::BASE32_NOPAD;
use fundcycle_core::actor::{Grant, Role};
use uuid::Uuid;

use super::{random, totp};
use crate::app::App;
use crate::problem::Problem;

/// Codes for emergencies that somebody gets.
const CODES: usize = 10;
/// Random bytes of each.
const BYTES: usize = 10;

/// Who has to have a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Required {
    /// Whoever works for the bureau or keeps the installation.
    #[default]
    Staff,
    /// Everybody.
    Everybody,
    /// Nobody; whoever wants one has one.
    Optional,
}

impl Required {
    /// As set.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match text {
            "staff" => Some(Self::Staff),
            "everybody" => Some(Self::Everybody),
            "optional" => Some(Self::Optional),
            _ => None,
        }
    }

    /// Of somebody with these rights.
    pub(crate) fn of(self, grants: &BTreeSet<Grant>) -> bool {
        match self {
            Self::Optional => false,
            Self::Everybody => true,
            Self::Staff => grants.iter().any(|grant| {
                matches!(
                    grant.role,
                    Role::Staff | Role::Lead | Role::Finance | Role::Auditor | Role::Admin
                )
            }),
        }
    }
}

/// A code as it is compared: without what people put between its parts.
pub(crate) fn digits(code: &str) -> String {
    code.chars()
        .filter(|one| !one.is_whitespace() && *one != '-')
        .map(|one| one.to_ascii_uppercase())
        .collect()
}

/// New codes for emergencies.
///
/// # Errors
///
/// Where there are no random bytes.
pub(crate) fn recovery_codes() -> Result<Vec<String>, Problem> {
    (0..CODES)
        .map(|_| Ok(BASE32_NOPAD.encode(&random::<BYTES>()?)))
        .collect()
}

/// Such a code as it is shown, in groups of four.
pub(crate) fn shown(code: &str) -> String {
    let parts: Vec<String> = code
        .as_bytes()
        .chunks(4)
        .map(|part| String::from_utf8_lossy(part).to_lowercase())
        .collect();
    parts.join("-")
}

/// Takes a code of the factor in use, or one for emergencies. False where it is wrong, or was taken.
///
/// # Errors
///
/// Where the secret cannot be opened, or the database fails.
pub(crate) async fn takes(app: &App, account: Uuid, code: &str) -> Result<bool, Problem> {
    let (code, now) = (digits(code), app.clock.now());
    if code.len() > 6 {
        return Ok(app.store.take_recovery_code(account, &code, now).await?);
    }
    let factor = app.store.second_factor(account).await?;
    let Some(factor) = factor.filter(|one| one.confirmed_at.is_some()) else {
        return Ok(false);
    };
    let secret = app.vault.open(account, &factor.secret);
    let secret = secret.map_err(|error| Problem::internal(&error))?;
    match totp::step_of(&secret, &code, now) {
        Some(step) => Ok(app.store.take_step(account, step).await?),
        None => Ok(false),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_code_for_emergencies_reads_back_as_it_is_shown() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), CODES);
        for code in codes {
            assert_eq!(code.len(), 16);
            assert_eq!(digits(&shown(&code)), code);
            assert_eq!(shown(&code).len(), 19);
        }
    }
}
