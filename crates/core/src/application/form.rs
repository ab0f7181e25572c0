//! What an application says (`domain.md` §3.3), and whether it may be submitted under a policy.

use std::collections::BTreeMap;

use fundcycle_scoring::Exact;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::names::Names as _;
use crate::policy::document::{BudgetRule, PolicyDocument, Severity};
use crate::rejection::Fault;
use crate::text::check_length;

names! {
    /// Who pays for a budget line.
    pub enum FundedBy {
        /// The award.
        Grant = "grant" "资助资金",
        /// The organisation itself.
        Own = "own" "自筹资金",
        /// Somebody else.
        Other = "other" "其他资金",
    }
}

names! {
    /// What beneficiaries are counted in; people and person-times are never added (`domain.md` §3.3).
    pub enum CountUnit {
        /// 人: each person once.
        People = "people" "人",
        /// 人次: each attendance.
        PersonTimes = "person_times" "人次",
        /// 户: households or families.
        Households = "households" "户",
    }
}

/// What the applicant writes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// The project's title.
    pub title: String,
    /// One domain of the policy.
    pub domain: String,
    /// What the project is about.
    pub summary: String,
    /// Which need it answers, with evidence.
    pub need: String,
    /// What it wants to reach.
    pub goals: String,
    /// What will be done.
    pub activities: Vec<String>,
    /// For whom.
    pub beneficiaries: Beneficiaries,
    /// Where.
    pub place: String,
    /// The street or town (街道、镇) that it is in: what statistics are grouped by; needed where the
    /// policy limits awards per street.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// First day.
    #[schemars(with = "Option<String>")]
    pub starts_on: Option<Date>,
    /// Last day.
    #[schemars(with = "Option<String>")]
    pub ends_on: Option<Date>,
    /// Who leads it.
    pub lead: String,
    /// What success is measured by.
    pub indicators: Vec<Indicator>,
    /// What it costs; the lines paid by the award add up to the request.
    pub budget: Vec<BudgetLine>,
    /// What is asked for, in fen.
    pub requested: Money,
    /// Whether the application says the truth and asks nobody else for the same costs.
    pub pledge: bool,
    /// The names of the fields that were made up for a demonstration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub synthetic: Vec<String>,
}

/// For whom a project is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Beneficiaries {
    /// Who they are.
    pub group: String,
    /// How many.
    pub count: Option<u32>,
    /// Counted in what.
    pub unit: Option<CountUnit>,
}

/// What success is measured by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// What is counted.
    pub name: String,
    /// How much of it is planned.
    pub target: u32,
    /// Counted in what, such as 人次 or 场.
    pub unit: String,
}

/// One line of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetLine {
    /// What kind of cost, as the policy's budget rules name it.
    pub category: String,
    /// What is bought.
    pub item: String,
    /// What one costs, in fen.
    pub unit_price: Money,
    /// How many.
    pub quantity: u32,
    /// Who pays.
    pub funded_by: FundedBy,
}

impl BudgetLine {
    /// Price times quantity, unless that is beyond all measure.
    pub fn subtotal(&self) -> Option<Money> {
        self.unit_price.checked_mul(i64::from(self.quantity))
    }
}

/// The fields of a form, by the names that corrections use.
pub const FIELDS: &[&str] = &[
    "title",
    "domain",
    "summary",
    "need",
    "goals",
    "activities",
    "beneficiaries",
    "place",
    "street",
    "starts_on",
    "ends_on",
    "lead",
    "indicators",
    "budget",
    "requested",
    "pledge",
];

impl Form {
    /// What makes even a draft unacceptable: texts beyond the limit.
    pub fn draft_faults(&self, policy: &PolicyDocument) -> Vec<Fault> {
        let limit = usize::try_from(policy.application.text_limit).unwrap_or(usize::MAX);
        let texts = [
            ("/form/title", self.title.as_str(), 100),
            ("/form/summary", self.summary.as_str(), limit),
            ("/form/need", self.need.as_str(), limit),
            ("/form/goals", self.goals.as_str(), limit),
            ("/form/place", self.place.as_str(), 200),
            ("/form/street", self.street.as_str(), 100),
            ("/form/lead", self.lead.as_str(), 100),
            (
                "/form/beneficiaries/group",
                self.beneficiaries.group.as_str(),
                200,
            ),
        ];
        texts
            .into_iter()
            .filter_map(|(at, text, most)| {
                let error = check_length(text, 0..=most).err()?;
                Some(Fault::new(
                    at,
                    "too_long",
                    error.to_string(),
                    format!("超出 {most} 字的上限。"),
                ))
            })
            .collect()
    }

    /// Everything that keeps the form from being submitted under `policy`.
    pub fn submission_faults(&self, policy: &PolicyDocument) -> Vec<Fault> {
        let mut faults = self.draft_faults(policy);
        let required = [
            ("/form/title", &self.title),
            ("/form/summary", &self.summary),
            ("/form/need", &self.need),
            ("/form/goals", &self.goals),
            ("/form/place", &self.place),
            ("/form/lead", &self.lead),
            ("/form/beneficiaries/group", &self.beneficiaries.group),
        ];
        let per_street = policy.selection.max_per_street.is_some();
        let street = [("/form/street", &self.street)].into_iter();
        for (at, text) in required.into_iter().chain(street.filter(|_| per_street)) {
            if text.trim().is_empty() {
                faults.push(Fault::new(
                    at,
                    "required",
                    "Fill this in before submitting.",
                    "提交前须填写此项。",
                ));
            }
        }
        if !policy
            .domains
            .iter()
            .any(|domain| domain.name == self.domain)
        {
            let names: Vec<&str> = policy
                .domains
                .iter()
                .map(|domain| domain.name.as_str())
                .collect();
            faults.push(Fault::new(
                "/form/domain",
                "unknown_domain",
                format!("Choose one of: {}.", names.join(", ")),
                format!("请选择其一:{}。", names.join("、")),
            ));
        }
        if self.activities.is_empty() {
            faults.push(Fault::new(
                "/form/activities",
                "required",
                "Name at least one activity.",
                "至少填写一项活动。",
            ));
        }
        match (self.starts_on, self.ends_on) {
            (Some(start), Some(end)) if end < start => {
                faults.push(Fault::new(
                    "/form/ends_on",
                    "order",
                    "The project ends before it starts.",
                    "结束日期早于开始日期。",
                ));
            }
            (Some(_), Some(_)) => {}
            _ => faults.push(Fault::new(
                "/form/starts_on",
                "required",
                "Give the first and the last day.",
                "请填写起止日期。",
            )),
        }
        if !self.pledge {
            faults.push(Fault::new(
                "/form/pledge",
                "required",
                "The pledge of truth has to be given.",
                "须签署真实性承诺。",
            ));
        }
        self.check_money(policy, &mut faults);
        faults
    }

    /// What staff should look at although it does not keep the form from being submitted.
    pub fn warnings(&self, policy: &PolicyDocument) -> Vec<Fault> {
        self.broken_rules(policy, Severity::Warn)
    }

    fn check_money(&self, policy: &PolicyDocument, faults: &mut Vec<Fault>) {
        let rules = &policy.application;
        if self.requested > rules.request_cap.money() {
            let cap = rules.request_cap.money().to_yuan_text();
            faults.push(Fault::new(
                "/form/requested",
                "over_cap",
                format!("At most {cap} yuan may be asked for."),
                format!("申请额不得超过 {cap} 元。"),
            ));
        }
        if self.requested < rules.request_floor.money() || self.requested.fen() <= 0 {
            let floor = rules.request_floor.money().to_yuan_text();
            faults.push(Fault::new(
                "/form/requested",
                "under_floor",
                format!("At least {floor} yuan, and more than 0, must be asked for."),
                format!("申请额不得低于 {floor} 元,且须大于 0。"),
            ));
        }
        for (index, line) in self.budget.iter().enumerate() {
            if line.unit_price.is_negative() || line.subtotal().is_none() {
                faults.push(Fault::new(
                    format!("/form/budget/{index}"),
                    "amount",
                    "The amount of this line cannot be.",
                    "该预算行金额无效。",
                ));
            }
        }
        let granted = self
            .budget
            .iter()
            .filter(|line| line.funded_by == FundedBy::Grant)
            .map(|line| line.subtotal().unwrap_or_default());
        let sum = Money::checked_sum(granted).unwrap_or_default();
        if sum != self.requested {
            faults.push(Fault::new(
                "/form/budget",
                "sum",
                format!(
                    "The lines paid by the award add up to {} yuan, but {} are asked for.",
                    sum.to_yuan_text(),
                    self.requested.to_yuan_text()
                ),
                format!(
                    "由资助资金承担的预算合计 {} 元,与申请额 {} 元不符。",
                    sum.to_yuan_text(),
                    self.requested.to_yuan_text()
                ),
            ));
        }
        faults.extend(self.broken_rules(policy, Severity::Block));
    }

    fn broken_rules(&self, policy: &PolicyDocument, severity: Severity) -> Vec<Fault> {
        let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
        for line in self
            .budget
            .iter()
            .filter(|line| line.funded_by == FundedBy::Grant)
        {
            let sum = sums.entry(line.category.as_str()).or_default();
            *sum = sum
                .checked_add(line.subtotal().unwrap_or_default())
                .unwrap_or(*sum);
        }
        policy
            .budget_rules
            .iter()
            .filter(|rule| rule.severity == severity)
            .filter_map(|rule| {
                broken(
                    rule,
                    sums.get(rule.category.as_str())
                        .copied()
                        .unwrap_or_default(),
                    self.requested,
                )
            })
            .collect()
    }
}

fn broken(rule: &BudgetRule, spent: Money, requested: Money) -> Option<Fault> {
    let code = rule.severity.name();
    let (category, amount) = (&rule.category, spent.to_yuan_text());
    let fault = |en: String, zh: String| {
        Some(Fault::new(
            "/form/budget",
            format!("budget_rule_{code}"),
            en,
            zh,
        ))
    };
    if rule.forbidden && spent.fen() > 0 {
        return fault(
            format!("`{category}` cannot be paid from the award."),
            format!("“{category}”不得由资助资金列支。"),
        );
    }
    if let Some(most) = rule.max_amount.map(crate::money::Yuan::money)
        && spent > most
    {
        let most = most.to_yuan_text();
        return fault(
            format!("`{category}` takes {amount} yuan; at most {most} are allowed."),
            format!("“{category}”列支 {amount} 元,上限 {most} 元。"),
        );
    }
    if let Some(ratio) = &rule.max_ratio
        && Exact::from_integer(spent.fen()) > ratio * &Exact::from_integer(requested.fen())
    {
        return fault(
            format!("`{category}` takes {amount} yuan, more than {ratio} of the request."),
            format!("“{category}”列支 {amount} 元,超过申请额的 {ratio}。"),
        );
    }
    None
}
