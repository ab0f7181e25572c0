//! Where walks begin: a cycle at each of its stages, with something to do for everybody.

use std::collections::BTreeSet;

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::kinds::Kind;
use fundcycle_core::{award, expert};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    self, Bid, CYCLE, EXPERT, OTHER_STAFF, Play, applicant, application, bid, lead, official, plan,
    staff,
};
use crate::running::{self, because, finance, other_lead, tranches};

const BIDS: &[Bid] = &[
    bid(10_000, "90", "80"),
    bid(9_000, "80", "90"),
    bid(8_000, "70", "75"),
];
/// A second expert, so that no panel hangs on one person.
pub(crate) const EXPERT2: u128 = 107;

/// Every start, each from scratch.
pub(crate) const STARTS: &[fn() -> Play] = &[
    || Play::preparing(BIDS),
    || Play::called(BIDS, rules),
    || checked(rules),
    in_review,
    || Play::reviewed(BIDS, rules),
    assigning,
    || by_lot(false),
    || by_lot(true),
    timetabled,
    at_roadshow,
    || Play::at_selection(BIDS, rules),
    || Play::announced(BIDS, rules).0,
    without_notice,
    proposed,
    approved,
    drawn,
    swapping,
    pitched,
    noticed,
    launched,
    overdue,
    held,
    settled,
    || Play::begin(BIDS, rules),
    || Play::at_roadshow(BIDS, rules),
    || checked(without_review),
    launching,
    on_notice,
    running::at_launch,
    signing,
    active,
    evaluating,
    graded,
    ending,
    recovering,
    reminded,
    contestable,
    contested,
    visited,
    attached,
    ended,
    drafted,
];

/// Money for two of three, and a limit on the applications of one organisation.
fn rules(policy: &mut Value) {
    policy["selection"]["budget"] = json!("20000");
    policy["eligibility"] = json!({ "applications_per_organisation": 1 });
}

/// The same, and experts see the sheets of the others on what they have judged themselves.
fn after_own(policy: &mut Value) {
    rules(policy);
    policy["rounds"]["paper_review"]["visibility"] = json!({ "others": "after_own" });
}

/// Whoever is eligible pitches.
fn without_review(policy: &mut Value) {
    policy["stages"]["review"] = json!(false);
    policy["rounds"]["roadshow"]["weight"] = json!("1");
    policy["rounds"]
        .as_object_mut()
        .unwrap()
        .remove("paper_review");
    rules(policy);
}

/// Everybody who asks: all of the play, and strangers to it.
pub(crate) fn actors() -> Vec<Actor> {
    vec![
        staff(),
        lead(),
        official(OTHER_STAFF, Role::Staff),
        other_lead(),
        finance(),
        play::admin(),
        official(108, Role::Auditor),
        applicant(0),
        applicant(1),
        applicant(2),
        play::expert(),
        Actor::account(Uuid::from_u128(EXPERT2), BTreeSet::new()),
        Actor::account(Uuid::from_u128(999), BTreeSet::new()),
        Actor::public(),
        Actor::system(),
    ]
}

/// One application in each stage of the check.
fn checked(change: fn(&mut Value)) -> Play {
    let mut play = Play::called(BIDS, change);
    play.at("2024-06-03T09:00:00+08:00");
    for (index, verb, body) in [
        (0, "start_check", json!({})),
        (1, "start_check", json!({})),
        (1, "request_correction", items()),
        (2, "start_check", json!({})),
        (2, "reject", because()),
    ] {
        let id = application(index);
        play.does(&staff(), Kind::Application, id, verb, body);
    }
    play
}

fn items() -> Value {
    json!({ "items": [{ "field": "summary", "note": "过简" }] })
}

/// The paper review with two experts, one of them done.
pub(crate) fn in_review() -> Play {
    let mut play = Play::begin(BIDS, after_own);
    second_expert(&mut play);
    let panel = play.fresh();
    let both = [EXPERT, EXPERT2].map(Uuid::from_u128);
    let body = json!({ "round": "paper_review", "experts": both });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let pairs: Vec<Value> = both
        .iter()
        .flat_map(|expert| {
            (0..3).map(move |index| json!({ "expert": expert, "subject": application(index) }))
        })
        .collect();
    let body = json!({ "pairs": pairs });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", body);
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    let sheets = facts.iter().filter(|fact| fact.kind == Kind::Sheet);
    for sheet in sheets.take(3) {
        let body = json!({ "marks": { "scores": { "need": "75" } } });
        play.does(&play::expert(), Kind::Sheet, sheet.id, "save", body);
        play.does(&play::expert(), Kind::Sheet, sheet.id, "submit", json!({}));
    }
    play
}

/// A panel with an assignment planned, and nothing given out yet.
fn assigning() -> Play {
    let mut play = Play::begin(BIDS, rules);
    second_expert(&mut play);
    let panel = play.fresh();
    let both = [EXPERT, EXPERT2].map(Uuid::from_u128);
    let body = json!({ "round": "paper_review", "experts": both });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    play.does(&staff(), Kind::Panel, panel, "plan_assignment", limits());
    play
}

/// A panel of one of two experts, about to be drawn or drawn, with the other one as substitute.
fn by_lot(drawn: bool) -> Play {
    let mut play = Play::begin(BIDS, rules);
    second_expert(&mut play);
    let panel = play.fresh();
    let body = json!({ "round": "paper_review", "experts": [Uuid::from_u128(EXPERT)] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    play.does(&staff(), Kind::Panel, panel, "commit_draw", draw_of_two());
    if drawn {
        let body = json!({ "seed": crate::bodies::SEED });
        play.does(&staff(), Kind::Panel, panel, "draw_members", body);
    }
    play
}

/// One seat and one substitute, of whoever there is.
pub(crate) fn draw_of_two() -> Value {
    let seed = fundcycle_core::digest::from_hex(crate::bodies::SEED).unwrap();
    json!({
        "rules": { "seats": 1, "substitutes": 1 }, "conflicted_may_sit": true,
        "commitment": fundcycle_scoring::commitment(&seed),
    })
}

/// Two sheets for each, no matter who has many.
pub(crate) fn limits() -> Value {
    json!({ "per_subject": 2, "max_load": 5 })
}

/// A session whose order is not drawn yet.
fn timetabled() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    let planned = play.fresh();
    play.does(&staff(), Kind::PitchSession, planned, "plan", session());
    play
}

/// A timetable drawn up and not public yet.
fn drafted() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    let timetable = play.fresh();
    play.does(&staff(), Kind::Timetable, timetable, "draw_up", frame(4));
    play
}

/// Two rooms on a day of July, with time for two pitches in each.
pub(crate) fn frame(day: u32) -> Value {
    let at = |time: &str| format!("2024-07-{day:02}T{time}:00+08:00");
    let window = json!({ "from": at("09:00"), "until": at("09:40") });
    json!({ "frame": { "rooms": ["报告厅", "会议室"], "windows": [window] } })
}

fn second_expert(play: &mut Play) {
    let person = Uuid::from_u128(EXPERT2);
    let member = Actor::account(person, BTreeSet::new());
    play.does(&Actor::system(), Kind::Account, person, "open", json!({}));
    let id = expert::id_of(person);
    let body = json!({ "account": person, "profile": { "name": "评委二" } });
    play.does(&staff(), Kind::Expert, id, "invite", body);
    let body = json!({ "pledge": true });
    play.does(&member, Kind::Expert, id, "accept", body);
}

/// The roadshow with a session under way, one turn heard and one being heard.
fn at_roadshow() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    second_expert(&mut play);
    let session = play.published_session();
    play.does(&staff(), Kind::PitchSession, session, "start", json!({}));
    let slots = play.slots(session);
    for (slot, verb) in [
        (slots[0], "check_in"),
        (slots[0], "start"),
        (slots[0], "finish"),
        (slots[1], "check_in"),
        (slots[1], "start"),
    ] {
        play.does(&staff(), Kind::Slot, slot, verb, json!({}));
    }
    play
}

/// On notice, with an objection read and another one filed.
fn on_notice() -> Play {
    let (mut play, notice, _) = Play::on_notice(BIDS, rules);
    for index in [0, 0, 1] {
        let objection = play.fresh();
        let body = objecting(notice, &play.number(index));
        play.does(&Actor::public(), Kind::Objection, objection, "file", body);
        if index == 1 {
            play.does(&staff(), Kind::Objection, objection, "accept", json!({}));
        }
    }
    play
}

pub(crate) fn objecting(notice: Uuid, number: &str) -> Value {
    let objector = json!({
        "kind": "person", "name": "王某", "contact": "12345", "signed": true,
    });
    json!({ "notice": notice, "number": number, "objector": objector, "facts": "重复申报" })
}

/// One plan handed in, one award waiting for its answer.
fn signing() -> Play {
    let mut play = running::at_launch();
    let project = running::accepted(&mut play, 0);
    let body = running::plan(running::AWARD);
    play.does(&applicant(0), Kind::Project, project, "submit_plan", body);
    running::issued(&mut play, 1);
    play
}

/// One agreement signed.
fn launching() -> Play {
    let mut play = running::at_launch();
    let project = running::signed(&mut play, 0);
    let body = json!({ "date": "2024-09-19", "venue": "文化馆" });
    play.does(&staff(), Kind::Project, project, "schedule_launch", body);
    play
}

/// A list whose notice is skipped.
fn without_notice() -> Play {
    let change = |policy: &mut Value| policy["stages"]["notice"] = json!(false);
    let (mut play, selection) = Play::announced(BIDS, change);
    let notice = play.fresh();
    let body = json!({ "selection": selection });
    play.does(&staff(), Kind::Notice, notice, "prepare", body);
    play
}

/// A list proposed.
fn proposed() -> Play {
    let mut play = Play::at_selection(BIDS, rules);
    let selection = play.fresh();
    play.does(&staff(), Kind::Selection, selection, "compute", json!({}));
    play.does(&staff(), Kind::Selection, selection, "propose", json!({}));
    play
}

/// A list approved, to be announced.
fn approved() -> Play {
    let mut play = Play::at_selection(BIDS, rules);
    let selection = play.fresh();
    play.does(&staff(), Kind::Selection, selection, "compute", json!({}));
    play.does(&staff(), Kind::Selection, selection, "propose", json!({}));
    play.does(&lead(), Kind::Selection, selection, "approve", json!({}));
    play
}

/// A session published, and one who has left it.
pub(crate) fn drawn() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    play.published_session();
    let last = application(2);
    play.does(
        &applicant(2),
        Kind::Application,
        last,
        "withdraw",
        because(),
    );
    play
}

/// A session published, and one who asks another to change places.
fn swapping() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    let session = play.published_session();
    let own = Some(play.number(0));
    let slots = play.slots(session).into_iter();
    let mut own = slots.filter(|id| play.states[&(Kind::Slot, *id)].index().number == own);
    let slot = own.next().unwrap();
    let body = json!({ "with": play.number(1), "reason": "时间冲突" });
    play.does(&applicant(0), Kind::Slot, slot, "ask_swap", body);
    play
}

/// Everybody heard and scored, the selection ahead.
fn pitched() -> Play {
    let mut play = Play::at_roadshow(BIDS, rules);
    let session = play.published_session();
    play.does(&staff(), Kind::PitchSession, session, "start", json!({}));
    for slot in play.slots(session) {
        for verb in ["check_in", "start", "finish"] {
            play.does(&staff(), Kind::Slot, slot, verb, json!({}));
        }
    }
    play.does(&staff(), Kind::PitchSession, session, "finish", json!({}));
    play.score("roadshow", |bid| bid.pitch);
    play
}

/// The notice over, the launches ahead.
fn noticed() -> Play {
    let (mut play, notice, _) = Play::on_notice(BIDS, rules);
    play.at("2024-09-19T09:00:00+08:00");
    play.does(&staff(), Kind::Notice, notice, "close", json!({}));
    play
}

/// One project launched.
fn launched() -> Play {
    let mut play = running::at_launch();
    running::launched(&mut play, 0);
    play
}

/// Letters that nobody answered in time.
fn overdue() -> Play {
    let mut play = signing();
    play.at("2024-10-20T09:00:00+08:00");
    play
}

/// A project suspended, its tranches withheld.
fn held() -> Play {
    let (mut play, project) = running::active();
    for tranche in tranches(project) {
        play.does(&lead(), Kind::Tranche, tranche, "withhold", because());
    }
    play.does(&lead(), Kind::Project, project, "suspend", because());
    play
}

/// Everything paid and accepted as spent.
fn settled() -> Play {
    let mut play = ending();
    let project = fundcycle_core::project::id_of(award::id_of(application(0)));
    running::pay(&mut play, tranches(project)[2]);
    let body = json!({ "amount": running::AWARD });
    play.does(&staff(), Kind::Project, project, "accept_spend", body);
    play
}

/// Carried out: one tranche asked for, a report asked for, a change asked for.
fn active() -> Play {
    let (mut play, project) = running::active();
    let [first, ..] = tranches(project);
    play.does(&staff(), Kind::Tranche, first, "request", json!({}));
    let report = play.fresh();
    let body = json!({ "project": project, "occasion": "monthly" });
    play.does(&staff(), Kind::Report, report, "request", body);
    let request = play.fresh();
    let change = json!({
        "subject": "schedule", "old": "六月", "new": "七月", "reason": "招募较慢", "ends_on": "2025-07-31",
    });
    let body = json!({ "project": project, "change": change });
    play.does(&applicant(0), Kind::ChangeRequest, request, "file", body);
    play
}

/// A midterm evaluation whose panel has closed, after a payment.
fn evaluating() -> Play {
    let (mut play, project) = running::active();
    let [first, ..] = tranches(project);
    running::pay(&mut play, first);
    let report = play.fresh();
    let body = json!({ "project": project, "occasion": "monthly" });
    play.does(&staff(), Kind::Report, report, "request", body);
    let body = json!({ "body": { "text": "已开展", "spend": {}, "reached": { "服务人次": 1 } } });
    play.does(&applicant(0), Kind::Report, report, "save", body);
    play.does(&applicant(0), Kind::Report, report, "submit", json!({}));
    running::opened(&mut play, project, "midterm");
    running::scored(&mut play, project, "midterm", "85");
    play
}

/// Passed at the end, with one tranche left to pay.
fn ending() -> Play {
    let mut play = running::with_policy(|policy| {
        policy["close_out"] = json!({ "checklist": ["项目档案已移交"] });
    });
    let project = running::active_in(&mut play);
    let [first, second, _] = tranches(project);
    running::pay(&mut play, first);
    running::evaluated(&mut play, project, "midterm", "85");
    running::pay(&mut play, second);
    running::evaluated(&mut play, project, "final", "85");
    play
}

/// Terminated with money owed, the demand for it out.
fn recovering() -> Play {
    let (mut play, project) = running::active();
    let [first, ..] = tranches(project);
    running::pay(&mut play, first);
    let ground = json!({ "ground": "deviation", "reason": "经核实" });
    play.does(&lead(), Kind::Project, project, "terminate", ground);
    let body = json!({ "amount": 100_000 });
    play.does(&staff(), Kind::Project, project, "accept_spend", body);
    let body = json!({ "due_on": "2024-10-15" });
    play.does(&staff(), Kind::Project, project, "recover", body);
    play
}

/// The demand is overdue, and somebody proposes to give it up.
fn reminded() -> Play {
    let mut play = recovering();
    play.at("2024-10-16T09:00:00+08:00");
    play
}

/// A grade that may be contested, and a project whose organisation is to be heard before it is stopped.
fn contestable() -> Play {
    let mut play = graded();
    let is_graded = |state: &&fundcycle_core::kinds::State| {
        state.kind() == Kind::Evaluation && state.stage() == "graded"
    };
    let id = play.states.values().find(is_graded).unwrap().id();
    play.does(&lead(), Kind::Evaluation, id, "publish", json!({}));
    play
}

/// The same, before the grade is published.
fn graded() -> Play {
    let mut play = running::with_policy(|policy| {
        policy["evaluation"]["objection_working_days"] = json!(5);
        policy["evaluation"]["grades"][1]["tail"] = json!("0.5");
        policy["evaluation"]["late_report_fails"] = json!(true);
        policy["changes"] = json!({ "free_limit": "0.1", "staff_limit": "0.2" });
        policy["termination"] =
            json!({ "hearing_working_days": 5, "ban_days": { "deviation": 365, "fraud": 1095 } });
    });
    let project = running::active_in(&mut play);
    let ground = json!({ "ground": "deviation", "reason": "经核实" });
    play.does(
        &staff(),
        Kind::Project,
        project,
        "announce_termination",
        ground,
    );
    let id = running::opened(&mut play, project, "midterm");
    let panel = running::scored(&mut play, project, "midterm", "80");
    play.does(
        &staff(),
        Kind::Evaluation,
        id,
        "grade",
        json!({ "panel": panel }),
    );
    play
}

/// The same, contested, and later another time over.
fn contested() -> Play {
    let mut play = contestable();
    let noticed = |state: &&fundcycle_core::kinds::State| {
        state.kind() == Kind::Evaluation && state.stage() == "noticed"
    };
    let id = play.states.values().find(noticed).unwrap().id();
    play.does(&applicant(0), Kind::Evaluation, id, "contest", because());
    play
}

/// An application that was taken back to be changed, with a file.
fn attached() -> Play {
    let mut play = Play::called(BIDS, rules);
    let (owner, id) = (applicant(0), application(0));
    play.does(&owner, Kind::Application, id, "retract", json!({}));
    let file = play.fresh();
    let body = json!({
        "application": id, "name": "预算.pdf", "media_type": "application/pdf", "size": 1000,
        "sha256": "ab".repeat(32),
    });
    play.does(&owner, Kind::Attachment, file, "upload", body);
    play
}

/// A project with an activity on record, and two visits: one answered, one that nobody answered in time.
fn visited() -> Play {
    let (mut play, project) = running::active();
    let activity = play.fresh();
    let body = json!({ "project": project, "held": running::held(&json!("2024-09-19")) });
    play.does(&applicant(0), Kind::Activity, activity, "record", body);
    for answered in [true, false] {
        let visit = play.fresh();
        let body = json!({
            "project": project, "visited_on": "2024-09-19", "visitors": ["督导员"], "findings": "台账不全",
        });
        play.does(&staff(), Kind::Visit, visit, "record", body);
        let body = json!({ "what": "补齐签到表", "working_days": 5 });
        play.does(&staff(), Kind::Visit, visit, "demand_rectification", body);
        if answered {
            let body = json!({ "statement": "已补齐" });
            play.does(&applicant(0), Kind::Visit, visit, "answer", body);
        }
    }
    play.at("2024-10-20T09:00:00+08:00");
    play
}

/// Every project over, so that the cycle can close.
fn ended() -> Play {
    let mut play = recovering();
    let project = fundcycle_core::project::id_of(award::id_of(application(0)));
    let body = json!({ "amount": 66_650, "voucher": "退" });
    play.does(&finance(), Kind::Project, project, "record_refund", body);
    play
}

/// A session of the first two applications.
pub(crate) fn session() -> Value {
    plan(&[application(0), application(1)])
}

/// The policy document in force, or the example's where there is none.
pub(crate) fn document(play: &Play) -> Value {
    use fundcycle_core::cycle::Cycle;
    use fundcycle_core::policy::Policy;
    let policy = play.get::<Cycle>(CYCLE).data.policy;
    if let Some(id) = policy {
        return serde_json::to_value(&play.get::<Policy>(id).data.document).unwrap();
    }
    let table: toml::Table =
        toml::from_str(include_str!("../../../../docs/examples/wujin-2024.toml")).unwrap();
    serde_json::to_value(table).unwrap()
}
