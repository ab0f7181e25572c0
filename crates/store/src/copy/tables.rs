//! Every table with its columns, so that all of a database can be read row by row on either engine.
//! What a trigger keeps from other tables (`award_balance`) is not here: the copy's engine keeps its own.

use crate::db::Type;

/// A table.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// Its columns; those of its key come first.
    pub(super) columns: &'static [(&'static str, Type)],
    /// How many columns its key has.
    pub(super) key: usize,
}

use Type::{Bool, Bytes, Int, Text, Uuid};

/// All tables. Projects stand before their tranches, in the order of the key of `state`.
#[rustfmt::skip]
pub(super) const TABLES: &[Table] = &[
    Table { name: "setting", key: 1, columns: &[("name", Text), ("value", Text)] },
    Table { name: "credential", key: 1, columns: &[
        ("account", Uuid), ("email", Text), ("email_key", Text), ("name", Text), ("locale", Text),
        ("password_hash", Text), ("created_at", Int), ("updated_at", Int),
    ] },
    Table { name: "token", key: 1, columns: &[
        ("hash", Bytes), ("account", Uuid), ("created_at", Int), ("expires_at", Int), ("revoked_at", Int),
        ("name", Text), ("scopes", Text), ("cycles", Text),
    ] },
    Table { name: "second_factor", key: 1, columns: &[
        ("account", Uuid), ("secret", Bytes), ("created_at", Int), ("confirmed_at", Int), ("last_step", Int),
    ] },
    Table { name: "recovery_code", key: 2, columns: &[("account", Uuid), ("hash", Bytes), ("used_at", Int)] },
    Table { name: "sign_in_try", key: 1, columns: &[
        ("who", Bytes), ("failures", Int), ("at", Int), ("shut_until", Int), ("succeeded_at", Int),
    ] },
    Table { name: "journal", key: 2, columns: &[
        ("journal", Uuid), ("seq", Int), ("kind", Text), ("id", Uuid), ("version", Int), ("at", Int), ("actor", Text),
        ("initiator", Text), ("policy", Text), ("command", Uuid), ("verb", Text), ("from_stage", Text),
        ("to_stage", Text), ("data", Text), ("hash", Bytes), ("salt", Bytes),
    ] },
    Table { name: "journal_head", key: 1, columns: &[
        ("journal", Uuid), ("seq", Int), ("hash", Bytes), ("at", Int), ("edge", Bytes),
    ] },
    Table { name: "journal_node", key: 3, columns: &[
        ("journal", Uuid), ("level", Int), ("place", Int), ("hash", Bytes),
    ] },
    Table { name: "checkpoint", key: 2, columns: &[
        ("journal", Uuid), ("size", Int), ("at", Int), ("published", Bool), ("note", Text),
    ] },
    Table { name: "state", key: 3, columns: &[
        ("journal", Uuid), ("kind", Text), ("id", Uuid), ("version", Int), ("stage", Text), ("created_at", Int),
        ("updated_at", Int), ("parent", Uuid), ("organisation", Uuid), ("person", Uuid), ("facet", Text),
        ("number", Text), ("label", Text), ("amount", Int), ("body", Text),
    ] },
    Table { name: "outbox", key: 2, columns: &[
        ("journal", Uuid), ("id", Uuid), ("seq", Int), ("channel", Text), ("topic", Text), ("receiver", Uuid),
        ("payload", Text), ("created_at", Int), ("lease_until", Int), ("attempts", Int), ("delivered_at", Int),
        ("dead_at", Int), ("error", Text), ("tried_at", Int), ("cancelled_at", Int),
    ] },
    Table { name: "inbox", key: 2, columns: &[
        ("account", Uuid), ("id", Uuid), ("at", Int), ("topic", Text), ("locale", Text), ("title", Text),
        ("text", Text), ("subject", Uuid), ("read_at", Int),
    ] },
    Table { name: "unwanted", key: 3, columns: &[("account", Uuid), ("channel", Text), ("messages", Text)] },
    Table { name: "failing_address", key: 1, columns: &[
        ("account", Uuid), ("address", Text), ("since", Int), ("letter", Uuid), ("because", Text),
    ] },
    Table { name: "message_wording", key: 3, columns: &[
        ("journal", Uuid), ("locale", Text), ("topic", Text), ("title", Text), ("text", Text), ("changed_by", Uuid),
        ("changed_at", Int),
    ] },
    Table { name: "idempotency", key: 2, columns: &[
        ("principal", Text), ("key", Text), ("request_hash", Bytes), ("response", Text), ("at", Int),
    ] },
    Table { name: "webhook", key: 1, columns: &[
        ("id", Uuid), ("journal", Uuid), ("url", Text), ("description", Text), ("types", Text), ("secret", Bytes),
        ("old_secret", Bytes), ("old_secret_until", Int), ("created_by", Uuid), ("created_at", Int),
        ("failing_since", Int), ("disabled_at", Int), ("disabled_because", Text),
    ] },
    Table { name: "webhook_cursor", key: 2, columns: &[("webhook", Uuid), ("journal", Uuid), ("seq", Int)] },
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use fundcycle_test_support::Database;

    use crate::db::{Pool, Statement};
    use crate::store::Store;

    use super::*;

    /// What the schema has and no copy carries: what the engine keeps itself.
    const OWN: &[&str] = &["_sqlx_migrations", "award_balance"];

    #[tokio::test]
    async fn every_column_of_every_table_is_copied() {
        let database = Database::sqlite();
        Store::migrate(&database.url).await.unwrap();
        let pool = Pool::open(&database.url, false).await.unwrap();
        let mut reader = pool.reader().await.unwrap();
        let sql = Statement::new(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'",
        );
        let all: Vec<(String, String)> = sql.fetch_all(&mut reader.engine()).await.unwrap();
        let there: BTreeSet<(&str, &str)> = all
            .iter()
            .map(|(table, column)| (table.as_str(), column.as_str()))
            .filter(|(table, _)| !OWN.contains(table))
            .collect();
        let copied: BTreeSet<(&str, &str)> = TABLES
            .iter()
            .flat_map(|table| {
                table
                    .columns
                    .iter()
                    .map(|(column, _)| (table.name, *column))
            })
            .collect();
        assert_eq!(there, copied);
    }
}
