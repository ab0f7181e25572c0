//! A visit to a project, what was found, and what has to be put right by when (`domain.md` §2.12).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::project::{self, Project};
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// The longest findings, in characters.
const LONGEST_FINDINGS: usize = 5_000;

names! {
    /// Where a visit stands.
    pub enum Stage {
        /// Written down; nothing has to be put right.
        Recorded = "recorded" "已登记",
        /// Something has to be put right.
        Rectifying = "rectifying" "限期整改",
        /// Not put right in time.
        Overdue = "overdue" "整改逾期",
        /// Said to be put right.
        Answered = "answered" "已反馈",
        /// Put right.
        Settled = "settled" "整改完成",
    }
}

commands! {
    /// Write down a visit.
    Record = "record" "登记走访" {
        /// To which project.
        project: Uuid,
        /// On which day.
        #[schemars(with = "String", extend("format" = "date"))]
        visited_on: Date,
        /// Who went there.
        visitors: Vec<String>,
        /// What was found.
        findings: String,
    }
    /// Ask for something to be put right, or for more than was done.
    DemandRectification = "demand_rectification" "要求整改" {
        /// What.
        what: String,
        /// In how many working days; none: as for evaluations.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        working_days: Option<u32>,
    }
    /// Note that it was not put right in time.
    Expire = "expire" "整改逾期" {}
    /// Say what was put right.
    Answer = "answer" "整改反馈" {
        /// What was done.
        statement: String,
    }
    /// Find it put right.
    Settle = "settle" "整改验收" {}
}

/// A visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    /// To which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// On which day.
    #[schemars(with = "Option<String>")]
    pub visited_on: Option<Date>,
    /// Who went there.
    pub visitors: Vec<String>,
    /// What was found.
    pub findings: String,
    /// What has to be put right.
    pub rectification: Option<String>,
    /// Until when.
    pub due: Option<Timestamp>,
    /// What was done about it.
    pub statement: Option<String>,
    /// Who found it put right.
    pub settled_by: Option<Uuid>,
}

/// What happened to a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was written down.
    Recorded {
        /// As it was written.
        visit: Box<Visit>,
    },
    /// Something has to be put right.
    Demanded {
        /// What.
        what: String,
        /// Until when.
        due: Timestamp,
    },
    /// It was answered.
    Answered {
        /// What was done.
        statement: String,
    },
    /// It is put right.
    Settled {
        /// Found by whom.
        by: Option<Uuid>,
    },
    /// Nothing but the move itself.
    Moved {},
}

const OVERDUE: Gate<Visit> = Gate::<Visit>::new(
    "overdue",
    "the time to put it right is not over",
    "整改期限未到",
    |visit, cx| visit.data.due.is_some_and(|due| cx.now > due),
)
.opened_by_time();

impl Aggregate for Visit {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Visit;
    const FIRST: Stage = Stage::Recorded;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Record, to: Some(Recorded), by: &[Role::Staff, Role::Lead], gates: &[] },
            Move { from: &[Recorded, Answered], verb: Verb::DemandRectification, to: Some(Rectifying), by: &[Role::Staff, Role::Lead], gates: &[] },
            Move { from: &[Rectifying], verb: Verb::Expire, to: Some(Overdue), by: &[Role::System, Role::Staff], gates: &[OVERDUE] },
            // Late is better than never; that it was late stays in the journal.
            Move { from: &[Rectifying, Overdue], verb: Verb::Answer, to: Some(Answered), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Answered], verb: Verb::Settle, to: Some(Settled), by: &[Role::Staff, Role::Lead], gates: &[] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
        Sight { eye: Eye::Expert, stages: &[] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "visited_on", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "visitors", eyes: &[Eye::Applicant] },
        Field { name: "findings", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "rectification", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "due", eyes: &[Eye::Applicant] },
        Field { name: "statement", eyes: &[Eye::Applicant, Eye::Expert] },
    ];

    const SHOWS: &'static [Shows] = &[(Column::Parent, "project")];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            ..Index::default()
        }
    }

    fn needs(_record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Record { project, .. } => vec![Need::One(Kind::Project, *project)],
            _ => Vec::new(),
        }
    }

    fn decide(
        _record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Record { .. } => recorded(command, cx)?,
            Command::DemandRectification { what, working_days } => {
                let mut faults = Vec::from_iter(Fault::of_text("/what", &what, LONGEST_REASON));
                if working_days.is_some_and(|days| !(1..=250).contains(&days)) {
                    faults.push(Fault::new(
                        "/working_days",
                        "range",
                        "Between 1 and 250 working days.",
                        "须在 1 至 250 个工作日之间。",
                    ));
                }
                Rejection::unless_empty(faults)?;
                let usual = cx.require_policy()?.evaluation.rectification_working_days;
                let days = working_days.unwrap_or(usual);
                Event::Demanded {
                    what,
                    due: cx.due_in(days, FirstDay::NotCounted)?,
                }
            }
            Command::Answer { statement } => {
                let fault = Fault::of_text("/statement", &statement, LONGEST_REASON);
                Rejection::unless_empty(Vec::from_iter(fault))?;
                Event::Answered { statement }
            }
            Command::Settle {} => Event::Settled { by: cx.account() },
            Command::Expire {} => Event::Moved {},
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Recorded { visit } => *self = *visit,
            Event::Demanded { what, due } => {
                self.rectification = Some(what);
                self.due = Some(due);
                self.statement = None;
            }
            Event::Answered { statement } => self.statement = Some(statement),
            Event::Settled { by } => self.settled_by = by,
            Event::Moved {} => {}
        }
    }
}

fn recorded(command: Command, cx: &Context<'_>) -> Result<Event, Rejection> {
    let Command::Record {
        project,
        visited_on,
        visitors,
        findings,
    } = command
    else {
        return Err(Rejection::NotFound);
    };
    let found = cx.world.get::<Project>(project).filter(|project| {
        project::RUNNING.contains(&project.stage) || project.stage == project::Stage::Suspended
    });
    let Some(found) = found else {
        return Err(Rejection::fault(
            "/project",
            "not_under_way",
            "There is no project with this id under way.",
            "没有该编号且在执行中的项目。",
        ));
    };
    let mut faults = Vec::from_iter(Fault::of_text("/findings", &findings, LONGEST_FINDINGS));
    if visitors.is_empty() {
        faults.push(Fault::new(
            "/visitors",
            "required",
            "Say who went there.",
            "请填写走访人员。",
        ));
    }
    for (index, visitor) in visitors.iter().enumerate() {
        faults.extend(Fault::of_text(format!("/visitors/{index}"), visitor, 100));
    }
    if visited_on > cx.today() {
        faults.push(Fault::new(
            "/visited_on",
            "in_future",
            "A visit cannot be dated after today.",
            "走访日期不能晚于今天。",
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Recorded {
        visit: Box::new(Visit {
            project: Some(project),
            organisation: found.data.organisation,
            visited_on: Some(visited_on),
            visitors,
            findings,
            ..Visit::default()
        }),
    })
}
