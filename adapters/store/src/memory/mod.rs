//! Everything in memory, for tests and the simulated world: no thread, no
//! task, no clock and no chance, so that a run can be repeated byte for byte.

mod event_log;
mod keys;
mod read_store;
mod recordings;
mod secrets;

pub use event_log::MemoryLog;
pub use keys::vault;
pub use read_store::MemoryReadStore;
pub use recordings::MemoryRecordings;
pub use secrets::MemorySecrets;
