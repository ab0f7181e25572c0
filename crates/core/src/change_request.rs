//! What an organisation asks to change while its project runs (`domain.md` §2.12).

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Exact, Rounding};
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
use crate::project::plan::{budget_faults, by_category, cap_faults, shifted, target_faults};
use crate::project::{self, Plan, Project, RecordedChange};
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
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

/// One thing before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference<T> {
    /// Of what: a category of the budget, or a target.
    pub name: String,
    /// What holds now.
    pub before: T,
    /// What is to hold.
    pub after: T,
}

/// What would change, next to what holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The categories of the budget that change, in fen of the award.
    pub budget: Vec<Difference<Money>>,
    /// The targets that change; a target that is new or gone was or is 0.
    pub targets: Vec<Difference<u32>>,
    /// By how many days the project ends later; negative: earlier.
    pub extended_days: i32,
}

impl Comparison {
    /// Whether a target falls.
    pub fn lowers_targets(&self) -> bool {
        self.targets.iter().any(|one| one.after < one.before)
    }
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
    /// What would change.
    #[serde(default)]
    pub comparison: Comparison,
    /// How much of the award lies in other categories than agreed, this change included, in fen.
    pub shifted: Money,
    /// Whether it needs no approval: nothing but the budget changes, and that little.
    #[serde(default)]
    pub free: bool,
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
        /// What would change.
        #[serde(default)]
        comparison: Comparison,
        /// How much lies elsewhere than agreed, in fen.
        shifted: Money,
        /// Whether it needs no approval.
        #[serde(default)]
        free: bool,
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
    "it moves more of the award or of time than staff may approve, or lowers a target: a lead decides",
    "调整金额或延长时间超出工作人员审批权限,或降低了指标,须由负责人审批",
    |request, cx| {
        its_project(request, cx)
            .zip(cx.policy())
            .is_some_and(|(project, policy)| {
                let (data, rules) = (&request.data, &policy.changes);
                let days = i64::from(data.comparison.extended_days);
                data.shifted <= part(project, &rules.staff_limit)
                    && days <= i64::from(rules.staff_extension_days)
                    && !data.comparison.lowers_targets()
            })
    },
)
.looking_at(project_need);
const FREE: Gate<ChangeRequest> = Gate::new(
    "free",
    "it needs to be approved by somebody",
    "该变更须经审批",
    |request, _| request.data.free,
);
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
            // Within the limit of the policy nobody has to be asked: the request is the record of it.
            Move { from: &[Filed], verb: Verb::Approve, to: Some(Approved), by: &[Role::System], gates: &[PLAN_UNCHANGED, FREE] },
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
        Field { name: "comparison", eyes: &[Eye::Applicant] },
        Field { name: "shifted", eyes: &[Eye::Applicant] },
        Field { name: "free", eyes: &[Eye::Applicant] },
        Field { name: "plan_version", eyes: &[Eye::Applicant] },
        Field { name: "answer", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "project"), (Column::Facet, "change"), (Column::Amount, "shifted")];

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
            Command::File { project, change } => {
                let event = filed(project, change, cx)?;
                let approved = matches!(event, Event::Filed { free: true, .. })
                    .then(|| Self::then(record.id, cx.journal, Command::Approve {}));
                Ok(Decided::only(event).then(approved))
            }
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
                comparison,
                shifted,
                free,
                plan_version,
            } => {
                *self = Self {
                    project: Some(project),
                    organisation,
                    change: Some(*change),
                    comparison,
                    shifted,
                    free,
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
        let rules = &cx.require_policy()?.budget_rules;
        faults.extend(cap_faults("/change/budget", budget, data.amount, rules));
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
    if change.ends_on.is_some_and(|day| day < cx.today()) {
        faults.push(Fault::new(
            "/change/ends_on",
            "past",
            "The new last day has passed already.",
            "新的结束日期已过。",
        ));
    }
    Rejection::unless_empty(faults)?;
    let comparison = compared(&data.plan.clone().unwrap_or_default(), &change);
    let moved = change
        .budget
        .as_ref()
        .map_or(Money::ZERO, |after| shifted(&data.agreed_budget, after));
    let only_budget =
        change.subject == Subject::Budget && change.targets.is_none() && change.ends_on.is_none();
    let limit = part(project, &cx.require_policy()?.changes.free_limit);
    Ok(Event::Filed {
        project: id,
        organisation: data.organisation,
        change,
        comparison,
        shifted: moved,
        free: only_budget && limit > Money::ZERO && moved <= limit,
        plan_version: data.plan_version,
    })
}

/// This part of the award of `project`, in whole fen.
fn part(project: &Record<Project>, ratio: &Exact) -> Money {
    let most = ratio * &Exact::from_integer(project.data.amount.fen());
    let fen = most.rounded(0, Rounding::Down).to_i64();
    Money::from_fen(fen.unwrap_or_default())
}

fn compared(plan: &Plan, change: &Change) -> Comparison {
    let mut comparison = Comparison::default();
    if let Some(budget) = &change.budget {
        comparison.budget = differences(&by_category(&plan.budget), &by_category(budget));
    }
    if let Some(targets) = &change.targets {
        let by_name = |targets: &[Indicator]| -> BTreeMap<String, u32> {
            let each = targets.iter();
            each.map(|one| (one.name.clone(), one.target)).collect()
        };
        comparison.targets = differences(&by_name(&plan.targets), &by_name(targets));
    }
    if let Some((before, after)) = plan.ends_on.zip(change.ends_on) {
        comparison.extended_days = (after - before).get_days();
    }
    comparison
}

fn differences<T: Copy + Default + PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) -> Vec<Difference<T>> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let at = |of: &BTreeMap<String, T>, name: &String| of.get(name).copied().unwrap_or_default();
    names
        .into_iter()
        .map(|name| Difference {
            name: name.clone(),
            before: at(before, name),
            after: at(after, name),
        })
        .filter(|one| one.before != one.after)
        .collect()
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
        free: record.data.free,
    };
    let command = project::Command::RecordChange {
        change: Box::new(recorded),
    };
    Some(Project::then(record.data.project?, cx.journal, command))
}
