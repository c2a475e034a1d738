//! A call in progress, as a live board wants it.

use crate::{
    caller::Caller,
    cdr::Direction,
    tags,
    user_field::UserField,
    value::{Columns, Corrupt, flag, number, text, text_or_null, time, time_or_null, word},
};
use commands::ports::Value;
use domain::{
    call::SupervisionMode,
    id::{AgentId, CallId, LegId, OfferId, QueueId, TrunkId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a call in progress is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its INVITE came; not yet in a queue.
    Received,
    /// In a queue, with no offer.
    Waiting,
    /// In a queue, phones of agents are to ring or ring.
    Offering,
    /// Caller and agent talk.
    Connected,
    /// Two sides are connected and one holds the other.
    Held,
    /// A number outside is being dialled.
    Dialling,
    /// Caller and somebody outside talk.
    Outside,
    /// The caller hears an announcement, the last thing before the end.
    Announcing,
    /// The caller is in a mailbox, the last thing before the end.
    Voicemail,
}

/// A live offer of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ringing {
    /// Which.
    pub offer: OfferId,
    /// Whose phones.
    pub agent: AgentId,
    /// The agent's leg.
    pub leg: LegId,
    /// Since when.
    pub since: Timestamp,
}

/// Somebody who hears the call besides, or is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// The leg to that one's phone.
    pub leg: LegId,
    /// Whose phone.
    pub supervisor: AgentId,
    /// Who hears whom.
    pub mode: SupervisionMode,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the phone has answered; none while it rings.
    pub started_at: Option<Timestamp>,
}

/// A call in progress. The row goes when the call has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which call.
    pub call: CallId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it is.
    pub state: State,
    /// Since when it is there.
    pub since: Timestamp,
    /// Who calls.
    pub caller: Caller,
    /// User part of the Request-URI: queue name or number.
    pub to: String,
    /// The trunk that let it in.
    pub trunk: Option<TrunkId>,
    /// Its queue.
    pub queue: Option<QueueId>,
    /// Its stay in that queue.
    pub visit: Option<VisitId>,
    /// The agent who is offered or connected, or was until a supervisor took the call over.
    pub agent: Option<AgentId>,
    /// The offer that is live or was accepted.
    pub offer: Option<OfferId>,
    /// The live offers, the first of them first: several where phones ring side
    /// by side. The fields above and below are those of the first.
    pub ringing: Vec<Ringing>,
    /// Offers made so far, the live ones too.
    pub offers_count: u32,
    /// When the INVITE came.
    pub received_at: Timestamp,
    /// When it was enqueued.
    pub enqueued_at: Option<Timestamp>,
    /// When the caller was answered.
    pub answered_at: Option<Timestamp>,
    /// When the live or accepted offer started.
    pub offered_at: Option<Timestamp>,
    /// When the phone of that offer began to ring.
    pub alerting_at: Option<Timestamp>,
    /// When caller and agent were connected.
    pub agent_connected_at: Option<Timestamp>,
    /// The caller's leg.
    pub caller_leg: LegId,
    /// The agent's leg that is offered or connected; that of the supervisor who has taken
    /// the call over.
    pub agent_leg: Option<LegId>,
    /// The caller holds the agent.
    pub held_by_caller: bool,
    /// The agent, or whoever is outside, holds the caller.
    pub held_by_agent: bool,
    /// Call-ID header, to find the call in a packet capture.
    pub sip_call_id: String,
    /// Words by which it is found again.
    pub tags: BTreeSet<String>,
    /// What somebody has written about it.
    pub user_field: Option<UserField>,
    /// Who hears it besides.
    pub supervision: Option<Supervision>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "call_id",
    "position",
    "state",
    "since",
    "subject",
    "from_user",
    "from_host",
    "from_name",
    "to_user",
    "trunk_id",
    "queue_id",
    "agent_id",
    "offer_id",
    "offers_count",
    "received_at",
    "enqueued_at",
    "answered_at",
    "offered_at",
    "alerting_at",
    "agent_connected_at",
    "caller_leg",
    "agent_leg",
    "held_by_caller",
    "held_by_agent",
    "sip_call_id",
    "ringing",
    "visit_id",
    "tags",
    "user_field_subject",
    "user_field_position",
    "user_field",
    "supervision",
    "direction",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        let [subject, from_user, from_host, from_name] = self.caller.values();
        let mut values = vec![
            text(self.call),
            number(self.position),
            word(&self.state),
            time(self.since),
            subject,
            from_user,
            from_host,
            from_name,
            text(&self.to),
            text_or_null(self.trunk),
            text_or_null(self.queue),
            text_or_null(self.agent),
            text_or_null(self.offer),
            number(self.offers_count),
            time(self.received_at),
            time_or_null(self.enqueued_at),
            time_or_null(self.answered_at),
            time_or_null(self.offered_at),
            time_or_null(self.alerting_at),
            time_or_null(self.agent_connected_at),
            text(self.caller_leg),
            text_or_null(self.agent_leg),
            flag(self.held_by_caller),
            flag(self.held_by_agent),
            text(&self.sip_call_id),
            word(&self.ringing),
            text_or_null(self.visit),
            tags::value(&self.tags),
        ];
        values.extend(UserField::values(self.user_field.as_ref()));
        values.extend([word(&self.supervision), word(&self.direction)]);
        values
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            call: columns.id()?,
            position: columns.number()?,
            state: columns.word()?,
            since: columns.time()?,
            caller: Caller::read(columns)?,
            to: columns.text()?,
            trunk: columns.id_or_null()?,
            queue: columns.id_or_null()?,
            agent: columns.id_or_null()?,
            offer: columns.id_or_null()?,
            offers_count: columns.number()?,
            received_at: columns.time()?,
            enqueued_at: columns.time_or_null()?,
            answered_at: columns.time_or_null()?,
            offered_at: columns.time_or_null()?,
            alerting_at: columns.time_or_null()?,
            agent_connected_at: columns.time_or_null()?,
            caller_leg: columns.id()?,
            agent_leg: columns.id_or_null()?,
            held_by_caller: columns.flag()?,
            held_by_agent: columns.flag()?,
            sip_call_id: columns.text()?,
            ringing: columns.word()?,
            visit: columns.id_or_null()?,
            tags: tags::read(columns)?,
            user_field: UserField::read(columns)?,
            supervision: columns.word_or_null()?,
            direction: columns.word()?,
        })
    }
}
