//! Orders about whose invoices they are.

use super::{BillingPayload, invalid};
use crate::{
    auth::Scope,
    mutation::{Order, UserError},
    query::Needs,
    scalar::Amount,
    types::words::TaxKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    billing::{
        Command,
        seller::{self, Config, Dunning},
        tax::TaxRate,
    },
    calendar::Date,
};

#[derive(Default)]
pub(crate) struct SellerMutations;

/// A tax rate of a country.
#[derive(InputObject)]
pub(crate) struct TaxRateInput {
    /// ISO 3166 code.
    country: String,
    /// Standard or reduced.
    category: TaxKind,
    /// In percent.
    percent: Amount,
    /// First day, `YYYY-MM-DD`.
    from: String,
    /// First day on which it does not apply any more; never when not given.
    to: Option<String>,
}

/// Whose invoices they are, and by which rules.
#[derive(InputObject)]
pub(crate) struct ConfigureSellerInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// As it stands on an invoice.
    name: String,
    /// Postal address, line by line.
    address: Vec<String>,
    /// ISO 3166 code.
    country: String,
    /// Of the form of its country.
    tax_id: String,
    /// Bank account and the like, line by line.
    payment_lines: Option<Vec<String>>,
    /// Rates by country and day.
    tax_rates: Vec<TaxRateInput>,
    /// What stands before the digits of an invoice's number.
    #[graphql(default = "INV-")]
    invoice_prefix: String,
    /// What stands before the digits of a credit note's number.
    #[graphql(default = "CN-")]
    credit_note_prefix: String,
    /// Numbers begin again with each year.
    #[graphql(default)]
    yearly_series: bool,
    /// A person looks at each draft of a run: it gets its number by issueInvoice.
    #[graphql(default)]
    approval_required: bool,
    /// Days from issue to the due date.
    #[graphql(default = 14)]
    due_days: u32,
    /// Days after the due date on which a reminder is due, rising.
    reminder_days: Option<Vec<u32>>,
    /// Days after the due date on which the account is suspended; never when
    /// not given.
    suspend_days: Option<u32>,
    /// Seconds of talk that a prepaid call reserves at a time.
    #[graphql(default = 60)]
    slice_s: u32,
    /// Numbers that nothing ever stops or charges.
    emergency_numbers: Option<Vec<String>>,
    /// Only if the seller is at this `revision` still, 0 before it was described: else the
    /// answer is `CONFLICT`, and nothing is done.
    expected_revision: Option<i32>,
}

fn day(text: &str) -> Result<Date, UserError> {
    text.parse()
        .map_err(|_| invalid("taxRates", "have a day that is not YYYY-MM-DD"))
}

fn config(input: ConfigureSellerInput) -> Result<Config, UserError> {
    let rate = |rate: TaxRateInput| {
        Ok(TaxRate {
            country: rate.country,
            category: rate.category.into(),
            percent: rate.percent.0,
            from: day(&rate.from)?,
            to: rate.to.as_deref().map(day).transpose()?,
        })
    };
    let tax_rates: Result<_, UserError> = input.tax_rates.into_iter().map(rate).collect();
    Ok(Config {
        name: input.name,
        address: input.address,
        country: input.country,
        tax_id: input.tax_id,
        payment_lines: input.payment_lines.unwrap_or_default(),
        tax_rates: tax_rates?,
        invoice_prefix: input.invoice_prefix,
        credit_note_prefix: input.credit_note_prefix,
        is_yearly_series: input.yearly_series,
        is_approval_required: input.approval_required,
        due_days: input.due_days,
        dunning: Dunning {
            reminder_days: input.reminder_days.unwrap_or_default(),
            suspend_days: input.suspend_days,
        },
        slice_s: input.slice_s,
        emergency_numbers: input.emergency_numbers.unwrap_or_default(),
    })
}

#[Object]
impl SellerMutations {
    /// Says whose invoices they are, and by which rules they are made.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn configure_seller(
        &self,
        ctx: &Context<'_>,
        input: ConfigureSellerInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let tenant = order.identity.tenant;
        let revision = input.expected_revision;
        let config = match config(input) {
            Ok(config) => config,
            Err(error) => return Ok(error.into()),
        };
        let command = seller::Command::Configure { config };
        let command = AnyCommand::Billing(Box::new(Command::Seller(tenant, command)));
        let outcome = order.dispatch_expecting(command, tenant.0, revision);
        Ok(BillingPayload::new(tenant, outcome.await?))
    }
}
