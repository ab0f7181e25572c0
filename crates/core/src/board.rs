//! The board of a sitting while it runs: whose turn it is, how long it still has, what is missing, and
//! the scores that the policy lets this reader see. It is read, never written.
//!
//! The order on it is public with the session. Everything else goes by the eyes that the reader has on
//! the records it comes from: the same predicate as for the records themselves.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use fundcycle_scoring::Exact;

use crate::aggregate::{Record, Stored as _};
use crate::application::{Application, RoundScore};
use crate::cycle::Cycle;
use crate::kinds::{Kind, State};
use crate::pitch_session::{self, PitchSession};
use crate::policy::document::{BoardScores, RoadshowFormat};
use crate::policy::{Policy, Round};
use crate::sheet::{self, Sheet};
use crate::slot::{self, Slot};
use crate::time::Timestamp;
use crate::visibility::{Eye, Viewer};
use crate::world::{Need, World};

names! {
    /// How far a turn is, as everybody may know it.
    pub enum Progress {
        /// Still to come.
        Waiting = "waiting" "待路演",
        /// Being heard.
        Presenting = "presenting" "路演中",
        /// Over, or not to come any more.
        Done = "done" "已结束",
    }
}

names! {
    /// What the turn that is being heard is at, by the format of the policy.
    pub enum Phase {
        /// Time to present.
        Presenting = "presenting" "陈述",
        /// Time for questions.
        Questions = "questions" "答辩",
        /// Time is over.
        Over = "over" "超时",
    }
}

/// The board of one sitting for one reader.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Board {
    /// Of which session.
    pub session: Uuid,
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// Where the session stands.
    pub stage: pitch_session::Stage,
    /// The time of the server: what the clock below goes by.
    pub now: Timestamp,
    /// The turn that is being heard.
    pub current: Option<Current>,
    /// The turns in their order; empty until the order is public.
    pub turns: Vec<Turn>,
    /// The reader's own sheets on what is pitched here, where the policy shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_sheets: Vec<OwnSheet>,
    /// What is missing after a pitch; only for those who organise the scoring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<Missing>>,
}

/// The turn that is being heard, with its clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Current {
    /// Whose: the application's number.
    pub number: String,
    /// The place in the order.
    pub position: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When presenting has to end.
    pub questions_at: Timestamp,
    /// When questions have to end.
    pub ends_at: Timestamp,
    /// What it is at.
    pub phase: Phase,
    /// Seconds until this phase ends; 0 once time is over.
    pub remaining_seconds: u32,
    /// Full seconds over its time.
    pub overrun_seconds: u32,
}

/// One turn on the board.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Turn {
    /// The place in the order.
    pub position: u32,
    /// Whose: the application's number.
    pub number: String,
    /// When it is to begin.
    pub starts_at: Timestamp,
    /// How far it is.
    pub progress: Progress,
    /// Where it stands exactly, for who sees the turn itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<slot::Stage>,
    /// What its pitch was given, once the panel has closed, where the policy shows it to this reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Exact>,
    /// Its place by that score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
}

/// The reader's sheet on one pitch.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OwnSheet {
    /// For whose pitch: the application's number.
    pub number: String,
    /// Which sheet.
    pub sheet: Uuid,
    /// Where it stands.
    pub stage: sheet::Stage,
    /// Its total so far, or as handed in.
    pub total: Option<Exact>,
}

/// A pitch that was heard and lacks a sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missing {
    /// For whose pitch: the application's number.
    pub number: String,
    /// Since when: the end of the pitch.
    pub since: Option<Timestamp>,
    /// The sheet that is not in; none where no sheet was given out at all.
    pub sheet: Option<Uuid>,
    /// The account of the expert who has it.
    pub expert: Option<Uuid>,
}

impl Board {
    /// The same without what time alone changes: equal as long as nothing has happened.
    #[must_use]
    pub fn without_time(&self) -> Self {
        let mut board = self.clone();
        board.now = Timestamp(0);
        if let Some(current) = &mut board.current {
            current.phase = Phase::Presenting;
            current.remaining_seconds = 0;
            current.overrun_seconds = 0;
        }
        board
    }
}

/// What has to be loaded for the board and is not yet; asked again after each load.
pub fn missing(session: &Record<PitchSession>, world: &World) -> Vec<Need> {
    let cycle = session.journal;
    let mut needs = vec![
        Need::One(Kind::Cycle, cycle),
        Need::PartsOf(Kind::Slot, session.id),
    ];
    let in_force = world
        .get::<Cycle>(cycle)
        .and_then(|cycle| cycle.data.policy);
    needs.extend(in_force.map(|id| Need::One(Kind::Policy, id)));
    for slot in world.parts_of::<Slot>(session.id) {
        let application = slot.data.turn.application;
        needs.push(Need::One(Kind::Application, application));
        needs.push(Need::PartsOf(Kind::Sheet, application));
    }
    needs.retain(|need| !world.has(*need));
    needs
}

/// The board as `viewer` may see it `now`; none where the session does not exist for them. The world
/// holds what [`missing`] asks for.
pub fn board(viewer: &Viewer, session: &State, world: &World, now: Timestamp) -> Option<Board> {
    if viewer.eyes(session).is_empty() {
        return None;
    }
    let record = PitchSession::of(session)?;
    let policy = world
        .get::<Cycle>(record.journal)
        .and_then(|cycle| world.get::<Policy>(cycle.data.policy?));
    let format = policy.map(|policy| policy.data.document.roadshow.clone());
    let format = format.unwrap_or_default();
    // Before the session is published its order is nobody's but the bureau's.
    let mut slots: Vec<&Record<Slot>> = world
        .parts_of::<Slot>(record.id)
        .filter(|slot| !matches!(slot.stage, slot::Stage::Drafted | slot::Stage::Discarded))
        .collect();
    slots.sort_by_key(|slot| slot.data.turn.position);
    let reader = Reader {
        viewer,
        world,
        shows: format.board,
    };
    Some(Board {
        session: record.id,
        name: record.data.name.clone(),
        room: record.data.room.clone(),
        stage: record.stage,
        now,
        current: slots.iter().find_map(|slot| current(slot, &format, now)),
        turns: slots.iter().map(|slot| reader.turn(slot)).collect(),
        own_sheets: slots
            .iter()
            .flat_map(|slot| reader.own_sheets(slot))
            .collect(),
        missing: viewer
            .general_eyes(record.journal)
            .contains(&Eye::Organiser)
            .then(|| slots.iter().flat_map(|slot| reader.missing(slot)).collect()),
    })
}

/// The clock of a turn, if it is being heard.
fn current(slot: &Record<Slot>, format: &RoadshowFormat, now: Timestamp) -> Option<Current> {
    let started_at = slot.data.started_at?;
    if slot.stage != slot::Stage::Presenting {
        return None;
    }
    let presenting = i64::from(format.present_minutes).saturating_mul(60_000);
    let after = |millis: i64| Timestamp(started_at.0.saturating_add(millis));
    let ends_at = after(slot.data.turn.length());
    let questions_at = after(presenting).min(ends_at);
    let phase = if now < questions_at {
        Phase::Presenting
    } else if now < ends_at {
        Phase::Questions
    } else {
        Phase::Over
    };
    let until = if phase == Phase::Presenting {
        questions_at
    } else {
        ends_at
    };
    // Somebody who has a second left has not run out of time.
    let left = until.0.saturating_sub(now.0).max(0).saturating_add(999) / 1000;
    Some(Current {
        number: slot.data.turn.number.clone(),
        position: slot.data.turn.position,
        started_at,
        questions_at,
        ends_at,
        phase,
        remaining_seconds: u32::try_from(left).unwrap_or(u32::MAX),
        overrun_seconds: slot::overrun_seconds(&slot.data, now),
    })
}

/// Who reads the board.
struct Reader<'a> {
    viewer: &'a Viewer,
    world: &'a World,
    shows: BoardScores,
}

impl<'a> Reader<'a> {
    fn sees(&self, kind: Kind, id: Uuid, eye: Eye) -> bool {
        let state = self.world.state(kind, id);
        state.is_some_and(|state| self.viewer.eyes(state).contains(&eye))
    }

    fn turn(&self, slot: &Record<Slot>) -> Turn {
        let own = self.sees(Kind::Slot, slot.id, Eye::Applicant);
        let score = self.score(slot, own);
        Turn {
            position: slot.data.turn.position,
            number: slot.data.turn.number.clone(),
            starts_at: slot.data.turn.starts_at,
            progress: match slot.stage {
                slot::Stage::Presenting => Progress::Presenting,
                stage if stage.is_done() => Progress::Done,
                _ => Progress::Waiting,
            },
            stage: (own || self.sees(Kind::Slot, slot.id, Eye::Staff)).then_some(slot.stage),
            score: score.map(|score| score.rounded.clone()),
            rank: score.and_then(|score| score.rank),
        }
    }

    fn score(&self, slot: &Record<Slot>, own: bool) -> Option<&'a RoundScore> {
        let shown = match self.shows {
            BoardScores::Nothing => false,
            BoardScores::Own => own,
            BoardScores::Published => true,
        };
        let id = slot.data.turn.application;
        let application = self.world.get::<Application>(id).filter(|_| shown)?;
        application.data.roadshow.as_ref()
    }

    /// The live sheets of the roadshow on what is pitched in a turn.
    fn sheets(&self, slot: &Record<Slot>) -> impl Iterator<Item = &'a Record<Sheet>> {
        self.world
            .parts_of::<Sheet>(slot.data.turn.application)
            .filter(|sheet| sheet.data.round == Some(Round::Roadshow))
            .filter(|sheet| !matches!(sheet.stage, sheet::Stage::Void | sheet::Stage::Recused))
    }

    fn own_sheets(&self, slot: &Record<Slot>) -> Vec<OwnSheet> {
        if self.shows == BoardScores::Nothing {
            return Vec::new();
        }
        self.sheets(slot)
            .filter(|sheet| self.sees(Kind::Sheet, sheet.id, Eye::Holder))
            .map(|sheet| OwnSheet {
                number: slot.data.turn.number.clone(),
                sheet: sheet.id,
                stage: sheet.stage,
                total: sheet.data.total.clone(),
            })
            .collect()
    }

    /// The sheets of a pitch that was heard and is to be scored that are not in.
    fn missing(&self, slot: &Record<Slot>) -> Vec<Missing> {
        if slot.stage != slot::Stage::Presented || !self.sees(Kind::Slot, slot.id, Eye::Staff) {
            return Vec::new();
        }
        let line = |sheet: Option<&Record<Sheet>>| Missing {
            number: slot.data.turn.number.clone(),
            since: slot.data.finished_at,
            sheet: sheet.map(|sheet| sheet.id),
            expert: sheet.and_then(|sheet| sheet.data.expert),
        };
        let mut sheets = self.sheets(slot).peekable();
        if sheets.peek().is_none() {
            return vec![line(None)];
        }
        sheets
            .filter(|sheet| matches!(sheet.stage, sheet::Stage::Pending | sheet::Stage::Draft))
            .filter(|sheet| self.sees(Kind::Sheet, sheet.id, Eye::Organiser))
            .map(|sheet| line(Some(sheet)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_turn_runs_through_its_phases() {
        let format = RoadshowFormat::default();
        let (start, minute) = (1_720_000_000_000, 60_000);
        let mut slot = Record::<Slot>::unborn(Uuid::nil(), Uuid::nil());
        slot.stage = slot::Stage::Presenting;
        slot.data.turn.starts_at = Timestamp(start);
        slot.data.turn.ends_at = Timestamp(start + 15 * minute);
        // It began two minutes late: its time is as long as everybody's.
        let begun = start + 2 * minute;
        slot.data.started_at = Some(Timestamp(begun));
        for (after, phase, remaining, overrun) in [
            (0, Phase::Presenting, 480, 0),
            (8 * minute - 1, Phase::Presenting, 1, 0),
            (8 * minute, Phase::Questions, 420, 0),
            (15 * minute - 1, Phase::Questions, 1, 0),
            (15 * minute, Phase::Over, 0, 0),
            (15 * minute + 999, Phase::Over, 0, 0),
            (16 * minute, Phase::Over, 0, 60),
        ] {
            let clock = current(&slot, &format, Timestamp(begun + after));
            let seen = clock.map(|one| (one.phase, one.remaining_seconds, one.overrun_seconds));
            assert_eq!(seen, Some((phase, remaining, overrun)), "{after}");
        }
        slot.stage = slot::Stage::Presented;
        assert_eq!(current(&slot, &format, Timestamp(begun)), None);
    }
}
