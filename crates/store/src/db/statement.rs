//! A statement whose text depends on its input: filters, lists of values, many rows.

use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use crate::db::Engine;

/// What a statement may bind.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Uuid(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Bool(Option<bool>),
}

/// The type of a column, on either engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Uuid,
    Int,
    Text,
    Bytes,
    Bool,
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(Some(value))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Self {
        Self::Uuid(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

/// SQL text with its values. Text comes from the source only; input is always bound.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: String,
    values: Vec<Value>,
}

/// Binds the values in order, on either engine.
macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Uuid(value) => query.bind(value),
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
                Value::Bool(value) => query.bind(value),
            };
        }
        query
    }};
}

/// The value of one column, on either engine.
macro_rules! read_value {
    ($row:expr, $at:expr, $of:expr) => {
        match $of {
            Type::Uuid => $row.try_get($at).map(Value::Uuid),
            Type::Int => $row.try_get($at).map(Value::Int),
            Type::Text => $row.try_get($at).map(Value::Text),
            Type::Bytes => $row.try_get($at).map(Value::Bytes),
            Type::Bool => $row.try_get($at).map(Value::Bool),
        }
    };
}

impl Statement {
    /// A statement that starts with `sql`.
    pub(crate) fn new(sql: &'static str) -> Self {
        Self {
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    /// Adds text.
    pub(crate) fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a placeholder and its value.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        self
    }

    /// Adds `(a, b, c)`; nothing is a list that matches nothing.
    pub(crate) fn list<V: Into<Value>>(
        &mut self,
        values: impl IntoIterator<Item = V>,
    ) -> &mut Self {
        self.push("(");
        let mut count = 0;
        for value in values {
            if count > 0 {
                self.push(", ");
            }
            self.bind(value);
            count += 1;
        }
        if count == 0 {
            self.push("NULL");
        }
        self.push(")")
    }

    /// Adds `VALUES (a, b), (c, d)`.
    pub(crate) fn rows<const N: usize>(
        &mut self,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> &mut Self {
        self.push("VALUES ");
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.list(row);
        }
        self
    }

    /// The statement that says how SQLite would run this one.
    pub(crate) fn explain(mut self) -> Self {
        self.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        self
    }

    /// Runs it, gives the number of rows affected. Not kept prepared: the text varies with the
    /// number of rows and would push out those that are worth it.
    pub(crate) async fn execute(self, engine: &mut Engine<'_>) -> Result<u64, sqlx::Error> {
        let Self { sql, values } = self;
        on_engine!(engine, conn => bind!(sqlx::query(AssertSqlSafe(sql)).persistent(false), values)
            .execute(conn).await.map(|done| done.rows_affected()))
    }

    /// Runs it and decodes every row.
    pub(crate) async fn fetch_all<T>(self, engine: &mut Engine<'_>) -> Result<Vec<T>, sqlx::Error>
    where
        T: Send
            + Unpin
            + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        let Self { sql, values } = self;
        on_engine!(engine, conn => bind!(sqlx::query_as::<_, T>(AssertSqlSafe(sql)), values).fetch_all(conn).await)
    }

    /// Runs it, gives the values of every row, whose columns are of these types.
    pub(crate) async fn fetch_values(
        self,
        engine: &mut Engine<'_>,
        types: &[Type],
    ) -> Result<Vec<Vec<Value>>, sqlx::Error> {
        let Self { sql, values } = self;
        on_engine!(engine, conn => {
            let query = bind!(sqlx::query(AssertSqlSafe(sql)).persistent(false), values);
            let rows = query.fetch_all(conn).await?;
            rows.iter()
                .map(|row| types.iter().enumerate().map(|(at, of)| read_value!(row, at, of)).collect())
                .collect()
        })
    }
}
