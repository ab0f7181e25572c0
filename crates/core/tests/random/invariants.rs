//! What must hold after every accepted command, named after the numbers of the invariants: journal,
//! cycle, applications and draws. Experts, sheets and ranking are in `review.rs`, money, notice and
//! projects in `money.rs`; what must hold of the records alone is in `fundcycle_core::invariants`.
//!
//! Not of the core:
//! - I02 (hash chain), I06 (idempotency), I41 (outbox), I43 (sessions): the store and the service.
//! - I07: no stage `archived`; what ends is held by the arrows of I08.
//! - I26 (who read what) is held of what anybody *can* read; reads leave no trace. I42 (files): the store.
//! - I44 (keys of personal data): the store. I45 (tenants): one tenant per cycle, held by journals.
//! - I29: `fundcycle-scoring`, whose results I27 computes again.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::aggregate::{Record, Stored};
use fundcycle_core::application::Application;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::pitch_session::PitchSession;
use fundcycle_core::policy::{Policy, PolicyDocument};
use fundcycle_core::selection::Selection;
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use uuid::Uuid;

use crate::money;
use crate::play::{CYCLE, Play};
use crate::review;

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
    i04(seen)?;
    stand(seen)
}

/// All but what asks that something happened.
pub(crate) fn stand(seen: &Seen) -> Holds {
    const ALL: &[fn(&Seen) -> Holds] = &[
        i01, i03, i08, i09, i10, i12, i13, i14, i15, i16, i17, i30, i32,
    ];
    let all = ALL.iter().chain(review::ALL).chain(money::ALL);
    all.copied().try_for_each(|one| one(seen))?;
    // What must hold of the records alone, `fundcycle doctor` checks too.
    fundcycle_core::invariants::ALL
        .iter()
        .try_for_each(|(_, one)| one(seen.after))
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
    })?;
    // What follows from it, the service itself may do.
    seen.facts.iter().skip(1).try_for_each(|fact| {
        let mut rows = fact.kind.moves().into_iter();
        let may = rows.any(|row| row.verb == fact.verb && row.by.contains(&Role::System));
        ensure(may, || format!("I04: nobody may {fact:?}"))
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

/// I12: an application stays with the organisation that made it, which was eligible when it was
/// handed in, for a sum and a domain of the policy of that day.
fn i12(seen: &Seen) -> Holds {
    seen.after.all::<Application>().try_for_each(|one| {
        let was = seen.was::<Application>(one.id);
        let same = was.is_none_or(|was| was.data.organisation == one.data.organisation);
        ensure(same && one.data.organisation.is_some(), || {
            format!("I12: {}", one.id)
        })
    })?;
    seen.did::<Application>(&["submit"])
        .try_for_each(|(fact, one)| {
            let Some(policy) = seen.policy() else {
                return Err(format!("I12: {fact:?}"));
            };
            let rules = &policy.application;
            let form = &one.data.form;
            let asked = rules.request_floor.0.fen().max(1)..=rules.request_cap.0.fen();
            let known = policy
                .domains
                .iter()
                .any(|domain| domain.name == form.domain);
            let owner = one
                .data
                .organisation
                .and_then(|id| seen.was::<Organisation>(id));
            let eligible = owner.is_some_and(|owner| {
                let kinds = &policy.eligibility.organisation_kinds;
                let kind = owner.data.profile.organisation_kind;
                !owner.data.is_banned(seen.now)
                    && (owner.stage.name() == "verified" || !policy.eligibility.verified_only)
                    && (kinds.is_empty() || kind.is_some_and(|kind| kinds.contains(&kind)))
            });
            ensure(
                known && eligible && asked.contains(&form.requested.fen()),
                || format!("I12: {fact:?}"),
            )
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

/// I30: a departure from the ranking has a reason, and who decides it belongs to none that it moves.
fn i30(seen: &Seen) -> Holds {
    seen.did::<Selection>(&["depart"])
        .try_for_each(|(fact, one)| {
            let mut departed = one.data.run.lines.iter().filter(|line| line.departed);
            let decider = seen
                .actor
                .account
                .is_some_and(|id| one.data.made_by.contains(&id));
            let own = seen.actor.organisations();
            let related = one.data.run.inputs.iter().any(|input| {
                own.contains(&input.organisation)
                    && one
                        .data
                        .run
                        .lines
                        .iter()
                        .any(|line| line.departed && line.application == input.application)
            });
            ensure(
                decider && !related && departed.all(|line| !line.reason.trim().is_empty()),
                || format!("I30: {fact:?}"),
            )
        })
}

/// I32: a session is drawn once.
fn i32(seen: &Seen) -> Holds {
    seen.after.all::<PitchSession>().try_for_each(|session| {
        let data = &session.data;
        let draw = data.draw.as_ref().or(data.undisclosed.as_ref());
        let was = seen.was::<PitchSession>(session.id).map(|was| &was.data);
        let drawn = was.and_then(|was| was.draw.as_ref().or(was.undisclosed.as_ref()));
        ensure(drawn.is_none() || drawn == draw, || {
            format!("I32: drawn again {session:?}")
        })
    })
}
