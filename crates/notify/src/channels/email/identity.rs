//! The name of a letter on its way: the same on every attempt, so that mail programs show a repeat
//! once, and with a code, so that nobody who did not get it can report that it came back.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

/// The name of the secret that the codes are made with.
pub(super) const LETTER_SECRET: &str = "letter_secret";

/// Bytes of the code that are kept: enough that nobody guesses it.
const CODE: usize = 16;

/// The `Message-ID` of a letter, between its brackets.
pub(super) fn name(secret: &str, letter: Uuid, domain: &str) -> String {
    let code = HEXLOWER.encode(&code(secret, letter));
    format!("{letter}.{code}@{domain}")
}

/// The letter of this name; none where it was not given here.
pub(super) fn read(secret: &str, name: &str) -> Option<Uuid> {
    let name = name.trim().trim_start_matches('<').trim_end_matches('>');
    let (letter, given) = name.split_once('@')?.0.split_once('.')?;
    let letter = Uuid::try_parse(letter).ok()?;
    let given = HEXLOWER.decode(given.as_bytes()).ok()?;
    let mac = keyed(secret, letter)?;
    (given.len() == CODE && mac.verify_truncated_left(&given).is_ok()).then_some(letter)
}

fn code(secret: &str, letter: Uuid) -> Vec<u8> {
    keyed(secret, letter).map_or_else(Vec::new, |mac| {
        mac.finalize()
            .into_bytes()
            .iter()
            .copied()
            .take(CODE)
            .collect()
    })
}

fn keyed(secret: &str, letter: Uuid) -> Option<Hmac<Sha256>> {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("letter {letter}").as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_given_here_are_read() {
        let letter = Uuid::from_u128(7);
        let made = name("secret", letter, "fund.example");
        assert_eq!(read("secret", &made), Some(letter));
        assert_eq!(read("secret", &format!(" <{made}> ")), Some(letter));
        let other = name("secret", Uuid::from_u128(8), "fund.example");
        let swapped = made.replace(&letter.to_string(), &Uuid::from_u128(8).to_string());
        assert_ne!(other, swapped);
        for forged in [
            swapped,
            name("other", letter, "fund.example"),
            format!("{letter}@fund.example"),
            format!("{letter}.@fund.example"),
            format!("{letter}.00@fund.example"),
            String::new(),
        ] {
            assert_eq!(read("secret", &forged), None, "{forged}");
        }
    }
}
