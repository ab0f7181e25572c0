//! The engine counts the money of each award while its records are written, and takes no refund of
//! what is not paid yet. So a project that was refunded is written without its refund first, and as
//! it is once its tranches are there.

use serde_json::{Value as Json, json};

use super::tables::Table;
use crate::db::{Engine, Statement, Value};

/// Where kind and body stand among the columns of `state`.
const KIND: &str = "kind";
const BODY: &str = "body";

/// Takes the refunds out of rows of `table`; gives those rows as they are.
pub(super) fn put_off(table: &Table, rows: &mut [Vec<Value>]) -> Vec<Vec<Value>> {
    let place = |name| table.columns.iter().position(|(column, _)| *column == name);
    let (Some(kind), Some(body)) = (place(KIND), place(BODY)) else {
        return Vec::new();
    };
    let mut later = Vec::new();
    for row in rows {
        if !matches!(row.get(kind), Some(Value::Text(Some(kind))) if kind == "project") {
            continue;
        }
        let Some(Value::Text(Some(text))) = row.get(body) else {
            continue;
        };
        let Ok(mut without) = serde_json::from_str::<Json>(text) else {
            continue;
        };
        if without.get("refunded").and_then(Json::as_i64).unwrap_or(0) == 0 {
            continue;
        }
        without["refunded"] = json!(0);
        later.push(row.clone());
        if let Some(value) = row.get_mut(body) {
            *value = Value::from(without.to_string());
        }
    }
    later
}

/// Writes the bodies of rows that were put off.
pub(super) async fn catch_up(
    table: &Table,
    engine: &mut Engine<'_>,
    later: Vec<Vec<Value>>,
) -> Result<(), sqlx::Error> {
    for row in later {
        let mut sql = Statement::new("UPDATE state SET body = ");
        let body = table
            .columns
            .iter()
            .zip(&row)
            .find(|((name, _), _)| *name == BODY);
        if let Some((_, body)) = body {
            sql.bind(body.clone()).push(" WHERE (");
            table.columns(&mut sql, table.key);
            sql.push(") = ").list(row.iter().take(table.key).cloned());
            sql.execute(engine).await?;
        }
    }
    Ok(())
}
