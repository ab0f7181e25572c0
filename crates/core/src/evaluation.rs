//! The grade of a project half-way or at its end: sheets become a score, the score a grade by the
//! bands of the policy, the published grade a consequence (`domain.md` §2.13, §2.14, §6).

mod grading;

use fundcycle_scoring::Exact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::policy::Round;
use crate::policy::document::Consequence;
use crate::project::{self, Project};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};
pub use grading::AutomaticScore;

names! {
    /// Where an evaluation stands.
    pub enum Stage {
        /// Experts score.
        Open = "open" "评估中",
        /// Graded, and known to staff only.
        Graded = "graded" "已评级",
        /// Known to the organisation, which may contest it; nothing follows from it yet.
        Noticed = "noticed" "结果公示中",
        /// Contested; somebody looks at it again.
        Contested = "contested" "复核中",
        /// Published, with what it leads to.
        Published = "published" "已公布",
    }
}

commands! {
    /// Begin to evaluate a project; after a rectification this is the one re-check.
    Open = "open" "开始评估" {
        /// Which project.
        project: Uuid,
        /// Half-way or at the end.
        round: Round,
    }
    /// Take the score of a closed panel and grade it.
    Grade = "grade" "评级" {
        /// The panel that scored it.
        panel: Uuid,
    }
    /// Take the grade back before it is published.
    Regrade = "regrade" "重新评级" {
        /// Why.
        reason: String,
    }
    /// Publish the grade; the project moves on by it, at once or when the time to contest it is over.
    Publish = "publish" "公布" {}
    /// Say why the grade is wrong.
    Contest = "contest" "提出异议" {
        /// What is wrong with it.
        reason: String,
    }
    /// Let the grade stand although it was contested; the project moves on by it.
    Confirm = "confirm" "维持评级" {
        /// Why it is right; the organisation reads it.
        reason: String,
    }
    /// Note that nobody contested it in time; the project moves on by it.
    Settle = "settle" "评级生效" {}
}

/// An evaluation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Of which project.
    pub project: Option<Uuid>,
    /// Whose project that is.
    pub organisation: Option<Uuid>,
    /// Half-way or at the end.
    pub round: Option<Round>,
    /// When it was opened; a panel that closed before cannot grade it.
    pub opened_at: Option<Timestamp>,
    /// The panel that scored it.
    pub panel: Option<Uuid>,
    /// What was scored from the report instead of by experts; part of the score.
    #[serde(default)]
    pub automatic: Vec<AutomaticScore>,
    /// The score, as published.
    pub score: Option<Exact>,
    /// The name of the grade.
    pub grade: Option<String>,
    /// What the grade leads to for this project.
    pub consequence: Option<Consequence>,
    /// What part of the tranches that wait for this evaluation is still paid; none: all of it.
    #[serde(default)]
    pub tail: Option<Exact>,
    /// Points that the organisation takes into later cycles.
    #[serde(default)]
    pub bonus: Option<Exact>,
    /// Until when the organisation may contest it.
    #[serde(default)]
    pub contest_until: Option<Timestamp>,
    /// What the organisation says against it.
    #[serde(default)]
    pub contested: Option<String>,
    /// Why it stands all the same.
    #[serde(default)]
    pub answer: Option<String>,
    /// Who graded it; somebody else publishes.
    pub graded_by: Option<Uuid>,
    /// Why the grade was taken back.
    pub reason: Option<String>,
}

/// What happened to an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Opened {
        /// Of which project.
        project: Uuid,
        /// Whose project that is.
        organisation: Option<Uuid>,
        /// Half-way or at the end.
        round: Round,
    },
    /// It was graded.
    Graded {
        /// The panel that scored it.
        panel: Uuid,
        /// What was scored from the report.
        #[serde(default)]
        automatic: Vec<AutomaticScore>,
        /// The score, all in all.
        score: Exact,
        /// The name of the grade.
        grade: String,
        /// What it leads to.
        consequence: Consequence,
        /// What part of the tranches is still paid.
        #[serde(default)]
        tail: Option<Exact>,
        /// Points for later cycles.
        #[serde(default)]
        bonus: Option<Exact>,
        /// By whom.
        by: Option<Uuid>,
    },
    /// The grade was taken back.
    Ungraded {
        /// Why.
        reason: String,
    },
    /// It became known.
    Noticed {
        /// Until when it may be contested.
        until: Timestamp,
    },
    /// It was contested.
    Contested {
        /// Why.
        reason: String,
    },
    /// It stands.
    Confirmed {
        /// Why.
        reason: String,
    },
    /// Nothing but the move itself.
    Moved {},
}

const CYCLE_EVALUATES: Gate<Evaluation> = Gate::new(
    "cycle_evaluates",
    "the cycle is not at its evaluations",
    "届次不在执行评估阶段",
    |_, cx| {
        cx.cycle()
            .is_some_and(|cycle| cycle.stage == cycle::Stage::Evaluation)
    },
);
const OTHER_THAN_GRADER: Gate<Evaluation> = Gate::new(
    "other_than_grader",
    "who graded it does not publish it",
    "评级人不得公布",
    |evaluation, cx| evaluation.data.graded_by != cx.account(),
);

const NO_WINDOW: Gate<Evaluation> = Gate::new(
    "no_window",
    "the organisation may contest the grade first",
    "评级须先公示并接受异议",
    |_, cx| window(cx) == 0,
);
const WINDOW: Gate<Evaluation> = Gate::new(
    "window",
    "the policy gives no time to contest a grade",
    "规则未设评级异议期",
    |_, cx| window(cx) > 0,
);
const WINDOW_OPEN: Gate<Evaluation> = Gate::new(
    "window_open",
    "the time to contest it is over",
    "评级异议期已过",
    |evaluation, cx| {
        let until = evaluation.data.contest_until;
        until.is_some_and(|until| cx.now <= until)
    },
);
const WINDOW_OVER: Gate<Evaluation> = Gate::<Evaluation>::new(
    "window_over",
    "the time to contest it is not over",
    "评级异议期未满",
    |evaluation, cx| {
        let until = evaluation.data.contest_until;
        until.is_some_and(|until| cx.now > until)
    },
)
.opened_by_time();

/// How long a grade may be contested, in working days.
fn window(cx: &Context<'_>) -> u32 {
    cx.policy()
        .map_or(0, |policy| policy.evaluation.objection_working_days)
}

impl Aggregate for Evaluation {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Evaluation;
    const FIRST: Stage = Stage::Open;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Open, to: Some(Open), by: &[Role::Staff], gates: &[CYCLE_EVALUATES] },
            Move { from: &[Open], verb: Verb::Grade, to: Some(Graded), by: &[Role::Staff], gates: &[] },
            Move { from: &[Graded, Contested], verb: Verb::Regrade, to: Some(Open), by: &[Role::Lead], gates: &[] },
            Move { from: &[Graded], verb: Verb::Publish, to: Some(Published), by: &[Role::Lead], gates: &[OTHER_THAN_GRADER, NO_WINDOW] },
            Move { from: &[Graded], verb: Verb::Publish, to: Some(Noticed), by: &[Role::Lead], gates: &[OTHER_THAN_GRADER, WINDOW] },
            Move { from: &[Noticed], verb: Verb::Contest, to: Some(Contested), by: &[Role::Applicant], gates: &[WINDOW_OPEN] },
            Move { from: &[Contested], verb: Verb::Confirm, to: Some(Published), by: &[Role::Lead], gates: &[OTHER_THAN_GRADER] },
            Move { from: &[Noticed], verb: Verb::Settle, to: Some(Published), by: &[Role::System, Role::Staff], gates: &[WINDOW_OVER] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &["noticed", "contested", "published"] },
        Sight { eye: Eye::Staff, stages: &[] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "project", eyes: &[Eye::Applicant] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "round", eyes: &[Eye::Applicant] },
        Field { name: "score", eyes: &[Eye::Applicant] },
        Field { name: "grade", eyes: &[Eye::Applicant] },
        Field { name: "consequence", eyes: &[Eye::Applicant] },
        Field { name: "automatic", eyes: &[Eye::Applicant] },
        Field { name: "tail", eyes: &[Eye::Applicant] },
        Field { name: "bonus", eyes: &[Eye::Applicant] },
        Field { name: "contest_until", eyes: &[Eye::Applicant] },
        Field { name: "contested", eyes: &[Eye::Applicant] },
        Field { name: "answer", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "project"), (Column::Facet, "round")];

    fn index(&self) -> Index {
        Index {
            parent: self.project,
            organisation: self.organisation,
            facet: self.round.map(|round| round.to_string()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        let its_project = record.data.project.map(|id| Need::One(Kind::Project, id));
        match command {
            Command::Open { project, .. } => vec![Need::One(Kind::Project, *project)],
            Command::Grade { panel } => [Need::One(Kind::Panel, *panel)]
                .into_iter()
                .chain(its_project)
                .chain(
                    record
                        .data
                        .project
                        .map(|id| Need::PartsOf(Kind::Report, id)),
                )
                .collect(),
            Command::Publish {} | Command::Confirm { .. } | Command::Settle {} => {
                let tranches = record
                    .data
                    .project
                    .map(|id| Need::PartsOf(Kind::Tranche, id));
                its_project.into_iter().chain(tranches).collect()
            }
            Command::Regrade { .. } | Command::Contest { .. } => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Open { project, round } => opened(project, round, cx),
            Command::Grade { panel } => Ok(Decided::only(grading::graded(record, panel, cx)?)),
            Command::Regrade { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Ungraded { reason }))
            }
            Command::Publish {} if window(cx) > 0 => Ok(Decided::only(Event::Noticed {
                until: cx.due_in(window(cx), FirstDay::NotCounted)?,
            })),
            Command::Contest { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Contested { reason }))
            }
            Command::Confirm { reason } => {
                Rejection::unless_reasoned(&reason)?;
                let event = Event::Confirmed { reason };
                Ok(Decided::only(event).then(grading::consequences(record, cx)))
            }
            Command::Publish {} | Command::Settle {} => {
                Ok(Decided::only(Event::Moved {}).then(grading::consequences(record, cx)))
            }
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Opened {
                project,
                organisation,
                round,
            } => {
                *self = Self {
                    project: Some(project),
                    organisation,
                    round: Some(round),
                    opened_at: Some(at),
                    ..Self::default()
                }
            }
            Event::Graded {
                panel,
                automatic,
                score,
                grade,
                consequence,
                tail,
                bonus,
                by,
            } => {
                self.panel = Some(panel);
                self.automatic = automatic;
                self.tail = tail;
                self.bonus = bonus;
                self.score = Some(score);
                self.grade = Some(grade);
                self.consequence = Some(consequence);
                self.graded_by = by;
            }
            Event::Ungraded { reason } => {
                *self = Self {
                    project: self.project,
                    organisation: self.organisation,
                    round: self.round,
                    opened_at: self.opened_at,
                    reason: Some(reason),
                    ..Self::default()
                }
            }
            Event::Noticed { until } => self.contest_until = Some(until),
            Event::Contested { reason } => self.contested = Some(reason),
            Event::Confirmed { reason } => self.answer = Some(reason),
            Event::Moved {} => {}
        }
    }
}

fn opened(id: Uuid, round: Round, cx: &Context<'_>) -> Result<Decided<Evaluation>, Rejection> {
    let command = match round {
        Round::Midterm => project::Command::OpenMidterm {},
        Round::Final => project::Command::OpenFinal {},
        Round::PaperReview | Round::Roadshow => {
            return Err(Rejection::fault(
                "/round",
                "not_of_projects",
                "Projects are evaluated at mid-term or at the end.",
                "项目评估只有中期和末期。",
            ));
        }
    };
    let Some(project) = cx.world.get::<Project>(id) else {
        return Err(Rejection::fault(
            "/project",
            "unknown",
            "There is no project with this id in the cycle.",
            "本届没有该项目。",
        ));
    };
    Ok(Decided::only(Event::Opened {
        project: id,
        organisation: project.data.organisation,
        round,
    })
    .then([Project::then(id, cx.journal, command)]))
}
