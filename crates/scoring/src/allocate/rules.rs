//! [`SelectionRules`]: the `[selection]` table of a policy.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::Words;
use super::{Bid, step_down};
use crate::number::{Exact, Rounding};
use crate::yuan::Yuan;

/// The most shares that `step_down` tries.
const MOST_STEPS: usize = 100;

/// Everything that decides who is funded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectionRules {
    /// What may be spent, in yuan.
    pub budget: Yuan,
    /// How the funded ones are chosen.
    #[serde(default)]
    pub mode: SelectionMode,
    /// With `optimal`, what the best set has most of.
    #[serde(default)]
    pub maximise: Objective,
    /// In rank order, what happens at the first application that the rest of the budget cannot pay.
    #[serde(default)]
    pub when_short: WhenShort,
    /// Scores below this are never funded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_line: Option<Exact>,
    /// The most awards one organisation may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_organisation: Option<u32>,
    /// The most awards one street may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_street: Option<u32>,
    /// How many of the next best stand by; a large number takes all that pass.
    #[serde(default)]
    pub reserve: u32,
    /// The most that one award may be, in yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_award: Option<Yuan>,
    /// The least share of its request that an application can live on, from 0 to 1. With
    /// `partial_last` nobody is funded below it; other amount rules then need acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Exact>,
    /// How much a funded application gets.
    #[serde(default)]
    pub amount: AmountRule,
    /// Pairs of applications of which at most one may be funded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incompatible: Vec<(String, String)>,
    /// Limits of single domains. What a domain leaves out, `every_domain` says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domain: BTreeMap<String, DomainLimits>,
    /// Limits of every domain that has an application.
    #[serde(default)]
    pub every_domain: DomainLimits,
}

/// How the funded ones are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionMode {
    /// The minimums of the domains first, then everyone by score under the maximums.
    #[default]
    RankOrder,
    /// The best set that the limits and the budget allow; see [`SelectionRules::maximise`].
    Optimal,
}

/// What the best set has most of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Total score.
    #[default]
    Score,
    /// Funded projects; among equals, total score.
    Count,
}

/// What happens in rank order when the money runs out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenShort {
    /// Nobody after it is funded.
    #[default]
    Stop,
    /// It gets what is left, if that is not below the floor; nobody after it is funded.
    PartialLast,
    /// It is skipped, and the next that fits is funded. Overtakes the rank: publish it beforehand.
    SkipAndFill,
}

/// How much a funded application gets: never more than it asks for nor than `max_award`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum AmountRule {
    /// What it asks for.
    #[default]
    AsRequested,
    /// A share of what it asks for, by its score: the tier with the highest `from` it reaches.
    TierByScore {
        /// The tiers, in any order.
        tiers: Vec<ScoreTier>,
    },
    /// A share of what it asks for, by its place in the order of scores: the tier with the lowest
    /// `through` that is not before it.
    TierByRank {
        /// The tiers, in any order.
        tiers: Vec<RankTier>,
    },
    /// The same for all, in yuan.
    Flat {
        /// How much.
        amount: Yuan,
    },
    /// The same share of the request for all, cut in steps no deeper than it takes to fund as many as
    /// any allowed cut would.
    StepDown {
        /// How much each step takes off the share, such as 0.05.
        step: Exact,
        /// The least share, above 0 and at most 1.
        least: Exact,
    },
    /// What the experts recommend (their median) or staff entered: [`Bid::recommended_fen`].
    Recommended,
}

/// A share for all scores from a line up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreTier {
    /// The lowest score of the tier, itself included.
    pub from: Exact,
    /// The share of the request, from 0 to 1.
    pub share: Exact,
}

/// A share for all places down to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankTier {
    /// The last place of the tier, itself included, from 1.
    pub through: u32,
    /// The share of the request, from 0 to 1.
    pub share: Exact,
}

/// Limits of one domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainLimits {
    /// The fewest projects, as far as enough applications pass the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The most projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The least money, in yuan, as far as enough applications pass the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_amount: Option<Yuan>,
    /// The most money, in yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Yuan>,
}

/// What is wrong with [`SelectionRules`], and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesFault {
    /// JSON Pointer into the table, such as `/domain/elderly/min`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for RulesFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.message)
    }
}

impl SelectionRules {
    /// Rank order within a budget, without further limits.
    #[must_use]
    pub fn with_budget(budget: Yuan) -> Self {
        Self {
            budget,
            mode: SelectionMode::default(),
            maximise: Objective::default(),
            when_short: WhenShort::default(),
            pass_line: None,
            max_per_organisation: None,
            max_per_street: None,
            reserve: 0,
            max_award: None,
            floor: None,
            amount: AmountRule::default(),
            incompatible: Vec::new(),
            domain: BTreeMap::new(),
            every_domain: DomainLimits::default(),
        }
    }

    /// The limits of a domain: its own, and for what it leaves out those of every domain.
    #[must_use]
    pub fn limits_of(&self, domain: &str) -> DomainLimits {
        let own = self.domain.get(domain).copied().unwrap_or_default();
        DomainLimits {
            min: own.min.or(self.every_domain.min),
            max: own.max.or(self.every_domain.max),
            min_amount: own.min_amount.or(self.every_domain.min_amount),
            max_amount: own.max_amount.or(self.every_domain.max_amount),
        }
    }

    /// Everything that is wrong with the rules, whoever applies.
    #[must_use]
    pub fn faults(&self) -> Vec<RulesFault> {
        let mut faults = Vec::new();
        let mut add = |path: String, message: String| faults.push(RulesFault { path, message });
        let share = |share: &Exact| Exact::ZERO <= *share && *share <= Exact::ONE;
        if self.budget.fen() == 0 {
            add("/budget".into(), "a budget must be above 0".into());
        }
        for (path, most) in [
            ("/max_per_organisation", self.max_per_organisation),
            ("/max_per_street", self.max_per_street),
        ] {
            if most == Some(0) {
                add(
                    path.into(),
                    "0 would fund nobody: leave the limit out or raise it".into(),
                );
            }
        }
        if self.floor.as_ref().is_some_and(|floor| !share(floor)) {
            add("/floor".into(), "a share lies between 0 and 1".into());
        }
        let tiers: Vec<&Exact> = match &self.amount {
            AmountRule::TierByScore { tiers } => tiers.iter().map(|tier| &tier.share).collect(),
            AmountRule::TierByRank { tiers } => tiers.iter().map(|tier| &tier.share).collect(),
            _ => Vec::new(),
        };
        for (index, _) in tiers.iter().enumerate().filter(|(_, tier)| !share(tier)) {
            let path = format!("/amount/tiers/{index}/share");
            add(path, "a share lies between 0 and 1".into());
        }
        if let AmountRule::StepDown { step, least } = &self.amount {
            if *step <= Exact::ZERO || *least <= Exact::ZERO || Exact::ONE < *least {
                add(
                    "/amount".into(),
                    "a step is above 0, and the least share above 0 and at most 1".into(),
                );
            } else if MOST_STEPS < step_down::shares(step, least).take(MOST_STEPS + 1).count() {
                add(
                    "/amount/step".into(),
                    format!("more than {MOST_STEPS} shares from 1 down: raise the step"),
                );
            }
        }
        for (index, (a, b)) in self.incompatible.iter().enumerate() {
            if a == b {
                let path = format!("/incompatible/{index}");
                add(path, format!("`{a}` cannot be incompatible with itself"));
            }
        }
        let every = std::iter::once(("/every_domain".to_owned(), self.every_domain));
        let single = self.domain.keys().map(|name| {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            (format!("/domain/{escaped}"), self.limits_of(name))
        });
        for (path, limits) in every.chain(single) {
            if let (Some(min), Some(max)) = (limits.min, limits.max)
                && max < min
            {
                add(
                    format!("{path}/min"),
                    format!("the minimum {min} is above the maximum {max}"),
                );
            }
            if let (Some(min), Some(max)) = (limits.min_amount, limits.max_amount)
                && max < min
            {
                add(
                    format!("{path}/min_amount"),
                    format!("the minimum {min} is above the maximum {max}"),
                );
            }
        }
        let promised: i128 = self
            .domain
            .keys()
            .filter_map(|name| self.limits_of(name).min_amount)
            .map(|amount| i128::from(amount.fen()))
            .sum();
        if i128::from(self.budget.fen()) < promised {
            add(
                "/budget".into(),
                "the minimum amounts of the domains add up to more".into(),
            );
        }
        faults
    }

    /// Whether the bid reaches the pass line.
    pub(super) fn passes(&self, bid: &Bid) -> bool {
        self.pass_line
            .as_ref()
            .is_none_or(|line| line <= &bid.score)
    }

    /// What an application must accept to be funded with `award`; empty if nothing.
    pub(super) fn acceptance(&self, bid: &Bid, award: i64) -> Words {
        let floor = self.floor_fen(bid);
        if floor <= award {
            return Words::default();
        }
        let floor = Yuan::from_fen(floor).unwrap_or_default();
        Words::new(
            format!("acceptance: the award is below the floor of {floor} yuan"),
            format!("须申报方接受:资助金额低于 {floor} 元的下限"),
        )
    }

    /// What `bid`, in place `rank` (from 1) by score, gets if it is funded in full, in fen: floored
    /// to the fen, never above its request nor `max_award`.
    pub(super) fn award_fen(&self, bid: &Bid, rank: u32) -> i64 {
        let requested = Exact::from_integer(bid.requested_fen);
        let part = |share: Option<&Exact>| {
            let amount = &requested * share.unwrap_or(&Exact::ZERO);
            amount.rounded(0, Rounding::Down).to_i64().unwrap_or(0)
        };
        let amount = match &self.amount {
            // Every share is tried as a tier of its own.
            AmountRule::AsRequested | AmountRule::StepDown { .. } => bid.requested_fen,
            AmountRule::TierByScore { tiers } => {
                let reached = tiers.iter().filter(|tier| tier.from <= bid.score);
                part(
                    reached
                        .max_by(|a, b| a.from.cmp(&b.from))
                        .map(|tier| &tier.share),
                )
            }
            AmountRule::TierByRank { tiers } => {
                let reached = tiers.iter().filter(|tier| rank <= tier.through);
                part(
                    reached
                        .min_by_key(|tier| tier.through)
                        .map(|tier| &tier.share),
                )
            }
            AmountRule::Flat { amount } => amount.fen(),
            AmountRule::Recommended => bid.recommended_fen.unwrap_or(0),
        };
        let most = self.max_award.map_or(i64::MAX, Yuan::fen);
        amount.min(bid.requested_fen).min(most)
    }

    /// The least that `bid` can live on, in fen, rounded up to the fen; 0 without a floor.
    pub(super) fn floor_fen(&self, bid: &Bid) -> i64 {
        let Some(floor) = &self.floor else { return 0 };
        let least = floor * &Exact::from_integer(-bid.requested_fen);
        // Rounding down goes towards zero, so a negative number is needed to round away from it.
        let down = least.rounded(0, Rounding::Down);
        let up = if down == least {
            down
        } else {
            down - Exact::ONE
        };
        -up.to_i64().unwrap_or(0)
    }
}
