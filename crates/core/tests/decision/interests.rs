//! What keeps an expert from judging: each ground on record, and what comes of one that is found late.

use std::collections::BTreeSet;

use fundcycle_core::account::{Account, Membership};
use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::{REGISTRY, Record, Stored};
use fundcycle_core::application::Application;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::expert::{Expert, id_of};
use fundcycle_core::interest::{Ground, interests};
use fundcycle_core::kinds::Kind;
use fundcycle_core::organisation::Organisation;
use fundcycle_core::panel::{self, Panel};
use fundcycle_core::policy::Policy;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::sheet::Sheet;
use fundcycle_core::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{CYCLE, Play, application, bid, lead, organisation, staff, why};

const PERSON: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);
const RULES: Uuid = Uuid::from_u128(3);

fn record<A: Stored>(id: Uuid, journal: Uuid, data: A) -> Record<A> {
    Record {
        data,
        version: 1,
        ..Record::unborn(id, journal)
    }
}

/// The grounds between an expert and an organisation with these profiles, under these rules; applications
/// open on 1 June 2024.
fn grounds(expert: &Value, theirs: &Value, rules: &Value) -> Vec<Ground> {
    let mut profile = json!({ "name": "王小明", "category": "学者" });
    merge(&mut profile, expert);
    let mut organisation =
        json!({ "name": "常州市武进区阳光社会工作服务中心", "legal_representative": "李建国" });
    merge(&mut organisation, theirs);
    let expert = Expert {
        account: Some(PERSON),
        profile: serde_json::from_value(profile).unwrap(),
        ..Expert::default()
    };
    let organisation = Organisation {
        profile: serde_json::from_value(organisation).unwrap(),
        ..Organisation::default()
    };
    given(expert, organisation, Account::default(), rules)
}

fn given(
    expert: Expert,
    organisation: Organisation,
    account: Account,
    rules: &Value,
) -> Vec<Ground> {
    let mut application = Application::default();
    "赵敏".clone_into(&mut application.form.lead);
    let mut policy = Policy::default();
    "Asia/Shanghai".clone_into(&mut policy.document.programme.time_zone);
    policy.document.application.opens_at = "2024-06-01T00:00:00+08:00".parse().unwrap();
    policy.document.interests = serde_json::from_value(rules.clone()).unwrap();
    let cycle = Cycle {
        policy: Some(RULES),
        ..Cycle::default()
    };
    let mut world = World::default();
    world.put(Cycle::state(record(CYCLE, CYCLE, cycle)));
    world.put(Policy::state(record(RULES, CYCLE, policy)));
    world.put(Organisation::state(record(THEIRS, REGISTRY, organisation)));
    world.put(Account::state(record(PERSON, REGISTRY, account)));
    let expert = record(id_of(PERSON), REGISTRY, expert);
    let application = record(application_id(), CYCLE, application);
    let found = interests(&expert, THEIRS, Some(&application), CYCLE, &world);
    for one in &found {
        assert!(!one.evidence.en.is_empty() && !one.evidence.zh.is_empty());
    }
    found.into_iter().map(|one| one.ground).collect()
}

const fn application_id() -> Uuid {
    Uuid::from_u128(4)
}

fn merge(into: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        into[name] = value.clone();
    }
}

#[test]
fn each_ground_is_found_in_what_is_on_record_and_nothing_else_is() {
    let none = json!({});
    let name = "常州市武进区阳光社会工作服务中心";
    let was = |relation: &str, until: &str| json!({ "engagements": [{ "organisation": name, "relation": relation, "what": "项目", "until": until }] });
    for (expert, theirs, expected) in [
        (json!({}), json!({}), None),
        (
            json!({ "employer": " 常州市武进区阳光社会工作服务中心 " }),
            json!({}),
            Some(Ground::Employer),
        ),
        (
            json!({ "name": "李建国" }),
            json!({}),
            Some(Ground::LegalRepresentative),
        ),
        (
            json!({ "name": "赵敏" }),
            json!({}),
            Some(Ground::ProjectLead),
        ),
        (
            json!({ "phone": "+86 138-0013-8000" }),
            json!({ "phone": "13800138000" }),
            Some(Ground::Phone),
        ),
        (
            json!({ "phone": "12345" }),
            json!({ "phone": "12345" }),
            None,
        ),
        (
            json!({ "email": "wang@Sunshine.org.cn" }),
            json!({ "email": "office@sunshine.org.cn" }),
            Some(Ground::EmailDomain),
        ),
        (
            json!({ "email": "wang@qq.com" }),
            json!({ "email": "office@qq.com" }),
            None,
        ),
        (
            was("board", "2021-06-01"),
            json!({}),
            Some(Ground::Engagement),
        ),
        (was("adviser", "2021-05-30"), json!({}), None),
        (
            was("project", "2023-12-31"),
            json!({}),
            Some(Ground::SharedProject),
        ),
    ] {
        let found = grounds(&expert, &theirs, &none);
        assert_eq!(found, Vec::from_iter(expected), "{expert} {theirs}");
    }
}

#[test]
fn the_policy_says_which_grounds_count_and_how_far_back() {
    let phone = json!({ "phone": "0519-86310000" });
    assert_eq!(grounds(&phone, &phone, &json!({})), [Ground::Phone]);
    assert_eq!(
        grounds(&phone, &phone, &json!({ "grounds": ["employer"] })),
        []
    );
    let mail = json!({ "email": "a@wujin.gov.cn" });
    let public = json!({ "public_email_domains": ["wujin.gov.cn"] });
    assert_eq!(grounds(&mail, &mail, &public), []);
    let left = |at: &str| {
        let membership = Membership {
            since: "2020-01-01T00:00:00+08:00".parse().unwrap(),
            until: Some(at.parse().unwrap()),
        };
        Account {
            memberships: [(THEIRS, membership)].into(),
            ..Account::default()
        }
    };
    let person = || Expert {
        account: Some(PERSON),
        ..Expert::default()
    };
    let (none, year) = (json!({}), json!({ "look_back_days": 365 }));
    let found = |left_at: &str, rules: &Value| {
        given(person(), Organisation::default(), left(left_at), rules)
    };
    let former = [Ground::FormerMember];
    assert_eq!(found("2023-06-03T00:00:00+08:00", &year), former);
    assert_eq!(found("2023-06-01T00:00:00+08:00", &year), []);
    assert_eq!(found("2023-06-01T00:00:00+08:00", &none), former);
}

fn account(index: usize) -> Uuid {
    Uuid::from_u128(500 + index as u128)
}

fn actor(index: usize) -> Actor {
    Actor::account(account(index), BTreeSet::new())
}

/// Three experts score two applications: 60, 70 and 95 points for the first, 75 each for the second.
fn scored() -> (Play, Uuid) {
    let mut play = Play::begin(
        &[bid(10_000, "80", "80"), bid(10_000, "81", "81")],
        |policy| {
            policy["rounds"]["paper_review"]["aggregation"] =
                json!({ "method": "mean", "quorum": 2 });
        },
    );
    for index in 0..3 {
        let id = id_of(account(index));
        play.does(
            &Actor::system(),
            Kind::Account,
            account(index),
            "open",
            json!({}),
        );
        let profile = json!({ "name": format!("专家{index}"), "employer": format!("单位{index}") });
        let body = json!({ "account": account(index), "profile": profile });
        play.does(&staff(), Kind::Expert, id, "invite", body);
        play.does(
            &actor(index),
            Kind::Expert,
            id,
            "accept",
            json!({ "pledge": true }),
        );
    }
    let panel = play.fresh();
    let experts: Vec<Uuid> = (0..3).map(account).collect();
    let body = json!({ "round": "paper_review", "experts": experts });
    play.does(&staff(), Kind::Panel, panel, "form", body);
    let pairs: Vec<Value> = (0..6)
        .map(|place| json!({ "expert": account(place / 2), "subject": application(place % 2) }))
        .collect();
    play.does(
        &staff(),
        Kind::Panel,
        panel,
        "assign",
        json!({ "pairs": pairs }),
    );
    play.does(&staff(), Kind::Panel, panel, "open", json!({}));
    for (place, mark) in ["60", "75", "70", "75", "95", "75"].iter().enumerate() {
        let sheet = sheet(&play, place / 2, place % 2);
        let body = json!({ "marks": { "scores": { "need": mark } } });
        play.does(&actor(place / 2), Kind::Sheet, sheet, "save", body);
        play.does(&actor(place / 2), Kind::Sheet, sheet, "submit", json!({}));
    }
    (play, panel)
}

fn sheet(play: &Play, expert: usize, index: usize) -> Uuid {
    let sheets = play.states.values().filter_map(Sheet::of);
    sheets
        .filter(|one| one.data.expert == Some(account(expert)))
        .find(|one| one.data.subject == Some(application(index)))
        .unwrap()
        .id
}

/// Version of the ranking, and the scores, best first.
fn ranking(play: &Play, panel: Uuid) -> (u32, Vec<String>) {
    let panel = &play.get::<Panel>(panel).data;
    let scores = panel.results.iter();
    (
        panel.ranking_version,
        scores.map(|one| one.score.rounded.to_string()).collect(),
    )
}

fn close(play: &mut Play, panel: Uuid) -> Result<(), Rejection> {
    play.ask(&staff(), Kind::Panel, panel, "close", json!({}))
        .map(|_| ())
}

#[test]
fn a_sheet_whose_interest_is_found_after_scoring_is_kept_void_and_the_ranking_has_another_version()
{
    let (mut play, panel) = scored();
    close(&mut play, panel).unwrap();
    assert_eq!(
        ranking(&play, panel),
        (1, vec!["75".to_owned(), "75".to_owned()])
    );

    // The organisation turns out to be reached by the expert's own telephone.
    let phone = json!({ "name": "组织0", "phone": "13800138000" });
    play.does(
        &crate::play::applicant(0),
        Kind::Organisation,
        organisation(0),
        "amend",
        json!({ "profile": phone }),
    );
    let mut profile =
        serde_json::to_value(&play.get::<Expert>(id_of(account(2))).data.profile).unwrap();
    profile["phone"] = json!("138 0013 8000");
    let body = json!({ "profile": profile });
    play.does(&staff(), Kind::Expert, id_of(account(2)), "amend", body);

    let late = sheet(&play, 2, 0);
    let found = panel_found(&play, panel);
    let seen: Vec<_> = found
        .iter()
        .map(|one| (one.sheet, one.counts, one.interests[0].ground))
        .collect();
    assert_eq!(seen, [(Some(late), true, Ground::Phone)]);

    play.does(
        &lead(),
        Kind::Panel,
        panel,
        "reopen",
        json!({ "reason": "发现利害关系" }),
    );
    close(&mut play, panel).unwrap();
    assert_eq!(
        ranking(&play, panel),
        (2, vec!["75".to_owned(), "65".to_owned()])
    );
    let kept = play.get::<Sheet>(late);
    assert_eq!(play.stage(Kind::Sheet, late), "void");
    assert_eq!(kept.data.total.as_ref().unwrap().to_string(), "95");
    assert!(
        kept.data.reason.as_ref().unwrap().contains("13800138000"),
        "{:?}",
        kept.data.reason
    );
    assert_eq!(play.stage(Kind::Sheet, sheet(&play, 2, 1)), "submitted");
    assert!(!panel_found(&play, panel)[0].counts);
    let pairs = json!({ "pairs": [{ "expert": account(2), "subject": application(0) }] });
    play.does(
        &lead(),
        Kind::Panel,
        panel,
        "reopen",
        json!({ "reason": "再看" }),
    );
    let again = play
        .ask(&staff(), Kind::Panel, panel, "assign", pairs)
        .map(|_| ());
    assert_eq!(why(again), "/pairs/0 given_before");
}

#[test]
fn too_few_sheets_without_an_interest_keep_the_panel_open() {
    let (mut play, panel) = scored();
    for expert in [0, 1] {
        let body = json!({ "organisations": [organisation(1)], "ground": "配偶任职" });
        let who = if expert == 0 { staff() } else { actor(expert) };
        play.does(
            &who,
            Kind::Expert,
            id_of(account(expert)),
            "declare_conflicts",
            body,
        );
    }
    assert_eq!(why(close(&mut play, panel)), " quorum");
    assert_eq!(
        play.stage(Kind::Sheet, sheet(&play, 0, 1)),
        "submitted",
        "nothing was kept of the attempt"
    );
    let seen: Vec<_> = panel_found(&play, panel)
        .into_iter()
        .map(|one| (one.expert, one.interests[0].ground))
        .collect();
    assert_eq!(
        seen,
        [(account(0), Ground::Pinned), (account(1), Ground::Declared)]
    );
}

#[test]
fn who_corrects_their_employer_away_keeps_the_interest() {
    let (mut play, panel) = scored();
    let id = id_of(account(0));
    for employer in ["组织0", "别处"] {
        let profile = json!({ "name": "专家0", "employer": employer });
        play.does(
            &actor(0),
            Kind::Expert,
            id,
            "amend",
            json!({ "profile": profile }),
        );
    }
    let found = panel_found(&play, panel);
    let seen: Vec<_> = found
        .iter()
        .map(|one| (one.subject, one.interests[0].ground))
        .collect();
    assert_eq!(seen, [(application(0), Ground::Engagement)]);
}

#[test]
fn the_board_counts_what_is_in_and_tells_no_spread_where_scores_are_sealed() {
    let (mut play, panel) = scored();
    let body = json!({ "organisations": [organisation(1)], "ground": "理事" });
    let expert = id_of(account(2));
    play.does(&staff(), Kind::Expert, expert, "declare_conflicts", body);
    let late = sheet(&play, 0, 0);
    let body = json!({ "reason": "漏看附件" });
    play.does(&staff(), Kind::Sheet, late, "reopen", body);
    let mut world = World::default();
    play.states
        .values()
        .for_each(|state| world.put(state.clone()));
    let record = play.get::<Panel>(panel);
    let shown = panel::board(record, &world, play.now, true);
    assert_eq!(json!(shown.sheets), json!({ "draft": 1, "submitted": 5 }));
    assert_eq!((shown.complete, shown.missing), (1, 1));
    assert_eq!((shown.conflicted, shown.overdue), (1, 0));
    assert_eq!(shown.flagged, Some(0), "the policy has no line");
    let first = &shown.subjects[0];
    assert_eq!(
        (first.subject, first.submitted, first.outstanding),
        (application(0), 2, 1)
    );
    assert_eq!(shown.subjects[1].submitted, 2, "one has an interest");
    let sealed = panel::board(record, &world, play.now, false);
    assert_eq!(sealed.flagged, None);
    assert!(sealed.subjects.iter().all(|one| one.is_flagged.is_none()));
    assert_eq!(sealed.work, shown.work);
}

fn panel_found(play: &Play, panel: Uuid) -> Vec<panel::Found> {
    let panel = play.get::<Panel>(panel);
    let mut world = World::default();
    play.states
        .values()
        .for_each(|state| world.put(state.clone()));
    assert!(panel::interests_need(panel, &world).len() > 2);
    panel::found(panel, &world)
}
