//! What the suite needs of a store beyond its port: to open it twice, to copy it, and to
//! write to it from outside. A store that has no such thing says so in words.

use crate::{OpenError, Stores};
use async_trait::async_trait;

/// What becomes of a server that opens a store which another one has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Second {
    /// It is refused as long as the first one lives.
    Refused,
    /// It takes the log, and the first one is fenced.
    Fences,
    /// It has a log of its own: nobody can have the first one's.
    Apart,
}

/// A store that a test has made for itself.
#[async_trait(?Send)]
pub trait Installation {
    /// Opens it as a server does.
    async fn open(&self) -> Result<Stores, OpenError>;

    /// What becomes of a second server.
    fn second(&self) -> Second;

    /// A handle on the log of that server, as another one gets it that nothing keeps off:
    /// a lock was lost, or there is none.
    async fn beside(&self, first: &Stores) -> Stores;

    /// Whether the rows that both write are the same ones.
    fn rows_are_shared(&self) -> bool {
        true
    }

    /// Copies the log in the documented way to where nothing is, and opens the copy; the
    /// error says why there can be none.
    async fn copy(&self, stores: Stores) -> Result<Stores, &'static str>;

    /// Somebody else who writes to the log; the error says why there can be none who is
    /// slow.
    async fn slow(&self) -> Result<Box<dyn Slow>, &'static str>;
}

/// Somebody who writes one event at the end of the log, and is slow.
#[async_trait(?Send)]
pub trait Slow {
    /// Writes it, so that it is seen by nobody yet.
    async fn write(&mut self);

    /// Returns when somebody waits for it, where the store tells.
    async fn is_waited_for(&mut self);

    /// The event counts, or it was never there.
    async fn end(&mut self, counts: bool);
}
