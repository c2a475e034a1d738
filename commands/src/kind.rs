//! Which decider an aggregate's id belongs to.

use crate::{actor::Shared, error::DispatchError};
use domain::{
    agent::Agent,
    any::AnyEvent,
    billing::{
        self, DeckVersionId, SeriesId, UsageId, account::Account, credit_note::CreditNote,
        deck::Deck, invoice::Invoice, plan::Plan, rating::Rating, seller::Seller, series::Series,
        usage::Usage,
    },
    call::Call,
    callback::Callback,
    decider::Decider,
    device::Device,
    id::{
        AccountId, AgentId, CallId, CallbackId, CreditNoteId, InvoiceId, MailboxId, PlanId,
        QueueId, RefusalsId, SessionId, SubjectId, TenantId, TrunkId,
    },
    line::Line,
    mailbox::Mailbox,
    person::Person,
    queue::Queue,
    refusals::Refusals,
    schedule::Schedule,
    session::Session,
    time::Timestamp,
    trunk::Trunk,
};
use std::{fmt, hash::Hash};

/// A decider with the id of its streams.
pub(crate) trait Kind: Decider + Send + Sync {
    /// Names one stream of the category.
    type Id: Copy + Eq + Hash + fmt::Display + fmt::Debug + Send + Sync + 'static;
    /// A snapshot is written after so many events; 0 for streams that end, or
    /// that only a person changes: they are read from their first event.
    const SNAPSHOT_EVERY: u64;
    /// Beyond so many in memory at once, one that is idle leaves it soon: for kinds of
    /// which a batch (an invoice run, the rating of what waited) touches more than memory
    /// should hold. What routes a call is always kept; its rating and
    /// its account are read again with the next slice.
    const KEPT_MAX: usize = usize::MAX;
    /// Little more is to come for it: it leaves memory soon, not when it has been
    /// idle for long.
    fn is_over(state: &Self::State) -> bool {
        let _ = state;
        false
    }
    /// Fills in what the decision needs and the aggregate can not know.
    fn prepare(
        shared: &Shared,
        id: Self::Id,
        state: &Self::State,
        command: Self::Command,
        at: Timestamp,
    ) -> impl Future<Output = Result<Self::Command, DispatchError>> + Send {
        let _ = (shared, id, state, at);
        std::future::ready(Ok(command))
    }
    /// Wraps an event into the sum of all.
    fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent;
}

/// Of each kind of billing: twice what an invoice run works on at once.
const BOOKS_KEPT_MAX: usize = 2 * crate::invoice_run::AT_ONCE;

macro_rules! kinds {
    ($($decider:ident $id:ident $snapshot_every:literal),+ $(,)?) => {$(
        impl Kind for $decider {
            type Id = $id;
            const SNAPSHOT_EVERY: u64 = $snapshot_every;
            fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent {
                AnyEvent::$decider(id, event)
            }
        }
    )+};
}

macro_rules! billing_kinds {
    ($($decider:ident $id:ident $snapshot_every:literal),+ $(,)?) => {$(
        impl Kind for $decider {
            type Id = $id;
            const SNAPSHOT_EVERY: u64 = $snapshot_every;
            const KEPT_MAX: usize = BOOKS_KEPT_MAX;
            fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent {
                AnyEvent::Billing(billing::Event::$decider(id, event))
            }
        }
    )+};
}

billing_kinds! {
    Seller TenantId 0,
    Account AccountId 256,
    Plan PlanId 0,
    Deck DeckVersionId 0,
    Invoice InvoiceId 0,
    CreditNote CreditNoteId 0,
    Series SeriesId 4096,
}

impl Kind for Usage {
    type Id = UsageId;
    const SNAPSHOT_EVERY: u64 = 0;
    const KEPT_MAX: usize = BOOKS_KEPT_MAX;

    /// A month that is closed: an invoice run closes those of all accounts, and
    /// their records together are more than memory should hold.
    fn is_over(state: &Self) -> bool {
        state.is_closed
    }

    fn wrap(id: UsageId, event: billing::usage::Event) -> AnyEvent {
        AnyEvent::Billing(billing::Event::Usage(id, event))
    }
}

impl Kind for Rating {
    type Id = CallId;
    const SNAPSHOT_EVERY: u64 = 0;
    const KEPT_MAX: usize = BOOKS_KEPT_MAX;

    async fn prepare(
        shared: &Shared,
        id: CallId,
        state: &Self,
        command: billing::rating::Command,
        at: Timestamp,
    ) -> Result<billing::rating::Command, DispatchError> {
        match shared.rater.get() {
            Some(rater) => rater.complete(id, state, command, at).await,
            // Refused by the rules: nobody has said anything of the call.
            None => Ok(command),
        }
    }

    fn wrap(id: CallId, event: billing::rating::Event) -> AnyEvent {
        AnyEvent::Billing(billing::Event::Rating(id, event))
    }
}

kinds! {
    Call CallId 0,
    Session SessionId 256,
    Line QueueId 256,
    Queue QueueId 0,
    Person SubjectId 0,
    Refusals RefusalsId 0,
    Schedule AgentId 256,
    Agent AgentId 0,
    Device AgentId 256,
    Trunk TrunkId 0,
    Callback CallbackId 0,
    Mailbox MailboxId 256,
}
