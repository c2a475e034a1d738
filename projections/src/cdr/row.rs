//! The record of a call: who, when, how long, how it ended.

use super::{
    diverted::Diverted,
    leg::{Leg, Measured, Role, SegmentKind},
    takeover,
    voicemail::Voicemail,
};
use crate::{
    caller::Caller,
    tags,
    user_field::UserField,
    value::{
        Columns, Corrupt, flag, number, number_or_null, text, text_or_null, time, time_or_null,
        word,
    },
};
use commands::ports::Value;
use domain::{
    call::LegMedia,
    cause::{By, Disposition, EndReason, EndResult},
    id::{AgentId, CallId, DEFAULT_TENANT, LegId, OfferId, QueueId, TenantId, TrunkId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Letters of a dialled number that are kept: more is no number, and no index takes
/// any length.
const TO_MAX: usize = 256;

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To us.
    Inbound,
    /// From us: somebody is rung back.
    Outbound,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When; the last instant that is known of it.
    pub at: Timestamp,
    /// What became of the call.
    pub disposition: Disposition,
    /// Whose doing.
    pub result: EndResult,
    /// What happened.
    pub reason: EndReason,
    /// Which side ended it, as received.
    pub by: By,
    /// SIP status that the caller got, or that the wire gave.
    pub sip_status: Option<u16>,
    /// Q.850 cause value.
    pub q850_cause: Option<u8>,
    /// The received `Reason` header, verbatim.
    pub reason_header: Option<String>,
    /// The end was inferred: durations are a lower bound.
    pub incomplete: bool,
}

impl End {
    /// Its columns.
    fn values(&self) -> [Value; 9] {
        [
            time(self.at),
            word(&self.disposition),
            word(&self.result),
            word(&self.reason),
            word(&self.by),
            number_or_null(self.sip_status),
            number_or_null(self.q850_cause),
            text_or_null(self.reason_header.as_ref()),
            flag(self.incomplete),
        ]
    }
}

/// What a record said before it was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// Number of that revision, from 1.
    pub revision: u32,
    /// Position of the event that made it.
    pub event_position_last: u64,
    /// Its wrap-up.
    pub wrap_up_ms: u64,
    /// Its late facts.
    pub late_facts_count: u32,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
}

/// The record of one call. `revision` 1 is written when the call ends; facts
/// that come later (the agent's wrap-up, a second BYE) give the next one, and
/// `superseded` keeps what the earlier ones said. All durations are sums of
/// differences of event times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which call.
    pub call: CallId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Position of the call's first event.
    pub event_position_first: u64,
    /// 0 while the call is in progress.
    pub revision: u32,
    /// The tenant that it belongs to.
    #[serde(default = "only_tenant")]
    pub tenant: TenantId,
    /// Which way it went.
    pub direction: Direction,
    /// Who called.
    pub caller: Caller,
    /// Who sent the call on to us, where it was meant for somebody else.
    #[serde(default)]
    pub diverted: Option<Diverted>,
    /// User part of the Request-URI, as dialled.
    pub to: String,
    /// The trunk that let it in; of a call that we place the one that it goes out by.
    pub trunk: Option<TrunkId>,
    /// The queue that it was routed to.
    pub queue: Option<QueueId>,
    /// The agent who was connected, the last if it was transferred.
    pub agent: Option<AgentId>,
    /// The offer that was accepted, by that one.
    pub offer: Option<OfferId>,
    /// The caller's leg.
    pub caller_leg: LegId,
    /// Call-ID header, to find the call in a packet capture.
    pub sip_call_id: String,
    /// What the caller's phone or network says that it is.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The run of the node that received the call.
    #[serde(default)]
    pub node_epoch: u64,
    /// When the INVITE came.
    pub started_at: Timestamp,
    /// When it was enqueued.
    pub enqueued_at: Option<Timestamp>,
    /// When an agent's phone began to ring first.
    pub alerting_at: Option<Timestamp>,
    /// When the caller was answered.
    pub answered_at: Option<Timestamp>,
    /// When caller and that agent were connected.
    pub agent_connected_at: Option<Timestamp>,
    /// How it ended; none while it is in progress.
    pub end: Option<End>,
    /// Offers made to agents.
    pub offers_count: u32,
    /// How long agents' phones rang, all offers together.
    pub ring_ms: u64,
    /// How long one side held the other, once for overlapping holds; until a supervisor
    /// took the call over, as the agent's part ended there.
    pub hold_ms: u64,
    /// The agent's work after the call; of all of them if it was transferred.
    pub wrap_up_ms: u64,
    /// Facts that were reported after the end.
    pub late_facts_count: u32,
    /// Position of the event that made this revision; 0 while the call is in
    /// progress.
    pub revised_position: u64,
    /// The message that the caller was to leave, in a call that went to a mailbox.
    #[serde(default)]
    pub voicemail: Option<Voicemail>,
    /// Words by which it is found again.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// What somebody has written about it.
    #[serde(default)]
    pub user_field: Option<UserField>,
    /// Earlier revisions.
    pub superseded: Vec<Superseded>,
    /// The legs, in the order in which they began.
    pub legs: Vec<Leg>,
    /// Since when a phone rings, and whose leg it is.
    pub(crate) ringing: Option<(LegId, Timestamp)>,
    /// Legs that hold the other side.
    pub(crate) holding: Vec<LegId>,
    /// Since when one does.
    pub(crate) held_at: Option<Timestamp>,
}

/// Of records that were begun before tenants were kept.
const fn only_tenant() -> TenantId {
    DEFAULT_TENANT
}

impl Row {
    /// When it ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.end.as_ref().map(|end| end.at)
    }

    /// From the INVITE to the caller's answer; none if unanswered.
    pub fn setup_ms(&self) -> Option<u64> {
        self.answered_at.map(|at| at.ms_since(self.started_at))
    }

    /// From the INVITE to the end; 0 while it is in progress.
    pub fn duration_ms(&self) -> u64 {
        self.until_end(Some(self.started_at))
    }

    /// From the caller's answer to the end; 0 if unanswered.
    pub fn billable_ms(&self) -> u64 {
        self.until_end(self.answered_at)
    }

    /// How long the caller was in queues, the ringing of agents' phones included:
    /// until an agent was connected, it was sent on, or the end.
    pub fn wait_ms(&self) -> u64 {
        self.spent_ms(SegmentKind::Queue)
    }

    /// How long caller and agent, or somebody outside, were connected, without
    /// holds: not with a supervisor who took the call over.
    pub fn talk_ms(&self) -> u64 {
        self.spent_ms(SegmentKind::Talk)
    }

    /// The number that a leg was to reach outside: that of the configuration, or of
    /// whoever was rung back, as long as it may be known. None of any other leg.
    pub fn dialled<'a>(&'a self, leg: &'a Leg) -> Option<&'a str> {
        match self.direction {
            Direction::Outbound if leg.leg == self.caller_leg => {
                let party = self.caller.party.as_ref()?;
                Some(&party.user)
            }
            Direction::Outbound | Direction::Inbound => leg.dialled.as_deref(),
        }
    }

    /// The codec of the call, once somebody has answered it who is heard: the legs
    /// are connected without a change of it.
    pub fn codec(&self) -> Option<&str> {
        self.own_legs().rev().find_map(|leg| leg.codec.as_deref())
    }

    /// The codec of the caller's side, or of whoever is rung back; of a caller who hears
    /// us, known when the sound is measured.
    pub fn codec_in(&self) -> Option<&str> {
        let mut legs = self.legs.iter();
        legs.find(|leg| leg.leg == self.caller_leg)?.codec()
    }

    /// The codec of the other side: the agent's, or that of somebody outside.
    pub fn codec_out(&self) -> Option<&str> {
        self.other_leg()?.codec()
    }

    /// What the phone of the agent who was connected says that it is.
    pub fn device(&self) -> Option<&str> {
        self.other_leg()?.device.as_deref()
    }

    /// Those without which there would be no call: not of whoever only heard it.
    pub fn own_legs(&self) -> impl DoubleEndedIterator<Item = &Leg> {
        let legs = self.legs.iter();
        legs.filter(|leg| leg.role != Role::Supervisor)
    }

    /// The leg that was connected to the caller's, the last of them.
    fn other_leg(&self) -> Option<&Leg> {
        let mut legs = self.own_legs().rev();
        legs.find(|leg| leg.leg != self.caller_leg && leg.answered_at.is_some())
    }

    /// The worst predicted opinion score of its legs, in hundredths; none while
    /// nothing is measured or nobody was heard.
    pub fn mos_hundredths(&self) -> Option<u16> {
        self.media().filter_map(LegMedia::mos_hundredths).min()
    }

    /// The greatest loss of its legs that were heard, in millionths of their packets.
    pub fn loss_ppm(&self) -> Option<u32> {
        self.heard().map(LegMedia::loss_ppm).max()
    }

    /// The greatest mean jitter of its legs that were heard, in microseconds.
    pub fn jitter_us(&self) -> Option<u32> {
        self.heard().map(|media| media.jitter_us).max()
    }

    /// The longest mean way to a phone of it and back, in microseconds.
    pub fn rtt_us(&self) -> Option<u32> {
        self.media().filter_map(|media| media.rtt_us).max()
    }

    /// The legs over which something came.
    fn heard(&self) -> impl Iterator<Item = &LegMedia> {
        self.media().filter(|media| media.received_count > 0)
    }

    fn media(&self) -> impl Iterator<Item = &LegMedia> {
        let measured = self.own_legs().filter_map(|leg| leg.measured.as_ref());
        measured.map(|Measured { media, .. }| media)
    }

    /// The record as it stood when the log had got as far as a position; none
    /// when the call had not ended by then. The same for ever, but for personal
    /// data that is erased.
    pub fn as_of(&self, position: u64) -> Option<Self> {
        if self.end.is_none() || self.ended_position() > position {
            return None;
        }
        let mut row = self.clone();
        row.legs = self.legs.iter().map(|leg| leg.as_of(position)).collect();
        row.voicemail = self.voicemail.map(|voicemail| voicemail.as_of(position));
        let field = self.user_field.as_ref();
        row.user_field = field.and_then(|field| field.as_of(position));
        while row.revised_position > position {
            let Some(earlier) = row.superseded.pop() else {
                break;
            };
            row.revision = earlier.revision;
            row.revised_position = earlier.event_position_last;
            row.wrap_up_ms = earlier.wrap_up_ms;
            row.late_facts_count = earlier.late_facts_count;
            row.tags = earlier.tags;
        }
        row.position = row.revised_position;
        Some(row)
    }

    /// Position of the event that ended the call; 0 while it is in progress.
    pub fn ended_position(&self) -> u64 {
        let first = self.superseded.first();
        first.map_or(self.revised_position, |first| first.event_position_last)
    }

    fn until_end(&self, from: Option<Timestamp>) -> u64 {
        match (from, self.ended_at()) {
            (Some(from), Some(end)) => end.ms_since(from),
            (None | Some(_), None) | (None, Some(_)) => 0,
        }
    }
}

/// The columns of an ended call, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "call_id",
    "position",
    "event_position_first",
    "revision",
    "direction",
    "subject",
    "from_user",
    "from_host",
    "from_name",
    "to_user",
    "trunk_id",
    "queue_id",
    "agent_id",
    "offer_id",
    "caller_leg",
    "sip_call_id",
    "started_at",
    "enqueued_at",
    "alerting_at",
    "answered_at",
    "agent_connected_at",
    "offers_count",
    "ring_ms",
    "hold_ms",
    "wrap_up_ms",
    "late_facts_count",
    "superseded",
    "wrap_up_started_at",
    "ended_at",
    "disposition",
    "result",
    "reason",
    "hangup_by",
    "sip_status",
    "q850_cause",
    "reason_header",
    "incomplete",
    // Computed from the others; kept for whoever reads the table with SQL.
    "setup_ms",
    "duration_ms",
    "billable_ms",
    "wait_ms",
    "talk_ms",
    "ended_position",
    "revised_position",
    "legs",
    "user_agent",
    "node_epoch",
    "codec",
    "diverted_subject",
    "diverted_user",
    "diverted_host",
    "diverted_name",
    "diverted_reason",
    // Computed from the legs.
    "mos_hundredths",
    "loss_ppm",
    "jitter_us",
    "rtt_us",
    "mailbox_id",
    "voicemail_id",
    "voicemail_outcome",
    "voicemail_ms",
    "voicemail_position",
    "tags",
    "user_field_subject",
    "user_field_position",
    "user_field",
    "tenant_id",
    // Computed from the legs.
    "codec_in",
    "codec_out",
    "device",
    "agent_left_at",
    // Computed from the legs.
    "went_out_at",
    "transfers_count",
];

impl Row {
    /// The columns of an ended call.
    pub(crate) fn values(&self, end: &End) -> Vec<Value> {
        let [subject, from_user, from_host, from_name] = self.caller.values();
        let mut values = vec![
            text(self.call),
            number(self.position),
            number(self.event_position_first),
            number(self.revision),
            word(&self.direction),
            subject,
            from_user,
            from_host,
            from_name,
            text(self.to.chars().take(TO_MAX).collect::<String>()),
            text_or_null(self.trunk),
            text_or_null(self.queue),
            text_or_null(self.agent),
            text_or_null(self.offer),
            text(self.caller_leg),
            text(&self.sip_call_id),
            time(self.started_at),
            time_or_null(self.enqueued_at),
            time_or_null(self.alerting_at),
            time_or_null(self.answered_at),
            time_or_null(self.agent_connected_at),
            number(self.offers_count),
            number(self.ring_ms),
            number(self.hold_ms),
            number(self.wrap_up_ms),
            number(self.late_facts_count),
            word(&self.superseded),
            time_or_null(self.wrap_up_started_at()),
        ];
        values.extend(end.values());
        values.extend([
            number_or_null(self.setup_ms()),
            number(self.duration_ms()),
            number(self.billable_ms()),
            number(self.wait_ms()),
            number(self.talk_ms()),
            number(self.ended_position()),
            number(self.revised_position),
            word(&self.legs),
            text_or_null(self.user_agent.as_ref()),
            number(self.node_epoch),
            text_or_null(self.codec()),
        ]);
        values.extend(Diverted::values(self.diverted.as_ref()));
        values.extend([
            number_or_null(self.mos_hundredths()),
            number_or_null(self.loss_ppm()),
            number_or_null(self.jitter_us()),
            number_or_null(self.rtt_us()),
        ]);
        values.extend(Voicemail::values(self.voicemail.as_ref()));
        values.push(tags::value(&self.tags));
        values.extend(UserField::values(self.user_field.as_ref()));
        values.extend([
            text(self.tenant),
            text_or_null(self.codec_in()),
            text_or_null(self.codec_out()),
            text_or_null(self.device()),
            time_or_null(takeover::agent_left_at(self)),
            time_or_null(self.went_out_at()),
            number(self.transfers_count()),
        ]);
        values
    }

    /// Reads an ended call.
    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        let mut row = Self::read_facts(columns)?;
        // Computed from the others.
        let _computed = (
            columns.number_or_null::<u64>()?,
            columns.number::<u64>()?,
            columns.number::<u64>()?,
            columns.number::<u64>()?,
            columns.number::<u64>()?,
            columns.number::<u64>()?,
        );
        row.revised_position = columns.number()?;
        row.legs = columns.word()?;
        row.user_agent = columns.text_or_null()?;
        row.node_epoch = columns.number()?;
        // That of the legs.
        let _codec = columns.text_or_null()?;
        row.diverted = Diverted::read(columns)?;
        // Those of the legs.
        let _computed = (
            columns.number_or_null::<u64>()?,
            columns.number_or_null::<u64>()?,
            columns.number_or_null::<u64>()?,
            columns.number_or_null::<u64>()?,
        );
        row.voicemail = Voicemail::read(columns)?;
        row.tags = tags::read(columns)?;
        row.user_field = UserField::read(columns)?;
        row.tenant = columns.id()?;
        // Those of the legs.
        columns.skip(3)?;
        Ok(row)
    }

    fn read_facts(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            call: columns.id()?,
            position: columns.number()?,
            event_position_first: columns.number()?,
            revision: columns.number()?,
            tenant: DEFAULT_TENANT,
            direction: columns.word()?,
            caller: Caller::read(columns)?,
            diverted: None,
            to: columns.text()?,
            trunk: columns.id_or_null()?,
            queue: columns.id_or_null()?,
            agent: columns.id_or_null()?,
            offer: columns.id_or_null()?,
            caller_leg: columns.id()?,
            sip_call_id: columns.text()?,
            user_agent: None,
            node_epoch: 0,
            started_at: columns.time()?,
            enqueued_at: columns.time_or_null()?,
            alerting_at: columns.time_or_null()?,
            answered_at: columns.time_or_null()?,
            agent_connected_at: columns.time_or_null()?,
            offers_count: columns.number()?,
            ring_ms: columns.number()?,
            hold_ms: columns.number()?,
            wrap_up_ms: columns.number()?,
            late_facts_count: columns.number()?,
            revised_position: 0,
            voicemail: None,
            tags: BTreeSet::new(),
            user_field: None,
            superseded: columns.word()?,
            legs: vec![],
            end: Some(End {
                at: {
                    // Behind the wrap-up's, which is that of the legs.
                    columns.skip(1)?;
                    columns.time()?
                },
                disposition: columns.word()?,
                result: columns.word()?,
                reason: columns.word()?,
                by: columns.word()?,
                sip_status: columns.number_or_null()?,
                q850_cause: columns.number_or_null()?,
                reason_header: columns.text_or_null()?,
                incomplete: columns.flag()?,
            }),
            ringing: None,
            holding: vec![],
            held_at: None,
        })
    }
}
