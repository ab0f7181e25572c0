//! From a draft to sessions: what is planned, revised and cancelled, and who moves from where to where.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Change, Event, Place, Planned, Sitting, Timetable};
use crate::aggregate::{Decided, Record, Stored as _, Then, derived_id};
use crate::context::Context;
use crate::pitch_session::{self, PitchSession, Stage};
use crate::rejection::{Fault, Rejection};

pub(super) fn published(
    record: &Record<Timetable>,
    cx: &Context<'_>,
) -> Result<Decided<Timetable>, Rejection> {
    let data = &record.data;
    let version = data.version + 1;
    let reason = format!("路演日程第{version}版 (timetable, version {version})");
    let (mut first, mut second, mut planned, mut faults) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut kept = BTreeSet::new();
    for sitting in &data.draft {
        let before = data
            .published
            .iter()
            .find(|one| is_same_place(&one.sitting, sitting));
        let before = before.and_then(|one| cx.world.get::<PitchSession>(one.session));
        let wanted: BTreeSet<Uuid> = sitting.applications().collect();
        let standing = before.filter(|session| session.stage != Stage::Cancelled);
        let both = standing.map(|session| &session.data.applications & &wanted);
        let session = match (standing, both) {
            (Some(session), _) if is_as_wanted(session, sitting, &wanted) => session.id,
            (Some(session), Some(both)) if session.stage == Stage::Planned && !both.is_empty() => {
                // Who leaves goes first, so that nobody is ever in two sessions.
                if both != session.data.applications {
                    first.push(revise(session.id, sitting, both, cx));
                }
                second.push(revise(session.id, sitting, wanted, cx));
                session.id
            }
            (Some(session), _) if session.stage != Stage::Planned => {
                faults.push(fixed(session));
                continue;
            }
            _ => {
                let place = format!("{version}:{}@{}", sitting.room, sitting.starts_at.0);
                let id = derived_id(record.id, &place);
                let command = pitch_session::Command::Plan {
                    name: sitting.name.clone(),
                    room: sitting.room.clone(),
                    starts_at: sitting.starts_at,
                    applications: wanted,
                };
                second.push(PitchSession::then(id, cx.journal, command));
                id
            }
        };
        kept.insert(session);
        planned.push(Planned {
            session,
            sitting: sitting.clone(),
        });
    }
    for one in data
        .published
        .iter()
        .filter(|one| !kept.contains(&one.session))
    {
        let Some(session) = cx.world.get::<PitchSession>(one.session) else {
            continue;
        };
        match session.stage {
            // What was heard, or is being heard, stays on the timetable.
            Stage::Held | Stage::Running => planned.push(one.clone()),
            Stage::Cancelled => {}
            Stage::Planned => {
                let command = pitch_session::Command::Cancel {
                    reason: reason.clone(),
                };
                first.push(PitchSession::then(session.id, cx.journal, command));
            }
            Stage::Committed | Stage::Drawn | Stage::Published => faults.push(fixed(session)),
        }
    }
    Rejection::unless_empty(faults)?;
    planned.sort_by(|one, other| {
        let key = |planned: &Planned| (planned.sitting.starts_at, planned.sitting.room.clone());
        key(one).cmp(&key(other))
    });
    let changes = changes(&data.published, &planned);
    Ok(Decided::only(Event::Published { planned, changes })
        .then(first)
        .then(second))
}

fn is_same_place(one: &Sitting, other: &Sitting) -> bool {
    (&one.room, one.starts_at) == (&other.room, other.starts_at)
}

fn is_as_wanted(
    session: &Record<PitchSession>,
    sitting: &Sitting,
    wanted: &BTreeSet<Uuid>,
) -> bool {
    session.data.applications == *wanted
        && (session.data.name == sitting.name || session.stage != Stage::Planned)
}

fn revise(id: Uuid, sitting: &Sitting, applications: BTreeSet<Uuid>, cx: &Context<'_>) -> Then {
    let command = pitch_session::Command::Revise {
        name: sitting.name.clone(),
        room: sitting.room.clone(),
        starts_at: sitting.starts_at,
        applications,
    };
    PitchSession::then(id, cx.journal, command)
}

fn fixed(session: &Record<PitchSession>) -> Fault {
    let name = &session.data.name;
    Fault::new(
        "",
        "list_fixed",
        format!(
            "The list of session {name} is fixed for its draw: cancel that session first, then publish."
        ),
        format!("场次“{name}”的名单已固定,请先取消该场次再发布。"),
    )
}

/// Who is heard elsewhere or at another time than was published before, by number.
fn changes(before: &[Planned], after: &[Planned]) -> Vec<Change> {
    let (before, after) = (places(before), places(after));
    let numbers: BTreeSet<&String> = before.keys().chain(after.keys()).copied().collect();
    numbers
        .into_iter()
        .filter(|number| before.get(*number) != after.get(*number))
        .map(|number| Change {
            number: number.clone(),
            from: before.get(number).cloned(),
            to: after.get(number).cloned(),
        })
        .collect()
}

fn places(planned: &[Planned]) -> BTreeMap<&String, Place> {
    let sittings = planned.iter().map(|one| &one.sitting);
    sittings
        .flat_map(|sitting| {
            sitting.pitches.keys().map(|number| {
                let place = Place {
                    sitting: sitting.name.clone(),
                    room: sitting.room.clone(),
                    starts_at: sitting.starts_at,
                };
                (number, place)
            })
        })
        .collect()
}
