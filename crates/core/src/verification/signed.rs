//! Whether the record in a file is the one whose head was signed and published.

use super::{Export, Said, Signed};
use crate::proof::Digest;
use crate::proof::checkpoint::Checkpoint;
use crate::proof::note::{Note, PublicKey};
use crate::proof::path::root_of_entries;
use crate::signing_key::journal_of;

/// Compares the signed head with the entries that it is over; `signer` is the fingerprint of the key
/// that must have signed it, where the reader knows it.
pub(super) fn head(export: &Export, signer: Option<Digest>) -> Said {
    match &export.signed {
        Some(signed) => {
            believed(export, signed, signer).unwrap_or_else(|(en, zh)| Said::differs(en, zh))
        }
        None if signer.is_some() => Said::differs(
            "signed head: there is none in the file",
            "签名校验点:文件中没有",
        ),
        None => Said::holds(
            "signed head: there is none in the file; compare the last hash with a printed one",
            "签名校验点:文件中没有,请将末条哈希与纸面公布的核对",
        ),
    }
}

fn believed(
    export: &Export,
    signed: &Signed,
    signer: Option<Digest>,
) -> Result<Said, (String, String)> {
    let wrong = |en: String, zh: &str| (format!("signed head: {en}"), format!("签名校验点:{zh}"));
    let note =
        Note::parse(&signed.checkpoint).map_err(|error| wrong(error.to_string(), "格式有误"))?;
    let (_, key) =
        PublicKey::parse(&signed.key).map_err(|error| wrong(error.to_string(), "公钥格式有误"))?;
    let (checkpoint, key) = Checkpoint::believed(&note, &[key])
        .map_err(|error| wrong(error.to_string(), "签名无效"))?;
    let fingerprint = key.fingerprint();
    if signer.is_some_and(|signer| signer != fingerprint) {
        return Err(wrong(
            format!("it is signed with another key, {fingerprint}"),
            "由另一把密钥签名",
        ));
    }
    if journal_of(&checkpoint.origin) != Some(export.cycle) {
        return Err(wrong("it is of another cycle".to_owned(), "属于另一届次"));
    }
    let size = checkpoint.head.size;
    let first = usize::try_from(size).unwrap_or(usize::MAX);
    let hashes: Option<Vec<Digest>> = export
        .entries
        .iter()
        .take(first)
        .map(|line| line.hash.parse().ok())
        .collect();
    if hashes.map(root_of_entries) != Some(checkpoint.head) {
        return Err(wrong(
            format!("the first {size} entries are not the ones that were signed"),
            "与所签记录不是同一份",
        ));
    }
    Ok(Said::holds(
        format!(
            "signed head: the first {size} entries are the ones signed with the key of fingerprint {fingerprint}"
        ),
        format!("签名校验点:前 {size} 条即所签记录,密钥指纹 {fingerprint}"),
    ))
}
