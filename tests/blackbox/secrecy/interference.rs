//! Non-interference: what somebody may not see changes, and everything they can ask is answered as
//! before, byte for byte. The clock of these servers stands still, so nothing else changes.

use fundcycle_core::actor::Role;
use fundcycle_test_support::{Database, on_both};
use serde_json::{Value, json};

use super::reader::{Reader, same};
use crate::desk::{Desk, PAPER, because, marks};
use crate::review_ways::checked_for_eligibility;

on_both!(nobody_learns_what_they_may_not_see);

/// Who is there. `expert1` scores a, b and c; `expert5` scores d alone; `expert6` and `expert7` sit
/// on no panel; `org01` to `org04` applied with a to d.
const PEOPLE: &[&str] = &[
    "staff", "lead", "admin", "org01", "org02", "org03", "org04", "org05", "expert1", "expert2",
    "expert3", "expert4", "expert5", "expert6", "expert7",
];

/// A server with those who look, each of whom must learn nothing.
struct Watch<'a> {
    desk: &'a Desk<'a>,
    reader: Reader<'a>,
}

impl Watch<'_> {
    /// Lets `secret` happen while these people look; none of them may learn of it.
    async fn unseen(&mut self, what: &str, eyes: &[&str], secret: impl Future<Output = ()>) {
        let desk = self.desk;
        let tokens: Vec<Option<&str>> = PEOPLE.iter().map(|name| Some(desk.token(name))).collect();
        self.reader.look(&tokens).await;
        let mut before = Vec::new();
        for who in eyes {
            let asks = self
                .reader
                .every_ask((*who == "admin").then_some(Role::Admin));
            let answers = self.reader.crawl(self.token(who), &asks).await;
            before.push((who, asks, answers));
        }
        secret.await;
        for (who, asks, before) in before {
            let after = self.reader.crawl(self.token(who), &asks).await;
            same(who, what, &before, &after);
        }
    }

    fn token(&self, who: &str) -> Option<&str> {
        (who != "public").then(|| self.desk.token(who))
    }
}

async fn nobody_learns_what_they_may_not_see(database: Database) {
    let server = checked_for_eligibility(&database);
    let desk = Desk::open(&server, PEOPLE).await;
    let found = desk
        .applications(&["org01", "org02", "org03", "org04", "org05"])
        .await;
    let [a, b, c, d, unassigned] = [0, 1, 2, 3, 4].map(|index| &found[index]);
    desk.all("staff", &desk.path(""), &["open_review"]).await;
    let cycle = desk.path("").trim_start_matches("/v1/cycles/").to_owned();
    let mut watch = Watch {
        desk: &desk,
        reader: Reader::new(&server, &cycle).await,
    };
    let outside = ["public", "admin", "org01", "org05", "expert1", "expert7"];

    let panel = desk
        .forms(
            "paper_review",
            &["expert1", "expert2", "expert3", "expert4", "expert5"],
        )
        .await;
    let first = desk.pairs(&["expert1", "expert2", "expert3", "expert4"], &[a, b, c]);
    desk.does("staff", &panel, "assign", first).await;
    watch
        .unseen(
            "others are assigned before the round opens",
            &outside,
            async {
                desk.does("staff", &panel, "assign", desk.pairs(&["expert5"], &[d]))
                    .await;
                let ask = json!({ "per_subject": 5, "max_load": 40 });
                desk.does("staff", &panel, "plan_assignment", ask).await;
                desk.forms("paper_review", &["expert6"]).await;
            },
        )
        .await;

    desk.all("staff", &panel, &["open"]).await;
    watch
        .unseen(
            "others score, step back and are sent back",
            &outside,
            async {
                for (expert, subject) in [
                    ("expert2", a),
                    ("expert3", a),
                    ("expert4", c),
                    ("expert5", d),
                ] {
                    desk.scores(expert, subject, PAPER, 77).await;
                }
                let sheet = desk.sheet("expert2", c).await;
                desk.does("expert2", &sheet, "save", marks(PAPER, 12)).await;
                let sheet = desk.sheet("expert4", b).await;
                desk.does("expert4", &sheet, "recuse", json!({ "ground": "亲属" }))
                    .await;
                let sheet = desk.sheet("expert3", b).await;
                desk.does("expert3", &sheet, "abstain", because("不熟悉"))
                    .await;
                let sheet = desk.sheet("expert3", a).await;
                desk.does("staff", &sheet, "reopen", because("漏看附件"))
                    .await;
                let sheet = desk.sheet("expert3", c).await;
                desk.does("staff", &sheet, "void", because("误评")).await;
            },
        )
        .await;
    watch
        .unseen(
            "another applicant withdraws",
            &["public", "admin", "org01", "expert1", "expert5", "expert7"],
            async {
                desk.does("org05", unassigned, "withdraw", because("自行放弃"))
                    .await;
            },
        )
        .await;
    watch
        .unseen(
            "an expert and an organisation correct what is known of them",
            &["public", "admin", "org01", "expert1", "expert5", "expert7"],
            async {
                let (_, seen) = desk.sees("expert6", "/v1/experts?limit=1").await;
                let mine = format!("/v1/experts/{}", seen["items"][0]["id"].as_str().unwrap());
                let organisations = desk.sees("staff", "/v1/organisations?limit=500").await.1;
                let ids: Vec<Value> = organisations["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .skip(7)
                    .take(2)
                    .map(|one| one["id"].clone())
                    .collect();
                let conflicts = json!({ "organisations": ids, "ground": "曾任理事" });
                desk.does("expert6", &mine, "declare_conflicts", conflicts)
                    .await;
                let (_, seen) = desk.sees("org04", "/v1/organisations?limit=1").await;
                let theirs = format!(
                    "/v1/organisations/{}",
                    seen["items"][0]["id"].as_str().unwrap()
                );
                let mut profile = seen["items"][0]["profile"].clone();
                profile["phone"] = json!("0519-11111111");
                desk.does("org04", &theirs, "amend", json!({ "profile": profile }))
                    .await;
            },
        )
        .await;

    for (expert, subject) in [
        ("expert1", a),
        ("expert1", b),
        ("expert1", c),
        ("expert2", b),
    ] {
        desk.scores(expert, subject, PAPER, 70).await;
    }
    for (expert, subject) in [("expert3", a), ("expert4", a), ("expert2", c)] {
        desk.scores(expert, subject, PAPER, 80).await;
    }
    for subject in [b, c] {
        desk.does(
            "staff",
            &panel,
            "assign",
            desk.pairs(&["expert5"], &[subject]),
        )
        .await;
        desk.scores("expert5", subject, PAPER, 66).await;
    }
    for expert in ["expert1", "expert2"] {
        desk.does("staff", &panel, "assign", desk.pairs(&[expert], &[d]))
            .await;
        desk.scores(expert, d, PAPER, 66).await;
    }
    desk.all("staff", &panel, &["close"]).await;
    watch
        .unseen(
            "an applicant moves on after the round has closed",
            &["public", "admin", "org02", "expert1", "expert2", "expert7"],
            async {
                desk.all("org01", a, &["confirm"]).await;
                desk.does("org03", c, "withdraw", because("自行放弃")).await;
            },
        )
        .await;
}
