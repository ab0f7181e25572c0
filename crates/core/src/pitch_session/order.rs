//! Who pitches in a session and in which order: the list, its commitment, the draw and the turns.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{draw, list_hash};
use uuid::Uuid;

use super::{Draw, Event, PitchSession, Stage};
use crate::aggregate::{Decided, Record, Stored as _, derived_id};
use crate::application::{self, Application};
use crate::context::Context;
use crate::rejection::{Fault, Rejection};
use crate::seed;
use crate::slot::{self, Slot};
use crate::time::Timestamp;

/// The numbers of `applications` with their identities, or why they cannot all be heard here.
pub(super) fn line_up(
    session: Uuid,
    applications: &BTreeSet<Uuid>,
    cx: &Context<'_>,
) -> Result<BTreeMap<String, Uuid>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut numbers = BTreeMap::new();
    if applications.is_empty() {
        faults.push(Fault::new(
            "/applications",
            "empty",
            "Name at least one application.",
            "请至少选择一份申报。",
        ));
    }
    for (index, id) in applications.iter().enumerate() {
        let at = format!("/applications/{index}");
        let application = cx.world.get::<Application>(*id).filter(|application| {
            use application::Stage::{RoadshowReady, Shortlisted};
            matches!(application.stage, Shortlisted | RoadshowReady)
        });
        let Some(number) = application.and_then(|one| one.data.number.clone()) else {
            faults.push(Fault::new(
                at,
                "not_shortlisted",
                format!("{id} is not shortlisted: only shortlisted applications pitch."),
                format!("{id} 不在入围名单中,不能参加路演。"),
            ));
            continue;
        };
        let elsewhere = cx.world.all::<PitchSession>().find(|other| {
            other.id != session
                && !matches!(other.stage, Stage::Held | Stage::Cancelled)
                && other.data.applications.contains(id)
        });
        if let Some(other) = elsewhere {
            faults.push(Fault::new(
                at,
                "in_another_session",
                format!("{number} is in session {} already.", other.data.name),
                format!("{number} 已安排在场次“{}”。", other.data.name),
            ));
        }
        numbers.insert(number, *id);
    }
    if faults.is_empty() {
        Ok(numbers)
    } else {
        Err(faults)
    }
}

pub(super) fn committed(
    record: &Record<PitchSession>,
    commitment: String,
    cx: &Context<'_>,
) -> Result<Decided<PitchSession>, Rejection> {
    let mut faults = Vec::from_iter(seed::commitment_fault(&commitment));
    let numbers = line_up(record.id, &record.data.applications, cx).unwrap_or_else(|more| {
        faults.extend(more);
        BTreeMap::new()
    });
    let list: Vec<String> = numbers.into_keys().collect();
    let list_hash = list_hash(&list).unwrap_or_else(|error| {
        faults.push(undrawable(&error.to_string()));
        String::new()
    });
    Rejection::unless_empty(faults)?;
    Ok(Decided::only(Event::Committed {
        list,
        list_hash,
        commitment,
    }))
}

fn undrawable(error: &str) -> Fault {
    Fault::new(
        "/applications",
        "not_drawable",
        error,
        format!("名单无法抽签:{error}"),
    )
}

pub(super) fn drawn(
    record: &Record<PitchSession>,
    seed: &str,
    cx: &Context<'_>,
) -> Result<Decided<PitchSession>, Rejection> {
    let format = &cx.require_policy()?.roadshow;
    let bytes = seed::revealed(seed, record.data.commitment.as_deref())?;
    let drawn = draw(&record.data.list, &bytes).map_err(|error| Rejection::Invalid {
        faults: vec![undrawable(&error.to_string())],
    })?;
    let by_number: BTreeMap<&str, &Record<Application>> = record
        .data
        .applications
        .iter()
        .filter_map(|id| cx.world.get::<Application>(*id))
        .filter_map(|one| Some((one.data.number.as_deref()?, one)))
        .collect();
    let minutes = |minutes: u32| i64::from(minutes) * 60_000;
    let length = minutes(format.present_minutes) + minutes(format.question_minutes);
    let pace = length + minutes(format.changeover_minutes);
    let mut starts_at = record.data.starts_at;
    let mut then = Vec::with_capacity(drawn.order.len());
    // Who withdrew since keeps the place in the order; only the row is marked (`domain.md` §2.17).
    for (position, number) in (1..).zip(&drawn.order) {
        let Some(application) = by_number.get(number.as_str()) else {
            continue;
        };
        let id = derived_id(record.id, &application.id.to_string());
        let command = slot::Command::Schedule {
            turn: slot::Turn {
                session: record.id,
                application: application.id,
                organisation: application.data.organisation,
                number: number.clone(),
                position,
                room: record.data.room.clone(),
                starts_at,
                ends_at: Timestamp(starts_at.0.saturating_add(length)),
            },
        };
        then.push(Slot::then(id, cx.journal, command));
        starts_at = Timestamp(starts_at.0.saturating_add(pace));
    }
    let draw = Draw {
        seed: seed.to_lowercase(),
        list_hash: drawn.list_hash,
        order: drawn.order,
    };
    Ok(Decided::only(Event::Drawn { draw }).then(then))
}
