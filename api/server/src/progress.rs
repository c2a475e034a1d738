//! A line that grows while a long command runs, for a person at a terminal;
//! nothing at all when standard error goes elsewhere.

use std::io::{IsTerminal as _, Write as _};

/// Signs of a full bar.
const WIDTH: u64 = 40;

/// How far a command is.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: u64,
    shown: Option<u64>,
    is_terminal: bool,
}

impl Progress {
    /// Of so many things of that name.
    pub fn of(what: &'static str, total: u64) -> Self {
        Self {
            what,
            total,
            shown: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// So many are done. Draws only what has changed.
    pub fn at(&mut self, done: u64) {
        let per_mille = per_mille(done, self.total);
        if !self.is_terminal || self.shown == Some(per_mille) {
            return;
        }
        self.shown = Some(per_mille);
        let line = line(self.what, done, self.total);
        // Nobody misses the line when it can not be written.
        let _ = write!(std::io::stderr(), "\r{line}");
    }

    /// The line is full and done with.
    pub fn finish(mut self, done: u64) {
        self.total = done;
        self.at(done);
        if self.shown.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn per_mille(done: u64, total: u64) -> u64 {
    let share = u128::from(done) * 1_000 / u128::from(total.max(1));
    u64::try_from(share.min(1_000)).unwrap_or(1_000)
}

fn line(what: &str, done: u64, total: u64) -> String {
    let per_mille = per_mille(done, total);
    let full = per_mille * WIDTH / 1_000;
    let bar: String = (0..WIDTH)
        .map(|place| if place < full { '#' } else { '.' })
        .collect();
    format!("[{bar}] {:3} % {done} of {total} {what}", per_mille / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        assert_eq!(
            line("calls", 50, 100),
            format!(
                "[{}{}]  50 % 50 of 100 calls",
                "#".repeat(20),
                ".".repeat(20)
            )
        );
        assert!(line("calls", 9, 0).starts_with(&format!("[{}] 100 %", "#".repeat(40))));
        assert_eq!(per_mille(7, 3), 1_000);
        assert_eq!(per_mille(u64::MAX, u64::MAX), 1_000);
    }
}
