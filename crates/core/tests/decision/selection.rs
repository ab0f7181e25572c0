//! From scores to an announced list, and back.

mod rules;

use fundcycle_core::actor::Role;
use fundcycle_core::application::Application;
use fundcycle_core::kinds::Kind;
use fundcycle_core::money::Money;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::selection::Selection;
use fundcycle_scoring::Outcome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    Bid, CYCLE, LEAD, OTHER_LEAD, OTHER_STAFF, Play, STAFF, applicant, application, bid, lead,
    official, staff, why,
};

const THREE: &[Bid] = &[
    bid(10_000, "90", "90"),
    bid(10_000, "85", "85"),
    bid(10_000, "80", "80"),
];

/// Money for two of three.
fn for_two(policy: &mut Value) {
    policy["selection"]["budget"] = json!("20000");
}

fn computed(bids: &[Bid], change: impl FnOnce(&mut Value)) -> (Play, Uuid) {
    let mut play = Play::at_selection(bids, change);
    let id = play.fresh();
    play.does(&staff(), Kind::Selection, id, "compute", json!({}));
    (play, id)
}

fn ask(
    play: &mut Play,
    who: (u128, Role),
    id: Uuid,
    verb: &str,
    body: Value,
) -> Result<(), String> {
    let outcome: Result<_, Rejection> =
        play.ask(&official(who.0, who.1), Kind::Selection, id, verb, body);
    outcome.map(|_| ()).map_err(|error| why::<()>(Err(error)))
}

/// What a selection says of bid `index`: decision, fen, place, the tie-break that decided.
fn line(play: &Play, id: Uuid, index: usize) -> (Outcome, i64, Option<u32>, Option<String>) {
    let line = play
        .get::<Selection>(id)
        .data
        .line(application(index))
        .unwrap();
    (
        line.decision,
        line.award.fen(),
        line.rank,
        line.decided_by.clone(),
    )
}

const BY_STAFF: (u128, Role) = (STAFF, Role::Staff);
const BY_LEAD: (u128, Role) = (LEAD, Role::Lead);
const BY_OTHER_LEAD: (u128, Role) = (OTHER_LEAD, Role::Lead);

#[test]
fn rounds_are_combined_unrounded_and_rounded_once() {
    // 0.4 × 80.01 + 0.6 × 80.04 = 32.004 + 48.024 = 80.028; rounded parts would give 80.02.
    let (play, id) = computed(&[bid(10_000, "80.01", "80.04")], |_| {});
    let run = &play.get::<Selection>(id).data.run;
    assert_eq!(run.inputs[0].score.to_string(), "80.03");
    assert_eq!(
        run.inputs_hash,
        fundcycle_core::digest::canonical_hash(&run.inputs)
    );
    assert_eq!((run.policy_number, run.policy_hash.len()), (1, 64));
}

#[test]
fn a_list_is_proposed_approved_by_somebody_else_and_known_to_all_at_once() {
    let (mut play, id) = computed(THREE, for_two);
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "announce", json!({})),
        Err("not from computed".into())
    );
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    assert_eq!(
        play.stages(),
        ["presented"; 3],
        "nothing is known before the announcement"
    );
    for (own, gate) in [
        ((STAFF, Role::Lead), "others_made_it"),
        ((STAFF, Role::Staff), "forbidden"),
    ] {
        assert_eq!(
            ask(&mut play, own, id, "approve", json!({})),
            Err(gate.into())
        );
    }
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    assert_eq!(play.stage(Kind::Selection, id), "approved");
    ask(&mut play, BY_STAFF, id, "announce", json!({})).unwrap();
    assert_eq!(play.stages(), ["proposed", "proposed", "reserve"]);
    let selected = play
        .get::<Application>(application(1))
        .data
        .selected
        .clone()
        .unwrap();
    assert_eq!(
        (selected.rank, selected.award),
        (Some(2), Money::from_fen(1_000_000))
    );
    let second = play.fresh();
    assert_eq!(
        ask(&mut play, BY_STAFF, second, "compute", json!({})),
        Err("none_pending".into())
    );
}

#[test]
fn as_many_different_leads_approve_as_the_policy_asks_for_and_none_after_it_went_back() {
    let (mut play, id) = computed(THREE, |policy| policy["selection_approvals"] = json!(2));
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    assert_eq!(play.stage(Kind::Selection, id), "proposed");
    let twice = ask(&mut play, BY_LEAD, id, "approve", json!({}));
    assert_eq!(twice, Err("not_approver".into()));
    ask(
        &mut play,
        BY_LEAD,
        id,
        "send_back",
        json!({ "reason": "再议" }),
    )
    .unwrap();
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    ask(&mut play, BY_OTHER_LEAD, id, "approve", json!({})).unwrap();
    assert_eq!(
        play.stage(Kind::Selection, id),
        "proposed",
        "the first approval is void"
    );
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    assert_eq!(play.stage(Kind::Selection, id), "approved");
}

#[test]
fn a_tie_at_the_money_line_is_decided_by_the_declared_tie_break_which_is_named() {
    let tied = [bid(10_000, "80", "80"), bid(9_000, "80", "80")];
    let (play, id) = computed(&tied, |policy| {
        policy["selection"]["budget"] = json!("10000");
    });
    let decided = Some("requested".to_owned());
    assert_eq!(
        line(&play, id, 1),
        (Outcome::Funded, 900_000, Some(1), decided.clone())
    );
    assert_eq!(line(&play, id, 0), (Outcome::Reserve, 0, Some(2), decided));
}

#[test]
fn a_tie_that_stands_at_the_money_line_waits_for_lots() {
    let tied = [bid(10_000, "80", "80"), bid(10_000, "80", "80")];
    let (mut play, id) = computed(&tied, |policy| {
        policy["selection"]["budget"] = json!("10000");
        policy["ranking"]["tie_breaks"] = json!([{ "by": "lots", "order": "lower" }]);
    });
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "propose", json!({})),
        Err("ties_decided".into())
    );
    let (first, second) = (application(0).to_string(), application(1).to_string());
    let stranger = application(7).to_string();
    let wrong = json!({ "lots": { first.as_str(): 1, second.as_str(): 1, stranger.as_str(): 2 } });
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "recompute", wrong),
        Err(format!(
            "/lots/{second} lot_twice, /lots/{stranger} not_a_candidate"
        ))
    );
    let lots = json!({ "lots": { first: 2, second: 1 } });
    ask(&mut play, BY_STAFF, id, "recompute", lots.clone()).unwrap();
    let by_lots = Some("lots".to_owned());
    assert_eq!(
        line(&play, id, 1),
        (Outcome::Funded, 1_000_000, Some(1), by_lots.clone())
    );
    assert_eq!(line(&play, id, 0), (Outcome::Reserve, 0, Some(2), by_lots));
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();

    let (mut other, id) = computed(&tied, |_| {});
    assert_eq!(
        ask(&mut other, BY_STAFF, id, "recompute", lots),
        Err("/lots not_declared".into())
    );
}

#[test]
fn a_minimum_of_a_domain_pulls_a_lower_rank_in() {
    let poor = Bid {
        domain: "扶贫济困",
        ..bid(10_000, "75", "75")
    };
    let (play, id) = computed(&[THREE[0], THREE[1], poor], for_two);
    let funded: Vec<Outcome> = (0..3).map(|index| line(&play, id, index).0).collect();
    assert_eq!(funded, [Outcome::Funded, Outcome::Reserve, Outcome::Funded]);
    assert_eq!(line(&play, id, 2).2, Some(3));
}

#[test]
fn the_ranking_is_departed_from_only_with_a_reason_and_within_the_money() {
    let (mut play, id) = computed(THREE, for_two);
    let change = |index: usize, decision: &str, award: i64, reason: &str| json!({ "application": application(index), "decision": decision, "award": award, "reason": reason });
    let faulty = json!({ "changes": [
        change(2, "funded", 1_000_001, ""),
        change(2, "reserve", 5, "理由"),
        change(8, "funded", 1, "理由"),
    ] });
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "depart", faulty),
        Err(
            "/changes/0/reason required, /changes/0/award award_out_of_range, \
             /changes/1/application twice, /changes/1/award not_funded, \
             /changes/2/application not_in_selection, /changes over_budget"
                .into()
        )
    );
    let third_too = json!({ "changes": [change(2, "funded", 1_000_000, "社区急需")] });
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "depart", third_too),
        Err("/changes over_budget".into())
    );
    let less = json!({ "changes": [
        change(1, "reserve", 0, "与上年项目重复"),
        change(2, "funded", 900_000, "社区急需"),
    ] });
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "depart", less.clone()),
        Err("/changes/1/cuts cuts_do_not_add_up".into())
    );
    let cut = |line: u32, amount: i64, reason: &str| json!({ "line": line, "amount": amount, "reason": reason });
    let with = |cuts: Value| {
        let mut changes = less.clone();
        changes["changes"][1]["cuts"] = cuts;
        changes
    };
    for (cuts, fault) in [
        (
            json!([cut(0, 100_001, "单价偏高")]),
            "/changes/1/cuts cuts_do_not_add_up",
        ),
        (
            json!([cut(0, 100_000, "")]),
            "/changes/1/cuts/0/reason required",
        ),
        (
            json!([cut(9, 100_000, "单价偏高")]),
            "/changes/1/cuts/0/line no_such_line",
        ),
        (
            json!([cut(0, 0, "单价偏高"), cut(0, 100_000, "单价偏高")]),
            "/changes/1/cuts/0/amount cut_out_of_range, /changes/1/cuts/1/line no_such_line",
        ),
    ] {
        assert_eq!(
            ask(&mut play, BY_STAFF, id, "depart", with(cuts)),
            Err(fault.into())
        );
    }
    let swapped = with(json!([cut(0, 100_000, "单价偏高")]));
    ask(&mut play, (OTHER_STAFF, Role::Staff), id, "depart", swapped).unwrap();
    assert_eq!(line(&play, id, 2).1, 900_000);
    assert!(
        play.get::<Selection>(id)
            .data
            .line(application(1))
            .unwrap()
            .departed
    );
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    let changed_it = (OTHER_STAFF, Role::Lead);
    assert_eq!(
        ask(&mut play, changed_it, id, "approve", json!({})),
        Err("others_made_it".into())
    );
}

#[test]
fn what_changes_after_the_computation_shuts_every_step_until_it_is_computed_again() {
    let (mut play, id) = computed(THREE, for_two);
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    let body = json!({ "reason": "人员变动" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "announce", json!({})),
        Err("inputs_hold".into())
    );
    ask(
        &mut play,
        BY_LEAD,
        id,
        "send_back",
        json!({ "reason": "有申报撤回" }),
    )
    .unwrap();
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "propose", json!({})),
        Err("inputs_hold".into())
    );
    ask(&mut play, BY_STAFF, id, "recompute", json!({})).unwrap();
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    ask(&mut play, BY_STAFF, id, "announce", json!({})).unwrap();
    assert_eq!(play.stages(), ["withdrawn", "proposed", "proposed"]);
}

#[test]
fn an_amendment_after_the_computation_asks_for_a_new_one_under_the_new_rules() {
    let (mut play, id) = computed(THREE, for_two);
    play.amend("30000");
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "propose", json!({})),
        Err("inputs_hold".into())
    );
    ask(&mut play, BY_STAFF, id, "recompute", json!({})).unwrap();
    assert_eq!(play.get::<Selection>(id).data.run.policy_number, 2);
    assert_eq!(line(&play, id, 2).0, Outcome::Funded);
}

#[test]
fn a_newer_computation_replaces_an_older_one() {
    let (mut play, old) = computed(THREE, for_two);
    let new = play.fresh();
    ask(&mut play, BY_STAFF, new, "compute", json!({})).unwrap();
    assert_eq!(play.stage(Kind::Selection, old), "superseded");
    assert_eq!(
        play.get::<Selection>(old).data.run,
        play.get::<Selection>(new).data.run
    );
}

#[test]
fn a_reserve_moves_up_only_into_free_money_and_never_above_its_request() {
    let (mut play, id) = Play::announced(THREE, for_two);
    let promote = |index: usize, award: i64| json!({ "application": application(index), "award": award, "reason": "资金空出" });
    assert_eq!(
        ask(&mut play, BY_LEAD, id, "promote", promote(2, 1_000_000)),
        Err("/award over_budget".into())
    );
    let body = json!({ "reason": "放弃" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    for (body, code) in [
        (
            promote(2, 1_000_001),
            "/award award_out_of_range, /award over_budget",
        ),
        (
            promote(2, 0),
            "/award award_out_of_range, /cuts cuts_do_not_add_up",
        ),
        (promote(1, 1_000_000), "/application not_in_reserve"),
        (promote(9, 1_000_000), "/application not_in_selection"),
    ] {
        assert_eq!(
            ask(&mut play, BY_LEAD, id, "promote", body),
            Err(code.into())
        );
    }
    ask(&mut play, BY_LEAD, id, "promote", promote(2, 1_000_000)).unwrap();
    assert_eq!(play.stages(), ["withdrawn", "proposed", "proposed"]);
    assert_eq!(play.get::<Selection>(id).data.promotions.len(), 1);
}

#[test]
fn an_announced_list_is_reverted_by_another_lead_before_the_notice_and_everything_steps_back() {
    let (mut play, id) = Play::announced(THREE, for_two);
    let notice = play.fresh();
    play.does(
        &staff(),
        Kind::Notice,
        notice,
        "prepare",
        json!({ "selection": id }),
    );
    let body = json!({ "reason": "计分有误" });
    assert_eq!(
        ask(&mut play, BY_LEAD, id, "revert", body.clone()),
        Err("not_approver".into())
    );
    ask(&mut play, BY_OTHER_LEAD, id, "revert", body).unwrap();
    assert_eq!(play.stages(), ["presented"; 3]);
    assert_eq!(play.get::<Application>(application(0)).data.selected, None);
    assert_eq!(play.stage(Kind::Notice, notice), "withdrawn");
    let again = play.fresh();
    ask(&mut play, BY_STAFF, again, "compute", json!({})).unwrap();
}

#[test]
fn a_list_that_was_on_notice_is_not_reverted() {
    let (mut play, _, id) = Play::on_notice(THREE, for_two);
    let outcome = ask(
        &mut play,
        BY_OTHER_LEAD,
        id,
        "revert",
        json!({ "reason": "计分有误" }),
    );
    assert_eq!(outcome, Err("not_on_notice".into()));
}

#[test]
fn without_a_roadshow_the_paper_review_decides() {
    let mut play = Play::begin(THREE, |policy| {
        policy["stages"]["roadshow"] = json!(false);
        policy["rounds"]["paper_review"]["weight"] = json!("1");
        policy["rounds"].as_object_mut().unwrap().remove("roadshow");
        policy["ranking"]["tie_breaks"] = json!([]);
        for_two(policy);
    });
    play.score("paper_review", |bid| bid.paper);
    play.does(&staff(), Kind::Cycle, CYCLE, "open_selection", json!({}));
    let id = play.fresh();
    ask(&mut play, BY_STAFF, id, "compute", json!({})).unwrap();
    assert_eq!(
        line(&play, id, 0),
        (Outcome::Funded, 1_000_000, Some(1), None)
    );
}

#[test]
fn a_selection_has_its_time_and_something_to_select_from() {
    let mut play = Play::at_roadshow(THREE, |_| {});
    let id = play.fresh();
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "compute", json!({})),
        Err("at_selection".into())
    );
    let mut play = Play::at_selection(&[THREE[0]], |_| {});
    let body = json!({ "reason": "放弃" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    assert_eq!(
        ask(&mut play, BY_STAFF, id, "compute", json!({})),
        Err(" nothing_to_select".into())
    );
    assert_eq!(
        why(play.ask(&lead(), Kind::Selection, id, "compute", json!({}))),
        "forbidden"
    );
}

#[test]
fn no_amendment_takes_back_money_that_is_promised() {
    let (mut play, _) = Play::announced(THREE, for_two);
    let (policy, outcome) = play.amends("19999.99");
    assert_eq!(why(outcome), "/policy under_awards");
    assert_eq!(play.stage(Kind::Policy, policy), "draft");
    play.amend("20000");
}
