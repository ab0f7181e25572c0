//! What is signed of a journal's tree (C2SP tlog-checkpoint): which journal, how many entries, root.

use data_encoding::BASE64;

use super::Digest;
use super::note::{Malformed, Note, PublicKey, SecretKey, Unsigned};
use super::path::Head;

/// A tree at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the journal, on all machines and for all time; also the name that signs.
    pub origin: String,
    /// How many entries, and the root over them.
    pub head: Head,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Self {
            origin,
            head: Head { size, root },
        } = self;
        format!("{origin}\n{size}\n{}\n", BASE64.encode(&root.0))
    }

    /// The note of it, signed in the name of the journal.
    pub fn sign(&self, key: &SecretKey) -> Note {
        Note::signed(self.text(), &self.origin, key)
    }

    /// What a note says. Lines after the third are allowed by the format and passed over.
    ///
    /// # Errors
    ///
    /// Where it is no checkpoint.
    pub fn of(note: &Note) -> Result<Self, Malformed> {
        let mut lines = note.text.split_terminator('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(Malformed(
                "a checkpoint has lines for origin, size and root",
            ));
        };
        let digits = size.bytes().all(|byte| byte.is_ascii_digit())
            && (size == "0" || !size.starts_with('0'));
        let size = size
            .parse()
            .ok()
            .filter(|_| digits)
            .ok_or(Malformed("the second line of a checkpoint is a number"))?;
        let root = BASE64
            .decode(root.as_bytes())
            .ok()
            .and_then(|bytes| Digest::from_bytes(&bytes))
            .ok_or(Malformed(
                "the third line of a checkpoint is a hash in Base64",
            ))?;
        if origin.is_empty() {
            return Err(Malformed("the first line of a checkpoint is its origin"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            head: Head { size, root },
        })
    }

    /// What a note says, if one of `keys` signed it in the name of the journal it is about.
    ///
    /// # Errors
    ///
    /// [`Unbelieved`].
    pub fn believed(note: &Note, keys: &[PublicKey]) -> Result<(Self, PublicKey), Unbelieved> {
        let checkpoint = Self::of(note)?;
        let named: Vec<(String, PublicKey)> = keys
            .iter()
            .map(|key| (checkpoint.origin.clone(), *key))
            .collect();
        let (_, key) = note.verify(&named)?;
        Ok((checkpoint, *key))
    }
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelieved {
    /// It is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is not signed as it should be.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
}
