//! How a call goes: its phase, the instant of each step, and the events a script waits for.

use std::time::Instant;

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// An INVITE is out, or has come in, and nothing rang.
    #[default]
    Dialling,
    /// 180 or 183 was received or sent.
    Ringing,
    /// 200 was received or sent.
    Answered,
    /// Over, whatever the way.
    Ended,
}

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// We hung up.
    Us,
    /// The other side hung up.
    Remote,
    /// A final refusal was received or sent.
    Rejected,
    /// The call was taken back before it was answered.
    Cancelled,
    /// Nobody answered an INVITE or acknowledged a 200.
    Timeout,
    /// We vanished: nothing was said to the other side.
    Vanished,
}

/// When each SIP step of a call happened on this phone's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// The first INVITE left (outgoing).
    pub invite_sent_at: Option<Instant>,
    /// The first INVITE came (incoming).
    pub invite_received_at: Option<Instant>,
    /// 100 came.
    pub trying_at: Option<Instant>,
    /// The first 180 or 183 came or left.
    pub ringing_at: Option<Instant>,
    /// 200 came or left.
    pub answered_at: Option<Instant>,
    /// A final refusal came or left.
    pub rejected_at: Option<Instant>,
    /// ACK for the 200 came or left.
    pub ack_at: Option<Instant>,
    /// CANCEL came or left.
    pub cancel_at: Option<Instant>,
    /// Our BYE left.
    pub bye_sent_at: Option<Instant>,
    /// The other side's BYE came.
    pub bye_received_at: Option<Instant>,
    /// Our BYE was answered.
    pub bye_answered_at: Option<Instant>,
    /// The call was over.
    pub ended_at: Option<Instant>,
}

/// One look at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far it is.
    pub phase: Phase,
    /// The final status of the INVITE, once there is one.
    pub status: Option<u16>,
    /// Why it is over, once it is.
    pub ended_by: Option<EndedBy>,
    /// The other side holds us.
    pub held_by_remote: bool,
    /// When the steps happened.
    pub steps: Steps,
}

/// A final refusal of an INVITE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// 300 to 699.
    pub status: u16,
    /// The reason phrase.
    pub phrase: String,
    /// The Reason header (RFC 3326), if there is one.
    pub reason: Option<String>,
    /// All headers.
    pub headers: Vec<(String, String)>,
}

/// Something happened on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// 100.
    Trying,
    /// 180 or another provisional status above 100; each one is an event.
    Ringing {
        /// 101 to 199.
        status: u16,
    },
    /// 200: the call is up.
    Answered,
    /// 200 came after we cancelled: it was acknowledged and hung up (RFC 3261 9.1).
    AnsweredAfterCancel,
    /// A final refusal.
    Rejected(Rejection),
    /// The caller took the call back.
    Cancelled,
    /// Nobody answered our INVITE, or acknowledged our 200.
    TimedOut,
    /// The other side's BYE.
    RemoteHangup {
        /// Its Reason header (RFC 3326).
        reason: Option<String>,
    },
    /// A NOTIFY of what became of a REFER of ours (RFC 3515).
    Notified {
        /// Its Event header.
        event: String,
        /// Its Subscription-State header.
        state: String,
        /// The status line that it brings.
        body: String,
    },
    /// The other side put us on hold.
    RemoteHold,
    /// The other side took us off hold.
    RemoteResume,
}
