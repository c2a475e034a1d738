//! The invoice run: closes a month of each account and drafts its invoice. The
//! invoicing process gives it its number and posts it. Every command carries an
//! id of (account, month), so that a run that is repeated, or goes on after a
//! crash, or runs twice at once, does nothing twice.

use crate::{
    bookkeeping::Bookkeeping,
    books::PlanEntry,
    envelope::Envelope,
    error::DispatchError,
    feed::Feed,
    gateway::Gateway,
    ports::{Clock, EventLog, ReadError, StreamId},
};
use domain::{
    any::{AnyCommand, read_event},
    billing::{
        self, UsageId,
        account::{Account, Profile},
        bill_of::{Draft, DraftError, Named, draft},
        seller,
        settle::Total,
        usage::{self, Usage},
    },
    calendar::Period,
    decider::Decider,
    id::{AccountId, CommandId, DEFAULT_TENANT, PlanId},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Accounts that are worked on at once: bounds memory, and fills the writer's
/// group commits.
const AT_ONCE: usize = 256;
/// Pause before an account that met a store in trouble is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// Tries for one account at most.
const TRIES_MAX: u32 = 100;

/// What a run needs.
#[derive(Clone)]
pub struct Means {
    /// Where commands go.
    pub gateway: Gateway,
    /// What accounts and plans say.
    pub books: Bookkeeping,
    /// The committed events.
    pub feed: Feed,
    /// Where the totals of a month are read.
    pub log: Arc<dyn EventLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who asked for it: `token:..` or `cli`.
    pub actor: String,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

/// What became of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has a draft, which gets its number by itself.
    Drafted,
    /// It was invoiced before.
    Already,
    /// There is nothing to bill.
    Nothing,
    /// It can not be invoiced; the reason is for a person.
    Failed(String),
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts with a new draft.
    pub drafted: usize,
    /// Accounts that were invoiced before.
    pub already: usize,
    /// Accounts with nothing to bill.
    pub nothing: usize,
    /// Accounts that can not be invoiced, with the reason.
    pub failed: Vec<(AccountId, String)>,
}

/// Why a run does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Nobody bills.
    #[error("no seller is described: configure it first")]
    NoSeller,
    /// An account that was named is not there.
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
    /// A bug; what was done is done, and the run can be repeated.
    #[error("the run stopped: {0}")]
    Stopped(String),
}

/// Invoices the month of these accounts, or of all. `progress` hears how many
/// are done of how many.
///
/// # Errors
/// When there is no seller, or no such account.
pub async fn run(
    means: &Means,
    period: Period,
    accounts: Option<Vec<AccountId>>,
    progress: impl Fn(usize, usize),
) -> Result<Report, RunError> {
    means.books.wait_for(means.feed.head()).await;
    let seller = means
        .books
        .read(|books| books.seller())
        .ok_or(RunError::NoSeller)?;
    let accounts = means.books.read(|books| match accounts {
        None => Ok(books.accounts().map(|(id, _)| id).collect()),
        Some(named) => match named.iter().find(|id| books.account(**id).is_none()) {
            Some(unknown) => Err(RunError::UnknownAccount(*unknown)),
            None => Ok(named),
        },
    })?;
    let all = accounts.len();
    let mut report = Report::default();
    let mut waiting = accounts.into_iter();
    let mut working = JoinSet::new();
    let mut done = 0;
    loop {
        while working.len() < AT_ONCE
            && let Some(account) = waiting.next()
        {
            let (means, seller) = (means.clone(), seller.clone());
            working.spawn(async move { (account, insist(&means, &seller, account, period).await) });
        }
        let Some(finished) = working.join_next().await else {
            break;
        };
        done += 1;
        match finished {
            Ok((_, Outcome::Drafted)) => report.drafted += 1,
            Ok((_, Outcome::Already)) => report.already += 1,
            Ok((_, Outcome::Nothing)) => report.nothing += 1,
            Ok((account, Outcome::Failed(reason))) => report.failed.push((account, reason)),
            Err(error) => return Err(RunError::Stopped(error.to_string())),
        }
        progress(done, all);
    }
    report.failed.sort();
    Ok(report)
}

/// Waits until every draft of the month is issued and owed, or has been for as
/// long as the process takes. False when it is not within the time.
pub async fn settled(means: &Means, period: Period, within: Duration) -> bool {
    let all_posted = async {
        let mut seen = means.feed.head();
        loop {
            means.books.wait_for(seen).await;
            if open_drafts(means, period).is_empty() {
                return;
            }
            means.feed.wait_beyond(seen).await;
            seen = means.feed.head();
        }
    };
    tokio::time::timeout(within, all_posted).await.is_ok()
}

/// Accounts whose draft of the month is not owed yet.
fn open_drafts(means: &Means, period: Period) -> Vec<AccountId> {
    means.books.read(|books| books.drafts_of(period))
}

async fn insist(
    means: &Means,
    seller: &seller::Config,
    account: AccountId,
    period: Period,
) -> Outcome {
    let mut tries = 0;
    loop {
        match invoice(means, seller, account, period).await {
            Ok(outcome) => return outcome,
            Err(DispatchError::Refused(refused)) => return Outcome::Failed(refused.to_string()),
            Err(error @ DispatchError::Corrupt(_)) => return Outcome::Failed(error.to_string()),
            Err(error @ (DispatchError::Conflict | DispatchError::Unavailable(_))) => {
                tries += 1;
                if tries >= TRIES_MAX {
                    return Outcome::Failed(error.to_string());
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// What the books say of an account, taken at once.
struct Known {
    name: String,
    profile: Profile,
    account: Account,
    plan: Option<Arc<PlanEntry>>,
    plans: BTreeMap<PlanId, Arc<PlanEntry>>,
}

fn known(means: &Means, id: AccountId, period: Period) -> Option<Known> {
    means.books.read(|books| {
        let account = books.account(id)?;
        let last_day = period.end().pred_opt()?;
        Some(Known {
            name: account.name.clone()?,
            profile: account.profile.clone()?,
            plan: account.plan_on(last_day).and_then(|plan| books.plan(plan)),
            plans: account
                .subscriptions
                .iter()
                .filter_map(|subscription| books.plan(subscription.plan))
                .map(|plan| (plan.id, plan))
                .collect(),
            // The rest may be large, and does not matter here.
            account: Account {
                subscriptions: account.subscriptions.clone(),
                fees_billed: account.fees_billed.clone(),
                invoiced: account.invoiced,
                open: account.open.clone(),
                settled: account.settled.clone(),
                ..Account::default()
            },
        })
    })
}

async fn invoice(
    means: &Means,
    seller: &seller::Config,
    id: AccountId,
    period: Period,
) -> Result<Outcome, DispatchError> {
    let usage_id = UsageId {
        account: id,
        period,
    };
    let Some(known) = known(means, id, period) else {
        return Ok(Outcome::Nothing);
    };
    let invoice = usage_id.invoice();
    if known.account.open.contains_key(&invoice) || known.account.settled.contains(&invoice) {
        return Ok(Outcome::Already);
    }
    let end = known.profile.zone.start_of(period.end());
    if means.clock.now() < end {
        return Ok(Outcome::Failed(format!("{period} is not over there")));
    }
    let Some(plan) = &known.plan else {
        return Ok(Outcome::Nothing);
    };
    let close = usage::Command::Close {
        terms: plan.config.terms.clone(),
        rounding: plan.config.rounding,
    };
    let close = billing::Command::Usage(usage_id, close);
    let closed = dispatch(means, id, period, close).await?;
    let totals = totals(means, usage_id, closed).await?;
    let drafted = draft(&Draft {
        account: id,
        name: &known.name,
        profile: &known.profile,
        ledger: &known.account,
        period,
        plan: plan.id,
        plans: &known
            .plans
            .iter()
            .map(|(id, plan)| {
                let (name, config) = (plan.name.as_str(), &plan.config);
                (*id, Named { name, config })
            })
            .collect(),
        seller,
        tenant: DEFAULT_TENANT,
        totals: &totals,
    });
    let command = match drafted {
        Ok(Some(command)) => command,
        Ok(None) => return Ok(Outcome::Nothing),
        Err(error @ (DraftError::NoTaxRate(_) | DraftError::NoPlan)) => {
            return Ok(Outcome::Failed(error.to_string()));
        }
    };
    let draft = billing::Command::Invoice(invoice, command);
    dispatch(means, id, period, draft).await?;
    Ok(Outcome::Drafted)
}

/// Under an id of account, month and command: it has one effect, ever.
async fn dispatch(
    means: &Means,
    account: AccountId,
    period: Period,
    command: billing::Command,
) -> Result<u64, DispatchError> {
    let label = format!("run/{period}/{}", command.name());
    let millis = domain::calendar::Zone::UTC
        .start_of(period.end())
        .millis_unsigned();
    let id = domain::id::derive(millis, account.0, &label);
    let envelope = Envelope {
        command: AnyCommand::Billing(Box::new(command)),
        command_id: CommandId(id),
        at: means.clock.now(),
        correlation_id: account.0,
        causation_id: id,
        actor: means.actor.clone(),
        tenant: DEFAULT_TENANT,
    };
    Ok(means.gateway.dispatch(envelope).await?.version)
}

/// The totals that the month was closed with: its last event.
async fn totals(means: &Means, usage: UsageId, version: u64) -> Result<Vec<Total>, DispatchError> {
    let stream = StreamId::new(Usage::CATEGORY, usage);
    let corrupt = |reason: String| DispatchError::Corrupt(format!("{stream}: {reason}"));
    let events = means
        .log
        .read_stream(&stream, version.saturating_sub(1))
        .await
        .map_err(|error| match error {
            ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
            error @ ReadError::Corrupt { .. } => corrupt(error.to_string()),
        })?;
    let last = events
        .last()
        .ok_or_else(|| corrupt("is not closed".into()))?;
    let (_, event) =
        read_event::<usage::Event>(&last.event_type, last.event_version, &last.payload)
            .map_err(|error| corrupt(error.to_string()))?;
    match event {
        usage::Event::PeriodClosed { totals, .. } => Ok(totals),
        usage::Event::Recorded { .. }
        | usage::Event::Reversed { .. }
        | usage::Event::Adjusted { .. }
        | usage::Event::Valued { .. } => Err(corrupt("is not closed".into())),
    }
}
