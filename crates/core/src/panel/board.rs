//! How a round stands: what is complete, missing, overdue, conflicted or far apart. For the bureau.

use std::collections::BTreeMap;

use fundcycle_scoring::{Exact, spread};
use serde::Serialize;
use uuid::Uuid;

use super::assignment::interests_of;
use super::{Panel, Stage, in_round, sheets};
use crate::aggregate::Record;
use crate::application::Application;
use crate::cycle::Cycle;
use crate::expert::{self, Expert};
use crate::names::Names as _;
use crate::policy::document::RoundRules;
use crate::policy::{Policy, Round};
use crate::project::Project;
use crate::sheet::{self, Sheet};
use crate::time::Timestamp;
use crate::world::World;

/// How a round stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    /// Which panel.
    pub panel: Uuid,
    /// Which round.
    pub round: Option<Round>,
    /// Where the panel stands.
    pub stage: &'static str,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// Until when sheets are due.
    pub due_at: Option<Timestamp>,
    /// How many sheets are in each stage.
    pub sheets: BTreeMap<&'static str, usize>,
    /// How many subjects have all their sheets, and enough of them.
    pub complete: usize,
    /// How many lack a sheet, or have fewer than the quorum.
    pub missing: usize,
    /// How many sheets are not in although they were due.
    pub overdue: usize,
    /// How many sheets count whose expert has an interest; closing the panel voids them.
    pub conflicted: usize,
    /// How many subjects have sheets too far apart; none where that is not to be told.
    pub flagged: Option<usize>,
    /// Each application or project.
    pub subjects: Vec<SubjectRow>,
    /// Each sheet.
    pub work: Vec<SheetRow>,
}

/// How the sheets of one application or project stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubjectRow {
    /// Which one.
    pub subject: Uuid,
    /// Its number, where it has one.
    pub number: Option<String>,
    /// Its title.
    pub title: String,
    /// How many sheets are in.
    pub submitted: usize,
    /// How many are not.
    pub outstanding: usize,
    /// Whether nothing is outstanding and the quorum is reached.
    pub is_complete: bool,
    /// Whether the sheets lie further apart than the policy lets pass; none where that is not to be told.
    pub is_flagged: Option<bool>,
}

/// How one sheet stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SheetRow {
    /// Which sheet.
    pub sheet: Uuid,
    /// Whose.
    pub expert: Option<Uuid>,
    /// Their name.
    pub name: String,
    /// On what.
    pub subject: Option<Uuid>,
    /// Where it stands.
    pub stage: &'static str,
    /// When the first score was entered.
    pub begun_at: Option<Timestamp>,
    /// When it was handed in.
    pub submitted_at: Option<Timestamp>,
    /// Minutes from the first score to the last change or the hand-in.
    pub minutes: Option<i64>,
    /// Whether it is not in although it was due.
    pub is_overdue: bool,
    /// Whether it counts although its expert has an interest.
    pub has_interest: bool,
}

/// The state of a round at `now`, as far as the subjects of `panel` go. The world holds what [`needs`](super::interests_need) asked for;
/// `tells_scores` is off where scores are sealed.
pub fn board(panel: &Record<Panel>, world: &World, now: Timestamp, tells_scores: bool) -> Board {
    let policy = world
        .get::<Cycle>(panel.journal)
        .and_then(|cycle| world.get::<Policy>(cycle.data.policy?));
    let rules = panel
        .data
        .round
        .and_then(|round| policy?.data.document.rounds.get(&round));
    let is_open = panel.stage == Stage::Open;
    let late = is_open && panel.data.due_at.is_some_and(|due| due < now);
    let live = |sheet: &&Record<Sheet>| {
        sheet.data.subject.is_some_and(|subject| {
            panel.data.subjects.contains(&subject)
                && (!is_open || in_round(panel.data.round, subject, world))
        })
    };
    let mut work: Vec<(SheetRow, &Record<Sheet>)> = sheets(panel, world)
        .filter(live)
        .map(|sheet| (row(sheet, late, world), sheet))
        .collect();
    work.sort_by(|(one, _), (other, _)| {
        let key = |row: &SheetRow| (!row.is_overdue, row.name.clone(), row.subject);
        key(one).cmp(&key(other))
    });
    let mut subjects: Vec<SubjectRow> = panel
        .data
        .subjects
        .iter()
        .filter(|subject| !is_open || in_round(panel.data.round, **subject, world))
        .map(|subject| subject_row(*subject, &work, rules, tells_scores, world))
        .collect();
    subjects.sort_by(|one, other| {
        let key = |row: &SubjectRow| (row.is_complete, row.number.clone(), row.subject);
        key(one).cmp(&key(other))
    });
    let mut stages = BTreeMap::new();
    for (row, _) in &work {
        *stages.entry(row.stage).or_default() += 1;
    }
    let count = |matches: fn(&SheetRow) -> bool| work.iter().filter(|one| matches(&one.0)).count();
    Board {
        panel: panel.id,
        round: panel.data.round,
        stage: panel.stage.name(),
        opened_at: panel.data.opened_at,
        due_at: panel.data.due_at,
        sheets: stages,
        complete: subjects.iter().filter(|one| one.is_complete).count(),
        missing: subjects.iter().filter(|one| !one.is_complete).count(),
        overdue: count(|row| row.is_overdue),
        conflicted: count(|row| row.has_interest),
        flagged: tells_scores.then(|| {
            let flagged = subjects.iter().filter(|one| one.is_flagged == Some(true));
            flagged.count()
        }),
        subjects,
        work: work.into_iter().map(|one| one.0).collect(),
    }
}

const fn is_outstanding(stage: sheet::Stage) -> bool {
    matches!(stage, sheet::Stage::Pending | sheet::Stage::Draft)
}

fn row(sheet: &Record<Sheet>, late: bool, world: &World) -> SheetRow {
    let data = &sheet.data;
    let counts = is_outstanding(sheet.stage) || sheet.stage == sheet::Stage::Submitted;
    let until = data.submitted_at.unwrap_or(sheet.updated_at);
    SheetRow {
        sheet: sheet.id,
        expert: data.expert,
        name: data
            .expert
            .and_then(|id| world.get::<Expert>(expert::id_of(id)))
            .map_or_else(String::new, |one| one.data.profile.name.clone()),
        subject: data.subject,
        stage: sheet.stage.name(),
        begun_at: data.begun_at,
        submitted_at: data.submitted_at,
        minutes: data.begun_at.map(|begun| (until.0 - begun.0) / 60_000),
        is_overdue: late && is_outstanding(sheet.stage),
        has_interest: counts && !interests_of(sheet, world).is_empty(),
    }
}

fn subject_row(
    subject: Uuid,
    work: &[(SheetRow, &Record<Sheet>)],
    rules: Option<&RoundRules>,
    tells_scores: bool,
    world: &World,
) -> SubjectRow {
    let own = || {
        let own = work.iter().filter(|one| one.0.subject == Some(subject));
        own.filter(|one| !one.0.has_interest)
    };
    let totals: Vec<Exact> = own()
        .filter(|one| one.1.stage == sheet::Stage::Submitted)
        .filter_map(|one| one.1.data.total.clone())
        .collect();
    let outstanding = own().filter(|one| is_outstanding(one.1.stage)).count();
    let quorum = rules.map_or(1, |rules| rules.aggregation.quorum as usize);
    let lines = rules.and_then(|rules| rules.spread.as_ref());
    let is_flagged = lines.filter(|_| 1 < totals.len()).is_some_and(|lines| {
        let spread = spread(lines, &totals);
        spread.range_flag || spread.deviation_flag
    });
    let application = world.get::<Application>(subject);
    let project = world.get::<Project>(subject);
    let title = application.map(|one| &one.data.form.title);
    SubjectRow {
        subject,
        number: application.and_then(|one| one.data.number.clone()),
        title: title
            .or_else(|| project.map(|one| &one.data.title))
            .cloned()
            .unwrap_or_default(),
        submitted: totals.len(),
        outstanding,
        is_complete: outstanding == 0 && quorum <= totals.len(),
        is_flagged: tells_scores.then_some(is_flagged),
    }
}
