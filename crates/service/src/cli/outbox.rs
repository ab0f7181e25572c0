//! Messages on their way out, looked after beside a running service or while it is down.

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Table;
use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::outbox::{DeskFilter, DeskRow, DeskStatus};
use uuid::Uuid;

use super::{Common, Stop, complain, database, say, settings};
use crate::api::outbox::item;
use crate::clock::Clock;

/// Look after messages on their way out.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// How each channel keeps up, and the newest messages.
    #[command(after_help = "\
Examples:
  fundcycle outbox list --database sqlite:fundcycle.db
  fundcycle outbox list --status dead --channel email")]
    List(ListArgs),
    /// One message, as JSON; never what it says.
    #[command(
        after_help = "Example:\n  fundcycle outbox show 0199a3e2-5c1f-8d3b-9f00-1d2c3b4a5968"
    )]
    Show(OneArgs),
    /// Try a message again that failed, was given up or was cancelled, or all that were given up.
    #[command(after_help = "\
Examples:
  fundcycle outbox retry 0199a3e2-5c1f-8d3b-9f00-1d2c3b4a5968
  fundcycle outbox retry --dead email       after the mail server was down for days
Exits with 1 if there is nothing to try again.")]
    Retry(RetryArgs),
    /// Take a message out of the queue.
    #[command(after_help = "\
Example:
  fundcycle outbox cancel 0199a3e2-5c1f-8d3b-9f00-1d2c3b4a5968 --reason 'sent by post'
Exits with 1 if it is delivered or cancelled already.")]
    Cancel(CancelArgs),
}

/// What `outbox list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    common: Common,
    /// Only those that stand here.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Only those that go out this way.
    #[arg(long)]
    channel: Option<String>,
    /// Only those for this account or webhook.
    #[arg(long, value_name = "ID")]
    receiver: Option<Uuid>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

/// What `outbox show` takes.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    #[command(flatten)]
    common: Common,
    /// Which message.
    id: Uuid,
}

/// What `outbox retry` takes.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    common: Common,
    /// Which message.
    #[arg(required_unless_present = "dead", conflicts_with = "dead")]
    id: Option<Uuid>,
    /// All that were given up on this channel.
    #[arg(long, value_name = "CHANNEL")]
    dead: Option<String>,
}

/// What `outbox cancel` takes.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    common: Common,
    /// Which message.
    id: Uuid,
    /// Why; kept with the message.
    #[arg(long)]
    reason: String,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// To be delivered, not tried yet.
    Waiting,
    /// To be delivered, tried without success.
    Failing,
    /// Delivered.
    Delivered,
    /// Given up.
    Dead,
    /// Not needed any more.
    Cancelled,
}

impl From<Status> for DeskStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Waiting => Self::Waiting,
            Status::Failing => Self::Failing,
            Status::Delivered => Self::Delivered,
            Status::Dead => Self::Dead,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

/// Does what is asked.
pub(crate) async fn run(command: OutboxCommand) -> Result<(), Stop> {
    let common = match &command {
        OutboxCommand::List(args) => &args.common,
        OutboxCommand::Show(args) => &args.common,
        OutboxCommand::Retry(args) => &args.common,
        OutboxCommand::Cancel(args) => &args.common,
    };
    let store = database::open(&settings(common, Vec::new())?.database).await?;
    let now = Clock::of(&store).await?.now();
    let done = match command {
        OutboxCommand::List(args) => list(&store, args, now).await,
        OutboxCommand::Show(args) => show(&store, args.id).await,
        OutboxCommand::Retry(RetryArgs { id: Some(id), .. }) => {
            let done = store.retry_message(id, now).await?;
            answer(
                done,
                "it is due again",
                "there is no such message that failed, was given up or was cancelled",
            )
        }
        OutboxCommand::Retry(RetryArgs { dead, .. }) => {
            let many = store.retry_dead(&dead.unwrap_or_default(), now).await?;
            answer(
                many > 0,
                &format!("{many} are due again"),
                "none was given up on this channel",
            )
        }
        OutboxCommand::Cancel(args) => {
            let done = store.cancel_message(args.id, &args.reason, now).await?;
            answer(
                done,
                "it is cancelled",
                "there is no such message that could be cancelled",
            )
        }
    };
    store.close().await;
    done
}

fn answer(done: bool, yes: &str, no: &str) -> Result<(), Stop> {
    if done {
        return say(yes);
    }
    complain(no);
    Err(Stop::No)
}

async fn list(store: &Store, args: ListArgs, now: Timestamp) -> Result<(), Stop> {
    let filter = DeskFilter {
        status: args.status.map(DeskStatus::from),
        channel: args.channel,
        receiver: args.receiver,
        before: None,
    };
    for lag in store.outbox_lag().await? {
        let seconds = lag
            .due_since
            .map_or(0, |since| (now.0 - since).max(0) / 1_000);
        say(&format!(
            "{}: {} waiting, of these {} failing, oldest due for {seconds} s; {} given up",
            lag.channel, lag.waiting, lag.failing, lag.dead
        ))?;
    }
    for failing in store.failing_addresses().await? {
        say(&format!(
            "the address of account {} takes no letters since {}: {}",
            failing.account,
            Timestamp(failing.since),
            failing.because
        ))?;
    }
    let mut table = Table::new();
    table.set_header([
        "message", "channel", "topic", "status", "attempts", "since", "said",
    ]);
    for row in store.outbox_page(&filter, args.limit).await? {
        table.add_row(line(row));
    }
    say(&table.to_string())
}

fn line(row: DeskRow) -> [String; 7] {
    [
        row.id.to_string(),
        row.channel.clone(),
        row.topic.clone(),
        row.status().name().to_owned(),
        row.attempts.to_string(),
        Timestamp(row.created_at).to_string(),
        row.error.unwrap_or_default(),
    ]
}

async fn show(store: &Store, id: Uuid) -> Result<(), Stop> {
    match store.outbox_row(id).await? {
        Some(row) => say(&serde_json::to_string_pretty(&item(&row))?),
        None => answer(false, "", "there is no such message"),
    }
}
