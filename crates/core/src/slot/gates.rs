//! What keeps the moves of a turn shut.

use super::{Slot, Stage};
use crate::aggregate::{Gate, Record};
use crate::application::{self, Application};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::pitch_session::{self, PitchSession};
use crate::world::Need;

pub(super) const SESSION_PUBLISHED: Gate<Slot> = Gate::<Slot>::new(
    "session_published",
    "the session is not on",
    "场次未公布或已结束",
    |slot, cx| {
        use pitch_session::Stage::{Published, Running};
        session(slot, cx).is_some_and(|session| matches!(session.stage, Published | Running))
    },
)
.looking_at(session_needed);
pub(super) const SESSION_RUNNING: Gate<Slot> = Gate::<Slot>::new(
    "session_running",
    "the session is not running",
    "场次未开始或已结束",
    |slot, cx| {
        session(slot, cx).is_some_and(|session| session.stage == pitch_session::Stage::Running)
    },
)
.looking_at(session_needed);
pub(super) const FLOOR_FREE: Gate<Slot> = Gate::<Slot>::new(
    "floor_free",
    "another pitch of this session is being heard",
    "本场另有项目正在路演",
    |slot, cx| {
        !cx.world
            .parts_of::<Slot>(slot.data.turn.session)
            .any(|other| other.stage == Stage::Presenting)
    },
)
.looking_at(|slot| vec![Need::PartsOf(Kind::Slot, slot.data.turn.session)]);
pub(super) const TAKES_PART: Gate<Slot> = Gate::<Slot>::new(
    "takes_part",
    "the application has left the roadshow",
    "该申报已退出路演",
    takes_part,
)
.looking_at(application_needed);
pub(super) const LEFT: Gate<Slot> = Gate::<Slot>::new(
    "left",
    "the application still takes part",
    "该申报仍在路演名单中",
    |slot, cx| !takes_part(slot, cx),
)
.looking_at(application_needed);
pub(super) const NOT_SCORED: Gate<Slot> = Gate::<Slot>::new(
    "not_scored",
    "the pitch has been scored: reopen the panel first",
    "该路演已计分,请先重新开放评审组",
    |slot, cx| {
        cx.world
            .get::<Application>(slot.data.turn.application)
            .is_some_and(|application| application.data.roadshow.is_none())
    },
)
.looking_at(application_needed);

pub(super) const AT_ROADSHOW: Gate<Slot> = Gate::<Slot>::new(
    "at_roadshow",
    "the cycle is not at the roadshow",
    "届次不在路演阶段",
    |_, cx| (cx.cycle()).is_some_and(|cycle| cycle.stage == cycle::Stage::Roadshow),
);

fn session<'a>(slot: &Record<Slot>, cx: &Context<'a>) -> Option<&'a Record<PitchSession>> {
    cx.world.get::<PitchSession>(slot.data.turn.session)
}

fn session_needed(slot: &Record<Slot>) -> Vec<Need> {
    vec![Need::One(Kind::PitchSession, slot.data.turn.session)]
}

pub(super) fn application_needed(slot: &Record<Slot>) -> Vec<Need> {
    vec![Need::One(Kind::Application, slot.data.turn.application)]
}

fn takes_part(slot: &Record<Slot>, cx: &Context<'_>) -> bool {
    use application::Stage::{RoadshowReady, Shortlisted};
    cx.world
        .get::<Application>(slot.data.turn.application)
        .is_some_and(|application| matches!(application.stage, Shortlisted | RoadshowReady))
}
