//! Seeds of draws: committed to before anybody can know what they lead to, then revealed.

use fundcycle_scoring::commitment;

use crate::digest::from_hex;
use crate::rejection::{Fault, Rejection};

/// The shortest seed, in bytes; a shorter one could be found from its commitment.
const SHORTEST_SEED: usize = 16;

/// What is wrong with a commitment: SHA-256 of the seed's bytes, in lower-case hexadecimal.
pub(crate) fn commitment_fault(commitment: &str) -> Option<Fault> {
    let is_digest = commitment.len() == 64
        && commitment
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (!is_digest).then(|| {
        Fault::new(
            "/commitment",
            "not_a_digest",
            "The commitment is the SHA-256 of the seed: 64 lower-case hexadecimal digits.",
            "承诺值为种子的 SHA-256,应为 64 位小写十六进制。",
        )
    })
}

/// The bytes of `seed`, in hexadecimal, if it is what was committed to.
///
/// # Errors
///
/// [`Rejection::Invalid`] if it is no seed, or another one.
pub(crate) fn revealed(seed: &str, committed: Option<&str>) -> Result<Vec<u8>, Rejection> {
    let bytes = from_hex(seed)
        .filter(|bytes| bytes.len() >= SHORTEST_SEED)
        .ok_or_else(|| {
            Rejection::fault(
                "/seed",
                "not_a_seed",
                format!("The seed is at least {SHORTEST_SEED} bytes in hexadecimal."),
                format!("种子应为十六进制,至少 {SHORTEST_SEED} 字节。"),
            )
        })?;
    if committed != Some(commitment(&bytes).as_str()) {
        return Err(Rejection::fault(
            "/seed",
            "not_committed",
            "This is not the seed that was committed to.",
            "该种子与事先登记的承诺值不符。",
        ));
    }
    Ok(bytes)
}
