//! Somebody who is to be rung back.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named as _,
    query::{Needs, views},
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Call, Caller, Queue,
        words::{CallbackState, EndReason},
    },
};
use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use domain::id::CallId;
use projections::callbacks;

/// A callback.
pub(crate) struct Callback(pub(crate) callbacks::Row);

/// One attempt to reach somebody.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct CallbackAttempt {
    /// When its call was placed.
    started_at: DateTime,
    /// When it was known what came of it.
    ended_at: Option<DateTime>,
    /// How it ended, if it reached nobody.
    end_reason: Option<EndReason>,
    /// The person was rung: it is one of the attempts that there are.
    is_counted: bool,
    #[graphql(skip)]
    id: CallId,
}

#[ComplexObject]
impl CallbackAttempt {
    /// Its call.
    async fn call(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        let call = views(ctx)?.call(self.id).await;
        Ok(call.map_err(Fault::from)?.map(Into::into))
    }
}

/// The promise to ring somebody back, at the place in the line that the person had.
#[Object]
impl Callback {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.0.callback.opaque()
    }

    /// Where it is.
    async fn state(&self) -> CallbackState {
        self.0.state.into()
    }

    /// Whom.
    async fn person(&self) -> Caller {
        (&self.0.person).into()
    }

    /// The queue whose agents ring back.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queue(&self, ctx: &Context<'_>) -> Result<Option<Queue>> {
        super::call::queue(ctx, Some(self.0.queue), None).await
    }

    /// Since when the person waits: the place in the line.
    async fn place_at(&self) -> DateTime {
        DateTime(self.0.place_at)
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.requested_at)
    }

    /// The call in which it was asked for; null if it was through the API.
    async fn requested_in(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        let Some(call) = self.0.requested_in else {
            return Ok(None);
        };
        let call = views(ctx)?.call(call).await;
        Ok(call.map_err(Fault::from)?.map(Into::into))
    }

    /// The next attempt is not before this instant.
    async fn not_before(&self) -> DateTime {
        DateTime(self.0.not_before)
    }

    /// From then on nobody is rung any more.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// Attempts in which the person is rung, at most.
    async fn attempts_max(&self) -> i32 {
        count(self.0.attempts_max)
    }

    /// What was tried, in order.
    async fn attempts(&self) -> Vec<CallbackAttempt> {
        let attempts = self.0.attempts.iter();
        attempts
            .map(|attempt| CallbackAttempt {
                started_at: DateTime(attempt.started_at),
                ended_at: attempt.ended_at.map(DateTime),
                end_reason: attempt.reason.map(Into::into),
                is_counted: attempt.is_counted,
                id: attempt.call,
            })
            .collect()
    }

    /// Who is to ring back, if that one is there.
    async fn agent_id(&self) -> Option<ID> {
        self.0.wanted.map(|wanted| wanted.agent.opaque())
    }

    /// For how long of each attempt that one alone is asked.
    async fn agent_for_ms(&self) -> Option<Duration> {
        self.0.wanted.map(|wanted| Duration(wanted.for_ms))
    }

    /// When it was over; null while it is not.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(DateTime)
    }

    /// Who has cancelled or rescheduled it last.
    async fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}
