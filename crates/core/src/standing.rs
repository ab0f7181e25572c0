//! What has to be known of a person beside their rights, to say what they may see: on what they have a
//! sheet in an open round, whose sheets are open to them, what is sealed, and where they have an
//! interest (`visibility.md` F2, F3, R3, R15 to R20).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::actor::{Actor, Role, Scope};
use crate::aggregate::Record;
use crate::application::Application;
use crate::cycle::{self, Cycle};
use crate::expert::{self, Expert};
use crate::kinds::Kind;
use crate::organisation::Organisation;
use crate::panel::{self, Panel};
use crate::policy::document::{Blindness, OthersSheets};
use crate::project::Project;
use crate::sheet::{self, Sheet};
use crate::world::{Need, World};

/// What is known of a viewer beside their rights. Empty: nobody in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What they read in an open round, and how it is blinded.
    pub assigned: BTreeMap<Uuid, Blinding>,
    /// Sheets of others that are open to them.
    pub peers: BTreeSet<Uuid>,
    /// Panels whose scores are kept from staff until they close.
    pub sealed: BTreeSet<Uuid>,
    /// Organisations in which they have an interest.
    pub interests: BTreeSet<Uuid>,
    /// The applications and projects of these.
    pub barred: BTreeSet<Uuid>,
}

/// How an application is shown to an expert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blinding {
    /// As it is.
    Shown,
    /// Without who applies, and with these words struck out of its texts.
    Blind(Vec<String>),
}

impl Standing {
    /// Whether the applicant behind `subject` is hidden.
    pub fn is_blind(&self, subject: Uuid) -> bool {
        matches!(self.assigned.get(&subject), Some(Blinding::Blind(_)))
    }
}

/// Whether somebody with these rights works for the bureau, so that it matters what is sealed and
/// where they have an interest. Auditors read everything (`visibility.md` F4).
pub fn works_for_the_bureau(actor: &Actor) -> bool {
    actor
        .grants
        .iter()
        .any(|grant| matches!(grant.role, Role::Staff | Role::Lead | Role::Finance))
}

/// What [`of`] looks at, as far as is known by now; asked again after each load.
pub fn needs(actor: &Actor, world: &World) -> Vec<Need> {
    let Some(account) = actor.account else {
        return Vec::new();
    };
    let mut needs = vec![
        Need::OfPerson(Kind::Sheet, account),
        Need::One(Kind::Expert, expert::id_of(account)),
    ];
    for sheet in live(account, world) {
        needs.push(Need::One(Kind::Cycle, sheet.journal));
        needs.extend(sheet.data.panel.map(|id| Need::One(Kind::Panel, id)));
        needs.extend(panel::interest_needs(sheet, world));
        let policy = world
            .get::<Cycle>(sheet.journal)
            .and_then(|cycle| cycle.data.policy);
        needs.extend(policy.map(|id| Need::One(Kind::Policy, id)));
        if let (Some(panel), Some(subject)) = (open_panel(sheet, world), sheet.data.subject)
            && panel.data.visibility.others != OthersSheets::Never
        {
            needs.push(Need::PartsOf(Kind::Sheet, subject));
        }
    }
    if works_for_the_bureau(actor) {
        for organisation in interests(actor, account, world) {
            needs.push(Need::OfOrganisation(Kind::Application, organisation));
            needs.push(Need::OfOrganisation(Kind::Project, organisation));
        }
    }
    needs
}

/// The standing of `actor`. The world holds what [`needs`] asked for; `sealed` are the open panels whose
/// scores are sealed.
pub fn of(actor: &Actor, world: &World, sealed: BTreeSet<Uuid>) -> Standing {
    let mut standing = Standing {
        sealed,
        ..Standing::default()
    };
    let Some(account) = actor.account else {
        return standing;
    };
    standing.interests = interests(actor, account, world);
    if works_for_the_bureau(actor) {
        let applications = world
            .all::<Application>()
            .filter(|one| is_among(&standing.interests, one.data.organisation));
        standing.barred.extend(applications.map(|one| one.id));
        let projects = world
            .all::<Project>()
            .filter(|one| is_among(&standing.interests, one.data.organisation));
        standing.barred.extend(projects.map(|one| one.id));
    }
    for sheet in live(account, world) {
        let Some(subject) = sheet.data.subject else {
            continue;
        };
        if panel::interested(sheet, world) {
            standing.barred.insert(subject);
            continue;
        }
        let Some(panel) = open_panel(sheet, world) else {
            continue;
        };
        let blinding = match panel.data.visibility.blindness {
            Blindness::Double => Blinding::Blind(names(subject, world)),
            Blindness::Open | Blindness::Single => Blinding::Shown,
        };
        // Blind in one open round and not in another: what is shown there is known.
        let known = standing.assigned.get(&subject) == Some(&Blinding::Shown);
        if !known {
            standing.assigned.insert(subject, blinding);
        }
        if sees_others(panel, sheet, account, world) {
            let others = world.parts_of::<Sheet>(subject).filter(|other| {
                other.data.panel == Some(panel.id) && other.data.expert != Some(account)
            });
            standing.peers.extend(others.map(|other| other.id));
        }
    }
    standing
        .assigned
        .retain(|subject, _| !standing.barred.contains(subject));
    standing
}

fn is_among(organisations: &BTreeSet<Uuid>, organisation: Option<Uuid>) -> bool {
    organisation.is_some_and(|id| organisations.contains(&id))
}

/// The organisations of which the person is a member, or that they or staff have declared.
fn interests(actor: &Actor, account: Uuid, world: &World) -> BTreeSet<Uuid> {
    let memberships = actor.grants.iter().filter_map(|grant| match grant.scope {
        Scope::Organisation(id) => Some(id),
        Scope::Everywhere | Scope::Cycle(_) => None,
    });
    let expert = world.get::<Expert>(expert::id_of(account));
    let declared = expert.into_iter().flat_map(|expert| &expert.data.conflicts);
    memberships
        .chain(declared.map(|conflict| conflict.organisation))
        .collect()
}

fn live(account: Uuid, world: &World) -> impl Iterator<Item = &Record<Sheet>> {
    world.all::<Sheet>().filter(move |sheet| {
        sheet.data.expert == Some(account)
            && !matches!(sheet.stage, sheet::Stage::Recused | sheet::Stage::Void)
    })
}

/// The panel of a sheet while it scores, in a cycle that runs.
fn open_panel<'a>(sheet: &Record<Sheet>, world: &'a World) -> Option<&'a Record<Panel>> {
    let runs = world.get::<Cycle>(sheet.journal).is_some_and(|cycle| {
        !matches!(cycle.stage, cycle::Stage::Closed | cycle::Stage::Cancelled)
    });
    world
        .get::<Panel>(sheet.data.panel?)
        .filter(|panel| runs && panel.stage == panel::Stage::Open)
}

/// Whether the panel lets who fills in `own` see the sheets of the others on the same subject (R19).
fn sees_others(panel: &Record<Panel>, own: &Record<Sheet>, account: Uuid, world: &World) -> bool {
    use sheet::Stage::{Draft, Pending, Submitted};
    match panel.data.visibility.others {
        OthersSheets::Never => false,
        OthersSheets::AfterOwn => own.stage == Submitted,
        OthersSheets::NothingOutstanding => {
            own.stage == Submitted
                && !live(account, world).any(|sheet| {
                    sheet.data.panel == Some(panel.id) && matches!(sheet.stage, Pending | Draft)
                })
        }
        OthersSheets::Always => true,
    }
}

/// What names the applicant: the organisation's name and its people, as far as they are loaded.
fn names(subject: Uuid, world: &World) -> Vec<String> {
    let application = world.get::<Application>(subject);
    let organisation = application
        .and_then(|one| one.data.organisation)
        .and_then(|id| world.get::<Organisation>(id));
    let profile = organisation.map(|one| &one.data.profile);
    let mut words: Vec<String> = profile
        .into_iter()
        .flat_map(|profile| {
            [
                Some(&profile.name),
                Some(&profile.legal_representative),
                Some(&profile.phone),
                profile.uscc.as_ref(),
            ]
        })
        .flatten()
        .chain(application.map(|one| &one.data.form.lead))
        .map(|word| word.trim().to_owned())
        .filter(|word| 1 < word.chars().count())
        .collect();
    // The longest first, so that a name that holds another one goes as a whole.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}
