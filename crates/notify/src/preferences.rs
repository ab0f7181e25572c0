//! Which messages people may do without, and how a letter lets them say so (RFC 2369, RFC 8058).

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::digest::DIGEST;
use crate::routes::{RECEIPTS, reminder_of};

/// A group of messages that is wanted, or not, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What is decided or asked, with its time limits: nobody may miss it.
    Decisions,
    /// That something was received or found complete.
    Receipts,
    /// Reminders of deadlines.
    Reminders,
    /// The daily word to staff of what waits for them.
    Digest,
}

impl Group {
    /// Every group, with its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Decisions, "decisions"),
        (Self::Receipts, "receipts"),
        (Self::Reminders, "reminders"),
        (Self::Digest, "digest"),
    ];

    /// The group that messages on `topic` are in.
    pub fn of(topic: &str) -> Self {
        if topic == DIGEST {
            Self::Digest
        } else if reminder_of(topic).is_some() {
            Self::Reminders
        } else if RECEIPTS.contains(&topic) {
            Self::Receipts
        } else {
            Self::Decisions
        }
    }

    /// The group of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(group, known)| (known == name).then_some(group))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find_map(|(group, name)| (group == self).then_some(name))
            .unwrap_or_default()
    }

    /// Whether people may do without it. The inbox has everything all the same.
    pub const fn optional(self) -> bool {
        !matches!(self, Self::Decisions)
    }
}

/// The name of the secret that makes the tokens.
pub const SECRET: &str = "unsubscribe_secret";

/// What a letter carries so that whoever holds it can switch off `group` for `account`, and nothing
/// else, without signing in.
pub fn token(secret: &str, account: Uuid, group: Group) -> String {
    let name = group.name();
    let code = HEXLOWER.encode(&code(secret, account, name));
    format!("{}.{name}.{code}", account.simple())
}

/// Whose token this is, and for which group; none where it was not made here.
pub fn read_token(secret: &str, token: &str) -> Option<(Uuid, Group)> {
    let mut parts = token.split('.');
    let (account, name, given) = (parts.next()?, parts.next()?, parts.next()?);
    let account = Uuid::try_parse(account).ok()?;
    let group = Group::named(name).filter(|group| group.optional())?;
    let given = HEXLOWER.decode(given.as_bytes()).ok()?;
    let mut mac = keyed(secret)?;
    mac.update(text(account, name).as_bytes());
    (parts.next().is_none() && mac.verify_slice(&given).is_ok()).then_some((account, group))
}

fn code(secret: &str, account: Uuid, name: &str) -> Vec<u8> {
    keyed(secret)
        .map(|mut mac| {
            mac.update(text(account, name).as_bytes());
            mac.finalize().into_bytes().to_vec()
        })
        .unwrap_or_default()
}

fn keyed(secret: &str) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret.as_bytes()).ok()
}

fn text(account: Uuid, name: &str) -> String {
    format!("unsubscribe {account} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_person_and_one_group() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let made = token("secret", one, Group::Reminders);
        assert_eq!(read_token("secret", &made), Some((one, Group::Reminders)));
        for forged in [
            made.replace("reminders", "digest"),
            made.replace(&one.simple().to_string(), &two.simple().to_string()),
            format!("{made}."),
            format!("{made}00"),
            token("other", one, Group::Reminders),
            token("secret", one, Group::Decisions),
            String::new(),
        ] {
            assert_eq!(read_token("secret", &forged), None, "{forged}");
        }
    }
}
