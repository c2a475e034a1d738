//! What is wrong with rows: each fault with its line, field and reason.

use super::{
    error::Error,
    event::{Band, Header, Row},
};
use crate::{billing::tariff::TariffFault, time::Timestamp};
use std::collections::BTreeMap;

/// Digits of a number of E.164 at most.
const PREFIX_MAX: usize = 15;

/// Why a field of a row is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// Not 1 to 15 digits.
    #[error("is not 1 to 15 digits of E.164")]
    NoPrefix,
    /// A price or an increment.
    #[error("{0}")]
    Tariff(TariffFault),
    /// Another currency than the deck's.
    #[error("is not the deck's currency")]
    OtherCurrency,
    /// It would never apply.
    #[error("is not after effective_from")]
    NeverEffective,
    /// The deck has no such band.
    #[error("names no band of the deck")]
    UnknownBand,
    /// Two rows of a prefix apply at one instant.
    #[error("overlaps with line {0} of the same prefix")]
    Overlap(u32),
    /// A spreadsheet would work it out.
    #[error("begins like a formula of a spreadsheet")]
    Formula,
    /// The text is no value of that kind.
    #[error("{0}")]
    Unreadable(String),
}

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field}: {reason}")]
pub struct RowFault {
    /// Line of the file, or number of the row.
    pub line: u32,
    /// Which field.
    pub field: &'static str,
    /// Why.
    pub reason: FaultReason,
}

pub(super) fn check_header(header: &Header) -> Result<(), Error> {
    if !crate::name::is_valid(&header.name) {
        return Err(Error::InvalidName);
    }
    let invalid = |band: &Band, reason| Error::InvalidBand {
        band: band.name.clone(),
        reason,
    };
    for (index, band) in header.bands.iter().enumerate() {
        if !crate::name::is_valid(&band.name) {
            return Err(invalid(band, "has no valid name"));
        }
        let is_week = !band.weekdays.is_empty() && band.weekdays.iter().all(|day| *day < 7);
        if !is_week || band.from_minute >= band.to_minute || band.to_minute > 1_440 {
            return Err(invalid(band, "has no days 0 to 6 or no minutes 0 to 1440"));
        }
        let meets = |other: &Band| {
            other.weekdays.iter().any(|day| band.weekdays.contains(day))
                && other.from_minute < band.to_minute
                && band.from_minute < other.to_minute
        };
        if header.bands[..index]
            .iter()
            .any(|other| other.name != band.name && meets(other))
        {
            return Err(invalid(band, "overlaps with another band"));
        }
    }
    Ok(())
}

/// From, to and line of a row.
type Range = (Timestamp, Timestamp, u32);

/// All faults of rows with their lines, in order of the lines.
pub fn check_rows<'a>(
    bands: &[Band],
    rows: impl IntoIterator<Item = (u32, &'a Row)>,
) -> Vec<RowFault> {
    let mut faults = vec![];
    let mut by_prefix: BTreeMap<(&str, Option<&str>), Vec<Range>> = BTreeMap::new();
    for (line, row) in rows {
        if let Some((field, reason)) = fault(bands, row) {
            faults.push(RowFault {
                line,
                field,
                reason,
            });
            continue;
        }
        let from = row
            .effective_from
            .unwrap_or(Timestamp::from_micros(i64::MIN));
        let to = row.effective_to.unwrap_or(Timestamp::from_micros(i64::MAX));
        by_prefix
            .entry((&row.prefix, row.band.as_deref()))
            .or_default()
            .push((from, to, line));
    }
    for ranges in by_prefix.values_mut() {
        ranges.sort_unstable();
        // The row that lasts longest of those before: it may overlap several.
        let mut longest: Option<(Timestamp, u32)> = None;
        for (start, end, line) in ranges.iter().copied() {
            if let Some((until, other)) = longest.filter(|(until, _)| start < *until) {
                faults.push(RowFault {
                    line: line.max(other),
                    field: "effective_from",
                    reason: FaultReason::Overlap(line.min(other)),
                });
                longest = Some(if end > until {
                    (end, line)
                } else {
                    (until, other)
                });
            } else {
                longest = Some((end, line));
            }
        }
    }
    faults.sort_by_key(|fault| fault.line);
    faults
}

fn fault(bands: &[Band], row: &Row) -> Option<(&'static str, FaultReason)> {
    let is_prefix = (1..=PREFIX_MAX).contains(&row.prefix.len())
        && row.prefix.bytes().all(|byte| byte.is_ascii_digit());
    if !is_prefix {
        return Some(("prefix", FaultReason::NoPrefix));
    }
    if let Err(fault) = row.tariff.check() {
        return Some((fault.field(), FaultReason::Tariff(fault)));
    }
    let is_never = match (row.effective_from, row.effective_to) {
        (Some(from), Some(to)) => to <= from,
        (None, _) | (_, None) => false,
    };
    if is_never {
        return Some(("effective_to", FaultReason::NeverEffective));
    }
    let band = row.band.as_ref()?;
    let is_known = bands.iter().any(|known| known.name == *band);
    (!is_known).then_some(("band", FaultReason::UnknownBand))
}
