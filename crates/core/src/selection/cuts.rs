//! What is cut from a budget (核减), line by line, where people award less than was asked for.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::application::Application;
use crate::application::form::FundedBy;
use crate::context::Context;
use crate::money::Money;
use crate::rejection::{Fault, LONGEST_REASON};

/// What is cut from one line of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Which line of the form's `budget`, from 0.
    pub line: u32,
    /// How much is cut, in fen.
    pub amount: Money,
    /// Why: price too high, not fundable, over a cap.
    #[schemars(length(max = 2000))]
    pub reason: String,
}

/// What is wrong with `cuts` for an award of `award`: they come from lines that the award pays, each
/// with a reason, and add up to what it falls short of the request.
pub(super) fn faults(
    pointer: &str,
    cuts: &[Cut],
    award: Money,
    line: &Line,
    cx: &Context<'_>,
) -> Vec<Fault> {
    let budget = cx
        .world
        .get::<Application>(line.application)
        .map(|one| one.data.form.budget.as_slice())
        .unwrap_or_default();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, cut) in cuts.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        faults.extend(Fault::of_text(
            format!("{at}/reason"),
            &cut.reason,
            LONGEST_REASON,
        ));
        let paid = usize::try_from(cut.line)
            .ok()
            .and_then(|place| budget.get(place))
            .filter(|line| line.funded_by == FundedBy::Grant)
            .and_then(crate::application::form::BudgetLine::subtotal);
        let Some(paid) = paid.filter(|_| seen.insert(cut.line)) else {
            faults.push(Fault::new(
                format!("{at}/line"),
                "no_such_line",
                format!(
                    "Line {} is not one that the award pays, or is cut twice.",
                    cut.line
                ),
                format!(
                    "第 {} 行不是由资助资金支付的预算行,或被重复核减。",
                    cut.line
                ),
            ));
            continue;
        };
        if cut.amount <= Money::ZERO || cut.amount > paid {
            faults.push(Fault::new(
                format!("{at}/amount"),
                "cut_out_of_range",
                format!("A cut lies above 0 and is at most the {paid} yuan of its line."),
                format!("核减金额应大于 0,且不超过该行的 {paid} 元。"),
            ));
        }
    }
    let short = line
        .requested
        .checked_sub(award)
        .unwrap_or(Money::ZERO)
        .max(Money::ZERO);
    let sum = Money::checked_sum(cuts.iter().map(|cut| cut.amount));
    if sum != Some(short) {
        faults.push(Fault::new(
            pointer,
            "cuts_do_not_add_up",
            format!("The award is {short} yuan below the request: name the lines that this is cut from, each with its reason."),
            format!("资助金额比申请金额少 {short} 元:请逐行列明核减金额及理由。"),
        ));
    }
    faults
}
