//! What an organisation's earlier projects add to its score: the points that their final grades brought,
//! as far as the rules of this cycle count them (`domain.md` §2.14).

use std::collections::BTreeSet;

use fundcycle_scoring::Exact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::organisation::Organisation;
use crate::policy::PolicyDocument;
use crate::policy::document::EarlierProjects;
use crate::time::Timestamp;

/// An earlier project that ended well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierProject {
    /// In which cycle; its journal has the evaluation.
    pub cycle: Uuid,
    /// Which project.
    pub project: Uuid,
    /// The points that its final grade brought.
    pub points: Exact,
    /// When that grade took effect.
    pub noted_at: Timestamp,
}

/// The earlier projects of `organisation` that the policy counts, by identity.
pub(super) fn counted(
    organisation: Uuid,
    policy: &PolicyDocument,
    cx: &Context<'_>,
) -> Vec<EarlierProject> {
    let rules = policy.ranking.earlier_projects.as_ref();
    let owner = cx.world.get::<Organisation>(organisation);
    let Some((rules, owner)) = rules.zip(owner) else {
        return Vec::new();
    };
    let merits = owner.data.merits.iter();
    let mut earlier: Vec<EarlierProject> = merits
        .map(|merit| EarlierProject {
            cycle: merit.cycle,
            project: merit.project,
            points: merit.points.clone(),
            noted_at: merit.noted_at,
        })
        .filter(|one| counts(one, rules, policy))
        .collect();
    earlier.sort_by_key(|one| one.project);
    earlier
}

/// Whether its grade took effect in the time before the call closed that the policy counts.
fn counts(one: &EarlierProject, rules: &EarlierProjects, policy: &PolicyDocument) -> bool {
    let until = policy.application.closes_at;
    let since = until.plus_days(-i64::from(rules.days));
    (since..=until).contains(&one.noted_at)
}

/// What the earlier projects add: their points together, up to the most of the policy.
pub(crate) fn bonus(earlier: &[EarlierProject], policy: &PolicyDocument) -> Exact {
    let Some(rules) = &policy.ranking.earlier_projects else {
        return Exact::ZERO;
    };
    let sum: Exact = earlier.iter().map(|one| &one.points).sum();
    sum.min(rules.most.clone())
}

/// The `combined` score with what the earlier projects add, rounded once.
pub(crate) fn with_bonus(
    combined: &Exact,
    earlier: &[EarlierProject],
    policy: &PolicyDocument,
) -> Exact {
    (combined + &bonus(earlier, policy)).rounded(policy.ranking.scale, policy.ranking.rounding)
}

/// Whether these may count under the policy: each in its time, each project once, no points taken.
pub(crate) fn may_count(earlier: &[EarlierProject], policy: &PolicyDocument) -> bool {
    let projects: BTreeSet<Uuid> = earlier.iter().map(|one| one.project).collect();
    projects.len() == earlier.len()
        && earlier.iter().all(|one| {
            let rules = policy.ranking.earlier_projects.as_ref();
            !one.points.is_negative() && rules.is_some_and(|rules| counts(one, rules, policy))
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn policy() -> PolicyDocument {
        let text = include_str!("../../../../docs/examples/wujin-2024.toml");
        let mut policy: PolicyDocument = toml::from_str(text).unwrap();
        policy.ranking.earlier_projects = Some(EarlierProjects {
            most: Exact::from_integer(3),
            days: 365,
        });
        policy
    }

    fn earlier(project: u128, points: i64, noted_at: &str) -> EarlierProject {
        EarlierProject {
            cycle: Uuid::from_u128(1),
            project: Uuid::from_u128(project),
            points: Exact::from_integer(points),
            noted_at: noted_at.parse().unwrap(),
        }
    }

    /// What a published selection may not claim, whoever recomputes it.
    #[test]
    fn what_does_not_count_is_found() {
        let mut policy = policy();
        let good = earlier(1, 2, "2024-03-01T09:00:00+08:00");
        let check = |all: &[EarlierProject], policy: &PolicyDocument| may_count(all, policy);
        assert!(check(std::slice::from_ref(&good), &policy));
        for bad in [
            earlier(2, 2, "2024-06-01T09:00:00+08:00"),
            earlier(2, 2, "2023-05-01T09:00:00+08:00"),
            earlier(2, -1, "2024-03-01T09:00:00+08:00"),
            earlier(1, 2, "2024-03-02T09:00:00+08:00"),
        ] {
            assert!(!check(&[good.clone(), bad.clone()], &policy), "{bad:?}");
        }
        let both = [good.clone(), earlier(2, 2, "2024-03-01T09:00:00+08:00")];
        assert_eq!(bonus(&both, &policy), Exact::from_integer(3));
        policy.ranking.earlier_projects = None;
        assert!(!check(&[good], &policy));
        assert_eq!(bonus(&both, &policy), Exact::ZERO);
    }
}
