//! One call as it was at one place in the record.

use super::{Past, events::fetch};
use crate::{
    calls,
    cdr::Cdr,
    live_calls::LiveCalls,
    projection::{Input, Projection, fold},
    runner::sealed,
    timeline::EVENTS_MAX,
    views::{ViewError, Views},
};
use commands::{feed::understand, ports::Position};
use domain::{
    any::{AnyEvent, Fact},
    call,
    decider::Decider as _,
    id::CallId,
    sealed::Note,
    session,
    time::Timestamp,
};

/// A call at one place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAt {
    /// Its last event up to there, or one of its agent that changed its record.
    pub position: u64,
    /// When that happened.
    pub at: Timestamp,
    /// Events of its own stream so far.
    pub version: u64,
    /// What its own rules knew of it: what they decided on.
    pub state: call::Call,
    /// What a reader saw of it.
    pub call: calls::Call,
}

/// What the events of one call make.
#[derive(Default)]
struct Folded {
    last: Option<(u64, Timestamp)>,
    version: u64,
    state: call::Call,
    live: Option<crate::live_calls::Row>,
    record: Option<crate::cdr::Row>,
}

impl Folded {
    fn apply(&mut self, id: CallId, input: &Input<'_>) {
        let fact: &Fact = input.fact;
        let mut is_about = false;
        if let AnyEvent::Call(call, event) = &fact.event
            && *call == id
        {
            is_about = true;
            self.version = fact.version;
            self.state = call::Call::evolve(std::mem::take(&mut self.state), fact.at, event);
        }
        if LiveCalls::key(fact) == Some(id) {
            is_about = true;
            fold::<LiveCalls>(&mut self.live, input);
        }
        if Cdr::key(fact) == Some(id) {
            is_about = true;
            fold::<Cdr>(&mut self.record, input);
        }
        if is_about {
            self.last = Some((fact.position, fact.at));
        }
    }

    fn finish(self) -> Option<CallAt> {
        let (position, at) = self.last?;
        let ended = self.record.filter(|record| record.end.is_some());
        let call = match (self.live, ended) {
            (Some(row), _) => calls::Call::Live(Box::new(row)),
            (None, Some(row)) => calls::Call::Ended(Box::new(row)),
            (None, None) => return None,
        };
        Some(CallAt {
            position,
            at,
            version: self.version,
            state: self.state,
            call,
        })
    }
}

impl Past {
    /// What the agent noted of a call whose wrap-up ended with that event; none when it
    /// was nothing, the event is another one, or the caller was forgotten.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn note(&self, position: u64) -> Result<Option<Note>, ViewError> {
        for recorded in fetch(self.0.log.as_ref(), &[position]).await? {
            if let AnyEvent::Session(_, session::Event::WrapUpEnded { note, .. }) =
                understand(recorded)?.fact.event
                && let Some(sealed) = note
            {
                return Ok(self.0.vault.open_note(&sealed).await?);
            }
        }
        Ok(None)
    }

    /// The call as it was after the event at that position; none before it came.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn call_at(
        &self,
        views: &Views,
        call: CallId,
        position: Position,
    ) -> Result<Option<CallAt>, ViewError> {
        let mut folded = Folded::default();
        let mut after = 0;
        loop {
            let rows = views.timeline(call, after, EVENTS_MAX).await?;
            let is_last = rows.len() < EVENTS_MAX;
            let positions: Vec<_> = rows
                .iter()
                .map(|row| row.position)
                .take_while(|at| *at <= position.0)
                .collect();
            let is_beyond = positions.len() < rows.len();
            for recorded in fetch(self.0.log.as_ref(), &positions).await? {
                let fact = understand(recorded)?.fact;
                let party = self.open(sealed(&fact)).await?;
                let party = party.as_ref();
                folded.apply(call, &Input { fact: &fact, party });
            }
            match positions.last() {
                Some(last) if !is_last && !is_beyond => after = *last,
                Some(_) | None => return Ok(folded.finish()),
            }
        }
    }
}
