//! What differs between districts and years, as one document (`domain.md` §0 fact 1).

use std::collections::BTreeMap;

use fundcycle_scoring::Rubric;
use fundcycle_scoring::SelectionRules;
use fundcycle_scoring::TieBreak;
use fundcycle_scoring::{Aggregation, CalibrationRules, Grade, SpreadRule};
use fundcycle_scoring::{Exact, Rounding};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::FirstDay;
use crate::interest::InterestRules;
use crate::money::Yuan;
use crate::organisation::OrganisationKind;
use crate::project::Ground;
use crate::reminder::ReminderRules;
use crate::report::Occasion;
use crate::time::Timestamp;

names! {
    /// What is scored by sheets against a rubric.
    pub enum Round {
        /// Experts read and score applications.
        PaperReview = "paper_review" "书面评审",
        /// Applicants pitch and answer questions.
        Roadshow = "roadshow" "路演",
        /// Projects are assessed half-way.
        Midterm = "midterm" "中期评估",
        /// Projects are assessed at the end.
        Final = "final" "末期评估",
    }
}

names! {
    /// What a broken rule does.
    pub enum Severity {
        /// The application cannot be submitted.
        Block = "block" "禁止提交",
        /// Staff are told; the application goes on.
        Warn = "warn" "提示",
    }
}

/// The rules of one cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// What the cycle is called and whose it is.
    pub programme: Programme,
    /// Which stages this cycle has.
    #[serde(default)]
    pub stages: Stages,
    /// The domains that applications choose from.
    pub domains: Vec<DomainRule>,
    /// Who may apply.
    #[serde(default)]
    pub eligibility: Eligibility,
    /// When and how much may be asked for, and how intake runs.
    pub application: ApplicationRules,
    /// Limits on the lines of a budget.
    #[serde(default)]
    pub budget_rules: Vec<BudgetRule>,
    /// How each round is scored.
    pub rounds: BTreeMap<Round, RoundRules>,
    /// Which interests keep experts away, beside those that are declared.
    #[serde(default, skip_serializing_if = "InterestRules::is_default")]
    pub interests: InterestRules,
    /// How a pitch runs.
    #[serde(default)]
    pub roadshow: RoadshowFormat,
    /// How scores become a ranking.
    #[serde(default)]
    pub ranking: RankingRules,
    /// How the ranking becomes awards.
    pub selection: SelectionRules,
    /// How many leads have to approve a selection.
    #[serde(default = "one")]
    pub selection_approvals: u32,
    /// The public notice and objections to it.
    #[serde(default)]
    pub notice: NoticeRules,
    /// From the award letter to the launch.
    #[serde(default)]
    pub agreement: AgreementRules,
    /// In which parts an award is paid, in order.
    pub tranches: Vec<TrancheRule>,
    /// How projects are assessed.
    pub evaluation: EvaluationRules,
    /// How plans and budgets may change while a project runs.
    #[serde(default)]
    pub changes: ChangeRules,
    /// When a running project is flagged for staff to look at.
    #[serde(default, skip_serializing_if = "is_default")]
    pub monitoring: MonitoringRules,
    /// What has to be done before a project is closed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub close_out: CloseOutRules,
    /// How projects are stopped for good, and what follows for the organisation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub termination: TerminationRules,
    /// When people are reminded of what is due, and staff of what waits for them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reminders: ReminderRules,
}

/// What the cycle is called and whose it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Title, as printed on the call and the notice.
    pub title: String,
    /// Title in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_en: Option<String>,
    /// The bureau (主办单位).
    pub organiser: String,
    /// Its unified social credit code, by which open data names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organiser_uscc: Option<String>,
    /// Short code that application numbers begin with, such as `WJ2024`.
    pub code: String,
    /// IANA time zone of every deadline.
    #[serde(default = "beijing")]
    pub time_zone: String,
    /// How to reach the office that answers questions and takes objections.
    #[serde(default)]
    pub contact: String,
}

/// Which stages this cycle has; the others always run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// Experts read and score applications.
    #[serde(default = "yes")]
    pub review: bool,
    /// Applicants pitch.
    #[serde(default = "yes")]
    pub roadshow: bool,
    /// The list is published for objections.
    #[serde(default = "yes")]
    pub notice: bool,
    /// Projects are assessed half-way.
    #[serde(default = "yes")]
    pub midterm: bool,
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            review: true,
            roadshow: true,
            notice: true,
            midterm: true,
        }
    }
}

/// One domain (领域).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainRule {
    /// Its name, as applications give it.
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
}

/// Who may apply (`domain.md` §2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eligibility {
    /// The kinds of organisation that may; empty: all.
    #[serde(default)]
    pub organisation_kinds: Vec<OrganisationKind>,
    /// How long an organisation must have been registered when it submits, in days.
    #[serde(default)]
    pub minimum_age_days: u32,
    /// How many applications one organisation may submit; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applications_per_organisation: Option<u32>,
    /// Whether staff must have verified the organisation before it submits.
    #[serde(default)]
    pub verified_only: bool,
}

/// When and how much may be asked for, and how intake runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRules {
    /// From when applications may be written and submitted.
    pub opens_at: Timestamp,
    /// Until when they may be submitted; that very millisecond is still in time.
    pub closes_at: Timestamp,
    /// The most that may be asked for; a higher request cannot be submitted (`domain.md` §2.3).
    pub request_cap: Yuan,
    /// The least that may be asked for.
    #[serde(default)]
    pub request_floor: Yuan,
    /// The longest text in a field, in characters.
    #[serde(default = "five_hundred")]
    pub text_limit: u32,
    /// How many files an application may carry.
    #[serde(default = "fifteen")]
    pub attachments_max: u32,
    /// Days to correct what was returned, in working days.
    #[serde(default = "three")]
    pub correction_working_days: u32,
    /// How often an application may be returned.
    #[serde(default = "one")]
    pub corrections_max: u32,
    /// Days to ask for a re-check of a rejection, in working days.
    #[serde(default = "three")]
    pub recheck_working_days: u32,
}

/// A limit on what a category of budget lines may take (`domain.md` §3.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetRule {
    /// The category of lines.
    pub category: String,
    /// At most this part of the request, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ratio: Option<Exact>,
    /// At most this amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Yuan>,
    /// Not fundable at all.
    #[serde(default)]
    pub forbidden: bool,
    /// What happens when a budget breaks the rule.
    pub severity: Severity,
}

names! {
    /// Who knows whom in a round.
    pub enum Blindness {
        /// Applicants may learn who read their application.
        Open = "open" "公开",
        /// Applicants never learn who read their application.
        Single = "single" "单盲",
        /// Nor do experts learn who applies: names are taken out, files are withheld.
        Double = "double" "双盲",
    }
}

names! {
    /// When an expert sees the sheets of the others on the same application, never their drafts.
    pub enum OthersSheets {
        /// Not at all.
        Never = "never" "不可见",
        /// Once their own sheet is in.
        AfterOwn = "after_own" "本人提交后",
        /// Once all their own sheets of the round are in.
        NothingOutstanding = "nothing_outstanding" "本人全部提交后",
        /// From the beginning.
        Always = "always" "始终",
    }
}

/// Who sees what while a round is open (`visibility.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoundVisibility {
    /// Who knows whom.
    pub blindness: Blindness,
    /// When experts see each other's sheets.
    pub others: OthersSheets,
    /// Whether scores are kept from staff, too, until the round closes.
    pub sealed: bool,
}

impl Default for RoundVisibility {
    fn default() -> Self {
        Self {
            blindness: Blindness::Single,
            others: OthersSheets::Never,
            sealed: false,
        }
    }
}

impl RoundVisibility {
    /// Whether nothing differs from the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a pitch loses that takes longer than its turn (`domain.md` §2.7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrunRule {
    /// Points for every minute over time that was begun.
    pub points_per_minute: Exact,
    /// The most that is deducted.
    pub cap: Exact,
}

/// How one round is scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundRules {
    /// What is scored.
    pub rubric: Rubric,
    /// How the sheets of one application become its score.
    pub aggregation: Aggregation,
    /// How scores of lenient and strict experts are made comparable; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationRules>,
    /// When the sheets of one application are flagged as lying too far apart; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadRule>,
    /// The weight of this round in the score that ranks applications; 0 if it only selects.
    #[serde(default)]
    pub weight: Exact,
    /// The least score that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_line: Option<Exact>,
    /// How many go on to the next round, in rank order; none: all above the pass line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortlist: Option<u32>,
    /// What a pitch loses that takes too long; none: nothing. For the roadshow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrun: Option<OverrunRule>,
    /// How many of each domain go on, in rank order; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortlist_per_domain: Option<u32>,
    /// Those who go on ask together for at most this many times the budget, in rank order, those who share
    /// a place together or not at all; none: for any amount (`domain.md` §2.6 has about 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortlist_budget_multiple: Option<Exact>,
    /// Who sees what while it is open; fixed for a panel when it opens.
    #[serde(default, skip_serializing_if = "RoundVisibility::is_default")]
    pub visibility: RoundVisibility,
}

names! {
    /// Which scores the live board of a session shows.
    pub enum BoardScores {
        /// None.
        Nothing = "nothing" "不显示",
        /// To experts their own sheets; to applicants their own result, once the panel has closed.
        Own = "own" "仅显示本人",
        /// The same, and to everybody the result of every pitch, once the panel has closed.
        Published = "published" "公布得分",
    }
}

/// How a pitch runs, in minutes (`domain.md` §2.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoadshowFormat {
    /// For presenting.
    pub present_minutes: u32,
    /// For questions.
    pub question_minutes: u32,
    /// Between two pitches.
    pub changeover_minutes: u32,
    /// Which scores the live board shows.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub board: BoardScores,
}

impl Default for RoadshowFormat {
    fn default() -> Self {
        Self {
            present_minutes: 8,
            question_minutes: 7,
            changeover_minutes: 2,
            board: BoardScores::Nothing,
        }
    }
}

/// How scores become a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankingRules {
    /// Decimals of the score that ranks.
    #[serde(default = "two")]
    pub scale: u8,
    /// How it is rounded, once.
    #[serde(default)]
    pub rounding: Rounding,
    /// What decides between equal scores, in this order (`domain.md` §5.3).
    #[serde(default)]
    pub tie_breaks: Vec<TieBreak>,
    /// What the final grades of earlier projects add to the combined score of an organisation's
    /// application; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_projects: Option<EarlierProjects>,
}

/// What earlier projects of an organisation add to its score (`domain.md` §2.14): the points that their
/// final grades brought (`bonus` of the grade), each project once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierProjects {
    /// The most that they add together.
    pub most: Exact,
    /// For how many days before the call closes a final grade counts; what takes effect later counts in
    /// the next cycle.
    pub days: u32,
}

impl Default for RankingRules {
    fn default() -> Self {
        Self {
            scale: 2,
            rounding: Rounding::default(),
            tie_breaks: Vec::new(),
            earlier_projects: None,
        }
    }
}

/// The public notice and objections to it (`domain.md` §2.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeRules {
    /// How long the list stays open to objections, in working days.
    pub working_days: u32,
    /// Whether the day of publication is day one.
    pub first_day: FirstDay,
    /// Days to rule on an objection, in working days.
    pub objection_working_days: u32,
}

impl Default for NoticeRules {
    fn default() -> Self {
        Self {
            working_days: 5,
            first_day: FirstDay::Counted,
            objection_working_days: 5,
        }
    }
}

/// From the award letter to the launch (`domain.md` §2.18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementRules {
    /// Days from the award letter to acceptance, in working days; then it lapses.
    pub accept_working_days: u32,
    /// Days from acceptance to the signed agreement, in working days; then the award lapses.
    #[serde(default = "fifteen")]
    pub sign_working_days: u32,
    /// Days from the agreement to the launch, in calendar days.
    pub launch_days: u32,
}

impl Default for AgreementRules {
    fn default() -> Self {
        Self {
            accept_working_days: 10,
            sign_working_days: 15,
            launch_days: 30,
        }
    }
}

names! {
    /// What has to be there before a tranche may be requested.
    pub enum TrancheCondition {
        /// The agreement is signed.
        Agreement = "agreement" "协议已签订",
        /// The mid-term evaluation is passed.
        Midterm = "midterm" "中期评估通过",
        /// The final evaluation is passed.
        Final = "final" "末期评估通过",
    }
}

/// One part of an award.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrancheRule {
    /// What it is called, such as 首款.
    pub name: String,
    /// Its part of the award; all parts add up to 1.
    pub share: Exact,
    /// What has to be there first.
    pub after: TrancheCondition,
    /// What else has to be there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub needs: TrancheNeeds,
}

/// What has to be there before a tranche is paid, beside what it comes after (`domain.md` §6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrancheNeeds {
    /// The organisation's bank account, checked by finance. Where one is given, its check is always
    /// waited for.
    pub bank_account: bool,
    /// An invoice or receipt of the organisation for each payment.
    pub invoice: bool,
    /// An accepted report of this occasion.
    pub report: Option<Occasion>,
    /// This grade of the evaluation that it comes after, or a better one.
    pub least_grade: Option<String>,
}

names! {
    /// What an evaluation grade leads to.
    pub enum Consequence {
        /// The project goes on.
        Pass = "pass" "通过",
        /// The project has to put things right and is assessed once more.
        Rectify = "rectify" "限期整改",
        /// The project is stopped.
        Fail = "fail" "不通过",
    }
}

/// A grade band and what it leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeRule {
    /// What it is called.
    pub name: String,
    /// The lowest score in it, itself included.
    pub from: Exact,
    /// What it leads to.
    pub leads_to: Consequence,
    /// What part of the tranches that wait for this evaluation is still paid, 0 to 1; none: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<Exact>,
    /// Points that the organisation takes from a final evaluation into later cycles whose rules count
    /// them (`ranking.earlier_projects`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus: Option<Exact>,
}

/// A criterion that nobody scores: its points follow from how much of the targets was reached,
/// by the accepted report of the round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomaticCriterion {
    /// Mid-term or final.
    pub round: Round,
    /// Its stable name.
    pub key: String,
    /// What it is called.
    pub title: String,
    /// The bands, best first; below the last there are no points.
    pub bands: Vec<RatioBand>,
}

/// A band of a ratio and its points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatioBand {
    /// The lowest part of the targets in it, itself included: the mean over all targets, each counted
    /// as 1 at most.
    pub from: Exact,
    /// Added to the score of the panel.
    pub points: Exact,
}

/// How projects are assessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationRules {
    /// The bands, best first; the last begins at 0.
    pub grades: Vec<GradeRule>,
    /// Days to put things right, in working days.
    #[serde(default = "fifteen")]
    pub rectification_working_days: u32,
    /// Days to hand in a report, in calendar days from when it is asked for.
    #[serde(default = "thirty")]
    pub report_days: u32,
    /// Whether a project fails the evaluation whose report does not come in time (`domain.md` §2.13).
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_report_fails: bool,
    /// How long an organisation may contest a grade before it takes effect, in working days; 0: the grade
    /// takes effect when it is published.
    #[serde(default, skip_serializing_if = "is_default")]
    pub objection_working_days: u32,
    /// What is scored from reports instead of by experts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub automatic: Vec<AutomaticCriterion>,
}

impl EvaluationRules {
    /// The bands, as the scoring crate wants them.
    pub fn bands(&self) -> Vec<Grade> {
        self.grades
            .iter()
            .map(|rule| Grade {
                name: rule.name.clone(),
                from: rule.from.clone(),
            })
            .collect()
    }
}

/// How plans and budgets may change while a project runs (`domain.md` §2.12).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRules {
    /// Up to this part of the award may move between categories of the agreed budget without approval,
    /// all such changes together.
    #[serde(default, skip_serializing_if = "Exact::is_zero")]
    pub free_limit: Exact,
    /// Up to this part with the approval of staff; more needs the lead.
    #[serde(default = "tenth")]
    pub staff_limit: Exact,
    /// Up to so many days staff may extend a project; more needs the lead.
    #[serde(default = "thirty", skip_serializing_if = "is_thirty")]
    pub staff_extension_days: u32,
}

impl Default for ChangeRules {
    fn default() -> Self {
        Self {
            free_limit: Exact::ZERO,
            staff_limit: tenth(),
            staff_extension_days: thirty(),
        }
    }
}

/// When a running project is flagged for staff to look at (`domain.md` §7). A flag forbids nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonitoringRules {
    /// After so many days without an activity; 0: never.
    pub silence_days: u32,
    /// When little of the award is spent late in its time; none: never.
    pub underspend: Option<UnderspendRule>,
    /// How often projects report while they run; none: only when staff ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports: Option<ReportRhythm>,
}

names! {
    /// Of what time a regular report is.
    pub enum ReportEvery {
        /// Of each calendar month.
        Month = "month" "每月",
        /// Of each calendar quarter.
        Quarter = "quarter" "每季度",
    }
}

/// How often projects report while they run (`domain.md` §2.12). The first time begins with the day of the
/// launch, the last one ends with the last day of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportRhythm {
    /// Of what time.
    pub every: ReportEvery,
    /// Days to hand it in, in calendar days after that time.
    #[serde(default = "ten")]
    pub due_days: u32,
}

/// Little of the award is spent late in its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnderspendRule {
    /// After this part of the time from the agreement to the last day, 0 to 1.
    pub after: Exact,
    /// Where less than this part of the award is spent by the accepted reports, 0 to 1.
    pub below: Exact,
}

/// What has to be done before a project is closed, beside settling its money (`domain.md` §2.14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloseOutRules {
    /// Whether a final report has to be found complete.
    pub final_report: bool,
    /// What staff check off one by one, such as 档案资料已移交.
    pub checklist: Vec<String>,
}

/// How projects are stopped for good (`domain.md` §2.15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminationRules {
    /// Days in which the organisation is heard before its project is stopped, in working days; 0: it is
    /// not asked. Where it asks for the end itself it is never waited for.
    #[serde(default)]
    pub hearing_working_days: u32,
    /// Days to pay back what is demanded, in working days, where the demand does not say.
    #[serde(default = "fifteen")]
    pub demand_working_days: u32,
    /// For how many days an organisation whose project was stopped on this ground may not apply, in this
    /// cycle or a later one.
    #[serde(default)]
    pub ban_days: BTreeMap<Ground, u32>,
}

impl Default for TerminationRules {
    fn default() -> Self {
        Self {
            hearing_working_days: 0,
            demand_working_days: fifteen(),
            ban_days: BTreeMap::new(),
        }
    }
}

impl PolicyDocument {
    /// The time zone of every deadline; Beijing time where the name is unknown, which
    /// [`faults`](Self::faults) reports.
    pub fn zone(&self) -> TimeZone {
        Self::zone_named(&self.programme.time_zone)
    }

    /// The zone of an IANA name.
    pub fn zone_named(name: &str) -> TimeZone {
        TimeZone::get(name)
            .or_else(|_| TimeZone::get("Asia/Shanghai"))
            .unwrap_or(TimeZone::UTC)
    }

    /// Whether this cycle has `round`.
    pub const fn has_round(&self, round: Round) -> bool {
        match round {
            Round::PaperReview => self.stages.review,
            Round::Roadshow => self.stages.roadshow,
            Round::Midterm => self.stages.midterm,
            Round::Final => true,
        }
    }

    /// SHA-256 over the canonical JSON (RFC 8785) of the document, in hex: what results refer to.
    pub fn hash(&self) -> String {
        crate::digest::canonical_hash(self)
    }
}

/// Settings that say nothing stay out of the document's hash, so that a new one changes no old hash.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
const fn is_thirty(days: &u32) -> bool {
    *days == thirty()
}
const fn nothing() -> BoardScores {
    BoardScores::Nothing
}
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_nothing(scores: &BoardScores) -> bool {
    *scores == BoardScores::Nothing
}
fn tenth() -> Exact {
    Exact::ratio(1, 10).unwrap_or(Exact::ZERO)
}
const fn yes() -> bool {
    true
}
const fn one() -> u32 {
    1
}
const fn two() -> u8 {
    2
}
const fn three() -> u32 {
    3
}
const fn ten() -> u32 {
    10
}
const fn fifteen() -> u32 {
    15
}
const fn thirty() -> u32 {
    30
}
const fn five_hundred() -> u32 {
    500
}
fn beijing() -> String {
    "Asia/Shanghai".to_owned()
}
