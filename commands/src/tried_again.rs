//! Commands of processes that are tried again, in the log: a store that is away or a full
//! mailbox meets thousands of them, and one line a second says as much as all of theirs.

use crate::error::DispatchError;
use std::sync::{Mutex, PoisonError};
use tokio::time::{Duration, Instant};

/// A line is written this often at most.
const EVERY: Duration = Duration::from_secs(1);

/// When the last line was written, and what came since then.
#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Told {
    /// How many tries the line is about; none when there is to be no line now.
    fn due(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.last.is_some_and(|last| now < last + EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

static TOLD: Mutex<Told> = Mutex::new(Told {
    last: None,
    untold: 0,
});

/// Says that a command met that error and is tried again.
pub(crate) fn tell(command: &impl std::fmt::Display, error: &DispatchError) {
    metrics::counter!("ringledger_process_retries_total").increment(1);
    let due = TOLD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .due(Instant::now());
    if let Some(tries) = due {
        tracing::warn!(%command, %error, tries, "commands will be tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::{EVERY, Told};
    use tokio::time::Instant;

    #[test]
    fn a_line_a_second_tells_of_all() {
        let mut told = Told::default();
        let begin = Instant::now();
        assert_eq!(told.due(begin), Some(1));
        assert_eq!(told.due(begin), None);
        assert_eq!(told.due(begin + EVERY / 2), None);
        assert_eq!(told.due(begin + EVERY), Some(3));
    }
}
