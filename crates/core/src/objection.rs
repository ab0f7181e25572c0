//! What somebody says against a project on public notice, and how it is ruled on (`domain.md` §2.9).

mod filing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::application::{self, Application};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::notice::{self, Notice};
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::sheet::Sheet;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where an objection stands.
    pub enum Stage {
        /// Received, not read yet.
        Filed = "filed" "已收到",
        /// Taken up: the award waits and the applicant is heard.
        Accepted = "accepted" "已受理",
        /// The applicant has answered.
        Heard = "heard" "已听取说明",
        /// Right: the award is cancelled.
        Upheld = "upheld" "异议成立",
        /// Wrong: the award goes on.
        Dismissed = "dismissed" "异议不成立",
        /// Not one that can be ruled on.
        Inadmissible = "inadmissible" "不予受理",
        /// Taken back by whoever raised it.
        Withdrawn = "withdrawn" "已撤回",
    }
}

impl Stage {
    /// Whether it is still to be decided.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Filed) || self.holds_award()
    }

    /// Whether the award waits for it.
    pub const fn holds_award(self) -> bool {
        matches!(self, Self::Accepted | Self::Heard)
    }
}

names! {
    /// Who objects.
    pub enum ObjectorKind {
        /// An organisation or authority, under its seal.
        Unit = "unit" "单位",
        /// A person, under their own name.
        Person = "person" "个人",
    }
}

/// Who objects. Only staff, leads and auditors ever see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objector {
    /// A unit or a person.
    pub kind: ObjectorKind,
    /// Its registered name, or the person's real name.
    #[schemars(length(max = 200))]
    pub name: String,
    /// How to reach them.
    #[schemars(length(max = 200))]
    pub contact: String,
    /// Whether the writing bears the unit's seal, or the person's signature.
    pub signed: bool,
}

/// Something handed over with an objection: the sealed or signed writing, a document, a photograph.
/// The office keeps it; its hash fixes what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    #[schemars(length(max = 200))]
    pub name: String,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

commands! {
    /// Object to a project on public notice, under one's own name.
    File = "file" "提出异议" {
        /// On which notice.
        notice: Uuid,
        /// Against which application: its number, as the notice prints it.
        #[schemars(length(max = 100))]
        number: String,
        /// Who objects.
        objector: Objector,
        /// What is wrong, concretely.
        #[schemars(length(max = 2000))]
        facts: String,
        /// What is handed over with it, the sealed or signed writing first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Evidence>,
    }
    /// Take it up: the award waits.
    Accept = "accept" "受理" {}
    /// Do not take it up.
    Refuse = "refuse" "不予受理" {
        /// Why.
        reason: String,
    }
    /// Answer it, as the applicant.
    Answer = "answer" "申报方说明" {
        /// What the applicant says.
        #[schemars(length(max = 2000))]
        statement: String,
    }
    /// Find it right: the award is cancelled.
    Uphold = "uphold" "异议成立" {
        /// Why.
        reason: String,
    }
    /// Find it wrong: the award goes on.
    Dismiss = "dismiss" "异议不成立" {
        /// Why.
        reason: String,
    }
    /// Take it back, as whoever raised it asks.
    Withdraw = "withdraw" "撤回异议" {
        /// How and why it was taken back.
        reason: String,
    }
}

/// An objection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objection {
    /// Against which application.
    pub application: Option<Uuid>,
    /// Whose application it is.
    pub organisation: Option<Uuid>,
    /// On which notice.
    pub notice: Option<Uuid>,
    /// Who objects.
    pub objector: Option<Objector>,
    /// What is wrong.
    pub facts: String,
    /// What was handed over with it. Only staff, leads and auditors ever see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Until when it is to be ruled on.
    pub due: Option<Timestamp>,
    /// What the applicant says.
    pub statement: Option<String>,
    /// Why it was refused, upheld, dismissed or taken back.
    pub reason: Option<String>,
    /// Who ruled on it.
    pub ruled_by: Option<Uuid>,
}

/// What happened to an objection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was raised.
    Filed {
        /// Against which application.
        application: Uuid,
        /// Whose application it is.
        organisation: Option<Uuid>,
        /// On which notice.
        notice: Uuid,
        /// By whom.
        objector: Objector,
        /// What is wrong.
        facts: String,
        /// What was handed over with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Evidence>,
    },
    /// It was taken up.
    Accepted {
        /// Until when it is to be ruled on.
        due: Timestamp,
    },
    /// The applicant was heard.
    Answered {
        /// What they said.
        statement: String,
    },
    /// It came to its end.
    Ended {
        /// Why.
        reason: String,
        /// By whose ruling.
        by: Option<Uuid>,
    },
}

const ON_NOTICE: Gate<Objection> = Gate::<Objection>::new(
    "on_notice",
    "the application is no longer on notice: refuse the objection",
    "该申报已不在公示中,请作不予受理处理",
    |objection, cx| {
        use application::Stage::{Disputed, Noticing};
        application(objection, cx).is_some_and(|one| matches!(one.stage, Noticing | Disputed))
    },
)
.looking_at(application_needed);
const DISPUTED: Gate<Objection> = Gate::<Objection>::new(
    "disputed",
    "the application has no award to lose any more: dismiss the objection",
    "该申报已无资格可取消,请作异议不成立处理",
    |objection, cx| {
        application(objection, cx).is_some_and(|one| one.stage == application::Stage::Disputed)
    },
)
.looking_at(application_needed);
const NOT_A_SCORER: Gate<Objection> = Gate::<Objection>::new(
    "not_a_scorer",
    "who had a sheet for the application does not rule on it",
    "曾参与该项目评分的人员不得裁定",
    |objection, cx| {
        let Some(subject) = objection.data.application else {
            return false;
        };
        !cx.world
            .parts_of::<Sheet>(subject)
            .any(|sheet| sheet.data.expert.is_some() && sheet.data.expert == cx.account())
    },
)
.looking_at(|objection| {
    let subject = objection.data.application;
    subject
        .map(|id| Need::PartsOf(Kind::Sheet, id))
        .into_iter()
        .collect()
});
const DUE_PASSED: Gate<Objection> = Gate::<Objection>::new(
    "due_passed",
    "the applicant has not answered and still has time to",
    "申报方尚未说明且期限未到",
    |objection, cx| objection.data.due.is_some_and(|due| cx.now > due),
);

fn application<'a>(
    objection: &Record<Objection>,
    cx: &Context<'a>,
) -> Option<&'a Record<Application>> {
    cx.world.get::<Application>(objection.data.application?)
}

fn application_needed(objection: &Record<Objection>) -> Vec<Need> {
    let application = objection.data.application;
    application
        .map(|id| Need::One(Kind::Application, id))
        .into_iter()
        .collect()
}

impl Aggregate for Objection {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Objection;
    const FIRST: Stage = Stage::Filed;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::File, to: Some(Filed), by: &[Role::Public], gates: &[] },
            Move { from: &[Filed], verb: Verb::Accept, to: Some(Accepted), by: &[Role::Staff], gates: &[ON_NOTICE] },
            Move { from: &[Filed], verb: Verb::Refuse, to: Some(Inadmissible), by: &[Role::Staff], gates: &[] },
            Move { from: &[Accepted], verb: Verb::Answer, to: Some(Heard), by: &[Role::Applicant], gates: &[] },
            Move { from: &[Heard], verb: Verb::Uphold, to: Some(Upheld), by: &[Role::Lead], gates: &[DISPUTED, NOT_A_SCORER] },
            // Nobody loses an award unheard, unless they let the time pass (`domain.md` §2.17).
            Move { from: &[Accepted], verb: Verb::Uphold, to: Some(Upheld), by: &[Role::Lead], gates: &[DISPUTED, NOT_A_SCORER, DUE_PASSED] },
            Move { from: &[Accepted, Heard], verb: Verb::Dismiss, to: Some(Dismissed), by: &[Role::Lead], gates: &[NOT_A_SCORER] },
            Move { from: &[Filed, Accepted, Heard], verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Role::Staff], gates: &[] },
        ]
    };
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Applicant,
            stages: &["accepted", "heard", "upheld", "dismissed"],
        },
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
    ];
    // The applicant answers to facts and never learns who raised them.
    const FIELDS: &'static [Field] = &[
        Field {
            name: "application",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "facts",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "due",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "statement",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "reason",
            eyes: &[Eye::Applicant],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "application")];

    fn index(&self) -> Index {
        Index {
            parent: self.application,
            organisation: self.organisation,
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        match command {
            Command::File { notice, .. } => {
                let listed = world.get::<Notice>(*notice).into_iter();
                let listed = listed.flat_map(|notice| &notice.data.applications);
                [Need::One(Kind::Notice, *notice)]
                    .into_iter()
                    .chain(listed.map(|id| Need::One(Kind::Application, *id)))
                    .collect()
            }
            Command::Refuse { .. } | Command::Dismiss { .. } | Command::Withdraw { .. } => {
                let mut needs = application_needed(record);
                let siblings = record.data.application;
                needs.extend(siblings.map(|id| Need::PartsOf(Kind::Objection, id)));
                needs.extend(record.data.notice.map(|id| Need::One(Kind::Notice, id)));
                needs
            }
            Command::Accept {} | Command::Uphold { .. } => application_needed(record),
            Command::Answer { .. } => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::File {
                notice,
                number,
                objector,
                facts,
                evidence,
            } => {
                let filing = filing::Filing {
                    objector,
                    facts,
                    evidence,
                };
                filing::filed(notice, &number, filing, cx)
            }
            Command::Accept {} => {
                let days = cx.require_policy()?.notice.objection_working_days;
                let due = cx.due_in(days, FirstDay::NotCounted)?;
                // Only the first objection has to stop the award.
                let first = application(record, cx)
                    .filter(|one| one.stage == application::Stage::Noticing)
                    .map(|one| {
                        Application::then(one.id, cx.journal, application::Command::Dispute {})
                    });
                Ok(Decided::only(Event::Accepted { due }).then(first))
            }
            Command::Answer { statement } => {
                let fault = Fault::of_text("/statement", &statement, LONGEST_REASON);
                Rejection::unless_empty(fault.into_iter().collect())?;
                Ok(Decided::only(Event::Answered { statement }))
            }
            Command::Uphold { reason } => {
                Rejection::unless_reasoned(&reason)?;
                let cancel = application(record, cx).map(|one| {
                    let reason = reason.clone();
                    Application::then(one.id, cx.journal, application::Command::Cancel { reason })
                });
                let by = cx.account();
                Ok(Decided::only(Event::Ended { reason, by }).then(cancel))
            }
            Command::Refuse { reason }
            | Command::Dismiss { reason }
            | Command::Withdraw { reason } => {
                Rejection::unless_reasoned(&reason)?;
                let by = cx.account();
                Ok(Decided::only(Event::Ended { reason, by }).then(released(record, cx)))
            }
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Filed {
                application,
                organisation,
                notice,
                objector,
                facts,
                evidence,
            } => {
                *self = Self {
                    application: Some(application),
                    organisation,
                    notice: Some(notice),
                    objector: Some(objector),
                    facts,
                    evidence,
                    ..Self::default()
                };
            }
            Event::Accepted { due } => self.due = Some(due),
            Event::Answered { statement } => self.statement = Some(statement),
            Event::Ended { reason, by } => {
                self.reason = Some(reason);
                self.ruled_by = by;
            }
        }
    }
}

/// What follows for the award when this objection no longer stands in its way: it is released when
/// no other one holds it, and through when the notice is over and nobody waits to be read.
fn released(record: &Record<Objection>, cx: &Context<'_>) -> Vec<Then> {
    use application::Stage::{Disputed, Noticing};
    let Some(one) = application(record, cx) else {
        return Vec::new();
    };
    let others = || {
        cx.world
            .parts_of::<Objection>(one.id)
            .filter(|other| other.id != record.id)
    };
    let held = others().any(|other| other.stage.holds_award());
    let waits = others().any(|other| other.stage.is_open());
    let over = record
        .data
        .notice
        .and_then(|id| cx.world.get::<Notice>(id))
        .is_some_and(|notice| notice.stage == notice::Stage::Ended);
    let mut then = Vec::new();
    if one.stage == Disputed && !held {
        let command = application::Command::DismissObjection {};
        then.push(Application::then(one.id, cx.journal, command));
    }
    if matches!(one.stage, Disputed | Noticing) && over && !waits {
        then.push(Application::then(
            one.id,
            cx.journal,
            application::Command::Clear {},
        ));
    }
    then
}
