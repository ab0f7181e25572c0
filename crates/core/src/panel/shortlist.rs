//! Who goes on from a round: the pass line, and how many, of which domain, asking for how much.

use std::collections::BTreeMap;

use fundcycle_scoring::Exact;

use super::Outcome;
use crate::policy::PolicyDocument;
use crate::policy::document::RoundRules;

names! {
    /// The first rule that kept an application from going on.
    pub enum StoppedBy {
        /// An expert vetoed it.
        Veto = "veto" "一票否决",
        /// Its score is below the pass line.
        PassLine = "pass_line" "未达合格线",
        /// Enough others are before it.
        Shortlist = "shortlist" "超出入围名额",
        /// Enough others of its domain are before it.
        Domain = "domain" "超出领域入围名额",
        /// Those before it ask for what may be asked for, or it stands after one whom that stopped.
        Budget = "budget" "超出申请总额倍数",
    }
}

/// Says of each outcome, best first, whether it goes on and what stopped it. Who stands beside somebody
/// never takes their room: those who share a place count together, and fit together into the multiple of
/// the budget or not at all; a limit of their domain they may exceed together.
pub(super) fn shortlist(outcomes: &mut [Outcome], rules: &RoundRules, policy: &PolicyDocument) {
    let budget = Exact::from_integer(policy.selection.budget.fen());
    let most = rules.shortlist_budget_multiple.as_ref();
    let most = most.map(|multiple| multiple * &budget);
    let mut asked = Exact::ZERO;
    let mut of_domain: BTreeMap<Option<String>, u32> = BTreeMap::new();
    let mut is_full = false;
    for place in outcomes.chunk_by_mut(|one, next| one.score.rank == next.score.rank) {
        for outcome in &mut *place {
            let before = of_domain.get(&outcome.input.domain);
            let before = before.copied().unwrap_or_default();
            let (score, rank) = (&outcome.score.rounded, outcome.score.rank);
            let is_below = rules.pass_line.as_ref().is_some_and(|line| score < line);
            let is_beyond = |most: u32| rank.is_none_or(|rank| most < rank);
            outcome.stopped_by = if outcome.input.vetoed {
                Some(StoppedBy::Veto)
            } else if is_below {
                Some(StoppedBy::PassLine)
            } else if rules.shortlist.is_some_and(is_beyond) {
                Some(StoppedBy::Shortlist)
            } else if rules
                .shortlist_per_domain
                .is_some_and(|most| most <= before)
            {
                Some(StoppedBy::Domain)
            } else {
                None
            };
        }
        let together = (place.iter())
            .filter(|outcome| outcome.stopped_by.is_none())
            .filter_map(|outcome| outcome.input.keys.get("requested"))
            .fold(asked.clone(), |sum, requested| &sum + requested);
        is_full |= most.as_ref().is_some_and(|most| *most < together);
        for outcome in place {
            if is_full && outcome.stopped_by.is_none() {
                outcome.stopped_by = Some(StoppedBy::Budget);
            }
            outcome.goes_on = outcome.stopped_by.is_none();
            if outcome.goes_on {
                let domain = outcome.input.domain.clone();
                *of_domain.entry(domain).or_default() += 1;
            }
        }
        if !is_full {
            asked = together;
        }
    }
}
