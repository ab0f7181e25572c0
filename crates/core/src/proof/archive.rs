//! What whoever keeps the archive of a project can check years later, without anybody's help: that every file is
//! the one that was packed, that every entry stands in a journal whose head was signed, and that the records are
//! what these entries make of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::checkpoint::{Checkpoint, Unbelieved};
use super::entry::ProvenEntry;
use super::note::{Malformed, Note, PublicKey};
use super::path::Unproven;
use crate::digest::sha256_hex;
use crate::kinds::{Event, Kind, State};
use crate::names::Names as _;
use crate::signing_key::journal_of;
use crate::time::Timestamp;

/// The form that this program writes.
pub const VERSION: u32 = 1;
/// The file that names all others.
pub const MANIFEST: &str = "manifest.json";
/// The signed head that every entry leads to.
pub const CHECKPOINT: &str = "journal/checkpoint.txt";
/// The key that signed it.
pub const KEY: &str = "journal/key.txt";

/// The name of the file with a record.
pub fn record_file(kind: Kind, id: Uuid) -> String {
    format!("records/{}/{id}.json", kind.plural())
}

/// The name of the file with an entry.
pub fn entry_file(seq: i64) -> String {
    format!("journal/{seq:08}.json")
}

#[derive(Deserialize)]
struct Manifest {
    fundcycle_archive: u32,
    project: Uuid,
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    sha256: String,
}

/// What of an entry makes a record.
#[derive(Deserialize)]
struct Entry {
    journal: Uuid,
    kind: String,
    id: Uuid,
    at: i64,
    to: String,
    data: Value,
}

/// What a good archive shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Of which project.
    pub project: Uuid,
    /// How many files the manifest names.
    pub files: usize,
    /// How many entries are proven.
    pub entries: usize,
    /// How many records follow from them.
    pub records: usize,
    /// In how many entries that were signed.
    pub size: u64,
    /// Who signed: whether this is the key that was published is for the holder to compare.
    pub key: PublicKey,
}

/// Why an archive shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is of a form that this program does not know.
    #[error("it is of form {0}, which this program does not know")]
    Form(u32),
    /// A file is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A file is there that the manifest does not name, or is another than it names.
    #[error("{0} is not the file that the manifest names")]
    Other(String),
    /// A file says nothing that belongs there.
    #[error("{0} cannot be read: {1}")]
    Unread(String, String),
    /// A key or note in it is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its checkpoint is not signed.
    #[error("its checkpoint is not believed: {0}")]
    Unbelieved(#[from] Unbelieved),
    /// An entry leads elsewhere.
    #[error("{0} is not in the journal that was signed: {1}")]
    Unproven(String, Unproven),
    /// A record is not what its entries make.
    #[error("{0} does not follow from the entries")]
    Unlike(String),
}

/// Whether the files of an archive, by name, prove what they say.
///
/// # Errors
///
/// [`Broken`] with the first thing that does not fit.
pub fn check(files: &BTreeMap<String, Vec<u8>>) -> Result<Shown, Broken> {
    let manifest: Manifest = read(files, MANIFEST)?;
    if manifest.fundcycle_archive != VERSION {
        return Err(Broken::Form(manifest.fundcycle_archive));
    }
    whole(files, &manifest.files)?;
    let note = Note::parse(&text(files, CHECKPOINT)?)?;
    let (_, key) = PublicKey::parse(text(files, KEY)?.trim_end())?;
    let (checkpoint, key) = Checkpoint::believed(&note, &[key])?;
    let signed = journal_of(&checkpoint.origin);
    let mut states: BTreeMap<(Kind, Uuid), State> = BTreeMap::new();
    let mut entries = 0;
    let is_entry = |name: &&String| {
        name.starts_with("journal/") && ![CHECKPOINT, KEY].contains(&name.as_str())
    };
    for name in files.keys().filter(is_entry) {
        let proven: ProvenEntry = read(files, name)?;
        proven
            .verify(checkpoint.head)
            .map_err(|unproven| Broken::Unproven(name.clone(), unproven))?;
        take(&mut states, proven.entry, signed).map_err(|why| Broken::Unread(name.clone(), why))?;
        entries += 1;
    }
    for (&(kind, id), state) in &states {
        let name = record_file(kind, id);
        let record: Map<String, Value> = read(files, &name)?;
        if !follows(&record, state) {
            return Err(Broken::Unlike(name));
        }
    }
    let is_record = |name: &&String| name.starts_with("records/");
    if let Some(name) = files.keys().filter(is_record).find(|name| {
        !states
            .keys()
            .any(|(kind, id)| **name == record_file(*kind, *id))
    }) {
        return Err(Broken::Unlike(name.clone()));
    }
    if !states.contains_key(&(Kind::Project, manifest.project)) {
        return Err(Broken::Missing(record_file(
            Kind::Project,
            manifest.project,
        )));
    }
    Ok(Shown {
        project: manifest.project,
        files: manifest.files.len(),
        entries,
        records: states.len(),
        size: checkpoint.head.size,
        key,
    })
}

/// That the manifest names every file but itself, each as it is.
fn whole(files: &BTreeMap<String, Vec<u8>>, listed: &[Listed]) -> Result<(), Broken> {
    let named: BTreeMap<&str, &str> = listed
        .iter()
        .map(|one| (one.name.as_str(), one.sha256.as_str()))
        .collect();
    for (name, bytes) in files.iter().filter(|(name, _)| *name != MANIFEST) {
        if named.get(name.as_str()) != Some(&sha256_hex(bytes).as_str()) {
            return Err(Broken::Other(name.clone()));
        }
    }
    match named.keys().find(|name| !files.contains_key(**name)) {
        Some(name) => Err(Broken::Missing((*name).to_owned())),
        None => Ok(()),
    }
}

/// Takes an entry into the record that it is about.
fn take(
    states: &mut BTreeMap<(Kind, Uuid), State>,
    entry: Value,
    signed: Option<Uuid>,
) -> Result<(), String> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    if Some(entry.journal) != signed {
        return Err("it is of another journal than the one that was signed".to_owned());
    }
    let kind = Kind::from_name(&entry.kind).ok_or("there is no such kind")?;
    let event = Event::parse(kind, entry.data).map_err(|malformed| malformed.to_string())?;
    states
        .entry((kind, entry.id))
        .or_insert_with(|| State::unborn(kind, entry.id, entry.journal))
        .apply(&entry.to, &event, Timestamp(entry.at))
        .map_err(|malformed| malformed.to_string())
}

/// Whether everything that `record` says is so in `state`.
fn follows(record: &Map<String, Value>, state: &State) -> bool {
    let mut known = state.data();
    known.insert("id".to_owned(), state.id().to_string().into());
    known.insert("kind".to_owned(), state.kind().name().into());
    known.insert("stage".to_owned(), state.stage().into());
    known.insert("version".to_owned(), state.version().into());
    for (name, at) in [
        ("created_at", state.created_at()),
        ("updated_at", state.updated_at()),
    ] {
        known.insert(name.to_owned(), at.to_string().into());
    }
    record
        .iter()
        .all(|(name, value)| known.get(name) == Some(value))
}

fn bytes<'a>(files: &'a BTreeMap<String, Vec<u8>>, name: &str) -> Result<&'a [u8], Broken> {
    let found = files.get(name).map(Vec::as_slice);
    found.ok_or_else(|| Broken::Missing(name.to_owned()))
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Result<String, Broken> {
    String::from_utf8(bytes(files, name)?.to_vec())
        .map_err(|error| Broken::Unread(name.to_owned(), error.to_string()))
}

fn read<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
) -> Result<T, Broken> {
    serde_json::from_slice(bytes(files, name)?)
        .map_err(|error| Broken::Unread(name.to_owned(), error.to_string()))
}
