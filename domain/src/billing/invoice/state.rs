//! What is known of an invoice.

use super::event::{Head, Source};
use crate::{
    billing::{Line, TaxLine, Totals},
    calendar::plus_days,
    id::CreditNoteId,
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Not drafted.
    #[default]
    Unborn,
    /// Can be changed.
    Draft,
    /// Was wrong: the next draft of the month takes its place.
    Discarded,
    /// Is to get its number.
    Approved,
    /// Never changes again.
    Issued,
    /// Will not be paid.
    WrittenOff,
}

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Invoice {
    /// How far it is.
    pub phase: Phase,
    /// Who bills whom, and how.
    pub head: Option<Box<Head>>,
    /// What for.
    pub lines: Vec<Line>,
    /// By tax rate.
    pub taxes: Vec<TaxLine>,
    /// All of it.
    pub totals: Totals,
    /// As it is written.
    pub number: Option<String>,
    /// The end of the due day.
    pub due_at: Option<Timestamp>,
    /// What was paid from what.
    #[serde(with = "as_list")]
    pub paid: BTreeMap<Source, Decimal>,
    /// What was taken back, with tax.
    pub credited: Decimal,
    /// Of that, by tax rate.
    #[serde(default)]
    pub credited_taxes: Vec<TaxLine>,
    /// What was given up, less what credit notes took of it.
    #[serde(default)]
    pub written_off: Decimal,
    /// By which credit notes.
    pub credit_notes: BTreeSet<CreditNoteId>,
    /// Steps of dunning that were taken.
    pub level: u32,
    /// When it was said that the next one is due.
    #[serde(default)]
    pub next_at: Option<Timestamp>,
}

impl Invoice {
    /// What is left to pay; nothing when more was credited than was open.
    pub fn left(&self) -> Decimal {
        (self.unpaid() - self.written_off).max(Decimal::ZERO)
    }

    /// What was neither paid nor taken back, given up or not; below nothing when more was
    /// credited than was open.
    pub(super) fn unpaid(&self) -> Decimal {
        let paid: Decimal = self.paid.values().copied().sum();
        self.totals.total - self.credited - paid
    }

    /// What is not taken back of each tax rate: of all of them, to the last digit, the
    /// credit notes of an invoice are never more than it.
    pub(super) fn uncredited(&self) -> Vec<TaxLine> {
        let mut taxes = self.taxes.clone();
        for credited in &self.credited_taxes {
            let mut of = taxes.iter_mut();
            if let Some(tax) = of.find(|tax| tax.is_of(credited)) {
                tax.net = tax.net - credited.net;
                tax.tax = tax.tax - credited.tax;
            }
        }
        taxes
    }

    /// When each step of dunning is due, and whether it suspends the account.
    pub(super) fn dunning(&self) -> Vec<(Timestamp, bool)> {
        let (Some(head), Some(due_at)) = (&self.head, self.due_at) else {
            return vec![];
        };
        // Days of the calendar: some have 23 hours, or 25.
        let due_on = head.zone.date_of(due_at);
        let after = |days: u32| head.zone.start_of(plus_days(due_on, days));
        let mut steps = vec![(due_at, false)];
        steps.extend(head.reminder_days.iter().map(|days| (after(*days), false)));
        steps.extend(head.suspend_days.map(|days| (after(days), true)));
        steps.sort_unstable();
        steps
    }
}

/// JSON has no maps whose keys are sources.
mod as_list {
    use super::{BTreeMap, Decimal, Source};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Source, Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Source, Decimal>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}
