//! How much a client may ask for: a bucket of requests per address, filled at a steady rate.
//!
//! A wrong token costs as much as a tenth of a second's requests, so that guessing is slow while reading is not. The
//! addresses of one IPv6 network count as one client. Clients that are remembered are bounded: beyond, whoever asked
//! least recently is forgotten, which gives it a full bucket and nothing more.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Clients that are remembered.
const CLIENTS_MAX: usize = 4096;
/// Seconds of asking nothing after which a bucket is full.
const BURST_SECONDS: f64 = 2.0;
/// A wrong token costs this part of a second's requests.
const FAILURE_SHARE: f64 = 0.1;

/// The buckets of all clients.
pub(crate) struct Limits {
    /// Requests a second; 0 is no limit.
    rate: f64,
    buckets: Mutex<BTreeMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    requests: f64,
    at: Duration,
}

/// Too much was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Limits {
    /// So many requests a second of every client; 0 is no limit.
    pub(crate) fn new(requests_per_second: u32) -> Self {
        Self { rate: f64::from(requests_per_second), buckets: Mutex::default() }
    }

    /// A request, at this time since the server started.
    pub(crate) fn request(&self, client: IpAddr, now: Duration) -> Result<(), TooMany> {
        self.take(client, 1.0, now)
    }

    /// Its token was wrong.
    pub(crate) fn failed(&self, client: IpAddr, now: Duration) {
        let _ = self.take(client, self.rate * FAILURE_SHARE, now);
    }

    fn take(&self, client: IpAddr, cost: f64, now: Duration) -> Result<(), TooMany> {
        if self.rate == 0.0 {
            return Ok(());
        }
        let full = self.rate * BURST_SECONDS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let client = network(client);
        if buckets.len() >= CLIENTS_MAX && !buckets.contains_key(&client) {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(client, _)| *client);
            oldest.map(|oldest| buckets.remove(&oldest));
        }
        let bucket = buckets.entry(client).or_insert(Bucket { requests: full, at: now });
        let passed = now.saturating_sub(bucket.at).as_secs_f64();
        bucket.requests = (bucket.requests + passed * self.rate).min(full);
        bucket.at = now;
        let is_enough = bucket.requests >= 1.0;
        // What was asked in vain costs nothing, or a client that goes on asking would never be answered again.
        bucket.requests -= if is_enough { cost } else { 0.0 };
        if is_enough { Ok(()) } else { Err(TooMany) }
    }
}

/// The address that stands for a client.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(prefix).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn asked(limits: &Limits, client: &str, times: usize, now: Duration) -> usize {
        (0..times).filter(|_| limits.request(address(client), now).is_ok()).count()
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let limits = Limits::new(10);
        assert_eq!(asked(&limits, "10.0.0.1", 100, Duration::ZERO), 20);
        assert_eq!(asked(&limits, "10.0.0.2", 5, Duration::ZERO), 5, "others are not held up");
        assert_eq!(asked(&limits, "10.0.0.1", 100, Duration::from_millis(500)), 5);
        assert_eq!(asked(&limits, "10.0.0.1", 100, Duration::from_secs(60)), 20);
        assert_eq!(asked(&Limits::new(0), "10.0.0.1", 10_000, Duration::ZERO), 10_000);
    }

    #[test]
    fn wrong_tokens_cost_more() {
        let limits = Limits::new(100);
        for _ in 0..20 {
            limits.failed(address("10.0.0.1"), Duration::ZERO);
        }
        assert_eq!(asked(&limits, "10.0.0.1", 100, Duration::ZERO), 0);
        assert_eq!(asked(&limits, "10.0.0.1", 100, Duration::from_millis(100)), 10);
    }

    #[test]
    fn networks_are_one_client_and_clients_are_bounded() {
        let limits = Limits::new(1);
        assert_eq!(asked(&limits, "2001:db8::1", 2, Duration::ZERO), 2);
        assert_eq!(asked(&limits, "2001:db8::ffff", 2, Duration::ZERO), 0);
        assert_eq!(asked(&limits, "::ffff:10.0.0.1", 2, Duration::ZERO), 2);
        assert_eq!(asked(&limits, "10.0.0.1", 2, Duration::ZERO), 0);
        for number in 0..2 * CLIENTS_MAX as u32 {
            let _ = limits.request(IpAddr::V4(number.into()), Duration::from_secs(1));
        }
        assert_eq!(limits.buckets.lock().expect("not poisoned").len(), CLIENTS_MAX);
    }
}
