//! Addresses that have sent a wrong password.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};

use parking_lot::Mutex;

/// Maximum number of addresses. Above it, the oldest is forgotten.
const MAX_SOURCES: usize = 1024;

/// Where passwords come from: an IPv4 address, the first 64 bits of an IPv6 address, which a client may complete as it
/// likes, or any Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source(Option<IpAddr>);

impl Source {
    /// Returns the source of a client with this address.
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        }))
    }
}

/// Sources of wrong passwords, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<VecDeque<Source>>);

impl Guesses {
    /// Remembers that a wrong password came from there.
    pub(super) fn add(&self, source: Source) {
        let mut sources = self.0.lock();
        if !sources.contains(&source) {
            sources.push_back(source);
        }
        if sources.len() > MAX_SOURCES {
            sources.pop_front();
        }
    }

    /// Returns whether a wrong password has come from there.
    pub(super) fn contain(&self, source: Source) -> bool {
        self.0.lock().contains(&source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_addresses_and_networks_and_the_oldest_is_forgotten() {
        let source = |address: &str| Source::of(Some(address.parse().unwrap()));
        let guesses = Guesses::default();
        guesses.add(source("10.0.0.1"));
        guesses.add(source("2001:db8:1:2::1"));
        for (address, is_known) in [
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("10.0.0.2", false),
            ("2001:db8:1:2:ffff::2", true),
            ("2001:db8:1:3::1", false),
        ] {
            assert_eq!(guesses.contain(source(address)), is_known, "{address}");
        }
        assert!(!guesses.contain(Source::of(None)));
        for number in 0..1023_u32 {
            guesses.add(source(&std::net::Ipv4Addr::from_bits(number).to_string()));
        }
        assert!(!guesses.contain(source("10.0.0.1")) && guesses.contain(source("2001:db8:1:2::1")));
        assert_eq!(guesses.0.lock().len(), MAX_SOURCES);
    }
}
