//! One activity of a project as it took place: when, where, for how many, for what money, and what shows it
//! (`domain.md` §2.12).

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Belongs, Decided, Index, Move, Record, Stored as _, Then};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::project::{self, Project};
use crate::rejection::{Fault, LONGEST_REASON, Rejection, pointer_segment};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// The longest name of an activity or a place, in characters.
const LONGEST_NAME: usize = 200;

names! {
    /// What shows that an activity took place.
    pub enum EvidenceKind {
        /// Who came, signed by each.
        SignIn = "sign_in" "签到表",
        /// A picture.
        Photo = "photo" "照片",
        /// What was done, written down.
        Minutes = "minutes" "活动记录",
        /// What was paid.
        Voucher = "voucher" "票据",
        /// Something else.
        Other = "other" "其他",
    }
}

names! {
    /// Where the record of an activity stands.
    pub enum Stage {
        /// Written by the organisation.
        Recorded = "recorded" "已登记",
        /// Staff ask for more.
        Queried = "queried" "待补充",
        /// Compared with its evidence by staff.
        Checked = "checked" "已核对",
        /// Taken back.
        Withdrawn = "withdrawn" "已撤回",
    }
}

commands! {
    /// Record an activity.
    Record = "record" "登记活动" {
        /// Of which project.
        project: Uuid,
        /// What took place.
        held: Box<Held>,
    }
    /// Correct the record.
    Amend = "amend" "更正" {
        /// What took place.
        held: Box<Held>,
    }
    /// Ask for more.
    Query = "query" "要求补充" {
        /// What is missing or in doubt.
        reason: String,
    }
    /// Find it borne out by its evidence.
    Check = "check" "核对" {}
    /// Take it back.
    Withdraw = "withdraw" "撤回" {
        /// Why.
        reason: String,
    }
}

/// Something that shows an activity; the file itself stays with the organisation, its hash shows later
/// that it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// What it is called.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// An activity as it took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// What it was.
    pub name: String,
    /// On which day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub held_on: Date,
    /// Where.
    pub place: String,
    /// How many people came, each counted once (人).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// How many attendances there were (人次); never added to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_times: Option<u32>,
    /// What it added to each target, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reached: BTreeMap<String, u32>,
    /// What it cost by category of the budget, in fen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spend: BTreeMap<String, Money>,
    /// What shows it, at least one.
    pub evidence: Vec<Evidence>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The record of an activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Of which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// What took place.
    pub held: Option<Held>,
    /// Who compared it with its evidence.
    pub checked_by: Option<Uuid>,
    /// Why more was asked for, or why it was taken back.
    pub reason: Option<String>,
}

/// What happened to the record of an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was written.
    Recorded {
        /// Of which project.
        project: Uuid,
        /// Whose project that is.
        organisation: Option<Uuid>,
        /// What took place.
        held: Box<Held>,
    },
    /// It was corrected.
    Amended {
        /// What took place.
        held: Box<Held>,
    },
    /// It was found borne out.
    Checked {
        /// By whom.
        by: Option<Uuid>,
    },
    /// The move itself.
    Moved {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Activity {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Activity;
    const FIRST: Stage = Stage::Recorded;
    const REPLACES: &'static [Verb] = &[Verb::Amend];
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Record, to: Some(Recorded), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Recorded, Queried], verb: Verb::Amend, to: Some(Recorded), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Recorded, Checked], verb: Verb::Query, to: Some(Queried), by: &[Role::Staff], gates: &[] },
            Move { from: &[Recorded], verb: Verb::Check, to: Some(Checked), by: &[Role::Staff], gates: &[] },
            Move { from: &[Recorded, Queried], verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Role::Applicant], gates: &[] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
        Sight { eye: Eye::Expert, stages: &["recorded", "queried", "checked"] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "held", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
    ];

    const SHOWS: &'static [Shows] = &[(Column::Parent, "project"), (Column::Label, "held")];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            label: self.held.as_ref().map(|held| held.name.clone()),
            ..Index::default()
        }
    }

    fn belongs(command: &Command, world: &World) -> Belongs {
        let Command::Record { project, .. } = command else {
            return Belongs::default();
        };
        Belongs {
            organisation: world
                .get::<Project>(*project)
                .and_then(|one| one.data.organisation),
            person: None,
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        let project = match command {
            Command::Record { project, .. } => Some(*project),
            Command::Amend { .. } => record.data.project,
            _ => None,
        };
        Vec::from_iter(project.map(|id| Need::One(Kind::Project, id)))
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Record { project, held } => {
                let found = under_way(project, cx)?;
                Rejection::unless_empty(faults(&held, found, cx))?;
                let then = noted(found, &held, cx);
                Ok(Decided::only(Event::Recorded {
                    project,
                    organisation: found.data.organisation,
                    held,
                })
                .then([then]))
            }
            Command::Amend { held } => {
                let project = record.data.project.ok_or(Rejection::NotFound)?;
                let found = under_way(project, cx)?;
                Rejection::unless_empty(faults(&held, found, cx))?;
                let then = noted(found, &held, cx);
                Ok(Decided::only(Event::Amended { held }).then([then]))
            }
            Command::Check {} => Ok(Decided::only(Event::Checked { by: cx.account() })),
            Command::Query { reason } | Command::Withdraw { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Moved { reason }))
            }
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Recorded {
                project,
                organisation,
                held,
            } => {
                *self = Self {
                    project: Some(project),
                    organisation,
                    held: Some(*held),
                    ..Self::default()
                }
            }
            Event::Amended { held } => {
                self.held = Some(*held);
                self.reason = None;
            }
            Event::Checked { by } => self.checked_by = by,
            Event::Moved { reason } => {
                self.checked_by = None;
                self.reason = Some(reason);
            }
        }
    }
}

/// What the project notes of it: that it is not silent.
fn noted(project: &Record<Project>, held: &Held, cx: &Context<'_>) -> Then {
    let command = project::Command::NoteProgress {
        activity_on: Some(held.held_on),
        spent: None,
        report: None,
    };
    Project::then(project.id, cx.journal, command)
}

/// The project whose activities are recorded: from its launch until it is closed.
fn under_way<'a>(id: Uuid, cx: &'a Context<'_>) -> Result<&'a Record<Project>, Rejection> {
    use project::Stage::{Signed, Suspended};
    let found = cx.world.get::<Project>(id).filter(|project| {
        (project::RUNNING.contains(&project.stage) && project.stage != Signed)
            || project.stage == Suspended
    });
    found.ok_or_else(|| {
        Rejection::fault(
            "/project",
            "not_under_way",
            "There is no project with this id that has been launched and is not over.",
            "没有该编号且已启动、尚未结束的项目。",
        )
    })
}

fn faults(held: &Held, project: &Record<Project>, cx: &Context<'_>) -> Vec<Fault> {
    let plan = project.data.plan.clone().unwrap_or_default();
    let mut faults = Vec::new();
    for (at, text) in [("/held/name", &held.name), ("/held/place", &held.place)] {
        faults.extend(Fault::of_text(at, text, LONGEST_NAME));
    }
    if !held.note.is_empty() {
        faults.extend(Fault::of_text("/held/note", &held.note, LONGEST_REASON));
    }
    let signed_on = project.data.agreement.as_ref().map(|one| one.signed_on);
    if held.held_on > cx.today() || signed_on.is_some_and(|day| held.held_on < day) {
        faults.push(Fault::new(
            "/held/held_on",
            "range",
            "An activity lies between the agreement and today.",
            "活动日期须在签约之后且不晚于今天。",
        ));
    }
    for name in held.reached.keys() {
        if !plan.targets.iter().any(|target| target.name == *name) {
            faults.push(Fault::new(
                format!("/held/reached/{}", pointer_segment(name)),
                "unknown_target",
                format!("The plan has no target `{name}`."),
                format!("项目方案没有指标“{name}”。"),
            ));
        }
    }
    for (category, amount) in &held.spend {
        let at = format!("/held/spend/{}", pointer_segment(category));
        if !plan.budget.iter().any(|line| line.category == *category) {
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
    faults.extend(evidence_faults(&held.evidence));
    faults
}

fn evidence_faults(evidence: &[Evidence]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if evidence.is_empty() {
        faults.push(Fault::new(
            "/held/evidence",
            "required",
            "Name at least one piece of evidence.",
            "请至少登记一项佐证材料。",
        ));
    }
    for (index, one) in evidence.iter().enumerate() {
        let at = format!("/held/evidence/{index}");
        faults.extend(Fault::of_text(
            format!("{at}/name"),
            &one.name,
            LONGEST_NAME,
        ));
        let hash = one.sha256.as_deref();
        if hash.is_some_and(|hash| crate::disclosure::digest(hash).is_none()) {
            faults.push(Fault::new(
                format!("{at}/sha256"),
                "sha256",
                "A SHA-256 has 64 lower-case hexadecimal digits.",
                "SHA-256 为 64 位小写十六进制数。",
            ));
        }
    }
    faults
}
