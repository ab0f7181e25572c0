//! What a timetable is made of: rooms and times, who pitches where and when, what clashes, what changed.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

names! {
    /// What is asked for twice at once, or should not be there.
    pub enum ClashOf {
        /// A room.
        Room = "room" "场地冲突",
        /// An expert who scores in both.
        Expert = "expert" "专家时间冲突",
        /// A project lead who pitches in both.
        Presenter = "presenter" "路演人时间冲突",
        /// An expert of the panel with an interest in what is pitched.
        Interest = "interest" "须回避",
    }
}

/// Rooms and times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The rooms, all of them in use at each time.
    #[schemars(length(max = 100), inner(length(max = 200)))]
    pub rooms: Vec<String>,
    /// The times without a break, such as a morning and an afternoon of each day.
    #[schemars(length(max = 100))]
    pub windows: Vec<Window>,
    /// Whether applications of one domain are heard together.
    #[serde(default)]
    pub by_domain: bool,
}

/// A time without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When the first pitch begins.
    pub from: Timestamp,
    /// By when the last one is over.
    pub until: Timestamp,
}

/// Who pitches together in one room at one time. Their order is drawn by lots later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sitting {
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// When the first pitch begins.
    pub starts_at: Timestamp,
    /// When the last one is over, if all goes to plan.
    pub ends_at: Timestamp,
    /// Who pitches: number and application.
    pub pitches: BTreeMap<String, Uuid>,
    /// Their domains.
    pub domains: BTreeSet<String>,
}

impl Sitting {
    /// The applications that are pitched.
    pub fn applications(&self) -> impl Iterator<Item = Uuid> {
        self.pitches.values().copied()
    }
}

/// A sitting with its session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Which session.
    pub session: Uuid,
    /// What was planned.
    pub sitting: Sitting,
}

/// A sitting as everybody may know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its session.
    pub session: Uuid,
    /// What it is called.
    pub name: String,
    /// Where.
    pub room: String,
    /// When the first pitch begins.
    pub starts_at: Timestamp,
    /// When the last one is over, if all goes to plan.
    pub ends_at: Timestamp,
    /// The domains that are heard.
    pub domains: BTreeSet<String>,
    /// The numbers of the applications.
    pub numbers: BTreeSet<String>,
}

/// Something that the timetable asks too much of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clash {
    /// Of what.
    pub what: ClashOf,
    /// In which sittings.
    pub sittings: Vec<String>,
    /// The room, the expert's account, the project lead, or the application's number and the expert.
    pub about: String,
}

/// One application that is heard elsewhere or at another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The application's number.
    pub number: String,
    /// Where and when it was to be heard; none where it is new.
    pub from: Option<Place>,
    /// Where and when it is heard now; none where it is not.
    pub to: Option<Place>,
}

/// Where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In which sitting.
    pub sitting: String,
    /// Where.
    pub room: String,
    /// When it begins.
    pub starts_at: Timestamp,
}

pub(super) fn listed(planned: &Planned) -> Listed {
    let sitting = planned.sitting.clone();
    Listed {
        session: planned.session,
        name: sitting.name,
        room: sitting.room,
        starts_at: sitting.starts_at,
        ends_at: sitting.ends_at,
        domains: sitting.domains,
        numbers: sitting.pitches.into_keys().collect(),
    }
}
