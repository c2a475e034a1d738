//! What can have happened to a call. The stored schema: handle with care.

use super::{
    diversion::DiversionReason,
    key::Key,
    media::LegMedia,
    supervision::{SupervisionEnd, SupervisionMode},
    tag::UserField,
    voicemail::{Audio, VoicemailOutcome},
    way::{AnswerMode, OverflowCause, Target},
};
use crate::{
    callback::Wanted,
    cause::{Disposition, EndCause, OfferOutcome, WireCause},
    decider,
    id::{
        AgentId, CallbackId, LegId, MailboxId, OfferId, QueueId, SessionId, SubjectId, TrunkId,
        VisitId, VoicemailId,
    },
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An INVITE came.
    #[serde(rename = "call_received")]
    Received {
        /// The caller's leg.
        leg: LegId,
        /// Who calls.
        from: Sealed<Party>,
        /// The caller shows no number: all who do so are sealed as one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        withheld: bool,
        /// User part of the Request-URI.
        to: String,
        /// The trunk that let it in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trunk: Option<TrunkId>,
        /// Call-ID header.
        sip_call_id: String,
        /// What the phone or the network says that it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_agent: Option<String>,
    },
    /// It was meant for somebody else, who sent it on to us.
    #[serde(rename = "call_diverted")]
    Diverted {
        /// Who did, the last of several.
        diverter: Sealed<Party>,
        /// Why.
        reason: DiversionReason,
    },
    /// We place it ourselves: somebody was promised to be rung back. The person is
    /// dialled when an agent has it.
    #[serde(rename = "call_placed")]
    Placed {
        /// The leg to the person, where a caller's would be.
        leg: LegId,
        /// Whom.
        party: Sealed<Party>,
        /// What was promised.
        callback: CallbackId,
        /// Since when the person waits: the place in the line.
        place: Timestamp,
        /// Who is to have it, if that one is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wanted: Option<Wanted>,
    },
    /// It leads to a queue.
    #[serde(rename = "call_routed")]
    Routed {
        /// Which.
        queue: QueueId,
        /// Version of the queue's configuration at that moment.
        config_version: u32,
    },
    /// It waits; the waiting line opens the visit.
    #[serde(rename = "call_enqueued")]
    Enqueued {
        /// Its stay.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Version of the queue's configuration.
        config_version: u32,
        /// When the caller is answered.
        answer_mode: AnswerMode,
        /// Keys that lead out of the queue.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exit_keys: Vec<Key>,
        /// What is heard from then on by whoever waits or is held: a name of the settings;
        /// our own track, without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        music: Option<String>,
    },
    /// The caller, who waits, pressed a key that leads out of the queue.
    #[serde(rename = "exit_key_pressed")]
    ExitKeyPressed {
        /// Its stay.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Which key.
        key: Key,
    },
    /// It leaves that queue, unserved, for where the queue or a person sends it.
    #[serde(rename = "call_overflowed")]
    Overflowed {
        /// Its stay, to be closed.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Why.
        cause: OverflowCause,
        /// The mailbox that it goes to, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailbox: Option<MailboxId>,
        /// Who has sent it on, if that was a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// And why, in a word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A person has taken it out of that queue and sends it nowhere: the end of the call
    /// follows.
    #[serde(rename = "call_withdrawn")]
    Withdrawn {
        /// Its stay, which the end closes.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Who has.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// Whoever waits is rung back instead: the end of the call follows.
    #[serde(rename = "call_callback_requested")]
    CallbackRequested {
        /// The promise.
        callback: CallbackId,
        /// Its stay, to be closed.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Why.
        cause: OverflowCause,
        /// Whom.
        party: Sealed<Party>,
    },
    /// It goes to a number outside; the leg there is dialled next.
    #[serde(rename = "call_forwarded")]
    Forwarded {
        /// The number, as it is configured.
        number: String,
    },
    /// The caller, who is answered, is played what was recorded; then the call ends.
    #[serde(rename = "announcement_started")]
    AnnouncementStarted {
        /// The caller's leg.
        leg: LegId,
        /// Its name in the configuration.
        announcement: String,
        /// When the call ends at the latest, whatever becomes of the sound.
        until: Timestamp,
    },
    /// The caller, who waits and hears music, is told the place in the line; then the music
    /// goes on.
    #[serde(rename = "place_told")]
    PlaceTold {
        /// The caller's leg.
        leg: LegId,
        /// Its stay.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// The prompts, by their name in the configuration.
        sounds: String,
        /// The place, from 1; or the last that is told by number.
        place: u32,
        /// The caller stands behind that one, and is told so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_behind: bool,
    },
    /// The caller, who is answered, hears the greeting of a mailbox and a tone, and what is
    /// said then is recorded; then the call ends.
    #[serde(rename = "voicemail_started")]
    VoicemailStarted {
        /// The caller's leg.
        leg: LegId,
        /// Which mailbox.
        mailbox: MailboxId,
        /// The message, if there will be one.
        message: VoicemailId,
        /// Under whose key it is kept.
        subject: SubjectId,
        /// The announcement that is heard before the tone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        greeting: Option<String>,
        /// How long it may be.
        longest_ms: u64,
        /// When the call ends at the latest, whatever becomes of the sound.
        until: Timestamp,
    },
    /// What came of the message; often told after the end of the call.
    #[serde(rename = "voicemail_ended")]
    VoicemailEnded {
        /// Which mailbox.
        mailbox: MailboxId,
        /// Which message.
        message: VoicemailId,
        /// What came of it.
        outcome: VoicemailOutcome,
        /// How long it is.
        length_ms: u64,
        /// As it is kept, if it was left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audio: Option<Audio>,
        /// Who has left it, unless no number is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<Sealed<Party>>,
    },
    /// A leg goes out: the first trunk that serves the number and has room.
    #[serde(rename = "leg_dialled")]
    LegDialled {
        /// Which leg.
        leg: LegId,
        /// Whom it is to reach.
        target: Target,
        /// When nobody is waited for any more.
        until: Timestamp,
    },
    /// An INVITE goes to that trunk: the first, or the next after one failed.
    #[serde(rename = "trunk_selected")]
    TrunkSelected {
        /// Of which leg.
        leg: LegId,
        /// Which trunk.
        trunk: TrunkId,
        /// The dialled number, before the trunk's own prefixes.
        party: Sealed<Party>,
        /// What the trunk before it said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<WireCause>,
        /// When that came, or the trunk before it was given up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_at: Option<Timestamp>,
    },
    /// The other side of a leg that goes out rings, or is heard already.
    #[serde(rename = "leg_progressed")]
    LegProgressed {
        /// Which leg.
        leg: LegId,
        /// It sends media before it answers (183 with a description).
        early_media: bool,
    },
    /// The other side of a leg that goes out has answered: its charging starts.
    #[serde(rename = "leg_answered")]
    LegAnswered {
        /// Which leg.
        leg: LegId,
        /// The codec that was agreed on, by its name in SDP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        codec: Option<String>,
    },
    /// The caller is answered: charging starts here.
    #[serde(rename = "call_answered")]
    Answered {},
    /// An agent's phone is to ring.
    #[serde(rename = "offer_started")]
    OfferStarted {
        /// Fence.
        offer: OfferId,
        /// Which stay it serves.
        visit: VisitId,
        /// Whose reservation.
        session: SessionId,
        /// The agent's leg.
        leg: LegId,
        /// When the ring times out.
        until: Timestamp,
    },
    /// The agent's phone rings.
    #[serde(rename = "leg_alerting")]
    LegAlerting {
        /// Which leg.
        leg: LegId,
        /// Of which offer.
        offer: OfferId,
        /// Whose phone.
        session: SessionId,
    },
    /// The offer ended without an agent.
    #[serde(rename = "offer_ended")]
    OfferEnded {
        /// Which.
        offer: OfferId,
        /// Which stay it served.
        visit: VisitId,
        /// Whose reservation.
        session: SessionId,
        /// The agent's leg, which is released.
        leg: LegId,
        /// How.
        outcome: OfferOutcome,
        /// What the wire said.
        #[serde(default)]
        wire: WireCause,
    },
    /// The phones of the offer that ring are to answer; whether one does, it says itself.
    #[serde(rename = "answer_ordered")]
    AnswerOrdered {
        /// Of which offer.
        offer: OfferId,
        /// Whose.
        session: SessionId,
        /// The agent's leg.
        leg: LegId,
        /// Who says so.
        by: String,
    },
    /// None of them does such a thing: they go on ringing.
    #[serde(rename = "answer_order_refused")]
    AnswerOrderRefused {
        /// Of which offer.
        offer: OfferId,
        /// Whose.
        session: SessionId,
        /// The agent's leg.
        leg: LegId,
        /// What the wire said; nothing where no phone could be asked.
        #[serde(default)]
        wire: WireCause,
    },
    /// Caller and agent are connected: the offer was accepted.
    #[serde(rename = "agent_connected")]
    AgentConnected {
        /// Which offer.
        offer: OfferId,
        /// Which stay it served.
        visit: VisitId,
        /// Who.
        session: SessionId,
        /// The agent's leg.
        leg: LegId,
        /// The codec that was agreed on, by its name in SDP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        codec: Option<String>,
        /// What the agent's phone says that it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// One side put the other on hold.
    #[serde(rename = "call_held")]
    Held {
        /// The leg whose phone did.
        leg: LegId,
    },
    /// That side took the other back.
    #[serde(rename = "call_retrieved")]
    Retrieved {
        /// The leg whose phone did.
        leg: LegId,
    },
    /// Somebody has noted something about it; also after the end.
    #[serde(rename = "call_tagged")]
    Tagged {
        /// Tags that it has since then.
        added: BTreeSet<String>,
        /// Tags that it has no more.
        removed: BTreeSet<String>,
        /// What has become of its text, if something has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_field: Option<UserField>,
        /// Who has.
        by: String,
    },
    /// Somebody is to hear it, or to talk in it: that one's phone is to ring.
    #[serde(rename = "supervision_requested")]
    SupervisionRequested {
        /// The leg to that phone.
        leg: LegId,
        /// Whose phone.
        supervisor: AgentId,
        /// Who is to hear whom.
        mode: SupervisionMode,
        /// When the phone is given up.
        until: Timestamp,
        /// Who says so.
        by: String,
    },
    /// The phone has answered: from now on the call is supervised.
    #[serde(rename = "supervision_started")]
    SupervisionStarted {
        /// The leg to the supervisor's phone.
        leg: LegId,
        /// Whose phone.
        supervisor: AgentId,
        /// Who hears whom.
        mode: SupervisionMode,
        /// The codec that was agreed on, by its name in SDP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        codec: Option<String>,
        /// What the phone says that it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// From now on others hear each other, or are to once the phone answers.
    #[serde(rename = "supervision_mode_changed")]
    SupervisionModeChanged {
        /// The leg to the supervisor's phone.
        leg: LegId,
        /// Whose phone.
        supervisor: AgentId,
        /// Who hears whom.
        mode: SupervisionMode,
        /// Who says so.
        by: String,
    },
    /// The supervisor has the call from now on, and the agent's contact is over: the
    /// supervision has ended by that.
    #[serde(rename = "call_taken_over")]
    TakenOver {
        /// The leg to the supervisor's phone, which the caller talks with from now on.
        leg: LegId,
        /// Whose phone.
        supervisor: AgentId,
        /// The agent's leg, which is released.
        from_leg: LegId,
        /// Whose contact is over.
        session: SessionId,
        /// The accepted offer.
        offer: OfferId,
    },
    /// The agent has sent the caller, who waits again, into another queue: the agent's
    /// contact is over, and the stay in that queue is what follows.
    #[serde(rename = "call_transferred")]
    Transferred {
        /// The agent's leg, which is released.
        leg: LegId,
        /// Whose contact is over.
        session: SessionId,
        /// The accepted offer.
        offer: OfferId,
        /// The stay that the agent has served.
        visit: VisitId,
        /// In which queue.
        queue: QueueId,
        /// Into which.
        to: QueueId,
        /// Who says so.
        by: String,
    },
    /// The supervision is over, or has come to nothing; the call goes on.
    #[serde(rename = "supervision_ended")]
    SupervisionEnded {
        /// The leg to the supervisor's phone, which is released.
        leg: LegId,
        /// Whose phone.
        supervisor: AgentId,
        /// Why.
        reason: SupervisionEnd,
        /// Who has stopped it, if that was a person's order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// What the wire said.
        #[serde(default)]
        wire: WireCause,
    },
    /// The call is over and every leg is released. Exactly once.
    #[serde(rename = "call_ended")]
    Ended {
        /// Why and by whom.
        cause: EndCause,
        /// What became of it.
        disposition: Disposition,
        /// When; earlier than the event where the end was noticed late.
        ended_at: Timestamp,
        /// The end was not seen but inferred: durations are a lower bound.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        incomplete: bool,
        /// The session whose agent was connected or offered, to be freed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// The offer that was live or accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        /// The stay in the queue, to be closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<VisitId>,
        /// The queue of that stay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<QueueId>,
    },
    /// What was measured of the sound, once it is over. At most once.
    #[serde(rename = "media_measured")]
    MediaMeasured {
        /// Each leg that sent or was sent something.
        legs: Vec<LegMedia>,
    },
    /// Something was reported after the end; kept, with no further effect.
    #[serde(rename = "late_fact_recorded")]
    LateFact {
        /// Which leg.
        leg: LegId,
        /// Wire name of the command that reported it.
        fact: String,
    },
}

impl Event {
    /// It is the end of a call that an agent had: with the caller, or to ring back
    /// somebody who may not have answered. Its stay is closed by that. Of a call that a
    /// supervisor has taken over, or that was transferred, that agent's contact has ended
    /// before.
    pub fn ends_contact(&self) -> bool {
        let Self::Ended {
            disposition,
            session: Some(_),
            visit,
            ..
        } = self
        else {
            return false;
        };
        *disposition == Disposition::Answered || visit.is_none()
    }

    /// How a supervision has ended, if it has: by its own end, or as the supervisor has the
    /// call.
    pub const fn ends_supervision(&self) -> Option<SupervisionEnd> {
        if let Self::TakenOver { .. } = self {
            return Some(SupervisionEnd::TakenOver);
        }
        if let Self::SupervisionEnded { reason, .. } = self {
            return Some(*reason);
        }
        None
    }
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Received { .. } => "call_received",
            Self::Diverted { .. } => "call_diverted",
            Self::Placed { .. } => "call_placed",
            Self::Routed { .. } => "call_routed",
            Self::Enqueued { .. } => "call_enqueued",
            Self::ExitKeyPressed { .. } => "exit_key_pressed",
            Self::Overflowed { .. } => "call_overflowed",
            Self::Withdrawn { .. } => "call_withdrawn",
            Self::CallbackRequested { .. } => "call_callback_requested",
            Self::Forwarded { .. } => "call_forwarded",
            Self::AnnouncementStarted { .. } => "announcement_started",
            Self::PlaceTold { .. } => "place_told",
            Self::VoicemailStarted { .. } => "voicemail_started",
            Self::VoicemailEnded { .. } => "voicemail_ended",
            Self::LegDialled { .. } => "leg_dialled",
            Self::TrunkSelected { .. } => "trunk_selected",
            Self::LegProgressed { .. } => "leg_progressed",
            Self::LegAnswered { .. } => "leg_answered",
            Self::Answered {} => "call_answered",
            Self::OfferStarted { .. } => "offer_started",
            Self::LegAlerting { .. } => "leg_alerting",
            Self::OfferEnded { .. } => "offer_ended",
            Self::AnswerOrdered { .. } => "answer_ordered",
            Self::AnswerOrderRefused { .. } => "answer_order_refused",
            Self::AgentConnected { .. } => "agent_connected",
            Self::Held { .. } => "call_held",
            Self::Retrieved { .. } => "call_retrieved",
            Self::Tagged { .. } => "call_tagged",
            Self::SupervisionRequested { .. } => "supervision_requested",
            Self::SupervisionStarted { .. } => "supervision_started",
            Self::SupervisionModeChanged { .. } => "supervision_mode_changed",
            Self::TakenOver { .. } => "call_taken_over",
            Self::Transferred { .. } => "call_transferred",
            Self::SupervisionEnded { .. } => "supervision_ended",
            Self::Ended { .. } => "call_ended",
            Self::MediaMeasured { .. } => "media_measured",
            Self::LateFact { .. } => "late_fact_recorded",
        }
    }
}
