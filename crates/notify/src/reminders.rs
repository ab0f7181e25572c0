//! Reminders of deadlines: queued when their time comes, looked at again before they go out. What is
//! due when is core's to say.

use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::{Record, Stored as _};
use fundcycle_core::cycle::{self, Cycle};
use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::names::Names as _;
use fundcycle_core::policy::{Policy, PolicyDocument};
use fundcycle_core::reminder::{self, Due, Item, WATCHED};
use fundcycle_core::time::Timestamp;
use fundcycle_core::visibility::Viewer;
use fundcycle_core::world::World;
use fundcycle_store::list::{ListError, ListQuery};
use fundcycle_store::outbox::identity::Cause;
use fundcycle_store::outbox::{OutboxMessage, OutboxRow};
use fundcycle_store::{Store, StoreError};
use jiff::tz::TimeZone;
use serde_json::json;
use uuid::Uuid;

use crate::channel::ChannelError;
use crate::message::INBOX;

/// The kind of message that reminds of `item`.
pub fn topic(item: Item) -> String {
    format!("reminder.{item}")
}

/// A cycle under way, with the rules in force.
pub(crate) struct UnderWay {
    pub(crate) id: Uuid,
    pub(crate) cycle: Cycle,
    pub(crate) policy: PolicyDocument,
}

/// Queues every reminder whose time has come and that is not queued yet; gives how many.
///
/// # Errors
///
/// Where the database fails.
pub async fn queue_due(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let heads = store.journals().await?;
    let mut queued = 0;
    for one in cycles_under_way(store).await? {
        let seq = heads.get(&one.id).copied().unwrap_or(1);
        for (kind, stages) in WATCHED {
            if !may_be_due(&one, stages, now) {
                continue;
            }
            let states = store.in_stages(one.id, *kind, stages).await?;
            let rows = due_now(store, &one, &states, seq, now).await?;
            queued += rows.len();
            store.queue_messages(&rows).await?;
        }
    }
    Ok(queued)
}

/// A digest that was not sent for so long has been overtaken by the next one, in milliseconds.
const OVERTAKEN: i64 = 20 * 3_600_000;

/// Why a message that names `cause` is not needed any more; none where it is. `since` is when it was
/// queued.
async fn moot(
    store: &Store,
    cause: &Cause,
    since: i64,
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let (record, item, due) = match cause {
        Cause::Reminder {
            record, item, due, ..
        } => (record, item, due),
        Cause::Digest { .. } => {
            return Ok((now.0 - since > OVERTAKEN).then_some("a newer digest has come"));
        }
        Cause::Bounced { .. } | Cause::Disabled { .. } => return Ok(None),
    };
    let Some(state) = store.read_one(None, *record).await? else {
        return Ok(Some("what it reminds of does not exist"));
    };
    let world = store.world_for(std::slice::from_ref(&state)).await?;
    let open = world
        .get::<Cycle>(state.journal())
        .filter(|cycle| is_under_way(cycle.stage))
        .and_then(|cycle| {
            let all = reminder::due(&state, &cycle.data, &zone(cycle, &world));
            all.into_iter().find(|one| one.item.name() == item)
        })
        .filter(|open| now <= open.at && !reminder::is_settled(open.item, &state, &world));
    Ok(match open {
        Some(open) if open.at.0 == *due => None,
        Some(_) => Some("its deadline moved"),
        None => Some("what it reminds of is done or over"),
    })
}

/// The time zone of a cycle's deadlines.
fn zone(cycle: &Record<Cycle>, world: &World) -> TimeZone {
    let rules = cycle.data.policy.and_then(|id| world.get::<Policy>(id));
    rules.map_or_else(
        || PolicyDocument::zone_named("Asia/Shanghai"),
        |rules| rules.data.document.zone(),
    )
}

/// Refuses a message that nobody needs any more.
///
/// # Errors
///
/// [`ChannelError::Moot`] with the reason; [`ChannelError::Later`] where the database fails.
pub(crate) async fn still_needed(
    store: &Store,
    cause: &Cause,
    since: i64,
    now: Timestamp,
) -> Result<(), ChannelError> {
    match moot(store, cause, since, now).await? {
        None => Ok(()),
        Some(reason) => Err(ChannelError::Moot(reason.to_owned())),
    }
}

/// Whether any record in these stages can have a reminder now: drafts all have one deadline.
fn may_be_due(one: &UnderWay, stages: &[&str], now: Timestamp) -> bool {
    let Some(at) = one
        .cycle
        .closes_at
        .filter(|_| stages == [Item::Draft.name()])
    else {
        return true;
    };
    let due = Due {
        item: Item::Draft,
        at,
        since: Timestamp(i64::MIN),
    };
    reminder::current(&due, &one.policy.reminders, &one.policy.zone(), now).is_some()
}

/// A reminder whose time has come.
struct Found<'a> {
    state: &'a State,
    due: Due,
    cause: Cause,
}

/// How many records are looked at together.
const TOGETHER: usize = 200;

/// The messages whose time has come and that are not queued yet.
async fn due_now(
    store: &Store,
    one: &UnderWay,
    states: &[State],
    seq: i64,
    now: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    let zone = one.policy.zone();
    let mut found = Vec::new();
    for state in states {
        for due in reminder::due(state, &one.cycle, &zone) {
            let Some(current) = reminder::current(&due, &one.policy.reminders, &zone, now) else {
                continue;
            };
            let cause = Cause::Reminder {
                record: state.id(),
                item: due.item.name().to_owned(),
                hours: current.hours,
                due: due.at.0,
            };
            found.push(Found { state, due, cause });
        }
    }
    let ids: Vec<Uuid> = found.iter().map(|one| one.cause.identity()).collect();
    let known = store.queued_among(one.id, &ids).await?;
    found.retain(|one| !known.contains(&one.cause.identity()));

    let mut rows = Vec::new();
    for chunk in found.chunks(TOGETHER) {
        let states: Vec<State> = chunk.iter().map(|one| one.state.clone()).collect();
        let world = store.world_for(&states).await?;
        for Found { state, due, cause } in chunk {
            if reminder::is_settled(due.item, state, &world) {
                continue;
            }
            let data = json!({ "label": label(store, state).await?, "due": due.written_in(&zone) });
            rows.push(OutboxRow {
                journal: one.id,
                id: cause.identity(),
                seq,
                message: OutboxMessage {
                    channel: INBOX.to_owned(),
                    topic: topic(due.item),
                    receiver: None,
                    payload: json!({
                        "kind": state.kind(),
                        "subject": state.id(),
                        "organisation": state.index().organisation,
                        "data": data,
                        "cause": cause,
                    }),
                },
                created_at: now.0,
                due_at: now.0,
            });
        }
    }
    Ok(rows)
}

/// What the record is called, or what it is a part of.
async fn label(store: &Store, state: &State) -> Result<String, StoreError> {
    let index = state.index();
    if let Some(label) = index.label {
        return Ok(label);
    }
    let Some(parent) = index.parent else {
        return Ok(String::new());
    };
    let parent = store.read_one(None, parent).await?;
    Ok(parent
        .and_then(|parent| parent.index().label)
        .unwrap_or_default())
}

/// Queues those that are not queued yet.
pub(crate) async fn queue_new(
    store: &Store,
    journal: Uuid,
    mut rows: Vec<OutboxRow>,
) -> Result<usize, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let known = store.queued_among(journal, &ids).await?;
    rows.retain(|row| !known.contains(&row.id));
    if !rows.is_empty() {
        store.queue_messages(&rows).await?;
    }
    Ok(rows.len())
}

const fn is_under_way(stage: cycle::Stage) -> bool {
    !matches!(
        stage,
        cycle::Stage::Preparing | cycle::Stage::Closed | cycle::Stage::Cancelled
    )
}

/// Every cycle that runs, with the rules in force.
pub(crate) async fn cycles_under_way(store: &Store) -> Result<Vec<UnderWay>, StoreError> {
    let mut found = Vec::new();
    for state in list(store, &ListQuery::of(Kind::Cycle)).await? {
        let Some(cycle) = Cycle::of(&state).filter(|one| is_under_way(one.stage)) else {
            continue;
        };
        let world: World = store.world_for(std::slice::from_ref(&state)).await?;
        let rules = cycle.data.policy.and_then(|id| world.get::<Policy>(id));
        if let Some(rules) = rules {
            found.push(UnderWay {
                id: cycle.id,
                cycle: cycle.data.clone(),
                policy: rules.data.document.clone(),
            });
        }
    }
    Ok(found)
}

/// Every record that `query` finds, as the service itself sees them.
async fn list(store: &Store, query: &ListQuery) -> Result<Vec<State>, StoreError> {
    let viewer = Viewer::new(Actor::system());
    let mut query = ListQuery {
        limit: ListQuery::MOST,
        ..query.clone()
    };
    let mut states = Vec::new();
    loop {
        let page = match store.list(&viewer, &query).await {
            Ok(page) => page,
            Err(ListError::Store(error)) => return Err(error),
            // A cursor that the store has just given.
            Err(error @ ListError::Cursor(_)) => {
                tracing::error!(%error, "a list broke off");
                return Ok(states);
            }
        };
        states.extend(page.states);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(states),
        }
    }
}
