//! Where people depart from the ranking: with a reason for each application, within the money.

use std::collections::BTreeSet;

use fundcycle_scoring::Outcome;

use super::{Departure, Line, Selection, cuts};
use crate::context::Context;
use crate::money::Money;
use crate::rejection::{Fault, LONGEST_REASON, Rejection};

/// Refuses departures without a reason, over the budget or above a request.
pub(super) fn checked(
    selection: &Selection,
    changes: &[Departure],
    cx: &Context<'_>,
) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut lines = selection.run.lines.clone();
    if changes.is_empty() {
        faults.push(Fault::new(
            "/changes",
            "empty",
            "Name at least one change.",
            "请至少填写一项调整。",
        ));
    }
    for (index, change) in changes.iter().enumerate() {
        let at = format!("/changes/{index}");
        faults.extend(Fault::of_text(
            format!("{at}/reason"),
            &change.reason,
            LONGEST_REASON,
        ));
        if !seen.insert(change.application) {
            faults.push(Fault::new(
                format!("{at}/application"),
                "twice",
                "This application is changed twice.",
                "该申报被重复调整。",
            ));
        }
        let Some(line) = selection.line(change.application) else {
            faults.push(not_in(format!("{at}/application")));
            continue;
        };
        let funded = change.decision == Outcome::Funded;
        if funded {
            faults.extend(award_fault(format!("{at}/award"), change.award, line, cx));
            faults.extend(cuts::faults(
                &format!("{at}/cuts"),
                &change.cuts,
                change.award,
                line,
                cx,
            ));
        } else if change.award != Money::ZERO {
            faults.push(Fault::new(
                format!("{at}/award"),
                "not_funded",
                "Only funded applications get an award: leave it at 0.",
                "未获资助的申报金额应为 0。",
            ));
        }
        applied(&mut lines, change.clone());
    }
    let total = Money::checked_sum(lines.iter().map(|line| line.award));
    faults.extend(budget_fault("/changes", total, cx));
    Rejection::unless_empty(faults)
}

/// Takes one departure into the lines.
pub(super) fn applied(lines: &mut [Line], change: Departure) {
    let line = lines
        .iter_mut()
        .find(|line| line.application == change.application);
    if let Some(line) = line {
        line.decision = change.decision;
        line.award = change.award;
        line.reason = change.reason;
        line.reason_zh = String::new();
        line.needs = String::new();
        line.needs_zh = String::new();
        line.departed = true;
        line.cuts = change.cuts;
    }
}

pub(super) fn not_in(pointer: String) -> Fault {
    Fault::new(
        pointer,
        "not_in_selection",
        "This application is not in the selection.",
        "该申报不在本次遴选中。",
    )
}

pub(super) fn award_fault(
    pointer: String,
    award: Money,
    line: &Line,
    cx: &Context<'_>,
) -> Option<Fault> {
    let cap = cx
        .policy()
        .and_then(|policy| policy.selection.max_award)
        .map_or(line.requested, |most| {
            line.requested.min(Money::from_fen(most.fen()))
        });
    (award <= Money::ZERO || award > cap).then(|| {
        Fault::new(
            pointer,
            "award_out_of_range",
            format!("The award lies above 0 and is at most {cap} yuan."),
            format!("资助金额应大于 0,且不超过 {cap} 元。"),
        )
    })
}

pub(super) fn budget_fault(pointer: &str, total: Option<Money>, cx: &Context<'_>) -> Option<Fault> {
    let budget = Money::from_fen(cx.policy()?.selection.budget.fen());
    let over = total.is_none_or(|total| total > budget);
    over.then(|| {
        Fault::new(
            pointer,
            "over_budget",
            format!("The awards would add up to more than the budget of {budget} yuan."),
            format!("资助合计将超出预算 {budget} 元。"),
        )
    })
}
