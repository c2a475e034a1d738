//! The store for several nodes: one PostgreSQL database with the log in the
//! schema `public`, the read models in `read_models`, and data keys and
//! credentials in `secrets`. Appends go through one server-side function, one
//! call and one commit a batch.

mod batch;
mod connect;
mod event_log;
mod hold;
mod keys;
mod listen;
mod members;
mod migrate;
mod next;
mod numeric;
mod read_store;
mod row;
mod secrets;
mod statement;
mod writer;

pub use event_log::PostgresLog;
pub(crate) use event_log::READERS_MAX;
pub use read_store::PostgresReadStore;
pub use secrets::PostgresSecrets;

pub(crate) use connect::Database;
pub(crate) use hold::{Hold, Holder};
pub(crate) use keys::PostgresKeys;
pub(crate) use members::{KEEPERS_MAX, Members};

/// Why the database did not do it, in words for a message: without the
/// statement and without the address.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(refusal) => refusal.message().to_owned(),
        None => error.to_string(),
    }
}

pub(crate) fn unavailable(error: sqlx::Error) -> commands::ports::StoreError {
    commands::ports::StoreError::Unavailable(reason(&error))
}
