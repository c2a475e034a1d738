//! The read side: what a person or a client reads, folded from the one ordered
//! feed of events.
//!
//! Each view is a folder of the same files: `row` (what the reader wants),
//! `apply` (pure: row and fact give row), `store` (the queries that the API
//! needs) and `tests`. The runner folds, writes rows and checkpoint in one
//! transaction, and tells subscribers.
//!
//! It knows the domain and the ports; it must not know GraphQL, SIP or any
//! store. Start reading at [`projection`], then `live_calls`, then [`runner`].

pub mod agent_states;
mod cache;
pub mod caller;
pub mod calls;
pub mod cdr;
pub mod changed;
mod lane;
pub mod live_calls;
pub mod page;
pub mod projection;
pub mod queue_stats;
pub mod rebuild;
mod registry;
pub mod runner;
mod source;
mod table;
pub mod timeline;
pub mod trunks;
mod value;
pub mod views;
