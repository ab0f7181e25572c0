//! The one way a command becomes facts: visible? in the table? the role? the gates? the rules? Then
//! what follows from it, each consequence through the same door. All of it, or nothing.

use uuid::Uuid;

use crate::actor::Actor;
use crate::aggregate::{REGISTRY, Then};
use crate::calendar::WorkingDayCalendar;
use crate::context::Context;
use crate::kinds::{Command, Event, Kind, State};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::Viewer;
use crate::world::{Need, World};

/// How deep consequences may follow from each other. The deepest there is: notice closed → objection
/// period over → application cleared.
const DEEPEST: usize = 4;

/// A command, who sends it and what it is meant for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The journal of the record.
    pub journal: Uuid,
    /// The record; chosen by the caller where the command creates it.
    pub id: Uuid,
    /// What is asked.
    pub command: Command,
    /// Who asks, with what is known of them.
    pub viewer: Viewer,
}

/// One recorded move of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// In which journal.
    pub journal: Uuid,
    /// What moved.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// How many events it has now.
    pub version: i64,
    /// What was asked.
    pub verb: &'static str,
    /// Where it stood; none if this began it.
    pub from: Option<&'static str>,
    /// Where it stands now.
    pub to: &'static str,
    /// What happened.
    pub event: Event,
}

/// Why there are no facts (yet).
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// These have to be loaded first; then ask again.
    Missing(Vec<Need>),
    /// The command is refused and nothing has changed.
    Refused(Rejection),
}

/// What a command needs loaded that is not loaded yet.
pub fn missing(request: &Request, world: &World) -> Vec<Need> {
    let mut needs = request.command.needs(request.id, request.journal, world);
    needs.retain(|need| !world.has(*need));
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// Decides `request` and applies what happens to `world`, consequences included.
///
/// # Errors
///
/// [`Stop::Missing`] while something has to be loaded, [`Stop::Refused`] if it may not happen; in
/// both cases `world` is as before.
pub fn execute(
    request: &Request,
    world: &mut World,
    now: Timestamp,
    calendar: &WorkingDayCalendar,
) -> Result<Vec<Fact>, Stop> {
    let mut run = Run {
        world,
        now,
        calendar,
        initiator: &request.viewer.actor,
        facts: Vec::new(),
        before: Vec::new(),
    };
    let outcome = run.step(
        request.journal,
        request.id,
        request.command.clone(),
        &request.viewer,
        0,
    );
    let Run {
        world,
        facts,
        before,
        ..
    } = run;
    match outcome {
        Ok(()) => Ok(facts),
        Err(stop) => {
            for (kind, id, state) in before.into_iter().rev() {
                match state {
                    Some(state) => world.put(state),
                    None => world.remove(kind, id),
                }
            }
            Err(stop)
        }
    }
}

struct Run<'a> {
    world: &'a mut World,
    now: Timestamp,
    calendar: &'a WorkingDayCalendar,
    initiator: &'a Actor,
    facts: Vec<Fact>,
    before: Vec<(Kind, Uuid, Option<State>)>,
}

impl Run<'_> {
    fn step(
        &mut self,
        journal: Uuid,
        id: Uuid,
        command: Command,
        viewer: &Viewer,
        depth: usize,
    ) -> Result<(), Stop> {
        let (kind, actor) = (command.kind(), &viewer.actor);
        let mut needs = command.needs(id, journal, self.world);
        needs.retain(|need| !self.world.has(*need));
        if !needs.is_empty() {
            return Err(Stop::Missing(needs));
        }
        let known = self.world.state(kind, id);
        let roles = if let Some(state) = known {
            if !actor.system && viewer.eyes(state).is_empty() {
                return Err(Stop::Refused(Rejection::NotFound));
            }
            state.roles_of(actor)
        } else {
            let belongs = command.belongs(self.world);
            actor.roles(
                (journal != REGISTRY).then_some(journal),
                belongs.organisation,
                belongs.person,
            )
        };
        let cx = Context {
            now: self.now,
            actor,
            initiator: self.initiator,
            roles: &roles,
            journal,
            world: self.world,
            calendar: self.calendar,
        };
        let step = command.decide(id, &cx).map_err(Stop::Refused)?;
        // What follows is asked for all at once, so that a hundred consequences cost one load.
        let world = &*self.world;
        let mut needs: Vec<Need> = step
            .then
            .iter()
            .flat_map(|then| then.command.needs(then.id, then.journal, world))
            .filter(|need| !world.has(*need))
            .collect();
        if !needs.is_empty() {
            needs.sort_unstable();
            needs.dedup();
            return Err(Stop::Missing(needs));
        }
        let before = known.cloned();
        let mut state = before
            .clone()
            .unwrap_or_else(|| State::unborn(kind, id, journal));
        state
            .apply(step.to, &step.event, self.now)
            .map_err(|malformed| {
                Stop::Refused(Rejection::fault(
                    "",
                    "internal",
                    malformed.to_string(),
                    malformed.to_string(),
                ))
            })?;
        self.before.push((kind, id, before));
        self.facts.push(Fact {
            journal,
            kind,
            id,
            version: state.version(),
            verb: step.verb,
            from: step.from,
            to: step.to,
            event: step.event,
        });
        self.world.put(state);
        for then in step.then {
            self.follow(then, depth + 1)?;
        }
        Ok(())
    }

    fn follow(&mut self, then: Then, depth: usize) -> Result<(), Stop> {
        let (kind, id, verb) = (then.command.kind(), then.id, then.command.verb());
        let outcome = if depth > DEEPEST {
            Err(Stop::Refused(Rejection::fault(
                "",
                "too_deep",
                "Consequences follow too deep.",
                "连锁操作层级过深。",
            )))
        } else {
            self.step(
                then.journal,
                id,
                then.command,
                &Viewer::new(Actor::system()),
                depth,
            )
        };
        outcome.map_err(|stop| match stop {
            Stop::Refused(because) => Stop::Refused(Rejection::Consequence {
                verb: verb.to_owned(),
                kind,
                id,
                because: Box::new(because),
            }),
            missing @ Stop::Missing(_) => missing,
        })
    }
}
