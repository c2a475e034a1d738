//! The handle of a call that both directions share.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::engine::{CallKey, CallOrder, LinkEnds, Order};
use crate::error::{Error, Result};
use crate::media::Media;
use crate::progress::{CallEvent, Phase, Progress, Steps};

/// One call. Dropping the handle leaves the call as it is, like a phone left lying on the table.
#[derive(Debug)]
pub struct Call {
    key: CallKey,
    call_id: String,
    orders: mpsc::Sender<Order>,
    media: Media,
    ends: LinkEnds,
}

impl Call {
    pub(crate) fn new(
        key: CallKey,
        call_id: String,
        orders: mpsc::Sender<Order>,
        media: Media,
        ends: LinkEnds,
    ) -> Self {
        Self {
            key,
            call_id,
            orders,
            media,
            ends,
        }
    }

    /// The Call-ID of its dialog.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Its audio.
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// How it goes.
    pub fn progress(&self) -> Progress {
        *self.ends.progress.borrow()
    }

    /// When its steps happened.
    pub fn steps(&self) -> Steps {
        self.progress().steps
    }

    /// The next thing that happens; `None` when the call is over and nothing more can happen.
    pub async fn next_event(&mut self) -> Option<CallEvent> {
        let mut progress = self.ends.progress.clone();
        tokio::select! {
            biased;
            event = self.ends.events.recv() => event,
            _ = progress.wait_for(|progress| progress.phase == Phase::Ended) => self.ends.events.try_recv().ok(),
        }
    }

    /// Waits until `condition` holds for the call; [`Error::Timeout`] if it does not in time.
    pub async fn wait_for(
        &self,
        within: Duration,
        condition: impl FnMut(&Progress) -> bool,
    ) -> Result<Progress> {
        let mut progress: watch::Receiver<Progress> = self.ends.progress.clone();
        match timeout(within, progress.wait_for(condition)).await {
            Ok(Ok(progress)) => Ok(*progress),
            Ok(Err(_)) => Err(Error::PhoneGone),
            Err(_) => Err(Error::Timeout),
        }
    }

    /// Waits until it is over.
    pub async fn wait_ended(&self, within: Duration) -> Result<Progress> {
        self.wait_for(within, |progress| progress.phase == Phase::Ended)
            .await
    }

    pub(crate) async fn tell(&self, order: CallOrder) -> Result<()> {
        self.orders
            .send(Order::Call {
                key: self.key,
                order,
            })
            .await
            .map_err(|_| Error::PhoneGone)
    }

    pub(crate) async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T>>) -> CallOrder,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(order(reply)).await?;
        answer.await.map_err(|_| Error::PhoneGone)?
    }

    /// Sends BYE and waits for its answer, whose status it returns. Fails if the call is not up.
    pub async fn hang_up(&self) -> Result<u16> {
        self.ask(|reply| CallOrder::HangUp { reply }).await
    }

    /// Puts the other side on hold: re-INVITE with `a=sendonly`. Returns the status of the answer.
    pub async fn hold(&self) -> Result<u16> {
        self.ask(|reply| CallOrder::Hold { hold: true, reply })
            .await
    }

    /// Takes the other side off hold: re-INVITE with `a=sendrecv`.
    pub async fn resume(&self) -> Result<u16> {
        self.ask(|reply| CallOrder::Hold { hold: false, reply })
            .await
    }

    /// Sends INFO with that body, as phones do that have no telephone-events, and returns the status of its answer.
    /// Fails if the call is not up.
    pub async fn info(&self, content_type: &str, body: &str) -> Result<u16> {
        let (content_type, body) = (content_type.to_owned(), body.to_owned());
        self.ask(|reply| CallOrder::Info {
            content_type,
            body,
            reply,
        })
        .await
    }

    /// Sends REFER with these values of Refer-To, one but in tests, and returns the status of its answer (RFC 3515). What
    /// follows is told as [`CallEvent::Notified`]. Fails if the call is not up.
    pub async fn refer(&self, targets: &[&str]) -> Result<u16> {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        self.ask(|reply| CallOrder::Refer { targets, reply }).await
    }

    /// Leaves without a word: no BYE, no more RTP, no answer to anything.
    pub async fn vanish(&self) -> Result<()> {
        self.tell(CallOrder::Vanish).await
    }
}
