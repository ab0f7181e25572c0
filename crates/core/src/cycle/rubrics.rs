//! Rubrics carry a new version whenever they change, and are frozen once a sheet is scored against them.

use crate::aggregate::Record;
use crate::context::Context;
use crate::names::Names as _;
use crate::policy::PolicyDocument;
use crate::rejection::Fault;
use crate::sheet::{self, Sheet};

/// Why `amended` cannot replace the policy in force: a rubric that changes without a new version, or
/// although sheets that count, or may come to count, were scored against it.
pub(super) fn faults(amended: &PolicyDocument, cx: &Context<'_>) -> Vec<Fault> {
    let Some(before) = cx.policy() else {
        return Vec::new();
    };
    let mut faults: Vec<Fault> = before
        .unversioned_rubrics(amended)
        .into_iter()
        .map(|fault| Fault {
            pointer: "/policy".to_owned(),
            ..fault
        })
        .collect();
    for (round, rules) in &amended.rounds {
        let changed = before
            .rounds
            .get(round)
            .is_some_and(|old| old.rubric != rules.rubric);
        let scored = |sheet: &Record<Sheet>| {
            sheet.data.round == Some(*round)
                && sheet.data.total.is_some()
                && !matches!(sheet.stage, sheet::Stage::Void | sheet::Stage::Recused)
        };
        if changed && cx.world.all::<Sheet>().any(scored) {
            faults.push(Fault::new(
                "/policy",
                "rubric_frozen",
                format!("Sheets of {round} were scored against its rubric: void them first."),
                format!("“{}”已有评分表按现行评分标准打分,须先作废。", round.zh()),
            ));
        }
    }
    faults
}
