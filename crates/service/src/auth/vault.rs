//! Secrets that have to be read again, sealed with a key that is kept outside the database: who has only
//! the database, or a backup of it, cannot open them.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use data_encoding::HEXLOWER;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

/// Bytes of the key.
const KEY: usize = 32;

/// The key, in its file. Cheap to clone. The file is made when something is sealed for the first time.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    path: Arc<PathBuf>,
    key: Arc<OnceLock<LessSafeKey>>,
}

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// The file of the key cannot be used.
    #[error("the file of the secret key {path} cannot be used: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// It was sealed with another key, or for somebody else, or changed.
    #[error("a secret cannot be opened with the key in {path}: is it the one it was sealed with?")]
    Sealed {
        /// The file of the key.
        path: String,
    },
}

impl Vault {
    /// With the key in this file.
    pub(crate) fn in_file(path: PathBuf) -> Self {
        Self {
            path: Arc::new(path),
            key: Arc::default(),
        }
    }

    /// Seals a secret of `account`; `first` where nothing was sealed before, so that there may be no key.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub(crate) fn seal(
        &self,
        account: Uuid,
        secret: &[u8],
        first: bool,
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.key(first)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| self.failed(&error))?;
        let mut sealed = secret.to_vec();
        let aad = Aad::from(account.into_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| self.sealed())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `account`.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub(crate) fn open(&self, account: Uuid, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.key(false)?;
        let (nonce, text) = sealed
            .split_at_checked(NONCE_LEN)
            .ok_or_else(|| self.sealed())?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| self.sealed())?;
        let mut text = text.to_vec();
        let opened = key
            .open_in_place(nonce, Aad::from(account.into_bytes()), &mut text)
            .map_err(|_| self.sealed())?;
        Ok(opened.to_vec())
    }

    fn key(&self, make: bool) -> Result<&LessSafeKey, VaultError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let bytes = match read(&self.path) {
            Err(error) if make && error.kind() == io::ErrorKind::NotFound => self.make()?,
            read => read.map_err(|error| self.failed(&error))?,
        };
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| self.sealed())?;
        Ok(self.key.get_or_init(|| LessSafeKey::new(key)))
    }

    fn make(&self) -> Result<[u8; KEY], VaultError> {
        let mut bytes = [0; KEY];
        getrandom::fill(&mut bytes).map_err(|error| self.failed(&error))?;
        match write(&self.path, &bytes) {
            Ok(()) => Ok(bytes),
            // Somebody else was first: theirs it is.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                read(&self.path).map_err(|error| self.failed(&error))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> VaultError {
        VaultError::File {
            path: self.path.display().to_string(),
            reason: reason.to_string(),
        }
    }

    fn sealed(&self) -> VaultError {
        VaultError::Sealed {
            path: self.path.display().to_string(),
        }
    }
}

fn read(path: &Path) -> io::Result<[u8; KEY]> {
    let text = fs::read_to_string(path)?;
    private(path)?;
    let bytes = HEXLOWER.decode(text.trim().as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no key"))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    writeln!(file, "{}", HEXLOWER.encode(bytes))?;
    file.sync_all()
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let what = format!("others may read it (its mode is {mode:o}); run chmod 600 on it");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(not(unix))]
fn private(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_and_only_for_the_same_account() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| Vault::in_file(folder.path().join(name)));
        let (me, you) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(one.seal(me, b"secret", false).is_err(), "there is no key");
        let sealed = one.seal(me, b"secret", true).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, one.seal(me, b"secret", false).unwrap());
        assert_eq!(one.open(me, &sealed).unwrap(), b"secret");
        let again = Vault::in_file(folder.path().join("one"));
        assert_eq!(again.open(me, &sealed).unwrap(), b"secret");
        assert!(one.open(you, &sealed).is_err());
        assert!(two.open(me, &sealed).is_err());
        two.seal(me, b"x", true).unwrap();
        assert!(two.open(me, &sealed).is_err());
        assert!(one.open(me, &sealed[..20]).is_err() && one.open(me, b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::in_file(path.clone())
            .seal(Uuid::nil(), b"x", true)
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Vault::in_file(path)
            .seal(Uuid::nil(), b"x", true)
            .unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}
