//! What a pitch loses that takes longer than its turn (`domain.md` §2.7). Pure: from the recorded
//! beginning and end of a turn and the rule of the policy.

use fundcycle_scoring::{Aggregation, Exact};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::policy::document::OverrunRule;
use crate::slot::{self, Slot};

/// What was deducted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deduction {
    /// Minutes over time that were begun.
    pub minutes: u32,
    /// Points taken off the score.
    pub points: Exact,
}

/// What a pitch loses that was `overrun_seconds` too long: points for every minute begun, up to the cap.
pub fn deduction(rule: &OverrunRule, overrun_seconds: u32) -> Option<Deduction> {
    let minutes = overrun_seconds.div_ceil(60);
    if minutes == 0 {
        return None;
    }
    let points = &rule.points_per_minute * &Exact::from_integer(i64::from(minutes));
    let points = points.min(rule.cap.clone());
    Some(Deduction { minutes, points })
}

/// A score after the deduction, exactly and rounded by the rules of the round; never below 0.
pub(super) fn deducted(
    exact: &Exact,
    deduction: &Deduction,
    aggregation: &Aggregation,
) -> (Exact, Exact) {
    let less = (exact - &deduction.points).max(Exact::ZERO);
    let rounded = less.rounded(aggregation.scale, aggregation.rounding);
    (less, rounded)
}

/// By how many full seconds the pitch of an application was too long, by its recorded times; none
/// where it was not.
pub(super) fn overrun_seconds(application: Uuid, cx: &Context<'_>) -> Option<u32> {
    let heard = cx
        .world
        .all::<Slot>()
        .filter(|slot| slot.stage == slot::Stage::Presented)
        .filter(|slot| slot.data.turn.application == application)
        .max_by_key(|slot| slot.data.started_at)?;
    let seconds = slot::overrun_seconds(&heard.data, heard.data.finished_at?);
    (seconds > 0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(halves: i32) -> Exact {
        Exact::ratio(halves.into(), 2).unwrap_or(Exact::ZERO)
    }

    #[test]
    fn every_minute_begun_costs_points_up_to_the_cap() {
        let rule = OverrunRule {
            points_per_minute: half(1),
            cap: half(4),
        };
        for (seconds, minutes, points) in [
            (1, 1, half(1)),
            (60, 1, half(1)),
            (61, 2, half(2)),
            (240, 4, half(4)),
            (3600, 60, half(4)),
            (u32::MAX, 71_582_789, half(4)),
        ] {
            let found = deduction(&rule, seconds);
            assert_eq!(found, Some(Deduction { minutes, points }), "{seconds}");
        }
        assert_eq!(deduction(&rule, 0), None);
    }
}
