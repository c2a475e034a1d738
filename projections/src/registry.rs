//! The list of projections: one line each, in the order of
//! [`crate::changed::View::ALL`].

use crate::{
    agent_states::AgentStates,
    billing::{
        accounts::Accounts, charges::Charges, decks::Decks, invoices::Invoices, plans::Plans,
        usage::UsageRecords,
    },
    cdr::Cdr,
    changed::View,
    live_calls::LiveCalls,
    queue_stats::QueueStats,
    slot::{Part, Slot},
    timeline::Timeline,
    trunks::Trunks,
};

/// A slot for the view's projection.
pub(crate) fn slot(view: View) -> Box<dyn Part> {
    match view {
        View::Timeline => Box::<Slot<Timeline>>::default(),
        View::LiveCalls => Box::<Slot<LiveCalls>>::default(),
        View::AgentStates => Box::<Slot<AgentStates>>::default(),
        View::QueueStats => Box::<Slot<QueueStats>>::default(),
        View::Cdr => Box::<Slot<Cdr>>::default(),
        View::Trunks => Box::<Slot<Trunks>>::default(),
        View::Accounts => Box::<Slot<Accounts>>::default(),
        View::Plans => Box::<Slot<Plans>>::default(),
        View::Decks => Box::<Slot<Decks>>::default(),
        View::Charges => Box::<Slot<Charges>>::default(),
        View::Usage => Box::<Slot<UsageRecords>>::default(),
        View::Invoices => Box::<Slot<Invoices>>::default(),
    }
}
