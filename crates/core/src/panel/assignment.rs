//! Who may sit, and who may score what.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Event, Pair, Panel, in_round, kind_of_subjects, sheets};
use crate::account::Account;
use crate::aggregate::{Decided, Record, Stored as _, derived_id};
use crate::application::{self, Application};
use crate::context::Context;
use crate::expert::{self, Expert};
use crate::interest::{self, Interest};
use crate::kinds::Kind;
use crate::policy::Round;
use crate::project::Project;
use crate::rejection::{Fault, Rejection, Text};
use crate::sheet::{self, Sheet};
use crate::world::{Need, World};

pub(super) fn seated(
    record: &Record<Panel>,
    experts: &BTreeSet<Uuid>,
    chair: Option<Uuid>,
    cx: &Context<'_>,
) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    for (index, account) in experts.iter().enumerate() {
        let active = cx
            .world
            .get::<Expert>(expert::id_of(*account))
            .is_some_and(|expert| expert.stage == expert::Stage::Active);
        if !active {
            faults.push(Fault::new(
                format!("/experts/{index}"),
                "not_active",
                "This account is not an active expert.",
                "该账户不是在库专家。",
            ));
        } else if !record.data.experts.contains(account) && applies(*account, cx) {
            faults.push(applicant(format!("/experts/{index}")));
        }
    }
    if chair.is_some_and(|chair| !experts.contains(&chair)) {
        faults.push(Fault::new(
            "/chair",
            "not_seated",
            "The chair has to be one of the experts.",
            "组长须为评审组成员。",
        ));
    }
    let leaving = record.data.experts.difference(experts);
    faults.extend(free_of_sheets(record, leaving, cx));
    Rejection::unless_empty(faults)
}

/// Whether somebody belongs to an organisation that applies in this cycle, and so judges nothing in it.
pub(super) fn applies(account: Uuid, cx: &Context<'_>) -> bool {
    let account = cx.world.get::<Account>(account);
    account.is_some_and(|one| !interest::applies_for(&one.data, cx.journal, cx.world).is_empty())
}

pub(super) fn applicant(at: String) -> Fault {
    Fault::new(
        at,
        "applicant",
        "This expert belongs to an organisation that applies in this cycle, and judges nobody in it.",
        "该专家为本届申报方成员,不得参加本届评审。",
    )
}

/// Which of those who leave still have sheets of the panel that count or may come to count.
pub(super) fn free_of_sheets<'a>(
    record: &Record<Panel>,
    leaving: impl IntoIterator<Item = &'a Uuid>,
    cx: &Context<'_>,
) -> Vec<Fault> {
    let has_sheets = |account: &&Uuid| {
        sheets(record, cx.world).any(|sheet| {
            sheet.data.expert == Some(**account)
                && !matches!(sheet.stage, sheet::Stage::Void | sheet::Stage::Recused)
        })
    };
    let leaving = leaving.into_iter().filter(has_sheets);
    leaving
        .map(|account| {
            Fault::new(
                "/experts",
                "has_sheets",
                format!("Expert {account} still has sheets: void them first."),
                format!("专家 {account} 仍有评分表,请先作废。"),
            )
        })
        .collect()
}

/// Whether every expert has a group that the round weighs, and none where it weighs no groups.
pub(super) fn grouped(
    round: Round,
    experts: &BTreeSet<Uuid>,
    groups: &BTreeMap<Uuid, String>,
    cx: &Context<'_>,
) -> Result<(), Rejection> {
    let rules = cx.policy().and_then(|policy| policy.rounds.get(&round));
    let Some(weights) = rules.map(|rules| &rules.aggregation.groups) else {
        return Ok(());
    };
    let mut faults = Vec::new();
    for (account, group) in groups {
        let at = format!("/groups/{account}");
        if !experts.contains(account) {
            faults.push(Fault::new(
                &at,
                "not_seated",
                "This expert does not sit on the panel.",
                "该专家不是评审组成员。",
            ));
        }
        if !weights.contains_key(group) {
            faults.push(Fault::new(
                &at,
                "no_such_group",
                "The policy gives this juror group no weight in the round.",
                "现行规则未为该评委组设定本轮权重。",
            ));
        }
    }
    if !weights.is_empty() {
        for account in experts.iter().filter(|one| !groups.contains_key(*one)) {
            faults.push(Fault::new(
                format!("/groups/{account}"),
                "no_group",
                "The round weighs juror groups: say to which this expert belongs.",
                "本轮按评委组加权,请注明该专家所属评委组。",
            ));
        }
    }
    Rejection::unless_empty(faults)
}

pub(super) fn assignment_needs(record: &Record<Panel>, pair: Pair, world: &World) -> Vec<Need> {
    let mut needs = vec![
        Need::One(Kind::Expert, expert::id_of(pair.expert)),
        Need::One(kind_of_subjects(record.data.round), pair.subject),
        Need::PartsOf(Kind::Sheet, pair.subject),
    ];
    needs.extend(interest::needs(pair.expert, world));
    needs.extend(owner_of(pair.subject, world).map(|id| Need::One(Kind::Organisation, id)));
    needs
}

/// The identity of the sheet by which `panel` gives a pair out: there is never a second one.
pub(super) fn sheet_of(panel: Uuid, pair: Pair) -> Uuid {
    derived_id(panel, &format!("{}:{}", pair.subject, pair.expert))
}

/// Whether sheets for `subject` may be given out in `round`.
pub(super) fn accepts(round: Round, subject: Uuid, world: &World) -> bool {
    use application::Stage::{Eligible, InReview, Presented, RoadshowReady, Shortlisted};
    let application = world.get::<Application>(subject);
    match (round, application.map(|application| application.stage)) {
        (Round::PaperReview, Some(Eligible | InReview))
        | (Round::Roadshow, Some(Shortlisted | RoadshowReady | Presented)) => true,
        (Round::PaperReview | Round::Roadshow, _) => false,
        (Round::Midterm | Round::Final, _) => in_round(Some(round), subject, world),
    }
}

/// What tells who has come to have an interest in what they scored.
pub(super) fn interests_need(panel: &Record<Panel>, world: &World) -> Vec<Need> {
    let sheets = world.all::<Sheet>();
    sheets
        .filter(|sheet| sheet.data.panel == Some(panel.id))
        .flat_map(|sheet| interest_needs(sheet, world))
        .collect()
}

/// What tells whether who fills in `sheet` has come to have an interest in its subject.
pub(crate) fn interest_needs(sheet: &Record<Sheet>, world: &World) -> Vec<Need> {
    let subject = sheet.data.subject;
    let person = sheet.data.expert.into_iter().flat_map(|id| {
        let profile = Need::One(Kind::Expert, expert::id_of(id));
        [profile].into_iter().chain(interest::needs(id, world))
    });
    let owner = subject.and_then(|id| owner_of(id, world));
    subject
        .map(|id| Need::One(kind_of_subjects(sheet.data.round), id))
        .into_iter()
        .chain(person)
        .chain(owner.map(|id| Need::One(Kind::Organisation, id)))
        .collect()
}

/// Why who fills in `sheet` must not judge its subject, as is known by now; empty where they may.
pub(crate) fn interests_of(sheet: &Record<Sheet>, world: &World) -> Vec<Interest> {
    let person = sheet.data.expert.map(expert::id_of);
    person
        .and_then(|id| world.get::<Expert>(id))
        .zip(sheet.data.subject)
        .map_or_else(Vec::new, |(expert, subject)| {
            interests_in(expert, subject, sheet.journal, world)
        })
}

/// Whether who fills in `sheet` must not judge its subject.
pub(crate) fn interested(sheet: &Record<Sheet>, world: &World) -> bool {
    !interests_of(sheet, world).is_empty()
}

/// The organisation whose application or project it is.
pub(super) fn owner_of(subject: Uuid, world: &World) -> Option<Uuid> {
    match world.get::<Application>(subject) {
        Some(application) => application.data.organisation,
        None => world.get::<Project>(subject)?.data.organisation,
    }
}

/// Every interest of an expert in an application or project of the cycle of `journal`. The one predicate
/// that keeps experts from what they must not judge.
pub fn interests_in(
    expert: &Record<Expert>,
    subject: Uuid,
    journal: Uuid,
    world: &World,
) -> Vec<Interest> {
    owner_of(subject, world).map_or_else(Vec::new, |organisation| {
        let application = world.get::<Application>(subject);
        interest::interests(expert, organisation, application, journal, world)
    })
}

pub(super) fn assigned(
    record: &Record<Panel>,
    pairs: Vec<Pair>,
    cx: &Context<'_>,
) -> Result<Decided<Panel>, Rejection> {
    let Some(round) = record.data.round else {
        return Err(Rejection::NotFound);
    };
    let mut faults = Vec::new();
    let mut then = Vec::new();
    let mut first_sheets = BTreeSet::new();
    for (index, pair) in pairs.iter().enumerate() {
        let at = format!("/pairs/{index}");
        let id = sheet_of(record.id, *pair);
        let organisation = owner_of(pair.subject, cx.world);
        if !record.data.experts.contains(&pair.expert) {
            faults.push(Fault::new(
                format!("{at}/expert"),
                "not_seated",
                "This expert does not sit on the panel.",
                "该专家不是评审组成员。",
            ));
            continue;
        }
        if cx.world.state(Kind::Sheet, id).is_some() {
            faults.push(Fault::new(
                &at,
                "given_before",
                "This expert was given this one before; who stepped back is not asked again.",
                "该专家已分配过此项;已回避者不再分配。",
            ));
            continue;
        }
        let interests = cx
            .world
            .get::<Expert>(expert::id_of(pair.expert))
            .map_or_else(Vec::new, |expert| {
                interests_in(expert, pair.subject, cx.journal, cx.world)
            });
        if !interests.is_empty() {
            let Text { en, zh } = interest::said(&interests);
            faults.push(Fault::new(
                &at,
                "conflict",
                format!("The expert has a conflict of interest: {en}."),
                format!("该专家与申报方存在利害关系,须回避:{zh}。"),
            ));
            continue;
        }
        if !accepts(round, pair.subject, cx.world) {
            faults.push(Fault::new(
                format!("{at}/subject"),
                "not_in_round",
                "It is not in the round.",
                "该项不在本轮次中。",
            ));
            continue;
        }
        let waiting = cx
            .world
            .get::<Application>(pair.subject)
            .is_some_and(|application| application.stage == application::Stage::Eligible);
        if waiting && first_sheets.insert(pair.subject) {
            then.push(Application::then(
                pair.subject,
                cx.journal,
                application::Command::Assign {},
            ));
        }
        let command = sheet::Command::Assign {
            panel: record.id,
            round,
            subject: pair.subject,
            expert: pair.expert,
            organisation,
        };
        then.push(Sheet::then(id, cx.journal, command));
    }
    Rejection::unless_empty(faults)?;
    Ok(Decided::only(Event::Assigned { pairs }).then(then))
}
