//! The bookkeeping of the checkers: folded from the facts alone, without the
//! product's own states, and looked at after every single fact.

mod agents;
mod callbacks;
mod calls;
mod hands;
mod hours;
mod lines;
mod messages;
mod places;
mod terms;

use crate::violation::{Violation, must};
use agents::Agents;
use callbacks::Callbacks;
use calls::Calls;
use domain::{
    any::{AnyEvent, Fact},
    call, device,
    id::{CallId, LegId, QueueId, VisitId},
    time::Timestamp,
};
use hands::Hands;
use lines::Lines;
use messages::Messages;
use places::Places;
use std::collections::{BTreeMap, BTreeSet};
use terms::Asked;

pub(crate) use lines::Tally;

/// How long after its due time something may still be under way while nothing
/// moves: the product's own grace, and a little.
const OVERDUE_MS: u64 = 6_000;

#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    pub(crate) calls: Calls,
    pub(crate) lines: Lines,
    pub(crate) agents: Agents,
    pub(crate) places: Places,
    pub(crate) callbacks: Callbacks,
    pub(crate) hands: Hands,
    pub(crate) messages: Messages,
    pub(crate) asked: Asked,
    /// Stays that were open when somebody was there for them, in queues in which
    /// nobody waits for nobody.
    found: BTreeMap<QueueId, BTreeSet<VisitId>>,
    /// Calls that show no number, and their stays: nobody rings them back.
    nameless: BTreeSet<CallId>,
    nameless_visits: BTreeSet<VisitId>,
    position: u64,
}

impl Ledger {
    /// Takes the next fact.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        must(fact.position == self.position + 1, || {
            format!("position {} follows {}", fact.position, self.position)
        })?;
        self.position = fact.position;
        self.places.note(fact)?;
        self.callbacks.note(fact, &self.places)?;
        self.hands.note(fact)?;
        self.messages.note(fact)?;
        self.asked.note(fact)?;
        match &fact.event {
            AnyEvent::Call(call, event) => {
                if let call::Event::Placed {
                    wanted: Some(wanted),
                    ..
                } = event
                {
                    self.lines.wanted.insert(*call, *wanted);
                }
                self.note_nameless(*call, event);
                self.calls.note(*call, fact.at, event)
            }
            AnyEvent::Line(queue, event) => self.lines.note(*queue, event),
            AnyEvent::Session(session, event) => self.agents.note(*session, fact.at, event),
            AnyEvent::Agent(agent, event) => {
                self.agents.configured(*agent, event);
                self.calls.configured(*agent, event);
                Ok(())
            }
            AnyEvent::Queue(queue, event) => {
                self.lines.rules.note(*queue, event);
                self.agents.paused(*queue, event);
                Ok(())
            }
            AnyEvent::Device(agent, device::Event::Registered { .. }) => {
                self.agents.has_a_phone(*agent);
                Ok(())
            }
            AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    fn note_nameless(&mut self, call: CallId, event: &call::Event) {
        if let call::Event::Received { withheld: true, .. } = event {
            self.nameless.insert(call);
        } else if let call::Event::Enqueued { visit, .. } = event
            && self.nameless.contains(&call)
        {
            self.nameless_visits.insert(*visit);
        }
    }

    /// The phone of that leg picked up.
    pub(crate) fn picked_up(&mut self, leg: LegId) {
        self.calls.picked_up(leg);
    }

    /// Nothing is under way and no timer is due at `now`: all tell one story.
    ///
    /// # Errors
    /// The rule that does not hold.
    pub(crate) fn check_quiet(&mut self, now: Timestamp) -> Result<(), Violation> {
        self.check_nobody_waits_for_nobody()?;
        self.agents.check_due(now, OVERDUE_MS)?;
        self.lines.check_due(now, OVERDUE_MS)?;
        self.callbacks.check_quiet(now, OVERDUE_MS)?;
        self.check_nobody_waits_for_nothing(now)?;
        self.check_calls()
    }

    /// Where the last agent has gone, nobody waits who was there when somebody was.
    fn check_nobody_waits_for_nobody(&mut self) -> Result<(), Violation> {
        for (queue, line) in self.lines.each() {
            let Some(away) = self.lines.rules.counts_as_away(queue) else {
                continue;
            };
            if self.agents.somebody_is_there(queue, away) {
                self.found.insert(queue, line.open.clone());
                continue;
            }
            let found = self.found.get(&queue);
            let mut waiting = line.waiting.iter();
            let rings_back = self.lines.rules.rings_back(queue);
            let stuck = waiting.find(|(_, visit)| {
                found.is_some_and(|found| found.contains(visit))
                    // Whoever is rung back waits for an agent to come.
                    && !self.callbacks.is_placed(*visit)
                    // Who can not be rung back may wait where nothing sends them away.
                    && !(rings_back && self.nameless_visits.contains(visit))
            });
            must(stuck.is_none(), || {
                format!("{stuck:?} waits in {queue}, where nobody is there any more")
            })?;
        }
        Ok(())
    }

    /// Calls that were sent away or on, as nobody was there.
    pub(crate) const fn nobody_there_count(&self) -> u64 {
        self.lines.empty_count + self.calls.deserted_count
    }

    /// A caller waits only if nobody is free who is fit, also one who has had offers in
    /// vain: those who are free are asked again before one who is busy.
    fn check_nobody_waits_for_nothing(&self, now: Timestamp) -> Result<(), Violation> {
        for (queue, line) in self.lines.each() {
            if line.waiting.is_empty() || !self.agents.somebody_is_idle(queue) {
                continue;
            }
            let free = self.agents.free(queue, now);
            if free.is_empty() {
                continue;
            }
            for (_, visit) in &line.waiting {
                let rules = self.lines.rules_of(*visit);
                let waited_ms = now.ms_since(self.lines.since(*visit));
                // A pause after an offer in vain, or one agent's turn.
                let is_assigned = self.lines.is_assigned(*visit, now);
                let is_kept_back = is_assigned
                    || rules.is_some_and(|rules| {
                        rules.last_agent_ms > waited_ms
                            || (rules.retry_delay_ms > 0 && self.lines.attempts(*visit) > 0)
                    });
                let mut fit = free.iter().filter(|agent| {
                    rules.is_none_or(|rules| self.agents.is_fit(**agent, queue, rules, waited_ms))
                });
                let first = fit.next();
                must(is_kept_back || first.is_none(), || {
                    format!("{visit} waits in {queue} while {first:?} is ready")
                })?;
            }
        }
        Ok(())
    }

    /// Each live call is in the state that its line and its agent think.
    fn check_calls(&self) -> Result<(), Violation> {
        for (id, call) in self.calls.live() {
            let Some(visit) = call.visit else { continue };
            let open = self.lines.matched(visit);
            if let Some((offer, session)) = &call.connected {
                must(open.is_none(), || format!("{id} is connected and in line"))?;
                must(call.offers.is_empty(), || {
                    format!("{id} is connected and still rings: {:?}", call.offers)
                })?;
                let is_known = self.agents.has_contact(*session, *offer);
                must(is_known != call.is_taken, || match call.is_taken {
                    true => format!("{id} was taken from {session}, who does not know"),
                    false => format!("{id} is with {session}, who does not know"),
                })?;
                continue;
            }
            let offered = call.offers.keys();
            must(open.is_some_and(|open| open.iter().eq(offered)), || {
                format!(
                    "{id} is being offered as {:?}, its line says {open:?}",
                    call.offers
                )
            })?;
            for (offer, (session, _)) in &call.offers {
                must(self.agents.is_reserved(*session, *offer), || {
                    format!("{id} rings at {session}, who is not reserved for it")
                })?;
            }
        }
        self.agents.check_calls_are_live(&self.calls)?;
        let open = self.lines.open_count();
        let in_line = self.calls.in_line_count();
        must(open == in_line, || {
            format!("{open} visits are open, {in_line} calls wait")
        })
    }

    /// The day is over.
    ///
    /// # Errors
    /// What was left behind.
    pub(crate) fn check_end(&self) -> Result<(), Violation> {
        if let Some((call, _)) = self.calls.live().next() {
            return Err(Violation(format!("{call} never ended")));
        }
        self.agents.check_end()?;
        self.callbacks.check_end()?;
        self.messages.check_end()?;
        for (queue, line) in self.lines.each() {
            must(line.open.is_empty(), || {
                format!("{queue} still has {:?}", line.open)
            })?;
        }
        Ok(())
    }

    /// What the visits of a queue came to.
    pub(crate) fn tally(&self, queue: QueueId) -> Tally {
        self.lines.tally(queue)
    }
}
