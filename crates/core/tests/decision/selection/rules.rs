//! Rules that stand once scores are known, rules that are only tried, and the limits of the reserve.

use fundcycle_core::kinds::Kind;
use fundcycle_core::selection::Selection;
use fundcycle_scoring::Outcome;
use serde_json::{Value, json};

use super::{BY_LEAD, BY_STAFF, THREE, ask, computed, for_two};
use crate::play::{Bid, CYCLE, Play, applicant, application, bid, lead, staff, why};

#[test]
fn once_scores_are_seen_an_amendment_changes_nothing_that_turns_them_into_awards() {
    let mut play = Play::at_selection(THREE, for_two);
    let document = |play: &Play| {
        let policy = play.get::<fundcycle_core::cycle::Cycle>(CYCLE).data.policy;
        let policy = play.get::<fundcycle_core::policy::Policy>(policy.unwrap());
        serde_json::to_value(&policy.data.document).unwrap()
    };
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 4] = [
        ("/policy scores_seen", |policy| {
            policy["rounds"]["paper_review"]["weight"] = json!("0.5");
            policy["rounds"]["roadshow"]["weight"] = json!("0.5");
        }),
        ("/policy scores_seen", |policy| {
            policy["ranking"]["tie_breaks"] = json!([]);
        }),
        ("/policy scores_seen", |policy| {
            policy["selection"]["every_domain"] = json!({ "max": 1 });
        }),
        ("", |policy| policy["selection"]["budget"] = json!("30000")),
    ];
    for (fault, change) in changes {
        let mut changed = document(&play);
        change(&mut changed);
        let draft = play.fresh();
        let body = json!({ "document": changed, "reason": "更正" });
        play.does(&staff(), Kind::Policy, draft, "draft", body);
        let outcome = play.ask(
            &lead(),
            Kind::Cycle,
            CYCLE,
            "amend",
            json!({ "policy": draft }),
        );
        match outcome {
            Ok(_) => assert_eq!(fault, ""),
            refused => {
                let why = why(refused);
                assert!(why.contains(fault) && !fault.is_empty(), "{why}");
            }
        }
    }
}

#[test]
fn what_if_shows_who_would_move_and_changes_nothing() {
    let (mut play, id) = computed(THREE, for_two);
    ask(&mut play, BY_STAFF, id, "propose", json!({})).unwrap();
    ask(&mut play, BY_LEAD, id, "approve", json!({})).unwrap();
    let before = play.get::<Selection>(id).clone();
    let what_if = |change: Value| json!({ "what_if": change });
    for (change, fault) in [
        (json!({}), "/what_if nothing_differs"),
        (json!({ "budget": "20000" }), "/what_if nothing_differs"),
        (json!({ "weights": { "roadshow": "2" } }), "/what_if"),
    ] {
        let refused = ask(&mut play, BY_STAFF, id, "simulate", what_if(change)).unwrap_err();
        assert!(refused.starts_with(fault), "{refused}");
    }
    ask(
        &mut play,
        BY_LEAD,
        id,
        "simulate",
        what_if(json!({ "budget": "30000" })),
    )
    .unwrap();
    ask(
        &mut play,
        BY_STAFF,
        id,
        "simulate",
        what_if(json!({ "budget": "10000" })),
    )
    .unwrap();
    let after = play.get::<Selection>(id);
    let moved = |index: usize| {
        let simulation = &after.data.simulations[index];
        let moved = simulation.moved.iter();
        let moved: Vec<_> = moved
            .map(|one| (one.application, one.was.decision, one.becomes.decision))
            .collect();
        (simulation.funded, simulation.total.fen(), moved)
    };
    assert_eq!(
        moved(0),
        (
            3,
            3_000_000,
            vec![(application(2), Outcome::Reserve, Outcome::Funded)]
        )
    );
    assert_eq!(
        moved(1),
        (
            1,
            1_000_000,
            vec![(application(1), Outcome::Funded, Outcome::Reserve)]
        )
    );
    assert_eq!(after.stage, before.stage);
    assert_eq!(after.data.run, before.data.run);
    assert_eq!(after.data.approved_by, before.data.approved_by);
    ask(&mut play, BY_STAFF, id, "announce", json!({})).unwrap();
}

/// One domain may have three projects; the reserve holds a fourth of it before one of another.
#[test]
fn the_next_of_the_reserve_moves_up_unless_a_limit_or_a_reason_stands_against_it() {
    let other = |yuan, paper| Bid {
        domain: "扶贫济困",
        ..bid(yuan, paper, paper)
    };
    let four = [
        THREE[0],
        THREE[1],
        THREE[2],
        bid(10_000, "75", "75"),
        other(10_000, "70"),
    ];
    let (mut play, id) = Play::announced(&four, |policy| {
        policy["selection"]["budget"] = json!("30000");
        policy["selection"]["reserve"] = json!(5);
        policy["selection"]["every_domain"] = json!({});
        policy["selection"]["domain"] = json!({ "养老服务": { "max": 3 } });
    });
    let promote = |index: usize, over: Value| json!({ "application": application(index), "award": 1_000_000, "reason": "资金空出", "passed_over": over });
    let over = |index: usize, reason: &str| json!([{ "application": application(index), "reason": reason }]);
    play.amend("40000");
    // The domain has its three: nobody of it moves up, but the one after it does.
    assert_eq!(
        ask(&mut play, BY_LEAD, id, "promote", promote(3, json!([]))),
        Err("/application limit_reached".into())
    );
    ask(
        &mut play.clone(),
        BY_LEAD,
        id,
        "promote",
        promote(4, json!([])),
    )
    .unwrap();
    // The domain has two again: the fourth is next.
    let body = json!({ "reason": "放弃" });
    play.does(
        &applicant(0),
        Kind::Application,
        application(0),
        "withdraw",
        body,
    );
    for (body, fault) in [
        (promote(4, json!([])), "/passed_over not_next"),
        (promote(4, over(3, "")), "/passed_over/0/reason required"),
        (
            promote(3, over(4, "资质存疑")),
            "/passed_over/0/application not_before",
        ),
    ] {
        assert_eq!(
            ask(&mut play, BY_LEAD, id, "promote", body),
            Err(fault.into())
        );
    }
    let reasoned = promote(4, over(3, "申报单位列入异常名录"));
    ask(&mut play.clone(), BY_LEAD, id, "promote", reasoned).unwrap();
    ask(&mut play, BY_LEAD, id, "promote", promote(3, json!([]))).unwrap();
}
