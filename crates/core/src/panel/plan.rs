//! The best assignment of a round, planned and put on record before any sheet is given out.

mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring as scoring;
use fundcycle_scoring::{AssignmentError, AssignmentProblem, Cause, Exact, Fairness};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assignment::{accepts, interests_in, sheet_of};
use super::{Event, Pair, Panel, kind_of_subjects, sheets};
use crate::aggregate::{Decided, Gate, Record};
use crate::application::Application;
use crate::context::Context;
use crate::expert::{self, Expert};
use crate::interest;
use crate::kinds::Kind;
use crate::project::Project;
use crate::rejection::{Fault, Rejection};
use crate::sheet;
use crate::text::comparison_key;
use crate::world::{Need, World};

/// How well an expert fits whose domains include the one of the application or project.
const SAME_DOMAIN: u32 = 4;
/// The most that other domains of the expert add, one each.
const MOST_MENTIONED: usize = 3;

/// No expert scores more than this in one round.
const MOST_LOAD: u32 = 10_000;

/// How well an expert fits an application or project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// The expert's account.
    pub expert: Uuid,
    /// The application or project.
    pub subject: Uuid,
    /// The more, the better; see [`affinity`].
    pub affinity: u32,
}

/// A room, with who scores there and what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// The accounts of its experts.
    pub experts: BTreeSet<Uuid>,
    /// The applications or projects scored there. At the roadshow, if none is named: those whose
    /// session is in the room of this name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub subjects: BTreeSet<Uuid>,
}

/// From what an assignment was planned: everything that counts, so that anyone can recompute it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanInputs {
    /// The applications or projects of the round.
    pub subjects: Vec<Uuid>,
    /// The accounts of the experts.
    pub experts: Vec<Uuid>,
    /// Who fits what; a pair that is not listed has affinity 0.
    pub affinities: Vec<Fit>,
    /// Pairs that must not be: an interest, or given before and not scored.
    pub forbidden: Vec<Pair>,
    /// Pairs that have a sheet already and stay.
    pub kept: Vec<Pair>,
    /// How many experts score each application or project.
    pub per_subject: u32,
    /// The most that one expert scores.
    pub max_load: u32,
    /// The least that each expert scores.
    pub min_load: u32,
    /// What the best assignment is best at.
    pub fairness: Fairness,
    /// Decides between equally good assignments, and nothing else.
    pub seed: u32,
    /// Panels fixed by room, with everything that is in each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Room>,
}

/// A planned assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// From what it was planned.
    pub inputs: PlanInputs,
    /// The pairs that are to get a sheet, beside those kept.
    pub pairs: Vec<Pair>,
    /// The total affinity, kept pairs included.
    pub objective: Exact,
    /// What the total cannot exceed; equal to the objective when that is proven best.
    pub bound: Exact,
    /// The least sum of affinities of any application or project.
    pub minimum_affinity: Exact,
    /// What that cannot exceed; only with `worst_first`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_bound: Option<Exact>,
}

/// What staff ask for.
pub(super) struct Limits {
    pub(super) per_subject: u32,
    pub(super) max_load: u32,
    pub(super) min_load: u32,
    pub(super) fairness: Fairness,
    pub(super) seed: u32,
    pub(super) rooms: BTreeMap<String, Room>,
}

pub(super) const PLANNED: Gate<Panel> = Gate::<Panel>::new(
    "planned",
    "there is no planned assignment",
    "尚无分配方案",
    |panel, _| panel.data.plan.is_some(),
);

/// The pairs that the plan would give out.
pub(super) fn pairs(record: &Record<Panel>) -> &[Pair] {
    record.data.plan.as_ref().map_or(&[], |plan| &plan.pairs)
}

/// Everything in the round, then the organisations behind it; the experts with their accounts.
pub(super) fn needs(record: &Record<Panel>, world: &World) -> Vec<Need> {
    let kind = kind_of_subjects(record.data.round);
    let mut needs = vec![Need::All(Kind::Sheet), Need::All(kind)];
    for account in &record.data.experts {
        needs.push(Need::One(Kind::Expert, expert::id_of(*account)));
        needs.extend(interest::needs(*account, world));
    }
    needs.extend(owners(kind, world));
    needs.push(Need::All(Kind::PitchSession));
    needs
}

/// The organisations behind everything of `kind`.
pub(super) fn owners(kind: Kind, world: &World) -> Vec<Need> {
    let owners: BTreeSet<Uuid> = match kind {
        Kind::Project => world
            .all::<Project>()
            .filter_map(|one| one.data.organisation)
            .collect(),
        _ => world
            .all::<Application>()
            .filter_map(|one| one.data.organisation)
            .collect(),
    };
    let owners = owners.into_iter();
    owners.map(|id| Need::One(Kind::Organisation, id)).collect()
}

/// How well an expert fits, from 0 to 7: 4 if one of their domains is `domain`, and 1 for each of
/// their other domains that `title` mentions, at most 3. Case, width and spaces make no difference.
pub fn affinity(profile: &expert::Profile, domain: &str, title: &str) -> u32 {
    let (domain, title) = (comparison_key(domain), comparison_key(title));
    let mut known: BTreeSet<String> = profile
        .domains
        .iter()
        .map(|one| comparison_key(one))
        .filter(|one| !one.is_empty())
        .collect();
    let same = if known.remove(&domain) {
        SAME_DOMAIN
    } else {
        0
    };
    let mentioned = known.iter().filter(|one| title.contains(one.as_str()));
    mentioned.take(MOST_MENTIONED).fold(same, |sum, _| sum + 1)
}

pub(super) fn decided(
    record: &Record<Panel>,
    limits: Limits,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let inputs = gathered(record, limits, cx)?;
    let plan = planned(&inputs).map_err(|error| match error {
        AssignmentError::Infeasible(cause) => infeasible(&cause, cx),
        AssignmentError::Faults(faults) => {
            let all = faults.join("; ");
            let zh = format!("分配条件有误:{all}");
            Rejection::fault("", "unusable", all, zh)
        }
    })?;
    Ok(Decided::only(Event::Planned {
        plan: Box::new(plan),
    }))
}

/// The best assignment of `inputs`. Pure: the same recorded inputs give the same plan, byte for byte.
///
/// # Errors
///
/// [`AssignmentError`] where the inputs contradict themselves or no assignment keeps all limits.
pub fn planned(inputs: &PlanInputs) -> Result<Plan, AssignmentError> {
    let assignment = scoring::assign(&problem(inputs))?;
    let kept: BTreeSet<&Pair> = inputs.kept.iter().collect();
    let pairs = assignment.pairs.iter().filter_map(|pair| {
        Some(Pair {
            expert: pair.expert.parse().ok()?,
            subject: pair.application.parse().ok()?,
        })
    });
    Ok(Plan {
        pairs: pairs.filter(|pair| !kept.contains(pair)).collect(),
        objective: assignment.objective,
        bound: assignment.bound,
        minimum_affinity: assignment.minimum_application_affinity,
        minimum_bound: assignment.minimum_bound,
        inputs: inputs.clone(),
    })
}

fn problem(inputs: &PlanInputs) -> AssignmentProblem {
    let names = |ids: &[Uuid]| ids.iter().map(Uuid::to_string).collect();
    let named = |pairs: &[Pair]| {
        let named = pairs.iter().map(|pair| scoring::Pair {
            application: pair.subject.to_string(),
            expert: pair.expert.to_string(),
        });
        named.collect()
    };
    AssignmentProblem {
        applications: names(&inputs.subjects),
        experts: names(&inputs.experts),
        affinities: inputs
            .affinities
            .iter()
            .map(|fit| scoring::Affinity {
                application: fit.subject.to_string(),
                expert: fit.expert.to_string(),
                affinity: fit.affinity.into(),
            })
            .collect(),
        conflicts: named(&inputs.forbidden),
        keep: named(&inputs.kept),
        per_application: inputs.per_subject,
        max_load: inputs.max_load,
        min_load: inputs.min_load,
        fairness: inputs.fairness,
        rooms: rooms::of_problem(&inputs.rooms),
        seed: Some(inputs.seed.to_be_bytes().to_vec()),
    }
}

/// What is to be planned, or everything that is wrong with what was asked.
fn gathered(
    record: &Record<Panel>,
    limits: Limits,
    cx: &Context<'_>,
) -> Result<PlanInputs, Rejection> {
    let subjects = subjects(record, cx.world);
    let live: BTreeSet<Pair> = sheets(record, cx.world)
        .filter(|sheet| {
            use sheet::Stage::{Draft, Pending, Submitted};
            matches!(sheet.stage, Pending | Draft | Submitted)
        })
        .filter_map(|sheet| {
            Some(Pair {
                expert: sheet.data.expert?,
                subject: sheet.data.subject?,
            })
        })
        .collect();
    let mut inputs = PlanInputs {
        subjects: subjects.clone(),
        per_subject: limits.per_subject,
        max_load: limits.max_load,
        min_load: limits.min_load,
        fairness: limits.fairness,
        seed: limits.seed,
        ..PlanInputs::default()
    };
    let mut faults = limits.faults();
    inputs.rooms = rooms::filled(limits.rooms, &subjects, record, cx);
    faults.extend(rooms::faults(&inputs.rooms, &subjects, record));
    if subjects.is_empty() {
        faults.push(Fault::new(
            "",
            "nothing_in_round",
            "Nothing is in the round.",
            "本轮次中没有可评审的项目。",
        ));
    }
    for account in &record.data.experts {
        let Some(expert) = cx.world.get::<Expert>(expert::id_of(*account)) else {
            continue;
        };
        // Who left the pool keeps what they have and gets nothing new.
        let active = expert.stage == expert::Stage::Active;
        if !active && !live.iter().any(|pair| pair.expert == *account) {
            continue;
        }
        inputs.experts.push(*account);
        for subject in &subjects {
            let pair = Pair {
                expert: *account,
                subject: *subject,
            };
            let interested = !interests_in(expert, *subject, cx.journal, cx.world).is_empty();
            let kept = live.contains(&pair);
            if kept && interested {
                faults.push(interest_found(expert, *subject, cx));
            } else if kept {
                inputs.kept.push(pair);
            } else if interested
                || !active
                || cx
                    .world
                    .state(Kind::Sheet, sheet_of(record.id, pair))
                    .is_some()
            {
                inputs.forbidden.push(pair);
                continue;
            }
            let (domain, title) = topic(*subject, cx);
            match affinity(&expert.data.profile, domain, title) {
                0 => {}
                affinity => inputs.affinities.push(Fit {
                    expert: *account,
                    subject: *subject,
                    affinity,
                }),
            }
        }
    }
    faults.extend(kept_within(&inputs, cx));
    Rejection::unless_empty(faults)?;
    Ok(inputs)
}

impl Limits {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.per_subject == 0 {
            faults.push(Fault::new(
                "/per_subject",
                "not_positive",
                "At least one expert has to score each.",
                "每项至少须由一名专家评分。",
            ));
        }
        if MOST_LOAD < self.max_load {
            faults.push(Fault::new(
                "/max_load",
                "too_many",
                format!("No expert can score more than {MOST_LOAD}."),
                format!("每名专家至多评 {MOST_LOAD} 项。"),
            ));
        }
        if self.max_load < self.min_load {
            faults.push(Fault::new(
                "/min_load",
                "above_max_load",
                "The least load is above the most.",
                "最低评分数高于最高评分数。",
            ));
        }
        faults
    }
}

/// Everything for which sheets may be given out, by identity.
pub(super) fn subjects(record: &Record<Panel>, world: &World) -> Vec<Uuid> {
    let Some(round) = record.data.round else {
        return Vec::new();
    };
    let all: Vec<Uuid> = match kind_of_subjects(Some(round)) {
        Kind::Project => world.all::<Project>().map(|one| one.id).collect(),
        _ => world.all::<Application>().map(|one| one.id).collect(),
    };
    all.into_iter()
        .filter(|subject| accepts(round, *subject, world))
        .collect()
}

/// Domain and title of an application or project.
fn topic<'a>(subject: Uuid, cx: &Context<'a>) -> (&'a str, &'a str) {
    let application = cx.world.get::<Application>(subject);
    let project = cx.world.get::<Project>(subject);
    match (application, project) {
        (Some(one), _) => (&one.data.form.domain, &one.data.form.title),
        (None, Some(one)) => (&one.data.domain, &one.data.title),
        (None, None) => ("", ""),
    }
}

/// Sheets that were given out already and do not fit what is asked now.
fn kept_within(inputs: &PlanInputs, cx: &Context<'_>) -> Vec<Fault> {
    let mut of_subject: BTreeMap<Uuid, u32> = BTreeMap::new();
    let mut of_expert: BTreeMap<Uuid, u32> = BTreeMap::new();
    for pair in &inputs.kept {
        *of_subject.entry(pair.subject).or_default() += 1;
        *of_expert.entry(pair.expert).or_default() += 1;
    }
    let mut faults = Vec::new();
    for (subject, count) in of_subject {
        if inputs.per_subject < count {
            let name = subject_name(subject, cx);
            faults.push(Fault::new(
                "/per_subject",
                "given_more",
                format!("{name} is given to {count} experts already."),
                format!("{name} 已分配给 {count} 名专家。"),
            ));
        }
    }
    for (expert, count) in of_expert {
        if inputs.max_load < count {
            let name = expert_name(expert, cx);
            faults.push(Fault::new(
                "/max_load",
                "given_more",
                format!("{name} has {count} sheets already."),
                format!("{name} 已有 {count} 份评分表。"),
            ));
        }
    }
    faults
}

fn interest_found(expert: &Record<Expert>, subject: Uuid, cx: &Context<'_>) -> Fault {
    let (name, subject) = (&expert.data.profile.name, subject_name(subject, cx));
    Fault::new(
        "",
        "conflict",
        format!(
            "{name} has a sheet for {subject} and an interest in it: void the sheet first, with the panel open."
        ),
        format!("{name} 已分得 {subject},但存在利害关系:请先在评审组开放后作废该评分表。"),
    )
}

fn subject_name(subject: Uuid, cx: &Context<'_>) -> String {
    let (_, title) = topic(subject, cx);
    let number = cx
        .world
        .get::<Application>(subject)
        .and_then(|one| one.data.number.clone());
    match number {
        Some(number) => format!("{number} {title}"),
        None => format!("{subject} {title}"),
    }
}

fn expert_name(account: Uuid, cx: &Context<'_>) -> String {
    cx.world
        .get::<Expert>(expert::id_of(account))
        .map_or_else(|| account.to_string(), |one| one.data.profile.name.clone())
}

fn listed(names: &[String], comma: &str, none: &str) -> String {
    if names.is_empty() {
        none.to_owned()
    } else {
        names.join(comma)
    }
}

/// The refusal that names who and what cannot work together, at the limit that they run into.
fn infeasible(cause: &Cause, cx: &Context<'_>) -> Rejection {
    let names = |ids: &[String], name: fn(Uuid, &Context<'_>) -> String| -> Vec<String> {
        ids.iter()
            .filter_map(|id| Some(name(id.parse().ok()?, cx)))
            .collect()
    };
    let subjects = names(&cause.applications, subject_name);
    let experts = names(&cause.experts, expert_name);
    let (needed, possible, many) = (cause.needed, cause.possible, experts.len());
    let (these, them) = (subjects.join("、"), listed(&experts, "、", "无"));
    let (those, they) = (subjects.join(", "), listed(&experts, ", ", "none"));
    let (at, en, zh) = if cause.idle {
        (
            "/min_load",
            format!(
                "These {many} expert(s) have to score {needed}, but only {possible} can be given to them: {they}."
            ),
            format!("以下 {many} 名专家须评 {needed} 项,但只能分得 {possible} 项:{them}。"),
        )
    } else if subjects.len() == 1 && (many as u64) == possible {
        (
            "/per_subject",
            format!("{those} needs {needed} expert(s), but only {possible} may score it: {they}."),
            format!("{these} 须由 {needed} 名专家评分,但只有 {possible} 名可评:{them}。"),
        )
    } else {
        (
            "/max_load",
            format!(
                "These need {needed} sheets of {many} expert(s) who can take {possible}: {those}; experts: {they}."
            ),
            format!(
                "以下项目须由 {many} 名专家出具 {needed} 份评分表,但他们至多承担 {possible} 份:{these};专家:{them}。"
            ),
        )
    };
    Rejection::fault(at, "infeasible", en, zh)
}
