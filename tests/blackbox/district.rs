//! A small cycle, played in seconds: as many applications as a test names, with the scores it names.

use fundcycle_core::kinds::Kind;
use fundcycle_test_support::Database;
use serde_json::{Value, json};

use crate::office::{self, found};
use crate::support::Server;
use crate::walk::{PASSWORD, Person, Walk, text};
use crate::ways::{at, id};

/// Who applies in which domain, for how many yuan, and the score it gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bid {
    /// Which organisation; one may bid more than once.
    pub(crate) owner: usize,
    pub(crate) domain: &'static str,
    pub(crate) yuan: i64,
    pub(crate) score: &'static str,
}

/// The people of the district, its cycle, and the applications in the order of the bids.
pub(crate) struct District {
    pub(crate) admin: Person,
    pub(crate) staff: Person,
    pub(crate) lead: Person,
    pub(crate) other_lead: Person,
    pub(crate) judge: Person,
    pub(crate) owners: Vec<Person>,
    pub(crate) cycle: String,
    pub(crate) applications: Vec<String>,
    organisations: Vec<String>,
    bids: Vec<Bid>,
}

/// A server on an empty database.
pub(crate) fn serve(database: &Database) -> Server {
    let folder = database.folder.path();
    found(folder, &database.url);
    let flags = ["--time-travel", "--token-days", "400"];
    Server::start(folder, &database.url, &flags)
}

/// The example's rules without a roadshow: one expert gives one mark, which is the score.
fn policy(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = office::policy();
    document["stages"]["roadshow"] = json!(false);
    document["eligibility"] = json!({});
    let rounds = document["rounds"].as_object_mut().unwrap();
    rounds.remove("roadshow");
    let criteria = json!([{ "key": "need", "title": "社会需求", "max": 100, "step": "0.01" }]);
    rounds["paper_review"] = json!({
        "weight": "1",
        "aggregation": { "method": "mean" },
        "rubric": { "title": "书面评审表", "version": 1, "criteria": criteria },
    });
    document["ranking"]["tie_breaks"] = json!([]);
    change(&mut document);
    document
}

impl District {
    /// A published cycle in its call, in which every bid has been handed in.
    pub(crate) async fn called(
        walk: &mut Walk<'_>,
        bids: &[Bid],
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let admin = walk.signs_in("admin@example.org", office::PASSWORD).await;
        let body = json!({ "name": "2024年公益创投" });
        let cycle = walk
            .create(&admin, Kind::Cycle, "create", "/v1/cycles", body)
            .await;
        let count = bids.iter().map(|bid| bid.owner + 1).max().unwrap_or(0);
        let mut owners = Vec::new();
        for number in 0..count {
            owners.push(registered(walk, &format!("org{number}")).await);
        }
        let mut district = Self {
            staff: registered(walk, "staff").await,
            lead: registered(walk, "lead").await,
            other_lead: registered(walk, "lead2").await,
            judge: registered(walk, "judge").await,
            admin,
            owners,
            cycle,
            applications: Vec::new(),
            organisations: Vec::new(),
            bids: bids.to_vec(),
        };
        for (who, role) in [
            (&district.staff, "staff"),
            (&district.lead, "lead"),
            (&district.other_lead, "lead"),
        ] {
            district.grants(walk, who, role).await;
        }
        let draft = district
            .drafts(walk, json!({ "document": policy(change) }))
            .await;
        let body = json!({ "policy": id(&draft) });
        walk.must(
            &district.lead,
            &district.cycle,
            "publish",
            body,
            "application",
        )
        .await;
        at(walk, &district.admin, "2024-05-06T10:00:00+08:00").await;
        for (number, owner) in district.owners.iter().enumerate() {
            let profile = json!({ "profile": { "name": format!("(演示)组织{number}") } });
            let path = "/v1/organisations";
            let made = walk
                .create(owner, Kind::Organisation, "register", path, profile)
                .await;
            district.organisations.push(made);
        }
        for bid in bids {
            let made = district.applies(walk, *bid).await;
            district.applications.push(made);
        }
        district
    }

    /// The same after the experts: checked, scored by one judge, and at the selection.
    pub(crate) async fn scored(
        walk: &mut Walk<'_>,
        bids: &[Bid],
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let district = Self::called(walk, bids, change).await;
        at(walk, &district.admin, "2024-06-03T09:00:00+08:00").await;
        let staff = &district.staff;
        for application in &district.applications {
            walk.must(staff, application, "start_check", json!({}), "screening")
                .await;
            walk.must(staff, application, "accept", json!({}), "eligible")
                .await;
        }
        district.reviews(walk).await;
        district
    }

    /// From the end of the call to the selection, with whatever is eligible.
    pub(crate) async fn reviews(&self, walk: &mut Walk<'_>) {
        let staff = &self.staff;
        walk.must(staff, &self.cycle, "open_review", json!({}), "review")
            .await;
        let asked = json!({ "account": self.judge.account, "profile": { "name": "(演示)评委" } });
        let expert = walk
            .create(staff, Kind::Expert, "invite", "/v1/experts", asked)
            .await;
        let pledge = json!({ "pledge": true });
        walk.must(&self.judge, &expert, "accept", pledge, "active")
            .await;
        let body = json!({ "round": "paper_review", "experts": [self.judge.account] });
        let panel = walk
            .create(staff, Kind::Panel, "form", &self.path("panels"), body)
            .await;
        let mut pairs = Vec::new();
        for application in &self.applications {
            if walk.read(staff, application).await["stage"] == "eligible" {
                pairs.push(json!({ "expert": self.judge.account, "subject": id(application) }));
            }
        }
        walk.must(
            staff,
            &panel,
            "assign",
            json!({ "pairs": pairs }),
            "forming",
        )
        .await;
        walk.must(staff, &panel, "open", json!({}), "open").await;
        let sheets = walk.read(staff, &self.path("sheets?limit=200")).await;
        for sheet in sheets["items"].as_array().unwrap() {
            let record = format!("/v1/sheets/{}", text(sheet, "id"));
            let own = |one: &String| sheet["subject"] == id(one);
            let index = self.applications.iter().position(own).unwrap();
            let marks = json!({ "marks": { "scores": { "need": self.bids[index].score } } });
            walk.must(&self.judge, &record, "save", marks, "draft")
                .await;
            walk.must(&self.judge, &record, "submit", json!({}), "submitted")
                .await;
        }
        walk.must(staff, &panel, "close", json!({}), "closed").await;
        walk.must(staff, &self.cycle, "open_selection", json!({}), "selection")
            .await;
    }

    /// Hands in another application; gives it.
    pub(crate) async fn applies(&self, walk: &mut Walk<'_>, bid: Bid) -> String {
        let owner = &self.owners[bid.owner];
        let requested = bid.yuan * 100;
        let line = |item: &str, price: i64| -> Value {
            json!({ "category": "活动", "item": item, "unit_price": price, "quantity": 1, "funded_by": "grant" })
        };
        let form = json!({
            "title": format!("(演示){}项目", bid.score), "domain": bid.domain, "summary": "概述", "need": "需求",
            "goals": "目标", "activities": ["活动"], "beneficiaries": { "group": "老人" },
            "place": "武进", "starts_on": "2024-10-01", "ends_on": "2025-06-30", "lead": "(演示)负责人",
            "budget": [line("物资", requested * 6 / 10), line("场地", requested - requested * 6 / 10)],
            "requested": requested, "pledge": true,
        });
        let organisation = id(&self.organisations[bid.owner]);
        let body = json!({ "organisation": organisation, "form": form });
        let path = self.path("applications");
        let made = walk
            .create(owner, Kind::Application, "create", &path, body)
            .await;
        walk.must(owner, &made, "submit", json!({}), "submitted")
            .await;
        made
    }

    /// Gives somebody a role in the cycle.
    pub(crate) async fn grants(&self, walk: &mut Walk<'_>, who: &Person, role: &str) {
        let grant = json!({ "grant": { "role": role, "scope": { "cycle": id(&self.cycle) } } });
        let account = format!("/v1/accounts/{}", who.account);
        walk.must(&self.admin, &account, "grant", grant, "active")
            .await;
    }

    /// Staff draft rules.
    pub(crate) async fn drafts(&self, walk: &mut Walk<'_>, body: Value) -> String {
        let path = self.path("policies");
        walk.create(&self.staff, Kind::Policy, "draft", &path, body)
            .await
    }

    /// An amendment of the rules in force; gives its draft as the body of `amend`.
    pub(crate) async fn amendment(
        &self,
        walk: &mut Walk<'_>,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let policy = text(&walk.read(&self.staff, &self.cycle).await, "policy");
        let known = walk
            .read(&self.staff, &format!("/v1/policies/{policy}"))
            .await;
        let mut document = known["document"].clone();
        change(&mut document);
        let draft = self
            .drafts(
                walk,
                json!({ "document": document, "reason": "(演示)更正" }),
            )
            .await;
        json!({ "policy": id(&draft) })
    }

    /// Somebody computes who is to be funded.
    pub(crate) async fn computes(&self, walk: &mut Walk<'_>) -> String {
        let path = self.path("selections");
        walk.create(&self.staff, Kind::Selection, "compute", &path, json!({}))
            .await
    }

    /// A notice of what `selection` proposes, not public yet.
    pub(crate) async fn prepares(&self, walk: &mut Walk<'_>, selection: &str) -> String {
        let path = self.path("notices");
        let body = json!({ "selection": id(selection) });
        walk.create(&self.staff, Kind::Notice, "prepare", &path, body)
            .await
    }

    /// A collection of the cycle.
    pub(crate) fn path(&self, plural: &str) -> String {
        format!("{}/{plural}", self.cycle)
    }

    /// Each application's stage, in the order of the bids.
    pub(crate) async fn stages(&self, walk: &Walk<'_>) -> Vec<String> {
        let mut stages = Vec::new();
        for application in &self.applications {
            stages.push(text(&walk.read(&self.staff, application).await, "stage"));
        }
        stages
    }

    /// Each application's line in `selection`, in the order of the bids.
    pub(crate) async fn lines(&self, walk: &Walk<'_>, selection: &str) -> Vec<Value> {
        let seen = walk.read(&self.staff, selection).await;
        let lines = seen["run"]["lines"].as_array().unwrap();
        let own = |application: &String| {
            let line = lines
                .iter()
                .find(|line| line["application"] == id(application));
            line.cloned().unwrap_or_default()
        };
        self.applications.iter().map(own).collect()
    }
}

/// Opens an account and signs in.
async fn registered(walk: &Walk<'_>, name: &str) -> Person {
    let email = format!("{name}@demo.invalid");
    let body = json!({ "email": email, "name": format!("(演示){name}"), "password": PASSWORD });
    let (status, said) = walk
        .server
        .ask("POST", "/v1/register", None, Some(body))
        .await;
    assert_eq!(status, 202, "{said}");
    walk.person(&email).await
}
