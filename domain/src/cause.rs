//! Why a call or an offer ended, and what became of the call.

use crate::q850;
use serde::{Deserialize, Serialize};

/// Whose doing the end was: the five results that a service watches. The share
/// of `Ours` is its own service level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndResult {
    /// Ended as it should.
    Success,
    /// The caller's side: gave up, asked for something that is not there.
    Caller,
    /// Our own fault or limit.
    Ours,
    /// The other network or an agent's phone.
    Upstream,
    /// Not known.
    Indeterminate,
}

/// Which side ended the call. Recorded from what was received, never inferred
/// from a cause code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// The other side of a leg that went out through a trunk.
    Outside,
    /// Ringledger by its own rules.
    System,
    /// A person through the API; or at the phone of one who has taken the call over.
    Supervisor,
}

/// What happened, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A BYE: one side hung up.
    Hangup,
    /// A CANCEL: the caller gave up before any answer.
    Cancelled,
    /// No queue has that name or number.
    UnknownAddress,
    /// No trunk allows that network.
    NotAllowed,
    /// The SDP offers nothing that we speak.
    NoCommonCodec,
    /// No RTP port is left.
    NoMediaPort,
    /// There is no room for one more call, or for one more from that source, now.
    Overload,
    /// The queue is at its capacity.
    QueueFull,
    /// It came outside the queue's hours.
    QueueClosed,
    /// Nobody was there any more, and the queue lets nobody wait for that.
    NobodyThere,
    /// Waited as long as the queue allows.
    MaxWait,
    /// Its stay in the queue was older than any may become, however that came about.
    VisitExpired,
    /// The caller is rung back later, and goes home.
    CallbackRequested,
    /// It was placed to ring somebody back, which is not wanted any more.
    CallbackWithdrawn,
    /// It was told what the queue has to say, and has nowhere else to go.
    Announced,
    /// It has left its message in a mailbox: a key, a silence or its length ended it.
    VoicemailTaken,
    /// No trunk serves the number, or none that does has room.
    NoTrunk,
    /// The number outside is busy.
    OutsideBusy,
    /// Nobody answered outside.
    OutsideNoAnswer,
    /// Whoever is outside, or its network, does not want the call.
    OutsideRejected,
    /// The trunks could not reach the number.
    OutsideUnreachable,
    /// No RTP came for too long.
    MediaSilence,
    /// The other side does not answer requests any more, or never sent the ACK.
    SignallingLost,
    /// The node that held the dialogs died.
    NodeLost,
    /// Whoever pays before has no credit left.
    NoCredit,
    /// Whoever pays before has no price for where the call leads.
    NoPrice,
    /// Whoever pays is suspended.
    AccountSuspended,
    /// Ended through the API.
    Operator,
    /// The server shuts down.
    Shutdown,
}

impl EndReason {
    /// What became of the number outside, where that ended the call.
    pub const fn outside(self) -> Option<OfferOutcome> {
        match self {
            Self::OutsideBusy => Some(OfferOutcome::Busy),
            Self::OutsideNoAnswer => Some(OfferOutcome::NoAnswer),
            Self::OutsideRejected => Some(OfferOutcome::Rejected),
            Self::OutsideUnreachable => Some(OfferOutcome::Unreachable),
            Self::Hangup
            | Self::Cancelled
            | Self::UnknownAddress
            | Self::NotAllowed
            | Self::NoCommonCodec
            | Self::NoMediaPort
            | Self::Overload
            | Self::QueueFull
            | Self::QueueClosed
            | Self::NobodyThere
            | Self::MaxWait
            | Self::VisitExpired
            | Self::CallbackRequested
            | Self::CallbackWithdrawn
            | Self::Announced
            | Self::VoicemailTaken
            | Self::NoTrunk
            | Self::MediaSilence
            | Self::SignallingLost
            | Self::NodeLost
            | Self::NoCredit
            | Self::NoPrice
            | Self::AccountSuspended
            | Self::Operator
            | Self::Shutdown => None,
        }
    }
}

/// What came over the wire with the end, kept verbatim (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WireCause {
    /// Final SIP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// The `Reason` header as it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_header: Option<String>,
    /// The warn-code of a `Warning` header, which tells apart what one status is used for.
    /// Not kept: what it means is in the cause.
    #[serde(skip)]
    pub warning: Option<u16>,
}

impl WireCause {
    /// The Q.850 cause that was said, or that the status means.
    pub fn cause(&self) -> Option<u8> {
        let said = self.q850();
        said.or_else(|| q850::of_status(self.sip_status?, self.warning))
    }

    /// The Q.850 cause value in the `Reason` header, among its other reasons.
    pub fn q850(&self) -> Option<u8> {
        q850::of_reason_header(self.reason_header.as_deref()?)
    }
}

/// Why and by whom a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndCause {
    /// Whose doing.
    pub result: EndResult,
    /// What.
    pub reason: EndReason,
    /// Which side.
    pub by: By,
    /// SIP status that the caller got, or that the wire gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// Q.850 cause value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q850: Option<u8>,
    /// The received `Reason` header, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_header: Option<String>,
}

/// Outcome of a call, as a CDR says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Disposition {
    /// An agent was connected.
    Answered,
    /// Nobody answered in time.
    NoAnswer,
    /// No room: the queue was full; or the number outside was busy.
    Busy,
    /// Declined outside.
    Rejected,
    /// The caller gave up while a number outside was dialled.
    Cancelled,
    /// Somebody outside was connected.
    Forwarded,
    /// The caller left the queue before an agent was connected.
    Abandoned,
    /// Not allowed in.
    Blocked,
    /// Wrong address, no common codec, protocol.
    Failed,
    /// No resources.
    Congestion,
    /// Our fault.
    SystemError,
    /// The caller went home, to be rung back.
    CallbackRequested,
    /// The caller was in a mailbox, to leave a message.
    Voicemail,
}

/// How an offer ended that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The phone rang too long.
    NoAnswer,
    /// The agent declined (603, or any refusal that is not one of the others).
    Rejected,
    /// The phone is busy (486, 600).
    Busy,
    /// No phone, or it does not respond.
    Unreachable,
    /// The offer was superseded, or the phone gave up by itself: not a missed call.
    Withdrawn,
    /// Another agent, whose phone rang beside, was faster: not a missed call.
    AnsweredElsewhere,
    /// The caller left while phones rang side by side: not a missed call.
    CallerGone,
}

impl OfferOutcome {
    /// What a final failure from a carrier means for the number behind it. A cause
    /// in its `Reason` header says more than a status that many networks use for
    /// everything; 16 (normal clearing) says nothing of how far it came.
    pub fn of_outside(wire: &WireCause) -> Self {
        match (wire.q850().unwrap_or(16), wire.sip_status.unwrap_or(0)) {
            (17, _) => Self::Busy,
            (18..=20, _) => Self::NoAnswer,
            (21, _) => Self::Rejected,
            (16, 486 | 600) => Self::Busy,
            (16, 408 | 480) => Self::NoAnswer,
            (16, 401..=403 | 407 | 433 | 603 | 607 | 608) => Self::Rejected,
            _ => Self::Unreachable,
        }
    }

    /// The outcome that a final status of an agent's phone means.
    pub const fn from_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            404 | 408 | 410 | 477 | 480 | 500..=599 => Self::Unreachable,
            487 => Self::Withdrawn,
            _ => Self::Rejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_q850_cause_is_found_among_other_reasons() {
        for (header, cause) in [
            ("Q.850;cause=17;text=\"busy\"", Some(17)),
            ("SIP;cause=486, q.850 ; cause = 34", Some(34)),
            ("SIP;cause=480", None),
            ("Q.850", None),
            ("Q.850;cause=900", None),
            ("Q.850;cause=x", None),
            ("", None),
            // What is quoted is text, whatever it looks like.
            ("SIP;cause=200;text=\"a, Q.850;cause=1\"", None),
            (
                "SIP;cause=200;text=\"a, Q.850;cause=1\", q.850 ; text=x ; Cause = 26",
                Some(26),
            ),
            ("Q.850;text=\"b;cause=3 \\\"\";cause=17", Some(17)),
            ("X-Q.850;cause=5", None),
        ] {
            let wire = WireCause {
                sip_status: None,
                reason_header: Some(header.into()),
                warning: None,
            };
            assert_eq!(wire.q850(), cause, "{header}");
        }
    }
}
