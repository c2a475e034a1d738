//! CANCEL (RFC 3261, 9.2): the caller gave up before an answer.

use super::wire_cause;
use crate::message::Request;
use domain::{call::Command, id::LegId};

/// The command that a CANCEL of that leg's INVITE is.
pub fn translate(request: &Request, leg: LegId) -> Command {
    Command::RecordCancel {
        leg,
        wire: wire_cause(request),
    }
}
