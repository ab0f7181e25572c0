//! What must hold of experts, sheets and rankings after every accepted command.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::{Record, Stored as _};
use fundcycle_core::expert::{self, Expert};
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::policy::document::OthersSheets;
use fundcycle_core::selection::Selection;
use fundcycle_core::sheet::{self, Sheet};
use fundcycle_core::standing;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::World;
use uuid::Uuid;

use crate::invariants::{Holds, Seen, ensure};

pub(crate) const ALL: &[fn(&Seen) -> Holds] = &[i18, i19, i20, i22, i23, i24, i25, i26, i27, i28];

fn conflicted(sheet: &Record<Sheet>, world: &World) -> bool {
    let expert = sheet
        .data
        .expert
        .and_then(|id| world.get::<Expert>(expert::id_of(id)));
    expert
        .zip(sheet.data.subject)
        .is_some_and(|(expert, subject)| {
            !panel::interests_in(expert, subject, sheet.journal, world).is_empty()
        })
}

/// I18: who has a conflict of interest gets no sheet, and hands none in.
fn i18(seen: &Seen) -> Holds {
    seen.did::<Sheet>(&["assign", "submit", "transcribe"])
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
    let verbs = &[
        "save",
        "enter",
        "submit",
        "transcribe",
        "reopen",
        "abstain",
        "recuse",
        "void",
    ];
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

/// I25: no panel closes with a result that fewer scored than the quorum of the policy.
fn i25(seen: &Seen) -> Holds {
    seen.did::<Panel>(&["close"]).try_for_each(|(fact, panel)| {
        let round = panel.data.round.as_ref();
        let rules = round.and_then(|round| seen.policy()?.rounds.get(round));
        let quorum = rules.map_or(1, |rules| rules.aggregation.quorum.max(1)) as usize;
        let mut results = panel.data.results.iter();
        let reached = results.all(|outcome| {
            !outcome.used.is_empty()
                && outcome.used.len() + outcome.dropped.len() >= quorum
                && outcome.input.totals.len() >= quorum
        });
        ensure(reached, || format!("I25: {fact:?}"))
    })
}

/// I26: no expert sees the sheet of another before the policy opens it to them, and none on what they
/// must not judge. Seen through the predicate that every read goes through.
fn i26(seen: &Seen) -> Holds {
    let world = seen.after;
    let seats = seen.facts.iter().any(|fact| {
        matches!(
            fact.kind,
            Kind::Sheet | Kind::Panel | Kind::Expert | Kind::Account
        )
    });
    if !seats {
        return Ok(());
    }
    let people: BTreeSet<Uuid> = world
        .all::<Sheet>()
        .filter_map(|one| one.data.expert)
        .collect();
    people.into_iter().try_for_each(|person| {
        // With no rights but those of somebody with an account.
        let actor = Actor::account(person, BTreeSet::new());
        let viewer = Viewer {
            standing: standing::of(&actor, world, BTreeSet::new()),
            actor,
        };
        let mut others = world
            .all::<Sheet>()
            .filter(|one| one.data.expert != Some(person));
        others.try_for_each(|other| {
            let shown = viewer.view(&Sheet::state(other.clone())).is_some();
            ensure(!shown || is_open_to(person, other, world), || {
                format!("I26: {person} sees {other:?}")
            })
        })
    })
}

/// Whether the panel of `other` opens it to `person`, told from the records alone.
fn is_open_to(person: Uuid, other: &Record<Sheet>, world: &World) -> bool {
    use sheet::Stage::{Abstained, Draft, Pending, Submitted};
    let own: Vec<_> = world
        .all::<Sheet>()
        .filter(|one| one.data.expert == Some(person) && one.data.panel == other.data.panel)
        .collect();
    let mut same = own
        .iter()
        .filter(|one| one.data.subject == other.data.subject);
    let may_judge = same.clone().all(|one| !conflicted(one, world));
    let panel = other.data.panel.and_then(|id| world.get::<Panel>(id));
    may_judge
        && panel.is_some_and(|panel| match panel.data.visibility.others {
            OthersSheets::Never => false,
            OthersSheets::AfterOwn => same.any(|one| one.stage == Submitted),
            OthersSheets::NothingOutstanding => {
                same.any(|one| one.stage == Submitted)
                    && own.iter().all(|one| !matches!(one.stage, Pending | Draft))
            }
            OthersSheets::Always => {
                same.any(|one| matches!(one.stage, Pending | Draft | Submitted | Abstained))
            }
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
            panel::results(&inputs, policy.rounds.get(&round)?, policy).ok()
        });
        ensure(again.as_ref() == Some(results), || format!("I27: {fact:?}"))
    })
}

/// I28: the places of a selection are 1 to n, ties apart; equal scores that do not share a place say
/// which rule parted them.
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
            ensure(fits, || format!("I28: {places:?} in {fact:?}"))?;
            let placed = lines.iter().filter(|line| line.rank.is_some());
            let placed: Vec<_> = placed.collect();
            let mut pairs = placed
                .iter()
                .flat_map(|one| placed.iter().map(move |two| (one, two)));
            let parted = pairs.find(|(one, two)| {
                one.score == two.score
                    && one.rank < two.rank
                    && (one.decided_by.is_none() || two.decided_by.is_none())
            });
            ensure(parted.is_none(), || format!("I28: {parted:?} in {fact:?}"))
        })
}
