//! The read side: what people see, projected from the record.
//!
//! Each projection is a folder: `row` (the row as the reader wants it),
//! `apply` (pure: what an event does to it), `store` (its queries). The
//! [`runner`] folds the feed into rows and commits them with the checkpoint.
//!
//! It must not know: SIP, GraphQL, a database driver. Start at [`projection`],
//! then [`runner`]; whoever reads starts at [`views`].

pub mod agent_log;
pub mod agent_states;
pub mod billing;
mod build;
pub mod callbacks;
pub mod caller;
pub mod calls;
pub mod cdr;
pub mod changed;
mod checkpoint;
pub mod eraser;
pub mod erasures;
pub mod estimate;
mod followed;
pub mod live_calls;
pub mod mailboxes;
pub mod offline;
pub mod orders;
pub mod page;
pub mod past;
pub mod projection;
pub mod queue_slots;
pub mod queue_stats;
pub mod refusals;
mod registry;
pub mod report;
pub mod runner;
pub mod running;
pub mod schedules;
mod slot;
mod source;
pub mod staff;
mod standby;
mod standing;
mod switch;
pub mod table;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod trunks;
pub mod user_field;
pub mod value;
pub mod views;
pub mod visits;
pub mod voicemails;

pub use build::rebuild;
pub use registry::tables;
pub use runner::RunError;
pub use running::{Means, Running, start, start_on};
pub use standing::{Checkpoint, checkpoints};
