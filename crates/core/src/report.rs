//! What an organisation tells of its project's progress (`domain.md` §2.12–2.14).

mod asking;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::application::form::Indicator;
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::project::{self, Project};
use crate::rejection::{Fault, Rejection, pointer_segment};
use crate::text::check_length;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

pub use asking::Period;

/// The longest report, in characters.
const LONGEST_TEXT: usize = 20_000;

names! {
    /// What a report is for.
    pub enum Occasion {
        /// Before the mid-term evaluation.
        MidtermSelfReport = "midterm_self_report" "中期自评报告",
        /// After the end of the work.
        FinalReport = "final_report" "末期总结报告",
        /// Of one month.
        Monthly = "monthly" "月度报告",
        /// Of one quarter.
        Quarterly = "quarterly" "季度报告",
    }
}

names! {
    /// Where a report stands.
    pub enum Stage {
        /// Asked for.
        Requested = "requested" "待提交",
        /// Begun.
        Draft = "draft" "填写中",
        /// Handed in.
        Submitted = "submitted" "已提交",
        /// Found complete.
        Accepted = "accepted" "已通过",
        /// Sent back.
        Returned = "returned" "已退回",
        /// Not handed in in time.
        Overdue = "overdue" "已逾期",
    }
}

commands! {
    /// Ask for a report.
    Request = "request" "要求报告" {
        /// Of which project.
        project: Uuid,
        /// What it is for.
        occasion: Occasion,
        /// Of what time it is; the service names it where the policy asks for reports by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        period: Option<Period>,
    }
    /// Keep what has been written so far.
    Save = "save" "保存" {
        /// What it says.
        body: Box<Body>,
    }
    /// Hand it in.
    Submit = "submit" "提交" {}
    /// Find it complete.
    Accept = "accept" "通过" {}
    /// Send it back.
    Return = "return" "退回" {
        /// What is missing or wrong.
        reason: String,
    }
    /// Note that it did not come in time.
    Expire = "expire" "逾期" {}
    /// Give more time, also after it ran out.
    Extend = "extend" "延期" {
        /// Until when.
        due: Timestamp,
        /// Why.
        reason: String,
    }
}

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Body {
    /// What was done and what came of it.
    pub text: String,
    /// How many people were reached, each counted once (人).
    pub people: Option<u32>,
    /// How many attendances there were (人次); never added to people.
    pub person_times: Option<u32>,
    /// What was spent so far by category of the budget, in fen.
    pub spend: BTreeMap<String, Money>,
    /// What was reached so far, by name of the target.
    pub reached: BTreeMap<String, u32>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Of which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// What it is for.
    pub occasion: Option<Occasion>,
    /// Of what time it is, where it is a regular one.
    #[serde(default)]
    pub period: Option<Period>,
    /// Until when it has to be handed in.
    pub due: Option<Timestamp>,
    /// What it says.
    pub body: Body,
    /// What was planned when it was handed in, to compare with.
    pub planned: Vec<Indicator>,
    /// When it was handed in.
    pub submitted_at: Option<Timestamp>,
    /// Why it was last returned or given more time.
    pub reason: Option<String>,
}

/// What happened to a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was asked for.
    Requested {
        /// Of which project.
        project: Uuid,
        /// Whose project that is.
        organisation: Option<Uuid>,
        /// What it is for.
        occasion: Occasion,
        /// Of what time it is.
        #[serde(default)]
        period: Option<Period>,
        /// Until when.
        due: Timestamp,
    },
    /// What was written so far.
    Saved {
        /// What it says.
        body: Box<Body>,
    },
    /// It was handed in.
    Submitted {
        /// What was planned.
        planned: Vec<Indicator>,
    },
    /// There is more time.
    Due {
        /// Until when.
        due: Timestamp,
        /// Why.
        reason: String,
    },
    /// Nothing but the move itself.
    Moved {},
}

const IN_TIME: Gate<Report> = Gate::new(
    "in_time",
    "the time to hand it in is over",
    "提交期限已过",
    |report, cx| report.data.due.is_some_and(|due| cx.now <= due),
);
const OVERDUE: Gate<Report> = Gate::<Report>::new(
    "overdue",
    "the time to hand it in is not over",
    "提交期限未到",
    |report, cx| report.data.due.is_some_and(|due| cx.now > due),
)
.opened_by_time();

impl Aggregate for Report {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Report;
    const FIRST: Stage = Stage::Requested;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Request, to: Some(Requested), by: &[Role::Staff, Role::System], gates: &[] },
            Move { from: &[Requested, Draft], verb: Verb::Save, to: Some(Draft), by: &[Role::Applicant], gates: &[IN_TIME] },
            Move { from: &[Returned], verb: Verb::Save, to: None, by: &[Role::Applicant], gates: &[IN_TIME] },
            Move { from: &[Draft, Returned], verb: Verb::Submit, to: Some(Submitted), by: &[Role::Applicant], gates: &[IN_TIME] },
            Move { from: &[Submitted], verb: Verb::Accept, to: Some(Accepted), by: &[Role::Staff], gates: &[] },
            Move { from: &[Submitted], verb: Verb::Return, to: Some(Returned), by: &[Role::Staff], gates: &[] },
            Move { from: &[Requested, Draft, Returned], verb: Verb::Expire, to: Some(Overdue), by: &[Role::System, Role::Staff], gates: &[OVERDUE] },
            Move { from: &[Requested, Draft, Returned], verb: Verb::Extend, to: None, by: &[Role::Lead], gates: &[] },
            Move { from: &[Overdue], verb: Verb::Extend, to: Some(Draft), by: &[Role::Lead], gates: &[] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
        Sight { eye: Eye::Expert, stages: &["submitted", "accepted"] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "occasion", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "period", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "due", eyes: &[Eye::Applicant] },
        Field { name: "body", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "planned", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "submitted_at", eyes: &[Eye::Applicant] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "project"), (Column::Facet, "occasion")];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            facet: self.occasion.map(|occasion| occasion.to_string()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        let project = match command {
            Command::Request { project, .. } => Some(*project),
            Command::Submit {} | Command::Accept {} | Command::Expire {} => record.data.project,
            _ => None,
        };
        project
            .map(|id| Need::One(Kind::Project, id))
            .into_iter()
            .collect()
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Request {
                project,
                occasion,
                period,
            } => asking::requested(project, occasion, period, cx)?,
            Command::Save { body } => {
                Rejection::unless_empty(too_long(&body))?;
                Event::Saved { body }
            }
            Command::Submit {} => submitted(record, cx)?,
            Command::Return { reason } => {
                Rejection::unless_reasoned(&reason)?;
                let days = cx.require_policy()?.application.correction_working_days;
                let due = cx.due_in(days, FirstDay::NotCounted)?;
                Event::Due {
                    due: record.data.due.map_or(due, |before| before.max(due)),
                    reason,
                }
            }
            Command::Extend { due, reason } => {
                Rejection::unless_reasoned(&reason)?;
                if due <= record.data.due.unwrap_or_default().max(cx.now) {
                    return Err(Rejection::fault(
                        "/due",
                        "not_later",
                        "The new deadline must be later than the old one and than now.",
                        "新的期限必须晚于原期限和当前时间。",
                    ));
                }
                Event::Due { due, reason }
            }
            Command::Expire {} => {
                let missing = asking::missed(record, cx);
                let fails = asking::fails_its_project(record, cx);
                return Ok(Decided::only(Event::Moved {}).then(missing).then(fails));
            }
            Command::Accept {} => {
                return Ok(Decided::only(Event::Moved {}).then(spend_noted(record, cx)));
            }
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Requested {
                project,
                organisation,
                occasion,
                period,
                due,
            } => {
                *self = Self {
                    project: Some(project),
                    organisation,
                    occasion: Some(occasion),
                    period,
                    due: Some(due),
                    ..Self::default()
                }
            }
            Event::Saved { body } => self.body = *body,
            Event::Submitted { planned } => {
                self.planned = planned;
                self.submitted_at = Some(at);
            }
            Event::Due { due, reason } => {
                self.due = Some(due);
                self.reason = Some(reason);
            }
            Event::Moved {} => {}
        }
    }
}

/// The project notes what was spent by now.
fn spend_noted(record: &Record<Report>, cx: &Context<'_>) -> Option<Then> {
    let spent = Money::checked_sum(record.data.body.spend.values().copied())?;
    let command = project::Command::NoteProgress {
        activity_on: None,
        spent: Some(spent),
        report: Some(record.id),
    };
    let project = cx.world.get::<Project>(record.data.project?)?;
    project::NOTED
        .contains(&project.stage)
        .then(|| Project::then(project.id, cx.journal, command))
}

fn too_long(body: &Body) -> Vec<Fault> {
    check_length(&body.text, 0..=LONGEST_TEXT)
        .err()
        .map(|error| {
            Fault::new(
                "/body/text",
                "too_long",
                error.to_string(),
                format!("超出 {LONGEST_TEXT} 字的上限。"),
            )
        })
        .into_iter()
        .collect()
}

fn submitted(record: &Record<Report>, cx: &Context<'_>) -> Result<Event, Rejection> {
    let body = &record.data.body;
    let plan = record
        .data
        .project
        .and_then(|id| cx.world.get::<Project>(id))
        .and_then(|project| project.data.plan.clone())
        .unwrap_or_default();
    let mut faults = Vec::from_iter(Fault::of_text("/body/text", &body.text, LONGEST_TEXT));
    let categories: BTreeSet<&str> = plan
        .budget
        .iter()
        .map(|line| line.category.as_str())
        .collect();
    for (category, amount) in &body.spend {
        let at = format!("/body/spend/{}", pointer_segment(category));
        if !categories.contains(category.as_str()) {
            faults.push(Fault::new(
                &at,
                "unknown_category",
                format!("The agreed budget has no category `{category}`."),
                format!("已批准的预算没有“{category}”类别。"),
            ));
        }
        if amount.is_negative() {
            faults.push(Fault::new(
                &at,
                "amount",
                "Spending is not negative.",
                "支出不能为负。",
            ));
        }
    }
    let targets: BTreeSet<&str> = plan
        .targets
        .iter()
        .map(|target| target.name.as_str())
        .collect();
    for name in body
        .reached
        .keys()
        .filter(|name| !targets.contains(name.as_str()))
    {
        faults.push(Fault::new(
            format!("/body/reached/{}", pointer_segment(name)),
            "unknown_target",
            format!("The plan has no target `{name}`."),
            format!("项目方案没有指标“{name}”。"),
        ));
    }
    for name in targets
        .iter()
        .filter(|name| !body.reached.contains_key(**name))
    {
        faults.push(Fault::new(
            "/body/reached",
            "missing",
            format!("Say what was reached of `{name}`; nothing is 0."),
            format!("请填写指标“{name}”的完成情况,未完成填 0。"),
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Submitted {
        planned: plan.targets,
    })
}
