//! Loading what a decision looks at: one query for each kind of need, whatever their number.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::world::{Need, World};
use uuid::Uuid;

use crate::db::{Engine, Statement};
use crate::error::StoreError;
use crate::row::{self, COLUMNS, StateRow};

/// Loads `needs` of a decision in `journal` into `world`. What is there already stays as it is: it
/// may have been changed by a command that is not committed yet.
pub(crate) async fn load(
    engine: &mut Engine<'_>,
    journal: Uuid,
    needs: &[Need],
    world: &mut World,
) -> Result<(), StoreError> {
    for statement in statements(journal, needs) {
        let rows: Vec<StateRow> = statement.fetch_all(engine).await?;
        for state in row::restore(&rows)? {
            if world.state(state.kind(), state.id()).is_none() {
                world.put(state);
            }
        }
    }
    if needs.contains(&Need::EarlierApplicants) {
        let rows: Vec<(Uuid,)> = earlier_applicants(journal).fetch_all(engine).await?;
        for (id,) in rows {
            world.put_earlier_applicant(id);
        }
    }
    for need in needs {
        world.mark_loaded(*need);
    }
    Ok(())
}

/// In which journal to look; none where only the whole database will do.
///
/// A command of one cycle must not find what belongs to another one.
fn home(kind: Kind, journal: Uuid) -> Option<Uuid> {
    if kind.is_registry() {
        Some(REGISTRY)
    } else {
        (journal != REGISTRY).then_some(journal)
    }
}

fn statements(journal: Uuid, needs: &[Need]) -> Vec<Statement> {
    let mut ones: BTreeMap<Option<Uuid>, (BTreeSet<Kind>, BTreeSet<Uuid>)> = BTreeMap::new();
    let mut parts: BTreeMap<Kind, BTreeSet<Uuid>> = BTreeMap::new();
    let mut owned: BTreeMap<Kind, BTreeSet<Uuid>> = BTreeMap::new();
    let mut personal: BTreeMap<Kind, BTreeSet<Uuid>> = BTreeMap::new();
    let mut all: BTreeSet<Kind> = BTreeSet::new();
    for need in needs {
        match *need {
            Need::One(kind, id) => {
                let (kinds, ids) = ones.entry(home(kind, journal)).or_default();
                kinds.insert(kind);
                ids.insert(id);
            }
            Need::PartsOf(kind, parent) => {
                parts.entry(kind).or_default().insert(parent);
            }
            Need::OfOrganisation(kind, organisation) => {
                owned.entry(kind).or_default().insert(organisation);
            }
            Need::OfPerson(kind, person) => {
                personal.entry(kind).or_default().insert(person);
            }
            Need::All(kind) => {
                all.insert(kind);
            }
            // Names of owners alone, from every journal: it has a statement of its own.
            Need::EarlierApplicants => {}
        }
    }
    let mut statements = Vec::new();
    for (home, (kinds, ids)) in ones {
        let mut sql = select(home);
        sql.push(" AND kind IN ")
            .list(kinds.iter().map(|kind| kind.name()));
        sql.push(" AND id IN ").list(ids);
        statements.push(sql);
    }
    for (column, by_kind) in [
        (" AND parent IN ", parts),
        (" AND organisation IN ", owned),
        (" AND person IN ", personal),
    ] {
        for (kind, ids) in by_kind {
            let mut sql = select(home(kind, journal));
            sql.push(" AND kind = ").bind(kind.name());
            sql.push(column).list(ids);
            statements.push(sql);
        }
    }
    for kind in all {
        let mut sql = select(home(kind, journal));
        sql.push(" AND kind = ").bind(kind.name());
        statements.push(sql);
    }
    statements
}

/// The organisations with an application that was handed in, in a cycle that began before `journal`'s.
fn earlier_applicants(journal: Uuid) -> Statement {
    let mut sql = Statement::new("SELECT DISTINCT organisation FROM state WHERE kind = ");
    sql.bind(Kind::Application.name())
        .push(" AND stage NOT IN ")
        .list(["draft", "discarded"])
        .push(
            " AND organisation IS NOT NULL AND journal IN (SELECT journal FROM state WHERE kind = ",
        )
        .bind(Kind::Cycle.name())
        .push(" AND created_at < (SELECT created_at FROM state WHERE kind = ")
        .bind(Kind::Cycle.name())
        .push(" AND journal = ")
        .bind(journal)
        .push("))");
    sql
}

fn select(home: Option<Uuid>) -> Statement {
    let mut sql = Statement::new("SELECT ");
    sql.push(COLUMNS).push(" FROM state WHERE ");
    match home {
        Some(journal) => sql.push("journal = ").bind(journal),
        None => sql.push("TRUE"),
    };
    sql
}
