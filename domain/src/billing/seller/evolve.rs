//! The state after an event. No rules here.

use super::{event::Event, state::Seller};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Seller, _at: Timestamp, event: &Event) -> Seller {
    match event {
        Event::Configured {
            config_version,
            config,
        } => {
            let is_yearly = config.is_yearly_series;
            let invoices = (config.invoice_prefix.clone(), is_yearly);
            state.invoice_prefixes.insert(invoices);
            let credit_notes = (config.credit_note_prefix.clone(), is_yearly);
            state.credit_note_prefixes.insert(credit_notes);
            state.config = Some(config.clone());
            state.config_version = *config_version;
        }
    }
    state
}
