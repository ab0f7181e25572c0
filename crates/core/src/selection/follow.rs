//! What a selection leads to: every application and notice that it decides on.

use fundcycle_scoring::Outcome;
use uuid::Uuid;

use super::{Line, Promotion, Selection};
use crate::aggregate::{Record, Stored as _, Then};
use crate::application::{self, Application, Selected};
use crate::context::Context;
use crate::notice::{self, Notice};

fn selected(selection: Uuid, line: &Line) -> Selected {
    Selected {
        selection,
        score: line.score.clone(),
        rank: line.rank,
        award: line.award,
        reason: line.reason.clone(),
        cuts: line.cuts.clone(),
    }
}

/// Every decision becomes known at once.
pub(super) fn announced(record: &Record<Selection>, cx: &Context<'_>) -> Vec<Then> {
    let lines = record.data.run.lines.iter();
    lines
        .map(|line| {
            let selected = selected(record.id, line);
            let command = match line.decision {
                Outcome::Funded => application::Command::Propose { selected },
                Outcome::Reserve => application::Command::HoldInReserve { selected },
                Outcome::NotFunded => application::Command::NotSelect { selected },
            };
            Application::then(line.application, cx.journal, command)
        })
        .collect()
}

pub(super) fn promoted(
    record: &Record<Selection>,
    promotion: &Promotion,
    cx: &Context<'_>,
) -> Option<Then> {
    let selected = Selected {
        award: promotion.award,
        reason: promotion.reason.clone(),
        cuts: promotion.cuts.clone(),
        ..selected(record.id, record.data.line(promotion.application)?)
    };
    Some(Application::then(
        promotion.application,
        cx.journal,
        application::Command::Promote { selected },
    ))
}

/// What was announced is taken back, and a notice that was prepared from it too.
pub(super) fn undone(record: &Record<Selection>, cx: &Context<'_>) -> Vec<Then> {
    use application::Stage::{NotSelected, Proposed, Reserve};
    let applications = record.data.run.lines.iter().filter(|line| {
        cx.world
            .get::<Application>(line.application)
            .is_some_and(|one| matches!(one.stage, Proposed | Reserve | NotSelected))
    });
    let applications = applications.map(|line| {
        Application::then(
            line.application,
            cx.journal,
            application::Command::UndoSelection {},
        )
    });
    let notices = cx.world.all::<Notice>().filter(|notice| {
        notice.data.selection == Some(record.id) && notice.stage == notice::Stage::Prepared
    });
    let notices =
        notices.map(|notice| Notice::then(notice.id, cx.journal, notice::Command::Withdraw {}));
    applications.chain(notices).collect()
}
