//! A bureau on the first day of its call: people, a published cycle, and one draft.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use fundcycle_test_support::Database;
use serde_json::{Value, json};

use crate::support::{Server, err, fundcycle, out, run};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A code that passes the check and is clearly not real.
pub(crate) const USCC: &str = "52320412MJDEMA0119";

/// What is there, and everybody's token.
pub(crate) struct Office {
    pub(crate) server: Server,
    pub(crate) admin: String,
    pub(crate) staff: String,
    /// Approves what staff proposed.
    pub(crate) lead: String,
    /// Owns the organisation.
    pub(crate) owner: String,
    /// Is of no organisation.
    pub(crate) stranger: String,
    pub(crate) cycle: String,
    pub(crate) organisation: String,
    /// The address of the draft.
    pub(crate) draft: String,
}

/// Makes the database and its administrator.
pub(crate) fn found(folder: &Path, database: &str) {
    let made = run(
        folder,
        &[
            "migrate",
            "--time-travel",
            "--clock",
            "2024-04-22T08:30:00+08:00",
            "--database",
            database,
        ],
    );
    assert_eq!(made.status.code(), Some(0), "{}{}", out(&made), err(&made));
    create_admin(folder, database);
}

/// Makes the administrator, whose password comes on standard input.
pub(crate) fn create_admin(folder: &Path, database: &str) {
    let mut asked = fundcycle(
        folder,
        &[
            "admin",
            "create",
            "--email",
            "admin@example.org",
            "--password-stdin",
            "--database",
            database,
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    writeln!(asked.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert_eq!(asked.wait().unwrap().code(), Some(0));
}

/// The rules of the example cycle, as JSON.
pub(crate) fn policy() -> Value {
    let text = include_str!("../../docs/examples/wujin-2024.toml");
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

impl Office {
    /// Opens it on 6 May 2024; `more` are flags of the server.
    pub(crate) async fn open(database: &Database, more: &[&str]) -> Self {
        let folder = database.folder.path();
        found(folder, &database.url);
        let flags = [&["--time-travel", "--token-days", "365"], more].concat();
        let server = Server::start(folder, &database.url, &flags);
        let admin = server.sign_in("admin@example.org", PASSWORD).await;
        let mut office = Self {
            staff: register(&server, "staff").await,
            lead: register(&server, "lead").await,
            owner: register(&server, "owner").await,
            stranger: register(&server, "stranger").await,
            server,
            admin,
            cycle: String::new(),
            organisation: String::new(),
            draft: String::new(),
        };
        office.publish().await;
        office.at("2024-05-06T09:30:00+08:00").await;
        let profile = json!({ "profile": {
            "name": "武进区示例社会工作服务中心", "organisation_kind": "service", "uscc": USCC, "registered_on": "2015-03-01",
            "legal_representative": "(演示)", "phone": "0519-00000000", "address": "(演示)武进区", "synthetic": ["name"],
        } });
        office.organisation = id(&office
            .made(&office.owner, "/v1/organisations", profile)
            .await);
        let verify = format!("/v1/organisations/{}/verify", office.organisation);
        office.made(&office.staff, &verify, json!({})).await;
        office.draft = office.draft("家门口的幸福好“食”光").await;
        office
    }

    async fn publish(&mut self) {
        let cycle = self
            .made(
                &self.admin,
                "/v1/cycles",
                json!({ "name": "2024年公益创投" }),
            )
            .await;
        self.cycle = id(&cycle);
        for (token, role) in [(&self.staff, "staff"), (&self.lead, "lead")] {
            let (_, me) = self.server.ask("GET", "/v1/me", Some(token), None).await;
            let account = me["account"].as_str().unwrap();
            let grant = json!({ "grant": { "role": role, "scope": { "cycle": self.cycle } } });
            let path = format!("/v1/accounts/{account}/grant");
            self.made(&self.admin, &path, grant).await;
        }
        let policies = self.path("policies");
        let policy = self
            .made(&self.staff, &policies, json!({ "document": policy() }))
            .await;
        let publish = format!("/v1/cycles/{}/publish", self.cycle);
        self.made(&self.lead, &publish, json!({ "policy": id(&policy) }))
            .await;
    }

    /// Another draft of the organisation; gives its address.
    pub(crate) async fn draft(&self, title: &str) -> String {
        let body = json!({ "organisation": self.organisation, "form": { "title": title, "domain": "养老服务" } });
        let made = self
            .made(&self.owner, &self.path("applications"), body)
            .await;
        format!("/v1/applications/{}", id(&made))
    }

    /// A collection of the cycle.
    pub(crate) fn path(&self, plural: &str) -> String {
        format!("/v1/cycles/{}/{plural}", self.cycle)
    }

    /// Sets the clock.
    pub(crate) async fn at(&self, now: &str) {
        let (status, said) = self
            .server
            .ask(
                "PUT",
                "/v1/clock",
                Some(&self.admin),
                Some(json!({ "now": now })),
            )
            .await;
        assert_eq!(status, 200, "{said}");
    }

    /// Posts what has to be accepted.
    pub(crate) async fn made(&self, token: &str, path: &str, body: Value) -> Value {
        let (status, said) = self.server.ask("POST", path, Some(token), Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    /// A record with its entity tag, as its owner sees it.
    pub(crate) async fn read(&self, path: &str) -> (Option<String>, Value) {
        let (status, tag, body) = self
            .server
            .ask_with("GET", path, Some(&self.owner), None, &[])
            .await;
        assert_eq!(status, 200, "{body}");
        (tag, body)
    }

    /// All that a refused request must leave as it is: the draft, its tag, and the journal's end.
    pub(crate) async fn state(&self) -> (Option<String>, Value, Value) {
        let (tag, draft) = self.read(&self.draft).await;
        let (status, journal) = self
            .server
            .ask("GET", &self.path("journal"), Some(&self.staff), None)
            .await;
        assert_eq!((status, &journal["next"]), (200, &Value::Null));
        (tag, draft, journal)
    }
}

/// Registers somebody and gives their token.
pub(crate) async fn register(server: &Server, name: &str) -> String {
    let email = format!("{name}@example.org");
    let body = json!({ "email": email, "name": name, "password": PASSWORD });
    let (status, said) = server.ask("POST", "/v1/register", None, Some(body)).await;
    assert_eq!(status, 202, "{said}");
    server.sign_in(&email, PASSWORD).await
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}
