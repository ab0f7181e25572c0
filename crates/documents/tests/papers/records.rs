//! Records made by hand: a cycle with two applications, read by three experts.

use std::collections::{BTreeMap, BTreeSet};

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
use fundcycle_core::pitch_session::{self, Draw, PitchSession};
use fundcycle_core::policy::{self, Policy, PolicyDocument, Round};
use fundcycle_core::selection::{self, Cut, Line, Run, Selection};
use fundcycle_core::sheet::{self, Sheet};
use fundcycle_core::slot::{self, Slot};
use fundcycle_core::time::Timestamp;
use fundcycle_core::world::World;
use fundcycle_scoring::{Exact, Outcome as Decision};
use uuid::Uuid;

const POLICY: &str = include_str!("../../../../docs/examples/wujin-2024.toml");
pub(crate) const CYCLE: Uuid = Uuid::from_u128(1);
pub(crate) const EXPERTS: [(Uuid, &str); 3] = [
    (Uuid::from_u128(51), "甲专家"),
    (Uuid::from_u128(52), "乙专家"),
    (Uuid::from_u128(53), "丙专家"),
];

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn record<A: Stored>(id: u128, journal: Uuid, stage: A::Stage, data: A) -> Record<A> {
    Record {
        version: 1,
        stage,
        created_at: time("2024-08-20T09:00:00+08:00"),
        updated_at: time("2024-08-21T16:30:00+08:00"),
        data,
        ..Record::unborn(Uuid::from_u128(id), journal)
    }
}

pub(crate) fn score(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(crate) fn fen(yuan: i64) -> Money {
    Money::from_fen(yuan * 100)
}

/// Two applications that were read by three experts, one of whom stepped back from the second.
pub(crate) fn world() -> World {
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
    let corrected = Sheet {
        round: Some(Round::PaperReview),
        subject: Some(Uuid::from_u128(20)),
        expert: Some(EXPERTS[1].0),
        total: Some(score("80.5")),
        earlier: vec![sheet::Earlier {
            marks: fundcycle_scoring::Marks::default(),
            total: Some(score("58")),
            recommended: None,
            submitted_at: time("2024-08-20T10:00:00+08:00"),
            reopened_because: "两位数字写颠倒".to_owned(),
        }],
        ..Sheet::default()
    };
    let corrected = record(61, CYCLE, sheet::Stage::Submitted, corrected);
    world.put(Sheet::state(corrected));
    world.put(in_order());
    world.put(turn());
    world
}

pub(crate) fn outcome(
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
            domain: None,
            vetoed: false,
            overrun_seconds: None,
        },
        score: RoundScore {
            exact: score(rounded),
            rounded: score(rounded),
            rank: Some(rank),
        },
        deduction: None,
        raw: None,
        used,
        dropped: dropped.iter().map(Uuid::to_string).collect(),
        decided_by: (rank == 2).then(|| "criterion:need".to_owned()),
        goes_on: rank == 1,
        stopped_by: None,
    }
}

pub(crate) fn closed_panel() -> State {
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

pub(crate) fn line(
    application: u128,
    requested: i64,
    award: i64,
    rank: u32,
    decision: Decision,
) -> Line {
    let cut = (0 < award && award < requested).then(|| Cut {
        line: 0,
        amount: fen(requested - award),
        reason: "单价偏高".to_owned(),
    });
    Line {
        application: Uuid::from_u128(application),
        number: format!("WJ2024-000{}", application - 20),
        requested: fen(requested),
        score: score("86"),
        bonus: Exact::ZERO,
        rank: Some(rank),
        decided_by: None,
        decision,
        award: fen(award),
        reason: if rank == 2 {
            "与上年项目重复".to_owned()
        } else {
            format!("rank {rank}: within the budget")
        },
        reason_zh: if rank == 2 {
            String::new()
        } else {
            format!("第 {rank} 名:在预算之内")
        },
        needs: String::new(),
        needs_zh: String::new(),
        departed: rank == 2,
        cuts: cut.into_iter().collect(),
    }
}

pub(crate) fn chosen() -> State {
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

pub(crate) fn on_notice() -> State {
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

pub(crate) fn letter() -> State {
    let award = Award {
        application: Some(Uuid::from_u128(20)),
        organisation: Some(Uuid::from_u128(30)),
        organisation_name: "(演示)向日葵社会工作服务中心".to_owned(),
        title: "家门口的幸福好“食”光".to_owned(),
        domain: "养老服务".to_owned(),
        letter: "武民创〔2024〕1号".to_owned(),
        amount: fen(45_000),
        cuts: vec![Cut {
            line: 0,
            amount: fen(5_000),
            reason: "单价偏高".to_owned(),
        }],
        due: Some(time("2024-09-03T23:59:59.999+08:00")),
        ..Award::default()
    };
    Award::state(record(13, CYCLE, award::Stage::Issued, award))
}

/// A sitting whose order is public: the first application pitches.
pub(crate) fn in_order() -> State {
    let draw = Draw {
        seed: "00112233445566778899aabbccddeeff".to_owned(),
        list_hash: "0f0f".to_owned(),
        order: vec!["WJ2024-0000".to_owned()],
    };
    let session = PitchSession {
        name: "第1场".to_owned(),
        room: "(演示)报告厅, 二楼".to_owned(),
        starts_at: time("2024-07-04T09:00:00+08:00"),
        applications: BTreeSet::from([Uuid::from_u128(20)]),
        list: draw.order.clone(),
        commitment: Some("f0f0".to_owned()),
        draw: Some(draw),
        ..PitchSession::default()
    };
    PitchSession::state(record(14, CYCLE, pitch_session::Stage::Published, session))
}

/// The turn of the first application.
pub(crate) fn turn() -> State {
    let turn = slot::Turn {
        session: Uuid::from_u128(14),
        application: Uuid::from_u128(20),
        organisation: Some(Uuid::from_u128(30)),
        number: "WJ2024-0000".to_owned(),
        position: 1,
        room: "(演示)报告厅, 二楼".to_owned(),
        starts_at: time("2024-07-04T09:00:00+08:00"),
        ends_at: time("2024-07-04T09:15:00+08:00"),
    };
    let slot = Slot {
        turn,
        ..Slot::default()
    };
    Slot::state(record(15, CYCLE, slot::Stage::Scheduled, slot))
}
