//! The command line. Exit codes: 0 done or yes; 1 the answer is no; 2 it could not be asked.

mod admin;
mod allocate;
mod assign;
mod bounce;
mod calendar;
pub(crate) mod database;
mod doctor;
mod draw;
mod journal;
mod keep;
mod limits;
mod mail;
mod outbox;
mod policy;
mod score;
mod sign_in;
mod table;
mod uscc;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Settings};
use crate::{api, demo, openapi, server, telemetry};

/// Runs a funding cycle, from the call to the close, as one program with a JSON API.
#[derive(Debug, Parser)]
#[command(name = "fundcycle", version, about, disable_version_flag = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
To begin:
  fundcycle migrate --database sqlite:fundcycle.db      make the database
  fundcycle admin create --email you@example.org --database sqlite:fundcycle.db
  fundcycle serve --database sqlite:fundcycle.db        then open http://127.0.0.1:8080/docs

Settings come from flags, then FUNDCYCLE_* in the environment, then one TOML file (--config).
Exit codes: 0 done or yes; 1 the answer is no; 2 it could not be asked.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until interrupted.
    #[command(
        after_help = "Example:\n  fundcycle serve --listen 0.0.0.0:8080 --database postgres://fundcycle@db/fundcycle"
    )]
    Serve(Box<ServeArgs>),
    /// Make the database, or bring its schema up to date.
    #[command(
        after_help = "Example:\n  fundcycle migrate --database sqlite:/var/lib/fundcycle/fundcycle.db"
    )]
    Migrate(database::MigrateArgs),
    /// Copy everything while the service runs, into a folder that `restore` takes.
    #[command(after_help = "\
Example:
  fundcycle backup --out backups/2025-06-01 --database postgres://fundcycle@db/fundcycle --files /var/lib/fundcycle/files
Exits with 1 if a file is missing or was changed, naming it; the rest is in the backup.")]
    Backup(keep::BackupArgs),
    /// Bring a backup back, into an empty database on either engine.
    #[command(after_help = "\
Example:
  fundcycle restore --from backups/2025-06-01 --database sqlite:restored.db --files restored-files
Exits with 1 if the backup or what was restored is not as it was.")]
    Restore(keep::RestoreArgs),
    /// Move to another database, mostly from SQLite to PostgreSQL, with everything counted and hashed.
    #[command(after_help = "\
Example, with the service stopped:
  fundcycle move --from sqlite:fundcycle.db --to postgres://fundcycle@db/fundcycle")]
    Move(keep::MoveArgs),
    /// Look for everything that is wrong with an installation: configuration, database, clock, key,
    /// record, rules of every cycle, and files. Changes nothing.
    #[command(after_help = "\
Example:
  fundcycle doctor --database sqlite:fundcycle.db --files fundcycle-files
Exits with 1 if something is wrong, one line for each.")]
    Doctor(doctor::DoctorArgs),
    /// Keep administrators.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Look at the rules of a cycle.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Look at the record.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Look after messages on their way out.
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Count working days.
    #[command(subcommand)]
    Calendar(calendar::CalendarCommand),
    /// Check unified social credit codes (GB 32100-2015): one line each, `valid` or what is wrong.
    #[command(
        after_help = "Example:\n  fundcycle uscc 53100000500021676K\nExits with 1 if any code is not valid."
    )]
    Uscc(uscc::UsccArgs),
    /// Take in a report that a letter did not arrive (RFC 3464), from standard input.
    #[command(after_help = "\
Examples:
  fundcycle bounce < report.eml
  |/usr/local/bin/fundcycle bounce --config /etc/fundcycle.toml        an alias of the mail server
  fetchmail --mda 'fundcycle bounce --config /etc/fundcycle.toml'      a mailbox somewhere else
What is no report of a failure is left alone. Ends with 75 if it could not be asked: then mail servers
keep the message and hand it over again.")]
    Bounce(bounce::BounceArgs),
    /// Rank applications by the scores of their sheets.
    #[command(
        after_help = "Example:\n  fundcycle score --scores sheets.csv --method trimmed_mean --drop-high 1 --drop-low 1"
    )]
    Score(score::ScoreArgs),
    /// Assign experts to applications, best possible and proven so.
    #[command(
        after_help = "Example:\n  fundcycle assign --affinity fit.csv --per-application 3 --max-load 8 --conflicts conflicts.csv\nExits with 2 and a cause if no assignment keeps all limits."
    )]
    Assign(assign::AssignArgs),
    /// Choose who is funded under a budget, with the reason for each.
    #[command(
        after_help = "Example:\n  fundcycle allocate --candidates ranking.csv --rules selection.toml"
    )]
    Allocate(allocate::AllocateArgs),
    /// Draw an order from a seed, so that anyone can draw it again.
    #[command(after_help = "Example:\n  fundcycle draw --items items.csv --seed 00ff --explain")]
    Draw(draw::DrawArgs),
    /// Compute the published results of a cycle again, from its verification file alone.
    #[command(
        after_help = "Example:\n  curl -o cycle.json https://HOST/v1/cycles/ID/verification\n  fundcycle verify cycle.json --locale zh-CN\nNeeds no server and no database. Exits with 1 if anything differs."
    )]
    Verify(verify::VerifyArgs),
    /// Play the 2024–2025 cycle of Wujin district through the API, and check what is left.
    #[command(
        after_help = "Examples:\n  fundcycle demo            play and show the result\n  fundcycle demo --serve    and keep the server up to explore\n  fundcycle demo --until review --serve    with the roadshow still to come"
    )]
    Demo(demo::DemoArgs),
    /// Print the OpenAPI document.
    #[command(after_help = "Example:\n  fundcycle openapi > openapi.json")]
    Openapi,
    /// Print the version.
    Version,
}

/// Where the settings and the database are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Where it remembers: sqlite:PATH or postgres://USER@HOST/NAME [default: sqlite:fundcycle.db]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    common: Common,
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The folder of attachments [default: fundcycle-files]
    #[arg(long, value_name = "FOLDER")]
    files: Option<String>,
    /// The file with the key that signs checkpoints; made when there is none [default: beside the database]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<String>,
    /// What of the log to write [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How to write it: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Days that a token lasts [default: 14]
    #[arg(long, value_name = "DAYS")]
    token_days: Option<String>,
    /// Bytes of a JSON body at most [default: 1048576]
    #[arg(long, value_name = "BYTES")]
    body_limit: Option<String>,
    /// Bytes of a file at most [default: 20971520]
    #[arg(long, value_name = "BYTES")]
    upload_limit: Option<String>,
    #[command(flatten)]
    sign_in: sign_in::SignInArgs,
    #[command(flatten)]
    limits: limits::LimitArgs,
    #[command(flatten)]
    mail: mail::MailArgs,
    /// Let administrators set the clock (PUT /v1/clock); only for a database that was made for it.
    #[arg(long)]
    time_travel: bool,
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The answer is no; it was said.
    No,
    /// It could not be asked, for this reason.
    Trouble(String),
    /// The same, and whoever asks shall ask again (`EX_TEMPFAIL` of sysexits.h).
    Later(String),
}

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Trouble(error.to_string())
    }
}

/// Does what the command line asks.
pub(crate) fn run() -> ExitCode {
    // Usage errors end with 2, help with 0.
    let Cli { command } = Cli::parse();
    let outcome = match command {
        Command::Serve(args) => within_runtime(serve(*args)),
        Command::Migrate(args) => within_runtime(database::migrate(args)),
        Command::Backup(args) => within_runtime(keep::backup(args)),
        Command::Restore(args) => within_runtime(keep::restore(args)),
        Command::Move(args) => within_runtime(keep::relocate(args)),
        Command::Doctor(args) => within_runtime(doctor::run(args)),
        Command::Admin(command) => within_runtime(admin::run(command)),
        Command::Journal(command) => within_runtime(journal::run(command)),
        Command::Outbox(command) => within_runtime(outbox::run(command)),
        Command::Bounce(args) => within_runtime(bounce::run(args)),
        Command::Policy(command) => policy::run(&command),
        Command::Calendar(command) => calendar::run(&command),
        Command::Uscc(args) => uscc::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Assign(args) => assign::run(&args),
        Command::Allocate(args) => allocate::run(&args),
        Command::Draw(args) => draw::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Demo(args) => within_runtime(demo::run(args)),
        Command::Openapi => print_openapi(),
        Command::Version => say(env!("CARGO_PKG_VERSION")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::No) => ExitCode::from(1),
        Err(Stop::Trouble(reason)) => {
            complain(&reason);
            ExitCode::from(2)
        }
        Err(Stop::Later(reason)) => {
            complain(&reason);
            ExitCode::from(75)
        }
    }
}

/// Writes a line to standard output.
///
/// # Errors
///
/// Where nobody reads it any more.
pub(crate) fn say(line: &str) -> Result<(), Stop> {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

/// Writes a line to standard error.
pub(crate) fn complain(line: &str) {
    use std::io::Write as _;
    // Nobody reads it: then there is nobody to tell.
    drop(writeln!(std::io::stderr().lock(), "fundcycle: {line}"));
}

fn within_runtime(work: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// The settings for a command that has only the common flags.
///
/// # Errors
///
/// Every fault of the configuration.
pub(crate) fn settings(
    common: &Common,
    more: Vec<(&'static str, Option<String>)>,
) -> Result<Settings, Stop> {
    let mut flags = vec![("database", common.database.clone())];
    flags.extend(more);
    Ok(config::load(flags, common.config.as_deref(), |name| {
        std::env::var(name).ok()
    })?)
}

async fn serve(args: ServeArgs) -> Result<(), Stop> {
    let ServeArgs {
        common,
        listen,
        files,
        signing_key,
        log,
        log_format,
        token_days,
        body_limit,
        upload_limit,
        sign_in,
        limits,
        mail,
        time_travel,
    } = args;
    let mut flags = vec![
        ("listen", listen),
        ("files", files),
        ("signing_key", signing_key),
        ("log", log),
        ("log_format", log_format),
        ("token_days", token_days),
        ("body_limit", body_limit),
        ("upload_limit", upload_limit),
    ];
    flags.extend(sign_in.flags());
    flags.extend(limits.flags());
    flags.extend(mail.flags());
    let settings = settings(&common, flags)?;
    telemetry::init_log(telemetry::filter(&settings.log)?, settings.log_format);
    let store = database::open(&settings.database).await?;
    // For whoever starts it: where it is, once it answers.
    let ready = |address| {
        drop(say(&format!(
            "fundcycle serves http://{address} (the API is shown at http://{address}/docs)"
        )));
    };
    Ok(server::serve(store, &settings, time_travel, ready).await?)
}

fn print_openapi() -> Result<(), Stop> {
    let schemas = api::Schemas::new();
    let document = openapi::document(&api::operations(&schemas), &schemas);
    say(&serde_json::to_string_pretty(&document)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
