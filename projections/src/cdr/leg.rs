//! The legs of a call and the stretches of time on each: what statistics and
//! the record of a single phone are made of.

use domain::{
    call::{Codec, LegMedia, SupervisionEnd},
    cause::OfferOutcome,
    id::{AgentId, LegId, OfferId, QueueId, TrunkId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a leg is to its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever called.
    Originator,
    /// An agent's phone.
    Agent,
    /// A number outside that the call was sent on to.
    Forwarded,
    /// The phone of somebody who hears the call of an agent and a caller, or talks in it.
    Supervisor,
}

/// What went on in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// Waiting in a queue, agents' ringing included.
    Queue,
    /// The phone of that leg rang.
    Alert,
    /// Caller and agent heard each other.
    Talk,
    /// One side held the other.
    Hold,
    /// The agent's work after the call.
    WrapUp,
    /// The caller heard an announcement.
    Announcement,
    /// The caller was in a mailbox.
    Voicemail,
    /// The supervisor heard the call.
    Listen,
    /// The supervisor heard the call, and the agent the supervisor.
    Whisper,
    /// The supervisor talked with both.
    Barge,
    /// Caller and supervisor heard each other, who had taken the call from the agent.
    Takeover,
}

/// What became of a leg that its own end does not tell: of an offer that was not accepted, or
/// of a contact that did not last as long as the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegOutcome {
    /// The phone rang too long.
    NoAnswer,
    /// Declined.
    Rejected,
    /// Busy.
    Busy,
    /// No phone responded.
    Unreachable,
    /// Taken back.
    Withdrawn,
    /// Another agent, whose phone rang beside, was faster.
    AnsweredElsewhere,
    /// The caller left while phones rang side by side.
    CallerGone,
    /// The agent sent the caller, with whom it talked, into another queue.
    Transferred,
}

impl From<OfferOutcome> for LegOutcome {
    fn from(outcome: OfferOutcome) -> Self {
        match outcome {
            OfferOutcome::NoAnswer => Self::NoAnswer,
            OfferOutcome::Rejected => Self::Rejected,
            OfferOutcome::Busy => Self::Busy,
            OfferOutcome::Unreachable => Self::Unreachable,
            OfferOutcome::Withdrawn => Self::Withdrawn,
            OfferOutcome::AnsweredElsewhere => Self::AnsweredElsewhere,
            OfferOutcome::CallerGone => Self::CallerGone,
        }
    }
}

/// Why a stretch of time was over, where what follows does not tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentEnd {
    /// The agent sent the caller into another queue.
    Transferred,
}

/// A stretch of time on one leg. Those of one leg never overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// What went on.
    pub kind: SegmentKind,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// Of which queue, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// With which agent, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// Why it was over, where what follows does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<SegmentEnd>,
    /// Position of the event that ended it; 0 while it goes on.
    pub position: u64,
}

impl Segment {
    /// How long it was; 0 while it goes on.
    pub fn duration_ms(&self) -> u64 {
        self.ended_at.map_or(0, |end| end.ms_since(self.started_at))
    }
}

/// A trunk that did not take the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Which.
    pub trunk: TrunkId,
    /// Final status that it sent, verbatim; none where it was silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// `Reason` header that it sent, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_header: Option<String>,
    /// When it got the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    /// When it said first that it rings, or was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressed_at: Option<Timestamp>,
    /// When it said its final status, or was given up; not known of calls from before that
    /// was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
}

/// One dialog of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Which.
    pub leg: LegId,
    /// The leg that it was made for; none of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LegId>,
    /// What it is to the call.
    pub role: Role,
    /// Whose phone, of an agent's leg and of a supervisor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The offer that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The number of the configuration that it was to reach, of one that was sent on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialled: Option<String>,
    /// The trunk that it went out by, the last that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkId>,
    /// Trunks that were tried before it, in order, and what each said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// When that last trunk got the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    /// When that last trunk said first that it rings, or was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressed_at: Option<Timestamp>,
    /// The codec that was agreed on with its phone, of a leg that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// What its phone says that it is, of an agent's leg that was connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its phone rang first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerting_at: Option<Timestamp>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// When it was released; none while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What became of the offer, of an agent's leg that was not connected; or that its agent
    /// has transferred the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<LegOutcome>,
    /// The queue into which its agent has sent the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transferred_to: Option<QueueId>,
    /// Why the supervision ended, of a supervisor's leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision_end: Option<SupervisionEnd>,
    /// Final status that its phone sent, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// `Reason` header that its phone sent, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_header: Option<String>,
    /// What was measured of its sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// What went on, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
}

/// The sound of a leg, once it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    #[serde(flatten)]
    pub media: LegMedia,
    /// Position of the event that tells it.
    pub position: u64,
}

impl Leg {
    /// A leg that has just begun.
    pub(super) const fn new(leg: LegId, role: Role, started_at: Timestamp) -> Self {
        Self {
            leg,
            parent: None,
            role,
            agent: None,
            offer: None,
            dialled: None,
            trunk: None,
            tried: vec![],
            invited_at: None,
            progressed_at: None,
            codec: None,
            device: None,
            started_at,
            alerting_at: None,
            answered_at: None,
            ended_at: None,
            outcome: None,
            transferred_to: None,
            supervision_end: None,
            sip_status: None,
            reason_header: None,
            measured: None,
            segments: vec![],
        }
    }

    /// From its beginning to its end; 0 while it lives.
    pub fn duration_ms(&self) -> u64 {
        self.ended_at.map_or(0, |end| end.ms_since(self.started_at))
    }

    /// From its answer to its end: what it can be charged for; 0 if unanswered.
    pub fn billable_ms(&self) -> u64 {
        match (self.answered_at, self.ended_at) {
            (Some(answered), Some(ended)) => ended.ms_since(answered),
            (None | Some(_), None) | (None, Some(_)) => 0,
        }
    }

    /// How its sound travelled, by its name in SDP: as was agreed on with whoever answered,
    /// else as the relay knew it last; none of a leg that had none.
    pub fn codec(&self) -> Option<&str> {
        let measured = self.measured.as_ref();
        let known = || measured?.media.codec.map(Codec::name);
        self.codec.as_deref().or_else(known)
    }

    /// Sum of its segments of one kind.
    pub fn spent_ms(&self, kind: SegmentKind) -> u64 {
        let segments = self.segments.iter();
        segments
            .filter(|segment| segment.kind == kind)
            .map(Segment::duration_ms)
            .sum()
    }

    /// Since when that goes on on it, if it does.
    pub(super) fn open_since(&self, kind: SegmentKind) -> Option<Timestamp> {
        let last = self.segments.last()?;
        (last.kind == kind && last.ended_at.is_none()).then_some(last.started_at)
    }

    /// The leg of an ended call as the events up to a position tell it: after
    /// the end only segments come to a leg, each told when it is over, and what was
    /// measured.
    pub(super) fn as_of(&self, position: u64) -> Self {
        let mut leg = self.clone();
        let is_told = |segment: &Segment| (1..=position).contains(&segment.position);
        leg.segments.retain(is_told);
        leg.measured = self.measured.filter(|told| told.position <= position);
        leg
    }
}

/// An event that ends or begins a segment: when, and its position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    pub(super) position: u64,
}

/// The legs while they grow.
pub(super) trait Legs {
    /// The leg of that id.
    fn leg(&mut self, leg: LegId) -> Option<&mut Leg>;
    /// What goes on on that leg ends, and something else begins.
    fn turn(&mut self, leg: LegId, mark: Mark, kind: SegmentKind, queue: Option<QueueId>);
    /// What goes on on that leg ends.
    fn rest(&mut self, leg: LegId, mark: Mark);
    /// The leg is released, and what goes on on it ends.
    fn release(&mut self, leg: LegId, mark: Mark);
}

impl Legs for Vec<Leg> {
    fn leg(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.iter_mut().find(|known| known.leg == leg)
    }

    fn turn(&mut self, leg: LegId, mark: Mark, kind: SegmentKind, queue: Option<QueueId>) {
        self.rest(leg, mark);
        let Some(leg) = self.leg(leg) else { return };
        leg.segments.push(Segment {
            kind,
            started_at: mark.at,
            ended_at: None,
            queue,
            agent: leg.agent,
            end: None,
            position: 0,
        });
    }

    fn rest(&mut self, leg: LegId, mark: Mark) {
        let open = self.leg(leg).and_then(|leg| leg.segments.last_mut());
        if let Some(open) = open.filter(|segment| segment.ended_at.is_none()) {
            open.ended_at = Some(mark.at);
            open.position = mark.position;
        }
    }

    fn release(&mut self, leg: LegId, mark: Mark) {
        self.rest(leg, mark);
        if let Some(leg) = self.leg(leg) {
            leg.ended_at.get_or_insert(mark.at);
        }
    }
}
