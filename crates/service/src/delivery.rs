//! Messages on their way out: the channels that this installation runs, each worked by itself.

use std::sync::Arc;
use std::time::Duration;

use fundcycle_notify::channel::Channel;
use fundcycle_notify::channels::email::{EMAIL, Email};
use fundcycle_notify::channels::inbox::Inbox;
use fundcycle_notify::channels::log::{LOG, Log};
use fundcycle_notify::channels::webhook::Webhooks;
use fundcycle_notify::delivery::deliver_due;
use fundcycle_notify::template::Templates;
use fundcycle_store::Store;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::mail::MailSettings;

/// Time between two looks for messages to deliver.
const EVERY: Duration = Duration::from_secs(1);

/// Every channel that `settings` ask for.
///
/// # Errors
///
/// A sentence on what cannot work.
pub(crate) fn channels(
    store: &Store,
    settings: &MailSettings,
) -> Result<Vec<Arc<dyn Channel>>, String> {
    let templates = Templates::built_in().map_err(|error| error.to_string())?;
    let mut followers = Vec::new();
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    let smtp = settings
        .smtp()
        .map_err(|error| format!("smtp_authority cannot be read: {error}"))?;
    if let Some(smtp) = smtp {
        let email = Email::new(store.clone(), smtp).map_err(|error| error.to_string())?;
        channels.push(Arc::new(email));
        followers.push(EMAIL);
    }
    if settings.log_messages {
        channels.push(Arc::new(Log));
        followers.push(LOG);
    }
    let webhooks = settings
        .webhooks()
        .map_err(|error| format!("webhook_authority cannot be read: {error}"))?;
    channels.push(Arc::new(Webhooks::new(store.clone(), &webhooks)?));
    channels.push(Arc::new(Inbox::new(
        store.clone(),
        Arc::new(templates),
        followers,
    )));
    Ok(channels)
}

/// Works every channel until `ended`; what is being delivered then is finished first.
pub(crate) fn start(
    store: &Store,
    clock: &Clock,
    channels: &[Arc<dyn Channel>],
    wake: &Arc<Notify>,
    ended: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for channel in channels {
        for _ in 0..channel.pace().workers {
            workers.spawn(work(
                store.clone(),
                clock.clone(),
                Arc::clone(channel),
                Arc::clone(wake),
                ended.clone(),
            ));
        }
    }
    workers
}

async fn work(
    store: Store,
    clock: Clock,
    channel: Arc<dyn Channel>,
    wake: Arc<Notify>,
    mut ended: watch::Receiver<bool>,
) {
    let now = move || clock.now();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = wake.notified() => {}
            _ = ended.wait_for(|ended| *ended) => return,
        }
        while !*ended.borrow() {
            match deliver_due(&store, &*channel, &now).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, channel = channel.name(), "messages could not be looked for; trying again");
                    break;
                }
            }
        }
    }
}
