//! What must hold after every step, and what must hold whenever nothing is
//! under way.

use super::World;
use crate::{
    any::AnyEvent,
    call::{self, Phase},
    id::{AgentId, CallId, QueueId, SessionId},
    line,
    mailbox::Kept,
    session::{Activity, Routability, Session},
};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// Nobody is with two others, at no instant.
    pub(super) fn check_every_step(&self) {
        let mut engaged = BTreeMap::new();
        for (id, call) in self.all.calls.states() {
            let ringing = call.offers().iter().map(|offer| offer.session);
            let connected = call.engaged().map(|(session, _)| session);
            let everybody: BTreeSet<SessionId> = ringing.chain(connected).collect();
            for session in everybody {
                let other = engaged.insert(session.agent, id);
                assert_eq!(other, None, "{} has two calls, {id} too", session.agent);
            }
        }
        let mut contacts = BTreeMap::new();
        for (id, session) in self.all.sessions.states() {
            if let Activity::OnContact { call, .. } = session.activity() {
                let other = contacts.insert(call, id);
                assert_eq!(other, None, "{call} has two agents, {id} too");
            }
        }
    }

    /// Nothing is under way: calls, sessions and lines tell the same story.
    pub(super) fn check_quiet(&self) {
        self.check_sessions_match_calls();
        self.check_calls_match_sessions_and_lines();
        self.check_nobody_waits_for_nothing();
    }

    fn check_sessions_match_calls(&self) {
        for (id, session) in self.all.sessions.states() {
            match session.activity() {
                Activity::Idle | Activity::WrapUp { .. } => {}
                Activity::Reserved { offer, call, .. } => assert!(
                    self.call(call)
                        .offers()
                        .iter()
                        .any(|live| live.offer == offer),
                    "{id} is stuck in reservation {offer}: {:?}",
                    self.call(call).phase
                ),
                Activity::OnContact { offer, call, .. } => assert!(
                    matches!(&self.call(call).phase, Phase::Connected(live)
                        if live.offer == offer && live.supervisor.is_none()),
                    "{id} is stuck on {call}: {:?}",
                    self.call(call).phase
                ),
            }
        }
    }

    fn check_calls_match_sessions_and_lines(&self) {
        let mut open = BTreeMap::new();
        for (_, line) in self.all.lines.states() {
            for visit in line.visits.values() {
                let twice = open.insert(visit.call, visit.matched.clone());
                assert_eq!(twice, None, "{} has two visits", visit.call);
            }
        }
        for (id, call) in self.all.calls.states() {
            let visit = open.remove(&id);
            match &call.phase {
                Phase::Unborn => {}
                Phase::Ended(_) => assert_eq!(visit, None, "{id} is over and still in line"),
                Phase::Waiting => assert_eq!(visit, Some(BTreeMap::new()), "{id} waits"),
                Phase::Offering(offers) => {
                    let each = offers.iter().map(|offer| (offer.offer, offer.session));
                    assert_eq!(visit, Some(each.collect()), "{id} is being offered");
                    for offer in offers {
                        let activity = self.session(offer.session).activity();
                        assert!(
                            matches!(activity, Activity::Reserved { call, .. } if call == id),
                            "{id} rings at {}: {activity:?}",
                            offer.session
                        );
                    }
                }
                Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
                    assert_eq!(visit, None, "{id} has left the line");
                }
                Phase::Connected(with) => {
                    assert_eq!(visit, None, "{id} is connected");
                    if with.supervisor.is_some() {
                        continue;
                    }
                    let activity = self.session(with.session).activity();
                    assert!(
                        matches!(activity, Activity::OnContact { call, .. } if call == id),
                        "{id} is with {}: {activity:?}",
                        with.session
                    );
                }
            }
        }
    }

    /// Whoever was not tried yet for a caller, or anybody once all who are free were, is
    /// eligible. So a caller who waits has nobody free.
    fn check_nobody_waits_for_nothing(&self) {
        for (queue, line) in self.all.lines.states() {
            let free = self.free(queue);
            for visit in line
                .visits
                .values()
                .filter(|visit| visit.matched.is_empty())
            {
                assert!(
                    free.is_empty(),
                    "{} waits in {queue} while {free:?} are ready",
                    visit.call
                );
            }
        }
    }

    /// Agents of the queue who can take a call now.
    fn free(&self, queue: QueueId) -> BTreeSet<AgentId> {
        let mut free = BTreeSet::new();
        for (id, session) in self.all.sessions.states() {
            let serves = self
                .all
                .agents
                .0
                .get(&id.agent)
                .and_then(|(agent, _)| agent.config.as_ref())
                .is_some_and(|config| config.queues.contains(&queue));
            if !serves || session.routability != Routability::Ready {
                continue;
            }
            if session.activity() == Activity::Idle && !self.is_paused(id) {
                free.insert(id.agent);
            }
        }
        free
    }

    fn is_paused(&self, session: SessionId) -> bool {
        self.paused
            .get(&session)
            .is_some_and(|until| *until > self.now)
    }

    fn call(&self, id: CallId) -> &call::Call {
        &self.all.calls.0[&id].0
    }

    fn session(&self, id: SessionId) -> &Session {
        &self.all.sessions.0[&id].0
    }

    /// The day is over, everybody has hung up: nothing is left behind.
    pub(super) fn check_end(&self) {
        for (id, call) in self.all.calls.states() {
            assert!(
                matches!(call.phase, Phase::Ended(_) | Phase::Unborn),
                "{id} never ended: {:?}",
                call.phase
            );
        }
        for (id, session) in self.all.sessions.states() {
            assert_eq!(session.activity(), Activity::Idle, "{id} is stuck");
            assert_eq!(session.next, None, "{id} still wants something");
        }
        for (id, line) in self.all.lines.states() {
            assert!(line.visits.is_empty(), "{id} still has callers");
        }
        for (id, mailbox) in self.all.mailboxes.states() {
            let mut kept = mailbox.messages.values();
            let is_left = kept.all(|kept| matches!(kept, Kept::Left(_)));
            assert!(is_left, "{id} keeps room for nothing: {mailbox:?}");
        }
        self.check_log();
    }

    fn check_log(&self) {
        let mut received = BTreeSet::new();
        let mut ended = BTreeSet::new();
        let mut visits = BTreeMap::new();
        for fact in &self.all.log {
            match &fact.event {
                AnyEvent::Call(id, call::Event::Received { .. }) => {
                    assert!(received.insert(*id), "{id} was received twice");
                }
                AnyEvent::Call(id, call::Event::Ended { .. }) => {
                    assert!(ended.insert(*id), "{id} ended twice");
                }
                AnyEvent::Line(_, line::Event::Opened { visit, .. }) => {
                    assert_eq!(visits.insert(*visit, false), None, "{visit} opened twice");
                }
                AnyEvent::Line(_, line::Event::Closed { visit, .. }) => {
                    assert_eq!(visits.insert(*visit, true), Some(false), "{visit} closed");
                }
                AnyEvent::Call(..)
                | AnyEvent::Line(..)
                | AnyEvent::Session(..)
                | AnyEvent::Queue(..)
                | AnyEvent::Person(..)
                | AnyEvent::Refusals(..)
                | AnyEvent::Schedule(..)
                | AnyEvent::Agent(..)
                | AnyEvent::Device(..)
                | AnyEvent::Trunk(..)
                | AnyEvent::Callback(..)
                | AnyEvent::Mailbox(..)
                | AnyEvent::Billing(..) => {}
            }
        }
        assert_eq!(received, ended, "every received call ends");
        assert!(visits.values().all(|closed| *closed), "every visit closes");
    }
}
