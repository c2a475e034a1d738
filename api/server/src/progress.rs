//! A line that grows while a long command runs, for a person at a terminal;
//! nothing at all when standard error goes elsewhere.

use std::{
    cell::Cell,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Signs of a full bar.
const WIDTH: u64 = 40;
/// At least this between two drawings.
const EVERY: Duration = Duration::from_millis(100);

/// How far a command is. The line ends with this.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    started: Instant,
    drawn: Cell<Option<Instant>>,
    is_terminal: bool,
}

impl Progress {
    /// Of things of that name.
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            started: Instant::now(),
            drawn: Cell::new(None),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// So many of all are done. The last is always drawn.
    pub fn at(&self, done: u64, all: u64) {
        let is_early = self.drawn.get().is_some_and(|at| at.elapsed() < EVERY);
        if !self.is_terminal || (is_early && done < all) {
            return;
        }
        self.drawn.set(Some(Instant::now()));
        let line = line(self.what, done, all, self.started.elapsed());
        write(&format!("\r{line}\x1b[K"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.get().is_some() {
            write("\n");
        }
    }
}

/// A terminal that is gone ends the line, not the work.
fn write(text: &str) {
    let _ = write!(std::io::stderr(), "{text}");
    let _ = std::io::stderr().flush();
}

fn line(what: &str, done: u64, all: u64, elapsed: Duration) -> String {
    let per_mille = u128::from(done.min(all)) * 1_000;
    let per_mille = per_mille.checked_div(u128::from(all)).unwrap_or(1_000);
    let per_mille = u64::try_from(per_mille).unwrap_or(1_000);
    let full = per_mille * WIDTH / 1_000;
    let bar: String = (0..WIDTH)
        .map(|place| if place < full { '#' } else { '.' })
        .collect();
    let millis = elapsed.as_millis().max(1);
    let rate = u128::from(done) * 1_000 / millis;
    let percent = per_mille / 10;
    format!("[{bar}] {percent:3} % {done} of {all} {what}, {rate}/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        let second = Duration::from_secs(1);
        let (half, whole) = ("#".repeat(20), "#".repeat(40));
        assert_eq!(
            line("calls", 50, 100, second),
            format!("[{half}{}]  50 % 50 of 100 calls, 50/s", ".".repeat(20))
        );
        for (done, all) in [(9, 0), (7, 5), (u64::MAX, u64::MAX)] {
            let line = line("calls", done, all, Duration::ZERO);
            assert!(line.starts_with(&format!("[{whole}] 100 %")), "{line}");
        }
    }
}
