//! Each document as it looks, in both languages, from records made by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

mod projects;
mod records;

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::award;
use fundcycle_core::expert;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::World;
use fundcycle_documents::{DOCUMENTS, Format, Language, Paper};
use uuid::Uuid;

use crate::records::{CYCLE, EXPERTS, chosen, closed_panel, in_order, letter, on_notice, world};

const OWNER: Uuid = Uuid::from_u128(40);

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
    shown(name, viewer, state, &world(), language)
}

/// The document in its first format, without its style.
fn shown(name: &str, viewer: &Viewer, state: &State, world: &World, language: Language) -> String {
    let document = DOCUMENTS.iter().find(|one| one.name == name).unwrap();
    let paper = document.paper(viewer, state, world, language).unwrap();
    let format = document.formats[0];
    let page = String::from_utf8(paper.write(format).unwrap()).unwrap();
    if format != Format::Html {
        return page.replace("\r\n", "\n");
    }
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
        .state(Kind::Application, Uuid::from_u128(21))
        .unwrap()
        .clone();
    let public = Viewer::default();
    let cycle = world().state(Kind::Cycle, CYCLE).unwrap().clone();
    let all: [(&str, &Viewer, State); 8] = [
        ("score-summary", &staff(), closed_panel()),
        ("ranking", &staff(), closed_panel()),
        ("selection", &staff(), chosen()),
        ("pitch-order", &staff(), in_order()),
        ("calendar", &owner, cycle),
        ("notice", &public, on_notice()),
        ("award-letter", &owner, letter()),
        ("result-letter", &other, refused),
    ];
    let shown = all.len() + projects::all().len();
    assert_eq!(shown, DOCUMENTS.len(), "every document is shown");
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
        world.remove(Kind::Expert, expert::id_of(account));
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
    assert_eq!(book.sheet_names(), ["评分汇总表", "更正记录"]);
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

#[test]
fn the_public_reads_the_order_by_number_alone() {
    let public = Viewer::default();
    let shown = page("pitch-order", &public, &in_order(), Language::Zh);
    assert!(shown.contains("WJ2024-0000") && shown.contains("00112233445566778899aabbccddeeff"));
    assert!(
        !shown.contains("家门口") && !shown.contains("签到"),
        "{shown}"
    );
    assert!(page("pitch-order", &staff(), &in_order(), Language::Zh).contains("家门口"));
}

#[test]
fn a_calendar_is_its_readers_own() {
    let cycle = world().state(Kind::Cycle, CYCLE).unwrap().clone();
    let events = |viewer: &Viewer| page("calendar", viewer, &cycle, Language::Zh);
    let owner = viewer(Role::Owner, Scope::Organisation(Uuid::from_u128(30)));
    assert!(
        events(&owner).contains("SUMMARY:路演:WJ2024-0000\n"),
        "their own turn"
    );
    let public = events(&Viewer::default());
    assert!(
        public.contains("SUMMARY:路演:第1场\n") && !public.contains("WJ2024"),
        "{public}"
    );
    assert!(
        public.contains("LOCATION:(演示)报告厅\\, 二楼\n"),
        "{public}"
    );
}
