//! Which facts are told, and to whom. What is not listed is nobody's news: internal moves stay internal.

use fundcycle_core::names::Names as _;
use fundcycle_core::reminder::Item;

use crate::channels::{email::failing, webhook};
use crate::{digest, reminders};

/// For whom a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every member of the organisation that the record belongs to.
    Organisation,
    /// The person that the record belongs to.
    Person,
}

/// One kind of fact that is told.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The kind of record it happens to.
    pub kind: &'static str,
    /// The verb that was recorded.
    pub verb: &'static str,
    /// For whom.
    pub audience: Audience,
}

impl Route {
    /// What kind of message it is: picks the template.
    pub fn topic(&self) -> String {
        format!("{}.{}", self.kind, self.verb)
    }
}

const fn organisation(kind: &'static str, verb: &'static str) -> Route {
    Route {
        kind,
        verb,
        audience: Audience::Organisation,
    }
}

const fn person(kind: &'static str, verb: &'static str) -> Route {
    Route {
        kind,
        verb,
        audience: Audience::Person,
    }
}

/// Every fact that is told (`domain.md` §7). Results are told when they are announced, together.
pub const ROUTES: &[Route] = &[
    organisation("application", "submit"),
    organisation("application", "request_correction"),
    organisation("application", "resubmit"),
    organisation("application", "accept"),
    organisation("application", "reject"),
    organisation("application", "uphold_rejection"),
    organisation("application", "expire"),
    organisation("application", "shortlist"),
    organisation("application", "not_shortlist"),
    organisation("application", "absent"),
    organisation("application", "pitch_again"),
    organisation("slot", "hear_of_swap"),
    organisation("slot", "take_place"),
    organisation("slot", "approve_swap"),
    organisation("application", "propose"),
    organisation("application", "hold_in_reserve"),
    organisation("application", "not_select"),
    organisation("application", "promote"),
    organisation("application", "dispute"),
    organisation("application", "dismiss_objection"),
    organisation("application", "cancel"),
    organisation("application", "clear"),
    organisation("application", "cancel_with_cycle"),
    organisation("award", "issue"),
    organisation("award", "lapse"),
    organisation("award", "revoke"),
    organisation("project", "return_plan"),
    organisation("project", "approve_plan"),
    organisation("project", "suspend"),
    organisation("project", "announce_termination"),
    organisation("project", "terminate"),
    organisation("project", "recover"),
    organisation("project", "remind_demand"),
    organisation("tranche", "pay"),
    organisation("tranche", "withhold"),
    organisation("report", "request"),
    organisation("report", "return"),
    organisation("report", "accept"),
    organisation("report", "expire"),
    organisation("evaluation", "publish"),
    organisation("evaluation", "confirm"),
    organisation("change_request", "approve"),
    organisation("change_request", "refuse"),
    organisation("activity", "query"),
    organisation("visit", "demand_rectification"),
    organisation("visit", "expire"),
    organisation("visit", "settle"),
    person("expert", "invite"),
    person("sheet", "assign"),
    person("sheet", "reopen"),
];

/// That something was received or found complete: told, but nobody misses anything without it.
pub const RECEIPTS: &[&str] = &[
    "application.submit",
    "application.resubmit",
    "report.accept",
];

/// What a message on `topic` reminds of, if it is a reminder.
pub fn reminder_of(topic: &str) -> Option<Item> {
    Item::from_name(topic.strip_prefix("reminder.")?)
}

/// Every topic there is: of facts, and of what the service tells of its own accord.
pub fn topics() -> impl Iterator<Item = String> {
    let routed = ROUTES.iter().map(Route::topic);
    let reminders = Item::ALL.iter().copied().map(reminders::topic);
    let others = [failing::FAILS, webhook::DISABLED, digest::DIGEST].map(str::to_owned);
    routed.chain(reminders).chain(others)
}

/// The route of a fact, if it is told.
pub fn route(kind: &str, verb: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| route.kind == kind && route.verb == verb)
}
