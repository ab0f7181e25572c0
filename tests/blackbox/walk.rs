//! Somebody who walks the flows of a running server, and keeps what they made happen.

use std::collections::BTreeSet;

use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use serde_json::{Value, json};

use crate::support::Server;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "wujin-demo-2024";

/// Somebody who has signed in.
pub(crate) struct Person {
    pub(crate) account: String,
    email: String,
    pub(crate) token: String,
}

/// A server being walked, with every move seen so far as `kind verb`.
pub(crate) struct Walk<'a> {
    pub(crate) server: &'a Server,
    pub(crate) seen: BTreeSet<String>,
}

impl Walk<'_> {
    /// Signs in somebody who has an account.
    pub(crate) async fn person(&self, email: &str) -> Person {
        self.signs_in(email, PASSWORD).await
    }

    /// Signs in somebody whose password is another.
    pub(crate) async fn signs_in(&self, email: &str, password: &str) -> Person {
        let body = json!({ "email": email, "password": password });
        let (status, body) = self
            .server
            .ask("POST", "/v1/sign-in", None, Some(body))
            .await;
        assert_eq!(status, 200, "{email}: {body}");
        Person {
            account: text(&body, "account"),
            email: email.to_owned(),
            token: text(&body, "token"),
        }
    }

    /// Reads one record or list that must be there.
    pub(crate) async fn read(&self, who: &Person, path: &str) -> Value {
        let (status, body) = self.server.ask("GET", path, Some(&who.token), None).await;
        assert_eq!(status, 200, "{} GET {path}: {body}", who.email);
        body
    }

    /// Creates a record, which must succeed, and gives its address.
    pub(crate) async fn create(
        &mut self,
        who: &Person,
        kind: Kind,
        verb: &str,
        path: &str,
        body: Value,
    ) -> String {
        let (status, made) = self
            .server
            .ask("POST", path, Some(&who.token), Some(body))
            .await;
        assert_eq!(status, 201, "{} {verb} {path}: {made}", who.email);
        self.saw(kind, verb);
        format!("/v1/{}/{}", kind.plural(), text(&made, "id"))
    }

    /// Makes a move of one record, seen as it is now; it must succeed and leave the record in `stage`.
    pub(crate) async fn must(
        &mut self,
        who: &Person,
        record: &str,
        verb: &str,
        body: Value,
        stage: &str,
    ) {
        let token = Some(who.token.as_str());
        let (_, tag, _) = self.server.ask_with("GET", record, token, None, &[]).await;
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
        let path = format!("{record}/{verb}");
        let (status, _, after) = self
            .server
            .ask_with("POST", &path, token, Some(body), &headers)
            .await;
        assert_eq!(
            (status, after["stage"].as_str()),
            (200, Some(stage)),
            "{} {path}: {after}",
            who.email
        );
        let kind = Kind::ALL
            .iter()
            .find(|kind| record.split('/').nth(2) == Some(kind.plural()));
        self.saw(*kind.unwrap(), verb);
    }

    /// Asks for a move that must be refused, and says why: the gates that are shut, the faults of the
    /// body, or else the name of the problem.
    pub(crate) async fn refused(
        &self,
        who: &Person,
        record: &str,
        verb: &str,
        body: Value,
    ) -> String {
        let path = format!("{record}/{verb}");
        let asked = self
            .server
            .ask("POST", &path, Some(&who.token), Some(body))
            .await;
        let (status, problem) = asked;
        assert!(status >= 400, "{} {path}: {problem}", who.email);
        let each = |name: &str| problem[name].as_array().cloned().unwrap_or_default();
        let mut why: Vec<String> = each("gates").iter().map(|one| text(one, "gate")).collect();
        for fault in each("errors") {
            why.push(format!(
                "{} {}",
                text(&fault, "pointer"),
                text(&fault, "code")
            ));
        }
        if why.is_empty() {
            return text(&problem, "type").replace("/problems/", "");
        }
        why.join(", ")
    }

    /// A move that was made, or that was observed as the consequence of another.
    pub(crate) fn saw(&mut self, kind: Kind, verb: &str) {
        self.seen.insert(format!("{kind} {verb}"));
    }

    /// Every move in the journals of the cycles.
    pub(crate) async fn read_journals(&mut self, reader: &Person) {
        let cycles = self.read(reader, "/v1/cycles").await;
        for cycle in cycles["items"].as_array().unwrap() {
            let path = format!("/v1/cycles/{}/journal", text(cycle, "id"));
            let mut after = 0;
            loop {
                let page = self.read(reader, &format!("{path}?after={after}")).await;
                for entry in page["items"].as_array().unwrap() {
                    self.seen
                        .insert(format!("{} {}", text(entry, "kind"), text(entry, "verb")));
                }
                match page["next"].as_i64() {
                    Some(next) => after = next,
                    None => break,
                }
            }
        }
    }
}

/// The text at `name`.
pub(crate) fn text(body: &Value, name: &str) -> String {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {body}"))
        .to_owned()
}
