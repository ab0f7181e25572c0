//! How one entry of a journal is tied to the one before.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Digest;

/// What the first entry of a journal is chained to.
pub const GENESIS: Digest = Digest([0; 32]);

/// The hash of an entry after one with the hash `previous`: SHA-256 over both, the entry as
/// canonical JSON (RFC 8785).
///
/// # Errors
///
/// Where the entry has no canonical form.
pub fn chained(previous: Digest, entry: &impl Serialize) -> Result<Digest, String> {
    let text = serde_json_canonicalizer::to_vec(entry).map_err(|error| error.to_string())?;
    Ok(Digest(
        Sha256::new()
            .chain_update(previous.0)
            .chain_update(text)
            .finalize()
            .into(),
    ))
}
