//! Panels fixed by room: what is pitched in a room is scored by the experts who sit there.

use std::collections::BTreeMap;

use fundcycle_scoring as scoring;
use uuid::Uuid;

use super::{Panel, Room};
use crate::aggregate::Record;
use crate::context::Context;
use crate::pitch_session::{self, PitchSession};
use crate::policy::Round;
use crate::rejection::Fault;

/// The rooms with what is in each: as asked, or at the roadshow by the sessions.
pub(super) fn filled(
    mut rooms: BTreeMap<String, Room>,
    subjects: &[Uuid],
    record: &Record<Panel>,
    cx: &Context<'_>,
) -> BTreeMap<String, Room> {
    let at_roadshow = record.data.round == Some(Round::Roadshow);
    for (name, room) in &mut rooms {
        if !room.subjects.is_empty() || !at_roadshow {
            continue;
        }
        let sessions = cx.world.all::<PitchSession>().filter(|session| {
            session.data.room == *name && session.stage != pitch_session::Stage::Cancelled
        });
        let pitched = sessions.flat_map(|session| session.data.applications.iter().copied());
        room.subjects = pitched.filter(|id| subjects.contains(id)).collect();
    }
    rooms
}

/// Everything that cannot be: who does not sit on the panel, what is not in the round, and who or
/// what is in two rooms.
pub(super) fn faults(
    rooms: &BTreeMap<String, Room>,
    subjects: &[Uuid],
    record: &Record<Panel>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut experts_in, mut subjects_in) = (BTreeMap::new(), BTreeMap::new());
    for (name, room) in rooms {
        let at = format!("/rooms/{}", name.replace('~', "~0").replace('/', "~1"));
        if room.experts.is_empty() || room.subjects.is_empty() {
            faults.push(Fault::new(
                &at,
                "empty_room",
                "The room has no experts, or nothing that is scored there.",
                "该室没有专家,或没有待评项目。",
            ));
        }
        for (index, expert) in room.experts.iter().enumerate() {
            let at = format!("{at}/experts/{index}");
            if !record.data.experts.contains(expert) {
                faults.push(Fault::new(
                    &at,
                    "not_seated",
                    "This expert does not sit on the panel.",
                    "该专家不是评审组成员。",
                ));
            }
            faults.extend(
                experts_in
                    .insert(expert, name)
                    .map(|other| twice(&at, other)),
            );
        }
        for (index, subject) in room.subjects.iter().enumerate() {
            let at = format!("{at}/subjects/{index}");
            if !subjects.contains(subject) {
                faults.push(Fault::new(
                    &at,
                    "not_in_round",
                    "It is not in the round.",
                    "该项不在本轮次中。",
                ));
            }
            faults.extend(
                subjects_in
                    .insert(subject, name)
                    .map(|other| twice(&at, other)),
            );
        }
    }
    faults
}

fn twice(at: &str, other: &str) -> Fault {
    Fault::new(
        at,
        "in_two_rooms",
        format!("This one is in room {other} already."),
        format!("已在“{other}”室。"),
    )
}

/// The same as the solver wants it.
pub(super) fn of_problem(rooms: &BTreeMap<String, Room>) -> scoring::Rooms {
    let listed = |ids: fn(&Room) -> &std::collections::BTreeSet<Uuid>| {
        let all = rooms.iter().flat_map(move |(name, room)| {
            ids(room)
                .iter()
                .map(move |id| (id.to_string(), name.clone()))
        });
        all.collect()
    };
    scoring::Rooms {
        applications: listed(|room| &room.subjects),
        experts: listed(|room| &room.experts),
    }
}
