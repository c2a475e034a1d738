//! The list of projections: one line each, in the order of
//! [`crate::changed::View::ALL`].

use crate::{
    agent_states::AgentStates,
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
    }
}
