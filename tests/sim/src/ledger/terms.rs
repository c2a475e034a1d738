//! What queues ask of their agents: that who lets so many offers in a row come to nothing
//! is left alone for a while, or is not ready any more; that work after a call ends with a
//! word for it; and that what was asked for meanwhile comes when the contact is over.

use crate::{
    in_vain::InVain,
    violation::{Violation, must},
};
use domain::{
    any::{AnyEvent, Fact},
    id::{CallId, QueueId, SessionId},
    queue::{self, Terms},
    session::{Event, NextState, WrapUpEndedBy},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default)]
struct Session {
    /// What the queue of the reservation asks.
    terms: Terms,
    /// What the queue of each contact asks.
    of_calls: BTreeMap<CallId, Terms>,
    /// Offers in a row that came to nothing.
    in_vain: InVain,
    /// Works after calls that are under way and end only with a word.
    need_words: BTreeSet<CallId>,
    /// What was asked for last, and has not come yet.
    asked: Option<NextState>,
    /// With the event before this one something ended by itself: what was asked for
    /// comes now.
    is_over: bool,
    /// The event before this one was one offer in vain too many.
    is_too_many: bool,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    terms: BTreeMap<QueueId, Terms>,
    sessions: BTreeMap<SessionId, Session>,
    /// Agents who were not ready any more after offers in vain.
    pub(crate) too_many_count: u64,
    /// Works after calls that ended with a word that was needed.
    pub(crate) words_count: u64,
    /// Times that a supervisor forced a state.
    pub(crate) forced_count: u64,
}

impl Asked {
    pub(super) fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        match &fact.event {
            AnyEvent::Queue(
                queue,
                queue::Event::Created { config, .. } | queue::Event::Configured { config, .. },
            ) => {
                self.terms.insert(*queue, config.terms);
                Ok(())
            }
            AnyEvent::Session(session, event) => self.on_session(*session, fact.at, event),
            AnyEvent::Queue(..)
            | AnyEvent::Call(..)
            | AnyEvent::Line(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    fn on_session(&mut self, id: SessionId, at: Timestamp, event: &Event) -> Result<(), Violation> {
        let session = self.sessions.entry(id).or_default();
        let was_too_many = std::mem::take(&mut session.is_too_many);
        let is_over = std::mem::take(&mut session.is_over);
        // Or will, when its last contact is over.
        let goes = matches!(
            event,
            Event::BecameNotReady { .. }
                | Event::LoggedOut { .. }
                | Event::NextStateRequested {
                    next: NextState::NotReady(_),
                    ..
                }
        );
        must(!was_too_many || goes, || {
            format!("{id} let too many offers come to nothing and has {event:?}")
        })?;
        match event {
            Event::LoggedIn { .. } => *session = Session::default(),
            Event::NextStateRequested { next, .. } => {
                session.asked = Some(*next);
                // Who is had back beside a call starts anew.
                if *next == NextState::Ready {
                    session.in_vain.clear();
                }
            }
            Event::BecameReady {} => {
                must(!(is_over && session.wants_to_go()), || {
                    format!("{id} is ready, and asked for {:?}", session.asked)
                })?;
                session.asked = None;
                session.in_vain.clear();
            }
            Event::BecameNotReady { .. } | Event::LoggedOut { .. } => session.asked = None,
            Event::Reserved { queue, terms, .. } => {
                let of_queue = self.terms.get(queue).copied().unwrap_or_default();
                must(*terms == of_queue, || {
                    format!("{id} is reserved under {terms:?}, {queue} says {of_queue:?}")
                })?;
                session.terms = of_queue;
            }
            Event::ReservationReleased { .. } => {
                session.is_released(id, at, event)?;
                self.too_many_count += u64::from(session.is_too_many);
            }
            Event::ConnectedToContact { call, .. } => {
                session.of_calls.insert(*call, session.terms);
                session.in_vain.clear();
            }
            Event::ContactEnded { .. } => session.is_over = true,
            Event::WrapUpStarted { .. } => session.works(id, event)?,
            Event::WrapUpEnded { call, by, code, .. } => {
                let needed = session.need_words.remove(call);
                session.is_over = *by == WrapUpEndedBy::Timer;
                // Nobody else can say what came of the call; a supervisor and a phone
                // that is gone end the work without it.
                let is_bound = matches!(by, WrapUpEndedBy::Timer | WrapUpEndedBy::Agent);
                must(!(needed && is_bound && code.is_none()), || {
                    format!("{id} works no more, without the word: {event:?}")
                })?;
                self.words_count += u64::from(needed && code.is_some());
            }
            Event::Forced { .. } => self.forced_count += 1,
            Event::WrapUpExtended { .. } => {}
        }
        Ok(())
    }
}

impl Session {
    /// It is to take no calls when it is free again.
    const fn wants_to_go(&self) -> bool {
        matches!(
            self.asked,
            Some(NextState::NotReady(_) | NextState::LoggedOut(_))
        )
    }

    /// An offer came to nothing.
    fn is_released(
        &mut self,
        id: SessionId,
        at: Timestamp,
        event: &Event,
    ) -> Result<(), Violation> {
        let Event::ReservationReleased {
            reason,
            not_before,
            still,
            ..
        } = event
        else {
            return Ok(());
        };
        self.is_over = true;
        let follows = self.in_vain.count(&self.terms, *reason);
        let is_too_many = follows.as_ref().is_some_and(|it| it.is_too_many);
        // Whoever has a call besides goes when that is over, as was asked for.
        self.is_too_many = is_too_many && (still.is_none() || !self.wants_to_go());
        let delay_ms = follows.map_or(0, |follows| follows.pause.delay_ms);
        let until = (delay_ms > 0).then(|| at.plus_ms(delay_ms));
        must(*not_before == until, || {
            format!("{id} is left alone until {not_before:?}, not {until:?}")
        })
    }

    /// At work after a call, as its queue asks.
    fn works(&mut self, id: SessionId, event: &Event) -> Result<(), Violation> {
        let Event::WrapUpStarted {
            call,
            code_required,
            ..
        } = event
        else {
            return Ok(());
        };
        let terms = self.of_calls.remove(call).unwrap_or_default();
        must(*code_required == terms.wrap_up_code, || {
            format!("{id} works after a call: {event:?}, {terms:?}")
        })?;
        if *code_required {
            self.need_words.insert(*call);
        }
        Ok(())
    }
}
