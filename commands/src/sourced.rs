//! The one adaptor from our deciders to cqrs-es' aggregate: the domain stays
//! free of cqrs-es and its runtime, and there is one adaptor, not one per
//! aggregate.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use domain::{any::Stamped, decider::Decider, time::Timestamp};
use serde::{Deserialize, Serialize};

/// An event with its time, as cqrs-es sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Noted<E: domain::decider::Event>(pub Stamped<E>);

impl<E: domain::decider::Event> DomainEvent for Noted<E> {
    fn event_type(&self) -> String {
        self.0.event.event_type().into()
    }

    fn event_version(&self) -> String {
        self.0.event.event_version().to_string()
    }
}

/// A command with the time at which it is decided.
#[derive(Debug, Clone)]
pub struct At<C> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub command: C,
}

/// An aggregate: the state of a decider.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sourced<D: Decider> {
    /// What has been folded.
    pub state: D::State,
}

impl<D: Decider> Default for Sourced<D> {
    fn default() -> Self {
        Self {
            state: D::State::default(),
        }
    }
}

impl<D: Decider + Send + Sync> Aggregate for Sourced<D> {
    const TYPE: &'static str = D::CATEGORY;
    type Command = At<D::Command>;
    type Event = Noted<D::Event>;
    type Error = D::Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let At { at, command } = command;
        for event in D::decide(&self.state, at, command)? {
            sink.write(Noted(Stamped { at, event }), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        let Noted(Stamped { at, event }) = event;
        let state = std::mem::take(&mut self.state);
        self.state = D::evolve(state, at, &event);
    }
}
