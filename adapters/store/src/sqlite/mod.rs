//! The embedded store: a folder with `log.db` (every event), `read.db` (read
//! models, can be rebuilt) and `secrets.db` (data keys and credentials, backed
//! up apart). Each file has one writer thread, and the two that grow one that folds
//! their log of changes back beside it; one process at a time holds the
//! folder.

pub mod backup;
pub(crate) mod connection;
mod event_log;
mod folding;
mod keys;
mod look;
mod migrate;
mod read_store;
mod reader;
mod recordings;
mod room;
mod row;
mod secrets;
pub(crate) mod statement;
mod thread;
pub(crate) mod twin;
mod worker;
mod writer;

pub use event_log::SqliteLog;
pub(crate) use keys::SqliteKeys;
pub(crate) use look::{LogLook, ReadLook};
pub use read_store::SqliteReadStore;
pub use recordings::SqliteRecordings;
pub use secrets::SqliteSecrets;
pub(crate) use secrets::open_file;
