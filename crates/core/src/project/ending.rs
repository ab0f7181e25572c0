//! How a project is stopped for good: the organisation is heard, what is owed is demanded, and it may not
//! apply again for a time (`domain.md` §2.15).

use jiff::civil::Date;

use super::{Demand, Event, Ground, Hearing, Project, Termination, accounts, outstanding};
use crate::aggregate::{Decided, REGISTRY, Record, Stored as _, Then};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::organisation::{self, Organisation};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::tranche::{self, Tranche};
use crate::world::Need;

pub(super) fn needs(record: &Record<Project>) -> Vec<Need> {
    let organisation = record.data.organisation;
    accounts::tranches_need(record)
        .into_iter()
        .chain(organisation.map(|id| Need::One(Kind::Organisation, id)))
        .collect()
}

pub(super) fn announced(
    ground: Ground,
    reason: String,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    Rejection::unless_reasoned(&reason)?;
    let days = cx.require_policy()?.termination.hearing_working_days;
    Ok(Event::HearingOpened {
        hearing: Hearing {
            ground,
            reason,
            until: cx.due_in(days, FirstDay::NotCounted)?,
            statement: None,
        },
    })
}

pub(super) fn terminated(
    record: &Record<Project>,
    termination: Termination,
    cx: &Context<'_>,
) -> Result<Decided<Project>, Rejection> {
    Rejection::unless_reasoned(&termination.reason)?;
    // A consequence of the award's end is not announced again here.
    if !cx.actor.system && !heard(record, termination.ground, cx)? {
        return Err(Rejection::fault(
            "/ground",
            "not_heard",
            "The organisation has to be told of this ground first, and to answer or let the time for it pass.",
            "须先向承接单位告知该终止事由,并待其陈述申辩或期限届满。",
        ));
    }
    let cancels: Vec<Then> = cx
        .world
        .parts_of::<Tranche>(record.id)
        .filter(|tranche| tranche::OPEN.contains(&tranche.stage))
        .map(|tranche| {
            let reason = termination.reason.clone();
            Tranche::then(tranche.id, cx.journal, tranche::Command::Cancel { reason })
        })
        .collect();
    let ban = ban(record, &termination, cx)?;
    Ok(Decided::only(Event::Terminated { termination })
        .then(cancels)
        .then(ban))
}

/// Whether the organisation was heard on `ground`, or need not be.
fn heard(record: &Record<Project>, ground: Ground, cx: &Context<'_>) -> Result<bool, Rejection> {
    let asked = cx.require_policy()?.termination.hearing_working_days > 0;
    let hearing = record.data.hearing.as_ref();
    let done = hearing.is_some_and(|hearing| {
        hearing.ground == ground && (hearing.statement.is_some() || cx.now > hearing.until)
    });
    Ok(!asked || done || ground == Ground::OwnRequest)
}

/// The entry in the register of bans that every later application is checked against; none where a
/// ban that runs already lasts as long.
fn ban(
    record: &Record<Project>,
    termination: &Termination,
    cx: &Context<'_>,
) -> Result<Option<Then>, Rejection> {
    let rules = &cx.require_policy()?.termination;
    let Some(days) = rules
        .ban_days
        .get(&termination.ground)
        .filter(|days| **days > 0)
    else {
        return Ok(None);
    };
    let last = cx
        .today()
        .checked_add(jiff::Span::new().days(i64::from(*days)))
        .unwrap_or(Date::MAX);
    let until = Timestamp::end_of_day(last, &cx.zone());
    let organisation = record
        .data
        .organisation
        .and_then(|id| cx.world.get::<Organisation>(id))
        .filter(|one| one.data.banned_until.is_none_or(|before| before < until));
    Ok(organisation.map(|one| {
        let reason = termination.reason.clone();
        Organisation::then(
            one.id,
            REGISTRY,
            organisation::Command::Ban { until, reason },
        )
    }))
}

pub(super) fn demanded(
    record: &Record<Project>,
    due_on: Option<Date>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let due_on = if let Some(day) = due_on {
        day
    } else {
        let days = cx.require_policy()?.termination.demand_working_days;
        cx.due_in(days, FirstDay::NotCounted)?.date_in(&cx.zone())
    };
    if due_on <= cx.today() {
        return Err(Rejection::fault(
            "/due_on",
            "not_later",
            "The day to pay back lies after today.",
            "退款期限须晚于今天。",
        ));
    }
    Ok(Event::Demanded {
        demand: Demand {
            amount: outstanding(record, cx.world),
            due_on,
        },
    })
}
