//! Every call, in progress or ended: two tables read as one list.

use crate::{
    cdr, live_calls,
    page::{Cursor, PAGE_MAX, Page, Slice, cut},
    views::{ViewError, Views},
};
use domain::{
    cause::Disposition,
    id::{AgentId, CallId, QueueId, SubjectId},
    time::Timestamp,
};

/// A call, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// In progress.
    Live(Box<live_calls::Row>),
    /// Ended.
    Ended(Box<cdr::Row>),
}

/// Which calls; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In or routed to one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// With one of these agents; empty for any.
    pub agents: Vec<AgentId>,
    /// In one of these states: calls in progress only; empty for any.
    pub states: Vec<live_calls::State>,
    /// With one of these outcomes: ended calls only; empty for any.
    pub dispositions: Vec<Disposition>,
    /// From this caller: `Vault::subject_of` a number finds it exactly.
    pub subject: Option<SubjectId>,
    /// Started at this instant or later.
    pub from: Option<Timestamp>,
    /// Started before this instant.
    pub until: Option<Timestamp>,
}

impl Views {
    /// The call, in progress or ended.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn call(&self, call: CallId) -> Result<Option<Call>, ViewError> {
        // A call that ends between two queries is in the second table before it
        // leaves the first or at the same time, so this order finds it.
        if let Some(row) = self.live_call(call).await? {
            return Ok(Some(Call::Live(Box::new(row))));
        }
        let ended = self.cdr(call).await?;
        Ok(ended.map(|row| Call::Ended(Box::new(row))))
    }

    /// All calls, the latest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn calls(&self, filter: &Filter, page: &Page) -> Result<Slice<Call>, ViewError> {
        let (limit, backwards) = match page {
            Page::First(limit, _) => (*limit, false),
            Page::Last(limit, _) => (*limit, true),
        };
        let mut rows = vec![];
        let mut has_more = false;
        if filter.dispositions.is_empty() {
            let live = self.live_calls_latest_first(filter, page).await?;
            has_more |= live.has_more;
            rows.extend(boxed(live, |row| Call::Live(Box::new(row))));
        }
        if filter.states.is_empty() {
            let ended = self.cdrs(&ended_filter(filter), page).await?;
            has_more |= ended.has_more;
            rows.extend(boxed(ended, |row| Call::Ended(Box::new(row))));
        }
        sort(&mut rows, backwards);
        let mut slice = cut(rows, limit.clamp(1, PAGE_MAX), backwards);
        slice.has_more |= has_more;
        Ok(slice)
    }
}

fn boxed<T>(slice: Slice<T>, wrap: fn(T) -> Call) -> impl Iterator<Item = (Cursor, Call)> {
    slice
        .rows
        .into_iter()
        .map(move |(cursor, row)| (cursor, wrap(row)))
}

fn ended_filter(filter: &Filter) -> cdr::Filter {
    cdr::Filter {
        queues: filter.queues.clone(),
        agents: filter.agents.clone(),
        dispositions: filter.dispositions.clone(),
        subject: filter.subject,
        from: filter.from,
        until: filter.until,
        ..cdr::Filter::default()
    }
}

/// Sorts in reading order: latest first, or latest last when read backwards. A
/// call that ended between the two queries is in both: its record wins.
fn sort(rows: &mut Vec<(Cursor, Call)>, backwards: bool) {
    rows.sort_by(|(a, a_call), (b, b_call)| {
        let order = number(b).cmp(&number(a)).then_with(|| b.id.cmp(&a.id));
        let order = if backwards { order.reverse() } else { order };
        order.then_with(|| is_live(a_call).cmp(&is_live(b_call)))
    });
    rows.dedup_by(|(later, _), (earlier, _)| later.id == earlier.id);
}

const fn number(cursor: &Cursor) -> i64 {
    match &cursor.key {
        crate::page::SortKey::Number(number) => *number,
        crate::page::SortKey::Text(_) => 0,
    }
}

const fn is_live(call: &Call) -> bool {
    matches!(call, Call::Live(_))
}
