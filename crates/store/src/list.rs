//! Lists: filtered, sorted, paged and narrowed to what the viewer may see, by SQL and its indexes.

mod cursor;

use std::collections::BTreeSet;

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Column, Viewer};
use uuid::Uuid;

pub use cursor::BadCursor;
use cursor::{Cursor, Key};

use crate::db::Statement;
use crate::error::StoreError;
use crate::row::{self, COLUMNS, StateRow};
use crate::store::Store;
use crate::visible;

/// Which records, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Of this kind.
    pub kind: Kind,
    /// In this journal; none: in all.
    pub journal: Option<Uuid>,
    /// In one of these stages; empty: in any.
    pub stages: Vec<String>,
    /// Parts of this record.
    pub parent: Option<Uuid>,
    /// Belonging to this organisation.
    pub organisation: Option<Uuid>,
    /// Belonging to this account.
    pub person: Option<Uuid>,
    /// Of this domain, round or category.
    pub facet: Option<String>,
    /// With exactly this number or code.
    pub number: Option<String>,
    /// With this text anywhere in the title or name; ASCII letters match in either case.
    pub label_contains: Option<String>,
    /// Changed at or after this time.
    pub updated_since: Option<Timestamp>,
    /// By what they are sorted.
    pub sort: SortBy,
    /// Largest first.
    pub descending: bool,
    /// How many at most, 1 to [`ListQuery::MOST`].
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// By what a list is sorted; equals are sorted by id. What lacks the value comes first when ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When the record began.
    #[default]
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// Its title or name, by code point.
    Label,
    /// Its number or code.
    Number,
    /// Its amount or score.
    Amount,
}

impl SortBy {
    /// Every order there is.
    pub const ALL: [Self; 5] = [
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::Label,
        Self::Number,
        Self::Amount,
    ];

    /// The stable name, as in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Label => "label",
            Self::Number => "number",
            Self::Amount => "amount",
        }
    }

    /// The order with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// What is sorted, spelled exactly as in the index on it.
    const fn expression(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Label => "COALESCE(label, '')",
            Self::Number => "COALESCE(number, '')",
            Self::Amount => "COALESCE(amount, -4611686018427387904)",
        }
    }

    /// The value of the expression for a record.
    fn key(self, state: &State) -> Key {
        const NO_AMOUNT: i64 = -4_611_686_018_427_387_904;
        match self {
            Self::CreatedAt => Key::Int(state.created_at().0),
            Self::UpdatedAt => Key::Int(state.updated_at().0),
            Self::Label => Key::Text(state.index().label.unwrap_or_default()),
            Self::Number => Key::Text(state.index().number.unwrap_or_default()),
            Self::Amount => Key::Int(state.index().amount.unwrap_or(NO_AMOUNT)),
        }
    }
}

impl ListQuery {
    /// The longest page.
    pub const MOST: u32 = 500;

    /// All of a kind, oldest first, 50 a page.
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            journal: None,
            stages: Vec::new(),
            parent: None,
            organisation: None,
            person: None,
            facet: None,
            number: None,
            label_contains: None,
            updated_since: None,
            sort: SortBy::CreatedAt,
            descending: false,
            limit: 50,
            cursor: None,
        }
    }

    /// The columns that it finds or sorts by, beside stage, time and to whom a record belongs.
    fn asked(&self) -> BTreeSet<Column> {
        let sorted = match self.sort {
            SortBy::CreatedAt | SortBy::UpdatedAt => None,
            SortBy::Label => Some(Column::Label),
            SortBy::Number => Some(Column::Number),
            SortBy::Amount => Some(Column::Amount),
        };
        [
            self.parent.map(|_| Column::Parent),
            self.facet.as_ref().map(|_| Column::Facet),
            self.number.as_ref().map(|_| Column::Number),
            self.label_contains.as_ref().map(|_| Column::Label),
            sorted,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The same in one journal.
    pub const fn within(mut self, journal: Uuid) -> Self {
        self.journal = Some(journal);
        self
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records, in order.
    pub states: Vec<State>,
    /// Where the next page starts; none after the last.
    pub next: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor is not one of this list.
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ListError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// One page of the records that `viewer` may see.
    ///
    /// # Errors
    ///
    /// [`ListError::Cursor`] where the cursor is broken or of another order.
    pub async fn list(&self, viewer: &Viewer, query: &ListQuery) -> Result<Page, ListError> {
        let cursor = query
            .cursor
            .as_deref()
            .map(|text| Cursor::parse(text, query.sort, query.descending))
            .transpose()?;
        let limit = query.limit.clamp(1, ListQuery::MOST);
        let Some(statement) = page(viewer, query, cursor, limit) else {
            return Ok(Page {
                states: Vec::new(),
                next: None,
            });
        };
        let mut reader = self.pool().reader().await?;
        let rows: Vec<StateRow> = statement.fetch_all(&mut reader.engine()).await?;
        let mut states = row::restore(&rows)?;
        // One more than asked for was fetched, to know whether there is more.
        let more = states.len() > limit as usize;
        states.truncate(limit as usize);
        let next = states.last().filter(|_| more).map(|last| {
            Cursor {
                key: query.sort.key(last),
                id: last.id(),
            }
            .text(query.sort, query.descending)
        });
        Ok(Page { states, next })
    }

    /// How many records `viewer` may see, whatever the page.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn count(&self, viewer: &Viewer, query: &ListQuery) -> Result<i64, StoreError> {
        let Some(statement) = filtered("COUNT(*)", viewer, query) else {
            return Ok(0);
        };
        let mut reader = self.pool().reader().await?;
        let rows: Vec<(i64,)> = statement.fetch_all(&mut reader.engine()).await?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// How many records of a kind stand in each stage, of those that `viewer` may see.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn count_by_stage(
        &self,
        viewer: &Viewer,
        query: &ListQuery,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let Some(mut statement) = filtered("stage, COUNT(*)", viewer, query) else {
            return Ok(Vec::new());
        };
        statement.push(" GROUP BY stage ORDER BY stage");
        let mut reader = self.pool().reader().await?;
        Ok(statement.fetch_all(&mut reader.engine()).await?)
    }

    /// How the engine would find a page; for tests that watch the indexes. SQLite only.
    ///
    /// # Errors
    ///
    /// As [`Store::list`].
    #[doc(hidden)]
    pub async fn explain_list(
        &self,
        viewer: &Viewer,
        query: &ListQuery,
    ) -> Result<Vec<String>, ListError> {
        let cursor = query
            .cursor
            .as_deref()
            .map(|text| Cursor::parse(text, query.sort, query.descending))
            .transpose()?;
        let Some(statement) = page(viewer, query, cursor, query.limit) else {
            return Ok(Vec::new());
        };
        let mut reader = self.pool().reader().await?;
        let steps: Vec<(i64, i64, i64, String)> =
            statement.explain().fetch_all(&mut reader.engine()).await?;
        Ok(steps.into_iter().map(|(.., step)| step).collect())
    }
}

fn page(
    viewer: &Viewer,
    query: &ListQuery,
    cursor: Option<Cursor>,
    limit: u32,
) -> Option<Statement> {
    let mut sql = filtered(COLUMNS, viewer, query)?;
    let sort = query.sort.expression();
    let (beyond, direction) = if query.descending {
        (") < (", " DESC")
    } else {
        (") > (", "")
    };
    if let Some(Cursor { key, id }) = cursor {
        sql.push(" AND (").push(sort).push(", id").push(beyond);
        match key {
            Key::Int(value) => sql.bind(value),
            Key::Text(value) => sql.bind(value),
        };
        sql.push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY ")
        .push(sort)
        .push(direction)
        .push(", id")
        .push(direction);
    sql.push(" LIMIT ").bind(i64::from(limit) + 1);
    Some(sql)
}

/// `SELECT what` of the rows that the filters leave and the viewer may see; none where they may see none.
fn filtered(what: &'static str, viewer: &Viewer, query: &ListQuery) -> Option<Statement> {
    let conditions = visible::visible(viewer, query.kind, &query.asked());
    if conditions.is_empty() {
        return None;
    }
    let mut sql = Statement::new("SELECT ");
    sql.push(what)
        .push(" FROM state WHERE kind = ")
        .bind(query.kind.name());
    if let Some(journal) = query.journal {
        sql.push(" AND journal = ").bind(journal);
    }
    match query.stages.as_slice() {
        [] => {}
        // Equality, not a list: so that the index also gives the order.
        [stage] => drop(sql.push(" AND stage = ").bind(stage.as_str())),
        stages => drop(
            sql.push(" AND stage IN ")
                .list(stages.iter().map(String::as_str)),
        ),
    }
    let ids = [
        (" AND parent = ", query.parent),
        (" AND organisation = ", query.organisation),
        (" AND person = ", query.person),
    ];
    for (column, id) in ids {
        if let Some(id) = id {
            sql.push(column).bind(id);
        }
    }
    if let Some(facet) = &query.facet {
        sql.push(" AND facet = ").bind(facet.as_str());
    }
    if let Some(number) = &query.number {
        // As in the index.
        sql.push(" AND COALESCE(number, '') = ")
            .bind(number.as_str());
    }
    if let Some(text) = &query.label_contains {
        sql.push(" AND lower(label) LIKE ")
            .bind(containing(text))
            .push(" ESCAPE '\\'");
    }
    if let Some(since) = query.updated_since {
        sql.push(" AND updated_at >= ").bind(since.0);
    }
    visible::push(&mut sql, &conditions);
    Some(sql)
}

/// A pattern for `LIKE` that finds `text` anywhere. Both engines lower only ASCII.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests;
