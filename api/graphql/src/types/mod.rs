//! What clients read: one file per noun.

mod agent;
mod billing;
mod board;
mod call;
mod cdr;
mod cdr_stats;
mod counters;
mod event;
mod invoice;
mod leg;
mod moment;
mod node;
mod projection;
mod queue;
mod timeline;
mod trunk;
mod viewer;
pub(crate) mod words;

pub(crate) use agent::Agent;
pub(crate) use billing::{Account, Charge, Deck, Plan, UsageRow};
pub(crate) use board::{Board, CallSnapshot};
pub(crate) use call::{Call, Caller};
pub(crate) use cdr::Cdr;
pub(crate) use cdr_stats::CdrStatRow;
pub(crate) use counters::QueueCounters;
pub(crate) use event::{EventRecord, Scan};
pub(crate) use invoice::Invoice;
pub(crate) use leg::Leg;
pub(crate) use moment::Moment;
pub(crate) use node::Node;
pub(crate) use projection::ProjectionStatus;
pub(crate) use queue::{Queue, QueueStats};
pub(crate) use timeline::TimelineItem;
pub(crate) use trunk::Trunk;
pub(crate) use viewer::Viewer;
