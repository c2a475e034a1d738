//! Tokens per source, as a rule an address: what it may do at once and in the long
//! run. Time is an input.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Sources remembered; when there are more, those at rest are forgotten.
pub const SOURCES_MAX: usize = 10_000;

/// Who something came from, as far as limits go: an IPv4 address, or the /64 of an IPv6
/// one, of which a single host has as many addresses as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

/// The bits of an IPv6 address that one host can not choose.
const NETWORK: u128 = !0 << 64;

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            v4 @ IpAddr::V4(_) => v4,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK)),
        })
    }
}

/// How much one source may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens a second in the long run.
    pub per_s: u32,
    /// Tokens at once after a pause.
    pub burst: u32,
}

impl Rate {
    fn full_milli(self) -> u64 {
        u64::from(self.burst) * 1000
    }
}

/// The tokens of all sources.
#[derive(Debug)]
pub struct Buckets<K = Source> {
    rate: Rate,
    sources: Mutex<HashMap<K, Bucket>>,
}

/// Tokens of one source, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens_milli: u64,
    at: Instant,
}

impl Bucket {
    fn refill(&mut self, rate: Rate, now: Instant) {
        let passed_ms = now.saturating_duration_since(self.at).as_millis();
        let passed_ms = u64::try_from(passed_ms).unwrap_or(u64::MAX);
        let gained = passed_ms.saturating_mul(u64::from(rate.per_s));
        self.tokens_milli = self
            .tokens_milli
            .saturating_add(gained)
            .min(rate.full_milli());
        self.at = now;
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Full ones.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            sources: Mutex::default(),
        }
    }

    /// Takes a token; false if the source has none, or is one too many to be
    /// remembered.
    pub fn take(&self, source: K, now: Instant) -> bool {
        let rate = self.rate;
        let mut sources = self.lock();
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&source) {
            sources.retain(|_, bucket| {
                bucket.refill(rate, now);
                bucket.tokens_milli < rate.full_milli()
            });
            if sources.len() >= SOURCES_MAX {
                return false;
            }
        }
        let bucket = sources.entry(source).or_insert_with(|| Bucket {
            tokens_milli: rate.full_milli(),
            at: now,
        });
        bucket.refill(rate, now);
        let has = bucket.tokens_milli >= 1000;
        if has {
            bucket.tokens_milli -= 1000;
        }
        has
    }

    /// Whether the source has a token left; one that has never taken any has.
    pub fn has(&self, source: &K, now: Instant) -> bool {
        match self.lock().get_mut(source) {
            Some(bucket) => {
                bucket.refill(self.rate, now);
                bucket.tokens_milli >= 1000
            }
            None => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: Rate = Rate { per_s: 2, burst: 4 };

    fn of(address: [u8; 4]) -> Source {
        IpAddr::from(address).into()
    }

    #[test]
    fn a_host_has_no_more_sources_than_networks() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        for (one, other, same) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ] {
            assert_eq!(source(one) == source(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_look_takes_no_token_and_an_empty_bucket_fills_again() {
        let buckets = Buckets::new(RATE);
        let (source, now) = (of([192, 0, 2, 1]), Instant::now());
        for _ in 0..4 {
            assert!(buckets.has(&source, now));
            assert!(buckets.take(source, now));
        }
        assert!(!buckets.has(&source, now));
        assert!(!buckets.take(source, now));
        assert!(buckets.has(&of([192, 0, 2, 2]), now));
        assert!(buckets.has(&source, now + Duration::from_millis(500)));
    }

    #[test]
    fn a_flood_of_addresses_is_not_remembered_without_bound() {
        let buckets = Buckets::new(RATE);
        let now = Instant::now();
        for number in 0..SOURCES_MAX as u32 + 10 {
            buckets.take(of(number.to_be_bytes()), now);
        }
        assert!(buckets.lock().len() <= SOURCES_MAX);
        let rested = now + Duration::from_secs(10);
        assert!(buckets.take(of([192, 0, 2, 200]), rested));
    }
}
