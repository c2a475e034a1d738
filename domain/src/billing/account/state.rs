//! What is known of an account.

use super::event::{Allocation, PaymentMode, Profile, SuspendReason};
use crate::{
    billing::fees::Billed,
    calendar::{Date, Period, Zone},
    id::{CallId, CreditNoteId, InvoiceId, PaymentId, PlanId, RefundId},
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whether it may place calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Status {
    /// Not made yet.
    #[default]
    Unborn,
    /// It may.
    Active,
    /// It may not.
    Suspended(SuspendReason),
    /// It never may again.
    Closed,
}

/// A plan from a day on, until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Which.
    pub plan: PlanId,
    /// First day.
    pub effective: Date,
}

/// An invoice that is not paid in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// When it is due.
    pub due_at: Timestamp,
    /// What is left to pay.
    pub left: Decimal,
}

impl Open {
    /// Its day has passed.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due_at <= now
    }
}

/// A payment that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// How much.
    pub amount: Decimal,
    /// What went to which invoice.
    pub allocations: Vec<Allocation>,
    /// What was credit.
    pub credit: Decimal,
    /// It was taken back.
    pub is_reversed: bool,
}

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Its name; none before it is made.
    pub name: Option<String>,
    /// Everything else.
    pub profile: Option<Profile>,
    /// Counts the changes, from 1.
    pub config_version: u32,
    /// Counts what people decided about its money, and what was posted to it: not its calls,
    /// nor what follows from a decision.
    #[serde(default)]
    pub ledger_version: u32,
    /// Since when it pays as it does: before or by invoice.
    #[serde(default)]
    pub mode_since: Timestamp,
    /// Whether it may place calls.
    pub status: Status,
    /// When it was closed, if it was: no fee is for a day after that.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// How far it may go below nothing. A prepaid account without one has 0.
    pub credit_limit: Option<Decimal>,
    /// Its plans, in order of their days.
    pub subscriptions: Vec<Subscription>,
    /// All plans that it ever had or was to have, also those that another one was set in
    /// the place of: something may have been rated by them.
    #[serde(default)]
    pub plans_had: BTreeSet<PlanId>,
    /// What is kept for running calls.
    pub reserved: BTreeMap<CallId, Decimal>,
    /// What calls and other uses come to in months that are not invoiced: revision
    /// and amount.
    pub unbilled: BTreeMap<Period, BTreeMap<CallId, (u32, Decimal)>>,
    /// Sum of all that is unbilled.
    pub unbilled_sum: Decimal,
    /// Invoices that are not paid in full.
    pub open: BTreeMap<InvoiceId, Open>,
    /// Invoices that nothing is left to pay of.
    pub settled: BTreeSet<InvoiceId>,
    /// When each invoice was or is due.
    #[serde(default)]
    pub due: BTreeMap<InvoiceId, Timestamp>,
    /// What was paid and went to no invoice.
    pub credit: Decimal,
    /// What of which invoice credit has paid.
    #[serde(default)]
    pub from_credit: BTreeMap<InvoiceId, Decimal>,
    /// What credit notes have given back of which invoice: they took more than was open.
    #[serde(default)]
    pub given_back: BTreeMap<InvoiceId, Decimal>,
    /// What was given up of which invoice, less what credit notes took of it.
    #[serde(default)]
    pub written_off: BTreeMap<InvoiceId, Decimal>,
    /// All payments.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// All that was paid out of the credit.
    #[serde(default)]
    pub refunds: BTreeSet<RefundId>,
    /// All credit notes.
    pub credit_notes: BTreeSet<CreditNoteId>,
    /// Fees that were billed for days after the last invoice's month.
    pub fees_billed: Vec<Billed>,
    /// The last month that was invoiced.
    pub invoiced: Option<Period>,
    /// The month that is being invoiced, and is not owed yet.
    #[serde(default)]
    pub begun: Option<Period>,
    /// All months whose invoice is owed or was: they may be invoiced in any order.
    #[serde(default)]
    pub posted: BTreeSet<Period>,
    /// Uses that were charged and are not known to be counted yet.
    #[serde(default)]
    pub uncounted: BTreeSet<CallId>,
}

impl Account {
    /// The first day that is not the account's any more, where it is closed: the day of the
    /// close is.
    pub fn ends(&self, zone: Zone) -> Option<Date> {
        zone.date_of(self.closed_at?).succ_opt()
    }

    /// What is owed: by invoices, and beside them.
    pub fn owed(&self) -> Decimal {
        let open: Decimal = self.open.values().map(|open| open.left).sum();
        open + self.debit()
    }

    /// What is owed and stands on no invoice: credit was paid out, and the payment that it
    /// came from was taken back later.
    pub fn debit(&self) -> Decimal {
        (-self.credit).max(Decimal::ZERO)
    }

    /// What is open, the oldest due first.
    pub(super) fn by_due(&self) -> Vec<(InvoiceId, Open)> {
        let mut open: Vec<_> = self.open.iter().map(|(id, open)| (*id, *open)).collect();
        open.sort_by_key(|(id, open)| (open.due_at, *id));
        open
    }

    /// An invoice is open whose day has passed.
    pub fn has_overdue(&self, now: Timestamp) -> bool {
        self.open.values().any(|open| open.is_overdue(now))
    }

    /// What of it is due.
    pub fn overdue(&self, now: Timestamp) -> Decimal {
        let due = self.open.values().filter(|open| open.is_overdue(now));
        let due: Decimal = due.map(|open| open.left).sum();
        due + self.debit()
    }

    /// What is kept for running calls.
    pub fn reserved_sum(&self) -> Decimal {
        self.reserved.values().copied().sum()
    }

    /// Credit less what is owed by invoices and by calls that are not invoiced.
    pub fn balance(&self) -> Decimal {
        self.credit.max(Decimal::ZERO) - self.owed() - self.unbilled_sum
    }

    /// It pays before.
    pub fn is_prepaid(&self) -> bool {
        self.profile
            .as_ref()
            .is_some_and(|profile| profile.payment_mode == PaymentMode::Prepaid)
    }

    /// The limit that holds; none for no limit.
    pub fn limit(&self) -> Option<Decimal> {
        match self.credit_limit {
            None if self.is_prepaid() => Some(Decimal::ZERO),
            limit => limit,
        }
    }

    /// What may still be spent; none for no limit.
    pub fn available(&self) -> Option<Decimal> {
        let limit = self.limit()?;
        Some(limit + self.balance() - self.reserved_sum())
    }

    /// What of the credit can be paid out: what nothing that is owed, used or kept for a
    /// running call has a claim on.
    pub fn refundable(&self) -> Decimal {
        let free = self.balance() - self.reserved_sum();
        free.min(self.credit).max(Decimal::ZERO)
    }

    /// What a call counts in a month that is not invoiced: its revision there and
    /// its amount.
    pub fn committed_in(&self, period: Period, call: CallId) -> Option<(u32, Decimal)> {
        self.unbilled.get(&period)?.get(&call).copied()
    }

    /// What counts of a use that is not invoiced: in which month, its revision
    /// and its amount.
    pub fn committed(&self, call: CallId) -> Option<(Period, u32, Decimal)> {
        self.unbilled.iter().find_map(|(period, calls)| {
            let (revision, amount) = calls.get(&call)?;
            Some((*period, *revision, *amount))
        })
    }

    /// The first month from that one on whose invoice is not owed yet.
    pub fn unposted(&self, mut period: Period) -> Period {
        while self.posted.contains(&period) {
            period = period.next();
        }
        period
    }

    /// The plan of a day.
    pub fn plan_on(&self, day: Date) -> Option<PlanId> {
        self.subscriptions
            .iter()
            .rev()
            .find(|subscription| subscription.effective <= day)
            .map(|subscription| subscription.plan)
    }
}
