//! A document declared: of which record, for whom, when, and how it is put together.

use std::collections::BTreeSet;

use fundcycle_core::aggregate::Stored;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::policy::PolicyDocument;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Format;
use crate::paper::Paper;
use crate::words::{Language, Words};

/// A document that can be had of every record of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Its name in addresses and file names.
    pub name: &'static str,
    /// Of which kind of record.
    pub kind: Kind,
    /// What it is called.
    pub title: Words,
    /// Whose eyes read it, of those that see the record at all.
    pub eyes: &'static [Eye],
    /// At which stages of the record there is such a document.
    pub stages: &'static [&'static str],
    /// In which formats it can be had.
    pub formats: &'static [Format],
    /// What has to be loaded beside the record; asked again until nothing is missing.
    pub needs: fn(&Viewer, &State, &World) -> Vec<Need>,
    /// What it says; none where there is nothing to say yet.
    pub content: fn(&Source<'_>) -> Option<Paper>,
}

impl Document {
    /// What it is called in a language.
    pub const fn title_in(&self, language: Language) -> &'static str {
        language.say(self.title)
    }

    /// Whether `viewer` may have this document of `state` now.
    pub fn is_for(&self, viewer: &Viewer, state: &State) -> bool {
        let eyes: BTreeSet<Eye> = viewer.eyes(state);
        state.kind() == self.kind
            && self.stages.contains(&state.stage())
            && self.eyes.iter().any(|eye| eyes.contains(eye))
    }

    /// What it says to `viewer`; none where it does not exist for them.
    pub fn paper(
        &self,
        viewer: &Viewer,
        state: &State,
        world: &World,
        language: Language,
    ) -> Option<Paper> {
        if !self.is_for(viewer, state) {
            return None;
        }
        let source = Source {
            viewer,
            state,
            world,
            language,
        };
        let paper = (self.content)(&source)?;
        Some(Paper {
            language,
            title: language.say(self.title).to_owned(),
            programme: source.programme().map_or_else(String::new, |policy| {
                let programme = policy.programme;
                match (language, programme.title_en) {
                    (Language::En, Some(title)) => title,
                    _ => programme.title,
                }
            }),
            ..paper
        })
    }
}

/// What a document is made from: records as its reader sees them.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    viewer: &'a Viewer,
    state: &'a State,
    world: &'a World,
    /// In which language it is written.
    pub language: Language,
}

impl Source<'_> {
    /// The record that the document is of.
    pub fn record(&self) -> Option<View> {
        self.seen(self.state)
    }

    /// The identity of that record.
    pub fn id(&self) -> Uuid {
        self.state.id()
    }

    /// Another record; none where it does not exist for the reader.
    pub fn one(&self, kind: Kind, id: Uuid) -> Option<View> {
        self.seen(self.world.state(kind, id)?)
    }

    /// The records of a kind that are parts of another one, those that the reader sees.
    pub fn parts_of<A: Stored>(&self, parent: Uuid) -> Vec<View> {
        let parts = self.world.parts_of::<A>(parent);
        parts
            .filter_map(|part| self.one(A::KIND, part.id))
            .collect()
    }

    /// Every loaded record of a kind that the reader sees.
    pub fn all<A: Stored>(&self) -> Vec<View> {
        let all = self.world.all::<A>();
        all.filter_map(|one| self.one(A::KIND, one.id)).collect()
    }

    /// Whether an organisation handed in an application in an earlier cycle: a count tells no more of it.
    pub fn applied_earlier(&self, organisation: Uuid) -> bool {
        self.world.applied_earlier(organisation)
    }

    /// The rules in force.
    pub fn programme(&self) -> Option<PolicyDocument> {
        let cycle = self.one(Kind::Cycle, self.state.journal())?;
        let policy: Uuid = cycle.read("policy")?;
        self.one(Kind::Policy, policy)?.read("document")
    }

    /// The clock that people of this cycle read.
    pub fn zone(&self) -> TimeZone {
        self.programme().map_or_else(
            || PolicyDocument::zone_named("Asia/Shanghai"),
            |policy| policy.zone(),
        )
    }

    fn seen(&self, state: &State) -> Option<View> {
        Some(View {
            fields: self.viewer.view(state)?,
            id: state.id(),
            stage: state.stage(),
            created_at: state.created_at(),
            is_staff: (self.viewer.eyes(state).iter()).any(|eye| !eye.all_seeing().is_empty()),
            updated_at: state.updated_at(),
        })
    }
}

/// A record as the reader sees it.
#[derive(Clone, Debug)]
pub struct View {
    fields: Map<String, Value>,
    /// Its identity.
    pub id: Uuid,
    /// Where it stands.
    pub stage: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
    is_staff: bool,
}

impl View {
    /// A field; none where the reader does not see it.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.fields.get(name)?).ok()
    }

    /// A text; empty where the reader does not see it.
    pub fn text(&self, name: &str) -> String {
        self.read(name).unwrap_or_default()
    }

    /// When it began: the date of a letter.
    pub const fn dated(&self) -> Timestamp {
        self.created_at
    }

    /// When it last changed; only staff are told.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.is_staff.then_some(self.updated_at)
    }
}

/// The cycle and the rules in force, which every document begins with.
pub(crate) fn cycle_needs(state: &State, world: &World) -> Vec<Need> {
    let journal = state.journal();
    let policy = world
        .get::<Cycle>(journal)
        .and_then(|cycle| cycle.data.policy);
    [Need::One(Kind::Cycle, journal)]
        .into_iter()
        .chain(policy.map(|id| Need::One(Kind::Policy, id)))
        .collect()
}

impl Document {
    /// What is missing in `world` to put the document together.
    pub fn missing(&self, viewer: &Viewer, state: &State, world: &World) -> BTreeSet<Need> {
        let own = (self.needs)(viewer, state, world);
        let every = cycle_needs(state, world).into_iter().chain(own);
        every.filter(|need| !world.has(*need)).collect()
    }
}
