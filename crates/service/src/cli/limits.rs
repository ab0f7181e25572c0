//! Flags of how much is taken from whom.

use clap::Args;

/// How often one address and one account may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits (a minute's worth may come at once)")]
pub(super) struct LimitArgs {
    /// Requests a minute from one address at most; 0: any number [default: 6000]
    #[arg(long, value_name = "NUMBER")]
    rate_per_address: Option<String>,
    /// Requests a minute by one account at most; 0: any number [default: 1200]
    #[arg(long, value_name = "NUMBER")]
    rate_per_account: Option<String>,
    /// Requests with a password a minute from one address at most; 0: any number [default: 120]
    #[arg(long, value_name = "NUMBER")]
    sign_in_rate: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, with commas [default: none]
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<String>,
}

impl LimitArgs {
    /// By key.
    pub(super) fn flags(self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("rate_per_address", self.rate_per_address),
            ("rate_per_account", self.rate_per_account),
            ("sign_in_rate", self.sign_in_rate),
            ("trusted_proxies", self.trusted_proxies),
        ]
    }
}
