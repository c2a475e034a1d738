//! Committed events, carried out.

use super::Driver;
use crate::{
    legs::{Agent, Leg, Legs, Release, Side, caller},
    outbound::{self, Order},
    status,
};
use commands::{
    ports::{Position, ReadError},
    tail::Entry,
};
use domain::{
    any::AnyEvent,
    call::{Command, Event},
    cause::EndReason,
    id::{CallId, LegId},
};
use std::{collections::HashSet, time::Duration};
use tokio_util::sync::CancellationToken;

/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;

/// Pause after a failed or empty read.
const PAUSE: Duration = Duration::from_millis(20);

/// The calls in progress that this run of the node has received or placed: their dialogs
/// are here, whoever writes their events.
#[derive(Debug, Default)]
struct Own(HashSet<CallId>);

impl Own {
    /// Takes note of an event; whether it concerns this node.
    fn concerns(&mut self, entry: &Entry, node_epoch: u64) -> bool {
        match &entry.fact.event {
            AnyEvent::Call(call, Event::Received { .. } | Event::Placed { .. }) => {
                let is_own = entry.fact.node_epoch == node_epoch;
                if is_own {
                    self.0.insert(*call);
                }
                is_own
            }
            AnyEvent::Call(call, Event::Ended { .. }) => self.0.remove(call),
            AnyEvent::Call(call, _) => self.0.contains(call),
            AnyEvent::Line(..)
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
            | AnyEvent::Billing(..) => true,
        }
    }
}

/// Follows the feed from a position on. An effect is never done again: a new
/// run starts at the head, after recovery has ended what the last one left.
pub(super) async fn follow(driver: Driver, mut position: Position, shutdown: CancellationToken) {
    let mut own = Own::default();
    let node_epoch = driver.parts.gateway.node_epoch();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = driver.parts.feed.wait_beyond(position) => {}
        }
        // After a pause nobody knows whether another node has these calls by now.
        if !driver.parts.roster.may_act() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        match driver.parts.feed.read(position, BATCH_MAX).await {
            Ok(entries) => {
                if entries.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                }
                for entry in entries {
                    position = entry.recorded.position;
                    if own.concerns(&entry, node_epoch)
                        && let Some(order) = outbound::orders(&entry.fact.event)
                    {
                        driver.carry_out(order).await;
                    }
                }
            }
            Err(error @ ReadError::Unavailable(_)) => {
                tracing::warn!(%error, "sip will read the feed again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error @ ReadError::Corrupt { .. }) => {
                tracing::error!(%error, "sip stops reading the feed");
                return;
            }
        }
    }
}

impl Driver {
    async fn carry_out(&self, order: Order) {
        match order {
            Order::Place { call, leg, party } => self.place(call, leg, party).await,
            Order::Ring { call } => {
                let mut legs = self.legs();
                if let Some(caller) = caller_of(&legs, call)
                    && let Some(leg) = legs.get_mut(caller)
                {
                    self.ring(leg);
                }
            }
            Order::Answer { call } => {
                let mut legs = self.legs();
                if let Some(caller) = caller_of(&legs, call) {
                    self.caller(&mut legs, caller, caller::Input::Answer, None);
                }
            }
            Order::Dial {
                call,
                leg,
                agent,
                is_supervisor,
            } => {
                let who = Agent {
                    who: Some(agent),
                    is_supervisor,
                    ..Agent::default()
                };
                self.dial(call, leg, (agent, who)).await;
            }
            Order::DialOut { call, leg, target } => self.dial_out(call, leg, target),
            Order::Progress {
                call,
                leg,
                early_media,
            } => self.progress(call, leg, early_media),
            Order::Connect { call, leg } => self.connect(call, leg),
            Order::TakeOver {
                call,
                leg,
                from_leg,
                release,
            } => self.take_over(call, leg, from_leg, &release),
            Order::Transfer { leg, release } => self.transferred(leg, &release),
            Order::AskToAnswer { call, leg } => self.ask_to_answer(call, leg),
            Order::Release { leg, release } => {
                let mut legs = self.legs();
                self.release_agent(&mut legs, leg, &release);
            }
            Order::End { call, release } => self.end(call, &release),
        }
    }

    /// Lets the legs of a call go that another node has ended.
    pub(super) fn let_go(&self, call: CallId) {
        let said = status::of_reason(EndReason::NodeLost);
        let release = Release {
            status: said.status,
            reason: Some(status::reason_header(said.q850)),
            retry_after_s: Some(self.options.retry_after_s),
        };
        self.end(call, &release);
    }

    /// The caller hears that it rings outside, or hears the other side itself.
    fn progress(&self, call: CallId, outside: LegId, early_media: bool) {
        self.share_codec(call, outside);
        let mut legs = self.legs();
        // Of whoever is rung back the agent hears, through the relay.
        let Some(caller) = caller_of(&legs, call).filter(|caller| *caller != outside) else {
            return;
        };
        if let Some(leg) = legs.get_mut(caller) {
            match early_media {
                true => self.be_heard(leg),
                false => self.ring(leg),
            }
        }
    }

    /// Two sides talk. Whoever has held since before is on record from now on: until
    /// then there was nobody to be held.
    fn connect(&self, call: CallId, other: LegId) {
        self.share_codec(call, other);
        let legs = self.legs();
        let Some(entry) = legs.call(call) else {
            return;
        };
        let there = entry.legs.iter().filter_map(|id| legs.get(*id));
        for leg in there.filter(|leg| leg.session.holding && leg.ended_at.is_none()) {
            // Under the lock, so that no retrieve overtakes it. The call knows which of
            // them talk.
            self.submit(call, Command::RecordHold { leg: leg.id });
        }
    }

    /// A supervisor's phone is the other side of the call from now on: the caller's dialog
    /// and description stay as they are, and the agent's phone gets a BYE.
    fn take_over(&self, call: CallId, leg: LegId, from_leg: LegId, release: &Release) {
        let mut legs = self.legs();
        if let Some(Leg {
            side: Side::Agent(agent),
            ..
        }) = legs.get_mut(leg)
        {
            agent.is_supervisor = false;
        }
        self.release_agent(&mut legs, from_leg, release);
        drop(legs);
        self.connect(call, leg);
    }

    fn share_codec(&self, call: CallId, other: LegId) {
        let mut legs = self.legs();
        let Some(caller) = caller_of(&legs, call) else {
            return;
        };
        // The caller, if not answered yet, is answered with the other side's
        // codec, or with its own favourite if it does not have that one.
        let codec = legs.get(other).and_then(|leg| leg.session.codec);
        if let Some(leg) = legs.get_mut(caller)
            && leg.session.codec.is_none()
        {
            leg.session.codec = codec;
        }
    }

    fn end(&self, call: CallId, release: &Release) {
        let mut legs = self.legs();
        let ids = match legs.call(call) {
            Some(entry) => entry.legs.clone(),
            None => return,
        };
        tracing::info!(%call, status = release.status, "call ends");
        for id in ids {
            match legs.get(id).map(|leg| &leg.side) {
                Some(Side::Caller(_)) => {
                    self.caller(&mut legs, id, caller::Input::Release, Some(release));
                }
                Some(Side::Agent(_)) => self.release_agent(&mut legs, id, release),
                None => {}
            }
        }
    }
}

fn caller_of(legs: &Legs, call: CallId) -> Option<LegId> {
    legs.call(call).map(|entry| entry.caller)
}
