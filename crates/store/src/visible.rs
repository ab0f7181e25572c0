//! Who may see which rows: the same sights as [`Viewer::eyes`], as a condition in SQL.

use std::collections::BTreeSet;

use fundcycle_core::actor::Scope;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::kinds::Kind;
use fundcycle_core::visibility::{Column, Eye, OFFICIAL, Viewer, identifies, reads, sights};
use uuid::Uuid;

use crate::db::Statement;

/// The rows that one sight opens to a viewer: those of these owners, in these stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    owner: Owner,
    /// Empty: all.
    stages: &'static [&'static str],
    /// Not those of these organisations, nor these records and their parts.
    barred: Option<Barred>,
    /// Only in these journals: the token is limited to them.
    within: Option<BTreeSet<Uuid>>,
}

/// Where a viewer has an interest, in spite of their office.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Barred {
    organisations: BTreeSet<Uuid>,
    records: BTreeSet<Uuid>,
    /// Journals in which the viewer reads everything all the same.
    but: BTreeSet<Uuid>,
}

/// Which rows belong to an eye.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Anybody,
    Journals(BTreeSet<Uuid>),
    Organisations(BTreeSet<Uuid>),
    Person(Uuid),
    /// These and their parts.
    Assigned(BTreeSet<Uuid>),
    These(BTreeSet<Uuid>),
}

/// The rows of `kind` that `viewer` may see, of those whose `asked` columns they may read: any of these
/// conditions is enough. None: not one row.
pub(crate) fn visible(viewer: &Viewer, kind: Kind, asked: &BTreeSet<Column>) -> Vec<Condition> {
    let conditions: Vec<Condition> = sights(kind)
        .iter()
        .filter(|sight| asked.iter().all(|column| reads(sight.eye, kind, *column)))
        .filter_map(|sight| {
            let official = OFFICIAL.contains(&sight.eye) && !kind.is_registry();
            let limited = sight.eye != Eye::Public && !kind.is_registry();
            Some(Condition {
                owner: owner(viewer, sight.eye, kind, asked)?,
                stages: sight.stages,
                barred: official.then(|| barred(viewer)).flatten(),
                within: viewer.actor.limited_to.clone().filter(|_| limited),
            })
        })
        .collect();
    let everything = conditions.iter().position(|one| {
        one.owner == Owner::Anybody
            && one.stages.is_empty()
            && one.barred.is_none()
            && one.within.is_none()
    });
    match everything {
        Some(place) => conditions.into_iter().skip(place).take(1).collect(),
        None => conditions,
    }
}

fn barred(viewer: &Viewer) -> Option<Barred> {
    let standing = &viewer.standing;
    let mut organisations = standing.interests.clone();
    organisations.extend(viewer.actor.organisations());
    if (organisations.is_empty() && standing.barred.is_empty())
        || viewer.reads_everything(Uuid::max())
    {
        return None;
    }
    Some(Barred {
        organisations,
        records: standing.barred.clone(),
        but: journals(viewer)
            .filter(|journal| viewer.reads_everything(*journal))
            .collect(),
    })
}

/// What belongs to `eye` when `viewer` looks through it; none where they cannot.
fn owner(viewer: &Viewer, eye: Eye, kind: Kind, asked: &BTreeSet<Column>) -> Option<Owner> {
    match eye {
        Eye::Public | Eye::Account | Eye::Staff | Eye::Organiser | Eye::Admin => {
            general(viewer, eye)
        }
        Eye::Applicant => Some(viewer.actor.organisations())
            .filter(|ids| !ids.is_empty())
            .map(Owner::Organisations),
        Eye::Holder => viewer.actor.account.map(Owner::Person),
        Eye::Expert => {
            // Where the applicant is hidden, so is what would find them.
            let identifies = asked.iter().any(|column| identifies(kind, *column));
            let assigned = viewer.standing.assigned.keys().copied();
            Some(
                assigned
                    .filter(|id| !identifies || !viewer.standing.is_blind(*id))
                    .collect::<BTreeSet<Uuid>>(),
            )
            .filter(|ids| !ids.is_empty())
            // A project is assigned by itself, not with its application.
            .map(if kind == Kind::Project {
                Owner::These
            } else {
                Owner::Assigned
            })
        }
        Eye::Peer => Some(&viewer.standing.peers)
            .filter(|ids| !ids.is_empty())
            .cloned()
            .map(Owner::These),
    }
}

/// Eyes that depend on the journal alone. Asked of the viewer for each journal that a grant names,
/// and for one that none names.
fn general(viewer: &Viewer, eye: Eye) -> Option<Owner> {
    if viewer.general_eyes(Uuid::max()).contains(&eye) {
        return Some(Owner::Anybody);
    }
    let journals: BTreeSet<Uuid> = journals(viewer)
        .chain([REGISTRY])
        .filter(|journal| viewer.general_eyes(*journal).contains(&eye))
        .collect();
    (!journals.is_empty()).then_some(Owner::Journals(journals))
}

/// The cycles that a grant or a limit names.
fn journals(viewer: &Viewer) -> impl Iterator<Item = Uuid> {
    let grants = viewer.actor.grants.iter();
    let limit = viewer.actor.limited_to.iter().flatten().copied();
    let granted = grants.filter_map(|grant| match grant.scope {
        Scope::Cycle(id) => Some(id),
        Scope::Everywhere | Scope::Organisation(_) => None,
    });
    granted.chain(limit)
}

/// Adds ` AND (…)` for the conditions, of which there is at least one.
pub(crate) fn push(sql: &mut Statement, conditions: &[Condition]) {
    if let [
        Condition {
            owner: Owner::Anybody,
            stages: [],
            barred: None,
            within: None,
        },
    ] = conditions
    {
        return;
    }
    sql.push(" AND (");
    for (place, condition) in conditions.iter().enumerate() {
        if place > 0 {
            sql.push(" OR ");
        }
        push_one(sql, condition);
    }
    sql.push(")");
}

fn push_one(sql: &mut Statement, condition: &Condition) {
    let Condition {
        owner,
        stages,
        barred,
        within,
    } = condition;
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
        Owner::These(ids) => sql.push("id IN ").list(ids.iter().copied()),
    };
    sql.push(")");
    if !stages.is_empty() {
        sql.push(" AND stage IN ").list(stages.iter().copied());
    }
    if let Some(journals) = within {
        sql.push(" AND journal IN ").list(journals.iter().copied());
    }
    let Some(Barred {
        organisations,
        records,
        but,
    }) = barred
    else {
        return;
    };
    sql.push(" AND (");
    if !but.is_empty() {
        sql.push("journal IN ")
            .list(but.iter().copied())
            .push(" OR ");
    }
    sql.push("NOT (FALSE");
    if !organisations.is_empty() {
        sql.push(" OR (organisation IS NOT NULL AND organisation IN ")
            .list(organisations.iter().copied())
            .push(")");
    }
    if !records.is_empty() {
        sql.push(" OR id IN ").list(records.iter().copied());
        sql.push(" OR (parent IS NOT NULL AND parent IN ")
            .list(records.iter().copied())
            .push(")");
    }
    sql.push("))");
}
