//! Every statement of fixed text is prepared against the migrated schema of both engines, so that a
//! typo or a one-engine construct fails here even where no other test runs it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use fundcycle_test_support::{Database, on_both};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use super::Pool;
use crate::store::Store;

on_both!(every_statement_prepares);

async fn every_statement_prepares(database: Database) {
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(
        statements.len() > 20,
        "the scan found almost nothing: {statements:?}"
    );
    Store::migrate(&database.url).await.unwrap();
    let pool = Pool::open(&database.url, false).await.unwrap();
    let mut wrong = Vec::new();
    for statement in statements {
        let sql = AssertSqlSafe(statement.clone()).into_sql_str();
        let prepared = match &pool {
            Pool::Sqlite { writer, .. } => writer.prepare(sql).await.map(drop),
            Pool::Postgres { writers, .. } => writers.prepare(sql).await.map(drop),
        };
        if let Err(error) = prepared {
            wrong.push(format!("{error}\n  {statement}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The SQL text of every `execute!`, `fetch_all!` and `fetch_optional!` under `folder`.
fn statements(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(statements(&path));
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for call in ["execute!(", "fetch_all!(", "fetch_optional!("] {
            // The first string of the call; no SQL has a quotation mark in it.
            let texts = source
                .split(call)
                .skip(1)
                .filter_map(|rest| rest.split('"').nth(1));
            let starts_like_sql = |text: &&str| {
                ["SELECT ", "INSERT ", "UPDATE ", "DELETE "]
                    .iter()
                    .any(|verb| text.starts_with(verb))
            };
            found.extend(texts.filter(starts_like_sql).map(str::to_owned));
        }
    }
    found
}
