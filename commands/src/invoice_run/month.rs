//! What the run reads of the usage of months, from the log itself.

use super::{Known, Means};
use crate::{
    books::PlanEntry,
    error::DispatchError,
    ports::{ReadError, Recorded, StreamId},
};
use domain::{
    any::read_event,
    billing::{
        UsageId,
        bill_of::{self, DraftError},
        seller,
        settle::Total,
        stretch::Rules,
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

/// Whether there is a tax rate for every fee of the month, and for everything that the
/// account may have used, on each day on which it may have; or else, where something was
/// not used at all, for what it did use, which may have come late, of earlier months. A month
/// is closed by the rates that are known, for good: one that can not be taxed stays open.
pub(super) async fn taxable(
    means: &Means,
    seller: &seller::Config,
    known: &Known,
    (usage, plan): (UsageId, &PlanEntry),
    rules: &Rules,
) -> Result<Result<(), DraftError>, DispatchError> {
    let of = |totals: &[Total]| {
        let draft = (usage, plan);
        known.of_draft(seller, draft, totals, bill_of::taxable)
    };
    let fees = of(&[]);
    // A month may have a million uses: they are read only where it matters.
    if fees.is_err() || has_all_rates(seller, known, usage.period) {
        return Ok(fees);
    }
    let now = means.clock.now();
    let events = events(means, usage, 0).await?;
    let fold = |month, event: &usage::Event| Usage::evolve(month, now, event);
    let month = events.iter().fold(Usage::default(), fold);
    let rules = Box::new(rules.clone());
    // One that is closed already has its totals, and nothing is decided.
    let closed = Usage::decide(&month, now, usage::Command::Close { rules });
    let totals = closed.unwrap_or_default().into_iter().find_map(closed_with);
    Ok(of(&totals.unwrap_or_default()))
}

/// Of all that its plans ever named, on each day since it had one.
fn has_all_rates(seller: &seller::Config, known: &Known, period: Period) -> bool {
    let first = known.account.subscriptions.first();
    let begins = first.map_or_else(|| period.start(), |first| first.effective);
    let categories = known.stretches.iter().flat_map(|stretch| {
        let config = &stretch.config;
        let named = config.terms.keys();
        let named = named.map(|kind| config.tax_category_of(*kind));
        named.chain([config.tax_category])
    });
    let days = begins..period.end();
    bill_of::has_rates(seller, &known.profile, categories.collect(), days)
}

/// The totals that the month was closed with: its last event.
pub(super) async fn totals(
    means: &Means,
    usage: UsageId,
    version: u64,
) -> Result<Vec<Total>, DispatchError> {
    let last = events(means, usage, version.saturating_sub(1)).await?.pop();
    last.and_then(closed_with).ok_or_else(|| {
        let stream = StreamId::new(Usage::CATEGORY, usage);
        DispatchError::Corrupt(format!("{stream}: is not closed"))
    })
}

fn closed_with(event: usage::Event) -> Option<Vec<Total>> {
    match event {
        usage::Event::PeriodClosed { totals, .. } => Some(totals),
        usage::Event::Recorded { .. }
        | usage::Event::Reversed { .. }
        | usage::Event::Adjusted { .. }
        | usage::Event::Valued { .. }
        | usage::Event::Reopened {} => None,
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
