//! What the holder of a receipt can check years later, without anybody's help: that an entry was
//! recorded, as number so-and-so, in a journal whose head was signed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::checkpoint::{Checkpoint, Unbelieved};
use super::note::{Malformed, Note, PublicKey};
use super::path::{Unproven, verify_inclusion};
use super::{Digest, tree};
use crate::application::{self, content_hash};
use crate::disclosure;
use crate::kinds::{Event, Kind};
use crate::names::Names as _;
use crate::rejection::Text;
use crate::signing_key::journal_of;
use crate::time::Timestamp;

/// The form that this program writes.
pub const VERSION: u32 = 1;

/// A receipt, as the file that the holder keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The form of this file.
    pub fundcycle_receipt: u32,
    /// What it says, for people.
    pub text: Text,
    /// The entry, whole.
    pub entry: Value,
    /// What the commitments to its values are salted with.
    pub salt: Digest,
    /// The hash of the entry before.
    pub previous: Digest,
    /// The hash of the entry's leaf.
    pub leaf: Digest,
    /// From the leaf to the root.
    pub path: Vec<Digest>,
    /// The signed head that it leads to.
    pub checkpoint: String,
    /// The key that signed it.
    pub key: String,
}

/// What of an entry a receipt reads.
#[derive(Deserialize)]
struct Entry {
    journal: Uuid,
    seq: u64,
    kind: String,
    at: i64,
    data: Value,
}

/// What a good receipt shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// In which journal.
    pub journal: Uuid,
    /// Which entry.
    pub seq: u64,
    /// In how many that were signed.
    pub size: u64,
    /// Who signed: whether this is the key that was published is for the holder to compare.
    pub key: PublicKey,
}

/// Why a receipt shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is of a form that this program does not know.
    #[error("it is of form {0}, which this program does not know")]
    Form(u32),
    /// It is not about something that receipts are given for.
    #[error("its entry is not one that receipts are given for: {0}")]
    Entry(String),
    /// Its parts are not about the same thing.
    #[error("{0}")]
    Unlike(&'static str),
    /// A key or note in it is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its checkpoint is not signed.
    #[error("its checkpoint is not believed: {0}")]
    Unbelieved(#[from] Unbelieved),
    /// Its path leads elsewhere.
    #[error("its entry is not in the journal that was signed: {0}")]
    Unproven(#[from] Unproven),
}

impl Receipt {
    /// The receipt for an entry.
    ///
    /// # Errors
    ///
    /// [`Broken`] where receipts are not given for such an entry, or the parts do not fit.
    pub fn new(
        entry: Value,
        salt: Digest,
        previous: Digest,
        path: Vec<Digest>,
        checkpoint: &Note,
        key: PublicKey,
    ) -> Result<Self, Broken> {
        let (text, _) = read(&entry)?;
        let origin = Checkpoint::of(checkpoint)?.origin;
        let leaf = leaf(&entry, salt, previous);
        let receipt = Self {
            fundcycle_receipt: VERSION,
            text,
            entry,
            salt,
            previous,
            leaf,
            path,
            checkpoint: checkpoint.to_string(),
            key: key.written(&origin),
        };
        receipt.verify().map(|_| receipt)
    }

    /// Whether the parts of the receipt prove what its text says.
    ///
    /// # Errors
    ///
    /// [`Broken`] with the first thing that does not fit.
    pub fn verify(&self) -> Result<Shown, Broken> {
        if self.fundcycle_receipt != VERSION {
            return Err(Broken::Form(self.fundcycle_receipt));
        }
        let (text, Entry { journal, seq, .. }) = read(&self.entry)?;
        if text != self.text {
            return Err(Broken::Unlike("its text is not what the entry says"));
        }
        if leaf(&self.entry, self.salt, self.previous) != self.leaf {
            return Err(Broken::Unlike("its leaf is not that of the entry"));
        }
        let note = Note::parse(&self.checkpoint)?;
        let (_, key) = PublicKey::parse(&self.key)?;
        let (checkpoint, key) = Checkpoint::believed(&note, &[key])?;
        if journal_of(&checkpoint.origin) != Some(journal) {
            return Err(Broken::Unlike("its checkpoint is of another journal"));
        }
        let index = seq
            .checked_sub(1)
            .ok_or(Broken::Unlike("entries are numbered from 1"))?;
        let head = checkpoint.head;
        verify_inclusion(self.leaf, index, head.size, &self.path, head.root)?;
        Ok(Shown {
            journal,
            seq,
            size: head.size,
            key,
        })
    }
}

/// The leaf of an entry in the tree of its journal.
fn leaf(entry: &Value, salt: Digest, previous: Digest) -> Digest {
    let content = disclosure::hash(&salt.0, entry);
    tree::leaf(&disclosure::chained(&previous.0, &content))
}

/// What an entry says, where receipts are given for such: an application that was handed in.
fn read(entry: &Value) -> Result<(Text, Entry), Broken> {
    let entry: Entry =
        serde_json::from_value(entry.clone()).map_err(|error| Broken::Entry(error.to_string()))?;
    let kind = Kind::from_name(&entry.kind).unwrap_or(Kind::Account);
    let event = Event::parse(kind, entry.data.clone())
        .map_err(|malformed| Broken::Entry(malformed.to_string()))?;
    let Event::Application(application::Event::Submitted {
        receipt,
        form,
        attachments,
    }) = event
    else {
        return Err(Broken::Entry("no application was handed in".to_owned()));
    };
    let hash = content_hash(&form, &attachments);
    if receipt.content_hash != hash {
        return Err(Broken::Unlike(
            "its content hash is not that of its content",
        ));
    }
    let (number, at, seq) = (&receipt.number, Timestamp(entry.at), entry.seq);
    let files = attachments.len();
    let text = Text::new(
        format!(
            "Application {number} was handed in at {at} with {files} file(s) and stands as entry {seq} in the record. \
             SHA-256 of form and files: {hash}."
        ),
        format!(
            "申报 {number} 已于 {at} 提交(附件 {files} 件),记入本届事实记录第 {seq} 条。表单与附件的 SHA-256:{hash}。"
        ),
    );
    Ok((text, entry))
}
