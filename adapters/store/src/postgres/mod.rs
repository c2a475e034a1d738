//! The store for several nodes: one PostgreSQL database with the log in the
//! schema `public`, the read models in `read_models`, and data keys and
//! credentials in `secrets`. Appends go through one server-side function, one
//! call and one commit a batch.

mod at_once;
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
mod pool;
mod read_store;
mod recordings;
mod row;
mod secrets;
mod statement;
mod writer;

pub use event_log::PostgresLog;
pub(crate) use event_log::READERS_MAX;
pub use read_store::PostgresReadStore;
pub use recordings::PostgresRecordings;
pub use secrets::PostgresSecrets;

pub(crate) use connect::Database;
pub(crate) use hold::{Hold, Holder};
pub(crate) use keys::PostgresKeys;
pub(crate) use members::{KEEPERS_MAX, Members};

use commands::ports::StoreError;

/// Why the database did not do it, in words for a message: without the
/// statement and without the address.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(refusal) => refusal.message().to_owned(),
        None => error.to_string(),
    }
}

/// Data exceptions and limits that a value exceeds, by the first two characters of the
/// error's code (PostgreSQL documentation, appendix A): trying again does not help.
const OF_VALUES: [&str; 2] = ["22", "54"];

pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    let refusal = error.as_database_error();
    let code = refusal.and_then(|refusal| refusal.code());
    let is_of_values = code.is_some_and(|code| {
        let mut classes = OF_VALUES.iter();
        classes.any(|class| code.starts_with(class))
    });
    match is_of_values {
        true => StoreError::Refused(reason(&error)),
        false => StoreError::Unavailable(reason(&error)),
    }
}
