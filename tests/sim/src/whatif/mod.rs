//! What would have been: the callers of the record, with their patience, their
//! talks and the hours of the agents, once more under another staffing or
//! another strategy. The deciders and processes are the product's own.
//!
//! What it does not know, and what it says of the past is therefore only near:
//! agents always take the call (nobody lets the phone ring, is busy or declines);
//! callers who were answered have a patience drawn from those who were not; a
//! configuration is the last one of the time; who waited or talked when it
//! begins is not there; whom an agent sent on comes to the other queue when that was.

mod count;
mod parts;
mod patience;
mod record;
mod rerun;

pub use count::{Interval, count};
pub use record::{Caller, Day, Lived, Recorder, Rejected, Shift};
pub use rerun::{Change, rerun};
