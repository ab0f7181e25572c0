//! Checking that the journal is whole, that the tables say what it says, and that it is still the
//! one that was signed.

mod answers;
mod balances;
mod messages;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::aggregate::Index;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::proof::Digest;
use fundcycle_core::proof::note::Note;
use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::{Engine, Statement};
use crate::entry::{self, Entry};
use crate::error::StoreError;
use crate::row::StateRow;
use crate::store::Store;

/// Rows read at a time.
const PAGE: u32 = 1_000;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many journals were read.
    pub journals: u64,
    /// How many entries.
    pub entries: u64,
    /// How many records they make.
    pub records: u64,
    /// How many checkpoints, kept inside and outside, the journals agree with.
    pub checkpoints: u64,
    /// Everything that is not as it should be.
    pub differences: Vec<Difference>,
    /// What is as it should be and still worth knowing, such as a key that nobody vouched for.
    pub notes: Vec<String>,
}

/// A checkpoint that was kept outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Of which journal.
    pub journal: Uuid,
    /// As it was kept.
    pub note: Note,
}

impl Report {
    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which journal.
    pub journal: Uuid,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
}

/// Where a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The head row.
    Head,
    /// The entry with this number.
    Entry(i64),
    /// The row of this record.
    Record(Uuid),
    /// The tree over the entries.
    Tree,
    /// The checkpoint over this many entries.
    Checkpoint(u64),
    /// The messages.
    Outbox,
    /// The stored answers to idempotency keys.
    Answers,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            journal,
            place,
            what,
        } = self;
        match place {
            Place::Head => write!(f, "journal {journal}, head: {what}"),
            Place::Entry(seq) => write!(f, "journal {journal}, entry {seq}: {what}"),
            Place::Record(id) => write!(f, "journal {journal}, record {id}: {what}"),
            Place::Tree => write!(f, "journal {journal}, tree: {what}"),
            Place::Checkpoint(size) => {
                write!(f, "journal {journal}, checkpoint of {size} entries: {what}")
            }
            Place::Outbox => write!(f, "journal {journal}, outbox: {what}"),
            Place::Answers => write!(f, "journal {journal}, answers to idempotency keys: {what}"),
        }
    }
}

impl Store {
    /// Recomputes every hash, folds every event and compares the outcome with the tables, of one
    /// journal or of all. Each journal is read in one snapshot, page by page; its records are kept
    /// in memory meanwhile.
    ///
    /// # Errors
    ///
    /// Where the database fails. What is wrong with the data is in the report.
    pub async fn replay_check(&self, journal: Option<Uuid>) -> Result<Report, StoreError> {
        self.verify(journal, &[]).await
    }

    /// The same, and whether the journals are still those that the checkpoints kept `outside` are
    /// about: without one, a tail that was cut off or everything written anew goes unseen.
    ///
    /// # Errors
    ///
    /// Where the database fails. What is wrong with the data is in the report.
    pub async fn verify(
        &self,
        journal: Option<Uuid>,
        outside: &[Outside],
    ) -> Result<Report, StoreError> {
        let mut report = Report::default();
        let mut journals = match journal {
            Some(journal) => BTreeSet::from([journal]),
            None => self.mentioned_journals().await?,
        };
        journals.extend(outside.iter().map(|one| one.journal));
        let mut keys = None;
        for journal in journals {
            let mut tx = self.pool().snapshot().await?;
            let done = self
                .check_one(&mut tx.engine(), journal, outside, &mut keys, &mut report)
                .await;
            tx.rollback().await;
            done?;
        }
        if journal.is_none() {
            answers::check(self, &mut report).await?;
        }
        Ok(report)
    }

    async fn check_one(
        &self,
        engine: &mut Engine<'_>,
        journal: Uuid,
        outside: &[Outside],
        keys: &mut Option<proof::Keys>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if keys.is_none() {
            let known = proof::Keys::on_record(engine).await?;
            known.report(report);
            *keys = Some(known);
        }
        let marks = match keys {
            Some(keys) => proof::Marks::of(engine, journal, keys, outside, report).await?,
            None => proof::Marks::default(),
        };
        let mut check = Check {
            journal,
            report,
            states: BTreeMap::new(),
            last: Last::default(),
            marks,
        };
        check.run(engine).await
    }

    /// Every journal that any table speaks of.
    async fn mentioned_journals(&self) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let rows = fetch_all!(
            &mut reader.engine(),
            (Uuid,),
            "SELECT journal FROM journal_head UNION SELECT journal FROM journal
             UNION SELECT journal FROM state UNION SELECT journal FROM outbox
             UNION SELECT journal FROM award_balance UNION SELECT journal FROM checkpoint"
        )?;
        Ok(rows.into_iter().map(|(journal,)| journal).collect())
    }
}

/// The last entry read.
struct Last {
    seq: i64,
    hash: Digest,
    at: i64,
}

impl Default for Last {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: Digest::GENESIS,
            at: i64::MIN,
        }
    }
}

struct Check<'a> {
    journal: Uuid,
    report: &'a mut Report,
    states: BTreeMap<(Kind, Uuid), State>,
    last: Last,
    marks: proof::Marks,
}

/// The columns that follow from a record, as they are stored.
#[derive(Debug, sqlx::FromRow)]
struct FullRow {
    #[sqlx(flatten)]
    record: StateRow,
    parent: Option<Uuid>,
    organisation: Option<Uuid>,
    person: Option<Uuid>,
    facet: Option<String>,
    number: Option<String>,
    label: Option<String>,
    amount: Option<i64>,
}

impl Check<'_> {
    async fn run(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        self.report.journals += 1;
        loop {
            let page = entry::page(engine, self.journal, self.last.seq, PAGE).await?;
            for entry in &page {
                self.entry(entry);
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        self.head(engine).await?;
        self.tree(engine).await?;
        self.report.records += self.states.len() as u64;
        let balances = balances::compare(engine, self.journal, &self.states).await?;
        self.report.differences.extend(balances);
        self.table(engine).await?;
        self.outbox(engine).await
    }

    fn found(&mut self, place: Place, what: impl Into<String>) {
        self.report.differences.push(Difference {
            journal: self.journal,
            place,
            what: what.into(),
        });
    }

    fn entry(&mut self, entry: &Entry) {
        self.report.entries += 1;
        let place = Place::Entry(entry.seq);
        if entry.seq != self.last.seq + 1 {
            self.found(place, format!("it follows entry {}", self.last.seq));
        }
        if entry.at < self.last.at {
            self.found(
                place,
                format!(
                    "it is {} ms before the entry before",
                    self.last.at - entry.at
                ),
            );
        }
        match entry.chained(self.last.hash) {
            Ok(hash) if hash.0.as_slice() == entry.hash => {}
            Ok(_) => self.found(
                place,
                "its hash does not follow from its content and the entry before",
            ),
            Err(error) => self.found(place, error),
        }
        // Goes on from what is stored, so that each fault is found once and in its place.
        self.last = Last {
            seq: entry.seq,
            // What is no hash has just been found.
            hash: Digest::from_bytes(&entry.hash).unwrap_or(Digest::GENESIS),
            at: entry.at,
        };
        self.grow();
        if let Err(what) = self.fold(entry) {
            self.found(place, what);
        }
    }

    fn fold(&mut self, entry: &Entry) -> Result<(), String> {
        let event = entry.event()?;
        let state = self
            .states
            .entry((event.kind(), entry.id))
            .or_insert_with(|| State::unborn(event.kind(), entry.id, entry.journal));
        let from = (state.version() > 0).then(|| state.stage());
        if from != entry.from_stage.as_deref() {
            return Err(format!(
                "it leaves stage {:?}, but the record stood in {from:?}",
                entry.from_stage
            ));
        }
        state
            .apply(&entry.to_stage, &event, Timestamp(entry.at))
            .map_err(|malformed| malformed.to_string())?;
        if state.version() != entry.version {
            return Err(format!(
                "it says version {}, but it is event {} of the record",
                entry.version,
                state.version()
            ));
        }
        Ok(())
    }

    async fn head(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let head = fetch_optional!(
            engine,
            (i64, Vec<u8>, i64),
            "SELECT seq, hash, at FROM journal_head WHERE journal = $1",
            self.journal
        )?;
        let last = (
            self.last.seq,
            self.last.hash.0.as_slice(),
            if self.last.seq == 0 { 0 } else { self.last.at },
        );
        match head {
            None if self.last.seq > 0 => self.found(Place::Head, "it is missing"),
            Some((seq, _, _)) if seq != last.0 => self.found(
                Place::Head,
                format!("it says {seq}, but the last entry is {}", last.0),
            ),
            Some((_, hash, at)) if hash != last.1 || at != last.2 => {
                self.found(Place::Head, "hash or time is not that of the last entry");
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares row by row, both ways.
    async fn table(&mut self, engine: &mut Engine<'_>) -> Result<(), StoreError> {
        let mut after = (String::new(), Uuid::nil());
        loop {
            let mut sql = Statement::new(
                "SELECT journal, kind, id, version, stage, created_at, updated_at, body,
                 parent, organisation, person, facet, number, label, amount FROM state WHERE journal = ",
            );
            sql.bind(self.journal);
            sql.push(" AND (kind, id) > (")
                .bind(after.0.as_str())
                .push(", ")
                .bind(after.1);
            sql.push(") ORDER BY kind, id LIMIT ").bind(i64::from(PAGE));
            let page: Vec<FullRow> = sql.fetch_all(engine).await?;
            for row in &page {
                self.row(row);
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => {
                    after = (last.record.kind.clone(), last.record.id);
                }
                _ => break,
            }
        }
        for (_, id) in std::mem::take(&mut self.states).into_keys() {
            self.found(Place::Record(id), "the journal has it, the table does not");
        }
        Ok(())
    }

    fn row(&mut self, row: &FullRow) {
        let place = Place::Record(row.record.id);
        let kind = Kind::from_name(&row.record.kind);
        let Some(folded) = kind.and_then(|kind| self.states.remove(&(kind, row.record.id))) else {
            return self.found(place, "the table has it, the journal does not");
        };
        match row.record.restore() {
            Err(error) => self.found(place, error.to_string()),
            Ok(stored) if stored != folded => self.found(place, unlike(&stored, &folded)),
            Ok(_) => {}
        }
        let index = Index {
            parent: row.parent,
            organisation: row.organisation,
            person: row.person,
            facet: row.facet.clone(),
            number: row.number.clone(),
            label: row.label.clone(),
            amount: row.amount,
        };
        if index != folded.index() {
            self.found(
                place,
                format!(
                    "it is found by {index:?}, but should be by {:?}",
                    folded.index()
                ),
            );
        }
    }
}

/// Which part of a stored record is not as the journal has it; values may be personal and are not named.
fn unlike(stored: &State, folded: &State) -> String {
    let mut parts = Vec::new();
    if stored.version() != folded.version() {
        parts.push(format!(
            "version {} instead of {}",
            stored.version(),
            folded.version()
        ));
    }
    if stored.stage() != folded.stage() {
        parts.push(format!(
            "stage {} instead of {}",
            stored.stage(),
            folded.stage()
        ));
    }
    if (stored.created_at(), stored.updated_at()) != (folded.created_at(), folded.updated_at()) {
        parts.push("times".to_owned());
    }
    let (stored, folded) = (stored.data(), folded.data());
    let names: BTreeSet<&String> = stored.keys().chain(folded.keys()).collect();
    parts.extend(
        names
            .into_iter()
            .filter(|name| stored.get(*name) != folded.get(*name))
            .map(|name| format!("field {name}")),
    );
    format!(
        "the table differs from the journal in: {}",
        parts.join(", ")
    )
}
