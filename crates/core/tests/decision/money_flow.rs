//! Tranches: whose hands they pass through, what they wait for, and that no fen is lost.

use std::cell::Cell;

use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::{Request, Stop, execute};
use fundcycle_core::kinds::{Command, Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::policy::Policy;
use fundcycle_core::policy::document::TrancheCondition;
use fundcycle_core::project::{self, Project};
use fundcycle_core::tranche::{self, Tranche};
use fundcycle_core::world::{Need, World};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::play::{CYCLE, Play, lead, staff, why};
use crate::running::{
    AWARD, active, at_launch, because, evaluated, finance, opened, other_lead, pay, payment,
    scored, signed, tranches, with_policy,
};

fn refused(play: &mut Play, actor: &Actor, tranche: Uuid, verb: &str, body: Value) -> String {
    why(play.ask(actor, Kind::Tranche, tranche, verb, body))
}

/// Somebody who holds all three roles of the money.
fn all_hands(account: u128) -> Actor {
    let scope = Scope::Cycle(CYCLE);
    let grants = [Role::Staff, Role::Lead, Role::Finance].map(|role| Grant { role, scope });
    Actor::account(Uuid::from_u128(account), BTreeSet::from(grants))
}

fn amounts(play: &Play, project: Uuid) -> [i64; 3] {
    tranches(project).map(|id| play.get::<Tranche>(id).data.amount.fen())
}

#[test]
fn the_agreement_plans_tranches_that_add_up_to_the_award_with_the_rest_in_the_last() {
    let mut play = with_policy(|policy| {
        for (index, share) in ["1/3", "1/3", "1/3"].iter().enumerate() {
            policy["tranches"][index]["share"] = json!(share);
        }
    });
    let project = signed(&mut play, 1);
    assert_eq!(amounts(&play, project), [133_333, 133_333, 133_334]);
    let mut play = at_launch();
    let project = signed(&mut play, 0);
    assert_eq!(amounts(&play, project), [166_650, 99_990, 66_660]);
}

#[test]
fn three_people_handle_a_tranche_even_where_one_holds_every_role() {
    let mut play = at_launch();
    let [first, ..] = tranches(signed(&mut play, 0));
    let [one, two, three] = [501, 502, 503].map(all_hands);
    play.does(&one, Kind::Tranche, first, "request", json!({}));
    assert_eq!(
        refused(&mut play, &one, first, "approve", json!({})),
        "other_than_requester"
    );
    play.does(&two, Kind::Tranche, first, "approve", json!({}));
    let body = payment(&play, first);
    for (actor, gate) in [
        (&one, "other_than_requester"),
        (&two, "other_than_approver"),
    ] {
        assert_eq!(refused(&mut play, actor, first, "pay", body.clone()), gate);
    }
    play.does(&three, Kind::Tranche, first, "pay", body.clone());
    assert_eq!(
        refused(&mut play, &three, first, "pay", body),
        "not from paid"
    );
}

#[test]
fn a_payment_says_the_amount_the_voucher_and_a_day_that_has_come() {
    let mut play = at_launch();
    let [first, ..] = tranches(signed(&mut play, 0));
    play.does(&staff(), Kind::Tranche, first, "request", json!({}));
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    let body = json!({ "amount": AWARD, "voucher": "", "paid_on": "2024-09-20" });
    assert_eq!(
        refused(&mut play, &finance(), first, "pay", body),
        "/voucher required, /amount amount, /paid_on in_future"
    );
    assert_eq!(play.stage(Kind::Tranche, first), "approved");
}

/// No flow leads there: the tranches are made from the award. It is checked all the same.
#[test]
fn a_payment_beyond_the_award_is_refused_whatever_the_tranches_say() {
    let mut play = at_launch();
    let project = signed(&mut play, 0);
    let [first, second, third] = tranches(project);
    pay(&mut play, first);
    let mut damaged = play.get::<Project>(project).clone();
    damaged.data.amount = Money::from_fen(166_650 + 99_989);
    let mut next = play.get::<Tranche>(second).clone();
    next.stage = tranche::Stage::Approved;
    next.data.after = Some(TrancheCondition::Agreement);
    next.data.requested_by = Some(Uuid::from_u128(501));
    next.data.approved_by = Some(Uuid::from_u128(502));
    let mut world = World::default();
    let cycle = play.get::<Cycle>(CYCLE).clone();
    let policy = play.get::<Policy>(cycle.data.policy.unwrap()).clone();
    for state in [
        State::Cycle(cycle),
        State::Policy(policy),
        State::Project(damaged),
        State::Tranche(next),
        State::Tranche(play.get::<Tranche>(first).clone()),
        State::Tranche(play.get::<Tranche>(third).clone()),
    ] {
        world.put(state);
    }
    world.mark_loaded(Need::PartsOf(Kind::Tranche, project));
    let body = payment(&play, second);
    let request = Request {
        journal: CYCLE,
        id: second,
        command: Command::parse(Kind::Tranche, "pay", body).unwrap(),
        actor: finance(),
    };
    let calendar = WorkingDayCalendar::china().unwrap();
    let Err(Stop::Refused(rejection)) = execute(&request, &mut world, play.now, &calendar) else {
        panic!("it was paid");
    };
    assert_eq!(why::<()>(Err(rejection)), "/amount over_award");
}

#[test]
fn each_tranche_waits_for_its_condition() {
    let (mut play, project) = active();
    let [first, second, third] = tranches(project);
    pay(&mut play, first);
    for waiting in [second, third] {
        assert_eq!(
            refused(&mut play, &staff(), waiting, "request", json!({})),
            "condition_met"
        );
    }
    evaluated(&mut play, project, "midterm", "80");
    pay(&mut play, second);
    assert_eq!(
        refused(&mut play, &staff(), third, "request", json!({})),
        "condition_met"
    );
    evaluated(&mut play, project, "final", "80");
    pay(&mut play, third);
    let money = |name| serde_json::to_value(play.view(&staff(), Kind::Tranche, name)).unwrap();
    assert_eq!(money(third)["paid_on"], "2024-09-19");
}

#[test]
fn nothing_is_requested_approved_or_paid_while_the_project_is_suspended() {
    let mut play = at_launch();
    let project = signed(&mut play, 0);
    let [first, ..] = tranches(project);
    let body = payment(&play, first);
    let steps: [(Actor, &str, Value); 3] = [
        (staff(), "request", json!({})),
        (lead(), "approve", json!({})),
        (finance(), "pay", body),
    ];
    for (actor, verb, body) in steps {
        play.does(&lead(), Kind::Project, project, "suspend", because());
        assert_eq!(
            refused(&mut play, &actor, first, verb, body.clone()),
            "project_running"
        );
        play.does(&lead(), Kind::Project, project, "resume", because());
        play.does(&actor, Kind::Tranche, first, verb, body);
    }
}

#[test]
fn a_tranche_held_back_or_sent_back_begins_anew_and_a_cancelled_one_is_over() {
    let mut play = at_launch();
    let [first, second, _] = tranches(signed(&mut play, 0));
    play.does(&staff(), Kind::Tranche, first, "request", json!({}));
    play.does(&lead(), Kind::Tranche, first, "return_request", because());
    assert_eq!(play.get::<Tranche>(first).data.requested_by, None);
    play.does(&staff(), Kind::Tranche, first, "request", json!({}));
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    play.does(&other_lead(), Kind::Tranche, first, "withhold", because());
    let body = payment(&play, first);
    assert_eq!(
        refused(&mut play, &finance(), first, "pay", body),
        "not from withheld"
    );
    play.does(&lead(), Kind::Tranche, first, "release_hold", because());
    assert_eq!(play.get::<Tranche>(first).data.approved_by, None);
    pay(&mut play, first);

    let blank = json!({ "reason": " " });
    assert_eq!(
        refused(&mut play, &lead(), second, "cancel", blank),
        "/reason required"
    );
    play.does(&lead(), Kind::Tranche, second, "cancel", because());
    assert_eq!(
        refused(&mut play, &staff(), second, "request", json!({})),
        "not from cancelled"
    );
}

/// One thing that somebody tries with a project or one of its tranches.
#[derive(Clone, Copy, Debug)]
enum Try {
    Tranche(&'static str, usize),
    Project(&'static str, i64),
    Evaluate(&'static str, &'static str),
}

fn tries() -> impl Strategy<Value = (usize, Try)> {
    let of_tranche = prop_oneof![
        60 => Just("request"), 60 => Just("approve"), 60 => Just("pay"), 1 => Just("return_request"),
        1 => Just("withhold"), 8 => Just("release_hold"), 1 => Just("cancel"),
    ];
    let of_project = prop_oneof![
        4 => Just("suspend"), 20 => Just("resume"), 12 => Just("accept_spend"), 8 => Just("record_refund"),
        8 => Just("close"), 1 => Just("terminate"), 8 => Just("recover"), 4 => Just("confirm_recovery"),
        1 => Just("write_off"),
    ];
    let evaluate = (
        prop::sample::select(vec!["midterm", "final"]),
        prop::sample::select(vec![
            "95", "90", "85", "80", "75", "70", "65", "64", "62", "60", "55", "10",
        ]),
    );
    let what = prop_oneof![
        12 => (of_tranche, 0..3_usize).prop_map(|(verb, which)| Try::Tranche(verb, which)),
        3 => (of_project, -1..=AWARD).prop_map(|(verb, amount)| Try::Project(verb, amount)),
        2 => evaluate.prop_map(|(round, mark)| Try::Evaluate(round, mark)),
    ];
    // Three people at random, or, from 3 on, whose turn it is.
    (0..9_usize, what)
}

fn project_body(verb: &str, amount: i64) -> Value {
    match verb {
        "accept_spend" => json!({ "amount": amount }),
        "record_refund" => json!({ "amount": amount, "voucher": "退1" }),
        "close" | "confirm_recovery" => json!({}),
        "terminate" if amount % 2 == 0 => json!({ "ground": "fraud", "reason": "经核实" }),
        "terminate" => json!({ "ground": "deviation", "reason": "经核实" }),
        "recover" => json!({ "due_on": "2024-10-15" }),
        _ => because(),
    }
}

/// Whose turn it is with a tranche, or the person of that number.
fn person(people: &[Actor; 3], who: usize, what: Try) -> &Actor {
    let turn = match what {
        Try::Tranche("approve", _) => 1,
        Try::Tranche("pay", _) => 2,
        _ => 0,
    };
    people.get(who).unwrap_or(&people[turn])
}

/// Tries it; whether it happened.
fn attempt(play: &mut Play, project: Uuid, who: &Actor, what: Try) -> bool {
    match what {
        Try::Tranche(verb, which) => {
            let id = tranches(project)[which];
            let body = match verb {
                "pay" => payment(play, id),
                "request" | "approve" => json!({}),
                _ => because(),
            };
            play.ask(who, Kind::Tranche, id, verb, body).is_ok()
        }
        Try::Project(verb, amount) => {
            // No more than is owed, so that some debts are settled to the fen.
            let amount = match verb {
                "record_refund" => amount.min(owed(play, project)),
                _ => amount,
            };
            let body = project_body(verb, amount);
            play.ask(who, Kind::Project, project, verb, body).is_ok()
        }
        Try::Evaluate(round, mark) => {
            let id = play.fresh();
            let body = json!({ "project": project, "round": round });
            if play.ask(who, Kind::Evaluation, id, "open", body).is_err() {
                return false;
            }
            let panel = scored(play, project, round, mark);
            let body = json!({ "panel": panel });
            play.does(&staff(), Kind::Evaluation, id, "grade", body);
            play.does(&lead(), Kind::Evaluation, id, "publish", json!({}));
            true
        }
    }
}

fn owed(play: &Play, project: Uuid) -> i64 {
    let mut world = World::default();
    for id in tranches(project) {
        world.put(State::Tranche(play.get::<Tranche>(id).clone()));
    }
    project::outstanding(play.get::<Project>(project), &world).fen()
}

/// What holds after any history (`reliability.md` I36, I37, I39).
fn check(play: &Play, project: Uuid) -> Result<(), TestCaseError> {
    let record = play.get::<Project>(project);
    let (mut all, mut paid) = (0, 0);
    for id in tranches(project) {
        let one = play.get::<Tranche>(id);
        all += one.data.amount.fen();
        prop_assert!(one.data.amount.fen() > 0);
        if one.stage == tranche::Stage::Paid {
            paid += one.data.amount.fen();
            let hands = [
                one.data.requested_by,
                one.data.approved_by,
                one.data.paid_by,
            ];
            let people: BTreeSet<Uuid> = hands.into_iter().flatten().collect();
            prop_assert_eq!(people.len(), 3, "paid by {:?}", hands);
        }
    }
    prop_assert_eq!(all, AWARD, "every fen of the award is in one tranche");
    prop_assert!(paid <= AWARD);

    let data = &record.data;
    let fraud = data
        .termination
        .as_ref()
        .is_some_and(|end| end.ground == project::Ground::Fraud);
    let accepted = data.accepted_spend.filter(|_| !fraud).map_or(0, Money::fen);
    let owed = owed(play, project);
    prop_assert!(owed >= 0 && data.refunded.fen() <= paid);
    prop_assert_eq!(owed, paid - accepted - data.refunded.fen());
    if record.stage == project::Stage::Closed {
        prop_assert_eq!(owed, 0);
    }
    if matches!(
        record.stage,
        project::Stage::Closed | project::Stage::Terminated
    ) {
        for id in tranches(project) {
            prop_assert!(!tranche::OPEN.contains(&play.get::<Tranche>(id).stage));
        }
    }
    Ok(())
}

#[test]
fn whatever_is_tried_with_a_project_its_money_adds_up_and_three_people_paid_it() {
    let (start, project) = active();
    let people = [501, 502, 503].map(all_hands);
    let (payments, ends) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        cases: 32,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&prop::collection::vec(tries(), 100..250), |steps| {
        let mut play = start.clone();
        for (who, what) in steps {
            let before = play.stage(Kind::Project, project);
            let happened = attempt(&mut play, project, person(&people, who, what), what);
            if happened && matches!(what, Try::Tranche("request" | "approve" | "pay", _)) {
                let still = [
                    "suspended",
                    "terminated",
                    "closed",
                    "midterm_failed",
                    "final_failed",
                ];
                prop_assert!(!still.contains(&before), "{what:?} while {before}");
            }
            if happened && matches!(what, Try::Tranche("pay", _)) {
                payments.set(payments.get() + 1);
            }
            check(&play, project)?;
        }
        let end = play.stage(Kind::Project, project);
        if ["closed", "terminated", "recovered", "written_off"].contains(&end) {
            ends.set(ends.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // The walks reach what they are about.
    assert!(payments.get() > 10, "only {} payments", payments.get());
    assert!(ends.get() > 0, "only {} ends", ends.get());
}

#[test]
fn a_failed_evaluation_stops_payments_that_were_already_approved() {
    let (mut play, project) = active();
    let [first, ..] = tranches(project);
    play.does(&staff(), Kind::Tranche, first, "request", json!({}));
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    let id = opened(&mut play, project, "midterm");
    let panel = scored(&mut play, project, "midterm", "10");
    let body = json!({ "panel": panel });
    play.does(&staff(), Kind::Evaluation, id, "grade", body);
    play.does(&lead(), Kind::Evaluation, id, "publish", json!({}));
    assert_eq!(play.stage(Kind::Project, project), "midterm_failed");
    let body = payment(&play, first);
    assert_eq!(
        refused(&mut play, &finance(), first, "pay", body),
        "project_running"
    );
}
