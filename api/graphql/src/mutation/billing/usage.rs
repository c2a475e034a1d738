//! Orders about usage that is no call.

use super::{BillingPayload, tell};
use crate::{
    auth::Scope,
    error::Fault,
    mutation::{Order, Outcome},
    query::{Needs, uuid},
    scalar::{DateTime, Duration},
    types::words::UsageKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::rater::Rated;
use domain::{
    billing::{Command, account, rating::Use, usage},
    decider::Refusal as _,
    id::AccountId,
    rating::digits,
};

#[derive(Default)]
pub(crate) struct UsageMutations;

/// A use that is no call.
#[derive(InputObject)]
pub(crate) struct RecordUsageInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who pays.
    account_id: ID,
    /// Under which you know it: the same key in the same month is the same use,
    /// recorded once, whatever the command. No personal data: it is kept for ever.
    key: String,
    /// Of which kind. What calls use is recorded by the calls themselves.
    usage_type: UsageKind,
    /// Counted units: seconds, messages, megabytes.
    quantity: Duration,
    /// When it was over: it belongs to that month in the account's time zone.
    at: DateTime,
    /// The number in E.164 that decides on its price, where the plan has a deck for
    /// it. It is not kept.
    number: Option<String>,
    /// What it was, as the annex of the invoice says it. No personal data.
    #[graphql(default)]
    description: String,
}

#[Object]
impl UsageMutations {
    /// Records a use that is no call, with its price by the account's plan. It is
    /// on the invoice of its month, or of the next one if that is closed. An account
    /// that pays before must have the credit for it.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn record_usage(
        &self,
        ctx: &Context<'_>,
        input: RecordUsageInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account")?);
        let used = Use {
            key: input.key,
            usage_type: input.usage_type.into(),
            quantity: input.quantity.0,
            at: input.at.0,
            digits: input.number.as_deref().and_then(digits),
            description: input.description,
        };
        let services = order.services;
        let now = services.clock.now();
        let rated = match services.rater.rate_use(account, &used, now).await {
            Ok(rated) => rated,
            Err(error) => {
                let outcome = Outcome::of(Err(error))?;
                return Ok(BillingPayload::refused(outcome.user_errors));
            }
        };
        let id = rated.record.cdr;
        let outcome = record(&order, rated).await?;
        Ok(BillingPayload::new(id, outcome).of_account(account))
    }
}

/// Credit first, so that none who pays before is ever under zero. What is killed
/// between the two is completed by the same order again; if that never comes, the
/// credit is given back with the month's invoice.
async fn record(order: &Order<'_>, mut rated: Rated) -> Result<Outcome, Fault> {
    let account = rated.usage.account;
    let commits = rated.record.counted.as_ref().and_then(|use_| use_.commits);
    if let Some(amount) = commits.filter(|_| rated.is_prepaid) {
        let charge = account::Command::ChargeUsage {
            call: rated.record.cdr,
            period: rated.usage.period,
            amount,
        };
        let charged = tell(order, Command::Account(account, charge), account.0).await?;
        if !charged.is_done() {
            return Ok(charged);
        }
    }
    loop {
        let count = usage::Command::Count {
            record: Box::new(rated.record.clone()),
        };
        let outcome = tell(order, Command::Usage(rated.usage, count), account.0).await?;
        let is_late = outcome
            .user_errors
            .first()
            .is_some_and(|error| error.code == usage::Error::PeriodClosed.code());
        if !is_late || rated.usage.period >= rated.current {
            return Ok(outcome);
        }
        rated.record.of_period.get_or_insert(rated.usage.period);
        rated.usage.period = rated.usage.period.next();
    }
}
