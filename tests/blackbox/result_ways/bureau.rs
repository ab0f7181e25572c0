//! The bureau of the Wujin cycle with the applications that a result is about.

use fundcycle_core::kinds::Kind;
use serde_json::{Value, json};

use crate::walk::{Person, Walk, text};
use crate::ways::{id, is, items, the_cycle};

/// Who decides, and whom it is about.
pub(super) struct Bureau {
    pub(super) admin: Person,
    pub(super) staff: Person,
    pub(super) lead: Person,
    /// What one lead decided, another takes back.
    pub(super) other_lead: Person,
    pub(super) cycle: String,
    /// Each with who writes for it: the first six of the funded, then the two of the reserve.
    pub(super) applications: Vec<(Person, String)>,
}

/// The places of the reserve among the applications.
pub(super) const FIRST_RESERVE: usize = 6;
pub(super) const SECOND_RESERVE: usize = 7;

pub(super) fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}

impl Bureau {
    pub(super) async fn open(walk: &Walk<'_>) -> Self {
        let staff = walk.person("staff@demo.invalid").await;
        let cycle = the_cycle(walk, &staff).await;
        let mut applications = Vec::new();
        for number in [1, 2, 3, 4, 5, 6, 14, 16] {
            let email = format!("org{number:02}@demo.invalid");
            let owner = walk.person(&email).await;
            let own = items(walk, &owner, &format!("{cycle}/applications")).await;
            let record = format!("/v1/applications/{}", text(&own[0], "id"));
            applications.push((owner, record));
        }
        Self {
            admin: walk.person("admin@demo.invalid").await,
            lead: walk.person("lead@demo.invalid").await,
            other_lead: walk.person("lead2@demo.invalid").await,
            staff,
            cycle,
            applications,
        }
    }

    pub(super) fn path(&self, plural: &str) -> String {
        format!("{}/{plural}", self.cycle)
    }

    pub(super) fn application(&self, index: usize) -> &str {
        &self.applications[index].1
    }

    /// What the application asks for, in fen.
    pub(super) async fn requested(&self, walk: &Walk<'_>, index: usize) -> i64 {
        let seen = walk.read(&self.staff, self.application(index)).await;
        seen["form"]["requested"].as_i64().unwrap()
    }

    pub(super) async fn becomes(&self, walk: &Walk<'_>, index: usize, stage: &str) {
        is(walk, &self.staff, self.application(index), stage).await;
    }

    /// Every application that is in `stage`.
    pub(super) async fn how_many(&self, walk: &Walk<'_>, stage: &str) -> usize {
        let all = items(walk, &self.staff, &self.path("applications")).await;
        all.iter().filter(|one| one["stage"] == stage).count()
    }

    pub(super) async fn prepare(&self, walk: &mut Walk<'_>, selection: &str) -> String {
        let path = self.path("notices");
        let body = json!({ "selection": id(selection) });
        walk.create(&self.staff, Kind::Notice, "prepare", &path, body)
            .await
    }
}
