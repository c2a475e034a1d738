//! A call that comes in.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::address::{uri_of, user_of};
use crate::call::Call;
use crate::engine::CallOrder;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::progress::Phase;

/// A call that comes in; what both directions can do is on [`Call`]. Nothing is answered until it is told to.
#[derive(Debug)]
pub struct IncomingCall {
    call: Call,
    invite: Message,
}

/// What the server did with a 200 that came after its CANCEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateAnswer {
    /// When the CANCEL came.
    pub cancelled_at: Option<Instant>,
    /// When the 200 left.
    pub answered_at: Option<Instant>,
    /// The 200 was acknowledged.
    pub acked: bool,
    /// The call was then hung up by the server.
    pub byed: bool,
}

impl IncomingCall {
    pub(crate) fn new(call: Call, invite: Message) -> Self {
        Self { call, invite }
    }

    /// The INVITE as it came.
    pub fn invite(&self) -> &Message {
        &self.invite
    }

    /// A header of the INVITE.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.invite.header(name)
    }

    /// User part of From: who calls.
    pub fn from_user(&self) -> Option<&str> {
        user_of(uri_of(self.invite.header("From")?))
    }

    /// User part of To: who is called.
    pub fn to_user(&self) -> Option<&str> {
        user_of(uri_of(self.invite.header("To")?))
    }

    /// Sends 100.
    pub async fn trying(&self) -> Result<()> {
        self.tell(CallOrder::Provisional { status: 100 }).await
    }

    /// Sends 180.
    pub async fn ring(&self) -> Result<()> {
        self.tell(CallOrder::Provisional { status: 180 }).await
    }

    /// Sends 200 with the answer and waits for the ACK. Fails with [`Error::Cancelled`] if the caller left before, with
    /// [`Error::NotAcknowledged`] if no ACK came in 64 x T1 (the call is then hung up), with [`Error::NoCommonCodec`]
    /// after having sent 488.
    pub async fn answer(&self) -> Result<()> {
        self.ask(|reply| CallOrder::Answer { reply }).await
    }

    /// Refuses with this status, 300 to 699.
    pub async fn reject(&self, status: u16) -> Result<()> {
        self.reject_with(status, Vec::new()).await
    }

    /// Refuses with this status and these headers, for instance Retry-After.
    pub async fn reject_with(&self, status: u16, headers: Vec<(String, String)>) -> Result<()> {
        self.tell(CallOrder::Reject { status, headers }).await
    }

    /// Answers nothing at all from now on, not even CANCEL, as if the phone's network were gone. The call counts as
    /// over, [`crate::EndedBy::Vanished`].
    pub async fn ignore(&self) -> Result<()> {
        self.tell(CallOrder::Vanish).await
    }

    /// From now on a CANCEL is confirmed but does not end the INVITE, so that [`Self::answer_late`] can come after it.
    pub async fn keep_on_cancel(&self) -> Result<()> {
        self.tell(CallOrder::KeepOnCancel).await
    }

    /// Completes when the caller has taken the call back; returns when that was. Waits for ever if the call is
    /// answered or refused instead, so it belongs into a `select!`.
    pub async fn cancelled(&self) -> Instant {
        match self
            .wait_for(Duration::MAX, |progress| progress.steps.cancel_at.is_some())
            .await
        {
            Ok(progress) => progress.steps.cancel_at.unwrap_or_else(Instant::now),
            Err(_) => std::future::pending().await,
        }
    }

    /// Acts out the race of RFC 3261 9.1 from the phone's side: waits for the CANCEL, sends 200 after it, and reports
    /// whether the server acknowledged and hung up, each step within `within`. Call it, or [`Self::keep_on_cancel`],
    /// before the CANCEL comes; after a 487 it fails with [`Error::Cancelled`]. Without a CANCEL it is a timeout.
    pub async fn answer_late(&self, within: Duration) -> Result<LateAnswer> {
        self.keep_on_cancel().await?;
        self.wait_for(within, |p| {
            p.steps.cancel_at.is_some() || p.phase >= Phase::Answered
        })
        .await?;
        match tokio::time::timeout(within, self.answer()).await {
            Ok(Err(Error::NotAcknowledged)) | Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => return Err(error),
        }
        let done = self
            .wait_for(within, |p| p.steps.bye_received_at.is_some())
            .await;
        let steps = match done {
            Ok(progress) => progress.steps,
            Err(_) => self.steps(),
        };
        Ok(LateAnswer {
            cancelled_at: steps.cancel_at,
            answered_at: steps.answered_at,
            acked: steps.ack_at.is_some(),
            byed: steps.bye_received_at.is_some(),
        })
    }
}

impl Deref for IncomingCall {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl DerefMut for IncomingCall {
    fn deref_mut(&mut self) -> &mut Call {
        &mut self.call
    }
}
