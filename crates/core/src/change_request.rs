//! What an organisation asks to change while its project runs (`domain.md` §2.12).

use fundcycle_scoring::Exact;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Belongs, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::application::form::{BudgetLine, Indicator};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::project::plan::{budget_faults, shifted, target_faults};
use crate::project::{self, Project, RecordedChange};
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Eye, Field, Sight};
use crate::world::{Need, World};

names! {
    /// What is to change; the total of the award never does.
    pub enum Subject {
        /// How the award is divided between budget lines.
        Budget = "budget" "预算调整",
        /// When things happen, and when the project ends.
        Schedule = "schedule" "进度调整",
        /// Who leads or does the work.
        People = "people" "人员调整",
        /// Where it takes place.
        Venue = "venue" "地点调整",
        /// What success is measured by.
        Indicators = "indicators" "指标调整",
        /// Something else.
        Other = "other" "其他调整",
    }
}

names! {
    /// Where a request stands.
    pub enum Stage {
        /// Handed in.
        Filed = "filed" "待审批",
        /// Agreed to; the plan has changed.
        Approved = "approved" "已批准",
        /// Not agreed to.
        Refused = "refused" "未批准",
        /// Taken back.
        Withdrawn = "withdrawn" "已撤回",
    }
}

commands! {
    /// Ask for a change.
    File = "file" "申请变更" {
        /// Of which project.
        project: Uuid,
        /// What is asked for.
        change: Box<Change>,
    }
    /// Agree; the plan changes at once.
    Approve = "approve" "批准" {}
    /// Do not agree.
    Refuse = "refuse" "不予批准" {
        /// Why; the applicant reads it.
        reason: String,
    }
    /// Take it back.
    Withdraw = "withdraw" "撤回" {}
}

/// What is asked for, next to what holds now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is to change.
    pub subject: Subject,
    /// What holds now.
    pub old: String,
    /// What is to hold.
    pub new: String,
    /// The whole new budget, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Vec<BudgetLine>>,
    /// All new targets, where they change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Indicator>>,
    /// The new last day, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ends_on: Option<Date>,
    /// Why.
    pub reason: String,
}

/// A change request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRequest {
    /// Of which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// What is asked for.
    pub change: Option<Change>,
    /// How much of the award moves into other categories, in fen.
    pub shifted: Money,
    /// The version of the plan that it was written against.
    pub plan_version: u32,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// Why it was refused.
    pub answer: Option<String>,
}

/// What happened to a change request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was handed in.
    Filed {
        /// Of which project.
        project: Uuid,
        /// Whose project that is.
        organisation: Option<Uuid>,
        /// What is asked for.
        change: Box<Change>,
        /// How much moves, in fen.
        shifted: Money,
        /// The version of the plan.
        plan_version: u32,
    },
    /// It was decided.
    Decided {
        /// By whom.
        by: Option<Uuid>,
        /// Why, where it was refused.
        answer: Option<String>,
    },
    /// Nothing but the move itself.
    Moved {},
}

const WITHIN_STAFF_LIMIT: Gate<ChangeRequest> = Gate::<ChangeRequest>::new(
    "within_staff_limit",
    "it moves more of the award than staff may approve: a lead decides",
    "调整金额超出工作人员审批权限,须由负责人审批",
    |request, cx| {
        its_project(request, cx)
            .zip(cx.policy())
            .is_some_and(|(project, policy)| {
                let limit =
                    &Exact::from_integer(project.data.amount.fen()) * &policy.changes.staff_limit;
                Exact::from_integer(request.data.shifted.fen()) <= limit
            })
    },
)
.looking_at(project_need);
const PLAN_UNCHANGED: Gate<ChangeRequest> = Gate::<ChangeRequest>::new(
    "plan_unchanged",
    "the plan has changed since it was filed: refuse it, and have it filed anew",
    "提出申请后方案已变更,请驳回后重新申请",
    |request, cx| {
        its_project(request, cx)
            .is_some_and(|project| project.data.plan_version == request.data.plan_version)
    },
)
.looking_at(project_need);

fn project_need(request: &Record<ChangeRequest>) -> Vec<Need> {
    request
        .data
        .project
        .map(|id| Need::One(Kind::Project, id))
        .into_iter()
        .collect()
}

fn its_project<'a>(
    request: &Record<ChangeRequest>,
    cx: &Context<'a>,
) -> Option<&'a Record<Project>> {
    cx.world.get::<Project>(request.data.project?)
}

impl Aggregate for ChangeRequest {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::ChangeRequest;
    const FIRST: Stage = Stage::Filed;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::File, to: Some(Filed), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Filed], verb: Verb::Approve, to: Some(Approved), by: &[Role::Staff], gates: &[PLAN_UNCHANGED, WITHIN_STAFF_LIMIT] },
            Move { from: &[Filed], verb: Verb::Approve, to: Some(Approved), by: &[Role::Lead], gates: &[PLAN_UNCHANGED] },
            Move { from: &[Filed], verb: Verb::Refuse, to: Some(Refused), by: &[Role::Staff, Role::Lead], gates: &[] },
            Move { from: &[Filed], verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Role::Applicant], gates: &[] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "change", eyes: &[Eye::Applicant] },
        Field { name: "shifted", eyes: &[Eye::Applicant] },
        Field { name: "plan_version", eyes: &[Eye::Applicant] },
        Field { name: "answer", eyes: &[Eye::Applicant] },
    ];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            facet: self.change.as_ref().map(|one| one.subject.to_string()),
            amount: Some(self.shifted.fen()),
            ..Index::default()
        }
    }

    fn belongs(command: &Command, world: &World) -> Belongs {
        let organisation = match command {
            Command::File { project, .. } => world
                .get::<Project>(*project)
                .and_then(|project| project.data.organisation),
            _ => None,
        };
        Belongs {
            organisation,
            person: None,
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::File { project, .. } => vec![Need::One(Kind::Project, *project)],
            _ => project_need(record),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::File { project, change } => Ok(Decided::only(filed(project, change, cx)?)),
            Command::Approve {} => Ok(Decided::only(Event::Decided {
                by: cx.account(),
                answer: None,
            })
            .then(taken_in(record, cx))),
            Command::Refuse { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Decided {
                    by: cx.account(),
                    answer: Some(reason),
                }))
            }
            Command::Withdraw {} => Ok(Decided::only(Event::Moved {})),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Filed {
                project,
                organisation,
                change,
                shifted,
                plan_version,
            } => {
                *self = Self {
                    project: Some(project),
                    organisation,
                    change: Some(*change),
                    shifted,
                    plan_version,
                    ..Self::default()
                }
            }
            Event::Decided { by, answer } => {
                self.decided_by = by;
                self.answer = answer;
            }
            Event::Moved {} => {}
        }
    }
}

fn filed(id: Uuid, change: Box<Change>, cx: &Context<'_>) -> Result<Event, Rejection> {
    use project::Stage::{Active, Launched, Rectifying};
    let under_way = cx
        .world
        .get::<Project>(id)
        .filter(|project| matches!(project.stage, Launched | Active | Rectifying));
    let Some(project) = under_way else {
        return Err(Rejection::fault(
            "/project",
            "not_under_way",
            "Only a project that is being carried out can change.",
            "只有执行中的项目可以申请变更。",
        ));
    };
    let data = &project.data;
    let texts = [
        ("/change/old", &change.old),
        ("/change/new", &change.new),
        ("/change/reason", &change.reason),
    ];
    let mut faults: Vec<Fault> = texts
        .into_iter()
        .filter_map(|(at, text)| Fault::of_text(at, text, LONGEST_REASON))
        .collect();
    if let Some(budget) = &change.budget {
        // The total is the award: a change of it is refused here.
        faults.extend(budget_faults("/change/budget", budget, data.amount));
    }
    if let Some(targets) = &change.targets {
        faults.extend(target_faults("/change/targets", targets));
    }
    let missing = match change.subject {
        Subject::Budget => change.budget.is_none().then_some("/change/budget"),
        Subject::Indicators => change.targets.is_none().then_some("/change/targets"),
        _ => None,
    };
    if let Some(at) = missing {
        faults.push(Fault::new(
            at,
            "required",
            "Say what it is to be as a whole.",
            "请完整填写变更后的内容。",
        ));
    }
    Rejection::unless_empty(faults)?;
    let before = data.plan.as_ref().map_or(&[][..], |plan| &plan.budget);
    let moved = change
        .budget
        .as_ref()
        .map_or(Money::ZERO, |after| shifted(before, after));
    Ok(Event::Filed {
        project: id,
        organisation: data.organisation,
        change,
        shifted: moved,
        plan_version: data.plan_version,
    })
}

fn taken_in(record: &Record<ChangeRequest>, cx: &Context<'_>) -> Option<Then> {
    let change = record.data.change.clone()?;
    let recorded = RecordedChange {
        request: record.id,
        subject: change.subject,
        text: change.new,
        budget: change.budget,
        targets: change.targets,
        ends_on: change.ends_on,
    };
    let command = project::Command::RecordChange {
        change: Box::new(recorded),
    };
    Some(Project::then(record.data.project?, cx.journal, command))
}
