//! From a fact to messages: pure, so that the same fact always tells the same people the same thing.

use fundcycle_core::actor::{Actor, Grant, Role, Scope};
use fundcycle_core::cycle::Cycle;
use fundcycle_core::engine::Fact;
use fundcycle_core::kinds::State;
use fundcycle_core::names::Names as _;
use fundcycle_core::policy::Policy;
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::World;
use fundcycle_store::outbox::OutboxMessage;
use serde_json::{Map, Value, json};

use crate::routes::{Audience, route};
use crate::template::BEIJING;

/// The channel that is the record of truth: what was said to whom can always be read there.
pub const INBOX: &str = "inbox";

/// The messages that `fact` causes; `state` is the record after it.
pub fn messages(fact: &Fact, state: &State, world: &World) -> Vec<OutboxMessage> {
    let Some(route) = route(fact.kind.name(), fact.verb) else {
        return Vec::new();
    };
    let index = state.index();
    let Some(viewer) = receiver(route.audience, state) else {
        return Vec::new();
    };
    // A message says no more than the page does (`visibility.md` R34): its data is the receiver's view.
    let Some(view) = viewer.view(state) else {
        return Vec::new();
    };
    let mut data = view;
    data.insert("stage_zh".to_owned(), state.stage_zh().into());
    data.insert("zone".to_owned(), zone(state, world).into());
    data.insert(
        "label".to_owned(),
        index
            .label
            .clone()
            .or_else(|| subject_label(state, world))
            .into(),
    );
    let payload = json!({
        "kind": state.kind(),
        "subject": state.id(),
        "organisation": index.organisation.filter(|_| route.audience == Audience::Organisation),
        "data": Value::Object(data),
    });
    let receiver = index.person.filter(|_| route.audience == Audience::Person);
    vec![OutboxMessage {
        channel: INBOX.to_owned(),
        topic: route.topic(),
        receiver,
        payload,
    }]
}

/// The time zone of the cycle: people read times in it.
fn zone(state: &State, world: &World) -> String {
    let rules = world
        .get::<Cycle>(state.journal())
        .and_then(|cycle| world.get::<Policy>(cycle.data.policy?));
    rules.map_or_else(
        || BEIJING.to_owned(),
        |rules| rules.data.document.programme.time_zone.clone(),
    )
}

/// Somebody with exactly the receiver's rights; who acted is not among what they see.
fn receiver(audience: Audience, state: &State) -> Option<Viewer> {
    let index = state.index();
    match audience {
        Audience::Person => Some(Viewer::new(Actor::account(
            index.person?,
            std::collections::BTreeSet::new(),
        ))),
        Audience::Organisation => {
            let grant = Grant {
                role: Role::Applicant,
                scope: Scope::Organisation(index.organisation?),
            };
            let viewer = Viewer::new(Actor::account(state.id(), [grant].into()));
            viewer
                .eyes(state)
                .contains(&Eye::Applicant)
                .then_some(viewer)
        }
    }
}

/// The title of what a record is a part of, where it was loaded for the decision.
fn subject_label(state: &State, world: &World) -> Option<String> {
    let parent = state.index().parent?;
    fundcycle_core::kinds::Kind::ALL
        .iter()
        .find_map(|kind| world.state(*kind, parent)?.index().label)
}

/// The object in a payload that templates see.
pub(crate) fn template_data(payload: &Value) -> Map<String, Value> {
    payload
        .get("data")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}
