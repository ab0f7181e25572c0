//! Whether every stored answer to an idempotency key speaks of entries that stand.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::db::Statement;
use crate::error::StoreError;
use crate::store::Store;
use crate::submission::{Answer, Moved};

use super::{Difference, PAGE, Place, Report};

#[derive(sqlx::FromRow)]
struct Row {
    principal: String,
    key: String,
    response: String,
}

/// What an answer and an entry have in common.
type Said = (Uuid, Uuid, i64, String, String);

#[derive(sqlx::FromRow)]
struct Stood {
    journal: Uuid,
    id: Uuid,
    version: i64,
    verb: String,
    to_stage: String,
}

fn said(moved: &Moved) -> Said {
    let Moved {
        journal,
        id,
        version,
        verb,
        to,
        ..
    } = moved;
    (*journal, *id, *version, verb.clone(), to.clone())
}

/// Compares every answer to a command with the journals.
pub(super) async fn check(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let mut reader = store.pool().reader().await?;
    let (mut principal, mut key) = (String::new(), String::new());
    loop {
        let mut sql = Statement::new(
            "SELECT principal, key, response FROM idempotency WHERE (principal, key) > (",
        );
        sql.bind(principal.as_str()).push(", ").bind(key.as_str());
        sql.push(") ORDER BY principal, key LIMIT ")
            .bind(i64::from(PAGE));
        let page: Vec<Row> = sql.fetch_all(&mut reader.engine()).await?;
        // Answers to requests that are no commands are of another form.
        let answers: Vec<Moved> = page
            .iter()
            .filter_map(|row| serde_json::from_str::<Answer>(&row.response).ok())
            .flat_map(|answer| answer.facts)
            .collect();
        let mut stood: BTreeSet<Said> = BTreeSet::new();
        for chunk in answers.chunks(PAGE as usize) {
            let mut sql = Statement::new(
                "SELECT journal, id, version, verb, to_stage FROM journal WHERE (id, version) IN (",
            );
            sql.rows(
                chunk
                    .iter()
                    .map(|moved| [moved.id.into(), moved.version.into()]),
            );
            sql.push(")");
            let rows: Vec<Stood> = sql.fetch_all(&mut reader.engine()).await?;
            stood.extend(
                rows.into_iter()
                    .map(|row| (row.journal, row.id, row.version, row.verb, row.to_stage)),
            );
        }
        report.differences.extend(
            answers
                .iter()
                .filter(|moved| !stood.contains(&said(moved)))
                .map(|moved| Difference {
                    journal: moved.journal,
                    place: Place::Answers,
                    what: format!(
                        "one says that {} {} was done as event {}, and no entry does",
                        moved.verb, moved.id, moved.version
                    ),
                }),
        );
        match page.into_iter().next_back() {
            Some(last) => (principal, key) = (last.principal, last.key),
            None => return Ok(()),
        }
    }
}
