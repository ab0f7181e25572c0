//! The file with the secret key: readable by its owner alone, never overwritten by accident.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fundcycle_core::proof::note::SecretKey;

use super::SigningError;

/// The name under which keys are written in their files.
const NAME: &str = "fundcycle";

fn failed(path: &Path) -> impl Fn(String) -> SigningError {
    let path = path.to_owned();
    move |reason| SigningError::File {
        path: path.clone(),
        reason,
    }
}

/// The key in a file; none if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<SecretKey>, SigningError> {
    let failed = failed(path);
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    private(path)?;
    SecretKey::parse(&text)
        .map(|(_, key)| Some(key))
        .map_err(|error| failed(error.to_string()))
}

/// Refuses a key that others may read.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), SigningError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = failed(path);
    let mode = fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .permissions()
        .mode();
    let of_others = mode & 0o077;
    if of_others == 0 {
        Ok(())
    } else {
        Err(failed(format!(
            "others may read it (its mode is {:o}); run chmod 600 on it",
            mode & 0o777
        )))
    }
}

#[cfg(not(unix))]
fn private(_path: &Path) -> Result<(), SigningError> {
    Ok(())
}

/// Makes a key and keeps it in a new file.
pub(super) fn make(path: &Path) -> Result<SecretKey, SigningError> {
    let failed = failed(path);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| failed(format!("no random bytes: {error}")))?;
    let key = SecretKey::from_seed(seed);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        writeln!(file, "{}", key.written(NAME))?;
        file.sync_all()
    });
    written.map_err(|error| failed(error.to_string()))?;
    sync_folder(path).map_err(|error| failed(error.to_string()))?;
    Ok(key)
}

/// Where the next key lies until it is on record.
pub(super) fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

/// Puts the next key in the place of the one before.
pub(super) fn take_over(path: &Path) -> Result<(), SigningError> {
    fs::rename(next(path), path)
        .and_then(|()| sync_folder(path))
        .map_err(|error| failed(path)(error.to_string()))
}

/// Removes a key that never signed.
pub(super) fn discard(path: &Path) -> Result<(), SigningError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed(path)(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Makes the name of a file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder)?.sync_all()
}
