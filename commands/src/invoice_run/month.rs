//! What the run reads of the usage of months, from the log itself.

use super::{Known, Means};
use crate::{
    error::DispatchError,
    ports::{ReadError, Recorded, StreamId},
};
use domain::{
    any::read_event,
    billing::{
        UsageId, bill_of, seller,
        settle::Total,
        tax::NoRate,
        usage::{self, RecordKey, Usage},
    },
    calendar::Period,
    decider::Decider as _,
};
use std::collections::BTreeSet;

/// What later months have taken back of that one while it was closed for a draft that is
/// discarded. What is taken back from now on is taken back in it, while it is open.
pub(super) async fn taken_back(
    means: &Means,
    usage: UsageId,
    known: &Known,
) -> Result<BTreeSet<RecordKey>, DispatchError> {
    if known.discarded == 0 {
        return Ok(BTreeSet::new());
    }
    let now = Period::of(known.profile.zone.date_of(means.clock.now()));
    let months = std::iter::successors(Some(usage.next()), |month| Some(month.next()));
    let mut keys = BTreeSet::new();
    for month in months.take_while(|month| month.period <= now) {
        for event in events(means, month, 0).await? {
            if let usage::Event::Adjusted { record, .. } = event {
                keys.insert(record.key());
            }
        }
    }
    Ok(keys)
}

/// Whether there is a tax rate for each day of the month and everything that its plans name;
/// or else, where something is not used at all, for what was used. A month is closed by the
/// rates that are known, for good: one that can not be taxed stays open.
pub(super) async fn taxable(
    means: &Means,
    seller: &seller::Config,
    known: &Known,
    usage: UsageId,
) -> Result<Result<(), NoRate>, DispatchError> {
    let plans = || {
        let last = known.plan.iter().map(|plan| &plan.config);
        known.stretches.iter().map(|of| &of.config).chain(last)
    };
    let check = |used| bill_of::taxable(seller, &known.profile, plans(), usage.period, used);
    if check(None).is_ok() {
        return Ok(Ok(()));
    }
    let mut used = BTreeSet::new();
    for event in events(means, usage, 0).await? {
        if let usage::Event::Recorded { record } | usage::Event::Adjusted { record, .. } = event {
            used.insert(record.usage_type);
        }
    }
    Ok(check(Some(&used)))
}

/// The totals that the month was closed with: its last event.
pub(super) async fn totals(
    means: &Means,
    usage: UsageId,
    version: u64,
) -> Result<Vec<Total>, DispatchError> {
    let last = events(means, usage, version.saturating_sub(1)).await?.pop();
    match last {
        Some(usage::Event::PeriodClosed { totals, .. }) => Ok(totals),
        Some(
            usage::Event::Recorded { .. }
            | usage::Event::Reversed { .. }
            | usage::Event::Adjusted { .. }
            | usage::Event::Valued { .. }
            | usage::Event::Reopened {},
        )
        | None => Err(DispatchError::Corrupt(format!(
            "{}: is not closed",
            StreamId::new(Usage::CATEGORY, usage)
        ))),
    }
}

/// What happened in the month after that version.
async fn events(
    means: &Means,
    usage: UsageId,
    after: u64,
) -> Result<Vec<usage::Event>, DispatchError> {
    let stream = StreamId::new(Usage::CATEGORY, usage);
    let corrupt = |reason: String| DispatchError::Corrupt(format!("{stream}: {reason}"));
    let recorded = means.log.read_stream(&stream, after).await;
    let recorded = recorded.map_err(|error| match error {
        ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
        error @ ReadError::Corrupt { .. } => corrupt(error.to_string()),
    })?;
    let read = |recorded: &Recorded| {
        let (kind, version) = (&recorded.event_type, recorded.event_version);
        let event = read_event::<usage::Event>(kind, version, &recorded.payload);
        Ok(event.map_err(|error| corrupt(error.to_string()))?.1)
    };
    recorded.iter().map(read).collect()
}
