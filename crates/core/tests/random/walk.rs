//! One walk through a cycle: who asks for what, chosen by chance, and what was accepted so far.

use std::collections::BTreeSet;

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::engine::{Request, Stop, execute};
use fundcycle_core::kinds::{AnyMove, Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use uuid::Uuid;

use crate::bodies::{self, Dice};
use crate::invariants::{self, Seen};
use crate::play::{CYCLE, Play};
use crate::starts;

pub(crate) struct Walk {
    pub(crate) play: Play,
    /// Who did what, one line for each accepted step.
    pub(crate) trace: Vec<String>,
    pub(crate) accepted: BTreeSet<(Kind, &'static str)>,
    actors: Vec<Actor>,
}

/// What is asked of whom.
struct Aim {
    kind: Kind,
    id: Uuid,
    verb: &'static str,
    actor: Actor,
}

impl Walk {
    pub(crate) fn from(start: usize) -> Self {
        Self {
            play: starts::STARTS[start](),
            trace: Vec::new(),
            accepted: BTreeSet::new(),
            actors: starts::actors(),
        }
    }

    /// Asks once, and checks what must hold.
    ///
    /// # Errors
    ///
    /// What does not hold, with every step that led there.
    pub(crate) fn step(&mut self, choice: u64) -> Result<(), String> {
        self.try_step(&mut Dice(choice))
            .map_err(|broken| format!("{broken}\nafter\n{}", self.trace.join("\n")))
    }

    /// Every record once more, from the very first fact on (I01, I05).
    pub(crate) fn ends(&self) -> Result<(), String> {
        if self.play.replayed() == self.play.states {
            return Ok(());
        }
        Err(format!(
            "I05: replayed otherwise\nafter\n{}",
            self.trace.join("\n")
        ))
    }

    fn try_step(&mut self, dice: &mut Dice) -> Result<(), String> {
        // One step in four lets some time pass, one in a hundred enough for every time limit.
        let minutes = match dice.roll(100) {
            0 => 40_000,
            1..6 => 2_880,
            6..25 => 7,
            _ => 0,
        };
        let play = &mut self.play;
        play.now = Timestamp(play.now.0 + minutes * 60_000);
        let Some(aim) = aim(play, &self.actors, &self.accepted, dice) else {
            return Ok(());
        };
        let Some(command) = bodies::command(play, aim.kind, aim.id, aim.verb, dice) else {
            return Ok(());
        };
        let id = match command.identity() {
            Some(derived) if !play.states.contains_key(&(aim.kind, aim.id)) => derived,
            _ => aim.id,
        };
        let mut body = command.to_value();
        let line = format!(
            "{} {} {}: {id} {}",
            play.now,
            aim.actor.name(),
            aim.kind,
            shortened(&body.to_string())
        );
        let journal = if aim.kind.is_registry() {
            REGISTRY
        } else {
            CYCLE
        };
        let request = Request {
            journal,
            id,
            command,
            viewer: Viewer::new(aim.actor.clone()),
        };
        let mut after = bodies::world(play);
        let outcome = execute(&request, &mut after, play.now, &play.calendar);
        let before = play.states.clone();
        // The same once more, with no more loaded than was asked for.
        let body = body[aim.verb].take();
        let asked = play.ask(&aim.actor, aim.kind, id, aim.verb, body);
        let facts = match (outcome, asked) {
            (Ok(facts), Ok(again)) if facts == again => facts,
            // Which of several faults a refusal names may depend on what is loaded.
            (Err(Stop::Refused(_)), Err(_)) => {
                return invariants::unchanged(&before, play, &after)
                    .map_err(|broken| format!("{broken}\nin refused {line}"));
            }
            (full, needed) => {
                return Err(format!(
                    "with everything loaded {full:?}\nwith what was asked for {needed:?}\nin {line}"
                ));
            }
        };
        self.trace.push(line);
        self.accepted.insert((aim.kind, aim.verb));
        invariants::hold(&Seen {
            before: &before,
            after: &after,
            facts: &facts,
            actor: &aim.actor,
            now: self.play.now,
            calendar: &self.play.calendar,
        })
    }
}

/// A line that fits a screen; forms and policies are long.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 400 {
        return text.to_owned();
    }
    text.chars().take(400).chain("…".chars()).collect()
}

/// A record, a verb and somebody who mostly may: in one of two steps what was never accepted before.
fn aim(
    play: &mut Play,
    actors: &[Actor],
    accepted: &BTreeSet<(Kind, &'static str)>,
    dice: &mut Dice,
) -> Option<Aim> {
    // A cancelled cycle ends a walk, so that it is tried only among arbitrary verbs.
    let ends = (Kind::Cycle, "cancel");
    let (fresh, anything) = (dice.roll(2) == 0, dice.roll(20) == 0);
    let kind = a_kind(play, dice);
    let mut aims: Vec<(Option<&State>, (Kind, AnyMove))> = Vec::new();
    for one in Kind::ALL {
        if !fresh && *one != kind {
            continue;
        }
        let states = play.states.values().filter(|state| state.kind() == *one);
        let states: Vec<&State> = states.collect();
        for row in one.moves() {
            if row.by == [Role::System] && !anything {
                continue;
            }
            let key = (*one, row.verb);
            if (fresh && accepted.contains(&key)) || (key == ends && !anything) {
                continue;
            }
            if row.from.is_empty() {
                aims.push((None, (*one, row.clone())));
            }
            for state in &states {
                if anything || row.from.contains(&state.stage()) {
                    aims.push((Some(state), (*one, row.clone())));
                }
            }
        }
    }
    if aims.is_empty() {
        return None;
    }
    // By verb first, so that one tranche counts as much as many applications.
    let verbs: BTreeSet<(Kind, &str)> = aims.iter().map(|aim| (aim.1.0, aim.1.1.verb)).collect();
    let verbs: Vec<(Kind, &str)> = verbs.into_iter().collect();
    let verb = dice.one(&verbs);
    aims.retain(|aim| (aim.1.0, aim.1.1.verb) == verb);
    let (state, (kind, row)) = dice.one(&aims);
    let able = |actor: &Actor| {
        let roles = if let Some(state) = state {
            state.roles_of(actor)
        } else {
            let organisation = actor.organisations().first().copied();
            actor.roles(Some(CYCLE), organisation, actor.account)
        };
        !actor.system && row.by.iter().any(|role| roles.contains(role))
    };
    let mut who = actors.to_vec();
    if dice.roll(16) > 0 && who.iter().any(able) {
        who.retain(able);
    }
    let actor = dice.one(&who);
    let verb = row.verb;
    let id = match state.map(State::id) {
        Some(id) => id,
        None if kind == Kind::Cycle => CYCLE,
        None => play.fresh(),
    };
    Some(Aim {
        kind,
        id,
        verb,
        actor,
    })
}

/// A kind; of the registry only now and then.
fn a_kind(play: &Play, dice: &mut Dice) -> Kind {
    let registry = dice.roll(8) == 0;
    let there: BTreeSet<Kind> = play.states.keys().map(|key| key.0).collect();
    let mut kinds = Kind::ALL.to_vec();
    kinds.retain(|kind| {
        let askable = |row: &AnyMove| row.by != [Role::System];
        kind.is_registry() == registry && kind.moves().iter().any(askable)
    });
    if dice.roll(6) > 0 && kinds.iter().any(|kind| there.contains(kind)) {
        kinds.retain(|kind| there.contains(kind));
    }
    dice.one(&kinds)
}
