//! `doctor`: everything that can be found wrong with an installation without changing it, one line each.

use std::collections::BTreeSet;

use clap::Args;
use fundcycle_core::aggregate::REGISTRY;
use fundcycle_core::invariants;
use fundcycle_core::kinds::Kind;
use fundcycle_core::names::Names as _;
use fundcycle_core::world::{Need, World};
use fundcycle_store::Store;

use super::{Common, Stop, database, keep, say, settings};
use crate::auth::Vault;
use crate::clock::Clock;
use crate::config::Settings;
use crate::files::Files;
use crate::signing::Signer;

/// From when on a clock is off, and from when on it is wrong, in milliseconds (`reliability.md` P08).
const OFF: i64 = 2_000;
const WRONG: i64 = 30_000;
/// How old a file must be before it counts as nobody's, in milliseconds: an upload may be under way.
const UNDER_WAY: i64 = 24 * 3_600_000;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    common: Common,
    /// The folder of attachments [default: fundcycle-files]
    #[arg(long, value_name = "FOLDER")]
    files: Option<String>,
    /// The file with the key that signs checkpoints [default: beside the database]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<String>,
    /// The file with the key that seals secrets [default: beside the database]
    #[arg(long, value_name = "FILE")]
    secret_key: Option<String>,
}

/// What was looked at, and what of it is wrong.
#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn wrong(&mut self, what: &str, found: &str) -> Result<(), Stop> {
        self.wrong += 1;
        say(&format!("WRONG {what}: {found}"))
    }
}

fn well(what: &str, found: &str) -> Result<(), Stop> {
    say(&format!("ok    {what}: {found}"))
}

fn note(what: &str, found: &str) -> Result<(), Stop> {
    say(&format!("note  {what}: {found}"))
}

/// Looks at everything; the answer is no where something is wrong.
pub(crate) async fn run(args: DoctorArgs) -> Result<(), Stop> {
    let flags = vec![
        ("files", args.files),
        ("signing_key", args.signing_key),
        ("secret_key", args.secret_key),
    ];
    let settings = settings(&args.common, flags)?;
    let mut findings = Findings::default();
    well("configuration", "every key is known and every value fits")?;
    // What cannot be served says so itself: unreachable, damaged, not durable, other migrations.
    let store = database::open(&settings.database).await?;
    well("database", "it answers, is durable, and has all migrations")?;
    let looked = look(&store, &settings, &mut findings).await;
    store.close().await;
    looked?;
    match findings.wrong {
        0 => say("all is well"),
        many => {
            say(&format!("{many} wrong"))?;
            Err(Stop::No)
        }
    }
}

async fn look(store: &Store, settings: &Settings, findings: &mut Findings) -> Result<(), Stop> {
    clock(store, findings).await?;
    match Signer::existing(store, &settings.signing_key_file()).await {
        Ok(_) => well(
            "signing key",
            "it is the one on record, and its owner's alone",
        )?,
        Err(error) => findings.wrong("signing key", &error.to_string())?,
    }
    let sealed = store.sealed_secrets().await?;
    let vault = Vault::in_file(settings.secret_key_file());
    let opened = sealed
        .iter()
        .try_for_each(|(account, secret)| vault.open(*account, secret).map(drop));
    match opened {
        Ok(()) => well(
            "secret key",
            &format!("it opens the {} secrets there are", sealed.len()),
        )?,
        Err(error) => findings.wrong("secret key", &error.to_string())?,
    }
    let report = store.verify(None, &[]).await?;
    for difference in &report.differences {
        findings.wrong("record", &difference.to_string())?;
    }
    for one in &report.notes {
        note("record", one)?;
    }
    if report.is_clean() {
        let found = format!(
            "{} entries and {} checkpoints in {} journals; chain, tree, signatures, tables, messages and answers agree",
            report.entries, report.checkpoints, report.journals
        );
        well("record", &found)?;
    }
    rules(store, findings).await?;
    for (what, count) in store.orphans().await? {
        let found = format!("{count} belong to nobody");
        findings.wrong(what, &found)?;
    }
    files(store, &Files::in_folder(&settings.files)?, findings).await
}

/// The clock of this machine, the database's, and the last entry's.
async fn clock(store: &Store, findings: &mut Findings) -> Result<(), Stop> {
    let clock = Clock::of(store).await?;
    if clock.travels() {
        return note("clock", "this database was made for a clock that is set");
    }
    let (server, last) = store.times().await?;
    let now = clock.now().0;
    let ahead = last - now;
    if ahead > WRONG {
        let found = format!("the last entry is {ahead} ms after this machine's time");
        return findings.wrong("clock", &found);
    }
    match server.map(|server| (server - now).abs()) {
        Some(skew) if skew > WRONG => findings.wrong(
            "clock",
            &format!("{skew} ms from the database server's; set both by the same time servers"),
        ),
        Some(skew) if skew > OFF => note("clock", &format!("{skew} ms from the database server's")),
        _ => well("clock", "it agrees with what it can be compared with"),
    }
}

/// What must hold in every cycle.
async fn rules(store: &Store, findings: &mut Findings) -> Result<(), Stop> {
    let mut broken = 0;
    let journals = store.journals().await?;
    for cycle in journals.into_keys().filter(|one| *one != REGISTRY) {
        let needs: BTreeSet<Need> = Kind::ALL.iter().map(|kind| Need::All(*kind)).collect();
        let mut world = World::default();
        store.load_needs(cycle, needs, &mut world).await?;
        for what in invariants::broken(&world) {
            broken += 1;
            findings.wrong("rules", &format!("cycle {cycle}: {what}"))?;
        }
    }
    if broken == 0 {
        let names: Vec<&str> = invariants::ALL.iter().map(|(name, _)| *name).collect();
        well(
            "rules",
            &format!("{} hold in every cycle", names.join(", ")),
        )?;
    }
    Ok(())
}

/// Every file that a record speaks of, and every one that none does.
async fn files(store: &Store, files: &Files, findings: &mut Findings) -> Result<(), Stop> {
    let mut kept = files.all().await?;
    let now = Clock::real().now().0;
    let (mut wrong, mut count) = (0, 0);
    for (id, sha256) in keep::attachments(store).await? {
        kept.remove(&Files::name_of(id, &sha256));
        count += 1;
        if let Err(lost) = files.check(id, &sha256).await {
            wrong += 1;
            findings.wrong("files", &format!("attachment {id}: {lost}"))?;
        }
    }
    if wrong == 0 {
        well("files", &format!("{count} are there and unchanged"))?;
    }
    for (name, at) in kept {
        if now - at > UNDER_WAY {
            note(
                "files",
                &format!("{name} belongs to no record; it may be removed"),
            )?;
        }
    }
    Ok(())
}
