//! BYE (RFC 3261, 15.1.2): one side hung up.

use super::wire_cause;
use crate::message::Request;
use domain::{call::Command, id::LegId};

/// The command that a BYE on that leg is.
pub fn translate(request: &Request, leg: LegId) -> Command {
    Command::RecordBye {
        leg,
        wire: wire_cause(request),
    }
}
