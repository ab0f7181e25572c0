//! What was agreed to be done with an award: plan, budget and targets, and how they change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::application::form::{BudgetLine, FundedBy, Indicator};
use crate::change_request::Subject;
use crate::money::Money;
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
    let by_category = |budget| {
        let mut sums: BTreeMap<String, Money> = BTreeMap::new();
        for (category, subtotal) in granted(budget) {
            let sum = sums.entry(category.to_owned()).or_default();
            *sum = sum.checked_add(subtotal).unwrap_or(*sum);
        }
        sums
    };
    let old = by_category(before);
    let gains = by_category(after).into_iter().map(|(category, sum)| {
        let had = old.get(&category).copied().unwrap_or_default();
        sum.checked_sub(had).unwrap_or_default().max(Money::ZERO)
    });
    Money::checked_sum(gains).unwrap_or(Money::from_fen(i64::MAX))
}
