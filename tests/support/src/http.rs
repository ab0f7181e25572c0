//! A receiver of posts on a port of its own that keeps what it gets, and that can be down, slow or unwilling.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::listener::Port;

/// How long a test waits for what has to happen.
const PATIENCE: Duration = Duration::from_mins(2);

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Path and query.
    pub path: String,
    /// Headers, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// What a sender is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status line and headers, such as `200 OK`.
    Says(&'static str),
    /// Nothing, until that changes.
    Holds,
}

/// The receiver. It ends with the test.
#[derive(Debug)]
pub struct HttpReceiver {
    port: Port,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    answer: Answer,
    /// How many posts are answered; later ones wait.
    answered: usize,
    posts: Vec<Posted>,
    opened: usize,
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }
}

impl HttpReceiver {
    /// A receiver that takes everything, with TLS where it is given what to speak it with.
    pub fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let state = State {
            answer: Answer::Says("200 OK"),
            answered: usize::MAX,
            posts: Vec::new(),
            opened: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let known = Arc::clone(&shared);
        let port = Port::open(move |stream| {
            known.change(|state| state.opened += 1);
            // A sender may break off at any point.
            drop(match &tls {
                None => serve(stream, &known),
                Some(config) => {
                    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                    serve(StreamOwned::new(connection, stream), &known)
                }
            });
        });
        Self { port, shared }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Stops answering: connections break, and new ones are refused.
    pub fn down(&self) {
        self.port.shut();
    }

    /// Answers again, on the same port.
    pub fn up(&self) {
        self.port.open_again();
    }

    /// From now on.
    pub fn answers(&self, answer: Answer) {
        self.shared.change(|state| state.answer = answer);
    }

    /// Answers no more than this many posts in all; whoever posts more waits until that changes.
    pub fn answers_only(&self, count: usize) {
        self.shared.change(|state| state.answered = count);
    }

    /// Waits for this many posts, answered or not, and gives all of them.
    pub fn posts(&self, count: usize) -> Vec<Posted> {
        self.wait(&format!("{count} posts"), |posts, _| posts >= count)
    }

    /// How many posts came by now.
    pub fn taken(&self) -> usize {
        self.shared.state.lock().unwrap().posts.len()
    }

    /// Waits until this many connections were opened.
    pub fn connections(&self, count: usize) {
        self.wait(&format!("{count} connections"), |_, opened| opened >= count);
    }

    fn wait(&self, what: &str, so: impl Fn(usize, usize) -> bool) -> Vec<Posted> {
        let state = self.shared.state.lock().unwrap();
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| {
                !so(state.posts.len(), state.opened)
            })
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{what}: {} posts, {} connections",
            state.posts.len(),
            state.opened
        );
        state.posts.clone()
    }
}

fn serve(stream: impl Read + Write, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map(String::as_str);
    let mut body = vec![0; length.unwrap_or("0").parse().unwrap()];
    stream.read_exact(&mut body)?;
    if path.is_empty() {
        return Ok(());
    }
    let body = String::from_utf8(body).unwrap();
    let mut number = 0;
    shared.change(|state| {
        state.posts.push(Posted {
            path,
            headers,
            body,
        });
        number = state.posts.len();
    });
    let state = shared.state.lock().unwrap();
    let state = shared
        .changed
        .wait_while(state, |state| {
            state.answer == Answer::Holds || number > state.answered
        })
        .unwrap();
    let Answer::Says(status) = state.answer else {
        return Ok(());
    };
    drop(state);
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    stream.get_mut().write_all(answer.as_bytes())?;
    stream.get_mut().flush()
}
