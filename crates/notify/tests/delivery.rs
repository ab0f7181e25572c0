//! Delivery holds a batch and no more, however much waits.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_core::time::Timestamp;
use fundcycle_notify::channel::{Channel, ChannelError, Pace};
use fundcycle_notify::delivery::deliver_due;
use fundcycle_store::outbox::{DeskFilter, DeskStatus, Leased, OutboxMessage, OutboxRow};
use fundcycle_store::{Options, Store};
use fundcycle_test_support::{Database, on_both};
use serde_json::json;
use uuid::Uuid;

/// Messages that wait.
const WAITING: usize = 1_000;
/// What one worker takes at a time.
const BATCH: usize = 200;
const NOW: Timestamp = Timestamp(1_714_954_200_000);

on_both!(a_worker_takes_one_batch_out_of_the_queue_and_the_next_when_that_has_ended);

/// Takes everything, and looks now and then at how much its worker has taken out of the queue.
struct Watching {
    store: Store,
    delivered: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Channel for Watching {
    fn name(&self) -> &'static str {
        "watching"
    }

    fn pace(&self) -> Pace {
        Pace {
            workers: 1,
            at_once: 8,
            per_minute: None,
        }
    }

    async fn deliver(&self, _message: &Leased, _now: Timestamp) -> Result<(), ChannelError> {
        let number = self.delivered.fetch_add(1, Ordering::SeqCst);
        if number.is_multiple_of(50) {
            self.most
                .fetch_max(under_way(&self.store).await, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// How many messages are taken out of the queue and not noted as ended.
async fn under_way(store: &Store) -> usize {
    let filter = DeskFilter {
        status: Some(DeskStatus::Waiting),
        ..DeskFilter::default()
    };
    let waiting = store.outbox_page(&filter, 2_000).await.unwrap();
    waiting.iter().filter(|one| one.attempts > 0).count()
}

async fn a_worker_takes_one_batch_out_of_the_queue_and_the_next_when_that_has_ended(
    database: Database,
) {
    Store::migrate(&database.url).await.unwrap();
    let store = Store::open(
        &database.url,
        Options::silent(WorkingDayCalendar::china().unwrap()),
    )
    .await
    .unwrap();
    let rows: Vec<OutboxRow> = (0..WAITING)
        .map(|number| OutboxRow {
            journal: Uuid::nil(),
            id: Uuid::from_u128(number as u128 + 1),
            seq: 1,
            message: OutboxMessage {
                channel: "watching".to_owned(),
                topic: "application.accept".to_owned(),
                receiver: Some(Uuid::from_u128(number as u128 % 10)),
                payload: json!({}),
            },
            created_at: NOW.0,
            due_at: NOW.0,
        })
        .collect();
    store.queue_messages(&rows).await.unwrap();
    let channel = Watching {
        store: store.clone(),
        delivered: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    };
    for round in 1..=WAITING / BATCH {
        let due = deliver_due(&store, &channel, &|| NOW).await.unwrap();
        assert_eq!(due, BATCH);
        assert_eq!(channel.delivered.load(Ordering::SeqCst), round * BATCH);
        assert_eq!(under_way(&store).await, 0);
    }
    let most = channel.most.load(Ordering::SeqCst);
    assert!(0 < most && most <= BATCH, "{most}");
    assert_eq!(deliver_due(&store, &channel, &|| NOW).await.unwrap(), 0);
    store.close().await;
}
