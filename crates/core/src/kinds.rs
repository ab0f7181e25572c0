//! The kinds of record there are, and the closed enums over all of them.
//!
//! A new kind is one file that implements [`Aggregate`](crate::aggregate::Aggregate) and one line below.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::actor::{Actor, Role};
use crate::aggregate::{
    Aggregate, Belongs, Index, Move, REGISTRY, Record, Stored, Then, Verbal as _,
};
use crate::context::Context;
use crate::names::Names as _;
use crate::rejection::{Rejection, ShutGate};
use crate::time::Timestamp;
use crate::visibility::{Field, Shows, Sight};
use crate::world::{Need, World};

/// One arrow of any flow, by stable names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnyMove {
    /// The stages it leaves; empty for a creating move.
    pub from: Vec<&'static str>,
    /// What is asked.
    pub verb: &'static str,
    /// What is asked, in Chinese.
    pub zh: &'static str,
    /// What is asked, in one sentence.
    pub summary: &'static str,
    /// The stage it reaches; none where the stage stays as it is.
    pub to: Option<&'static str>,
    /// Who may ask.
    pub by: Vec<Role>,
    /// Whether it replaces text as a whole, so that the asker has to say which version they have seen.
    pub replaces: bool,
    /// Whether it changes single fields, so that it is also asked by `PATCH`.
    pub patches: bool,
    /// Whether the service makes it by itself when time opens its gates.
    pub by_time: bool,
    /// The gates on it: name, English, Chinese.
    pub gates: Vec<(&'static str, &'static str, &'static str)>,
}

/// A stage by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AnyStage {
    /// Stable name.
    pub name: &'static str,
    /// As shown in Chinese.
    pub zh: &'static str,
    /// What it means, in English.
    pub summary: &'static str,
}

/// A text that is not a state, command or event of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {what} of kind {kind}, at `{path}`: {message}")]
pub struct Malformed {
    /// What was expected: state, command, event or stage.
    pub what: &'static str,
    /// Of which kind.
    pub kind: Kind,
    /// Where in the document, as a JSON Pointer.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// What the engine records of one move.
pub(crate) struct Step {
    pub(crate) verb: &'static str,
    pub(crate) from: Option<&'static str>,
    pub(crate) to: &'static str,
    pub(crate) event: Event,
    pub(crate) then: Vec<Then>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $Kind:ident($module:ident) = $name:literal $zh:literal, $plural:literal, $home:ident;)+) => {
        names! {
            /// What a record is.
            pub enum Kind { $($(#[doc = $doc])+ $Kind = $name $zh,)+ }
        }

        /// A record of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "documented on `Kind`")]
        pub enum State { $($Kind(Record<crate::$module::$Kind>),)+ }

        /// A command to a record of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "documented on `Kind`")]
        pub enum Command { $($Kind(crate::$module::Command),)+ }

        /// An event of a record of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "documented on `Kind`")]
        pub enum Event { $($Kind(crate::$module::Event),)+ }

        $(impl Stored for crate::$module::$Kind {
            fn of(state: &State) -> Option<&Record<Self>> {
                match state { State::$Kind(record) => Some(record), _ => None }
            }

            fn state(record: Record<Self>) -> State {
                State::$Kind(record)
            }

            fn command(command: Self::Command) -> Command {
                Command::$Kind(command)
            }
        })+

        impl Kind {
            /// The name of the collection in addresses.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$Kind => $plural),+ }
            }

            /// Whether records of this kind live in the registry and not in a cycle.
            pub const fn is_registry(self) -> bool {
                match self { $(Self::$Kind => home!($home)),+ }
            }

            /// Every move of this kind.
            pub fn moves(self) -> Vec<AnyMove> {
                match self { $(Self::$Kind => moves::<crate::$module::$Kind>()),+ }
            }

            /// Every stage of this kind.
            pub fn stages(self) -> Vec<AnyStage> {
                match self { $(Self::$Kind => stages::<crate::$module::$Kind>()),+ }
            }

            /// Who may see which records of this kind.
            pub const fn sights(self) -> &'static [Sight] {
                match self { $(Self::$Kind => <crate::$module::$Kind as Aggregate>::SIGHTS),+ }
            }

            /// Who sees which fields, beside staff.
            pub const fn fields(self) -> &'static [Field] {
                match self { $(Self::$Kind => <crate::$module::$Kind as Aggregate>::FIELDS),+ }
            }

            /// The field that each part of the index shows.
            pub const fn shows(self) -> &'static [Shows] {
                match self { $(Self::$Kind => <crate::$module::$Kind as Aggregate>::SHOWS),+ }
            }

            /// Where the applicant is named.
            pub const fn identifies(self) -> &'static [&'static str] {
                match self { $(Self::$Kind => <crate::$module::$Kind as Aggregate>::IDENTIFIES),+ }
            }

            /// What staff do not see either while a sealed round is open.
            pub const fn sealed(self) -> &'static [&'static str] {
                match self { $(Self::$Kind => <crate::$module::$Kind as Aggregate>::SEALED),+ }
            }

            /// The JSON Schema of what each verb carries, as one `oneOf` over verbs.
            pub fn command_schema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $(Self::$Kind => <crate::$module::Command as schemars::JsonSchema>::json_schema(generator)),+ }
            }

            /// The JSON Schema of the data of this kind.
            pub fn data_schema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $(Self::$Kind => <crate::$module::$Kind as schemars::JsonSchema>::json_schema(generator)),+ }
            }
        }

        impl Command {
            /// The kind of record it is for.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Kind(_) => Kind::$Kind),+ }
            }

            /// Its verb.
            pub fn verb(&self) -> &'static str {
                match self { $(Self::$Kind(command) => command.verb().name()),+ }
            }

            /// Reads the body of `verb`.
            ///
            /// # Errors
            ///
            /// [`Malformed`] at the first place that does not fit.
            pub fn parse(kind: Kind, verb: &str, body: Value) -> Result<Self, Malformed> {
                let tagged = Value::Object(Map::from_iter([(verb.to_owned(), body)]));
                match kind { $(Kind::$Kind => read("command", kind, tagged).map(Self::$Kind)),+ }
            }

            /// The body and verb as one object, the verb being the only key.
            pub fn to_value(&self) -> Value {
                match self { $(Self::$Kind(command) => serde_json::to_value(command).unwrap_or_default()),+ }
            }

            /// The identity of the record that this creates, where it follows from the command.
            pub fn identity(&self) -> Option<Uuid> {
                match self { $(Self::$Kind(command) => crate::$module::$Kind::identity(command)),+ }
            }

            pub(crate) fn belongs(&self, world: &World) -> Belongs {
                match self { $(Self::$Kind(command) => crate::$module::$Kind::belongs(command, world)),+ }
            }

            /// What has to be loaded to decide this command on record `id`, as far as is known by now.
            pub fn needs(&self, id: Uuid, journal: Uuid, world: &World) -> Vec<Need> {
                match self { $(Self::$Kind(command) => needs::<crate::$module::$Kind>(id, journal, command, world)),+ }
            }

            pub(crate) fn decide(self, id: Uuid, cx: &Context<'_>) -> Result<Step, Rejection> {
                match self { $(Self::$Kind(command) => decide::<crate::$module::$Kind>(id, command, cx, Event::$Kind)),+ }
            }
        }

        impl Event {
            /// The kind of record it happened to.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Kind(_) => Kind::$Kind),+ }
            }

            /// Reads what [`Event::to_value`] wrote.
            ///
            /// # Errors
            ///
            /// [`Malformed`] at the first place that does not fit.
            pub fn parse(kind: Kind, value: Value) -> Result<Self, Malformed> {
                match kind { $(Kind::$Kind => read("event", kind, value).map(Self::$Kind)),+ }
            }

            /// The event as it stands in the journal.
            pub fn to_value(&self) -> Value {
                match self { $(Self::$Kind(event) => serde_json::to_value(event).unwrap_or_default()),+ }
            }
        }

        impl State {
            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Kind(_) => Kind::$Kind),+ }
            }

            /// Its identity.
            pub const fn id(&self) -> Uuid {
                match self { $(Self::$Kind(record) => record.id),+ }
            }

            /// The journal it lives in.
            pub const fn journal(&self) -> Uuid {
                match self { $(Self::$Kind(record) => record.journal),+ }
            }

            /// How many events made it.
            pub const fn version(&self) -> i64 {
                match self { $(Self::$Kind(record) => record.version),+ }
            }

            /// Where it stands, by stable name.
            pub fn stage(&self) -> &'static str {
                match self { $(Self::$Kind(record) => record.stage.name()),+ }
            }

            /// Where it stands, in Chinese.
            pub fn stage_zh(&self) -> &'static str {
                match self { $(Self::$Kind(record) => record.stage.zh()),+ }
            }

            /// When its first event happened.
            pub const fn created_at(&self) -> Timestamp {
                match self { $(Self::$Kind(record) => record.created_at),+ }
            }

            /// When its last event happened.
            pub const fn updated_at(&self) -> Timestamp {
                match self { $(Self::$Kind(record) => record.updated_at),+ }
            }

            /// By what it is found, and to whom it belongs.
            pub fn index(&self) -> Index {
                match self { $(Self::$Kind(record) => record.data.index()),+ }
            }

            /// What its kind knows, as JSON.
            pub fn data(&self) -> Map<String, Value> {
                match self { $(Self::$Kind(record) => object(&record.data)),+ }
            }

            /// What its kind knows, as JSON text.
            pub fn body(&self) -> String {
                match self { $(Self::$Kind(record) => serde_json::to_string(&record.data).unwrap_or_default()),+ }
            }

            /// A record of `kind` that nothing has happened to yet.
            pub fn unborn(kind: Kind, id: Uuid, journal: Uuid) -> Self {
                match kind { $(Kind::$Kind => Self::$Kind(Record::unborn(id, journal))),+ }
            }

            /// Reads a stored record.
            ///
            /// # Errors
            ///
            /// [`Malformed`] where stage or body are not of this kind.
            pub fn restore(kind: Kind, row: Row<'_>) -> Result<Self, Malformed> {
                match kind { $(Kind::$Kind => restore(kind, row).map(Self::$Kind)),+ }
            }

            /// Takes one recorded event.
            ///
            /// # Errors
            ///
            /// [`Malformed`] where event or stage are of another kind.
            pub fn apply(&mut self, to: &str, event: &Event, at: Timestamp) -> Result<(), Malformed> {
                match (self, event) {
                    $((Self::$Kind(record), Event::$Kind(event)) => {
                        let to = stage::<crate::$module::$Kind>(to)?;
                        record.apply(to, event, at);
                        Ok(())
                    })+
                    #[allow(unreachable_patterns, clippy::allow_attributes, reason = "reachable with two kinds or more")]
                    (state, event) => Err(Malformed {
                        what: "event",
                        kind: state.kind(),
                        path: String::new(),
                        message: format!("it is an event of kind {}", event.kind()),
                    }),
                }
            }

            /// The moves from here that `actor` may ask for, each with the gates that keep it shut.
            pub fn moves_for(&self, cx: &Context<'_>) -> Vec<MoveNow> {
                match self { $(Self::$Kind(record) => moves_now(record, cx)),+ }
            }

            /// What has to be loaded to know which moves from here are shut.
            pub fn moves_need(&self) -> Vec<Need> {
                match self { $(Self::$Kind(record) => moves_need(record)),+ }
            }

            /// The roles of `actor` towards this record.
            pub fn roles_of(&self, actor: &Actor) -> BTreeSet<Role> {
                let index = self.index();
                let cycle = (self.journal() != REGISTRY).then_some(self.journal());
                actor.roles(cycle, index.organisation, index.person)
            }
        }
    };
}

macro_rules! home {
    (registry) => {
        true
    };
    (cycle) => {
        false
    };
}

kinds! {
    /// A person who signs in.
    Account(account) = "account" "账户", "accounts", registry;
    /// An organisation that may apply.
    Organisation(organisation) = "organisation" "社会组织", "organisations", registry;
    /// A person who may score.
    Expert(expert) = "expert" "专家", "experts", registry;
    /// A key that signs checkpoints of the journals.
    SigningKey(signing_key) = "signing_key" "签名密钥", "signing-keys", registry;
    /// One year of the programme.
    Cycle(cycle) = "cycle" "届次", "cycles", cycle;
    /// The rules of a cycle, one record per version.
    Policy(policy) = "policy" "规则", "policies", cycle;
    /// What an organisation asks funding for.
    Application(application) = "application" "申报", "applications", cycle;
    /// A file of an application.
    Attachment(attachment) = "attachment" "附件", "attachments", cycle;
    /// The experts of one round.
    Panel(panel) = "panel" "评审组", "panels", cycle;
    /// One expert's scores for one application or project in one round.
    Sheet(sheet) = "sheet" "评分表", "sheets", cycle;
    /// Who pitches in which room and when, from a draft to its sessions.
    Timetable(timetable) = "timetable" "路演日程", "timetables", cycle;
    /// One sitting of the roadshow, with its draw of the order.
    PitchSession(pitch_session) = "pitch_session" "路演场次", "pitch-sessions", cycle;
    /// The turn of one application in a sitting.
    Slot(slot) = "slot" "路演时段", "slots", cycle;
    /// Who is to be funded under the budget, with the reason for each.
    Selection(selection) = "selection" "遴选", "selections", cycle;
    /// The public notice of those who are to be funded.
    Notice(notice) = "notice" "公示", "notices", cycle;
    /// What somebody says against a project on notice.
    Objection(objection) = "objection" "异议", "objections", cycle;
    /// The letter that grants an application its amount.
    Award(award) = "award" "立项", "awards", cycle;
    /// An awarded application under way.
    Project(project) = "project" "项目", "projects", cycle;
    /// One part of an award, from plan to payment.
    Tranche(tranche) = "tranche" "拨款", "tranches", cycle;
    /// What an organisation tells of its project's progress.
    Report(report) = "report" "报告", "reports", cycle;
    /// The grade of a project half-way or at its end.
    Evaluation(evaluation) = "evaluation" "评估", "evaluations", cycle;
    /// What an organisation asks to change while its project runs.
    ChangeRequest(change_request) = "change_request" "变更申请", "change-requests", cycle;
    /// One activity of a project as it took place.
    Activity(activity) = "activity" "活动记录", "activities", cycle;
    /// A visit to a project, with what has to be put right.
    Visit(visit) = "visit" "督导走访", "visits", cycle;
}

/// A stored record's columns.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its identity.
    pub id: Uuid,
    /// Its journal.
    pub journal: Uuid,
    /// How many events made it.
    pub version: i64,
    /// Where it stands.
    pub stage: &'a str,
    /// When its first event happened.
    pub created_at: Timestamp,
    /// When its last event happened.
    pub updated_at: Timestamp,
    /// What its kind knows, as JSON text.
    pub body: &'a str,
}

/// A move from where a record stands, for one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MoveNow {
    /// What may be asked.
    pub verb: &'static str,
    /// What may be asked, in Chinese.
    pub zh: &'static str,
    /// The stage it reaches; none where the stage stays.
    pub to: Option<&'static str>,
    /// The gates that keep it shut; empty where it is open.
    pub shut_by: Vec<ShutGate>,
}

fn moves<A: Aggregate>() -> Vec<AnyMove> {
    A::FLOW
        .iter()
        .map(|row| AnyMove {
            from: row.from.iter().map(|stage| stage.name()).collect(),
            verb: row.verb.name(),
            zh: row.verb.zh(),
            summary: row.verb.summary(),
            to: row.to.map(crate::names::Names::name),
            by: row.by.to_vec(),
            by_time: row.by.contains(&Role::System) && row.gates.iter().any(|gate| gate.timed),
            replaces: A::REPLACES.contains(&row.verb),
            patches: A::PATCHES == Some(row.verb),
            gates: row
                .gates
                .iter()
                .map(|gate| (gate.name, gate.says.0, gate.says.1))
                .collect(),
        })
        .collect()
}

fn stages<A: Aggregate>() -> Vec<AnyStage> {
    A::Stage::ALL
        .iter()
        .map(|stage| AnyStage {
            name: stage.name(),
            zh: stage.zh(),
            summary: stage.summary(),
        })
        .collect()
}

fn stage<A: Aggregate>(name: &str) -> Result<A::Stage, Malformed> {
    A::Stage::from_name(name).ok_or_else(|| Malformed {
        what: "stage",
        kind: A::KIND,
        path: String::new(),
        message: format!("there is no stage `{name}`"),
    })
}

fn read<T: serde::de::DeserializeOwned>(
    what: &'static str,
    kind: Kind,
    value: Value,
) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        // The first segment is the tag that names verb or event, not a part of the body.
        let path = error
            .path()
            .iter()
            .skip(1)
            .fold(String::new(), |path, segment| {
                use serde_path_to_error::Segment;
                match segment {
                    Segment::Seq { index } => format!("{path}/{index}"),
                    Segment::Map { key } | Segment::Enum { variant: key } => {
                        format!("{path}/{key}")
                    }
                    Segment::Unknown => path,
                }
            });
        Malformed {
            what,
            kind,
            path,
            message: error.inner().to_string(),
        }
    })
}

fn object<T: Serialize>(data: &T) -> Map<String, Value> {
    match serde_json::to_value(data) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn restore<A: Aggregate>(kind: Kind, row: Row<'_>) -> Result<Record<A>, Malformed> {
    let data = serde_json::from_str(row.body).map_err(|error| Malformed {
        what: "state",
        kind,
        path: String::new(),
        message: error.to_string(),
    })?;
    Ok(Record {
        id: row.id,
        journal: row.journal,
        version: row.version,
        stage: stage::<A>(row.stage)?,
        created_at: row.created_at,
        updated_at: row.updated_at,
        data,
    })
}

/// The rows of the table that leave `record`'s stage, or the creating ones while it does not exist.
fn leaving<A: Aggregate>(record: &Record<A>) -> impl Iterator<Item = &'static Move<A>> {
    let (exists, stage) = (record.exists(), record.stage);
    A::FLOW.iter().filter(move |row| {
        if exists {
            row.from.contains(&stage)
        } else {
            row.from.is_empty()
        }
    })
}

fn record_or_unborn<A: Stored>(id: Uuid, journal: Uuid, world: &World) -> Record<A> {
    world
        .get::<A>(id)
        .cloned()
        .unwrap_or_else(|| Record::unborn(id, journal))
}

fn needs<A: Stored>(id: Uuid, journal: Uuid, command: &A::Command, world: &World) -> Vec<Need> {
    let mut needs = vec![Need::One(A::KIND, id)];
    if journal != REGISTRY {
        needs.push(Need::One(Kind::Cycle, journal));
        if let Some(policy) = world
            .get::<crate::cycle::Cycle>(journal)
            .and_then(|cycle| cycle.data.policy)
        {
            needs.push(Need::One(Kind::Policy, policy));
        }
    }
    if world.has(Need::One(A::KIND, id)) {
        let record = record_or_unborn::<A>(id, journal, world);
        let verb = command.verb();
        for gate in leaving(&record)
            .filter(|row| row.verb == verb)
            .flat_map(|row| row.gates)
        {
            needs.extend((gate.needs)(&record));
        }
        needs.extend(A::needs(&record, command, world));
    }
    needs
}

fn decide<A: Stored>(
    id: Uuid,
    command: A::Command,
    cx: &Context<'_>,
    wrap: fn(A::Event) -> Event,
) -> Result<Step, Rejection> {
    let record = record_or_unborn::<A>(id, cx.journal, cx.world);
    let verb = command.verb();
    let mut rows = leaving(&record).filter(|row| row.verb == verb).peekable();
    if rows.peek().is_none() {
        return Err(no_such_move(&record, verb, cx));
    }
    // Rows may share stage and verb: who asks, or which gate is open, decides where it leads.
    let mine: Vec<&Move<A>> = rows
        .filter(|row| row.by.iter().any(|role| cx.roles.contains(role)))
        .collect();
    // Where none is open, the one that comes closest says what is missing.
    let (row, shut) = mine
        .into_iter()
        .map(|row| (row, shut_gates(row, &record, cx)))
        .min_by_key(|(_, shut)| shut.len())
        .ok_or_else(|| forbidden::<A>(verb))?;
    if !shut.is_empty() {
        return Err(Rejection::Shut {
            verb: verb.name().to_owned(),
            gates: shut,
        });
    }
    let decided = A::decide(&record, command, cx)?;
    Ok(Step {
        verb: verb.name(),
        from: record.exists().then(|| record.stage.name()),
        to: row.to.unwrap_or(record.stage).name(),
        event: wrap(decided.event),
        then: decided.then,
    })
}

/// The refusal for a move that the table does not have; who could never make it learns only that.
fn no_such_move<A: Stored>(record: &Record<A>, verb: A::Verb, cx: &Context<'_>) -> Rejection {
    let may_ever = A::FLOW
        .iter()
        .any(|row| row.verb == verb && row.by.iter().any(|role| cx.roles.contains(role)));
    if !may_ever {
        return forbidden::<A>(verb);
    }
    if !record.exists() {
        return Rejection::NotFound;
    }
    Rejection::NotFromHere {
        kind: A::KIND,
        stage: record.stage.name().to_owned(),
        verb: verb.name().to_owned(),
        allowed: leaving(record)
            .filter(|row| row.by.iter().any(|role| cx.roles.contains(role)))
            .map(|row| row.verb.name().to_owned())
            .collect(),
    }
}

fn forbidden<A: Aggregate>(verb: A::Verb) -> Rejection {
    let needed: BTreeSet<Role> = A::FLOW
        .iter()
        .filter(|row| row.verb == verb)
        .flat_map(|row| row.by)
        .copied()
        .collect();
    Rejection::Forbidden {
        verb: verb.name().to_owned(),
        needed: needed.into_iter().collect(),
    }
}

fn shut_gates<A: Aggregate>(row: &Move<A>, record: &Record<A>, cx: &Context<'_>) -> Vec<ShutGate> {
    row.gates
        .iter()
        .filter(|gate| !(gate.open)(record, cx))
        .map(crate::aggregate::Gate::shut)
        .collect()
}

fn moves_now<A: Aggregate>(record: &Record<A>, cx: &Context<'_>) -> Vec<MoveNow> {
    leaving(record)
        .filter(|row| row.by.iter().any(|role| cx.roles.contains(role)))
        .map(|row| MoveNow {
            verb: row.verb.name(),
            zh: row.verb.zh(),
            to: row.to.map(crate::names::Names::name),
            shut_by: shut_gates(row, record, cx),
        })
        .collect()
}

fn moves_need<A: Aggregate>(record: &Record<A>) -> Vec<Need> {
    leaving(record)
        .flat_map(|row| row.gates)
        .flat_map(|gate| (gate.needs)(record))
        .collect()
}
