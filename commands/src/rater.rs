//! Fills in what accounts, plans and decks say into the commands of a call's
//! rating, on their way to the decision. What came of it is in the event, so
//! that nothing is ever looked up again to understand the record.

mod before;
mod counted;
mod cover;
mod decks;
mod explain;
mod found;

pub use counted::{Place, Rated};
pub use explain::{Asked, Explained};

use self::{
    cover::{By, Cover, Ending, Means},
    decks::Decks,
    found::Found,
};
use crate::{
    bookkeeping::Bookkeeping,
    books::{Books, PlanEntry},
    error::DispatchError,
    feed::Feed,
    ports::{EventLog, ReadError, Recorded, StreamId, Vault},
};
use domain::{
    any::read_event,
    billing::{
        DeckVersionId, UsageId, UsageType,
        account::Account,
        rating::{Bill, Command, Facts, Outbound, Outcome, Quote, Rating, UnratedReason, price},
        usage::Usage,
    },
    calendar::Period,
    call::{self, Call},
    cause::EndReason,
    decider::Decider,
    id::{AccountId, CallId},
    money::Decimal,
    rating::Table,
    time::Timestamp,
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// What was used in which month, which was closed at which position.
type Month = (UsageId, u64, Arc<Usage>);

/// A handle on the rater; cheap to clone.
#[derive(Clone)]
pub struct Rater {
    books: Bookkeeping,
    feed: Feed,
    log: Arc<dyn EventLog>,
    vault: Arc<dyn Vault>,
    tables: Arc<Mutex<HashMap<DeckVersionId, Arc<Table>>>>,
    /// The closed month that was looked into last: orders come by the month.
    closed: Arc<Mutex<Option<Month>>>,
}

impl std::fmt::Debug for Rater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rater")
    }
}

/// Why a call is rated.
#[derive(Debug, Clone, Copy)]
enum Why {
    /// It is over.
    Ended,
    /// A person asks for it, once more.
    Asked {
        /// Whoever owns now what was dialled then is to pay, not who paid.
        new_payer: bool,
    },
}

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
            closed: Arc::default(),
        }
    }

    /// Why a call can not even ring.
    pub(crate) async fn refusal(&self, facts: &Facts, at: Timestamp) -> Option<EndReason> {
        let (refusal, payer) = self.books.read(|books| {
            let payer = books.payer(facts, None).and_then(|id| books.account(id));
            let is_prepaid = payer.is_some_and(Account::is_prepaid);
            let available = payer.and_then(Account::available);
            (books.refusal(facts), is_prepaid.then_some(available))
        });
        let available = match (refusal, payer) {
            (Some(reason), _) => return Some(reason),
            (None, None) => return None,
            (None, Some(available)) => available,
        };
        // What can not be looked up now is looked up again when the call is on
        // the record.
        let call = CallId(uuid::Uuid::nil());
        match self.quote_of(call, facts.clone(), None, at).await.ok()? {
            Quote::Postpaid => None,
            Quote::Unpriced { .. } => Some(EndReason::NoPrice),
            Quote::Prepaid { amount, .. } => available
                .is_some_and(|available| available < amount)
                .then_some(EndReason::NoCredit),
        }
    }

    /// Why a leg of a call that is on the record can not go out. What can not be
    /// read now says nothing: the call goes on, and is looked at again when it is priced.
    pub(crate) async fn refusal_of(
        &self,
        call: CallId,
        outbound: Outbound,
        at: Timestamp,
    ) -> Option<EndReason> {
        self.books.wait_for(self.feed.head()).await;
        let mut facts = self.facts(call).await.ok()?;
        match facts
            .outbound
            .iter_mut()
            .find(|known| known.leg == outbound.leg)
        {
            Some(known) => *known = outbound,
            None => facts.outbound.push(outbound),
        }
        self.refusal(&facts, at).await
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
        Ok(match command {
            Command::Start { .. } => Command::Start {
                quote: Some(self.quote(call, None, at).await?),
            },
            Command::Extend { .. } => Command::Extend {
                quote: Some(self.quote(call, state.charging, at).await?),
            },
            plain @ (Command::Exhaust { .. }
            | Command::Dismiss { .. }
            | Command::Restore { .. }) => plain,
            Command::Rate { .. } => Command::Rate {
                outcome: self.outcome(call, state, Why::Ended).await?,
            },
            Command::Rerate {
                reason, new_payer, ..
            } => Command::Rerate {
                reason,
                new_payer,
                outcome: self.outcome(call, state, Why::Asked { new_payer }).await?,
                before: self.before(state).await?,
            },
        })
    }

    /// What a call costs that is over; none while it is not.
    async fn outcome(
        &self,
        call: CallId,
        state: &Rating,
        why: Why,
    ) -> Result<Option<Outcome>, DispatchError> {
        let facts = self.facts(call).await?;
        let Some(ended_at) = facts.ended_at else {
            return Ok(None);
        };
        let answered_at = answered(&facts).unwrap_or(ended_at);
        let (found, decks, is_first) = match why {
            Why::Ended => {
                let charging = state.charging.map(|(account, ..)| account);
                let found = self.find(&facts, charging, ended_at);
                (found, Decks::At(answered_at), true)
            }
            Why::Asked { new_payer } => {
                let payer = state.bill.as_ref().map(|bill| bill.account);
                let payer = payer.or_else(|| state.charging.map(|(account, ..)| account));
                let found = match payer.filter(|_| !new_payer) {
                    Some(payer) => {
                        let of = |books: &Books| {
                            Found::of_call(books, payer, &facts, answered_at, ended_at)
                        };
                        self.books.read(of)
                    }
                    None => self.find_now(&facts, new_payer, ended_at),
                };
                (found, Decks::Newest, false)
            }
        };
        let account = found.as_ref().map(|found| found.account);
        let priced = match &found {
            // Whoever tries numbers that lead nowhere makes nobody look.
            None if answered(&facts).is_none() || self.is_for_help(&facts) => {
                return Ok(Some(Outcome::Nobodys));
            }
            None => Err(UnratedReason::NoPayer),
            Some(found) => match self.refused(call, &facts, ended_at, is_first).await? {
                Some(reason) => Err(reason),
                None if self.costs_nothing(&facts, found, ended_at) => Ok(nothing(found, ended_at)),
                None => {
                    let cover = self.cover(call, state, &facts, found);
                    self.price(call, &facts, found, &cover, decks).await?
                }
            },
        };
        Ok(Some(match priced {
            Ok(bill) => {
                metrics::counter!("ringledger_calls_rated_count").increment(1);
                Outcome::Rated(Box::new(bill))
            }
            Err(reason) => {
                // A person must look.
                metrics::counter!("ringledger_rating_failures_total", "reason" => reason.name())
                    .increment(1);
                tracing::warn!(%call, reason = reason.name(), "call can not be rated");
                Outcome::Unrated { account, reason }
            }
        }))
    }

    fn is_for_help(&self, facts: &Facts) -> bool {
        self.books.read(|books| books.is_for_help(facts))
    }

    /// No price is needed, and so no plan: nobody was reached, or it was a call for help.
    fn costs_nothing(&self, facts: &Facts, found: &Found, ended_at: Timestamp) -> bool {
        let is_unanswered = || {
            let parts = facts.parts(&found.profile, ended_at);
            parts.is_ok_and(|parts| parts.is_empty())
        };
        found.plan.is_none() && (is_unanswered() || self.is_for_help(facts))
    }

    /// Why a call was refused that nobody could have paid: it waits for a person
    /// until it could be.
    async fn refused(
        &self,
        call: CallId,
        facts: &Facts,
        ended_at: Timestamp,
        is_first: bool,
    ) -> Result<Option<UnratedReason>, DispatchError> {
        if facts.end != Some(EndReason::NoPrice) {
            return Ok(None);
        }
        Ok(
            match self.quote_of(call, facts.clone(), None, ended_at).await? {
                Quote::Unpriced { reason, .. } => Some(reason),
                Quote::Postpaid | Quote::Prepaid { .. } => {
                    is_first.then_some(UnratedReason::Refused)
                }
            },
        )
    }

    /// What of a call is charged: of one that is paid before no more than there is for it,
    /// whatever ended it. Who should have ended it in time may have been lost.
    fn cover(&self, call: CallId, state: &Rating, facts: &Facts, found: &Found) -> Cover {
        let is_refused = facts.end == Some(EndReason::NoCredit);
        let by = By {
            account: found.account,
            is_prepaid: found.is_prepaid,
            mode_since: found.mode_since,
        };
        if let Some(charged) = Cover::again(state, by, is_refused) {
            return charged;
        }
        let answered_at = answered(facts);
        let talked_ms = match (answered_at, facts.ended_at) {
            (Some(answered_at), Some(ended_at)) => ended_at.ms_since(answered_at),
            (Some(_) | None, _) => 0,
        };
        let ending = Ending {
            answered_at,
            talked_ms,
            is_refused,
        };
        let means = self.books.read(|books| {
            let account = books.account(found.account);
            Means {
                reserved: account.and_then(|account| account.reserved.get(&call).copied()),
                available: account.and_then(Account::available),
            }
        });
        Cover::first(state, by, ending, means)
    }

    /// What the next slice of a call costs, if its payer pays before: who does already, how
    /// much, and for how many seconds.
    async fn quote(
        &self,
        call: CallId,
        charging: Option<(AccountId, Decimal, u32)>,
        at: Timestamp,
    ) -> Result<Quote, DispatchError> {
        let facts = self.facts(call).await?;
        self.quote_of(call, facts, charging, at).await
    }

    async fn quote_of(
        &self,
        call: CallId,
        mut facts: Facts,
        charging: Option<(AccountId, Decimal, u32)>,
        at: Timestamp,
    ) -> Result<Quote, DispatchError> {
        let is_free = self.is_for_help(&facts);
        let is_paid_before = |found: &Found| found.is_prepaid && !is_free;
        let payer = charging.map(|(account, ..)| account);
        let found = self.find(&facts, payer, at).filter(is_paid_before);
        let Some(found) = found else {
            return Ok(Quote::Postpaid);
        };
        let began_at = facts.answered_at.or_else(|| answered(&facts));
        let answered_at = *facts.answered_at.insert(began_at.unwrap_or(at));
        // Who begins to pay late pays for what was before, too.
        let gone_s = u32::try_from(at.ms_since(answered_at) / 1_000).unwrap_or(u32::MAX);
        // A leg that rings outside may be answered at any moment.
        let from = at.max(answered_at);
        for outbound in &mut facts.outbound {
            outbound.answered_at.get_or_insert(from);
        }
        let paid = charging.map(|(_, amount, seconds)| (amount, seconds));
        let paid_s = self.paid_s(call, &mut facts, &found, paid).await?;
        let gone_s = paid_s.max(gone_s);
        let seconds = gone_s.saturating_add(found.slice_s);
        let account = found.account;
        let slice = self.until(call, &mut facts, &found, seconds).await?;
        let amount = match slice {
            Ok(amount) => amount,
            Err(reason) => return Ok(Quote::Unpriced { account, reason }),
        };
        let most = self.spendable(account, call);
        let (seconds, amount) = if amount > most {
            let shorter = self.shorter(call, &mut facts, &found, gone_s, most).await?;
            // Where nothing is left, the account refuses the whole slice.
            shorter.unwrap_or((seconds, amount))
        } else {
            (seconds, amount)
        };
        Ok(Quote::Prepaid {
            account,
            amount,
            seconds,
        })
    }

    /// The seconds that are paid already: none where what was reserved for them does not
    /// cover them any more, since another leg goes out or the price is another now.
    async fn paid_s(
        &self,
        call: CallId,
        facts: &mut Facts,
        found: &Found,
        paid: Option<(Decimal, u32)>,
    ) -> Result<u32, DispatchError> {
        let Some((reserved, seconds)) = paid else {
            return Ok(0);
        };
        let cost = self.until(call, facts, found, seconds).await?;
        let is_covered = cost.is_ok_and(|cost| cost <= reserved);
        Ok(if is_covered { seconds } else { 0 })
    }

    /// What the call may cost at most: what the account has, and what is kept for
    /// the call already.
    fn spendable(&self, account: AccountId, call: CallId) -> Decimal {
        self.books.read(|books| {
            let account = books.account(account);
            let kept = account.and_then(|account| account.reserved.get(&call).copied());
            let left = account.and_then(Account::available);
            left.unwrap_or_default() + kept.unwrap_or_default()
        })
    }

    /// The longest talk that this much pays for, and what it costs: more than is
    /// gone already and less than a slice more. None where there is none.
    async fn shorter(
        &self,
        call: CallId,
        facts: &mut Facts,
        found: &Found,
        gone_s: u32,
        most: Decimal,
    ) -> Result<Option<(u32, Decimal)>, DispatchError> {
        let (mut enough, mut too_long) = (gone_s, gone_s.saturating_add(found.slice_s));
        let mut best = None;
        while too_long.saturating_sub(enough) > 1 {
            let seconds = enough.midpoint(too_long);
            match self.until(call, facts, found, seconds).await? {
                Ok(amount) if amount <= most => {
                    enough = seconds;
                    best = Some((seconds, amount));
                }
                Ok(_) => too_long = seconds,
                Err(_) => return Ok(None),
            }
        }
        Ok(best)
    }

    /// What an answered call costs after so many seconds, with tax.
    async fn until(
        &self,
        call: CallId,
        facts: &mut Facts,
        found: &Found,
        seconds: u32,
    ) -> Result<Result<Decimal, UnratedReason>, DispatchError> {
        let length_ms = u64::from(seconds) * 1_000;
        facts.ended_at = facts.answered_at.map(|at| at.plus_ms(length_ms));
        let decks = facts.answered_at.map_or(Decks::Newest, Decks::At);
        let priced = self.price(call, facts, found, &Cover::All, decks).await?;
        Ok(priced.map(|bill| bill.commits.unwrap_or_default()))
    }

    /// What a stream comes to.
    async fn folded<D: Decider<State = D> + Default>(
        &self,
        id: impl std::fmt::Display,
    ) -> Result<D, DispatchError> {
        let stream = StreamId::new(D::CATEGORY, id);
        let recorded = self.log.read_stream(&stream, 0).await.map_err(fault)?;
        recorded.iter().try_fold(D::default(), |state, recorded| {
            let (at, event) = read(recorded)?;
            Ok(D::evolve(state, at, &event))
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

    /// The plan, or where it says nothing of what was used, the first later version of it
    /// that does: a use that nobody could price waits for one.
    fn naming(&self, plan: &Arc<PlanEntry>, kinds: &[UsageType]) -> Arc<PlanEntry> {
        self.books.read(|books| books.plan_naming(plan, kinds))
    }

    async fn price(
        &self,
        call: CallId,
        facts: &Facts,
        found: &Found,
        cover: &Cover,
        decks: Decks,
    ) -> Result<Result<Bill, UnratedReason>, DispatchError> {
        let Some(ended_at) = facts.ended_at else {
            return Err(DispatchError::Corrupt(format!("{call} has not ended")));
        };
        let Some(plan) = &found.plan else {
            return Ok(Err(UnratedReason::NoPlan));
        };
        // Whoever calls for help is never charged.
        let is_free = self.is_for_help(facts);
        let parts = match facts.parts(&found.profile, ended_at) {
            Ok(parts) if !is_free => parts,
            Ok(_) => vec![],
            Err(reason) => return Ok(Err(reason)),
        };
        let kinds: Vec<_> = parts.iter().map(|part| part.usage_type).collect();
        let plan = self.naming(plan, &kinds);
        let tables = self.tables_of(&plan.config, kinds.into_iter(), decks);
        let tables = tables.await?;
        let mut payer = found.payer(&plan);
        // What credit covers is looked for also where there is no limit any more.
        payer.is_limited |= matches!(cover, Cover::Credit { .. });
        let mut charged =
            cover.charge(parts, |parts| price(call, &payer, &tables, parts, ended_at));
        if let Ok(bill) = &mut charged
            && !found.is_limited
        {
            (bill.commits, bill.own) = (None, None);
        }
        Ok(charged)
    }
}

/// When somebody answered first.
fn answered(facts: &Facts) -> Option<Timestamp> {
    let outside = facts.outbound.iter().map(|outbound| outbound.answered_at);
    outside.chain([facts.answered_at]).flatten().min()
}

/// The bill of a call that needs no price.
fn nothing(found: &Found, ended_at: Timestamp) -> Bill {
    Bill {
        account: found.account,
        period: Period::of(found.profile.zone.date_of(ended_at)),
        records: vec![],
        commits: None,
        own: None,
    }
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
