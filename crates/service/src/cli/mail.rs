//! Flags of what goes out: by mail, and to webhooks.

use clap::Args;

/// How people are told outside the product.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Mail and webhooks (the password comes as FUNDCYCLE_SMTP_PASSWORD or in the file)"
)]
pub(super) struct MailArgs {
    /// The server that takes mail; without it no mail is sent.
    #[arg(long, value_name = "HOST")]
    smtp_host: Option<String>,
    /// Its port [default: 587, 465 with tls, 25 with none]
    #[arg(long, value_name = "PORT")]
    smtp_port: Option<String>,
    /// How the connection is secured: starttls, tls or none [default: starttls]
    #[arg(long, value_name = "HOW")]
    smtp_security: Option<String>,
    /// With which name to sign in there.
    #[arg(long, value_name = "NAME")]
    smtp_user: Option<String>,
    /// A file with an authority to trust beside the public ones, as PEM.
    #[arg(long, value_name = "FILE")]
    smtp_authority: Option<String>,
    /// How many connections are kept [default: 8]
    #[arg(long, value_name = "NUMBER")]
    smtp_connections: Option<String>,
    /// From whom letters come, NAME <user@host>
    #[arg(long, value_name = "SENDER")]
    mail_from: Option<String>,
    /// Where reports of letters that did not arrive go [default: the address of mail_from]
    #[arg(long, value_name = "ADDRESS")]
    mail_bounces: Option<String>,
    /// How many letters one person gets in a minute at most [default: 60]
    #[arg(long, value_name = "NUMBER")]
    mail_per_minute: Option<String>,
    /// Where people reach this service, for links in letters.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Note each message in the log, without its text: true or false [default: false]
    #[arg(long, value_name = "BOOL")]
    log_messages: Option<String>,
    /// Let webhooks be on private addresses, and without TLS: true or false [default: false]
    #[arg(long, value_name = "BOOL")]
    webhook_allow_private: Option<String>,
    /// A file with an authority that webhooks may have their certificate from, as PEM.
    #[arg(long, value_name = "FILE")]
    webhook_authority: Option<String>,
    /// How many deliveries one webhook gets in a minute at most [default: 600]
    #[arg(long, value_name = "NUMBER")]
    webhook_per_minute: Option<String>,
}

impl MailArgs {
    /// By key.
    pub(super) fn flags(self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("smtp_host", self.smtp_host),
            ("smtp_port", self.smtp_port),
            ("smtp_security", self.smtp_security),
            ("smtp_user", self.smtp_user),
            ("smtp_authority", self.smtp_authority),
            ("smtp_connections", self.smtp_connections),
            ("mail_from", self.mail_from),
            ("mail_bounces", self.mail_bounces),
            ("mail_per_minute", self.mail_per_minute),
            ("public_url", self.public_url),
            ("log_messages", self.log_messages),
            ("webhook_allow_private", self.webhook_allow_private),
            ("webhook_authority", self.webhook_authority),
            ("webhook_per_minute", self.webhook_per_minute),
        ]
    }
}
