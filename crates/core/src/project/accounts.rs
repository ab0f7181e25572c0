//! What a project was paid, and what of it is owed back: always computed from its tranches, so that
//! there is one truth (`reliability.md` I36, I39).

use super::{Event, Ground, Project};
use crate::aggregate::Record;
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::rejection::{Fault, Rejection};
use crate::tranche::{self, Tranche};
use crate::world::{Need, World};
use uuid::Uuid;

pub(super) fn tranches_need(project: &Record<Project>) -> Vec<Need> {
    vec![Need::PartsOf(Kind::Tranche, project.id)]
}

/// Where every fen of an award is; the stored balance of a project (`award_balance`) is this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The award, in fen: the sum of the four that follow.
    pub award: Money,
    /// What was paid, in fen.
    pub paid: Money,
    /// What is held back, in fen.
    pub withheld: Money,
    /// What is not paid any more, in fen.
    pub cancelled: Money,
    /// What is still to come, in fen.
    pub remaining: Money,
    /// What of the paid came back, in fen.
    pub refunded: Money,
}

/// Where every fen of the award of `project` is; the world holds its tranches. None where that does
/// not add up, which no flow leads to.
pub fn balance(project: &Record<Project>, world: &World) -> Option<Balance> {
    let mut balance = Balance {
        award: project.data.amount,
        refunded: project.data.refunded,
        ..Balance::default()
    };
    for tranche in world.parts_of::<Tranche>(project.id) {
        balance.paid = balance.paid.checked_add(tranche.data.paid)?;
        balance.cancelled = balance.cancelled.checked_add(tranche.data.cancelled)?;
        if tranche.stage == tranche::Stage::Withheld {
            balance.withheld = balance.withheld.checked_add(tranche.data.left())?;
        }
    }
    let used = Money::checked_sum([balance.paid, balance.withheld, balance.cancelled])?;
    balance.remaining = balance.award.checked_sub(used)?;
    (balance.remaining >= Money::ZERO).then_some(balance)
}

/// What has been paid on a project, in fen; the world holds its tranches.
pub fn paid(project: Uuid, world: &World) -> Money {
    let payments = world
        .parts_of::<Tranche>(project)
        .map(|tranche| tranche.data.paid);
    // A sum beyond all measure is beyond every award too, and so is never paid further.
    Money::checked_sum(payments).unwrap_or(Money::from_fen(i64::MAX))
}

/// What is neither accepted as spent nor refunded, in fen; never negative. After fraud no spending
/// is accepted (`domain.md` §2.15).
pub fn outstanding(project: &Record<Project>, world: &World) -> Money {
    let data = &project.data;
    let fraud = data
        .termination
        .as_ref()
        .is_some_and(|end| end.ground == Ground::Fraud);
    let accepted = match data.accepted_spend {
        Some(amount) if !fraud => amount,
        _ => Money::ZERO,
    };
    paid(project.id, world)
        .checked_sub(accepted)
        .and_then(|rest| rest.checked_sub(data.refunded))
        .map_or(Money::ZERO, |rest| rest.max(Money::ZERO))
}

pub(super) fn spend_accepted(
    record: &Record<Project>,
    amount: Money,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let most = paid(record.id, cx.world)
        .checked_sub(record.data.refunded)
        .unwrap_or_default();
    if amount.is_negative() || amount > most {
        return Err(Rejection::fault(
            "/amount",
            "range",
            format!("Between 0 and {most} yuan can be accepted: what was paid and not refunded."),
            format!("核定金额须在 0 至 {most} 元之间(已拨付且未退回的金额)。"),
        ));
    }
    Ok(Event::SpendAccepted { amount })
}

pub(super) fn refunded(
    record: &Record<Project>,
    amount: Money,
    voucher: String,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/voucher", &voucher, 100));
    let most = outstanding(record, cx.world);
    if amount <= Money::ZERO || amount > most {
        faults.push(Fault::new(
            "/amount",
            "range",
            format!("A refund is above 0 and at most the {most} yuan that are owed."),
            format!("退款须大于 0 且不超过应退的 {most} 元。"),
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Refunded { amount, voucher })
}
