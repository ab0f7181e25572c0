//! The records that a decision may look at: loaded beforehand, changed in memory as decisions fall.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::aggregate::{Record, Stored};
use crate::kinds::{Kind, State};

/// Something that has to be loaded before a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// One record, which may turn out not to exist.
    One(Kind, Uuid),
    /// Every record of a kind that is a part of another record.
    PartsOf(Kind, Uuid),
    /// Every record of a kind that belongs to an organisation.
    OfOrganisation(Kind, Uuid),
    /// Every record of a kind that belongs to an account.
    OfPerson(Kind, Uuid),
    /// Every record of a kind in this journal.
    All(Kind),
    /// Which organisations handed in an application in a cycle that began before this journal's.
    EarlierApplicants,
}

impl Need {
    /// The kind of record that is needed.
    pub const fn kind(self) -> Kind {
        match self {
            Self::One(kind, _)
            | Self::PartsOf(kind, _)
            | Self::OfOrganisation(kind, _)
            | Self::OfPerson(kind, _)
            | Self::All(kind) => kind,
            Self::EarlierApplicants => Kind::Application,
        }
    }
}

/// What has been loaded of one journal and of the registry.
#[derive(Clone, Debug, Default)]
pub struct World {
    states: BTreeMap<(Kind, Uuid), State>,
    parts: BTreeMap<(Kind, Uuid), BTreeSet<Uuid>>,
    loaded: BTreeSet<Need>,
    earlier_applicants: BTreeSet<Uuid>,
}

impl World {
    /// Takes in a loaded or changed record.
    pub fn put(&mut self, state: State) {
        if let Some(parent) = state.index().parent {
            self.parts
                .entry((state.kind(), parent))
                .or_default()
                .insert(state.id());
        }
        self.states.insert((state.kind(), state.id()), state);
    }

    /// Takes a record out again, when what created it is refused in the end.
    pub fn remove(&mut self, kind: Kind, id: Uuid) {
        if let Some(state) = self.states.remove(&(kind, id))
            && let Some(parent) = state.index().parent
            && let Some(parts) = self.parts.get_mut(&(kind, parent))
        {
            parts.remove(&id);
            if parts.is_empty() {
                self.parts.remove(&(kind, parent));
            }
        }
    }

    /// Notes that `need` has been loaded completely.
    pub fn mark_loaded(&mut self, need: Need) {
        self.loaded.insert(need);
    }

    /// Whether `need` is answered already.
    pub fn has(&self, need: Need) -> bool {
        self.loaded.contains(&need)
            || match need {
                Need::One(kind, id) => {
                    self.states.contains_key(&(kind, id)) || self.loaded.contains(&Need::All(kind))
                }
                Need::EarlierApplicants => false,
                _ => self.loaded.contains(&Need::All(need.kind())),
            }
    }

    /// Notes that an organisation handed in an application in an earlier cycle.
    pub fn put_earlier_applicant(&mut self, organisation: Uuid) {
        self.earlier_applicants.insert(organisation);
    }

    /// Whether an organisation is known to have handed in an application in an earlier cycle.
    pub fn applied_earlier(&self, organisation: Uuid) -> bool {
        self.earlier_applicants.contains(&organisation)
    }

    /// The record of any kind, if it is loaded and exists.
    pub fn state(&self, kind: Kind, id: Uuid) -> Option<&State> {
        self.states.get(&(kind, id))
    }

    /// The record, if it is loaded and exists.
    pub fn get<A: Stored>(&self, id: Uuid) -> Option<&Record<A>> {
        A::of(self.states.get(&(A::KIND, id))?)
    }

    /// Every loaded record of a kind, by identity.
    pub fn all<A: Stored>(&self) -> impl Iterator<Item = &Record<A>> {
        self.states
            .range((A::KIND, Uuid::nil())..=(A::KIND, Uuid::max()))
            .filter_map(|(_, state)| A::of(state))
    }

    /// Every loaded record of a kind that is a part of `parent`, by identity.
    pub fn parts_of<A: Stored>(&self, parent: Uuid) -> impl Iterator<Item = &Record<A>> {
        self.parts
            .get(&(A::KIND, parent))
            .into_iter()
            .flatten()
            .filter_map(|id| self.get::<A>(*id))
    }
}
