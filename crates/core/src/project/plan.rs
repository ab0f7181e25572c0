//! What was agreed to be done with an award: plan, budget and targets, and how they change.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Exact, Rounding};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::application::form::{BudgetLine, FundedBy, Indicator};
use crate::change_request::Subject;
use crate::money::Money;
use crate::policy::document::{BudgetRule, Severity};
use crate::rejection::Fault;

/// The longest plan text, in characters.
const LONGEST_TEXT: usize = 10_000;

/// The plan for the awarded amount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What will be done.
    pub text: String,
    /// What it costs; the lines paid by the award add up to it exactly.
    pub budget: Vec<BudgetLine>,
    /// What success is measured by.
    pub targets: Vec<Indicator>,
    /// The last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub ends_on: Option<Date>,
}

/// A target that falls by more than the award was cut (`domain.md` §2.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoweredTarget {
    /// What is counted.
    pub name: String,
    /// How much was applied for with.
    pub asked: u32,
    /// How much is planned now.
    pub planned: u32,
    /// How much the award would still ask for: the asked times award over request, rounded down.
    pub least: u32,
}

/// A category of the budget that takes more than the policy allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapExceeded {
    /// Which category.
    pub category: String,
    /// What it takes of the award, in fen.
    pub planned: Money,
    /// What it may take at most, in fen.
    pub most: Money,
}

/// An approved change, as the project takes it in; what is none stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedChange {
    /// The request.
    pub request: Uuid,
    /// What it changes.
    pub subject: Subject,
    /// What holds from now on.
    pub text: String,
    /// The new budget.
    #[serde(default)]
    pub budget: Option<Vec<BudgetLine>>,
    /// The new targets.
    #[serde(default)]
    pub targets: Option<Vec<Indicator>>,
    /// The new last day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub ends_on: Option<Date>,
    /// Whether it needed no approval: the agreed budget stays what later changes are measured against.
    #[serde(default)]
    pub free: bool,
}

impl Plan {
    /// Everything that keeps the plan from being agreed for an award of `amount`.
    pub fn faults(&self, at: &str, amount: Money) -> Vec<Fault> {
        let mut faults = Vec::from_iter(Fault::of_text(
            format!("{at}/text"),
            &self.text,
            LONGEST_TEXT,
        ));
        faults.extend(budget_faults(&format!("{at}/budget"), &self.budget, amount));
        faults.extend(target_faults(&format!("{at}/targets"), &self.targets));
        faults
    }

    /// The plan with `change` in it.
    #[must_use]
    pub fn with(mut self, change: &RecordedChange) -> Self {
        if let Some(budget) = &change.budget {
            self.budget.clone_from(budget);
        }
        if let Some(targets) = &change.targets {
            self.targets.clone_from(targets);
        }
        self.ends_on = change.ends_on.or(self.ends_on);
        self
    }
}

/// Everything wrong with a budget for an award of `amount`.
pub fn budget_faults(at: &str, budget: &[BudgetLine], amount: Money) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in budget.iter().enumerate() {
        if line.unit_price.is_negative() || line.subtotal().is_none() {
            faults.push(Fault::new(
                format!("{at}/{index}"),
                "amount",
                "The amount of this line cannot be.",
                "该预算行金额无效。",
            ));
        }
    }
    let sum = Money::checked_sum(granted(budget).map(|(_, subtotal)| subtotal));
    if sum != Some(amount) {
        let found = sum.map_or_else(|| "?".to_owned(), Money::to_yuan_text);
        faults.push(Fault::new(
            at,
            "sum",
            format!("The lines paid by the award add up to {found} yuan; the award is {amount}."),
            format!("由资助资金承担的预算合计 {found} 元,与资助金额 {amount} 元不符。"),
        ));
    }
    faults
}

/// Everything wrong with a list of targets.
pub fn target_faults(at: &str, targets: &[Indicator]) -> Vec<Fault> {
    if targets.is_empty() {
        return vec![Fault::new(
            at,
            "required",
            "Name at least one target.",
            "至少填写一项指标。",
        )];
    }
    let mut seen = BTreeSet::new();
    targets
        .iter()
        .enumerate()
        .filter(|(_, target)| !seen.insert(crate::text::comparison_key(&target.name)))
        .map(|(index, target)| {
            Fault::new(
                format!("{at}/{index}/name"),
                "duplicate",
                format!("Target `{}` is listed twice.", target.name),
                format!("指标“{}”重复。", target.name),
            )
        })
        .collect()
}

/// The targets that fall by more than the award was cut; one that is no longer planned falls to 0.
pub fn lowered(
    asked: &[Indicator],
    planned: &[Indicator],
    award: Money,
    requested: Money,
) -> Vec<LoweredTarget> {
    let (award, requested) = (i128::from(award.fen()), i128::from(requested.fen()));
    if requested <= 0 {
        return Vec::new();
    }
    let key = |target: &Indicator| crate::text::comparison_key(&target.name);
    asked
        .iter()
        .filter_map(|target| {
            let share = i128::from(target.target) * award.min(requested) / requested;
            let least = u32::try_from(share).unwrap_or(target.target);
            let now = planned
                .iter()
                .find(|one| key(one) == key(target))
                .map_or(0, |one| one.target);
            (now < least).then(|| LoweredTarget {
                name: target.name.clone(),
                asked: target.target,
                planned: now,
                least,
            })
        })
        .collect()
}

/// The categories of a budget for an award of `amount` that break a rule of this severity.
pub fn over_caps(
    budget: &[BudgetLine],
    amount: Money,
    rules: &[BudgetRule],
    severity: Severity,
) -> Vec<CapExceeded> {
    let sums = by_category(budget);
    rules
        .iter()
        .filter(|rule| rule.severity == severity)
        .filter_map(|rule| {
            let planned = sums.get(&rule.category).copied().unwrap_or_default();
            let share = rule.max_ratio.as_ref().and_then(|ratio| {
                let most = ratio * &Exact::from_integer(amount.fen());
                most.rounded(0, Rounding::Down).to_i64()
            });
            let most = [
                rule.forbidden.then_some(Money::ZERO),
                rule.max_amount.map(crate::money::Yuan::money),
                share.map(Money::from_fen),
            ]
            .into_iter()
            .flatten()
            .min()?;
            (planned > most).then(|| CapExceeded {
                category: rule.category.clone(),
                planned,
                most,
            })
        })
        .collect()
}

/// The rules of the policy that forbid a budget for an award of `amount`.
pub fn cap_faults(
    at: &str,
    budget: &[BudgetLine],
    amount: Money,
    rules: &[BudgetRule],
) -> Vec<Fault> {
    over_caps(budget, amount, rules, Severity::Block)
        .into_iter()
        .map(|over| {
            let CapExceeded {
                category,
                planned,
                most,
            } = over;
            Fault::new(
                at,
                "budget_rule_block",
                format!(
                    "`{category}` takes {planned} yuan of the award; at most {most} are allowed."
                ),
                format!("“{category}”列支 {planned} 元,上限 {most} 元。"),
            )
        })
        .collect()
}

/// What each category takes of the award, in fen.
pub fn by_category(budget: &[BudgetLine]) -> BTreeMap<String, Money> {
    let mut sums: BTreeMap<String, Money> = BTreeMap::new();
    for (category, subtotal) in granted(budget) {
        let sum = sums.entry(category.to_owned()).or_default();
        *sum = sum.checked_add(subtotal).unwrap_or(*sum);
    }
    sums
}

/// The lines that the award pays, by category; a subtotal beyond all measure is nothing here and a
/// fault of its line.
fn granted(budget: &[BudgetLine]) -> impl Iterator<Item = (&str, Money)> {
    budget
        .iter()
        .filter(|line| line.funded_by == FundedBy::Grant)
        .map(|line| (line.category.as_str(), line.subtotal().unwrap_or_default()))
}

/// How much of the award a new budget moves into categories that had less before, in fen.
pub fn shifted(before: &[BudgetLine], after: &[BudgetLine]) -> Money {
    let old = by_category(before);
    let gains = by_category(after).into_iter().map(|(category, sum)| {
        let had = old.get(&category).copied().unwrap_or_default();
        sum.checked_sub(had).unwrap_or_default().max(Money::ZERO)
    });
    Money::checked_sum(gains).unwrap_or(Money::from_fen(i64::MAX))
}
