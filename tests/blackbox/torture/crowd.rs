//! Clients that all write at once, each knowing what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use fundcycle_test_support::Database;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::ledger::{Asked, Ledger};
use crate::office::Office;
use crate::support::Server;

/// How many write at once.
const CLIENTS: usize = 16;
/// Longer than anything takes; a test that gets there fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Variables of the server's environment.
pub(super) type Environment = Vec<(&'static str, String)>;

/// How many acknowledgements there are before the crash.
#[derive(Clone, Copy)]
pub(super) struct Pace(usize);

impl Pace {
    /// Another one in each round, so that crashes meet all kinds of moments.
    pub(super) const fn of(round: u32) -> Self {
        Self(40 + (round as usize * 37) % 160)
    }
}

/// What all that are at work share.
struct Work {
    address: String,
    token: String,
    http: reqwest::Client,
    moment: Arc<AtomicU64>,
    acknowledged: AtomicUsize,
    enough: usize,
    reached: Notify,
    over: AtomicBool,
}

/// Who changes one draft again and again.
struct Client {
    name: usize,
    draft: String,
    /// The version it knows.
    tag: String,
    count: u32,
    /// What it asked and got no answer to.
    open: Option<Asked>,
    /// What it asked since it last reported.
    asked: Vec<Asked>,
}

/// The clients, and the bureau they write to.
pub(super) struct Crowd {
    pub(super) office: Office,
    pub(super) ledger: Ledger,
    idle: Vec<Client>,
    busy: JoinSet<Client>,
    work: Option<Arc<Work>>,
    moment: Arc<AtomicU64>,
    /// What the journal said so far, and its last place.
    journal: (Vec<String>, Value),
}

impl Client {
    /// Asks until there was enough, or until it gets no answer; gives the status of the last one.
    async fn works(&mut self, work: &Work) -> Option<StatusCode> {
        loop {
            let status = self.asks(work).await;
            if self.open.is_some() || work.over.load(Ordering::SeqCst) {
                return status;
            }
        }
    }

    /// Asks once: again what is open, with the same key, or else something new.
    async fn asks(&mut self, work: &Work) -> Option<StatusCode> {
        let tick = || work.moment.fetch_add(1, Ordering::SeqCst);
        let mut asked = self.open.take().unwrap_or_else(|| {
            self.count += 1;
            let text = format!("{}·{}", self.name, self.count);
            Asked {
                text,
                began: tick(),
                acknowledged: None,
            }
        });
        let body = json!({ "form": { "title": asked.text, "domain": "养老服务" } });
        let request = work
            .http
            .post(format!("{}{}/edit", work.address, self.draft))
            .bearer_auth(&work.token)
            .header("if-match", &self.tag)
            .header("idempotency-key", format!("{}-{}", self.name, self.count))
            .json(&body);
        let status = match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                // Acknowledged once its head is here, whatever becomes of the rest.
                asked.acknowledged = Some(tick());
                answer.headers()["etag"]
                    .to_str()
                    .unwrap()
                    .clone_into(&mut self.tag);
                if work.acknowledged.fetch_add(1, Ordering::SeqCst) + 1 == work.enough {
                    work.reached.notify_one();
                }
                Some(answer.status())
            }
            Ok(answer) => {
                let status = answer.status();
                let said = answer.text().await.unwrap_or_default();
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
                self.open = Some(asked.clone());
                Some(status)
            }
            Err(_) => {
                self.open = Some(asked.clone());
                None
            }
        };
        self.asked.push(asked);
        status
    }
}

impl Crowd {
    /// A bureau with a draft for each client.
    pub(super) async fn gather(database: &Database, environment: &Environment) -> Self {
        let mut office = Office::open(database, &[]).await;
        let mut idle = Vec::new();
        for name in 0..CLIENTS {
            let draft = office.draft(&format!("{name}")).await;
            let (tag, _) = office.read(&draft).await;
            idle.push(Client {
                name,
                draft,
                tag: tag.unwrap(),
                count: 0,
                open: None,
                asked: Vec::new(),
            });
        }
        if !environment.is_empty() {
            office.server.kill();
            office.server = served(database, environment);
        }
        Self {
            office,
            ledger: Ledger::default(),
            idle,
            busy: JoinSet::new(),
            work: None,
            moment: Arc::default(),
            journal: (Vec::new(), json!(0)),
        }
    }

    /// Everybody works; comes back in the midst of it, once there was enough.
    pub(super) async fn works_until(&mut self, pace: Pace) {
        let work = Arc::new(self.work(pace.0));
        for mut client in self.idle.drain(..) {
            let work = Arc::clone(&work);
            self.busy.spawn(async move {
                client.works(&work).await;
                client
            });
        }
        let reached = tokio::time::timeout(PATIENCE, work.reached.notified()).await;
        reached.expect("the work goes on");
        self.work = Some(work);
    }

    fn work(&self, enough: usize) -> Work {
        Work {
            address: self.office.server.address.clone(),
            token: self.office.owner.clone(),
            http: reqwest::Client::builder()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
            moment: Arc::clone(&self.moment),
            acknowledged: AtomicUsize::new(0),
            enough,
            reached: Notify::new(),
            over: AtomicBool::new(false),
        }
    }

    /// Waits for all who are still at work, and hears what they learned.
    pub(super) async fn rests(&mut self) {
        if let Some(work) = self.work.take() {
            work.over.store(true, Ordering::SeqCst);
        }
        while let Some(client) = self.busy.join_next().await {
            self.idle.push(client.unwrap());
        }
        for client in &mut self.idle {
            client
                .asked
                .drain(..)
                .for_each(|asked| self.ledger.note(asked));
        }
    }

    /// Serves the database again.
    pub(super) fn serve(&mut self, database: &Database, environment: &Environment) {
        self.office.server = served(database, environment);
    }

    /// Serves the database again, which has all that was acknowledged.
    pub(super) async fn comes_back(&mut self, database: &Database, environment: &Environment) {
        self.serve(database, environment);
        assert_eq!(self.missing().await, 0, "acknowledged and lost");
    }

    /// How much the journal lacks of what was acknowledged.
    pub(super) async fn missing(&mut self) -> usize {
        self.rests().await;
        let (mut texts, mut after) = std::mem::take(&mut self.journal);
        loop {
            let path = format!("{}?after={after}", self.office.path("journal"));
            let (status, page) = self
                .office
                .server
                .ask("GET", &path, Some(&self.office.staff), None)
                .await;
            // A database server that has just fallen over is not there at once.
            if status == 503 {
                continue;
            }
            assert_eq!(status, 200, "{page}");
            for entry in page["items"].as_array().unwrap() {
                if let Some(title) = entry["event"]["edited"]["form"]["title"].as_str() {
                    texts.push(title.to_owned());
                }
                after = entry["seq"].clone();
            }
            if page["next"].is_null() {
                break;
            }
        }
        let missing = self.ledger.held_against(&texts);
        self.journal = (texts, after);
        missing
    }

    /// Everybody asks again for what is open, under the same key, until it is done; then the journal is
    /// read from its start: each is there once.
    pub(super) async fn finishes(&mut self) {
        self.rests().await;
        let work = self.work(usize::MAX);
        for client in &mut self.idle {
            while client.open.is_some() {
                client.asks(&work).await;
            }
        }
        self.journal = (Vec::new(), json!(0));
        assert_eq!(self.missing().await, 0);
        let (done, told) = (self.journal.0.len(), self.ledger.acknowledged());
        assert_eq!(done, told, "all that happened was acknowledged in the end");
    }

    /// One client does one thing more.
    pub(super) async fn one_more(&mut self) {
        let work = self.work(usize::MAX);
        let status = self.idle[0].asks(&work).await;
        assert_eq!(status, Some(StatusCode::OK));
    }

    /// Each asks something new once; gives what they are answered.
    pub(super) async fn each_asks(&mut self) -> Vec<Option<StatusCode>> {
        self.rests().await;
        let work = self.work(usize::MAX);
        let mut answers = Vec::new();
        for client in self.idle.iter_mut().filter(|client| client.open.is_none()) {
            answers.push(client.asks(&work).await);
        }
        answers
    }
}

fn served(database: &Database, environment: &Environment) -> Server {
    let variables = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let flags = ["--time-travel", "--token-days", "365"];
    Server::start_with(database.folder.path(), &database.url, &flags, variables)
}
