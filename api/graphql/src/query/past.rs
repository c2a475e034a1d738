//! What was: boards and calls at any moment, and the record itself.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    paging,
    query::{Needs, services, views, views_at},
    scalar::{Cursor, DateTime},
    services::Services,
    types::{Board, CallSnapshot, EventRecord, Moment, Scan},
};
use async_graphql::{
    Context, ID, InputObject, Object, Result,
    connection::{Connection, Edge, EmptyFields},
};
use commands::ports::Position;
use domain::id::{AgentId, CallId, CommandId, QueueId};
use projections::{changed::View, past::EventFilter};
use uuid::Uuid;

/// Streams that one filter may name.
const STREAMS_MAX: usize = 20;

#[derive(Default)]
pub(crate) struct PastQueries;

/// Which events; what is not given lets every event through.
#[derive(InputObject, Default)]
pub(crate) struct EventFilterInput {
    /// Of these streams, for example `call-0190..`. Not together with a call,
    /// an agent or a queue.
    streams: Option<Vec<String>>,
    /// Of these types, for example `call_ended`.
    types: Option<Vec<String>>,
    /// Of this call, those of its agent and queue that name it too.
    call_id: Option<ID>,
    /// About this agent.
    agent_id: Option<ID>,
    /// Naming this queue.
    queue_id: Option<ID>,
    /// Caused by this command. Not together with a call, an agent or a queue.
    command_id: Option<ID>,
    /// Asked for by this actor, for example `token:dashboard`.
    actor: Option<String>,
    /// Stored at this instant or later.
    recorded_from: Option<DateTime>,
    /// Stored before this instant.
    recorded_before: Option<DateTime>,
}

impl EventFilterInput {
    fn read(self) -> Result<EventFilter, Fault> {
        let streams = self.streams.unwrap_or_default();
        if streams.len() > STREAMS_MAX {
            let message = format!("streams are more than {STREAMS_MAX}");
            return Err(Fault::validation(message).of("streams"));
        }
        let command = self.command_id.map(|id| {
            let uuid = Uuid::parse_str(&id);
            uuid.map_err(|_| Fault::validation("commandId is not a UUID").of("commandId"))
        });
        let filter = EventFilter {
            streams,
            types: self.types.unwrap_or_default(),
            call: CallId::read_some(self.call_id.as_ref(), "callId")?,
            agent: AgentId::read_some(self.agent_id.as_ref(), "agentId")?,
            queue: QueueId::read_some(self.queue_id.as_ref(), "queueId")?,
            command: command.transpose()?.map(CommandId),
            actor: self.actor,
            from: self.recorded_from.map(|instant| instant.0),
            until: self.recorded_before.map(|instant| instant.0),
        };
        let is_direct = !filter.streams.is_empty() || filter.command.is_some();
        let is_indirect = filter.call.is_some() || filter.agent.is_some() || filter.queue.is_some();
        if is_direct && is_indirect {
            return Err(Fault::validation(
                "streams and commandId do not go with callId, agentId and queueId",
            ));
        }
        Ok(filter)
    }
}

/// The moment that a client asks for: a place in the record, or an instant.
async fn moment(
    Services { views, clock, .. }: &Services,
    at: Option<DateTime>,
    position: Option<Cursor>,
) -> Result<Moment, Fault> {
    let past = views.past();
    match (at, position) {
        (Some(DateTime(at)), None) => Ok(Moment {
            position: past.position_at(at).await?.0,
            // Nobody has waited longer than until now.
            at: at.min(clock.now()),
        }),
        (None, Some(Cursor(position))) => {
            let head = past.head().await?;
            if position > head.0 {
                let message = format!("the record has {head} events, not yet {position}");
                return Err(Fault::validation(message));
            }
            // Not when it was stored: waits began by this clock, and the store's may have
            // been years ahead.
            let at = past.happened_at(Position(position)).await?;
            let at = at.unwrap_or_default();
            Ok(Moment { position, at })
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Fault::validation("give either an instant or a position"))
        }
    }
}

#[Object]
impl PastQueries {
    /// The live boards as they were: calls in progress, agents and queues at an
    /// instant or after an event, all of the same moment.
    async fn board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instant; what the store had taken by then.")] as_of: Option<DateTime>,
        #[graphql(desc = "The event; exact to it.")] position: Option<Cursor>,
    ) -> Result<Board> {
        Ok(Board(moment(services(ctx)?, as_of, position).await?))
    }

    /// One call as it was at an instant or after an event; null before it came.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call_state_at(
        &self,
        ctx: &Context<'_>,
        call_id: ID,
        #[graphql(desc = "The instant; what the store had taken by then.")] at: Option<DateTime>,
        #[graphql(desc = "The event; exact to it.")] position: Option<Cursor>,
    ) -> Result<Option<CallSnapshot>> {
        let call = CallId::read(&call_id, "callId")?;
        let moment = moment(services(ctx)?, at, position).await?;
        let seen = Some(Cursor(moment.position));
        let views = views_at(ctx, &[View::Timeline], seen).await?;
        let then = views.past().call_at(views, call, moment.position()).await;
        let then = then.map_err(Fault::from)?;
        Ok(then.map(|then| CallSnapshot { then, moment }))
    }

    /// The record itself: events as they are stored, with who caused them and
    /// why. Personal data in them stays sealed.
    #[graphql(guard = "Needs(Scope::AuditRead)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        filter: Option<EventFilterInput>,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<Connection<Cursor, EventRecord, Scan, EmptyFields>> {
        let limit = paging::limit("first", first)?;
        let filter = filter.unwrap_or_default().read()?;
        let views = views(ctx)?;
        let start = after.map_or(0, |cursor| cursor.0);
        let page = views.past().events(views, &filter, start, limit).await;
        let page = page.map_err(Fault::from)?;
        let scan = Scan {
            scanned_to: Cursor(page.scanned),
        };
        let mut connection =
            Connection::with_additional_fields(after.is_some(), page.has_more, scan);
        let edges = page.events.into_iter();
        connection.edges = edges
            .map(|event| Edge::new(Cursor(event.position.0), EventRecord(event)))
            .collect();
        Ok(connection)
    }
}
