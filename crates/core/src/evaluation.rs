//! The grade of a project half-way or at its end: sheets become a score, the score a grade by the
//! bands of the policy, the published grade a consequence (`domain.md` §2.13, §2.14, §6).

use fundcycle_scoring::{Exact, grade};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::panel::{self, Outcome, Panel};
use crate::policy::Round;
use crate::policy::document::Consequence;
use crate::project::{self, Project};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Eye, Field, Sight};
use crate::world::{Need, World};

names! {
    /// Where an evaluation stands.
    pub enum Stage {
        /// Experts score.
        Open = "open" "评估中",
        /// Graded, and known to staff only.
        Graded = "graded" "已评级",
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
    /// Publish the grade; the project moves on by it.
    Publish = "publish" "公布" {}
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
    /// The score, as published.
    pub score: Option<Exact>,
    /// The name of the grade.
    pub grade: Option<String>,
    /// What the grade leads to for this project.
    pub consequence: Option<Consequence>,
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
        /// The score.
        score: Exact,
        /// The name of the grade.
        grade: String,
        /// What it leads to.
        consequence: Consequence,
        /// By whom.
        by: Option<Uuid>,
    },
    /// The grade was taken back.
    Ungraded {
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
            Move { from: &[Graded], verb: Verb::Regrade, to: Some(Open), by: &[Role::Lead], gates: &[] },
            Move { from: &[Graded], verb: Verb::Publish, to: Some(Published), by: &[Role::Lead], gates: &[OTHER_THAN_GRADER] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &["published"] },
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
    ];

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
                .collect(),
            Command::Regrade { .. } | Command::Publish {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Open { project, round } => opened(project, round, cx),
            Command::Grade { panel } => Ok(Decided::only(graded(record, panel, cx)?)),
            Command::Regrade { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Ungraded { reason }))
            }
            Command::Publish {} => Ok(Decided::only(Event::Moved {}).then(consequence(record, cx))),
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
                score,
                grade,
                consequence,
                by,
            } => {
                self.panel = Some(panel);
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

fn graded(record: &Record<Evaluation>, panel: Uuid, cx: &Context<'_>) -> Result<Event, Rejection> {
    let rules = &cx.require_policy()?.evaluation;
    let closed = cx.world.get::<Panel>(panel).filter(|one| {
        one.stage == panel::Stage::Closed
            && one.data.round == record.data.round
            // A panel that closed before the rectification has not seen what was put right.
            && record.data.opened_at.is_some_and(|opened| one.updated_at >= opened)
    });
    let outcome = closed.and_then(|panel| {
        let mut results = panel.data.results.iter();
        results.find(|outcome| Some(outcome.input.subject) == record.data.project)
    });
    let Some(outcome) = outcome else {
        return Err(Rejection::fault(
            "/panel",
            "no_result",
            "No panel with this id has closed since the evaluation began and has scored the project.",
            "没有该编号、在本次评估开始后结束且评过该项目的评审组。",
        ));
    };
    let score = outcome.score.rounded.clone();
    let bands = rules.bands();
    let rule = grade(&bands, &score)
        .and_then(|name| rules.grades.iter().find(|rule| rule.name == name))
        .ok_or_else(|| {
            Rejection::fault(
                "",
                "no_grade",
                format!("The policy has no grade for a score of {score}."),
                format!("现行规则没有与 {score} 分对应的等级。"),
            )
        })?;
    Ok(Event::Graded {
        panel,
        grade: rule.name.clone(),
        consequence: leads_to(record, outcome, rule.leads_to, cx),
        score,
        by: cx.account(),
    })
}

/// What a grade leads to here: a veto fails, and there is one re-check, so that asking for a second
/// rectification fails too (`domain.md` §2.13).
fn leads_to(
    record: &Record<Evaluation>,
    outcome: &Outcome,
    rule: Consequence,
    cx: &Context<'_>,
) -> Consequence {
    let rectified = record
        .data
        .project
        .and_then(|id| cx.world.get::<Project>(id))
        .zip(record.data.round)
        .is_some_and(|(project, round)| project.data.rectified(round));
    if outcome.input.vetoed || (rule == Consequence::Rectify && rectified) {
        Consequence::Fail
    } else {
        rule
    }
}

fn consequence(record: &Record<Evaluation>, cx: &Context<'_>) -> Option<Then> {
    use Consequence::{Fail, Pass, Rectify};
    let data = &record.data;
    let command = match (data.round?, data.consequence?) {
        (Round::Midterm, Pass) => project::Command::PassMidterm {},
        (Round::Midterm, Rectify) => project::Command::RectifyMidterm {},
        (Round::Midterm, Fail) => project::Command::FailMidterm {},
        (Round::Final, Pass) => project::Command::PassFinal {},
        (Round::Final, Rectify) => project::Command::RectifyFinal {},
        (Round::Final, Fail) => project::Command::FailFinal {},
        (Round::PaperReview | Round::Roadshow, _) => return None,
    };
    Some(Project::then(data.project?, cx.journal, command))
}
