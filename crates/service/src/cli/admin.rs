//! Making administrators, the one thing that cannot be asked of the API before there is one, and giving
//! people another address.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::{Args, Subcommand};
use data_encoding::BASE32_NOPAD;
use fundcycle_core::actor::{Grant, Role, Scope};
use fundcycle_notify::channels::email::failing::works_again;
use fundcycle_store::Store;

use super::{Common, Stop, database, say, settings};
use crate::api::session::{Opening, Person, open_account};
use crate::auth::{Breached, Passwords};
use crate::clock::Clock;

/// Keep administrators and addresses.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make an account that keeps accounts and grants.
    #[command(after_help = "\
Examples:
  fundcycle admin create --email you@example.org              asks for the password, or makes one
  echo 'a long password' | fundcycle admin create --email you@example.org --password-stdin")]
    Create(CreateArgs),
    /// Take away the second factor of somebody who lost theirs, and end all their tokens.
    #[command(
        after_help = "Example:\n  fundcycle admin reset-second-factor --email you@example.org\nExits with 1 if they have none. Be sure who asks."
    )]
    ResetSecondFactor(ResetArgs),
    /// Give somebody another address to sign in with and to get letters at.
    #[command(after_help = "\
Example:
  fundcycle admin change-email --email old@example.org --to new@example.org
Letters that waited for the old one are sent to the new one. Exits with 1 if nobody has the old one, or
somebody has the new one.")]
    ChangeEmail(ChangeEmailArgs),
}

/// What `admin change-email` takes.
#[derive(Debug, Args)]
pub(crate) struct ChangeEmailArgs {
    #[command(flatten)]
    common: Common,
    /// The address as it is.
    #[arg(long)]
    email: String,
    /// The new one.
    #[arg(long, value_name = "EMAIL")]
    to: String,
}

/// What `admin create` takes.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    common: Common,
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// What the person is called.
    #[arg(long, default_value = "Administrator")]
    name: String,
    /// The language of messages: zh-CN or en.
    #[arg(long, default_value = "zh-CN")]
    locale: String,
    /// Read the password from standard input; else it is asked for on a terminal, and made and
    /// printed once where there is none or nothing is typed.
    #[arg(long)]
    password_stdin: bool,
}

/// What `admin reset-second-factor` takes.
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    common: Common,
    /// The address that they sign in with.
    #[arg(long)]
    email: String,
}

/// Does what is asked.
pub(crate) async fn run(command: AdminCommand) -> Result<(), Stop> {
    match command {
        AdminCommand::Create(args) => create(args).await,
        AdminCommand::ResetSecondFactor(args) => reset(args).await,
        AdminCommand::ChangeEmail(args) => change_email(args).await,
    }
}

async fn reset(args: ResetArgs) -> Result<(), Stop> {
    let ResetArgs { common, email } = args;
    let store = database::open(&settings(&common, Vec::new())?.database).await?;
    let now = Clock::of(&store).await?.now();
    let credential = store.credential_by_email(&email).await?;
    let mut had_one = false;
    if let Some(account) = credential.map(|one| one.account) {
        had_one = store.remove_factor(account).await?;
        if had_one {
            store.revoke_tokens_of(account, true, now).await?;
        }
    }
    store.close().await;
    if had_one {
        return say(&format!(
            "{email} has no second factor any more; all their tokens have ended"
        ));
    }
    super::complain(&format!(
        "{email} has no second factor; nothing was changed"
    ));
    Err(Stop::No)
}

async fn change_email(args: ChangeEmailArgs) -> Result<(), Stop> {
    let ChangeEmailArgs { common, email, to } = args;
    let store = database::open(&settings(&common, Vec::new())?.database).await?;
    let changed = changed(&store, &email, to).await;
    store.close().await;
    changed
}

async fn changed(store: &Store, email: &str, to: String) -> Result<(), Stop> {
    let no = |why: String| {
        super::complain(&why);
        Err(Stop::No)
    };
    let Some(known) = store.credential_by_email(email).await? else {
        return no(format!("nobody has the address {email}"));
    };
    let person = Person {
        email: to,
        name: known.name,
        locale: known.locale,
    };
    if let Some(fault) = person.faults().first() {
        return Err(Stop::Trouble(fault.message.to_string()));
    }
    let now = Clock::of(store).await?.now();
    if !store
        .change_email(known.account, &person.email, now)
        .await?
    {
        return no(format!("{} belongs to somebody already", person.email));
    }
    let due = works_again(store, known.account, now).await?;
    say(&format!(
        "account {} has the address {}; {due} letters that waited are due",
        known.account, person.email
    ))
}

async fn create(args: CreateArgs) -> Result<(), Stop> {
    let CreateArgs {
        common,
        email,
        name,
        locale,
        password_stdin,
    } = args;
    let settings = settings(&common, Vec::new())?;
    let list = settings.sign_in.breached_passwords.as_ref();
    let passwords = Passwords::new(list.map(Breached::open).transpose()?)?;
    let store = database::open(&settings.database).await?;
    let person = Person {
        email,
        name,
        locale,
    };
    let (password, made) = match ask(password_stdin)? {
        Some(password) => (password, false),
        None => (generate()?, true),
    };
    let mut faults = person.faults();
    let found = passwords.faults(&password, "/password").await;
    faults
        .extend(found.map_err(|_| Stop::Trouble("the password could not be checked".to_owned()))?);
    if !faults.is_empty() {
        let lines = faults.iter().map(|fault| {
            format!(
                "\n  {}: {}",
                fault.pointer.trim_start_matches('/'),
                fault.message
            )
        });
        return Err(Stop::Trouble(format!(
            "this account cannot be made:{}",
            lines.collect::<String>()
        )));
    }
    let hash = passwords
        .hash(password.clone())
        .await
        .map_err(|_| Stop::Trouble("the password could not be hashed".to_owned()))?;
    let grants = BTreeSet::from([Grant {
        role: Role::Admin,
        scope: Scope::Everywhere,
    }]);
    let email = person.email.clone();
    let clock = Clock::of(&store).await?;
    let opened = open_account(&store, &clock, person, hash, grants).await;
    store.close().await;
    match opened {
        Ok(account) => {
            say(&format!("administrator {email} has account {account}"))?;
            if made {
                say(&format!("password (shown this once): {password}"))?;
            }
            Ok(())
        }
        Err(Opening::Taken) => {
            super::complain(&format!(
                "{email} has an account already; nothing was changed"
            ));
            Err(Stop::No)
        }
        Err(Opening::Failed(error)) => Err(error.into()),
    }
}

/// What was typed; none where nothing was.
fn ask(from_stdin: bool) -> Result<Option<String>, Stop> {
    let stdin = std::io::stdin();
    if !from_stdin {
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let mut stderr = std::io::stderr().lock();
        write!(
            stderr,
            "Password (it shows as you type; nothing: one is made): "
        )?;
        stderr.flush()?;
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let typed = line.trim_end_matches(['\r', '\n']);
    Ok(if typed.is_empty() && !from_stdin {
        None
    } else {
        Some(typed.to_owned())
    })
}

fn generate() -> Result<String, Stop> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes)
        .map_err(|error| Stop::Trouble(format!("no random bytes: {error}")))?;
    Ok(BASE32_NOPAD.encode(&bytes).to_lowercase())
}
