//! The money of each award as the journal has it, next to what the engine counted.

use std::collections::BTreeMap;

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::project::balance;
use fundcycle_core::world::World;
use uuid::Uuid;

use super::{Difference, Place};
use crate::db::Engine;
use crate::error::StoreError;

/// Compares `award_balance` of a journal with the balances of its folded `states`, both ways.
pub(super) async fn compare(
    engine: &mut Engine<'_>,
    journal: Uuid,
    states: &BTreeMap<(Kind, Uuid), State>,
) -> Result<Vec<Difference>, StoreError> {
    let mut world = World::default();
    for state in states.values() {
        if matches!(state, State::Project(_) | State::Tranche(_)) {
            world.put(state.clone());
        }
    }
    let rows = fetch_all!(
        engine,
        (Uuid, i64, i64, i64, i64, i64, i64),
        "SELECT project, award, paid, withheld, cancelled, remaining, refunded FROM award_balance WHERE journal = $1",
        journal
    )?;
    let mut counted: BTreeMap<Uuid, [i64; 6]> = rows
        .into_iter()
        .map(
            |(id, award, paid, withheld, cancelled, remaining, refunded)| {
                (id, [award, paid, withheld, cancelled, remaining, refunded])
            },
        )
        .collect();
    let found = |id, what: String| Difference {
        journal,
        place: Place::Record(id),
        what,
    };
    let mut differences = Vec::new();
    for state in states.values() {
        let State::Project(project) = state else {
            continue;
        };
        let folded = balance(project, &world).map(|balance| {
            [
                balance.award,
                balance.paid,
                balance.withheld,
                balance.cancelled,
                balance.remaining,
                balance.refunded,
            ]
            .map(fundcycle_core::money::Money::fen)
        });
        let counted = counted.remove(&project.id);
        if folded.is_none() || folded != counted {
            let what = "award, paid, withheld, cancelled, remaining, refunded";
            differences.push(found(
                project.id,
                format!("the balance says {counted:?}, the journal {folded:?} ({what}, in fen)"),
            ));
        }
    }
    differences.extend(counted.into_keys().map(|id| {
        found(
            id,
            "there is a balance for it, the journal does not have it".to_owned(),
        )
    }));
    Ok(differences)
}
