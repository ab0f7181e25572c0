//! One entry of a journal, and the chain that holds the entries together.

use fundcycle_core::disclosure::{self, chained};
use fundcycle_core::kinds::{Event, Kind};
use fundcycle_core::names::Names as _;
use fundcycle_core::proof::{Digest, tree};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{self, Engine, Statement};
use crate::error::StoreError;
use crate::row::ROWS;

/// The columns of an [`Entry`].
pub(crate) const COLUMNS: &str = "journal, seq, kind, id, version, at, actor, initiator, policy, command, verb, from_stage, to_stage, data, salt, hash";

/// A fact as it stands in a journal.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Which journal.
    pub journal: Uuid,
    /// Its place, from 1.
    pub seq: i64,
    /// What kind of record moved.
    pub kind: String,
    /// Which one.
    pub id: Uuid,
    /// How many events that record has with this one.
    pub version: i64,
    /// When, in Unix milliseconds; never before the entry before.
    pub at: i64,
    /// Who: an account's id, `system` or `public`.
    pub actor: String,
    /// Whose command this followed from; none for the command itself.
    pub initiator: Option<String>,
    /// The hash of the policy in force; none where there was none.
    pub policy: Option<String>,
    /// The command; all entries that follow from it share it.
    pub command: Uuid,
    /// What was asked.
    pub verb: String,
    /// Where the record stood; none where this began it.
    pub from_stage: Option<String>,
    /// Where it stands after this.
    pub to_stage: String,
    /// The event: canonical JSON (RFC 8785).
    pub data: String,
    /// Random; what the commitments to the single values of this entry are salted with.
    pub salt: Vec<u8>,
    /// SHA-256 over the hash of the entry before and the one of this entry's [content](Entry::content).
    pub hash: Vec<u8>,
}

/// What is hashed: every column but salt and hash.
#[derive(Serialize)]
struct Content<'a> {
    journal: Uuid,
    seq: i64,
    kind: &'a str,
    id: Uuid,
    version: i64,
    at: i64,
    actor: &'a str,
    initiator: Option<&'a str>,
    policy: Option<&'a str>,
    command: Uuid,
    verb: &'a str,
    from: Option<&'a str>,
    to: &'a str,
    data: &'a Value,
}

impl Entry {
    /// The event in it.
    ///
    /// # Errors
    ///
    /// What is wrong with kind or data.
    pub fn event(&self) -> Result<Event, String> {
        let kind = Kind::from_name(&self.kind)
            .ok_or_else(|| format!("there is no kind `{}`", self.kind))?;
        let value = serde_json::from_str(&self.data).map_err(|error| error.to_string())?;
        Event::parse(kind, value).map_err(|malformed| malformed.to_string())
    }

    /// All that the entry says, as one document: what its hash commits to, value by value.
    ///
    /// # Errors
    ///
    /// Where `data` is not JSON in its canonical form.
    pub fn content(&self) -> Result<Value, String> {
        let data: Value = serde_json::from_str(&self.data).map_err(|error| error.to_string())?;
        // Else a change of white space would go unseen.
        if canonical(&data)? != self.data.as_bytes() {
            return Err("the data is not in canonical form".to_owned());
        }
        self.with(&data)
    }

    /// The hash that this entry has after one with the hash `previous`.
    ///
    /// # Errors
    ///
    /// Where `data` is not JSON in its canonical form.
    pub fn chained(&self, previous: Digest) -> Result<Digest, String> {
        Ok(Digest(chained(
            &previous.0,
            &disclosure::hash(&self.salt, &self.content()?),
        )))
    }

    /// Its leaf in the tree of the journal, by its stored hash; none if that is no hash.
    pub fn leaf(&self) -> Option<Digest> {
        Digest::from_bytes(&self.hash).map(|hash| tree::leaf(&hash.0))
    }

    /// Puts `data` into this entry and chains it to the one with the hash `previous`.
    pub(crate) fn seal(mut self, data: &Value, previous: Digest) -> Result<Self, String> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
        self.salt = salt.to_vec();
        self.data = String::from_utf8(canonical(data)?).map_err(|error| error.to_string())?;
        self.hash = chained(&previous.0, &disclosure::hash(&salt, &self.with(data)?)).to_vec();
        Ok(self)
    }

    fn with(&self, data: &Value) -> Result<Value, String> {
        serde_json::to_value(Content {
            journal: self.journal,
            seq: self.seq,
            kind: &self.kind,
            id: self.id,
            version: self.version,
            at: self.at,
            actor: &self.actor,
            initiator: self.initiator.as_deref(),
            policy: self.policy.as_deref(),
            command: self.command,
            verb: &self.verb,
            from: self.from_stage.as_deref(),
            to: &self.to_stage,
            data,
        })
        .map_err(|error| error.to_string())
    }
}

fn canonical(value: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| error.to_string())
}

/// Appends sealed entries.
pub(crate) async fn append(engine: &mut Engine<'_>, entries: &[Entry]) -> Result<(), sqlx::Error> {
    for chunk in entries.chunks(ROWS) {
        let mut sql = Statement::new("INSERT INTO journal (");
        sql.push(COLUMNS).push(") ");
        sql.rows(chunk.iter().map(|entry| -> [db::Value; 16] {
            [
                entry.journal.into(),
                entry.seq.into(),
                entry.kind.as_str().into(),
                entry.id.into(),
                entry.version.into(),
                entry.at.into(),
                entry.actor.as_str().into(),
                entry.initiator.clone().into(),
                entry.policy.clone().into(),
                entry.command.into(),
                entry.verb.as_str().into(),
                entry.from_stage.clone().into(),
                entry.to_stage.as_str().into(),
                entry.data.as_str().into(),
                entry.salt.clone().into(),
                entry.hash.clone().into(),
            ]
        }));
        sql.execute(engine).await?;
    }
    Ok(())
}

/// A page of a journal, after `after`, in order.
pub(crate) async fn page(
    engine: &mut Engine<'_>,
    journal: Uuid,
    after: i64,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut sql = Statement::new("SELECT ");
    sql.push(COLUMNS)
        .push(" FROM journal WHERE journal = ")
        .bind(journal);
    sql.push(" AND seq > ").bind(after);
    sql.push(" ORDER BY seq LIMIT ").bind(i64::from(limit));
    Ok(sql.fetch_all(engine).await?)
}
