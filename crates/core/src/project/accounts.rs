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

/// What has been paid on a project, in fen; the world holds its tranches.
pub fn paid(project: Uuid, world: &World) -> Money {
    let payments = world
        .parts_of::<Tranche>(project)
        .filter(|tranche| tranche.stage == tranche::Stage::Paid)
        .map(|tranche| tranche.data.amount);
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
