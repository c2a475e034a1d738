//! Refused calls that have no record of their own.

use crate::{
    scalar::{Cursor, DateTime, count},
    types::words::EndReason,
};
use async_graphql::Object;
use projections::refusals;

/// Refused calls that have no record of their own, summed up.
pub(crate) struct RefusalSum(pub(crate) refusals::Row);

/// Calls that were refused for one reason and have no record of their own, because there
/// were more than may be written: nobody fills the record by calling.
#[Object]
impl RefusalSum {
    /// Why they were refused.
    async fn reason(&self) -> EndReason {
        self.0.reason.into()
    }

    /// How many they were.
    async fn calls_count(&self) -> i32 {
        count(self.0.calls_count)
    }

    /// When the first was.
    async fn since(&self) -> DateTime {
        DateTime(self.0.since)
    }

    /// When they were summed up: none is later.
    async fn until(&self) -> DateTime {
        DateTime(self.0.until)
    }

    /// Run number of the node that refused them.
    async fn node_epoch(&self) -> i32 {
        count(self.0.node_epoch)
    }

    /// The event that says so.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}
