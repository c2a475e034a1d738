//! What the run reads of the usage of months, from the log itself.

use super::{Known, Means};
use crate::{
    error::DispatchError,
    ports::{ReadError, Recorded, StreamId},
};
use domain::{
    any::read_event,
    billing::{
        UsageId, bill_of, plan, seller,
        settle::Total,
        tax::{NoRate, TaxCategory},
        usage::{self, RecordKey, Usage},
    },
    calendar::{Date, Period},
    decider::Decider as _,
};
use std::{collections::BTreeSet, ops::Range};

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

/// Whether there is a tax rate for everything that the plans of the month name, on each day
/// on which the account had them; or else, where something is not used at all, for what
/// was used and the fees. A month is closed by the rates that are known, for good: one that
/// can not be taxed stays open.
pub(super) async fn taxable(
    means: &Means,
    seller: &seller::Config,
    known: &Known,
    usage: UsageId,
) -> Result<Result<(), NoRate>, DispatchError> {
    let check = |needed| bill_of::taxable(seller, &known.profile, needed);
    if check(all_days(known, usage.period)).is_ok() {
        return Ok(Ok(()));
    }
    let mut needed = fees(known, usage.period);
    for event in events(means, usage, 0).await? {
        if let usage::Event::Recorded { record } | usage::Event::Adjusted { record, .. } = event
            && let Some(plan) = known.plans.get(&record.plan)
        {
            // What came late is taxed with what is of the month.
            let day = known.profile.zone.date_of(record.ended_at);
            let day = day.max(usage.period.start());
            needed.insert((plan.config.tax_category_of(record.usage_type), day));
        }
    }
    Ok(check(needed))
}

/// What may be taxed at which rate: a category, on a day.
type Needed = BTreeSet<(TaxCategory, Date)>;

/// Everything that each plan names on each of its days, and the fees.
fn all_days(known: &Known, period: Period) -> Needed {
    let mut needed = fees(known, period);
    for (config, days) in lived(known) {
        let named = config.terms.keys().copied();
        let categories: BTreeSet<_> = named.map(|kind| config.tax_category_of(kind)).collect();
        let every = days.start.iter_days().take_while(|day| *day < days.end);
        needed.extend(every.flat_map(|day| categories.iter().map(move |it| (*it, day))));
    }
    needed
}

/// The fees of the plans: on their first day in the month, and where they go on that of the
/// next month, for which they are paid in advance.
fn fees(known: &Known, period: Period) -> Needed {
    let mut needed = Needed::new();
    for (config, days) in lived(known) {
        if config.recurring_fee.is_zero() {
            continue;
        }
        needed.insert((config.tax_category, days.start));
        let ends = known.account.ends(known.profile.zone);
        let goes_on = days.end == period.end() && ends.is_none_or(|ends| ends > days.end);
        needed.extend(goes_on.then_some((config.tax_category, days.end)));
    }
    needed
}

/// The plans that the account had in the month, with their days in it.
fn lived(known: &Known) -> impl Iterator<Item = (&plan::Config, Range<Date>)> {
    let stretches = known.stretches.iter();
    let days = stretches.map(|stretch| (&stretch.config, stretch.from..stretch.to));
    days.filter(|(_, days)| days.start < days.end)
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
