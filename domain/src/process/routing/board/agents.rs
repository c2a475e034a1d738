//! The agents: who is free for which queue, in which order, and what keeps the
//! others from a call.

use super::Board;
use crate::{
    agent,
    decider::Decider as _,
    id::{AgentId, CallId, OfferId, QueueId, SessionId},
    process::routing::rank::{Rank, Record, Skills, behind_all_idle, level, rank},
    queue::Requirement,
    session::{self, LeftOutReason, ReleaseReason, Session},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an agent is believed to be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::process::routing) enum Activity {
    LoggedOut,
    NotReady,
    Free,
    /// Reserved, with a caller, or in wrap-up; there may be room for one more call.
    Engaged,
}

/// What keeps an agent from a call, if anything does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::process::routing) enum Standing {
    Free,
    /// With a caller, or several, and may have one more.
    Room,
    LoggedOut,
    NotReady,
    Engaged,
    /// A person wants the agent to be offered none of the queue's calls.
    MemberPaused,
    /// Left alone for a while after an offer in vain.
    Paused,
    /// A reservation has been asked for and not yet answered.
    Asked,
}

impl Standing {
    /// The same in a queue in which a person has paused the agent.
    const fn paused(self) -> Self {
        match self {
            Self::LoggedOut | Self::NotReady => self,
            Self::Free
            | Self::Room
            | Self::Engaged
            | Self::MemberPaused
            | Self::Paused
            | Self::Asked => Self::MemberPaused,
        }
    }

    /// The same as the record says it; none for who may be asked.
    pub(in crate::process::routing) const fn reason(self) -> Option<LeftOutReason> {
        match self {
            Self::Free | Self::Room => None,
            Self::LoggedOut => Some(LeftOutReason::LoggedOut),
            Self::NotReady => Some(LeftOutReason::NotReady),
            Self::Engaged => Some(LeftOutReason::Engaged),
            Self::MemberPaused => Some(LeftOutReason::MemberPaused),
            Self::Paused => Some(LeftOutReason::Paused),
            Self::Asked => Some(LeftOutReason::Asked),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::process::routing) struct AgentRow {
    pub(super) session: Option<SessionId>,
    /// Version of the session's stream up to which events were heard.
    seen_version: u64,
    activity: Activity,
    /// Since when nothing was to do: longest idle comes first.
    idle_since: Timestamp,
    /// Not offered anything before this instant.
    not_before: Option<Timestamp>,
    /// That is because none of its phones could be reached.
    is_lost: bool,
    pub(super) queues: BTreeMap<QueueId, Member>,
    skills: Skills,
    /// What it has done since logging in.
    record: Record,
    /// Since when it talks, in each of its calls.
    talks: BTreeMap<CallId, Timestamp>,
    /// How many calls it may have at once.
    capacity: u8,
    /// It is engaged, and may have one more.
    has_room: bool,
    /// Its session, as its stream has told it: what the next event completes.
    folded: Session,
    /// Where it stands among the free of each queue, while it is free.
    ranked: Vec<(QueueId, Rank)>,
    /// Among whom of each queue it stands.
    standing: Standing,
    /// A reservation has been asked for and not yet answered.
    pub(super) wish: Option<OfferId>,
}

impl AgentRow {
    /// Whether it has what a call asks for after so long a wait.
    pub(in crate::process::routing) fn has(&self, wanted: &[Requirement], waited_ms: u64) -> bool {
        wanted.iter().all(|wanted| {
            wanted.preferred || level(&self.skills, &wanted.skill) >= wanted.level_after(waited_ms)
        })
    }

    /// Where it stands in a queue that it serves.
    pub(in crate::process::routing) fn member(&self, queue: QueueId) -> Option<&Member> {
        self.queues.get(&queue)
    }

    /// Logged in, and ready or on a call.
    pub(in crate::process::routing) const fn is_staffed(&self) -> bool {
        matches!(self.activity, Activity::Free | Activity::Engaged)
    }

    /// May be asked now, with or without a call.
    pub(in crate::process::routing) const fn is_free(&self) -> bool {
        matches!(self.standing(), Standing::Free | Standing::Room)
    }

    /// Its calls: reservations and contacts.
    pub(in crate::process::routing) fn calls_count(&self) -> usize {
        self.folded.calls_count()
    }

    /// With a caller, or several, and may have one more.
    pub(in crate::process::routing) const fn has_room(&self) -> bool {
        self.has_room
    }

    /// Its contacts.
    pub(in crate::process::routing) fn contacts_count(&self) -> usize {
        self.folded.contacts_count()
    }

    /// How many calls it may have at once.
    pub(in crate::process::routing) const fn capacity(&self) -> u8 {
        self.capacity
    }

    const fn standing(&self) -> Standing {
        match self.activity {
            Activity::LoggedOut => Standing::LoggedOut,
            Activity::NotReady => Standing::NotReady,
            Activity::Engaged if !self.has_room => Standing::Engaged,
            Activity::Free | Activity::Engaged if self.wish.is_some() => Standing::Asked,
            Activity::Free | Activity::Engaged if self.not_before.is_some() => Standing::Paused,
            Activity::Free => Standing::Free,
            Activity::Engaged => Standing::Room,
        }
    }
}

/// An agent's place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::process::routing) struct Member {
    /// When it began to serve the queue, in a number that only grows.
    pub(in crate::process::routing) joined: u64,
    /// When it was last taken for an offer of it; 0 for never.
    pub(in crate::process::routing) taken: u64,
    pub(in crate::process::routing) tier: u8,
    pub(in crate::process::routing) penalty: u8,
    pub(in crate::process::routing) weight: u8,
}

impl Board {
    pub(super) fn row(&mut self, agent: AgentId) -> &mut AgentRow {
        self.agents.entry(agent).or_insert_with(|| AgentRow {
            session: None,
            seen_version: 0,
            activity: Activity::LoggedOut,
            idle_since: Timestamp::default(),
            not_before: None,
            is_lost: false,
            queues: BTreeMap::new(),
            skills: Skills::new(),
            record: Record::default(),
            talks: BTreeMap::new(),
            capacity: 1,
            has_room: false,
            folded: Session::default(),
            ranked: vec![],
            standing: Standing::LoggedOut,
            wish: None,
        })
    }

    /// The agent's row is changed, and stands where it belongs afterwards.
    fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut AgentRow)) {
        self.unindex(agent);
        change(self.row(agent));
        self.index(agent);
    }

    pub(in crate::process::routing) fn serve(&mut self, agent: AgentId, config: &agent::Config) {
        self.unindex(agent);
        // Who goes on serving a queue keeps its place in it.
        let before = std::mem::take(&mut self.row(agent).queues);
        // Also where it serves no longer: somebody may have been kept for it.
        self.changed.extend(before.keys().copied());
        let mut members = BTreeMap::new();
        for queue in &config.queues {
            let (joined, taken) = match before.get(queue) {
                Some(member) => (member.joined, member.taken),
                None => (self.next_number(), 0),
            };
            let place = config.place(*queue);
            let member = Member {
                joined,
                taken,
                tier: place.tier,
                penalty: place.penalty,
                weight: place.weight,
            };
            members.insert(*queue, member);
        }
        let skills = config.skills.iter();
        let row = self.row(agent);
        row.queues = members;
        row.skills = skills.map(|s| (s.skill.clone(), s.level)).collect();
        row.capacity = config.capacity;
        self.index(agent);
        self.looks_for_room(agent, false);
    }

    pub(in crate::process::routing) fn log_in(&mut self, session: SessionId) {
        self.change(session.agent, |row| {
            row.session = Some(session);
            row.activity = Activity::NotReady;
            row.not_before = None;
            row.record = Record::default();
            row.talks.clear();
            row.has_room = false;
        });
    }

    /// The session's stream has said so.
    pub(in crate::process::routing) fn set(
        &mut self,
        agent: AgentId,
        activity: Activity,
        at: Timestamp,
    ) {
        // Who is asked for one more call while another ends has not answered by that.
        let wish = self.agents.get(&agent).filter(|row| row.has_room);
        let wish = wish.and_then(|row| row.wish);
        let wish = wish.filter(|wish| self.wishes.contains(wish));
        self.change(agent, |row| {
            if activity == Activity::Free && row.activity != Activity::Free {
                row.idle_since = at;
            }
            row.activity = activity;
            row.wish = wish;
        });
    }

    /// Something is over while something else goes on.
    pub(in crate::process::routing) fn has_ended(&mut self, agent: AgentId, at: Timestamp) {
        self.change(agent, |row| row.idle_since = at);
    }

    /// The agent was taken for an offer of that queue.
    pub(in crate::process::routing) fn taken(&mut self, agent: AgentId, queue: QueueId) {
        let number = self.next_number();
        let mut joined = None;
        self.change(agent, |row| {
            if let Some(member) = row.queues.get_mut(&queue) {
                member.taken = number;
                joined = Some(member.joined);
            }
        });
        if let Some(joined) = joined {
            self.rounds.insert(queue, joined);
        }
    }

    /// The agent talks in the call from that instant on.
    pub(in crate::process::routing) fn begins_to_talk(
        &mut self,
        agent: AgentId,
        call: CallId,
        at: Timestamp,
    ) {
        self.change(agent, |row| {
            row.record.calls_count += 1;
            row.talks.insert(call, at);
        });
    }

    /// The agent talks no more in the call.
    pub(in crate::process::routing) fn stops_talking(
        &mut self,
        agent: AgentId,
        call: CallId,
        at: Timestamp,
    ) {
        if self.handed_on.get(&call) == Some(&agent) {
            self.handed_on.remove(&call);
        }
        self.change(agent, |row| {
            if let Some(since) = row.talks.remove(&call) {
                row.record.talk_ms = row.record.talk_ms.saturating_add(at.ms_since(since));
            }
        });
    }

    /// Whether the agent may have one more call beside those that it has, as its session
    /// stands.
    pub(in crate::process::routing) fn looks_for_room(&mut self, agent: AgentId, is_half: bool) {
        let row = self.row(agent);
        let is_engaged = row.activity == Activity::Engaged && !is_half;
        let has_room = is_engaged && !row.folded.is_idle() && row.folded.has_room(row.capacity);
        if has_room != row.has_room {
            self.change(agent, |row| row.has_room = has_room);
        }
    }

    /// Whether its session holds anything, or works after a call.
    pub(in crate::process::routing) fn is_engaged(&self, agent: AgentId) -> bool {
        let row = self.agents.get(&agent);
        row.is_some_and(|row| !row.folded.is_idle())
    }

    /// A person wants the agent to be offered none of the queue's calls, or again all.
    pub(in crate::process::routing) fn pause_member(
        &mut self,
        queue: QueueId,
        agent: AgentId,
        is_paused: bool,
    ) {
        self.unindex(agent);
        match is_paused {
            true => self.paused.insert((queue, agent)),
            false => self.paused.remove(&(queue, agent)),
        };
        self.index(agent);
    }

    /// Whether a person has paused the agent in the queue.
    pub(in crate::process::routing) fn is_paused(&self, queue: QueueId, agent: AgentId) -> bool {
        self.paused.contains(&(queue, agent))
    }

    /// Events of the session were heard up to this version.
    pub(in crate::process::routing) fn seen(&mut self, session: SessionId, version: u64) {
        let row = self.row(session.agent);
        if row.session == Some(session) {
            row.seen_version = version;
        }
    }

    /// Whether something decided on that version is newer than what was heard.
    pub(in crate::process::routing) fn is_news(&self, session: SessionId, version: u64) -> bool {
        self.agents
            .get(&session.agent)
            .is_some_and(|row| row.session == Some(session) && version > row.seen_version)
    }

    /// A refusal has said so; the event that says when is on its way.
    pub(in crate::process::routing) fn correct(&mut self, agent: AgentId, activity: Activity) {
        self.change(agent, |row| {
            row.activity = activity;
            row.has_room = false;
        });
    }

    /// Takes an event of its session in; whether the next one, written with it, completes
    /// it.
    pub(in crate::process::routing) fn folds(
        &mut self,
        session: SessionId,
        event: &session::Event,
        at: Timestamp,
    ) -> bool {
        let row = self.row(session.agent);
        let before = match event {
            session::Event::LoggedIn { .. } => Session::default(),
            session::Event::LoggedOut { .. }
            | session::Event::BecameReady {}
            | session::Event::BecameNotReady { .. }
            | session::Event::NextStateRequested { .. }
            | session::Event::Reserved { .. }
            | session::Event::ReservationReleased { .. }
            | session::Event::ConnectedToContact { .. }
            | session::Event::ContactEnded { .. }
            | session::Event::WrapUpStarted { .. }
            | session::Event::WrapUpEnded { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => std::mem::take(&mut row.folded),
        };
        let is_half = before.is_followed(event);
        row.folded = Session::evolve(before, at, event);
        is_half
    }

    /// Without a contact: who is free again is still idle since before the offer.
    pub(in crate::process::routing) fn release(
        &mut self,
        agent: AgentId,
        activity: Activity,
        not_before: Option<Timestamp>,
        reason: ReleaseReason,
    ) {
        if let Some(until) = not_before {
            self.pauses.insert((until, agent));
        }
        self.change(agent, |row| {
            row.activity = activity;
            row.not_before = not_before;
            row.is_lost = reason == ReleaseReason::Unreachable;
            row.wish = None;
        });
    }

    /// A phone of the agent is there: whoever was left alone because none was is left
    /// alone no longer.
    pub(in crate::process::routing) fn has_a_phone(&mut self, agent: AgentId) {
        let lost = self.agents.get(&agent).filter(|row| row.is_lost);
        let Some(until) = lost.and_then(|row| row.not_before) else {
            return;
        };
        self.pauses.remove(&(until, agent));
        self.change(agent, |row| row.not_before = None);
    }

    pub(super) fn wake_agents(&mut self, now: Timestamp) {
        while let Some((until, agent)) = self.pauses.first().copied() {
            if until > now {
                break;
            }
            self.pauses.remove(&(until, agent));
            self.change(agent, |row| {
                row.not_before = row.not_before.filter(|pause| *pause != until);
            });
        }
    }

    /// The agents of a queue by what keeps them from a call.
    pub(in crate::process::routing) fn standing(
        &self,
        queue: QueueId,
    ) -> impl Iterator<Item = (Standing, &BTreeSet<AgentId>)> + '_ {
        let all = self.standing.get(&queue).into_iter().flatten();
        all.map(|(standing, agents)| (*standing, agents))
    }

    pub(super) fn unindex(&mut self, agent: AgentId) {
        let Some(row) = self.agents.get_mut(&agent) else {
            return;
        };
        for (queue, rank) in std::mem::take(&mut row.ranked) {
            if let Some(free) = self.free.get_mut(&queue) {
                free.remove(&(rank, agent));
            }
        }
        for queue in row.queues.keys() {
            let standing = match self.paused.contains(&(*queue, agent)) {
                true => row.standing.paused(),
                false => row.standing,
            };
            let among = self.standing.get_mut(queue);
            if let Some(agents) = among.and_then(|all| all.get_mut(&standing)) {
                agents.remove(&agent);
            }
        }
    }

    pub(super) fn index(&mut self, agent: AgentId) {
        let Some(mut row) = self.agents.remove(&agent) else {
            return;
        };
        row.standing = row.standing();
        for (queue, member) in &row.queues {
            // Also when one goes: it may have been the only one not yet tried.
            self.changed.insert(*queue);
            let standing = match self.is_paused(*queue, agent) {
                true => row.standing.paused(),
                false => row.standing,
            };
            if matches!(standing, Standing::Free | Standing::Room) {
                let rules = self.rules(*queue);
                let mut place = rank(rules, row.idle_since, *member, row.record, &row.skills);
                if standing == Standing::Room {
                    place = behind_all_idle(place, row.calls_count());
                }
                row.ranked.push((*queue, place));
                self.free.entry(*queue).or_default().insert((place, agent));
            }
            let all = self.standing.entry(*queue).or_default();
            all.entry(standing).or_default().insert(agent);
        }
        self.agents.insert(agent, row);
    }
}
