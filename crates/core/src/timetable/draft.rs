//! The draft of a timetable: who is to be heard, whether its rooms and times will do, and moves by hand.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Event, Frame, MOST, Pitch, Shortage, Sitting, Timetable, arrange, clashes, end_of};
use crate::aggregate::{Decided, Record};
use crate::application::{self, Application};
use crate::context::Context;
use crate::pitch_session::{self, PitchSession};
use crate::rejection::{Fault, Rejection};

/// A draft for everybody who is to be heard, or why the rooms and times will not do.
pub(super) fn drawn_up(
    record: &Record<Timetable>,
    frame: Frame,
    cx: &Context<'_>,
) -> Result<Decided<Timetable>, Rejection> {
    Rejection::unless_empty(frame_faults(&frame))?;
    let format = &cx.require_policy()?.roadshow;
    let sittings = arrange(&frame, format, &pitches(record, cx)).map_err(too_little)?;
    Ok(Decided::only(drafted(record, frame, sittings, cx)))
}

pub(super) const fn is_pitched(stage: application::Stage) -> bool {
    use application::Stage::{RoadshowReady, Shortlisted};
    matches!(stage, Shortlisted | RoadshowReady)
}

/// The sessions that this timetable does not move: planned by hand, or being heard.
fn others<'a>(record: &Record<Timetable>, cx: &Context<'a>) -> Vec<&'a Record<PitchSession>> {
    let own: BTreeSet<Uuid> = record
        .data
        .published
        .iter()
        .map(|one| one.session)
        .collect();
    cx.world
        .all::<PitchSession>()
        .filter(|session| clashes::is_ahead(session.stage))
        .filter(|session| {
            session.stage == pitch_session::Stage::Running || !own.contains(&session.id)
        })
        .collect()
}

/// Who is to pitch and is not heard in a session that this timetable does not move.
fn pitches(record: &Record<Timetable>, cx: &Context<'_>) -> BTreeSet<Pitch> {
    let others = others(record, cx);
    cx.world
        .all::<Application>()
        .filter(|one| is_pitched(one.stage))
        .filter(|one| {
            !others
                .iter()
                .any(|session| session.data.applications.contains(&one.id))
        })
        .filter_map(|one| {
            Some(Pitch {
                number: one.data.number.clone()?,
                application: one.id,
                domain: one.data.form.domain.clone(),
            })
        })
        .collect()
}

fn drafted(
    record: &Record<Timetable>,
    frame: Frame,
    sittings: Vec<Sitting>,
    cx: &Context<'_>,
) -> Event {
    let clashes = clashes::clashes(&sittings, &others(record, cx), cx);
    Event::Drafted {
        frame,
        sittings,
        clashes,
    }
}

fn frame_faults(frame: &Frame) -> Vec<Fault> {
    let mut faults = Vec::new();
    if frame.rooms.is_empty() {
        faults.push(Fault::new(
            "/frame/rooms",
            "empty",
            "Name at least one room.",
            "请至少填写一个场地。",
        ));
    }
    if frame.windows.is_empty() {
        faults.push(Fault::new(
            "/frame/windows",
            "empty",
            "Give at least one time.",
            "请至少填写一个时段。",
        ));
    }
    if frame.rooms.len() > MOST || frame.windows.len() > MOST {
        faults.push(Fault::new(
            "/frame",
            "too_many",
            format!("At most {MOST} of each."),
            format!("场地和时段各不超过 {MOST} 个。"),
        ));
    }
    for (index, room) in frame.rooms.iter().enumerate() {
        let at = format!("/frame/rooms/{index}");
        faults.extend(Fault::of_text(&at, room, 200));
        if frame.rooms.iter().take(index).any(|other| other == room) {
            faults.push(Fault::new(
                at,
                "twice",
                "This room is named twice.",
                "场地重复。",
            ));
        }
    }
    for (index, window) in frame.windows.iter().enumerate() {
        if window.until <= window.from {
            let at = format!("/frame/windows/{index}/until");
            faults.push(Fault::new(
                at,
                "before",
                "It ends before it begins.",
                "结束时间早于开始时间。",
            ));
        }
    }
    faults
}

fn too_little(Shortage { capacity, pitches }: Shortage) -> Rejection {
    Rejection::fault(
        "/frame/windows",
        "too_little_time",
        format!(
            "There are {pitches} to be heard and time for {capacity}: add rooms or times, or shorten the pitches in the policy."
        ),
        format!(
            "共有 {pitches} 个项目,现有场地和时段只能安排 {capacity} 个:请增加场地或时段,或在规则中缩短路演时间。"
        ),
    )
}

/// The draft, or what is public where there is none, with one application in another sitting.
pub(super) fn shifted(
    record: &Record<Timetable>,
    application: Uuid,
    to: &str,
    cx: &Context<'_>,
) -> Result<Decided<Timetable>, Rejection> {
    let format = &cx.require_policy()?.roadshow;
    let mut sittings = record.data.draft.clone();
    let open = pitches(record, cx);
    let pitch = open.iter().find(|pitch| pitch.application == application);
    let from = sittings
        .iter()
        .position(|one| one.applications().any(|id| id == application));
    let target = sittings.iter().position(|one| one.name == to);
    let mut faults = Vec::new();
    if pitch.is_none() {
        faults.push(Fault::new(
            "/application",
            "not_to_be_heard",
            "This application is not shortlisted, or is heard in a session that this timetable does not move.",
            "该申报未入围,或已在本日程以外的场次中。",
        ));
    }
    if target.is_none() {
        faults.push(Fault::new(
            "/to",
            "no_such_sitting",
            "The draft has no sitting of this name.",
            "草案中没有该场次。",
        ));
    }
    let (Some(pitch), Some(target)) = (pitch, target) else {
        return Err(Rejection::Invalid { faults });
    };
    if let Some(sitting) = from.and_then(|index| sittings.get_mut(index)) {
        sitting.pitches.remove(&pitch.number);
    }
    if let Some(sitting) = sittings.get_mut(target) {
        sitting.pitches.insert(pitch.number.clone(), application);
    }
    for sitting in &mut sittings {
        sitting.ends_at = end_of(format, sitting.starts_at, sitting.pitches.len());
        sitting.domains = sitting
            .applications()
            .filter_map(|id| cx.world.get::<Application>(id))
            .map(|one| one.data.form.domain.clone())
            .collect();
    }
    sittings.retain(|sitting| !sitting.pitches.is_empty());
    let over = sittings.iter().any(|sitting| {
        let window = record.data.frame.windows.iter();
        let mut window = window.filter(|one| one.from == sitting.starts_at);
        window.any(|one| one.until < sitting.ends_at)
    });
    if over {
        return Err(Rejection::fault(
            "/to",
            "full",
            "This sitting has no time left for another pitch.",
            "该场次时间已满。",
        ));
    }
    Ok(Decided::only(drafted(
        record,
        record.data.frame.clone(),
        sittings,
        cx,
    )))
}
