//! What whoever orders has seen of an agent's logins. Each is a stream of its own, so the
//! revision that people see counts through all of them.

use crate::{
    envelope::{Committed, Envelope},
    error::{DispatchError, Refused},
    gateway::Gateway,
};
use domain::id::SessionId;

/// A revision that is expected, and where the last login that was looked at stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenLogins {
    /// The expected revision.
    pub expected: u64,
    /// The session that the directory named before the others were read, if any, and
    /// whether it was open.
    pub session: Option<(SessionId, bool)>,
    /// The number of the last login; 0 before the first.
    pub number: u32,
    /// The revision before its first event.
    pub before: u64,
    /// The revision after its last event.
    pub revision: u64,
}

impl SeenLogins {
    /// The revision before the first event of that login, which is the last one or the
    /// next: then the last one is over, and nothing more is said of it.
    const fn base(&self, session: SessionId) -> u64 {
        if session.number <= self.number {
            self.before
        } else {
            self.revision
        }
    }

    /// A refusal because of a stream's version, in the words of the revision.
    fn reword(&self, session: SessionId, refused: &Refused) -> Refused {
        let actual = self.base(session).saturating_add(refused.version);
        Refused::stale(self.expected, actual, refused.at)
    }
}

/// Carries out a command on that session; if something was seen of it, only if it is so
/// still.
///
/// # Errors
/// A refusal by the rules, or that [is stale](Refused::is_stale), or a fault of the store.
pub async fn dispatch(
    gateway: &Gateway,
    session: SessionId,
    envelope: Envelope,
    seen: Option<&SeenLogins>,
) -> Result<Committed, DispatchError> {
    let Some(seen) = seen else {
        return gateway.dispatch(envelope).await;
    };
    let version = seen.expected.checked_sub(seen.base(session));
    // What is before that login is no version of it.
    let version = version.unwrap_or(u64::MAX);
    match gateway.dispatch_expecting(envelope, version).await {
        Err(DispatchError::Refused(refused)) if refused.is_stale() => {
            Err(DispatchError::Refused(seen.reword(session, &refused)))
        }
        answer => answer,
    }
}
