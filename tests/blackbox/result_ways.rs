//! A result that is reworked, objected to, and given back: what the demonstration's own course leaves out.

mod awards;
mod bureau;
pub(crate) mod no_result;

use std::collections::BTreeSet;

use fundcycle_core::kinds::Kind;
use fundcycle_test_support::{Database, on_both};
use serde_json::json;

use self::bureau::{Bureau, FIRST_RESERVE, SECOND_RESERVE, because};
use crate::walk::{Walk, text};
use crate::ways::{at, happened, id, is, items, played_until, shut};

/// What is made to happen here.
pub(crate) const VERBS: &[&str] = &[
    "application decline_award",
    "application dismiss_objection",
    "application undo_selection",
    "award decline",
    "award lapse",
    "award revoke",
    "notice withdraw",
    "objection dismiss",
    "objection refuse",
    "objection withdraw",
    "selection depart",
    "selection recompute",
    "selection revert",
    "selection send_back",
    "selection supersede",
];

on_both!(a_result_is_reworked_objected_to_and_given_back);

async fn a_result_is_reworked_objected_to_and_given_back(database: Database) {
    let server = played_until("roadshow", &database);
    let mut walk = Walk {
        server: &server,
        seen: BTreeSet::new(),
    };
    let bureau = Bureau::open(&walk).await;
    let selection = bureau.selection_is_reworked(&mut walk).await;
    bureau
        .objections_come_to_nothing(&mut walk, &selection)
        .await;
    bureau.awards_are_given_back(&mut walk).await;
    bureau.a_reserve_moves_up(&mut walk, &selection).await;
    happened(server, &bureau.staff, VERBS, &database).await;
}

impl Bureau {
    async fn compute(&self, walk: &mut Walk<'_>) -> String {
        let path = self.path("selections");
        walk.create(&self.staff, Kind::Selection, "compute", &path, json!({}))
            .await
    }

    async fn announce(&self, walk: &mut Walk<'_>, list: &str) {
        walk.must(&self.staff, list, "propose", json!({}), "proposed")
            .await;
        walk.must(&self.lead, list, "approve", json!({}), "approved")
            .await;
        walk.must(&self.staff, list, "announce", json!({}), "announced")
            .await;
    }

    /// Computed, computed again, replaced, departed from, sent back, announced, reverted, and announced anew.
    async fn selection_is_reworked(&self, walk: &mut Walk<'_>) -> String {
        at(walk, &self.admin, "2024-07-08T09:00:00+08:00").await;
        walk.must(
            &self.staff,
            &self.cycle,
            "open_selection",
            json!({}),
            "selection",
        )
        .await;
        let first = self.compute(walk).await;
        walk.must(&self.staff, &first, "recompute", json!({}), "computed")
            .await;
        let second = self.compute(walk).await;
        is(walk, &self.staff, &first, "superseded").await;

        let [left_out, taken_in] = [0, FIRST_RESERVE].map(|index| id(self.application(index)));
        let asked = self.requested(walk, FIRST_RESERVE).await;
        let cuts = json!([{ "line": 0, "amount": 100_000, "reason": "单价偏高" }]);
        let changes = json!({ "changes": [
            { "application": left_out, "decision": "reserve", "reason": "与上年项目内容重复" },
            {
                "application": taken_in, "decision": "funded", "award": asked - 100_000,
                "reason": "社区急需", "cuts": cuts,
            },
        ] });
        walk.must(&self.staff, &second, "depart", changes, "computed")
            .await;
        let seen = walk.read(&self.staff, &second).await;
        let lines = seen["run"]["lines"].as_array().unwrap();
        for (application, decision, reason) in [
            (left_out, "reserve", "与上年项目内容重复"),
            (taken_in, "funded", "社区急需"),
        ] {
            let line = lines.iter().find(|line| line["application"] == application);
            let line = line.unwrap();
            assert_eq!(
                (&line["decision"], &line["departed"], &line["reason"]),
                (&json!(decision), &json!(true), &json!(reason))
            );
        }
        walk.must(&self.staff, &second, "propose", json!({}), "proposed")
            .await;
        let back = because("请补充调整依据");
        walk.must(&self.lead, &second, "send_back", back, "computed")
            .await;
        self.announce(walk, &second).await;
        self.becomes(walk, 0, "reserve").await;
        self.becomes(walk, FIRST_RESERVE, "proposed").await;

        let wrong = because("调整依据不成立");
        shut(
            walk,
            &self.lead,
            &second,
            "revert",
            wrong.clone(),
            "not_approver",
        )
        .await;
        walk.must(&self.other_lead, &second, "revert", wrong, "reverted")
            .await;
        for index in 0..self.applications.len() {
            self.becomes(walk, index, "presented").await;
        }
        assert_eq!(self.how_many(walk, "proposed").await, 0);

        let third = self.compute(walk).await;
        self.announce(walk, &third).await;
        assert_eq!(self.how_many(walk, "proposed").await, 14);
        self.becomes(walk, FIRST_RESERVE, "reserve").await;
        self.becomes(walk, SECOND_RESERVE, "reserve").await;
        third
    }

    /// Somebody objects to one application, and is shown nothing; the bureau has the objection in its list.
    async fn object(&self, walk: &Walk<'_>, notice: &str, index: usize) -> String {
        let application = self.application(index);
        let number = text(&walk.read(&self.staff, application).await, "number");
        let filed = json!({
            "notice": id(notice),
            "number": number,
            "objector": { "kind": "person", "name": "(演示)李某", "contact": "0519-00000002", "signed": true },
            "facts": "(演示)该项目已获其他资金资助。",
        });
        let path = self.path("objections");
        let (status, answer) = walk.server.ask("POST", &path, None, Some(filed)).await;
        assert_eq!(status, 202, "{answer}");
        assert!(answer["receipt"].is_string() && answer["received_at"].is_string());
        let all = items(walk, &self.staff, &path).await;
        let found = all.iter().find(|one| one["application"] == id(application));
        format!("/v1/objections/{}", text(found.unwrap(), "id"))
    }

    /// A first notice is withdrawn; of three objections to the second one is refused, one taken back, and
    /// one found wrong after the window.
    async fn objections_come_to_nothing(&self, walk: &mut Walk<'_>, selection: &str) {
        at(walk, &self.admin, "2024-07-10T09:00:00+08:00").await;
        let dropped = self.prepare(walk, selection).await;
        walk.must(&self.lead, &dropped, "withdraw", json!({}), "withdrawn")
            .await;
        assert_eq!(self.how_many(walk, "proposed").await, 14);
        let (status, _) = walk.server.ask("GET", &dropped, None, None).await;
        assert_eq!(status, 404, "the public never sees it");
        let notice = self.prepare(walk, selection).await;
        walk.must(&self.lead, &notice, "publish", json!({}), "running")
            .await;
        assert_eq!(self.how_many(walk, "noticing").await, 14);

        let refused = self.object(walk, &notice, 0).await;
        walk.must(
            &self.staff,
            &refused,
            "refuse",
            because("未提供具体事实"),
            "inadmissible",
        )
        .await;
        self.becomes(walk, 0, "noticing").await;

        let taken_back = self.object(walk, &notice, 1).await;
        walk.must(&self.staff, &taken_back, "accept", json!({}), "accepted")
            .await;
        self.becomes(walk, 1, "disputed").await;
        walk.must(
            &self.staff,
            &taken_back,
            "withdraw",
            because("异议人书面撤回"),
            "withdrawn",
        )
        .await;
        self.becomes(walk, 1, "noticing").await;

        let wrong = self.object(walk, &notice, 2).await;
        walk.must(&self.staff, &wrong, "accept", json!({}), "accepted")
            .await;
        at(walk, &self.admin, "2024-07-17T09:00:00+08:00").await;
        is(walk, &self.staff, &notice, "ended").await;
        self.becomes(walk, 0, "cleared").await;
        self.becomes(walk, 1, "cleared").await;
        self.becomes(walk, 2, "disputed").await;
        shut(
            walk,
            &self.staff,
            &self.cycle,
            "open_launch",
            json!({}),
            "list_settled",
        )
        .await;
        walk.must(
            &self.lead,
            &wrong,
            "dismiss",
            because("经核实不属实"),
            "dismissed",
        )
        .await;
        self.becomes(walk, 2, "cleared").await;
        walk.must(&self.staff, &self.cycle, "open_launch", json!({}), "launch")
            .await;
    }
}
