//! Whose invoices they are.

use crate::{
    scalar::{Amount, count},
    types::words::TaxKind,
};
use async_graphql::{Object, SimpleObject};
use domain::billing::{seller::Config, tax::TaxRate};
use std::sync::Arc;

/// Who bills, and by which rules.
pub(crate) struct Seller {
    pub(crate) config: Arc<Config>,
    pub(crate) revision: u32,
}

/// A tax rate of a country, from one day to another.
#[derive(SimpleObject)]
pub(crate) struct SellerTaxRate {
    /// ISO 3166 code.
    country: String,
    /// Standard or reduced.
    category: TaxKind,
    /// In percent.
    percent: Amount,
    /// First day, `YYYY-MM-DD`.
    from: String,
    /// First day on which it does not apply any more; null for never.
    to: Option<String>,
}

impl From<&TaxRate> for SellerTaxRate {
    fn from(rate: &TaxRate) -> Self {
        Self {
            country: rate.country.clone(),
            category: rate.category.into(),
            percent: Amount(rate.percent),
            from: rate.from.to_string(),
            to: rate.to.map(|day| day.to_string()),
        }
    }
}

/// Who bills, and by which rules: what counts for the next invoices. Those that are issued
/// keep what counted for them.
#[Object]
impl Seller {
    /// Counts the changes, from 1: for `expectedRevision` of `configureSeller`.
    async fn revision(&self) -> i32 {
        count(self.revision)
    }

    /// As it stands on an invoice.
    async fn name(&self) -> &str {
        &self.config.name
    }

    /// Postal address, line by line.
    async fn address(&self) -> &[String] {
        &self.config.address
    }

    /// ISO 3166 code.
    async fn country(&self) -> &str {
        &self.config.country
    }

    /// Of the form of its country.
    async fn tax_id(&self) -> &str {
        &self.config.tax_id
    }

    /// Bank account and the like, line by line.
    async fn payment_lines(&self) -> &[String] {
        &self.config.payment_lines
    }

    /// Rates by country and day.
    async fn tax_rates(&self) -> Vec<SellerTaxRate> {
        self.config.tax_rates.iter().map(Into::into).collect()
    }

    /// What stands before the digits of an invoice's number.
    async fn invoice_prefix(&self) -> &str {
        &self.config.invoice_prefix
    }

    /// What stands before the digits of a credit note's number.
    async fn credit_note_prefix(&self) -> &str {
        &self.config.credit_note_prefix
    }

    /// Numbers begin again with each year.
    async fn yearly_series(&self) -> bool {
        self.config.is_yearly_series
    }

    /// A person looks at each draft of a run: it gets its number by issueInvoice.
    async fn approval_required(&self) -> bool {
        self.config.is_approval_required
    }

    /// Days from issue to the due date.
    async fn due_days(&self) -> i32 {
        count(self.config.due_days)
    }

    /// Days after the due date on which a reminder is due.
    async fn reminder_days(&self) -> Vec<i32> {
        let days = self.config.dunning.reminder_days.iter();
        days.map(|days| count(*days)).collect()
    }

    /// Days after the due date on which the account is suspended; null for never.
    async fn suspend_days(&self) -> Option<i32> {
        self.config.dunning.suspend_days.map(count)
    }

    /// Seconds of talk that a prepaid call reserves at a time.
    async fn slice_s(&self) -> i32 {
        count(self.config.slice_s)
    }

    /// Numbers that nothing ever stops or charges.
    async fn emergency_numbers(&self) -> &[String] {
        &self.config.emergency_numbers
    }
}
