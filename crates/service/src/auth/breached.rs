//! Passwords that leaked somewhere, from a file of the operator's: as such, or as SHA-1 hashes or the
//! beginnings of them, sorted, as `haveibeenpwned.com` gives them. Nothing is asked of the network.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXUPPER;
use sha1::{Digest as _, Sha1};

/// Digits of a beginning of a hash at least: with fewer, many that never leaked would be refused.
const FEWEST_DIGITS: usize = 10;
/// Bytes of a list of passwords at most; it is kept in memory.
const LONGEST_LIST: u64 = 256 << 20;
/// Bytes of a line at most.
const LONGEST_LINE: u64 = 1_024;

/// Where breached passwords stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BreachedFile {
    /// One password on each line.
    Plain(PathBuf),
    /// One hash, or the beginning of one, on each line, sorted; what follows a colon does not count.
    Sha1(PathBuf),
}

impl BreachedFile {
    /// As set: a path, or `sha1:` and a path; none where there is no path.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (of, path): (fn(PathBuf) -> Self, &str) = match text.strip_prefix("sha1:") {
            Some(path) => (Self::Sha1, path),
            None => (Self::Plain, text.strip_prefix("plain:").unwrap_or(text)),
        };
        (!path.is_empty()).then(|| of(path.into()))
    }
}

/// The list, ready to be asked. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Breached {
    /// In memory.
    Plain(Arc<BTreeSet<String>>),
    /// In its file.
    Sha1(PathBuf),
}

impl Breached {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is not what it should be.
    pub(crate) fn open(file: &BreachedFile) -> io::Result<Self> {
        match file {
            BreachedFile::Plain(path) => {
                let length = std::fs::metadata(path)?.len();
                if length > LONGEST_LIST {
                    return Err(wrong(
                        path,
                        "it is too long to be kept in memory: give hashes, sha1:FILE",
                    ));
                }
                let lines = BufReader::new(File::open(path)?).lines();
                let all = lines.map(|line| line.map(|line| line.trim_end().to_lowercase()));
                Ok(Self::Plain(Arc::new(all.collect::<io::Result<_>>()?)))
            }
            BreachedFile::Sha1(path) => {
                let mut file = BufReader::new(File::open(path)?);
                let first = line(&mut file)?.unwrap_or_default();
                if hash_of(&first).is_none() {
                    return Err(wrong(
                        path,
                        "its first line is no SHA-1 hash, nor ten digits of one",
                    ));
                }
                Ok(Self::Sha1(path.clone()))
            }
        }
    }

    /// Whether `password` is in it. Reads a few blocks of the file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub(crate) fn has(&self, password: &str) -> io::Result<bool> {
        match self {
            Self::Plain(all) => Ok(all.contains(&password.trim_end().to_lowercase())),
            Self::Sha1(path) => find(File::open(path)?, &HEXUPPER.encode(&Sha1::digest(password))),
        }
    }
}

fn wrong(path: &Path, what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{}: {what}", path.display()),
    )
}

/// The digits of a line, before a colon.
fn hash_of(line: &str) -> Option<String> {
    let digits = line.split(':').next()?.trim().to_ascii_uppercase();
    let fits = (FEWEST_DIGITS..=40).contains(&digits.len())
        && digits.bytes().all(|one| one.is_ascii_hexdigit());
    fits.then_some(digits)
}

/// The next line; none at the end.
fn line(file: &mut BufReader<File>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = file.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim().to_owned()))
}

/// Looks for a line that `hash` begins with, halving what is left of the file.
fn find(file: File, hash: &str) -> io::Result<bool> {
    let (mut low, mut high) = (0, file.metadata()?.len());
    let mut file = BufReader::new(file);
    while low < high {
        let middle = low + (high - low) / 2;
        // The line that begins at or after `middle`: the one that `middle` is within was looked at, or
        // will be.
        file.seek(SeekFrom::Start(middle.saturating_sub(1)))?;
        if middle > 0 {
            file.skip_until(b'\n')?;
        }
        let begin = file.stream_position()?;
        let Some(digits) = line(&mut file)?.and_then(|line| hash_of(&line)) else {
            high = middle;
            continue;
        };
        let ours = hash.get(..digits.len()).unwrap_or(hash);
        match digits.as_str().cmp(ours) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = begin + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn sorted(passwords: &[String], digits: usize) -> String {
        let hashes = passwords
            .iter()
            .map(|one| HEXUPPER.encode(&Sha1::digest(one)));
        let hashes: BTreeSet<String> = hashes.map(|hash| hash[..digits].to_owned()).collect();
        hashes.iter().fold(String::new(), |mut text, hash| {
            writeln!(text, "{hash}:{}", hash.len() * 7 % 13).unwrap();
            text
        })
    }

    #[test]
    fn every_hash_of_a_file_is_found_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        for digits in [10, 40] {
            for count in [1, 2, 3, 200] {
                let all: Vec<String> = (0..count)
                    .map(|number| format!("password {number}"))
                    .collect();
                std::fs::write(&path, sorted(&all, digits)).unwrap();
                let list = Breached::open(&BreachedFile::Sha1(path.clone())).unwrap();
                for one in &all {
                    assert!(list.has(one).unwrap(), "{one} of {count}");
                }
                for number in 0..200 {
                    assert!(!list.has(&format!("another {number}")).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_plain_list_is_compared_without_regard_to_case() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, "Password123\r\n1234567890\n").unwrap();
        let list =
            Breached::open(&BreachedFile::from_text(path.to_str().unwrap()).unwrap()).unwrap();
        assert!(list.has("pASSWORD123").unwrap() && list.has("1234567890").unwrap());
        assert!(!list.has("Password1234").unwrap());
        assert!(Breached::open(&BreachedFile::Sha1(path)).is_err());
    }
}
