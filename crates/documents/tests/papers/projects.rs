//! Documents of projects: one that is closed, one that runs, one that is about to begin.

use std::collections::BTreeMap;

use fundcycle_core::activity::{self, Activity, Evidence, EvidenceKind, Held};
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::application::form::{BudgetLine, FundedBy, Indicator};
use fundcycle_core::application::{self, Application, Form, Submission};
use fundcycle_core::award::{self, Award};
use fundcycle_core::calendar::DayKind;
use fundcycle_core::cycle::{self, Cycle};
use fundcycle_core::evaluation::{self, Evaluation};
use fundcycle_core::kinds::State;
use fundcycle_core::money::Money;
use fundcycle_core::organisation::{self, Organisation, OrganisationKind};
use fundcycle_core::policy::{self, Policy, Round};
use fundcycle_core::project::{self, Agreement, BankAccount, Launch, Plan, Project, Refund};
use fundcycle_core::report::{self, Body, Occasion, Report};
use fundcycle_core::tranche::{self, Payment, Tranche};
use fundcycle_core::visibility::Viewer;
use fundcycle_core::visit::{self, Visit};
use fundcycle_core::world::World;
use fundcycle_core::{actor, aggregate};
use fundcycle_documents::{DOCUMENTS, Format, Language};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::records::{CYCLE, fen, record, score, time};
use crate::{shown, staff, viewer};

const CLOSED: u128 = 70;
const RUNNING: u128 = 71;
const SIGNED: u128 = 72;

fn line(category: &str, yuan: i64) -> BudgetLine {
    BudgetLine {
        category: category.to_owned(),
        item: "支出".to_owned(),
        unit_price: fen(yuan),
        quantity: 1,
        funded_by: FundedBy::Grant,
    }
}

fn plan() -> Plan {
    Plan {
        text: "实施方案".to_owned(),
        budget: vec![line("人员补贴", 16_000), line("物资", 24_000)],
        targets: vec![Indicator {
            name: "服务人次".to_owned(),
            target: 600,
            unit: "人次".to_owned(),
        }],
        ends_on: Some("2025-05-31".parse().unwrap()),
    }
}

fn spend(people: i64, goods: i64) -> BTreeMap<String, Money> {
    BTreeMap::from([
        ("人员补贴".to_owned(), fen(people)),
        ("物资".to_owned(), fen(goods)),
    ])
}

fn launch(day: &str, kind: DayKind, venue: &str) -> Launch {
    Launch {
        date: day.parse().unwrap(),
        day_kind: Some(kind),
        venue: Some(venue.to_owned()),
    }
}

fn project(place: u128, title: &str) -> Project {
    let amount = fen(40_000);
    Project {
        application: Some(Uuid::from_u128(20 + place)),
        award: Some(Uuid::from_u128(40 + place)),
        organisation: Some(Uuid::from_u128(30 + place)),
        organisation_name: format!("(演示)社会组织{place}"),
        title: title.to_owned(),
        domain: ["养老服务", "助残助孤", "养老服务"][usize::try_from(place).unwrap()].to_owned(),
        amount,
        plan: Some(plan()),
        agreed_budget: vec![line("人员补贴", 20_000), line("物资", 20_000)],
        agreement: Some(Agreement {
            number: format!("WJ2024-{place:02}"),
            parties: vec!["武进区民政局".to_owned(), "承接方".to_owned()],
            signed_on: "2024-08-08".parse().unwrap(),
            amount,
            amount_in_capitals: "肆万元整".to_owned(),
            signatures: Vec::new(),
        }),
        bank_account: Some(BankAccount {
            holder: format!("(演示)社会组织{place}"),
            bank: "(演示)农商行".to_owned(),
            number: format!("622200000000000{place}"),
        }),
        launch_by: Some("2024-10-07".parse().unwrap()),
        ..Project::default()
    }
}

fn tranche(id: u128, project: u128, stage: tranche::Stage, yuan: i64, paid_on: &[&str]) -> State {
    let payments = paid_on.iter().map(|day| Payment {
        amount: fen(yuan / i64::try_from(paid_on.len()).unwrap()),
        invoice: Some("票-1".to_owned()),
        voucher: format!("凭证-{day}"),
        paid_on: day.parse().unwrap(),
        requested_by: None,
        approved_by: None,
        paid_by: None,
    });
    let data = Tranche {
        project: Some(Uuid::from_u128(project)),
        organisation: Some(Uuid::from_u128(project - 40)),
        position: u32::try_from(id % 10).unwrap(),
        name: "首款".to_owned(),
        amount: fen(yuan),
        paid: if paid_on.is_empty() {
            Money::ZERO
        } else {
            fen(yuan)
        },
        payments: payments.collect(),
        ..Tranche::default()
    };
    <Tranche as aggregate::Stored>::state(record(id, CYCLE, stage, data))
}

fn put<A: aggregate::Stored>(world: &mut World, id: u128, stage: A::Stage, data: A) {
    let journal = if A::KIND.is_registry() {
        REGISTRY
    } else {
        CYCLE
    };
    world.put(A::state(record(id, journal, stage, data)));
}

fn cycle_at(stage: cycle::Stage) -> State {
    let data = Cycle {
        policy: Some(Uuid::from_u128(2)),
        ..Cycle::default()
    };
    <Cycle as aggregate::Stored>::state(record(1, CYCLE, stage, data))
}

pub(crate) fn world() -> World {
    let mut world = World::default();
    world.put(cycle_at(cycle::Stage::Evaluation));
    let mut rules = Policy {
        document: toml::from_str(include_str!("../../../../docs/examples/wujin-2024.toml"))
            .unwrap(),
        ..Policy::default()
    };
    rules.document.programme.organiser_uscc = Some("11320412MJDEMA0119".to_owned());
    put(&mut world, 2, policy::Stage::InForce, rules);
    for place in 0..4 {
        let mut owner = Organisation {
            organisation: Some(Uuid::from_u128(30 + place)),
            ..Organisation::default()
        };
        owner.profile.name = format!("(演示)社会组织{place}");
        owner.profile.organisation_kind = Some(if place == 0 {
            OrganisationKind::Association
        } else {
            OrganisationKind::Service
        });
        owner.profile.uscc = (place == 0).then(|| "51320412MJDEMA02X4".to_owned());
        put(&mut world, 30 + place, organisation::Stage::Verified, owner);
        let number = format!("WJ2024-000{place}");
        let applied = Application {
            organisation: Some(Uuid::from_u128(30 + place)),
            number: Some(number.clone()),
            form: Form {
                title: format!("项目{place}"),
                domain: (if place == 1 {
                    "助残助孤"
                } else {
                    "养老服务"
                })
                .to_owned(),
                street: (if place < 2 { "湖塘镇" } else { "" }).to_owned(),
                starts_on: Some("2024-09-01".parse().unwrap()),
                requested: fen(50_000),
                ..Form::default()
            },
            submissions: vec![Submission {
                number,
                at: time("2024-05-20T10:00:00+08:00"),
                content_hash: String::new(),
            }],
            ..Application::default()
        };
        let stage = if place == 3 {
            application::Stage::NotSelected
        } else {
            application::Stage::Awarded
        };
        put(&mut world, 20 + place, stage, applied);
        put(
            &mut world,
            40 + place,
            award::Stage::Accepted,
            Award::default(),
        );
    }
    world.put_earlier_applicant(Uuid::from_u128(31));
    world.put(closed());
    world.put(running());
    let late = Project {
        launch: None,
        ..project(2, "慈善爱老公益行")
    };
    put(&mut world, SIGNED, project::Stage::Signed, late);
    world.put(tranche(
        81,
        CLOSED,
        tranche::Stage::Paid,
        20_000,
        &["2024-08-20"],
    ));
    world.put(tranche(
        82,
        CLOSED,
        tranche::Stage::Paid,
        20_000,
        &["2025-01-20", "2025-06-20"],
    ));
    world.put(tranche(
        91,
        RUNNING,
        tranche::Stage::Paid,
        20_000,
        &["2024-08-21"],
    ));
    world.put(tranche(92, RUNNING, tranche::Stage::Approved, 20_000, &[]));
    let written = Report {
        project: Some(Uuid::from_u128(CLOSED)),
        organisation: Some(Uuid::from_u128(30)),
        occasion: Some(Occasion::FinalReport),
        body: Body {
            text: "已完成".to_owned(),
            people: Some(120),
            person_times: Some(620),
            spend: spend(15_500, 24_000),
            reached: BTreeMap::from([("服务人次".to_owned(), 620)]),
        },
        submitted_at: Some(time("2025-05-20T10:00:00+08:00")),
        ..Report::default()
    };
    put(&mut world, 50, report::Stage::Accepted, written);
    let graded = Evaluation {
        project: Some(Uuid::from_u128(CLOSED)),
        organisation: Some(Uuid::from_u128(30)),
        round: Some(Round::Final),
        score: Some(score("91.5")),
        grade: Some("优秀".to_owned()),
        ..Evaluation::default()
    };
    put(&mut world, 51, evaluation::Stage::Published, graded);
    for (id, day, stage) in [
        (60, "2024-09-21", activity::Stage::Checked),
        (61, "2024-10-12", activity::Stage::Recorded),
        (62, "2024-10-13", activity::Stage::Withdrawn),
    ] {
        let held = Held {
            name: "=邻里茶话会".to_owned(),
            held_on: day.parse().unwrap(),
            place: "星河社区".to_owned(),
            people: Some(30),
            person_times: Some(45),
            reached: BTreeMap::from([("服务人次".to_owned(), 45)]),
            spend: BTreeMap::from([("物资".to_owned(), Money::from_fen(123_450))]),
            evidence: vec![Evidence {
                kind: EvidenceKind::SignIn,
                name: "签到表".to_owned(),
                sha256: None,
            }],
            note: String::new(),
        };
        let data = Activity {
            project: Some(Uuid::from_u128(RUNNING)),
            organisation: Some(Uuid::from_u128(31)),
            held: Some(held),
            ..Activity::default()
        };
        put(&mut world, id, stage, data);
    }
    let went = Visit {
        project: Some(Uuid::from_u128(RUNNING)),
        findings: "台账不全".to_owned(),
        ..Visit::default()
    };
    put(&mut world, 65, visit::Stage::Overdue, went);
    world
}

fn closed() -> State {
    let data = Project {
        launch: Some(launch("2024-09-14", DayKind::MakeUpWorking, "武进区文化馆")),
        accepted_spend: Some(fen(39_500)),
        refunded: fen(500),
        refunds: vec![Refund {
            amount: fen(500),
            voucher: "退款-1".to_owned(),
            recorded_at: time("2025-06-21T10:00:00+08:00"),
        }],
        closed_at: Some(time("2025-06-25T10:00:00+08:00")),
        ..project(0, "家门口的幸福好“食”光")
    };
    <Project as aggregate::Stored>::state(record(CLOSED, CYCLE, project::Stage::Closed, data))
}

fn running() -> State {
    let data = Project {
        launch: Some(launch(
            "2024-09-14",
            DayKind::MakeUpWorking,
            "武进区文化馆 ",
        )),
        launch_host: Some("(演示)湖塘镇".to_owned()),
        last_activity_on: Some("2024-10-12".parse().unwrap()),
        reported_spend: Some(fen(3_000)),
        silent_since: Some("2024-10-12".parse().unwrap()),
        underspent_at: Some(time("2025-04-01T00:00:00+08:00")),
        ..project(1, "阳光助残")
    };
    <Project as aggregate::Stored>::state(record(RUNNING, CYCLE, project::Stage::Active, data))
}

/// Every document of this file, with its reader and its record.
pub(crate) fn all() -> Vec<(&'static str, Viewer, State)> {
    let scope = |place: u128| actor::Scope::Organisation(Uuid::from_u128(30 + place));
    let owner = |place: u128| viewer(actor::Role::Owner, scope(place));
    let cycle = || cycle_at(cycle::Stage::Evaluation);
    vec![
        ("launch-calendar", staff(), cycle()),
        ("monitoring", staff(), cycle()),
        ("payment-orders", staff(), cycle()),
        ("payments", staff(), cycle()),
        ("statistics", staff(), cycle()),
        ("open-data", staff(), cycle()),
        ("progress", owner(1), running()),
        ("final-statement", owner(0), closed()),
        ("certificate", owner(0), closed()),
    ]
}

#[test]
fn every_document_of_projects_looks_as_checked_in() {
    for (name, viewer, state) in all() {
        for language in [Language::Zh, Language::En] {
            let page = shown(name, &viewer, &state, &world(), language);
            insta::assert_snapshot!(format!("{name}.{}", language.tag()), page);
        }
    }
}

#[test]
fn open_data_as_json_has_what_the_standard_requires_and_nothing_that_is_not_listed() {
    let document = DOCUMENTS
        .iter()
        .find(|one| one.name == "open-data")
        .unwrap();
    let cycle = cycle_at(cycle::Stage::Evaluation);
    let paper = document
        .paper(&staff(), &cycle, &world(), Language::Zh)
        .unwrap();
    let bytes = paper.write(Format::Json).unwrap();
    assert_eq!(bytes, paper.write(Format::Json).unwrap());
    let package: Value = serde_json::from_slice(&bytes).unwrap();
    let grants = package["grants"].as_array().unwrap();
    assert_eq!(grants.len(), 3);
    // What `required` names in 360-giving-schema.json, version 1.1, and what may be beside it.
    let required = [
        "id",
        "title",
        "description",
        "currency",
        "amountAwarded",
        "awardDate",
        "recipientOrganization",
        "fundingOrganization",
    ];
    let also = ["amountDisbursed", "plannedDates", "grantProgramme"];
    for grant in grants {
        let grant = grant.as_object().unwrap();
        for name in required {
            assert!(grant.contains_key(name), "{name} in {grant:?}");
        }
        for name in grant.keys() {
            let listed = required.iter().chain(&also).any(|one| one == name);
            assert!(listed, "{name} is not listed");
        }
        for party in ["recipientOrganization", "fundingOrganization"] {
            let party = grant[party][0].as_object().unwrap();
            let names: Vec<&String> = party.keys().collect();
            assert_eq!(names, ["id", "name"]);
            assert!(party.values().all(|value| value.as_str() != Some("")));
        }
    }
    assert_eq!(
        (
            &grants[0]["amountAwarded"],
            &grants[0]["plannedDates"][0]["endDate"]
        ),
        (&json!(40_000.0), &json!("2025-05-31"))
    );
    assert_eq!(
        grants[0]["recipientOrganization"][0]["id"],
        "CN-USCC-51320412MJDEMA02X4"
    );
    let known_as = grants[1]["recipientOrganization"][0]["id"]
        .as_str()
        .unwrap();
    assert!(known_as.starts_with("360G-WJ2024-org:"), "{known_as}");
}

#[test]
fn launches_without_an_hour_take_the_day() {
    let calendar = DOCUMENTS
        .iter()
        .find(|one| one.name == "launch-calendar")
        .unwrap();
    let cycle = cycle_at(cycle::Stage::Evaluation);
    let events = |viewer: &Viewer| {
        let paper = calendar
            .paper(viewer, &cycle, &world(), Language::Zh)
            .unwrap();
        String::from_utf8(paper.write(Format::Ics).unwrap()).unwrap()
    };
    let all = events(&staff());
    assert_eq!(
        all.matches("DTSTART;VALUE=DATE:20240914\r\n").count(),
        2,
        "{all}"
    );
    assert!(!all.contains("DTEND"), "{all}");
    // Once launched they are public.
    assert_eq!(
        events(&Viewer::default()).matches("BEGIN:VEVENT").count(),
        2
    );
}

#[test]
fn money_and_flags_are_for_the_bureau_alone() {
    let owner = viewer(
        actor::Role::Owner,
        actor::Scope::Organisation(Uuid::from_u128(30)),
    );
    for (name, _, state) in all() {
        let document = DOCUMENTS.iter().find(|one| one.name == name).unwrap();
        let public = document.paper(&Viewer::default(), &state, &world(), Language::Zh);
        assert_eq!(public.is_some(), name == "launch-calendar", "{name}");
        let own = document.paper(&owner, &state, &world(), Language::Zh);
        let theirs = ["launch-calendar", "final-statement", "certificate"].contains(&name);
        assert_eq!(own.is_some(), theirs, "{name}");
    }
}
