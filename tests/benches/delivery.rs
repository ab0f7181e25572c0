//! How long a queue of messages takes to go out, and how much memory that needs: the built service, a mail
//! server and a receiver of webhooks on the same machine, both engines. `just bench-delivery [COUNT]`.
#![expect(clippy::unwrap_used, reason = "a program that measures")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fundcycle_core::calendar::WorkingDayCalendar;
use fundcycle_store::inbox::InboxMessage;
use fundcycle_store::outbox::{OutboxMessage, OutboxRow, identity};
use fundcycle_store::{Options, Store};
use fundcycle_test_support::http::HttpReceiver;
use fundcycle_test_support::smtp::{SmtpServer, Speaks};
use fundcycle_test_support::{Database, TempDir};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many people, or webhooks, the messages are for.
const RECEIVERS: usize = 100;
/// Time between two looks.
const EVERY: Duration = Duration::from_millis(500);
const PASSWORD: &str = "correct horse battery";

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip_while(|one| one != "--count").skip(1);
    let count: usize = arguments.next().map_or(10_000, |one| one.parse().unwrap());
    for letters in [true, false] {
        for database in [Some(Database::sqlite()), Database::postgres()] {
            let Some(database) = database else { continue };
            let what = if letters { "letters" } else { "webhooks" };
            let engine = if database.is_postgres() {
                "PostgreSQL"
            } else {
                "SQLite"
            };
            println!("\n{what}, {engine}: {count} queued for {RECEIVERS} receivers");
            if letters {
                of_letters(&database, count).await;
            } else {
                of_webhooks(&database, count).await;
            }
        }
    }
}

/// The built service; it ends with this.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn command(folder: &TempDir, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fundcycle"));
        command.args(arguments).current_dir(folder.path());
        command
    }

    fn start(database: &Database, more: &[&str]) -> Self {
        let common = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log",
            "error",
            "--database",
        ];
        let arguments = [&common, [database.url.as_str()].as_slice(), more].concat();
        let mut process = Self::command(&database.folder, &arguments)
            // The administrator that sets webhooks up has a password alone.
            .env("FUNDCYCLE_SECOND_FACTOR", "optional")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        Self {
            address: address.unwrap().to_owned(),
            process,
        }
    }

    async fn asked(&self, path: &str, token: Option<&str>, body: Value) -> Value {
        let mut request = reqwest::Client::new().post(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.json(&body).send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.unwrap_or_default()
    }

    /// What it holds in memory now, and what it held at most, in MiB.
    fn memory(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<f64>()
                .unwrap()
                / 1024.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A database with an administrator.
fn prepared(database: &Database) {
    let migrate = ["migrate", "--database", &database.url];
    let made = Service::command(&database.folder, &migrate)
        .output()
        .unwrap();
    assert!(made.status.success());
    let admin = "admin create --password-stdin --email admin@example.org --database";
    let mut arguments: Vec<&str> = admin.split(' ').collect();
    arguments.push(&database.url);
    let mut asked = Service::command(&database.folder, &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(asked.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(asked.wait().unwrap().success());
}

async fn open(database: &Database) -> Store {
    let options = Options::silent(WorkingDayCalendar::china().unwrap());
    Store::open(&database.url, options).await.unwrap()
}

fn row(id: Uuid, channel: &str, topic: &str, receiver: Uuid, payload: Value) -> OutboxRow {
    OutboxRow {
        journal: Uuid::nil(),
        id,
        seq: 1,
        message: OutboxMessage {
            channel: channel.to_owned(),
            topic: topic.to_owned(),
            receiver: Some(receiver),
            payload,
        },
        created_at: 1_714_954_200_000,
        due_at: 1_714_954_200_000,
    }
}

async fn of_letters(database: &Database, count: usize) {
    prepared(database);
    let unlimited = ["--sign-in-rate", "0", "--rate-per-address", "0"];
    let service = Service::start(database, &unlimited);
    for number in 0..RECEIVERS {
        let email = format!("person{number}@example.org");
        let body = json!({ "email": email, "name": format!("王芳{number}"), "password": PASSWORD });
        service.asked("/v1/register", None, body).await;
    }
    drop(service);
    let store = open(database).await;
    let mut people = Vec::new();
    for number in 0..RECEIVERS {
        let email = format!("person{number}@example.org");
        let person = store.credential_by_email(&email).await.unwrap();
        people.push(person.unwrap().account);
    }
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(1_000) {
        let (mut told, mut further) = (Vec::new(), Vec::new());
        for number in chunk {
            let (id, account) = (Uuid::now_v7(), people[number % people.len()]);
            let topic = "application.accept";
            told.push(InboxMessage {
                account,
                id,
                at: 1_714_954_200_000,
                topic: topic.to_owned(),
                locale: "zh-CN".to_owned(),
                title: format!("资格审查通过:WJ2024-{number}"),
                text: "“家门口的幸福好“食”光”已通过资格审查,将进入评审。".to_owned(),
                subject: None,
                read_at: None,
            });
            let copy = identity::of_copy(id, "email", account);
            further.push(row(copy, "email", topic, account, json!({ "inbox": id })));
        }
        store.put_in_inbox(&told, &further).await.unwrap();
    }
    let server = SmtpServer::start(Speaks::Plain);
    let port = server.port();
    let mail = "--smtp-host 127.0.0.1 --smtp-security none --mail-per-minute 1000000 --mail-from no-reply@fund.example --smtp-port";
    let mut flags: Vec<&str> = mail.split(' ').collect();
    flags.push(&port);
    measured(database, &flags, count, || server.taken(), &store).await;
    let mails = server.letters(count);
    let names: BTreeSet<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((mails.len(), names.len()), (count, count));
}

async fn of_webhooks(database: &Database, count: usize) {
    prepared(database);
    let receiver = HttpReceiver::start(None);
    let flags = "--webhook-allow-private true --webhook-per-minute 1000000";
    let flags: Vec<&str> = flags.split(' ').collect();
    let service = Service::start(database, &flags);
    let body = json!({ "email": "admin@example.org", "password": PASSWORD });
    let session = service.asked("/v1/sign-in", None, body).await;
    let token = session["token"].as_str();
    let mut hooks = Vec::new();
    for number in 0..RECEIVERS {
        let url = format!("http://127.0.0.1:{}/{number}", receiver.port());
        let body = json!({ "url": url, "description": "x", "types": ["application.accept"] });
        let made = service.asked("/v1/webhooks", token, body).await;
        hooks.push(made["id"].as_str().unwrap().parse::<Uuid>().unwrap());
    }
    drop(service);
    let store = open(database).await;
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(1_000) {
        let of = json!({ "kind": "application", "id": Uuid::nil() });
        let hook = |number: &usize| hooks[number % hooks.len()];
        let rows: Vec<OutboxRow> = chunk
            .iter()
            .map(|number| {
                let topic = "application.accept";
                row(Uuid::now_v7(), "webhook", topic, hook(number), of.clone())
            })
            .collect();
        store.queue_messages(&rows).await.unwrap();
    }
    measured(database, &flags, count, || receiver.taken(), &store).await;
    let posts = receiver.posts(count);
    let keys: BTreeSet<&String> = posts
        .iter()
        .map(|post| &post.headers["webhook-id"])
        .collect();
    assert_eq!((posts.len(), keys.len()), (count, count));
}

/// From the start of the service to the last message; then every one is noted as delivered, once.
async fn measured(
    database: &Database,
    flags: &[&str],
    count: usize,
    taken: impl Fn() -> usize,
    store: &Store,
) {
    let began = Instant::now();
    let service = Service::start(database, flags);
    println!(
        "{:>8} {:>8} {:>8} {:>9}",
        "seconds", "taken", "per s", "RSS MiB"
    );
    let mut before = (0.0, 0);
    let (first, _) = service.memory();
    loop {
        tokio::time::sleep(EVERY).await;
        let (now, sum, (memory, _)) = (began.elapsed().as_secs_f64(), taken(), service.memory());
        let rate = per_second(sum - before.1, now - before.0);
        println!("{now:>8.1} {sum:>8} {rate:>8.0} {memory:>9.1}");
        before = (now, sum);
        assert!(now < 600.0, "it does not end");
        if sum >= count {
            break;
        }
    }
    let (seconds, (_, most)) = (began.elapsed().as_secs_f64(), service.memory());
    let rate = per_second(count, seconds);
    println!(
        "{count} in {seconds:.1} s ({rate:.0} per second); RSS {first:.1} MiB at first, {most:.1} MiB at most"
    );
    // The last endings are noted within moments.
    while store.outbox_counts().await.unwrap().waiting > 0 {
        tokio::time::sleep(EVERY).await;
    }
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!(
        (counts.delivered, counts.dead),
        (count.try_into().unwrap(), 0)
    );
}

fn per_second(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / seconds
}
