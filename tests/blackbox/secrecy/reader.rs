//! Whatever somebody can ask: every operation of the API's own document, put to every record there is.

use std::collections::{BTreeMap, BTreeSet};

use fundcycle_core::actor::Role;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::support::Server;

/// Requests under way at a time.
const AT_ONCE: usize = 8;
/// Records of a kind that moves are tried on.
const TRIED: usize = 1;
/// Records of a kind that are read, and that lists are asked by.
const READ: usize = 12;
const ASKED_BY: usize = 4;

/// One operation, as the document declares it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) roles: BTreeSet<String>,
    /// The names of its parameters in the query.
    pub(crate) query: BTreeSet<String>,
    /// The stages that a list can be asked for.
    stages: Vec<String>,
    /// Whether JSON is sent with it.
    pub(crate) takes_json: bool,
    /// Whether something has to be said in the query.
    pub(crate) asks_more: bool,
}

/// An identity that nothing has.
pub(crate) const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

impl Operation {
    /// Whether it is answered without signing in.
    pub(crate) fn is_public(&self) -> bool {
        self.roles.contains(Role::Public.name())
    }

    /// Whether it is about records of some kind.
    pub(crate) fn is_about_records(&self) -> bool {
        Kind::ALL.iter().any(|kind| kind.plural() == self.plural())
    }

    /// Whether it declares one of these roles.
    pub(crate) fn is_for(&self, roles: &BTreeSet<Role>) -> bool {
        roles.iter().any(|role| self.roles.contains(role.name()))
    }

    /// The name of the collection that it is about: `sheets` in `/v1/cycles/{cycle}/sheets/bulk/void`.
    pub(crate) fn plural(&self) -> &str {
        let parts: Vec<&str> = self.path.split('/').skip(2).collect();
        match parts.as_slice() {
            ["cycles", "{cycle}", plural, ..] | [plural, ..] => plural,
            [] => "",
        }
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// All but those that differ for every request: when it was answered, and under which number.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A request, without who asks it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: "GET".to_owned(),
            path,
            body: None,
        }
    }

    pub(crate) fn post(path: String, body: Value) -> Self {
        Self {
            method: "POST".to_owned(),
            path,
            body: Some(body),
        }
    }

    fn name(&self) -> String {
        let Self { method, path, body } = self;
        match body {
            Some(body) => format!("{method} {path} {body}"),
            None => format!("{method} {path}"),
        }
    }
}

/// Everything that can be asked of a server, and everything that is there to be asked for.
pub(crate) struct Reader<'a> {
    server: &'a Server,
    client: reqwest::Client,
    pub(crate) operations: Vec<Operation>,
    pub(crate) cycle: String,
    /// The records that anybody of those asked can see, by collection.
    pub(crate) ids: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    /// Reads the document.
    pub(crate) async fn new(server: &'a Server, cycle: &str) -> Self {
        let (status, document) = server.ask("GET", "/v1/openapi.json", None, None).await;
        assert_eq!(status, 200);
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, declared) in methods.as_object().unwrap() {
                operations.push(operation(method, path, declared));
            }
        }
        assert!(operations.len() > 300, "{}", operations.len());
        Self {
            server,
            client: reqwest::Client::new(),
            operations,
            cycle: cycle.to_owned(),
            ids: BTreeMap::new(),
        }
    }

    /// Finds all records that these tokens see together.
    pub(crate) async fn look(&mut self, tokens: &[Option<&str>]) {
        let lists: Vec<Operation> = self.lists().cloned().collect();
        for operation in lists {
            for token in tokens {
                let path = format!("{}?limit=500&fields=id", self.filled(&operation.path));
                let answer = self.ask(*token, &Ask::get(path)).await;
                for item in answer.json()["items"].as_array().into_iter().flatten() {
                    let id = item["id"].as_str().unwrap().to_owned();
                    self.ids
                        .entry(operation.plural().to_owned())
                        .or_default()
                        .insert(id);
                }
            }
        }
    }

    fn lists(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|one| one.method == "GET" && one.query.contains("cursor"))
    }

    pub(crate) fn filled(&self, path: &str) -> String {
        path.replace("{cycle}", &self.cycle)
    }

    /// The path with an identity that nothing has wherever one is asked for.
    pub(crate) fn somewhere(&self, path: &str) -> String {
        let parts = self.filled(path);
        let parts = parts.split('/').map(|part| match part.strip_prefix('{') {
            Some(_) => NOWHERE,
            None => part,
        });
        parts.collect::<Vec<&str>>().join("/")
    }

    pub(crate) fn ids_of(&self, plural: &str) -> impl Iterator<Item = &String> {
        self.ids.get(plural).into_iter().flatten()
    }

    /// Up to `most` records of a collection: the oldest and the newest.
    fn some(&self, plural: &str, most: usize) -> impl Iterator<Item = &String> {
        let ids: Vec<&String> = self.ids_of(plural).collect();
        let left_out = ids.len().saturating_sub(most);
        let first = most.min(ids.len()).div_ceil(2);
        ids.into_iter()
            .enumerate()
            .filter(move |(place, _)| *place < first || first + left_out <= *place)
            .map(|(_, id)| id)
    }

    /// Asks once.
    pub(crate) async fn ask(&self, token: Option<&str>, ask: &Ask) -> Answer {
        let address = format!("{}{}", self.server.address, ask.path);
        let mut request = self.client.request(ask.method.parse().unwrap(), address);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .filter(|(name, _)| name != "date" && name != "x-request-id")
            .collect();
        Answer {
            status: response.status().as_u16(),
            headers,
            body: response.text().await.unwrap(),
        }
    }

    /// Asks everything, and gives every answer.
    pub(crate) async fn crawl(
        &self,
        token: Option<&str>,
        asks: &[Ask],
    ) -> BTreeMap<String, Answer> {
        stream::iter(asks)
            .map(|ask| async move { (ask.name(), self.ask(token, ask).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// Every way to read: every record by its address, every list by every filter, order and page,
    /// and every move tried out on some records of its kind, alone and in bulk. Without what is there for
    /// those of `office` to look after, such as the mail that waits, and is about no record.
    pub(crate) fn every_ask(&self, office: Option<Role>) -> Vec<Ask> {
        let mut asks = Vec::new();
        let is_of_office = |operation: &&Operation| {
            let declared = office.is_some_and(|role| operation.is_for(&BTreeSet::from([role])));
            declared && !operation.is_public() && !operation.is_about_records()
        };
        for operation in self.operations.iter().filter(|one| !is_of_office(one)) {
            match operation.method.as_str() {
                // Counts of requests, for this machine: they are another with every request.
                "get" | "GET" if operation.path == "/metrics" => {}
                "GET" if operation.query.contains("cursor") => {
                    asks.extend(self.list_asks(operation));
                }
                "GET" if operation.path.contains("{id}") => {
                    let ids = self.some(operation.plural(), READ);
                    asks.extend(ids.map(|id| Ask::get(operation.path.replace("{id}", id))));
                }
                "GET" => asks.push(Ask::get(self.filled(&operation.path))),
                _ => asks.extend(self.move_asks(operation)),
            }
        }
        asks
    }

    fn list_asks(&self, operation: &Operation) -> Vec<Ask> {
        let path = self.filled(&operation.path);
        let mut queries: Vec<String> = [
            "limit=500&total=true",
            "limit=1",
            "limit=500&updated_since=2024-01-01T00:00:00Z",
            "label_contains=%E9%A1%B9%E7%9B%AE&total=true",
            "number=1",
            "facet=paper_review&total=true",
            "facet=%E5%85%BB%E8%80%81%E6%9C%8D%E5%8A%A1&total=true",
            "fields=stage,marks,organisation",
        ]
        .map(str::to_owned)
        .to_vec();
        for by in ["-created_at", "updated_at", "label", "number", "-amount"] {
            queries.push(format!("limit=3&sort={by}"));
        }
        for stage in &operation.stages {
            queries.push(format!("stage={stage}&total=true"));
        }
        for (name, plural) in [
            ("parent", "applications"),
            ("person", "accounts"),
            ("organisation", "organisations"),
        ] {
            let ids = self.some(plural, ASKED_BY);
            queries.extend(ids.map(|id| format!("{name}={id}&total=true")));
        }
        let asks = queries
            .into_iter()
            .map(|query| Ask::get(format!("{path}?{query}")));
        asks.collect()
    }

    /// Only what can be tried without being done.
    pub(crate) fn move_asks(&self, operation: &Operation) -> Vec<Ask> {
        if !operation.query.contains("dry_run") || !operation.takes_json {
            return Vec::new();
        }
        let ids: Vec<&String> = self.ids_of(operation.plural()).collect();
        let some = ids.iter().take(TRIED).chain(ids.iter().rev().take(TRIED));
        if operation.path.contains("/bulk/") {
            let items: Vec<Value> = some.map(|id| json!({ "id": id })).collect();
            if items.is_empty() {
                return Vec::new();
            }
            let path = format!("{}?dry_run=true", self.filled(&operation.path));
            return vec![Ask::post(path, json!({ "items": items }))];
        }
        if !operation.path.contains("{id}") {
            return Vec::new();
        }
        some.map(|id| {
            let path = operation.path.replace("{id}", id);
            Ask::post(format!("{path}?dry_run=true"), json!({}))
        })
        .collect()
    }
}

fn operation(method: &str, path: &str, declared: &Value) -> Operation {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    };
    let parameters = declared["parameters"].as_array().unwrap();
    let in_query = parameters.iter().filter(|one| one["in"] == "query");
    let asks_more = in_query.clone().any(|one| one["required"] == true);
    let stages = parameters
        .iter()
        .find(|one| one["name"] == "stage")
        .map(|one| texts(&one["schema"]["items"]["enum"]));
    Operation {
        id: declared["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        roles: texts(&declared["x-roles"]).into_iter().collect(),
        query: in_query
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect(),
        stages: stages.unwrap_or_default(),
        asks_more,
        takes_json: !declared["requestBody"]["content"]["application/json"].is_null(),
    }
}

/// Fails with the first answers that are not the same, byte for byte.
pub(crate) fn same(
    who: &str,
    what: &str,
    before: &BTreeMap<String, Answer>,
    after: &BTreeMap<String, Answer>,
) {
    assert!(before.len() > 100, "{who} asked {} things", before.len());
    let different: Vec<String> = before
        .iter()
        .filter(|(ask, answer)| after.get(*ask) != Some(answer))
        .map(|(ask, answer)| {
            format!(
                "{ask}\n  before: {answer:?}\n  after:  {:?}",
                after.get(ask)
            )
        })
        .collect();
    assert!(
        different.is_empty(),
        "{who} learns from {} of {} answers that {what}, such as\n{}",
        different.len(),
        before.len(),
        different[..different.len().min(3)].join("\n")
    );
}
