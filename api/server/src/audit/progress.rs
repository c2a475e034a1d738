//! How far a long run is, for a person at a terminal.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// At least this between two drawings.
const EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// A bar on standard error; nothing when that is no terminal.
pub(super) struct Progress {
    total: u64,
    started: Instant,
    drawn: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new(total: u64) -> Self {
        Self {
            total,
            started: Instant::now(),
            drawn: None,
            is_shown: std::io::stderr().is_terminal(),
        }
    }

    /// So much is done.
    pub(super) fn at(&mut self, done: u64) {
        if self.is_shown && self.drawn.is_none_or(|drawn| drawn.elapsed() > EVERY) {
            self.drawn = Some(Instant::now());
            self.write(&bar(done, self.total, self.started.elapsed()));
        }
    }

    fn write(&self, line: &str) {
        // A terminal that is gone ends the bar, not the work.
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            self.write("");
        }
    }
}

fn bar(done: u64, total: u64, elapsed: Duration) -> String {
    let share = (done.min(total) * 100).checked_div(total).unwrap_or(100);
    let full = usize::try_from(share).unwrap_or(0) * WIDTH / 100;
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = done.saturating_mul(1_000) / millis;
    format!(
        "[{}{}] {share:3} %  {done} of {total} events, {rate}/s",
        "#".repeat(full),
        ".".repeat(WIDTH - full)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_with_what_is_done() {
        let second = Duration::from_secs(1);
        assert_eq!(
            bar(50, 100, second),
            "[###############...............]  50 %  50 of 100 events, 50/s"
        );
        assert!(bar(0, 0, Duration::ZERO).contains("100 %"));
        assert!(bar(7, 5, second).starts_with("[##############################] 100 %"));
    }
}
