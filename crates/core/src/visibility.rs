//! Who may see what: one predicate, as data, for reads, lists, counts and exports (`visibility.md`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::Account;
use crate::actor::{Actor, Role};
use crate::aggregate::REGISTRY;
use crate::kinds::{Kind, State};
use crate::names::Names as _;
use crate::standing::{Blinding, Standing};
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
        /// An expert with a live sheet in an open round on it, or on what it is a part of.
        Expert = "expert" "专家",
        /// An expert to whom the sheets of the others are open.
        Peer = "peer" "同组专家",
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

/// What lists are found, filtered or sorted by, beside stage and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The record it is a part of.
    Parent,
    /// Domain, round or category.
    Facet,
    /// The human-readable number or code.
    Number,
    /// Title or name.
    Label,
    /// Amount or score.
    Amount,
}

/// A column, and the field that it shows: to find by one is to read the other (`visibility.md` F11).
pub type Shows = (Column, &'static str);

/// Who looks, with what has to be known about them beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What is known of them beside their rights.
    pub standing: Standing,
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
    /// A viewer of whom nothing more is known.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            standing: Standing::default(),
        }
    }

    /// The same viewer with the rights that `world` says their account has now: who has just founded
    /// an organisation sees it.
    pub fn as_of(&self, world: &World) -> Self {
        let mut viewer = self.clone();
        if let Some(account) = self.actor.account.and_then(|id| world.get::<Account>(id)) {
            viewer.actor = viewer.actor.granted(account.data.grants.clone());
        }
        viewer
    }

    /// The eyes this viewer has towards any record of `journal` that need no look at the record.
    pub fn general_eyes(&self, journal: Uuid) -> BTreeSet<Eye> {
        let roles = self.general_roles(journal);
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

    fn general_roles(&self, journal: Uuid) -> BTreeSet<Role> {
        let cycle = (journal != REGISTRY).then_some(journal);
        self.actor.roles(cycle, None, None)
    }

    /// Whether this viewer reads everything of `journal`, whatever is sealed and whoever is concerned:
    /// auditors, who can change nothing, and the service itself.
    pub fn reads_everything(&self, journal: Uuid) -> bool {
        self.actor.system || self.general_roles(journal).contains(&Role::Auditor)
    }

    /// Whether this viewer has an interest in what `state` is about, so that it does not exist for
    /// their office (`visibility.md` R3, F3).
    pub fn is_barred(&self, state: &State) -> bool {
        let Standing {
            interests, barred, ..
        } = &self.standing;
        if state.journal() == REGISTRY || self.reads_everything(state.journal()) {
            return false;
        }
        let index = state.index();
        let own = self.actor.organisations();
        index
            .organisation
            .is_some_and(|id| interests.contains(&id) || own.contains(&id))
            || barred.contains(&state.id())
            || index.parent.is_some_and(|id| barred.contains(&id))
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
        let assigned = &self.standing.assigned;
        if assigned.contains_key(&state.id())
            || parent.is_some_and(|parent| assigned.contains_key(&parent))
        {
            eyes.insert(Eye::Expert);
        }
        if self.standing.peers.contains(&state.id()) {
            eyes.insert(Eye::Peer);
        }
        if self.is_barred(state) {
            eyes.retain(|eye| !OFFICIAL.contains(eye));
        }
        if !self.actor.reaches(state.journal()) {
            eyes.retain(|eye| *eye == Eye::Public);
        }
        let stage = state.stage();
        eyes.retain(|eye| {
            sights(state.kind()).iter().any(|sight| {
                sight.eye == *eye && (sight.stages.is_empty() || sight.stages.contains(&stage))
            })
        });
        eyes
    }

    /// Whether a list finds `state` for this viewer by the columns `asked`: only through an eye that
    /// sees what they show. The store says the same in SQL.
    pub fn finds(&self, state: &State, asked: &BTreeSet<Column>) -> bool {
        let kind = state.kind();
        let blind = self.blinding(state).is_some();
        self.eyes(state).into_iter().any(|eye| {
            asked.iter().all(|column| {
                reads(eye, kind, *column)
                    && !(eye == Eye::Expert && blind && identifies(kind, *column))
            })
        })
    }

    /// What this viewer sees of `state`: none where it does not exist for them.
    pub fn view(&self, state: &State) -> Option<Map<String, Value>> {
        let eyes = self.eyes(state);
        if eyes.is_empty() {
            return None;
        }
        let mut view = state.data();
        if eyes.iter().any(|eye| !eye.all_seeing().is_empty()) {
            self.withhold(state, &mut view);
        } else {
            let fields = state.kind().fields();
            view.retain(|name, _| {
                fields.iter().any(|field| {
                    field.name == name && field.eyes.iter().any(|eye| eyes.contains(eye))
                })
            });
            if !eyes.contains(&Eye::Applicant) {
                self.blind(state, &mut view);
            }
        }
        view.insert("id".to_owned(), state.id().to_string().into());
        view.insert("kind".to_owned(), state.kind().to_string().into());
        view.insert("stage".to_owned(), state.stage().into());
        Some(view)
    }

    /// Takes out what is sealed, and what speaks of something that this viewer has an interest in.
    fn withhold(&self, state: &State, view: &mut Map<String, Value>) {
        if self.reads_everything(state.journal()) {
            return;
        }
        if self.is_sealed(state) {
            view.retain(|name, _| !state.kind().sealed().contains(&name.as_str()));
        }
        let barred: Vec<String> = self.standing.barred.iter().map(Uuid::to_string).collect();
        if !barred.is_empty() && state.journal() != REGISTRY {
            view.retain(|_, value| {
                let text = value.to_string();
                !barred.iter().any(|id| text.contains(id.as_str()))
            });
        }
    }

    /// Whether `state` is an open panel whose scores are sealed, or a sheet of one, or a sheet that a clerk
    /// has entered from paper and a second one has yet to read for themselves.
    pub fn is_sealed(&self, state: &State) -> bool {
        let (panel, is_half_entered) = match state {
            State::Panel(panel) => (Some(panel.id), false),
            State::Sheet(sheet) => (sheet.data.panel, sheet.data.transcript.is_some()),
            _ => (None, false),
        };
        is_half_entered || panel.is_some_and(|id| self.standing.sealed.contains(&id))
    }

    /// Takes out who applies, where the round hides that.
    fn blind(&self, state: &State, view: &mut Map<String, Value>) {
        let Some(words) = self.blinding(state) else {
            return;
        };
        for path in state.kind().identifies() {
            take_out(view, path);
        }
        for value in view.values_mut() {
            strike_out(value, words);
        }
        if state.kind() == Kind::Attachment {
            // Something to call it by that says nothing.
            let id = state.id().simple().to_string();
            let end = id.get(24..).unwrap_or_default();
            view.insert("name".to_owned(), format!("附件 {end}").into());
        }
    }

    /// The words to strike out where an expert's round hides who is behind `state`.
    fn blinding(&self, state: &State) -> Option<&[String]> {
        let subjects = [Some(state.id()), state.index().parent];
        subjects
            .into_iter()
            .flatten()
            .find_map(|id| match self.standing.assigned.get(&id)? {
                Blinding::Blind(words) => Some(words.as_slice()),
                Blinding::Shown => None,
            })
    }

    /// Whether the applicant behind `state` is hidden from this viewer.
    pub fn is_blinded(&self, state: &State) -> bool {
        let eyes = self.eyes(state);
        self.blinding(state).is_some()
            && !eyes.contains(&Eye::Applicant)
            && eyes.iter().all(|eye| eye.all_seeing().is_empty())
    }
}

/// Whether `eye` sees what a column shows.
pub fn reads(eye: Eye, kind: Kind, column: Column) -> bool {
    !eye.all_seeing().is_empty()
        || shown_by(kind, column).is_some_and(|name| {
            let fields = kind.fields().iter();
            fields
                .filter(|field| field.name == name)
                .any(|field| field.eyes.contains(&eye))
        })
}

/// Whether a column shows what is taken out where the applicant is hidden.
pub fn identifies(kind: Kind, column: Column) -> bool {
    shown_by(kind, column).is_some_and(|name| kind.identifies().contains(&name))
}

fn shown_by(kind: Kind, column: Column) -> Option<&'static str> {
    let mut shows = kind.shows().iter();
    shows.find(|(one, _)| *one == column).map(|(_, name)| *name)
}

/// Eyes that come with an office, and go where the viewer has an interest. A sheet on it goes with the
/// office of an expert, although it is theirs.
pub const OFFICIAL: [Eye; 5] = [
    Eye::Staff,
    Eye::Organiser,
    Eye::Expert,
    Eye::Peer,
    Eye::Holder,
];

/// Removes the member at `path`, such as `form/lead`.
fn take_out(view: &mut Map<String, Value>, path: &str) {
    match path.split_once('/') {
        None => drop(view.remove(path)),
        Some((name, rest)) => {
            if let Some(inner) = view.get_mut(name).and_then(Value::as_object_mut) {
                take_out(inner, rest);
            }
        }
    }
}

/// Blots the words out of every text in `value`.
fn strike_out(value: &mut Value, words: &[String]) {
    match value {
        Value::String(text) => {
            for word in words {
                if text.contains(word.as_str()) {
                    *text = text.replace(word.as_str(), BLOT);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| strike_out(one, words)),
        Value::Object(map) => map.values_mut().for_each(|one| strike_out(one, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What stands where a name was; its length tells nothing.
const BLOT: &str = "█";

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
