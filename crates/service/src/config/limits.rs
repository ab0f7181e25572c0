//! Settings of how much is taken from whom.

use std::net::IpAddr;

use ipnet::IpNet;

/// The keys, as in the file.
pub(crate) const KEYS: [&str; 4] = [
    "rate_per_address",
    "rate_per_account",
    "sign_in_rate",
    "trusted_proxies",
];

/// How often one address and one account may ask, and which address counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitSettings {
    /// Requests a minute from one address; 0: any number.
    pub rate_per_address: u32,
    /// Requests a minute by one account; 0: any number.
    pub rate_per_account: u32,
    /// Requests with a password a minute from one address; 0: any number.
    pub sign_in_rate: u32,
    /// Proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            // A meeting hall behind one address: forty people at fifty requests in half a minute.
            rate_per_address: 6_000,
            rate_per_account: 1_200,
            sign_in_rate: 120,
            trusted_proxies: Vec::new(),
        }
    }
}

impl LimitSettings {
    /// Takes a value; none where the key is not one of these.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let rate = match key {
            "rate_per_address" => &mut self.rate_per_address,
            "rate_per_account" => &mut self.rate_per_account,
            "sign_in_rate" => &mut self.sign_in_rate,
            "trusted_proxies" => {
                return Some(networks(value).map(|all| self.trusted_proxies = all));
            }
            _ => return None,
        };
        let read = value.parse().ok().filter(|number| *number <= 1_000_000);
        Some(read.map(|number| *rate = number).ok_or_else(|| {
            "write a number of requests a minute up to 1000000, or 0 for no limit".to_owned()
        }))
    }
}

fn networks(value: &str) -> Result<Vec<IpNet>, String> {
    let parts = value.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            let one = part.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_| part.parse::<IpNet>()).map_err(|_| {
                format!("`{part}` is no address; write addresses or networks with commas, such as 127.0.0.1, 10.0.0.0/8")
            })
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_told_from_names() {
        let mut settings = LimitSettings::default();
        settings
            .set("trusted_proxies", "127.0.0.1, 10.0.0.0/8,::1")
            .unwrap()
            .unwrap();
        let shown: Vec<String> = settings
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]);
        for wrong in ["proxy.example.org", "10.0.0.0/33", "*"] {
            assert!(
                settings.set("trusted_proxies", wrong).unwrap().is_err(),
                "{wrong}"
            );
        }
        assert!(settings.set("sign_in_rate", "-1").unwrap().is_err());
        assert!(settings.set("colour", "1").is_none());
    }
}
