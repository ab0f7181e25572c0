//! The bureau's desk during review and roadshow: who asks for what, and what they see of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::support::Server;
use crate::walk::{PASSWORD, text};

/// Criterion and maximum of the paper review, as in the policy.
pub(crate) const PAPER: &[(&str, u32)] = &[
    ("need", 20),
    ("design", 30),
    ("results", 15),
    ("budget", 15),
    ("team", 15),
    ("innovation", 5),
];
/// Criterion and maximum of the roadshow.
pub(crate) const PITCH: &[(&str, u32)] = &[
    ("clarity", 15),
    ("need", 20),
    ("feasibility", 25),
    ("innovation", 10),
    ("results", 15),
    ("answers", 15),
];
/// The bureau's desk: everybody is known by the part of their address before the @.
pub(crate) struct Desk<'a> {
    server: &'a Server,
    cycle: String,
    tokens: BTreeMap<String, String>,
    accounts: BTreeMap<String, String>,
}

impl<'a> Desk<'a> {
    pub(crate) async fn open(server: &'a Server, names: &[&str]) -> Self {
        let (mut tokens, mut accounts) = (BTreeMap::new(), BTreeMap::new());
        for name in names {
            let body = json!({ "email": format!("{name}@demo.invalid"), "password": PASSWORD });
            let (status, session) = server.ask("POST", "/v1/sign-in", None, Some(body)).await;
            assert_eq!(status, 200, "{name}: {session}");
            tokens.insert((*name).to_owned(), text(&session, "token"));
            accounts.insert((*name).to_owned(), text(&session, "account"));
        }
        let (_, cycles) = server.ask("GET", "/v1/cycles", None, None).await;
        let cycle = text(&cycles["items"][0], "id");
        Self {
            server,
            cycle,
            tokens,
            accounts,
        }
    }

    pub(crate) const fn server(&self) -> &'a Server {
        self.server
    }

    /// Asks with the entity tag of what is there now.
    pub(crate) async fn ask(&self, who: &str, path: &str, verb: &str, body: Value) -> (u16, Value) {
        let token = Some(self.tokens[who].as_str());
        let (_, tag, _) = self.server.ask_with("GET", path, token, None, &[]).await;
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
        let path = format!("{path}/{verb}");
        let (status, _, answer) = self
            .server
            .ask_with("POST", &path, token, Some(body), &headers)
            .await;
        (status, answer)
    }

    /// Asks for a move that must be made.
    pub(crate) async fn does(&self, who: &str, path: &str, verb: &str, body: Value) -> Value {
        let (status, answer) = self.ask(who, path, verb, body).await;
        assert!(
            (200..300).contains(&status),
            "{who} {path}/{verb}: {status} {answer}"
        );
        answer
    }

    /// Asks for moves without a body, one after the other.
    pub(crate) async fn all(&self, who: &str, path: &str, verbs: &[&str]) {
        for verb in verbs {
            self.does(who, path, verb, json!({})).await;
        }
    }

    /// Asks for a move that must be refused with this status, for a reason named in the answer.
    pub(crate) async fn refused(
        &self,
        (who, path, verb): (&str, &str, &str),
        body: Value,
        status: u16,
        why: &str,
    ) {
        let (given, answer) = self.ask(who, path, verb, body).await;
        assert!(
            given == status && answer.to_string().contains(why),
            "{who} {path}/{verb}: {given} {answer}, not {status} {why}"
        );
    }

    /// Creates a record of the cycle and gives its address.
    pub(crate) async fn creates(&self, who: &str, plural: &str, body: Value) -> String {
        let (status, made) = self.asks_to_create(who, plural, body).await;
        assert_eq!(status, 201, "{who} {plural}: {made}");
        format!("/v1/{plural}/{}", text(&made, "id"))
    }

    /// Asks to create a record of the cycle.
    pub(crate) async fn asks_to_create(
        &self,
        who: &str,
        plural: &str,
        body: Value,
    ) -> (u16, Value) {
        let token = Some(self.tokens[who].as_str());
        let path = self.path(&format!("/{plural}"));
        self.server.ask("POST", &path, token, Some(body)).await
    }

    /// Tries to create a record, which nothing is kept of, and gives what it would be.
    pub(crate) async fn tries(&self, who: &str, path: &str, body: Value) -> Value {
        let token = Some(self.tokens[who].as_str());
        let path = format!("{path}?dry_run=true");
        let (status, tried) = self.server.ask("POST", &path, token, Some(body)).await;
        assert_eq!((status, &tried["dry_run"]), (200, &json!(true)), "{tried}");
        tried
    }

    /// The token of somebody.
    pub(crate) fn token(&self, who: &str) -> &str {
        &self.tokens[who]
    }

    /// The account of somebody.
    pub(crate) fn account(&self, who: &str) -> &str {
        &self.accounts[who]
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/cycles/{}{rest}", self.cycle)
    }

    pub(crate) async fn sees(&self, who: &str, path: &str) -> (u16, Value) {
        let token = Some(self.tokens[who].as_str());
        self.server.ask("GET", path, token, None).await
    }

    pub(crate) async fn list(&self, who: &str, path: &str) -> Vec<Value> {
        let (status, list) = self.sees(who, &self.path(path)).await;
        assert_eq!(status, 200, "{who} {path}: {list}");
        list["items"].as_array().unwrap().clone()
    }

    /// Records, as staff see them, must be in these stages.
    pub(crate) async fn stages(&self, records: &[&String], stages: &[&str]) {
        for (record, stage) in records.iter().zip(stages) {
            let (_, seen) = self.sees("staff", record).await;
            assert_eq!(seen["stage"], *stage, "{seen}");
        }
    }

    /// The one application of each of these organisations.
    pub(crate) async fn applications(&self, owners: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for owner in owners {
            let own = self.list(owner, "/applications").await;
            found.push(format!("/v1/applications/{}", text(&own[0], "id")));
        }
        found
    }

    pub(crate) fn pairs(&self, experts: &[&str], subjects: &[&String]) -> Value {
        let pair = |expert: &str, subject: &str| -> Value {
            json!({ "expert": self.accounts[expert], "subject": id_of(subject) })
        };
        let pairs: Vec<Value> = experts
            .iter()
            .flat_map(|expert| subjects.iter().map(move |subject| pair(expert, subject)))
            .collect();
        json!({ "pairs": pairs })
    }

    pub(crate) fn members(&self, experts: &[&str]) -> Value {
        let accounts: Vec<&String> = experts.iter().map(|one| &self.accounts[*one]).collect();
        json!({ "experts": accounts, "chair": accounts[0] })
    }

    pub(crate) async fn forms(&self, round: &str, experts: &[&str]) -> String {
        let mut body = self.members(experts);
        body["round"] = json!(round);
        self.creates("staff", "panels", body).await
    }

    /// The sheet of `expert` for `subject`.
    pub(crate) async fn sheet(&self, expert: &str, subject: &str) -> String {
        let path = format!("/sheets?parent={}&limit=200", id_of(subject));
        let sheets = self.list("staff", &path).await;
        let own = sheets
            .iter()
            .find(|sheet| sheet["expert"] == self.accounts[expert]);
        format!("/v1/sheets/{}", text(own.unwrap(), "id"))
    }

    /// The expert enters about `quality` points of 100 for `subject` and hands it in.
    pub(crate) async fn scores(
        &self,
        expert: &str,
        subject: &str,
        rubric: &[(&str, u32)],
        quality: u32,
    ) {
        let sheet = self.sheet(expert, subject).await;
        self.does(expert, &sheet, "save", marks(rubric, quality))
            .await;
        self.all(expert, &sheet, &["submit"]).await;
        self.stages(&[&sheet], &["submitted"]).await;
    }

    /// What the panel's sheets added up to: its ranking's version, and each subject's score, best first.
    pub(crate) async fn ranking(&self, panel: &str) -> (u64, Vec<(String, String)>) {
        let (_, seen) = self.sees("staff", panel).await;
        let results = seen["results"].as_array().unwrap().iter();
        let ranked = results.map(|one| {
            let subject = one["input"]["subject"].as_str().unwrap();
            let score = one["score"]["rounded"].to_string();
            (
                format!("/v1/applications/{subject}"),
                score.trim_matches('"').to_owned(),
            )
        });
        (seen["ranking_version"].as_u64().unwrap(), ranked.collect())
    }
}

pub(crate) fn id_of(record: &str) -> &str {
    record.rsplit('/').next().unwrap_or_default()
}

pub(crate) fn marks(rubric: &[(&str, u32)], quality: u32) -> Value {
    let scores: Map<String, Value> = rubric
        .iter()
        .map(|(key, most)| ((*key).to_owned(), json!((most * quality / 100).to_string())))
        .collect();
    json!({ "marks": { "scores": scores, "comments": {} } })
}

pub(crate) fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}
