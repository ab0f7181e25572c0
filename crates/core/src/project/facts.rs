//! What is recorded of a project, and the parts that it is recorded in.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Project;
use super::flow::Stage;
use super::plan::{CapExceeded, LoweredTarget, Plan, RecordedChange};
use crate::calendar::DayKind;
use crate::money::Money;
use crate::policy::Round;
use crate::text::comparison_key;
use crate::time::Timestamp;

names! {
    /// Why a project was stopped for good (`domain.md` §2.15).
    pub enum Ground {
        /// The agreement was not signed in time.
        NotSigned = "not_signed" "逾期未签约",
        /// The organisation asked for it.
        OwnRequest = "own_request" "主动申请",
        /// An evaluation was failed, or missed.
        FailedEvaluation = "failed_evaluation" "评估不通过",
        /// The work left its goals behind.
        Deviation = "deviation" "严重偏离目标",
        /// Supervision was refused.
        RefusedSupervision = "refused_supervision" "拒绝监督",
        /// The organisation was dissolved.
        Dissolved = "dissolved" "组织注销",
        /// Nobody could help it.
        ForceMajeure = "force_majeure" "不可抗力",
        /// False material or misuse of money: no spending is accepted.
        Fraud = "fraud" "弄虚作假或挪用资金",
    }
}

/// A signed agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Its number.
    pub number: String,
    /// Who signed.
    pub parties: Vec<String>,
    /// The day of the last signature.
    #[schemars(with = "String", extend("format" = "date"))]
    pub signed_on: Date,
    /// The award, in fen.
    pub amount: Money,
    /// The award in capital numerals, as the agreement prints it.
    pub amount_in_capitals: String,
    /// Who signed for each party, where that was recorded.
    #[serde(default)]
    pub signatures: Vec<Signature>,
}

/// A signature under an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// For which of the parties.
    pub party: String,
    /// Who signed.
    pub name: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date"))]
    pub signed_on: Date,
}

/// Where the award is paid to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BankAccount {
    /// In whose name: the organisation's.
    pub holder: String,
    /// At which bank and branch.
    pub bank: String,
    /// Its number, digits only.
    pub number: String,
}

impl BankAccount {
    /// The number as its owner reads it back: the first and the last four digits.
    pub fn masked(&self) -> String {
        let length = self.number.chars().count();
        let shown = |place: usize| length >= 12 && (place < 4 || place + 4 >= length);
        self.number
            .chars()
            .enumerate()
            .map(|(place, digit)| if shown(place) { digit } else { '*' })
            .collect()
    }
}

/// The public beginning of a project (`domain.md` §2.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Launch {
    /// The day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// What kind of day that is; none where its year's calendar is not known. Shown, never forced.
    pub day_kind: Option<DayKind>,
    /// Where.
    pub venue: Option<String>,
}

impl Launch {
    /// Whether the two are at one place on one day, by names of the place that read alike.
    pub fn meets(&self, other: &Self) -> bool {
        let venue = |launch: &Self| launch.venue.as_deref().map(comparison_key);
        self.date == other.date && self.venue.is_some() && venue(self) == venue(other)
    }
}

/// A time to put right what an evaluation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rectification {
    /// Which evaluation.
    pub round: Round,
    /// Until when.
    pub due: Timestamp,
}

/// The organisation is heard before its project is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hearing {
    /// On what ground it is to be stopped.
    pub ground: Ground,
    /// What happened, as the organisation is told.
    pub reason: String,
    /// Until when it may answer.
    pub until: Timestamp,
    /// What it answered.
    pub statement: Option<String>,
}

/// That what is owed should be given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WriteOffProposal {
    /// Why it will not come back.
    pub reason: String,
    /// By whom; somebody else approves.
    pub by: Option<Uuid>,
}

/// Why a project was stopped for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Termination {
    /// On what ground.
    pub ground: Ground,
    /// What happened.
    pub reason: String,
}

/// Money that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// How much, in fen.
    pub amount: Money,
    /// The number of the voucher.
    pub voucher: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// An item of the close-out checklist that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedOff {
    /// Which, as the policy calls it.
    pub item: String,
    /// Who found it done.
    pub by: Option<Uuid>,
    /// What there is to say of it.
    pub note: Option<String>,
}

/// A demand for money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// How much, in fen.
    pub amount: Money,
    /// Until when.
    #[schemars(with = "String", extend("format" = "date"))]
    pub due_on: Date,
}

/// What happened to a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Begun {
        /// As it began.
        project: Box<Project>,
    },
    /// A plan was handed in.
    PlanSubmitted {
        /// The plan.
        plan: Box<Plan>,
        /// The targets that fall by more than the award was cut.
        #[serde(default)]
        lowered: Vec<LoweredTarget>,
        /// The categories that take more than the policy recommends.
        #[serde(default)]
        over_caps: Vec<CapExceeded>,
    },
    /// The agreement was signed.
    Signed {
        /// The agreement.
        agreement: Agreement,
        /// Until when it should be launched.
        #[schemars(with = "Option<String>")]
        launch_by: Option<Date>,
    },
    /// The bank account was given.
    BankAccountGiven {
        /// Where the award is paid to.
        bank_account: BankAccount,
    },
    /// The bank account was found to be the organisation's.
    BankAccountChecked {
        /// By whom.
        by: Option<Uuid>,
    },
    /// The launch was planned.
    LaunchScheduled {
        /// When and where.
        launch: Launch,
        /// Who hosts.
        host: Option<String>,
        /// Who is expected.
        guests: Vec<String>,
        /// Which media are invited.
        #[serde(default)]
        media: Vec<String>,
        /// How many others launch there on that day.
        #[serde(default)]
        same_venue: u32,
    },
    /// An evaluation was passed.
    Passed {
        /// Which.
        round: Round,
    },
    /// An evaluation found something to put right.
    RectificationAsked {
        /// Which evaluation, and until when.
        rectification: Rectification,
    },
    /// The plan changed.
    Changed {
        /// What changed.
        change: Box<RecordedChange>,
    },
    /// There was progress.
    Progressed {
        /// On which day there was an activity.
        #[schemars(with = "Option<String>")]
        activity_on: Option<Date>,
        /// What was spent by now, in fen.
        spent: Option<Money>,
        /// Which report was accepted.
        #[serde(default)]
        report: Option<Uuid>,
    },
    /// A regular report was asked for.
    ReportCalled {
        /// The last day of the time that it is of.
        #[schemars(with = "String", extend("format" = "date"))]
        until: Date,
    },
    /// A report did not come in time.
    ReportMissed {
        /// Which.
        report: Uuid,
    },
    /// There has been no activity for long.
    Silent {
        /// The day of the last one, or of the launch.
        #[schemars(with = "String", extend("format" = "date"))]
        since: Date,
    },
    /// Little of the award is spent late in its time.
    Underspent {},
    /// It was suspended.
    Suspended {
        /// Where it stood.
        was: Stage,
        /// Why.
        reason: String,
    },
    /// The organisation was told that it is to be stopped.
    HearingOpened {
        /// Why, and until when it may answer.
        hearing: Hearing,
    },
    /// The organisation answered.
    Heard {
        /// What.
        statement: String,
    },
    /// It was stopped for good.
    Terminated {
        /// Why.
        termination: Termination,
    },
    /// Spending was accepted.
    SpendAccepted {
        /// How much in all, in fen.
        amount: Money,
    },
    /// Money came back.
    Refunded {
        /// How much, in fen.
        amount: Money,
        /// The number of the voucher.
        voucher: String,
    },
    /// An item of the close-out checklist was found done.
    CheckedOff {
        /// Which, and by whom.
        done: CheckedOff,
    },
    /// It was closed as agreed.
    Closed {},
    /// Money was demanded back.
    Demanded {
        /// How much, until when.
        demand: Demand,
    },
    /// The organisation was reminded of what it owes.
    Reminded {},
    /// It was proposed to give up what is owed.
    WriteOffProposed {
        /// Why and by whom.
        proposal: WriteOffProposal,
    },
    /// What was still open was given up.
    WrittenOff {
        /// How much, in fen.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// The move itself, with its reason where one was asked for.
    Moved {
        /// Why.
        reason: Option<String>,
    },
}
