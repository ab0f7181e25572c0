//! What staff have to look at although nobody waits for them: projects that fall silent, spend little or are
//! late (`domain.md` §2.12). Each follows from recorded facts; a flag forbids nothing.

use jiff::civil::Date;

use crate::kinds::{Kind, State};
use crate::project::{self, Project};
use crate::visit;

names! {
    /// Why staff look at something.
    pub enum Flag {
        /// Projects without an activity for long.
        Silent = "silent" "活动停滞项目",
        /// Projects that spend little late in their time.
        Underspent = "underspent" "支出偏低项目",
        /// Projects with a report that did not come in time.
        ReportMissing = "report_missing" "报告逾期项目",
        /// Projects not launched by the day agreed on.
        LaunchLate = "launch_late" "逾期未启动项目",
        /// Demands that are not paid back in time.
        DemandLate = "demand_late" "逾期未退款项目",
        /// What a visit found and was not put right in time.
        RectificationLate = "rectification_late" "整改逾期督导",
    }
}

/// The kinds and stages of records that may be flagged.
pub const FLAGGED: &[(Kind, &[&str])] = &[
    (
        Kind::Project,
        &[
            "signed",
            "launched",
            "active",
            "midterm_due",
            "rectifying",
            "final_due",
            "closing",
            "suspended",
            "recovering",
        ],
    ),
    (Kind::Visit, &["overdue"]),
];

/// Why staff look at `state` on the day `today`.
pub fn flags(state: &State, today: Date) -> Vec<Flag> {
    match state {
        State::Project(one) => of_project(one.stage, &one.data, today),
        State::Visit(one) if one.stage == visit::Stage::Overdue => vec![Flag::RectificationLate],
        _ => Vec::new(),
    }
}

fn of_project(stage: project::Stage, data: &Project, today: Date) -> Vec<Flag> {
    let runs = project::NOTED.contains(&stage);
    let launch_late =
        stage == project::Stage::Signed && data.launch_by.is_some_and(|by| by < today);
    let demand = data.demand.as_ref().map(|demand| demand.due_on);
    let demand_late = stage == project::Stage::Recovering && demand.is_some_and(|due| due < today);
    [
        (Flag::Silent, runs && data.silent_since.is_some()),
        (Flag::Underspent, runs && data.underspent_at.is_some()),
        (
            Flag::ReportMissing,
            runs && !data.missing_reports.is_empty(),
        ),
        (Flag::LaunchLate, launch_late),
        (Flag::DemandLate, demand_late),
    ]
    .into_iter()
    .filter_map(|(flag, is)| is.then_some(flag))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flagged_stage_is_one_of_its_kind() {
        for (kind, stages) in FLAGGED {
            for stage in *stages {
                let known = kind.stages().iter().any(|one| one.name == *stage);
                assert!(known, "{kind} has no stage {stage}");
            }
        }
    }
}
