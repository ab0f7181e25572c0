//! Rankings: from the marks of every sheet that counted to the place of each application.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{Exact, Marks};
use serde::Deserialize;
use uuid::Uuid;

use super::Said;
use super::check::Replay;
use super::fact::{Fact, path};
use crate::application::RoundScore;
use crate::kinds::Kind;
use crate::money::Money;
use crate::names::Names as _;
use crate::panel::{Counted, Deduction, Input, StoppedBy, results};
use crate::policy::{PolicyDocument, Round};
use crate::sheet;

#[derive(Default)]
pub(super) struct Rankings {
    panels: BTreeMap<Uuid, Round>,
    pub(super) sheets: BTreeMap<Uuid, Sheet>,
    /// The score of each application in each round, as its panel closed last.
    pub(super) scores: BTreeMap<(Uuid, Round), RoundScore>,
    /// Sheets that the last panel to close left out, and that are not void yet.
    to_void: BTreeSet<Uuid>,
    held: usize,
}

/// A sheet as it stands.
#[derive(Default)]
pub(super) struct Sheet {
    panel: Uuid,
    pub(super) round: Option<Round>,
    pub(super) subject: Option<Uuid>,
    stage: Option<sheet::Stage>,
    marks: Marks,
    total: Exact,
    vetoed: bool,
    pub(super) recommended: Option<Money>,
}

impl Sheet {
    pub(super) fn counts(&self) -> bool {
        self.stage == Some(sheet::Stage::Submitted)
    }
}

/// What a panel says of one application.
#[derive(Deserialize)]
struct Recorded {
    input: RecordedInput,
    score: RoundScore,
    #[serde(default)]
    deduction: Option<Deduction>,
    #[serde(default)]
    raw: Option<RoundScore>,
    decided_by: Option<String>,
    goes_on: bool,
    /// Not in rankings from before it was recorded.
    #[serde(default)]
    stopped_by: Option<StoppedBy>,
}

#[derive(Deserialize)]
struct RecordedInput {
    subject: Uuid,
    #[serde(default)]
    keys: BTreeMap<String, Exact>,
    #[serde(default)]
    domain: Option<String>,
    vetoed: bool,
    #[serde(default)]
    overrun_seconds: Option<u32>,
}

impl Rankings {
    pub(super) const fn held(&self) -> usize {
        self.held
    }
}

pub(super) fn take(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    if fact.text("kind") == Kind::Sheet.name() {
        sheet(replay, fact)?;
    }
    // What a panel left out because of an interest is void from that moment on.
    let left: Vec<Uuid> = replay.rankings.to_void.iter().copied().collect();
    let is_void = fact.text("kind") == Kind::Sheet.name() && fact.text("verb") == "void";
    if !left.is_empty() && !is_void {
        let seq = fact.seq;
        return Err(Said::differs(
            format!("entry {seq}: a sheet was left out of a ranking and is not void"),
            format!("第 {seq} 条:有评分表未计入排名却未作废"),
        ));
    }
    if fact.text("kind") == Kind::Sheet.name() {
        return Ok(());
    }
    match fact.text("verb") {
        "form" => {
            let round = fact.read("/data/formed/round")?;
            replay.rankings.panels.insert(fact.id()?, round);
        }
        "close" => return closed(replay, fact),
        _ => {}
    }
    Ok(())
}

fn sheet(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    let (id, seq) = (fact.id()?, fact.seq);
    let stage: sheet::Stage = fact.read("/to")?;
    // What a round after the award scores is not published, and neither is a round that goes on.
    let shown = |name: &str, part: &[&str]| fact.has(&path(&[&["data", name], part].concat()));
    if fact.text("verb") == "assign" {
        let sheet = Sheet {
            panel: fact.read("/data/assigned/panel")?,
            round: fact.read("/data/assigned/round")?,
            subject: fact.read("/data/assigned/subject")?,
            stage: Some(stage),
            ..Sheet::default()
        };
        replay.rankings.sheets.insert(id, sheet);
        return Ok(());
    }
    let policy = replay.policy_at(fact).map(|(_, policy)| policy.clone());
    let Some(sheet) = replay.rankings.sheets.get_mut(&id) else {
        return Err(Said::differs(
            format!("entry {seq}: the sheet was never given out"),
            format!("第 {seq} 条:该评分表从未分配"),
        ));
    };
    sheet.stage = Some(stage);
    if stage == sheet::Stage::Void {
        replay.rankings.to_void.remove(&id);
    }
    if fact.text("verb") == "save" && shown("saved", &["recommended"]) {
        sheet.recommended = fact.read("/data/saved/recommended")?;
    }
    // From paper, the second clerk hands it in.
    if ["submit", "transcribe"].contains(&fact.text("verb")) && shown("submitted", &["total"]) {
        let policy = policy?;
        if shown("submitted", &["recommended"]) {
            sheet.recommended = fact.read("/data/submitted/recommended")?;
        }
        sheet.marks = Marks {
            scores: fact.read("/data/submitted/marks/scores")?,
            ..Marks::default()
        };
        sheet.total = fact.read("/data/submitted/total")?;
        let vetoes: Vec<String> = fact.read("/data/submitted/vetoes")?;
        sheet.vetoed = !vetoes.is_empty();
        let rubric = sheet
            .round
            .and_then(|round| policy.rounds.get(&round))
            .map(|rules| &rules.rubric);
        let right = rubric.is_some_and(|rubric| {
            rubric.running_total(&sheet.marks) == sheet.total
                && rubric.vetoes(&sheet.marks) == vetoes
        });
        if !right {
            return Err(Said::differs(
                format!("entry {seq}: the marks of the sheet do not add up to its total"),
                format!("第 {seq} 条:评分表各项之和与总分不符"),
            ));
        }
    }
    Ok(())
}

fn closed(replay: &mut Replay<'_>, fact: &Fact<'_>) -> Result<(), Said> {
    let (id, seq) = (fact.id()?, fact.seq);
    let round = replay.rankings.panels.get(&id).copied();
    let Some(round @ (Round::PaperReview | Round::Roadshow)) = round else {
        return Ok(());
    };
    // It was opened again and is not closed yet: its result is not public.
    if !fact.has(&path(&["data", "closed", "policy_number"])) {
        return Ok(());
    }
    let recorded: Vec<Recorded> = fact.read("/data/closed/results")?;
    let labels: Vec<Counted> = fact.read("/data/closed/sheets")?;
    let voided: BTreeSet<Uuid> = if fact.has(&path(&["data", "closed", "voided"])) {
        fact.read("/data/closed/voided")?
    } else {
        BTreeSet::new()
    };
    let number: u32 = fact.read("/data/closed/policy_number")?;
    let known = |sheet: &Uuid| {
        let sheet = replay.rankings.sheets.get(sheet);
        sheet.is_some_and(|sheet| sheet.panel == id && sheet.counts())
    };
    let left_out_are_its_own = voided.iter().all(known);
    let (in_force, policy) = replay.policy_at(fact)?;
    let differs = |en: &str, zh: &str| {
        Err(Said::differs(
            format!("entry {seq}, ranking of {round}: {en}"),
            format!("第 {seq} 条,{}排名:{zh}", round.zh()),
        ))
    };
    if !left_out_are_its_own {
        return differs(
            "sheets were left out that were not handed in here",
            "被剔除的评分表并非本轮已提交的评分表",
        );
    }
    if number != in_force {
        return differs("another policy was in force", "当时生效的是另一版规则");
    }
    let Some(mut inputs) = inputs(&replay.rankings, id, &recorded, &labels, &voided) else {
        return differs(
            "the sheets that counted are not those that were handed in",
            "计入的评分表与已提交的不一致",
        );
    };
    let deducts = policy
        .rounds
        .get(&round)
        .is_some_and(|rules| rules.overrun.is_some());
    for input in inputs.iter_mut().filter(|_| deducts) {
        let Some(over) = replay.slots.overrun_seconds(input.subject) else {
            return differs(
                "a pitch is ranked whose turn is not shown",
                "有已排名的路演未给出时段记录",
            );
        };
        input.overrun_seconds = (over > 0).then_some(over);
    }
    let sheets = inputs.iter().map(|input| input.totals.len()).sum::<usize>();
    if !holds(&inputs, &recorded, round, policy) {
        return differs(
            "the sheets lead to other scores or places",
            "由评分表得出的得分或名次不同",
        );
    }
    let count = recorded.len();
    for one in recorded {
        replay
            .rankings
            .scores
            .insert((one.input.subject, round), one.score);
    }
    replay.rankings.held += 1;
    // Why somebody has an interest would tell who they are: that sheets were left out is said, not proven.
    let (left_en, left_zh) = match voided.len() {
        0 => (String::new(), String::new()),
        left => (
            format!("; {left} left out for an interest, whose grounds are not shown"),
            format!(";另有 {left} 份因回避作废,理由不公开"),
        ),
    };
    replay.rankings.to_void.extend(voided);
    replay.say(Said::holds(
        format!("ranking of {round}: {sheets} sheets give the scores and places of all {count} applications{left_en}"),
        format!("{}排名:由 {sheets} 份评分表重新得出全部 {count} 份申报的得分与名次{left_zh}", round.zh()),
    ));
    Ok(())
}

impl Replay<'_> {
    /// What a panel left out has to be void when the file ends, too.
    pub(super) fn rankings_end(&mut self) {
        let left = self.rankings.to_void.len();
        if left > 0 {
            self.say(Said::differs(
                format!("{left} sheets were left out of a ranking and are not void"),
                format!("有 {left} 份评分表未计入排名却未作废"),
            ));
        }
    }
}

/// What the sheets of a panel bring in, by the labels of their experts; none where the sheets that
/// the panel counted are not exactly those that were handed in.
fn inputs(
    rankings: &Rankings,
    panel: Uuid,
    recorded: &[Recorded],
    labels: &[Counted],
    voided: &BTreeSet<Uuid>,
) -> Option<Vec<Input>> {
    let mut inputs: BTreeMap<Uuid, Input> = recorded
        .iter()
        .map(|one| {
            let input = Input {
                subject: one.input.subject,
                totals: BTreeMap::new(),
                groups: BTreeMap::new(),
                marks: BTreeMap::new(),
                keys: one.input.keys.clone(),
                domain: one.input.domain.clone(),
                vetoed: false,
                overrun_seconds: None,
            };
            (one.input.subject, input)
        })
        .collect();
    let labels: BTreeMap<Uuid, &Counted> = labels.iter().map(|one| (one.sheet, one)).collect();
    let mut counted = BTreeSet::new();
    for (id, sheet) in rankings
        .sheets
        .iter()
        .filter(|(id, sheet)| sheet.panel == panel && sheet.counts() && !voided.contains(*id))
    {
        // Who withdrew since is not ranked.
        let Some(input) = sheet.subject.and_then(|subject| inputs.get_mut(&subject)) else {
            continue;
        };
        let label = labels.get(id)?;
        // Stands for the expert: only which sheets share it matters.
        let expert = crate::aggregate::derived_id(panel, &label.label);
        if input.totals.insert(expert, sheet.total.clone()).is_some() {
            return None;
        }
        input.vetoed |= sheet.vetoed;
        input.marks.insert(expert, sheet.marks.scores.clone());
        input
            .groups
            .extend(label.group.clone().map(|group| (expert, group)));
        counted.insert(*id);
    }
    let same = counted.len() == labels.len() && counted.iter().eq(labels.keys());
    same.then(|| inputs.into_values().collect())
}

fn holds(inputs: &[Input], recorded: &[Recorded], round: Round, policy: &PolicyDocument) -> bool {
    let criteria = |input: &Input| {
        let recorded = input
            .keys
            .iter()
            .filter(|(key, _)| key.starts_with("criterion:"));
        recorded.eq(means(&input.marks).iter())
    };
    let Some(rules) = policy.rounds.get(&round) else {
        return false;
    };
    let Ok(again) = results(inputs, rules, policy) else {
        return false;
    };
    inputs.iter().all(criteria)
        && again.len() == recorded.len()
        && again.iter().zip(recorded).all(|(again, recorded)| {
            again.input.subject == recorded.input.subject
                && again.input.vetoed == recorded.input.vetoed
                && again.input.overrun_seconds == recorded.input.overrun_seconds
                && again.deduction == recorded.deduction
                && again.score == recorded.score
                && again.raw == recorded.raw
                && again.decided_by == recorded.decided_by
                && again.goes_on == recorded.goes_on
                && (recorded.stopped_by.is_none() || again.stopped_by == recorded.stopped_by)
        })
}

/// The mean of each criterion, as tie-breaks name it.
fn means(marks: &BTreeMap<Uuid, BTreeMap<String, Exact>>) -> BTreeMap<String, Exact> {
    let mut sums: BTreeMap<String, (Exact, i64)> = BTreeMap::new();
    for (key, score) in marks.values().flatten() {
        let sum = sums
            .entry(format!("criterion:{key}"))
            .or_insert((Exact::ZERO, 0));
        *sum = (&sum.0 + score, sum.1 + 1);
    }
    sums.into_iter()
        .filter_map(|(key, (sum, count))| {
            Some((key, sum.checked_div(&Exact::from_integer(count))?))
        })
        .collect()
}
