//! Records as rows.

use fundcycle_core::kinds::{Kind, Row, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::time::Timestamp;
use uuid::Uuid;

use crate::db::{Engine, Statement, Value};
use crate::error::StoreError;

/// Rows per statement: well below the 32,766 values that SQLite takes.
pub(crate) const ROWS: usize = 1_000;

/// The columns of [`StateRow`], in any query.
pub(crate) const COLUMNS: &str = "journal, kind, id, version, stage, created_at, updated_at, body";

/// What of a row makes the record; the other columns follow from it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct StateRow {
    pub(crate) journal: Uuid,
    pub(crate) kind: String,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) stage: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) body: String,
}

impl StateRow {
    pub(crate) fn restore(&self) -> Result<State, StoreError> {
        let corrupt = |reason| StoreError::Corrupt {
            what: self.kind.clone(),
            id: self.id,
            reason,
        };
        let kind = Kind::from_name(&self.kind)
            .ok_or_else(|| corrupt("there is no such kind".to_owned()))?;
        let row = Row {
            id: self.id,
            journal: self.journal,
            version: self.version,
            stage: &self.stage,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            body: &self.body,
        };
        State::restore(kind, row).map_err(|malformed| corrupt(malformed.to_string()))
    }
}

/// Restores every row.
pub(crate) fn restore(rows: &[StateRow]) -> Result<Vec<State>, StoreError> {
    rows.iter().map(StateRow::restore).collect()
}

/// Writes the current state of records, new and old ones alike.
pub(crate) async fn upsert(engine: &mut Engine<'_>, states: &[&State]) -> Result<(), sqlx::Error> {
    for chunk in states.chunks(ROWS) {
        let mut sql = Statement::new(
            "INSERT INTO state (journal, kind, id, version, stage, created_at, updated_at,
             parent, organisation, person, facet, number, label, amount, body) ",
        );
        sql.rows(chunk.iter().map(|state| columns(state)));
        // One spelling of a many-row update that both engines share.
        sql.push(
            " ON CONFLICT (journal, kind, id) DO UPDATE SET version = excluded.version, stage = excluded.stage,
             updated_at = excluded.updated_at, parent = excluded.parent, organisation = excluded.organisation,
             person = excluded.person, facet = excluded.facet, number = excluded.number,
             label = excluded.label, amount = excluded.amount, body = excluded.body",
        );
        sql.execute(engine).await?;
    }
    Ok(())
}

fn columns(state: &State) -> [Value; 15] {
    let index = state.index();
    [
        state.journal().into(),
        state.kind().name().into(),
        state.id().into(),
        state.version().into(),
        state.stage().into(),
        state.created_at().0.into(),
        state.updated_at().0.into(),
        index.parent.into(),
        index.organisation.into(),
        index.person.into(),
        index.facet.into(),
        index.number.into(),
        index.label.into(),
        index.amount.into(),
        state.body().into(),
    ]
}
