//! An agent and what it is doing, as a live board wants it.

use crate::value::{
    Columns, Corrupt, flag, number, number_or_null, text, text_or_null, time_or_null, word,
};
use commands::ports::Value;
use domain::{
    agent::{Place, Skill},
    id::{AgentId, CallId, OfferId, QueueId, SessionId, SubjectId},
    session::{NextState, NotReadyCode, NotReadyReason, ReleaseReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The first coordinate: whether the agent wants calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routability {
    /// No session.
    LoggedOut,
    /// Yes.
    Ready,
    /// No; the row's `reason` says why.
    NotReady,
}

/// The second coordinate: what the agent does, of several things the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Nothing.
    Idle,
    /// Taken for an offer; the phone does not ring yet.
    Reserved,
    /// The phone rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
}

/// Both coordinates in one word, for a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No session.
    LoggedOut,
    /// Takes no calls.
    NotReady,
    /// Free for a call.
    Ready,
    /// Taken for an offer.
    Reserved,
    /// The phone rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
}

impl State {
    /// The word for both coordinates: what the agent does, and when that is
    /// nothing, what the agent wants.
    pub const fn of(routability: Routability, activity: Activity) -> Self {
        match activity {
            Activity::Idle => match routability {
                Routability::LoggedOut => Self::LoggedOut,
                Routability::NotReady => Self::NotReady,
                Routability::Ready => Self::Ready,
            },
            Activity::Reserved => Self::Reserved,
            Activity::Ringing => Self::Ringing,
            Activity::OnContact => Self::OnContact,
            Activity::WrapUp => Self::WrapUp,
        }
    }
}

/// An offer, a contact or a wrap-up of an agent: with several voice units there may be
/// several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// What it is; never idle.
    pub activity: Activity,
    /// Of which call.
    pub call: CallId,
    /// The offer that is live or was accepted; none for a wrap-up.
    pub offer: Option<OfferId>,
    /// The queue that the call came from; none for a wrap-up.
    pub queue: Option<QueueId>,
    /// When the reservation falls or the wrap-up ends by itself.
    pub until: Option<Timestamp>,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which agent.
    pub agent: AgentId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Its name, which is its user name too; empty until it is provisioned.
    pub name: String,
    /// Whose data the name is, where one was given.
    pub subject: Option<SubjectId>,
    /// The person's name, where it is given and not erased.
    pub display_name: Option<String>,
    /// The queues that the agent serves.
    pub queues: Vec<QueueId>,
    /// A registered phone logs the agent in, ready.
    pub ready_on_register: bool,
    /// When the last phone is gone, the agent stays as before for so long.
    pub registration_grace_ms: u64,
    /// What the agent is good at.
    pub skills: Vec<Skill>,
    /// Where it stands in queues, if not in the first tier.
    pub places: Vec<Place>,
    /// How many calls it may have at once.
    pub capacity: u8,
    /// Version of the configuration; 0 until it is provisioned.
    pub config_version: u32,
    /// The number of the last or present login; none before the first.
    pub session_number: Option<u32>,
    /// How much has been said of that login.
    pub session_version: u64,
    /// How much has been said of all logins.
    pub session_revision: u64,
    /// When the present session started.
    pub logged_in_at: Option<Timestamp>,
    /// Whether the agent wants calls.
    pub routability: Routability,
    /// Why not.
    pub reason: Option<NotReadyReason>,
    /// In a word of the settings.
    pub code: Option<NotReadyCode>,
    /// What the agent is doing; of several things the first, and so the fields below.
    pub activity: Activity,
    /// All that it is doing, in the order in which it began.
    pub engagements: Vec<Engagement>,
    /// When routability, reason or activity last changed.
    pub since: Option<Timestamp>,
    /// When the reservation falls or the wrap-up ends by itself.
    pub until: Option<Timestamp>,
    /// Not offered anything before this instant.
    pub not_before: Option<Timestamp>,
    /// Why so.
    pub left_alone: Option<ReleaseReason>,
    /// Asked for while engaged; applied afterwards.
    pub next: Option<NextState>,
    /// Why not ready then, in a word of the settings.
    pub next_code: Option<NotReadyCode>,
    /// The call of the offer, contact or wrap-up.
    pub call: Option<CallId>,
    /// The offer that is live or was accepted.
    pub offer: Option<OfferId>,
    /// The queue that the call came from.
    pub queue: Option<QueueId>,
    /// Offers missed in a row.
    pub missed_count: u32,
    /// Registered phones.
    pub devices_count: u32,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "agent_id",
    "position",
    "name",
    "display_name",
    "subject",
    "queues",
    "ready_on_register",
    "config_version",
    "session_number",
    "logged_in_at",
    "routability",
    "reason",
    "activity",
    "since",
    "until_at",
    "not_before_at",
    "next_state",
    "call_id",
    "offer_id",
    "queue_id",
    "missed_count",
    "devices_count",
    "skills",
    "places",
    "code",
    "next_code",
    "registration_grace_ms",
    "left_alone",
    "session_version",
    "session_revision",
    "capacity",
    "engagements",
];

impl Row {
    /// The present or last session.
    pub fn session(&self) -> Option<SessionId> {
        self.session_number.map(|number| SessionId {
            agent: self.agent,
            number,
        })
    }

    /// How many calls it has: reservations and contacts.
    pub fn calls_count(&self) -> usize {
        let units = self.engagements.iter().filter(|it| match it.activity {
            Activity::Reserved | Activity::Ringing | Activity::OnContact => true,
            Activity::Idle | Activity::WrapUp => false,
        });
        units.count()
    }

    /// What is under way by that offer.
    pub fn of_offer(&self, offer: OfferId) -> Option<&Engagement> {
        self.engagements.iter().find(|it| it.offer == Some(offer))
    }

    /// The work after that call, or the one that began first.
    pub fn wrap_up(&self, call: Option<CallId>) -> Option<&Engagement> {
        self.engagements
            .iter()
            .find(|it| it.activity == Activity::WrapUp && call.is_none_or(|call| call == it.call))
    }

    /// The fields of the one are those of what comes first: the contact that came last,
    /// before a phone that rings, a reservation, and the wrap-up that began first.
    pub(super) fn show_first(&mut self) {
        let all = &self.engagements;
        let is = |activity| move |it: &&Engagement| it.activity == activity;
        let contact = all.iter().rev().find(is(Activity::OnContact));
        let first = contact
            .or_else(|| all.iter().find(is(Activity::Ringing)))
            .or_else(|| all.iter().find(is(Activity::Reserved)))
            .or_else(|| all.first())
            .copied();
        self.activity = first.map_or(Activity::Idle, |first| first.activity);
        self.offer = first.and_then(|first| first.offer);
        self.call = first.map(|first| first.call);
        self.queue = first.and_then(|first| first.queue);
        self.until = first.and_then(|first| first.until);
    }

    /// Both coordinates in one word.
    pub const fn state(&self) -> State {
        State::of(self.routability, self.activity)
    }

    /// Forgets the person behind the agent, if it is this one; whether it is.
    pub(crate) fn forget(&mut self, subject: SubjectId) -> bool {
        if self.subject != Some(subject) {
            return false;
        }
        self.display_name = None;
        true
    }

    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.agent),
            number(self.position),
            text(&self.name),
            text_or_null(self.display_name.as_ref()),
            text_or_null(self.subject),
            word(&self.queues),
            flag(self.ready_on_register),
            number(self.config_version),
            number_or_null(self.session_number),
            time_or_null(self.logged_in_at),
            word(&self.routability),
            word(&self.reason),
            word(&self.activity),
            time_or_null(self.since),
            time_or_null(self.until),
            time_or_null(self.not_before),
            word(&self.next),
            text_or_null(self.call),
            text_or_null(self.offer),
            text_or_null(self.queue),
            number(self.missed_count),
            number(self.devices_count),
            word(&self.skills),
            word(&self.places),
            word(&self.code),
            word(&self.next_code),
            number(self.registration_grace_ms),
            word(&self.left_alone),
            number(self.session_version),
            number(self.session_revision),
            number(self.capacity),
            word(&self.engagements),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            agent: columns.id()?,
            position: columns.number()?,
            name: columns.text()?,
            display_name: columns.text_or_null()?,
            subject: columns.id_or_null()?,
            queues: columns.word()?,
            ready_on_register: columns.flag()?,
            config_version: columns.number()?,
            session_number: columns.number_or_null()?,
            logged_in_at: columns.time_or_null()?,
            routability: columns.word()?,
            reason: columns.word_or_null()?,
            activity: columns.word()?,
            since: columns.time_or_null()?,
            until: columns.time_or_null()?,
            not_before: columns.time_or_null()?,
            next: columns.word_or_null()?,
            call: columns.id_or_null()?,
            offer: columns.id_or_null()?,
            queue: columns.id_or_null()?,
            missed_count: columns.number()?,
            devices_count: columns.number()?,
            skills: columns.word()?,
            places: columns.word()?,
            code: columns.word_or_null()?,
            next_code: columns.word_or_null()?,
            registration_grace_ms: columns.number()?,
            left_alone: columns.word_or_null()?,
            session_version: columns.number()?,
            session_revision: columns.number()?,
            capacity: columns.number()?,
            engagements: columns.word()?,
        })
    }
}
