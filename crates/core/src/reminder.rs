//! What somebody still has to do, until when, and when they are reminded of it (`domain.md` §7): a pure
//! function of the record, its cycle and the policy. A deadline that moves moves its reminders, for
//! nothing of this is stored.

mod desk;
mod schedule;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

pub use self::desk::{DESK, digest_is_due, staff_due};
pub use self::schedule::{Reminder, ReminderRules, current, schedule};
use crate::cycle::Cycle;
use crate::kinds::{Kind, State};
use crate::money::Money;
use crate::project::{self, Project};
use crate::time::Timestamp;
use crate::world::World;
use crate::{application, award, objection, report, slot, visit};

names! {
    /// What people are reminded of.
    pub enum Item {
        /// A draft that is not handed in, before the call closes.
        Draft = "draft" "申报草稿",
        /// An application to be corrected.
        Correction = "correction" "申报补正",
        /// A pitch to be given.
        Pitch = "pitch" "路演",
        /// An objection to be answered.
        Objection = "objection" "异议说明",
        /// An award to be accepted.
        Award = "award" "立项确认",
        /// An agreement to be signed.
        Agreement = "agreement" "协议签订",
        /// A launch whose day is not set.
        LaunchDate = "launch_date" "启动安排",
        /// A launch whose day comes.
        Launch = "launch" "项目启动",
        /// A report to be handed in.
        Report = "report" "项目报告",
        /// What an evaluation or a visit found, to be put right.
        Rectification = "rectification" "整改",
        /// A ground to stop a project, to be answered.
        Hearing = "hearing" "陈述申辩",
        /// Money to be paid back.
        Refund = "refund" "退款",
    }
}

/// The usual times, in hours before the deadline.
const fn usual(item: Item) -> &'static [u32] {
    match item {
        Item::Draft => &[168, 72, 24, 3],
        Item::Correction | Item::Pitch | Item::Objection => &[24],
        Item::Award => &[120, 48, 24],
        Item::Agreement => &[120, 48],
        Item::LaunchDate => &[168, 72, 24],
        Item::Launch => &[72, 24],
        Item::Report => &[480, 240, 72, 24],
        Item::Rectification => &[120, 24],
        Item::Hearing => &[48, 24],
        Item::Refund => &[240, 72, 24],
    }
}

/// The kinds and stages of records that somebody may have to be reminded of.
pub const WATCHED: &[(Kind, &[&str])] = &[
    (Kind::Application, &["draft"]),
    (Kind::Application, &["returned"]),
    (Kind::Slot, &["scheduled", "confirmed"]),
    (Kind::Objection, &["accepted"]),
    (Kind::Award, &["issued"]),
    (
        Kind::Project,
        &[
            "refining",
            "agreement_pending",
            "signed",
            "launched",
            "active",
            "midterm_due",
            "rectifying",
            "midterm_failed",
            "final_due",
            "final_failed",
            "closing",
            "suspended",
            "recovering",
        ],
    ),
    (Kind::Report, &["requested", "draft", "returned"]),
    (Kind::Visit, &["rectifying"]),
];

/// Something that has to be done, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub item: Item,
    /// Until when.
    pub at: Timestamp,
    /// Since when that is known: a time before it is nobody's omission.
    pub since: Timestamp,
}

impl Due {
    /// The deadline as people read it: a launch has a day, all else a time.
    pub fn written_in(&self, zone: &TimeZone) -> String {
        match self.item {
            Item::Launch => self.at.date_in(zone).to_string(),
            _ => self.at.written_in(zone),
        }
    }
}

/// What those that `state` belongs to have to do, if anything: each item once.
pub fn due(state: &State, cycle: &Cycle, zone: &TimeZone) -> Vec<Due> {
    let task = |item: Item, at: Option<Timestamp>| at.map(|at| (item, at));
    let tasks = match state {
        State::Application(one) => match one.stage {
            application::Stage::Draft => [task(Item::Draft, cycle.closes_at), None],
            application::Stage::Returned => {
                let correction = one.data.correction.as_ref();
                [task(Item::Correction, correction.map(|one| one.due)), None]
            }
            _ => [None, None],
        },
        State::Slot(one) => {
            use slot::Stage::{Confirmed, Scheduled};
            let ahead = matches!(one.stage, Scheduled | Confirmed);
            [
                ahead.then_some((Item::Pitch, one.data.turn.starts_at)),
                None,
            ]
        }
        State::Objection(one) if one.stage == objection::Stage::Accepted => {
            [task(Item::Objection, one.data.due), None]
        }
        State::Award(one) if one.stage == award::Stage::Issued => {
            [task(Item::Award, one.data.due), None]
        }
        State::Project(one) => [
            of_project(one.stage, &one.data, zone),
            to_answer(one.stage, &one.data),
        ],
        State::Report(one) => {
            use report::Stage::{Draft, Requested, Returned};
            let wanted = matches!(one.stage, Requested | Draft | Returned);
            [task(Item::Report, one.data.due.filter(|_| wanted)), None]
        }
        State::Visit(one) if one.stage == visit::Stage::Rectifying => {
            [task(Item::Rectification, one.data.due), None]
        }
        _ => [None, None],
    };
    let extended = cycle.extensions.last().map(|one| one.at);
    tasks
        .into_iter()
        .flatten()
        .map(|(item, at)| {
            let moved = extended.filter(|_| item == Item::Draft).unwrap_or_default();
            Due {
                item,
                at,
                since: state.updated_at().max(moved),
            }
        })
        .collect()
}

/// What a project has to do at its stage.
fn of_project(
    stage: project::Stage,
    project: &Project,
    zone: &TimeZone,
) -> Option<(Item, Timestamp)> {
    use project::Stage::{AgreementPending, Recovering, Rectifying, Refining, Signed};
    match stage {
        Refining | AgreementPending => Some((Item::Agreement, project.sign_by?)),
        Signed => Some(match &project.launch {
            Some(launch) => (Item::Launch, beginning_of(launch.date, zone)),
            None => (
                Item::LaunchDate,
                Timestamp::end_of_day(project.launch_by?, zone),
            ),
        }),
        Rectifying => Some((Item::Rectification, project.rectifications.last()?.due)),
        Recovering => {
            let day = project.demand.as_ref()?.due_on;
            Some((Item::Refund, Timestamp::end_of_day(day, zone)))
        }
        _ => None,
    }
}

/// What a project may answer before it is stopped, at whatever stage it is.
fn to_answer(stage: project::Stage, project: &Project) -> Option<(Item, Timestamp)> {
    let hearing = project.hearing.as_ref()?;
    let open = project::STOPPABLE.contains(&stage) && hearing.statement.is_none();
    open.then_some((Item::Hearing, hearing.until))
}

fn beginning_of(date: Date, zone: &TimeZone) -> Timestamp {
    Timestamp::of_civil(date.to_datetime(Time::midnight()), zone)
}

/// Whether `item` needs nobody's doing any more although its record still stands there. The world holds
/// what the moves of the record look at.
pub fn is_settled(item: Item, state: &State, world: &World) -> bool {
    match (item, state) {
        // All came back; finance has only to confirm it.
        (Item::Refund, State::Project(one)) => project::outstanding(one, world) == Money::ZERO,
        _ => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::aggregate::{Record, Stored as _};
    use crate::project::{Demand, Ground, Hearing, Launch, Stage};

    #[test]
    fn every_watched_stage_is_one_of_its_kind() {
        let desk = DESK.iter().map(|(kind, stages, ..)| (*kind, *stages));
        for (kind, stages) in WATCHED.iter().copied().chain(desk) {
            for stage in stages {
                assert!(
                    kind.stages().iter().any(|one| one.name == *stage),
                    "{kind} has no stage {stage}"
                );
            }
        }
    }

    fn at(text: &str) -> Timestamp {
        format!("{text}+08:00").parse().unwrap()
    }

    /// What is due of a project at `stage`, as people read it.
    fn due_of(stage: Stage, project: &Project) -> Vec<(Item, String)> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let record = Record {
            id: Uuid::from_u128(1),
            journal: Uuid::from_u128(2),
            version: 1,
            stage,
            created_at: at("2024-09-01T09:00:00"),
            updated_at: at("2024-09-01T09:00:00"),
            data: project.clone(),
        };
        let all = due(&Project::state(record), &Cycle::default(), &zone);
        all.iter()
            .map(|one| (one.item, one.written_in(&zone)))
            .collect()
    }

    fn only(item: Item, when: &str) -> Vec<(Item, String)> {
        vec![(item, when.to_owned())]
    }

    #[test]
    fn a_project_is_reminded_of_a_day_to_set_of_the_day_itself_and_of_what_it_owes() {
        let mut project = Project {
            launch_by: Some("2024-10-01".parse().unwrap()),
            ..Project::default()
        };
        assert_eq!(
            due_of(Stage::Signed, &project),
            only(Item::LaunchDate, "2024-10-01 23:59")
        );
        project.launch = Some(Launch {
            date: "2024-09-20".parse().unwrap(),
            day_kind: None,
            venue: None,
        });
        assert_eq!(
            due_of(Stage::Signed, &project),
            only(Item::Launch, "2024-09-20")
        );
        assert_eq!(due_of(Stage::Launched, &project), []);
        project.demand = Some(Demand {
            amount: Money::from_fen(1),
            due_on: "2025-01-15".parse().unwrap(),
        });
        assert_eq!(
            due_of(Stage::Recovering, &project),
            only(Item::Refund, "2025-01-15 23:59")
        );
    }

    #[test]
    fn a_hearing_is_open_beside_whatever_else_is_due_until_it_is_answered() {
        let hearing = |statement: Option<&str>| {
            Some(Hearing {
                ground: Ground::Deviation,
                reason: "(演示)".to_owned(),
                until: at("2025-03-07T23:59:59.999"),
                statement: statement.map(str::to_owned),
            })
        };
        let mut project = Project {
            launch_by: Some("2024-10-01".parse().unwrap()),
            hearing: hearing(None),
            ..Project::default()
        };
        let heard = (Item::Hearing, "2025-03-07 23:59".to_owned());
        assert_eq!(
            due_of(Stage::Suspended, &project),
            std::slice::from_ref(&heard)
        );
        assert_eq!(due_of(Stage::Signed, &project)[1], heard);
        assert_eq!(due_of(Stage::Terminated, &project), []);
        project.hearing = hearing(Some("(演示)说明"));
        assert_eq!(due_of(Stage::Suspended, &project), []);
    }
}
