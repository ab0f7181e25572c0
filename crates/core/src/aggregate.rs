//! What every kind of record has in common: a flow table, commands it decides on, events it applies.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::actor::Role;
use crate::context::Context;
use crate::kinds::{self, Kind, State};
use crate::names::Names;
use crate::rejection::{Rejection, ShutGate, Text};
use crate::time::Timestamp;
use crate::visibility::{Field, Shows, Sight};
use crate::world::{Need, World};

/// A command that knows its own verb.
pub trait Verbal {
    /// The field-less name of a command.
    type Verb: Names;

    /// The verb, without what it carries.
    fn verb(&self) -> Self::Verb;
}

/// One kind of record: its data, its flow and its rules. Implementations are pure and total.
///
/// `Default` is the record before its first event, which is always the one of a creating move.
pub trait Aggregate:
    Default + Clone + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Where a record may stand.
    type Stage: Names;
    /// What may be asked.
    type Verb: Names;
    /// A verb with what only the asker can know.
    type Command: Verbal<Verb = Self::Verb>
        + Clone
        + PartialEq
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned
        + JsonSchema
        + Send
        + Sync;
    /// What is recorded, beside the move itself. Carries all that `apply` needs.
    type Event: Clone
        + PartialEq
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned
        + JsonSchema
        + Send
        + Sync;

    /// Which kind this is.
    const KIND: Kind;
    /// The stage of a record that no event has reached yet; creating moves leave from nowhere.
    const FIRST: Self::Stage;
    /// Every move there is; the one source for decisions, API, diagrams and tests.
    const FLOW: &'static [Move<Self>];
    /// The verbs that replace text as a whole: without saying which version it is meant for, such a
    /// command could undo what somebody else wrote.
    const REPLACES: &'static [Self::Verb] = &[];
    /// The verb that changes single fields of the record: it is also asked by `PATCH` on its address.
    const PATCHES: Option<Self::Verb> = None;
    /// Who may see which records of this kind.
    const SIGHTS: &'static [Sight];
    /// Which fields each of them sees; a field not listed is seen by staff and auditors only.
    const FIELDS: &'static [Field];
    /// The field that each part of the index shows; a part that is not listed is for staff alone.
    const SHOWS: &'static [Shows];
    /// Where the applicant is named, as paths such as `form/lead`: taken out for experts of a round
    /// that is blind on both sides.
    const IDENTIFIES: &'static [&'static str] = &[];
    /// What staff do not see either while a sealed round is open.
    const SEALED: &'static [&'static str] = &[];

    /// By what the record is found in lists, and to whom it belongs.
    fn index(&self) -> Index;

    /// To whom the record would belong that `command` creates. Only asked of creating moves.
    fn belongs(_command: &Self::Command, _world: &World) -> Belongs {
        Belongs::default()
    }

    /// The identity that a creating command gives its record, where it follows from what it says.
    fn identity(_command: &Self::Command) -> Option<Uuid> {
        None
    }

    /// What `decide` looks at beside the record itself, the cycle, its policy and what gates ask for.
    /// Asked again after each load, so that what is found may lead to more.
    fn needs(_record: &Record<Self>, _command: &Self::Command, _world: &World) -> Vec<Need> {
        Vec::new()
    }

    /// What `command` makes happen. Called only when the table has the move, the actor has the
    /// role and no gate is shut; what is left to refuse is in the input or in other records.
    ///
    /// # Errors
    ///
    /// [`Rejection::Invalid`] with every fault of the input.
    fn decide(
        record: &Record<Self>,
        command: Self::Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection>;

    /// Takes `event` into the data. Total: replaying any journal never fails. The stage is set by
    /// the recorded move, not here.
    fn apply(&mut self, event: &Self::Event, at: Timestamp);
}

/// One arrow of a flow.
pub struct Move<A: Aggregate> {
    /// The stages it leaves; empty for a creating move.
    pub from: &'static [A::Stage],
    /// What is asked.
    pub verb: A::Verb,
    /// The stage it reaches; none where the stage stays as it is.
    pub to: Option<A::Stage>,
    /// Who may ask; any one of these roles is enough.
    pub by: &'static [Role],
    /// What must hold, all of it.
    pub gates: &'static [Gate<A>],
}

/// A condition that keeps a move shut until it holds. Policy and facts shut gates; nothing adds arrows.
pub struct Gate<A: Aggregate> {
    /// Its stable name.
    pub name: &'static str,
    /// What has to happen first, in English and in Chinese.
    pub says: (&'static str, &'static str),
    /// What the check looks at beside the record, the cycle and its policy.
    pub needs: fn(&Record<A>) -> Vec<Need>,
    /// Whether the way is free.
    pub open: fn(&Record<A>, &Context<'_>) -> bool,
    /// Whether it is time that opens it: then the service makes the move when it is due.
    pub timed: bool,
}

impl<A: Aggregate> Gate<A> {
    /// A gate that looks at nothing but the record, the cycle and its policy.
    pub const fn new(
        name: &'static str,
        en: &'static str,
        zh: &'static str,
        open: fn(&Record<A>, &Context<'_>) -> bool,
    ) -> Self {
        Self {
            name,
            says: (en, zh),
            needs: |_| Vec::new(),
            open,
            timed: false,
        }
    }

    /// The same gate, looking at more.
    pub const fn looking_at(mut self, needs: fn(&Record<A>) -> Vec<Need>) -> Self {
        self.needs = needs;
        self
    }

    /// The same gate, opened by nothing but time.
    pub const fn opened_by_time(mut self) -> Self {
        self.timed = true;
        self
    }

    /// The gate as shown to a caller.
    pub fn shut(&self) -> ShutGate {
        ShutGate {
            gate: self.name.to_owned(),
            message: Text::new(self.says.0, self.says.1),
        }
    }
}

/// One record: where it stands, with what its kind knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<A: Aggregate> {
    /// Its identity.
    pub id: Uuid,
    /// The journal that it lives in: its cycle's id, or [`REGISTRY`].
    pub journal: Uuid,
    /// How many events made it what it is; 0 before the first.
    pub version: i64,
    /// Where it stands.
    pub stage: A::Stage,
    /// When its first event happened.
    pub created_at: Timestamp,
    /// When its last event happened.
    pub updated_at: Timestamp,
    /// What its kind knows.
    pub data: A,
}

/// The journal of what outlives a cycle: accounts, organisations, experts.
pub const REGISTRY: Uuid = Uuid::nil();

impl<A: Aggregate> Record<A> {
    /// A record that nothing has happened to yet.
    pub fn unborn(id: Uuid, journal: Uuid) -> Self {
        Self {
            id,
            journal,
            version: 0,
            stage: A::FIRST,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            data: A::default(),
        }
    }

    /// Whether the record has begun.
    pub const fn exists(&self) -> bool {
        self.version > 0
    }

    /// Takes one recorded event.
    pub fn apply(&mut self, to: A::Stage, event: &A::Event, at: Timestamp) {
        if self.version == 0 {
            self.created_at = at;
        }
        self.version += 1;
        self.stage = to;
        self.updated_at = at;
        self.data.apply(event, at);
    }
}

/// By what a record is found in lists. Each part is a column with an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The record it is a part of: the application of a sheet, the project of a tranche.
    pub parent: Option<Uuid>,
    /// The organisation it belongs to.
    pub organisation: Option<Uuid>,
    /// The account it belongs to.
    pub person: Option<Uuid>,
    /// What lists are grouped by: domain, round, category.
    pub facet: Option<String>,
    /// The human-readable number or code.
    pub number: Option<String>,
    /// What lists are sorted by for people: title or name.
    pub label: Option<String>,
    /// The amount or score that lists are sorted by: fen, or hundredths of a point.
    pub amount: Option<i64>,
}

/// To whom a new record will belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The organisation it will belong to.
    pub organisation: Option<Uuid>,
    /// The account it will belong to.
    pub person: Option<Uuid>,
}

/// What a command makes happen: one event here, and commands that follow on other records.
#[derive(Debug)]
pub struct Decided<A: Aggregate> {
    /// What is recorded on this record.
    pub event: A::Event,
    /// What the service then does elsewhere, in this order and in the same transaction.
    pub then: Vec<Then>,
}

impl<A: Aggregate> Decided<A> {
    /// An event without consequences.
    pub const fn only(event: A::Event) -> Self {
        Self {
            event,
            then: Vec::new(),
        }
    }

    /// The same, followed by `then`.
    pub fn then(mut self, then: impl IntoIterator<Item = Then>) -> Self {
        self.then.extend(then);
        self
    }
}

/// A command that follows from another one; the service asks for it by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Then {
    /// Which record.
    pub id: Uuid,
    /// In which journal.
    pub journal: Uuid,
    /// What is asked of it.
    pub command: kinds::Command,
}

/// The link between a kind and the closed enums over all kinds; implemented by `kinds!`.
pub trait Stored: Aggregate {
    /// The record inside, if it is of this kind.
    fn of(state: &State) -> Option<&Record<Self>>;

    /// The record as one of all kinds.
    fn state(record: Record<Self>) -> State;

    /// A command of this kind as one of all kinds.
    fn command(command: Self::Command) -> kinds::Command;

    /// `command` on record `id`, as a consequence of another one in the same journal.
    fn then(id: Uuid, journal: Uuid, command: Self::Command) -> Then {
        Then {
            id,
            journal,
            command: Self::command(command),
        }
    }
}

/// An identity that follows from another one, so that deciding needs no randomness: the first
/// sixteen bytes of SHA-256 over `parent` and `label`, marked as UUIDv8 (RFC 9562).
pub fn derived_id(parent: Uuid, label: &str) -> Uuid {
    use sha2::Digest as _;
    let digest = sha2::Sha256::new()
        .chain_update(parent.as_bytes())
        .chain_update(label.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
