//! Awards that are given back or taken back, and who gets the money instead.

use fundcycle_core::kinds::Kind;
use serde_json::{Value, json};

use super::bureau::{Bureau, FIRST_RESERVE, because};
use crate::walk::{Walk, text};
use crate::ways::{at, id, is, items, shut};

impl Bureau {
    async fn issue(&self, walk: &mut Walk<'_>, index: usize) -> String {
        let letter = json!({ "application": id(self.application(index)), "letter": format!("武民立〔2024〕{:02}号(演示)", index + 1) });
        let path = self.path("awards");
        let award = walk
            .create(&self.lead, Kind::Award, "issue", &path, letter)
            .await;
        self.becomes(walk, index, "awarded").await;
        award
    }

    async fn accept(&self, walk: &mut Walk<'_>, award: &str, index: usize) -> String {
        let (owner, application) = &self.applications[index];
        walk.must(owner, award, "accept", json!({}), "accepted")
            .await;
        let all = items(walk, &self.staff, &self.path("projects")).await;
        let project = all
            .iter()
            .find(|one| one["application"] == id(application))
            .unwrap();
        assert_eq!(project["stage"], "refining");
        format!("/v1/projects/{}", text(project, "id"))
    }

    /// Two are declined, two revoked, and two lapse by the clock: one each before and after the acceptance.
    pub(super) async fn awards_are_given_back(&self, walk: &mut Walk<'_>) {
        at(walk, &self.admin, "2024-07-29T09:00:00+08:00").await;
        let mut awards = Vec::new();
        for index in 0..6 {
            awards.push(self.issue(walk, index).await);
        }
        at(walk, &self.admin, "2024-08-01T10:00:00+08:00").await;
        let short = because("人手不足");
        let (owner, _) = &self.applications[0];
        walk.must(owner, &awards[0], "decline", short.clone(), "declined")
            .await;
        self.becomes(walk, 0, "declined").await;

        let begun = self.accept(walk, &awards[1], 1).await;
        let (owner, _) = &self.applications[1];
        walk.must(owner, &awards[1], "decline", short, "declined")
            .await;
        self.becomes(walk, 1, "declined").await;
        is(walk, &self.staff, &begun, "terminated").await;

        let fraud = because("提供虚假材料");
        shut(
            walk,
            &self.lead,
            &awards[4],
            "revoke",
            fraud.clone(),
            "other_lead",
        )
        .await;
        walk.must(
            &self.other_lead,
            &awards[4],
            "revoke",
            fraud.clone(),
            "revoked",
        )
        .await;
        self.becomes(walk, 4, "declined").await;

        let unsigned = self.accept(walk, &awards[3], 3).await;
        let project = self.accept(walk, &awards[5], 5).await;
        self.sign(walk, &project, 5).await;
        walk.must(&self.other_lead, &awards[5], "revoke", fraud, "revoked")
            .await;
        is(walk, &self.staff, &project, "terminated").await;
        // The agreement was signed: its amount does not go to the reserve.
        self.becomes(walk, 5, "awarded").await;
        let tranches = items(walk, &self.staff, &self.path("tranches")).await;
        let stages: Vec<&Value> = tranches.iter().map(|one| &one["stage"]).collect();
        assert_eq!(stages, ["cancelled"; 3]);

        at(walk, &self.admin, "2024-08-13T09:00:00+08:00").await;
        is(walk, &self.staff, &awards[2], "lapsed").await;
        self.becomes(walk, 2, "declined").await;
        is(walk, &self.staff, &awards[3], "accepted").await;
        at(walk, &self.admin, "2024-08-23T09:00:00+08:00").await;
        is(walk, &self.staff, &awards[3], "lapsed").await;
        self.becomes(walk, 3, "declined").await;
        is(walk, &self.staff, &unsigned, "terminated").await;
    }

    async fn sign(&self, walk: &mut Walk<'_>, project: &str, index: usize) {
        let (owner, application) = &self.applications[index];
        let form = walk.read(owner, application).await["form"].clone();
        let plan = json!({ "plan": {
            "text": "(演示)实施方案", "budget": form["budget"], "targets": form["indicators"], "ends_on": "2025-05-31",
        } });
        walk.must(owner, project, "submit_plan", plan, "plan_submitted")
            .await;
        walk.must(
            &self.staff,
            project,
            "approve_plan",
            json!({}),
            "agreement_pending",
        )
        .await;
        let agreement = json!({ "parties": ["武进区民政局", "(演示)承办方"], "signed_on": "2024-08-01", "number": "WJ2024-06(演示)" });
        walk.must(&self.staff, project, "sign", agreement, "signed")
            .await;
    }

    async fn promote(&self, walk: &mut Walk<'_>, selection: &str, index: usize) {
        let asked = self.requested(walk, index).await;
        let body = json!({ "application": id(self.application(index)), "award": asked, "reason": "立项放弃,依序递补" });
        walk.must(&self.lead, selection, "promote", body, "announced")
            .await;
        self.becomes(walk, index, "proposed").await;
    }

    /// Who moves up has a notice and an award of their own.
    pub(super) async fn a_reserve_moves_up(&self, walk: &mut Walk<'_>, selection: &str) {
        self.promote(walk, selection, FIRST_RESERVE).await;
        let notice = self.prepare(walk, selection).await;
        walk.must(&self.lead, &notice, "publish", json!({}), "running")
            .await;
        let seen = walk.read(&self.staff, &notice).await;
        let rows = seen["rows"].as_array().unwrap();
        let own = walk
            .read(&self.staff, self.application(FIRST_RESERVE))
            .await;
        assert_eq!((rows.len(), &rows[0]["number"]), (1, &own["number"]));
        self.becomes(walk, FIRST_RESERVE, "noticing").await;
        at(walk, &self.admin, "2024-09-02T09:00:00+08:00").await;
        is(walk, &self.staff, &notice, "ended").await;
        self.becomes(walk, FIRST_RESERVE, "cleared").await;
        let award = self.issue(walk, FIRST_RESERVE).await;
        self.accept(walk, &award, FIRST_RESERVE).await;
    }
}
