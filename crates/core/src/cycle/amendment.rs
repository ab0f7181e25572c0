//! Which rules may come into force, and which stand once scores have been seen or a result is known.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Cycle, Event, rubrics};
use crate::aggregate::{Decided, Record, Stored as _};
use crate::context::Context;
use crate::money::Money;
use crate::names::Names as _;
use crate::policy::{self, Policy, PolicyDocument, Round};
use crate::rejection::{Fault, Rejection};
use crate::selection::{self, Selection};
use crate::sheet::{self, Sheet};

pub(super) fn put_in_force(
    record: &Record<Cycle>,
    id: Uuid,
    cx: &Context<'_>,
) -> Result<Decided<Cycle>, Rejection> {
    let draft = cx
        .world
        .get::<Policy>(id)
        .filter(|policy| policy.stage == policy::Stage::Draft)
        .ok_or_else(|| {
            Rejection::fault(
                "/policy",
                "not_a_draft",
                "There is no policy draft with this id in the cycle.",
                "本届没有该规则草案。",
            )
        })?;
    if draft.data.drafted_by == cx.account() {
        return Err(Rejection::fault(
            "/policy",
            "four_eyes",
            "Who wrote the policy does not put it in force: ask another lead.",
            "规则起草人不得自行发布,请由其他负责人发布。",
        ));
    }
    Rejection::unless_empty(rubrics::faults(&draft.data.document, cx))?;
    let budget = Money::from_fen(draft.data.document.selection.budget.fen());
    if selection::given_away(cx).is_none_or(|given| given > budget) {
        return Err(Rejection::fault(
            "/policy",
            "under_awards",
            format!("More than the budget of {budget} yuan is promised or awarded already."),
            format!("已拟立项或立项的金额超出预算 {budget} 元。"),
        ));
    }
    if let Some(policy) = cx.policy() {
        let mut faults = scores_seen(policy, &draft.data.document, cx);
        faults.extend(result_known(policy, &draft.data.document, cx));
        Rejection::unless_empty(faults)?;
    }
    let rules = &draft.data.document.application;
    let number = record.data.policy_number + 1;
    // An amendment does not undo an extension that was already published.
    let closes_at = record
        .data
        .closes_at
        .map_or(rules.closes_at, |now| now.max(rules.closes_at));
    let event = Event::PolicyPutInForce {
        policy: id,
        number,
        opens_at: rules.opens_at,
        closes_at,
    };
    let retire = record
        .data
        .policy
        .map(|old| Policy::then(old, cx.journal, policy::Command::Supersede {}));
    let begin = Policy::then(id, cx.journal, policy::Command::PutInForce { number });
    Ok(Decided::only(event).then(retire).then([begin]))
}

/// What an amendment must not change any more: once a sheet of a round is handed in, the rules of
/// that round; once one that ranks applications is, all that turns scores into awards but the
/// budget. Who knows the scores would choose the winner by choosing the rule.
fn scores_seen(before: &PolicyDocument, after: &PolicyDocument, cx: &Context<'_>) -> Vec<Fault> {
    let handed_in: BTreeSet<Round> = cx
        .world
        .all::<Sheet>()
        .filter(|sheet| sheet.stage == sheet::Stage::Submitted)
        .filter_map(|sheet| sheet.data.round)
        .collect();
    let mut faults: Vec<Fault> = handed_in
        .iter()
        .filter(|round| before.rounds.get(round) != after.rounds.get(round))
        .map(|round| {
            Fault::new(
                "/policy",
                "scores_seen",
                format!("Sheets of {round} are handed in: the rules of that round stand."),
                format!("{}已有评分表提交,该轮次规则不得再变更。", round.zh()),
            )
        })
        .collect();
    let mut selection = after.selection.clone();
    selection.budget = before.selection.budget;
    let ranks = |round: &Round| matches!(round, Round::PaperReview | Round::Roadshow);
    let same = (&before.ranking, &before.selection) == (&after.ranking, &selection)
        && before.selection_approvals <= after.selection_approvals;
    if handed_in.iter().any(ranks) && !same {
        faults.push(Fault::new(
            "/policy",
            "scores_seen",
            "Scores are known: ranking and selection rules stand, all but the budget.",
            "评分结果已知:除预算外,排名与遴选规则不得再变更。",
        ));
    }
    faults
}

/// What an amendment must not change once a result was announced: the public's chance to object to
/// it. Who announced it, and now puts others in their place, would do so unseen.
fn result_known(
    before: &PolicyDocument,
    after: &PolicyDocument,
    cx: &Context<'_>,
) -> Option<Fault> {
    use selection::Stage::{Announced, Reverted};
    let known = cx
        .world
        .all::<Selection>()
        .any(|one| matches!(one.stage, Announced | Reverted));
    let (old, new) = (&before.notice, &after.notice);
    let shorter = new.working_days < old.working_days
        || new.objection_working_days < old.objection_working_days
        || new.first_day != old.first_day;
    let gone = before.stages.notice && !after.stages.notice;
    (known && (gone || before.stages.notice && shorter)).then(|| {
        Fault::new(
            "/policy",
            "result_known",
            "The result was announced: its public notice is neither left out nor shortened.",
            "结果已经公布:不得取消或缩短公示。",
        )
    })
}
