//! Random lives of a project: whatever is tried, its money adds up and three people paid it.

use std::cell::Cell;
use std::collections::BTreeSet;

use fundcycle_core::actor::Actor;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::money::Money;
use fundcycle_core::project::{self, Project};
use fundcycle_core::tranche::{self, Tranche};
use fundcycle_core::world::World;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::money_flow::{all_hands, owed};
use crate::play::{Play, lead, staff};
use crate::running::{AWARD, active, because, payment, scored, tranches};

/// One thing that somebody tries with a project or one of its tranches.
#[derive(Clone, Copy, Debug)]
enum Try {
    Tranche(&'static str, usize),
    Project(&'static str, i64),
    Evaluate(&'static str, &'static str),
}

fn tries() -> impl Strategy<Value = (usize, Try)> {
    let of_tranche = prop_oneof![
        40 => Just("request"), 20 => Just("request_part"), 60 => Just("approve"), 60 => Just("pay"),
        1 => Just("return_request"), 1 => Just("withhold"), 8 => Just("release_hold"), 1 => Just("cancel"),
        2 => Just("reduce"),
    ];
    let of_project = prop_oneof![
        4 => Just("suspend"), 20 => Just("resume"), 12 => Just("accept_spend"), 8 => Just("record_refund"),
        8 => Just("close"), 1 => Just("terminate"), 8 => Just("recover"), 4 => Just("confirm_recovery"),
        1 => Just("propose_write_off"), 1 => Just("write_off"),
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
        Try::Tranche("approve", _) | Try::Project("write_off", _) => 1,
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
            // An odd part of what is left, so that rests do not come out even.
            let part = play.get::<Tranche>(id).data.left().fen() / 3;
            let (verb, body) = match verb {
                "request_part" => ("request", json!({ "amount": part })),
                "reduce" => ("reduce", json!({ "amount": part, "reason": "经核实" })),
                _ => (verb, Value::Null),
            };
            let body = match verb {
                _ if !body.is_null() => body,
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

/// What holds after any history (`reliability.md` I36, I37, I39).
fn check(play: &Play, project: Uuid) -> Result<(), TestCaseError> {
    let record = play.get::<Project>(project);
    let (mut all, mut paid, mut withheld, mut cancelled) = (0, 0, 0, 0);
    let mut world = World::default();
    for id in tranches(project) {
        let one = play.get::<Tranche>(id);
        world.put(State::Tranche(one.clone()));
        let (data, left) = (&one.data, one.data.left().fen());
        all += data.amount.fen();
        paid += data.paid.fen();
        cancelled += data.cancelled.fen();
        prop_assert!(data.amount.fen() > 0 && data.paid.fen() >= 0 && data.cancelled.fen() >= 0);
        prop_assert_eq!(
            left,
            (data.amount.fen() - data.paid.fen()) - data.cancelled.fen()
        );
        prop_assert_eq!(left > 0, tranche::OPEN.contains(&one.stage), "{:?}", one);
        if one.stage == tranche::Stage::Withheld {
            withheld += left;
        }
        for payment in &data.payments {
            let hands = [payment.requested_by, payment.approved_by, payment.paid_by];
            let people: BTreeSet<Uuid> = hands.into_iter().flatten().collect();
            prop_assert_eq!(people.len(), 3, "paid by {:?}", hands);
        }
    }
    let balance = project::balance(record, &world).unwrap();
    let parts = [
        balance.paid,
        balance.withheld,
        balance.cancelled,
        balance.remaining,
    ];
    prop_assert_eq!(parts.map(Money::fen).iter().sum::<i64>(), AWARD);
    prop_assert_eq!(
        parts.map(Money::fen),
        [
            paid,
            withheld,
            cancelled,
            AWARD - paid - withheld - cancelled
        ]
    );
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
            if happened
                && matches!(
                    what,
                    Try::Tranche("request" | "request_part" | "approve" | "pay", _)
                )
            {
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
