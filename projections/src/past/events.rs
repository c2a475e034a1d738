//! The record itself, for whoever audits it: events as they are stored, with
//! who caused them and why. Personal data stays sealed in them.

use super::Past;
use crate::{
    changed::View,
    timeline::{self, EVENTS_MAX},
    views::{ViewError, Views},
};
use commands::ports::{EventLog, Position, ReadError, Recorded, StreamId, Stretch};
use domain::{
    id::{AgentId, CallId, CommandId, QueueId},
    time::Timestamp,
};

/// Events looked at for one page at most; a filter without an index goes on
/// after them in the next.
pub const SCAN_MAX: usize = 20_000;
/// Events of one append at most, to find those of a command.
const CHANGE_MAX: u64 = 256;
/// Events that lie this close together are read at once.
const SPAN_MAX: u64 = 64;

/// Which events; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of these streams; empty for any.
    pub streams: Vec<String>,
    /// Of these types; empty for any.
    pub types: Vec<String>,
    /// Of this call, those of its agent and queue that name it too.
    pub call: Option<CallId>,
    /// About this agent.
    pub agent: Option<AgentId>,
    /// Naming this queue.
    pub queue: Option<QueueId>,
    /// Caused by this command.
    pub command: Option<CommandId>,
    /// Asked for by this actor.
    pub actor: Option<String>,
    /// Taken by the store at this instant or later.
    pub from: Option<Timestamp>,
    /// Taken by the store before this instant.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    fn matches(&self, event: &Recorded) -> bool {
        let is_of =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|of| of == name);
        is_of(&self.streams, event.stream.as_str())
            && is_of(&self.types, &event.event_type)
            && self.command.is_none_or(|id| id == event.command_id)
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| *actor == event.metadata.actor)
            && self.from.is_none_or(|from| event.recorded_at >= from)
            && self.until.is_none_or(|until| event.recorded_at < until)
    }

    fn timeline(&self) -> timeline::Filter {
        timeline::Filter {
            categories: vec![],
            types: self.types.clone(),
            call: self.call,
            agent: self.agent,
            queue: self.queue,
        }
    }

    fn needs_timeline(&self) -> bool {
        !self.types.is_empty()
            || self.call.is_some()
            || self.agent.is_some()
            || self.queue.is_some()
    }
}

/// A page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// In order.
    pub events: Vec<Recorded>,
    /// There may be more after [`Self::scanned`].
    pub has_more: bool,
    /// Everything up to here was looked at.
    pub scanned: u64,
}

/// The events at these positions, which are in order.
pub(super) async fn fetch(
    log: &dyn EventLog,
    positions: &[u64],
) -> Result<Vec<Recorded>, ReadError> {
    let mut found = Vec::with_capacity(positions.len());
    let mut rest = positions;
    while let Some(first) = rest.first() {
        let count = rest.partition_point(|position| position - first < SPAN_MAX);
        let (run, left) = rest.split_at(count);
        let last = run.last().copied().unwrap_or(*first);
        let length = usize::try_from(last - first + 1).unwrap_or(1);
        let page = log
            .read_all(Position(first.saturating_sub(1)), length)
            .await?;
        let wanted = page.events.into_iter();
        found.extend(wanted.filter(|event| run.binary_search(&event.position.0).is_ok()));
        rest = left;
    }
    Ok(found)
}

impl Past {
    /// A page of events after the position, in order.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn events(
        &self,
        views: &Views,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, ViewError> {
        let stretches = self.stretches(filter).await?;
        let by_timeline = filter.command.is_none() && filter.streams.is_empty();
        let known = if by_timeline && filter.needs_timeline() {
            // What it does not know yet comes with a later page.
            views.position_of(View::Timeline).0
        } else {
            u64::MAX
        };
        let mut page = EventPage {
            events: vec![],
            has_more: false,
            scanned: after,
        };
        let mut looked = 0;
        for stretch in stretches {
            let until = stretch.last.0.min(known);
            page.scanned = page
                .scanned
                .max(stretch.first.0.saturating_sub(1).min(known));
            while page.scanned < until {
                if looked >= SCAN_MAX {
                    page.has_more = true;
                    return Ok(page);
                }
                let wanted = if filter.actor.is_some() {
                    EVENTS_MAX
                } else {
                    (limit + 1).saturating_sub(page.events.len())
                };
                let found = self.candidates(views, filter, page.scanned, wanted).await?;
                let is_last = found.len() < wanted;
                looked += found.len();
                let last = found.last().map(|event| event.position.0.min(until));
                page.scanned = last.filter(|_| !is_last).unwrap_or(until);
                let found = found.into_iter();
                let matching =
                    found.filter(|event| event.position.0 <= until && filter.matches(event));
                page.events.extend(matching);
                if page.events.len() > limit {
                    page.events.truncate(limit);
                    let last = page.events.last();
                    page.scanned = last.map_or(page.scanned, |event| event.position.0);
                    page.has_more = true;
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    /// Where events of the time that is asked for can be; all of them are there.
    async fn stretches(&self, filter: &EventFilter) -> Result<Vec<Stretch>, ViewError> {
        if filter.from.is_some() || filter.until.is_some() {
            return Ok(self.0.log.taken(filter.from, filter.until).await?);
        }
        Ok(vec![Stretch {
            first: Position(1),
            last: self.head().await?,
            behind: None,
        }])
    }

    /// Up to so many events after the position that may match; fewer when there
    /// are no more.
    async fn candidates(
        &self,
        views: &Views,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ViewError> {
        let log = self.0.log.as_ref();
        if let Some(command) = filter.command {
            return Ok(of_command(log, command, after).await?);
        }
        if !filter.streams.is_empty() {
            let mut found = vec![];
            for stream in &filter.streams {
                let stream = StreamId::from_stored(stream);
                let version = version_at(log, &stream, after).await?;
                found.extend(log.read_stream_page(&stream, version, limit).await?);
            }
            found.sort_by_key(|event| event.position);
            found.dedup_by_key(|event| event.position);
            found.truncate(limit);
            return Ok(found);
        }
        if filter.needs_timeline() {
            let rows = views.events(&filter.timeline(), after, limit).await?;
            let positions: Vec<_> = rows.iter().map(|row| row.position).collect();
            return Ok(fetch(log, &positions).await?);
        }
        Ok(log.read_all(Position(after), limit).await?.events)
    }
}

async fn of_command(
    log: &dyn EventLog,
    command: CommandId,
    after: u64,
) -> Result<Vec<Recorded>, ReadError> {
    let Some((stream, written)) = log.find_command(command).await? else {
        return Ok(vec![]);
    };
    let before = written.version.saturating_sub(CHANGE_MAX);
    let count = usize::try_from(written.version - before).unwrap_or(0);
    let mut events = log.read_stream_page(&stream, before, count).await?;
    events.retain(|event| event.command_id == command && event.position.0 > after);
    Ok(events)
}

/// The stream's version at a position: positions grow with versions.
async fn version_at(
    log: &dyn EventLog,
    stream: &StreamId,
    position: u64,
) -> Result<u64, ReadError> {
    if position == 0 {
        return Ok(0);
    }
    let is_after = async |version: u64| {
        let page = log.read_stream_page(stream, version, 1).await?;
        let next = page.first().map(|event| event.position.0);
        Ok::<_, ReadError>(next.is_none_or(|next| next > position))
    };
    // The first step that is too far, by doubling; then the place between.
    let mut high = 1;
    while !is_after(high).await? {
        high *= 2;
    }
    let mut low = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        if is_after(middle).await? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
