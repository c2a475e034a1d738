//! What every log checks before it takes a batch.

use commands::ports::{Append, AppendError};
use std::collections::HashSet;

/// Refuses an append that no correct caller makes: without events, or with
/// one command in it twice (the second could be neither stored nor answered
/// with a first result that exists).
pub(crate) fn check(append: &Append) -> Result<(), AppendError> {
    let empty = append.changes.iter().any(|change| change.events.is_empty());
    if append.changes.is_empty() || empty {
        return Err(AppendError::Unavailable(format!(
            "append to {} has a change without events",
            append.stream
        )));
    }
    if let [_] = append.changes.as_slice() {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(append.changes.len());
    for change in &append.changes {
        if !seen.insert(change.command_id) {
            return Err(AppendError::Unavailable(format!(
                "append to {} has command {} twice",
                append.stream, change.command_id
            )));
        }
    }
    Ok(())
}
