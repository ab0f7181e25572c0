//! What keeps a cycle from its next stage.

use super::Cycle;
use crate::aggregate::Gate;
use crate::application::{self, Application};
use crate::award::{self, Award};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::notice::{self, Notice};
use crate::panel::{self, Panel};
use crate::pitch_session::{self, PitchSession};
use crate::policy::Round;
use crate::project::{self, Project};
use crate::selection::{self, Selection};
use crate::world::Need;

pub(super) const DEADLINE_PASSED: Gate<Cycle> = Gate::new(
    "deadline_passed",
    "the call has not closed yet",
    "征集尚未截止",
    |cycle, cx| {
        cycle
            .data
            .closes_at
            .is_some_and(|closes_at| cx.now > closes_at)
    },
);
pub(super) const INTAKE_DONE: Gate<Cycle> = Gate::new(
    "intake_done",
    "some applications are still to be checked, returned or re-checked",
    "仍有申报待初审、补正或复核",
    |_, cx| {
        use application::Stage::{Rechecking, Returned, Screening, Submitted};
        !cx.world
            .all::<Application>()
            .any(|one| matches!(one.stage, Submitted | Screening | Returned | Rechecking))
    },
)
.looking_at(|_| vec![Need::All(Kind::Application)]);
pub(super) const SOMETHING_ELIGIBLE: Gate<Cycle> = Gate::new(
    "something_eligible",
    "no application is eligible",
    "没有通过资格审查的申报",
    |_, cx| {
        // Without a paper review, the eligible may all have been invited already.
        use application::Stage::{Eligible, RoadshowReady, Shortlisted};
        cx.world
            .all::<Application>()
            .any(|one| matches!(one.stage, Eligible | Shortlisted | RoadshowReady))
    },
)
.looking_at(|_| vec![Need::All(Kind::Application)]);
pub(super) const HAS_REVIEW: Gate<Cycle> = Gate::new(
    "has_review",
    "this cycle has no expert review",
    "本届不设书面评审",
    |_, cx| has_round(cx, Round::PaperReview),
);
pub(super) const NO_REVIEW: Gate<Cycle> = Gate::new(
    "no_review",
    "this cycle has an expert review first",
    "本届须先进行书面评审",
    |_, cx| !has_round(cx, Round::PaperReview),
);
pub(super) const HAS_ROADSHOW: Gate<Cycle> = Gate::new(
    "has_roadshow",
    "this cycle has no roadshow",
    "本届不设路演",
    |_, cx| has_round(cx, Round::Roadshow),
);
pub(super) const NO_ROADSHOW: Gate<Cycle> = Gate::new(
    "no_roadshow",
    "this cycle has a roadshow first",
    "本届须先进行路演",
    |_, cx| !has_round(cx, Round::Roadshow),
);
pub(super) const REVIEW_CLOSED: Gate<Cycle> = Gate::new(
    "review_closed",
    "the review panel has not closed",
    "评审尚未结束",
    |_, cx| round_closed(cx, Round::PaperReview),
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);
pub(super) const ROADSHOW_CLOSED: Gate<Cycle> = Gate::new(
    "roadshow_closed",
    "the roadshow panel has not closed",
    "路演评分尚未结束",
    |_, cx| round_closed(cx, Round::Roadshow),
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);
pub(super) const NOTHING_ASSIGNED: Gate<Cycle> = Gate::new(
    "nothing_assigned",
    "experts have begun to review",
    "专家评审已经开始",
    |_, cx| cx.world.all::<Panel>().next().is_none(),
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);

pub(super) const EVERYONE_PITCHED: Gate<Cycle> = Gate::new(
    "everyone_pitched",
    "some shortlisted applications have neither pitched nor been marked absent",
    "仍有入围申报未完成路演或未标记缺席",
    |_, cx| {
        use application::Stage::{RoadshowReady, Shortlisted};
        !cx.world
            .all::<Application>()
            .any(|one| matches!(one.stage, Shortlisted | RoadshowReady))
    },
)
.looking_at(|_| vec![Need::All(Kind::Application)]);
pub(super) const SESSIONS_OVER: Gate<Cycle> = Gate::new(
    "sessions_over",
    "a session of the roadshow is neither held nor cancelled",
    "仍有路演场次未结束或未取消",
    |_, cx| {
        use pitch_session::Stage::{Cancelled, Held};
        cx.world
            .all::<PitchSession>()
            .all(|session| matches!(session.stage, Held | Cancelled))
    },
)
.looking_at(|_| vec![Need::All(Kind::PitchSession)]);
pub(super) const SELECTION_ANNOUNCED: Gate<Cycle> = Gate::new(
    "selection_announced",
    "no selection has been announced",
    "遴选结果尚未公布",
    |_, cx| {
        cx.world
            .all::<Selection>()
            .any(|one| one.stage == selection::Stage::Announced)
    },
)
.looking_at(|_| vec![Need::All(Kind::Selection)]);
pub(super) const NOTICES_OVER: Gate<Cycle> = Gate::new(
    "notices_over",
    "a public notice is prepared or running",
    "仍有公示待发布或未结束",
    |_, cx| {
        use notice::Stage::{Prepared, Running};
        !cx.world
            .all::<Notice>()
            .any(|one| matches!(one.stage, Prepared | Running))
    },
)
.looking_at(|_| vec![Need::All(Kind::Notice)]);
pub(super) const LIST_SETTLED: Gate<Cycle> = Gate::new(
    "list_settled",
    "some proposed applications are not through the notice, or an objection to them is open",
    "仍有拟立项申报未公示完毕或异议未处理",
    |_, cx| {
        use application::Stage::{Disputed, Noticing, Proposed};
        !cx.world
            .all::<Application>()
            .any(|one| matches!(one.stage, Proposed | Noticing | Disputed))
    },
)
.looking_at(|_| vec![Need::All(Kind::Application)]);
pub(super) const AWARDS_ANSWERED: Gate<Cycle> = Gate::<Cycle>::new(
    "awards_answered",
    "some awards are neither accepted nor over",
    "仍有立项通知未获确认",
    |_, cx| {
        !cx.world
            .all::<Award>()
            .any(|award| award.stage == award::Stage::Issued)
    },
)
.looking_at(|_| vec![Need::All(Kind::Award)]);
pub(super) const PROJECTS_LAUNCHED: Gate<Cycle> = Gate::<Cycle>::new(
    "projects_launched",
    "some projects are neither launched nor over",
    "仍有项目未启动",
    |_, cx| {
        cx.world.all::<Project>().all(|project| {
            let stage = project.data.was.unwrap_or(project.stage);
            stage != project::Stage::Signed && !project::BEFORE_AGREEMENT.contains(&stage)
        })
    },
)
.looking_at(|_| vec![Need::All(Kind::Project)]);
pub(super) const PROJECTS_ENDED: Gate<Cycle> = Gate::<Cycle>::new(
    "projects_ended",
    "some projects have not come to their end, or owe money",
    "仍有项目未结项或有应退资金",
    |_, cx| {
        use project::Stage::{Closed, Recovered, Terminated, WrittenOff};
        cx.world
            .all::<Project>()
            .all(|project| match project.stage {
                Closed | Recovered | WrittenOff => true,
                Terminated => project::outstanding(project, cx.world) == Money::ZERO,
                _ => false,
            })
    },
)
.looking_at(|_| vec![Need::All(Kind::Project), Need::All(Kind::Tranche)]);
pub(super) const NOTHING_CLEARED: Gate<Cycle> = Gate::<Cycle>::new(
    "nothing_cleared",
    "some applications came through the notice and have no award",
    "仍有公示无异议的申报未立项",
    |_, cx| {
        !cx.world
            .all::<Application>()
            .any(|one| one.stage == application::Stage::Cleared)
    },
)
.looking_at(|_| vec![Need::All(Kind::Application)]);

fn has_round(cx: &Context<'_>, round: Round) -> bool {
    cx.policy().is_some_and(|policy| policy.has_round(round))
}

fn round_closed(cx: &Context<'_>, round: Round) -> bool {
    cx.world
        .all::<Panel>()
        .any(|panel| panel.data.round == Some(round) && panel.stage == panel::Stage::Closed)
}
