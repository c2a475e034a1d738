//! Fills in what accounts, plans and decks say into the commands of a call's
//! rating, on their way to the decision. What came of it is in the event, so
//! that nothing is ever looked up again to understand the record.

use crate::{
    bookkeeping::Bookkeeping,
    error::DispatchError,
    feed::Feed,
    ports::{EventLog, ReadError, Recorded, StreamId, Vault},
};
use domain::{
    any::read_event,
    billing::{
        DeckVersionId, UsageType,
        account::Profile,
        deck::Deck,
        plan::{self, Price},
        rating::{
            Bill, Command, Facts, Found as FoundTariff, Outcome, Payer, Quote, Rating, Tables,
            UnratedReason, find, price,
        },
        tax,
    },
    calendar::Date,
    call::{self, Call},
    cause::EndReason,
    decider::Decider,
    id::{AccountId, CallId, DeckId, PlanId},
    money::{Currency, Decimal},
    rating::{Table, digits},
    time::Timestamp,
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// Decks in memory at most; a deck of 100 000 rows takes some 20 MB.
const TABLES_MAX: usize = 32;

/// A handle on the rater; cheap to clone.
#[derive(Clone)]
pub struct Rater {
    books: Bookkeeping,
    feed: Feed,
    log: Arc<dyn EventLog>,
    vault: Arc<dyn Vault>,
    tables: Arc<Mutex<HashMap<DeckVersionId, Arc<Table>>>>,
}

impl std::fmt::Debug for Rater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rater")
    }
}

/// Who pays for a call and how, as the books say it.
struct Found {
    account: AccountId,
    profile: Profile,
    is_prepaid: bool,
    is_limited: bool,
    plan: Option<Arc<crate::books::PlanEntry>>,
    tax_percent: Option<Decimal>,
    slice_s: u32,
}

/// A price that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By which plan.
    pub plan: PlanId,
    /// For which kind of usage.
    pub usage_type: UsageType,
    /// To which number, as people write it.
    pub number: String,
    /// Answered when.
    pub at: Timestamp,
    /// For how long.
    pub seconds: u32,
}

/// The price, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Of the amounts.
    pub currency: Currency,
    /// The plan as it was changed for that many times.
    pub plan_version: u32,
    /// The tariff that was found, and each step from it to the amount.
    pub price: Result<(FoundTariff, domain::rating::Quote), UnratedReason>,
}

/// Seconds of a slice where no seller is described.
const SLICE_S: u32 = 60;

impl Rater {
    /// A rater over the books.
    pub fn new(
        books: Bookkeeping,
        feed: Feed,
        log: Arc<dyn EventLog>,
        vault: Arc<dyn Vault>,
    ) -> Self {
        Self {
            books,
            feed,
            log,
            vault,
            tables: Arc::default(),
        }
    }

    /// Why a call can not even ring.
    pub(crate) fn refusal(&self, facts: &Facts) -> Option<EndReason> {
        self.books.read(|books| books.refusal(facts))
    }

    /// The command with what the books say, at `at`.
    pub(crate) async fn complete(
        &self,
        call: CallId,
        state: &Rating,
        command: Command,
        at: Timestamp,
    ) -> Result<Command, DispatchError> {
        // What was committed before the command was asked for is known here.
        self.books.wait_for(self.feed.head()).await;
        let paid_s = state.charging.map_or(0, |(_, _, seconds)| seconds);
        Ok(match command {
            Command::Start { .. } => Command::Start {
                quote: Some(self.quote(call, 0, at).await?),
            },
            Command::Extend { .. } => Command::Extend {
                quote: Some(self.quote(call, paid_s, at).await?),
            },
            exhaust @ Command::Exhaust { .. } => exhaust,
            Command::Rate { .. } => Command::Rate {
                outcome: self.outcome(call).await?,
            },
            Command::Rerate { reason, .. } => Command::Rerate {
                reason,
                outcome: self.outcome(call).await?,
            },
        })
    }

    /// What a call costs that is over; none while it is not.
    async fn outcome(&self, call: CallId) -> Result<Option<Outcome>, DispatchError> {
        let facts = self.facts(call).await?;
        let Some(ended_at) = facts.ended_at else {
            return Ok(None);
        };
        let found = self.find(&facts, ended_at);
        let account = found.as_ref().map(|found| found.account);
        let priced = match &found {
            None => Err(UnratedReason::NoPayer),
            Some(found) => self.price(call, &facts, found, ended_at).await?,
        };
        Ok(Some(match priced {
            Ok(bill) => {
                metrics::counter!("ringledger_calls_rated_count").increment(1);
                Outcome::Rated(Box::new(bill))
            }
            Err(reason) => {
                // A person must look: this is the alarm.
                metrics::counter!("ringledger_calls_unrated_count", "reason" => name(reason))
                    .increment(1);
                tracing::warn!(%call, reason = name(reason), "call can not be rated");
                Outcome::Unrated { account, reason }
            }
        }))
    }

    /// What the next slice of a call costs, if its payer pays before.
    async fn quote(
        &self,
        call: CallId,
        paid_s: u32,
        at: Timestamp,
    ) -> Result<Quote, DispatchError> {
        let mut facts = self.facts(call).await?;
        let is_free = self.books.read(|books| books.is_for_help(&facts));
        let is_paid_before = |found: &Found| found.is_prepaid && !is_free;
        let Some(found) = self.find(&facts, at).filter(is_paid_before) else {
            return Ok(Quote::Postpaid);
        };
        let seconds = paid_s.saturating_add(found.slice_s);
        let answered_at = *facts.answered_at.get_or_insert(at);
        // A leg that rings outside may be answered at any moment.
        let from = at.max(answered_at);
        for outbound in &mut facts.outbound {
            outbound.answered_at.get_or_insert(from);
        }
        let ended_at = answered_at.plus_ms(u64::from(seconds) * 1_000);
        facts.ended_at = Some(ended_at);
        Ok(match self.price(call, &facts, &found, ended_at).await? {
            Ok(bill) => Quote::Prepaid {
                account: found.account,
                amount: bill.commits.unwrap_or_default(),
                seconds,
            },
            // It goes through, and to the list of unrated calls.
            Err(_) => Quote::Postpaid,
        })
    }

    async fn facts(&self, call: CallId) -> Result<Facts, DispatchError> {
        let stream = StreamId::new(Call::CATEGORY, call);
        let recorded = self.log.read_stream(&stream, 0).await.map_err(fault)?;
        let events = recorded
            .iter()
            .map(read::<call::Event>)
            .collect::<Result<Vec<_>, _>>()?;
        let mut facts = Facts::of(events.iter().map(|(at, event)| (*at, event)));
        for outbound in &mut facts.outbound {
            if let Some(sealed) = &outbound.sealed {
                let opened = self.vault.open(sealed).await;
                let party =
                    opened.map_err(|error| DispatchError::Unavailable(error.to_string()))?;
                outbound.number = party.map(|party| party.user);
            }
        }
        Ok(facts)
    }

    /// Who pays, with the plan of that instant.
    fn find(&self, facts: &Facts, at: Timestamp) -> Option<Found> {
        self.books.read(|books| {
            let id = books.payer(facts)?;
            let account = books.account(id)?;
            let profile = account.profile.clone()?;
            let day = profile.zone.date_of(at);
            let plan = account.plan_on(day).and_then(|plan| books.plan(plan));
            let seller = books.seller();
            let tax_percent = match (&seller, &plan) {
                (Some(seller), Some(plan)) => tax_percent(seller, &profile, &plan.config, day),
                (None, _) | (_, None) => None,
            };
            Some(Found {
                account: id,
                is_prepaid: account.is_prepaid(),
                is_limited: account.limit().is_some(),
                profile,
                plan,
                tax_percent,
                slice_s: seller.map_or(SLICE_S, |seller| seller.slice_s),
            })
        })
    }

    async fn price(
        &self,
        call: CallId,
        facts: &Facts,
        found: &Found,
        ended_at: Timestamp,
    ) -> Result<Result<Bill, UnratedReason>, DispatchError> {
        let Some(plan) = &found.plan else {
            return Ok(Err(UnratedReason::NoPlan));
        };
        // Whoever calls for help is never charged.
        let is_free = self.books.read(|books| books.is_for_help(facts));
        let parts = match facts.parts(&found.profile, ended_at) {
            Ok(parts) if !is_free => parts,
            Ok(_) => vec![],
            Err(reason) => return Ok(Err(reason)),
        };
        let kinds = parts.iter().map(|part| part.usage_type);
        let tables = self.tables_of(&plan.config, kinds).await?;
        let payer = Payer {
            account: found.account,
            profile: &found.profile,
            is_limited: found.is_limited,
            plan: plan.id,
            plan_version: plan.config_version,
            config: &plan.config,
            tax_percent: found.tax_percent,
        };
        Ok(price(call, &payer, &tables, &parts, ended_at))
    }

    /// What a call by a plan would cost that is answered at that instant for so
    /// many seconds, and why. None where there is no such plan.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn explain(&self, asked: &Asked) -> Result<Option<Explained>, DispatchError> {
        self.books.wait_for(self.feed.head()).await;
        let Some(plan) = self.books.read(|books| books.plan(asked.plan)) else {
            return Ok(None);
        };
        let kinds = [asked.usage_type];
        let tables = self.tables_of(&plan.config, kinds.into_iter()).await?;
        let digits = digits(&asked.number);
        let found = find(
            &plan.config,
            &tables,
            asked.usage_type,
            digits.as_deref(),
            asked.at,
        );
        Ok(Some(Explained {
            currency: plan.config.currency,
            plan_version: plan.config_version,
            price: found.map(|found| {
                let row = found.matched.as_ref().map(|matched| matched.row);
                let billable_ms = Some(u64::from(asked.seconds) * 1_000);
                let tariff = found.tariff.clone();
                let quote =
                    domain::rating::Quote::explain(row, tariff, billable_ms, found.rounding);
                (found, quote)
            }),
        }))
    }

    /// The decks that price these kinds of usage by the plan.
    async fn tables_of(
        &self,
        config: &plan::Config,
        kinds: impl Iterator<Item = UsageType>,
    ) -> Result<Tables, DispatchError> {
        let mut tables = Tables::new();
        for kind in kinds {
            if let Some(Price::Deck(deck)) = config.terms.get(&kind).map(|term| &term.price)
                && let Some(table) = self.table(*deck).await?
            {
                tables.insert(*deck, table);
            }
        }
        Ok(tables)
    }

    /// The newest published version of a deck, loaded once.
    pub async fn table(&self, deck: DeckId) -> Result<Option<Arc<Table>>, DispatchError> {
        let Some(id) = self.books.read(|books| books.newest(deck)) else {
            return Ok(None);
        };
        // Held while it is loaded: it is loaded once, whoever asks.
        let mut tables = self.tables.lock().await;
        if let Some(table) = tables.get(&id) {
            return Ok(Some(table.clone()));
        }
        let stream = StreamId::new(Deck::CATEGORY, id);
        let recorded = self.log.read_stream(&stream, 0).await.map_err(fault)?;
        let mut deck = Deck::default();
        for recorded in &recorded {
            let (at, event) = read(recorded)?;
            deck = Deck::evolve(deck, at, &event);
        }
        let Some(table) = Table::new(id, deck).map(Arc::new) else {
            return Ok(None);
        };
        if tables.len() >= TABLES_MAX {
            tables.clear();
        }
        tables.insert(id, table.clone());
        Ok(Some(table))
    }
}

/// Tax on what the account buys on that day.
pub(crate) fn tax_percent(
    seller: &domain::billing::seller::Config,
    profile: &Profile,
    plan: &domain::billing::plan::Config,
    day: Date,
) -> Option<Decimal> {
    tax::apply(
        &seller.tax_rates,
        &seller.country,
        &profile.country,
        profile.tax_id.is_some(),
        plan.tax_category,
        day,
    )
    .ok()
    .map(|applied| applied.percent)
}

fn read<E: domain::decider::Event>(recorded: &Recorded) -> Result<(Timestamp, E), DispatchError> {
    read_event(
        &recorded.event_type,
        recorded.event_version,
        &recorded.payload,
    )
    .map_err(|error| DispatchError::Corrupt(format!("position {}: {error}", recorded.position)))
}

fn fault(error: ReadError) -> DispatchError {
    match error {
        ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
        corrupt @ ReadError::Corrupt { .. } => DispatchError::Corrupt(corrupt.to_string()),
    }
}

const fn name(reason: UnratedReason) -> &'static str {
    match reason {
        UnratedReason::NoPayer => "no_payer",
        UnratedReason::NoPlan => "no_plan",
        UnratedReason::NoTerm => "no_term",
        UnratedReason::NoDeck => "no_deck",
        UnratedReason::NoMatch => "no_match",
        UnratedReason::WrongCurrency => "wrong_currency",
        UnratedReason::NoNumber => "no_number",
        UnratedReason::NoTaxRate => "no_tax_rate",
    }
}
