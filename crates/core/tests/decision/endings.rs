//! How projects are stopped: heard first, banned after, reminded and written off by two people.

use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::project::Project;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Play, applicant, application, lead, organisation, staff, why};
use crate::running::{active, active_in, because, finance, other_lead, pay, tranches, with_policy};

fn strict(policy: &mut Value) {
    policy["termination"] = json!({
        "hearing_working_days": 5, "demand_working_days": 15,
        "ban_days": { "deviation": 365, "fraud": 1095 },
    });
}

fn ground(ground: &str) -> Value {
    json!({ "ground": ground, "reason": "经核实" })
}

fn refused(play: &mut Play, project: Uuid, ground: Value) -> String {
    why(play.ask(&lead(), Kind::Project, project, "terminate", ground))
}

#[test]
fn an_organisation_is_heard_on_the_ground_before_its_project_is_stopped() {
    let mut play = with_policy(strict);
    let project = active_in(&mut play);
    let answer = json!({ "statement": "情况属实,已整改" });
    let unasked = play.ask(
        &applicant(0),
        Kind::Project,
        project,
        "be_heard",
        answer.clone(),
    );
    assert_eq!(why(unasked), "hearing_open");
    assert_eq!(
        refused(&mut play, project, ground("deviation")),
        "/ground not_heard"
    );
    play.does(
        &staff(),
        Kind::Project,
        project,
        "announce_termination",
        ground("deviation"),
    );
    assert_eq!(
        refused(&mut play, project, ground("deviation")),
        "/ground not_heard"
    );

    // It answers, or lets five working days from 19 September pass.
    let mut silent = play.clone();
    play.does(&applicant(0), Kind::Project, project, "be_heard", answer);
    assert_eq!(
        refused(&mut play, project, ground("fraud")),
        "/ground not_heard"
    );
    play.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("deviation"),
    );
    silent.at("2024-09-26T23:59:59.999+08:00");
    assert_eq!(
        refused(&mut silent, project, ground("deviation")),
        "/ground not_heard"
    );
    silent.at("2024-09-27T00:00:00+08:00");
    silent.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("deviation"),
    );

    let mut own = with_policy(strict);
    let project = active_in(&mut own);
    own.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("own_request"),
    );
    let data = &own.get::<Organisation>(organisation(0)).data;
    assert_eq!(data.banned_until, None, "no ban without a ground for it");
}

#[test]
fn a_stopped_project_bans_its_organisation_from_the_next_call_and_a_longer_ban_stays() {
    let mut play = with_policy(|policy| {
        strict(policy);
        policy["termination"]["hearing_working_days"] = json!(0);
    });
    let project = active_in(&mut play);
    let mut longer = play.clone();
    play.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("deviation"),
    );
    let banned = play.get::<Organisation>(organisation(0));
    assert_eq!(banned.stage.to_string(), "banned");
    let until = banned.data.banned_until.unwrap().to_string();
    assert_eq!(until, "2025-09-19T15:59:59.999Z");
    assert_eq!(banned.data.banned_because.as_deref(), Some("经核实"));
    // What it would submit next is refused by the same register.
    let form = play.states[&(Kind::Application, application(0))].data()["form"].clone();
    let id = play.fresh();
    let body = json!({ "organisation": organisation(0), "form": form });
    let next = play.ask(&applicant(0), Kind::Application, id, "create", body);
    assert!(next.is_err());
    assert!(banned_now(&play));

    let body = json!({ "until": "2027-01-01T00:00:00+08:00", "reason": "失信" });
    longer.does(
        &other_lead(),
        Kind::Organisation,
        organisation(0),
        "ban",
        body,
    );
    longer.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("deviation"),
    );
    let data = &longer.get::<Organisation>(organisation(0)).data;
    assert_eq!(data.banned_because.as_deref(), Some("失信"));
}

fn banned_now(play: &Play) -> bool {
    play.get::<Organisation>(organisation(0))
        .data
        .is_banned(play.now)
}

#[test]
fn a_demand_has_a_deadline_a_reminder_and_an_end_that_two_people_agree_on() {
    let (mut play, project) = active();
    let [first, ..] = tranches(project);
    pay(&mut play, first);
    play.does(
        &lead(),
        Kind::Project,
        project,
        "terminate",
        ground("deviation"),
    );
    play.does(&staff(), Kind::Project, project, "recover", json!({}));
    let demand = play.get::<Project>(project).data.demand.clone().unwrap();
    // Fifteen working days from 19 September 2024, across the National Day holidays.
    assert_eq!(
        (demand.amount.fen(), demand.due_on.to_string().as_str()),
        (166_650, "2024-10-15")
    );
    play.at("2024-10-15T23:59:59.999+08:00");
    let early = play.ask(&staff(), Kind::Project, project, "remind_demand", json!({}));
    assert_eq!(why(early), "demand_overdue");
    play.at("2024-10-16T00:00:00+08:00");
    play.does(&staff(), Kind::Project, project, "remind_demand", json!({}));
    let again = play.ask(&staff(), Kind::Project, project, "remind_demand", json!({}));
    assert_eq!(why(again), "demand_overdue");

    let refund = json!({ "amount": 66_650, "voucher": "退-1" });
    play.does(&finance(), Kind::Project, project, "record_refund", refund);
    let alone = play.ask(&lead(), Kind::Project, project, "write_off", because());
    assert_eq!(why(alone), "write_off_proposed");
    play.does(
        &staff(),
        Kind::Project,
        project,
        "propose_write_off",
        because(),
    );
    play.does(&lead(), Kind::Project, project, "write_off", because());
    let data = &play.get::<Project>(project).data;
    assert_eq!(
        (data.refunded.fen(), data.written_off.fen()),
        (66_650, 100_000)
    );
}
