//! Rubrics have versions, and are frozen once a sheet is scored against them.

use fundcycle_core::cycle::Cycle;
use fundcycle_core::kinds::Kind;
use fundcycle_core::policy::Policy;
use fundcycle_core::rejection::Rejection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{Bid, CYCLE, EXPERT, Play, application, bid, expert, lead, staff, why};

const ONE: &[Bid] = &[bid(10_000, "80", "80")];

/// Drafts an amendment that lets marks go up to `max`; gives the draft.
fn amendment(play: &mut Play, max: u32, version: u32) -> Result<Uuid, Rejection> {
    let policy = play.get::<Cycle>(CYCLE).data.policy.unwrap();
    let mut document = serde_json::to_value(&play.get::<Policy>(policy).data.document).unwrap();
    let rubric = &mut document["rounds"]["paper_review"]["rubric"];
    rubric["criteria"][0]["max"] = json!(max.to_string());
    rubric["version"] = json!(version);
    let draft = play.fresh();
    let body = json!({ "document": document, "reason": "调整分值" });
    play.ask(&staff(), Kind::Policy, draft, "draft", body)?;
    Ok(draft)
}

fn put_in_force(play: &mut Play, draft: Uuid) -> Result<(), Rejection> {
    let body = json!({ "policy": draft });
    play.ask(&lead(), Kind::Cycle, CYCLE, "amend", body)
        .map(|_| ())
}

/// A sheet of the paper review with a mark.
fn scored(play: &mut Play, panel: Uuid) -> Uuid {
    let person = Uuid::from_u128(EXPERT);
    let body = json!({ "round": "paper_review", "experts": [person] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let pairs = json!({ "pairs": [{ "expert": person, "subject": application(0) }] });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", pairs);
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    let sheet = facts
        .iter()
        .find(|fact| fact.kind == Kind::Sheet)
        .unwrap()
        .id;
    let body: Value = json!({ "marks": { "scores": { "need": "80" } } });
    play.does(&expert(), Kind::Sheet, sheet, "save", body);
    sheet
}

#[test]
fn a_rubric_that_changes_needs_a_higher_version() {
    let mut play = Play::begin(ONE, |_| {});
    assert_eq!(
        why(amendment(&mut play, 120, 1)),
        "/document/rounds/paper_review/rubric/version same_version"
    );
    let draft = amendment(&mut play, 120, 2).unwrap();
    let rival = amendment(&mut play, 130, 2).unwrap();
    put_in_force(&mut play, draft).unwrap();
    // It was a higher version when it was drafted.
    assert_eq!(why(put_in_force(&mut play, rival)), "/policy same_version");
}

#[test]
fn a_rubric_is_frozen_while_sheets_were_scored_against_it() {
    let mut play = Play::begin(ONE, |_| {});
    let draft = amendment(&mut play, 120, 2).unwrap();
    let panel = play.fresh();
    let sheet = scored(&mut play, panel);
    assert_eq!(why(put_in_force(&mut play, draft)), "/policy rubric_frozen");
    // Anything else may be amended.
    play.amend("90000");
    let body = json!({ "reason": "评分标准有误" });
    play.does(&staff(), Kind::Sheet, sheet, "void", body);
    put_in_force(&mut play, draft).unwrap();
}
