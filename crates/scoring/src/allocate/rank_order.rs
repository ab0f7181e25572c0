//! Funding in rank order: the minimums of the domains first, then everyone by score.

use super::given::{Given, Limit};
use super::rules::{SelectionRules, WhenShort};
use super::{Allocation, Bid, Decision, Outcome};
use crate::number::Exact;
use crate::yuan::Yuan;

/// What happens to one application when its turn comes.
#[derive(Debug)]
enum Verdict<'a> {
    /// Funded with this many fen.
    Funded {
        fen: i64,
        full: i64,
        by_minimum: bool,
    },
    /// Its score is this far below the pass line.
    BelowLine { line: &'a Exact },
    /// Limits are in the way; perhaps the budget too.
    Limited { limits: Vec<Limit>, short: i64 },
    /// What is left of the budget is `short` fen too little.
    Short { left: i64, short: i64 },
    /// The money ran out at an application before it; with what is passed over before it, `short`
    /// fen more would be needed.
    After { last: &'a str, short: i64 },
}

pub(super) fn allocate(rules: &SelectionRules, ranked: &[&Bid]) -> Allocation {
    let verdicts = run(rules, ranked, rules.budget.fen());
    let mut reserves = 0;
    let mut total = 0;
    let mut decisions = Vec::with_capacity(ranked.len());
    for (index, (bid, verdict)) in ranked.iter().zip(&verdicts).enumerate() {
        let (reason, needs) = explain(rules, ranked, index, bid, verdict);
        let (decision, award_fen) = if let Verdict::Funded { fen, .. } = verdict {
            (Outcome::Funded, *fen)
        } else if rules.passes(bid) && reserves < rules.reserve {
            reserves += 1;
            (Outcome::Reserve, 0)
        } else {
            (Outcome::NotFunded, 0)
        };
        total += award_fen;
        decisions.push(Decision {
            application: bid.application.clone(),
            decision,
            award_fen,
            reason: format!("rank {}: {reason}", index + 1),
            needs,
        });
    }
    Allocation {
        decisions,
        mode: rules.mode,
        total_awarded_fen: total,
        certificate: None,
    }
}

/// One verdict per application, in rank order.
fn run<'a>(rules: &'a SelectionRules, ranked: &[&'a Bid], budget: i64) -> Vec<Verdict<'a>> {
    let places: Vec<(i64, &Bid)> = (1..)
        .zip(ranked)
        .map(|(place, bid)| (rules.award_fen(bid, place), *bid))
        .collect();
    let mut given = Given::default();
    for (full, bid) in &places {
        let wanted = given.below_minimum(rules, bid) && rules.passes(bid);
        if wanted && *full <= budget - given.fen && given.limits(rules, bid, *full).is_empty() {
            given.give(bid, *full);
        }
    }
    let by_minimum = given.clone();
    // What would have been given if there were money for everyone: what those further down have to
    // wait for.
    let mut with_all = given.clone();
    let mut last: Option<&str> = None;
    let mut verdicts = Vec::with_capacity(places.len());
    for (full, bid) in places {
        if let Some(fen) = by_minimum.awards.get(bid.application.as_str()) {
            verdicts.push(Verdict::Funded {
                fen: *fen,
                full,
                by_minimum: true,
            });
            continue;
        }
        if let Some(line) = rules.pass_line.as_ref().filter(|line| *line > &bid.score) {
            verdicts.push(Verdict::BelowLine { line });
            continue;
        }
        let left = budget - given.fen;
        let limits = if last.is_some() {
            with_all.limits(rules, bid, full)
        } else {
            given.limits(rules, bid, full)
        };
        let verdict = if !limits.is_empty() {
            let spent = if last.is_some() {
                with_all.fen
            } else {
                given.fen
            };
            Verdict::Limited {
                limits,
                short: (spent + full - budget).max(0),
            }
        } else if let Some(last) = last {
            let short = with_all.fen + full - budget;
            with_all.give(bid, full);
            Verdict::After { last, short }
        } else if full <= left {
            given.give(bid, full);
            Verdict::Funded {
                fen: full,
                full,
                by_minimum: false,
            }
        } else if rules.when_short == WhenShort::PartialLast
            && 0 < left
            && rules.floor_fen(bid) <= left
        {
            given.give(bid, left);
            last = Some(&bid.application);
            Verdict::Funded {
                fen: left,
                full,
                by_minimum: false,
            }
        } else {
            if rules.when_short != WhenShort::SkipAndFill {
                last = Some(&bid.application);
            }
            Verdict::Short {
                left,
                short: full - left,
            }
        };
        let gets_full = matches!(&verdict, Verdict::Funded { .. } | Verdict::Short { .. });
        if gets_full && with_all.limits(rules, bid, full).is_empty() {
            with_all.give(bid, full);
        }
        verdicts.push(verdict);
    }
    verdicts
}

fn explain(
    rules: &SelectionRules,
    ranked: &[&Bid],
    index: usize,
    bid: &Bid,
    verdict: &Verdict<'_>,
) -> (String, String) {
    match verdict {
        Verdict::Funded {
            fen,
            full,
            by_minimum,
        } => {
            let reason = if fen < full {
                "gets what is left of the budget".to_owned()
            } else if *by_minimum {
                format!("within the minimum of domain {}", bid.domain)
            } else {
                "within the budget".to_owned()
            };
            (reason, rules.acceptance(bid, *fen))
        }
        Verdict::BelowLine { line } => (
            format!("{} is below the pass line {line}", bid.score),
            format!("{} more points to reach the pass line", *line - &bid.score),
        ),
        Verdict::Limited { limits, short } => {
            let reasons: Vec<String> = limits.iter().map(Limit::reason).collect();
            let mut needs: Vec<String> = limits.iter().map(Limit::needs).collect();
            if 0 < *short {
                needs.push(more_budget(*short));
            }
            (reasons.join("; "), needs.join("; "))
        }
        Verdict::Short { left, short } => {
            let reason = format!("{} yuan are left of the budget", yuan(*left));
            (reason, enough(rules, ranked, index, *short))
        }
        Verdict::After { last, short } => (
            format!("the money ran out at {last}"),
            enough(rules, ranked, index, *short),
        ),
    }
}

/// Among more applications than this, what a loser needs is a budget that suffices, and perhaps not
/// the smallest.
const EXPLAIN_EXACTLY: usize = 300;

/// What would have funded the application at `index`, which lacks `short` fen. More money also goes
/// to those skipped before it, or to minimums of domains, so every answer is tried out.
fn enough(rules: &SelectionRules, ranked: &[&Bid], index: usize, short: i64) -> String {
    let has_minimums = std::iter::once(&rules.every_domain)
        .chain(rules.domain.values())
        .any(|limits| limits.min.is_some() || limits.min_amount.is_some());
    if rules.when_short != WhenShort::SkipAndFill && !has_minimums {
        return more_budget(short);
    }
    let with = |more: i64| {
        run(rules, ranked, rules.budget.fen().saturating_add(more))
            .into_iter()
            .nth(index)
    };
    let funded = |more: i64| matches!(with(more), Some(Verdict::Funded { .. }));
    if funded(short) {
        return more_budget(short);
    }
    let all: i64 = (1..)
        .zip(ranked)
        .map(|(place, bid)| rules.award_fen(bid, place))
        .sum();
    let (mut too_little, mut plenty) = (short, short.max(all));
    if let Some(Verdict::Limited { limits, .. }) = with(plenty) {
        let mut needs: Vec<String> = limits.iter().map(Limit::needs).collect();
        needs.push(more_budget(short));
        return needs.join("; ");
    }
    while 1 < plenty - too_little && ranked.len() <= EXPLAIN_EXACTLY {
        let middle = i64::midpoint(too_little, plenty);
        if funded(middle) {
            plenty = middle;
        } else {
            too_little = middle;
        }
    }
    more_budget(plenty)
}

fn more_budget(fen: i64) -> String {
    format!("{} more yuan of budget", yuan(fen))
}

fn yuan(fen: i64) -> Yuan {
    Yuan::from_fen(fen).unwrap_or_default()
}
