//! Signed texts, as the C2SP signed-note format has them, and the Ed25519 keys that sign them.
//!
//! ```text
//! the text, one or more lines
//!
//! — NAME BASE64(key id ‖ signature)
//! ```
//!
//! The key id is the first four bytes of `SHA-256(NAME ‖ 0x0A ‖ 0x01 ‖ public key)`, so that one
//! key signs under several names without one being taken for the other. A key is written
//! `NAME+KEYID+BASE64(0x01 ‖ public key)`, a secret one `PRIVATE+KEY+NAME+KEYID+BASE64(0x01 ‖ seed)`.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::Digest;

/// Ed25519, as the format numbers algorithms.
const ED25519_SIGNATURE: u8 = 0x01;
/// What a line with a signature begins with.
const DASH: &str = "— ";
/// What a secret key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A text that is no note, or no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// No known key signed it.
    #[error("none of the known keys signed it")]
    NoKnownKey,
    /// A signature claims to be of a known key and is not.
    #[error("the signature in the name of {name} is not of that key")]
    Forged {
        /// Whose it claims to be.
        name: String,
    },
}

/// A public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", BASE64.encode(&self.0))
    }
}

impl PublicKey {
    /// Its SHA-256, to be read out and compared.
    pub fn fingerprint(&self) -> Digest {
        Digest(Sha256::digest(self.0).into())
    }

    /// What names it in signatures under `name`.
    pub fn key_id(&self, name: &str) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519_SIGNATURE])
            .chain_update(self.0)
            .finalize();
        let [a, b, c, d, ..]: [u8; 32] = hash.into();
        [a, b, c, d]
    }

    /// How it is written for signatures under `name`.
    pub fn written(&self, name: &str) -> String {
        written(name, self.key_id(name), &self.0)
    }

    /// The name and the key that [`PublicKey::written`] wrote.
    ///
    /// # Errors
    ///
    /// Where `text` is not one.
    pub fn parse(text: &str) -> Result<(String, Self), Malformed> {
        let (name, id, key) =
            parts(text.trim()).ok_or(Malformed("a public key is written NAME+KEYID+BASE64"))?;
        let key = Self(key);
        if key.key_id(&name) == id {
            Ok((name, key))
        } else {
            Err(Malformed("the key id is not that of name and key"))
        }
    }

    /// Whether `signature` is of this key over `message`.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

fn written(name: &str, id: [u8; 4], bytes: &[u8; 32]) -> String {
    let key: Vec<u8> = std::iter::once(ED25519_SIGNATURE).chain(*bytes).collect();
    format!("{name}+{}+{}", HEXLOWER.encode(&id), BASE64.encode(&key))
}

fn parts(text: &str) -> Option<(String, [u8; 4], [u8; 32])> {
    // Base64 has a plus too: the first two are the separators.
    let mut parts = text.splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
    let id = HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()?;
    let key = BASE64.decode(key.as_bytes()).ok()?;
    let (algorithm, key) = key.split_first()?;
    let fits = *algorithm == ED25519_SIGNATURE && is_name(name);
    fits.then_some(())?;
    Some((name.to_owned(), id, key.try_into().ok()?))
}

/// Whether signatures can be made under `name`.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|one| one == '+' || one.is_whitespace())
}

/// A secret key. It shows itself only through [`SecretKey::written`].
#[derive(Clone)]
pub struct SecretKey {
    seed: [u8; 32],
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

impl SecretKey {
    /// The key of 32 random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        let public = self.pair().map(|pair| {
            let mut bytes = [0; 32];
            bytes
                .iter_mut()
                .zip(pair.public_key().as_ref())
                .for_each(|(to, from)| *to = *from);
            bytes
        });
        PublicKey(public.unwrap_or_default())
    }

    /// Its signature over `message`; the same one each time.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair()
            .map(|pair| pair.sign(message).as_ref().to_vec())
            .unwrap_or_default()
    }

    /// How it is kept in a file.
    pub fn written(&self, name: &str) -> String {
        format!(
            "{PRIVATE}{}",
            written(name, self.public().key_id(name), &self.seed)
        )
    }

    /// The name and the key that [`SecretKey::written`] wrote.
    ///
    /// # Errors
    ///
    /// Where `text` is not one.
    pub fn parse(text: &str) -> Result<(String, Self), Malformed> {
        let (name, id, seed) =
            text.trim()
                .strip_prefix(PRIVATE)
                .and_then(parts)
                .ok_or(Malformed(
                    "a secret key is written PRIVATE+KEY+NAME+KEYID+BASE64",
                ))?;
        let key = Self { seed };
        if key.public().key_id(&name) == id {
            Ok((name, key))
        } else {
            Err(Malformed("the key id is not that of name and key"))
        }
    }

    // Any 32 bytes are a seed: this is never an error.
    fn pair(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).ok()
    }
}

/// A text with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed; ends with a line feed.
    pub text: String,
    /// Who signed it.
    pub signatures: Vec<Signature>,
}

/// One signature under a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// In whose name.
    pub name: String,
    /// Which key of theirs.
    pub key_id: [u8; 4],
    /// The signature itself.
    pub bytes: Vec<u8>,
}

impl Note {
    /// `text`, which ends with a line feed, signed under `name`.
    pub fn signed(text: String, name: &str, key: &SecretKey) -> Self {
        let signature = Signature {
            name: name.to_owned(),
            key_id: key.public().key_id(name),
            bytes: key.sign(text.as_bytes()),
        };
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    ///
    /// Where `text` is not one.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed(
            "a signed note is a text, an empty line, and lines with signatures that begin with a dash",
        );
        let (signed, lines) = text.rsplit_once("\n\n").ok_or(malformed.clone())?;
        let lines = lines.strip_suffix('\n').ok_or(malformed.clone())?;
        let signatures: Option<Vec<Signature>> = lines.split('\n').map(signature).collect();
        Ok(Self {
            text: format!("{signed}\n"),
            signatures: signatures.ok_or(malformed)?,
        })
    }

    /// Which of `keys` signed it; signatures of others are passed over, as the format asks.
    ///
    /// # Errors
    ///
    /// [`Unsigned`].
    pub fn verify<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a (String, PublicKey)>,
    ) -> Result<&'a (String, PublicKey), Unsigned> {
        for known in keys {
            let (name, key) = known;
            let claims = self
                .signatures
                .iter()
                .find(|one| one.name == *name && one.key_id == key.key_id(name));
            match claims {
                Some(one) if key.signed(self.text.as_bytes(), &one.bytes) => return Ok(known),
                Some(_) => {
                    return Err(Unsigned::Forged { name: name.clone() });
                }
                None => {}
            }
        }
        Err(Unsigned::NoKnownKey)
    }
}

fn signature(line: &str) -> Option<Signature> {
    let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = BASE64.decode(bytes.as_bytes()).ok()?;
    let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
    is_name(name).then(|| Signature {
        name: name.to_owned(),
        key_id: *key_id,
        bytes: bytes.to_vec(),
    })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature {
            name,
            key_id,
            bytes,
        } in &self.signatures
        {
            let all: Vec<u8> = key_id.iter().chain(bytes).copied().collect();
            writeln!(f, "{DASH}{name} {}", BASE64.encode(&all))?;
        }
        Ok(())
    }
}
