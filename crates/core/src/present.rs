//! How a record is answered to one viewer: what they see, and what they may do now.

use serde_json::{Map, Value};

use crate::calendar::WorkingDayCalendar;
use crate::context::Context;
use crate::kinds::State;
use crate::time::Timestamp;
use crate::visibility::{Viewer, entity_tag};
use crate::world::World;

/// A record as one viewer gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Presented {
    /// The fields the viewer sees, with `id`, `kind` and `stage`.
    pub view: Map<String, Value>,
    /// Changes exactly when `view` does.
    pub entity_tag: String,
    /// The moves this viewer may ask for, each with the gates that keep it shut.
    pub moves: Vec<crate::kinds::MoveNow>,
}

/// The record as `viewer` gets it; none where it does not exist for them. The world holds what
/// [`State::moves_need`] asked for.
pub fn present(
    viewer: &Viewer,
    state: &State,
    world: &World,
    now: Timestamp,
    calendar: &WorkingDayCalendar,
) -> Option<Presented> {
    let view = viewer.view(state)?;
    let roles = state.roles_of(&viewer.actor);
    let cx = Context {
        now,
        actor: &viewer.actor,
        initiator: &viewer.actor,
        roles: &roles,
        journal: state.journal(),
        world,
        calendar,
    };
    let moves = state.moves_for(&cx);
    Some(Presented {
        entity_tag: entity_tag(&view),
        view,
        moves,
    })
}
