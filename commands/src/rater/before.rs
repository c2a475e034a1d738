//! What is to be known of the price that a call has, before it is rated again.

use super::{Found, Rater};
use crate::error::DispatchError;
use domain::{
    billing::{
        UsageId,
        rating::{Before, Bill, Rating},
        usage::{Record, Usage},
    },
    money::Decimal,
};
use std::sync::Arc;

impl Rater {
    pub(super) async fn before(&self, state: &Rating) -> Result<Before, DispatchError> {
        let Some(bill) = &state.bill else {
            return Ok(Before::default());
        };
        let by_record = match (bill.commits, bill.own) {
            (Some(_), Some(_)) => None,
            (Some(_), None) | (None, _) => self.by_record(bill),
        };
        Ok(Before {
            is_settled: self.is_any_settled(bill, state).await?,
            commits: by_record.filter(|_| bill.commits.is_none()),
            own: by_record.filter(|_| bill.commits != by_record),
        })
    }

    /// What a price comes to with tax, by the prices of its records: the invoice adds
    /// the tax, and so much is taken back. None where there is no limit.
    fn by_record(&self, bill: &Bill) -> Option<Decimal> {
        let first = bill.records.first()?;
        let (answered_at, ended_at) = (first.answered_at, first.ended_at);
        let found = self
            .books
            .read(|books| Found::of(books, bill.account, answered_at, ended_at))
            .filter(|found| found.is_limited)?;
        let payer = found.payer(found.plan.as_ref()?);
        let records = bill.records.iter();
        let rated = records.map(|record| (record.usage_type, record.amount));
        payer.with_tax(rated).ok()
    }

    /// The month may have kept a price before it, which is restored in a moment.
    async fn is_any_settled(&self, bill: &Bill, state: &Rating) -> Result<bool, DispatchError> {
        for bill in state.replaced.iter().chain([bill]) {
            if self.is_settled(bill).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a closed month has it that charged for all of that kind as a whole: its
    /// own, or a later one in which it came late.
    async fn is_settled(&self, bill: &Bill) -> Result<bool, DispatchError> {
        let since = UsageId {
            account: bill.account,
            period: bill.period,
        };
        for (usage, settled) in self.books.read(|books| books.settled(since)) {
            let is_of = |record: &&Record| settled.kinds.contains(&record.usage_type);
            let mut records = bill.records.iter().filter(is_of).peekable();
            // A month may have a million of them: it is read only where it matters.
            if records.peek().is_none() {
                continue;
            }
            let month = self.closed(usage, settled.position).await?;
            if records.any(|record| month.has_pooled(&record.key())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A month that was closed at that position, which never changes until its draft is
    /// discarded: read once for all of its calls.
    async fn closed(&self, usage: UsageId, position: u64) -> Result<Arc<Usage>, DispatchError> {
        let mut kept = self.closed.lock().await;
        if let Some((id, at, month)) = &*kept
            && (*id, *at) == (usage, position)
        {
            return Ok(month.clone());
        }
        let month = Arc::new(self.folded::<Usage>(usage).await?);
        *kept = Some((usage, position, month.clone()));
        Ok(month)
    }
}
