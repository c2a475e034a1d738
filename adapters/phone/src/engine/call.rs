//! One call inside the engine: the dialog's identifiers and the channels to its handle (RFC 3261 section 12).

use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::debug;

use super::CallKey;
use super::session::Session;
use crate::address::{socket_addr_of, split_list, tag_of, uri_of};
use crate::error::Result;
use crate::message::{Message, Method};
use crate::progress::{CallEvent, EndedBy, Phase, Progress};

/// Events of a call that may wait to be read; later ones are dropped, the progress stays right.
pub(crate) const CALL_EVENTS_MAX: usize = 64;

/// Where a reply goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// The engine's ends of a call's channels.
#[derive(Debug)]
pub(super) struct Link {
    events: mpsc::Sender<CallEvent>,
    progress: watch::Sender<Progress>,
}

/// The handle's ends.
#[derive(Debug)]
pub(crate) struct LinkEnds {
    pub(crate) events: mpsc::Receiver<CallEvent>,
    pub(crate) progress: watch::Receiver<Progress>,
}

impl Link {
    pub(super) fn new() -> (Self, LinkEnds) {
        let (events_in, events) = mpsc::channel(CALL_EVENTS_MAX);
        let (progress_in, progress) = watch::channel(Progress::default());
        (
            Self {
                events: events_in,
                progress: progress_in,
            },
            LinkEnds { events, progress },
        )
    }

    pub(super) fn event(&self, event: CallEvent) {
        // A script that does not read its events is no reason to stop the phone.
        if self.events.try_send(event).is_err() {
            debug!("call event was not read");
        }
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    pub(super) fn look(&self) -> Progress {
        *self.progress.borrow()
    }
}

/// What a call does that a polite phone does not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manners {
    /// Answers nothing more.
    pub(super) mute: bool,
    /// CANCEL is confirmed, the INVITE is not ended.
    pub(super) keep_on_cancel: bool,
    /// Our ACK is never sent.
    pub(super) withhold_ack: bool,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: CallKey,
    pub(super) call_id: String,
    /// Our From or To value, with our tag.
    pub(super) local: String,
    pub(super) local_tag: String,
    /// The other side's, with its tag once that is known.
    pub(super) remote: String,
    pub(super) local_cseq: u32,
    /// Number of the other side's latest request; `None` before its first.
    pub(super) remote_cseq: Option<u32>,
    /// The other side's Contact.
    pub(super) target: String,
    pub(super) routes: Vec<String>,
    /// Where requests go when neither route nor target is an address.
    pub(super) server: SocketAddr,
    /// The INVITE that made the call, as it was sent or received.
    pub(super) invite: Message,
    /// Key of the client or server transaction of the latest INVITE.
    pub(super) invite_key: String,
    pub(super) session: Session,
    pub(super) link: Link,
    pub(super) manners: Manners,
    /// A CANCEL waits for the first provisional response (RFC 3261 9.1).
    pub(super) cancel_wanted: bool,
    pub(super) cancel_sent: bool,
    /// Our 200 carried an offer: the ACK brings the answer.
    pub(super) answer_expected: bool,
    pub(super) answer_waiter: Option<Reply<()>>,
}

impl Call {
    /// Number of the current phase.
    pub(super) fn phase(&self) -> Phase {
        self.link.look().phase
    }

    /// Takes what a response or request says about its sender: Contact, and for the first one the route.
    pub(super) fn learn_target(&mut self, message: &Message) {
        let contact = message
            .headers_named("Contact")
            .flat_map(split_list)
            .next()
            .map(uri_of);
        if let Some(contact) = contact {
            self.target = contact.to_owned();
        }
    }

    /// The tag of the other side.
    pub(super) fn remote_tag(&self) -> Option<&str> {
        tag_of(&self.remote)
    }

    /// A request inside the dialog, without Via (RFC 3261 12.2.1.1). The number grows except for ACK.
    pub(super) fn request(&mut self, method: Method) -> Message {
        if method != Method::Ack {
            self.local_cseq += 1;
        }
        let cseq = format!("{} {method}", self.local_cseq);
        let mut request = Message::request(method, self.target.clone());
        for route in &self.routes {
            request.push("Route", route.clone());
        }
        request
            .with("Max-Forwards", "70")
            .with("From", self.local.clone())
            .with("To", self.remote.clone())
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", cseq)
    }

    /// Where a request inside the dialog goes: the first route, else the target, else the server.
    pub(super) fn next_hop(&self) -> SocketAddr {
        let first = self
            .routes
            .first()
            .map_or(self.target.as_str(), |route| uri_of(route));
        socket_addr_of(first).unwrap_or(self.server)
    }

    /// The call is over. Audio ends, waiters hear of it.
    pub(super) fn end(&mut self, now: Instant, by: EndedBy) {
        if self.phase() == Phase::Ended {
            return;
        }
        self.session.media.close();
        self.link.note(|progress| {
            progress.phase = Phase::Ended;
            progress.ended_by = Some(by);
            progress.steps.ended_at = Some(now);
        });
    }
}

/// The Record-Route values of a message in order (RFC 3261 12.1).
pub(super) fn record_routes(message: &Message) -> Vec<String> {
    message
        .headers_named("Record-Route")
        .flat_map(split_list)
        .map(str::to_owned)
        .collect()
}
