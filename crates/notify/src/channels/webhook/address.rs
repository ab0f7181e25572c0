//! Where a webhook may be: a public address over https, unless the installation allows more. Checked
//! on the very address that is connected to, so that no name can mean something else by then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

/// Where a webhook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Path and query.
    pub path: String,
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It cannot be read.
    #[error("write https://HOST/PATH")]
    Malformed,
    /// It has a name and password in it.
    #[error("an address with a name or password in it is not taken")]
    Credentials,
    /// It is not https.
    #[error("only https is taken")]
    Insecure,
    /// It is not public.
    #[error("a private, link-local or loopback address is not taken")]
    Private,
}

/// Reads an address.
///
/// # Errors
///
/// [`AddressFault`]; whether a name leads to a public address shows only when it is connected to.
pub fn target(url: &str, allow_private: bool) -> Result<Target, AddressFault> {
    let uri: Uri = url.parse().map_err(|_| AddressFault::Malformed)?;
    let authority = uri.authority().ok_or(AddressFault::Malformed)?;
    if authority.as_str().contains('@') {
        return Err(AddressFault::Credentials);
    }
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if allow_private => false,
        Some("http") => return Err(AddressFault::Insecure),
        _ => return Err(AddressFault::Malformed),
    };
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    if host.is_empty() {
        return Err(AddressFault::Malformed);
    }
    if !allow_private
        && let Ok(address) = host.parse::<IpAddr>()
        && !is_public(address)
    {
        return Err(AddressFault::Private);
    }
    Ok(Target {
        host,
        port: authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 }),
        secure,
        path: uri
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string),
    })
}

/// Whether anybody on the internet is meant to be reached at this address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0 // this network
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b)) // shared by carriers
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || a >= 224; // multicast, reserved, broadcast
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses that carry one of IPv4 lead where that one does.
    let carried = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = carried {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Global unicast, without documentation, Teredo and benchmarks.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && matches!(segments[1], 0..=0x1ff | 0xdb8))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "223.5.5.5",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2400:3200::1",
            "2001:4860::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn addresses_are_read_or_refused() {
        let read = target("https://hooks.example.org:8443/in?key=1", false).unwrap();
        assert_eq!(
            (read.host.as_str(), read.port, read.path.as_str()),
            ("hooks.example.org", 8443, "/in?key=1")
        );
        for (url, fault) in [
            ("http://example.org/", AddressFault::Insecure),
            ("https://user:pass@example.org/", AddressFault::Credentials),
            ("https://127.0.0.1/", AddressFault::Private),
            ("https://[::1]/", AddressFault::Private),
            ("https://[::ffff:10.0.0.1]/", AddressFault::Private),
            ("file:///etc/passwd", AddressFault::Malformed),
            ("gopher://example.org/", AddressFault::Malformed),
            ("/path", AddressFault::Malformed),
            ("https://", AddressFault::Malformed),
        ] {
            assert_eq!(target(url, false), Err(fault), "{url}");
        }
        assert!(target("http://10.0.0.1/", true).is_ok());
    }
}
