//! Tranches: whose hands they pass through, what they wait for, and that no fen is lost.

use std::collections::BTreeSet;

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
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, Play, applicant, lead, staff, why};
use crate::running::{
    AWARD, active, active_in, at_launch, bank_account, because, evaluated, finance, opened,
    other_lead, pay, payment, scored, signed, tranches, with_policy,
};

fn refused(play: &mut Play, actor: &Actor, tranche: Uuid, verb: &str, body: Value) -> String {
    why(play.ask(actor, Kind::Tranche, tranche, verb, body))
}

/// Somebody who holds all three roles of the money.
pub(crate) fn all_hands(account: u128) -> Actor {
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
        viewer: fundcycle_core::visibility::Viewer::new(finance()),
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

#[test]
fn a_tranche_is_paid_in_parts_cut_and_withheld_and_no_fen_is_lost() {
    let mut play = at_launch();
    let [first, ..] = tranches(signed(&mut play, 0));
    let ask = |amount: i64| json!({ "amount": amount });
    for amount in [0, -1, 166_651] {
        let why = refused(&mut play, &staff(), first, "request", ask(amount));
        assert_eq!(why, "/amount range");
    }
    play.does(&staff(), Kind::Tranche, first, "request", ask(66_650));
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    let all = json!({ "amount": 166_650, "voucher": "凭证-1", "paid_on": "2024-09-19" });
    let why = refused(&mut play, &finance(), first, "pay", all);
    assert_eq!(why, "/amount amount");
    let body = payment(&play, first);
    play.does(&finance(), Kind::Tranche, first, "pay", body);
    assert_eq!(play.stage(Kind::Tranche, first), "planned");

    let cut = |amount: i64| json!({ "amount": amount, "reason": "场次减少" });
    for amount in [0, 100_000] {
        let why = refused(&mut play, &lead(), first, "reduce", cut(amount));
        assert_eq!(why, "/amount range");
    }
    play.does(&lead(), Kind::Tranche, first, "reduce", cut(30_000));
    play.does(&lead(), Kind::Tranche, first, "withhold", because());
    let data = &play.get::<Tranche>(first).data;
    assert_eq!(
        (data.paid.fen(), data.cancelled.fen(), data.left().fen()),
        (66_650, 30_000, 70_000)
    );
    play.does(&lead(), Kind::Tranche, first, "release_hold", because());
    pay(&mut play, first);
    assert_eq!(play.stage(Kind::Tranche, first), "paid");
    let data = &play.get::<Tranche>(first).data;
    let payments: Vec<i64> = data.payments.iter().map(|one| one.amount.fen()).collect();
    assert_eq!(payments, [66_650, 70_000]);
    assert_eq!((data.paid.fen(), data.left().fen()), (136_650, 0));
}

#[test]
fn what_is_left_of_a_half_paid_tranche_is_cancelled_with_its_project() {
    let mut play = at_launch();
    let project = signed(&mut play, 0);
    let [first, ..] = tranches(project);
    play.does(
        &staff(),
        Kind::Tranche,
        first,
        "request",
        json!({ "amount": 100 }),
    );
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    let body = payment(&play, first);
    play.does(&finance(), Kind::Tranche, first, "pay", body);
    let ground = json!({ "ground": "deviation", "reason": "经核实" });
    play.does(&lead(), Kind::Project, project, "terminate", ground);
    let data = &play.get::<Tranche>(first).data;
    assert_eq!((data.paid.fen(), data.cancelled.fen()), (100, 166_550));
    assert_eq!(owed(&play, project), 100);
}

/// The reference cycle's tranches, each asking for more than its stage of the project.
fn demanding() -> Play {
    with_policy(|policy| {
        policy["tranches"][0]["needs"] = json!({ "bank_account": true, "invoice": true });
        policy["tranches"][1]["needs"] =
            json!({ "report": "midterm_self_report", "least_grade": "良好" });
    })
}

#[test]
fn a_payment_waits_for_a_checked_bank_account_in_the_name_of_the_organisation() {
    let mut play = demanding();
    let project = signed(&mut play, 0);
    let [first, ..] = tranches(project);
    let invoice = json!({ "invoice": "苏财票-1" });
    assert_eq!(
        refused(&mut play, &staff(), first, "request", invoice.clone()),
        "bank_account_checked"
    );
    let mut other = bank_account(1);
    other["bank_account"]["number"] = json!("12-34");
    let why = why(play.ask(
        &applicant(0),
        Kind::Project,
        project,
        "give_bank_account",
        other,
    ));
    assert_eq!(
        why,
        "/bank_account/holder other_holder, /bank_account/number number"
    );
    let give = |play: &mut Play| {
        play.does(
            &applicant(0),
            Kind::Project,
            project,
            "give_bank_account",
            bank_account(0),
        );
    };
    give(&mut play);
    assert_eq!(
        refused(&mut play, &staff(), first, "request", invoice.clone()),
        "bank_account_checked"
    );
    play.does(
        &finance(),
        Kind::Project,
        project,
        "check_bank_account",
        json!({}),
    );
    assert_eq!(
        refused(&mut play, &staff(), first, "request", json!({})),
        "/invoice required"
    );
    play.does(&staff(), Kind::Tranche, first, "request", invoice);
    play.does(&lead(), Kind::Tranche, first, "approve", json!({}));
    // It changes while the payment is under way (`reliability.md` I38).
    give(&mut play);
    let body = payment(&play, first);
    assert_eq!(
        refused(&mut play, &finance(), first, "pay", body.clone()),
        "bank_account_checked"
    );
    play.does(
        &finance(),
        Kind::Project,
        project,
        "check_bank_account",
        json!({}),
    );
    play.does(&finance(), Kind::Tranche, first, "pay", body);
    let seen = play.view(&applicant(0), Kind::Project, project).unwrap();
    assert_eq!(seen["bank_account_masked"], "6222********1234");
    assert_eq!(seen.get("bank_account"), None);
}

#[test]
fn a_payment_waits_for_the_report_and_the_grade_that_it_asks_for() {
    let mut play = demanding();
    let project = active_in(&mut play);
    let [_, second, _] = tranches(project);
    evaluated(&mut play, project, "midterm", "74.99");
    assert_eq!(
        refused(&mut play, &staff(), second, "request", json!({})),
        "grade_reached, report_accepted"
    );
    let report = play.fresh();
    let asked = json!({ "project": project, "occasion": "midterm_self_report" });
    play.does(&staff(), Kind::Report, report, "request", asked);
    let body = json!({ "body": { "text": "已开展活动", "reached": { "服务人次": 300 } } });
    play.does(&applicant(0), Kind::Report, report, "save", body);
    play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
    play.does(&staff(), Kind::Report, report, "accept", json!({}));
    assert_eq!(
        refused(&mut play, &staff(), second, "request", json!({})),
        "grade_reached"
    );

    let mut play = demanding();
    let project = active_in(&mut play);
    let [_, second, _] = tranches(project);
    evaluated(&mut play, project, "midterm", "75");
    assert_eq!(
        refused(&mut play, &staff(), second, "request", json!({})),
        "report_accepted"
    );
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

pub(crate) fn owed(play: &Play, project: Uuid) -> i64 {
    let mut world = World::default();
    for id in tranches(project) {
        world.put(State::Tranche(play.get::<Tranche>(id).clone()));
    }
    project::outstanding(play.get::<Project>(project), &world).fen()
}
