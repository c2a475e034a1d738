//! The write side: from a command to durable events, and the ordered feed of
//! them.
//!
//! It knows the domain and the ports; it must not know SIP, GraphQL or any
//! store. Start reading at [`gateway`], then [`actor`](self), [`writer`] and
//! [`feed`].

mod actor;
pub mod bookkeeping;
pub mod books;
pub mod caught_up;
mod clock;
pub mod credentials;
pub mod deck_import;
pub mod directory;
pub mod envelope;
pub mod error;
pub mod feed;
pub mod gateway;
pub mod group;
mod hosted;
pub mod invoice_run;
mod kind;
pub mod lanes;
pub mod outbox;
mod pool;
pub mod ports;
pub mod processes;
pub mod rater;
pub mod roster;
pub mod seen;
pub mod sessions;
mod snapshots;
pub mod sourced;
pub mod system;
pub mod tail;
mod tried_again;
pub mod writer;
