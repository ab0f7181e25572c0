//! Who may see which rows: the same sights as [`Viewer::eyes`], as a condition in SQL.

use std::collections::BTreeSet;

use fundcycle_core::actor::Scope;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Kind;
use fundcycle_core::visibility::{Eye, Viewer, sights};
use uuid::Uuid;

use crate::db::Statement;

/// The rows that one sight opens to a viewer: those of these owners, in these stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    owner: Owner,
    /// Empty: all.
    stages: &'static [&'static str],
}

/// Which rows belong to an eye.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Anybody,
    Journals(BTreeSet<Uuid>),
    Organisations(BTreeSet<Uuid>),
    Person(Uuid),
    Assigned(BTreeSet<Uuid>),
}

/// The rows of `kind` that `viewer` may see: any of these conditions is enough. None: not one row.
pub(crate) fn visible(viewer: &Viewer, kind: Kind) -> Vec<Condition> {
    let conditions: Vec<Condition> = sights(kind)
        .iter()
        .filter_map(|sight| {
            Some(Condition {
                owner: owner(viewer, sight.eye)?,
                stages: sight.stages,
            })
        })
        .collect();
    let everything = conditions
        .iter()
        .position(|one| one.owner == Owner::Anybody && one.stages.is_empty());
    match everything {
        Some(place) => conditions.into_iter().skip(place).take(1).collect(),
        None => conditions,
    }
}

/// What belongs to `eye` when `viewer` looks through it; none where they cannot.
fn owner(viewer: &Viewer, eye: Eye) -> Option<Owner> {
    match eye {
        Eye::Public | Eye::Account | Eye::Staff | Eye::Organiser | Eye::Admin => {
            general(viewer, eye)
        }
        Eye::Applicant => Some(viewer.actor.organisations())
            .filter(|ids| !ids.is_empty())
            .map(Owner::Organisations),
        Eye::Holder => viewer.actor.account.map(Owner::Person),
        Eye::Expert => Some(&viewer.assigned)
            .filter(|ids| !ids.is_empty())
            .cloned()
            .map(Owner::Assigned),
    }
}

/// Eyes that depend on the journal alone. Asked of the viewer for each journal that a grant names,
/// and for one that none names.
fn general(viewer: &Viewer, eye: Eye) -> Option<Owner> {
    if viewer.general_eyes(Uuid::max()).contains(&eye) {
        return Some(Owner::Anybody);
    }
    let named = viewer
        .actor
        .grants
        .iter()
        .filter_map(|grant| match grant.scope {
            Scope::Cycle(id) => Some(id),
            Scope::Everywhere | Scope::Organisation(_) => None,
        });
    let journals: BTreeSet<Uuid> = named
        .chain([REGISTRY])
        .filter(|journal| viewer.general_eyes(*journal).contains(&eye))
        .collect();
    (!journals.is_empty()).then_some(Owner::Journals(journals))
}

/// Adds ` AND (…)` for the conditions, of which there is at least one.
pub(crate) fn push(sql: &mut Statement, conditions: &[Condition]) {
    if let [
        Condition {
            owner: Owner::Anybody,
            stages: [],
        },
    ] = conditions
    {
        return;
    }
    sql.push(" AND (");
    for (place, Condition { owner, stages }) in conditions.iter().enumerate() {
        if place > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        match owner {
            Owner::Anybody => sql.push("TRUE"),
            Owner::Journals(ids) => sql.push("journal IN ").list(ids.iter().copied()),
            Owner::Organisations(ids) => sql.push("organisation IN ").list(ids.iter().copied()),
            Owner::Person(id) => sql.push("person = ").bind(*id),
            Owner::Assigned(ids) => {
                sql.push("id IN ").list(ids.iter().copied());
                sql.push(" OR parent IN ").list(ids.iter().copied())
            }
        };
        sql.push(")");
        if !stages.is_empty() {
            sql.push(" AND stage IN ").list(stages.iter().copied());
        }
    }
    sql.push(")");
}
