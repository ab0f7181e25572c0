//! The flows as pictures and tables, rendered from the same data that decides.

use std::fmt::Write as _;

use crate::kinds::{AnyMove, Kind};
use crate::names::Names as _;

/// The flow of `kind` as a Mermaid state diagram. Moves that leave from many stages are drawn once
/// per stage they leave; moves that change nothing but the text are left out.
pub fn mermaid(kind: Kind) -> String {
    let mut text = String::from("stateDiagram-v2\n");
    for stage in kind.stages() {
        let _ = writeln!(text, "    {0}: {0} {1}", stage.name, stage.zh);
    }
    for row in kind.moves() {
        let Some(to) = row.to else { continue };
        if row.from.is_empty() {
            let _ = writeln!(text, "    [*] --> {to}: {}", row.verb);
        }
        for from in row.from.iter().filter(|from| **from != to) {
            let _ = writeln!(text, "    {from} --> {to}: {}", row.verb);
        }
    }
    let moves = kind.moves();
    let ends = kind.stages().into_iter().filter(|stage| {
        !moves
            .iter()
            .any(|row| row.to.is_some_and(|to| to != stage.name) && row.from.contains(&stage.name))
    });
    for stage in ends {
        let _ = writeln!(text, "    {} --> [*]", stage.name);
    }
    text
}

/// Every flow as one document: a picture and a table per kind.
pub fn flows_document() -> String {
    let mut text = String::from(
        "# Flows\n\nRendered from the flow tables in `crates/core`; a test compares. `just docs` renders it again.\n",
    );
    for kind in Kind::ALL {
        let _ = write!(
            text,
            "\n## {} {}\n\n{} Addresses: `/v1/{}`.\n\n```mermaid\n{}```\n\n",
            kind.name(),
            kind.zh(),
            kind.summary(),
            kind.plural(),
            mermaid(*kind)
        );
        text.push_str("| from | verb | to | by | gates |\n|---|---|---|---|---|\n");
        for row in kind.moves() {
            let _ = writeln!(text, "{}", table_row(&row));
        }
    }
    text
}

fn table_row(row: &AnyMove) -> String {
    let from = if row.from.is_empty() {
        "–".to_owned()
    } else {
        row.from.join(", ")
    };
    let by = row
        .by
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let gates: Vec<&str> = row.gates.iter().map(|gate| gate.0).collect();
    format!(
        "| {from} | `{}` {} | {} | {by} | {} |",
        row.verb,
        row.zh,
        row.to.unwrap_or("same"),
        gates.join(", ")
    )
}
