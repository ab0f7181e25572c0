//! Signatures by the Standard Webhooks specification: HMAC-SHA256 over identity, time and body.

use data_encoding::BASE64;
use fundcycle_core::time::Timestamp;
use fundcycle_store::webhook::Webhook;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;

/// A secret as its receiver is given it.
pub fn secret_text(secret: &[u8]) -> String {
    format!("whsec_{}", BASE64.encode(secret))
}

/// The three headers that say which message this is, when it was sent, and that it comes from here:
/// signed with the secret in use, and with the one before it as long as that is valid.
pub(super) fn headers(
    webhook: &Webhook,
    id: Uuid,
    now: Timestamp,
    body: &str,
) -> [(&'static str, String); 3] {
    let seconds = now.0.div_euclid(1_000);
    let old = webhook
        .old_secret
        .as_ref()
        .filter(|_| webhook.old_secret_until.is_some_and(|until| now.0 < until));
    let signatures: Vec<String> = std::iter::once(&webhook.secret)
        .chain(old)
        .map(|secret| format!("v1,{}", sign(secret, id, seconds, body)))
        .collect();
    [
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn sign(secret: &[u8], id: Uuid, seconds: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}
