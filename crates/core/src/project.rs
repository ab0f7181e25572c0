//! An awarded application under way, from its refined plan to its close or its recovery
//! (`domain.md` §2.10–2.17).

mod accounts;
mod agreement;
mod closing;
mod ending;
pub mod facts;
pub mod flow;
mod history;
mod launching;
mod monitoring;
pub mod plan;

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use accounts::{Balance, balance, outstanding, paid};
pub use facts::{
    Agreement, BankAccount, CheckedOff, Demand, Event, Ground, Hearing, Launch, Rectification,
    Refund, Signature, Termination, WriteOffProposal,
};
pub use flow::{
    BEFORE_AGREEMENT, Command, ENDED, NOTED, RUNNING, STOPPABLE, Stage, TERMINABLE, Verb,
};
pub use plan::{CapExceeded, LoweredTarget, Plan, RecordedChange, by_category};

use crate::aggregate::{Aggregate, Decided, Index, Move, Record, derived_id};
use crate::application::form::BudgetLine;
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::numerals::capital_numerals;
use crate::policy::Round;
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// What it was applied for with.
    pub application: Option<Uuid>,
    /// The award that it lives on.
    pub award: Option<Uuid>,
    /// Whose it is.
    pub organisation: Option<Uuid>,
    /// The name of that organisation when the award was made.
    pub organisation_name: String,
    /// Its title.
    pub title: String,
    /// Its domain.
    pub domain: String,
    /// The award, in fen; it never changes.
    pub amount: Money,
    /// Until when the agreement has to be signed.
    pub sign_by: Option<Timestamp>,
    /// The plan as last submitted or changed; earlier ones are in the journal.
    pub plan: Option<Plan>,
    /// How often the plan was submitted or changed.
    pub plan_version: u32,
    /// The targets of that plan that fall by more than the award was cut; a lead approves them.
    #[serde(default)]
    pub lowered_targets: Vec<LoweredTarget>,
    /// The categories of its budget that take more than the policy recommends.
    #[serde(default)]
    pub over_caps: Vec<CapExceeded>,
    /// The budget that changes are measured against: as agreed, or as last approved by somebody.
    #[serde(default)]
    pub agreed_budget: Vec<BudgetLine>,
    /// The agreement, once signed.
    pub agreement: Option<Agreement>,
    /// Where the award is paid to.
    #[serde(default)]
    pub bank_account: Option<BankAccount>,
    /// The number of that account as the organisation reads it back.
    #[serde(default)]
    pub bank_account_masked: Option<String>,
    /// Who checked that account; none since it last changed.
    #[serde(default)]
    pub bank_checked_by: Option<Uuid>,
    /// Until when it should be launched; a later launch is a risk and not forbidden.
    #[schemars(with = "Option<String>")]
    pub launch_by: Option<Date>,
    /// When and where it is launched.
    pub launch: Option<Launch>,
    /// Who hosts the launch.
    pub launch_host: Option<String>,
    /// Who is expected there.
    pub launch_guests: Vec<String>,
    /// Which media are invited.
    #[serde(default)]
    pub launch_media: Vec<String>,
    /// How many others launched there on that day when it was said. Shown, never forced.
    #[serde(default)]
    pub launch_same_venue: u32,
    /// The day of its last activity.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub last_activity_on: Option<Date>,
    /// What was spent by the last accepted report, in fen.
    #[serde(default)]
    pub reported_spend: Option<Money>,
    /// Since when there has been no activity, while that is flagged.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub silent_since: Option<Date>,
    /// When it was flagged that little is spent; none since the last report.
    #[serde(default)]
    pub underspent_at: Option<Timestamp>,
    /// The last day that a regular report was asked for.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub reported_until: Option<Date>,
    /// The reports that did not come in time and are not accepted since.
    #[serde(default)]
    pub missing_reports: BTreeSet<Uuid>,
    /// The evaluations it has passed.
    pub passed: BTreeSet<Round>,
    /// What it has to put right, or had to: at most once per evaluation.
    pub rectifications: Vec<Rectification>,
    /// The stage at which it was suspended, while it is.
    pub was: Option<Stage>,
    /// Why it was last suspended, resumed, returned or written off.
    pub reason: Option<String>,
    /// Every approved change, the newest last.
    pub changes: Vec<RecordedChange>,
    /// Why it is to be stopped for good, and what the organisation says to it.
    #[serde(default)]
    pub hearing: Option<Hearing>,
    /// Why it was stopped for good.
    pub termination: Option<Termination>,
    /// How much of what was paid was spent as agreed, in fen.
    pub accepted_spend: Option<Money>,
    /// How much came back, in fen.
    pub refunded: Money,
    /// Every refund, the newest last.
    #[serde(default)]
    pub refunds: Vec<Refund>,
    /// What of the close-out checklist is done.
    #[serde(default)]
    pub checked_off: Vec<CheckedOff>,
    /// When it was closed as agreed.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// What was demanded back.
    pub demand: Option<Demand>,
    /// When the organisation was reminded of the demand.
    #[serde(default)]
    pub demand_reminded_at: Option<Timestamp>,
    /// That what is owed should be given up.
    #[serde(default)]
    pub write_off_proposal: Option<WriteOffProposal>,
    /// What was given up, in fen.
    pub written_off: Money,
}

/// The identity of the project of an award: there is one at most.
pub fn id_of(award: Uuid) -> Uuid {
    derived_id(award, "project")
}

impl Project {
    /// Whether the evaluation is passed.
    pub fn has_passed(&self, round: Round) -> bool {
        self.passed.contains(&round)
    }

    /// Whether what it puts right, or last put right, was found by the evaluation.
    pub fn rectifies(&self, round: Round) -> bool {
        self.rectifications
            .last()
            .is_some_and(|one| one.round == round)
    }

    /// Whether the evaluation has asked for rectification before.
    pub fn rectified(&self, round: Round) -> bool {
        self.rectifications.iter().any(|one| one.round == round)
    }
}

impl Aggregate for Project {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Project;
    const FIRST: Stage = Stage::Refining;
    const FLOW: &'static [Move<Self>] = flow::FLOW;
    #[rustfmt::skip]
    const SIGHTS: &'static [Sight] = &[
        Sight { eye: Eye::Applicant, stages: &[] },
        Sight { eye: Eye::Staff, stages: &[] },
        Sight { eye: Eye::Expert, stages: &["midterm_due", "final_due"] },
        // Launches are public; trouble is not, until it is decided on.
        Sight { eye: Eye::Public, stages: &["launched", "active", "midterm_due", "final_due", "closing", "closed"] },
    ];
    #[rustfmt::skip]
    const FIELDS: &'static [Field] = &[
        Field { name: "organisation_name", eyes: &[Eye::Applicant, Eye::Expert, Eye::Public] },
        Field { name: "title", eyes: &[Eye::Applicant, Eye::Expert, Eye::Public] },
        Field { name: "launch", eyes: &[Eye::Applicant, Eye::Public] },
        Field { name: "plan", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "plan_version", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "amount", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "domain", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "changes", eyes: &[Eye::Applicant, Eye::Expert] },
        Field { name: "application", eyes: &[Eye::Applicant] },
        Field { name: "award", eyes: &[Eye::Applicant] },
        Field { name: "organisation", eyes: &[Eye::Applicant] },
        Field { name: "sign_by", eyes: &[Eye::Applicant] },
        Field { name: "lowered_targets", eyes: &[Eye::Applicant] },
        Field { name: "over_caps", eyes: &[Eye::Applicant] },
        Field { name: "agreed_budget", eyes: &[Eye::Applicant] },
        Field { name: "agreement", eyes: &[Eye::Applicant] },
        Field { name: "bank_account_masked", eyes: &[Eye::Applicant] },
        Field { name: "launch_by", eyes: &[Eye::Applicant] },
        Field { name: "launch_host", eyes: &[Eye::Applicant] },
        Field { name: "launch_guests", eyes: &[Eye::Applicant] },
        Field { name: "launch_media", eyes: &[Eye::Applicant] },
        // Not for the public: the others may not have begun.
        Field { name: "launch_same_venue", eyes: &[Eye::Applicant] },
        Field { name: "last_activity_on", eyes: &[Eye::Applicant] },
        Field { name: "reported_spend", eyes: &[Eye::Applicant] },
        Field { name: "passed", eyes: &[Eye::Applicant] },
        Field { name: "rectifications", eyes: &[Eye::Applicant] },
        Field { name: "reason", eyes: &[Eye::Applicant] },
        Field { name: "hearing", eyes: &[Eye::Applicant] },
        Field { name: "termination", eyes: &[Eye::Applicant] },
        Field { name: "accepted_spend", eyes: &[Eye::Applicant] },
        Field { name: "refunded", eyes: &[Eye::Applicant] },
        Field { name: "refunds", eyes: &[Eye::Applicant] },
        Field { name: "closed_at", eyes: &[Eye::Applicant] },
        Field { name: "demand", eyes: &[Eye::Applicant] },
        Field { name: "demand_reminded_at", eyes: &[Eye::Applicant] },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "application"), (Column::Facet, "domain"), (Column::Number, "agreement"), (Column::Label, "title"), (Column::Amount, "amount")];

    fn index(&self) -> Index {
        Index {
            parent: self.application,
            organisation: self.organisation,
            person: None,
            facet: Some(self.domain.clone()),
            number: self
                .agreement
                .as_ref()
                .map(|agreement| agreement.number.clone()),
            label: Some(self.title.clone()),
            amount: Some(self.amount.fen()),
        }
    }

    fn identity(command: &Command) -> Option<Uuid> {
        match command {
            Command::Begin { award, .. } => Some(id_of(*award)),
            _ => None,
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::SubmitPlan { .. } => {
                let application = record.data.application;
                Vec::from_iter(application.map(|id| Need::One(Kind::Application, id)))
            }
            // Who else launches there on that day.
            Command::ScheduleLaunch { venue: Some(_), .. } => vec![Need::All(Kind::Project)],
            Command::Terminate { .. } => ending::needs(record),
            Command::AcceptSpend { .. } | Command::RecordRefund { .. } => {
                accounts::tranches_need(record)
            }
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Begin { .. } => begun(command, cx)?,
            Command::SubmitPlan { plan } => agreement::plan_submitted(record, plan, cx)?,
            Command::Sign {
                parties,
                signed_on,
                number,
                signatures,
            } => {
                let signed = Agreement {
                    number,
                    parties,
                    signed_on,
                    amount: record.data.amount,
                    amount_in_capitals: capital_numerals(record.data.amount),
                    signatures,
                };
                return agreement::signed(record, signed, cx);
            }
            Command::GiveBankAccount { bank_account } => {
                agreement::bank_account(record, bank_account)?
            }
            Command::CheckBankAccount {} => Event::BankAccountChecked { by: cx.account() },
            Command::ScheduleLaunch {
                date,
                venue,
                host,
                guests,
                media,
            } => {
                let people = launching::People {
                    host,
                    guests,
                    media,
                };
                launching::scheduled(record, date, venue, people, cx)?
            }
            Command::PassMidterm {} => Event::Passed {
                round: Round::Midterm,
            },
            Command::PassFinal {} => Event::Passed {
                round: Round::Final,
            },
            Command::RectifyMidterm {} => to_rectify(Round::Midterm, cx)?,
            Command::RectifyFinal {} => to_rectify(Round::Final, cx)?,
            Command::RecordChange { change } => {
                let plan = record.data.plan.clone().unwrap_or_default().with(&change);
                Rejection::unless_empty(plan.faults("/change", record.data.amount))?;
                Event::Changed { change }
            }
            Command::NoteProgress {
                activity_on,
                spent,
                report,
            } => Event::Progressed {
                activity_on,
                spent,
                report,
            },
            Command::CallForReport {} => return monitoring::called_for(record, cx),
            Command::FlagMissingReport { report } => Event::ReportMissed { report },
            Command::FlagSilence {} => monitoring::silent(record, cx),
            Command::FlagUnderspend {} => Event::Underspent {},
            Command::Suspend { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Suspended {
                    was: record.stage,
                    reason,
                }
            }
            Command::Terminate { ground, reason } => {
                return ending::terminated(record, Termination { ground, reason }, cx);
            }
            Command::AnnounceTermination { ground, reason } => {
                ending::announced(ground, reason, cx)?
            }
            Command::BeHeard { statement } => {
                Rejection::unless_empty(Vec::from_iter(Fault::of_text(
                    "/statement",
                    &statement,
                    LONGEST_REASON,
                )))?;
                Event::Heard { statement }
            }
            Command::CheckOff { item, note } => closing::checked_off(record, item, note, cx)?,
            Command::Close {} => Event::Closed {},
            Command::AcceptSpend { amount } => accounts::spend_accepted(record, amount, cx)?,
            Command::RecordRefund { amount, voucher } => {
                accounts::refunded(record, amount, voucher, cx)?
            }
            Command::Recover { due_on } => ending::demanded(record, due_on, cx)?,
            Command::RemindDemand {} => Event::Reminded {},
            Command::ProposeWriteOff { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::WriteOffProposed {
                    proposal: WriteOffProposal {
                        reason,
                        by: cx.account(),
                    },
                }
            }
            Command::WriteOff { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::WrittenOff {
                    amount: outstanding(record, cx.world),
                    reason,
                }
            }
            Command::ReturnPlan { reason } | Command::Resume { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Moved {
                    reason: Some(reason),
                }
            }
            Command::ApprovePlan {}
            | Command::Launch {}
            | Command::Activate {}
            | Command::OpenMidterm {}
            | Command::FailMidterm {}
            | Command::OpenFinal {}
            | Command::FailFinal {}
            | Command::ConfirmRecovery {} => Event::Moved { reason: None },
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        history::take(self, event.clone(), at);
    }
}

fn begun(command: Command, cx: &Context<'_>) -> Result<Event, Rejection> {
    let Command::Begin {
        application,
        award,
        organisation,
        organisation_name,
        title,
        domain,
        amount,
    } = command
    else {
        return Err(Rejection::NotFound);
    };
    let days = cx.require_policy()?.agreement.sign_working_days;
    let project = Project {
        application: Some(application),
        award: Some(award),
        organisation: Some(organisation),
        organisation_name,
        title,
        domain,
        amount,
        sign_by: Some(cx.due_in(days, FirstDay::NotCounted)?),
        ..Project::default()
    };
    Ok(Event::Begun {
        project: Box::new(project),
    })
}

fn to_rectify(round: Round, cx: &Context<'_>) -> Result<Event, Rejection> {
    let days = cx.require_policy()?.evaluation.rectification_working_days;
    Ok(Event::RectificationAsked {
        rectification: Rectification {
            round,
            due: cx.due_in(days, FirstDay::NotCounted)?,
        },
    })
}
