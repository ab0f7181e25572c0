//! Who moves up when money is free: the next of the reserve, within the limits of the policy.

use fundcycle_scoring::SelectionRules;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::depart::{award_fault, budget_fault, not_in};
use super::{Line, Promotion, Selection, cuts};
use crate::aggregate::Record;
use crate::application::{self, Application};
use crate::context::Context;
use crate::money::Money;
use crate::rejection::{Fault, LONGEST_REASON, Rejection, Text};

/// One who stood before a promoted application in the reserve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassedOver {
    /// Which application.
    pub application: Uuid,
    /// Why it does not move up.
    #[schemars(length(max = 2000))]
    pub reason: String,
}

/// Refuses a promotion of what is not in reserve, out of order, against a limit of the policy, over
/// the free money or above the request.
pub(super) fn promotable(
    record: &Record<Selection>,
    promotion: &Promotion,
    cx: &Context<'_>,
) -> Result<(), Rejection> {
    let mut faults: Vec<Fault> = Fault::of_text("/reason", &promotion.reason, LONGEST_REASON)
        .into_iter()
        .collect();
    match record.data.line(promotion.application) {
        None => faults.push(not_in("/application".to_owned())),
        Some(line) if !in_reserve(line, cx) => faults.push(Fault::new(
            "/application",
            "not_in_reserve",
            "Only applications in reserve move up.",
            "只有备选申报可以递补。",
        )),
        Some(line) => {
            let award = promotion.award;
            faults.extend(award_fault("/award".to_owned(), award, line, cx));
            faults.extend(cuts::faults("/cuts", &promotion.cuts, award, line, cx));
            faults.extend(
                limit(line, award, cx)
                    .map(|says| Fault::new("/application", "limit_reached", says.en, says.zh)),
            );
            faults.extend(order_faults(record, promotion, cx));
            let given = given_away(cx).and_then(|given| given.checked_add(award));
            faults.extend(budget_fault("/award", given, cx));
        }
    }
    Rejection::unless_empty(faults)
}

fn in_reserve(line: &Line, cx: &Context<'_>) -> bool {
    cx.world
        .get::<Application>(line.application)
        .is_some_and(|one| one.stage == application::Stage::Reserve)
}

/// Those who stand before it move up first, unless a limit keeps them where they are; whom people
/// pass over, they say why.
fn order_faults(record: &Record<Selection>, promotion: &Promotion, cx: &Context<'_>) -> Vec<Fault> {
    let before: Vec<&Line> = record
        .data
        .run
        .lines
        .iter()
        .take_while(|line| line.application != promotion.application)
        .filter(|line| in_reserve(line, cx))
        .collect();
    let mut faults: Vec<Fault> = before
        .iter()
        .filter(|line| limit(line, line.requested, cx).is_none())
        .filter(|line| {
            promotion
                .passed_over
                .iter()
                .all(|one| one.application != line.application)
        })
        .map(|line| {
            let number = &line.number;
            Fault::new(
                "/passed_over",
                "not_next",
                format!(
                    "{number} stands before it in the reserve: promote that one, or say why not."
                ),
                format!("备选名单中 {number} 在前:请先递补该申报,或说明不递补的理由。"),
            )
        })
        .collect();
    for (index, one) in promotion.passed_over.iter().enumerate() {
        let at = format!("/passed_over/{index}");
        faults.extend(Fault::of_text(
            format!("{at}/reason"),
            &one.reason,
            LONGEST_REASON,
        ));
        if before
            .iter()
            .all(|line| line.application != one.application)
        {
            faults.push(Fault::new(
                format!("{at}/application"),
                "not_before",
                "It does not stand before the promoted one in the reserve.",
                "该申报在备选名单中并不在前。",
            ));
        }
    }
    faults
}

/// The limit of the policy that keeps `line` from getting `award` now, if any: of its domain, of its
/// organisation, of its street, or of a pair that excludes each other.
fn limit(line: &Line, award: Money, cx: &Context<'_>) -> Option<Text> {
    let rules: &SelectionRules = &cx.policy()?.selection;
    let one = cx.world.get::<Application>(line.application)?;
    let domain = &one.data.form.domain;
    let limits = rules.limits_of(domain);
    let same_domain = || held(cx).filter(|other| other.data.form.domain == *domain);
    if limits
        .max
        .is_some_and(|most| same_domain().count() >= count(most))
    {
        return Some(Text::new(
            format!("The domain {domain} has all the projects that the policy allows."),
            format!("“{domain}”领域已达规则规定的项目数上限。"),
        ));
    }
    let money = Money::checked_sum(same_domain().filter_map(award_of).chain([award]));
    let most = limits.max_amount.map(|most| Money::from_fen(most.fen()));
    if most.is_some_and(|most| money.is_none_or(|money| money > most)) {
        return Some(Text::new(
            format!("The domain {domain} would get more money than the policy allows."),
            format!("“{domain}”领域的资助金额将超出规则规定的上限。"),
        ));
    }
    let same_owner = held(cx).filter(|other| other.data.organisation == one.data.organisation);
    if rules
        .max_per_organisation
        .is_some_and(|most| same_owner.count() >= count(most))
    {
        return Some(Text::new(
            "The organisation has all the awards that the policy allows.",
            "该组织已达规则规定的立项数上限。",
        ));
    }
    let street = one.data.form.street.trim();
    let same_street = held(cx).filter(|other| other.data.form.street.trim() == street);
    if rules
        .max_per_street
        .is_some_and(|most| !street.is_empty() && same_street.count() >= count(most))
    {
        return Some(Text::new(
            format!("The street {street} has all the awards that the policy allows."),
            format!("“{street}”街道已达规则规定的立项数上限。"),
        ));
    }
    let excluded = held(cx)
        .filter_map(|other| other.data.number.as_deref())
        .find(|other| {
            rules.incompatible.iter().any(|(a, b)| {
                (a == *other && *b == line.number) || (b == *other && *a == line.number)
            })
        });
    excluded.map(|other| {
        Text::new(
            format!("The policy excludes it together with {other}."),
            format!("按规则不能与 {other} 同时立项。"),
        )
    })
}

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

fn award_of(one: &Record<Application>) -> Option<Money> {
    Some(one.data.selected.as_ref()?.award)
}

/// The applications to which something is promised or awarded at present.
fn held<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Record<Application>> + use<'a> {
    use application::Stage::{Awarded, Cleared, Disputed, Noticing, Proposed};
    cx.world.all::<Application>().filter(|one| {
        matches!(
            one.stage,
            Proposed | Noticing | Disputed | Cleared | Awarded
        )
    })
}

/// What is promised or awarded at present; what was cancelled, declined or withdrawn is free again.
pub(crate) fn given_away(cx: &Context<'_>) -> Option<Money> {
    Money::checked_sum(held(cx).filter_map(award_of))
}
