//! From which address somebody asks. What a header says counts only as far as proxies vouch for it
//! that are trusted by configuration: anybody can write a header.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// In which each proxy notes, at the end, whom it was asked by.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller(IpAddr);

/// What one customer of a network has: an IPv4 address, or the first half of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Caller {
    /// The last address, seen from here, that is not one of the `trusted` proxies.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|one| one.contains(address));
        let mut caller = peer.to_canonical();
        if !is_trusted(&caller) {
            return Self(caller);
        }
        // As bytes: what somebody wrote before a proxy does not spoil what the proxy wrote behind it.
        let lines: Vec<&[u8]> = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .map(axum::http::HeaderValue::as_bytes)
            .collect();
        let steps = (lines.iter().rev()).flat_map(|line| line.rsplit(|byte| *byte == b','));
        for step in steps {
            // Whoever wrote something else is the last that we know of.
            let Some(address) = std::str::from_utf8(step).ok().and_then(address) else {
                break;
            };
            caller = address;
            if !is_trusted(&caller) {
                break;
            }
        }
        Self(caller)
    }

    /// The network that is counted.
    pub(crate) fn network(self) -> Network {
        Network(match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        })
    }
}

impl Network {
    /// As text, to be compared.
    pub(crate) fn name(self) -> String {
        self.0.to_string()
    }
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = text.parse::<IpAddr>().ok();
    let with_port = || {
        text.parse::<std::net::SocketAddr>()
            .ok()
            .map(|one| one.ip())
    };
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    alone
        .or_else(with_port)
        .or_else(in_brackets)
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn caller(peer: &str, lines: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|one| one.parse().unwrap()).collect();
        Caller::of(peer.parse().unwrap(), &headers, &trusted)
            .0
            .to_string()
    }

    #[test]
    fn a_header_counts_as_far_as_trusted_proxies_vouch_for_it() {
        let proxies = &["127.0.0.1/32", "10.0.0.0/8"][..];
        for (peer, lines, trusted, expected) in [
            // Nobody is trusted: anybody can write a header.
            (
                "198.51.100.1",
                &["203.0.113.9"][..],
                &[][..],
                "198.51.100.1",
            ),
            ("198.51.100.1", &["203.0.113.9"], proxies, "198.51.100.1"),
            ("127.0.0.1", &["203.0.113.9"], proxies, "203.0.113.9"),
            // What the caller wrote before the proxy added theirs.
            (
                "127.0.0.1",
                &["203.0.113.1, 203.0.113.9"],
                proxies,
                "203.0.113.9",
            ),
            (
                "127.0.0.1",
                &["203.0.113.1", "203.0.113.9"],
                proxies,
                "203.0.113.9",
            ),
            (
                "127.0.0.1",
                &["203.0.113.9, 10.1.2.3"],
                proxies,
                "203.0.113.9",
            ),
            ("127.0.0.1", &["203.0.113.9:4711"], proxies, "203.0.113.9"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], proxies, "2001:db8::7"),
            ("127.0.0.1", &["[2001:db8::7]"], proxies, "2001:db8::7"),
            ("127.0.0.1", &["203.0.113.9, unknown"], proxies, "127.0.0.1"),
            ("127.0.0.1", &[], proxies, "127.0.0.1"),
            ("::ffff:127.0.0.1", &["203.0.113.9"], proxies, "203.0.113.9"),
        ] {
            assert_eq!(caller(peer, lines, trusted), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn one_customer_is_one_network() {
        let network = |text: &str| Caller(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::7"), network("2001:db8:1:3::7"));
        assert_ne!(network("203.0.113.1"), network("203.0.113.2"));
    }
}
