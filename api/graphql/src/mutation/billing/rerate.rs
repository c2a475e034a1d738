//! Orders to rate calls again, and to dismiss those that are to have no price: those that are
//! named, or all that a filter lets through.

use super::{invalid, read};
use crate::{
    auth::Scope,
    error::{Code, Fault},
    id::Named,
    mutation::{Order, Outcome, UserError},
    query::{Needs, uuid, views},
    scalar::{Cursor, DateTime, count},
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::{envelope::Envelope, gateway::Gateway};
use domain::{
    any::AnyCommand,
    billing::{Command, rating},
    id::{AccountId, CallId, PlanId},
};
use projections::{billing::charges, views::Views};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct RerateMutations;

/// Calls that an order names at most.
const NAMED_MAX: usize = 100;
/// Calls that a filter lets through at most: they are read before the first is rated.
const CALLS_MAX: usize = 10_000;
/// How long an answer waits; what takes longer goes on without it.
const WAIT: Duration = Duration::from_secs(8);
/// Refusals that are told at most.
const REFUSALS_MAX: usize = 100;

/// Which calls: those that all of it lets through. Something must be given.
#[derive(InputObject, Default)]
pub(crate) struct RerateFilter {
    /// That this account pays, or would.
    account_id: Option<ID>,
    /// With a price on the invoice of this month, `YYYY-MM`.
    period: Option<String>,
    /// That started at this instant or later.
    started_from: Option<DateTime>,
    /// That started before this instant.
    started_before: Option<DateTime>,
    /// With a price by this plan, in whichever version.
    plan_id: Option<ID>,
    /// With a price by the deck of this name, in whichever version.
    deck: Option<String>,
    /// True: that have no price. False: that have one.
    unrated: Option<bool>,
}

/// Calls to be rated again.
#[derive(InputObject)]
pub(crate) struct RerateCallsInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which calls; 100 at most.
    call_ids: Option<Vec<ID>>,
    /// Which calls, in place of their ids; 10000 at most.
    filter: Option<RerateFilter>,
    /// Why.
    reason: String,
    /// Only counts them.
    #[graphql(default)]
    dry_run: bool,
    /// Whoever owns now what was dialled is to pay, not the account that has paid: for a
    /// number that was given to the wrong one.
    #[graphql(default)]
    new_payer: bool,
}

/// What came of an order to rate calls again.
#[derive(SimpleObject)]
pub(crate) struct RerateCallsPayload {
    /// How many calls were meant, as text; null when nothing was done.
    id: Option<ID>,
    /// How many calls are meant.
    calls_count: i32,
    /// False when it goes on: the same order again goes on with it too, and tells what
    /// it came to.
    finished: bool,
    /// What a read must have reached to see it; null when nothing was done.
    position: Option<Cursor>,
    /// Why calls were not rated again, of 100 at most; the others were.
    user_errors: Vec<UserError>,
}

impl From<UserError> for RerateCallsPayload {
    fn from(error: UserError) -> Self {
        Self {
            id: None,
            calls_count: 0,
            finished: true,
            position: None,
            user_errors: vec![error],
        }
    }
}

/// Which calls without a price: those that all of it lets through; all of them, where nothing
/// is given.
#[derive(InputObject)]
pub(crate) struct DismissFilter {
    /// That this account would pay.
    account_id: Option<ID>,
    /// That started at this instant or later.
    started_from: Option<DateTime>,
    /// That started before this instant.
    started_before: Option<DateTime>,
}

/// Calls that are to have no price.
#[derive(InputObject)]
pub(crate) struct DismissUnratedCallsInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which calls; 100 at most.
    call_ids: Option<Vec<ID>>,
    /// Which calls, in place of their ids; 10000 at most.
    filter: Option<DismissFilter>,
    /// Why.
    reason: String,
    /// Only counts them.
    #[graphql(default)]
    dry_run: bool,
}

/// What came of an order to dismiss calls that have no price.
#[derive(SimpleObject)]
pub(crate) struct DismissUnratedCallsPayload {
    /// How many calls were meant, as text; null when nothing was done.
    id: Option<ID>,
    /// How many calls are meant.
    calls_count: i32,
    /// False when it goes on: the same order again goes on with it too, and tells what
    /// it came to.
    finished: bool,
    /// What a read must have reached to see it; null when nothing was done.
    position: Option<Cursor>,
    /// Why calls were not dismissed, of 100 at most; the others were.
    user_errors: Vec<UserError>,
}

impl From<RerateCallsPayload> for DismissUnratedCallsPayload {
    fn from(told: RerateCallsPayload) -> Self {
        let RerateCallsPayload {
            id,
            calls_count,
            finished,
            position,
            user_errors,
        } = told;
        Self {
            id,
            calls_count,
            finished,
            position,
            user_errors,
        }
    }
}

/// Whom the calls are found for.
async fn found(views: &Views, filter: RerateFilter) -> Result<Result<charges::Filter, UserError>> {
    let account = filter.account_id.as_ref();
    let account = account
        .map(|id| uuid(id, "an account", "accountId"))
        .transpose()?;
    let plan = filter.plan_id.as_ref();
    let plan = plan.map(|id| uuid(id, "a plan", "planId")).transpose()?;
    let period = filter.period.as_ref();
    let period = match period.map(|text| read(text, "filter.period")).transpose() {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let (account, plan) = (account.map(AccountId), plan.map(PlanId));
    if let Some(account) = account
        && views.account(account).await.map_err(Fault::from)?.is_none()
    {
        return Ok(Err(invalid("filter.accountId", "is of no account")));
    }
    if let Some(plan) = plan
        && views.plan(plan).await.map_err(Fault::from)?.is_none()
    {
        return Ok(Err(invalid("filter.planId", "is of no plan")));
    }
    let deck = match &filter.deck {
        None => None,
        Some(name) => {
            let versions = views.deck_versions(name).await.map_err(Fault::from)?;
            let Some(version) = versions.first() else {
                return Ok(Err(invalid("filter.deck", "is the name of no deck")));
            };
            Some(version.deck.deck)
        }
    };
    Ok(Ok(charges::Filter {
        account,
        period,
        unrated: filter.unrated,
        from: filter.started_from.map(|at| at.0),
        until: filter.started_before.map(|at| at.0),
        plan,
        deck,
    }))
}

/// What no call can be.
fn nonsense(filter: &charges::Filter) -> Option<UserError> {
    if *filter == charges::Filter::default() {
        let message = "names nothing: every call that there is would be rated again";
        return Some(invalid("filter", message));
    }
    if let (Some(from), Some(until)) = (filter.from, filter.until)
        && until <= from
    {
        return Some(invalid(
            "filter.startedBefore",
            "is not after startedFrom: there is no call between them",
        ));
    }
    let is_priced = filter.period.is_some() || filter.plan.is_some() || filter.deck.is_some();
    (filter.unrated == Some(true) && is_priced).then(|| {
        let message = "goes with no month, plan or deck: a call without a price has none";
        invalid("filter.unrated", message)
    })
}

/// The calls that are meant.
async fn meant(
    views: &Views,
    call_ids: Option<Vec<ID>>,
    filter: Option<RerateFilter>,
) -> Result<Result<Vec<CallId>, UserError>> {
    let filter = match (call_ids, filter) {
        (Some(_), Some(_)) => {
            let message = "are given beside a filter: give one of them";
            return Ok(Err(invalid("callIds", message)));
        }
        (ids, None) => {
            let ids = ids.unwrap_or_default();
            if !(1..=NAMED_MAX).contains(&ids.len()) {
                return Ok(Err(invalid("callIds", "are not 1 to 100 calls")));
            }
            return Ok(Ok(CallId::read_all(&ids, "callIds")?));
        }
        (None, Some(filter)) => filter,
    };
    let filter = match found(views, filter).await? {
        Ok(filter) => filter,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(error) = nonsense(&filter) {
        return Ok(Err(error));
    }
    let calls = views.charged_calls(&filter, CALLS_MAX).await;
    let calls = calls.map_err(Fault::from)?;
    if calls.len() > CALLS_MAX {
        let message = format!("lets more than {CALLS_MAX} calls through: narrow it down");
        return Ok(Err(invalid("filter", &message)));
    }
    Ok(Ok(calls))
}

/// One after the other. A refusal is of its call, a fault stops.
async fn rate(gateway: Gateway, orders: Vec<(CallId, Envelope)>) -> Result<Outcome, Fault> {
    let mut outcome = Outcome {
        position: None,
        user_errors: vec![],
    };
    for (call, envelope) in orders {
        let told = Outcome::of(gateway.dispatch(envelope).await)?;
        outcome.position = outcome.position.max(told.position);
        let room = REFUSALS_MAX.saturating_sub(outcome.user_errors.len());
        let errors = told.user_errors.into_iter().take(room);
        let errors = errors.map(|error| error.about(call, "callIds"));
        outcome.user_errors.extend(errors);
    }
    Ok(outcome)
}

/// Has each call's rating do that, and waits for it for a while.
async fn carry_out(
    order: &Order<'_>,
    calls: Vec<CallId>,
    is_dry_run: bool,
    command: impl Fn() -> rating::Command,
) -> Result<RerateCallsPayload> {
    let mut payload = RerateCallsPayload {
        id: None,
        calls_count: count(calls.len() as u64),
        finished: true,
        position: None,
        user_errors: vec![],
    };
    if is_dry_run {
        return Ok(payload);
    }
    let orders = calls.into_iter().map(|call| {
        let command = AnyCommand::Billing(Box::new(Command::Rating(call, command())));
        (call, order.envelope(command, call.0))
    });
    // On a task of its own: whoever asked may go, it is done for all of them.
    let done = tokio::spawn(rate(order.services.gateway.clone(), orders.collect()));
    match tokio::time::timeout(WAIT, done).await {
        Err(_) => payload.finished = false,
        Ok(Ok(told)) => {
            let told = told?;
            payload.id = told.position.map(|_| ID(payload.calls_count.to_string()));
            payload.position = told.position;
            payload.user_errors = told.user_errors;
        }
        Ok(Err(error)) => return Err(Fault::new(Code::Unavailable, error.to_string()).into()),
    }
    Ok(payload)
}

#[Object]
impl RerateMutations {
    /// Rates calls again, each by its plan as it was at its answer: the price before is
    /// taken back. What is on an issued invoice is adjusted on the next one, by the
    /// difference; refused where that invoice charged for the month as a whole. A
    /// refusal says of which call it is: the others are rated again.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn rerate_calls(
        &self,
        ctx: &Context<'_>,
        input: RerateCallsInput,
    ) -> Result<RerateCallsPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        if input.reason.trim().is_empty() {
            return Ok(invalid("reason", "is empty").into());
        }
        let calls = match meant(views(ctx)?, input.call_ids, input.filter).await? {
            Ok(calls) => calls,
            Err(error) => return Ok(error.into()),
        };
        let rerate = || rating::Command::Rerate {
            reason: input.reason.clone(),
            new_payer: input.new_payer,
            outcome: None,
            before: rating::Before::default(),
        };
        carry_out(&order, calls, input.dry_run, rerate).await
    }

    /// Dismisses calls that have no price and are to have none, such as one to a number
    /// that nobody can read: they cost nobody anything, are in `unratedCalls` no more and
    /// raise no alarm. Each may still be rated again. A refusal says of which call it is:
    /// the others are dismissed.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn dismiss_unrated_calls(
        &self,
        ctx: &Context<'_>,
        input: DismissUnratedCallsInput,
    ) -> Result<DismissUnratedCallsPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        if input.reason.trim().is_empty() {
            return Ok(RerateCallsPayload::from(invalid("reason", "is empty")).into());
        }
        let filter = input.filter.map(|filter| RerateFilter {
            account_id: filter.account_id,
            started_from: filter.started_from,
            started_before: filter.started_before,
            unrated: Some(true),
            ..RerateFilter::default()
        });
        let calls = match meant(views(ctx)?, input.call_ids, filter).await? {
            Ok(calls) => calls,
            Err(error) => return Ok(RerateCallsPayload::from(error).into()),
        };
        let dismiss = || rating::Command::Dismiss {
            reason: input.reason.clone(),
        };
        let done = carry_out(&order, calls, input.dry_run, dismiss).await?;
        Ok(done.into())
    }
}
