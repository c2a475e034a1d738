//! The invoice run: closes a month of each account and drafts its invoice. The
//! invoicing process gives it its number and posts it. Every command carries an
//! id of (account, month), so that a run that is repeated, or goes on after a
//! crash, or runs twice at once, does nothing twice.

mod month;

use self::month::{taken_back, taxable, totals};
use crate::{
    bookkeeping::Bookkeeping,
    books::PlanEntry,
    caught_up::{Behind, caught_up},
    envelope::{Committed, Envelope},
    error::DispatchError,
    feed::Feed,
    gateway::Gateway,
    ports::{Clock, EventLog, ReadStore},
};
use domain::{
    any::AnyCommand,
    billing::{
        self, UsageId,
        account::{self, Account, Profile},
        bill_of::{self, Draft, DraftError, Named, draft},
        invoice, seller,
        settle::Total,
        stretch::{self, Rules, Stretch},
        usage,
    },
    calendar::{Period, Zone},
    decider::Refusal as _,
    id::{AccountId, CommandId, DEFAULT_TENANT, InvoiceId, PlanId},
    process::rating::RatingProcess,
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Accounts that are worked on at once: bounds memory, and fills the writer's
/// group commits.
pub(crate) const AT_ONCE: usize = 256;
/// Pause before an account that met a store in trouble is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// Tries for one account at most.
const TRIES_MAX: u32 = 100;

/// From a call that is over to its price, and from there to its month.
const RATING_STEPS: usize = 2;
/// How long rating may stand still before a run is given up.
const RATING_PATIENCE: Duration = Duration::from_secs(60);

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
    /// Where processes say how far they are.
    pub store: Arc<dyn ReadStore>,
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
    /// It was invoiced before, or its draft waits to be approved.
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
    /// Accounts that were invoiced before, or whose draft waits to be approved.
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
    /// What was used is not all counted, and would be missing on the invoices.
    #[error("not every call is rated yet: {0}; ask again")]
    NotRated(#[from] Behind),
    /// A bug; what was done is done, and the run can be repeated.
    #[error("the run stopped: {0}")]
    Stopped(String),
}

/// Invoices the month of these accounts, or of all. `progress` hears how many
/// are done of how many. What ended before the run began is counted first: once a month is
/// closed, what comes late counts in the next, with what that one includes.
///
/// # Errors
/// When there is no seller, or no such account, or rating stands still.
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
    caught_up::<RatingProcess>(&means.store, &means.log, RATING_STEPS, RATING_PATIENCE).await?;
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

/// Waits until every approved draft of the month is issued and owed, or has been for as
/// long as the process takes. False when it is not within the time.
pub async fn settled(means: &Means, period: Period, within: Duration) -> bool {
    let all_posted = async {
        let mut seen = means.feed.head();
        loop {
            means.books.wait_for(seen).await;
            if !means.books.read(|books| books.has_drafts_of(period)) {
                return;
            }
            means.feed.wait_beyond(seen).await;
            seen = means.feed.head();
        }
    };
    tokio::time::timeout(within, all_posted).await.is_ok()
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
    /// The plan of the month's last day.
    plan: Option<Arc<PlanEntry>>,
    /// Each in the version that was in force at the month's end.
    plans: BTreeMap<PlanId, Arc<PlanEntry>>,
    stretches: Vec<Stretch>,
    /// How often a draft of the month was discarded.
    discarded: u32,
}

fn known(means: &Means, id: AccountId, period: Period) -> Option<Known> {
    means.books.read(|books| {
        let account = books.account(id)?;
        let profile = account.profile.clone()?;
        let last_day = period.end().pred_opt()?;
        // As it was at the last instant before that day.
        let plan_until = |plan, day| {
            let end = profile.zone.start_of(day).micros().saturating_sub(1);
            books.plan(plan, Timestamp::from_micros(end))
        };
        let plan_of = |plan| plan_until(plan, period.end());
        // Days after the close are not its: of a month it has what it was open for.
        let plans = (account.subscriptions.as_slice(), account.ends(profile.zone));
        let days = stretch::of(plans, &account.plans_had, period);
        let stretches = days.into_iter().filter_map(|days| {
            let plan = plan_until(days.plan, days.until)?;
            Some(Stretch {
                plan: days.plan,
                plan_version: plan.config_version,
                from: days.from,
                to: days.to,
                config: plan.config.clone(),
            })
        });
        let had = account.plans_had.iter();
        Some(Known {
            name: account.name.clone()?,
            plan: account.plan_on(last_day).and_then(plan_of),
            plans: had
                .filter_map(|plan| Some((*plan, plan_of(*plan)?)))
                .collect(),
            stretches: stretches.collect(),
            discarded: books.reopened(UsageId {
                account: id,
                period,
            }),
            // The rest may be large, and does not matter here.
            account: Account {
                status: account.status,
                subscriptions: account.subscriptions.clone(),
                fees_billed: account.fees_billed.clone(),
                invoiced: account.invoiced,
                closed_at: account.closed_at,
                open: account.open.clone(),
                settled: account.settled.clone(),
                ..Account::default()
            },
            profile,
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
    if known.has(invoice) || means.books.read(|books| books.is_waiting(usage_id)) {
        return Ok(Outcome::Already);
    }
    if let Some(other) = means.books.read(|books| books.waiting_beside(usage_id)) {
        let reason = format!("its draft of {other} waits to be approved");
        return Ok(Outcome::Failed(reason));
    }
    let (plan, rules) = match closable(means, seller, &known, usage_id).await? {
        Ok(closable) => closable,
        Err(outcome) => return Ok(outcome),
    };
    let close = usage::Command::Close { rules };
    let close = billing::Command::Usage(usage_id, close);
    let draft_of = (usage_id, known.discarded);
    let closed = dispatch(means, draft_of, close).await?.version;
    let totals = totals(means, usage_id, closed).await?;
    match known.draft(seller, usage_id, plan, &totals) {
        Ok(Some(_)) => {}
        Ok(None) => return Ok(Outcome::Nothing),
        Err(error) => return Ok(Outcome::Failed(error.to_string())),
    }
    // Only now it is sure that no other month bills the same in advance.
    begin(means, usage_id).await?;
    let Some(known) = self::known(means, id, period) else {
        return Ok(Outcome::Nothing);
    };
    if known.has(invoice) {
        return Ok(Outcome::Already);
    }
    // What was read is of a month that was open since: this one goes on from what is true
    // now, and the account is taken for it already.
    if known.discarded != draft_of.1 {
        let reason = format!("a draft of {period} was discarded meanwhile");
        return Err(DispatchError::Unavailable(reason));
    }
    let drafted = match &known.plan {
        Some(plan) => known.draft(seller, usage_id, plan, &totals),
        None => Ok(None),
    };
    let outcome = match drafted {
        Ok(Some(command)) => {
            let draft = billing::Command::Invoice(invoice, command);
            dispatch(means, draft_of, draft).await?;
            return Ok(Outcome::Drafted);
        }
        Ok(None) => Outcome::Nothing,
        Err(error) => Outcome::Failed(error.to_string()),
    };
    let drop = account::Command::DropInvoice { period };
    claim(means, usage_id, drop).await?;
    Ok(outcome)
}

/// The plan of the month's last day and the rules by which it is settled, if the month can
/// be closed; or else what comes of it.
async fn closable<'a>(
    means: &Means,
    seller: &seller::Config,
    known: &'a Known,
    usage: UsageId,
) -> Result<Result<(&'a PlanEntry, Box<Rules>), Outcome>, DispatchError> {
    let period = usage.period;
    if means.clock.now() < known.profile.zone.start_of(period.end()) {
        let reason = format!("{period} is not over there");
        return Ok(Err(Outcome::Failed(reason)));
    }
    let Some(plan) = &known.plan else {
        return Ok(Err(known.without_plan(period)));
    };
    if let Some(error) = known.other_currency() {
        return Ok(Err(Outcome::Failed(error.to_string())));
    }
    let rules = Box::new(Rules {
        period,
        zone: known.profile.zone,
        stretches: known.stretches.clone(),
        turns: bill_of::turns(seller, &known.profile),
        taken_back: taken_back(means, usage, known).await?,
    });
    let taxable = taxable(means, seller, known, (usage, plan), &rules).await?;
    Ok(match taxable {
        Ok(()) => Ok((plan, rules)),
        Err(error) => Err(Outcome::Failed(error.to_string())),
    })
}

impl Known {
    /// A plan of the month that is in another currency can not be billed.
    fn other_currency(&self) -> Option<DraftError> {
        let mut stretches = self.stretches.iter().filter(|it| it.from < it.to);
        let other = stretches.find(|it| it.config.currency != self.profile.currency)?;
        let plan = self.plans.get(&other.plan)?;
        Some(DraftError::OtherCurrency(plan.name.clone()))
    }

    /// An account without a plan has nothing to bill; but one that was given a plan which
    /// nobody knows is not passed over.
    fn without_plan(&self, period: Period) -> Outcome {
        let last_day = period.end().pred_opt();
        match last_day.and_then(|day| self.account.plan_on(day)) {
            Some(plan) => Outcome::Failed(format!("its plan {plan} is not known")),
            None => Outcome::Nothing,
        }
    }

    /// It is invoiced.
    fn has(&self, invoice: InvoiceId) -> bool {
        self.account.open.contains_key(&invoice) || self.account.settled.contains(&invoice)
    }

    fn draft(
        &self,
        seller: &seller::Config,
        usage: UsageId,
        plan: &PlanEntry,
        totals: &[Total],
    ) -> Result<Option<invoice::Command>, DraftError> {
        self.of_draft(seller, (usage, plan), totals, draft)
    }

    /// What is said of what a draft is made of.
    fn of_draft<T>(
        &self,
        seller: &seller::Config,
        (usage, plan): (UsageId, &PlanEntry),
        totals: &[Total],
        said: impl FnOnce(&Draft<'_>) -> T,
    ) -> T {
        let plans = self.plans.iter().map(|(id, plan)| {
            let (name, config) = (plan.name.as_str(), &plan.config);
            (*id, Named { name, config })
        });
        said(&Draft {
            account: usage.account,
            name: &self.name,
            profile: &self.profile,
            ledger: &self.account,
            period: usage.period,
            plan: plan.id,
            plans: &plans.collect(),
            seller,
            tenant: DEFAULT_TENANT,
            totals,
        })
    }
}

/// No other month of the account is invoiced from now on, and what was before is known.
async fn begin(means: &Means, usage: UsageId) -> Result<(), DispatchError> {
    let period = usage.period;
    let begun = claim(means, usage, account::Command::BeginInvoice { period }).await;
    let under_way = account::Error::InvoiceUnderWay { begun: period }.code();
    match begun {
        // It will be over in a moment.
        Err(DispatchError::Refused(refused)) if refused.code == under_way => {
            Err(DispatchError::Unavailable(refused.to_string()))
        }
        Err(error) => Err(error),
        Ok(committed) => {
            means.books.wait_for(committed.position).await;
            Ok(())
        }
    }
}

/// Takes the account for a month, or leaves it. That may be done and undone more than
/// once, and is harmless twice: each time under an id of its own.
async fn claim(
    means: &Means,
    usage: UsageId,
    command: account::Command,
) -> Result<Committed, DispatchError> {
    let now = means.clock.now();
    let command = billing::Command::Account(usage.account, command);
    let label = format!("run/{}/{}/{}", usage.period, command.name(), now.micros());
    let id = domain::id::derive(now.millis_unsigned(), usage.account.0, &label);
    send(means, usage.account, id, command).await
}

/// Under an id of account, month and command, and of how many drafts of it were discarded:
/// it has one effect, ever.
async fn dispatch(
    means: &Means,
    (UsageId { account, period }, discarded): (UsageId, u32),
    command: billing::Command,
) -> Result<Committed, DispatchError> {
    let name = command.name();
    let label = match discarded {
        0 => format!("run/{period}/{name}"),
        again => format!("run/{period}/{again}/{name}"),
    };
    let millis = Zone::UTC.start_of(period.end()).millis_unsigned();
    let id = domain::id::derive(millis, account.0, &label);
    send(means, account, id, command).await
}

async fn send(
    means: &Means,
    account: AccountId,
    id: Uuid,
    command: billing::Command,
) -> Result<Committed, DispatchError> {
    let envelope = Envelope {
        command: AnyCommand::Billing(Box::new(command)),
        command_id: CommandId(id),
        at: means.clock.now(),
        correlation_id: account.0,
        causation_id: id,
        actor: means.actor.clone(),
        tenant: DEFAULT_TENANT,
    };
    means.gateway.dispatch(envelope).await
}
