//! A sheet while it is written: field by field, by an expert with two windows open; from paper, by two clerks;
//! and opened again.

use fundcycle_core::kinds::Kind;
use fundcycle_core::panel::Panel;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::sheet::Sheet;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    Bid, EXPERT, OTHER_STAFF, Play, application, bid, expert, lead, official, staff, why,
};
use fundcycle_core::actor::{Actor, Role};

const ONE: &[Bid] = &[bid(10_000, "80", "80")];

/// A panel that is open, with one pending sheet of two criteria.
fn open() -> (Play, Uuid, Uuid) {
    let mut play = Play::begin(ONE, |policy| {
        policy["rounds"]["paper_review"]["rubric"]["criteria"] = json!([
            { "key": "need", "title": "需求", "max": 60, "step": "0.5" },
            { "key": "plan", "title": "方案", "max": 40, "step": "0.5" },
        ]);
    });
    let (panel, person) = (play.fresh(), Uuid::from_u128(EXPERT));
    let body = json!({ "round": "paper_review", "experts": [person] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let body = json!({ "pairs": [{ "expert": person, "subject": application(0) }] });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", body);
    let sheet = facts.iter().find(|fact| fact.kind == Kind::Sheet).unwrap();
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    (play, sheet.id, panel)
}

fn ask(play: &mut Play, who: &Actor, id: Uuid, verb: &str, body: Value) -> Result<(), Rejection> {
    play.ask(who, Kind::Sheet, id, verb, body).map(|_| ())
}

fn clerk() -> Actor {
    official(OTHER_STAFF, Role::Staff)
}

fn data(play: &Play, id: Uuid) -> &Sheet {
    &play.get::<Sheet>(id).data
}

#[test]
fn what_two_windows_enter_is_all_kept_and_the_total_runs_along() {
    let (mut play, id, _) = open();
    let mut enter = |body: Value| ask(&mut play, &expert(), id, "enter", body);
    enter(json!({ "scores": { "need": "50" } })).unwrap();
    enter(json!({ "scores": { "plan": "30.5" }, "comments": { "plan": "可行" } })).unwrap();
    enter(json!({ "scores": { "need": "40" }, "seen": { "scores/need": 1 } })).unwrap();
    enter(json!({ "recommended": 500_000 })).unwrap();
    let late = enter(json!({ "scores": { "need": "10" }, "seen": { "scores/need": 1 } }));
    assert_eq!(why(late), "/scores/need changed_meanwhile");
    let last = enter(json!({ "comments": { "plan": null }, "seen": { "scores/need": 0 } }));
    last.unwrap();
    assert_eq!(why(enter(json!({}))), " nothing_entered");
    let unknown = enter(json!({ "scores": { "need": "1", "speed": "1" } }));
    assert!(why(unknown).contains("unknown_criterion"));
    let sheet = data(&play, id);
    assert_eq!(sheet.total.as_ref().unwrap().to_string(), "70.5");
    assert_eq!(sheet.marks.scores["need"].to_string(), "40");
    assert!(sheet.marks.comments.is_empty());
    assert_eq!(sheet.recommended.unwrap().fen(), 500_000);
    let edits = json!({ "scores/need": 2, "scores/plan": 1, "comments/plan": 2, "recommended": 1 });
    assert_eq!(json!(sheet.edits), edits);
    assert_eq!(play.stage(Kind::Sheet, id), "draft");
}

#[test]
fn saving_the_whole_sheet_counts_as_a_change_of_what_differs() {
    let (mut play, id, _) = open();
    for need in ["50", "55"] {
        let body = json!({ "marks": { "scores": { "need": need, "plan": "30" } } });
        ask(&mut play, &expert(), id, "save", body).unwrap();
    }
    assert_eq!(
        json!(data(&play, id).edits),
        json!({ "scores/need": 2, "scores/plan": 1 })
    );
    let body = json!({ "scores": { "need": "20" }, "seen": { "scores/need": 1 } });
    let stale = ask(&mut play, &expert(), id, "enter", body);
    assert_eq!(why(stale), "/scores/need changed_meanwhile");
}

#[test]
fn a_sheet_that_is_opened_again_keeps_what_was_handed_in() {
    let (mut play, id, _) = open();
    for (index, need) in ["50", "45", "40"].iter().enumerate() {
        let body = json!({ "scores": { "need": need, "plan": "30" } });
        ask(&mut play, &expert(), id, "enter", body).unwrap();
        ask(&mut play, &expert(), id, "submit", json!({})).unwrap();
        if index < 2 {
            let body = json!({ "reason": format!("第{index}次") });
            ask(&mut play, &staff(), id, "reopen", body).unwrap();
        }
    }
    let sheet = data(&play, id);
    let kept: Vec<(String, &str)> = sheet
        .earlier
        .iter()
        .map(|one| {
            (
                one.total.as_ref().unwrap().to_string(),
                one.reopened_because.as_str(),
            )
        })
        .collect();
    assert_eq!(
        kept,
        [("80".to_owned(), "第0次"), ("75".to_owned(), "第1次")]
    );
    assert_eq!(sheet.total.as_ref().unwrap().to_string(), "70");
    let seen = play.view(&expert(), Kind::Sheet, id).unwrap();
    assert_eq!(seen["earlier"].as_array().unwrap().len(), 2);
}

fn paper(need: &str) -> Value {
    json!({ "marks": { "scores": { "need": need, "plan": "30" }, "comments": { "plan": "可行" } }, "recommended": 1_000_000 })
}

#[test]
fn a_paper_sheet_counts_when_two_clerks_have_read_the_same() {
    let (mut play, id, panel) = open();
    let incomplete = json!({ "marks": { "scores": { "need": "50" } } });
    let refused = ask(&mut play, &staff(), id, "transcribe", incomplete);
    assert!(why(refused).contains("missing"));
    ask(&mut play, &staff(), id, "transcribe", paper("50")).unwrap();
    // Until a second one has read it, it counts for nothing, and nobody else at the bureau sees it.
    assert_eq!(play.stage(Kind::Sheet, id), "pending");
    assert_eq!(data(&play, id).total, None);
    let seen = play.view(&clerk(), Kind::Sheet, id).unwrap();
    assert!(!seen.contains_key("transcript"), "{seen:?}");
    let close = play.ask(&staff(), Kind::Panel, panel, "close", json!({}));
    assert_eq!(why(close), "sheets_in");
    // The first one finds their own slip, and is not the second.
    ask(&mut play, &staff(), id, "transcribe", paper("55")).unwrap();
    assert_eq!(play.stage(Kind::Sheet, id), "pending");
    let differs = ask(&mut play, &clerk(), id, "transcribe", paper("50"));
    assert_eq!(why(differs), "/marks/scores/need differs");
    let mut other = paper("55");
    other["marks"]["comments"]["plan"] = json!("可行。");
    other["recommended"] = json!(2_000_000);
    let differs = ask(&mut play, &clerk(), id, "transcribe", other);
    assert_eq!(
        why(differs),
        "/marks/comments/plan differs, /recommended differs"
    );
    ask(&mut play, &clerk(), id, "transcribe", paper("55")).unwrap();
    assert_eq!(play.stage(Kind::Sheet, id), "submitted");
    let sheet = data(&play, id);
    assert_eq!(sheet.total.as_ref().unwrap().to_string(), "85");
    assert_eq!(sheet.recommended.unwrap().fen(), 1_000_000);
    assert_eq!(sheet.entered_by.len(), 2);
    assert_eq!(
        (sheet.transcript.is_none(), sheet.submitted_at),
        (true, Some(play.now))
    );
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
}

/// After the pitches, when nobody scores at a screen any more (`domain.md` §2.7).
#[test]
fn paper_sheets_of_pitches_are_entered_later_by_two_clerks() {
    let mut play = Play::at_roadshow(ONE, |_| ());
    let session = play.published_session();
    play.does(&staff(), Kind::PitchSession, session, "start", json!({}));
    for slot in play.slots(session) {
        for verb in ["check_in", "start", "finish"] {
            play.does(&staff(), Kind::Slot, slot, verb, json!({}));
        }
    }
    play.does(&staff(), Kind::PitchSession, session, "finish", json!({}));
    let (panel, person) = (play.fresh(), Uuid::from_u128(EXPERT));
    let body = json!({ "round": "roadshow", "experts": [person] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let body = json!({ "pairs": [{ "expert": person, "subject": application(0) }] });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", body);
    let id = (facts.iter().find(|fact| fact.kind == Kind::Sheet))
        .unwrap()
        .id;
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    let paper = json!({ "marks": { "scores": { "need": "81.5" } } });
    ask(&mut play, &staff(), id, "transcribe", paper.clone()).unwrap();
    let close = play.ask(&staff(), Kind::Panel, panel, "close", json!({}));
    assert_eq!(why(close), "sheets_in");
    ask(&mut play, &clerk(), id, "transcribe", paper).unwrap();
    assert_eq!(play.stage(Kind::Sheet, id), "submitted");
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
    let results = &play.get::<Panel>(panel).data.results;
    assert_eq!(results[0].score.rounded.to_string(), "81.5");
}

#[test]
fn no_clerk_writes_over_what_an_expert_has_typed() {
    let (mut play, id, _) = open();
    ask(
        &mut play,
        &expert(),
        id,
        "enter",
        json!({ "scores": { "need": "1" } }),
    )
    .unwrap();
    let refused = ask(&mut play, &staff(), id, "transcribe", paper("50"));
    assert_eq!(why(refused), "not from draft");
    let (mut play, id, _) = open();
    for who in [lead(), expert()] {
        let refused = ask(&mut play, &who, id, "transcribe", paper("50"));
        assert!(refused.is_err(), "{who:?}");
    }
    // And what an expert types after the first clerk stays theirs alone.
    ask(&mut play, &staff(), id, "transcribe", paper("50")).unwrap();
    ask(
        &mut play,
        &expert(),
        id,
        "enter",
        json!({ "scores": { "need": "1" } }),
    )
    .unwrap();
    assert!(ask(&mut play, &clerk(), id, "transcribe", paper("50")).is_err());
}
