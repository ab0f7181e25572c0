//! Conversations with the mail server, kept open from letter to letter.
//!
//! Step by step and not through the library's transport, for two reasons: only whoever knows at which
//! step the server refused can tell a bad address from a bad password; and a letter with its end in
//! one piece is not held back by the network for tens of milliseconds (Nagle against delayed
//! acknowledgements), as one in two pieces is.

use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::sync::Mutex;

use super::bounce::{Status, Verdict};
use super::{Security, explained};

/// How long the server may take over a letter, from the first packet to its last word.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For how long a conversation may rest; servers end those that rest for minutes.
const REST: Duration = Duration::from_mins(1);

/// Why the server did not take a letter.
#[derive(Debug)]
pub(super) enum Refused {
    /// It refuses the address for good.
    Address(String),
    /// It refuses this letter for good.
    Letter(String),
    /// It may take it later, or it cannot be spoken with.
    Later(String),
}

/// Every conversation with one server.
pub(super) struct Sessions {
    host: String,
    port: u16,
    /// How it is secured, and what the server has to prove; none: not at all.
    tls: Option<(Security, TlsParameters)>,
    credentials: Option<Credentials>,
    hello: ClientId,
    resting: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Sessions {
    pub(super) fn new(
        (host, port): (String, u16),
        tls: Option<(Security, TlsParameters)>,
        credentials: Option<Credentials>,
    ) -> Self {
        Self {
            host,
            port,
            tls,
            credentials,
            hello: ClientId::default(),
            resting: Mutex::new(Vec::new()),
        }
    }

    /// Hands over a letter.
    ///
    /// # Errors
    ///
    /// [`Refused`] with what the server said.
    pub(super) async fn send(
        &self,
        from: &Address,
        to: &Address,
        letter: &[u8],
    ) -> Result<(), Refused> {
        tokio::time::timeout(TIMEOUT, self.hand_over(from, to, letter))
            .await
            .map_err(|_| Refused::Later("the mail server did not answer in time".to_owned()))?
    }

    async fn hand_over(&self, from: &Address, to: &Address, letter: &[u8]) -> Result<(), Refused> {
        let mut session = self.session().await.map_err(|error| later(&error))?;
        let outcome = exchange(&mut session, from, to, letter).await;
        // After a refusal it is as good as before; after anything else nobody knows what it waits for.
        let usable = match &outcome {
            Ok(()) => true,
            Err(step) => step.was_answered() && session.command(Rset).await.is_ok(),
        };
        if usable {
            self.resting.lock().await.push((session, Instant::now()));
        }
        outcome.map_err(Step::refused)
    }

    /// One that rests and still works, or a new one.
    async fn session(&self) -> Result<AsyncSmtpConnection, Error> {
        loop {
            let Some((mut session, since)) = self.resting.lock().await.pop() else {
                return self.connect().await;
            };
            if since.elapsed() < REST && session.test_connected().await {
                return Ok(session);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let server = (self.host.as_str(), self.port);
        let (at_once, then) = match &self.tls {
            None => (None, None),
            Some((Security::Tls, parameters)) => (Some(parameters.clone()), None),
            Some((_, parameters)) => (None, Some(parameters.clone())),
        };
        let mut session =
            AsyncSmtpConnection::connect_tokio1(server, Some(TIMEOUT), &self.hello, at_once, None)
                .await?;
        if let Some(parameters) = then {
            session.starttls(parameters, &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            session.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(session)
    }
}

/// At which step a letter was refused.
enum Step {
    /// Before the server knew for whom it is.
    Sender(Error),
    /// For whom it is.
    Recipient(Error),
    /// The letter itself.
    Letter(Error),
    /// The server cannot write to such an address.
    Unwritable,
}

impl Step {
    /// Whether the server said no, and listens again.
    fn was_answered(&self) -> bool {
        match self {
            Self::Sender(error) | Self::Recipient(error) | Self::Letter(error) => {
                error.is_permanent() || error.is_transient()
            }
            Self::Unwritable => true,
        }
    }

    fn refused(self) -> Refused {
        match self {
            Self::Recipient(error) if error.is_permanent() => {
                let said = explained(&error);
                let code = error.status().map(u16::from);
                match Status::verdict(code, Status::first_in(&said)) {
                    Verdict::Address => Refused::Address(said),
                    Verdict::Letter | Verdict::Temporary => Refused::Letter(said),
                }
            }
            Self::Letter(error) if error.is_permanent() => Refused::Letter(explained(&error)),
            // A sender or password that is refused is for the operator to mend, not a fault of the letter.
            Self::Sender(error) | Self::Recipient(error) | Self::Letter(error) => later(&error),
            Self::Unwritable => Refused::Address(
                "the mail server cannot write to addresses with such characters (SMTPUTF8)"
                    .to_owned(),
            ),
        }
    }
}

async fn exchange(
    session: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    letter: &[u8],
) -> Result<(), Step> {
    let mut parameters = Vec::new();
    if !AsRef::<str>::as_ref(to).is_ascii() {
        if !session
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return Err(Step::Unwritable);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = Mail::new(Some(from.clone()), parameters);
    session.command(sender).await.map_err(Step::Sender)?;
    let recipient = Rcpt::new(to.clone(), Vec::new());
    session.command(recipient).await.map_err(Step::Recipient)?;
    session.command(Data).await.map_err(Step::Letter)?;
    session
        .command(in_one_piece(letter))
        .await
        .map_err(Step::Letter)?;
    Ok(())
}

fn later(error: &Error) -> Refused {
    Refused::Later(explained(error))
}

/// A letter as it goes over the line (RFC 5321 §4.5.2): a dot that begins a line is doubled, and a line
/// with a dot alone is the end. Letters that are made here are ASCII with CRLF.
fn in_one_piece(letter: &[u8]) -> String {
    let text = String::from_utf8_lossy(letter);
    let mut line = text.replace("\r\n.", "\r\n..");
    if line.starts_with('.') {
        line.insert(0, '.');
    }
    if !line.ends_with("\r\n") {
        line.push_str("\r\n");
    }
    line.push_str(".\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_that_begins_a_line_is_doubled_and_one_alone_ends_it() {
        assert_eq!(
            in_one_piece(b"a\r\n.b\r\n..\r\n"),
            "a\r\n..b\r\n...\r\n.\r\n"
        );
        assert_eq!(
            in_one_piece(b".a\r\n\r\n.\r\nb"),
            "..a\r\n\r\n..\r\nb\r\n.\r\n"
        );
    }
}
