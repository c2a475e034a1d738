//! Orders to invoice a month.

use super::{invalid, read};
use crate::{
    auth::Scope,
    mutation::{Order, UserError},
    query::{Needs, uuid},
    types::id,
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::invoice_run::{self, Report, RunError};
use domain::{calendar::Period, id::AccountId};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct RunMutations;

/// How long an answer waits for a run; a longer one goes on without it.
const WAIT: Duration = Duration::from_secs(8);
/// Accounts of one order at most.
const ACCOUNTS_MAX: usize = 100;
/// Failures that are told at most.
const FAILURES_MAX: usize = 100;

/// A month to be invoiced.
#[derive(InputObject)]
pub(crate) struct RunInvoicesInput {
    /// UUID. A month is invoiced once for each account, whatever this is.
    command_id: ID,
    /// Which month, as `YYYY-MM`; it must be over in the account's time zone.
    period: String,
    /// Only these accounts, 100 at most; all when not given.
    account_ids: Option<Vec<ID>>,
}

/// An account that can not be invoiced.
#[derive(SimpleObject)]
pub(crate) struct InvoiceRunFailure {
    /// Which.
    account_id: ID,
    /// Why.
    reason: String,
}

/// What came of a run.
#[derive(SimpleObject, Default)]
pub(crate) struct InvoiceRun {
    /// False when it goes on: the same order again tells what it came to.
    finished: bool,
    /// Accounts with a new invoice, which gets its number within a moment.
    drafted: i32,
    /// Accounts that were invoiced before.
    already: i32,
    /// Accounts with nothing to bill.
    nothing: i32,
    /// Accounts that can not be invoiced; 100 at most.
    failed: Vec<InvoiceRunFailure>,
    /// Why it did not begin; empty when it did.
    user_errors: Vec<UserError>,
}

impl InvoiceRun {
    fn refused(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }

    fn of(report: Report) -> Self {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let failed = report.failed.into_iter().take(FAILURES_MAX);
        Self {
            finished: true,
            drafted: count(report.drafted),
            already: count(report.already),
            nothing: count(report.nothing),
            failed: failed
                .map(|(account, reason)| InvoiceRunFailure {
                    account_id: id(account),
                    reason,
                })
                .collect(),
            user_errors: vec![],
        }
    }
}

fn begin_error(error: &RunError) -> UserError {
    let field = match error {
        RunError::NoSeller => "seller",
        RunError::UnknownAccount(_) => "accountIds",
        RunError::NotRated(_) | RunError::Stopped(_) => "period",
    };
    invalid(field, &error.to_string())
}

#[Object]
impl RunMutations {
    /// Closes a month of accounts and invoices it. Doing it again does nothing
    /// twice; a run that was cut off goes on.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn run_invoices(&self, ctx: &Context<'_>, input: RunInvoicesInput) -> Result<InvoiceRun> {
        let order = Order::new(ctx, &input.command_id)?;
        let period: Period = match read(&input.period, "period") {
            Ok(period) => period,
            Err(error) => return Ok(InvoiceRun::refused(error)),
        };
        let accounts = input.account_ids.as_ref();
        if accounts.is_some_and(|ids| !(1..=ACCOUNTS_MAX).contains(&ids.len())) {
            let error = invalid("accountIds", "are not 1 to 100 accounts");
            return Ok(InvoiceRun::refused(error));
        }
        let accounts = accounts
            .map(|ids| {
                ids.iter()
                    .map(|id| uuid(id, "an account", "accountIds").map(AccountId))
                    .collect()
            })
            .transpose()?;
        let means = invoice_run::Means {
            actor: order.identity.actor(),
            ..order.services.invoicing.clone()
        };
        // On a task of its own: who asked may go, the month is closed as a whole.
        let run =
            tokio::spawn(
                async move { invoice_run::run(&means, period, accounts, |_, _| {}).await },
            );
        Ok(match tokio::time::timeout(WAIT, run).await {
            Err(_) => InvoiceRun::default(),
            Ok(Ok(Ok(report))) => InvoiceRun::of(report),
            Ok(Ok(Err(error))) => InvoiceRun::refused(begin_error(&error)),
            Ok(Err(error)) => {
                let error = RunError::Stopped(error.to_string());
                InvoiceRun::refused(begin_error(&error))
            }
        })
    }
}
