//! A mail server on a port of its own that keeps what it takes, and that can be down, slow or unwilling.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::listener::Port;
use crate::mail::Mail;

/// How long a test waits for what has to happen.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whether and how the server speaks TLS.
#[derive(Clone, Debug)]
pub enum Speaks {
    /// It does not.
    Plain,
    /// From STARTTLS on.
    StartTls(Arc<ServerConfig>),
    /// From the first byte.
    Tls(Arc<ServerConfig>),
}

/// What a sender is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Takes,
    /// It answers this to every recipient.
    Answers(&'static str),
    /// It takes letters and answers nothing to them until its mood changes.
    Holds,
}

/// The server. It ends with the test.
#[derive(Debug)]
pub struct SmtpServer {
    port: Port,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// What the server knows.
#[derive(Debug)]
pub struct State {
    mood: Mood,
    /// What it took, in order.
    pub mails: Vec<Mail>,
    /// How many recipients were named, taken or not.
    pub asked: usize,
    /// How many connections were opened.
    pub opened: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

impl SmtpServer {
    /// A server that takes everything.
    pub fn start(speaks: Speaks) -> Self {
        let state = State {
            mood: Mood::Takes,
            mails: Vec::new(),
            asked: 0,
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
            drop(serve(stream, &speaks, &known));
        });
        Self { port, shared }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> String {
        self.port.number().to_string()
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
    pub fn is_in(&self, mood: Mood) {
        self.shared.change(|state| state.mood = mood);
    }

    /// Waits until it is so, and gives what was taken by then.
    pub fn wait(&self, what: &str, so: impl Fn(&State) -> bool) -> Vec<Mail> {
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), PATIENCE, |state| !so(state))
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{what}: {} letters, {} recipients asked, {} connections",
            state.mails.len(),
            state.asked,
            state.opened
        );
        state.mails.clone()
    }

    /// How many letters were taken by now.
    pub fn taken(&self) -> usize {
        self.shared.lock().mails.len()
    }

    /// Waits for this many letters.
    pub fn letters(&self, count: usize) -> Vec<Mail> {
        self.wait(&format!("{count} letters"), |state| {
            state.mails.len() >= count
        })
    }
}

trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

fn secure(stream: TcpStream, config: &Arc<ServerConfig>) -> Box<dyn Line> {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    Box::new(StreamOwned::new(connection, stream))
}

fn serve(stream: TcpStream, speaks: &Speaks, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let raw = stream.try_clone()?;
    let (mut line, mut offers): (BufReader<Box<dyn Line>>, _) = match speaks {
        Speaks::Tls(config) => (BufReader::new(secure(stream, config)), false),
        Speaks::StartTls(_) => (BufReader::new(Box::new(stream)), true),
        Speaks::Plain => (BufReader::new(Box::new(stream)), false),
    };
    say(&mut line, "220 sink")?;
    let (mut from, mut to) = (String::new(), String::new());
    let address = |text: &str| {
        text.trim()
            .split(['<', '>'])
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    loop {
        let mut text = String::new();
        if line.read_line(&mut text)? == 0 {
            return Ok(());
        }
        let upper = text.trim().to_uppercase();
        if upper.starts_with("EHLO") {
            let starttls = if offers { "250-STARTTLS\r\n" } else { "" };
            say(&mut line, &format!("250-sink\r\n{starttls}250 8BITMIME"))?;
        } else if upper == "STARTTLS" && offers {
            say(&mut line, "220 go on")?;
            if let Speaks::StartTls(config) = speaks {
                line = BufReader::new(secure(raw.try_clone()?, config));
            }
            offers = false;
        } else if upper.starts_with("RCPT TO:") {
            to = address(&text);
            shared.change(|state| state.asked += 1);
            let mood = shared.lock().mood;
            match mood {
                Mood::Answers(refusal) => say(&mut line, refusal)?,
                Mood::Takes | Mood::Holds => say(&mut line, "250 ok")?,
            }
        } else if upper.starts_with("MAIL FROM:") {
            from = address(&text);
            say(&mut line, "250 ok")?;
        } else if upper == "DATA" {
            say(&mut line, "354 go on")?;
            let raw = letter(&mut line)?;
            let held = shared.lock();
            drop(
                shared
                    .changed
                    .wait_while(held, |state| state.mood == Mood::Holds)
                    .unwrap(),
            );
            let (from, to) = (from.clone(), to.clone());
            shared.change(|state| state.mails.push(Mail { from, to, raw }));
            say(&mut line, "250 taken")?;
        } else if upper == "QUIT" {
            return say(&mut line, "221 bye");
        } else {
            // RSET, NOOP.
            say(&mut line, "250 ok")?;
        }
    }
}

fn say(line: &mut BufReader<Box<dyn Line>>, text: &str) -> io::Result<()> {
    let stream = line.get_mut();
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    stream.flush()
}

fn letter(line: &mut BufReader<Box<dyn Line>>) -> io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut text = String::new();
        line.read_line(&mut text)?;
        if text == ".\r\n" || text.is_empty() {
            return Ok(raw);
        }
        raw.push_str(text.strip_prefix('.').unwrap_or(&text));
    }
}
