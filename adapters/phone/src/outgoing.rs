//! A call this phone makes.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::call::Call;
use crate::engine::CallOrder;
use crate::error::{Error, Result};
use crate::message::phrase_of;
use crate::progress::{EndedBy, Phase, Progress};

/// A call this phone makes; what both directions can do is on [`Call`].
#[derive(Debug)]
pub struct OutgoingCall {
    call: Call,
}

/// How taking a call back ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The INVITE got this final refusal, 487 as a rule; `None` if it got nothing at all.
    Cancelled {
        /// Final status of the INVITE.
        status: Option<u16>,
    },
    /// The answer was faster: it was acknowledged and hung up.
    AnsweredFirst,
}

impl OutgoingCall {
    pub(crate) fn new(call: Call) -> Self {
        Self { call }
    }

    /// Takes the call back and waits until that is settled. CANCEL waits for the first provisional response
    /// (RFC 3261 9.1). Fails with [`Error::WrongState`] if the call was answered or over before.
    pub async fn cancel(&self) -> Result<CancelOutcome> {
        if self.progress().phase >= Phase::Answered {
            return Err(Error::WrongState);
        }
        self.cancel_and_settle(false).await
    }

    /// Sends CANCEL although the call is answered, as if it had crossed the 200, and hangs up. Settles like
    /// [`Self::cancel`].
    pub async fn cancel_even_if_answered(&self) -> Result<CancelOutcome> {
        self.cancel_and_settle(true).await
    }

    async fn cancel_and_settle(&self, even_if_answered: bool) -> Result<CancelOutcome> {
        self.tell(CallOrder::Cancel { even_if_answered }).await?;
        // Bounded by the engine: CANCEL and BYE end after 64 x T1 at the latest.
        let limit = Duration::from_secs(120);
        let settled = self
            .wait_for(limit, |progress| progress.phase >= Phase::Answered)
            .await?;
        if settled.phase == Phase::Answered {
            // The 200 was faster, or crossed the CANCEL: the call still has to be ended. The engine may have sent the
            // BYE itself, when the 200 came after the CANCEL.
            match self.hang_up().await {
                Ok(_) | Err(Error::WrongState) => {}
                Err(error) => return Err(error),
            }
        }
        let progress = self.wait_ended(limit).await?;
        match (progress.steps.answered_at, progress.ended_by) {
            (Some(_), _) => Ok(CancelOutcome::AnsweredFirst),
            (None, Some(EndedBy::Timeout)) => Err(Error::Timeout),
            (None, _) => Ok(CancelOutcome::Cancelled {
                status: progress.status,
            }),
        }
    }

    /// Waits for 180 or another sign of ringing, or the answer itself.
    pub async fn wait_ringing(&self, within: Duration) -> Result<Progress> {
        let progress = self
            .wait_for(within, |progress| progress.phase >= Phase::Ringing)
            .await?;
        refused(progress).map_or(Ok(progress), Err)
    }

    /// Waits for the answer; [`Error::Rejected`] if it is refused.
    pub async fn wait_answered(&self, within: Duration) -> Result<Progress> {
        let progress = self
            .wait_for(within, |progress| progress.phase >= Phase::Answered)
            .await?;
        refused(progress).map_or(Ok(progress), Err)
    }
}

/// The error of a call that ended without having been answered.
fn refused(progress: Progress) -> Option<Error> {
    if progress.phase < Phase::Ended || progress.steps.answered_at.is_some() {
        return None;
    }
    Some(match (progress.ended_by, progress.status) {
        (Some(EndedBy::Cancelled), _) => Error::Cancelled,
        (_, Some(status)) => Error::Rejected {
            status,
            reason: phrase_of(status).to_owned(),
        },
        (_, None) => Error::Timeout,
    })
}

impl Deref for OutgoingCall {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl DerefMut for OutgoingCall {
    fn deref_mut(&mut self) -> &mut Call {
        &mut self.call
    }
}
