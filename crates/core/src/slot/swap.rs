//! Two presenters of a published session change places: one asks, and the other agrees or staff approve
//! with a reason. The drawn order stays on record with the session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Event, Slot, Stage, Turn};
use crate::actor::Role;
use crate::aggregate::{Decided, Gate, Record, Stored as _, Then};
use crate::context::Context;
use crate::kinds::Kind;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::world::Need;

/// A swap that is asked for, as either of the two knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The number of the other application.
    pub with: String,
    /// Whether the other one asked.
    pub asked_by_other: bool,
    /// Why.
    pub reason: String,
}

/// A swap that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swapped {
    /// The number of the other application.
    pub with: String,
    /// The place in the order before.
    pub from: u32,
    /// Why it was asked for.
    pub reason: String,
    /// Why staff approved it; none where both presenters agreed.
    pub approved_because: Option<String>,
    /// When.
    pub at: Timestamp,
}

pub(super) const ASKED_BY_OTHER: Gate<Slot> = Gate::<Slot>::new(
    "asked_by_other",
    "nobody has asked to change places",
    "没有对方提出的换序申请",
    |slot, _| {
        let swap = slot.data.swap.as_ref();
        swap.is_some_and(|swap| swap.asked_by_other)
    },
);
pub(super) const ASKED: Gate<Slot> = Gate::<Slot>::new(
    "swap_asked",
    "it is not asked to change places",
    "没有待处理的换序申请",
    |slot, _| slot.data.swap.is_some(),
);
pub(super) const NOT_ASKED: Gate<Slot> = Gate::<Slot>::new(
    "no_swap_asked",
    "a change of places is asked for already",
    "已有待处理的换序申请",
    |slot, _| slot.data.swap.is_none(),
);

/// Every turn of the session: who asks names the other by its number.
pub(super) fn needs(slot: &Record<Slot>) -> Vec<Need> {
    vec![Need::PartsOf(Kind::Slot, slot.data.turn.session)]
}

/// Whether a turn can still change places.
const fn is_open(stage: Stage) -> bool {
    matches!(stage, Stage::Scheduled | Stage::Confirmed)
}

fn numbered<'a>(slot: &Record<Slot>, number: &str, cx: &Context<'a>) -> Option<&'a Record<Slot>> {
    cx.world
        .parts_of::<Slot>(slot.data.turn.session)
        .find(|other| other.id != slot.id && other.data.turn.number == number)
}

pub(super) fn asked(
    slot: &Record<Slot>,
    with: String,
    reason: String,
    cx: &Context<'_>,
) -> Result<Decided<Slot>, Rejection> {
    Rejection::unless_reasoned(&reason)?;
    let other = numbered(slot, &with, cx)
        .filter(|other| is_open(other.stage) && other.data.swap.is_none())
        .ok_or_else(|| {
            Rejection::fault(
                "/with",
                "cannot_swap",
                "No other turn of this session has this number and is free to change places.",
                "本场没有该编号的其他项目,或其暂不能换序。",
            )
        })?;
    let told = Command::HearOfSwap {
        with: slot.data.turn.number.clone(),
        reason: reason.clone(),
    };
    Ok(Decided::only(Event::SwapAsked {
        swap: Swap {
            with,
            asked_by_other: false,
            reason,
        },
    })
    .then([Slot::then(other.id, cx.journal, told)]))
}

pub(super) fn heard(with: String, reason: String) -> Decided<Slot> {
    Decided::only(Event::SwapAsked {
        swap: Swap {
            with,
            asked_by_other: true,
            reason,
        },
    })
}

/// Both take each other's place, times included.
pub(super) fn made(
    slot: &Record<Slot>,
    approved_because: Option<String>,
    cx: &Context<'_>,
) -> Result<Decided<Slot>, Rejection> {
    if let Some(reason) = &approved_because {
        Rejection::unless_reasoned(reason)?;
    }
    let (swap, other) = slot
        .data
        .swap
        .as_ref()
        .and_then(|swap| Some((swap, numbered(slot, &swap.with, cx)?)))
        .filter(|(_, other)| is_open(other.stage) && other.data.swap.is_some())
        .ok_or_else(|| {
            Rejection::fault(
                "",
                "too_late",
                "The other turn cannot change places any more.",
                "对方项目已不能换序。",
            )
        })?;
    let (own, others) = (&slot.data.turn, &other.data.turn);
    let swapped = |turn: &Turn, with: &str| Swapped {
        with: with.to_owned(),
        from: turn.position,
        reason: swap.reason.clone(),
        approved_because: approved_because.clone(),
        at: cx.now,
    };
    let follow = Command::TakePlace {
        turn: own.in_the_place_of(others).1,
        swapped: swapped(others, &own.number),
    };
    Ok(Decided::only(Event::PlaceTaken {
        turn: own.in_the_place_of(others).0,
        swapped: swapped(own, &others.number),
    })
    .then([Slot::then(other.id, cx.journal, follow)]))
}

impl Turn {
    /// Both turns after they have changed places.
    fn in_the_place_of(&self, other: &Self) -> (Self, Self) {
        let placed = |turn: &Self, place: &Self| Self {
            position: place.position,
            starts_at: place.starts_at,
            ends_at: place.ends_at,
            ..turn.clone()
        };
        (placed(self, other), placed(other, self))
    }
}

/// The request falls for both.
pub(super) fn dropped(slot: &Record<Slot>, cx: &Context<'_>) -> Decided<Slot> {
    // As a consequence it has fallen for the other already.
    let other = slot
        .data
        .swap
        .as_ref()
        .filter(|_| !cx.roles.contains(&Role::System))
        .and_then(|swap| numbered(slot, &swap.with, cx))
        .filter(|other| is_open(other.stage) && other.data.swap.is_some());
    let then: Option<Then> =
        other.map(|other| Slot::then(other.id, cx.journal, Command::DropSwap {}));
    Decided::only(Event::SwapDropped {}).then(then)
}
