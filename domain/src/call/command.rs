//! What may be asked of a call. Fact commands (`Record..`) tell what has
//! happened on the network: they are never refused, at most they change
//! nothing. The others ask for something and can be refused.

use super::{
    diversion::Diversion,
    key::Key,
    media::LegMedia,
    place::TellingPlace,
    supervision::Supervising,
    tag::Tagging,
    transfer::Transfer,
    voicemail::{Audio, Voicemail},
    way::{AnswerMode, OverflowCause},
};
use crate::{
    callback::Wanted,
    cause::{EndReason, OfferOutcome, WireCause},
    id::{CallbackId, LegId, OfferId, QueueId, SessionId, TrunkId, VisitId, VoicemailId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Where an INVITE leads, as the directory says at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Into a queue.
    Queue {
        /// Which.
        queue: QueueId,
        /// Version of its configuration.
        config_version: u32,
        /// When the caller is answered.
        answer_mode: AnswerMode,
        /// Id of the stay in the queue.
        visit: VisitId,
        /// Keys that lead out of it.
        #[serde(default)]
        exit_keys: Vec<Key>,
        /// What is heard while the call waits and while it is held; our own track, without it.
        #[serde(default)]
        music: Option<String>,
    },
    /// To a number outside.
    Forward {
        /// The number.
        number: String,
        /// The leg that goes there.
        leg: LegId,
    },
    /// Nowhere: the call is recorded and refused.
    Refused(EndReason),
}

/// Where a queue sends a call that it does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Into another queue.
    Queue {
        /// Which.
        queue: QueueId,
        /// Version of its configuration.
        config_version: u32,
        /// When a caller is answered there.
        answer_mode: AnswerMode,
        /// Id of the stay in it.
        visit: VisitId,
        /// Keys that lead out of it.
        #[serde(default)]
        exit_keys: Vec<Key>,
        /// What is heard while the call waits and while it is held; our own track, without it.
        #[serde(default)]
        music: Option<String>,
    },
    /// To a number outside.
    Forward {
        /// The number.
        number: String,
        /// The leg that goes there.
        leg: LegId,
    },
    /// Home: the caller is rung back.
    Callback(CallbackId),
    /// Home, after hearing the announcement of that name.
    Announcement(String),
    /// Into a mailbox, which has kept room for the message.
    Voicemail(Voicemail),
}

/// A call of ours, to ring somebody back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placing {
    /// The leg to the person.
    pub leg: LegId,
    /// Whom.
    pub party: Sealed<Party>,
    /// What was promised.
    pub callback: CallbackId,
    /// Since when the person waits.
    pub place: Timestamp,
    /// The queue whose agents ring back.
    pub queue: QueueId,
    /// Version of its configuration.
    pub config_version: u32,
    /// Id of the stay in the queue.
    pub visit: VisitId,
    /// Who is to have it, if that one is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
    /// What is heard while the call is held; our own track, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
}

/// Another queue for a call that waits, by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requeue {
    /// Which queue.
    pub queue: QueueId,
    /// Version of its configuration.
    pub config_version: u32,
    /// When a caller is answered there.
    pub answer_mode: AnswerMode,
    /// Id of the stay in it.
    pub visit: VisitId,
    /// Keys that lead out of it.
    pub exit_keys: Vec<Key>,
    /// What is heard while the call waits and while it is held; our own track, without it.
    #[serde(default)]
    pub music: Option<String>,
    /// The stay that is meant; none for whatever it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<VisitId>,
    /// Who says so.
    pub by: String,
    /// Why: a word, so that it tells of no person.
    pub why: String,
}

/// The end of a stay, and with it of the call, by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    /// The stay that is meant; refused when it is not the call's.
    pub visit: VisitId,
    /// Who says so.
    pub by: String,
    /// Why: a word, so that it tells of no person.
    pub why: String,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// An INVITE has come: record the call and where it goes, in one decision.
    ReceiveCall {
        /// The caller's leg.
        leg: LegId,
        /// Who calls.
        from: Sealed<Party>,
        /// The caller shows no number.
        #[serde(default)]
        withheld: bool,
        /// User part of the Request-URI: queue name or number.
        to: String,
        /// The trunk that let it in, if there are trunks.
        trunk: Option<TrunkId>,
        /// Call-ID header, to find the call in a packet capture.
        sip_call_id: String,
        /// User-Agent header.
        #[serde(default)]
        user_agent: Option<String>,
        /// Who sent it on to us.
        #[serde(default)]
        diversion: Option<Diversion>,
        /// Where it leads.
        route: Route,
    },
    /// Place a call: somebody was promised to be rung back.
    PlaceCall(Placing),
    /// Answer the caller now, before there is an agent.
    AnswerCall,
    /// Ring an agent.
    StartOffer {
        /// Fence of everything that follows.
        offer: OfferId,
        /// Which stay in the queue it serves.
        visit: VisitId,
        /// Whose reservation.
        session: SessionId,
        /// The agent's leg.
        leg: LegId,
        /// When the ring times out.
        until: Timestamp,
        /// Phones of other agents may ring for the same stay.
        #[serde(default)]
        beside: bool,
    },
    /// End a live offer that was not accepted.
    EndOffer {
        /// Which; refused when it is not the live one.
        offer: OfferId,
        /// How.
        outcome: OfferOutcome,
    },
    /// Let the phones of a live offer that ring for it answer.
    OrderAnswer {
        /// Which; refused when it is not the live one.
        offer: OfferId,
        /// Who says so.
        by: String,
    },
    /// Send the call on: the queue does not serve it.
    OverflowCall {
        /// The stay that is over; refused when it is not the call's.
        visit: VisitId,
        /// Why.
        cause: OverflowCause,
        /// Where to.
        to: Destination,
    },
    /// Tell the caller, who waits and hears music, the place in the line.
    TellPlace(TellingPlace),
    /// Send a call that waits into another queue, also while phones ring for it.
    RequeueCall(Requeue),
    /// Take a call that waits out of its queue and hang up, also while phones ring for it.
    WithdrawCall(Withdraw),
    /// Send a call in which an agent and a caller talk into another queue.
    TransferCall(Transfer),
    /// Note something about the call, also after its end.
    TagCall(Tagging),
    /// Let somebody hear the call, or talk in it; or change the mode of whoever does.
    SuperviseCall(Supervising),
    /// End the supervision of the call.
    StopSupervising {
        /// Who says so.
        by: String,
    },
    /// Give up a leg that goes out and was not answered in time, or that of a
    /// caller whose announcement or message is over long since.
    TimeOutLeg {
        /// Which leg.
        leg: LegId,
    },
    /// End the call.
    EndCall {
        /// Why.
        reason: EndReason,
        /// When it really ended, if that is known to be earlier than now.
        ended_at: Option<Timestamp>,
        /// The stay that is the reason; refused when it is not the call's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<VisitId>,
    },
    /// The agent's phone rings.
    RecordAlerting {
        /// Which leg.
        leg: LegId,
    },
    /// None of the agent's phones that ring answers by an order.
    RecordAnswerOrderRefused {
        /// Which leg.
        leg: LegId,
        /// What the wire said; nothing where no phone could be asked.
        wire: WireCause,
    },
    /// An INVITE of a leg that goes out went to a trunk.
    RecordTrunk {
        /// Which leg.
        leg: LegId,
        /// Which trunk.
        trunk: TrunkId,
        /// The dialled number.
        party: Sealed<Party>,
        /// What the trunk before it said.
        after: Option<WireCause>,
        /// When that came, or the trunk before it was given up.
        after_at: Option<Timestamp>,
    },
    /// The other side of a leg that goes out rings or is heard.
    RecordProgress {
        /// Which leg.
        leg: LegId,
        /// It sends media before it answers.
        early_media: bool,
    },
    /// The agent's phone, or the other side of a leg that goes out, answered.
    RecordAnswer {
        /// Which leg.
        leg: LegId,
        /// The codec that was agreed on, by its name in SDP.
        #[serde(default)]
        codec: Option<String>,
        /// What the phone says that it is.
        #[serde(default)]
        device: Option<String>,
    },
    /// The agent's phone declined or can not be reached, or no trunk could
    /// reach the other side of a leg that goes out.
    RecordFailure {
        /// Which leg.
        leg: LegId,
        /// What it means.
        outcome: OfferOutcome,
        /// What the wire said.
        wire: WireCause,
    },
    /// One side hung up.
    RecordBye {
        /// Which leg.
        leg: LegId,
        /// What the wire said.
        wire: WireCause,
    },
    /// The caller gave up before an answer.
    RecordCancel {
        /// Which leg.
        leg: LegId,
        /// What the wire said.
        wire: WireCause,
    },
    /// Somebody pressed a key of a phone.
    RecordKey {
        /// Which leg.
        leg: LegId,
        /// Which key.
        key: Key,
    },
    /// The caller has heard an announcement to its end.
    RecordAnnounced {
        /// Which leg.
        leg: LegId,
    },
    /// What a caller had to say in a mailbox is over.
    RecordVoicemail {
        /// The message.
        message: VoicemailId,
        /// How long it is.
        length_ms: u64,
        /// As it is kept; none when nothing was said or it could not be kept.
        audio: Option<Audio>,
        /// The caller is gone: what has ended the call says so itself.
        #[serde(default)]
        is_gone: bool,
    },
    /// One side put the other on hold.
    RecordHold {
        /// The leg whose phone did.
        leg: LegId,
    },
    /// That side took the other back.
    RecordRetrieve {
        /// The leg whose phone did.
        leg: LegId,
    },
    /// No RTP came from that side for too long.
    RecordMediaSilence {
        /// Which leg.
        leg: LegId,
        /// When the last packet came.
        since: Timestamp,
    },
    /// The sound is over, and was measured.
    RecordMedia {
        /// Each leg that sent or was sent something.
        legs: Vec<LegMedia>,
    },
    /// That side does not answer requests any more.
    RecordSignallingLost {
        /// Which leg.
        leg: LegId,
    },
}

impl Command {
    /// Its name, without its data: stable, part of derived ids.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReceiveCall { .. } => "receive_call",
            Self::PlaceCall(_) => "place_call",
            Self::AnswerCall => "answer_call",
            Self::StartOffer { .. } => "start_offer",
            Self::EndOffer { .. } => "end_offer",
            Self::OrderAnswer { .. } => "order_answer",
            Self::OverflowCall { .. } => "overflow_call",
            Self::TellPlace(_) => "tell_place",
            Self::RequeueCall(_) => "requeue_call",
            Self::WithdrawCall(_) => "withdraw_call",
            Self::TransferCall(_) => "transfer_call",
            Self::TagCall(_) => "tag_call",
            Self::SuperviseCall(_) => "supervise_call",
            Self::StopSupervising { .. } => "stop_supervising",
            Self::TimeOutLeg { .. } => "time_out_leg",
            Self::EndCall { .. } => "end_call",
            Self::RecordAlerting { .. } => "record_alerting",
            Self::RecordAnswerOrderRefused { .. } => "record_answer_order_refused",
            Self::RecordTrunk { .. } => "record_trunk",
            Self::RecordProgress { .. } => "record_progress",
            Self::RecordAnswer { .. } => "record_answer",
            Self::RecordFailure { .. } => "record_failure",
            Self::RecordBye { .. } => "record_bye",
            Self::RecordCancel { .. } => "record_cancel",
            Self::RecordKey { .. } => "record_key",
            Self::RecordAnnounced { .. } => "record_announced",
            Self::RecordVoicemail { .. } => "record_voicemail",
            Self::RecordHold { .. } => "record_hold",
            Self::RecordRetrieve { .. } => "record_retrieve",
            Self::RecordMediaSilence { .. } => "record_media_silence",
            Self::RecordMedia { .. } => "record_media",
            Self::RecordSignallingLost { .. } => "record_signalling_lost",
        }
    }
}
