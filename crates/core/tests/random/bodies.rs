//! What random commands say: for each verb that needs fields, something plausible, at times broken.

use fundcycle_core::kinds::{Command, Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::panel::Panel;
use fundcycle_core::project::{Project, outstanding};
use fundcycle_core::world::{Need, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, EXPERT, Play, application};
use crate::running;
use crate::starts::{self, EXPERT2};

pub(crate) const SEED: &str = "00112233445566778899aabbccddeeff";

/// Numbers that follow from one another (SplitMix64): the same first one, the same walk.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).unwrap()
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }
}

/// Everything there is, loaded.
pub(crate) fn world(play: &Play) -> World {
    let mut world = World::default();
    for state in play.states.values() {
        world.put(state.clone());
    }
    for kind in Kind::ALL {
        world.mark_loaded(Need::All(*kind));
    }
    world
}

/// Some record of a kind, preferably in `stage`; one in sixteen times nobody's.
fn some(play: &Play, kind: Kind, stage: &str, dice: &mut Dice) -> Uuid {
    let of_kind = |state: &&State| state.kind() == kind;
    let ids = |states: Vec<&State>| states.into_iter().map(State::id).collect::<Vec<_>>();
    let all = ids(play.states.values().filter(of_kind).collect());
    let there = |state: &&State| of_kind(state) && state.stage() == stage;
    let fitting = ids(play.states.values().filter(there).collect());
    if all.is_empty() || dice.roll(16) == 0 {
        return Uuid::from_u128(77_777);
    }
    dice.one(if fitting.is_empty() { &all } else { &fitting })
}

/// A command for `verb` on the record `id`; none where what was broken is not even one.
pub(crate) fn command(
    play: &Play,
    kind: Kind,
    id: Uuid,
    verb: &str,
    dice: &mut Dice,
) -> Option<Command> {
    let mut body = plausible(play, kind, id, verb, dice);
    if dice.roll(12) == 0 {
        spoil(&mut body, dice);
    }
    // Where the table says nothing, the verb takes nothing or a reason.
    [
        body,
        json!({ "reason": dice.one(&["经核实", "经核实", " "]) }),
    ]
    .into_iter()
    .find_map(|body| Command::parse(kind, verb, body).ok())
}

/// Breaks one value somewhere in `body`.
fn spoil(body: &mut Value, dice: &mut Dice) {
    let size = match body {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if size > 0 {
        let nth = dice.roll(size);
        let inner = match body {
            Value::Array(list) => list.get_mut(nth),
            Value::Object(map) => map.values_mut().nth(nth),
            _ => None,
        };
        return spoil(inner.unwrap(), dice);
    }
    *body = match body {
        Value::Number(_) => dice.one(&[json!(-1), json!(0), json!(i64::MAX), json!(i64::MIN)]),
        Value::String(text) if text.parse::<Uuid>().is_ok() => json!(Uuid::from_u128(66_666)),
        Value::String(_) => dice.one(&[json!(""), json!("-1"), json!("啊".repeat(3000))]),
        Value::Bool(is) => json!(!*is),
        _ => json!([]),
    };
}

/// What an award falls short of the request, cut from the one line of the budget.
fn cut(play: &Play, application: Uuid, award: i64) -> Value {
    let requested = match play.states.get(&(Kind::Application, application)) {
        Some(state) => state.data()["form"]["requested"].as_i64().unwrap_or(award),
        None => award,
    };
    match requested - award {
        0 => json!([]),
        short => json!([{ "line": 0, "amount": short, "reason": "单价偏高" }]),
    }
}

fn plausible(play: &Play, kind: Kind, id: Uuid, verb: &str, dice: &mut Dice) -> Value {
    let soon = |days: i64| json!(play.now.plus_days(days).to_string());
    let day = |days: i64| json!(play.now.plus_days(days).to_string()[..10]);
    let person = Uuid::from_u128(dice.one(&[EXPERT, EXPERT2, 200, 999]));
    let organisation = Uuid::from_u128(dice.one(&[300, 301, 302]));
    let project = some(play, Kind::Project, "active", dice);
    let target = application(dice.roll(3));
    match (kind, verb) {
        (Kind::Account, "grant" | "revoke") => {
            json!({ "grant": { "role": "staff", "scope": { "cycle": CYCLE } } })
        }
        (Kind::Organisation, "register" | "amend") => json!({ "profile": { "name": "组织0" } }),
        (Kind::Organisation, "verify") => json!({ "code_override": "登记机关确认" }),
        (Kind::Organisation, "add_member") => {
            json!({ "account": person, "owner": dice.roll(2) == 0 })
        }
        (Kind::Organisation, "remove_member") => json!({ "account": person }),
        (Kind::Organisation, "ban") => json!({ "until": soon(90), "reason": "失信" }),
        (Kind::Expert, "invite") => json!({ "account": person, "profile": { "name": "评委三" } }),
        (Kind::Expert, "amend") => {
            json!({ "profile": { "name": "评委", "employer": dice.one(&["", "组织1"]) } })
        }
        (Kind::Expert, "accept") => json!({ "pledge": true }),
        (Kind::Expert, "declare_conflicts") => {
            json!({ "organisations": [organisation], "ground": "亲属" })
        }
        (Kind::Cycle, "create") => json!({ "name": "2025" }),
        (Kind::Cycle, "publish" | "amend") => {
            json!({ "policy": some(play, Kind::Policy, "draft", dice) })
        }
        (Kind::Cycle, "extend_deadline" | "reopen_call") => {
            json!({ "closes_at": soon(30), "reason": "申报不足" })
        }
        (Kind::Policy, "draft" | "revise") => {
            let mut document = starts::document(play);
            document["selection"]["budget"] = json!(dice.one(&["20000", "60000", "9000"]));
            match verb {
                "draft" => json!({ "document": document, "reason": "预算调整" }),
                _ => json!({ "document": document }),
            }
        }
        (Kind::Application, "create" | "edit" | "correct") => {
            let from = if kind == Kind::Application && play.states.contains_key(&(kind, id)) {
                id
            } else {
                target
            };
            let mut form = match play.states.get(&(Kind::Application, from)) {
                Some(state) => state.data()["form"].clone(),
                None => json!({ "title": "项目" }),
            };
            form["summary"] = json!(dice.one(&["概述一", "概述二"]));
            if verb == "create" {
                json!({ "organisation": organisation, "form": form })
            } else {
                json!({ "form": form })
            }
        }
        (Kind::Application, "request_correction") => {
            json!({ "items": [{ "field": "summary", "note": "过简" }] })
        }
        (Kind::Attachment, "upload") => {
            let hash = "ab".repeat(32);
            json!({
                "application": some(play, Kind::Application, "draft", dice), "name": "预算.pdf",
                "media_type": "application/pdf", "size": 1000, "sha256": hash,
            })
        }
        (Kind::Attachment, "keep") => json!({
            "objection": some(play, Kind::Objection, "filed", dice), "name": "盖章异议书.pdf",
            "media_type": "application/pdf", "size": 1000, "sha256": "cd".repeat(32),
        }),
        (Kind::Panel, "form") => {
            let round = dice.one(&["paper_review", "roadshow", "midterm", "final"]);
            json!({ "round": round, "experts": [Uuid::from_u128(EXPERT)] })
        }
        (Kind::Panel, "change_members") => {
            json!({ "experts": [Uuid::from_u128(EXPERT), person] })
        }
        (Kind::Panel, "commit_draw") => {
            let mut body = starts::draw_of_two();
            if dice.roll(2) == 0 {
                body["reason"] = json!("名单有误");
            }
            body
        }
        (Kind::Panel, "draw_members") | (Kind::PitchSession, "draw") => json!({ "seed": SEED }),
        (Kind::Panel, "substitute") => {
            let seated = play.get::<Panel>(id).data.experts.first().copied();
            json!({ "expert": seated.unwrap_or(person), "reason": "生病" })
        }
        (Kind::Panel, "assign") => {
            let expert = Uuid::from_u128(dice.one(&[EXPERT, EXPERT2]));
            json!({ "pairs": [{ "expert": expert, "subject": dice.one(&[target, project]) }] })
        }
        (Kind::Panel, "plan_assignment") => starts::limits(),
        (Kind::Sheet, "save") => {
            let mark = dice.one(&["0", "55.5", "80", "99.99", "101", "-1"]);
            json!({ "marks": { "scores": { "need": mark } } })
        }
        (Kind::Sheet, "enter") => {
            let mark = dice.one(&["12", "55.5", "80", "101"]);
            json!({ "scores": { "need": mark }, "seen": { "scores/need": dice.one(&[0, 1]) } })
        }
        (Kind::Sheet, "transcribe") => {
            let mark = dice.one(&["70", "75"]);
            json!({ "marks": { "scores": { "need": mark } } })
        }
        (Kind::Sheet, "recuse") => json!({ "ground": "亲属" }),
        (Kind::Slot, "ask_swap") => {
            json!({ "with": play.number(dice.roll(3)), "reason": "时间冲突" })
        }
        (Kind::Timetable, "draw_up" | "redraw") => starts::frame(dice.one(&[4, 5])),
        (Kind::Timetable, "shift") => {
            json!({ "application": target, "to": dice.one(&["第1场", "第2场"]) })
        }
        (Kind::PitchSession, "plan" | "revise") => starts::session(),
        (Kind::PitchSession, "commit_draw") => {
            let seed = fundcycle_core::digest::from_hex(SEED).unwrap();
            json!({ "commitment": fundcycle_scoring::commitment(&seed) })
        }
        (Kind::Selection, "depart") => {
            let (decision, award) = dice.one(&[("funded", 700_000), ("reserve", 0)]);
            let cuts = if award == 0 {
                json!([])
            } else {
                cut(play, target, award)
            };
            let change = json!({
                "application": target, "decision": decision, "award": award, "reason": "急需", "cuts": cuts,
            });
            json!({ "changes": [change] })
        }
        (Kind::Selection, "simulate") => {
            json!({ "what_if": { "budget": dice.one(&["9000", "30000", "80000"]) } })
        }
        (Kind::Selection, "promote") => {
            let target = some(play, Kind::Application, "reserve", dice);
            let award = dice.one(&[100_000, 800_000]);
            let cuts = cut(play, target, award);
            json!({ "application": target, "award": award, "reason": "递补", "cuts": cuts })
        }
        (Kind::Notice, "prepare") => {
            json!({ "selection": some(play, Kind::Selection, "announced", dice) })
        }
        (Kind::Objection, "file") => {
            let number = match play.states.get(&(Kind::Application, target)) {
                Some(state) => state.data()["number"].as_str().unwrap_or("").to_owned(),
                None => String::new(),
            };
            starts::objecting(some(play, Kind::Notice, "running", dice), &number)
        }
        (Kind::Objection, "answer") => json!({ "statement": "情况不实" }),
        (Kind::Award, "issue") => {
            let target = some(play, Kind::Application, "cleared", dice);
            json!({ "application": target, "letter": "武民〔2024〕1号" })
        }
        (Kind::Project, "submit_plan") => running::plan(play.get::<Project>(id).data.amount.fen()),
        (Kind::Project, "sign") => {
            let mut body = running::agreement();
            body["signed_on"] = day(0);
            body
        }
        (Kind::Project, "schedule_launch") => {
            json!({ "date": day(dice.one(&[0, 3])), "venue": "文化馆" })
        }
        (Kind::Project, "check_off") => json!({ "item": "项目档案已移交" }),
        (Kind::Project, "be_heard") => json!({ "statement": "情况属实" }),
        (Kind::Project, "terminate" | "announce_termination") => {
            let ground = dice.one(&["own_request", "failed_evaluation", "deviation", "fraud"]);
            json!({ "ground": ground, "reason": "经核实" })
        }
        (Kind::Project, "accept_spend" | "record_refund") => {
            let owed = outstanding(play.get::<Project>(id), &world(play)).fen();
            let amount = dice.one(&[owed, owed, owed / 2, owed + 1]);
            match verb {
                "record_refund" => json!({ "amount": amount, "voucher": "退-1" }),
                _ => json!({ "amount": amount }),
            }
        }
        (Kind::Project, "recover") => json!({ "due_on": day(30) }),
        (Kind::Project, "give_bank_account") => running::bank_account(dice.roll(2)),
        (Kind::Tranche, "request") => dice.one(&[
            json!({}),
            json!({ "invoice": "票-1" }),
            json!({ "amount": 50_000, "invoice": "票-2" }),
        ]),
        (Kind::Tranche, "pay") => running::payment(play, id),
        (Kind::Tranche, "reduce") => {
            json!({ "amount": dice.one(&[10_000, 90_000]), "reason": "结余较多" })
        }
        (Kind::Report, "request") => {
            let occasion = dice.one(&[
                "midterm_self_report",
                "final_report",
                "monthly",
                "quarterly",
            ]);
            json!({ "project": project, "occasion": occasion })
        }
        (Kind::Report, "save") => json!({ "body": {
            "text": "已开展活动", "spend": { "活动": 90_000 }, "reached": { "服务人次": 300 },
        }}),
        (Kind::Report, "extend") => json!({ "due": soon(60), "reason": "洪水" }),
        (Kind::Evaluation, "open") => {
            json!({ "project": project, "round": dice.one(&["midterm", "final"]) })
        }
        (Kind::Evaluation, "grade") => {
            json!({ "panel": some(play, Kind::Panel, "closed", dice) })
        }
        (Kind::Activity, "record") => json!({ "project": project, "held": running::held(&day(0)) }),
        (Kind::Activity, "amend") => json!({ "held": running::held(&day(0)) }),
        (Kind::Visit, "record") => json!({
            "project": project, "visited_on": day(0), "visitors": ["督导员"], "findings": "台账不全",
        }),
        (Kind::Visit, "demand_rectification") => dice.one(&[
            json!({ "what": "补齐签到表" }),
            json!({ "what": "补齐签到表", "working_days": 5 }),
        ]),
        (Kind::Visit, "answer") => json!({ "statement": "已补齐" }),
        (Kind::ChangeRequest, "file") => {
            let more = dice.one(&[100, 50_000]);
            let lines = [
                running::line("活动", running::AWARD - 100_000 - more),
                running::line("人员", 100_000 + more),
            ];
            let change = json!({
                "subject": "budget", "old": "原", "new": "新", "budget": lines, "reason": "成本上涨",
            });
            json!({ "project": project, "change": change })
        }
        _ => json!({}),
    }
}
