//! What accounts, plans and decks say now, for the rater, the invoice run and
//! whoever takes a call.

mod owned;

use self::owned::{Owned, Owning, Thing, normal, things_of};
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        DeckVersionId, Event, UsageId, UsageType,
        account::{self, Account, Profile, Status},
        deck, invoice, plan,
        rating::Facts,
        seller, usage,
    },
    calendar::Period,
    cause::EndReason,
    decider::Decider,
    id::{AccountId, DeckId, InvoiceId, PlanId},
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// A plan in one of its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// Its id.
    pub id: PlanId,
    /// Its name.
    pub name: String,
    /// Counts its changes.
    pub config_version: u32,
    /// When it was published: it counts from then on, the first one also before.
    pub published_at: Timestamp,
    /// What it says.
    pub config: plan::Config,
}

/// The books.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    seller: Option<Arc<seller::Config>>,
    /// Counts what was said of it.
    seller_version: u32,
    accounts: BTreeMap<AccountId, Account>,
    /// The first by id pays, should two accounts own one thing.
    owned: Owned,
    /// All versions of each plan, in their order.
    plans: HashMap<PlanId, Vec<Arc<PlanEntry>>>,
    /// Published versions of each deck that are not retired, and when they were published.
    decks: HashMap<DeckId, BTreeMap<u32, Timestamp>>,
    /// Invoices of each account that are drafted and not owed yet, and whether they are
    /// approved.
    drafts: BTreeMap<AccountId, BTreeMap<Period, bool>>,
    /// Whose they are, of those that are not approved.
    unapproved: HashMap<InvoiceId, UsageId>,
    /// Kinds of usage that a closed month charged for as a whole, and not what its
    /// records come to.
    settled: BTreeMap<AccountId, BTreeMap<Period, Settled>>,
    /// Months that were closed and are open again, or were, and how often: each time their
    /// draft was discarded.
    reopened: BTreeMap<AccountId, BTreeMap<Period, u32>>,
    /// Drafts that are discarded, and whose account is not free for another one yet.
    discarding: BTreeSet<InvoiceId>,
}

/// A closed month that charged for kinds of usage as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// Which.
    pub(crate) kinds: BTreeSet<UsageType>,
    /// Position of the event that closed it: it may be opened and closed again.
    pub(crate) position: u64,
}

impl Books {
    /// The seller, once it is described.
    pub fn seller(&self) -> Option<Arc<seller::Config>> {
        self.seller.clone()
    }

    /// How often the seller was described.
    pub const fn seller_version(&self) -> u32 {
        self.seller_version
    }

    /// An account with its ledger.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.iter().map(|(id, account)| (*id, account))
    }

    /// There is somebody to pay.
    pub fn has_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// A plan in the version that was in force at an instant: the last one that was
    /// published until then, or the first one, which counts also before it was.
    pub fn plan(&self, id: PlanId, at: Timestamp) -> Option<Arc<PlanEntry>> {
        let versions = self.plans.get(&id)?;
        plan::in_force(versions.iter(), |version| version.published_at, at).cloned()
    }

    /// That plan, or the first later version of it that names all these kinds of usage:
    /// until then nobody said what they cost.
    pub(crate) fn plan_naming(&self, plan: &Arc<PlanEntry>, kinds: &[UsageType]) -> Arc<PlanEntry> {
        let names_all = |version: &&Arc<PlanEntry>| {
            let mut kinds = kinds.iter();
            version.config_version >= plan.config_version
                && kinds.all(|kind| version.config.terms.contains_key(kind))
        };
        let mut versions = self.plans.get(&plan.id).into_iter().flatten();
        versions.find(names_all).unwrap_or(plan).clone()
    }

    /// The newest published version of a deck.
    pub fn newest(&self, deck: DeckId) -> Option<DeckVersionId> {
        let (&version, _) = self.decks.get(&deck)?.last_key_value()?;
        Some(DeckVersionId { deck, version })
    }

    /// The version of a deck that prices what was answered then: the newest that was
    /// published, or the first where there was none yet.
    pub fn deck_at(&self, deck: DeckId, at: Timestamp) -> Option<DeckVersionId> {
        let versions = self.decks.get(&deck)?;
        let (&version, _) = plan::in_force(versions.iter(), |(_, published)| **published, at)?;
        Some(DeckVersionId { deck, version })
    }

    /// Nothing ever stops or charges a call to that number.
    pub fn is_emergency(&self, number: &str) -> bool {
        let number = normal(number);
        self.seller.as_ref().is_some_and(|seller| {
            let known = seller.emergency_numbers.iter();
            known
                .map(|known| normal(known))
                .any(|known| known == number)
        })
    }

    /// A call for help: to such a number, or sent on to one.
    pub fn is_for_help(&self, facts: &Facts) -> bool {
        facts.numbers().any(|number| self.is_emergency(number))
    }

    /// Who pays for a call, all its legs: whoever owned the dialled number when it was
    /// answered, or else the queue, the agent, the trunk that it came in by, or one that it
    /// went out by. Without an instant, whoever owns it now.
    pub fn payer(&self, facts: &Facts, at: Option<Timestamp>) -> Option<AccountId> {
        let owner = |thing: Thing| self.owner(&thing, at);
        let number = facts.dialled.as_ref();
        number
            .and_then(|number| owner(Thing::Number(normal(number))))
            .or_else(|| facts.queue.and_then(|queue| owner(Thing::Queue(queue))))
            .or_else(|| facts.agent.and_then(|agent| owner(Thing::Agent(agent))))
            .or_else(|| facts.trunk.and_then(|trunk| owner(Thing::Trunk(trunk))))
            .or_else(|| {
                let outbound = facts.outbound.iter();
                let mut trunks = outbound.filter_map(|outbound| outbound.trunk);
                trunks.find_map(|trunk| owner(Thing::Trunk(trunk)))
            })
    }

    /// Whether a number was a toll-free one of that account then.
    pub(crate) fn is_toll_free(&self, number: &str, account: AccountId, at: Timestamp) -> bool {
        let thing = Thing::Number(normal(number));
        self.owned.is_toll_free(&thing, account, at)
    }

    /// Who pays for it: the first by id, where several own it that were not closed.
    fn owner(&self, thing: &Thing, at: Option<Timestamp>) -> Option<AccountId> {
        let owners = match at {
            Some(at) => self.owned.at(thing, at),
            None => self.owned.now(thing),
        };
        let open = owners.iter().find(|owner| !self.is_closed(**owner, at));
        open.or_else(|| owners.first()).copied()
    }

    /// Whether it was closed then; now, without an instant.
    fn is_closed(&self, account: AccountId, at: Option<Timestamp>) -> bool {
        let account = self.accounts.get(&account);
        let closed_at = account.and_then(|account| account.closed_at);
        closed_at.is_some_and(|closed_at| at.is_none_or(|at| closed_at <= at))
    }

    /// What of this profile another account owns already that is not closed: the field of
    /// the profile, what it is, and the name of the account.
    pub fn owned_by_another(
        &self,
        account: AccountId,
        profile: &Profile,
    ) -> Option<(&'static str, String, String)> {
        things_of(profile)
            .into_iter()
            .find_map(|Owning { thing, .. }| {
                let owners = self.owned.now(&thing);
                let mut others = owners.iter();
                let other =
                    others.find(|owner| **owner != account && !self.is_closed(**owner, None))?;
                let other = self.accounts.get(other)?;
                let (field, what) = match thing {
                    Thing::Number(number) => ("numbers", number),
                    Thing::Queue(id) => ("queueIds", id.to_string()),
                    Thing::Agent(id) => ("agentIds", id.to_string()),
                    Thing::Trunk(id) => ("trunkIds", id.to_string()),
                };
                Some((field, what, other.name.clone().unwrap_or_default()))
            })
    }

    /// Whether an approved draft of the month is not owed yet.
    pub(crate) fn has_drafts_of(&self, period: Period) -> bool {
        let mut drafts = self.drafts.values();
        drafts.any(|months| months.get(&period) == Some(&true))
    }

    /// Another month of the account whose draft waits for a person.
    pub(crate) fn waiting_beside(&self, usage: UsageId) -> Option<Period> {
        let mut months = self.drafts.get(&usage.account)?.iter();
        let other = months.find(|(period, is_approved)| !**is_approved && **period != usage.period);
        other.map(|(period, _)| *period)
    }

    /// Whether the draft of that month waits for a person.
    pub(crate) fn is_waiting(&self, usage: UsageId) -> bool {
        let months = self.drafts.get(&usage.account);
        months.and_then(|months| months.get(&usage.period)) == Some(&false)
    }

    /// Whether the draft is discarded, and its month can not be invoiced anew yet.
    pub fn is_discarding(&self, invoice: InvoiceId) -> bool {
        self.discarding.contains(&invoice)
    }

    /// How often a draft of that month was discarded, and the month opened again for it.
    pub(crate) fn reopened(&self, usage: UsageId) -> u32 {
        let months = self.reopened.get(&usage.account);
        let count = months.and_then(|months| months.get(&usage.period));
        count.copied().unwrap_or_default()
    }

    /// The closed months of an account, from that one on, that charged for kinds of
    /// usage as a whole, and for which.
    pub(crate) fn settled(&self, since: UsageId) -> Vec<(UsageId, Settled)> {
        let months = self.settled.get(&since.account);
        let months = months.map(|months| months.range(since.period..));
        let month = |(period, settled): (&Period, &Settled)| {
            let usage = UsageId {
                period: *period,
                ..since
            };
            (usage, settled.clone())
        };
        months.into_iter().flatten().map(month).collect()
    }

    /// Why a call can not even ring: its payer is suspended, or pays before and
    /// has nothing left.
    pub fn refusal(&self, facts: &Facts) -> Option<EndReason> {
        if self.is_for_help(facts) {
            return None;
        }
        let account = self.accounts.get(&self.payer(facts, None)?)?;
        match account.status {
            Status::Suspended(_) | Status::Closed => Some(EndReason::AccountSuspended),
            Status::Active if account.is_prepaid() => account
                .available()
                .is_some_and(|available| available <= Decimal::ZERO)
                .then_some(EndReason::NoCredit),
            Status::Active | Status::Unborn => None,
        }
    }

    /// Whether the event has changed anything.
    pub(crate) fn apply(&mut self, fact: &Fact) -> bool {
        let AnyEvent::Billing(event) = &fact.event else {
            return false;
        };
        match event {
            Event::Seller(
                _,
                seller::Event::Configured {
                    config,
                    config_version,
                },
            ) => {
                self.seller_version = *config_version;
                self.seller = Some(Arc::new(*config.clone()));
            }
            Event::Account(id, event) => self.on_account(*id, fact, event),
            Event::Plan(id, event) => self.on_plan(*id, fact.at, event),
            Event::Deck(id, deck::Event::Published { .. }) => {
                let versions = self.decks.entry(id.deck).or_default();
                versions.insert(id.version, fact.at);
            }
            Event::Deck(id, deck::Event::Retired {}) => {
                if let Some(versions) = self.decks.get_mut(&id.deck) {
                    versions.remove(&id.version);
                }
            }
            Event::Invoice(id, invoice::Event::Drafted { head, .. }) => {
                let (account, period) = (head.account, head.period);
                let drafts = self.drafts.entry(account).or_default();
                drafts.insert(period, head.is_approved);
                if !head.is_approved {
                    self.unapproved.insert(*id, UsageId { account, period });
                }
            }
            Event::Invoice(id, invoice::Event::Discarded { .. }) => {
                self.discarding.insert(*id);
            }
            Event::Invoice(id, invoice::Event::Approved { .. }) => {
                if let Some(usage) = self.unapproved.remove(id) {
                    let drafts = self.drafts.entry(usage.account).or_default();
                    drafts.insert(usage.period, true);
                }
            }
            Event::Usage(id, usage::Event::PeriodClosed { totals, .. }) => {
                let settled = totals.iter().filter(|total| !total.is_by_record());
                let kinds: BTreeSet<_> = settled.map(|total| total.usage_type).collect();
                if kinds.is_empty() {
                    return false;
                }
                let months = self.settled.entry(id.account).or_default();
                let position = fact.position;
                months.insert(id.period, Settled { kinds, position });
            }
            Event::Usage(id, usage::Event::Reopened {}) => self.on_reopened(*id),
            Event::Deck(_, deck::Event::Opened { .. } | deck::Event::RowsAdded { .. })
            | Event::Rating(..)
            | Event::Usage(..)
            | Event::Invoice(..)
            | Event::CreditNote(..)
            | Event::Series(..) => return false,
        }
        true
    }

    fn on_plan(&mut self, id: PlanId, at: Timestamp, event: &plan::Event) {
        let versions = self.plans.entry(id).or_default();
        let known = versions.first().map(|plan| plan.name.clone());
        let (name, config_version, config) = match event {
            plan::Event::Created { name, config } => (Some(name.clone()), 1, config),
            plan::Event::Configured {
                config_version,
                config,
            } => (known, *config_version, config),
        };
        if let Some(name) = name {
            versions.push(Arc::new(PlanEntry {
                id,
                name,
                config_version,
                published_at: at,
                config: config.clone(),
            }));
        }
    }

    /// Its draft is discarded; until the account is free for another one, it waits.
    fn on_reopened(&mut self, usage: UsageId) {
        let months = self.reopened.entry(usage.account).or_default();
        let count = months.entry(usage.period).or_default();
        *count = count.saturating_add(1);
        if let Some(months) = self.settled.get_mut(&usage.account) {
            months.remove(&usage.period);
        }
        // Earlier programs drafted without taking the account for it.
        let account = self.accounts.get(&usage.account);
        if account.is_some_and(|account| account.begun != Some(usage.period)) {
            self.drafted_no_more(usage);
        }
    }

    fn drafted_no_more(&mut self, usage: UsageId) {
        self.unapproved.remove(&usage.invoice());
        self.discarding.remove(&usage.invoice());
        if let Some(drafts) = self.drafts.get_mut(&usage.account) {
            drafts.remove(&usage.period);
            if drafts.is_empty() {
                self.drafts.remove(&usage.account);
            }
        }
    }

    fn on_account(&mut self, id: AccountId, fact: &Fact, event: &account::Event) {
        // The last of what makes an invoice, and of what discards a draft.
        if let account::Event::ChargePosted { period, .. }
        | account::Event::InvoiceDropped { period } = event
        {
            self.drafted_no_more(UsageId {
                account: id,
                period: *period,
            });
        }
        let account = self.accounts.remove(&id).unwrap_or_default();
        // Most events are about money, and change nothing of what is owned.
        if let account::Event::Opened { profile, .. } | account::Event::Configured { profile, .. } =
            event
        {
            let before = account.profile.as_ref().map_or_else(Vec::new, things_of);
            self.owned.change(id, fact.at, &before, &things_of(profile));
        }
        let account = Account::evolve(account, fact.at, event);
        self.accounts.insert(id, account);
    }
}
