//! Flags of how people sign in.

use clap::Args;

/// How people sign in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing in")]
pub(super) struct SignInArgs {
    /// Passwords that nobody may choose: a FILE with one a line, or sha1:FILE with sorted hashes or at
    /// least ten digits of them [default: none]
    #[arg(long, value_name = "FILE")]
    breached_passwords: Option<String>,
    /// Who has to have a second factor: staff (whoever works for the bureau or keeps the
    /// installation), everybody or optional [default: staff]
    #[arg(long, value_name = "WHO")]
    second_factor: Option<String>,
    /// The file with the key that seals secrets; made when there is none [default: beside the database]
    #[arg(long, value_name = "FILE")]
    secret_key: Option<String>,
}

impl SignInArgs {
    /// By key.
    pub(super) fn flags(self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("breached_passwords", self.breached_passwords),
            ("second_factor", self.second_factor),
            ("secret_key", self.secret_key),
        ]
    }
}
