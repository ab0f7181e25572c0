//! A cycle in memory: every record comes about by commands, and each command gets exactly what it
//! says it needs, as a store would load it.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::aggregate::{REGISTRY, Record, Stored};
use fundcycle_core::application::Application;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::{Fact, Request, Stop, execute};
use fundcycle_core::kinds::{Command, Event, Kind, Row, State};
use fundcycle_core::policy::Policy;
use fundcycle_core::rejection::Rejection;
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::{Need, World};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const WUJIN: &str = include_str!("../../../../docs/examples/wujin-2024.toml");

/// The journal of the cycle.
pub(crate) const CYCLE: Uuid = Uuid::from_u128(1);
pub(crate) const STAFF: u128 = 101;
pub(crate) const OTHER_STAFF: u128 = 102;
pub(crate) const LEAD: u128 = 103;
pub(crate) const OTHER_LEAD: u128 = 104;
pub(crate) const EXPERT: u128 = 105;

/// Who applies, for what, and how it is scored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bid {
    pub(crate) domain: &'static str,
    pub(crate) yuan: i64,
    pub(crate) paper: &'static str,
    pub(crate) pitch: &'static str,
}

/// One domain, the same request, the scores given.
pub(crate) const fn bid(yuan: i64, paper: &'static str, pitch: &'static str) -> Bid {
    Bid {
        domain: "养老服务",
        yuan,
        paper,
        pitch,
    }
}

#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) states: BTreeMap<(Kind, Uuid), State>,
    pub(crate) calendar: WorkingDayCalendar,
    pub(crate) now: Timestamp,
    next: u128,
    bids: Vec<Bid>,
    pub(crate) facts: Vec<(Timestamp, Fact)>,
}

/// Somebody who works for the cycle in `role`.
pub(crate) fn official(account: u128, role: Role) -> Actor {
    let scope = Scope::Cycle(CYCLE);
    Actor::account(
        Uuid::from_u128(account),
        BTreeSet::from([Grant { role, scope }]),
    )
}

pub(crate) fn staff() -> Actor {
    official(STAFF, Role::Staff)
}

pub(crate) fn lead() -> Actor {
    official(LEAD, Role::Lead)
}

/// Who sets the service up.
pub(crate) fn admin() -> Actor {
    let grant = Grant {
        role: Role::Admin,
        scope: Scope::Everywhere,
    };
    Actor::account(Uuid::from_u128(100), BTreeSet::from([grant]))
}

/// The owner of the organisation that made bid `index`.
pub(crate) fn applicant(index: usize) -> Actor {
    let scope = Scope::Organisation(organisation(index));
    let grant = Grant {
        role: Role::Owner,
        scope,
    };
    Actor::account(account(index), BTreeSet::from([grant]))
}

pub(crate) fn expert() -> Actor {
    Actor::account(Uuid::from_u128(EXPERT), BTreeSet::new())
}

fn account(index: usize) -> Uuid {
    Uuid::from_u128(200 + index as u128)
}

pub(crate) fn organisation(index: usize) -> Uuid {
    Uuid::from_u128(300 + index as u128)
}

/// The application of bid `index`.
pub(crate) fn application(index: usize) -> Uuid {
    Uuid::from_u128(400 + index as u128)
}

/// The code of the only fault, or the names of the gates that are shut.
pub(crate) fn why<T: std::fmt::Debug>(outcome: Result<T, Rejection>) -> String {
    fn of(rejection: Rejection) -> String {
        match rejection {
            Rejection::Invalid { faults } => faults
                .iter()
                .map(|fault| format!("{} {}", fault.pointer, fault.code))
                .collect::<Vec<_>>()
                .join(", "),
            Rejection::Shut { gates, .. } => gates
                .iter()
                .map(|gate| gate.gate.clone())
                .collect::<Vec<_>>()
                .join(", "),
            Rejection::Consequence { because, .. } => of(*because),
            Rejection::NotFromHere { stage, .. } => format!("not from {stage}"),
            Rejection::Forbidden { .. } => "forbidden".to_owned(),
            Rejection::NotFound => "not found".to_owned(),
        }
    }
    of(outcome.unwrap_err())
}

impl Play {
    /// A cycle in preparation, with nothing but its name.
    pub(crate) fn preparing(bids: &[Bid]) -> Self {
        let mut play = Self {
            states: BTreeMap::new(),
            calendar: WorkingDayCalendar::china().unwrap(),
            now: "2024-05-07T09:00:00+08:00".parse().unwrap(),
            next: 10_000,
            bids: bids.to_vec(),
            facts: Vec::new(),
        };
        let body = json!({ "name": "2024" });
        play.does(&admin(), Kind::Cycle, CYCLE, "create", body);
        play
    }

    /// The call is open, and every bid was handed in.
    pub(crate) fn called(bids: &[Bid], change: impl FnOnce(&mut Value)) -> Self {
        let mut play = Self::preparing(bids);
        play.publish(change);
        play.registry();
        for index in 0..bids.len() {
            play.apply(index);
        }
        play
    }

    /// A cycle at the review, or past it where the policy has none, with every bid accepted.
    pub(crate) fn begin(bids: &[Bid], change: impl FnOnce(&mut Value)) -> Self {
        let mut play = Self::called(bids, change);
        play.at("2024-06-03T09:00:00+08:00");
        for index in 0..bids.len() {
            play.check(index);
        }
        play.does(&staff(), Kind::Cycle, CYCLE, "open_review", json!({}));
        play
    }

    /// The same, with every sheet of the review in.
    pub(crate) fn reviewed(bids: &[Bid], change: impl FnOnce(&mut Value)) -> Self {
        let mut play = Self::begin(bids, change);
        play.score("paper_review", |bid| bid.paper);
        play
    }

    /// The same, at the roadshow.
    pub(crate) fn at_roadshow(bids: &[Bid], change: impl FnOnce(&mut Value)) -> Self {
        let mut play = Self::reviewed(bids, change);
        play.does(&staff(), Kind::Cycle, CYCLE, "open_roadshow", json!({}));
        play
    }

    /// The same, pitched in one session and at the selection.
    pub(crate) fn at_selection(bids: &[Bid], change: impl FnOnce(&mut Value)) -> Self {
        let mut play = Self::at_roadshow(bids, change);
        let session = play.published_session();
        play.does(&staff(), Kind::PitchSession, session, "start", json!({}));
        for slot in play.slots(session) {
            for verb in ["check_in", "start", "finish"] {
                play.does(&staff(), Kind::Slot, slot, verb, json!({}));
            }
        }
        play.does(&staff(), Kind::PitchSession, session, "finish", json!({}));
        play.score("roadshow", |bid| bid.pitch);
        play.does(&staff(), Kind::Cycle, CYCLE, "open_selection", json!({}));
        play
    }

    /// The same, with a selection announced; its id.
    pub(crate) fn announced(bids: &[Bid], change: impl FnOnce(&mut Value)) -> (Self, Uuid) {
        let mut play = Self::at_selection(bids, change);
        let selection = play.fresh();
        play.does(&staff(), Kind::Selection, selection, "compute", json!({}));
        play.does(&staff(), Kind::Selection, selection, "propose", json!({}));
        play.does(&lead(), Kind::Selection, selection, "approve", json!({}));
        play.does(&staff(), Kind::Selection, selection, "announce", json!({}));
        (play, selection)
    }

    /// The same, with its notice published; the notice's id and the selection's.
    pub(crate) fn on_notice(bids: &[Bid], change: impl FnOnce(&mut Value)) -> (Self, Uuid, Uuid) {
        let (mut play, selection) = Self::announced(bids, change);
        play.at("2024-09-11T10:00:00+08:00");
        let notice = play.fresh();
        let body = json!({ "selection": selection });
        play.does(&staff(), Kind::Notice, notice, "prepare", body);
        play.does(&lead(), Kind::Notice, notice, "publish", json!({}));
        (play, notice, selection)
    }

    /// Asks, as a store would: loads what is missing until there is an answer.
    pub(crate) fn ask(
        &mut self,
        actor: &Actor,
        kind: Kind,
        id: Uuid,
        verb: &str,
        body: Value,
    ) -> Result<Vec<Fact>, Rejection> {
        let command = Command::parse(kind, verb, body).unwrap();
        let journal = if kind.is_registry() { REGISTRY } else { CYCLE };
        let request = Request {
            journal,
            id,
            command,
            viewer: Viewer::new(actor.clone()),
        };
        let mut world = World::default();
        loop {
            match execute(&request, &mut world, self.now, &self.calendar) {
                Ok(facts) => {
                    for fact in &facts {
                        self.replay(fact);
                        self.facts.push((self.now, fact.clone()));
                    }
                    for fact in &facts {
                        let key = (fact.kind, fact.id);
                        assert_eq!(world.state(key.0, key.1), self.states.get(&key));
                    }
                    return Ok(facts);
                }
                Err(Stop::Refused(rejection)) => return Err(rejection),
                Err(Stop::Missing(needs)) => {
                    assert!(!needs.is_empty());
                    for need in needs {
                        self.load(need, &mut world);
                    }
                }
            }
        }
    }

    /// Asks for what has to succeed.
    pub(crate) fn does(
        &mut self,
        actor: &Actor,
        kind: Kind,
        id: Uuid,
        verb: &str,
        body: Value,
    ) -> Vec<Fact> {
        self.ask(actor, kind, id, verb, body)
            .unwrap_or_else(|rejection| panic!("{kind} {verb}: {rejection}"))
    }

    /// Takes a fact as a journal holds it into the state as a table holds it.
    fn replay(&mut self, fact: &Fact) {
        let event = Event::parse(fact.kind, fact.event.to_value()).unwrap();
        let key = (fact.kind, fact.id);
        let unborn = || State::unborn(fact.kind, fact.id, fact.journal);
        let mut state = self.states.remove(&key).unwrap_or_else(unborn);
        state.apply(fact.to, &event, self.now).unwrap();
        let row = Row {
            id: fact.id,
            journal: fact.journal,
            version: fact.version,
            stage: state.stage(),
            created_at: state.created_at(),
            updated_at: state.updated_at(),
            body: &state.body(),
        };
        let stored = State::restore(fact.kind, row).unwrap();
        self.states.insert(key, stored);
    }

    /// Every record again, from the first fact of the first record on.
    pub(crate) fn replayed(&self) -> BTreeMap<(Kind, Uuid), State> {
        let mut states = BTreeMap::new();
        for (at, fact) in &self.facts {
            let state = states
                .entry((fact.kind, fact.id))
                .or_insert_with(|| State::unborn(fact.kind, fact.id, fact.journal));
            assert_eq!(fact.version, state.version() + 1, "{fact:?}");
            let event = Event::parse(fact.kind, fact.event.to_value()).unwrap();
            state.apply(fact.to, &event, *at).unwrap();
        }
        states
    }

    fn load(&self, need: Need, world: &mut World) {
        let wanted = self.states.values().filter(|state| match need {
            Need::One(kind, id) => state.kind() == kind && state.id() == id,
            Need::All(kind) => state.kind() == kind,
            Need::PartsOf(kind, parent) => {
                state.kind() == kind && state.index().parent == Some(parent)
            }
            Need::OfOrganisation(kind, id) => {
                state.kind() == kind && state.index().organisation == Some(id)
            }
            Need::OfPerson(kind, id) => state.kind() == kind && state.index().person == Some(id),
            // There is one cycle.
            Need::EarlierApplicants => false,
        });
        for state in wanted {
            world.put(state.clone());
        }
        world.mark_loaded(need);
    }

    pub(crate) fn at(&mut self, now: &str) {
        self.now = now.parse().unwrap();
    }

    /// A new identity.
    pub(crate) fn fresh(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    pub(crate) fn get<A: Stored>(&self, id: Uuid) -> &Record<A> {
        A::of(&self.states[&(A::KIND, id)]).unwrap()
    }

    pub(crate) fn stage(&self, kind: Kind, id: Uuid) -> &'static str {
        self.states[&(kind, id)].stage()
    }

    /// Where the applications stand, in the order of the bids.
    pub(crate) fn stages(&self) -> Vec<&'static str> {
        (0..self.bids.len())
            .map(|index| self.stage(Kind::Application, application(index)))
            .collect()
    }

    pub(crate) fn number(&self, index: usize) -> String {
        let one = self.get::<Application>(application(index));
        one.data.number.clone().unwrap()
    }

    pub(crate) fn view(&self, actor: &Actor, kind: Kind, id: Uuid) -> Option<Map<String, Value>> {
        Viewer::new(actor.clone()).view(&self.states[&(kind, id)])
    }

    /// The turns of a session, in their order.
    pub(crate) fn slots(&self, session: Uuid) -> Vec<Uuid> {
        let mut slots: Vec<&State> = self
            .states
            .values()
            .filter(|state| state.kind() == Kind::Slot && state.index().parent == Some(session))
            .collect();
        slots.sort_by_key(|state| state.index().amount);
        slots.into_iter().map(State::id).collect()
    }

    /// A session of every shortlisted application, with its order published.
    pub(crate) fn published_session(&mut self) -> Uuid {
        let session = self.fresh();
        let all: Vec<Uuid> = (0..self.bids.len())
            .map(application)
            .filter(|id| self.stage(Kind::Application, *id) == "shortlisted")
            .collect();
        let seed = "00112233445566778899aabbccddeeff";
        let commitment =
            fundcycle_scoring::commitment(&fundcycle_core::digest::from_hex(seed).unwrap());
        for (verb, body) in [
            ("plan", plan(&all)),
            ("commit_draw", json!({ "commitment": commitment })),
            ("draw", json!({ "seed": seed })),
            ("publish", json!({})),
        ] {
            self.does(&staff(), Kind::PitchSession, session, verb, body);
        }
        session
    }

    fn publish(&mut self, change: impl FnOnce(&mut Value)) {
        let table: toml::Table = toml::from_str(WUJIN).unwrap();
        let mut document = serde_json::to_value(table).unwrap();
        document["eligibility"] = json!({});
        document["close_out"] = json!({});
        for round in ["paper_review", "roadshow"] {
            let criteria = json!([{ "key": "need", "title": "需求", "max": 100, "step": "0.01" }]);
            document["rounds"][round]["rubric"]["criteria"] = criteria;
            document["rounds"][round]["aggregation"] = json!({ "method": "mean" });
            if let Some(rules) = document["rounds"][round].as_object_mut() {
                rules.remove("shortlist");
            }
        }
        change(&mut document);
        let policy = self.fresh();
        let body = json!({ "document": document });
        self.does(&staff(), Kind::Policy, policy, "draft", body);
        let body = json!({ "policy": policy });
        self.does(&lead(), Kind::Cycle, CYCLE, "publish", body);
    }

    /// Puts an amendment in force that changes the budget, in yuan.
    pub(crate) fn amend(&mut self, budget: &str) {
        self.amends(budget).1.unwrap();
    }

    /// Tries the same; the draft, and what came of it.
    pub(crate) fn amends(&mut self, budget: &str) -> (Uuid, Result<Vec<Fact>, Rejection>) {
        let policy = self.get::<Cycle>(CYCLE).data.policy.unwrap();
        let document = &self.get::<Policy>(policy).data.document;
        let mut document = serde_json::to_value(document).unwrap();
        document["selection"]["budget"] = json!(budget);
        let amendment = self.fresh();
        let body = json!({ "document": document, "reason": "追加预算" });
        self.does(&staff(), Kind::Policy, amendment, "draft", body);
        let body = json!({ "policy": amendment });
        (
            amendment,
            self.ask(&lead(), Kind::Cycle, CYCLE, "amend", body),
        )
    }

    fn registry(&mut self) {
        let person = Uuid::from_u128(EXPERT);
        self.does(&Actor::system(), Kind::Account, person, "open", json!({}));
        let id = fundcycle_core::expert::id_of(person);
        let body = json!({ "account": person, "profile": { "name": "评委" } });
        self.does(&staff(), Kind::Expert, id, "invite", body);
        let body = json!({ "pledge": true });
        self.does(&expert(), Kind::Expert, id, "accept", body);
    }

    fn apply(&mut self, index: usize) {
        let Bid { domain, yuan, .. } = self.bids[index];
        let member = Actor::account(account(index), BTreeSet::new());
        self.does(
            &Actor::system(),
            Kind::Account,
            account(index),
            "open",
            json!({}),
        );
        let body = json!({ "profile": { "name": format!("组织{index}") } });
        self.does(
            &member,
            Kind::Organisation,
            organisation(index),
            "register",
            body,
        );
        let requested = yuan * 100;
        let line = json!({
            "category": "活动", "item": "物资", "unit_price": requested, "quantity": 1, "funded_by": "grant",
        });
        let form = json!({
            "title": format!("项目{index}"), "domain": domain, "summary": "概述", "need": "需求",
            "goals": "目标", "activities": ["活动"], "beneficiaries": { "group": "老人" },
            "place": "武进", "street": "湖塘镇", "starts_on": "2024-10-01", "ends_on": "2025-06-30", "lead": "负责人",
            "budget": [line], "requested": requested, "pledge": true,
            "indicators": [{ "name": "服务人次", "target": 600, "unit": "人次" }],
        });
        let body = json!({ "organisation": organisation(index), "form": form });
        let (kind, id) = (Kind::Application, application(index));
        self.does(&applicant(index), kind, id, "create", body);
        self.does(&applicant(index), kind, id, "submit", json!({}));
        // Submitted one after the other.
        self.now = Timestamp(self.now.0 + 1000);
    }

    fn check(&mut self, index: usize) {
        for verb in ["start_check", "accept"] {
            self.does(
                &staff(),
                Kind::Application,
                application(index),
                verb,
                json!({}),
            );
        }
    }

    /// Has one expert score everything that is in the round, and closes the panel.
    pub(crate) fn score(&mut self, round: &str, mark: impl Fn(&Bid) -> &'static str) {
        let person = Uuid::from_u128(EXPERT);
        let panel = self.fresh();
        let body = json!({ "round": round, "experts": [person] });
        self.does(&staff(), Kind::Panel, panel, "form", body);
        let scored: Vec<usize> = (0..self.bids.len())
            .filter(|index| {
                let stage = self.stage(Kind::Application, application(*index));
                matches!(stage, "eligible" | "presented")
            })
            .collect();
        let pairs: Vec<Value> = scored
            .iter()
            .map(|index| json!({ "expert": person, "subject": application(*index) }))
            .collect();
        let body = json!({ "pairs": pairs });
        let facts = self.does(&staff(), Kind::Panel, panel, "assign", body);
        self.does(&staff(), Kind::Panel, panel, "open", json!({}));
        let sheets = facts.iter().filter(|fact| fact.kind == Kind::Sheet);
        for (fact, index) in sheets.zip(scored) {
            let marks = json!({ "scores": { "need": mark(&self.bids[index]) } });
            let body = json!({ "marks": marks });
            self.does(&expert(), Kind::Sheet, fact.id, "save", body);
            self.does(&expert(), Kind::Sheet, fact.id, "submit", json!({}));
        }
        self.does(&staff(), Kind::Panel, panel, "close", json!({}));
    }
}

/// A plan for a sitting.
pub(crate) fn plan(applications: &[Uuid]) -> Value {
    json!({
        "name": "第一场", "room": "一楼报告厅", "starts_at": "2024-07-02T09:00:00+08:00",
        "applications": applications,
    })
}
