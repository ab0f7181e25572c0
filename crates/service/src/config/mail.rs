//! Settings of what goes out: by mail, and to webhooks.

use std::fmt;
use std::path::PathBuf;

use fundcycle_notify::channels::email::{Security, Smtp};
use fundcycle_notify::channels::webhook::WebhookSettings;

/// The keys, as in the file. The password has no flag: others on the machine could read it there.
pub(crate) const KEYS: [&str; 15] = [
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_user",
    "smtp_password",
    "smtp_authority",
    "smtp_connections",
    "mail_from",
    "mail_bounces",
    "mail_per_minute",
    "public_url",
    "log_messages",
    "webhook_allow_private",
    "webhook_authority",
    "webhook_per_minute",
];

/// How people are told outside the product.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MailSettings {
    /// The server that takes mail; none: no mail is sent.
    smtp_host: Option<String>,
    /// Its port; none: the usual one.
    smtp_port: Option<u16>,
    /// How the connection is secured.
    smtp_security: Security,
    /// With which name to sign in.
    smtp_user: Option<String>,
    /// With which password.
    smtp_password: Option<String>,
    /// A file with an authority to trust beside the public ones, as PEM.
    smtp_authority: Option<PathBuf>,
    /// How many connections are kept.
    smtp_connections: u32,
    /// From whom.
    mail_from: Option<String>,
    /// Where reports of letters that did not arrive go; none: to `mail_from`.
    mail_bounces: Option<String>,
    /// How many letters one person gets in a minute.
    mail_per_minute: i64,
    /// Where people reach this service.
    public_url: Option<String>,
    /// Whether each message is noted in the log, for development.
    pub log_messages: bool,
    /// Whether webhooks may be on private addresses, and spoken to without TLS.
    pub webhook_allow_private: bool,
    /// A file with an authority that webhooks may have their certificate from, as PEM.
    webhook_authority: Option<PathBuf>,
    /// How many deliveries one webhook gets in a minute.
    webhook_per_minute: i64,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            smtp_host: None,
            smtp_port: None,
            smtp_security: Security::StartTls,
            smtp_user: None,
            smtp_password: None,
            smtp_authority: None,
            smtp_connections: 8,
            mail_from: None,
            mail_bounces: None,
            mail_per_minute: 60,
            public_url: None,
            log_messages: false,
            webhook_allow_private: false,
            webhook_authority: None,
            webhook_per_minute: 600,
        }
    }
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the password.
        f.debug_struct("MailSettings")
            .field("smtp_host", &self.smtp_host)
            .finish_non_exhaustive()
    }
}

impl MailSettings {
    /// Takes a value; none where the key is not one of these.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
        let number = |most: u32| {
            value
                .parse::<u32>()
                .ok()
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| format!("write a number from 1 to {most}"))
        };
        match key {
            "smtp_host" => self.smtp_host = text(),
            "smtp_user" => self.smtp_user = text(),
            "smtp_password" => self.smtp_password = text(),
            "smtp_authority" => self.smtp_authority = text().map(PathBuf::from),
            "mail_from" => self.mail_from = text(),
            "mail_bounces" => self.mail_bounces = text(),
            "public_url" if !value.starts_with("https://") && !value.starts_with("http://") => {
                return Some(Err("write https://HOST".to_owned()));
            }
            "public_url" => self.public_url = Some(value.trim_end_matches('/').to_owned()),
            "smtp_port" => match value.parse() {
                Ok(port) => self.smtp_port = Some(port),
                Err(_) => return Some(Err("write a port from 1 to 65535".to_owned())),
            },
            "smtp_security" => match value {
                "none" => self.smtp_security = Security::None,
                "starttls" => self.smtp_security = Security::StartTls,
                "tls" => self.smtp_security = Security::Tls,
                _ => return Some(Err("write none, starttls or tls".to_owned())),
            },
            "smtp_connections" => match number(100) {
                Ok(number) => self.smtp_connections = number,
                Err(what) => return Some(Err(what)),
            },
            "mail_per_minute" => match number(1_000_000) {
                Ok(number) => self.mail_per_minute = i64::from(number),
                Err(what) => return Some(Err(what)),
            },
            "webhook_per_minute" => match number(1_000_000) {
                Ok(number) => self.webhook_per_minute = i64::from(number),
                Err(what) => return Some(Err(what)),
            },
            "webhook_authority" => self.webhook_authority = text().map(PathBuf::from),
            "log_messages" | "webhook_allow_private" => match value.parse() {
                Ok(yes) if key == "log_messages" => self.log_messages = yes,
                Ok(yes) => self.webhook_allow_private = yes,
                Err(_) => return Some(Err("write true or false".to_owned())),
            },
            _ => return None,
        }
        Some(Ok(()))
    }

    /// What does not fit together: the key, and what is wrong.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if self.smtp_host.is_some() && self.mail_from.is_none() {
            faults.push((
                "mail_from",
                "is missing: say from whom letters come, NAME <user@host>",
            ));
        }
        if self.smtp_user.is_some() != self.smtp_password.is_some() {
            faults.push((
                "smtp_password",
                "goes with `smtp_user`: give both or neither",
            ));
        }
        if self.smtp_password.is_some() && self.smtp_security == Security::None {
            faults.push((
                "smtp_security",
                "is `none`, and the password would be sent in the open",
            ));
        }
        faults
    }

    /// How webhooks may be reached.
    ///
    /// # Errors
    ///
    /// Where the file of the authority cannot be read.
    pub(crate) fn webhooks(&self) -> std::io::Result<WebhookSettings> {
        let authority = self.webhook_authority.as_ref();
        Ok(WebhookSettings {
            allow_private: self.webhook_allow_private,
            authority: authority.map(std::fs::read).transpose()?,
            per_minute: self.webhook_per_minute,
        })
    }

    /// The mail server; none where no mail is sent.
    ///
    /// # Errors
    ///
    /// Where the file of the authority cannot be read.
    pub(crate) fn smtp(&self) -> std::io::Result<Option<Smtp>> {
        let (Some(host), Some(from)) = (&self.smtp_host, &self.mail_from) else {
            return Ok(None);
        };
        let port = match self.smtp_security {
            Security::None => 25,
            Security::StartTls => 587,
            Security::Tls => 465,
        };
        let authority = self
            .smtp_authority
            .as_ref()
            .map(std::fs::read)
            .transpose()?;
        Ok(Some(Smtp {
            host: host.clone(),
            port: self.smtp_port.unwrap_or(port),
            security: self.smtp_security,
            credentials: self.smtp_user.clone().zip(self.smtp_password.clone()),
            authority,
            from: from.clone(),
            bounces: self.mail_bounces.clone(),
            connections: self.smtp_connections,
            per_minute: self.mail_per_minute,
            public_url: self.public_url.clone(),
        }))
    }
}
