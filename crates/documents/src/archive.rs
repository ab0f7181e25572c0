//! One package of many files (归档包): a ZIP whose bytes follow from its files and nothing else, with a
//! manifest that names each by its SHA-256.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use fundcycle_core::digest::sha256_hex;
use fundcycle_core::proof::archive::MANIFEST;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Why a package could not be written: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The package could not be put together.
    #[error("the package cannot be written: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A file could not be put in.
    #[error("a file of the package cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// The manifest could not be written.
    #[error("the manifest cannot be written: {0}")]
    Manifest(#[from] serde_json::Error),
}

/// Packs `files`, by name, with a manifest that says `about` and lists them. The same files give the same
/// bytes: no clock is asked, and nothing is compressed, which another version might do in another way.
///
/// # Errors
///
/// [`ArchiveError`] where the format cannot hold it.
pub fn pack(
    files: &BTreeMap<String, Vec<u8>>,
    mut about: Map<String, Value>,
) -> Result<Vec<u8>, ArchiveError> {
    let list: Vec<Value> = files
        .iter()
        .map(|(name, bytes)| {
            json!({ "name": name, "size": bytes.len(), "sha256": sha256_hex(bytes) })
        })
        .collect();
    about.insert("files".to_owned(), list.into());
    let manifest = lines(&about)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    let first = (MANIFEST, &manifest);
    let others = files.iter().map(|(name, bytes)| (name.as_str(), bytes));
    for (name, bytes) in [first].into_iter().chain(others) {
        package.start_file(name, options)?;
        package.write_all(bytes)?;
    }
    Ok(package.finish()?.into_inner())
}

/// The files of a package, by name.
///
/// # Errors
///
/// [`ArchiveError`] where these bytes are no such package.
pub fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut package = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = BTreeMap::new();
    for index in 0..package.len() {
        let mut file = package.by_index(index)?;
        let name = file.name()?.into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// A value as a file that people may look into.
///
/// # Errors
///
/// Where it is no JSON.
pub fn lines(value: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes_and_the_manifest_names_each() -> Result<(), ArchiveError>
    {
        let files = BTreeMap::from([
            ("附件清单.json".to_owned(), b"[]\n".to_vec()),
            ("records/a.json".to_owned(), vec![0; 70_000]),
        ]);
        let about = || Map::from_iter([("project".to_owned(), json!("一"))]);
        let package = pack(&files, about())?;
        assert_eq!(package, pack(&files, about())?);
        let read = unpack(&package)?;
        assert_eq!(read.len(), 3);
        let manifest: Value = serde_json::from_slice(&read[MANIFEST])?;
        assert_eq!(manifest["project"], "一");
        for file in manifest["files"].as_array().into_iter().flatten() {
            let name = file["name"].as_str().unwrap_or_default();
            assert_eq!(read[name], files[name]);
            assert_eq!(file["sha256"], sha256_hex(&read[name]));
        }
        Ok(())
    }
}
