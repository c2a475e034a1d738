//! What one measurement of appends came to, and the median of several.

use crate::bench::figures::percentile;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Cell {
    /// Appends a second.
    pub per_s: f64,
    pub p50_us: u64,
    pub p99_us: u64,
    /// Appends that ended with an error.
    pub failed: usize,
}

impl Cell {
    /// Of latencies in microseconds, over a time.
    pub(super) fn of(mut latencies_us: Vec<u64>, seconds: f64, failed: usize) -> Self {
        latencies_us.sort_unstable();
        Self {
            per_s: latencies_us.len() as f64 / seconds.max(f64::EPSILON),
            p50_us: percentile(&latencies_us, 50),
            p99_us: percentile(&latencies_us, 99),
            failed,
        }
    }

    /// Each figure's median on its own; failures are added up.
    pub(super) fn median(cells: &[Self]) -> Self {
        Self {
            per_s: median(cells.iter().map(|cell| cell.per_s).collect()),
            p50_us: median(cells.iter().map(|cell| cell.p50_us as f64).collect()) as u64,
            p99_us: median(cells.iter().map(|cell| cell.p99_us as f64).collect()) as u64,
            failed: cells.iter().map(|cell| cell.failed).sum(),
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let ms = |us: u64| us as f64 / 1_000.0;
        let mut shown = format!(
            "{:>7.0}/s, p50 {:.2}, p99 {:.2} ms",
            self.per_s,
            ms(self.p50_us),
            ms(self.p99_us)
        );
        if self.failed > 0 {
            shown.push_str(&format!(", {} FAILED", self.failed));
        }
        shown
    }
}

/// The middle one; the upper of two. 0 when there is none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_rate_and_two_percentiles() {
        let cell = Cell::of((1..=200).rev().collect(), 0.5, 0);
        assert_eq!((cell.per_s, cell.p50_us, cell.p99_us), (400.0, 100, 198));
        assert_eq!(cell.shown(), "    400/s, p50 0.10, p99 0.20 ms");
    }

    #[test]
    fn one_wild_run_does_not_move_the_median() {
        let cell = |per_s, p99_us, failed| Cell {
            per_s,
            p50_us: 1,
            p99_us,
            failed,
        };
        let got = Cell::median(&[cell(10.0, 5, 0), cell(900.0, 9_000, 2), cell(11.0, 6, 1)]);
        assert_eq!((got.per_s, got.p99_us, got.failed), (11.0, 6, 3));
        assert!(got.shown().ends_with("3 FAILED"), "{}", got.shown());
        assert_eq!(median(vec![]), 0.0);
    }
}
