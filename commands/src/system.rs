//! The real clock and the real chance. The only callers of the system's time
//! and random numbers; everything else takes them as input.

use crate::{
    clock::Steady,
    ports::{Clock, Entropy},
};
use domain::time::Timestamp;
use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// The system's clock, without its jumps: see [`Steady`]. There is one time in a
/// process, however many of these there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

static STEADY: Mutex<Option<Steady>> = Mutex::new(None);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970: an answer is better than none.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let wall = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let now = Instant::now();
        // Every change under the lock is a few assignments.
        let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = steady.get_or_insert_with(|| Steady::new(wall, now));
        Timestamp::from_micros(steady.tell(wall, now))
    }
}

/// Bytes taken from the system at once: a call for each id would cost more
/// than the id.
const POOL_BYTES: usize = 4_096;

/// The system's random numbers.
#[derive(Debug)]
pub struct SystemEntropy {
    pool: Mutex<Pool>,
}

#[derive(Debug)]
struct Pool {
    bytes: Vec<u8>,
    last_millis: u64,
    counter: u16,
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self {
            pool: Mutex::new(Pool {
                bytes: vec![],
                last_millis: 0,
                counter: 0,
            }),
        }
    }
}

impl Pool {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.bytes.len() < N {
            self.bytes.resize(POOL_BYTES, 0);
            getrandom::fill(&mut self.bytes)
                .expect("the operating system has random numbers once it has started");
        }
        let mut taken = [0; N];
        let rest = self.bytes.len() - N;
        taken.copy_from_slice(&self.bytes[rest..]);
        self.bytes.truncate(rest);
        taken
    }
}

impl Entropy for SystemEntropy {
    /// UUIDv7 (RFC 9562, section 5.7) with a counter in the first random bits,
    /// so that ids of one millisecond keep their order.
    fn uuid(&self, at: Timestamp) -> Uuid {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = at.millis_unsigned();
        if millis == pool.last_millis {
            pool.counter = (pool.counter + 1) & 0x0fff;
        } else {
            pool.last_millis = millis;
            pool.counter = 0;
        }
        let mut random: [u8; 10] = pool.take();
        random[..2].copy_from_slice(&pool.counter.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn number(&self) -> u64 {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        u64::from_be_bytes(pool.take())
    }
}
