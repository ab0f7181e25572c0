//! What follows the public notice: awards, projects, payments and evaluations, on top of [`Play`].

use fundcycle_core::actor::{Actor, Role};
use fundcycle_core::kinds::Kind;
use fundcycle_core::project::Project;
use fundcycle_core::{award, project, tranche};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{
    Bid, CYCLE, EXPERT, OTHER_LEAD, Play, applicant, application, bid, expert, lead, official,
    staff,
};

/// Two that are funded and one in reserve.
const THREE: &[Bid] = &[
    bid(3_333, "90", "90"),
    bid(4_000, "85", "85"),
    bid(4_000, "80", "80"),
];
/// The award of bid 0, in fen.
pub(crate) const AWARD: i64 = 333_300;

pub(crate) fn other_lead() -> Actor {
    official(OTHER_LEAD, Role::Lead)
}

pub(crate) fn finance() -> Actor {
    official(106, Role::Finance)
}

pub(crate) fn because() -> Value {
    json!({ "reason": "经核实" })
}

/// The notice is over without objection, on Thursday, 19 September 2024; the cycle is at `launch`.
pub(crate) fn at_launch() -> Play {
    with_policy(|_| {})
}

/// The same under a changed policy.
pub(crate) fn with_policy(change: impl FnOnce(&mut Value)) -> Play {
    let (mut play, notice, _) = Play::on_notice(THREE, |policy| {
        policy["selection"]["budget"] = json!("7400");
        policy["application"]["request_floor"] = json!(0);
        for round in ["midterm", "final"] {
            let criteria = json!([{ "key": "need", "title": "总评", "max": 100, "step": "0.001" }]);
            policy["rounds"][round]["rubric"] =
                json!({ "title": "评估表", "version": 1, "criteria": criteria });
            policy["rounds"][round]["aggregation"] = json!({ "method": "mean" });
        }
        change(policy);
    });
    play.at("2024-09-19T09:00:00+08:00");
    play.does(&staff(), Kind::Notice, notice, "close", json!({}));
    play.does(&staff(), Kind::Cycle, CYCLE, "open_launch", json!({}));
    play
}

/// The letter for bid `index`; its award.
pub(crate) fn issued(play: &mut Play, index: usize) -> Uuid {
    let id = award::id_of(application(index));
    let body =
        json!({ "application": application(index), "letter": format!("武民〔2024〕{index}号") });
    play.does(&lead(), Kind::Award, id, "issue", body);
    id
}

/// The award of bid `index` is taken; its project.
pub(crate) fn accepted(play: &mut Play, index: usize) -> Uuid {
    let id = issued(play, index);
    play.does(&applicant(index), Kind::Award, id, "accept", json!({}));
    project::id_of(id)
}

pub(crate) fn line(category: &str, fen: i64) -> Value {
    json!({ "category": category, "item": "支出", "unit_price": fen, "quantity": 1, "funded_by": "grant" })
}

/// A plan that spends the award of `fen`: 1000 yuan on people, the rest on activities.
pub(crate) fn plan(fen: i64) -> Value {
    json!({ "plan": {
        "text": "优化后的方案",
        "budget": [line("活动", fen - 100_000), line("人员", 100_000)],
        "targets": [{ "name": "服务人次", "target": 600, "unit": "人次" }],
        "ends_on": "2025-06-30",
    }})
}

pub(crate) fn agreement() -> Value {
    json!({ "parties": ["武进区民政局", "组织"], "signed_on": "2024-09-19", "number": "WJ-1" })
}

/// The agreement of bid `index` is signed; its project.
pub(crate) fn signed(play: &mut Play, index: usize) -> Uuid {
    let id = accepted(play, index);
    let amount = play.get::<Project>(id).data.amount.fen();
    play.does(
        &applicant(index),
        Kind::Project,
        id,
        "submit_plan",
        plan(amount),
    );
    play.does(&staff(), Kind::Project, id, "approve_plan", json!({}));
    play.does(&staff(), Kind::Project, id, "sign", agreement());
    id
}

/// The project of bid `index` is launched.
pub(crate) fn launched(play: &mut Play, index: usize) -> Uuid {
    let id = signed(play, index);
    let body = json!({ "date": "2024-09-19", "venue": "武进区文化馆" });
    play.does(
        &applicant(index),
        Kind::Project,
        id,
        "schedule_launch",
        body,
    );
    play.does(&staff(), Kind::Project, id, "launch", json!({}));
    id
}

/// The project of bid 0 is carried out, the cycle at its evaluations; bid 1 declined.
pub(crate) fn active() -> (Play, Uuid) {
    let mut play = at_launch();
    let id = active_in(&mut play);
    (play, id)
}

/// The same in a cycle at its launches.
pub(crate) fn active_in(play: &mut Play) -> Uuid {
    let id = launched(play, 0);
    play.does(&staff(), Kind::Project, id, "activate", json!({}));
    let other = issued(play, 1);
    play.does(&applicant(1), Kind::Award, other, "decline", because());
    play.does(&staff(), Kind::Cycle, CYCLE, "open_evaluation", json!({}));
    id
}

/// The tranches of a project, in order: at agreement, mid-term and end.
pub(crate) fn tranches(project: Uuid) -> [Uuid; 3] {
    [1, 2, 3].map(|position| tranche::id_of(project, position))
}

pub(crate) fn payment(play: &Play, tranche: Uuid) -> Value {
    let amount = play.get::<tranche::Tranche>(tranche).data.put_forward();
    json!({ "amount": amount, "voucher": "凭证-1", "paid_on": "2024-09-19" })
}

/// The account that the organisation of bid `index` is paid to.
pub(crate) fn bank_account(index: usize) -> Value {
    json!({ "bank_account": {
        "holder": format!("组织{index}"), "bank": "(演示)江南农村商业银行武进支行", "number": "6222 0000 0000 1234",
    }})
}

/// An activity on `day` that 30 people came to.
pub(crate) fn held(day: &Value) -> Value {
    json!({
        "name": "邻里茶话会", "held_on": day, "place": "星河社区", "people": 30, "person_times": 45,
        "reached": { "服务人次": 45 }, "spend": { "活动": 12_000 },
        "evidence": [{ "kind": "sign_in", "name": "签到表", "sha256": "ab".repeat(32) }],
    })
}

/// Requests, approves and pays.
pub(crate) fn pay(play: &mut Play, tranche: Uuid) {
    play.does(&staff(), Kind::Tranche, tranche, "request", json!({}));
    play.does(&lead(), Kind::Tranche, tranche, "approve", json!({}));
    let body = payment(play, tranche);
    play.does(&finance(), Kind::Tranche, tranche, "pay", body);
}

/// An evaluation, just opened.
pub(crate) fn opened(play: &mut Play, project: Uuid, round: &str) -> Uuid {
    let id = play.fresh();
    let body = json!({ "project": project, "round": round });
    play.does(&staff(), Kind::Evaluation, id, "open", body);
    id
}

/// A panel that gave the project `mark` and closed.
pub(crate) fn scored(play: &mut Play, project: Uuid, round: &str, mark: &str) -> Uuid {
    let (panel, person) = (play.fresh(), Uuid::from_u128(EXPERT));
    let body = json!({ "round": round, "experts": [person] });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let body = json!({ "pairs": [{ "expert": person, "subject": project }] });
    let facts = play.does(&staff(), Kind::Panel, panel, "assign", body);
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    for sheet in facts.iter().filter(|fact| fact.kind == Kind::Sheet) {
        let body = json!({ "marks": { "scores": { "need": mark } } });
        play.does(&expert(), Kind::Sheet, sheet.id, "save", body);
        play.does(&expert(), Kind::Sheet, sheet.id, "submit", json!({}));
    }
    play.does(&staff(), Kind::Panel, panel, "close", json!({}));
    panel
}

/// An evaluation from opening to publication with `mark`; its id.
pub(crate) fn evaluated(play: &mut Play, project: Uuid, round: &str, mark: &str) -> Uuid {
    let id = opened(play, project, round);
    let panel = scored(play, project, round, mark);
    let body = json!({ "panel": panel });
    play.does(&staff(), Kind::Evaluation, id, "grade", body);
    play.does(&lead(), Kind::Evaluation, id, "publish", json!({}));
    id
}
