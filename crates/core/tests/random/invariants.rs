//! What must hold after every accepted command, named after the numbers of the invariants: journal,
//! cycle, applications, experts, sheets and ranking. Money, notice and projects are in `money.rs`.
//!
//! Not of the core:
//! - I02 (hash chain), I06 (idempotency), I41 (outbox), I43 (sessions): the store and the service.
//! - I07: no stage `archived`; what ends is held by the arrows of I08.
//! - I26 (who read what): the audit of the service. I42 (files): the store.
//! - I44 (keys of personal data): the store. I45 (tenants): one tenant per cycle, held by journals.
//! - I29: `fundcycle-scoring`, whose results I27 computes again.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::{Record, Stored};
use fundcycle_core::application::Application;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::Fact;
use fundcycle_core::expert::{self, Expert};
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::pitch_session::PitchSession;
use fundcycle_core::policy::{Policy, PolicyDocument};
use fundcycle_core::selection::Selection;
use fundcycle_core::sheet::Sheet;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use uuid::Uuid;

use crate::money;
use crate::play::{CYCLE, Play};

pub(crate) type Holds = Result<(), String>;

/// One accepted command: what was, what happened, what is.
pub(crate) struct Seen<'a> {
    pub(crate) before: &'a BTreeMap<(Kind, Uuid), State>,
    pub(crate) after: &'a World,
    pub(crate) facts: &'a [Fact],
    pub(crate) actor: &'a Actor,
    pub(crate) now: Timestamp,
    pub(crate) calendar: &'a WorkingDayCalendar,
}

impl<'a> Seen<'a> {
    pub(crate) fn was<A: Stored>(&self, id: Uuid) -> Option<&'a Record<A>> {
        A::of(self.before.get(&(A::KIND, id))?)
    }

    pub(crate) fn policy(&self) -> Option<&'a PolicyDocument> {
        let policy = self.after.get::<Cycle>(CYCLE)?.data.policy?;
        Some(&self.after.get::<Policy>(policy)?.data.document)
    }

    /// The facts of `verb` on records of kind `A`, with what each made.
    pub(crate) fn did<A: Stored>(
        &self,
        verbs: &'static [&'static str],
    ) -> impl Iterator<Item = (&'a Fact, &'a Record<A>)> {
        let (facts, after) = (self.facts, self.after);
        facts
            .iter()
            .filter(move |fact| fact.kind == A::KIND && verbs.contains(&fact.verb))
            .filter_map(|fact| Some((fact, after.get::<A>(fact.id)?)))
    }
}

pub(crate) fn ensure(holds: bool, says: impl FnOnce() -> String) -> Holds {
    if holds { Ok(()) } else { Err(says()) }
}

/// Everything at once.
pub(crate) fn hold(seen: &Seen) -> Holds {
    const ALL: &[fn(&Seen) -> Holds] = &[
        i01, i03, i04, i08, i09, i10, i12, i13, i14, i15, i16, i17, i18, i19, i20, i21, i22, i23,
        i24, i25, i27, i28, i30, i32,
    ];
    ALL.iter().chain(money::ALL).try_for_each(|one| one(seen))
}

/// A refused command leaves every record as it was, in the world that it was tried on too.
pub(crate) fn unchanged(
    before: &BTreeMap<(Kind, Uuid), State>,
    play: &Play,
    tried: &World,
) -> Holds {
    ensure(before == &play.states, || {
        "a refusal changed the play".to_owned()
    })?;
    for ((kind, id), state) in before {
        ensure(tried.state(*kind, *id) == Some(state), || {
            format!("a refusal changed {kind} {id}")
        })?;
    }
    let untouched = crate::bodies::world(play);
    ensure(format!("{untouched:?}") == format!("{tried:?}"), || {
        "a refusal left something behind".to_owned()
    })
}

/// I01: the events of a record are numbered without a gap.
fn i01(seen: &Seen) -> Holds {
    let mut versions = BTreeMap::new();
    for fact in seen.facts {
        let key = (fact.kind, fact.id);
        let before = seen.before.get(&key).map_or(0, State::version);
        let version = versions.entry(key).or_insert(before);
        *version += 1;
        ensure(fact.version == *version, || format!("I01: {fact:?}"))?;
    }
    Ok(())
}

/// I03: time does not go back.
fn i03(seen: &Seen) -> Holds {
    seen.facts.iter().try_for_each(|fact| {
        let before = seen.before.get(&(fact.kind, fact.id));
        ensure(
            before.is_none_or(|state| state.updated_at() <= seen.now),
            || format!("I03: {fact:?}"),
        )
    })
}

/// I04: who asked had a role that the table names for this very move.
fn i04(seen: &Seen) -> Holds {
    let Some(fact) = seen.facts.first() else {
        return Err("I04: accepted without a fact".to_owned());
    };
    let key = (fact.kind, fact.id);
    let state = seen
        .before
        .get(&key)
        .or_else(|| seen.after.state(key.0, key.1));
    let roles = state
        .map(|state| state.roles_of(seen.actor))
        .unwrap_or_default();
    let may = fact.kind.moves().iter().any(|row| {
        row.verb == fact.verb
            && fact.from.is_none_or(|from| row.from.contains(&from))
            && row.by.iter().any(|role| roles.contains(role))
    });
    ensure(may, || {
        format!("I04: {} has {roles:?} for {fact:?}", seen.actor.name())
    })
}

/// I08: every move is an arrow of its flow, from where the record stood.
fn i08(seen: &Seen) -> Holds {
    let mut stages = BTreeMap::new();
    for fact in seen.facts {
        let key = (fact.kind, fact.id);
        let before = seen.before.get(&key).map(State::stage);
        let from = stages.insert(key, fact.to).or(before);
        let known = fact.kind.moves().iter().any(|row| {
            row.verb == fact.verb
                && from.map_or(row.from.is_empty(), |from| row.from.contains(&from))
                && row.to.or(from) == Some(fact.to)
        });
        ensure(known && from == fact.from, || format!("I08: {fact:?}"))?;
    }
    Ok(())
}

/// I09: nothing is handed in after the deadline, or outside an open call.
fn i09(seen: &Seen) -> Holds {
    seen.did::<Application>(&["submit"])
        .try_for_each(|(fact, _)| {
            let cycle = seen.was::<Cycle>(CYCLE);
            let open = cycle.is_some_and(|cycle| {
                cycle.stage.name() == "application"
                    && cycle.data.closes_at.is_some_and(|at| seen.now <= at)
            });
            ensure(open, || format!("I09: {fact:?}"))
        })
}

/// I10: what a policy says never changes once it is in force; another version replaces it.
fn i10(seen: &Seen) -> Holds {
    seen.after.all::<Policy>().try_for_each(|policy| {
        let was = seen
            .was::<Policy>(policy.id)
            .filter(|was| was.stage.name() != "draft");
        ensure(
            was.is_none_or(|was| was.data.document == policy.data.document),
            || format!("I10: policy {}", policy.id),
        )
    })
}

/// I12: an application stays with the organisation that made it.
fn i12(seen: &Seen) -> Holds {
    seen.after.all::<Application>().try_for_each(|one| {
        let was = seen.was::<Application>(one.id);
        let same = was.is_none_or(|was| was.data.organisation == one.data.organisation);
        ensure(same && one.data.organisation.is_some(), || {
            format!("I12: {}", one.id)
        })
    })
}

/// I13: what was handed in stays in the list of submissions as it was.
fn i13(seen: &Seen) -> Holds {
    seen.after.all::<Application>().try_for_each(|one| {
        let was = seen.was::<Application>(one.id);
        let kept = was.is_none_or(|was| one.data.submissions.starts_with(&was.data.submissions));
        ensure(kept, || format!("I13: {}", one.id))
    })
}

/// I14: no organisation hands in more applications than the policy allows; ineligible ones are free.
fn i14(seen: &Seen) -> Holds {
    let most = seen
        .policy()
        .and_then(|policy| policy.eligibility.applications_per_organisation);
    let Some(most) = most else { return Ok(()) };
    seen.did::<Application>(&["submit"])
        .try_for_each(|(fact, one)| {
            let others = seen.after.all::<Application>().filter(|other| {
                other.data.organisation == one.data.organisation
                    && !["draft", "discarded", "withdrawn", "ineligible"]
                        .contains(&other.stage.name())
            });
            ensure(others.count() <= most as usize, || format!("I14: {fact:?}"))
        })
}

/// I15: a correction changes nothing but what it was asked for.
fn i15(seen: &Seen) -> Holds {
    seen.did::<Application>(&["correct"])
        .try_for_each(|(fact, one)| {
            let Some(was) = seen.was::<Application>(fact.id) else {
                return Err(format!("I15: {fact:?}"));
            };
            let [was_form, form] =
                [was, one].map(|one| serde_json::to_value(&one.data.form).unwrap());
            let asked = was
                .data
                .correction
                .iter()
                .flat_map(|correction| &correction.items);
            let asked: BTreeSet<&str> = asked.map(|item| item.field.as_str()).collect();
            let keys = [&was_form, &form].map(|form| form.as_object().unwrap().keys());
            let changed = keys
                .into_iter()
                .flatten()
                .find(|key| was_form.get(*key) != form.get(*key) && !asked.contains(key.as_str()));
            ensure(changed.is_none(), || {
                format!("I15: {changed:?} in {fact:?}")
            })
        })
}

/// I16: no record is lost.
fn i16(seen: &Seen) -> Holds {
    seen.before.keys().try_for_each(|(kind, id)| {
        ensure(seen.after.state(*kind, *id).is_some(), || {
            format!("I16: {kind} {id}")
        })
    })
}

/// I17: a re-check is decided by another person than the check.
fn i17(seen: &Seen) -> Holds {
    let decided = seen.did::<Application>(&["accept", "uphold_rejection"]);
    let rechecks = decided.filter(|(fact, _)| fact.from == Some("rechecking"));
    rechecks.into_iter().try_for_each(|(fact, _)| {
        let was = seen.was::<Application>(fact.id);
        let other = was.is_some_and(|was| was.data.checked_by != seen.actor.account);
        ensure(other, || format!("I17: {fact:?}"))
    })
}

/// The organisation whose application or project a sheet is about.
fn owner(subject: Option<Uuid>, world: &World) -> Option<Uuid> {
    let subject = subject?;
    let of = [Kind::Application, Kind::Project].map(|kind| world.state(kind, subject));
    of.into_iter().flatten().next()?.index().organisation
}

fn conflicted(sheet: &Record<Sheet>, world: &World) -> bool {
    let expert = sheet
        .data
        .expert
        .and_then(|id| world.get::<Expert>(expert::id_of(id)));
    let owner = owner(sheet.data.subject, world);
    expert
        .zip(owner)
        .is_some_and(|(expert, owner)| panel::conflicts(expert, owner, world))
}

/// I18: who has a conflict of interest gets no sheet, and hands none in.
fn i18(seen: &Seen) -> Holds {
    seen.did::<Sheet>(&["assign", "submit"])
        .try_for_each(|(fact, sheet)| {
            ensure(!conflicted(sheet, seen.after), || format!("I18: {fact:?}"))
        })
}

/// I19: no sheet of a conflicted expert counts when a panel closes.
fn i19(seen: &Seen) -> Holds {
    seen.did::<Panel>(&["close"]).try_for_each(|(fact, panel)| {
        let scored: Vec<_> = panel
            .data
            .results
            .iter()
            .map(|one| Some(one.input.subject))
            .collect();
        let mut sheets =
            counting(panel, seen.after).filter(|sheet| scored.contains(&sheet.data.subject));
        sheets.try_for_each(|sheet| {
            ensure(!conflicted(sheet, seen.after), || {
                format!("I19: {sheet:?} in {fact:?}")
            })
        })
    })
}

/// I20: nobody gets a sheet before the pledge.
fn i20(seen: &Seen) -> Holds {
    seen.did::<Sheet>(&["assign"])
        .try_for_each(|(fact, sheet)| {
            let expert = sheet.data.expert.map(expert::id_of);
            let pledged = expert.and_then(|id| seen.after.get::<Expert>(id)?.data.pledged_at);
            ensure(pledged.is_some_and(|at| at <= seen.now), || {
                format!("I20: {fact:?}")
            })
        })
}

/// I21: an expert has at most one live sheet for one subject in one panel.
fn i21(seen: &Seen) -> Holds {
    let mut keys = BTreeSet::new();
    let dead = ["abstained", "recused", "void"];
    let mut live = seen
        .after
        .all::<Sheet>()
        .filter(|sheet| !dead.contains(&sheet.stage.name()));
    live.try_for_each(|sheet| {
        let key = (sheet.data.expert, sheet.data.subject, sheet.data.panel);
        ensure(keys.insert(key), || format!("I21: {sheet:?}"))
    })
}

/// I22: what is handed in lies within the rubric, with the total that follows from it.
fn i22(seen: &Seen) -> Holds {
    seen.did::<Sheet>(&["submit"])
        .try_for_each(|(fact, sheet)| {
            let rules = sheet
                .data
                .round
                .and_then(|round| seen.policy()?.rounds.get(&round));
            let total = rules.and_then(|rules| rules.rubric.check(&sheet.data.marks).ok());
            ensure(total.is_some() && total == sheet.data.total, || {
                format!("I22: {fact:?}")
            })
        })
}

/// I23: sheets move only while their panel is open.
fn i23(seen: &Seen) -> Holds {
    let verbs = &["save", "submit", "reopen", "abstain", "recuse", "void"];
    seen.did::<Sheet>(verbs).try_for_each(|(fact, sheet)| {
        let panel = sheet.data.panel.and_then(|id| seen.was::<Panel>(id));
        ensure(
            panel.is_some_and(|panel| panel.stage.name() == "open"),
            || format!("I23: {fact:?}"),
        )
    })
}

fn counting<'a>(
    panel: &Record<Panel>,
    world: &'a World,
) -> impl Iterator<Item = &'a Record<Sheet>> {
    let id = panel.id;
    world
        .all::<Sheet>()
        .filter(move |sheet| sheet.data.panel == Some(id) && sheet.stage.name() == "submitted")
}

/// I24: what a panel adds up are the sheets handed in, and no other.
fn i24(seen: &Seen) -> Holds {
    seen.did::<Panel>(&["close"]).try_for_each(|(fact, panel)| {
        panel.data.results.iter().try_for_each(|outcome| {
            let sheets = counting(panel, seen.after)
                .filter(|sheet| sheet.data.subject == Some(outcome.input.subject));
            let totals: BTreeMap<_, _> = sheets
                .filter_map(|sheet| Some((sheet.data.expert?, sheet.data.total.clone()?)))
                .collect();
            ensure(totals == outcome.input.totals, || format!("I24: {fact:?}"))
        })
    })
}

/// I25: no panel closes with a result that nobody scored.
fn i25(seen: &Seen) -> Holds {
    seen.did::<Panel>(&["close"]).try_for_each(|(fact, panel)| {
        let mut results = panel.data.results.iter();
        ensure(results.all(|outcome| !outcome.used.is_empty()), || {
            format!("I25: {fact:?}")
        })
    })
}

/// I27: the ranking of a round is computed again from what is recorded of it.
fn i27(seen: &Seen) -> Holds {
    seen.did::<Panel>(&["close"]).try_for_each(|(fact, panel)| {
        let results = &panel.data.results;
        let inputs: Vec<_> = results
            .iter()
            .map(|outcome| outcome.input.clone())
            .collect();
        let policy = seen.policy();
        let again = policy.zip(panel.data.round).and_then(|(policy, round)| {
            panel::results(&inputs, policy.rounds.get(&round)?, &policy.ranking).ok()
        });
        ensure(again.as_ref() == Some(results), || format!("I27: {fact:?}"))
    })
}

/// I28: the places of a selection are 1 to n, ties apart.
fn i28(seen: &Seen) -> Holds {
    seen.did::<Selection>(&["compute", "recompute"])
        .try_for_each(|(fact, one)| {
            let lines = &one.data.run.lines;
            let mut places: Vec<u32> = lines.iter().filter_map(|line| line.rank).collect();
            places.sort_unstable();
            // Who shares a place takes it, and the next one counts on: 1, 1, 3.
            let mut at = (1..).zip(&places);
            let fits =
                at.all(|(nth, place)| *place <= nth) && places.first().is_none_or(|one| *one == 1);
            ensure(fits, || format!("I28: {places:?} in {fact:?}"))
        })
}

/// I30: a departure from the ranking has a reason.
fn i30(seen: &Seen) -> Holds {
    seen.did::<Selection>(&["depart"])
        .try_for_each(|(fact, one)| {
            let mut departed = one.data.run.lines.iter().filter(|line| line.departed);
            let decider = seen
                .actor
                .account
                .is_some_and(|id| one.data.made_by.contains(&id));
            ensure(
                decider && departed.all(|line| !line.reason.trim().is_empty()),
                || format!("I30: {fact:?}"),
            )
        })
}

/// I32: a session is drawn once, and its order follows from the seed that was committed to.
fn i32(seen: &Seen) -> Holds {
    seen.after.all::<PitchSession>().try_for_each(|session| {
        let data = &session.data;
        let draw = data.draw.as_ref().or(data.undisclosed.as_ref());
        let was = seen.was::<PitchSession>(session.id).map(|was| &was.data);
        let drawn = was.and_then(|was| was.draw.as_ref().or(was.undisclosed.as_ref()));
        ensure(drawn.is_none() || drawn == draw, || {
            format!("I32: drawn again {session:?}")
        })?;
        let Some(draw) = draw else { return Ok(()) };
        let seed = fundcycle_core::digest::from_hex(&draw.seed).unwrap();
        let again = fundcycle_scoring::draw(&data.list, &seed).unwrap();
        ensure(
            data.commitment == Some(fundcycle_scoring::commitment(&seed))
                && again.order == draw.order,
            || format!("I32: {session:?}"),
        )
    })
}
