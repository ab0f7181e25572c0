//! Members drawn by lots (`domain.md` §2.5): who may be drawn, by which rules, and a commitment to the
//! seed are on record before the seed is. Who does not take part is replaced by the drawn substitutes.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_scoring::{self as scoring, Drawn, PanelError, PanelRules, draw_panel, list_hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assignment::{accepts, applicant, applies, free_of_sheets, interests_in};
use super::{Event, Panel, kind_of_subjects, plan};
use crate::aggregate::{Decided, Gate, Record};
use crate::application::Application;
use crate::context::Context;
use crate::expert::{self, Expert};
use crate::interest;
use crate::kinds::Kind;
use crate::project::Project;
use crate::rejection::{Fault, LONGEST_REASON, Rejection};
use crate::seed;
use crate::world::{Need, World};

/// One draw of the members of a panel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersDraw {
    /// Who may be drawn, and the category of each.
    pub pool: BTreeMap<Uuid, String>,
    /// Who of the experts' pool was left out, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub excluded: BTreeMap<Uuid, String>,
    /// Who was left out because they apply in the cycle, or for an interest in something that the round scores.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub conflicted: BTreeSet<Uuid>,
    /// Seats, the fewest of each category, and how many substitutes.
    pub rules: PanelRules,
    /// The hash of the pool's accounts, as the draw defines it.
    pub list_hash: String,
    /// SHA-256 of the seed, recorded before the seed.
    pub commitment: String,
    /// Why it was drawn again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<DrawnMembers>,
}

/// A seed and the panel it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawnMembers {
    /// The seed, in lower-case hexadecimal.
    pub seed: String,
    /// Everybody who could be drawn, in the order drawn.
    pub order: Vec<Uuid>,
    /// The members, in the order drawn; who was replaced is replaced here.
    pub members: Vec<Uuid>,
    /// The substitutes left, in the order drawn.
    pub substitutes: Vec<Uuid>,
    /// Everyone who was replaced, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitutions: Vec<Substitution>,
}

/// A replacement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Substitution {
    /// Who does not take part.
    pub leaves: Uuid,
    /// Who takes the seat.
    pub joins: Uuid,
    /// Why.
    pub reason: String,
    /// Substitutes who were asked before and cannot, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<Uuid, String>,
}

/// What is asked for when a draw is committed to.
pub(super) struct Asked {
    pub(super) rules: PanelRules,
    pub(super) excluded: BTreeMap<Uuid, String>,
    pub(super) conflicted_may_sit: bool,
    pub(super) commitment: String,
    pub(super) reason: Option<String>,
}

pub(super) const FIRST_DRAW: Gate<Panel> = Gate::<Panel>::new(
    "first_draw",
    "the members of this round were drawn, or are about to be: a lead has them drawn again, with a reason",
    "本轮成员已抽取或正在抽取;重新抽取须由审批负责人说明理由后进行",
    |panel, cx| !is_drawn_again(panel, cx),
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);
pub(super) const DRAWN_BEFORE: Gate<Panel> = Gate::<Panel>::new(
    "drawn_before",
    "the first draw is for staff",
    "首次抽取由工作人员进行",
    is_drawn_again,
)
.looking_at(|_| vec![Need::All(Kind::Panel)]);
pub(super) const COMMITTED: Gate<Panel> = Gate::<Panel>::new(
    "draw_committed",
    "no draw is committed to, or its seed is known already",
    "尚未固定抽取名单,或该次抽取已完成",
    |panel, _| {
        panel
            .data
            .draws
            .last()
            .is_some_and(|draw| draw.drawn.is_none())
    },
);
pub(super) const DRAWN: Gate<Panel> = Gate::<Panel>::new(
    "members_drawn",
    "the members were not drawn by lots",
    "成员并非抽签产生",
    |panel, _| standing(&panel.data).is_some(),
);

/// Whether the members of the round were drawn before, in this panel or in another one of the cycle.
fn is_drawn_again(panel: &Record<Panel>, cx: &Context<'_>) -> bool {
    let others = cx
        .world
        .all::<Panel>()
        .filter(|other| other.id != panel.id && other.data.round == panel.data.round);
    !panel.data.draws.is_empty() || others.into_iter().any(|other| !other.data.draws.is_empty())
}

/// The draw that the members come from.
pub(super) fn standing(panel: &Panel) -> Option<(&MembersDraw, &DrawnMembers)> {
    panel
        .draws
        .iter()
        .rev()
        .find_map(|draw| Some((draw, draw.drawn.as_ref()?)))
}

/// Everybody in the experts' pool, and what tells their interests in what the round scores.
pub(super) fn pool_needs(record: &Record<Panel>, world: &World) -> Vec<Need> {
    let kind = kind_of_subjects(record.data.round);
    let accounts = world
        .all::<Expert>()
        .filter_map(|expert| expert.data.account);
    [Need::All(Kind::Expert), Need::All(kind)]
        .into_iter()
        .chain(accounts.flat_map(|account| interest::needs(account, world)))
        .chain(plan::owners(kind, world))
        .collect()
}

/// The substitutes with what tells for whom they apply, and the sheets of who leaves.
pub(super) fn substitute_needs(record: &Record<Panel>, world: &World) -> Vec<Need> {
    let substitutes = standing(&record.data).map_or(&[][..], |(_, drawn)| &drawn.substitutes);
    let substitutes = substitutes.iter().flat_map(|account| {
        let profile = Need::One(Kind::Expert, expert::id_of(*account));
        [profile]
            .into_iter()
            .chain(interest::needs(*account, world))
    });
    substitutes.chain([Need::All(Kind::Sheet)]).collect()
}

pub(super) fn committed(
    record: &Record<Panel>,
    asked: Asked,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let mut faults = Vec::from_iter(seed::commitment_fault(&asked.commitment));
    if asked.rules.seats == 0 {
        faults.push(Fault::new(
            "/rules/seats",
            "not_positive",
            "A panel has at least one seat.",
            "评审组至少须有一席。",
        ));
    }
    let again = is_drawn_again(record, cx);
    if again || asked.reason.is_some() {
        let reason = asked.reason.as_deref().unwrap_or_default();
        faults.extend(Fault::of_text("/reason", reason, LONGEST_REASON));
    }
    let active: Vec<&Record<Expert>> = cx
        .world
        .all::<Expert>()
        .filter(|expert| expert.stage == expert::Stage::Active)
        .collect();
    for (account, why) in &asked.excluded {
        let at = format!("/excluded/{account}");
        faults.extend(Fault::of_text(&at, why, LONGEST_REASON));
        if !active
            .iter()
            .any(|expert| expert.data.account == Some(*account))
        {
            faults.push(Fault::new(
                at,
                "not_active",
                "This account is not an active expert, and would not be drawn.",
                "该账户不是在库专家,本不在抽取范围内。",
            ));
        }
    }
    let subjects = subjects(record, cx);
    let (mut pool, mut conflicted) = (BTreeMap::new(), BTreeSet::new());
    for expert in active {
        let Some(account) = expert.data.account else {
            continue;
        };
        if asked.excluded.contains_key(&account) {
            continue;
        }
        let interested = || {
            subjects
                .iter()
                .any(|subject| !interests_in(expert, *subject, cx.journal, cx.world).is_empty())
        };
        if applies(account, cx) || (!asked.conflicted_may_sit && interested()) {
            conflicted.insert(account);
        } else {
            pool.insert(account, expert.data.profile.category.clone());
        }
    }
    faults.extend(ungrouped(record, &pool, cx));
    // Whether the rules can be met is no matter of the seed.
    let possible = drawn_by(&asked.rules, &pool, &[]);
    faults.extend(possible.err().map(|error| impossible(&error)));
    Rejection::unless_empty(faults)?;
    let list: Vec<String> = pool.keys().map(Uuid::to_string).collect();
    let draw = MembersDraw {
        list_hash: list_hash(&list).map_err(|error| Rejection::Invalid {
            faults: vec![impossible(&error.into())],
        })?,
        pool,
        excluded: asked.excluded,
        conflicted,
        rules: asked.rules,
        commitment: asked.commitment,
        reason: asked.reason,
        drawn: None,
    };
    Ok(Decided::only(Event::DrawCommitted {
        draw: Box::new(draw),
    }))
}

/// What the round scores, as far as it is known by now.
fn subjects(record: &Record<Panel>, cx: &Context<'_>) -> Vec<Uuid> {
    let Some(round) = record.data.round else {
        return Vec::new();
    };
    let all: Vec<Uuid> = match kind_of_subjects(Some(round)) {
        Kind::Project => cx.world.all::<Project>().map(|one| one.id).collect(),
        _ => cx.world.all::<Application>().map(|one| one.id).collect(),
    };
    all.into_iter()
        .filter(|id| accepts(round, *id, cx.world))
        .collect()
}

/// Where the round weighs juror groups, the category of an expert is the group.
fn ungrouped(
    record: &Record<Panel>,
    pool: &BTreeMap<Uuid, String>,
    cx: &Context<'_>,
) -> Vec<Fault> {
    let weights = weights(record, cx);
    if weights.is_empty() {
        return Vec::new();
    }
    let without = pool
        .iter()
        .filter(|(_, category)| !weights.contains(category.as_str()));
    without
        .map(|(account, category)| {
            Fault::new(
                format!("/excluded/{account}"),
                "no_such_group",
                format!("The round weighs juror groups, and the category `{category}` of this expert is none: correct it, or leave the expert out."),
                format!("本轮按评委组加权,该专家的类别“{category}”不是评委组:请更正,或将其排除。"),
            )
        })
        .collect()
}

fn weights<'a>(record: &Record<Panel>, cx: &Context<'a>) -> BTreeSet<&'a str> {
    let rules = cx
        .policy()
        .zip(record.data.round)
        .and_then(|(policy, round)| policy.rounds.get(&round));
    rules
        .map(|rules| {
            rules
                .aggregation
                .groups
                .keys()
                .map(String::as_str)
                .collect()
        })
        .unwrap_or_default()
}

/// The panel that `seed` draws from `pool`. Pure: what is recorded gives the same panel again.
///
/// # Errors
///
/// [`PanelError`] where the pool is too small for the rules.
pub fn drawn_by(
    rules: &PanelRules,
    pool: &BTreeMap<Uuid, String>,
    seed: &[u8],
) -> Result<DrawnMembers, PanelError> {
    let named = pool
        .iter()
        .map(|(account, category)| (account.to_string(), category.clone()));
    let panel = draw_panel(rules, &named.collect(), seed)?;
    let accounts = |names: &mut dyn Iterator<Item = &String>| {
        names.filter_map(|name| name.parse().ok()).collect()
    };
    Ok(DrawnMembers {
        seed: seed.iter().map(|byte| format!("{byte:02x}")).collect(),
        order: accounts(&mut panel.drawn.order.iter()),
        members: accounts(&mut panel.members.iter().map(|member| &member.expert)),
        substitutes: accounts(&mut panel.substitutes.iter().map(|member| &member.expert)),
        substitutions: Vec::new(),
    })
}

pub(super) fn drawn(
    record: &Record<Panel>,
    seed: &str,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let Some(draw) = record.data.draws.last() else {
        return Err(Rejection::NotFound);
    };
    let seed = seed::revealed(seed, Some(&draw.commitment))?;
    let drawn = drawn_by(&draw.rules, &draw.pool, &seed).map_err(|error| Rejection::Invalid {
        faults: vec![impossible(&error)],
    })?;
    let members: BTreeSet<Uuid> = drawn.members.iter().copied().collect();
    let leaving = record.data.experts.difference(&members);
    Rejection::unless_empty(free_of_sheets(record, leaving, cx))?;
    let weighs = !weights(record, cx).is_empty();
    let groups = draw
        .pool
        .iter()
        .filter(|(account, _)| weighs && members.contains(account));
    Ok(Decided::only(Event::MembersDrawn {
        groups: groups
            .map(|(account, category)| (*account, category.clone()))
            .collect(),
        drawn: Box::new(drawn),
    }))
}

pub(super) fn substituted(
    record: &Record<Panel>,
    leaves: Uuid,
    reason: String,
    refused: BTreeMap<Uuid, String>,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let Some((draw, drawn)) = standing(&record.data) else {
        return Err(Rejection::NotFound);
    };
    let mut faults = Vec::from_iter(Fault::of_text("/reason", &reason, LONGEST_REASON));
    for (account, why) in &refused {
        let at = format!("/refused/{account}");
        faults.extend(Fault::of_text(&at, why, LONGEST_REASON));
        if !drawn.substitutes.contains(account) {
            faults.push(Fault::new(
                at,
                "not_a_substitute",
                "This expert is not among the substitutes left.",
                "该专家不在剩余的候补名单中。",
            ));
        }
    }
    faults.extend(free_of_sheets(record, [&leaves], cx));
    Rejection::unless_empty(faults)?;
    let joins = next(draw, drawn, leaves, &refused).map_err(|error| Rejection::Invalid {
        faults: vec![impossible(&error)],
    })?;
    let expert = cx.world.get::<Expert>(expert::id_of(joins));
    if expert.is_none_or(|expert| expert.stage != expert::Stage::Active) {
        return Err(Rejection::fault(
            format!("/refused/{joins}"),
            "not_active",
            format!(
                "{joins} is next and no active expert any more: name them among those who cannot, with the reason."
            ),
            format!("下一名候补 {joins} 已不在库,请将其列为不能参加并说明原因。"),
        ));
    }
    if applies(joins, cx) {
        let fault = applicant(format!("/refused/{joins}"));
        return Err(Rejection::Invalid {
            faults: vec![fault],
        });
    }
    let substitution = Substitution {
        leaves,
        joins,
        reason,
        refused,
    };
    Ok(Decided::only(Event::Substituted { substitution }))
}

/// Who takes the seat of `leaves`: the first substitute, but for those who cannot, with whom every
/// category keeps its minimum.
fn next(
    draw: &MembersDraw,
    drawn: &DrawnMembers,
    leaves: Uuid,
    refused: &BTreeMap<Uuid, String>,
) -> Result<Uuid, PanelError> {
    let member = |account: &Uuid| scoring::PanelMember {
        expert: account.to_string(),
        category: draw.pool.get(account).cloned().unwrap_or_default(),
    };
    let asked = drawn
        .substitutes
        .iter()
        .filter(|account| !refused.contains_key(*account));
    let panel = scoring::Panel {
        drawn: Drawn {
            list_hash: draw.list_hash.clone(),
            order: Vec::new(),
            steps: Vec::new(),
        },
        members: drawn.members.iter().map(member).collect(),
        substitutes: asked.map(member).collect(),
        substitutions: Vec::new(),
    };
    let leaves = leaves.to_string();
    let panel = panel.replace(&draw.rules, &leaves, "")?;
    let joins = panel
        .substitutions
        .last()
        .and_then(|one| one.joins.parse().ok());
    joins.ok_or(PanelError::NoSubstitute(leaves))
}

/// Members who were drawn change by substitution as long as there is a substitute.
pub(super) fn chosen_freely(
    record: &Record<Panel>,
    experts: &BTreeSet<Uuid>,
) -> Result<(), Rejection> {
    match standing(&record.data) {
        Some((_, drawn)) if !drawn.substitutes.is_empty() && *experts != record.data.experts => {
            Err(Rejection::fault(
                "/experts",
                "drawn",
                "The members were drawn by lots: replace who does not take part by the substitutes.",
                "成员由抽签产生:不能参加者请由候补递补。",
            ))
        }
        _ => Ok(()),
    }
}

fn impossible(error: &PanelError) -> Fault {
    let (pointer, code, zh) = match error {
        PanelError::TooFewExperts { seats, experts } => (
            "/rules/seats".to_owned(),
            "too_few_experts",
            format!("评审组 {seats} 席,但可抽取的专家只有 {experts} 名。"),
        ),
        PanelError::TooFewOfCategory {
            category,
            needed,
            found,
        } => (
            format!(
                "/rules/at_least/{}",
                category.replace('~', "~0").replace('/', "~1")
            ),
            "too_few_experts",
            format!("类别“{category}”须有 {needed} 名,但可抽取的只有 {found} 名。"),
        ),
        PanelError::TooFewSeats { seats, needed } => (
            "/rules/seats".to_owned(),
            "too_few_seats",
            format!("各类别共须 {needed} 席,评审组只有 {seats} 席。"),
        ),
        PanelError::NotAMember(expert) => (
            "/expert".to_owned(),
            "not_seated",
            format!("{expert} 不是评审组成员。"),
        ),
        PanelError::NoSubstitute(expert) => (
            "/expert".to_owned(),
            "no_substitute",
            format!("没有可接替 {expert} 的候补。"),
        ),
        PanelError::Draw(error) => (
            String::new(),
            "not_drawable",
            format!("名单无法抽签:{error}"),
        ),
    };
    Fault::new(pointer, code, format!("{error}."), zh)
}

impl Panel {
    /// Takes a substitution into the members, their groups and the draw.
    pub(super) fn substitute(&mut self, substitution: &Substitution) {
        let Substitution {
            leaves,
            joins,
            refused,
            ..
        } = substitution;
        self.experts.remove(leaves);
        self.experts.insert(*joins);
        self.chair = self.chair.filter(|chair| chair != leaves);
        let draw = self
            .draws
            .iter_mut()
            .rev()
            .find(|draw| draw.drawn.is_some());
        let Some((draw, drawn)) = draw.and_then(|draw| Some((&draw.pool, draw.drawn.as_mut()?)))
        else {
            return;
        };
        if self.groups.remove(leaves).is_some()
            && let Some(category) = draw.get(joins)
        {
            self.groups.insert(*joins, category.clone());
        }
        for member in drawn.members.iter_mut().filter(|member| *member == leaves) {
            *member = *joins;
        }
        drawn
            .substitutes
            .retain(|one| one != joins && !refused.contains_key(one));
        drawn.substitutions.push(substitution.clone());
    }
}
