//! OPTIONS (RFC 3261, 11): what we are able to do, or whether we are there.

use super::info;
use crate::{message::allow, stack::Reply};

/// The answer outside a dialog and inside one.
pub fn answer() -> Reply {
    Reply::new(200)
        .with("Allow", allow())
        .with("Accept", format!("application/sdp, {}", info::BODIES))
        .with("Accept-Encoding", "identity")
        .with("Accept-Language", "en")
}
