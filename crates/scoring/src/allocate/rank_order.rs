//! Funding in rank order: the minimums of the domains first, then everyone by score.
//!
//! One pass says who is funded, and beside it what everyone else would have needed. The pass is a
//! row of attempts. One that fails for want of `short` fen would succeed with a budget greater by
//! `short`, and leave less than `short` to those after it. So:
//!
//! - where every attempt before it that failed for money lacked more, `short` is exactly what is
//!   needed: with less everything goes the same way, with this much only this attempt goes another;
//! - elsewhere, what is needed is to pay everyone before it who could be paid if money were no
//!   limit, and then itself: the least budget with which, and above which, it is always funded.

use super::contest::{Contest, Entry};
use super::given::{Given, Limit};
use super::rules::{SelectionRules, WhenShort};
use super::words::{Words, below, more_budget};
use super::{Allocation, Bid, Decision, Outcome, nothing};
use crate::number::Exact;
use crate::yuan::Yuan;

/// What happens to one application when its turn comes.
#[derive(Debug)]
enum Verdict<'a> {
    /// Funded with this many fen.
    Funded { fen: i64, by_minimum: bool },
    /// Its score is below the pass line.
    BelowLine { line: &'a Exact },
    /// It would get 0 fen.
    Nothing,
    /// Limits are in the way; perhaps the budget too.
    Limited { limits: Vec<Limit>, short: i64 },
    /// What is left of the budget is too little.
    Short { left: i64, needs: Needs },
    /// The money ran out at an application before it.
    After { last: &'a str, needs: Needs },
}

/// What would have funded an application that lacks money: so many fen more, and with so much money
/// around these limits raised.
#[derive(Debug)]
struct Needs {
    fen: i64,
    limits: Vec<Limit>,
}

pub(super) fn allocate(rules: &SelectionRules, ranked: &[&Bid]) -> Allocation {
    let contest = Contest::new(rules, ranked);
    let verdicts = run(&contest);
    let mut reserves = 0;
    let mut total = 0;
    let mut decisions = Vec::with_capacity(ranked.len());
    for (place, (entry, verdict)) in (1..).zip(contest.entries.iter().zip(verdicts)) {
        let (decision, award_fen) = if let Verdict::Funded { fen, .. } = verdict {
            (Outcome::Funded, fen)
        } else if entry.may_win() && reserves < rules.reserve {
            reserves += 1;
            (Outcome::Reserve, 0)
        } else {
            (Outcome::NotFunded, 0)
        };
        let (reason, needs) = explain(rules, entry, place, verdict);
        let reason = reason.of_place(place);
        total += award_fen;
        decisions.push(Decision {
            application: entry.bid.application.clone(),
            decision,
            award_fen,
            reason: reason.en,
            reason_zh: reason.zh,
            needs: needs.en,
            needs_zh: needs.zh,
        });
    }
    Allocation {
        decisions,
        mode: rules.mode,
        total_awarded_fen: total,
        certificate: None,
    }
}

/// What the minimums of the domains give.
struct ByMinimum<'a> {
    given: Given<'a>,
    /// What would be given if there were money for everyone.
    with_all: Given<'a>,
    /// For each place that is in `with_all`, the budget that reaches it.
    reached: Vec<Option<i64>>,
    /// For each place, what it lacked if that is less than anything lacked before it.
    least_short: Vec<Option<i64>>,
    /// The least that anything lacked.
    least: i64,
}

fn by_minimum<'a>(contest: &'a Contest<'a>) -> ByMinimum<'a> {
    let budget = contest.rules.budget.fen();
    let places = contest.entries.len();
    let mut first = ByMinimum {
        given: Given::new(contest),
        with_all: Given::new(contest),
        reached: vec![None; places],
        least_short: vec![None; places],
        least: i64::MAX,
    };
    for (place, entry) in contest.entries.iter().enumerate() {
        if !entry.may_win() {
            continue;
        }
        if first.given.below_minimum(place) && first.given.limits(place).is_empty() {
            let short = entry.full - (budget - first.given.fen);
            if short <= 0 {
                first.given.give(place, entry.full);
            } else if short < first.least {
                first.least = short;
                if let Some(slot) = first.least_short.get_mut(place) {
                    *slot = Some(short);
                }
            }
        }
        if first.with_all.below_minimum(place) && first.with_all.limits(place).is_empty() {
            first.with_all.give(place, entry.full);
            if let Some(slot) = first.reached.get_mut(place) {
                *slot = Some(first.with_all.fen);
            }
        }
    }
    first
}

/// One verdict per application, in rank order.
fn run<'a>(contest: &'a Contest<'a>) -> Vec<Verdict<'a>> {
    let rules = contest.rules;
    let budget = rules.budget.fen();
    let ByMinimum {
        mut given,
        mut with_all,
        reached,
        least_short,
        mut least,
    } = by_minimum(contest);
    let mut last: Option<&str> = None;
    let mut verdicts = Vec::with_capacity(contest.entries.len());
    for (place, entry) in contest.entries.iter().enumerate() {
        if let Some(line) = rules.pass_line.as_ref().filter(|_| !entry.passes) {
            verdicts.push(Verdict::BelowLine { line });
            continue;
        }
        if !entry.may_win() {
            verdicts.push(Verdict::Nothing);
            continue;
        }
        let full = entry.full;
        // What it would have to wait for, and whether it would be funded then.
        let reached = reached.get(place).copied().flatten();
        let (reached, in_the_way) = match reached {
            Some(fen) => (fen, Vec::new()),
            None => (with_all.fen + full, with_all.limits(place)),
        };
        if with_all.award(place).is_none() && in_the_way.is_empty() {
            with_all.give(place, full);
        }
        if let Some(fen) = given.award(place) {
            let by_minimum = true;
            verdicts.push(Verdict::Funded { fen, by_minimum });
            continue;
        }
        let left = budget - given.fen;
        let exactly = |fen| Needs {
            fen,
            limits: Vec::new(),
        };
        let to_wait = |limits| Needs {
            fen: reached - budget,
            limits,
        };
        let before = least_short.get(place).copied().flatten();
        let verdict = if let Some(last) = last {
            if let Some(short) = before {
                let needs = exactly(short);
                Verdict::After { last, needs }
            } else if in_the_way.is_empty() {
                let needs = to_wait(in_the_way);
                Verdict::After { last, needs }
            } else {
                Verdict::Limited {
                    limits: in_the_way,
                    short: (reached - budget).max(0),
                }
            }
        } else {
            let limits = given.limits(place);
            let by_minimum = false;
            if !limits.is_empty() {
                let short = (full - left).max(0);
                Verdict::Limited { limits, short }
            } else if full <= left {
                given.give(place, full);
                let fen = full;
                Verdict::Funded { fen, by_minimum }
            } else {
                let short = full - left;
                let only = before.or((short < least).then_some(short));
                least = least.min(short);
                let pays_the_rest = rules.when_short == WhenShort::PartialLast
                    && 0 < left
                    && rules.floor_fen(entry.bid) <= left;
                if rules.when_short != WhenShort::SkipAndFill {
                    last = Some(&entry.bid.application);
                }
                if pays_the_rest {
                    given.give(place, left);
                    let fen = left;
                    Verdict::Funded { fen, by_minimum }
                } else {
                    let needs = only.map_or_else(|| to_wait(in_the_way), exactly);
                    Verdict::Short { left, needs }
                }
            }
        };
        verdicts.push(verdict);
    }
    verdicts
}

/// The reason, and what would have funded it.
fn explain(
    rules: &SelectionRules,
    entry: &Entry<'_>,
    place: u32,
    verdict: Verdict<'_>,
) -> (Words, Words) {
    let bid = entry.bid;
    match verdict {
        Verdict::Funded { fen, by_minimum } => {
            let reason = if fen < entry.full {
                Words::new("gets what is left of the budget", "获得预算余额")
            } else if by_minimum {
                let domain = &bid.domain;
                Words::new(
                    format!("within the minimum of domain {domain}"),
                    format!("属“{domain}”领域的最低名额"),
                )
            } else {
                Words::new("within the budget", "在预算之内")
            };
            (reason, rules.acceptance(bid, fen))
        }
        Verdict::BelowLine { line } => below(line, bid),
        Verdict::Nothing => nothing::why(rules, bid, place),
        Verdict::Limited { limits, short } => {
            let reason = Words::joined(limits.iter().map(Limit::reason));
            let needs = Needs { fen: short, limits };
            (reason, needs.text())
        }
        Verdict::Short { left, needs } => {
            let left = yuan(left);
            let reason = Words::new(
                format!("{left} yuan are left of the budget"),
                format!("预算仅余 {left} 元"),
            );
            (reason, needs.text())
        }
        Verdict::After { last, needs } => {
            let reason = Words::new(
                format!("the money ran out at {last}"),
                format!("预算在 {last} 处已用完"),
            );
            (reason, needs.text())
        }
    }
}

impl Needs {
    fn text(&self) -> Words {
        let limits = self.limits.iter().map(Limit::needs);
        let money = (0 < self.fen).then(|| more_budget(yuan(self.fen)));
        Words::joined(limits.chain(money))
    }
}

fn yuan(fen: i64) -> Yuan {
    Yuan::from_fen(fen).unwrap_or_default()
}
