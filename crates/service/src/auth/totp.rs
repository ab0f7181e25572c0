//! Codes that a telephone shows, one for each half minute (RFC 6238, with the parameters that every
//! program for it knows: SHA-1, six digits, 30 s).

use data_encoding::BASE32_NOPAD;
use fundcycle_core::time::Timestamp;
use ring::hmac;
use subtle::ConstantTimeEq as _;

/// Bytes of a secret (RFC 4226 §4: at least 16, better 20).
pub(crate) const SECRET: usize = 20;
/// Milliseconds for which a code is shown.
const STEP: i64 = 30_000;
/// Steps before and after now whose codes are taken, for clocks that differ and people who type slowly.
const SKEW: i64 = 1;

/// The code of a step.
fn code(secret: &[u8], step: i64) -> [u8; 6] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // RFC 4226 §5.3: the last four bits say where the code is cut out.
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let cut = tag.iter().skip(offset).take(4);
    let number = cut.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
    let mut digits = [b'0'; 6];
    let mut rest = number % 1_000_000;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    digits
}

/// The step about now whose code this is; every one is compared, in the same time.
pub(crate) fn step_of(secret: &[u8], given: &str, now: Timestamp) -> Option<i64> {
    let current = now.0.div_euclid(STEP);
    let steps = current - SKEW..=current + SKEW;
    steps.fold(None, |found, step| {
        let same = bool::from(code(secret, step).ct_eq(given.as_bytes()));
        if same { Some(step) } else { found }
    })
}

/// The secret as it is typed.
pub(crate) fn text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The address that programs for it read, mostly from a picture.
pub(crate) fn address(secret: &[u8], email: &str) -> String {
    use std::fmt::Write as _;
    let name = email.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
        name
    });
    format!(
        "otpauth://totp/fundcycle:{name}?secret={}&issuer=fundcycle",
        text(secret)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B; of eight digits the last six.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SEED, seconds / 30), expected.as_bytes());
        }
    }

    #[test]
    fn a_code_is_good_in_its_step_and_the_two_beside_it() {
        let at = |seconds: i64| step_of(SEED, "005924", Timestamp(seconds * 1_000));
        let step = 1_234_567_890 / 30;
        for (seconds, found) in [
            (-60, None),
            (-30, Some(step)),
            (0, Some(step)),
            (30, Some(step)),
            (60, None),
        ] {
            assert_eq!(at(1_234_567_890 + seconds), found, "{seconds}");
        }
        for wrong in ["", "00592", "0059240", "５924", "005925"] {
            assert_eq!(
                step_of(SEED, wrong, Timestamp(1_234_567_890_000)),
                None,
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_address_says_whose_it_is() {
        assert_eq!(
            address(SEED, "王芳 a@example.org"),
            "otpauth://totp/fundcycle:%E7%8E%8B%E8%8A%B3%20a@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=fundcycle"
        );
    }
}
