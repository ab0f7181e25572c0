//! Whether tree and checkpoints are those of the entries.

use std::collections::BTreeMap;

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::{Event, Kind};
use fundcycle_core::names::Names as _;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::checkpoint::Checkpoint;
use fundcycle_core::proof::note::{Note, PublicKey};
use fundcycle_core::proof::tree::{Edge, Subtree, leaf};
use fundcycle_core::signing_key::{self, SigningKey};
use uuid::Uuid;

use super::{Check, Difference, Outside, PAGE, Place, Report};
use crate::db::{Engine, Statement};
use crate::entry::{self, Entry};
use crate::error::StoreError;
use crate::tree;

/// The keys that the registry's journal names, in order.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Vec<(i64, Uuid, SigningKey)>,
    keys: Vec<PublicKey>,
}

impl Keys {
    pub(super) async fn on_record(engine: &mut Engine<'_>) -> Result<Self, StoreError> {
        let mut sql = Statement::new("SELECT ");
        sql.push(entry::COLUMNS)
            .push(" FROM journal WHERE journal = ")
            .bind(REGISTRY)
            .push(" AND kind = ")
            .bind(Kind::SigningKey.name())
            .push(" ORDER BY seq");
        let entries: Vec<Entry> = sql.fetch_all(engine).await?;
        let mut known = Self::default();
        for entry in entries {
            // What cannot be read is found where its journal is.
            if let Ok(Event::SigningKey(signing_key::Event::Introduced { key })) = entry.event() {
                known.keys.extend(signing_key::parse(&key.public_key));
                known.known.push((entry.seq, entry.id, key));
            }
        }
        Ok(known)
    }

    /// Whether each key was vouched for by the one before.
    pub(super) fn report(&self, report: &mut Report) {
        let key = |key: &SigningKey| signing_key::parse(&key.public_key);
        for (seq, _, introduced) in &self.known {
            let Some(predecessor) = introduced.predecessor else {
                continue;
            };
            let before = self.known.iter().find(|(_, id, _)| *id == predecessor);
            match (&introduced.endorsement, &introduced.reason) {
                (Some(endorsement), _) => {
                    let vouched = before
                        .and_then(|(_, _, before)| key(before))
                        .zip(key(introduced))
                        .is_some_and(|(before, next)| {
                            signing_key::vouches(before, next, endorsement)
                        });
                    if !vouched {
                        report.differences.push(Difference {
                            journal: REGISTRY,
                            place: Place::Entry(*seq),
                            what: "the key before did not sign the signing key that it introduces"
                                .to_owned(),
                        });
                    }
                }
                (None, reason) => report.notes.push(format!(
                    "the signing key of entry {seq} of the registry was not vouched for by the key before: {}",
                    reason.as_deref().unwrap_or("no reason was given")
                )),
            }
        }
    }
}

/// What is known of a tree of some size.
#[derive(Clone, Debug)]
struct Mark {
    root: Digest,
    outside: bool,
}

/// Everything that a journal's tree is held against while it grows.
#[derive(Debug, Default)]
pub(super) struct Marks {
    edge: Edge,
    nodes: BTreeMap<Subtree, Digest>,
    by_size: BTreeMap<u64, Vec<Mark>>,
    /// The size of the last mark that the tree agreed with.
    agreed: u64,
    /// Whether one did not: then none after it can.
    parted: bool,
}

impl Marks {
    /// Every checkpoint of `journal`, kept inside and outside, that is signed as it should be.
    pub(super) async fn of(
        engine: &mut Engine<'_>,
        journal: Uuid,
        keys: &Keys,
        outside: &[Outside],
        report: &mut Report,
    ) -> Result<Self, StoreError> {
        let kept = fetch_all!(
            engine,
            (i64, String),
            "SELECT size, note FROM checkpoint WHERE journal = $1 ORDER BY size",
            journal
        )?;
        let mut marks = Self::default();
        let mut found = |size: u64, what: String| {
            report.differences.push(Difference {
                journal,
                place: Place::Checkpoint(size),
                what,
            });
        };
        for (size, text) in kept {
            let size = u64::try_from(size).unwrap_or_default();
            let read = Note::parse(&text)
                .map_err(|error| error.to_string())
                .and_then(|note| believed(&note, journal, keys));
            match read {
                Ok(checkpoint) if checkpoint.head.size == size => marks.add(&checkpoint, false),
                Ok(checkpoint) => found(
                    size,
                    format!("it is about {} entries", checkpoint.head.size),
                ),
                Err(error) => found(size, error),
            }
        }
        for one in outside.iter().filter(|one| one.journal == journal) {
            match believed(&one.note, journal, keys) {
                Ok(checkpoint) => marks.add(&checkpoint, true),
                Err(error) => {
                    let size = Checkpoint::of(&one.note).map_or(0, |one| one.head.size);
                    found(
                        size,
                        format!("the one kept outside is not of this record: {error}"),
                    );
                }
            }
        }
        Ok(marks)
    }

    fn add(&mut self, checkpoint: &Checkpoint, outside: bool) {
        self.by_size
            .entry(checkpoint.head.size)
            .or_default()
            .push(Mark {
                root: checkpoint.head.root,
                outside,
            });
    }
}

/// What a note says, if a key on record signed it in the name of this journal.
fn believed(note: &Note, journal: Uuid, keys: &Keys) -> Result<Checkpoint, String> {
    let (checkpoint, _) =
        Checkpoint::believed(note, &keys.keys).map_err(|error| error.to_string())?;
    let first = keys.keys.first().copied();
    if first.is_some_and(|first| signing_key::origin(first, journal) == checkpoint.origin) {
        Ok(checkpoint)
    } else {
        Err(format!("it is about {}", checkpoint.origin))
    }
}

impl Check<'_> {
    /// Adds the last entry to the tree and holds it against the checkpoints of this size.
    pub(super) fn grow(&mut self) {
        let nodes = tree::grow(&mut self.marks.edge, self.journal, leaf(&self.last.hash.0));
        self.marks
            .nodes
            .extend(nodes.map(|node| (node.subtree, node.hash)));
        let size = self.marks.edge.size();
        let Some(marks) = self.marks.by_size.remove(&size) else {
            return;
        };
        let root = self.marks.edge.root();
        for mark in marks {
            if mark.root == root {
                self.report.checkpoints += 1;
                self.marks.agreed = size;
                continue;
            }
            if std::mem::replace(&mut self.marks.parted, true) {
                continue;
            }
            let seq = i64::try_from(self.marks.agreed + 1).unwrap_or(i64::MAX);
            let which = if mark.outside {
                "kept outside"
            } else {
                "signed"
            };
            self.found(
                Place::Entry(seq),
                format!(
                    "the journal is forked: from here to entry {size} it is not the one of the checkpoint {which}"
                ),
            );
        }
    }

    /// Compares the tree with what is kept of it, and says which checkpoints go beyond the end.
    pub(super) async fn tree(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let size = self.marks.edge.size();
        let next = i64::try_from(size + 1).unwrap_or(i64::MAX);
        if let Some((most, marks)) = std::mem::take(&mut self.marks.by_size).pop_last() {
            let which = if marks.iter().any(|mark| mark.outside) {
                "kept outside"
            } else {
                "signed"
            };
            self.found(
                Place::Entry(next),
                format!(
                    "the journal is truncated: entries from here to {most} are missing, which the checkpoint {which} has"
                ),
            );
        }
        let kept = fetch_optional!(
            engine,
            (Option<Vec<u8>>,),
            "SELECT edge FROM journal_head WHERE journal = $1",
            self.journal
        )?;
        if let Some((kept,)) = kept
            && kept.as_deref() != Some(self.marks.edge.to_bytes().as_slice())
        {
            self.found(Place::Tree, "its edge is not that of the entries");
        }
        self.nodes(engine).await
    }

    async fn nodes(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let mut computed = std::mem::take(&mut self.marks.nodes);
        let mut after = (0, -1);
        let mut wrong = 0u64;
        loop {
            let page = fetch_all!(
                engine,
                (i64, i64, Vec<u8>),
                "SELECT level, place, hash FROM journal_node WHERE journal = $1 AND (level, place) > ($2, $3)
                 ORDER BY level, place LIMIT $4",
                self.journal,
                after.0,
                after.1,
                i64::from(PAGE)
            )?;
            for (level, place, hash) in &page {
                after = (*level, *place);
                let subtree = u32::try_from(*level)
                    .ok()
                    .zip(u64::try_from(*place).ok())
                    .map(|(level, index)| Subtree { level, index });
                let expected = subtree.and_then(|subtree| computed.remove(&subtree));
                let same = expected.is_some_and(|expected| expected.0.as_slice() == hash);
                wrong += u64::from(!same);
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        wrong += computed.len() as u64;
        if wrong > 0 {
            self.found(
                Place::Tree,
                format!("{wrong} of the subtrees that are kept are not those of the entries"),
            );
        }
        Ok(())
    }
}
