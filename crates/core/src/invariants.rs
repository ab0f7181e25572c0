//! What must hold of the records of a cycle at any time, whatever happened: checked by `fundcycle
//! doctor` on a live database and after every random command in the tests. The numbers are those of the
//! list of invariants. What must hold of a move, rather than of what is there, is in the tests alone.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::account::Account;
use crate::aggregate::Record;
use crate::application::Application;
use crate::award::{self, Award};
use crate::cycle::Cycle;
use crate::digest::from_hex;
use crate::interest;
use crate::money::Money;
use crate::names::Names as _;
use crate::pitch_session::PitchSession;
use crate::policy::Policy;
use crate::project::{self, Project};
use crate::sheet::Sheet;
use crate::tranche::Tranche;
use crate::world::World;

/// Nothing where it holds; else the number of the invariant and where it does not.
pub type Holds = Result<(), String>;

/// Looks whether an invariant holds.
pub type Check = fn(&World) -> Holds;

/// Every invariant, by its number.
pub const ALL: &[(&str, Check)] = &[
    ("I11", budget_is_not_exceeded),
    ("I14", an_application_is_awarded_once),
    ("I16", what_is_over_has_ended),
    ("I19", nobody_judges_who_applies),
    ("I21", one_sheet_for_one_subject),
    ("I32", a_draw_follows_from_its_seed),
    ("I36", every_fen_of_an_award_is_somewhere),
    ("I37", three_people_pay),
    ("I39", what_was_paid_is_accounted_for),
];

/// Everything that does not hold in a world with all records of one cycle.
pub fn broken(world: &World) -> Vec<String> {
    let outcomes = ALL.iter().map(|(_, holds)| holds(world));
    outcomes.filter_map(Result::err).collect()
}

fn ensure(holds: bool, says: impl FnOnce() -> String) -> Holds {
    if holds { Ok(()) } else { Err(says()) }
}

/// I11: what is promised and awarded never exceeds the budget in force.
fn budget_is_not_exceeded(world: &World) -> Holds {
    world.all::<Cycle>().try_for_each(|cycle| {
        let policy = cycle.data.policy.and_then(|id| world.get::<Policy>(id));
        let Some(policy) = policy else { return Ok(()) };
        let held = ["proposed", "noticing", "disputed", "cleared", "awarded"];
        let promised: i64 = world
            .all::<Application>()
            .filter(|one| one.journal == cycle.journal && held.contains(&one.stage.name()))
            .filter_map(|one| Some(one.data.selected.as_ref()?.award.fen()))
            .sum();
        let budget = policy.data.document.selection.budget.fen();
        ensure(promised <= budget, || {
            format!("I11: {promised} of {budget} fen promised")
        })
    })
}

/// I14: an application is awarded at most once.
fn an_application_is_awarded_once(world: &World) -> Holds {
    let mut subjects = BTreeSet::new();
    world.all::<Award>().try_for_each(|award| {
        let one = award
            .data
            .application
            .filter(|id| award::id_of(*id) == award.id);
        ensure(one.is_some_and(|one| subjects.insert(one)), || {
            format!("I14: award {}", award.id)
        })
    })
}

/// I16: in a cycle that is over every application has come to an end.
fn what_is_over_has_ended(world: &World) -> Holds {
    const ENDS: &[&str] = &[
        "discarded",
        "withdrawn",
        "ineligible",
        "not_shortlisted",
        "no_show",
        "not_selected",
        "reserve",
        "declined",
        "cancelled",
        "ended_with_cycle",
        "awarded",
    ];
    world.all::<Cycle>().try_for_each(|cycle| {
        if !["closed", "cancelled"].contains(&cycle.stage.name()) {
            return Ok(());
        }
        let mut own = world
            .all::<Application>()
            .filter(|one| one.journal == cycle.journal);
        own.try_for_each(|one| {
            ensure(ENDS.contains(&one.stage.name()), || {
                format!("I16: application {} stays {}", one.id, one.stage.name())
            })
        })
    })
}

/// I19: nobody hands in a sheet who is a member of an organisation that applies in the cycle, whomever it is
/// on; so that no two judge each other's either. Who joins one afterwards is found by the close of the panel.
fn nobody_judges_who_applies(world: &World) -> Holds {
    world.all::<Sheet>().try_for_each(|sheet| {
        let account = sheet.data.expert.and_then(|id| world.get::<Account>(id));
        let at = sheet.data.submitted_at;
        let (Some(account), Some(at), true) = (account, at, sheet.stage.name() == "submitted")
        else {
            return Ok(());
        };
        let applies = interest::applies_for(&account.data, sheet.journal, world);
        let was_member = |id: &Uuid| {
            let membership = account.data.memberships.get(id);
            membership.is_some_and(|one| one.since < at && one.until.is_none_or(|until| at < until))
        };
        ensure(!applies.iter().any(was_member), || {
            format!("I19: sheet {}", sheet.id)
        })
    })
}

/// I21: an expert has at most one live sheet for one subject in one panel.
fn one_sheet_for_one_subject(world: &World) -> Holds {
    let mut keys = BTreeSet::new();
    let dead = ["abstained", "recused", "void"];
    let mut live = world
        .all::<Sheet>()
        .filter(|sheet| !dead.contains(&sheet.stage.name()));
    live.try_for_each(|sheet| {
        let key = (sheet.data.expert, sheet.data.subject, sheet.data.panel);
        ensure(keys.insert(key), || format!("I21: sheet {}", sheet.id))
    })
}

/// I32: the order of a session follows from the seed that was committed to.
fn a_draw_follows_from_its_seed(world: &World) -> Holds {
    world.all::<PitchSession>().try_for_each(|session| {
        let data = &session.data;
        let Some(draw) = data.draw.as_ref().or(data.undisclosed.as_ref()) else {
            return Ok(());
        };
        let follows = from_hex(&draw.seed).is_some_and(|seed| {
            data.commitment == Some(fundcycle_scoring::commitment(&seed))
                && fundcycle_scoring::draw(&data.list, &seed)
                    .is_ok_and(|again| again.order == draw.order)
        });
        ensure(follows, || format!("I32: session {}", session.id))
    })
}

/// I36: payments are no more than the award, and every fen of it is paid, withheld, cancelled or still
/// to come.
fn every_fen_of_an_award_is_somewhere(world: &World) -> Holds {
    world.all::<Award>().try_for_each(|award| {
        let id = project::id_of(award.id);
        let all: Vec<_> = world.parts_of::<Tranche>(id).collect();
        let (mut planned, mut paid, mut withheld, mut cancelled, mut open) = (0, 0, 0, 0, 0);
        for one in &all {
            let data = &one.data;
            let left = data.amount.fen() - data.paid.fen() - data.cancelled.fen();
            ensure(tranche_fits(one, left), || {
                format!("I36: tranche {}", one.id)
            })?;
            planned += data.amount.fen();
            paid += data.paid.fen();
            cancelled += data.cancelled.fen();
            match one.stage.name() {
                "withheld" => withheld += left,
                _ => open += left,
            }
        }
        let amount = award.data.amount.fen();
        ensure(
            paid <= amount && (all.is_empty() || planned == amount),
            || format!("I36: {paid} paid and {planned} planned of {amount}"),
        )?;
        ensure(paid + withheld + cancelled + open == planned, || {
            format!("I36: {paid} + {withheld} + {cancelled} + {open} of {planned}")
        })?;
        let Some(project) = world.get::<Project>(id) else {
            return Ok(());
        };
        let counted = project::balance(project, world).is_some_and(|balance| {
            balance.paid.fen() == paid
                && balance.withheld.fen() == withheld
                && balance.cancelled.fen() == cancelled
                && balance.remaining.fen() == amount - paid - withheld - cancelled
        });
        ensure(counted, || format!("I36: the balance of project {id}"))
    })
}

/// Whether the payments of a tranche, with `left` fen to come, are what it says of itself.
fn tranche_fits(one: &Record<Tranche>, left: i64) -> bool {
    let data = &one.data;
    let payments: i64 = data.payments.iter().map(|one| one.amount.fen()).sum();
    let open = ["planned", "requested", "approved", "withheld"];
    left >= 0
        && payments == data.paid.fen()
        && data.cancelled.fen() >= 0
        && data.payments.iter().all(|one| one.amount.fen() > 0)
        && (left > 0) == open.contains(&one.stage.name())
}

/// I37: who put a payment forward, who agreed and who paid are three people, for each payment.
fn three_people_pay(world: &World) -> Holds {
    world.all::<Tranche>().try_for_each(|one| {
        one.data.payments.iter().try_for_each(|payment| {
            let who = [payment.requested_by, payment.approved_by, payment.paid_by];
            let who: BTreeSet<Uuid> = who.into_iter().flatten().collect();
            ensure(who.len() == 3, || format!("I37: tranche {}", one.id))
        })
    })
}

/// I39: what was paid was accepted as spent, refunded, or is owed; none of these is negative.
fn what_was_paid_is_accounted_for(world: &World) -> Holds {
    world.all::<Project>().try_for_each(|one| {
        let data = &one.data;
        let paid = project::paid(one.id, world).fen();
        let owed = project::outstanding(one, world).fen();
        let fraud = data
            .termination
            .as_ref()
            .is_some_and(|end| end.ground == project::Ground::Fraud);
        let accepted = data.accepted_spend.map_or(0, Money::fen);
        let counted = if fraud { 0 } else { accepted };
        let (refunded, written_off) = (data.refunded.fen(), data.written_off.fen());
        let positive = [paid, owed, accepted, refunded, written_off]
            .iter()
            .all(|one| *one >= 0);
        ensure(
            counted + refunded + owed == paid && positive && written_off <= owed,
            || {
                format!(
                    "I39: paid {paid}, accepted {accepted}, refunded {refunded}, owed {owed}: project {}",
                    one.id
                )
            },
        )
    })
}
