//! How often one token may ask: a bucket of requests that fills up again.

use crate::{auth::Fingerprint, options::Options};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Buckets kept; full ones are dropped first when there are more tokens.
const BUCKETS_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    requests: f64,
    filled_at: Instant,
}

/// The buckets of all tokens.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<Fingerprint, Bucket>>,
}

impl Rate {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            per_second: f64::from(options.requests_per_second),
            burst: f64::from(options.requests_burst_max.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Takes one request out of the token's bucket, if there is one in it.
    pub(crate) fn take(&self, token: &Fingerprint, now: Instant) -> bool {
        if self.per_second <= 0.0 {
            return true;
        }
        // Every change under the lock leaves a whole map.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(token) {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.burst);
            if buckets.len() >= BUCKETS_MAX {
                return false;
            }
        }
        let bucket = buckets.entry(token.clone()).or_insert(Bucket {
            requests: self.burst,
            filled_at: now,
        });
        let requests = self.filled(*bucket, now);
        let has_one = requests >= 1.0;
        *bucket = Bucket {
            requests: if has_one { requests - 1.0 } else { requests },
            filled_at: now,
        };
        has_one
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let seconds = now
            .saturating_duration_since(bucket.filled_at)
            .as_secs_f64();
        (bucket.requests + seconds * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rate = Rate::new(&Options {
            requests_per_second: 10,
            requests_burst_max: 2,
            ..Options::default()
        });
        let now = Instant::now();
        let token = Fingerprint::of("rl_1");
        assert!(rate.take(&token, now));
        assert!(rate.take(&token, now));
        assert!(!rate.take(&token, now));
        assert!(rate.take(&Fingerprint::of("rl_2"), now));
        assert!(rate.take(&token, now + Duration::from_millis(100)));
        assert!(!rate.take(&token, now + Duration::from_millis(100)));
    }
}
