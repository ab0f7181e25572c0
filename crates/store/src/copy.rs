//! All of a database, copied to another one on whichever engine, and counted and hashed on both
//! sides. One way through the code for a backup, for its restoring and for moving house: the source
//! is read in one snapshot while the service goes on, and the copy is committed as a whole.

mod refunds;
mod tables;

use fundcycle_core::proof::Digest;
use sha2::{Digest as _, Sha256};

use self::tables::{TABLES, Table};
use crate::db::{CommitError, Engine, OpenError, Pool, Statement, Type, Value};
use crate::schema;

/// Rows read and written at a time: with the widest table, half the values that SQLite takes.
const ROWS: i64 = 1_000;

/// How many rows a table has, and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// The sum of the SHA-256 of all rows, as numbers of 256 bits: the same in whatever order they
    /// are read. It finds what went wrong on the way; that nobody changed the record is shown by
    /// its journals.
    pub hash: Digest,
}

/// Why there is no copy. Nothing is left of what was begun.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two cannot be used.
    #[error("{which}: {source}")]
    Open {
        /// Which of the two.
        which: &'static str,
        /// Why.
        source: OpenError,
    },
    /// The copy would be mixed with something else.
    #[error(
        "the database to copy into is not empty (it has rows in {table}); nothing was changed: name a new one"
    )]
    NotEmpty {
        /// The first table that has rows.
        table: &'static str,
    },
    /// What was written reads back otherwise.
    #[error(
        "the copy of {table} differs from its original and was given up: {there} rows instead of {here}"
    )]
    Differs {
        /// Which table.
        table: &'static str,
        /// Rows of the original.
        here: u64,
        /// Rows of the copy.
        there: u64,
    },
    /// An engine failed.
    #[error("the database failed: {0}")]
    Engine(#[from] sqlx::Error),
}

impl From<CommitError> for CopyError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::NotDone(error) | CommitError::Unknown(error) => Self::Engine(error),
        }
    }
}

/// Copies everything at `from` into `to`, which must be empty and is migrated first. Gives what was
/// copied, as it reads back.
///
/// # Errors
///
/// [`CopyError`]; then nothing of it is kept.
pub async fn copy(from: &str, to: &str) -> Result<Vec<TableSum>, CopyError> {
    let source = open(from, "the database to copy", false).await?;
    let target = match open(to, "the database to copy into", true).await {
        Ok(target) => target,
        Err(error) => {
            source.close().await;
            return Err(error);
        }
    };
    let copied = all(&source, &target).await;
    target.close().await;
    source.close().await;
    copied
}

/// Counts and hashes everything at `url`, in one snapshot.
///
/// # Errors
///
/// [`CopyError`] where it cannot be read.
pub async fn sums(url: &str) -> Result<Vec<TableSum>, CopyError> {
    let pool = open(url, "the database", false).await?;
    let summed = async {
        let mut tx = pool.snapshot().await?;
        let mut sums = Vec::new();
        for table in TABLES {
            sums.push(table.sum(&mut tx.engine()).await?);
        }
        tx.rollback().await;
        Ok(sums)
    }
    .await;
    pool.close().await;
    summed
}

async fn open(url: &str, which: &'static str, make: bool) -> Result<Pool, CopyError> {
    let failed = |source| CopyError::Open { which, source };
    let pool = Pool::open(url, make).await.map_err(failed)?;
    let ready = if make {
        schema::migrate(&pool).await
    } else {
        match schema::state(&pool).await {
            Ok(state) => state.require(),
            Err(error) => Err(error),
        }
    };
    if let Err(error) = ready {
        pool.close().await;
        return Err(failed(error));
    }
    Ok(pool)
}

async fn all(source: &Pool, target: &Pool) -> Result<Vec<TableSum>, CopyError> {
    let mut from = source.snapshot().await?;
    let mut to = target.write().await?;
    let mut sums = Vec::new();
    for table in TABLES {
        if !table.page(&mut to.engine(), None, 1).await?.is_empty() {
            let table = table.name;
            return Err(CopyError::NotEmpty { table });
        }
    }
    for table in TABLES {
        let mut read = Sum::default();
        let (mut after, mut later) = (None, Vec::new());
        loop {
            let mut page = table
                .page(&mut from.engine(), after.as_deref(), ROWS)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.iter().take(table.key).cloned().collect::<Vec<_>>());
            for row in &page {
                read.add(row);
            }
            later.extend(refunds::put_off(table, &mut page));
            table.insert(&mut to.engine(), page).await?;
        }
        refunds::catch_up(table, &mut to.engine(), later).await?;
        let written = table.sum(&mut to.engine()).await?;
        if written != read.of(table) {
            return Err(CopyError::Differs {
                table: table.name,
                here: read.rows,
                there: written.rows,
            });
        }
        sums.push(written);
    }
    from.rollback().await;
    to.commit().await?;
    Ok(sums)
}

impl Table {
    fn columns(&self, sql: &mut Statement, count: usize) {
        for (number, (column, _)) in self.columns.iter().take(count).enumerate() {
            sql.push(if number == 0 { "" } else { ", " }).push(column);
        }
    }

    /// Rows in the order of the key, after one with the key `after`.
    async fn page(
        &self,
        engine: &mut Engine<'_>,
        after: Option<&[Value]>,
        rows: i64,
    ) -> Result<Vec<Vec<Value>>, sqlx::Error> {
        let mut sql = Statement::new("SELECT ");
        self.columns(&mut sql, self.columns.len());
        sql.push(" FROM ").push(self.name);
        if let Some(after) = after {
            sql.push(" WHERE (");
            self.columns(&mut sql, self.key);
            sql.push(") > ").list(after.iter().cloned());
        }
        sql.push(" ORDER BY ");
        self.columns(&mut sql, self.key);
        sql.push(" LIMIT ").bind(rows);
        let types: Vec<Type> = self.columns.iter().map(|(_, of)| *of).collect();
        sql.fetch_values(engine, &types).await
    }

    async fn insert(
        &self,
        engine: &mut Engine<'_>,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), sqlx::Error> {
        let mut sql = Statement::new("INSERT INTO ");
        sql.push(self.name).push(" (");
        self.columns(&mut sql, self.columns.len());
        sql.push(") VALUES ");
        for (number, row) in rows.into_iter().enumerate() {
            sql.push(if number == 0 { "" } else { ", " }).list(row);
        }
        sql.execute(engine).await.map(drop)
    }

    async fn sum(&self, engine: &mut Engine<'_>) -> Result<TableSum, sqlx::Error> {
        let mut sum = Sum::default();
        let mut after = None;
        loop {
            let page = self.page(engine, after.as_deref(), ROWS).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.iter().take(self.key).cloned().collect::<Vec<_>>());
            for row in &page {
                sum.add(row);
            }
        }
        Ok(sum.of(self))
    }
}

/// A sum of rows under way.
#[derive(Default)]
struct Sum {
    rows: u64,
    total: [u8; 32],
}

impl Sum {
    fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            let (kind, bytes) = match value {
                Value::Uuid(value) => (0, value.map(|value| value.as_bytes().to_vec())),
                Value::Int(value) => (1, value.map(|value| value.to_be_bytes().to_vec())),
                Value::Text(value) => (2, value.as_ref().map(|value| value.as_bytes().to_vec())),
                Value::Bytes(value) => (3, value.clone()),
                Value::Bool(value) => (4, value.map(|value| vec![u8::from(value)])),
            };
            // Length first, so that no two rows say the same bytes.
            let length = bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64);
            hash.update([kind]);
            hash.update(length.to_be_bytes());
            hash.update(bytes.unwrap_or_default());
        }
        self.rows += 1;
        let mut carry = 0;
        for (byte, more) in self.total.iter_mut().zip(hash.finalize()).rev() {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            *byte = sum.to_be_bytes()[1];
            carry = sum >> 8;
        }
    }

    fn of(&self, table: &Table) -> TableSum {
        TableSum {
            table: table.name,
            rows: self.rows,
            hash: Digest(self.total),
        }
    }
}
