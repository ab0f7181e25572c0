//! Hashes as they stand in records: SHA-256 in lower-case hexadecimal, over canonical JSON (RFC 8785).

use std::fmt::Write as _;

use serde::Serialize;
use sha2::Digest as _;

/// What anyone computes again from the same value, on any machine.
pub fn canonical_hash<T: Serialize>(value: &T) -> String {
    let text = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
    to_hex(&sha2::Sha256::digest(&text))
}

/// SHA-256 over `bytes`, in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&sha2::Sha256::digest(bytes))
}

/// `bytes` in lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The bytes of a hexadecimal text in either case; none if it is not one.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_and_spacing_do_not_change_a_hash() {
        // `printf '{"a":1,"b":"爱"}' | sha256sum`
        let known = "5faa0b8cdbbf29e08d54a47666df77734de53da7093906ba1391eaaf31822252";
        let value: serde_json::Value = serde_json::json!({ "b": "爱", "a": 1 });
        assert_eq!(canonical_hash(&value), known);
    }

    #[test]
    fn hexadecimal_is_read_in_pairs_or_not_at_all() {
        assert_eq!(from_hex("00fFa1"), Some(vec![0, 255, 161]));
        for wrong in ["abc", "0g", "0x", "é1"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
