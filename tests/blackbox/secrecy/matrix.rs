//! The authorisation matrix: every operation of the API's own document, asked by everybody, is answered
//! as the declarations say. What an operation may is declared by its roles, what there is to see by the
//! sights of its kind; this test works out for itself who is what to which record.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Role;
use fundcycle_core::kinds::{AnyMove, Kind};
use fundcycle_core::names::Names as _;
use fundcycle_core::visibility::Eye;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::reader::{Answer, Ask, Operation, Reader};
use crate::desk::{Desk, PAPER};
use crate::office::register;
use crate::review_ways::{checked_for_eligibility, played_until};

on_both!(
    every_operation_answers_everybody_as_declared_while_a_round_is_open,
    every_operation_answers_everybody_as_declared_after_the_close,
);

/// Who asks: a name, and the role that they were granted in the cycle or everywhere.
const BUREAU: &[(&str, Role)] = &[
    ("staff", Role::Staff),
    ("lead", Role::Lead),
    ("finance", Role::Finance),
    ("auditor", Role::Auditor),
    ("admin", Role::Admin),
];
const OTHERS: &[&str] = &["org01", "org02", "expert1", "expert7"];

/// Operations on no record, each with what it answers to whom.
const ALONE: &[&str] = &[
    "clock",
    "clock.set",
    "healthz",
    "journal",
    "me",
    "me.inbox",
    "me.inbox.read",
    "metrics",
    "openapi",
    "readyz",
    "register",
    "sign_in",
    "sign_out",
    "workflow",
];

/// Somebody who asks.
struct Person {
    name: String,
    token: Option<String>,
    account: Option<String>,
    /// Granted in the cycle, or everywhere.
    granted: Option<Role>,
    /// Of which organisation, as its owner.
    organisation: Option<String>,
    /// On what they have a live sheet in an open round.
    assigned: BTreeSet<String>,
}

/// A record, as somebody who sees all of it sees it.
struct Specimen {
    kind: Kind,
    id: String,
    stage: String,
    organisation: Option<String>,
    person: Option<String>,
    parent: Option<String>,
}

struct Matrix<'a> {
    reader: Reader<'a>,
    people: Vec<Person>,
    specimens: Vec<Specimen>,
    /// What was not as declared.
    wrong: Vec<String>,
    asked: usize,
}

async fn every_operation_answers_everybody_as_declared_while_a_round_is_open(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, &["staff", "org01", "org02", "expert1", "expert2"]).await;
    let found = desk.applications(&["org01", "org02"]).await;
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let panel = desk.forms("paper_review", &["expert1", "expert2"]).await;
    let both: Vec<&String> = found.iter().collect();
    desk.does(
        "staff",
        &panel,
        "assign",
        desk.pairs(&["expert1", "expert2"], &both),
    )
    .await;
    desk.all("staff", &panel, &["open"]).await;
    desk.scores("expert2", &found[0], PAPER, 60).await;
    let matrix = Matrix::of(&desk).await;
    assert!(
        matrix.people.iter().any(|one| one.assigned.len() == 2),
        "nobody is assigned"
    );
    matrix.check().await;
}

async fn every_operation_answers_everybody_as_declared_after_the_close(database: Database) {
    let server = played_until(&database, "close");
    let desk = Desk::open(&server, &["staff"]).await;
    Matrix::of(&desk).await.check().await;
}

impl<'a> Matrix<'a> {
    async fn of(desk: &Desk<'a>) -> Self {
        let server = desk.server();
        let cycle = desk.path("").trim_start_matches("/v1/cycles/").to_owned();
        let mut people = vec![Person::nobody()];
        let stranger = register(server, "stranger").await;
        let (_, me) = server.ask("GET", "/v1/me", Some(&stranger), None).await;
        people.push(Person {
            name: "stranger".to_owned(),
            token: Some(stranger),
            account: me["account"].as_str().map(str::to_owned),
            ..Person::nobody()
        });
        let names = BUREAU.iter().map(|(name, role)| (*name, Some(*role)));
        let names = names.chain(OTHERS.iter().map(|name| (*name, None)));
        let everybody: Vec<(&str, Option<Role>)> = names.collect();
        let all: Vec<&str> = everybody.iter().map(|one| one.0).collect();
        let desk = Desk::open(server, &all).await;
        for (name, granted) in everybody {
            people.push(Person {
                name: name.to_owned(),
                token: Some(desk.token(name).to_owned()),
                account: Some(desk.account(name).to_owned()),
                granted,
                ..Person::nobody()
            });
        }
        let mut reader = Reader::new(server, &cycle).await;
        let tokens: Vec<Option<&str>> = people.iter().map(|one| one.token.as_deref()).collect();
        reader.look(&tokens).await;
        let mut matrix = Self {
            reader,
            people,
            specimens: Vec::new(),
            wrong: Vec::new(),
            asked: 0,
        };
        matrix.collect().await;
        matrix
    }

    /// What there is of every kind: a record in each stage, and some of those who ask, seen by whoever sees most of them.
    async fn collect(&mut self) {
        let mut panels: BTreeMap<String, String> = BTreeMap::new();
        let mut sheets: Vec<Value> = Vec::new();
        for kind in Kind::ALL {
            let mut per_stage: BTreeMap<String, usize> = BTreeMap::new();
            let ids: Vec<String> = self.reader.ids_of(kind.plural()).cloned().collect();
            for id in ids {
                let Some(seen) = self.seen_by_most(*kind, &id).await else {
                    continue;
                };
                let stage = seen["stage"].as_str().unwrap().to_owned();
                if *kind == Kind::Panel {
                    panels.insert(id.clone(), stage.clone());
                }
                if *kind == Kind::Sheet {
                    sheets.push(seen.clone());
                }
                let count = per_stage.entry(stage.clone()).or_default();
                *count += 1;
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let organisation = match kind {
                    Kind::Organisation => Some(id.clone()),
                    _ => {
                        text(&seen["organisation"]).or_else(|| text(&seen["turn"]["organisation"]))
                    }
                };
                let person = match kind {
                    Kind::Account => Some(id.clone()),
                    Kind::Expert => text(&seen["account"]),
                    Kind::Sheet => text(&seen["expert"]),
                    _ => None,
                };
                let own = self.people.iter().any(|one| {
                    (one.organisation.is_some() && one.organisation == organisation)
                        || (one.account.is_some() && one.account == person)
                });
                if *kind == Kind::Organisation {
                    let members = seen["members"].as_object().unwrap();
                    for person in &mut self.people {
                        if person
                            .account
                            .as_ref()
                            .is_some_and(|one| members.contains_key(one))
                        {
                            person.organisation = Some(id.clone());
                        }
                    }
                }
                if *count <= 1 || (own && *count <= 3) {
                    self.specimens.push(Specimen {
                        kind: *kind,
                        stage,
                        organisation,
                        person,
                        parent: ["subject", "application", "project"]
                            .iter()
                            .find_map(|name| text(&seen[*name])),
                        id,
                    });
                }
            }
        }
        for sheet in &sheets {
            let open = sheet["panel"]
                .as_str()
                .and_then(|id| panels.get(id))
                .is_some_and(|one| one == "open");
            let live = !["recused", "void"].contains(&sheet["stage"].as_str().unwrap());
            for person in &mut self.people {
                if open && live && person.account.as_deref() == sheet["expert"].as_str() {
                    person
                        .assigned
                        .insert(sheet["subject"].as_str().unwrap().to_owned());
                }
            }
        }
    }

    async fn seen_by_most(&self, kind: Kind, id: &str) -> Option<Value> {
        let mut most = None;
        for person in &self.people {
            let ask = Ask::get(format!("/v1/{}/{id}", kind.plural()));
            let answer = self.reader.ask(person.token.as_deref(), &ask).await;
            let members = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
            if answer.status == 200
                && most
                    .as_ref()
                    .is_none_or(|one| members(one) < members(&answer.json()))
            {
                most = Some(answer.json());
            }
        }
        most
    }

    async fn check(mut self) {
        let operations = self.reader.operations.clone();
        let kinds: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        for operation in &operations {
            assert!(
                !operation.roles.is_empty(),
                "{} declares no rule: say its roles where it is declared",
                operation.id
            );
            let before = self.asked;
            if ALONE.contains(&operation.id.as_str()) {
                self.alone(operation).await;
            } else if !kinds.contains(operation.plural()) {
                self.wrong.push(format!(
                    "{}: it is about no kind of record, so say in `alone` what it answers",
                    operation.id
                ));
                self.asked += 1;
            } else if operation.path.contains("/bulk/") {
                self.in_bulk(operation).await;
            } else if operation.path.contains("{id}") {
                self.on_records(operation).await;
            } else if operation.method == "GET" {
                self.list(operation).await;
            } else {
                self.creating(operation).await;
            }
            assert!(before < self.asked, "{} was asked of nobody", operation.id);
        }
        assert!(self.asked > 3_000, "only {} cells", self.asked);
        let wrong = self.wrong;
        assert!(
            wrong.is_empty(),
            "{} of {} cells are not as declared:\n{}",
            wrong.len(),
            self.asked,
            wrong[..wrong.len().min(20)].join("\n")
        );
    }

    async fn ask(&mut self, person: usize, ask: &Ask) -> Answer {
        self.asked += 1;
        let token = self.people[person].token.clone();
        self.reader.ask(token.as_deref(), ask).await
    }

    fn expect(
        &mut self,
        person: usize,
        operation: &Operation,
        ask: &Ask,
        answer: &Answer,
        wanted: &[u16],
    ) {
        if !wanted.contains(&answer.status) {
            let start: String = answer.body.chars().take(300).collect();
            self.wrong.push(format!(
                "{} {}: {} {} is {}, not {wanted:?}: {start}",
                self.people[person].name, operation.id, ask.method, ask.path, answer.status
            ));
        }
    }

    /// Every record there is, and one that there is not.
    async fn on_records(&mut self, operation: &Operation) {
        let places: Vec<usize> = (0..self.specimens.len())
            .filter(|place| self.specimens[*place].kind.plural() == operation.plural())
            .collect();
        let (base, verb) = operation.path.split_once("{id}").unwrap();
        let is_upload = operation.id == "attachment.upload";
        for person in 0..self.people.len() {
            let signed_in = self.people[person].token.is_some();
            let public = operation.roles.contains("public");
            let mut nothing = None;
            let nowhere = "00000000-0000-4000-8000-000000000000".to_owned();
            for place in [None].into_iter().chain(places.iter().copied().map(Some)) {
                let id = place.map_or(&nowhere, |place| &self.specimens[place].id);
                let dry = operation.query.contains("dry_run");
                let more = match (dry, is_upload) {
                    (true, true) => "?dry_run=true&name=a.txt",
                    (true, false) => "?dry_run=true",
                    _ => "",
                };
                let body = (operation.takes_json || is_upload).then(|| json!({}));
                let ask = Ask {
                    method: operation.method.clone(),
                    path: format!("{base}{id}{verb}{more}"),
                    body,
                };
                let answer = self.ask(person, &ask).await;
                let Some(place) = place else {
                    let wanted = if signed_in || public { 404 } else { 401 };
                    self.expect(person, operation, &ask, &answer, &[wanted]);
                    nothing = Some(answer);
                    continue;
                };
                let (who, record) = (&self.people[person], &self.specimens[place]);
                let seen = who.sees(record);
                let wanted: Vec<u16> = if !signed_in && !public {
                    vec![401]
                } else if !seen {
                    // R26, F9: to the byte what is answered where there is nothing.
                    if nothing.as_ref() != Some(&answer) {
                        let line = format!(
                            "{} {} {}: {answer:?} tells that it is there",
                            who.name, operation.id, ask.path
                        );
                        self.wrong.push(line);
                    }
                    vec![404]
                } else if operation.path.contains("/documents/") {
                    // It may not be written yet; who is not meant to read it never learns whether.
                    let meant = who.may_in_another_stage(operation, record);
                    if meant { vec![200, 404] } else { vec![404] }
                } else if operation.method == "GET" {
                    vec![200]
                } else if who.may(operation, record) {
                    vec![200, 204, 409, 412, 415, 422, 428]
                } else if who.may_in_another_stage(operation, record) {
                    vec![403, 409, 422]
                } else {
                    vec![403]
                };
                self.expect(person, operation, &ask, &answer, &wanted);
            }
        }
    }

    /// A list holds what its reader may see, all of it and nothing else.
    async fn list(&mut self, operation: &Operation) {
        let path = format!(
            "{}?limit=500&total=true&fields=id",
            self.reader.filled(&operation.path)
        );
        let ask = Ask::get(path);
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            let open = self.people[person].token.is_some() || operation.roles.contains("public");
            self.expect(
                person,
                operation,
                &ask,
                &answer,
                &[if open { 200 } else { 401 }],
            );
            if !open {
                continue;
            }
            let page = answer.json();
            let listed: BTreeSet<&str> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|one| one["id"].as_str())
                .collect();
            let who = &self.people[person];
            let mut lines = Vec::new();
            if page["total"] != json!(listed.len()) {
                lines.push(format!(
                    "{} {}: counts {} and shows {}",
                    who.name,
                    operation.id,
                    page["total"],
                    listed.len()
                ));
            }
            for record in self
                .specimens
                .iter()
                .filter(|one| one.kind.plural() == operation.plural())
            {
                if who.sees(record) != listed.contains(record.id.as_str()) {
                    lines.push(format!(
                        "{} {}: {} {} is listed: {}",
                        who.name,
                        operation.id,
                        record.stage,
                        record.id,
                        !who.sees(record)
                    ));
                }
            }
            self.wrong.extend(lines);
        }
    }

    async fn creating(&mut self, operation: &Operation) {
        let ask = Ask::post(
            format!("{}?dry_run=true", self.reader.filled(&operation.path)),
            json!({}),
        );
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            let who = &self.people[person];
            let wanted: &[u16] = if who.token.is_none() && !operation.roles.contains("public") {
                &[401]
            } else if who
                .roles(None)
                .iter()
                .any(|role| operation.roles.contains(role.name()))
            {
                &[200, 409, 422]
            } else {
                &[403]
            };
            self.expect(person, operation, &ask, &answer, wanted);
        }
    }

    /// In bulk, each is answered as it would be alone (P22).
    async fn in_bulk(&mut self, operation: &Operation) {
        let verb = operation.path.rsplit('/').next().unwrap().to_owned();
        let plural = operation.plural().to_owned();
        let ids: Vec<String> = self
            .specimens
            .iter()
            .filter(|one| one.kind.plural() == plural)
            .map(|one| one.id.clone())
            .collect();
        if ids.is_empty() {
            self.asked += 1;
            return;
        }
        let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        let path = format!("{}?dry_run=true", self.reader.filled(&operation.path));
        let ask = Ask::post(path, json!({ "items": items }));
        for person in 0..self.people.len() {
            let answer = self.ask(person, &ask).await;
            if self.people[person].token.is_none() && !operation.roles.contains("public") {
                self.expect(person, operation, &ask, &answer, &[401]);
                continue;
            }
            self.expect(person, operation, &ask, &answer, &[200]);
            let results = answer.json()["results"].clone();
            for (index, id) in ids.iter().enumerate() {
                let single = Ask::post(format!("/v1/{plural}/{id}/{verb}?dry_run=true"), json!({}));
                let alone = self.ask(person, &single).await;
                if results[index]["status"] != json!(alone.status) {
                    let line = format!(
                        "{} {}: {} in bulk, {} alone: {}",
                        self.people[person].name,
                        operation.id,
                        results[index],
                        alone.status,
                        alone.body
                    );
                    self.wrong.push(line);
                }
            }
        }
    }

    async fn alone(&mut self, operation: &Operation) {
        let path = self
            .reader
            .filled(&operation.path)
            .replace("{id}", "00000000-0000-4000-8000-000000000000");
        let body = operation.takes_json.then(|| json!({}));
        let ask = Ask {
            method: operation.method.clone(),
            path,
            body,
        };
        for person in 0..self.people.len() {
            let (granted, signed_in) = (
                self.people[person].granted,
                self.people[person].token.is_some(),
            );
            if operation.id == "sign_out" && signed_in {
                continue;
            }
            let answer = self.ask(person, &ask).await;
            let wanted: &[u16] = match operation.id.as_str() {
                _ if !signed_in && !operation.roles.contains("public") => &[401],
                "me.inbox.read" => &[404],
                "register" | "sign_in" => &[422],
                "clock.set" if granted == Some(Role::Admin) => &[422],
                "journal"
                    if granted.is_some_and(|role| Eye::Organiser.all_seeing().contains(&role)) =>
                {
                    &[200]
                }
                "clock.set" | "journal" => &[403],
                _ => &[200],
            };
            self.expect(person, operation, &ask, &answer, wanted);
        }
    }
}

impl Person {
    const fn nobody() -> Self {
        Self {
            name: String::new(),
            token: None,
            account: None,
            granted: None,
            organisation: None,
            assigned: BTreeSet::new(),
        }
    }

    /// What they are towards a record; towards one that does not exist yet, what they could be.
    fn roles(&self, record: Option<&Specimen>) -> BTreeSet<Role> {
        let mut roles = BTreeSet::from([Role::Public]);
        roles.extend(self.token.as_ref().map(|_| Role::Account));
        let member = self.organisation.is_some()
            && record.is_none_or(|record| record.organisation == self.organisation);
        if member {
            roles.extend([Role::Applicant, Role::Owner]);
        }
        if self.account.is_some() && record.is_none_or(|record| record.person == self.account) {
            roles.insert(Role::Holder);
        }
        roles.extend(self.granted);
        roles
    }

    fn eyes(&self, record: &Specimen) -> BTreeSet<Eye> {
        let roles = self.roles(Some(record));
        let has = |role: Role| roles.contains(&role);
        let mut eyes = BTreeSet::from([Eye::Public]);
        eyes.extend(has(Role::Account).then_some(Eye::Account));
        eyes.extend(has(Role::Admin).then_some(Eye::Admin));
        let all_seeing = [Eye::Staff, Eye::Organiser].into_iter();
        eyes.extend(all_seeing.filter(|eye| eye.all_seeing().iter().copied().any(has)));
        eyes.extend(has(Role::Applicant).then_some(Eye::Applicant));
        eyes.extend(has(Role::Holder).then_some(Eye::Holder));
        let part = record
            .parent
            .as_ref()
            .filter(|_| record.kind != Kind::Project);
        let assigned = self.assigned.contains(&record.id)
            || part.is_some_and(|one| self.assigned.contains(one));
        eyes.extend(assigned.then_some(Eye::Expert));
        eyes
    }

    fn sees(&self, record: &Specimen) -> bool {
        let eyes = self.eyes(record);
        record.kind.sights().iter().any(|sight| {
            eyes.contains(&sight.eye)
                && (sight.stages.is_empty() || sight.stages.contains(&record.stage.as_str()))
        })
    }

    /// Whether the operation names a role that they have, and the table gives it in this stage.
    fn may(&self, operation: &Operation, record: &Specimen) -> bool {
        let rows = rows(operation, record);
        let mine = self.roles(Some(record));
        let here = rows
            .iter()
            .filter(|row| row.from.contains(&record.stage.as_str()));
        let mut here = here.peekable();
        if here.peek().is_none() {
            return self.may_in_another_stage(operation, record);
        }
        here.any(|row| row.by.iter().any(|role| mine.contains(role)))
    }

    fn may_in_another_stage(&self, operation: &Operation, record: &Specimen) -> bool {
        let mine = self.roles(Some(record));
        mine.iter()
            .any(|role| operation.roles.contains(role.name()))
    }
}

fn rows(operation: &Operation, record: &Specimen) -> Vec<AnyMove> {
    let verb = operation.path.rsplit('/').next().unwrap();
    let moves = record.kind.moves().into_iter();
    moves.filter(|row| row.verb == verb).collect()
}
