//! `fundcycle demo`: a district's real year, played through the server's own API.

mod cast;
mod client;
mod intake;
mod play;
mod projects;
mod result;
mod review;
mod summary;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use clap::{Args, ValueEnum};
use fundcycle_core::actor::{Grant, Role, Scope};
use fundcycle_store::Store;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use self::client::{Client, DemoError, Person};
use self::play::{PASSWORD, Play};
use crate::api::session::{self, open_account};
use crate::auth::Passwords;
use crate::auth::factor::Required;
use crate::cli::{Stop, database, say};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::sign_in::SignInSettings;
use crate::server::{self, ServeError};
use crate::telemetry::{self, LogFormat};

/// The setting that marks a database as a demonstration, which the next one may replace.
const MARK: &str = "demo";
/// With what the administrator of the demonstration signs in.
const ADMIN: &str = "admin@demo.invalid";

/// What `demo` takes.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to play; a demonstration that is there is replaced, anything else is refused.
    #[arg(long, value_name = "URL", default_value = "sqlite:fundcycle-demo.db")]
    database: String,
    /// Stop the play after this scene, to explore or try the rest by hand.
    #[arg(long, value_enum, value_name = "SCENE", default_value_t = Scene::Close)]
    until: Scene,
    /// Keep the server up at the end, to explore.
    #[arg(long)]
    serve: bool,
    /// Where to listen with --serve.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080",
        requires = "serve"
    )]
    listen: SocketAddr,
}

/// The scenes of the play, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Scene {
    /// The cycle exists with its policy in force, and the call is about to open.
    Preparing,
    /// Everybody has handed in.
    Application,
    /// Staff have checked who may take part.
    Eligibility,
    /// Experts have scored on paper.
    Review,
    /// The shortlisted have pitched.
    Roadshow,
    /// The list is selected and approved.
    Selection,
    /// The notice has run, with its objection.
    Notice,
    /// Awards are accepted and agreements signed.
    Award,
    /// Projects have begun.
    Launch,
    /// Projects have passed their mid-term evaluation.
    Midterm,
    /// Projects are closed, and so is the cycle.
    Close,
}

/// Plays the cycle.
pub(crate) async fn run(args: DemoArgs) -> Result<(), Stop> {
    let begun = Instant::now();
    telemetry::init_log(telemetry::filter("error")?, LogFormat::Text);
    let store = fresh(&args.database).await?;
    let settings = Settings {
        listen: if args.serve {
            args.listen
        } else {
            SocketAddr::from(([127, 0, 0, 1], 0))
        },
        database: args.database.clone(),
        files: "fundcycle-demo-files".into(),
        // The play takes fourteen months by its own clock, on one sign-in each.
        token_days: 1_000,
        // Nobody in the play has a telephone.
        sign_in: SignInSettings {
            second_factor: Required::Optional,
            ..SignInSettings::default()
        },
        ..Settings::default()
    };
    let (address, server) = start(store.clone(), settings).await?;
    let client = Client::new(format!("http://{address}"));
    let admin = client.sign_in("(演示)系统管理员", ADMIN, PASSWORD).await?;
    let play = perform(client, admin, args.until).await?;
    report(&play, &store, begun, args.until).await?;
    explore(&play, &args, address)?;
    if args.serve {
        return Ok(server.await??);
    }
    server.abort();
    // It ends because it was asked to; its background work is gone before the database closes.
    drop(server.await);
    store.close().await;
    Ok(())
}

/// An empty database for the play, with its administrator.
async fn fresh(url: &str) -> Result<Store, Stop> {
    if let Some(path) = url
        .strip_prefix("sqlite:")
        .map(|path| path.trim_start_matches("//"))
        && Path::new(path).exists()
    {
        let old = database::open(url).await?;
        let replaceable = old.setting(MARK).await?.is_some();
        old.close().await;
        if !replaceable {
            return Err(Stop::Trouble(format!(
                "{path} is not a demonstration and stays as it is; name another file with --database"
            )));
        }
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{path}{suffix}");
            if Path::new(&file).exists() {
                std::fs::remove_file(file)?;
            }
        }
    }
    Store::migrate(url).await?;
    let store = database::open(url).await?;
    Clock::prepare(&store, Some("2024-04-22T08:00:00+08:00".parse()?)).await?;
    store.set_setting(MARK, "true").await?;
    let hash = Passwords::new(None)?
        .hash(PASSWORD.to_owned())
        .await
        .map_err(|_| Stop::Trouble("the password could not be hashed".to_owned()))?;
    let person = session::Person {
        email: ADMIN.to_owned(),
        name: "(演示)系统管理员".to_owned(),
        locale: "zh-CN".to_owned(),
    };
    let grants = BTreeSet::from([Grant {
        role: Role::Admin,
        scope: Scope::Everywhere,
    }]);
    open_account(&store, &Clock::of(&store).await?, person, hash, grants).await?;
    Ok(store)
}

async fn start(
    store: Store,
    settings: Settings,
) -> Result<(SocketAddr, JoinHandle<Result<(), ServeError>>), Stop> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut server = tokio::spawn(async move {
        let ready = |address| {
            // Who asked has gone: then there is nobody to tell.
            let _: Result<(), SocketAddr> = tell.send(address);
        };
        server::serve(store, &settings, true, ready).await
    });
    tokio::select! {
        address = told => Ok((address?, server)),
        ended = &mut server => {
            ended??;
            Err(Stop::Trouble("the server ended before it answered".to_owned()))
        }
    }
}

/// Every scene, each with a bar; a bar is full when its scene is over.
async fn perform(client: Client, admin: Person, until: Scene) -> Result<Play, DemoError> {
    let curtain = scene("开户 people", 30);
    let mut play = Play::open(client.counting(curtain.clone()), admin).await?;
    close(&curtain);
    macro_rules! act {
        ($scene:ident, $name:literal, $requests:literal, $play:expr) => {{
            if Scene::$scene <= until {
                let bar = scene($name, $requests);
                play.client = play.client.counting(bar.clone());
                $play.await?;
                close(&bar);
            }
        }};
    }
    act!(Preparing, "筹备 preparing", 35, intake::prepare(&mut play));
    act!(
        Application,
        "申报 application",
        280,
        intake::apply(&mut play, cast::applicants()?)
    );
    act!(
        Eligibility,
        "资格审查 eligibility",
        75,
        intake::check(&mut play)
    );
    act!(
        Review,
        "专家评审 review",
        335,
        review::paper_review(&mut play)
    );
    act!(Roadshow, "路演 roadshow", 350, review::roadshow(&mut play));
    act!(Selection, "遴选 selection", 8, result::select(&mut play));
    act!(Notice, "公示 notice", 25, result::notice(&mut play));
    act!(Award, "立项签约 award", 160, result::award(&mut play));
    act!(Launch, "启动 launch", 60, projects::launch(&mut play));
    act!(
        Midterm,
        "中期评估 mid-term",
        330,
        projects::midterm(&mut play)
    );
    act!(
        Close,
        "末期评估与结项 close",
        418,
        projects::close(&mut play)
    );
    Ok(play)
}

fn scene(name: &'static str, requests: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:28} {bar:30} {pos:>4} requests {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(requests)
        .with_style(style)
        .with_prefix(name)
}

fn close(bar: &ProgressBar) {
    let line = format!(
        "{} — {} requests, {:.1?}",
        bar.prefix(),
        bar.position(),
        bar.elapsed()
    );
    bar.finish_and_clear();
    // A line stays, also where there is no terminal to draw bars on.
    drop(say(&line));
}

async fn report(play: &Play, store: &Store, begun: Instant, until: Scene) -> Result<(), Stop> {
    // Before the end there is no project to show as a whole.
    if until == Scene::Close {
        let table = summary::table(play, store.working_days()).await?;
        say(&format!("\n{table}"))?;
        say(
            "* 日期或场地为演示而虚构 date or venue made up for the demonstration; amounts, scores and grades are synthetic throughout\n",
        )?;
    }
    let (total, kinds) = summary::facts(play).await?;
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    say(&format!(
        "The cycle's journal holds {total} facts: {}.",
        kinds.join(", ")
    ))?;
    let check = store.replay_check(None).await?;
    for difference in &check.differences {
        crate::cli::complain(&difference.to_string());
    }
    say(&format!(
        "Replay: {} journals, {} entries, {} records: {}.",
        check.journals,
        check.entries,
        check.records,
        if check.is_clean() {
            "every table is what the journal says"
        } else {
            "they differ"
        }
    ))?;
    say(&format!("Played in {:.1?}.", begun.elapsed()))?;
    if check.is_clean() {
        Ok(())
    } else {
        Err(Stop::No)
    }
}

fn explore(play: &Play, args: &DemoArgs, address: SocketAddr) -> Result<(), Stop> {
    let people = [&play.staff, &play.lead, &play.finance, &play.auditor];
    let people = people
        .into_iter()
        .chain(play.experts.first())
        .chain(play.entries.first().map(|entry| &entry.owner));
    say("\nSign in with any of these, all with the password wujin-demo-2024:")?;
    say(&format!("  {ADMIN}  (演示)系统管理员"))?;
    for person in people {
        say(&format!("  {}  {}", person.email, person.name))?;
    }
    if args.serve {
        say(&format!(
            "\nServing http://{address}/docs until interrupted."
        ))
    } else {
        let database = &args.database;
        say(&format!(
            "\nExplore it: fundcycle serve --time-travel --second-factor optional --database {database} --files fundcycle-demo-files"
        ))
    }
}
