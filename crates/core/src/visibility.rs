//! Who may see what: one predicate, as data, for reads, lists, counts and exports (`visibility.md`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::Account;
use crate::actor::{Actor, Role};
use crate::aggregate::REGISTRY;
use crate::kinds::{Kind, State};
use crate::names::Names as _;
use crate::world::World;

names! {
    /// Through whose eyes a record is seen.
    pub enum Eye {
        /// Anybody.
        Public = "public" "公众",
        /// Anybody signed in.
        Account = "account" "登录用户",
        /// Members of the organisation it belongs to.
        Applicant = "applicant" "申报组织成员",
        /// The person it belongs to.
        Holder = "holder" "本人",
        /// An expert with a live sheet on it, or on what it is a part of.
        Expert = "expert" "专家",
        /// Staff, leads, finance and auditors of the cycle.
        Staff = "staff" "工作人员",
        /// Staff, leads and auditors of the cycle: those who may know who scored what and how.
        Organiser = "organiser" "评审组织人员",
        /// Administrators of accounts.
        Admin = "admin" "系统管理员",
    }
}

/// Records of a kind that an eye may see: all that belong to it, in these stages (empty: in all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Through whose eyes.
    pub eye: Eye,
    /// In which stages, by stable name.
    pub stages: &'static [&'static str],
}

/// A field and the eyes that see it. Staff and auditors see every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the record's data.
    pub name: &'static str,
    /// Who sees it, beside staff.
    pub eyes: &'static [Eye],
}

/// Who looks, with what has to be known about them beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// The applications and projects on which this person has a live sheet.
    pub assigned: BTreeSet<Uuid>,
}

impl Eye {
    /// The roles that look through this eye, where it sees every field; empty for all other eyes.
    pub const fn all_seeing(self) -> &'static [Role] {
        match self {
            Self::Staff => &[Role::Staff, Role::Lead, Role::Finance, Role::Auditor],
            // Whoever pays needs to know no expert.
            Self::Organiser => &[Role::Staff, Role::Lead, Role::Auditor],
            _ => &[],
        }
    }
}

impl Viewer {
    /// A viewer without assignments.
    pub const fn new(actor: Actor) -> Self {
        Self {
            actor,
            assigned: BTreeSet::new(),
        }
    }

    /// The same viewer with the rights that `world` says their account has now: who has just founded
    /// an organisation sees it.
    pub fn as_of(&self, world: &World) -> Self {
        let mut viewer = self.clone();
        if let Some(account) = self.actor.account.and_then(|id| world.get::<Account>(id)) {
            viewer.actor.grants.clone_from(&account.data.grants);
        }
        viewer
    }

    /// The eyes this viewer has towards any record of `journal` that need no look at the record.
    pub fn general_eyes(&self, journal: Uuid) -> BTreeSet<Eye> {
        let cycle = (journal != REGISTRY).then_some(journal);
        let roles = self.actor.roles(cycle, None, None);
        let mut eyes = BTreeSet::from([Eye::Public]);
        if roles.contains(&Role::Account) {
            eyes.insert(Eye::Account);
        }
        if roles.contains(&Role::Admin) {
            eyes.insert(Eye::Admin);
        }
        eyes.extend(Eye::ALL.iter().copied().filter(|eye| {
            let all_seeing = eye.all_seeing();
            (self.actor.system && !all_seeing.is_empty())
                || all_seeing.iter().any(|role| roles.contains(role))
        }));
        eyes
    }

    /// The eyes through which this viewer sees `state`; empty where it does not exist for them.
    pub fn eyes(&self, state: &State) -> BTreeSet<Eye> {
        let index = state.index();
        let mut eyes = self.general_eyes(state.journal());
        if index
            .organisation
            .is_some_and(|id| self.actor.organisations().contains(&id))
        {
            eyes.insert(Eye::Applicant);
        }
        if index.person.is_some() && index.person == self.actor.account {
            eyes.insert(Eye::Holder);
        }
        // A project is assigned by itself: who read its application does not see it for that.
        let parent = index.parent.filter(|_| state.kind() != Kind::Project);
        if self.assigned.contains(&state.id())
            || parent.is_some_and(|parent| self.assigned.contains(&parent))
        {
            eyes.insert(Eye::Expert);
        }
        let stage = state.stage();
        eyes.retain(|eye| {
            sights(state.kind()).iter().any(|sight| {
                sight.eye == *eye && (sight.stages.is_empty() || sight.stages.contains(&stage))
            })
        });
        eyes
    }

    /// What this viewer sees of `state`: none where it does not exist for them.
    pub fn view(&self, state: &State) -> Option<Map<String, Value>> {
        let eyes = self.eyes(state);
        if eyes.is_empty() {
            return None;
        }
        let mut view = state.data();
        if eyes.iter().all(|eye| eye.all_seeing().is_empty()) {
            let fields = state.kind().fields();
            view.retain(|name, _| {
                fields.iter().any(|field| {
                    field.name == name && field.eyes.iter().any(|eye| eyes.contains(eye))
                })
            });
        }
        view.insert("id".to_owned(), state.id().to_string().into());
        view.insert("kind".to_owned(), state.kind().to_string().into());
        view.insert("stage".to_owned(), state.stage().into());
        Some(view)
    }
}

/// The sights of a kind.
pub fn sights(kind: Kind) -> &'static [Sight] {
    kind.sights()
}

/// The entity tag of a view: it changes only with what the viewer may see (`visibility.md` F11).
pub fn entity_tag(view: &Map<String, Value>) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    // Map keys are sorted, so equal views have equal text.
    let text = serde_json::to_vec(view).unwrap_or_default();
    let digest = sha2::Sha256::digest(&text);
    digest.iter().take(8).fold(String::new(), |mut tag, byte| {
        let _ = write!(tag, "{byte:02x}");
        tag
    })
}
