//! Award letters and how they end.

use fundcycle_core::actor::Actor;
use fundcycle_core::award::{self, Award};
use fundcycle_core::kinds::Kind;
use fundcycle_core::project::{self, Ground, Project};
use fundcycle_core::selection::Selection;
use fundcycle_core::{engine::Fact, rejection::Rejection};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, LEAD, Play, applicant, application, lead, staff, why};
use crate::running::{
    AWARD, accepted, active, at_launch, because, issued, other_lead, pay, signed, tranches,
};

fn ask(
    play: &mut Play,
    actor: &Actor,
    id: Uuid,
    verb: &str,
    body: Value,
) -> Result<Vec<Fact>, Rejection> {
    play.ask(actor, Kind::Award, id, verb, body)
}

/// The selection that all applications went through.
fn selection(play: &Play) -> Uuid {
    let one = play.get::<fundcycle_core::application::Application>(application(2));
    one.data.selected.as_ref().unwrap().selection
}

#[test]
fn a_cleared_application_is_awarded_once_what_the_selection_gave_it() {
    let mut play = at_launch();
    let id = award::id_of(application(0));
    let letter =
        |index: usize, number: &str| json!({ "application": application(index), "letter": number });
    for (actor, body, refusal) in [
        (staff(), letter(0, "1"), "forbidden"),
        (lead(), letter(0, " "), "/letter required"),
        (lead(), letter(2, "1"), "/application not_cleared"),
        (
            lead(),
            letter(9, ""),
            "/letter required, /application not_cleared",
        ),
    ] {
        assert_eq!(why(ask(&mut play, &actor, id, "issue", body)), refusal);
    }
    issued(&mut play, 0);
    assert_eq!(play.stages(), ["awarded", "cleared", "reserve"]);
    let award = &play.get::<Award>(id).data;
    assert_eq!(award.amount.fen(), AWARD);
    assert_eq!(award.title, "项目0");
    assert_eq!(award.organisation_name, "组织0");
    assert_eq!(award.issued_by, Some(Uuid::from_u128(LEAD)));
    let again = ask(&mut play, &lead(), id, "issue", letter(0, "2"));
    assert_eq!(why(again), "not from issued");
}

#[test]
fn only_the_organisation_and_the_bureau_see_a_letter_and_only_the_bureau_who_sent_it() {
    let mut play = at_launch();
    let id = issued(&mut play, 0);
    let seen = play.view(&applicant(0), Kind::Award, id).unwrap();
    assert_eq!(seen["amount"], AWARD);
    assert!(!seen.contains_key("issued_by"));
    assert!(
        play.view(&staff(), Kind::Award, id)
            .unwrap()
            .contains_key("issued_by")
    );
    for stranger in [applicant(1), Actor::public()] {
        assert_eq!(play.view(&stranger, Kind::Award, id), None);
    }
    let refused = ask(&mut play, &applicant(1), id, "accept", json!({}));
    assert_eq!(why(refused), "not found");
}

#[test]
fn an_award_not_answered_lapses_after_ten_working_days_and_a_reserve_moves_up() {
    let mut play = at_launch();
    let id = issued(&mut play, 0);
    // Sunday the 29th is worked; 1 to 7 October are the national holiday.
    play.at("2024-10-09T23:59:59.999+08:00");
    assert_eq!(
        why(ask(&mut play, &staff(), id, "lapse", json!({}))),
        "overdue"
    );
    play.at("2024-10-10T00:00:00+08:00");
    assert_eq!(
        why(ask(&mut play, &applicant(0), id, "accept", json!({}))),
        "in_time"
    );
    ask(&mut play, &Actor::system(), id, "lapse", json!({})).unwrap();
    assert_eq!(play.stage(Kind::Award, id), "lapsed");
    assert_eq!(play.stages(), ["declined", "cleared", "reserve"]);

    let list = selection(&play);
    let cuts = json!([{ "line": 0, "amount": 100_000, "reason": "单价偏高" }]);
    let body =
        json!({ "application": application(2), "award": 300_000, "reason": "递补", "cuts": cuts });
    play.does(&lead(), Kind::Selection, list, "promote", body);
    assert_eq!(play.stages(), ["declined", "cleared", "proposed"]);
    assert_eq!(play.get::<Selection>(list).data.promotions.len(), 1);
}

#[test]
fn an_award_may_be_declined_with_a_reason_until_the_agreement_is_signed() {
    let mut play = at_launch();
    let id = issued(&mut play, 1);
    let blank = ask(
        &mut play,
        &applicant(1),
        id,
        "decline",
        json!({ "reason": "" }),
    );
    assert_eq!(why(blank), "/reason required");
    ask(&mut play, &applicant(1), id, "decline", because()).unwrap();
    assert_eq!(play.stages(), ["cleared", "declined", "reserve"]);

    let project = accepted(&mut play, 0);
    let id = award::id_of(application(0));
    ask(&mut play, &applicant(0), id, "decline", because()).unwrap();
    assert_eq!(play.stage(Kind::Project, project), "terminated");
    assert_eq!(play.stages(), ["declined", "declined", "reserve"]);

    let mut play = at_launch();
    signed(&mut play, 0);
    let refused = ask(&mut play, &applicant(0), id, "decline", because());
    assert_eq!(why(refused), "not_signed");
}

#[test]
fn an_award_whose_agreement_is_not_signed_in_time_lapses_with_its_project() {
    let mut play = at_launch();
    let project = accepted(&mut play, 0);
    let id = award::id_of(application(0));
    // Fifteen working days from the acceptance; Saturday 12 October is worked.
    play.at("2024-10-15T23:59:59.999+08:00");
    assert_eq!(
        why(ask(&mut play, &staff(), id, "lapse", json!({}))),
        "signing_overdue"
    );
    play.at("2024-10-16T00:00:00+08:00");
    ask(&mut play, &staff(), id, "lapse", json!({})).unwrap();
    assert_eq!(play.stages(), ["declined", "cleared", "reserve"]);
    let ended = play.get::<Project>(project);
    assert_eq!(ended.stage, project::Stage::Terminated);
    assert_eq!(
        ended.data.termination.as_ref().unwrap().ground,
        Ground::NotSigned
    );
}

#[test]
fn fraud_revokes_the_award_by_another_lead_and_all_that_was_paid_is_owed() {
    let mut play = at_launch();
    let project = signed(&mut play, 0);
    let [first, second, third] = tranches(project);
    pay(&mut play, first);
    let id = award::id_of(application(0));
    let refused = ask(&mut play, &lead(), id, "revoke", because());
    assert_eq!(why(refused), "other_lead");
    ask(&mut play, &other_lead(), id, "revoke", because()).unwrap();

    assert_eq!(play.stage(Kind::Award, id), "revoked");
    // The year is too far on for a reserve.
    assert_eq!(play.stages(), ["awarded", "cleared", "reserve"]);
    assert_eq!(play.stage(Kind::Project, project), "terminated");
    assert_eq!(play.stage(Kind::Tranche, first), "paid");
    for open in [second, third] {
        assert_eq!(play.stage(Kind::Tranche, open), "cancelled");
    }
    // What staff accept as spent does not count after fraud.
    let body = json!({ "amount": 100 });
    play.does(&staff(), Kind::Project, project, "accept_spend", body);
    let body = json!({ "due_on": "2024-10-15" });
    play.does(&staff(), Kind::Project, project, "recover", body);
    let demand = play.get::<Project>(project).data.demand.clone().unwrap();
    assert_eq!(demand.amount.fen(), 166_650);
}

#[test]
fn a_letter_that_was_not_answered_yet_can_be_revoked_too() {
    let mut play = at_launch();
    let id = issued(&mut play, 0);
    ask(&mut play, &other_lead(), id, "revoke", because()).unwrap();
    assert_eq!(play.stages(), ["declined", "cleared", "reserve"]);
}

#[test]
fn a_cycle_does_not_go_on_to_evaluation_while_awards_and_launches_are_open() {
    let mut play = at_launch();
    let open =
        |play: &mut Play| play.ask(&staff(), Kind::Cycle, CYCLE, "open_evaluation", json!({}));
    let id = issued(&mut play, 0);
    assert_eq!(why(open(&mut play)), "awards_answered");
    play.does(&applicant(0), Kind::Award, id, "accept", json!({}));
    assert_eq!(why(open(&mut play)), "projects_launched");
    play.does(&applicant(0), Kind::Award, id, "decline", because());
    open(&mut play).unwrap();
}

#[test]
fn what_led_to_a_running_project_replays_from_its_first_fact_on() {
    let (play, _) = active();
    assert_eq!(play.replayed(), play.states);
}
