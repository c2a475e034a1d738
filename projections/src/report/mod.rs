//! Reports: what happened in each interval of a time zone, counted from the
//! read models when it is asked for. Thresholds are those of the question, so
//! that a changed one counts for the past too, and each answer names its own.

mod adherence;
mod agent;
mod handling;
mod queue;
mod resolution;
mod spans;
mod staffed;
#[cfg(test)]
mod tests;
mod trunk;

pub use adherence::Adherence;
pub use agent::AgentReportRow;
pub use handling::Handled;
pub use queue::{Asked, QueueReportRow};
pub use resolution::{FCR_WINDOW_DAYS, FCR_WINDOW_DAYS_MAX, Resolution};
pub(crate) use spans::SLOT_MICROS;
pub use spans::{Granularity, RangeError, Span, spans};
pub use staffed::Staffing;
pub use trunk::{TrunkFigures, TrunkReportRow};
