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

/// Says of each outcome, best first, whether it goes on and what stopped it. Those who share a place
/// are treated alike: who stands beside somebody never takes their room.
pub(super) fn shortlist(outcomes: &mut [Outcome], rules: &RoundRules, policy: &PolicyDocument) {
    let budget = Exact::from_integer(policy.selection.budget.fen());
    let most = rules.shortlist_budget_multiple.as_ref();
    let most = most.map(|multiple| multiple * &budget);
    let mut asked = Exact::ZERO;
    let mut of_domain: BTreeMap<Option<String>, u32> = BTreeMap::new();
    let mut is_full = false;
    for place in outcomes.chunk_by_mut(|one, next| one.score.rank == next.score.rank) {
        let (asked_before, of_domain_before) = (asked.clone(), of_domain.clone());
        let was_full = is_full;
        for outcome in place {
            let requested = outcome.input.keys.get("requested").cloned();
            let requested = requested.unwrap_or(Exact::ZERO);
            let domain = outcome.input.domain.clone();
            let before = of_domain_before.get(&domain).copied().unwrap_or_default();
            let (score, rank) = (&outcome.score.rounded, outcome.score.rank);
            let is_below = rules.pass_line.as_ref().is_some_and(|line| score < line);
            let is_beyond = |most: u32| rank.is_none_or(|rank| most < rank);
            let too_much = |most: &Exact| was_full || *most < &asked_before + &requested;
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
            } else if most.as_ref().is_some_and(too_much) {
                Some(StoppedBy::Budget)
            } else {
                None
            };
            outcome.goes_on = outcome.stopped_by.is_none();
            is_full |= outcome.stopped_by == Some(StoppedBy::Budget);
            if outcome.goes_on {
                asked = &asked + &requested;
                *of_domain.entry(domain).or_default() += 1;
            }
        }
    }
}
