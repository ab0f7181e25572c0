//! Who applies in a cycle: they judge nobody in it (invariant I19).

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::account::Account;
use crate::application::{self, Application};
use crate::cycle::Cycle;
use crate::kinds::Kind;
use crate::world::{Need, World};

/// What tells for whom a person applies, as far as is known by now: their account, and the applications of
/// whom they belong or belonged to.
pub fn needs(account: Uuid, world: &World) -> Vec<Need> {
    let mut needs = vec![Need::One(Kind::Account, account)];
    if let Some(account) = world.get::<Account>(account) {
        for organisation in belonged_to(&account.data) {
            needs.push(Need::OfOrganisation(Kind::Application, organisation));
            needs.push(Need::One(Kind::Organisation, organisation));
        }
    }
    needs
}

/// The organisations in the cycle of `journal` for which a person applies: they are a member now, or were
/// when applications could be handed in already. An application that nobody but its members has seen, or
/// that was taken back, is none. The world holds what [`needs`] asked for, and the cycle.
pub fn applies_for(account: &Account, journal: Uuid, world: &World) -> BTreeSet<Uuid> {
    let opened = world
        .get::<Cycle>(journal)
        .and_then(|cycle| cycle.data.opens_at);
    let left_before = |id: &Uuid| {
        let membership = account.memberships.get(id);
        let left = membership.and_then(|membership| membership.until);
        left.is_some_and(|left| opened.is_none_or(|opened| left < opened))
    };
    let members = account.organisations();
    let belonged = belonged_to(account).into_iter();
    belonged
        .filter(|id| members.contains(id) || !left_before(id))
        .filter(|id| is_applicant(*id, journal, world))
        .collect()
}

fn belonged_to(account: &Account) -> BTreeSet<Uuid> {
    let former = account.memberships.keys().copied();
    account.organisations().into_iter().chain(former).collect()
}

/// Whether an organisation has handed in an application in the cycle of `journal`, and not taken it back.
fn is_applicant(organisation: Uuid, journal: Uuid, world: &World) -> bool {
    use application::Stage::{Discarded, Draft, Withdrawn};
    world.all::<Application>().any(|one| {
        one.journal == journal
            && one.data.organisation == Some(organisation)
            && !matches!(one.stage, Draft | Discarded | Withdrawn)
    })
}
