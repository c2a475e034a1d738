//! The list of projections: one line each, in the order of
//! [`crate::changed::View::ALL`].

use crate::{
    agent_log::AgentLog,
    agent_states::AgentStates,
    billing::{
        accounts::Accounts, charges::Charges, decks::Decks, invoices::Invoices, plans::Plans,
        usage::UsageRecords,
    },
    callbacks::Callbacks,
    cdr::Cdr,
    changed::View,
    erasures::Erasures,
    live_calls::LiveCalls,
    mailboxes::Mailboxes,
    projection::Projection as _,
    queue_slots::QueueSlots,
    queue_stats::QueueStats,
    refusals::RefusalSums,
    schedules::Schedules,
    slot::{Generation, Part, Slot},
    staff::Staff,
    table::Table,
    timeline::Timeline,
    trunks::Trunks,
    visits::Visits,
    voicemails::Voicemails,
};

/// A slot for these rows of the view's projection.
pub(crate) fn slot(view: View, generation: Generation) -> Box<dyn Part> {
    match view {
        View::Timeline => Box::new(Slot::<Timeline>::new(generation)),
        View::LiveCalls => Box::new(Slot::<LiveCalls>::new(generation)),
        View::AgentStates => Box::new(Slot::<AgentStates>::new(generation)),
        View::Erasures => Box::new(Slot::<Erasures>::new(generation)),
        View::QueueStats => Box::new(Slot::<QueueStats>::new(generation)),
        View::Cdr => Box::new(Slot::<Cdr>::new(generation)),
        View::Trunks => Box::new(Slot::<Trunks>::new(generation)),
        View::Accounts => Box::new(Slot::<Accounts>::new(generation)),
        View::Plans => Box::new(Slot::<Plans>::new(generation)),
        View::Decks => Box::new(Slot::<Decks>::new(generation)),
        View::Charges => Box::new(Slot::<Charges>::new(generation)),
        View::Usage => Box::new(Slot::<UsageRecords>::new(generation)),
        View::Invoices => Box::new(Slot::<Invoices>::new(generation)),
        View::Visits => Box::new(Slot::<Visits>::new(generation)),
        View::AgentLog => Box::new(Slot::<AgentLog>::new(generation)),
        View::Staff => Box::new(Slot::<Staff>::new(generation)),
        View::Callbacks => Box::new(Slot::<Callbacks>::new(generation)),
        View::Mailboxes => Box::new(Slot::<Mailboxes>::new(generation)),
        View::Voicemails => Box::new(Slot::<Voicemails>::new(generation)),
        View::RefusalSums => Box::new(Slot::<RefusalSums>::new(generation)),
        View::QueueSlots => Box::new(Slot::<QueueSlots>::new(generation)),
        View::Schedules => Box::new(Slot::<Schedules>::new(generation)),
    }
}

/// The tables of a view.
pub(crate) const fn tables_of(view: View) -> &'static [Table] {
    match view {
        View::Timeline => Timeline::TABLES,
        View::LiveCalls => LiveCalls::TABLES,
        View::AgentStates => AgentStates::TABLES,
        View::QueueStats => QueueStats::TABLES,
        View::Cdr => Cdr::TABLES,
        View::Erasures => Erasures::TABLES,
        View::Trunks => Trunks::TABLES,
        View::Accounts => Accounts::TABLES,
        View::Plans => Plans::TABLES,
        View::Decks => Decks::TABLES,
        View::Charges => Charges::TABLES,
        View::Usage => UsageRecords::TABLES,
        View::Invoices => Invoices::TABLES,
        View::Visits => Visits::TABLES,
        View::AgentLog => AgentLog::TABLES,
        View::Staff => Staff::TABLES,
        View::Callbacks => Callbacks::TABLES,
        View::Mailboxes => Mailboxes::TABLES,
        View::Voicemails => Voicemails::TABLES,
        View::RefusalSums => RefusalSums::TABLES,
        View::QueueSlots => QueueSlots::TABLES,
        View::Schedules => Schedules::TABLES,
    }
}

/// Every table of the read models, each with the column that finds a row: whoever
/// compares two databases forgets none.
pub fn tables() -> Vec<(&'static str, &'static str)> {
    let tables = View::ALL.iter().flat_map(|view| tables_of(*view));
    tables.map(|table| (table.name, table.key)).collect()
}
