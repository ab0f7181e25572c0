//! Each document as it looks, in both languages, from records made by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::{REGISTRY, Record, Stored};
use fundcycle_core::application::{self, Application, Form, Reasoned, RoundScore};
use fundcycle_core::award::{self, Award};
use fundcycle_core::cycle::Cycle;
use fundcycle_core::expert::{self, Expert};
use fundcycle_core::kinds::State;
use fundcycle_core::money::Money;
use fundcycle_core::notice::{self, Notice};
use fundcycle_core::organisation::{self, Organisation};
use fundcycle_core::panel::{self, Outcome, Panel};
use fundcycle_core::policy::{self, Policy, PolicyDocument, Round};
use fundcycle_core::selection::{self, Line, Run, Selection};
use fundcycle_core::sheet::{self, Sheet};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::World;
use fundcycle_documents::{DOCUMENTS, Format, Language, Paper};
use fundcycle_scoring::{Exact, Outcome as Decision};
use uuid::Uuid;

const POLICY: &str = include_str!("../../../docs/examples/wujin-2024.toml");
const CYCLE: Uuid = Uuid::from_u128(1);
const OWNER: Uuid = Uuid::from_u128(40);
const EXPERTS: [(Uuid, &str); 3] = [
    (Uuid::from_u128(51), "甲专家"),
    (Uuid::from_u128(52), "乙专家"),
    (Uuid::from_u128(53), "丙专家"),
];

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn record<A: Stored>(id: u128, journal: Uuid, stage: A::Stage, data: A) -> Record<A> {
    Record {
        version: 1,
        stage,
        created_at: time("2024-08-20T09:00:00+08:00"),
        updated_at: time("2024-08-21T16:30:00+08:00"),
        data,
        ..Record::unborn(Uuid::from_u128(id), journal)
    }
}

fn score(text: &str) -> Exact {
    text.parse().unwrap()
}

fn fen(yuan: i64) -> Money {
    Money::from_fen(yuan * 100)
}

/// Two applications that were read by three experts, one of whom stepped back from the second.
fn world() -> World {
    let mut world = World::default();
    let document: PolicyDocument = toml::from_str(POLICY).unwrap();
    let policy = Policy {
        document,
        ..Policy::default()
    };
    let cycle = Cycle {
        policy: Some(Uuid::from_u128(2)),
        ..Cycle::default()
    };
    world.put(Cycle::state(record(
        1,
        CYCLE,
        fundcycle_core::cycle::Stage::Review,
        cycle,
    )));
    world.put(Policy::state(record(
        2,
        CYCLE,
        policy::Stage::InForce,
        policy,
    )));
    for (place, (name, title)) in (0_u128..).zip([
        ("(演示)向日葵社会工作服务中心", "家门口的幸福好“食”光"),
        (
            "=HYPERLINK(\"http://example.invalid/\")",
            "<script>alert(1)</script>",
        ),
    ]) {
        let mut organisation = Organisation::default();
        name.clone_into(&mut organisation.profile.name);
        organisation.organisation = Some(Uuid::from_u128(30 + place));
        world.put(Organisation::state(record(
            30 + place,
            REGISTRY,
            organisation::Stage::Verified,
            organisation,
        )));
        let application = Application {
            organisation: Some(Uuid::from_u128(30 + place)),
            number: Some(format!("WJ2024-000{place}")),
            form: Form {
                title: title.to_owned(),
                domain: "养老服务".to_owned(),
                requested: fen(50_000),
                ..Form::default()
            },
            decision: Some(Reasoned {
                verb: application::Verb::Reject,
                reason: "登记不满一年".to_owned(),
            }),
            recheck_by: Some(time("2024-06-20T23:59:59.999+08:00")),
            ..Application::default()
        };
        let stage = if place == 0 {
            application::Stage::Shortlisted
        } else {
            application::Stage::Ineligible
        };
        world.put(Application::state(record(
            20 + place,
            CYCLE,
            stage,
            application,
        )));
    }
    for (account, name) in EXPERTS {
        let mut expert = Expert {
            account: Some(account),
            ..Expert::default()
        };
        name.clone_into(&mut expert.profile.name);
        let record = record(
            expert::id_of(account).as_u128(),
            REGISTRY,
            expert::Stage::Active,
            expert,
        );
        world.put(Expert::state(record));
    }
    let sheet = Sheet {
        panel: Some(Uuid::from_u128(10)),
        round: Some(Round::PaperReview),
        subject: Some(Uuid::from_u128(21)),
        expert: Some(EXPERTS[2].0),
        ..Sheet::default()
    };
    world.put(Sheet::state(record(
        60,
        CYCLE,
        sheet::Stage::Recused,
        sheet,
    )));
    world
}

fn outcome(
    subject: u128,
    totals: &[(Uuid, &str)],
    dropped: &[Uuid],
    rounded: &str,
    rank: u32,
) -> Outcome {
    let totals: BTreeMap<Uuid, Exact> = totals
        .iter()
        .map(|(id, total)| (*id, score(total)))
        .collect();
    let used = totals
        .keys()
        .filter(|id| !dropped.contains(id))
        .map(Uuid::to_string)
        .collect();
    Outcome {
        input: panel::Input {
            subject: Uuid::from_u128(subject),
            totals,
            groups: BTreeMap::new(),
            marks: BTreeMap::new(),
            keys: BTreeMap::new(),
            vetoed: false,
        },
        score: RoundScore {
            exact: score(rounded),
            rounded: score(rounded),
            rank: Some(rank),
        },
        raw: None,
        used,
        dropped: dropped.iter().map(Uuid::to_string).collect(),
        decided_by: (rank == 2).then(|| "criterion:need".to_owned()),
        goes_on: rank == 1,
    }
}

fn closed_panel() -> State {
    let [(first, _), (second, _), (third, _)] = EXPERTS;
    let panel = Panel {
        round: Some(Round::PaperReview),
        experts: EXPERTS.iter().map(|(id, _)| *id).collect(),
        subjects: BTreeSet::from([20, 21].map(Uuid::from_u128)),
        results: vec![
            outcome(
                20,
                &[(first, "91"), (second, "80.5"), (third, "86")],
                &[first, second],
                "86",
                1,
            ),
            outcome(21, &[(first, "70"), (second, "75")], &[], "72.5", 2),
        ],
        ranking_version: 1,
        policy_number: Some(1),
        ..Panel::default()
    };
    Panel::state(record(10, CYCLE, panel::Stage::Closed, panel))
}

fn line(application: u128, requested: i64, award: i64, rank: u32, decision: Decision) -> Line {
    Line {
        application: Uuid::from_u128(application),
        number: format!("WJ2024-000{}", application - 20),
        requested: fen(requested),
        score: score("86"),
        rank: Some(rank),
        decided_by: None,
        decision,
        award: fen(award),
        reason: "rank and budget".to_owned(),
        needs: String::new(),
        departed: rank == 2,
    }
}

fn chosen() -> State {
    let run = Run {
        lines: vec![
            line(20, 50_000, 45_000, 1, Decision::Funded),
            line(21, 50_000, 0, 2, Decision::NotFunded),
        ],
        inputs_hash: "00ff".to_owned(),
        policy_hash: "ff00".to_owned(),
        policy_number: 1,
        ..Run::default()
    };
    Selection::state(record(
        11,
        CYCLE,
        selection::Stage::Approved,
        Selection {
            run,
            ..Selection::default()
        },
    ))
}

fn on_notice() -> State {
    let notice = Notice {
        contact: "(演示)0519-00000000".to_owned(),
        rows: vec![notice::Row {
            number: "WJ2024-0000".to_owned(),
            title: "家门口的幸福好“食”光".to_owned(),
            organisation: "(演示)向日葵社会工作服务中心".to_owned(),
            domain: "养老服务".to_owned(),
            rank: Some(1),
            score: score("86"),
            award: fen(45_000),
        }],
        starts_on: Some("2024-07-15".parse().unwrap()),
        ends_at: Some(time("2024-07-19T23:59:59.999+08:00")),
        ..Notice::default()
    };
    Notice::state(record(12, CYCLE, notice::Stage::Running, notice))
}

fn letter() -> State {
    let award = Award {
        organisation: Some(Uuid::from_u128(30)),
        organisation_name: "(演示)向日葵社会工作服务中心".to_owned(),
        title: "家门口的幸福好“食”光".to_owned(),
        domain: "养老服务".to_owned(),
        letter: "武民创〔2024〕1号".to_owned(),
        amount: fen(45_000),
        due: Some(time("2024-09-03T23:59:59.999+08:00")),
        ..Award::default()
    };
    Award::state(record(13, CYCLE, award::Stage::Issued, award))
}

fn viewer(role: Role, scope: Scope) -> Viewer {
    Viewer::new(Actor::account(
        OWNER,
        BTreeSet::from([Grant { role, scope }]),
    ))
}

fn staff() -> Viewer {
    viewer(Role::Staff, Scope::Cycle(CYCLE))
}

fn paper(name: &str, viewer: &Viewer, state: &State, language: Language) -> Option<Paper> {
    let document = DOCUMENTS.iter().find(|one| one.name == name).unwrap();
    document.paper(viewer, state, &world(), language)
}

fn page(name: &str, viewer: &Viewer, state: &State, language: Language) -> String {
    let paper = paper(name, viewer, state, language).unwrap();
    let page = String::from_utf8(paper.write(Format::Html).unwrap()).unwrap();
    // The style is a file of its own, the same on every page.
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    format!("{head}<style></style>{body}")
}

#[test]
fn every_document_looks_as_checked_in() {
    let owner = viewer(Role::Owner, Scope::Organisation(Uuid::from_u128(30)));
    let other = viewer(Role::Owner, Scope::Organisation(Uuid::from_u128(31)));
    let refused = world()
        .state(
            fundcycle_core::kinds::Kind::Application,
            Uuid::from_u128(21),
        )
        .unwrap()
        .clone();
    let public = Viewer::default();
    let all: [(&str, &Viewer, State); 6] = [
        ("score-summary", &staff(), closed_panel()),
        ("ranking", &staff(), closed_panel()),
        ("selection", &staff(), chosen()),
        ("notice", &public, on_notice()),
        ("award-letter", &owner, letter()),
        ("result-letter", &other, refused),
    ];
    assert_eq!(all.len(), DOCUMENTS.len(), "every document is shown here");
    for (name, viewer, state) in all {
        for language in [Language::Zh, Language::En] {
            let page = page(name, viewer, &state, language);
            insta::assert_snapshot!(format!("{name}.{}", language.tag()), page);
        }
    }
}

#[test]
fn experts_whose_names_the_reader_does_not_see_are_numbered() {
    // An auditor of the cycle alone, in a world that holds no profile of an expert.
    let mut world = world();
    for (account, _) in EXPERTS {
        world.remove(fundcycle_core::kinds::Kind::Expert, expert::id_of(account));
    }
    let document = DOCUMENTS
        .iter()
        .find(|one| one.name == "score-summary")
        .unwrap();
    let paper = document
        .paper(&staff(), &closed_panel(), &world, Language::Zh)
        .unwrap();
    let page = String::from_utf8(paper.write(Format::Html).unwrap()).unwrap();
    assert!(page.contains("专家1") && page.contains("专家3"), "{page}");
    for (account, name) in EXPERTS {
        assert!(!page.contains(name) && !page.contains(&account.to_string()));
    }
}

#[test]
fn a_document_is_absent_for_those_it_is_not_for() {
    let owner = viewer(Role::Owner, Scope::Organisation(Uuid::from_u128(30)));
    let elsewhere = viewer(Role::Staff, Scope::Cycle(Uuid::from_u128(9)));
    let admin = viewer(Role::Admin, Scope::Everywhere);
    for name in ["score-summary", "ranking"] {
        for other in [&owner, &elsewhere, &admin, &Viewer::default()] {
            assert_eq!(
                paper(name, other, &closed_panel(), Language::Zh),
                None,
                "{name} {other:?}"
            );
        }
    }
    assert_eq!(
        paper("award-letter", &Viewer::default(), &letter(), Language::Zh),
        None
    );
    let mut taken_back = letter();
    if let State::Award(award) = &mut taken_back {
        award.stage = award::Stage::Revoked;
    }
    assert_eq!(
        paper("award-letter", &owner, &taken_back, Language::Zh),
        None
    );
}

#[test]
fn a_workbook_reads_back_as_it_was_written() {
    let paper = paper("score-summary", &staff(), &closed_panel(), Language::Zh).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(paper.write(Format::Xlsx).unwrap())).unwrap();
    assert_eq!(book.sheet_names(), ["评分汇总表"]);
    let range = book.worksheet_range("评分汇总表").unwrap();
    let rows: Vec<&[Data]> = range.rows().collect();
    let second = rows
        .iter()
        .find(|row| row[1] == Data::String("WJ2024-0001".into()))
        .unwrap();
    assert_eq!(
        second[3],
        Data::String("=HYPERLINK(\"http://example.invalid/\")".into())
    );
    let first = rows
        .iter()
        .find(|row| row[1] == Data::String("WJ2024-0000".into()))
        .unwrap();
    let numbers: Vec<&Data> = first
        .iter()
        .filter(|cell| matches!(cell, Data::Float(_)))
        .collect();
    assert_eq!(
        numbers.len(),
        5,
        "the rank, three totals, dropped or not, and the score: {first:?}"
    );
}
