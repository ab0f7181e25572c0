//! Members of a panel who are drawn by lots, and the substitutes who replace them.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Actor;
use fundcycle_core::digest::from_hex;
use fundcycle_core::expert::id_of;
use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::{MembersDraw, Panel, drawn_by};
use fundcycle_core::rejection::Rejection;
use fundcycle_scoring::commitment;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Bid, EXPERT, Play, application, bid, lead, organisation, staff, why};

const TWO: &[Bid] = &[bid(10_000, "80", "80"), bid(10_000, "81", "81")];
const SEED: &str = "00112233445566778899aabbccddeeff";

fn person(index: usize) -> Uuid {
    Uuid::from_u128(700 + index as u128)
}

/// Eight experts beside the one of every play: two of finance, and one of all with an interest.
fn forming(change: impl FnOnce(&mut Value)) -> (Play, Uuid) {
    let mut play = Play::begin(TWO, change);
    for index in 0..8 {
        let account = person(index);
        play.does(&Actor::system(), Kind::Account, account, "open", json!({}));
        let category = if index < 2 { "finance" } else { "practice" };
        let profile = json!({ "name": format!("专家{index}"), "category": category });
        let body = json!({ "account": account, "profile": profile });
        play.does(&staff(), Kind::Expert, id_of(account), "invite", body);
        let own = Actor::account(account, BTreeSet::new());
        let body = json!({ "pledge": true });
        play.does(&own, Kind::Expert, id_of(account), "accept", body);
    }
    let body = json!({ "organisations": [organisation(0)], "ground": "理事" });
    let id = id_of(person(7));
    play.does(&staff(), Kind::Expert, id, "declare_conflicts", body);
    let id = form(&mut play);
    (play, id)
}

fn form(play: &mut Play) -> Uuid {
    let id = play.fresh();
    let body = json!({ "round": "paper_review", "experts": [] });
    play.does(&staff(), Kind::Panel, id, "form", body);
    id
}

/// Three seats, one of them for finance, and two substitutes.
fn rules() -> Value {
    json!({ "seats": 3, "at_least": { "finance": 1 }, "substitutes": 2 })
}

fn asked() -> Value {
    let excluded = json!({ Uuid::from_u128(EXPERT).to_string(): "上届连任" });
    let commitment = commitment(&from_hex(SEED).unwrap());
    json!({ "rules": rules(), "excluded": excluded, "commitment": commitment })
}

fn ask(play: &mut Play, who: &Actor, id: Uuid, verb: &str, body: Value) -> Result<(), Rejection> {
    play.ask(who, Kind::Panel, id, verb, body).map(|_| ())
}

fn last(play: &Play, id: Uuid) -> MembersDraw {
    play.get::<Panel>(id).data.draws.last().unwrap().clone()
}

/// A panel whose members are drawn.
fn drawn() -> (Play, Uuid) {
    let (mut play, id) = forming(|_| {});
    play.does(&staff(), Kind::Panel, id, "commit_draw", asked());
    let body = json!({ "seed": SEED });
    play.does(&staff(), Kind::Panel, id, "draw_members", body);
    (play, id)
}

#[test]
fn the_pool_is_fixed_with_who_is_left_out_and_why_before_the_seed_is_known() {
    let (mut play, id) = forming(|_| {});
    play.does(&staff(), Kind::Panel, id, "commit_draw", asked());
    let fixed = last(&play, id);
    let pool: BTreeSet<Uuid> = fixed.pool.keys().copied().collect();
    assert_eq!(pool, (0..7).map(person).collect());
    assert_eq!(fixed.pool[&person(0)], "finance");
    assert_eq!(fixed.conflicted, BTreeSet::from([person(7)]));
    assert_eq!(fixed.excluded[&Uuid::from_u128(EXPERT)], "上届连任");
    assert_eq!(fixed.drawn, None);

    // Who comes in, or changes category, later makes no difference.
    let body = json!({ "profile": { "name": "专家0", "category": "practice" } });
    play.does(&staff(), Kind::Expert, id_of(person(0)), "amend", body);
    let other = json!({ "seed": "ff112233445566778899aabbccddeeff" });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "draw_members", other)),
        "/seed not_committed"
    );
    play.does(
        &staff(),
        Kind::Panel,
        id,
        "draw_members",
        json!({ "seed": SEED }),
    );
    assert_eq!(last(&play, id).pool, fixed.pool);
}

#[test]
fn a_draw_is_recomputed_from_what_is_recorded_and_seats_the_members() {
    let (play, id) = drawn();
    let draw = last(&play, id);
    let result = draw.drawn.clone().unwrap();
    let again = drawn_by(&draw.rules, &draw.pool, &from_hex(SEED).unwrap()).unwrap();
    assert_eq!(result, again);
    assert_eq!((result.members.len(), result.substitutes.len()), (3, 2));
    let order: BTreeSet<&Uuid> = result.order.iter().collect();
    assert_eq!(order, draw.pool.keys().collect());
    let finance = result
        .members
        .iter()
        .filter(|one| draw.pool[*one] == "finance");
    assert!(1 <= finance.count());
    let panel = &play.get::<Panel>(id).data;
    assert_eq!(panel.experts, result.members.iter().copied().collect());
}

#[test]
fn a_second_draw_takes_a_lead_and_a_reason_and_hides_nothing() {
    let (mut play, id) = drawn();
    let first = last(&play, id);
    assert_eq!(
        why(ask(&mut play, &staff(), id, "commit_draw", asked())),
        "first_draw"
    );
    assert_eq!(
        why(ask(
            &mut play,
            &staff(),
            id,
            "draw_members",
            json!({ "seed": SEED })
        )),
        "draw_committed"
    );
    // Nor in another panel of the round, once the first is given up.
    play.does(&staff(), Kind::Panel, id, "dissolve", json!({}));
    let second = form(&mut play);
    assert_eq!(
        why(ask(&mut play, &staff(), second, "commit_draw", asked())),
        "first_draw"
    );
    assert_eq!(
        why(ask(&mut play, &lead(), second, "commit_draw", asked())),
        "/reason required"
    );
    let mut again = asked();
    again["reason"] = json!("首次名单遗漏两名专家");
    play.does(&lead(), Kind::Panel, second, "commit_draw", again);
    assert_eq!(play.get::<Panel>(id).data.draws, [first]);
    let (mut play, id) = forming(|_| {});
    assert_eq!(
        why(ask(&mut play, &lead(), id, "commit_draw", asked())),
        "drawn_before"
    );
}

#[test]
fn who_does_not_take_part_is_replaced_by_the_next_who_can() {
    let (mut play, id) = drawn();
    let before = last(&play, id).drawn.unwrap();
    let leaves = before.members[0];
    let other = json!({ "experts": [person(0), person(1)] });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "change_members", other)),
        "/experts drawn"
    );
    let body = json!({ "expert": person(7), "reason": "生病" });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "substitute", body)),
        "/expert not_seated"
    );
    let body =
        json!({ "expert": leaves, "reason": " ", "refused": { person(7).to_string(): "出差" } });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "substitute", body)),
        format!("/reason required, /refused/{} not_a_substitute", person(7))
    );

    let chair = json!({ "experts": before.members, "chair": leaves });
    play.does(&staff(), Kind::Panel, id, "change_members", chair);
    let refused: BTreeMap<Uuid, &str> = BTreeMap::from([(before.substitutes[0], "出差")]);
    let body = json!({ "expert": leaves, "reason": "生病", "refused": refused });
    play.does(&staff(), Kind::Panel, id, "substitute", body);
    let after = last(&play, id).drawn.unwrap();
    assert_eq!(
        after.members,
        [&before.substitutes[1..], &before.members[1..]].concat()
    );
    assert!(after.substitutes.is_empty());
    let recorded = &after.substitutions[0];
    assert_eq!(
        (recorded.leaves, recorded.joins),
        (leaves, before.substitutes[1])
    );
    assert_eq!(
        (recorded.reason.as_str(), recorded.refused.len()),
        ("生病", 1)
    );
    let panel = &play.get::<Panel>(id).data;
    assert_eq!(panel.experts, after.members.iter().copied().collect());
    assert_eq!(panel.chair, None, "the chair left");
    let body = json!({ "expert": after.members[0], "reason": "生病" });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "substitute", body)),
        "/expert no_substitute"
    );
    // Nobody is left to ask: the bureau names somebody.
    let body = json!({ "experts": [after.members[1], after.members[2], person(6)] });
    ask(&mut play, &staff(), id, "change_members", body).unwrap();
}

#[test]
fn a_member_with_sheets_stays_until_they_are_void() {
    let (mut play, id) = drawn();
    let members = last(&play, id).drawn.unwrap().members;
    let pairs = json!({ "pairs": [{ "expert": members[0], "subject": application(1) }] });
    play.does(&staff(), Kind::Panel, id, "assign", pairs);
    let body = json!({ "expert": members[0], "reason": "生病" });
    assert_eq!(
        why(ask(&mut play, &staff(), id, "substitute", body)),
        "/experts has_sheets"
    );
}

#[test]
fn rules_that_cannot_be_met_are_refused_before_anything_is_fixed() {
    let (mut play, id) = forming(|_| {});
    for (rules, fault) in [
        (json!({ "seats": 0 }), "/rules/seats not_positive"),
        (json!({ "seats": 8 }), "/rules/seats too_few_experts"),
        (
            json!({ "seats": 5, "at_least": { "finance": 3 } }),
            "/rules/at_least/finance too_few_experts",
        ),
        (
            json!({ "seats": 1, "at_least": { "finance": 2 } }),
            "/rules/seats too_few_seats",
        ),
    ] {
        let mut body = asked();
        body["rules"] = rules;
        assert_eq!(
            why(ask(&mut play, &staff(), id, "commit_draw", body)),
            fault
        );
    }
    let mut body = asked();
    body["commitment"] = json!("abc");
    body["excluded"][person(99).to_string()] = json!("外地");
    assert_eq!(
        why(ask(&mut play, &staff(), id, "commit_draw", body)),
        format!(
            "/commitment not_a_digest, /excluded/{} not_active",
            person(99)
        )
    );
    let mut body = asked();
    body["rules"]["seats"] = json!(8);
    body["conflicted_may_sit"] = json!(true);
    ask(&mut play, &staff(), id, "commit_draw", body).unwrap();
}

#[test]
fn where_the_round_weighs_groups_the_category_is_the_group() {
    let (mut play, id) = forming(|policy| {
        let rule =
            json!({ "method": "weighted_mean", "groups": { "practice": "7", "finance": "3" } });
        policy["rounds"]["paper_review"]["aggregation"] = rule;
    });
    let mut body = asked();
    body["excluded"] = json!({});
    let person_of_the_play = Uuid::from_u128(EXPERT);
    assert_eq!(
        why(ask(&mut play, &staff(), id, "commit_draw", body)),
        format!("/excluded/{person_of_the_play} no_such_group")
    );
    play.does(&staff(), Kind::Panel, id, "commit_draw", asked());
    play.does(
        &staff(),
        Kind::Panel,
        id,
        "draw_members",
        json!({ "seed": SEED }),
    );
    let (draw, panel) = (last(&play, id), &play.get::<Panel>(id).data);
    let expected: BTreeMap<Uuid, String> = panel
        .experts
        .iter()
        .map(|one| (*one, draw.pool[one].clone()))
        .collect();
    assert_eq!(panel.groups, expected);
    let leaves = draw.drawn.unwrap().members[1];
    let body = json!({ "expert": leaves, "reason": "生病" });
    play.does(&staff(), Kind::Panel, id, "substitute", body);
    let panel = &play.get::<Panel>(id).data;
    let seated: BTreeSet<&Uuid> = panel.groups.keys().collect();
    assert_eq!(seated, panel.experts.iter().collect());
}
