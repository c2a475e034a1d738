//! Figures: many measurements in five numbers, and a table that shows them
//! beside their targets.

use crate::demo::say;
use std::time::Instant;

/// What many measurements of one thing come to, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Distribution {
    pub count: usize,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Distribution {
    /// Of microseconds; all zero when there are none.
    pub(super) fn of_us(mut values: Vec<u64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_unstable();
        let ms = |us: u64| us as f64 / 1_000.0;
        let sum: u64 = values.iter().sum();
        Self {
            count: values.len(),
            mean_ms: ms(sum) / values.len() as f64,
            p50_ms: ms(percentile(&values, 50)),
            p95_ms: ms(percentile(&values, 95)),
            p99_ms: ms(percentile(&values, 99)),
            max_ms: ms(percentile(&values, 100)),
        }
    }

    /// `p50 / p95 / p99 / max`.
    pub(super) fn shown(&self) -> String {
        if self.count == 0 {
            return "nothing measured".into();
        }
        format!(
            "{:.1} / {:.1} / {:.1} / {:.1} ms",
            self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms
        )
    }
}

/// The nearest-rank percentile of sorted values: the smallest one that at
/// least `percent` of them do not exceed; 0 when there are none.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank.min(sorted.len()).saturating_sub(1))
        .copied()
        .unwrap_or(0)
}

/// Lines of name, figure and target.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    /// A figure with the target of the product.
    pub(super) fn row(&mut self, what: &str, figure: impl Into<String>, target: &str) {
        self.rows
            .push([what.to_owned(), figure.into(), target.to_owned()]);
    }

    /// Prints it under a title.
    pub(super) fn print(&self, title: &str) {
        say(&format!("\n{title}"));
        for line in self.lines() {
            say(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        self.rows
            .iter()
            .map(|[what, figure, target]| {
                let line = match target.is_empty() {
                    true => format!("  {what:first$}  {figure}"),
                    false => format!("  {what:first$}  {figure:second$}  target {target}"),
                };
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// Microseconds since an instant.
pub(super) fn elapsed_us(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (percent, expected) in [(0, 1), (1, 1), (50, 50), (95, 95), (99, 99), (100, 100)] {
            assert_eq!(percentile(&hundred, percent), expected, "{percent}");
        }
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[1, 9], 50), 1);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn a_distribution_is_in_milliseconds_whatever_the_order() {
        let got = Distribution::of_us(vec![3_000, 1_000, 2_000]);
        assert_eq!((got.count, got.mean_ms, got.max_ms), (3, 2.0, 3.0));
        assert_eq!(got.shown(), "2.0 / 3.0 / 3.0 / 3.0 ms");
        assert_eq!(Distribution::of_us(vec![]).shown(), "nothing measured");
    }

    #[test]
    fn columns_of_a_table_stand_under_each_other() {
        let mut table = Table::default();
        table.row("a", "1 ms", "2 ms");
        table.row("long name", "100 ms", "");
        assert_eq!(
            table.lines(),
            ["  a          1 ms    target 2 ms", "  long name  100 ms"]
        );
    }
}
