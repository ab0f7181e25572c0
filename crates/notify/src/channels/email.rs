//! E-mail over SMTP: each message of the inbox as a letter of its own, to one person.

pub mod bounce;
pub mod failing;
mod identity;
pub mod letter;
mod session;

use std::time::Duration;

use async_trait::async_trait;
use fundcycle_core::time::Timestamp;
use fundcycle_store::Store;
use fundcycle_store::credential::{Credential, email_key};
use fundcycle_store::outbox::Leased;
use fundcycle_store::outbox::identity::Cause;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::{Address, Message};
use serde::Deserialize;
use tokio::sync::OnceCell;
use uuid::Uuid;

use self::failing::Letter;
use self::identity::LETTER_SECRET;
use self::letter::letter;
use self::session::{Refused, Sessions};
use crate::channel::{Channel, ChannelError, Pace};
use crate::preferences::{Group, SECRET, token};
use crate::reminders::still_needed;

/// The name of this channel.
pub const EMAIL: &str = "email";

/// How many batches are under way at most.
const WORKERS: usize = 4;

/// How the connection to the server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Not at all: for a server on this very machine.
    None,
    /// STARTTLS, or nothing is sent.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// The server that takes e-mail, and how letters look.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name, which its certificate has to bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// With which name and password to sign in; none: without.
    pub credentials: Option<(String, String)>,
    /// An authority to trust beside the public ones, as PEM.
    pub authority: Option<Vec<u8>>,
    /// From whom, such as `武进区民政局 <no-reply@example.org>`.
    pub from: String,
    /// Where reports of letters that did not arrive go; none: to the address of `from`.
    pub bounces: Option<String>,
    /// How many connections are kept.
    pub connections: u32,
    /// How many letters one person gets in a minute.
    pub per_minute: i64,
    /// Where people reach this service, such as `https://fund.example.org`; none: letters name no address.
    pub public_url: Option<String>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the credentials.
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// Why no e-mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// The sender is no address.
    #[error("`{from}` is no sender: write NAME <user@host>")]
    From {
        /// What was given.
        from: String,
    },
    /// Where letters come back to is no address.
    #[error("`{address}` is no address to which letters come back: write user@host")]
    Bounces {
        /// What was given.
        address: String,
    },
    /// The authority's certificate cannot be read, or TLS cannot be set up.
    #[error("TLS towards the mail server cannot be set up: {0}")]
    Tls(String),
}

/// Sends e-mail.
pub struct Email {
    store: Store,
    sessions: Sessions,
    from: Mailbox,
    /// Where reports go: the sender on the envelope.
    bounces: Address,
    settings: Smtp,
    secret: OnceCell<String>,
}

/// What a row of this channel carries.
#[derive(Deserialize)]
struct Payload {
    inbox: Uuid,
    #[serde(default)]
    cause: Option<Cause>,
}

/// A letter that is ready.
struct Composed {
    account: Uuid,
    to: Address,
    mail: Vec<u8>,
}

impl Email {
    /// Letters about the messages in the inboxes of `store`.
    ///
    /// # Errors
    ///
    /// [`EmailError`] where the settings cannot work; whether the server answers shows later.
    pub fn new(store: Store, settings: Smtp) -> Result<Self, EmailError> {
        let from: Mailbox = settings.from.parse().map_err(|_| EmailError::From {
            from: settings.from.clone(),
        })?;
        let bounces = match &settings.bounces {
            None => from.email.clone(),
            Some(address) => address.parse().map_err(|_| EmailError::Bounces {
                address: address.clone(),
            })?,
        };
        let credentials = settings.credentials.clone();
        let sessions = Sessions::new(
            (settings.host.clone(), settings.port),
            tls(&settings)?,
            credentials.map(|(name, password)| Credentials::new(name, password)),
        );
        Ok(Self {
            store,
            sessions,
            from,
            bounces,
            settings,
            secret: OnceCell::new(),
        })
    }

    async fn compose(&self, message: &Leased, now: Timestamp) -> Result<Composed, ChannelError> {
        let never = |error: &dyn std::fmt::Display| ChannelError::Never(error.to_string());
        let Payload { inbox, cause } =
            serde_json::from_str(&message.payload).map_err(|error| never(&error))?;
        if let Some(cause) = &cause {
            still_needed(&self.store, cause, message.created_at, now).await?;
        }
        let account = message
            .receiver
            .ok_or_else(|| never(&"the message names no receiver"))?;
        let told = self
            .store
            .inbox_message(account, inbox)
            .await?
            .ok_or_else(|| ChannelError::Moot("the message was erased".to_owned()))?;
        let person = self
            .store
            .credential(account)
            .await?
            .ok_or_else(|| ChannelError::Moot("the person was erased".to_owned()))?;
        self.takes_letters(&person, message, now).await?;
        let address: Address = person
            .email
            .trim()
            .parse()
            .map_err(|error| never(&format!("the address cannot be written to: {error}")))?;
        let unsubscribe = self.unsubscribe(account, &message.topic).await?;
        let letter = letter(
            &told,
            &person.name,
            self.settings.public_url.as_deref(),
            unsubscribe.as_deref(),
        );
        let sent = std::time::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(message.created_at).unwrap_or_default());
        let secret = self
            .secret
            .get_or_try_init(|| self.store.secret(LETTER_SECRET))
            .await?;
        let name = identity::name(secret, message.id, self.from.email.domain());
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(person.name), address.clone()))
            .subject(letter.subject)
            .date(sent)
            .message_id(Some(format!("<{name}>")))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|error| never(&error))?;
        // RFC 3834: nobody's holiday reply is wanted.
        add(&mut mail, "Auto-Submitted", "auto-generated".to_owned());
        if let Some(address) = unsubscribe {
            add(&mut mail, "List-Unsubscribe", format!("<{address}>"));
            let one_click = "List-Unsubscribe=One-Click".to_owned();
            add(&mut mail, "List-Unsubscribe-Post", one_click);
        }
        Ok(Composed {
            account,
            to: address,
            mail: mail.formatted(),
        })
    }

    /// Holds a letter back whose address is known to take none.
    async fn takes_letters(
        &self,
        person: &Credential,
        message: &Leased,
        now: Timestamp,
    ) -> Result<(), ChannelError> {
        let failing = self.store.failing_address(person.account).await?;
        let Some(failing) = failing.filter(|one| one.address == email_key(&person.email)) else {
            return Ok(());
        };
        if now.0 - message.created_at > failing::PATIENCE {
            let reason = "its address took no letters for 30 days; the inbox has it";
            return Err(ChannelError::Moot(reason.to_owned()));
        }
        let because = failing.because;
        Err(ChannelError::Held(format!(
            "held, for its address takes no letters: {because}"
        )))
    }

    /// Where the receiver can say that they want no more of such letters (RFC 8058); none for letters
    /// that nobody may do without, or where people do not reach this service. Refuses a letter that
    /// they do not want.
    async fn unsubscribe(
        &self,
        account: Uuid,
        topic: &str,
    ) -> Result<Option<String>, ChannelError> {
        let group = Group::of(topic);
        if !group.optional() {
            return Ok(None);
        }
        let unwanted = self.store.unwanted(account, EMAIL).await?;
        if unwanted.contains(group.name()) {
            return Err(ChannelError::Moot("it is not wanted any more".to_owned()));
        }
        let Some(url) = &self.settings.public_url else {
            return Ok(None);
        };
        let secret = self.store.secret(SECRET).await?;
        let token = token(&secret, account, group);
        Ok(Some(format!("{url}/v1/unsubscribe/{token}")))
    }
}

fn add(mail: &mut Message, name: &'static str, value: String) {
    let name = HeaderName::new_from_ascii_str(name);
    mail.headers_mut().insert_raw(HeaderValue::new(name, value));
}

fn tls(settings: &Smtp) -> Result<Option<(Security, TlsParameters)>, EmailError> {
    if settings.security == Security::None {
        return Ok(None);
    }
    let failed = |error: lettre::transport::smtp::Error| EmailError::Tls(error.to_string());
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authority {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(failed)?);
    }
    let parameters = parameters.build().map_err(failed)?;
    Ok(Some((settings.security, parameters)))
}

#[async_trait]
impl Channel for Email {
    fn name(&self) -> &'static str {
        EMAIL
    }

    fn pace(&self) -> Pace {
        // Several batches, so that one slow answer holds up only its own.
        let connections = self.settings.connections as usize;
        Pace {
            workers: connections.min(WORKERS),
            at_once: connections.div_ceil(WORKERS),
            per_minute: Some(self.settings.per_minute),
        }
    }

    async fn deliver(&self, message: &Leased, now: Timestamp) -> Result<(), ChannelError> {
        let Composed { account, to, mail } = self.compose(message, now).await?;
        match self.sessions.send(&self.bounces, &to, &mail).await {
            Ok(()) => Ok(()),
            Err(Refused::Later(said)) => Err(ChannelError::Later(said)),
            Err(Refused::Letter(said)) => Err(ChannelError::Never(said)),
            Err(Refused::Address(said)) => {
                let letter = Letter {
                    id: message.id,
                    journal: message.journal,
                    seq: message.seq,
                    account,
                };
                failing::note(&self.store, letter, to.as_ref(), &said, now).await?;
                Err(ChannelError::Never(said))
            }
        }
    }
}

/// An error with what caused it.
fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
