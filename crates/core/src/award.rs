//! The letter that grants an application its amount, from issue to answer (`domain.md` §2.10).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{
    Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then, derived_id,
};
use crate::application::{self, Application};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::money::Money;
use crate::numerals::capital_numerals;
use crate::organisation::Organisation;
use crate::project::{self, Ground, Project};
use crate::rejection::{Fault, Rejection};
use crate::selection::Cut;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where an award stands.
    pub enum Stage {
        /// The letter is out; the organisation has to answer.
        Issued = "issued" "待确认",
        /// Taken; the project begins.
        Accepted = "accepted" "已接受",
        /// Not wanted.
        Declined = "declined" "已放弃",
        /// Not answered, or no agreement signed, in time.
        Lapsed = "lapsed" "已失效",
        /// Taken back for fraud.
        Revoked = "revoked" "已撤销",
    }
}

commands! {
    /// Send the letter for an application that came through the notice.
    Issue = "issue" "发出立项通知" {
        /// Which application.
        application: Uuid,
        /// The number of the letter.
        letter: String,
    }
    /// Take the award.
    Accept = "accept" "接受" {}
    /// Give the award up, at the latest before the agreement is signed.
    Decline = "decline" "放弃" {
        /// Why.
        reason: String,
    }
    /// Let the award go because nothing came in time.
    Lapse = "lapse" "逾期失效" {}
    /// Take the award back for false material or misuse; everything paid is demanded back.
    Revoke = "revoke" "撤销立项" {
        /// What was found.
        reason: String,
    }
}

/// An award.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Award {
    /// For which application.
    pub application: Option<Uuid>,
    /// To which organisation.
    pub organisation: Option<Uuid>,
    /// The name of that organisation when the letter was sent.
    pub organisation_name: String,
    /// The title of the project.
    pub title: String,
    /// The domain of the project.
    pub domain: String,
    /// The number of the letter.
    pub letter: String,
    /// How much, in fen.
    pub amount: Money,
    /// The same in capital numerals, as the letter prints it.
    #[serde(default)]
    pub amount_in_capitals: String,
    /// How much was asked for, in fen: plan and targets are refined from it to the amount.
    #[serde(default)]
    pub requested: Money,
    /// What was cut from which line of the budget, where people gave less than was asked for.
    #[serde(default)]
    pub cuts: Vec<Cut>,
    /// Until when it can be accepted.
    pub due: Option<Timestamp>,
    /// Who sent the letter; somebody else revokes.
    pub issued_by: Option<Uuid>,
    /// Why it was declined or revoked.
    pub reason: Option<String>,
}

/// What happened to an award.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The letter was sent.
    Issued {
        /// What it says.
        award: Box<Award>,
    },
    /// The move itself, with its reason where one was asked for.
    Moved {
        /// Why.
        reason: Option<String>,
    },
}

/// The identity of the award of an application: there is one at most.
pub fn id_of(application: Uuid) -> Uuid {
    derived_id(application, "award")
}

const AWARDING: Gate<Award> = Gate::new(
    "awarding",
    "the cycle is not at its awards",
    "届次不在立项阶段",
    |_, cx| {
        cx.cycle().is_some_and(|cycle| {
            matches!(cycle.stage, cycle::Stage::Selection | cycle::Stage::Launch)
        })
    },
);
const IN_TIME: Gate<Award> = Gate::new(
    "in_time",
    "the time to accept is over",
    "确认期限已过",
    |award, cx| award.data.due.is_some_and(|due| cx.now <= due),
);
const OVERDUE: Gate<Award> = Gate::<Award>::new(
    "overdue",
    "the time to accept is not over",
    "确认期限未到",
    |award, cx| award.data.due.is_some_and(|due| cx.now > due),
)
.opened_by_time();
const NOT_SIGNED: Gate<Award> = Gate::<Award>::new(
    "not_signed",
    "the agreement is signed: end the project instead",
    "协议已签订,请改为终止项目",
    |award, cx| {
        its_project(award, cx)
            .is_some_and(|project| project::BEFORE_AGREEMENT.contains(&project.stage))
    },
)
.looking_at(project_need);
const SIGNING_OVERDUE: Gate<Award> = Gate::<Award>::new(
    "signing_overdue",
    "the time to sign the agreement is not over",
    "签约期限未到",
    |award, cx| {
        its_project(award, cx)
            .and_then(|project| project.data.sign_by)
            .is_some_and(|by| cx.now > by)
    },
)
.looking_at(project_need)
.opened_by_time();
const OTHER_LEAD: Gate<Award> = Gate::new(
    "other_lead",
    "somebody else than who sent the letter has to revoke it",
    "须由立项通知签发人以外的人员撤销",
    |award, cx| award.data.issued_by != cx.account(),
);

fn project_need(award: &Record<Award>) -> Vec<Need> {
    vec![Need::One(Kind::Project, project::id_of(award.id))]
}

fn its_project<'a>(award: &Record<Award>, cx: &Context<'a>) -> Option<&'a Record<Project>> {
    cx.world.get::<Project>(project::id_of(award.id))
}

impl Aggregate for Award {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Award;
    const FIRST: Stage = Stage::Issued;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Issue, to: Some(Issued), by: &[Role::Lead], gates: &[AWARDING] },
            Move { from: &[Issued], verb: Verb::Accept, to: Some(Accepted), by: &[Role::Applicant], gates: &[IN_TIME] },
            Move { from: &[Issued], verb: Verb::Decline, to: Some(Declined), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Accepted], verb: Verb::Decline, to: Some(Declined), by: &[Role::Applicant], gates: &[NOT_SIGNED] },
            Move { from: &[Issued], verb: Verb::Lapse, to: Some(Lapsed), by: &[Role::System, Role::Staff], gates: &[OVERDUE] },
            Move { from: &[Accepted], verb: Verb::Lapse, to: Some(Lapsed), by: &[Role::System, Role::Staff], gates: &[NOT_SIGNED, SIGNING_OVERDUE] },
            Move { from: &[Issued, Accepted], verb: Verb::Revoke, to: Some(Revoked), by: &[Role::Lead], gates: &[OTHER_LEAD] },
        ]
    };
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "application", eyes: &[Eye::Applicant] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "organisation_name", eyes: &[Eye::Applicant] },
        Field { name: "title", eyes: &[Eye::Applicant] },
        Field { name: "domain", eyes: &[Eye::Applicant] },
        Field { name: "letter", eyes: &[Eye::Applicant] },
        Field { name: "amount", eyes: &[Eye::Applicant] },
        Field { name: "amount_in_capitals", eyes: &[Eye::Applicant] },
        Field { name: "requested", eyes: &[Eye::Applicant] },
        Field { name: "cuts", eyes: &[Eye::Applicant] },
        Field { name: "due", eyes: &[Eye::Applicant] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "application"), (Column::Facet, "domain"), (Column::Number, "letter"), (Column::Label, "title"), (Column::Amount, "amount")];

    fn index(&self) -> Index {
        Index {
            parent: self.application,
            organisation: self.organisation,
            person: None,
            facet: Some(self.domain.clone()),
            number: Some(self.letter.clone()),
            label: Some(self.title.clone()),
            amount: Some(self.amount.fen()),
        }
    }

    fn identity(command: &Command) -> Option<Uuid> {
        match command {
            Command::Issue { application, .. } => Some(id_of(*application)),
            _ => None,
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        match command {
            Command::Issue { application, .. } => {
                let organisation = world
                    .get::<Application>(*application)
                    .and_then(|application| application.data.organisation)
                    .map(|id| Need::One(Kind::Organisation, id));
                [Need::One(Kind::Application, *application)]
                    .into_iter()
                    .chain(organisation)
                    .collect()
            }
            Command::Revoke { .. } => project_need(record),
            Command::Accept {} | Command::Decline { .. } | Command::Lapse {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Issue {
                application,
                letter,
            } => issued(application, letter, cx),
            Command::Accept {} => {
                Ok(Decided::only(Event::Moved { reason: None }).then(begin_project(record, cx)))
            }
            Command::Decline { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(ended(record, Ground::OwnRequest, Some(reason), cx))
            }
            Command::Lapse {} => Ok(ended(record, Ground::NotSigned, None, cx)),
            Command::Revoke { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(ended(record, Ground::Fraud, Some(reason), cx))
            }
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Issued { award } => *self = *award,
            Event::Moved { reason } => self.reason = reason,
        }
    }
}

fn issued(
    application: Uuid,
    letter: String,
    cx: &Context<'_>,
) -> Result<Decided<Award>, Rejection> {
    let mut faults = Vec::from_iter(Fault::of_text("/letter", &letter, 100));
    let cleared = cx
        .world
        .get::<Application>(application)
        .filter(|one| one.stage == application::Stage::Cleared);
    if cleared.is_none() {
        faults.push(Fault::new(
            "/application",
            "not_cleared",
            "There is no application with this id that came through the notice.",
            "没有该编号且已通过公示的申报。",
        ));
    }
    let (amount, cuts) = cleared
        .and_then(|one| one.data.selected.as_ref())
        .map_or((Money::ZERO, Vec::new()), |selected| {
            (selected.award, selected.cuts.clone())
        });
    if cleared.is_some() && amount <= Money::ZERO {
        faults.push(Fault::new(
            "/application",
            "no_amount",
            "The selection granted this application nothing.",
            "遴选结果未给予该申报资助金额。",
        ));
    }
    Rejection::unless_empty(faults)?;
    let days = cx.require_policy()?.agreement.accept_working_days;
    let (form, organisation) = cleared
        .map(|one| (one.data.form.clone(), one.data.organisation))
        .unwrap_or_default();
    let organisation_name = organisation
        .and_then(|id| cx.world.get::<Organisation>(id))
        .map_or_else(String::new, |one| one.data.profile.name.clone());
    let award = Award {
        application: Some(application),
        organisation,
        organisation_name,
        requested: form.requested,
        title: form.title,
        domain: form.domain,
        letter,
        amount,
        amount_in_capitals: capital_numerals(amount),
        cuts,
        due: Some(cx.due_in(days, FirstDay::NotCounted)?),
        issued_by: cx.account(),
        reason: None,
    };
    let command = application::Command::Award {};
    Ok(Decided::only(Event::Issued {
        award: Box::new(award),
    })
    .then([Application::then(application, cx.journal, command)]))
}

fn begin_project(record: &Record<Award>, cx: &Context<'_>) -> Option<Then> {
    let award = &record.data;
    let command = project::Command::Begin {
        application: award.application?,
        award: record.id,
        organisation: award.organisation?,
        organisation_name: award.organisation_name.clone(),
        title: award.title.clone(),
        domain: award.domain.clone(),
        amount: award.amount,
    };
    Some(Project::then(
        project::id_of(record.id),
        cx.journal,
        command,
    ))
}

/// The award is over: its project stops, and one that was never agreed on frees its amount.
fn ended(
    record: &Record<Award>,
    ground: Ground,
    reason: Option<String>,
    cx: &Context<'_>,
) -> Decided<Award> {
    let project = its_project(record, cx);
    let stop = project
        .filter(|project| project::TERMINABLE.contains(&project.stage))
        .map(|project| {
            let command = project::Command::Terminate {
                ground,
                reason: reason.clone().unwrap_or_else(|| {
                    "签约逾期 (the agreement was not signed in time)".to_owned()
                }),
            };
            Project::then(project.id, cx.journal, command)
        });
    let agreed = project.is_some_and(|project| !project::BEFORE_AGREEMENT.contains(&project.stage));
    let free = record
        .data
        .application
        .filter(|_| !agreed)
        .map(|id| Application::then(id, cx.journal, application::Command::DeclineAward {}));
    Decided::only(Event::Moved { reason }).then(stop).then(free)
}
