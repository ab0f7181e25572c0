//! Who of a panel must not judge what, with what shows it: for staff, before and after sheets are given out.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::assignment::{interests_in, owner_of, sheet_of};
use super::{Pair, Panel, plan, sheets};
use crate::aggregate::Record;
use crate::cycle::Cycle;
use crate::expert::{self, Expert};
use crate::interest::Interest;
use crate::kinds::Kind;
use crate::names::Names as _;
use crate::sheet;
use crate::world::{Need, World};

/// An expert of a panel who must not judge something in its round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The expert's account.
    pub expert: Uuid,
    /// Their name.
    pub name: String,
    /// The application or project.
    pub subject: Uuid,
    /// Whose it is.
    pub organisation: Option<Uuid>,
    /// The sheet that was given out all the same, before the interest came to light.
    pub sheet: Option<Uuid>,
    /// Where that sheet stands.
    pub sheet_stage: Option<&'static str>,
    /// Whether it counts, or would when it is handed in, until it is voided.
    pub counts: bool,
    /// Why they must not.
    pub interests: Vec<Interest>,
}

/// What [`found`] looks at, as far as is known by now; asked again after each load.
pub fn needs(panel: &Record<Panel>, world: &World) -> Vec<Need> {
    let mut needs = plan::needs(panel, world);
    needs.push(Need::One(Kind::Cycle, panel.journal));
    let cycle = world.get::<Cycle>(panel.journal);
    let policy = cycle.and_then(|cycle| cycle.data.policy);
    needs.extend(policy.map(|id| Need::One(Kind::Policy, id)));
    needs
}

/// Every interest of the panel's experts in what is in the round or was given to them, by expert.
pub fn found(panel: &Record<Panel>, world: &World) -> Vec<Found> {
    let mut subjects = plan::subjects(panel, world);
    subjects.extend(panel.data.subjects.iter().copied());
    subjects.sort_unstable();
    subjects.dedup();
    let given: BTreeMap<Uuid, &Record<sheet::Sheet>> = sheets(panel, world)
        .map(|sheet| (sheet.id, sheet))
        .collect();
    let mut found = Vec::new();
    for account in &panel.data.experts {
        let Some(expert) = world.get::<Expert>(expert::id_of(*account)) else {
            continue;
        };
        for subject in &subjects {
            let interests = interests_in(expert, *subject, panel.journal, world);
            if interests.is_empty() {
                continue;
            }
            let pair = Pair {
                expert: *account,
                subject: *subject,
            };
            let sheet = given.get(&sheet_of(panel.id, pair));
            found.push(Found {
                expert: *account,
                name: expert.data.profile.name.clone(),
                subject: *subject,
                organisation: owner_of(*subject, world),
                sheet: sheet.map(|sheet| sheet.id),
                sheet_stage: sheet.map(|sheet| sheet.stage.name()),
                counts: sheet.is_some_and(|sheet| {
                    use sheet::Stage::{Draft, Pending, Submitted};
                    matches!(sheet.stage, Pending | Draft | Submitted)
                }),
                interests,
            });
        }
    }
    found
}
