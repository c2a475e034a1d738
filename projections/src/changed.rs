//! What subscribers hear, after the rows are committed.

use crate::{
    agent_states, billing, callbacks, cdr, erasures, live_calls, mailboxes, queue_stats, timeline,
    trunks,
};
use commands::ports::Position;
use domain::id::{AgentId, CallId, CallbackId, MailboxId, QueueId, SubjectId, TrunkId};
use std::sync::Arc;

/// A read model, for whoever waits for it or asks how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// Every event, append-only.
    Timeline,
    /// Calls in progress.
    LiveCalls,
    /// Agents.
    AgentStates,
    /// People who were forgotten.
    Erasures,
    /// Queues.
    QueueStats,
    /// Records of ended calls.
    Cdr,
    /// Trunks.
    Trunks,
    /// Accounts.
    Accounts,
    /// Rate plans.
    Plans,
    /// Versions of rate decks.
    Decks,
    /// What each call costs.
    Charges,
    /// What each account used.
    Usage,
    /// Invoices.
    Invoices,
    /// Stays in queues.
    Visits,
    /// Changes of agents' states, append-only.
    AgentLog,
    /// Logins, and who serves which queues.
    Staff,
    /// Callbacks.
    Callbacks,
    /// Mailboxes.
    Mailboxes,
    /// Messages in mailboxes.
    Voicemails,
    /// Refused calls that have no record.
    RefusalSums,
    /// What happens in queues that no stay tells.
    QueueSlots,
    /// What was planned for agents.
    Schedules,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Timeline,
        Self::LiveCalls,
        Self::AgentStates,
        Self::Erasures,
        Self::QueueStats,
        Self::Cdr,
        Self::Trunks,
        Self::Accounts,
        Self::Plans,
        Self::Decks,
        Self::Charges,
        Self::Usage,
        Self::Invoices,
        Self::Visits,
        Self::AgentLog,
        Self::Staff,
        Self::Callbacks,
        Self::Mailboxes,
        Self::Voicemails,
        Self::RefusalSums,
        Self::QueueSlots,
        Self::Schedules,
    ];

    /// Its name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::LiveCalls => "live_calls",
            Self::AgentStates => "agent_states",
            Self::Erasures => "erasures",
            Self::QueueStats => "queue_stats",
            Self::Cdr => "cdr",
            Self::Trunks => "trunks",
            Self::Accounts => "billing_accounts",
            Self::Plans => "billing_plans",
            Self::Decks => "billing_decks",
            Self::Charges => "billing_charges",
            Self::Usage => "billing_usage",
            Self::Invoices => "billing_invoices",
            Self::Visits => "visits",
            Self::AgentLog => "agent_log",
            Self::Staff => "staff",
            Self::Callbacks => "callbacks",
            Self::Mailboxes => "mailboxes",
            Self::Voicemails => "voicemails",
            Self::RefusalSums => "refusal_sums",
            Self::QueueSlots => "queue_slots",
            Self::Schedules => "schedules",
        }
    }

    /// The view of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// Its place in [`View::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// One row that has changed; `None` means that it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An event was added.
    Timeline(u64, Option<Arc<timeline::Row>>),
    /// A call in progress came, changed or ended.
    LiveCall(CallId, Option<Arc<live_calls::Row>>),
    /// An agent.
    AgentState(AgentId, Option<Arc<agent_states::Row>>),
    /// A person was forgotten.
    Erasure(SubjectId, Option<Arc<erasures::Row>>),
    /// A queue.
    QueueStats(QueueId, Option<Arc<queue_stats::Row>>),
    /// A record was written or corrected. Only of ended calls.
    Cdr(CallId, Option<Arc<cdr::Row>>),
    /// A trunk.
    Trunk(TrunkId, Option<Arc<trunks::Row>>),
    /// A callback.
    Callback(CallbackId, Option<Arc<callbacks::Row>>),
    /// A mailbox.
    Mailbox(MailboxId, Option<Arc<mailboxes::Row>>),
    /// Something that is owed.
    Billing(billing::Changed),
}

impl Change {
    /// Where it belongs.
    pub const fn view(&self) -> View {
        match self {
            Self::Timeline(..) => View::Timeline,
            Self::LiveCall(..) => View::LiveCalls,
            Self::AgentState(..) => View::AgentStates,
            Self::Erasure(..) => View::Erasures,
            Self::QueueStats(..) => View::QueueStats,
            Self::Cdr(..) => View::Cdr,
            Self::Trunk(..) => View::Trunks,
            Self::Callback(..) => View::Callbacks,
            Self::Mailbox(..) => View::Mailboxes,
            Self::Billing(changed) => changed.view(),
        }
    }
}

/// What one commit changed: each row at most once, as it is after the commit.
/// Rows carry their own position, so that a subscriber who has read a snapshot
/// can drop what the snapshot has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The views that took part know every event up to here.
    pub position: Position,
    /// The rows, grouped by view, in the order of [`View::ALL`]. Empty when the
    /// subscriber came while the commit was made: the tables tell.
    pub rows: Vec<Change>,
}
