//! The aggregates of billing in the world of the tests.

use super::world::{Streams, World, ask};
use domain::{
    any::AnyEvent,
    billing::{
        Command, DeckVersionId, Event, SeriesId, UsageId, account::Account,
        credit_note::CreditNote, deck::Deck, invoice::Invoice, plan::Plan, rating::Rating,
        seller::Seller, series::Series, usage::Usage,
    },
    id::{AccountId, CallId, CreditNoteId, InvoiceId, PlanId, TenantId},
};

/// Their streams.
#[derive(Default)]
pub(super) struct Books {
    sellers: Streams<TenantId, Seller>,
    accounts: Streams<AccountId, Account>,
    plans: Streams<PlanId, Plan>,
    decks: Streams<DeckVersionId, Deck>,
    ratings: Streams<CallId, Rating>,
    usages: Streams<UsageId, Usage>,
    invoices: Streams<InvoiceId, Invoice>,
    credit_notes: Streams<CreditNoteId, CreditNote>,
    series: Streams<SeriesId, Series>,
}

impl World {
    pub(super) fn ask_billing(&mut self, command: Command) -> Vec<AnyEvent> {
        let at = self.now;
        match command {
            Command::Seller(id, command) => {
                let (before, events) = ask::<_, Seller>(&mut self.books.sellers, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Seller(id, event));
                self.record::<Seller, _>(id, before, events, wrap)
            }
            Command::Account(id, command) => {
                let (before, events) = ask::<_, Account>(&mut self.books.accounts, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Account(id, event));
                self.record::<Account, _>(id, before, events, wrap)
            }
            Command::Plan(id, command) => {
                let (before, events) = ask::<_, Plan>(&mut self.books.plans, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Plan(id, event));
                self.record::<Plan, _>(id, before, events, wrap)
            }
            Command::Deck(id, command) => {
                let (before, events) = ask::<_, Deck>(&mut self.books.decks, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Deck(id, event));
                self.record::<Deck, _>(id, before, events, wrap)
            }
            Command::Rating(id, command) => {
                let (before, events) = ask::<_, Rating>(&mut self.books.ratings, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Rating(id, event));
                self.record::<Rating, _>(id, before, events, wrap)
            }
            Command::Usage(id, command) => {
                let (before, events) = ask::<_, Usage>(&mut self.books.usages, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Usage(id, event));
                self.record::<Usage, _>(id, before, events, wrap)
            }
            Command::Invoice(id, command) => {
                let (before, events) = ask::<_, Invoice>(&mut self.books.invoices, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Invoice(id, event));
                self.record::<Invoice, _>(id, before, events, wrap)
            }
            Command::CreditNote(id, command) => {
                let (before, events) =
                    ask::<_, CreditNote>(&mut self.books.credit_notes, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::CreditNote(id, event));
                self.record::<CreditNote, _>(id, before, events, wrap)
            }
            Command::Series(id, command) => {
                let (before, events) = ask::<_, Series>(&mut self.books.series, id, at, command);
                let wrap = |event| AnyEvent::Billing(Event::Series(id, event));
                self.record::<Series, _>(id, before, events, wrap)
            }
        }
    }
}
