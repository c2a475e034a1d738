//! The sum over the aggregates of billing.

use super::{
    DeckVersionId, SeriesId, UsageId, account, credit_note, deck, invoice, plan, rating, seller,
    series, usage,
};
use crate::{
    any::{DecodeError, read_event},
    decider::{Decider, Event as _},
    id::{AccountId, CallId, CreditNoteId, InvoiceId, PlanId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A command and the aggregate that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// For the seller.
    Seller(TenantId, seller::Command),
    /// For an account.
    Account(AccountId, account::Command),
    /// For a plan.
    Plan(PlanId, plan::Command),
    /// For one version of a deck.
    Deck(DeckVersionId, deck::Command),
    /// For the rating of a call.
    Rating(CallId, rating::Command),
    /// For the usage of a month.
    Usage(UsageId, usage::Command),
    /// For an invoice.
    Invoice(InvoiceId, invoice::Command),
    /// For a credit note.
    CreditNote(CreditNoteId, credit_note::Command),
    /// For a series of numbers.
    Series(SeriesId, series::Command),
}

/// An event and the aggregate that it happened to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// To the seller.
    Seller(TenantId, seller::Event),
    /// To an account.
    Account(AccountId, account::Event),
    /// To a plan.
    Plan(PlanId, plan::Event),
    /// To one version of a deck.
    Deck(DeckVersionId, deck::Event),
    /// To the rating of a call.
    Rating(CallId, rating::Event),
    /// To the usage of a month.
    Usage(UsageId, usage::Event),
    /// To an invoice.
    Invoice(InvoiceId, invoice::Event),
    /// To a credit note.
    CreditNote(CreditNoteId, credit_note::Event),
    /// To a series of numbers.
    Series(SeriesId, series::Event),
}

impl Command {
    /// Category and key of the stream that decides it.
    pub fn target(&self) -> (&'static str, String) {
        match self {
            Self::Seller(id, _) => (seller::Seller::CATEGORY, id.to_string()),
            Self::Account(id, _) => (account::Account::CATEGORY, id.to_string()),
            Self::Plan(id, _) => (plan::Plan::CATEGORY, id.to_string()),
            Self::Deck(id, _) => (deck::Deck::CATEGORY, id.to_string()),
            Self::Rating(id, _) => (rating::Rating::CATEGORY, id.to_string()),
            Self::Usage(id, _) => (usage::Usage::CATEGORY, id.to_string()),
            Self::Invoice(id, _) => (invoice::Invoice::CATEGORY, id.to_string()),
            Self::CreditNote(id, _) => (credit_note::CreditNote::CATEGORY, id.to_string()),
            Self::Series(id, _) => (series::Series::CATEGORY, id.to_string()),
        }
    }

    /// The call that it is about.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Rating(call, _) => Some(*call),
            Self::Account(
                _,
                account::Command::ReserveCredit { call, .. }
                | account::Command::ReleaseCredit { call }
                | account::Command::CommitUsage {
                    call,
                    is_use: false,
                    ..
                },
            ) => Some(*call),
            Self::Usage(_, usage::Command::Record { cdr, .. }) => Some(*cdr),
            Self::Usage(
                _,
                usage::Command::Close { .. }
                | usage::Command::Reopen
                | usage::Command::Count { .. },
            )
            | Self::Seller(..)
            | Self::Account(..)
            | Self::Plan(..)
            | Self::Deck(..)
            | Self::Invoice(..)
            | Self::CreditNote(..)
            | Self::Series(..) => None,
        }
    }
}

/// Categories of the streams of billing: what is in them is money, and for those only who
/// may see it.
pub const CATEGORIES: [&str; 9] = [
    seller::Seller::CATEGORY,
    account::Account::CATEGORY,
    plan::Plan::CATEGORY,
    deck::Deck::CATEGORY,
    rating::Rating::CATEGORY,
    usage::Usage::CATEGORY,
    invoice::Invoice::CATEGORY,
    credit_note::CreditNote::CATEGORY,
    series::Series::CATEGORY,
];

impl Event {
    /// Wire name.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Seller(_, event) => event.event_type(),
            Self::Account(_, event) => event.event_type(),
            Self::Plan(_, event) => event.event_type(),
            Self::Deck(_, event) => event.event_type(),
            Self::Rating(_, event) => event.event_type(),
            Self::Usage(_, event) => event.event_type(),
            Self::Invoice(_, event) => event.event_type(),
            Self::CreditNote(_, event) => event.event_type(),
            Self::Series(_, event) => event.event_type(),
        }
    }

    /// Category of the stream that it is in.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Seller(..) => seller::Seller::CATEGORY,
            Self::Account(..) => account::Account::CATEGORY,
            Self::Plan(..) => plan::Plan::CATEGORY,
            Self::Deck(..) => deck::Deck::CATEGORY,
            Self::Rating(..) => rating::Rating::CATEGORY,
            Self::Usage(..) => usage::Usage::CATEGORY,
            Self::Invoice(..) => invoice::Invoice::CATEGORY,
            Self::CreditNote(..) => credit_note::CreditNote::CATEGORY,
            Self::Series(..) => series::Series::CATEGORY,
        }
    }

    /// The call that it is about.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Rating(call, _) => Some(*call),
            Self::Account(
                _,
                account::Event::CreditReserved { call, .. }
                | account::Event::CreditReleased { call }
                | account::Event::UsageCommitted {
                    call,
                    is_use: false,
                    ..
                },
            ) => Some(*call),
            Self::Usage(
                _,
                usage::Event::Recorded { record }
                | usage::Event::Reversed { record, .. }
                | usage::Event::Adjusted { record, .. },
            ) if record.counted.is_none() => Some(record.cdr),
            Self::Usage(_, usage::Event::Valued { cdr, .. }) => Some(*cdr),
            Self::Usage(..)
            | Self::Seller(..)
            | Self::Account(..)
            | Self::Plan(..)
            | Self::Deck(..)
            | Self::Invoice(..)
            | Self::CreditNote(..)
            | Self::Series(..) => None,
        }
    }

    /// The event as JSON, `{"<name>": {..}}`; null for one that JSON can not
    /// hold, which there is none of.
    pub fn to_json(&self) -> serde_json::Value {
        let json = match self {
            Self::Seller(_, event) => serde_json::to_value(event),
            Self::Account(_, event) => serde_json::to_value(event),
            Self::Plan(_, event) => serde_json::to_value(event),
            Self::Deck(_, event) => serde_json::to_value(event),
            Self::Rating(_, event) => serde_json::to_value(event),
            Self::Usage(_, event) => serde_json::to_value(event),
            Self::Invoice(_, event) => serde_json::to_value(event),
            Self::CreditNote(_, event) => serde_json::to_value(event),
            Self::Series(_, event) => serde_json::to_value(event),
        };
        json.unwrap_or_default()
    }

    /// Reads a stored event of billing back; none when the category is of
    /// something else.
    pub(crate) fn decode(
        category: &str,
        key: &str,
        event_type: &str,
        version: u32,
        payload: &str,
    ) -> Option<Result<(Timestamp, Self), DecodeError>> {
        let stored = Stored {
            key,
            event_type,
            version,
            payload,
        };
        Some(match category {
            seller::Seller::CATEGORY => stored.read(Self::Seller),
            account::Account::CATEGORY => stored.read(Self::Account),
            plan::Plan::CATEGORY => stored.read(Self::Plan),
            deck::Deck::CATEGORY => stored.read(Self::Deck),
            rating::Rating::CATEGORY => stored.read(Self::Rating),
            usage::Usage::CATEGORY => stored.read(Self::Usage),
            invoice::Invoice::CATEGORY => stored.read(Self::Invoice),
            credit_note::CreditNote::CATEGORY => stored.read(Self::CreditNote),
            series::Series::CATEGORY => stored.read(Self::Series),
            _ => return None,
        })
    }
}

struct Stored<'a> {
    key: &'a str,
    event_type: &'a str,
    version: u32,
    payload: &'a str,
}

impl Stored<'_> {
    fn read<I: std::str::FromStr, E: crate::decider::Event>(
        &self,
        wrap: fn(I, E) -> Event,
    ) -> Result<(Timestamp, Event), DecodeError> {
        let id = self
            .key
            .parse()
            .map_err(|_| DecodeError::InvalidKey(self.key.into()))?;
        let (at, event) = read_event(self.event_type, self.version, self.payload)?;
        Ok((at, wrap(id, event)))
    }
}
